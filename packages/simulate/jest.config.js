export default { displayName: 'simulate', preset: '../../jest.preset.js' };
