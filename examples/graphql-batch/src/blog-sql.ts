/** Users have blogs; authors write posts for several of them. */
export const tables = `
  create table blog_user (
    id int primary key,
    name text not null
  );
  create table author (
    id int primary key,
    name text not null
  );
  create table post (
    id int primary key generated always as identity,
    user_id int not null references blog_user,
    author_id int not null references author,
    title text not null
  );
  create index on post (user_id);
`;

/** 120 users, every seventh of them without a post and the others with one to six; 20 authors. */
export const contents = `
  insert into blog_user select nth, 'User ' || nth from generate_series(1, 120) nth;
  insert into author select nth, 'Author ' || nth from generate_series(1, 20) nth;
  insert into post (user_id, author_id, title)
  select blog_user.id, 1 + (7 * blog_user.id + nth) % 20, 'Post ' || nth || ' of user ' || blog_user.id
  from blog_user, generate_series(1, blog_user.id % 7) nth;
  analyze;
`;

export const firstUsers = `
  select id, name from blog_user order by id limit $1
`;

export const postsOfUsers = `
  select id, user_id as "userId", author_id as "authorId", title
  from post where user_id = any($1::int[]) order by id
`;

export const authorsByIds = `
  select id, name from author where id = any($1::int[])
`;

export const renamePost = `
  update post set title = $2 where id = $1
  returning id, user_id as "userId", author_id as "authorId", title
`;
