export default { displayName: 'agent-tools', preset: '../../jest.preset.js' };
