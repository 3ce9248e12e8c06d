import { CUnknown, type IID, type IUnknown } from '../../../com/index.ts';
import {
  type Alarm,
  currentKernel,
  mulDivFloor,
  NtError,
  STATUS_INVALID_PARAMETER,
  STATUS_NOT_IMPLEMENTED,
  STATUS_UNSUCCESSFUL,
  type SystemMapping,
  type TestPlatform,
  TICKS_PER_SECOND,
} from '../../../kernel/index.ts';
import {
  type KSDATAFORMAT,
  type KSSTATE,
  KSSTATE_RUN,
  KSSTATE_STOP,
  waveFormatOf,
} from '../../../ks/index.ts';
import {
  CLSID_PortWaveCyclic,
  type IDmaChannel,
  type IDrmAudioStream,
  IID_IDrmAudioStream,
  IID_IMiniport,
  IID_IMiniportWaveCyclic,
  IID_IMiniportWaveCyclicStream,
  IID_IPortWaveCyclic,
  type IMiniportWaveCyclic,
  type IMiniportWaveCyclicStream,
  type IPortWaveCyclic,
  type IResourceList,
  type IServiceGroup,
  type PCFILTER_DESCRIPTOR,
  type WaveCyclicNewStream,
  type WaveCyclicNotification,
} from '../../ddi/index.ts';
import { pcNewServiceGroup } from '../../helpers/service-group.ts';
import {
  ByteLog,
  CallScript,
  DMA_STEP_TICKS,
  recordedAt,
  StreamInterrupt,
  WAVE_TEST_FILTER,
  type WaveTestDriver,
  waveTestDriver,
} from '../test-wave-card.ts';

export { recordedAt } from '../test-wave-card.ts';

/** What the test driver and its card do; a test changes it before the machine starts, or during the run. */
export class CyclicScript extends CallScript {
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
  silencedBytes = 0;
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
    this.#nextInterrupt = this.#position + this.#periodBytes;
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

/** A WaveCyclic miniport over an interrupt line, with a master DMA channel for each stream. */
export class CyclicMiniport extends CUnknown implements IMiniportWaveCyclic {
  readonly script: CyclicScript;
  readonly streams: CyclicStream[] = [];
  readonly #interrupt: StreamInterrupt<CyclicStream>;
  #port: IPortWaveCyclic | null = null;

  constructor(script: CyclicScript, platform: TestPlatform) {
    super('CyclicMiniport');
    this.script = script;
    this.#interrupt = new StreamInterrupt(platform, (stream) => this.#port?.notify(stream.group));
  }

  protected override nonDelegatingQueryInterface(iid: IID<unknown>): object | null {
    if (iid.equals(IID_IMiniport) || iid.equals(IID_IMiniportWaveCyclic)) return this;
    return super.nonDelegatingQueryInterface(iid);
  }

  protected override finalRelease(): void {
    this.#interrupt.disconnect();
  }

  init(_unknownAdapter: IUnknown | null, resourceList: IResourceList, port: IPortWaveCyclic): void {
    this.script.note('Init');
    // Not referenced: the port holds the miniport.
    this.#port = port;
    this.#interrupt.connect(resourceList);
  }

  getDescription(): PCFILTER_DESCRIPTOR {
    this.script.note('GetDescription');
    return WAVE_TEST_FILTER;
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
    this.#interrupt.raise(stream);
  }

  forget(stream: CyclicStream): void {
    this.#interrupt.forget(stream);
  }
}

/** The driver as an installable package. */
export function cyclicDriver(script: CyclicScript, platform: TestPlatform): WaveTestDriver<CyclicMiniport> {
  return waveTestDriver({
    name: 'wcfake',
    hardwareId: 'TEST\\WCFAKE',
    portClass: CLSID_PortWaveCyclic,
    portInterface: IID_IPortWaveCyclic,
    newMiniport: () => new CyclicMiniport(script, platform),
  });
}
