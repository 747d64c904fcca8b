import { printSchema } from 'graphql';
import { schema } from './schema.js';

describe('schema', () => {
  it('has users with posts, posts with an author, and a mutation', () => {
    expect(printSchema(schema)).toMatchInlineSnapshot(`
      "type Query {
        users(first: Int!): [User!]!
      }

      type User {
        id: ID!
        name: String!
        posts: [Post!]!
      }

      type Post {
        id: ID!
        title: String!
        author: Author!
      }

      type Author {
        id: ID!
        name: String!
      }

      type Mutation {
        renamePost(id: ID!, title: String!): Post
      }"
    `);
  });
});
