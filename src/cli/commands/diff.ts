import type { Command } from 'commander';
import { runDiff } from '../../cardtest/index.node.ts';
import { DIFF_CARDS, findDiffCard, formatDiffReport, NoRecordedTraffic } from '../../cardtest/index.ts';
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
const NAMES = DIFF_CARDS.map(({ name }) => name).join(', ');

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
    .option('--card <name>', `card: ${NAMES}`, 'ac97')
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
  miniport diff --card sb16
  miniport diff --card hda --seed 3 --steps 1000
  miniport play song.wav --trace run.trace && miniport diff --traffic run.trace

Exit codes: 0 no unexplained difference; 1 there was one; 4 QEMU is missing.`,
    )
    .action(async (options: DiffCommandOptions) => {
      const card = findDiffCard(options.card);
      if (card === undefined) {
        throw new CliError(`There is nothing to compare '${options.card}' with. Cards: ${NAMES}.`);
      }
      const interrupt = onInterrupt();
      const progress = new CountProgress('Comparing', options.json !== true);
      try {
        const { seed, steps, traffic } = options;
        const recorded = traffic === undefined ? {} : { recorded: readTraceFile(traffic).events };
        const report = await runDiff(
          card,
          { seed, steps, ...recorded },
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
      } catch (error) {
        if (!(error instanceof NoRecordedTraffic)) throw error;
        throw new CliError(
          `${options.traffic} holds no register traffic of ${card.name}. Make it with play or record and --trace, and name its card with --card.`,
        );
      } finally {
        progress.stop();
        interrupt.dispose();
      }
    });
}
