import type { PcmWriter } from '../pcm.ts';
import type { StreamSetup } from './stream.ts';
import { Stream } from './stream.ts';

/**
 * Records into a writer, without a gap, until a number of frames is there or {@link stop} is called; then the writer is ended.
 */
export class CaptureStream extends Stream {
  readonly #sink: PcmWriter;
  readonly #limitBytes: number;
  /** Linear position up to which bytes have been given to the writer. */
  #readBytes = 0;
  #soundBytes = 0;
  #sinkEnded = false;

  /** `sink` takes sound in the stream's own format; `frames` null: no limit. */
  constructor(setup: StreamSetup, sink: PcmWriter, frames: number | null) {
    super(setup);
    this.#sink = sink;
    this.#limitBytes = frames === null ? Number.POSITIVE_INFINITY : frames * this.frameBytes;
  }

  protected override get soundFrames(): number {
    return this.#soundBytes / this.frameBytes;
  }

  protected override prepare(): void {}

  protected override service(): number | null {
    this.#drain();
    const missing = this.#limitBytes - this.#soundBytes;
    if (missing <= 0) return null;
    const half = this.buffer.byteLength / 2;
    const untilHalf = Math.max(half / 2, half - (this.positionBytes - this.#readBytes));
    return Math.min(untilHalf, missing);
  }

  protected override finish(): void {
    if (this.#soundBytes < this.#limitBytes) {
      this.halt();
      this.#drain();
    }
    super.finish();
  }

  protected override release(): void {
    this.#endSink();
  }

  #drain(): void {
    const { byteLength } = this.buffer;
    if (this.positionBytes - this.#readBytes > byteLength) {
      // The device has gone once around: what is oldest in the buffer has been overwritten.
      const oldest = Math.ceil((this.positionBytes - byteLength / 2) / this.frameBytes) * this.frameBytes;
      this.glitches++;
      this.glitchBytes += oldest - this.#readBytes;
      this.#readBytes = oldest;
    }
    let ready = Math.min(this.deviceBytes - this.#readBytes, this.#limitBytes - this.#soundBytes);
    ready -= ready % this.frameBytes;
    while (ready > 0) {
      const at = this.#readBytes % byteLength;
      const piece = Math.min(ready, byteLength - at);
      this.buffer.drainTo(this.#sink, at, piece);
      this.#readBytes += piece;
      this.#soundBytes += piece;
      ready -= piece;
    }
    if (this.#soundBytes >= this.#limitBytes) this.#endSink();
  }

  #endSink(): void {
    if (this.#sinkEnded) return;
    this.#sinkEnded = true;
    this.#sink.end();
  }
}
