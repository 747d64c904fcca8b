// A Postgres behind a port of its own, in a process of its own: it prints the port, and ends with its parent.
import { createServer } from 'node:net';
import { PGlite } from '@electric-sql/pglite';

/** What a client asks first, and is answered with a no: whether TLS is spoken here. */
const SSL_REQUEST = 80877103;

const database = await PGlite.create();
const server = createServer((socket) => {
  socket.setNoDelay();
  let answered = Promise.resolve();
  let rest = Buffer.alloc(0);
  let isStarted = false;

  /** The length of the first message; the very first ones have no type before it. */
  const lengthOfFirst = () => {
    const before = isStarted ? 1 : 0;
    return rest.length < before + 4 ? Infinity : before + rest.readInt32BE(before);
  };

  socket.on('error', () => undefined);
  socket.on('data', (data) => {
    rest = Buffer.concat([rest, data]);
    for (let length = lengthOfFirst(); length <= rest.length; length = lengthOfFirst()) {
      const message = rest.subarray(0, length);
      rest = rest.subarray(length);
      if (!isStarted && message.readInt32BE(4) === SSL_REQUEST) {
        socket.write('N');
        continue;
      }
      isStarted = true;
      answered = answered.then(async () => {
        socket.write(await database.execProtocolRaw(message));
      });
    }
  });
});
server.listen(0, '127.0.0.1', () => console.log(server.address().port));
process.stdin.resume().on('end', () => process.exit());
