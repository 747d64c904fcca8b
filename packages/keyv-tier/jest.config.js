export default { displayName: 'keyv-tier', preset: '../../jest.preset.js' };
