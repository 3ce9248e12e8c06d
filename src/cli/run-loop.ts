import { setTimeout as delay, setImmediate as nextTurn } from 'node:timers/promises';
import { TICKS_PER_MILLISECOND, TICKS_PER_SECOND } from '../kernel/index.ts';
import type { LivePlayer } from './live-player.ts';
import type { Session } from './session.ts';

/** The machine runs in slices of about this much real time; in between the terminal and Ctrl-C have their turn. */
const SLICE_MILLISECONDS = 25;
/** With --live the machine stays this far ahead of the ear. */
const LIVE_LEAD_TICKS = TICKS_PER_SECOND / 2;
const FIRST_SLICE_TICKS = 20 * TICKS_PER_MILLISECOND;

export interface RunOptions {
  /** Paces the machine to real time for a player. */
  readonly player?: LivePlayer | null;
  /** Called after each slice. */
  readonly onProgress?: () => void;
  readonly signal?: AbortSignal;
}

/** A stream as far as it must be known whether it is over. */
export interface RunnableStream {
  readonly state: string;
}

/** Runs the machine until the stream has ended or the signal is given. Returns the real seconds that it took. */
export async function runStream(
  session: Session,
  stream: RunnableStream,
  options: RunOptions = {},
): Promise<number> {
  const { machine } = session;
  const { clock } = session.kernel;
  const realTime = machine.platform.name === 'qemu';
  const started = performance.now();
  const startTick = clock.now;
  let sliceTicks = FIRST_SLICE_TICKS;
  const over = () => stream.state === 'ended' || stream.state === 'failed';
  while (!over() && options.signal?.aborted !== true) {
    const before = performance.now();
    machine.runUntil(over, clock.now + sliceTicks);
    const took = performance.now() - before;
    if (!realTime) {
      // On virtual time the slice is fitted to the speed of this computer.
      const factor = Math.min(4, Math.max(0.25, SLICE_MILLISECONDS / Math.max(took, 0.1)));
      sliceTicks = Math.max(1, Math.round(sliceTicks * factor));
    }
    options.onProgress?.();
    if (options.player && !realTime) {
      sliceTicks = Math.min(sliceTicks, LIVE_LEAD_TICKS / 4);
      const aheadTicks = clock.now - startTick - (performance.now() - started) * TICKS_PER_MILLISECOND;
      if (aheadTicks > LIVE_LEAD_TICKS) await delay((aheadTicks - LIVE_LEAD_TICKS) / TICKS_PER_MILLISECOND);
    }
    await nextTurn();
  }
  return (performance.now() - started) / 1000;
}
