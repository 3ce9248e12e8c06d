import { type IID, type IUnknown, tryQueryInterface } from '../../../com/index.ts';
import {
  NtError,
  STATUS_DEVICE_REMOVED,
  STATUS_INVALID_DEVICE_STATE,
  STATUS_INVALID_PARAMETER,
  STATUS_NOT_IMPLEMENTED,
  STATUS_NOT_SUPPORTED,
  TraceKind,
  type TraceValue,
  type UserProcess,
} from '../../../kernel/index.ts';
import {
  isKsState,
  type KSAUDIO_POSITION,
  type KSAUDIO_PRESENTATION_POSITION,
  type KSDATAFORMAT,
  KSPIN_DATAFLOW_OUT,
  type KSRTAUDIO_HWREGISTER,
  type KSSTATE,
  KSSTATE_PAUSE,
  KSSTATE_RUN,
  KSSTATE_STOP,
  ksStateName,
} from '../../../ks/index.ts';
import {
  type IDrmAudioStream,
  IID_IDrmAudioStream,
  IID_IMiniportStreamAudioEngineNode,
  IID_IMiniportStreamAudioEngineNode2,
  IID_IMiniportWaveRTInputStream,
  IID_IMiniportWaveRTOutputStream,
  IID_IMiniportWaveRTStreamNotification,
  type IMiniportStreamAudioEngineNode,
  type IMiniportStreamAudioEngineNode2,
  type IMiniportWaveRTInputStream,
  type IMiniportWaveRTOutputStream,
  type IMiniportWaveRTStream,
  type IMiniportWaveRTStreamNotification,
  type WaveRTReadPacket,
} from '../../ddi/index.ts';
import { DeviceLock } from '../../device-lock.ts';
import { type PinCreate, PortPin } from '../port-handle.ts';
import { StreamState } from '../stream-state.ts';
import { CyclicBuffer, type CyclicBufferRequest } from './cyclic-buffer.ts';
import { NotificationEvents } from './notification-events.ts';
import type { PortWaveRT } from './port-wavert.ts';
import { isPositionRequest } from './position-requests.ts';
import { RegisterMapping } from './register-mapping.ts';
import { PortWaveRTStream } from './wavert-port-stream.ts';

/** Machine time above which a SetState counts as too slow; KS's own watchdog for pin callbacks takes as much (0xC4, 0x72001). */
const SET_STATE_LIMIT_TICKS = 5_000_000;

/** The two registers that a client may map. */
export type HardwareRegister = 'PositionRegister' | 'ClockRegister';

/**
 * An open pin of a WaveRT filter: the miniport's stream with its optional interfaces, the cyclic buffer, the mapped registers
 * and the notification events. All methods at PASSIVE_LEVEL; they throw NtError, the miniport's own status included.
 */
export class WaveRTPin extends PortPin {
  readonly wavert: PortWaveRT;
  /** Data flows from the device to the client. */
  readonly capture: boolean;
  readonly portStream: PortWaveRTStream;
  readonly events: NotificationEvents;
  readonly #state: StreamState;
  readonly #registers = new Map<HardwareRegister, RegisterMapping>();
  readonly #findings = new Set<string>();
  readonly #positionLock = new DeviceLock();
  #dataFormat: KSDATAFORMAT;
  #stream: IMiniportWaveRTStream | null = null;
  #notification: IMiniportWaveRTStreamNotification | null = null;
  #output: IMiniportWaveRTOutputStream | null = null;
  #input: IMiniportWaveRTInputStream | null = null;
  #engineNode: IMiniportStreamAudioEngineNode | null = null;
  #engineNode2: IMiniportStreamAudioEngineNode2 | null = null;
  #drmAudioStream: IDrmAudioStream | null = null;
  #buffer: CyclicBuffer | null = null;
  /** A power-down took the stream from RUN: where it goes back to when power returns. */
  #suspended = false;
  /** The device is gone for this stream: nothing but downward state changes and closing. */
  #gone = false;

