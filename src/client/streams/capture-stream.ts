import type { PcmWriter } from '../pcm.ts';
import type { RtStreamSetup } from './rt-stream.ts';
import { RtStream } from './rt-stream.ts';

/**
 * Records into a writer, without a gap, until a number of frames is there or {@link stop} is called; then the writer is ended.
 */
export class RtCaptureStream extends RtStream {
  readonly #sink: PcmWriter;
  readonly #limitBytes: number;
  /** Linear position up to which bytes have been given to the writer. */
  #readBytes = 0;
  #soundBytes = 0;
  #sinkEnded = false;

  /** `sink` takes sound in the stream's own format; `frames` null: no limit. */
  constructor(setup: RtStreamSetup, sink: PcmWriter, frames: number | null) {
    super(setup);
    this.#sink = sink;
    this.#limitBytes = frames === null ? Number.POSITIVE_INFINITY : frames * this.frameBytes;
  }

  protected override get soundFrames(): number {
    return this.#soundBytes / this.frameBytes;
  }

  protected override prepare(): void {}

  protected override service(): number | null {
    if (this.mode === 'packet') this.#drainPackets();
    else this.#drain();
    const missing = this.#limitBytes - this.#soundBytes;
    if (missing <= 0) return null;
    const half = this.buffer.byteLength / 2;
    const untilHalf = Math.max(half / 2, half - (this.positionBytes - this.#readBytes));
    // Packets come whole: the last one is waited for, however little of it is wanted.
    return this.mode === 'packet' ? half : Math.min(untilHalf, missing);
  }

  protected override finish(): void {
    if (this.#soundBytes < this.#limitBytes) {
      this.halt();
      // What is left of an unfinished packet lies in the buffer like anything else.
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
    this.#drainTo(this.deviceBytes);
  }

  /** Takes the packets that the driver has ready, by number. */
  #drainPackets(): void {
    const packetBytes = this.buffer.byteLength / 2;
    for (;;) {
      const packet = this.pin.readPacket();
      if (packet === null) return;
      const start = packet.packetNumber * packetBytes;
      if (start > this.#readBytes) {
        this.glitches++;
        this.glitchBytes += start - this.#readBytes;
        this.#readBytes = start;
      }
      this.#drainTo(start + packetBytes);
      if (!packet.moreData) return;
    }
  }

  /** Gives the writer what lies up to a linear position, at most up to the limit. */
  #drainTo(position: number): void {
    const { byteLength } = this.buffer;
    let ready = Math.min(position - this.#readBytes, this.#limitBytes - this.#soundBytes);
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
