import pg from 'pg';
import { Blog } from './blog.js';
import { compare, type Run } from './compare.js';

jest.setTimeout(60_000);

describe('a request for 100 users with posts and authors', () => {
  const sent = jest.spyOn(pg.Client.prototype, 'query');
  let plain: Run, batched: Run, cached: Run, again: Run, renamed: Run;
  let queries = 0;

  beforeAll(async () => {
    await using blog = await Blog.open();
    [plain, batched, cached, again, renamed] = (await compare(blog)) as [Run, Run, Run, Run, Run];
    queries = blog.queries;
  });
  afterAll(() => sent.mockRestore());

  const posts = () => plain.answer.users.flatMap(({ posts }) => posts);

  it('answers with all of them', () => {
    const { users } = plain.answer;
    expect(users).toHaveLength(100);
    expect(posts()).toHaveLength(297);
    expect(users[1]).toEqual({
      name: 'User 2',
      posts: [
        { id: '2', title: 'Post 1 of user 2', author: { name: 'Author 16' } },
        { id: '3', title: 'Post 2 of user 2', author: { name: 'Author 17' } },
      ],
    });
    expect(users[6]).toEqual({ name: 'User 7', posts: [] });
  });

  it('answers the same, however it asks the database', () => {
    expect(batched.answer).toEqual(plain.answer);
    expect(cached.answer).toEqual(plain.answer);
    expect(again.answer).toEqual(plain.answer);
  });

  it('costs plain resolvers a query for each user and for each post', () => {
    expect(plain.queries).toBe(1 + 100 + posts().length);
    expect(plain.rows).toBe(100 + posts().length + posts().length);
  });

  it('costs a DataLoader 3 queries', () => {
    const authors = new Set(posts().map(({ author }) => author.name));
    expect(batched.queries).toBe(3);
    expect(batched.rows).toBe(100 + posts().length + authors.size);
  });

  it('costs a DataLoader over a cache the same once, and then only the list of users, which has no key', () => {
    expect(cached.queries).toBe(3);
    expect(again.queries).toBe(1);
    expect(again.rows).toBe(100);
  });

  it('shows a change at once, for a query more', () => {
    const expected = structuredClone(plain.answer);
    expected.users[0]!.posts[0]!.title = 'A better title';
    expect(renamed.answer).toEqual(expected);
    expect(renamed.queries).toBe(2);
  });

  it('is counted right: node-postgres sent as many queries', () => {
    const rename = 1;
    const counted = [plain, batched, cached, again, renamed].map((run) => run.queries);
    expect(queries).toBe(counted.reduce((sum, each) => sum + each, rename));
    expect(sent).toHaveBeenCalledTimes(queries);
  });
});
