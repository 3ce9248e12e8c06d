import { Es1370WaveStream, RING_BYTES, type StreamParts } from './wave-stream.ts';

/** The card writes halves of its sample memory, 32 bytes; so close to it nothing is read that it may overwrite. */
const WRITE_AHEAD_BYTES = 64;

/** The ADC: what it wrote into the ring is copied into mappings, each of which is given back when it is full. */
export class Es1370CaptureStream extends Es1370WaveStream {
  /** Ring position up to which bytes have been copied, or lost. */
  #readBytes = 0;
  /** Bytes copied into mappings. */
  #copiedBytes = 0;

  constructor(parts: StreamParts) {
    super(`Es1370CaptureStream(${parts.channel})`, parts);
  }

  protected override begin(): void {
    this.#readBytes = 0;
    this.#copiedBytes = 0;
  }

  protected override move(): void {
    const lost = this.dmaBytes - this.#readBytes - (RING_BYTES - WRITE_AHEAD_BYTES);
    if (lost > 0) {
      const { bytesPerFrame } = this.format;
      this.#readBytes += Math.ceil(lost / bytesPerFrame) * bytesPerFrame;
    }
    while (this.#readBytes < this.dmaBytes) {
      const mapping = this.held[0] ?? this.takeMapping();
      if (mapping === null) return;
      const at = this.#readBytes % RING_BYTES;
      const count = Math.min(
        this.dmaBytes - this.#readBytes,
        RING_BYTES - at,
        mapping.byteCount - mapping.copied,
      );
      const to = mapping.memoryOffset + mapping.copied;
      const view = mapping.memory.view(to, count);
      const bytes = view ?? new Uint8Array(count);
      this.ring.copyFrom(bytes, at, count);
      if (view === null) mapping.memory.write(to, bytes);
      mapping.copied += count;
      this.#readBytes += count;
      this.#copiedBytes = mapping.streamStart + mapping.copied;
      if (mapping.copied < mapping.byteCount) continue;
      this.held.shift();
      this.portStream.releaseMapping(mapping.tag);
    }
    // A mapping is held ahead, so that the position has room to grow in.
    if (this.held.length === 0) this.takeMapping();
  }

  /** What lies in the ring counts as far as there are mappings for it. */
  protected override position(): number {
    return Math.min(this.#copiedBytes + Math.max(0, this.dmaBytes - this.#readBytes), this.takenBytes);
  }

  protected override onRevoked(): void {
    // Its bytes stay in the ring's past; the next mapping goes on with the next ones.
    this.#copiedBytes = Math.max(this.#copiedBytes, this.held[0]?.streamStart ?? this.takenBytes);
  }
}
