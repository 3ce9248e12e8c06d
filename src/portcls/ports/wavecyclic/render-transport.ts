import type { StreamBuffer } from '../irp-stream/index.ts';
import { type CyclicGeometry, CyclicTransport } from './cyclic-transport.ts';

/** How far the port keeps ahead of the converter (wavecyclic-latency.md: about 40 milliseconds). */
const LOOKAHEAD_MS = 40;
/** The period that the port asks of devices. */
const NOTIFICATION_MS = 10;
/** After a starvation, data goes this far ahead of the position, since the device fetches ahead of it. */
const RESTART_MARGIN_MS = 1;

/** A stretch of the client's data without a gap: where it lies in device time and in the stream. */
interface Segment {
  readonly deviceStart: number;
  readonly streamStart: number;
  byteLength: number;
}

/**
 * Keeps the cyclic buffer filled about 40 ms ahead of the converter: with the client's data as long as there is some, behind it with
 * silence. Data that comes before its silence has been played takes the silence's place; what comes later is played as soon as
 * possible, and the positions that clients see do not count the silence in between.
 */
export class RenderTransport extends CyclicTransport {
  /** Device position behind the last byte of the client's. */
  #copied = 0;
  /** Device position behind the last byte of silence. */
  #silenced = 0;
  #segments: Segment[] = [];
  #starved = false;
  /** Device position from which on everything that was copied is to be flushed on a pause; null: nothing is. */
  #flushFrom: number | null = null;
  /** Stream positions at which clients said that the stream ends. */
  readonly #ends: number[] = [];
  #endReached = false;

  /** How far ahead of the converter the buffer is filled. */
  get lookaheadBytes(): number {
    return lookahead(this.geometry);
  }

  /** The device has played all data there was; false before the first. */
  get starved(): boolean {
    return this.#starved;
  }

  override get converterBytes(): number {
    const { deviceBytes } = this;
    for (let i = this.#segments.length - 1; i >= 0; i--) {
      const segment = this.#segments[i] as Segment;
      if (segment.deviceStart > deviceBytes) continue;
      return segment.streamStart + Math.min(segment.byteLength, deviceBytes - segment.deviceStart);
    }
    return this.#segments[0]?.streamStart ?? this.formatStart;
  }

  /** Everything that was taken from the client has been played. */
  get drained(): boolean {
    return this.#copied <= this.deviceBytes;
  }

  override move(): void {
    const limit = this.deviceBytes + this.lookaheadBytes;
    this.#forgetPlayed();
    for (let buffer = this.requests.current(); buffer !== null; buffer = this.requests.current()) {
      if (this.#copied < this.deviceBytes) this.#restart();
      const room = limit - this.#copied;
      if (room <= 0) break;
      this.#copy(buffer, room);
    }
    this.#starved = this.#copied < this.deviceBytes;
    this.#silence(Math.max(this.#copied, this.#silenced, this.deviceBytes), limit);
  }

  /** The client has marked the stream's end behind what was copied so far. */
  markEnd(): void {
    this.#ends.push(this.streamBytes);
  }

  /** Has the converter come to a marked end since the last question? */
  takeEndReached(): boolean {
    let reached = false;
    const at = this.converterBytes;
    while (this.#ends.length > 0 && (this.#ends[0] as number) <= at) {
      this.#ends.shift();
      reached = true;
    }
    this.#endReached ||= reached;
    return reached;
  }

  /** Silence is what the client wants: it has said that the stream ends, and nothing came after. */
  get ended(): boolean {
    return this.#endReached && this.#ends.length === 0;
  }

  /** Nothing of the client's is left: the whole buffer becomes silence, wherever the device goes on. */
  clear(): void {
    this.device.silence(0, this.geometry.bufferBytes);
  }

  /** Silence in the new format, until there are data; a device that runs has fetched some of it. */
  override changeFormat(geometry: CyclicGeometry, running: boolean): void {
    super.changeFormat(geometry, running);
    this.#forget();
    if (running) this.#copied = this.#aligned(this.#restartMargin);
    this.#silence(0, this.lookaheadBytes);
  }

  /** The stream pauses: what is in the buffer and will be worth nothing behind the pause becomes silence. */
  flush(): void {
    const from = Math.max(this.#flushFrom ?? this.#copied, this.deviceBytes);
    if (from >= this.#copied) return;
    this.#segments = this.#segments.filter(({ deviceStart }) => deviceStart < from);
    const last = this.#segments.at(-1);
    if (last !== undefined) last.byteLength = Math.min(last.byteLength, from - last.deviceStart);
    this.#silence(from, this.#copied);
    this.#copied = this.#aligned(from);
    this.#flushFrom = null;
  }

  #forget(): void {
    this.#copied = 0;
    this.#silenced = 0;
    this.#segments = [];
    this.#starved = false;
    this.#flushFrom = null;
  }

  override reset(): void {
    super.reset();
    this.#forget();
    this.#ends.length = 0;
    this.#endReached = false;
  }

  /** What has not been played goes along; behind it comes silence as ever. */
  protected override relocate(move: () => void): void {
    const from = this.deviceBytes;
    const unplayed = new Uint8Array(Math.max(0, this.#copied - from));
    this.#pieces(from, unplayed.byteLength, (offset, count, done) =>
      this.device.copyFrom(unplayed, offset, count, done),
    );
    move();
    this.#pieces(from, unplayed.byteLength, (offset, count, done) =>
      this.device.copyTo(offset, unplayed, count, done),
    );
    this.#silenced = from + unplayed.byteLength;
    this.#silence(this.#silenced, from + this.lookaheadBytes);
  }

  /** A stretch of device positions as pieces of the buffer. */
  #pieces(
    from: number,
    byteLength: number,
    piece: (offset: number, count: number, done: number) => void,
  ): void {
    const { bufferBytes } = this.geometry;
    for (let done = 0; done < byteLength; ) {
      const offset = this.offsetOf(from + done);
      const count = Math.min(byteLength - done, bufferBytes - offset);
      piece(offset, count, done);
      done += count;
    }
  }

  /** The device has played on past the data: the next byte goes a little ahead of it, in step with its samples. */
  #restart(): void {
    const start = this.#aligned(this.deviceBytes + this.#restartMargin);
    this.#silence(Math.max(this.#silenced, this.deviceBytes), start);
    this.#copied = start;
  }

