export default { displayName: 'batch', preset: '../../jest.preset.js' };
