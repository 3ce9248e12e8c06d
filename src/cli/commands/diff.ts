import type { Command } from 'commander';
import { DIFF_CARDS, runDiff } from '../../cardtest/index.node.ts';
import { formatDiffReport, operationsFromTrace } from '../../cardtest/index.ts';
import { CliError, ExitCode } from '../cli-error.ts';
import { onInterrupt } from '../interrupt.ts';
import { numberBetween } from '../options.ts';
import { CountProgress } from '../progress.ts';
import { readTraceFile } from '../trace-file.ts';

interface DiffCommandOptions {
  readonly card: string;
  readonly seed: number;
  readonly steps: number;
  readonly traffic?: string;
  readonly json?: boolean;
}

const LARGEST_SEED = 0xffff_ffff;

/** A whole number within limits. */
function integerBetween(minimum: number, maximum: number): (text: string) => number {
  const parse = numberBetween(minimum, maximum, '');
  return (text) => Math.trunc(parse(text));
}

export function addDiffCommand(program: Command): void {
  program
    .command('diff')
    .description(
      "send the same register traffic to our model of a card and to QEMU's, and tell the first difference as a story",
    )
    .option('--card <name>', `card: ${DIFF_CARDS.join(', ')}`, 'ac97')
    .option('--seed <n>', 'seed of the random traffic', integerBetween(0, LARGEST_SEED), 1)
    .option('--steps <n>', 'how many operations', integerBetween(1, 1_000_000), 300)
    .option(
      '--traffic <run.trace>',
      'replay what a driver did, from a trace made with --trace, in place of random traffic',
    )
    .option('--json', 'print the report as JSON')
    .addHelpText(
      'after',
      `
Answers, interrupt levels, recordings and captured memory are compared. Differences that have a documented reason are counted and
listed; they stand in src/cardtest. The same seed and steps give the same traffic.

Examples:
  miniport diff --card ac97 --seed 7 --steps 500
  miniport play song.wav --trace run.trace && miniport diff --traffic run.trace

Exit codes: 0 no unexplained difference; 1 there was one; 4 QEMU is missing.`,
    )
    .action(async (options: DiffCommandOptions) => {
      if (!DIFF_CARDS.includes(options.card.toLowerCase())) {
        throw new CliError(
          `There is nothing to compare '${options.card}' with. Cards: ${DIFF_CARDS.join(', ')}.`,
        );
      }
      const interrupt = onInterrupt();
      const progress = new CountProgress('Comparing', options.json !== true);
      try {
        const operations =
          options.traffic === undefined ? null : operationsFromTrace(readTraceFile(options.traffic).events);
        if (operations?.length === 0) {
          throw new CliError(
            `${options.traffic} holds no register traffic of a card. Make it with play or record and --trace.`,
          );
        }
        const { card, seed } = options;
        const traffic = operations ? { steps: operations.length, operations } : { steps: options.steps };
        const report = await runDiff(
          { card, seed, ...traffic },
          {
            onStep: (done, steps) => progress.update(done, steps, 'steps'),
            onShrink: (attempt, operations) =>
              progress.update(0, operations, `looking for a shorter sequence, attempt ${attempt}`),
            cancelled: () => interrupt.signal.aborted,
          },
        );
        progress.stop();
        process.stdout.write(
          options.json ? `${JSON.stringify(report, null, 2)}\n` : formatDiffReport(report),
        );
        if (interrupt.signal.aborted) process.exitCode = ExitCode.interrupted;
        else if (report.difference) process.exitCode = ExitCode.failedChecks;
      } finally {
        progress.stop();
        interrupt.dispose();
      }
    });
}
