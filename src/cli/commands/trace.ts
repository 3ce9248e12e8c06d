import type { Command } from 'commander';
import { TICKS_PER_SECOND, TraceKind } from '../../kernel/index.ts';
import { CliError } from '../cli-error.ts';
import { writeTextFile } from '../files.ts';
import { KIND_NAMES, readTraceFile } from '../trace-file.ts';
import {
  DepthTracker,
  eventToJson,
  formatEvent,
  matches,
  parseKinds,
  parseTime,
  type TraceFilter,
  toPerfetto,
} from '../trace-view.ts';

interface TraceOptions {
  readonly kind?: string;
  readonly device?: string;
  readonly from?: string;
  readonly to?: string;
  readonly json?: boolean;
  readonly perfetto?: string;
}

export function addTraceCommand(program: Command): void {
  program
    .command('trace')
    .description('print the timeline of a run: requests, driver calls, registers, DMA, interrupts, DPCs')
    .argument('<file>', 'trace made by play or record with --trace')
    .option('--kind <kinds>', `only these kinds, with commas between: ${Object.keys(KIND_NAMES).join(', ')}`)
    .option('--device <name>', 'only events of the driver, device, port or card whose name contains this')
    .option('--from <time>', 'from this machine time on: seconds, or 20ms, 300us')
    .option('--to <time>', 'up to this machine time')
    .option('--json', 'JSON lines, one event each')
    .option('--perfetto <out.json>', 'write a trace for ui.perfetto.dev or chrome://tracing instead')
    .addHelpText(
      'after',
      `
Examples:
  miniport trace run.trace --kind register,interrupt --to 50ms
  miniport trace run.trace --kind ddi --device ac97
  miniport trace run.trace --perfetto run.json`,
    )
    .action((file: string, options: TraceOptions) => {
      const filter: TraceFilter = {
        kinds: options.kind === undefined ? TraceKind.All : parseKinds(options.kind),
        source: options.device ?? null,
        fromTick: options.from === undefined ? 0 : parseTime(options.from),
        toTick: options.to === undefined ? Number.POSITIVE_INFINITY : parseTime(options.to),
      };
      if (filter.toTick < filter.fromTick)
        throw new CliError(`--to ${options.to} is before --from ${options.from}.`);
      const { header, events } = readTraceFile(file);
      const chosen = events.filter((event) => matches(event, filter));
      if (options.perfetto !== undefined) {
        writeTextFile(options.perfetto, toPerfetto(chosen));
        console.log(
          `${chosen.length} events written to ${options.perfetto}; open it at https://ui.perfetto.dev`,
        );
        return;
      }
      if (options.json) {
        process.stdout.write(chosen.map((event) => `${eventToJson(event)}\n`).join(''));
        return;
      }
      const seconds = ((events.at(-1)?.tick ?? 0) / TICKS_PER_SECOND).toFixed(3);
      const depth = new DepthTracker();
      const lines = [
        `${header.command} (card ${header.card} on ${header.machine}): ${events.length} events in ${seconds} s of machine time`,
        ...(chosen.length === events.length ? [] : [`${chosen.length} of them match`]),
        '',
        `${'seconds'.padStart(12)}  ${'kind'.padEnd(9)} ${'IRQL'.padEnd(8)} ${'source'.padEnd(10)} what`,
        ...chosen.map((event) => formatEvent(event, depth.next(event))),
      ];
      process.stdout.write(`${lines.join('\n')}\n`);
    });
}
