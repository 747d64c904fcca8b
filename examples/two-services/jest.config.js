export default { displayName: 'two-services', preset: '../../jest.preset.js' };
