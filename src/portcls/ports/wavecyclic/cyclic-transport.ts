import { TICKS_PER_SECOND } from '../../../kernel/index.ts';
import type { IrpStream, StreamBuffer } from '../irp-stream/index.ts';

/** The cyclic buffer and its miniport, as the transports use them. Called up to DISPATCH_LEVEL. */
export interface CyclicDevice {
  /** Machine time in 100-ns ticks. */
  readonly now: number;
  /** IMiniportWaveCyclicStream::GetPosition, an offset below the buffer's size. */
  deviceOffset(): number;
  /** IMiniportWaveCyclicStream::Silence over a piece that does not pass the buffer's end. */
  silence(byteOffset: number, byteCount: number): void;
  /** IDmaChannel::CopyTo. */
  copyTo(destination: number, source: Uint8Array, byteCount: number, sourceOffset: number): void;
  /** IDmaChannel::CopyFrom. */
  copyFrom(destination: Uint8Array, source: number, byteCount: number, destinationOffset: number): void;
  /** Bytes of the client's since STOP as a time, in 100-ns units. */
  streamTime(streamBytes: number): number;
  /** The position went back by so many bytes in KSSTATE_RUN. */
  wentBack(byteCount: number): void;
}

/** Sizes in bytes that follow from the stream's format and its buffer. */
export interface CyclicGeometry {
  /** The cyclic buffer. */
  readonly bufferBytes: number;
  /** One sample of all channels. */
  readonly blockBytes: number;
  /** What the device moves between two notifications. */
  readonly frameBytes: number;
  readonly bytesPerSecond: number;
}

/** An advance this much of the buffer short of what the clock says means that the position went round once more. */
const LAP_TOLERANCE = 0.25;
/** Client memory whose pages lie apart goes through a block of this size. */
const SCRATCH_BYTES = 4096;

/**
 * What moves data between a client's requests and the cyclic buffer. Device positions are linear here, bytes since the stream left
 * STOP, derived from offsets that go round. How often they went round between two questions is what the clock says: normally not at
 * all, since the device notifies several times a round. Under the pin's lock.
 */
export abstract class CyclicTransport {
  protected readonly device: CyclicDevice;
  protected readonly requests: IrpStream;
  #geometry: CyclicGeometry;
  #lastOffset = 0;
  /** Offset of device position 0 in the buffer: other than 0 once the device has begun anew somewhere else. */
  #origin = 0;
  #lastTick = 0;
  #deviceBytes = 0;
  #streamBytes = 0;
  #formatStart = 0;
  #scratch: Uint8Array | null = null;

  constructor(device: CyclicDevice, requests: IrpStream, geometry: CyclicGeometry) {
    this.device = device;
    this.requests = requests;
    this.#geometry = geometry;
  }

  get geometry(): CyclicGeometry {
    return this.#geometry;
  }

  /** The format has changed in STOP. */
  setGeometry(geometry: CyclicGeometry): void {
    this.#geometry = geometry;
  }

  /**
   * The format has changed on the way. Whatever is in the buffer is in the old one and does not count any more; the device goes on from
   * where it says that it is; `running`: it moves already.
   */
  changeFormat(geometry: CyclicGeometry, _running: boolean): void {
    this.#geometry = geometry;
    this.#lastTick = this.device.now;
    this.#lastOffset = this.device.deviceOffset() % geometry.bufferBytes;
    this.#origin = this.#lastOffset;
    this.#deviceBytes = 0;
    this.#formatStart = this.#streamBytes;
  }

  /** What the converter has passed since STOP, or since the format was changed; silence included. */
  get deviceBytes(): number {
    return this.#deviceBytes;
  }

  /** Stream position at which the format was changed last. */
  get formatStart(): number {
    return this.#formatStart;
  }

  /** Bytes of the client's that were copied since STOP. */
  get streamBytes(): number {
    return this.#streamBytes;
  }

  /** Stream position of the sample at the converter. */
  abstract readonly converterBytes: number;

  /** Moves what can be moved; the position has just been updated. */
  abstract move(): void;

  /** The device is about to run, from where it stands. */
  start(): void {
    this.#lastTick = this.device.now;
  }

  /**
   * The device runs. One that went on somewhere else than where it had stood (its power was off, and its DMA engine begins at the
   * buffer's start) finds what it has not played there. True when that was so. Without `powerLost` only a position that is off by more
   * than a period counts: estimates of drivers differ between PAUSE and RUN.
   */
  started(powerLost: boolean): boolean {
    const { bufferBytes, frameBytes, bytesPerSecond } = this.#geometry;
    const elapsed = ((this.device.now - this.#lastTick) * bytesPerSecond) / TICKS_PER_SECOND;
    const offset = this.device.deviceOffset() % bufferBytes;
    const ahead = (offset + bufferBytes - this.#lastOffset) % bufferBytes;
    const tolerated = Math.min(powerLost ? bytesPerSecond / 1000 : frameBytes, bufferBytes / 4);
    if (ahead <= elapsed + tolerated || ahead >= bufferBytes - tolerated) return false;
    const origin = (offset - (this.#deviceBytes % bufferBytes) + bufferBytes) % bufferBytes;
    this.relocate(() => {
      this.#origin = origin;
    });
    this.#lastOffset = offset;
    return true;
  }

  /** Asks the miniport where it is. `running`: the device moves, so that the clock tells how far it can have come. */
  updatePosition(running: boolean): void {
    const { bufferBytes, bytesPerSecond } = this.#geometry;
    const { now } = this.device;
    const offset = this.device.deviceOffset() % bufferBytes;
    const step = offset - this.#lastOffset;
    let advance = step >= 0 ? step : step + bufferBytes;
    if (running) {
      const expected = ((now - this.#lastTick) * bytesPerSecond) / TICKS_PER_SECOND;
      if (advance - expected > bufferBytes / 2) {
        // Nothing moves that fast: an estimate of the driver's has gone back a little. It is waited for.
        this.device.wentBack(bufferBytes - advance);
        return;
      }
      const laps = Math.floor((expected - advance) / bufferBytes + LAP_TOLERANCE);
      if (laps > 0 && advance > 0) advance += laps * bufferBytes;
    }
    this.#lastTick = now;
    this.#lastOffset = offset;
    this.#deviceBytes += advance;
  }

  /** Calls `move`, after which {@link offsetOf} gives other offsets, and sees to it that what is in the buffer still counts. */
  protected abstract relocate(move: () => void): void;

  /** The stream has stopped. */
  reset(): void {
    this.#lastOffset = 0;
    this.#origin = 0;
    this.#deviceBytes = 0;
    this.#streamBytes = 0;
    this.#formatStart = 0;
  }

  /** A stream position as clients see it on a looped pin: an offset in the looped buffer; as it is on others. */
  clientOffset(streamBytes: number): number {
    if (!this.requests.looped) return streamBytes;
    const loop = this.requests.current();
    if (loop === null || loop.streamStart === null) return 0;
    return Math.max(0, streamBytes - loop.streamStart) % loop.byteLength;
  }

  /** Bytes of `buffer` were moved. */
  protected advance(buffer: StreamBuffer, byteCount: number): void {
    this.#streamBytes += byteCount;
    this.requests.consume(buffer, byteCount);
  }

  /** The offset of a linear position in the cyclic buffer. */
  protected offsetOf(deviceBytes: number): number {
    return (deviceBytes + this.#origin) % this.#geometry.bufferBytes;
  }

  protected get scratch(): Uint8Array {
    this.#scratch ??= new Uint8Array(SCRATCH_BYTES);
    return this.#scratch;
  }
}
