import type { Alarm } from '../../kernel/index.ts';
import {
  BugcheckError,
  mulDivCeil,
  NtError,
  TICKS_PER_MILLISECOND,
  TICKS_PER_SECOND,
} from '../../kernel/index.ts';
import { KSSTATE_PAUSE, KSSTATE_RUN, KSSTATE_STOP } from '../../ks/index.ts';
import type { AudioFormat } from '../audio-format.ts';
import { bytesPerSecond, frameBytes } from '../audio-format.ts';
import { ClientError, explained, statusError } from '../client-error.ts';
import type { ClientProcess } from '../requests/client-process.ts';
import type { ClockFit } from './clock-fit.ts';
import { ClockFitter } from './clock-fit.ts';
import { CyclicBuffer } from './cyclic-buffer.ts';
import type { PositionSource } from './position.ts';
import { openPosition } from './position.ts';
import type { RtPin } from './rt-pin.ts';

/**
 * How a stream learns that it must move data. `timer`: wakes each half buffer by the machine's clock. `event`: the driver signals
 * an event at each half of the buffer. `packet`: the same, and the halves are handed over by number (SETWRITEPACKET).
 */
export type StreamMode = 'timer' | 'event' | 'packet';

/** Where a stream is in its life. */
export type StreamState = 'stopped' | 'running' | 'paused' | 'ended' | 'failed' | 'closed';

/** What a stream needs of the machine. */
export interface StreamHost {
  readonly process: ClientProcess;
  readonly now: number;
  /** The kernel has stopped with a bugcheck: nothing can be given back any more. */
  readonly stopped: boolean;
  createAlarm(callback: () => void): Alarm;
  /** Runs the callback as user-mode code from the machine's outermost loop. */
  queueContinuation(callback: () => void): void;
  /** Runs code inside the machine's kernel. */
  enter<T>(fn: () => T): T;
}

/** What a stream is opened with, once format, buffer and mode are settled. */
export interface StreamSetup {
  readonly host: StreamHost;
  /** For messages: `'Speakers'`. */
  readonly endpointName: string;
  readonly pin: RtPin;
  readonly format: AudioFormat;
  readonly mode: StreamMode;
  readonly direction: 'render' | 'capture';
  readonly bufferMs: number;
  readonly preferPositionRegister: boolean;
}

/** Counters of a stream. */
export interface StreamStatistics {
  /** Times that the stream woke and moved data. */
  readonly periods: number;
  /** Times that the device reached data that was not there yet, or overwrote what had not been read. */
  readonly glitches: number;
  /** Frames lost to that. */
  readonly glitchFrames: number;
  /** Frames that the device has played or recorded. */
  readonly positionFrames: number;
  /** Frames of sound moved between client and buffer, without the silence after the end. */
  readonly frames: number;
  /** Longest time between when a wake by the clock was due and when it ran, in 100-ns ticks. */
  readonly maxLatenessTicks: number;
  readonly bufferFrames: number;
  readonly bufferMs: number;
  readonly positionSource: 'register' | 'property';
  readonly clockFit: ClockFit;
}

/** A position this much of a buffer behind the clock's is late; only more than the rest is a whole round. */
const ROUND_MARGIN = 0.25;
/** No sign of life for this long, on top of a few buffers, is a stuck device. */
const STUCK_TICKS = TICKS_PER_SECOND;

/**
 * What render and capture streams have in common: the pin, its buffer, the position made linear, waking by timer or event, states.
 * All work is done in short continuations; nothing blocks.
 */
export abstract class Stream {
  readonly format: AudioFormat;
  readonly mode: StreamMode;
  readonly direction: 'render' | 'capture';
  readonly endpointName: string;
  /** Why the stream failed; null unless the state is `failed`. */
  error: ClientError | null = null;
  /** Told once, when the stream has ended or failed. */
  onEnded: (() => void) | null = null;

  protected readonly host: StreamHost;
  protected readonly pin: RtPin;
  protected readonly buffer: CyclicBuffer;
  protected readonly frameBytes: number;
  protected readonly bytesPerSecond: number;
  /** Delay between the position and the jack, in bytes, frames rounded up. */
  protected readonly latencyBytes: number;
  /**
   * Linear positions in bytes since the start: what is at the converter, and how far the device has taken bytes out of the
   * buffer (render: at or ahead of it) or put bytes into it (capture: at or behind it).
   */
  protected positionBytes = 0;
  protected deviceBytes = 0;
  protected glitches = 0;
  protected glitchBytes = 0;
  protected periods = 0;

