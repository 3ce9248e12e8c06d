import type { Clock } from '../../../kernel/index.ts';

/**
 * A stream's presentation time in 100-ns units: 0 in KSSTATE_STOP, runs in KSSTATE_RUN, stands still in between
 * (latency-clocks.md). Derived from when RUN began, so that it never drifts from the machine's clock.
 */
export class StreamTime {
  readonly #clock: Clock;
  #elapsed = 0;
  #runningSince: number | null = null;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  get running(): boolean {
    return this.#runningSince !== null;
  }

  get now(): number {
    return this.#elapsed + (this.#runningSince === null ? 0 : this.#clock.now - this.#runningSince);
  }

  run(): void {
    this.#runningSince ??= this.#clock.now;
  }

  pause(): void {
    this.#elapsed = this.now;
    this.#runningSince = null;
  }

  reset(): void {
    this.#elapsed = 0;
    this.#runningSince = null;
  }
}
