#!/usr/bin/env node
import { ExitCode } from './cli-error.ts';
import { runCommand } from './run-command.ts';

process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  // `miniport inspect | head` closes the pipe early: nothing is wrong then.
  if (error.code === 'EPIPE') process.exit(ExitCode.ok);
  throw error;
});

await runCommand(process.argv.slice(2));
