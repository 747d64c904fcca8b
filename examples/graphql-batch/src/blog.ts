import { PGlite } from '@electric-sql/pglite';
import { createPgConfig } from '@electric-sql/pglite/node-postgres';
import pg from 'pg';
import {
  authorsByIds,
  contents,
  firstUsers,
  postsOfUsers,
  renamePost,
  tables,
} from './blog-sql.js';

export interface User {
  id: number;
  name: string;
}

export interface Post {
  id: number;
  userId: number;
  authorId: number;
  title: string;
}

export interface Author {
  id: number;
  name: string;
}

/** The database of a blog: Postgres in this process, asked through node-postgres as a server would be. */
export class Blog implements AsyncDisposable {
  /** How many queries Postgres was sent. */
  queries = 0;
  /** How many rows it answered with. */
  rows = 0;
  readonly #postgres: PGlite;
  readonly #pool: pg.Pool;

  private constructor(postgres: PGlite) {
    this.#postgres = postgres;
    this.#pool = new pg.Pool(createPgConfig(postgres));
  }

  /** Starts Postgres, which takes about two seconds, with the same users, posts and authors each time. */
  static async open(): Promise<Blog> {
    const postgres = await PGlite.create();
    await postgres.exec(tables + contents);
    return new Blog(postgres);
  }

  users(first: number): Promise<User[]> {
    return this.#query<User>(firstUsers, [first]);
  }

  /** The posts of each user, for those without any an empty list: one query, however many users. */
  async postsOf(userIds: readonly number[]): Promise<Map<number, Post[]>> {
    const posts = new Map(userIds.map((id): [number, Post[]] => [id, []]));
    for (const post of await this.#query<Post>(postsOfUsers, [userIds])) {
      posts.get(post.userId)?.push(post);
    }
    return posts;
  }

  /** Authors by their ids: one query, however many ids. */
  async authors(ids: readonly number[]): Promise<Map<number, Author>> {
    const authors = await this.#query<Author>(authorsByIds, [ids]);
    return new Map(authors.map((author) => [author.id, author]));
  }

  async renamePost(id: string, title: string): Promise<Post | undefined> {
    const [post] = await this.#query<Post>(renamePost, [id, title]);
    return post;
  }

  /** The only way to the database, so that every query counts. */
  async #query<Row extends pg.QueryResultRow>(text: string, values: unknown[]): Promise<Row[]> {
    this.queries++;
    const { rows } = await this.#pool.query<Row>(text, values);
    this.rows += rows.length;
    return rows;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#pool.end();
    await this.#postgres.close();
  }
}
