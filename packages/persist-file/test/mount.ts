import { spawnSync } from 'node:child_process';

/**
 * Mounts something.
 *
 * @param device - an open file that `mount` finds as number 3
 * @returns why it could not be done; `undefined` when it was
 */
export function mount(args: readonly string[], device?: number): string | undefined {
  const stdio = ['ignore', 'ignore', 'pipe', device ?? 'ignore'] as const;
  const { status, stderr, error } = spawnSync('mount', args, { stdio: [...stdio] });
  return status === 0 ? undefined : (error?.message ?? String(stderr).trim());
}

/** Takes away what is mounted on a folder, even while it is in use. */
export function unmount(folder: string): void {
  spawnSync('umount', ['-l', folder]);
}