  readonly #position: PositionSource;
  readonly #alarm: Alarm;
  readonly #event: { readonly handle: number; readonly wait: { arm(): void; cancel(): void } } | null;
  // Made once: a wake allocates nothing.
  readonly #work = () => this.#wake();
  readonly #serveBound = () => this.#serve();
  readonly #guardedServe = () => this.#guarded(this.#serveBound);
  readonly #clockFitter: ClockFitter;
  #state: StreamState = 'stopped';
  #wakeQueued = false;
  #lastOffset = 0;
  #lastTick = 0;
  #lastProgressTick = 0;
  #dueTick: number | null = null;
  /** The alarm is set to find out that events stay away. */
  #watchdog = false;
  #alarmFired = false;
  #maxLateness = 0;

  protected constructor(setup: StreamSetup) {
    this.host = setup.host;
    this.pin = setup.pin;
    this.format = setup.format;
    this.mode = setup.mode;
    this.direction = setup.direction;
    this.endpointName = setup.endpointName;
    this.frameBytes = frameBytes(setup.format);
    this.bytesPerSecond = bytesPerSecond(setup.format);
    this.#clockFitter = new ClockFitter(setup.format.sampleRate);
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
    this.buffer = new CyclicBuffer(this.host.process, bufferAddress, actualBufferSize);
    const { fifoSize, chipsetDelay, codecDelay } = this.pin.latency();
    const delayBytes =
      fifoSize + mulDivCeil(chipsetDelay + codecDelay, this.bytesPerSecond, TICKS_PER_SECOND);
    this.latencyBytes = Math.ceil(delayBytes / this.frameBytes) * this.frameBytes;
    this.#position = openPosition(this.pin.object, setup.preferPositionRegister);
    this.#alarm = this.host.createAlarm(() => this.#queueWake());
    this.#event = setup.mode === 'timer' ? null : this.#registerEvent();
  }

  get state(): StreamState {
    return this.#state;
  }

  /** Has the stream come to its end, well or not? For `runUntil`. */
  get ended(): boolean {
    return this.#state === 'ended' || this.#state === 'failed' || this.#state === 'closed';
  }

  /** Length of the cyclic buffer. */
  get bufferFrames(): number {
    return this.buffer.byteLength / this.frameBytes;
  }

  /** Frames that the device has played or recorded, as of the last wake. */
  get positionFrames(): number {
    return Math.floor(this.positionBytes / this.frameBytes);
  }

