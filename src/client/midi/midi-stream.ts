import {
  BugcheckError,
  type Kernel,
  type NTSTATUS,
  NtError,
  type PendingRequest,
  STATUS_CANCELLED,
  type UserProcess,
} from '../../kernel/index.ts';
import {
  KSPROPERTY_CONNECTION_STATE,
  KSPROPSETID_Connection,
  type KSSTATE,
  KSSTATE_STOP,
} from '../../ks/index.ts';
import { ClientError, explained, statusError } from '../client-error.ts';
import { encodeUlong, KsObject } from '../requests/ks-object.ts';
import type { MidiEndpoint } from './midi-endpoint.ts';

/** Where a stream is in its life. */
export type MidiStreamState = 'stopped' | 'running' | 'paused' | 'ended' | 'failed' | 'closed';

/** What a stream is opened with. */
export interface MidiStreamSetup {
  readonly kernel: Kernel;
  readonly process: UserProcess;
  readonly endpoint: MidiEndpoint;
  /** Handle of the open pin; the stream closes it. */
  readonly pinHandle: number;
}

/** A piece of the process's memory for one request, used again and again. */
export interface RequestBuffer {
  readonly address: number;
  readonly bytes: number;
}

/** What the two directions have in common: the pin, its states, requests under way, failure. */
export abstract class MidiStream implements Disposable {
  readonly endpoint: MidiEndpoint;
  /** Why the stream failed; null unless its state is `failed`. */
  error: ClientError | null = null;
  /** Told once, when the stream has ended or failed. */
  onEnded: (() => void) | null = null;
  protected readonly kernel: Kernel;
  protected readonly process: UserProcess;
  protected readonly pin: KsObject;
  readonly #pending = new Set<PendingRequest>();
  readonly #buffers: RequestBuffer[] = [];
  #state: MidiStreamState = 'stopped';

  protected constructor({ kernel, process, endpoint, pinHandle }: MidiStreamSetup) {
    this.kernel = kernel;
    this.process = process;
    this.endpoint = endpoint;
    this.pin = new KsObject(process, pinHandle);
  }

  get state(): MidiStreamState {
    return this.#state;
  }

  /** Has the stream come to its end, well or not? For `runUntil`. */
  get ended(): boolean {
    return this.#state === 'ended' || this.#state === 'failed' || this.#state === 'closed';
  }

  /** Requests that the driver holds. */
  get pendingRequests(): number {
    return this.#pending.size;
  }

  /** Stops and gives everything back. A second call does nothing, nor does one after a bugcheck. */
  close(): void {
    if (this.#state === 'closed') return;
    this.#state = 'closed';
    if (this.kernel.stopped !== null) return;
    this.kernel.enter(() => {
      try {
        this.setPinState(KSSTATE_STOP);
      } catch (error) {
        if (!(error instanceof NtError)) throw error;
      }
      this.pin.close();
      for (const { address } of this.#buffers.splice(0)) this.process.freeMemory(address);
    });
  }

  [Symbol.dispose](): void {
    this.close();
  }

  protected setPinState(state: KSSTATE): void {
    this.pin.set(KSPROPSETID_Connection, KSPROPERTY_CONNECTION_STATE, encodeUlong(state));
  }

  /** A change of state that was asked for: what fails is told to whoever asked, too. */
  protected change(what: string, from: MidiStreamState, to: MidiStreamState, action: () => void): void {
    this.kernel.enter(() => {
      if (this.#state !== from) {
        throw new ClientError(
          `${this.endpoint.name}: cannot ${what} a MIDI stream that is ${this.#state}; it must be ${from}.`,
        );
      }
      try {
        explained(`${this.endpoint.name}: cannot ${what} the MIDI stream`, action);
      } catch (error) {
        if (error instanceof ClientError) this.fail(error);
        throw error;
      }
      if (this.#state === from) this.#state = to;
    });
  }

  /** Sends a stream request; `done` hears of it unless the stream is over by then. */
  protected send(ioControlCode: number, headers: Uint8Array, done: (information: number) => void): void {
    const request = this.process.deviceIoControlAsync(
      this.pin.handle,
      ioControlCode,
      null,
      headers,
      (status, information) => {
        this.#pending.delete(request);
        if (this.ended) return;
        if (status < 0 || status >= 0x8000_0000) this.#refused(status);
        else this.#guarded(() => done(information));
      },
    );
    this.#pending.add(request);
  }

  #refused(status: NTSTATUS): void {
    // What was cancelled on the way to a stop is no failure.
    if (status === STATUS_CANCELLED && this.#state !== 'running') return;
    this.fail(statusError(`${this.endpoint.name}: the MIDI stream broke off`, status));
  }

  /** Work in a continuation whose failure ends this stream and nothing else. A bugcheck ends the machine and passes. */
  #guarded(work: () => void): void {
    try {
      work();
    } catch (error) {
      if (error instanceof BugcheckError) throw error;
      if (error instanceof ClientError) this.fail(error);
      else if (error instanceof NtError)
        this.fail(statusError(`${this.endpoint.name}: the MIDI stream broke off`, error.status, error));
      else {
        const text = error instanceof Error ? error.message : String(error);
        this.fail(new ClientError(`${this.endpoint.name}: the MIDI stream broke off: ${text}`, null, error));
      }
    }
  }

  protected fail(error: ClientError): void {
    if (this.ended) return;
    this.error = error;
    this.#finish('failed');
  }

  protected finish(): void {
    if (!this.ended) this.#finish('ended');
  }

  #finish(state: 'ended' | 'failed'): void {
    this.#state = state;
    try {
      this.setPinState(KSSTATE_STOP);
    } catch (error) {
      if (!(error instanceof NtError)) throw error;
    }
    this.onEnded?.();
  }

  /** Memory for a request of at least so many bytes; give it back with {@link recycle}. */
  protected buffer(bytes: number): RequestBuffer {
    const index = this.#free.findIndex((free) => free.bytes >= bytes);
    const found = index < 0 ? undefined : this.#free.splice(index, 1)[0];
    if (found !== undefined) return found;
    const size = Math.max(bytes, SMALLEST_BUFFER);
    const made = { address: this.process.allocateMemory(size), bytes: size };
    this.#buffers.push(made);
    return made;
  }

  protected recycle(buffer: RequestBuffer): void {
    this.#free.push(buffer);
  }

  readonly #free: RequestBuffer[] = [];

  /** The machine's time, in 100-ns units. */
  protected get now(): number {
    return this.kernel.clock.now;
  }
}

const SMALLEST_BUFFER = 4096;
