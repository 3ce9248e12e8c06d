import { mulDivCeil, NtError, STATUS_DATA_LATE_ERROR } from '../../kernel/index.ts';
import { silenceByte } from '../audio-format.ts';
import type { PcmReader } from '../pcm.ts';
import type { RtStreamSetup } from './rt-stream.ts';
import { RtStream } from './rt-stream.ts';

/**
 * Silence played behind the last sample, on top of the latency that the driver states: hardware has FIFOs that drivers
 * understate, and QEMU's mixer forgets up to a timer period (10 ms) of what a card has played when the card stops.
 */
export const DRAIN_MARGIN_MS = 20;

/**
 * Plays what a reader gives, to its last sample. The buffer is filled before RUN and then refilled as the device plays it; after
 * the end it is filled with silence until the last sample has left the converter, and only then stopped.
 */
export class RtRenderStream extends RtStream {
  readonly #source: PcmReader;
  readonly #silence: number;
  /** Bytes put into the buffer since the start, silence included. */
  #writtenBytes = 0;
  /** Linear position behind the last byte of sound; known once the source has ended. */
  #soundEnd: number | null = null;
  #soundBytes = 0;
  /** Packet mode: number of the next packet to write; null after the last. */
  #nextPacket: number | null = 0;
  #silencedPackets = 0;
  /** From the position of the last sample to when the engine may stop. */
  readonly #drainBytes: number;

  /** `source` gives sound in the stream's own format. */
  constructor(setup: RtStreamSetup, source: PcmReader) {
    super(setup);
    this.#source = source;
    this.#silence = silenceByte(setup.format);
    this.#drainBytes = this.latencyBytes + mulDivCeil(this.bytesPerSecond, DRAIN_MARGIN_MS, 1000);
  }

  override get draining(): boolean {
    return this.#soundEnd !== null;
  }

  protected override get soundFrames(): number {
    return this.#soundBytes / this.frameBytes;
  }

  protected override prepare(): void {
    if (this.mode === 'packet') {
      this.#writePackets(0);
      return;
    }
    this.#fill();
  }

  protected override service(): number | null {
    if (this.#soundEnd !== null && this.positionBytes >= this.#soundEnd + this.#drainBytes) return null;
    if (this.mode === 'packet') this.#writePackets(this.pin.packetCount());
    else {
      if (this.deviceBytes > this.#writtenBytes) this.#skipAhead();
      this.#fill();
    }
    const half = this.buffer.byteLength / 2;
    const untilHalf = Math.max(half / 2, this.#writtenBytes - this.positionBytes - half);
    if (this.#soundEnd === null) return untilHalf;
    return Math.min(untilHalf, this.#soundEnd + this.#drainBytes - this.positionBytes);
  }

  /** The device has played bytes that nobody wrote: what comes next goes where the device will be in a moment. */
  #skipAhead(): void {
    const margin = Math.min(this.buffer.byteLength / 4, mulDivCeil(1, this.bytesPerSecond, 1000));
    const target = Math.ceil((this.deviceBytes + margin) / this.frameBytes) * this.frameBytes;
    this.glitches++;
    this.glitchBytes += target - this.#writtenBytes;
    this.#writtenBytes = target;
  }

  /** Everything up to one buffer's length ahead of the play position may be written. */
  #fill(): void {
    const { byteLength } = this.buffer;
    const limit = this.positionBytes + byteLength;
    let free = limit - this.#writtenBytes;
    free -= free % this.frameBytes;
    while (free > 0) {
      const at = this.#writtenBytes % byteLength;
      const piece = Math.min(free, byteLength - at);
      this.#write(at, piece);
      this.#writtenBytes += piece;
      free -= piece;
    }
  }

  /** Sound as long as there is some, then silence. Returns the bytes of sound. */
  #write(at: number, byteLength: number): number {
    let sound = 0;
    if (this.#soundEnd === null) {
      sound = this.buffer.fillFrom(this.#source, at, byteLength);
      this.#soundBytes += sound;
      if (sound < byteLength) this.#soundEnd = this.#writtenBytes + sound;
    }
    if (sound < byteLength) this.buffer.fill(this.#silence, at + sound, byteLength - sound);
    return sound;
  }

  /** With `done` packets played, packet `done` is playing and `done` + 1 may be written (before RUN, 0 and 1). */
  #writePackets(done: number): void {
    const packetBytes = this.buffer.byteLength / 2;
    while (this.#nextPacket !== null && this.#nextPacket <= done + 1) {
      const packet = this.#nextPacket;
      if (packet < done) {
        this.glitches++;
        this.glitchBytes += (done - packet) * packetBytes;
        this.#nextPacket = done + 1;
        this.#writtenBytes = (done + 1) * packetBytes;
        continue;
      }
      const sound = this.#write((packet % 2) * packetBytes, packetBytes);
      this.#writtenBytes = (packet + 1) * packetBytes;
      const last = this.#soundEnd !== null;
      if (last) this.#silencedPackets = packet + 1;
      this.#handOver(packet, last ? sound : null, packetBytes);
      this.#nextPacket = last ? null : packet + 1;
    }
    // Behind the last packet the device runs on over the other half: it must be silent.
    while (this.#nextPacket === null && this.#silencedPackets <= done + 1) {
      const at = (this.#silencedPackets % 2) * packetBytes;
      this.buffer.fill(this.#silence, at, packetBytes);
      this.#silencedPackets++;
      this.#writtenBytes = this.#silencedPackets * packetBytes;
    }
  }

  #handOver(packet: number, lastBytes: number | null, packetBytes: number): void {
    try {
      this.pin.setWritePacket(packet, lastBytes);
    } catch (error) {
      if (!(error instanceof NtError) || error.status !== STATUS_DATA_LATE_ERROR) throw error;
      this.glitches++;
      this.glitchBytes += packetBytes;
    }
  }
}