  get #restartMargin(): number {
    return Math.ceil((this.geometry.bytesPerSecond * RESTART_MARGIN_MS) / 1000);
  }

  /** The first place at or behind a device position where the client's next byte is in step with the device's samples. */
  #aligned(deviceBytes: number): number {
    const { blockBytes } = this.geometry;
    const phase = (this.streamBytes - this.formatStart) % blockBytes;
    return Math.ceil((deviceBytes - phase) / blockBytes) * blockBytes + phase;
  }

  #copy(buffer: StreamBuffer, room: number): void {
    buffer.streamStart ??= this.streamBytes;
    this.#flushFrom = buffer.flushOnPause ? (this.#flushFrom ?? this.#copied) : null;
    this.#endReached = false;
    const { bufferBytes } = this.geometry;
    const at = this.offsetOf(this.#copied);
    let count = Math.min(room, buffer.byteLength - buffer.done, bufferBytes - at);
    const { bytes } = buffer;
    if (bytes !== null) this.device.copyTo(at, bytes, count, buffer.done);
    else {
      count = Math.min(count, this.scratch.byteLength);
      const piece = this.scratch.subarray(0, count);
      buffer.read(buffer.done, piece);
      this.device.copyTo(at, piece, count, 0);
    }
    const last = this.#segments.at(-1);
    const follows =
      last !== undefined &&
      last.deviceStart + last.byteLength === this.#copied &&
      last.streamStart + last.byteLength === this.streamBytes;
    if (follows) last.byteLength += count;
    else {
      this.#segments.push({
        deviceStart: this.#copied,
        streamStart: this.streamBytes,
        byteLength: count,
      });
    }
    this.#copied += count;
    this.advance(buffer, count);
  }

  #silence(from: number, to: number): void {
    const { bufferBytes } = this.geometry;
    for (let at = from; at < to; ) {
      const offset = this.offsetOf(at);
      const count = Math.min(to - at, bufferBytes - offset);
      this.device.silence(offset, count);
      at += count;
    }
    this.#silenced = Math.max(this.#silenced, to);
  }

  #forgetPlayed(): void {
    const segments = this.#segments;
    while (segments.length > 1 && (segments[1] as Segment).deviceStart <= this.deviceBytes) segments.shift();
  }
}

/**
 * 40 ms; where the device's period is longer than the 10 ms asked for, that much more; never the whole buffer, in which a full round
 * and none would look the same.
 */
export function lookahead({ bufferBytes, blockBytes, frameBytes, bytesPerSecond }: CyclicGeometry): number {
  const bytesIn = (milliseconds: number) => Math.ceil((bytesPerSecond * milliseconds) / 1000);
  const wanted = Math.max(bytesIn(LOOKAHEAD_MS), bytesIn(LOOKAHEAD_MS - NOTIFICATION_MS) + frameBytes);
  const most = Math.max(blockBytes, bufferBytes - blockBytes);
  return Math.min(Math.ceil(wanted / blockBytes) * blockBytes, most);
}
