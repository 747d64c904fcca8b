export default { displayName: 'all', preset: '../../jest.preset.js' };
