import type { GraphQLRequest } from './server.js';

/** A hundred users, their posts and who wrote them. */
export const usersWithPosts = `{
  users(first: 100) { name posts { id title author { name } } }
}`;

export interface UsersWithPosts {
  users: { name: string; posts: { id: string; title: string; author: { name: string } }[] }[];
}

export const renamePost = `mutation ($id: ID!, $title: String!) {
  renamePost(id: $id, title: $title) { title }
}`;

/**
 * Sends a query over HTTP.
 *
 * @throws Error with the first message, when the server answers with errors
 */
export async function ask<Data>(
  url: string,
  query: string,
  variables?: GraphQLRequest['variables'],
): Promise<Data> {
  const response = await fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ query, variables } satisfies GraphQLRequest),
  });
  const answer = (await response.json()) as { data: Data; errors?: { message: string }[] };
  if (answer.errors?.[0]) throw new Error(answer.errors[0].message);
  return answer.data;
}
