/** Exit codes of the command. */
export const ExitCode = {
  ok: 0,
  /** The run finished, but something the user asked to be right was not: glitches, failed checks, findings. */
  failedChecks: 1,
  /** The words on the command line, or a file, were not usable. */
  usage: 2,
  /** The driver brought its machine down: a bugcheck. */
  bugcheck: 3,
  /** Something the command needs is missing from this computer: QEMU, a player. */
  missing: 4,
  /** A defect of Miniport itself. */
  internal: 70,
  /** Ended by Ctrl-C. */
  interrupted: 130,
} as const;
export type ExitCode = (typeof ExitCode)[keyof typeof ExitCode];

/** An error that the user can do something about; the text names value, limit and remedy, and no stack is shown. */
export class CliError extends Error {
  readonly exitCode: ExitCode;

  constructor(message: string, exitCode: ExitCode = ExitCode.usage) {
    super(message);
    this.name = 'CliError';
    this.exitCode = exitCode;
  }
}
