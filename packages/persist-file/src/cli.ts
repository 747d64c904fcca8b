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
runCommand(process.argv.slice(2), output).then(
  (code) => {
    process.exitCode = code;
  },
  (error: unknown) => {
    console.error(error);
    process.exitCode = 2;
  },
);
