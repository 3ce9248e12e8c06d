import { mulDivCeil } from '../../kernel/index.ts';
import type { PcmReader } from '../pcm.ts';
import { DRAIN_MARGIN_MS } from './render-stream.ts';
import type { StreamPacket } from './request-pin.ts';
import { RequestStream, type RequestStreamSetup } from './request-stream.ts';

/**
 * Plays what a reader gives by write requests, to its last sample: the last packet says that the stream ends, and the stream is stopped
 * once the position has come to that end and the device's FIFOs have had time to empty.
 */
export class RequestRenderStream extends RequestStream {
  readonly #source: PcmReader;
  #soundBytes = 0;
  #sourceEnded = false;
  #starved = false;
  /** The position has come to the end of the sound: when the device may be stopped. */
  #stopTick: number | null = null;

  /** `source` gives sound in the stream's own format. */
  constructor(setup: RequestStreamSetup, source: PcmReader) {
    super(setup);
    this.#source = source;
  }

  override get draining(): boolean {
    return this.#sourceEnded;
  }

  protected override get soundFrames(): number {
    return this.#soundBytes / this.frameBytes;
  }

  protected override get standsStill(): boolean {
    return this.positionBytes >= this.#soundBytes;
  }

  protected override refill(packet: StreamPacket): boolean {
    if (this.#sourceEnded) return false;
    const count = this.memory.fillFrom(this.#source, packet.offset, packet.byteLength);
    if (this.state === 'running' && this.positionIsOld) this.updatePosition();
    this.#soundBytes += count;
    this.#sourceEnded = count < packet.byteLength;
    packet.prepare(count, this.#sourceEnded);
    this.send(packet);
    return !this.#sourceEnded;
  }

  /** A device that has played all that it was given, and more is to come, plays silence meanwhile. */
  protected override updatePosition(): void {
    super.updatePosition();
    const starves = !this.#sourceEnded && this.#soundBytes > 0 && this.positionBytes >= this.#soundBytes;
    if (starves && this.missedBytes >= this.frameBytes) {
      if (!this.#starved) this.glitches++;
      this.glitchBytes += this.missedBytes;
      this.#starved = true;
    } else if (!starves) this.#starved = false;
  }

  protected override afterPackets(): number | null {
    if (!this.#sourceEnded) return 0;
    const left = this.#soundBytes - this.positionBytes;
    if (left > 0) return left;
    const { now } = this.host;
    const margin = mulDivCeil(this.bytesPerSecond, DRAIN_MARGIN_MS, 1000);
    if (this.#stopTick === null) {
      this.#stopTick = now + DRAIN_MARGIN_MS * 10_000;
      return margin;
    }
    return now >= this.#stopTick ? null : margin;
  }
}
