#!/usr/bin/env node
import { runCommand } from './command.js';

const output = {
  out: (text: string) => {
    console.log(text);
  },
  error: (text: string) => {
    console.error(text);
  },
};

async function main(): Promise<void> {
  const outcome = await runCommand(process.argv.slice(2), output);
  if ('code' in outcome) {
    process.exitCode = outcome.code;
    return;
  }
  let isEnding = false;
  const end = (): void => {
    // A second Ctrl-C does not wait for the file.
    if (isEnding) process.exit(130);
    isEnding = true;
    void outcome.playground.close().then(() => process.exit(0));
  };
  process.on('SIGINT', end);
  process.on('SIGTERM', end);
}

main().catch((error: unknown) => {
  console.error(error);
  process.exitCode = 1;
});
