import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';

/** Bytes to answer a command with; `undefined` answers nothing. */
export type Answer = (command: readonly string[], socket: Socket) => string | undefined;

/** A server of the test's own that says what the test wants. */
export interface FakeServer extends AsyncDisposable {
  readonly url: string;
  /** The commands that arrived, their names in capitals. */
  readonly asked: (readonly string[])[];
  /** How many connections there have been. */
  readonly accepted: number;
  answer: Answer;
}

export async function startFake(answer: Answer): Promise<FakeServer> {
  const sockets = new Set<Socket>();
  const asked: (readonly string[])[] = [];
  let accepted = 0;
  const server = createServer((socket) => {
    accepted++;
    sockets.add(socket.on('error', () => undefined));
    let text = '';
    socket.on('data', (bytes) => {
      text += bytes.toString('latin1');
      const { commands, rest } = commandsIn(text);
      text = rest;
      for (const command of commands) {
        asked.push(command);
        const reply = fake.answer(command, socket);
        if (reply !== undefined && socket.writable) socket.write(reply, 'latin1');
      }
    });
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const fake: FakeServer = {
    url: `redis://127.0.0.1:${(server.address() as AddressInfo).port}`,
    asked,
    get accepted() {
      return accepted;
    },
    answer,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
  return fake;
}

/** What a server answers that only lets clients in: the handshake, and pings. */
export function polite(rest: Answer): Answer {
  return (command, socket) => {
    const [name, argument = ''] = command;
    if (name === 'INFO') return bulk('redis_version:7.0.15\r\nloading:0\r\n');
    if (name === 'PING') return '+PONG\r\n';
    if (name === 'CLIENT') return argument === 'ID' ? ':7\r\n' : '+OK\r\n';
    if (name === 'SUBSCRIBE') return `*3\r\n${bulk('subscribe')}${bulk(argument)}:1\r\n`;
    return rest(command, socket);
  };
}

/** Asks a true server for the answers, over a connection of its own for each client. */
export function through(port: number): Answer {
  const lines = new WeakMap<Socket, Socket>();
  return (command, socket) => {
    let line = lines.get(socket);
    if (line === undefined) {
      const opened = (line = connect({ port, host: '127.0.0.1' }));
      lines.set(socket, opened);
      opened.on('data', (bytes) => socket.write(bytes)).on('error', () => undefined);
      socket.on('close', () => opened.destroy());
    }
    const parts = command.map((part) => `$${part.length}\r\n${part}\r\n`);
    line.write(`*${command.length}\r\n${parts.join('')}`, 'latin1');
    return undefined;
  };
}

export const bulk = (text: string): string => `$${text.length}\r\n${text}\r\n`;

function commandsIn(text: string): { commands: string[][]; rest: string } {
  const commands: string[][] = [];
  let at = 0;
  for (;;) {
    const found = commandAt(text, at);
    if (found === undefined) return { commands, rest: text.slice(at) };
    const [name = '', ...args] = found.parts;
    const upper = name.toUpperCase();
    commands.push(
      upper === 'CLIENT'
        ? [upper, (args[0] ?? '').toUpperCase(), ...args.slice(1)]
        : [upper, ...args],
    );
    at = found.end;
  }
}

function commandAt(text: string, from: number): { parts: string[]; end: number } | undefined {
  const head = /\*(\d+)\r\n/y;
  head.lastIndex = from;
  const count = head.exec(text)?.[1];
  if (count === undefined) return undefined;
  let at = head.lastIndex;
  const parts: string[] = [];
  while (parts.length < Number(count)) {
    const size = /\$(\d+)\r\n/y;
    size.lastIndex = at;
    const length = Number(size.exec(text)?.[1] ?? NaN);
    const start = size.lastIndex;
    if (Number.isNaN(length) || text.length < start + length + 2) return undefined;
    parts.push(text.slice(start, start + length));
    at = start + length + 2;
  }
  return { parts, end: at };
}
