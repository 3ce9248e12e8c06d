import type { CardSlot } from '../../hal/bus.ts';
import { SampleClock } from '../sample-clock.ts';
import { type ChannelMap, ES1370_CLOCK_HZ, FMT_16_BIT, FMT_STEREO } from './registers.ts';

/** Each channel has 64 bytes of sample memory, two halves that are filled, or emptied, in one burst. */
export const CHANNEL_FIFO_BYTES = 64;
export const BURST_BYTES = 32;

/**
 * What the three channels share (ES1370 specification: serial interface, memory pages C and D): the circular buffer in memory with
 * its dword index, the sample counter with its interrupt, format, pause, and the converter's clock. Subclasses move the samples.
 *
 * The sample counter counts frames at the converter; when it has counted `count` + 1 of them it begins anew, and the channel asks
 * for an interrupt if its enable bit is set. The enable bit acknowledges, too: taken away, the request is gone. In stop mode the
 * channel ends there instead, until it is enabled anew or its counter is loaded.
 *
 * A transfer that the bus refuses is a master abort: reads give all ones, writes are lost, and the index goes on.
 */
export abstract class Es1370Channel {
  readonly map: ChannelMap;
  readonly clock = new SampleClock();
  protected slot: CardSlot | null = null;

  /** Bus address of the buffer. */
  frameAddress = 0;
  /** Dwords of the buffer less one. */
  frameSize = 0;
  /** Dword that is moved next. */
  frameIndex = 0;
  #count = 0;
  #left = 0;
  #format = 0;
  #enabled = false;
  #paused = false;
  #interruptEnable = false;
  #stopMode = false;
  #stopped = false;
  #pending = false;
  #divisor = 32;
  #running = false;
  /** Frames of the current clock that are dealt with. */
  protected handled = 0;
  #framesConverted = 0;
  #bytesMoved = 0;

  constructor(map: ChannelMap) {
    this.map = map;
  }

  attach(slot: CardSlot): void {
    this.slot = slot;
  }

  detach(): void {
    this.slot = null;
  }

  // --- registers ---