  /**
   * Starts from the stopped state: the first data, then RUN. Throws a {@link ClientError} when the driver refuses; the stream has
   * failed then.
   */
  start(): void {
    this.host.enter(() => {
      this.#require('start', 'stopped');
      this.#change('start', () => {
        this.pin.setState(KSSTATE_PAUSE);
        this.prepare();
        this.#run();
      });
    });
  }

  /** Halts where it is; {@link resume} goes on without a gap. Throws as {@link start}. */
  pause(): void {
    this.host.enter(() => {
      this.#require('pause', 'running');
      this.#change('pause', () => {
        this.pin.setState(KSSTATE_PAUSE);
        this.#state = 'paused';
        this.#sleep();
        this.#updatePosition();
      });
    });
  }

  /** Throws as {@link start}. */
  resume(): void {
    this.host.enter(() => {
      this.#require('resume', 'paused');
      this.#change('resume', () => this.#run());
    });
  }

  /** Ends the stream now; what has not been played is dropped, what has been recorded is kept. */
  stop(): void {
    this.host.enter(() => {
      if (this.#state === 'running' || this.#state === 'paused') this.#guarded(() => this.finish());
    });
  }

  /** Stops and gives everything back. A second call does nothing, nor does one after a bugcheck. */
  close(): void {
    if (this.#state === 'closed') return;
    if (this.host.stopped) {
      this.#state = 'closed';
      return;
    }
    this.host.enter(() => {
      if (this.#state === 'running' || this.#state === 'paused') this.#guarded(() => this.finish());
      this.#sleep();
      if (this.#event !== null) {
        this.#event.wait.cancel();
        const { handle } = this.#event;
        try {
          this.pin.unregisterEvent(handle);
        } catch (error) {
          if (!(error instanceof NtError)) throw error;
        }
        this.pin.close();
        this.host.process.closeHandle(handle);
      } else this.pin.close();
      this.release();
      this.#state = 'closed';
    });
  }

  [Symbol.dispose](): void {
    this.close();
  }

  /** Counters up to now. */
  statistics(): StreamStatistics {
    return {
      periods: this.periods,
      glitches: this.glitches,
      glitchFrames: Math.ceil(this.glitchBytes / this.frameBytes),
      positionFrames: this.positionFrames,
      frames: this.soundFrames,
      maxLatenessTicks: this.#maxLateness,
      bufferFrames: this.bufferFrames,
      bufferMs: (this.bufferFrames * 1000) / this.format.sampleRate,
      positionSource: this.#position.kind,
      clockFit: this.#clockFitter.result(),
    };
  }

  /** Frames of sound moved so far. */
  protected abstract readonly soundFrames: number;

  /** In PAUSE, before the first RUN: fill the buffer. */
  protected abstract prepare(): void;

  /** Moves what can be moved; the position has just been read. Returns the bytes until the next wake, or null when done. */
  protected abstract service(): number | null;

  /** The stream ends: by itself or because it was told to. */
  protected finish(): void {
    this.#sleep();
    this.pin.setState(KSSTATE_STOP);
    this.#end('ended');
  }

  /** After the pin was closed. */
  protected release(): void {}

  /** Freezes the position and reads it a last time. */
  protected halt(): void {
    this.#sleep();
    if (this.pin.state === KSSTATE_RUN) this.pin.setState(KSSTATE_PAUSE);
    this.#updatePosition();
  }

  /** A change of state that was asked for: what fails is told to whoever asked, too. */
  #change(what: string, action: () => void): void {
    try {
      explained(`${this.endpointName}: cannot ${what} the stream`, action);
    } catch (error) {
      if (error instanceof ClientError) {
        this.error = error;
        this.#sleep();
        this.#silence();
        this.#end('failed');
      }
      throw error;
    }
  }

  #run(): void {
    this.pin.setState(KSSTATE_RUN);
    this.#state = 'running';
    this.#lastTick = this.host.now;
    this.#lastProgressTick = this.host.now;
    this.#clockFitter.restart();
    this.#event?.wait.arm();
    this.#schedule(this.buffer.byteLength / 2);
  }

  #queueWake(): void {
    this.#alarmFired = true;
    if (this.#wakeQueued) return;
    this.#wakeQueued = true;
    this.host.queueContinuation(this.#work);
  }

  /** One continuation: read the position, move data, arrange the next wake. */
  #wake(): void {
    this.#wakeQueued = false;
    if (this.#state !== 'running') return;
    this.host.enter(this.#guardedServe);
  }

  #serve(): void {
    const now = this.host.now;
    if (this.#watchdog && this.#alarmFired) this.#eventMissing();
    this.#alarmFired = false;
    if (this.#dueTick !== null) this.#maxLateness = Math.max(this.#maxLateness, now - this.#dueTick);
    const before = this.positionBytes;
    this.#updatePosition();
    if (this.positionBytes !== before) this.#lastProgressTick = now;
    else this.#requireProgress(now);
    this.periods++;
    const bytesToWait = this.service();
    if (bytesToWait === null) {
      this.finish();
      return;
    }
    this.#event?.wait.arm();
    this.#schedule(bytesToWait);
  }

  #requireProgress(now: number): void {
    const buffers = 4 * mulDivCeil(this.buffer.byteLength, TICKS_PER_SECOND, this.bytesPerSecond);
    if (now - this.#lastProgressTick <= STUCK_TICKS + buffers) return;
    const seconds = ((now - this.#lastProgressTick) / TICKS_PER_SECOND).toFixed(1);
    throw new ClientError(
      `${this.endpointName}: the position has stayed at ${this.positionFrames} frames for ${seconds} s of KSSTATE_RUN. Check that the driver starts the DMA engine and reads its position.`,
    );
  }

  /** The alarm: in timer mode when the bytes have passed, otherwise as a watchdog, or for the end of the stream. */
  #schedule(bytesToWait: number): void {
    const now = this.host.now;
    const ticks = Math.max(1, mulDivCeil(bytesToWait, TICKS_PER_SECOND, this.bytesPerSecond));
    if (this.#event === null) {
      this.#dueTick = now + ticks;
      this.#alarm.set(this.#dueTick);
      return;
    }
    this.#dueTick = null;
    const half = mulDivCeil(this.buffer.byteLength / 2, TICKS_PER_SECOND, this.bytesPerSecond);
    // With less than a half to go no event will come in time.
    this.#watchdog = ticks >= half;
    this.#alarm.set(now + (this.#watchdog ? STUCK_TICKS + 4 * half : ticks));
  }

  #eventMissing(): never {
    const from = this.positionFrames;
    this.#updatePosition();
    throw new ClientError(
      `${this.endpointName}: the driver has signalled no notification for more than ${STUCK_TICKS / TICKS_PER_SECOND} s of KSSTATE_RUN; the position went from ${from} to ${this.positionFrames} frames meanwhile. Check the driver's interrupt and its registered events.`,
    );
  }

  #sleep(): void {
    this.#alarm.cancel();
    this.#event?.wait.cancel();
  }

  /**
   * Makes the offset in the buffer a position since the start. How often it went round in between is what the clock says:
   * normally not at all, since the stream wakes every half buffer.
   */
  #updatePosition(): void {
    this.#position.update();
    const { byteLength } = this.buffer;
    const { playOffset, writeOffset } = this.#position;
    const now = this.host.now;
    const around = (from: number, to: number) => (to >= from ? to - from : to - from + byteLength);
    let advance = around(this.#lastOffset, playOffset % byteLength);
    const expected = mulDivCeil(now - this.#lastTick, this.bytesPerSecond, TICKS_PER_SECOND);
    const rounds = Math.floor((expected - advance) / byteLength + ROUND_MARGIN);
    // An offset that is still the very same has not moved: a device that stands still must be found out.
    if (rounds > 0 && advance > 0 && this.#state === 'running') advance += rounds * byteLength;
    this.positionBytes += advance;
    const play = playOffset % byteLength;
    const write = writeOffset % byteLength;
    this.deviceBytes =
      this.direction === 'render'
        ? this.positionBytes + around(play, write)
        : this.positionBytes - around(write, play);
    this.#lastOffset = playOffset % byteLength;
    this.#lastTick = now;
    if (this.#state === 'running') this.#clockFitter.add(now, this.positionBytes / this.frameBytes);
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
    const wait = process.whenSignaled(handle, this.#work);
    wait.cancel();
    return { handle, wait };
  }

  #require(action: string, state: StreamState): void {
    if (this.#state === state) return;
    throw new ClientError(
      `${this.endpointName}: cannot ${action} a stream that is ${this.#state}; it must be ${state}.`,
    );
  }

  /**
   * Work whose failure ends this stream and nothing else, be it a driver's status or a source or sink that throws (a full disk).
   * A bugcheck ends the machine and passes.
   */
  #guarded(work: () => void): void {
    try {
      work();
    } catch (error) {
      if (error instanceof BugcheckError) throw error;
      if (error instanceof NtError)
        this.error = statusError(`${this.endpointName}: the stream broke off`, error.status, error);
      else if (error instanceof ClientError) this.error = error;
      else {
        const text = error instanceof Error ? error.message : String(error);
        this.error = new ClientError(`${this.endpointName}: the stream broke off: ${text}`, null, error);
      }
      this.#sleep();
      this.#silence();
      this.#end('failed');
    }
  }

  /** Stops a device whose stream has failed, if it still listens. */
  #silence(): void {
    try {
      this.pin.setState(KSSTATE_STOP);
    } catch (error) {
      if (!(error instanceof NtError)) throw error;
    }
  }

  #end(state: 'ended' | 'failed'): void {
    this.#state = state;
    this.onEnded?.();
  }
}

/** Bounds of the buffer length that streams ask for. */
export const MINIMUM_BUFFER_MS = 3;
export const MAXIMUM_BUFFER_MS = 500;
/** Buffer length when nobody asks for another. */
export const DEFAULT_BUFFER_MS = 40;

/** Throws a {@link ClientError} unless the length is within the bounds. */
export function requireBufferMs(bufferMs: number): void {
  if (bufferMs >= MINIMUM_BUFFER_MS && bufferMs <= MAXIMUM_BUFFER_MS) return;
  throw new ClientError(
    `A buffer of ${bufferMs} ms was asked for; ${MINIMUM_BUFFER_MS} to ${MAXIMUM_BUFFER_MS} ms are possible.`,
  );
}

/** Ticks that a number of milliseconds takes. */
export function ticksOfMs(milliseconds: number): number {
  return Math.round(milliseconds * TICKS_PER_MILLISECOND);
}
