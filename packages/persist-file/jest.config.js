export default { displayName: 'persist-file', preset: '../../jest.preset.js' };
