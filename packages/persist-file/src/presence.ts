import { constants } from 'node:fs';
import { chmod, open, rename, stat, unlink, type FileHandle } from 'node:fs/promises';
import { connect, createServer, type Server } from 'node:net';
import { dirname, join } from 'node:path';
import { codeOf } from './failure.js';
import { FILE_MODE } from './log-file.js';
import type { Vitality } from './process-identity.js';

/** Linux's flag for a handle to what is under a name, whatever it is. Node has no constant for it. */
const O_PATH = 0o10000000;
/** What sockets are called for a moment, until they listen. */
export const UNBORN = '.acache-';

/** Which socket is meant: what has its name later may be a copy, or be seen through another mount. */
export interface SocketMark {
  /** The device of its folder, as its owner saw it. */
  readonly device: number;
  readonly ino: number;
}

/**
 * A proof of life for all processes on the same kernel, also where pids mean nothing: a socket in the
 * file system that this process listens on. Whoever connects to it learns that its owner lives, even
 * while that is frozen; once the owner is gone, the kernel refuses.
 */
export class Presence {
  readonly mark: SocketMark;
  readonly #path: string;
  readonly #server: Server;

  private constructor(path: string, server: Server, mark: SocketMark) {
    this.#path = path;
    this.#server = server;
    this.mark = mark;
  }

  /**
   * Never throws, and keeps no process alive.
   *
   * @param nonce - so that nobody else uses the name that the socket has before it listens
   * @returns `undefined` where the system or the file system has no such sockets
   */
  static async show(path: string, nonce: string): Promise<Presence | undefined> {
    const server = createServer({ pauseOnConnect: true }, (visitor) => {
      visitor.on('error', () => undefined);
      visitor.destroy();
    });
    server.on('error', () => undefined);
    const folder = dirname(path);
    const unborn = join(folder, `${UNBORN}${nonce}`);
    let handle: FileHandle | undefined;
    try {
      handle = await open(folder, constants.O_RDONLY | constants.O_DIRECTORY);
      // The address of a socket has room for 107 bytes only; a name is not bound to that.
      await listen(server, `/proc/self/fd/${handle.fd}/${UNBORN}${nonce}`);
      await chmod(unborn, FILE_MODE);
      // Node removes a socket when the process ends, under the name that it was made with. Were it gone,
      // nobody could tell any more that its owner is.
      await rename(unborn, path);
      const [{ dev: device }, { ino }] = [await handle.stat(), await stat(path)];
      const presence = new Presence(path, server, { device, ino });
      if ((await vitalityAt(path, presence.mark)) === 'alive') return presence;
    } catch {
      // Then others go by the heartbeat.
    } finally {
      await handle?.close().catch(() => undefined);
    }
    server.close();
    await unlink(unborn).catch(() => undefined);
    await unlink(path).catch(() => undefined);
    return undefined;
  }

  /** Never throws. */
  async withdraw(): Promise<void> {
    await unlink(this.#path).catch(() => undefined);
    this.#server.close();
  }
}

/**
 * Whether the owner of a socket on this kernel lives. Never throws.
 *
 * A socket that is gone proves nothing: whoever cleans up may have removed it.
 */
export async function vitalityAt(path: string, mark: SocketMark): Promise<Vitality> {
  let handle: FileHandle | undefined;
  try {
    const { dev } = await stat(dirname(path));
    handle = await open(path, O_PATH | constants.O_NOFOLLOW);
    const info = await handle.stat();
    // Only the very socket can tell: any other file refuses as well.
    if (!info.isSocket() || dev !== mark.device || info.ino !== mark.ino) return 'unknown';
    return await visit(`/proc/self/fd/${handle.fd}`);
  } catch {
    return 'unknown';
  } finally {
    await handle?.close().catch(() => undefined);
  }
}

function listen(server: Server, path: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    // A worker of a cluster would let its primary listen, which may live longer.
    server.listen({ path, exclusive: true }, resolve);
    server.unref();
  });
}

function visit(path: string): Promise<Vitality> {
  return new Promise((resolve) => {
    const visitor = connect({ path });
    visitor.on('connect', () => {
      visitor.destroy();
      resolve('alive');
    });
    visitor.on('error', (error) => {
      const code = codeOf(error);
      // Its queue is full: it was frozen for long, or is busy.
      if (code === 'EAGAIN') resolve('alive');
      else resolve(code === 'ECONNREFUSED' ? 'dead' : 'unknown');
    });
  });
}
