import { Es1370WaveStream, type HeldMapping, RING_BYTES, type StreamParts } from './wave-stream.ts';

/** How far ahead of the card the ring is filled, in interrupt periods: 50 ms, which a late interrupt may use up. */
const LEAD_PERIODS = 5;
/** With less in the ring than this, silence is laid behind it. */
const LOW_PERIODS = 3;
/**
 * The index shows how far the card has read ahead. Nothing is written closer to it than the half of the sample memory that it may read
 * next, 32 bytes, and what it may read while the driver copies.
 */
const BURST_BYTES = 32;
const COPY_MILLISECONDS = 0.6;
/** The same, for the fastest stream. */
const READ_AHEAD_BYTES = 128;

/** A stretch of the ring with bytes of the stream. */
interface Stretch {
  readonly ringStart: number;
  readonly streamStart: number;
  byteCount: number;
}

/**
 * DAC1 or DAC2. Mappings are copied into the ring up to 50 ms ahead of the card, and given back when the converter has played them, so
 * that clients see their requests end when they are heard: they need two interrupt periods and a request's length in their queue. When
 * there is nothing to copy, silence is.
 */
export class Es1370RenderStream extends Es1370WaveStream {
  /** Ring positions, in bytes since the beginning like all of them: where the next byte goes, how far there is silence behind. */
  #writeBytes = 0;
  #silentBytes = 0;
  /** What lies in the ring, and where in the stream it comes from; the first one is being played. */
  #stretches: Stretch[] = [];
  #played = 0;

  constructor(parts: StreamParts) {
    super(`Es1370RenderStream(${parts.channel})`, parts);
  }

  protected override begin(): void {
    this.#writeBytes = 0;
    this.#silentBytes = RING_BYTES - READ_AHEAD_BYTES;
    this.#stretches = [];
    this.#played = 0;
  }

  protected override move(): void {
    this.position();
    while (this.held[0] !== undefined && this.held[0].streamStart + this.held[0].byteCount <= this.#played) {
      const { tag } = this.held.shift() as HeldMapping;
      this.portStream.releaseMapping(tag);
    }
    this.#copy();
    if (this.#writeBytes - this.dmaBytes < LOW_PERIODS * this.periodBytes) this.#laySilence();
  }

  protected override position(): number {
    const at = this.converterBytes;
    for (;;) {
      const stretch = this.#stretches[0];
      if (stretch === undefined || at < stretch.ringStart) return this.#played;
      const inside = Math.min(at - stretch.ringStart, stretch.byteCount);
      this.#played = stretch.streamStart + inside;
      const next = this.#stretches[1];
      if (inside < stretch.byteCount || next === undefined) return this.#played;
      this.#stretches.shift();
    }
  }

  protected override onRevoked(): void {
    // What was copied is played; what was not counts as passed when the next mapping is.
  }

  #copy(): void {
    const lead = Math.min(LEAD_PERIODS * this.periodBytes, RING_BYTES - 2 * READ_AHEAD_BYTES);
    for (;;) {
      const room = this.dmaBytes + lead - Math.max(this.#writeBytes, this.dmaBytes);
      if (room <= 0) return;
      const mapping = this.held.find(({ copied, byteCount }) => copied < byteCount) ?? this.takeMapping();
      if (mapping === null) return;
      this.#catchUp();
      this.#copyFrom(mapping, Math.min(room, mapping.byteCount - mapping.copied));
    }
  }

  /** The card has overtaken the data: it goes on where the card has not read yet, on a frame of the stream. */
  #catchUp(): void {
    const earliest = this.dmaBytes === 0 ? 0 : this.dmaBytes + this.#marginBytes;
    if (this.#writeBytes >= earliest) return;
    const { bytesPerFrame } = this.format;
    this.#writeBytes = Math.ceil(earliest / bytesPerFrame) * bytesPerFrame;
  }

  get #marginBytes(): number {
    const { sampleRate, bytesPerFrame } = this.format;
    const copied = Math.ceil((sampleRate * bytesPerFrame * COPY_MILLISECONDS) / 4000) * 4;
    return Math.min(READ_AHEAD_BYTES, BURST_BYTES + copied);
  }

  #copyFrom(mapping: HeldMapping, byteCount: number): void {
    const at = this.#writeBytes % RING_BYTES;
    const count = Math.min(byteCount, RING_BYTES - at);
    const from = mapping.memoryOffset + mapping.copied;
    let bytes = mapping.memory.view(from, count);
    if (bytes === null) {
      bytes = new Uint8Array(count);
      mapping.memory.read(from, bytes);
    }
    this.ring.copyTo(at, bytes, count);
    this.#note(mapping.streamStart + mapping.copied, count);
    mapping.copied += count;
    this.#writeBytes += count;
    this.#silentBytes = Math.max(this.#silentBytes, this.#writeBytes);
  }

  #note(streamStart: number, byteCount: number): void {
    const last = this.#stretches.at(-1);
    const joins =
      last !== undefined &&
      last.ringStart + last.byteCount === this.#writeBytes &&
      last.streamStart + last.byteCount === streamStart;
    if (joins) last.byteCount += byteCount;
    else this.#stretches.push({ ringStart: this.#writeBytes, streamStart, byteCount });
  }

  /** Silence from the end of the data once around to the card. */
  #laySilence(): void {
    const end = this.dmaBytes + RING_BYTES - READ_AHEAD_BYTES;
    let at = Math.max(this.#silentBytes, this.#writeBytes, this.dmaBytes);
    const ring = this.ring.systemAddress();
    while (at < end) {
      const offset = at % RING_BYTES;
      const count = Math.min(end - at, RING_BYTES - offset);
      ring?.fill(offset, count, this.format.silence);
      at += count;
    }
    this.#silentBytes = Math.max(this.#silentBytes, end);
  }
}
