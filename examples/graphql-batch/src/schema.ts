import {
  GraphQLID,
  GraphQLInt,
  GraphQLList,
  GraphQLNonNull,
  GraphQLObjectType,
  GraphQLSchema,
  GraphQLString,
  type GraphQLNullableType,
} from 'graphql';
import type { Author, Blog, Post, User } from './blog.js';
import type { Sources } from './sources.js';

/** What the resolvers of one request share. */
export interface Context {
  readonly blog: Blog;
  readonly sources: Sources;
}

const id = { type: required(GraphQLID) };
const name = { type: required(GraphQLString) };

const author = new GraphQLObjectType<Author, Context>({ name: 'Author', fields: { id, name } });

const post = new GraphQLObjectType<Post, Context>({
  name: 'Post',
  fields: {
    id,
    title: { type: required(GraphQLString) },
    author: {
      type: required(author),
      resolve: ({ authorId }, _, { sources }) => sources.authors.load(authorId),
    },
  },
});

const user = new GraphQLObjectType<User, Context>({
  name: 'User',
  fields: {
    id,
    name,
    posts: {
      type: listOf(post),
      resolve: (user, _, { sources }) => sources.posts.load(user.id),
    },
  },
});

const query = new GraphQLObjectType<unknown, Context>({
  name: 'Query',
  fields: {
    users: {
      type: listOf(user),
      args: { first: { type: required(GraphQLInt) } },
      resolve: (_, { first }: { first: number }, { blog }) => blog.users(first),
    },
  },
});

const mutation = new GraphQLObjectType<unknown, Context>({
  name: 'Mutation',
  fields: {
    renamePost: {
      type: post,
      args: { id, title: { type: required(GraphQLString) } },
      resolve: async (_, { id, title }: { id: string; title: string }, { blog, sources }) => {
        const renamed = await blog.renamePost(id, title);
        if (renamed) sources.posts.clear(renamed.userId);
        return renamed;
      },
    },
  },
});

export const schema = new GraphQLSchema({ query, mutation });

function required<T extends GraphQLNullableType>(type: T): GraphQLNonNull<T> {
  return new GraphQLNonNull(type);
}

function listOf<T extends GraphQLNullableType>(type: T) {
  return required(new GraphQLList(required(type)));
}
