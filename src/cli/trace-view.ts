import { irqlName, TICKS_PER_SECOND, type TraceEvent, TraceKind } from '../kernel/index.ts';
import { CliError } from './cli-error.ts';
import { KIND_NAMES, kindName } from './trace-file.ts';

/** Which events to show. */
export interface TraceFilter {
  /** Bits of TraceKind. */
  readonly kinds: number;
  /** Substring of the source (driver, device, card), in any case; null for all. */
  readonly source: string | null;
  readonly fromTick: number;
  readonly toTick: number;
}

/** `irp,register` → bits. @throws CliError that lists the kinds */
export function parseKinds(text: string): number {
  let kinds = 0;
  for (const name of text.split(',').map((part) => part.trim().toLowerCase())) {
    const bit = KIND_NAMES[name];
    if (bit === undefined) {
      throw new CliError(
        `There is no kind of event '${name}'. Kinds: ${Object.keys(KIND_NAMES).join(', ')}.`,
      );
    }
    kinds |= bit;
  }
  return kinds;
}

const UNIT_SECONDS: Readonly<Record<string, number>> = { s: 1, ms: 1e-3, us: 1e-6, µs: 1e-6 };

/** `1.5`, `20ms`, `300us` → ticks. @throws CliError */
export function parseTime(text: string): number {
  const match = /^(\d+(?:\.\d+)?)\s*(s|ms|us|µs)?$/.exec(text.trim());
  if (!match)
    throw new CliError(`'${text}' is not a time. Write seconds (1.5), or with a unit: 20ms, 300us.`);
  return Math.round(Number(match[1]) * (UNIT_SECONDS[match[2] ?? 's'] ?? 1) * TICKS_PER_SECOND);
}

export function matches(event: TraceEvent, filter: TraceFilter): boolean {
  return (
    (event.kind & filter.kinds) !== 0 &&
    event.tick >= filter.fromTick &&
    event.tick <= filter.toTick &&
    (filter.source === null || event.source.toLowerCase().includes(filter.source.toLowerCase()))
  );
}

const hex = (value: unknown, digits: number) => `0x${Number(value).toString(16).padStart(digits, '0')}`;

/** IOCTLs of kernel streaming (ks.h). */
const IOCTL_NAMES: Readonly<Record<number, string>> = {
  3080195: 'IOCTL_KS_PROPERTY',
  3080199: 'IOCTL_KS_ENABLE_EVENT',
  3080203: 'IOCTL_KS_DISABLE_EVENT',
  3080207: 'IOCTL_KS_METHOD',
  3112979: 'IOCTL_KS_WRITE_STREAM',
  3096599: 'IOCTL_KS_READ_STREAM',
  3080219: 'IOCTL_KS_RESET_STATE',
};

/** What happened, in the words of its kind. */
function describe(event: TraceEvent): string {
  const { data, kind, name } = event;
  if (!data) return name;
  if (kind === TraceKind.Register && data['value'] !== undefined) {
    const meaning =
      typeof data['meaning'] === 'string' && data['meaning'] !== '' ? ` (${data['meaning']})` : '';
    const direction = data['direction'] ?? (name.startsWith('CFG_WRITE') ? 'write' : 'read');
    return `${String(direction).padEnd(5)} ${name} ${hex(data['value'], Number(data['size'] ?? 4) * 2)}${meaning}`;
  }
  if (kind === TraceKind.Dma && data['busAddress'] !== undefined) {
    const verb = data['direction'] === 'read' ? 'reads' : 'writes';
    return `${name} ${verb} ${data['length']} bytes at ${hex(data['busAddress'], 8)}`;
  }
  if (kind === TraceKind.Interrupt && data['asserted'] !== undefined) {
    return `${name} ${data['asserted'] === true ? 'asserted' : 'released'}`;
  }
  const rest = Object.entries(data).map(([key, value]) => {
    if (key === 'ioctl' && typeof value === 'number') return IOCTL_NAMES[value] ?? `ioctl=${hex(value, 8)}`;
    return `${key}=${typeof value === 'number' && /address/i.test(key) ? hex(value, 8) : value}`;
  });
  return `${name}  ${rest.join(' ')}`;
}

/** One line of the timeline; spans indent what happens inside them. */
export function formatEvent(event: TraceEvent, depth: number): string {
  const time = (event.tick / TICKS_PER_SECOND).toFixed(7);
  const level = event.irql === null ? '-' : irqlName(event.irql).replace(/_LEVEL| \(\d+\)$/g, '');
  const mark = event.phase === 'B' ? '┌ ' : event.phase === 'E' ? '└ ' : '';
  return (
    `${time.padStart(12)}  ${kindName(event.kind).padEnd(9)} ${level.padEnd(8)} ${event.source.padEnd(10)} ` +
    `${'│ '.repeat(depth)}${mark}${describe(event)}`
  );
}

/** Follows the nesting of spans over a filtered sequence of events. */
export class DepthTracker {
  readonly #open: string[] = [];

  /** Depth at which the event is to be shown. */
  next(event: TraceEvent): number {
    if (event.phase === 'B') return this.#open.push(event.name) - 1;
    if (event.phase === 'E') {
      const index = this.#open.lastIndexOf(event.name);
      if (index >= 0) this.#open.length = index;
    }
    return this.#open.length;
  }
}

/** JSON object for one event, as `--json` prints it: one a line. */
export function eventToJson(event: TraceEvent): string {
  return JSON.stringify({ ...event, kind: kindName(event.kind), seconds: event.tick / TICKS_PER_SECOND });
}

/** The Chrome/Perfetto trace event format: spans as B/E pairs, points as instants, one thread a kind and source. */
export function toPerfetto(events: readonly TraceEvent[]): string {
  const threads = new Map<string, number>();
  const rows: object[] = [];
  for (const event of events) {
    // Spans nest across sources (an IRP contains driver calls, which contain others): they share one thread.
    const nested = event.phase !== 'I';
    const thread = nested ? 'processor 0' : `${kindName(event.kind)}: ${event.source}`;
    let tid = threads.get(thread);
    if (tid === undefined) {
      tid = threads.size + 1;
      threads.set(thread, tid);
      rows.push({ ph: 'M', pid: 1, tid, name: 'thread_name', args: { name: thread } });
    }
    rows.push({
      ph: event.phase === 'I' ? 'i' : event.phase,
      ...(event.phase === 'I' ? { s: 't' } : {}),
      pid: 1,
      tid,
      ts: event.tick / 10,
      cat: kindName(event.kind),
      name: event.name,
      args: { source: event.source, irql: event.irql, ...event.data },
    });
  }
  return JSON.stringify({ displayTimeUnit: 'ns', traceEvents: rows });
}
