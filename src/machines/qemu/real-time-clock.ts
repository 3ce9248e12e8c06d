import { type Alarm, type EventClock, TICKS_PER_MILLISECOND, VirtualClock } from '../../kernel/index.ts';

/**
 * The computer's own time as the machine's clock. Alarms wait in the same queue as on a virtual clock; {@link runNext} lets
 * real time pass by calling `wait`, which may come back early because something happened outside (an interrupt).
 */
export class RealTimeClock implements EventClock {
  readonly #alarms = new VirtualClock();
  readonly #originMilliseconds: number;
  readonly #wait: (milliseconds: number) => boolean;
  #last = 0;

  /** @param wait waits at most that long; true when something happened that the kernel should look at */
  constructor(wait: (milliseconds: number) => boolean) {
    this.#originMilliseconds = performance.now();
    this.#wait = wait;
  }

  get now(): number {
    const tick = Math.floor((performance.now() - this.#originMilliseconds) * TICKS_PER_MILLISECOND);
    if (tick > this.#last) this.#last = tick;
    return this.#last;
  }

  createAlarm(callback: () => void): Alarm {
    return this.#alarms.createAlarm(callback);
  }

  runNext(limitTick: number): boolean {
    for (;;) {
      const due = this.#alarms.nextDueTick;
      const now = this.now;
      if (due !== null && due <= Math.min(now, limitTick)) return this.#alarms.runNext(now);
      if (now >= limitTick) return false;
      const until = Math.min(due ?? Number.POSITIVE_INFINITY, limitTick);
      const milliseconds = (until - now) / TICKS_PER_MILLISECOND;
      if (this.#wait(milliseconds)) return true;
    }
  }
}
