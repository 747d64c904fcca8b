/**
 * Leaves at once on Ctrl-C, on SIGTERM, and when nobody reads the output any more (`npm run demo | head`). The database
 * is in memory: there is nothing to save.
 */
export function leaveWhenTold(): void {
  process.once('SIGINT', () => process.exit(130));
  process.once('SIGTERM', () => process.exit(143));
  for (const output of [process.stdout, process.stderr]) {
    output.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code !== 'EPIPE') throw error;
      process.exit(0);
    });
  }
}
