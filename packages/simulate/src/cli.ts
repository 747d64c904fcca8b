#!/usr/bin/env node
import { createRequire } from 'node:module';
import { clearLine, cursorTo } from 'node:readline';
import { runCommand } from './command.js';
import { writeLine } from './write-line.js';

const { stderr, stdout } = process;
const BAR = 30;
/** Milliseconds between two looks of the bar. */
const PAUSE = 100;
let shownAt = 0;

function wipe(): void {
  clearLine(stderr, 0);
  cursorTo(stderr, 0);
}

const output = {
  require: createRequire(import.meta.url),
  out: (text: string) => {
    if (stderr.isTTY) wipe();
    return writeLine(stdout, text);
  },
  error: (text: string) => {
    if (stderr.isTTY) wipe();
    console.error(text);
  },
  progress(what: string, part: number | undefined) {
    if (!stderr.isTTY || (part !== 1 && Date.now() - shownAt < PAUSE)) return;
    shownAt = Date.now();
    const filled = Math.round(BAR * (part ?? 0));
    const bar = '█'.repeat(filled) + '░'.repeat(BAR - filled);
    wipe();
    stderr.write(part === undefined ? `${what} …` : `${what} ${bar} ${Math.round(100 * part)} %`);
  },
};
runCommand(process.argv.slice(2), output).then(
  (code) => {
    process.exitCode = code;
  },
  (error: unknown) => {
    console.error(error);
    process.exitCode = 2;
  },
);
