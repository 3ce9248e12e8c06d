import { HDA_BURST_BYTES, type HdaLink, HdaStreamEngine, type HdaStreamOptions } from './stream-engine.ts';

/** Bytes fetched at a time on the way through a long catch-up. */
const STAGE_BYTES = 32_768;

/**
 * Memory → FIFO → link. A frame leaves in the period of the frame clock that is its own; the FIFO is refilled by a burst whenever
 * there is room for one, so fetches and BCIS run ahead of LPIB by the FIFO's depth. With an empty FIFO the link carries nothing for
 * the stream, LPIB stands, and FIFOE is set.
 */
export class HdaOutputStream extends HdaStreamEngine {
  readonly #bytes = new Uint8Array(STAGE_BYTES + 2048);
  readonly #words = new Int16Array(this.#bytes.buffer);
  readonly #dwords = new Int32Array(this.#bytes.buffer);
  #expanded = new Int16Array(0);
  #staged = 0;
  /** The part of the stage that the last fetch filled: periods repeat, so the view is worth keeping. */
  #window = this.#bytes.subarray(0, 0);
  #windowStart = 0;
  readonly #fetch: (busAddress: number, bytes: number) => boolean;

  constructor(options: HdaStreamOptions, link: HdaLink) {
    super(options, link);
    this.#fetch = (busAddress, bytes) => this.#fetchBytes(busAddress, bytes);
  }

  override get linkReady(): boolean {
    return this.runs;
  }

  override advance(now: number): void {
    if (!this.clocked) return;
    let frames = this.clock.periodsBy(now) - this.handled;
    if (frames <= 0) return;
    frames = this.#fetchAndPlay(frames);
    // After a descriptor error RUN is off, and nobody misses what does not come.
    if (frames === 0 || !this.runs) return;
    this.setFifoError();
    this.handled += frames;
  }

  protected override framesToEvent(bytesToEntryEnd: number): number {
    return Math.ceil((this.#staged + bytesToEntryEnd - this.fifoDepth) / this.format.frameBytes);
  }

  protected override get fifoReady(): boolean {
    return this.runs && this.#staged >= this.format.frameBytes;
  }

  protected override emptyFifo(): void {
    this.#staged = 0;
  }

  protected override prefill(): void {
    this.#fetchAndPlay(0);
  }

  protected override onClock(runs: boolean, tag: number, now: number): void {
    if (tag === 0) return;
    if (runs) this.link.startOutput(tag, this.clock, this.format, now);
    else this.link.stopOutput(tag, now);
  }

  /** Fetches what fits while `frames` frames leave; returns how many frames found the FIFO empty. */
  #fetchAndPlay(frames: number): number {
    const { frameBytes } = this.format;
    const { fifoDepth } = this;
    // Half a FIFO must be left to play from while the other one is fetched.
    const burst = Math.min(HDA_BURST_BYTES, 2 ** Math.floor(Math.log2(fifoDepth / 2)));
    while (this.loadEntry()) {
      const room = frames * frameBytes + fifoDepth - this.#staged;
      const left = this.entryLeft;
      let take = left;
      if (left > room) {
        const end = this.entryMoved + room;
        take = Math.max(end - (end % burst) - this.entryMoved, 0);
        if (take === 0) break;
      }
      take = Math.min(take, STAGE_BYTES + fifoDepth - this.#staged);
      if (take > 0 && !this.moveBytes(take, this.#fetch)) break;
      if (this.entryLeft === 0) this.completeEntry();
      if (this.#staged >= STAGE_BYTES) frames = this.#playOut(frames);
    }
    return this.#playOut(frames);
  }

  #fetchBytes(busAddress: number, bytes: number): boolean {
    if (this.#windowStart !== this.#staged || this.#window.length !== bytes) {
      this.#windowStart = this.#staged;
      this.#window = this.#bytes.subarray(this.#staged, this.#staged + bytes);
    }
    const { slot } = this;
    if (slot?.busMaster.read(busAddress, this.#window) !== true) return false;
    if (slot.report.wantsDma) slot.report.dma(this.name, 'read', busAddress, bytes);
    this.#staged += bytes;
    return true;
  }

  #playOut(frames: number): number {
    const { frameBytes } = this.format;
    const count = Math.min(frames, Math.floor(this.#staged / frameBytes));
    if (count <= 0) return frames;
    const { tag } = this;
    if (tag !== 0) this.link.play(tag, this.#samples(count), count, this.clock, this.handled);
    this.handled += count;
    this.#bytes.copyWithin(0, count * frameBytes, this.#staged);
    this.#staged -= count * frameBytes;
    this.moveLink(count * frameBytes);
    return frames - count;
  }

  /** The staged samples as the link carries them: 8 bits as 16, 20 and 24 bits without what is below them. */
  #samples(frames: number): Int16Array | Int32Array {
    const { bits, channels } = this.format;
    const count = frames * channels;
    switch (bits) {
      case 8:
        if (this.#expanded.length < count) this.#expanded = new Int16Array(count);
        // Eight bits are unsigned, as everywhere in WAVE.
        for (let index = 0; index < count; index++) this.#expanded[index] = (this.#bytes[index]! - 128) << 8;
        return this.#expanded;
      case 16:
        return this.#words;
      case 32:
        return this.#dwords;
      default: {
        const mask = -1 << (32 - bits);
        for (let index = 0; index < count; index++) this.#dwords[index]! &= mask;
        return this.#dwords;
      }
    }
  }
}
