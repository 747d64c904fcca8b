import { connect as connectPlain } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { host } from './free-port.js';
import { messageOf } from './message-of.js';
import { within } from './until.js';

/** What a server answers, as RESP2 says it. An error inside an array (of EXEC, for one) is an element like others. */
export type Reply<Text = string> = Text | number | null | ReplyError | Reply<Text>[];

export type Argument = string | number | Uint8Array;

/** An error that the server answered with: `WRONGTYPE Operation against …`. */
export class ReplyError extends Error {
  override readonly name = 'ReplyError';
}

/** Where a server is, and as whom to ask it. */
export interface Address {
  readonly port: number;
  readonly tls?: { readonly ca: string } | undefined;
  readonly user?: { readonly name: string; readonly password: string } | undefined;
}

/** How long the server has to answer: a stopped one never does. */
const answerWithinMs = 5000;

/** Sends one command on a connection of its own, and gives the answer with texts as bytes. */
export async function ask(address: Address, command: readonly Argument[]): Promise<Reply<Buffer>> {
  const { user } = address;
  const login = user ? [['AUTH', user.name, user.password]] : [];
  const replies = await exchange(address, [...login, command]);
  const failed = replies.find((reply) => reply instanceof ReplyError);
  if (failed) throw failed;
  return replies.at(-1) as Reply<Buffer>;
}

/** The same answer with texts as strings. */
export function decode(reply: Reply<Buffer>): Reply {
  if (Array.isArray(reply)) return reply.map(decode);
  return Buffer.isBuffer(reply) ? reply.toString() : reply;
}

async function exchange(
  { port, tls }: Address,
  commands: readonly (readonly Argument[])[],
): Promise<Reply<Buffer>[]> {
  const socket = tls ? connectTls({ host, port, ca: tls.ca }) : connectPlain({ host, port });
  const replies = new Promise<Reply<Buffer>[]>((resolve, reject) => {
    let received = Buffer.alloc(0);
    socket.on('data', (bytes) => {
      received = Buffer.concat([received, bytes]);
      try {
        const found = readReplies(received, commands.length);
        if (found) resolve(found.values);
      } catch (error) {
        reject(error);
      }
    });
    socket.on('error', reject);
    socket.on('close', () => reject(new Error('the connection was closed')));
  });
  try {
    socket.setNoDelay(true).write(Buffer.concat(commands.map(encode)));
    return await within('the answer', replies, answerWithinMs);
  } catch (cause) {
    const name = String(commands.at(-1)?.[0]);
    throw new Error(`${name} to the server at ${host}:${port} failed: ${messageOf(cause)}`, {
      cause,
    });
  } finally {
    socket.destroy();
  }
}

function encode(command: readonly Argument[]): Buffer {
  const parts = command.flatMap((argument) => {
    const bytes = Buffer.from(typeof argument === 'number' ? String(argument) : argument);
    return [Buffer.from(`$${bytes.length}\r\n`), bytes, Buffer.from('\r\n')];
  });
  return Buffer.concat([Buffer.from(`*${command.length}\r\n`), ...parts]);
}

type Found<T> = { values: T; end: number } | undefined;

/** So many replies from a position on; `undefined` while some of their bytes are missing. */
function readReplies(bytes: Buffer, count: number, at = 0): Found<Reply<Buffer>[]> {
  const values: Reply<Buffer>[] = [];
  let end = at;
  for (let index = 0; index < count; index++) {
    const reply = readReply(bytes, end);
    if (!reply) return undefined;
    values.push(reply.values);
    end = reply.end;
  }
  return { values, end };
}

function readReply(bytes: Buffer, at: number): Found<Reply<Buffer>> {
  const lineEnd = bytes.indexOf('\r\n', at);
  if (lineEnd < 0) return undefined;
  const line = bytes.subarray(at + 1, lineEnd);
  const end = lineEnd + 2;
  switch (String.fromCharCode(bytes[at] ?? 0)) {
    case '+':
      return { values: line, end };
    case '-':
      return { values: new ReplyError(line.toString()), end };
    case ':':
      return { values: Number(line), end };
    case '$': {
      const length = Number(line);
      if (length < 0) return { values: null, end };
      if (bytes.length < end + length + 2) return undefined;
      return { values: bytes.subarray(end, end + length), end: end + length + 2 };
    }
    case '*': {
      const count = Number(line);
      return count < 0 ? { values: null, end } : readReplies(bytes, count, end);
    }
    default:
      throw new Error(`not RESP2: ${bytes.subarray(at, at + 40).toString('latin1')}`);
  }
}
