export default { displayName: 'web-trace', preset: '../../jest.preset.js' };
