import { CUnknown, type IID, type IUnknown } from '../../../com/index.ts';
import {
  type Alarm,
  currentKernel,
  type DEVICE_OBJECT,
  type DriverPackage,
  type IRP,
  mulDivFloor,
  NtError,
  STATUS_INVALID_PARAMETER,
  STATUS_NOT_IMPLEMENTED,
  STATUS_UNSUCCESSFUL,
  type SystemMapping,
  type TestPlatform,
  TICKS_PER_MILLISECOND,
  TICKS_PER_SECOND,
} from '../../../kernel/index.ts';
import {
  audioDataRange,
  KSCATEGORY_AUDIO,
  type KSDATAFORMAT,
  KSNODETYPE_SPEAKER,
  KSPIN_COMMUNICATION_NONE,
  KSPIN_COMMUNICATION_SINK,
  KSPIN_DATAFLOW_IN,
  KSPIN_DATAFLOW_OUT,
  type KSSTATE,
  KSSTATE_RUN,
  KSSTATE_STOP,
  waveFormatOf,
} from '../../../ks/index.ts';
import {
  pcAddAdapterDevice,
  pcInitializeAdapterDriver,
  pcNewPort,
  pcRegisterSubdevice,
} from '../../adapter-functions.ts';
import {
  CLSID_PortWaveCyclic,
  type IDmaChannel,
  type IDrmAudioStream,
  IID_IDrmAudioStream,
  IID_IMiniport,
  IID_IMiniportWaveCyclic,
  IID_IMiniportWaveCyclicStream,
  IID_IPortWaveCyclic,
  type IInterruptSync,
  type IMiniportWaveCyclic,
  type IMiniportWaveCyclicStream,
  InterruptSyncModeNormal,
  type IPortWaveCyclic,
  type IResourceList,
  type IServiceGroup,
  type PCFILTER_DESCRIPTOR,
  PCFILTER_NODE,
  type WaveCyclicNewStream,
  type WaveCyclicNotification,
} from '../../ddi/index.ts';
import { pcNewInterruptSync } from '../../helpers/interrupt-sync.ts';
import { pcNewServiceGroup } from '../../helpers/service-group.ts';

export const CARD_LINE = 5;
/** The card's DMA engine moves what is due this often. */
const DMA_STEP_TICKS = TICKS_PER_MILLISECOND;

/** What the test driver and its card do; a test changes it before the machine starts, or during the run. */
export class CyclicScript {
  /** Bytes of the DMA buffer. */
  bufferBytes = 16 * 1024;
  /** Lets no interrupt through. */
  interrupts = true;
  /** Shifts what GetPosition says, in bytes. */
  positionError = 0;
  /** What GetPosition says instead of the truth. */
  falsePosition: number | null = null;
  /** What NewStream leaves out. */
  without: 'stream' | 'dmaChannel' | 'serviceGroup' | 'buffer' | null = null;
  /** Refuses formats while the stream runs. */
  refusesFormatInRun = false;
  drm = false;
  /** A stream that goes on after PAUSE begins at the start of the buffer, as hardware does that lost its power. */
  forgetsPosition = false;
  /** Every call of the port into miniport and streams, by DDI name, in order; positions and silence are too many to list. */
  readonly calls: string[] = [];
  /** Runs at the start of each of them, the unlisted ones too; what it throws leaves the method. */
  onCall: (method: string) => void = () => {};
  silencedBytes = 0;

  note(method: string, detail = ''): void {
    this.calls.push(detail === '' ? method : `${method}(${detail})`);
    this.onCall(method);
  }
}

/** The byte that the card records at a position since it was started first. */
export function recordedAt(position: number): number {
  return (position * 31 + Math.floor(position / 251) * 7) & 0xff;
}

/** What left the card, or what it recorded: bytes that grow. */
export class ByteLog {
  #bytes = new Uint8Array(1 << 16);
  #length = 0;

