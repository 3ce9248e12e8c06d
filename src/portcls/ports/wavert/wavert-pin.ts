import { type IID, type IUnknown, tryQueryInterface } from '../../../com/index.ts';
import {
  NtError,
  STATUS_INVALID_DEVICE_REQUEST,
  STATUS_INVALID_DEVICE_STATE,
  STATUS_NOT_IMPLEMENTED,
  STATUS_NOT_SUPPORTED,
  type UserProcess,
} from '../../../kernel/index.ts';
import {
  type KSALLOCATOR_FRAMING,
  KSALLOCATOR_REQUIREMENTF_SYSTEM_MEMORY,
  type KSAUDIO_POSITION,
  type KSAUDIO_PRESENTATION_POSITION,
  type KSDATAFORMAT,
  type KSRTAUDIO_HWREGISTER,
  type KSSTATE,
  KSSTATE_STOP,
  waveFormatOf,
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
import type { PinCreate, PortPin } from '../port-handle.ts';
import { StreamPin } from '../stream-pin.ts';
import { CyclicBuffer, type CyclicBufferRequest } from './cyclic-buffer.ts';
import { NotificationEvents } from './notification-events.ts';
import type { PortWaveRT } from './port-wavert.ts';
import { isPositionRequest } from './position-requests.ts';
import { RegisterMapping } from './register-mapping.ts';
import { PortWaveRTStream } from './wavert-port-stream.ts';

/** The pin of this port that a request was addressed to. */
export function waveRTPin(target: PortPin): WaveRTPin {
  if (target instanceof WaveRTPin) return target;
  throw new NtError(STATUS_INVALID_DEVICE_REQUEST, 'this is no pin of a WaveRT filter');
}

/** The two registers that a client may map. */
export type HardwareRegister = 'PositionRegister' | 'ClockRegister';

/**
 * An open pin of a WaveRT filter: the miniport's stream with its optional interfaces, the cyclic buffer, the mapped registers
 * and the notification events. All methods at PASSIVE_LEVEL; they throw NtError, the miniport's own status included.
 */
export class WaveRTPin extends StreamPin {
  readonly wavert: PortWaveRT;
  readonly portStream: PortWaveRTStream;
  readonly events: NotificationEvents;
  readonly #registers = new Map<HardwareRegister, RegisterMapping>();
  readonly #positionLock = new DeviceLock();
  #stream: IMiniportWaveRTStream | null = null;
  #notification: IMiniportWaveRTStreamNotification | null = null;
  #output: IMiniportWaveRTOutputStream | null = null;
  #input: IMiniportWaveRTInputStream | null = null;
  #engineNode: IMiniportStreamAudioEngineNode | null = null;
  #engineNode2: IMiniportStreamAudioEngineNode2 | null = null;
  #drmAudioStream: IDrmAudioStream | null = null;
  #buffer: CyclicBuffer | null = null;
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

  override get drmAudioStream(): IDrmAudioStream | null {
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

  /** Packet streams go on without registers; others must not have shown a client one (P-24). */
  override get allowsRebalance(): boolean {
    if (this.state === KSSTATE_STOP) return true;
    return this.#output !== null || this.#input !== null || this.#registers.size === 0;
  }

  override lockFor(input: Uint8Array): DeviceLock | null {
    return this.port.device.usePositionLock && isPositionRequest(input) ? this.#positionLock : null;
  }

  // ------------------------------------------------------------------ state and format

  protected override setStreamState(state: KSSTATE): void {
    this.#nextState = state;
    this.callOut('IMiniportWaveRTStream::SetState', this.#callSetState);
  }

  protected override setStreamFormat(dataFormat: KSDATAFORMAT): void {
    this.callOut('IMiniportWaveRTStream::SetFormat', () => this.waveStream.setFormat(dataFormat));
  }

  /** One frame of the cyclic buffer, or of 10 ms before there is one. */
  override get allocatorFraming(): KSALLOCATOR_FRAMING {
    const wave = waveFormatOf(this.dataFormat);
    return {
      optionsFlags: KSALLOCATOR_REQUIREMENTF_SYSTEM_MEMORY,
      poolType: 0,
      frames: 1,
      frameSize: this.#buffer?.actualSize ?? Math.ceil((wave?.nAvgBytesPerSec ?? 0) / 100),
      fileAlignment: 0,
    };
  }

  // ------------------------------------------------------------------ position and packets

  /** Play and write offset in the cyclic buffer, in bytes. Up to DISPATCH_LEVEL. */
  override getPosition(): KSAUDIO_POSITION {
    this.requirePresent();
    const position = this.callOut('IMiniportWaveRTStream::GetPosition', this.#callGetPosition);
    const size = this.#buffer?.actualSize ?? 0;
    if (size > 0 && (position.playOffset > size || position.writeOffset > size)) {
      this.finding(
        'GetPosition gave an offset beyond the cyclic buffer; offsets count from the start of the buffer.',
        { playOffset: position.playOffset, writeOffset: position.writeOffset, bufferBytes: size },
      );
    }
    if (this.state === KSSTATE_STOP && position.playOffset !== 0) {
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

  // ------------------------------------------------------------------ end

  override close(): void {
    if (this.#stream === null) return;
    this.stop(false);
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
      if (object !== null) this.callOutReporting('IMiniportWaveRTStream::Release', () => object.release());
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
