import { TICKS_PER_SECOND } from '../../kernel/index.ts';

/** How a stream's position ran against the machine's clock. */
export interface ClockFit {
  /** Readings that went in. */
  readonly samples: number;
  /** Frames per second of the straight line through them; 0 with fewer than two readings. */
  readonly rateHz: number;
  /** Root mean square distance from the line, in frames. */
  readonly rmsErrorFrames: number;
  /** Largest step away from what the nominal rate made of the time since the reading before, in frames. */
  readonly maxStepErrorFrames: number;
}

/** Least-squares line through (tick, frames), kept as running means so that it takes no room however long a stream is. */
export class ClockFitter {
  readonly #sampleRate: number;
  #count = 0;
  #meanTick = 0;
  #meanFrames = 0;
  #varianceTick = 0;
  #varianceFrames = 0;
  #covariance = 0;
  #lastTick = 0;
  #lastFrames = 0;
  #maxStepError = 0;

  constructor(sampleRate: number) {
    this.#sampleRate = sampleRate;
  }

  /** A new stretch of running: time that was spent paused must not count. */
  restart(): void {
    this.#count = 0;
    this.#meanTick = 0;
    this.#meanFrames = 0;
    this.#varianceTick = 0;
    this.#varianceFrames = 0;
    this.#covariance = 0;
  }

  add(tick: number, frames: number): void {
    if (this.#count > 0) {
      const expected = ((tick - this.#lastTick) * this.#sampleRate) / TICKS_PER_SECOND;
      this.#maxStepError = Math.max(this.#maxStepError, Math.abs(frames - this.#lastFrames - expected));
    }
    this.#lastTick = tick;
    this.#lastFrames = frames;
    const count = ++this.#count;
    const fromTick = tick - this.#meanTick;
    const fromFrames = frames - this.#meanFrames;
    this.#meanTick += fromTick / count;
    this.#meanFrames += fromFrames / count;
    this.#varianceTick += fromTick * (tick - this.#meanTick);
    this.#varianceFrames += fromFrames * (frames - this.#meanFrames);
    this.#covariance += fromTick * (frames - this.#meanFrames);
  }

  result(): ClockFit {
    const slope = this.#covariance / this.#varianceTick;
    const known = this.#count >= 2 && Number.isFinite(slope);
    const rest = known ? Math.max(0, this.#varianceFrames - slope * this.#covariance) / this.#count : 0;
    return {
      samples: this.#count,
      rateHz: known ? slope * TICKS_PER_SECOND : 0,
      rmsErrorFrames: Math.sqrt(rest),
      maxStepErrorFrames: this.#maxStepError,
    };
  }
}
