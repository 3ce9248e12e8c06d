import {
  NtError,
  STATUS_DEVICE_REMOVED,
  STATUS_INVALID_PARAMETER,
  TraceKind,
  type TraceValue,
} from '../../kernel/index.ts';
import {
  isKsState,
  type KSALLOCATOR_FRAMING,
  type KSAUDIO_POSITION,
  type KSDATAFORMAT,
  KSPIN_DATAFLOW_OUT,
  type KSSTATE,
  KSSTATE_PAUSE,
  KSSTATE_RUN,
  KSSTATE_STOP,
  ksStateName,
} from '../../ks/index.ts';
import type { IDrmAudioStream } from '../ddi/index.ts';
import { type PinCreate, PortPin } from './port-handle.ts';
import { StreamState } from './stream-state.ts';

/** Machine time above which a SetState counts as too slow; KS's own watchdog for pin callbacks takes as much (0xC4, 0x72001). */
const SET_STATE_LIMIT_TICKS = 5_000_000;

/**
 * What the open pins of all wave ports have in common: the stream's states, its format, sleep and the device's end. All methods at
 * PASSIVE_LEVEL; they throw NtError, the miniport's own status included.
 */
export abstract class StreamPin extends PortPin {
  /** Data flows from the device to the client. */
  readonly capture: boolean;
  readonly #state: StreamState;
  readonly #findings = new Set<string>();
  #dataFormat: KSDATAFORMAT;
  /** A power-down took the stream from RUN: where it goes back to when power returns. */
  #suspended = false;
  /** The device is gone for this stream: nothing but downward state changes and closing. */
  #gone = false;

  protected constructor(create: PinCreate) {
    super(create);
    this.#dataFormat = create.dataFormat;
    this.capture = this.port.descriptor.pins[create.pinId]?.kspinDescriptor.dataFlow === KSPIN_DATAFLOW_OUT;
    this.#state = new StreamState(
      (state) => this.#enterState(state),
      (state, error) =>
        this.finding(`SetState(${ksStateName(state)}) failed, although downward transitions must succeed.`, {
          status: error.status,
        }),
    );
  }

  // ------------------------------------------------------------------ what a port's pin supplies

  /** IMiniport…Stream::SetState, with what the port does before and after. Throws what it throws. */
  protected abstract setStreamState(state: KSSTATE): void;

  /** IMiniport…Stream::SetFormat. Throws what it throws. */
  protected abstract setStreamFormat(dataFormat: KSDATAFORMAT): void;

  /** KSPROPERTY_AUDIO_POSITION. */
  abstract getPosition(): KSAUDIO_POSITION;

  /** KSPROPERTY_CONNECTION_ALLOCATORFRAMING. */
  abstract readonly allocatorFraming: KSALLOCATOR_FRAMING;

  /** The stream takes protected content; null when it does not. */
  abstract readonly drmAudioStream: IDrmAudioStream | null;

  // ------------------------------------------------------------------ calls into the stream

  /** Calls the miniport's stream; `method` is the whole DDI name. */
  callOut<T>(method: string, call: () => T): T {
    return this.port.kernel.callOut(this.port.driverName, method, call);
  }

  /** As {@link callOut}, for calls that must not fail: a status that is thrown becomes a finding. */
  callOutReporting(method: string, call: () => void): void {
    try {
      this.callOut(method, call);
    } catch (error) {
      if (!(error instanceof NtError)) throw error;
      this.finding(`${method} failed, although it must succeed: ${error.message}`, { status: error.status });
    }
  }

  /** Reports something about the driver, once per pin. */
  finding(text: string, data: Readonly<Record<string, TraceValue>> = {}): void {
    if (this.#findings.has(text)) return;
    this.#findings.add(text);
    this.port.kernel.trace.finding(this.port.driverName, text, { pin: this.pinId, ...data });
  }

  // ------------------------------------------------------------------ state and format

  get state(): KSSTATE {
    return this.#state.current;
  }

  override get active(): boolean {
    return this.#state.current === KSSTATE_RUN || this.#suspended;
  }

  get dataFormat(): KSDATAFORMAT {
    return this.#dataFormat;
  }

  /**
   * Takes the stream to a state, in single steps. Throws STATUS_INVALID_PARAMETER for a number that is no state,
   * STATUS_DEVICE_REMOVED for a way up when the device is gone, else the status of the step that failed; the state reached
   * before it stays.
   */
  setState(state: number): void {
    if (!isKsState(state)) throw new NtError(STATUS_INVALID_PARAMETER, `KSSTATE ${state}`);
    if (this.#suspended) {
      // The device sleeps. RUN is where the stream goes when it wakes; anything else ends that intention.
      if (state === KSSTATE_RUN) return;
      this.#suspended = false;
    }
    if (state > this.#state.current) this.requirePresent();
    this.#state.moveTo(state);
  }

  /** Asks the miniport to take another format. Throws STATUS_INVALID_PARAMETER for one that it cannot take now. */
  setFormat(dataFormat: KSDATAFORMAT): void {
    this.requirePresent();
    this.setStreamFormat(dataFormat);
    this.#dataFormat = dataFormat;
  }

  /** Is the device there for this stream? */
  get present(): boolean {
    return !this.#gone && !this.port.retired;
  }

  /** Throws STATUS_DEVICE_REMOVED when the device is gone for this stream. */
  requirePresent(): void {
    if (!this.present) throw new NtError(STATUS_DEVICE_REMOVED, 'the device of this stream is gone');
  }

  #enterState(state: KSSTATE): void {
    const { clock, trace } = this.port.kernel;
    if ((trace.mask & TraceKind.State) !== 0) {
      trace.emit(TraceKind.State, 'I', this.port.driverName, ksStateName(state), { pin: this.pinId });
    }
    const began = clock.now;
    this.setStreamState(state);
    const ticks = clock.now - began;
    if (ticks > SET_STATE_LIMIT_TICKS) {
      this.finding(
        `SetState(${ksStateName(state)}) took ${ticks / 10_000} ms; Driver Verifier stops the system for that (0xC4, 0x72001).`,
        { ticks },
      );
    }
  }

  // ------------------------------------------------------------------ power, PnP, end

  override suspend(): void {
    if (this.#state.current !== KSSTATE_RUN) return;
    this.#state.lowerTo(KSSTATE_PAUSE);
    this.#suspended = true;
  }

  override resume(): void {
    if (!this.#suspended) return;
    this.#suspended = false;
    if (this.#gone) return;
    try {
      this.#state.moveTo(KSSTATE_RUN);
    } catch (error) {
      if (!(error instanceof NtError)) throw error;
      this.finding('The stream did not run again after the device was powered up.', { status: error.status });
    }
  }

  override stop(forGood: boolean): void {
    this.#suspended = false;
    if (forGood) this.#gone = true;
    this.#state.lowerTo(KSSTATE_STOP);
  }
}
