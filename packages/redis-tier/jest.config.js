export default { displayName: 'redis-tier', preset: '../../jest.preset.js' };
