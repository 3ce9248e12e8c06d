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
import type { StreamingPin } from './streaming-pin.ts';

/**
 * How a stream learns that it must move data. On WaveRT filters: `timer` wakes each half buffer by the machine's clock; `event`: the
 * driver signals an event at each half of the buffer; `packet`: the same, and the halves are handed over by number (SETWRITEPACKET).
 * On filters of the other ports, which stream by read and write requests, `timer` and `event` are the same: a request that is
 * completed is the sign; `packet` is not to be had.
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
  /** Name of the endpoint's pin that was opened. */
  readonly pinName: string;
  readonly pin: StreamingPin;
  readonly format: AudioFormat;
  readonly mode: StreamMode;
  readonly direction: 'render' | 'capture';
  readonly bufferMs: number;
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

/** No sign of life for this long, on top of a few buffers, is a stuck device. */
export const STUCK_TICKS = TICKS_PER_SECOND;

/** A wake this much behind its alarm means that the application was not let run: the system slept. */
const HELD_TICKS = TICKS_PER_SECOND / 4;

/**
 * What all streams have in common: states, the position, waking, failing, counters. How sound goes between client and driver is the
 * business of the classes below. All work is done in short continuations; nothing blocks.
 */
export abstract class Stream {
  readonly format: AudioFormat;
  readonly mode: StreamMode;
  readonly direction: 'render' | 'capture';
  readonly endpointName: string;
  readonly pinName: string;
  /** Why the stream failed; null unless the state is `failed`. */
  error: ClientError | null = null;
  /** Told once, when the stream has ended or failed. */
  onEnded: (() => void) | null = null;

  protected readonly host: StreamHost;
  protected abstract readonly pin: StreamingPin;
  protected readonly frameBytes: number;
  protected readonly bytesPerSecond: number;
  /** What is at the converter, in bytes since the start. */
  protected positionBytes = 0;
  protected glitches = 0;
  protected glitchBytes = 0;
  protected periods = 0;
  /** Wakes the stream once the machine's outermost loop comes to it. Made once: a wake allocates nothing. */
  protected readonly wake = () => this.#wake();

  readonly #alarm: Alarm;
  readonly #serveBound = () => this.#serve();
  readonly #guardedServe = () => this.#guarded(this.#serveBound);
  readonly #clockFitter: ClockFitter;
  #state: StreamState = 'stopped';
  #wakeQueued = false;
  #positionNoted = 0;
  #lastProgressTick = 0;
  #dueTick: number | null = null;
  #alarmTick = 0;
  #alarmFired = false;
  #maxLateness = 0;