  append(bytes: Uint8Array): void {
    if (this.#length + bytes.byteLength > this.#bytes.byteLength) {
      const larger = new Uint8Array(2 * (this.#length + bytes.byteLength));
      larger.set(this.bytes);
      this.#bytes = larger;
    }
    this.#bytes.set(bytes, this.#length);
    this.#length += bytes.byteLength;
  }

  get bytes(): Uint8Array {
    return this.#bytes.subarray(0, this.#length);
  }
}

/**
 * A stream whose hardware is the machine's clock: a DMA engine that goes round in the buffer at exactly the format's rate, one
 * millisecond at a time, and interrupts every 10.
 */
export class CyclicStream extends CUnknown implements IMiniportWaveCyclicStream, IDrmAudioStream {
  readonly script: CyclicScript;
  readonly capture: boolean;
  readonly channel: IDmaChannel;
  readonly group: IServiceGroup;
  /** What the converter has played. */
  readonly played = new ByteLog();
  readonly states: KSSTATE[] = [];
  state: KSSTATE = KSSTATE_STOP;
  contentId = 0;
  /** Bytes recorded in all, over stops too. */
  recordedBytes = 0;
  #miniport: CyclicMiniport;
  #format: KSDATAFORMAT;
  #alarm: Alarm;
  #runTick = 0;
  #runBytes = 0;
  #movedBytes = 0;
  #periodBytes = 0;
  #nextInterrupt = 0;

  constructor(miniport: CyclicMiniport, capture: boolean, format: KSDATAFORMAT, channel: IDmaChannel) {
    super('CyclicStream');
    this.#miniport = miniport;
    this.script = miniport.script;
    this.capture = capture;
    this.#format = format;
    this.channel = channel;
    channel.addRef();
    this.group = pcNewServiceGroup();
    this.#alarm = currentKernel().clock.createAlarm(() => this.#step());
  }

  protected override nonDelegatingQueryInterface(iid: IID<unknown>): object | null {
    if (iid.equals(IID_IMiniportWaveCyclicStream)) return this;
    if (iid.equals(IID_IDrmAudioStream) && this.script.drm) return this;
    return super.nonDelegatingQueryInterface(iid);
  }

  protected override finalRelease(): void {
    this.script.note('~Stream');
    this.#alarm.cancel();
    this.#miniport.forget(this);
    this.group.release();
    this.channel.release();
  }

  get bytesPerSecond(): number {
    return waveFormatOf(this.#format)?.nAvgBytesPerSec ?? 0;
  }

  get format(): KSDATAFORMAT {
    return this.#format;
  }

  setFormat(dataFormat: KSDATAFORMAT): void {
    this.script.note('SetFormat');
    if (this.state === KSSTATE_RUN && this.script.refusesFormatInRun) {
      throw new NtError(STATUS_INVALID_PARAMETER, 'not while running');
    }
    this.#move();
    this.#runBytes = this.#position;
    this.#runTick = currentKernel().clock.now;
    this.#format = dataFormat;
  }

  setNotificationFreq(interval: number): WaveCyclicNotification {
    this.script.note('SetNotificationFreq', `${interval}`);
    const block = waveFormatOf(this.#format)?.nBlockAlign ?? 1;
    const frames = Math.floor((this.bytesPerSecond / block / 1000) * interval);
    this.#periodBytes = frames * block;
    return { interval, frameSize: this.#periodBytes };
  }

  setState(state: KSSTATE): void {
    this.script.note('SetState', `${state}`);
    this.#move();
    const { clock } = currentKernel();
    if (state === KSSTATE_RUN) {
      if (this.script.forgetsPosition) {
        this.#runBytes = 0;
        this.#movedBytes = 0;
      }
      this.#runTick = clock.now;
      this.#nextInterrupt = this.#runBytes + this.#periodBytes;
      this.#alarm.set(clock.now + DMA_STEP_TICKS);
    } else if (this.state === KSSTATE_RUN) {
      this.#runBytes = this.#position;
      this.#alarm.cancel();
    }
    this.state = state;
    this.states.push(state);
    if (state === KSSTATE_STOP) {
      this.#runBytes = 0;
      this.#movedBytes = 0;
    }
  }

  getPosition(): number {
    this.script.onCall('GetPosition');
    this.#move();
    if (this.script.falsePosition !== null) return this.script.falsePosition;
    const size = this.channel.bufferSize();
    return (((this.#position + this.script.positionError) % size) + size) % size;
  }

  normalizePhysicalPosition(physicalPosition: number): number {
    this.script.onCall('NormalizePhysicalPosition');
    return mulDivFloor(physicalPosition, TICKS_PER_SECOND, this.bytesPerSecond);
  }

  silence(buffer: SystemMapping, byteOffset: number, byteCount: number): void {
    this.script.onCall('Silence');
    this.script.silencedBytes += byteCount;
    buffer.fill(byteOffset, byteCount, waveFormatOf(this.#format)?.wBitsPerSample === 8 ? 0x80 : 0);
  }

  setContentId(contentId: number): void {
    this.script.note('SetContentId', `${contentId}`);
    this.contentId = contentId;
  }

  /** The card's power went: the DMA engine stands. */
  get #position(): number {
    if (this.state !== KSSTATE_RUN) return this.#runBytes;
    const wave = waveFormatOf(this.#format);
    const frames = mulDivFloor(
      currentKernel().clock.now - this.#runTick,
      wave?.nSamplesPerSec ?? 0,
      TICKS_PER_SECOND,
    );
    return this.#runBytes + frames * (wave?.nBlockAlign ?? 1);
  }

  #step(): void {
    this.#move();
    if (this.#movedBytes >= this.#nextInterrupt) {
      this.#nextInterrupt += this.#periodBytes;
      if (this.script.interrupts) this.#miniport.raise(this);
    }
    this.#alarm.set(currentKernel().clock.now + DMA_STEP_TICKS);
  }

  /** The DMA engine catches up with its converter. */
  #move(): void {
    const size = this.channel.bufferSize();
    const buffer = this.channel.systemAddress();
    const target = this.#position;
    while (this.#movedBytes < target && buffer !== null) {
      const at = this.#movedBytes % size;
      const count = Math.min(target - this.#movedBytes, size - at);
      const piece = new Uint8Array(count);
      if (this.capture) {
        for (let i = 0; i < count; i++) piece[i] = recordedAt(this.recordedBytes + i);
        buffer.write(at, piece);
        this.recordedBytes += count;
      } else {
        buffer.read(at, piece);
        this.played.append(piece);
      }
      this.#movedBytes += count;
    }
  }
}

const RANGE = audioDataRange({
  maximumChannels: 8,
  minimumBitsPerSample: 8,
  maximumBitsPerSample: 32,
  minimumSampleFrequency: 4000,
  maximumSampleFrequency: 192_000,
});

/**
 * ```
 *  0 render ──> 2 speaker (bridge)
 *  1 capture <── 3 microphone (bridge)
 * ```
 */
const FILTER: PCFILTER_DESCRIPTOR = (() => {
  const bridge = { maxGlobalInstanceCount: 0, maxFilterInstanceCount: 0, minFilterInstanceCount: 0 };
  const stream = { maxGlobalInstanceCount: 2, maxFilterInstanceCount: 2, minFilterInstanceCount: 0 };
  const pin = (dataFlow: 1 | 2, communication: 0 | 1) => ({
    dataRanges: [RANGE],
    dataFlow,
    communication,
    category: communication === KSPIN_COMMUNICATION_NONE ? KSNODETYPE_SPEAKER : KSCATEGORY_AUDIO,
    name: null,
  });
  return {
    pins: [
      { ...stream, kspinDescriptor: pin(KSPIN_DATAFLOW_IN, KSPIN_COMMUNICATION_SINK) },
      { ...stream, kspinDescriptor: pin(KSPIN_DATAFLOW_OUT, KSPIN_COMMUNICATION_SINK) },
      { ...bridge, kspinDescriptor: pin(KSPIN_DATAFLOW_OUT, KSPIN_COMMUNICATION_NONE) },
      { ...bridge, kspinDescriptor: pin(KSPIN_DATAFLOW_IN, KSPIN_COMMUNICATION_NONE) },
    ],
    nodes: [],
    connections: [
      { fromNode: PCFILTER_NODE, fromNodePin: 0, toNode: PCFILTER_NODE, toNodePin: 2 },
      { fromNode: PCFILTER_NODE, fromNodePin: 3, toNode: PCFILTER_NODE, toNodePin: 1 },
    ],
  };
})();

/** A WaveCyclic miniport over an interrupt line, with a master DMA channel for each stream. */
export class CyclicMiniport extends CUnknown implements IMiniportWaveCyclic {
  readonly script: CyclicScript;
  readonly streams: CyclicStream[] = [];
  readonly #platform: TestPlatform;
  #port: IPortWaveCyclic | null = null;
  #interrupt: IInterruptSync | null = null;
  readonly #asserting = new Set<CyclicStream>();

  constructor(script: CyclicScript, platform: TestPlatform) {
    super('CyclicMiniport');
    this.script = script;
    this.#platform = platform;
  }

  protected override nonDelegatingQueryInterface(iid: IID<unknown>): object | null {
    if (iid.equals(IID_IMiniport) || iid.equals(IID_IMiniportWaveCyclic)) return this;
    return super.nonDelegatingQueryInterface(iid);
  }

  protected override finalRelease(): void {
    this.#interrupt?.disconnect();
    this.#interrupt?.release();
  }

  init(_unknownAdapter: IUnknown | null, resourceList: IResourceList, port: IPortWaveCyclic): void {
    this.script.note('Init');
    // Not referenced: the port holds the miniport.
    this.#port = port;
    const sync = pcNewInterruptSync(null, resourceList, 0, InterruptSyncModeNormal);
    this.#interrupt = sync;
    sync.registerServiceRoutine(() => this.#service(), null, false);
    sync.connect();
  }

  getDescription(): PCFILTER_DESCRIPTOR {
    this.script.note('GetDescription');
    return FILTER;
  }

  dataRangeIntersection(): number {
    this.script.note('DataRangeIntersection');
    throw new NtError(STATUS_NOT_IMPLEMENTED);
  }

  newStream(
    _outerUnknown: IUnknown | null,
    pin: number,
    capture: boolean,
    dataFormat: KSDATAFORMAT,
  ): WaveCyclicNewStream {
    this.script.note('NewStream', `${pin}, ${capture ? 'capture' : 'render'}`);
    if (this.#port === null) throw new NtError(STATUS_UNSUCCESSFUL);
    const dmaChannel = this.#port.newMasterDmaChannel(null, null, 0x2_0000, true, false);
    if (this.script.without !== 'buffer') dmaChannel.allocateBuffer(this.script.bufferBytes, 0xffff);
    const stream = new CyclicStream(this, capture, dataFormat, dmaChannel);
    this.streams.push(stream);
    stream.group.addRef();
    return this.#leaveOut({ stream, dmaChannel, serviceGroup: stream.group });
  }

  /** A driver that forgets one of its results. */
  #leaveOut(result: WaveCyclicNewStream): WaveCyclicNewStream {
    const { without } = this.script;
    if (without === null || without === 'buffer') return result;
    result[without].release();
    const rest: Partial<Record<keyof WaveCyclicNewStream, unknown>> = { ...result };
    delete rest[without];
    return rest as WaveCyclicNewStream;
  }

  /** A period of a stream is over. */
  raise(stream: CyclicStream): void {
    this.#asserting.add(stream);
    this.#platform.setInterrupt(CARD_LINE, true);
  }

  forget(stream: CyclicStream): void {
    this.#asserting.delete(stream);
  }

  #service(): boolean {
    if (this.#asserting.size === 0) return false;
    const asserting = [...this.#asserting];
    this.#asserting.clear();
    this.#platform.setInterrupt(CARD_LINE, false);
    for (const stream of asserting) this.#port?.notify(stream.group);
    return true;
  }
}

/** The test driver with what it made in its last start. */
export interface CyclicDriver extends DriverPackage {
  miniport: CyclicMiniport | null;
}

/** The driver as an installable package: one WaveCyclic subdevice, 'Wave'. */
export function cyclicDriver(script: CyclicScript, platform: TestPlatform): CyclicDriver {
  const driver: CyclicDriver = {
    name: 'wcfake',
    hardwareIds: ['TEST\\WCFAKE'],
    miniport: null,
    driverEntry: (driverObject, registryPath) => {
      pcInitializeAdapterDriver(
        driverObject,
        registryPath,
        (_driver: typeof driverObject, pdo: DEVICE_OBJECT) =>
          pcAddAdapterDevice(driverObject, pdo, startDevice, 2, 0),
      );
    },
  };
  const startDevice = (deviceObject: DEVICE_OBJECT, irp: IRP, resourceList: IResourceList): void => {
    using created = pcNewPort(CLSID_PortWaveCyclic);
    using port = created.queryInterface(IID_IPortWaveCyclic);
    using miniport = new CyclicMiniport(script, platform);
    port.init(deviceObject, irp, miniport, null, resourceList);
    pcRegisterSubdevice(deviceObject, 'Wave', port);
    driver.miniport = miniport;
  };
  return driver;
}
