import { Blog } from './blog.js';
import { usersWithPosts } from './client.js';
import { compare } from './compare.js';
import { report } from './report.js';

console.log(`\
A GraphQL server over Postgres (PGlite, in this process), asked over HTTP for

${usersWithPosts}
`);
await using blog = await Blog.open();
// What is measured is then compiled, and the database warm.
for (let round = 0; round < 5; round++) await compare(blog);
console.log(report(await compare(blog)));
