import { writeFileSync } from 'node:fs';
import type { Command } from 'commander';
import { openCardTest } from '../../cardtest/index.node.ts';
import {
  findTestableCard,
  formatReportJson,
  formatReportJunit,
  formatReportText,
  TESTABLE_CARDS,
  type TestableCard,
} from '../../cardtest/index.ts';
import { CliError, ExitCode } from '../cli-error.ts';
import { onInterrupt } from '../interrupt.ts';
import { withMachineOptions } from '../options.ts';
import { CountProgress } from '../progress.ts';
import type { MachineName } from '../session.ts';

interface CardTestCommandOptions {
  readonly card: string;
  readonly machine: MachineName;
  readonly filter?: string;
  readonly all?: boolean;
  readonly json?: boolean;
  readonly junit?: string;
}

/** The tests for a card of that name. @throws CliError that lists the cards that have any */
export function requireTestableCard(name: string): TestableCard {
  const card = findTestableCard(name);
  if (card) return card;
  throw new CliError(
    `There is no test of the card '${name}' alone. There is one for: ${TESTABLE_CARDS.map((other) => other.name).join(', ')}.`,
  );
}

export function addCardTestCommand(program: Command): void {
  withMachineOptions(
    program
      .command('card-test')
      .description(
        "test a card alone, without a driver: registers, DMA, interrupts, rates and mixer, against the card's documents",
      ),
  )
    .option('--filter <text>', 'only checks whose id, group or title contains this')
    .option('--all', 'list every check, not only those that did not pass')
    .option('--json', 'print the report as JSON')
    .option('--junit <file.xml>', 'also write the report as JUnit XML')
    .addHelpText(
      'after',
      `
Examples:
  miniport card-test --card ac97                          our model
  miniport card-test --card ac97 --machine qemu --all     QEMU's card, every check with its section
  miniport card-test --card sb16                          an ISA card, by its ports and the DMA controllers
  miniport card-test --card hda-desktop                   an HDA controller with a codec; hda, hda-hdmi … have others
  miniport card-test --card ac97 --filter DMA --junit report.xml

Exit codes: 0 as documented, known deviations aside; 1 a check failed; 4 QEMU is missing.`,
    )
    .action(async (options: CardTestCommandOptions) => {
      const testable = requireTestableCard(options.card);
      if (options.machine !== 'sim' && testable.qemuDevice === null)
        throw new CliError(`QEMU has no card like '${testable.name}'. Use --machine sim.`);
      const interrupt = onInterrupt();
      const { card, run } = await openCardTest(testable, options.machine);
      const progress = new CountProgress('Checking', options.json !== true);
      try {
        const report = await run({
          ...(options.filter === undefined ? {} : { filter: options.filter }),
          onProgress: ({ index, count, check, result }) =>
            progress.update(index + (result ? 1 : 0), count, check.id),
          stopwatch: () => performance.now(),
          cancelled: () => interrupt.signal.aborted,
        });
        progress.stop();
        if (report.results.length === 0 && !interrupt.signal.aborted) {
          throw new CliError(`No check matches --filter '${options.filter}'.`);
        }
        if (options.junit !== undefined) writeFileSync(options.junit, formatReportJunit(report));
        process.stdout.write(
          options.json ? formatReportJson(report) : formatReportText(report, { all: options.all === true }),
        );
        if (interrupt.signal.aborted) process.exitCode = ExitCode.interrupted;
        else if (!report.passed) process.exitCode = ExitCode.failedChecks;
      } finally {
        progress.stop();
        interrupt.dispose();
        card.dispose();
      }
    });
}