  protected constructor(setup: StreamSetup) {
    this.host = setup.host;
    this.format = setup.format;
    this.mode = setup.mode;
    this.direction = setup.direction;
    this.endpointName = setup.endpointName;
    this.pinName = setup.pinName;
    this.frameBytes = frameBytes(setup.format);
    this.bytesPerSecond = bytesPerSecond(setup.format);
    this.#clockFitter = new ClockFitter(setup.format.sampleRate);
    this.#alarm = this.host.createAlarm(() => {
      this.#alarmFired = true;
      this.queueWake();
    });
  }

  get state(): StreamState {
    return this.#state;
  }

  /** Has the stream come to its end, well or not? For `runUntil`. */
  get ended(): boolean {
    return this.#state === 'ended' || this.#state === 'failed' || this.#state === 'closed';
  }

  /** Render: the source has given everything; the stream goes on until that has been played. */
  get draining(): boolean {
    return false;
  }

  /** Length of the buffer, or of all buffers together. */
  get bufferFrames(): number {
    return this.bufferBytes / this.frameBytes;
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
        this.sleep();
        this.updatePosition();
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
      this.sleep();
      this.closePin();
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
      positionSource: this.positionSource,
      clockFit: this.#clockFitter.result(),
    };
  }

  // ---- what a kind of stream supplies

  /** Frames of sound moved so far. */
  protected abstract readonly soundFrames: number;

  /** Bytes of the buffer, or of all buffers together. */
  abstract readonly bufferBytes: number;

  abstract readonly positionSource: 'register' | 'property';

  /** In PAUSE, before the first RUN: what must be there when the device starts. */
  protected abstract prepare(): void;

  /** The device runs, from the start or after a pause: arranges the first wake. */
  protected abstract begin(): void;

  /** One wake: reads the position, moves data, arranges the next one. False when the stream is done. */
  protected abstract serve(alarmFired: boolean): boolean;

  /** Reads the position anew. */
  protected abstract updatePosition(): void;

  /** Closes the pin, and what belongs to it. Must not throw an NtError. */
  protected closePin(): void {
    this.pin.close();
  }

  /** The stream ends: by itself or because it was told to. */
  protected finish(): void {
    this.sleep();
    this.pin.setState(KSSTATE_STOP);
    this.#end('ended');
  }

  /** After the pin was closed. */
  protected release(): void {}

  // ---- for them

  /** Freezes the position and reads it a last time. */
  protected halt(): void {
    this.sleep();
    if (this.pin.state === KSSTATE_RUN) this.pin.setState(KSSTATE_PAUSE);
    this.updatePosition();
  }

  /** No more wakes. */
  protected sleep(): void {
    this.#alarm.cancel();
  }

  /** The next wake by the clock; `due`: the stream has work then, so that being late counts. */
  protected wakeAt(tick: number, due: boolean): void {
    this.#dueTick = due ? tick : null;
    this.#alarmTick = tick;
    this.#alarm.set(tick);
  }

  /** A wake from the machine's outermost loop; several before it runs are one. */
  protected queueWake(): void {
    if (this.#wakeQueued) return;
    this.#wakeQueued = true;
    this.host.queueContinuation(this.wake);
  }

  /** The position has been read in KSSTATE_RUN: a device that stands still for long is found out here. */
  protected notePosition(): void {
    const { now } = this.host;
    if (this.positionBytes !== this.#positionNoted) {
      this.#positionNoted = this.positionBytes;
      this.#lastProgressTick = now;
      return;
    }
    const buffers = 4 * mulDivCeil(this.bufferBytes, TICKS_PER_SECOND, this.bytesPerSecond);
    if (now - this.#lastProgressTick <= STUCK_TICKS + buffers) return;
    const seconds = ((now - this.#lastProgressTick) / TICKS_PER_SECOND).toFixed(1);
    throw new ClientError(
      `${this.endpointName}: the position has stayed at ${this.positionFrames} frames for ${seconds} s of KSSTATE_RUN. Check that the driver starts the DMA engine and reads its position.`,
    );
  }

  /** A reading of the position for the rate's measurement. */
  protected fitClock(now: number): void {
    this.#clockFitter.add(now, this.positionBytes / this.frameBytes);
  }

  /** Does something that may fail without consequence. */
  protected attempt(action: () => void): void {
    try {
      action();
    } catch (error) {
      if (!(error instanceof NtError)) throw error;
    }
  }

  /** A change of state that was asked for: what fails is told to whoever asked, too. */
  #change(what: string, action: () => void): void {
    try {
      explained(`${this.endpointName}: cannot ${what} the stream`, action);
    } catch (error) {
      if (error instanceof ClientError) {
        this.error = error;
        this.sleep();
        this.#silence();
        this.#end('failed');
      }
      throw error;
    }
  }

  #run(): void {
    this.pin.setState(KSSTATE_RUN);
    this.#state = 'running';
    this.#lastProgressTick = this.host.now;
    this.#clockFitter.restart();
    this.begin();
  }

  /** One continuation: read the position, move data, arrange the next wake. */
  #wake(): void {
    this.#wakeQueued = false;
    if (this.#state !== 'running') return;
    this.host.enter(this.#guardedServe);
  }

  #serve(): void {
    if (this.#dueTick !== null) {
      this.#maxLateness = Math.max(this.#maxLateness, this.host.now - this.#dueTick);
    }
    const { now } = this.host;
    const held = this.#alarmFired && now - this.#alarmTick > HELD_TICKS;
    // Nobody can have seen the device stand still meanwhile.
    if (held) this.#lastProgressTick = now;
    const alarmFired = this.#alarmFired && !held;
    this.#alarmFired = false;
    if (!this.serve(alarmFired)) this.finish();
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
      this.sleep();
      this.#silence();
      this.#end('failed');
    }
  }

  /** Stops a device whose stream has failed, if it still listens. */
  #silence(): void {
    this.attempt(() => this.pin.setState(KSSTATE_STOP));
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
