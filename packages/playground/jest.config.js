export default { displayName: 'playground', preset: '../../jest.preset.js' };
