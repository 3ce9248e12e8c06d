import { type AccessSize, TICKS_PER_MICROSECOND, type TraceEvent, TraceKind } from '../../kernel/index.ts';

const SHORTEST_PAUSE_MICROSECONDS = 100;
const LONGEST_PAUSE_MICROSECONDS = 3000;

/** One register access of a driver as the trace has it. */
export interface RecordedAccess {
  /** As the model reports it: a register's name, several joined by `+`, or a name made of the offset. */
  readonly name: string;
  readonly size: AccessSize;
  readonly write: boolean;
  readonly value: number;
  readonly tick: number;
}

/** The register accesses among a trace's events, in order, of any card. */
export function* recordedAccesses(events: Iterable<TraceEvent>): Generator<RecordedAccess> {
  for (const { kind, name, data, tick } of events) {
    if (kind !== TraceKind.Register) continue;
    const value = data?.['value'];
    const size = data?.['size'];
    if (typeof value !== 'number' || (size !== 1 && size !== 2 && size !== 4)) continue;
    yield { name, size, write: data?.['direction'] === 'write', value, tick };
  }
}

/** Pauses between a driver's accesses, those that are long enough to matter, cut to what a replay wants to wait. */
export class RecordedPauses {
  #lastTick: number | null = null;

  /** Microseconds to let pass before an access at this tick; null for none. */
  before(tick: number): number | null {
    const microseconds = Math.floor((tick - (this.#lastTick ?? tick)) / TICKS_PER_MICROSECOND);
    this.#lastTick = tick;
    return microseconds >= SHORTEST_PAUSE_MICROSECONDS
      ? Math.min(microseconds, LONGEST_PAUSE_MICROSECONDS)
      : null;
  }
}
