import { TICKS_PER_SECOND } from '../../hal/bus.ts';
import { BusMasterEngine, type EngineOptions } from './bus-master-engine.ts';
import { BD_BUP } from './registers.ts';

/** Where the samples of a playing engine go. */
export interface PlayTarget {
  play(samples: Int16Array | null, frames: number, clock: BusMasterEngine['clock'], firstFrame: number): void;
  hold(
    left: number,
    right: number,
    frames: number,
    clock: BusMasterEngine['clock'],
    firstFrame: number,
  ): void;
  claim(): void;
  release(tick: number): void;
}

/** Frames copied from memory at a time: how much the card catches up in one go. */
const BLOCK_FRAMES = 4096;
/** The jacks are coupled by capacitors: a repeated sample fades; after this time it counts as silence. */
const HOLD_TICKS = TICKS_PER_SECOND / 10;

/**
 * PCM out: memory → FIFO → DAC slots. Frames leave at the clock's slots; the FIFO is refilled by a burst whenever there is room
 * for one, so PICB, CIV and the interrupts run ahead of the DAC by the FIFO's depth. Paused, the FIFO is still played out (PRM
 * §3.2.4). With an empty FIFO the slots repeat the last frame, or carry zeros when the last descriptor had BUP; that is an error
 * (FIFOE) only while valid buffers remain.
 */
export class PlayEngine extends BusMasterEngine {
  readonly #target: PlayTarget;
  /** What was read from memory and has not left the DAC: the FIFO, and on the way through a long catch-up more than it. */
  readonly #stage: Int16Array;
  readonly #bytes: Uint8Array;
  #stageSamples = 0;
  #framesPlayed = 0;
  #lastLeft = 0;
  #lastRight = 0;
  #heldFrames = 0;
  /** The part of the stage that the last transfer filled: periods repeat, so the view is worth keeping. */
  #window: Uint8Array;
  #windowSample = 0;

  constructor(options: EngineOptions, target: PlayTarget) {
    super(options);
    this.#target = target;
    this.#stage = new Int16Array(BLOCK_FRAMES * 2 + this.fifoSamples);
    this.#bytes = new Uint8Array(this.#stage.buffer);
    this.#window = this.#bytes.subarray(0, 0);
  }

  override get framesConverted(): number {
    return this.#framesPlayed;
  }

  override advance(now: number): void {
    let slots = this.running ? this.clock.slotsBy(now) - this.handled : 0;
    if (slots < 0) slots = 0;
    slots = this.#fetchAndPlay(slots);
    if (slots > 0) this.#stuff(slots, now);
  }

  override nextEventTick(): number | null {
    if (!this.running) return null;
    const frames = this.#stageSamples >> 1;
    // After a halt or a pause the FIFO is played out: then the jack has all it will get.
    if (!this.dmaRuns || this.state === 'done')
      return frames === 0 ? null : this.clock.tickOf(this.handled + frames - 1);
    if (this.refused) return this.fifoErrorAwaited ? this.clock.tickOf(this.handled + frames) : null;
    const left = this.samplesToEvent();
    if (left === null) return null;
    const slots = Math.ceil((this.#stageSamples + left - this.fifoSamples) / 2);
    return this.clock.tickOf(this.handled + Math.max(slots, 1) - 1);
  }

  protected override onPause(): void {
    // The clock runs on until the FIFO is empty.
  }

  protected override emptyFifo(): void {
    this.#stageSamples = 0;
    this.#framesPlayed = 0;
    this.#lastLeft = 0;
    this.#lastRight = 0;
    this.#heldFrames = 0;
  }

  protected override onClock(runs: boolean, tick: number): void {
    if (runs) this.#target.claim();
    else this.#target.release(tick);
  }

  protected override transfer(busAddress: number, samples: number): boolean {
    if (this.#windowSample !== this.#stageSamples || this.#window.length !== samples * 2) {
      this.#windowSample = this.#stageSamples;
      this.#window = this.#bytes.subarray(this.#stageSamples * 2, (this.#stageSamples + samples) * 2);
    }
    if (this.slot?.busMaster.read(busAddress, this.#window) !== true) return false;
    this.#stageSamples += samples;
    return true;
  }

  /** Fetches what fits while `slots` frames leave; returns how many slots found the FIFO empty. */
  #fetchAndPlay(slots: number): number {
    while (this.dmaRuns && !this.refused && this.loadDescriptor()) {
      const room = 2 * slots + this.fifoSamples - this.#stageSamples;
      const left = this.length - this.moved;
      let take = left;
      if (left > room) take = Math.max(this.wholeBursts(this.moved + room) - this.moved, 0);
      if (take === 0 && left > 0) break;
      take = Math.min(take, this.#stage.length - this.#stageSamples);
      if (take > 0 && !this.moveSamples(take)) break;
      if (this.moved === this.length) this.completeDescriptor();
      if (this.#stageSamples === this.#stage.length) slots = this.#playOut(slots);
    }
    return this.#playOut(slots);
  }

  #playOut(slots: number): number {
    const frames = Math.min(slots, this.#stageSamples >> 1);
    if (frames <= 0) return slots;
    const stage = this.#stage;
    this.#target.play(stage, frames, this.clock, this.handled);
    this.handled += frames;
    this.#framesPlayed += frames;
    this.#heldFrames = 0;
    this.#lastLeft = stage[frames * 2 - 2]!;
    this.#lastRight = stage[frames * 2 - 1]!;
    stage.copyWithin(0, frames * 2, this.#stageSamples);
    this.#stageSamples -= frames * 2;
    return slots - frames;
  }

  /** `slots` slots found the FIFO empty. */
  #stuff(slots: number, now: number): void {
    if (!this.dmaRuns) {
      this.stopClock(Math.min(now, this.clock.tickOf(this.handled)));
      return;
    }
    const halted = this.state === 'done';
    if (!halted) this.setFifoError();
    const zeros = halted && (this.control & BD_BUP) !== 0;
    const limit = Math.floor((HOLD_TICKS * this.clock.rate) / TICKS_PER_SECOND);
    const held = zeros ? 0 : Math.min(slots, Math.max(limit - this.#heldFrames, 0));
    if (held > 0) this.#target.hold(this.#lastLeft, this.#lastRight, held, this.clock, this.handled);
    if (slots > held) this.#target.play(null, slots - held, this.clock, this.handled + held);
    this.#heldFrames += held;
    this.handled += slots;
  }
}
