import { mulDivCeil, TICKS_PER_SECOND } from '../../kernel/index.ts';
import { ClientError, explained } from '../client-error.ts';
import { ClientBuffer } from './client-buffer.ts';
import type { PositionSource } from './position.ts';
import { openPosition } from './position.ts';
import type { RtPin } from './rt-pin.ts';
import type { StreamSetup } from './stream.ts';
import { STUCK_TICKS, Stream } from './stream.ts';

/** What a WaveRT stream is opened with. */
export interface RtStreamSetup extends StreamSetup {
  readonly pin: RtPin;
  readonly preferPositionRegister: boolean;
}

/** A position this much of a buffer behind the clock's is late; only more than the rest is a whole round. */
const ROUND_MARGIN = 0.25;

/**
 * A stream through a cyclic buffer that the client shares with the device (WaveRT): the buffer, the position made linear, waking by
 * timer or by the driver's event.
 */
export abstract class RtStream extends Stream {
  protected readonly pin: RtPin;
  protected readonly buffer: ClientBuffer;
  /** Delay between the position and the jack, in bytes, frames rounded up. */
  protected readonly latencyBytes: number;
  /** How far the device has taken bytes out of the buffer (render: at or ahead of the position) or put bytes into it (capture). */
  protected deviceBytes = 0;
  readonly #position: PositionSource;
  readonly #event: { readonly handle: number; readonly wait: { arm(): void; cancel(): void } } | null;
  #lastOffset = 0;
  #lastTick = 0;
  /** The alarm is set to find out that events stay away. */
  #watchdog = false;

  protected constructor(setup: RtStreamSetup) {
    super(setup);
    this.pin = setup.pin;
    const wanted = Math.ceil((setup.bufferMs * setup.format.sampleRate) / 1000) * this.frameBytes;
    const allocated = explained(
      `${this.endpointName}: cannot get a buffer of ${setup.bufferMs} ms (${wanted} bytes)`,
      () => this.pin.allocateBuffer(wanted, setup.mode === 'timer' ? 0 : 2),
    );
    const { actualBufferSize, bufferAddress } = allocated;
    if (actualBufferSize <= 0 || actualBufferSize % this.frameBytes !== 0) {
      throw new ClientError(
        `${this.endpointName}: the driver gave a buffer of ${actualBufferSize} bytes, which is no whole number of frames of ${this.frameBytes} bytes. Correct the driver's AllocateAudioBuffer.`,
      );
    }
    this.buffer = new ClientBuffer(this.host.process, bufferAddress, actualBufferSize);
    const { fifoSize, chipsetDelay, codecDelay } = this.pin.latency();
    const delayBytes =
      fifoSize + mulDivCeil(chipsetDelay + codecDelay, this.bytesPerSecond, TICKS_PER_SECOND);
    this.latencyBytes = Math.ceil(delayBytes / this.frameBytes) * this.frameBytes;
    this.#position = openPosition(this.pin.object, setup.preferPositionRegister);
    this.#event = setup.mode === 'timer' ? null : this.#registerEvent();
  }

  override get bufferBytes(): number {
    return this.buffer.byteLength;
  }

  override get positionSource(): 'register' | 'property' {
    return this.#position.kind;
  }

  /** Moves what can be moved; the position has just been read. Returns the bytes until the next wake, or null when done. */
  protected abstract service(): number | null;

  protected override begin(): void {
    this.#lastTick = this.host.now;
    this.#event?.wait.arm();
    this.#schedule(this.buffer.byteLength / 2);
  }

  protected override serve(alarmFired: boolean): boolean {
    if (this.#watchdog && alarmFired) this.#eventMissing();
    this.updatePosition();
    this.notePosition();
    this.periods++;
    const bytesToWait = this.service();
    if (bytesToWait === null) return false;
    this.#event?.wait.arm();
    this.#schedule(bytesToWait);
    return true;
  }

  protected override sleep(): void {
    super.sleep();
    this.#event?.wait.cancel();
  }

  protected override closePin(): void {
    if (this.#event === null) {
      this.pin.close();
      return;
    }
    const { handle } = this.#event;
    this.#event.wait.cancel();
    this.attempt(() => this.pin.unregisterEvent(handle));
    this.pin.close();
    this.host.process.closeHandle(handle);
  }

  /** The alarm: in timer mode when the bytes have passed, otherwise as a watchdog, or for the end of the stream. */
  #schedule(bytesToWait: number): void {
    const { now } = this.host;
    const ticks = Math.max(1, mulDivCeil(bytesToWait, TICKS_PER_SECOND, this.bytesPerSecond));
    if (this.#event === null) {
      this.wakeAt(now + ticks, true);
      return;
    }
    const half = mulDivCeil(this.buffer.byteLength / 2, TICKS_PER_SECOND, this.bytesPerSecond);
    // With less than a half to go no event will come in time.
    this.#watchdog = ticks >= half;
    this.wakeAt(now + (this.#watchdog ? STUCK_TICKS + 4 * half : ticks), false);
  }

  #eventMissing(): never {
    const from = this.positionFrames;
    this.updatePosition();
    throw new ClientError(
      `${this.endpointName}: the driver has signalled no notification for more than ${STUCK_TICKS / TICKS_PER_SECOND} s of KSSTATE_RUN; the position went from ${from} to ${this.positionFrames} frames meanwhile. Check the driver's interrupt and its registered events.`,
    );
  }

  /**
   * Makes the offset in the buffer a position since the start. How often it went round in between is what the clock says:
   * normally not at all, since the stream wakes every half buffer.
   */
  protected override updatePosition(): void {
    this.#position.update();
    const { byteLength } = this.buffer;
    const { playOffset, writeOffset } = this.#position;
    const { now } = this.host;
    const running = this.state === 'running';
    const around = (from: number, to: number) => (to >= from ? to - from : to - from + byteLength);
    let advance = around(this.#lastOffset, playOffset % byteLength);
    const expected = mulDivCeil(now - this.#lastTick, this.bytesPerSecond, TICKS_PER_SECOND);
    const rounds = Math.floor((expected - advance) / byteLength + ROUND_MARGIN);
    // An offset that is still the very same has not moved: a device that stands still must be found out.
    if (rounds > 0 && advance > 0 && running) advance += rounds * byteLength;
    this.positionBytes += advance;
    const play = playOffset % byteLength;
    const write = writeOffset % byteLength;
    this.deviceBytes =
      this.direction === 'render'
        ? this.positionBytes + around(play, write)
        : this.positionBytes - around(write, play);
    this.#lastOffset = playOffset % byteLength;
    this.#lastTick = now;
    if (running) this.fitClock(now);
  }

  #registerEvent(): { readonly handle: number; readonly wait: { arm(): void; cancel(): void } } {
    const { process } = this.host;
    const handle = process.createEvent('SynchronizationEvent');
    try {
      explained(`${this.endpointName}: cannot register for notifications`, () =>
        this.pin.registerEvent(handle),
      );
    } catch (error) {
      process.closeHandle(handle);
      throw error;
    }
    const wait = process.whenSignaled(handle, this.wake);
    wait.cancel();
    return { handle, wait };
  }
}
