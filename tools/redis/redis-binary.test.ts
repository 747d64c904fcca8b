import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { findRedis } from './index.js';

const scratch = mkdtempSync(join(tmpdir(), 'acache-find-redis-'));
afterAll(() => rmSync(scratch, { recursive: true }));

let count = 0;
const folder = (): string => join(scratch, String(++count));

function program(path: string, script: string): string {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, `#!/bin/sh\n${script}\n`);
  chmodSync(path, 0o755);
  return path;
}

const server = (path: string, version: string): string =>
  program(path, `echo "Redis server v=${version} sha=00000000:0 malloc=libc bits=64"`);

/** A system whose apt-get has a server to give: with lists of its own, or only after an update into other folders. */
function debian({ hasLists = true, version = '7.1.0' } = {}): {
  PATH: string;
  calls: () => string[];
} {
  const bin = folder();
  const log = join(bin, 'log');
  program(
    join(bin, 'apt-get'),
    `echo "$@" >> ${log}
     case "$*" in
       --version) echo apt ;;
       *update) touch ${bin}/updated ;;
       *) ${hasLists ? ':' : `case "$*" in *Dir::State::Lists=*) [ -e ${bin}/updated ] ;; *) false ;; esac`} || exit 100 ;;
     esac
     case "$*" in
       *--simulate*) echo "Inst libfake1 (1.0 Debian:12 [amd64])" ;;
       *download*) touch redis-server.deb redis-tools.deb libfake1.deb ;;
     esac`,
  );
  program(
    join(bin, 'dpkg-deb'),
    `mkdir -p "$3/usr/bin" "$3/usr/lib/fake"
     case "$2" in
       *redis-server.deb)
         printf '#!/bin/sh\\necho "Redis server v=${version} $LD_LIBRARY_PATH"\\n' > "$3/usr/bin/redis-server"
         chmod +x "$3/usr/bin/redis-server" ;;
       *libfake1.deb) touch "$3/usr/lib/fake/libfake.so.1" ;;
     esac`,
  );
  return {
    PATH: `${bin}:/usr/bin:/bin`,
    calls: () => readFileSync(log, 'utf8').trim().split('\n'),
  };
}

describe('findRedis', () => {
  it('takes the server that REDIS_SERVER names', async () => {
    const path = server(join(folder(), 'my-redis'), '8.2.1');
    const found = await findRedis({ env: { REDIS_SERVER: path, PATH: '' } });
    expect(found).toEqual({ path, version: '8.2.1' });
  });

  it('does not look elsewhere when REDIS_SERVER names none that runs', async () => {
    const bin = folder();
    server(join(bin, 'redis-server'), '7.0.0');
    await expect(
      findRedis({ env: { REDIS_SERVER: '/nowhere/redis-server', PATH: bin } }),
    ).rejects.toThrow(
      "REDIS_SERVER is '/nowhere/redis-server', but /nowhere/redis-server does not run",
    );
  });

  it('takes redis-server from the PATH, else valkey-server', async () => {
    const bin = folder();
    const valkey = server(join(bin, 'valkey-server'), '8.1.0');
    const env = { PATH: `/nowhere:${bin}` };
    await expect(findRedis({ env })).resolves.toMatchObject({ path: valkey });
    const redis = server(join(bin, 'redis-server'), '7.4.0');
    await expect(findRedis({ env })).resolves.toMatchObject({ path: redis });
  });

  it('passes over a server that is too old', async () => {
    const bin = folder();
    server(join(bin, 'redis-server'), '6.0.16');
    const valkey = server(join(bin, 'valkey-server'), '8.1.0');
    await expect(findRedis({ env: { PATH: bin } })).resolves.toMatchObject({ path: valkey });
  });

  it("unpacks Debian's packages and the libraries that are missing into the cache, once", async () => {
    const cache = folder();
    const { PATH, calls } = debian();
    const found = await findRedis({ env: { PATH }, cache });
    expect(found.path.startsWith(cache)).toBe(true);
    expect(calls().at(-1)).toContain('download redis-server redis-tools libfake1');
    const before = calls().length;
    await expect(findRedis({ env: { PATH }, cache })).resolves.toEqual(found);
    await expect(findRedis({ env: { PATH: '' }, cache })).resolves.toEqual(found);
    expect(calls()).toHaveLength(before);
  });

  it('fetches package lists of its own where the system has none', async () => {
    const cache = folder();
    const { PATH, calls } = debian({ hasLists: false });
    await expect(findRedis({ env: { PATH }, cache })).resolves.toMatchObject({ version: '7.1.0' });
    const update = calls().find((call) => call.endsWith('update'));
    expect(update).toContain(`Dir::State::Lists=${cache}`);
  });

  it('gives everyone a whole server when several need it at once', async () => {
    const cache = folder();
    const { PATH } = debian();
    const all = await Promise.all(
      Array.from({ length: 4 }, () => findRedis({ env: { PATH }, cache })),
    );
    expect(new Set(all.map(({ path }) => path)).size).toBe(1);
    expect(all.map(({ version }) => version)).toEqual(['7.1.0', '7.1.0', '7.1.0', '7.1.0']);
  });

  it('replaces a copy that does not run any more', async () => {
    const cache = folder();
    const { PATH } = debian();
    const { path } = await findRedis({ env: { PATH }, cache });
    program(path, 'exit 127');
    await expect(findRedis({ env: { PATH }, cache })).resolves.toEqual({ path, version: '7.1.0' });
  });

  it('leaves nothing behind when what it fetched will not do', async () => {
    const cache = folder();
    const { PATH } = debian({ version: '6.0.16' });
    const error = await findRedis({ env: { PATH }, cache }).catch(String);
    expect(error).toContain('redis-server is 6.0.16, older than 7');
    expect(readdirSync(cache)).toEqual([]);
  });

  it('says what to do when there is none', async () => {
    const error = await findRedis({ env: { PATH: '' }, cache: folder() }).catch(String);
    expect(error).toContain('The tests need a Redis server, 7 or newer, and there is none.');
    expect(error).toContain('brew install redis');
    expect(error).toContain('REDIS_SERVER=/path/to/redis-server npm test');
    expect(error).toContain('- only Debian and Ubuntu, with apt-get, have one to unpack');
  });
});
