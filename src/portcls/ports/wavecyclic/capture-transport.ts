import type { StreamBuffer } from '../irp-stream/index.ts';
import { type CyclicGeometry, CyclicTransport } from './cyclic-transport.ts';

/**
 * Hands what the device has recorded to the client's requests. What nobody asks for stays in the cyclic buffer until the device comes
 * round; then it is lost, and the next buffer says so (KSSTREAM_HEADER_OPTIONSF_DATADISCONTINUITY).
 */
export class CaptureTransport extends CyclicTransport {
  /** Device position behind the last byte that was handed over or lost. */
  #read = 0;
  #lost = false;
  #lostBytes = 0;

  /** Bytes that were overwritten before a client asked for them. */
  get lostBytes(): number {
    return this.#lostBytes;
  }

  override get converterBytes(): number {
    return this.streamBytes + this.deviceBytes - this.#read;
  }

  override move(): void {
    this.#dropOverwritten();
    while (this.#read < this.deviceBytes) {
      const buffer = this.requests.current();
      if (buffer === null) return;
      this.#copy(buffer, this.deviceBytes - this.#read);
    }
    // Empty buffers are done with, whatever is recorded.
    this.requests.current();
  }

  /** What nobody asked for before the change is lost. */
  override changeFormat(geometry: CyclicGeometry, running: boolean): void {
    const unread = this.deviceBytes - this.#read;
    super.changeFormat(geometry, running);
    this.#read = 0;
    this.#lostBytes += unread;
    this.#lost ||= unread > 0;
  }

  override reset(): void {
    super.reset();
    this.#read = 0;
    this.#lost = false;
    this.#lostBytes = 0;
  }

  /** What nobody asked for before the device moved is lost. */
  protected override relocate(move: () => void): void {
    move();
    const unread = this.deviceBytes - this.#read;
    if (unread <= 0) return;
    this.#lostBytes += unread;
    this.#read += unread;
    this.#lost = true;
  }

  #dropOverwritten(): void {
    const { bufferBytes, frameBytes, blockBytes } = this.geometry;
    if (this.deviceBytes - this.#read <= bufferBytes) return;
    // What is oldest in the buffer is overwritten next: a period's worth is given up with it.
    const kept = Math.max(blockBytes, bufferBytes - frameBytes);
    const phase = this.#read % blockBytes;
    const next = Math.ceil((this.deviceBytes - kept) / blockBytes) * blockBytes + phase;
    this.#lostBytes += next - this.#read;
    this.#read = next;
    this.#lost = true;
  }

  #copy(buffer: StreamBuffer, available: number): void {
    if (buffer.streamStart === null) {
      buffer.streamStart = this.streamBytes;
      buffer.presentationTime = this.device.streamTime(this.streamBytes);
    }
    if (this.#lost) {
      buffer.discontinuity = true;
      this.#lost = false;
    }
    const at = this.offsetOf(this.#read);
    let count = Math.min(available, buffer.byteLength - buffer.done, this.geometry.bufferBytes - at);
    const { bytes } = buffer;
    if (bytes !== null) this.device.copyFrom(bytes, at, count, buffer.done);
    else {
      count = Math.min(count, this.scratch.byteLength);
      const piece = this.scratch.subarray(0, count);
      this.device.copyFrom(piece, at, count, 0);
      buffer.write(buffer.done, piece);
    }
    this.#read += count;
    buffer.duration = this.device.streamTime(this.streamBytes + count) - (buffer.presentationTime as number);
    this.advance(buffer, count);
  }
}
