import { KSSTATE_STOP } from '../../ks/index.ts';
import type { PcmWriter } from '../pcm.ts';
import type { StreamPacket } from './request-pin.ts';
import { RequestStream, type RequestStreamSetup } from './request-stream.ts';

/**
 * Records by read requests into a writer, without a gap, until a number of frames is there or {@link stop} is called; then the writer
 * is ended.
 */
export class RequestCaptureStream extends RequestStream {
  readonly #sink: PcmWriter;
  readonly #limitBytes: number;
  #soundBytes = 0;
  #sinkEnded = false;

  /** `sink` takes sound in the stream's own format; `frames` null: no limit. */
  constructor(setup: RequestStreamSetup, sink: PcmWriter, frames: number | null) {
    super(setup);
    this.#sink = sink;
    this.#limitBytes = frames === null ? Number.POSITIVE_INFINITY : frames * this.frameBytes;
  }

  protected override get soundFrames(): number {
    return this.#soundBytes / this.frameBytes;
  }

  protected override prepare(): void {
    for (const packet of this.packets) this.#ask(packet);
  }

  protected override refill(packet: StreamPacket): boolean {
    this.#take(packet);
    if (this.#soundBytes >= this.#limitBytes) return false;
    this.#ask(packet);
    return true;
  }

  protected override afterPackets(): number | null {
    return this.#soundBytes >= this.#limitBytes ? null : 0;
  }

  protected override finish(): void {
    if (this.#soundBytes < this.#limitBytes) {
      // In PAUSE the driver hands over what it has recorded; at STOP it gives the last packet back, full or not.
      this.halt();
      this.pin.setState(KSSTATE_STOP);
      for (const packet of this.underWay()) this.#take(packet);
    }
    super.finish();
  }

  protected override release(): void {
    super.release();
    this.#endSink();
  }

  #ask(packet: StreamPacket): void {
    packet.prepare(0, false);
    this.send(packet);
  }

  #take(packet: StreamPacket): void {
    const { dataUsed } = packet;
    if (packet.discontinuity) {
      this.glitches++;
      this.glitchBytes += Math.max(this.frameBytes, this.missedBytes);
    }
    let count = Math.min(dataUsed, this.#limitBytes - this.#soundBytes);
    count -= count % this.frameBytes;
    if (count > 0) {
      this.memory.drainTo(this.#sink, packet.offset, count);
      this.#soundBytes += count;
    }
    if (this.#soundBytes >= this.#limitBytes) this.#endSink();
  }

  #endSink(): void {
    if (this.#sinkEnded) return;
    this.#sinkEnded = true;
    this.#sink.end();
  }
}
