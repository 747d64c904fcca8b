export default {
  displayName: 'graphql-batch',
  preset: '../../jest.preset.js',
  // Postgres runs in the process of the tests, so that they count the queries of sources that are not built.
  transform: { '/pglite/dist/.+\\.cjs$': '<rootDir>/test/import-by-require.js' },
  transformIgnorePatterns: ['/node_modules/(?!@electric-sql/pglite/)'],
};