  /** The count register: what was programmed below, what is left to count above. */
  get countRegister(): number {
    return ((this.#left << 16) | this.#count) >>> 0;
  }

  writeCount(value: number, now: number): void {
    this.#count = value & 0xffff;
    this.reloadCount(now);
  }

  /** The counter begins anew, and ends a stop. */
  reloadCount(now: number): void {
    this.#left = this.#count;
    if (!this.#stopped) return;
    this.#stopped = false;
    this.#clockFollows(now);
  }

  /** The size register: dwords less one below, index of the current dword above. */
  get sizeRegister(): number {
    return ((this.frameIndex << 16) | this.frameSize) >>> 0;
  }

  writeSize(value: number, mask: number): void {
    const merged = (this.sizeRegister & ~mask) | (value & mask);
    this.frameSize = merged & 0xffff;
    this.frameIndex = (merged >>> 16) & 0xffff;
    this.onIndexWritten();
  }

  /** The one place that says whether this channel asks for an interrupt. */
  get interrupt(): boolean {
    return this.#pending;
  }

  /** SERIAL was written. */
  configure(serial: number, now: number): void {
    this.#format = (serial >>> this.map.formatShift) & 3;
    this.#interruptEnable = (serial & this.map.interruptEnable) !== 0;
    if (!this.#interruptEnable) this.#pending = false;
    this.#stopMode = (serial & this.map.stopMode) !== 0;
    if (!this.#stopMode) this.#stopped = false;
    this.#paused = (serial & this.map.pause) !== 0;
    this.#clockFollows(now);
  }

  /** CONTROL was written: whether the channel is on, and its clock as a divisor of 1.4112 MHz. */
  control(enabled: boolean, divisor: number, now: number): void {
    if (divisor !== this.#divisor) {
      this.#divisor = divisor;
      if (this.#running) {
        // The frame on its way still comes at the old rate; the new one counts from there.
        this.clock.start(this.clock.tickOf(this.handled), ES1370_CLOCK_HZ, divisor);
        this.handled = 0;
      }
    }
    if (enabled !== this.#enabled) {
      this.#enabled = enabled;
      this.#stopped = false;
      this.emptyFifo();
    }
    this.#clockFollows(now);
  }

  reset(now: number): void {
    this.#enabled = false;
    this.#paused = false;
    this.#interruptEnable = false;
    this.#stopMode = false;
    this.#stopped = false;
    this.#pending = false;
    this.#format = 0;
    this.#clockFollows(now);
    this.frameAddress = 0;
    this.frameSize = 0;
    this.frameIndex = 0;
    this.#count = 0;
    this.#left = 0;
    this.#framesConverted = 0;
    this.#bytesMoved = 0;
    this.emptyFifo();
  }

  get stereo(): boolean {
    return (this.#format & FMT_STEREO) !== 0;
  }

  get sixteenBit(): boolean {
    return (this.#format & FMT_16_BIT) !== 0;
  }

  get bytesPerFrame(): number {
    return (this.stereo ? 2 : 1) * (this.sixteenBit ? 2 : 1);
  }

  get enabled(): boolean {
    return this.#enabled;
  }

  /** The converter takes, or gives, frames. */
  get running(): boolean {
    return this.#running;
  }

  get stopped(): boolean {
    return this.#stopped;
  }

  /** Frames that left the DAC, or came from the ADC, since the reset. */
  get framesConverted(): number {
    return this.#framesConverted;
  }

  /** Bytes moved between memory and FIFO since the reset. */
  get bytesMoved(): number {
    return this.#bytesMoved;
  }

  // --- time ---

  /** Brings samples, buffer and counter up to `now`. */
  abstract advance(now: number): void;

  /** When the counter runs out and somebody may want to know, or null. */
  nextEventTick(): number | null {
    if (!this.#running) return null;
    if (!this.#stopMode && (!this.#interruptEnable || this.#pending)) return null;
    return this.eventTickOf(this.handled + this.#left);
  }

  /** When frame `frame` of the clock is converted. */
  protected abstract eventTickOf(frame: number): number;

  /** Index or address of the buffer was written by software. */
  protected abstract onIndexWritten(): void;

  protected abstract emptyFifo(): void;

  /** How many of `frames` frames pass before the channel stops by itself. */
  protected framesBeforeStop(frames: number): number {
    return this.#stopMode ? Math.min(frames, this.#left + 1) : frames;
  }

  /** `frames` frames passed the converter; at most up to a stop. */
  protected countFrames(frames: number, now: number): void {
    this.handled += frames;
    this.#framesConverted += frames;
    if (frames <= this.#left) {
      this.#left -= frames;
      return;
    }
    if (this.#interruptEnable) this.#pending = true;
    if (this.#stopMode) {
      this.#stopped = true;
      this.#left = 0;
      this.#clockFollows(now);
      return;
    }
    const beyond = (frames - this.#left - 1) % (this.#count + 1);
    this.#left = this.#count - beyond;
  }

  /**
   * Moves the next `bytes` bytes (whole dwords) between the circular buffer and `fifo`, in runs that end with the buffer. `write`
   * is the direction towards memory.
   */
  protected moveRing(fifo: Uint8Array, at: number, bytes: number, write: boolean): void {
    const report = this.slot?.report;
    const master = this.slot?.busMaster;
    while (bytes > 0) {
      const toEnd = Math.max(this.frameSize + 1 - this.frameIndex, 1) * 4;
      const take = Math.min(bytes, toEnd);
      const address = (this.frameAddress + this.frameIndex * 4) % 0x1_0000_0000;
      const piece = fifo.subarray(at, at + take);
      const moved = write ? master?.write(address, piece) : master?.read(address, piece);
      if (moved !== true && !write) piece.fill(0xff);
      if (moved === true && report?.wantsDma === true)
        report.dma(this.map.name, write ? 'write' : 'read', address, take);
      this.frameIndex += take / 4;
      if (this.frameIndex > this.frameSize) this.frameIndex = 0;
      this.#bytesMoved += take;
      at += take;
      bytes -= take;
    }
  }

  /** The clock runs while the channel is on, not paused and not stopped; each start begins a new grid. */
  #clockFollows(now: number): void {
    const runs = this.#enabled && !this.#paused && !this.#stopped;
    if (runs === this.#running) return;
    this.#running = runs;
    if (!runs) return;
    this.clock.start(now, ES1370_CLOCK_HZ, this.#divisor);
    this.handled = 0;
  }
}