  // Made once, so that the requests of every period allocate no closures.
  readonly #callGetPosition: () => KSAUDIO_POSITION;
  readonly #callGetPacketCount: () => number;
  readonly #callSetWritePacket: () => void;
  readonly #callGetReadPacket: () => WaveRTReadPacket;
  readonly #callGetPresentationPosition: () => KSAUDIO_PRESENTATION_POSITION;
  readonly #callSetState: () => void;
  #writePacketNumber = 0;
  #writePacketFlags = 0;
  #writePacketEosLength = 0;
  #nextState: KSSTATE = KSSTATE_STOP;

  /** Creates the miniport's stream. Throws what NewStream throws; nothing is left then. */
  constructor(port: PortWaveRT, create: PinCreate) {
    super(create);
    this.wavert = port;
    this.#dataFormat = create.dataFormat;
    this.capture = port.descriptor.pins[create.pinId]?.kspinDescriptor.dataFlow === KSPIN_DATAFLOW_OUT;
    this.events = new NotificationEvents(this);
    this.#callGetPosition = () => this.waveStream.getPosition();
    this.#callGetPacketCount = () => this.requireOutput().getPacketCount();
    this.#callSetWritePacket = () =>
      this.requireOutput().setWritePacket(
        this.#writePacketNumber,
        this.#writePacketFlags,
        this.#writePacketEosLength,
      );
    this.#callGetReadPacket = () => this.requireInput().getReadPacket();
    this.#callGetPresentationPosition = () => this.requireOutput().getOutputStreamPresentationPosition();
    this.#callSetState = () => this.waveStream.setState(this.#nextState);
    this.#state = new StreamState(
      (state) => this.#enterState(state),
      (state, error) =>
        this.finding(`SetState(${ksStateName(state)}) failed, although downward transitions must succeed.`, {
          status: error.status,
        }),
    );
    this.portStream = new PortWaveRTStream(port);
    try {
      this.#stream = port.newStream(this.portStream, create.pinId, this.capture, create.dataFormat);
      this.#notification = this.#query(IID_IMiniportWaveRTStreamNotification);
      this.#output = this.#query(IID_IMiniportWaveRTOutputStream);
      this.#input = this.#query(IID_IMiniportWaveRTInputStream);
      this.#engineNode = this.#query(IID_IMiniportStreamAudioEngineNode);
      this.#engineNode2 = this.#query(IID_IMiniportStreamAudioEngineNode2);
      this.#drmAudioStream = this.#query(IID_IDrmAudioStream);
    } catch (error) {
      if (error instanceof NtError) this.#releaseStream();
      throw error;
    }
  }

  // ------------------------------------------------------------------ what the pin is

  override get stream(): IUnknown | null {
    return this.#stream;
  }

  /** The miniport's stream; throws STATUS_INVALID_DEVICE_STATE after close. */
  get waveStream(): IMiniportWaveRTStream {
    if (this.#stream === null) throw new NtError(STATUS_INVALID_DEVICE_STATE, 'the stream is closed');
    return this.#stream;
  }

  get notification(): IMiniportWaveRTStreamNotification | null {
    return this.#notification;
  }

  get output(): IMiniportWaveRTOutputStream | null {
    return this.#output;
  }

  get input(): IMiniportWaveRTInputStream | null {
    return this.#input;
  }

  get engineNode(): IMiniportStreamAudioEngineNode | null {
    return this.#engineNode;
  }

  get engineNode2(): IMiniportStreamAudioEngineNode2 | null {
    return this.#engineNode2;
  }

  get drmAudioStream(): IDrmAudioStream | null {
    return this.#drmAudioStream;
  }

  /** The render packet interface; throws STATUS_NOT_SUPPORTED where the stream has none. */
  requireOutput(): IMiniportWaveRTOutputStream {
    if (this.#output === null)
      throw new NtError(STATUS_NOT_SUPPORTED, 'the stream has no IMiniportWaveRTOutputStream');
    return this.#output;
  }

  /** The capture packet interface; throws STATUS_NOT_SUPPORTED where the stream has none. */
  requireInput(): IMiniportWaveRTInputStream {
    if (this.#input === null)
      throw new NtError(STATUS_NOT_SUPPORTED, 'the stream has no IMiniportWaveRTInputStream');
    return this.#input;
  }

  /** The cyclic buffer, null before the client asked for it. */
  get buffer(): CyclicBuffer | null {
    return this.#buffer;
  }

  get dataFormat(): KSDATAFORMAT {
    return this.#dataFormat;
  }

  get state(): KSSTATE {
    return this.#state.current;
  }

  override get active(): boolean {
    return this.#state.current === KSSTATE_RUN || this.#suspended;
  }

  /** Packet streams go on without registers; others must not have shown a client one (P-24). */
  override get allowsRebalance(): boolean {
    if (this.#state.current === KSSTATE_STOP) return true;
    return this.#output !== null || this.#input !== null || this.#registers.size === 0;
  }

  override lockFor(input: Uint8Array): DeviceLock | null {
    return this.port.device.usePositionLock && isPositionRequest(input) ? this.#positionLock : null;
  }

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
    this.callOut('IMiniportWaveRTStream::SetFormat', () => this.waveStream.setFormat(dataFormat));
    this.#dataFormat = dataFormat;
  }

  /** Throws STATUS_DEVICE_REMOVED when the device is gone for this stream. */
  requirePresent(): void {
    if (this.#gone || this.port.retired) {
      throw new NtError(STATUS_DEVICE_REMOVED, 'the device of this stream is gone');
    }
  }

  #enterState(state: KSSTATE): void {
    const { clock, trace } = this.port.kernel;
    if ((trace.mask & TraceKind.State) !== 0) {
      trace.emit(TraceKind.State, 'I', this.port.driverName, ksStateName(state), { pin: this.pinId });
    }
    const began = clock.now;
    this.#nextState = state;
    this.callOut('IMiniportWaveRTStream::SetState', this.#callSetState);
    const ticks = clock.now - began;
    if (ticks > SET_STATE_LIMIT_TICKS) {
      this.finding(
        `SetState(${ksStateName(state)}) took ${ticks / 10_000} ms; Driver Verifier stops the system for that (0xC4, 0x72001).`,
        { ticks },
      );
    }
  }

  // ------------------------------------------------------------------ position and packets

  /** Play and write offset in the cyclic buffer, in bytes. Up to DISPATCH_LEVEL. */
  getPosition(): KSAUDIO_POSITION {
    this.requirePresent();
    const position = this.callOut('IMiniportWaveRTStream::GetPosition', this.#callGetPosition);
    const size = this.#buffer?.actualSize ?? 0;
    if (size > 0 && (position.playOffset > size || position.writeOffset > size)) {
      this.finding(
        'GetPosition gave an offset beyond the cyclic buffer; offsets count from the start of the buffer.',
        { playOffset: position.playOffset, writeOffset: position.writeOffset, bufferBytes: size },
      );
    }
    if (this.#state.current === KSSTATE_STOP && position.playOffset !== 0) {
      this.finding('GetPosition gave a position other than 0 in KSSTATE_STOP.', {
        playOffset: position.playOffset,
      });
    }
    return position;
  }

  getPacketCount(): number {
    this.requireOutput();
    this.requirePresent();
    return this.callOut('IMiniportWaveRTOutputStream::GetPacketCount', this.#callGetPacketCount);
  }

  setWritePacket(packetNumber: number, flags: number, eosPacketLength: number): void {
    this.requireOutput();
    this.requirePresent();
    this.#writePacketNumber = packetNumber;
    this.#writePacketFlags = flags;
    this.#writePacketEosLength = eosPacketLength;
    this.callOut('IMiniportWaveRTOutputStream::SetWritePacket', this.#callSetWritePacket);
  }

  getReadPacket(): WaveRTReadPacket {
    this.requireInput();
    this.requirePresent();
    return this.callOut('IMiniportWaveRTInputStream::GetReadPacket', this.#callGetReadPacket);
  }

  getPresentationPosition(): KSAUDIO_PRESENTATION_POSITION {
    this.requireOutput();
    this.requirePresent();
    return this.callOut(
      'IMiniportWaveRTOutputStream::GetOutputStreamPresentationPosition',
      this.#callGetPresentationPosition,
    );
  }

  // ------------------------------------------------------------------ buffer and registers

  /** Allocates and maps the cyclic buffer. Throws STATUS_INVALID_DEVICE_STATE when the pin has one, else as {@link CyclicBuffer}. */
  allocateBuffer(process: UserProcess | null, request: CyclicBufferRequest): CyclicBuffer {
    this.requirePresent();
    if (this.#buffer !== null)
      throw new NtError(STATUS_INVALID_DEVICE_STATE, 'the pin has its cyclic buffer already');
    this.#buffer = new CyclicBuffer(this, process, request);
    return this.#buffer;
  }

  /**
   * Maps a hardware register into a client. Throws STATUS_INVALID_DEVICE_STATE the second time (the documentation allows one
   * mapping per pin), STATUS_NOT_SUPPORTED where the hardware has no such register.
   */
  mapRegister(which: HardwareRegister, process: UserProcess | null): KSRTAUDIO_HWREGISTER {
    this.requirePresent();
    if (this.#registers.has(which)) {
      throw new NtError(STATUS_INVALID_DEVICE_STATE, `the ${which} has been mapped already`);
    }
    const method = `IMiniportWaveRTStream::Get${which}`;
    const register = this.#getRegister(method, which);
    if (register.width !== 32 && register.width !== 64) {
      this.finding(`${method} gave a register of ${register.width} bits; 32 and 64 are possible.`);
      throw new NtError(STATUS_NOT_SUPPORTED, `a register of ${register.width} bits`);
    }
    const mapping = new RegisterMapping(this, process, register);
    this.#registers.set(which, mapping);
    return { ...register, register: mapping.address };
  }

  #getRegister(method: string, which: HardwareRegister): KSRTAUDIO_HWREGISTER {
    try {
      return this.callOut(method, () =>
        which === 'PositionRegister'
          ? this.waveStream.getPositionRegister()
          : this.waveStream.getClockRegister(),
      );
    } catch (error) {
      // Miniports say it either way; the client is told one thing.
      if (error instanceof NtError && error.status === STATUS_NOT_IMPLEMENTED)
        throw new NtError(STATUS_NOT_SUPPORTED);
      throw error;
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

  override close(): void {
    if (this.#stream === null) return;
    this.#suspended = false;
    this.#state.lowerTo(KSSTATE_STOP);
    this.events.unregisterAll();
    for (const mapping of this.#registers.values()) mapping.unmap();
    this.#registers.clear();
    const buffer = this.#buffer;
    this.#buffer = null;
    buffer?.free();
    this.#releaseStream();
  }

  #releaseStream(): void {
    const held: (IUnknown | null)[] = [
      this.#drmAudioStream,
      this.#engineNode2,
      this.#engineNode,
      this.#input,
      this.#output,
      this.#notification,
      this.#stream,
    ];
    this.#drmAudioStream = null;
    this.#engineNode2 = null;
    this.#engineNode = null;
    this.#input = null;
    this.#output = null;
    this.#notification = null;
    this.#stream = null;
    for (const object of held) {
      if (object !== null) this.callOut('IMiniportWaveRTStream::Release', () => object.release());
    }
    this.portStream.release();
  }

  #query<T>(iid: IID<T>): T | null {
    const stream = this.waveStream;
    return this.callOut(`IMiniportWaveRTStream::QueryInterface(${iid.name})`, () =>
      tryQueryInterface(stream, iid),
    );
  }
}
