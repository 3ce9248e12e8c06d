/** Microseconds of a quarter note until a file says otherwise: 120 beats a minute. */
const DEFAULT_MICROSECONDS_PER_BEAT = 500_000;
const TICKS_100NS_PER_SECOND = 10_000_000;

/** From a MIDI file's ticks to time. */
export interface TickClock {
  /** 100-ns units since the beginning, whole ones. */
  timeOf(tick: number): number;
  /** For people: `480 ticks a beat, 3 tempos`. */
  readonly description: string;
}

/** A tempo and the tick from which on it counts. */
export interface TempoChange {
  readonly tick: number;
  readonly microsecondsPerBeat: number;
}

/** Ticks that are fractions of a beat (metrical time). `changes` in any order; of several at one tick the last counts. */
export function metricalClock(ticksPerBeat: number, changes: readonly TempoChange[]): TickClock {
  const sorted = changes
    .filter(({ microsecondsPerBeat }) => microsecondsPerBeat > 0)
    .sort((a, b) => a.tick - b.tick);
  // Each piece: from which tick, its time, and the 100-ns units of a tick; times stay unrounded, so that nothing adds up.
  const pieces = [{ tick: 0, time: 0, perTick: (DEFAULT_MICROSECONDS_PER_BEAT * 10) / ticksPerBeat }];
  for (const { tick, microsecondsPerBeat } of sorted) {
    const last = pieces[pieces.length - 1] as (typeof pieces)[0];
    const perTick = (microsecondsPerBeat * 10) / ticksPerBeat;
    if (tick === last.tick) last.perTick = perTick;
    else pieces.push({ tick, time: last.time + (tick - last.tick) * last.perTick, perTick });
  }
  return {
    description: `${ticksPerBeat} ticks a beat, ${pieces.length} tempo${pieces.length === 1 ? '' : 's'}`,
    timeOf: (tick) => {
      let low = 0;
      let high = pieces.length - 1;
      while (low < high) {
        const middle = (low + high + 1) >> 1;
        if ((pieces[middle]?.tick ?? 0) <= tick) low = middle;
        else high = middle - 1;
      }
      const piece = pieces[low] as (typeof pieces)[0];
      return Math.round(piece.time + (tick - piece.tick) * piece.perTick);
    },
  };
}

/** Ticks that are fractions of a film frame (SMPTE): tempos do not count. 29 frames stand for 30 ÷ 1.001, drop frame. */
export function smpteClock(framesPerSecond: number, ticksPerFrame: number): TickClock {
  const [frames, seconds] = framesPerSecond === 29 ? [30_000, 1001] : [framesPerSecond, 1];
  return {
    description: `SMPTE, ${framesPerSecond} frames a second, ${ticksPerFrame} ticks a frame`,
    timeOf: (tick) => Math.round((tick * TICKS_100NS_PER_SECOND * seconds) / (frames * ticksPerFrame)),
  };
}
