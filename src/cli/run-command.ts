import { createRequire } from 'node:module';
import { Command, CommanderError } from 'commander';
import { ClientError, WavError } from '../client/index.ts';
import { BugcheckError, formatBugcheck } from '../kernel/index.ts';
import { QemuError } from '../machines/qemu/index.ts';
import { CliError, ExitCode } from './cli-error.ts';
import { addCardTestCommand } from './commands/card-test.ts';
import { addDiffCommand } from './commands/diff.ts';
import { addLookCommands } from './commands/look.ts';
import { addMidiCommand } from './commands/midi.ts';
import { addPlayCommand, playDemo } from './commands/play.ts';
import { addRecordCommand } from './commands/record.ts';
import { addTraceCommand } from './commands/trace.ts';

function buildProgram(): Command {
  const { version } = createRequire(import.meta.url)('../../package.json') as { version: string };
  const program = new Command('miniport')
    .description(
      'Windows audio adapter drivers (PortCls) on any OS, against the registers of real sound cards.\nWithout a command: plays a short piece of music through a card.',
    )
    .version(version)
    .showHelpAfterError('(miniport --help lists the commands; miniport COMMAND --help explains one)')
    .exitOverride();
  addPlayCommand(program);
  addRecordCommand(program);
  addMidiCommand(program);
  addLookCommands(program);
  addTraceCommand(program);
  addCardTestCommand(program);
  addDiffCommand(program);
  // After the commands were added, which would take the setting over: a word too many is no command, and is said to be none.
  program.allowExcessArguments();
  program.action(async (_options: unknown, command: Command) => {
    const [word] = command.args;
    if (word !== undefined)
      throw new CliError(`There is no command '${word}'. miniport --help lists the commands.`);
    await playDemo();
  });
  for (const command of program.commands) command.exitOverride();
  return program;
}

/** The line that a person needs, and the exit code that a script needs. */
function explain(error: unknown): ExitCode {
  if (error instanceof CommanderError) return error.exitCode === 0 ? ExitCode.ok : ExitCode.usage;
  if (error instanceof BugcheckError) {
    console.error(formatBugcheck(error.bugcheck));
    return ExitCode.bugcheck;
  }
  if (error instanceof CliError) {
    console.error(`miniport: ${error.message}`);
    return error.exitCode;
  }
  if (error instanceof WavError || error instanceof ClientError) {
    console.error(`miniport: ${error.message}`);
    return ExitCode.usage;
  }
  if (error instanceof QemuError) {
    console.error(`miniport: ${error.message}`);
    return error.missing ? ExitCode.missing : ExitCode.failedChecks;
  }
  console.error('miniport: a defect of this program, please report it:');
  console.error(error);
  return ExitCode.internal;
}

/**
 * `-6`, `-6,-3` and `-inf` are values of controls, not options, of which none begins with a digit. The space in front, which whoever
 * reads numbers ignores, is what keeps them apart.
 */
function asValue(word: string): string {
  return /^-(\d|\.\d|inf)/i.test(word) ? ` ${word}` : word;
}

/**
 * Runs the command that the words name, and sets the process's exit code. What went wrong is said on standard error in a line that
 * a person can do something with.
 */
export async function runCommand(words: readonly string[]): Promise<void> {
  try {
    await buildProgram().parseAsync(words.map(asValue), { from: 'user' });
  } catch (error) {
    process.exitCode = explain(error);
  }
}
