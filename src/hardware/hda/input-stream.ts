import { type HdaLink, HdaStreamEngine, type HdaStreamOptions } from './stream-engine.ts';

/** Bytes taken from the link at a time on the way through a long catch-up. */
const STAGE_BYTES = 32_768;

/**
 * Link → FIFO → memory. A frame is there at the end of its period and is stored at once, so that memory is never behind LPIB. Without
 * a codec that sends on the stream's number nothing arrives and LPIB stands. What memory refuses is lost, and FIFOE is set.
 */
export class HdaInputStream extends HdaStreamEngine {
  readonly #bytes = new Uint8Array(STAGE_BYTES);
  readonly #words = new Int16Array(this.#bytes.buffer);
  readonly #dwords = new Int32Array(this.#bytes.buffer);
  #narrow = new Int16Array(0);
  #stored = 0;
  #window = this.#bytes.subarray(0, 0);
  #windowStart = 0;
  readonly #store: (busAddress: number, bytes: number) => boolean;

  constructor(options: HdaStreamOptions, link: HdaLink) {
    super(options, link);
    this.#store = (busAddress, bytes) => this.#storeBytes(busAddress, bytes);
  }

  override get linkReady(): boolean {
    return this.runs && this.tag !== 0 && this.link.hasInput(this.tag);
  }

  override advance(now: number): void {
    if (!this.clocked) return;
    let frames = this.clock.periodsBy(now) - this.handled;
    const most = Math.floor(STAGE_BYTES / this.format.frameBytes);
    while (frames > 0) {
      const block = Math.min(frames, most);
      this.#take(block);
      this.handled += block;
      frames -= block;
    }
  }

  protected override framesToEvent(bytesToEntryEnd: number): number {
    return Math.ceil(bytesToEntryEnd / this.format.frameBytes);
  }

  /** A descriptor is there for what will come. */
  protected override get fifoReady(): boolean {
    return this.runs && this.entryLeft > 0;
  }

  protected override emptyFifo(): void {
    this.#stored = 0;
  }

  protected override prefill(): void {
    this.loadEntry();
  }

  protected override onClock(runs: boolean, tag: number, now: number): void {
    this.link.setRecording(tag, runs, now);
  }

  #take(frames: number): void {
    const total = frames * this.format.frameBytes;
    this.#convert(frames);
    let done = 0;
    while (done < total && this.loadEntry()) {
      const bytes = Math.min(this.entryLeft, total - done);
      this.#stored = done;
      if (bytes > 0 && !this.moveBytes(bytes, this.#store)) {
        done = this.#stored;
        break;
      }
      done += bytes;
      if (this.entryLeft === 0) this.completeEntry();
    }
    this.moveLink(done);
    if (done < total && this.runs) this.setFifoError();
    // The next entry is read at once, so that it is known when it will be full.
    this.loadEntry();
  }

  #convert(frames: number): void {
    const { bits, channels, containerBytes } = this.format;
    const count = frames * channels;
    if (containerBytes === 4) {
      this.#dwords.fill(0, 0, count);
      this.link.record(this.tag, this.#dwords, frames, channels, this.clock, this.handled);
      const mask = bits === 32 ? -1 : -1 << (32 - bits);
      if (bits !== 32) for (let index = 0; index < count; index++) this.#dwords[index]! &= mask;
      return;
    }
    if (containerBytes === 1 && this.#narrow.length < count) this.#narrow = new Int16Array(count);
    const into = containerBytes === 1 ? this.#narrow : this.#words;
    into.fill(0, 0, count);
    this.link.record(this.tag, into, frames, channels, this.clock, this.handled);
    if (containerBytes === 1)
      for (let index = 0; index < count; index++) this.#bytes[index] = (into[index]! >> 8) + 128;
  }

  #storeBytes(busAddress: number, bytes: number): boolean {
    if (this.#windowStart !== this.#stored || this.#window.length !== bytes) {
      this.#windowStart = this.#stored;
      this.#window = this.#bytes.subarray(this.#stored, this.#stored + bytes);
    }
    const { slot } = this;
    if (slot?.busMaster.write(busAddress, this.#window) !== true) return false;
    if (slot.report.wantsDma) slot.report.dma(this.name, 'write', busAddress, bytes);
    this.#stored += bytes;
    return true;
  }
}
