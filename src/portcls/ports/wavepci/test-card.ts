import { CUnknown, type IID, type IUnknown } from '../../../com/index.ts';
import {
  type Alarm,
  currentKernel,
  mulDivFloor,
  NtError,
  STATUS_NOT_IMPLEMENTED,
  STATUS_UNSUCCESSFUL,
  type SystemMapping,
  type TestPlatform,
  TICKS_PER_SECOND,
} from '../../../kernel/index.ts';
import {
  type KSALLOCATOR_FRAMING,
  type KSDATAFORMAT,
  type KSSTATE,
  KSSTATE_PAUSE,
  KSSTATE_RUN,
  KSSTATE_STOP,
  waveFormatOf,
} from '../../../ks/index.ts';
import {
  CLSID_PortWavePci,
  type IDmaChannel,
  IID_IMiniport,
  IID_IMiniportWavePci,
  IID_IMiniportWavePciStream,
  IID_IPortWavePci,
  type IMiniportWavePci,
  type IMiniportWavePciStream,
  type IPortWavePci,
  type IPortWavePciStream,
  type IResourceList,
  type IServiceGroup,
  type PCFILTER_DESCRIPTOR,
  type WavePciNewStream,
} from '../../ddi/index.ts';
import { pcNewServiceGroup } from '../../helpers/service-group.ts';
import {
  BUS_DEVICE,
  ByteLog,
  CallScript,
  DMA_STEP_TICKS,
  recordedAt,
  StreamInterrupt,
  WAVE_TEST_FILTER,
  type WaveTestDriver,
  waveTestDriver,
} from '../test-wave-card.ts';

/** What the test driver and its card do. */
export class PciScript extends CallScript {
  /** Mappings that the miniport holds at most. */
  depth = 8;
  /** The card does no scatter/gather. */
  scatterGather = true;
  dma64 = false;
  maximumLength = 0x1_0000;
  /** NewStream gives a service group. */
  streamGroup = true;
  framing = true;
  /** RevokeMappings says another number. */
  revokeError = 0;
}

/** A mapping as the miniport's ring of descriptors holds it. */
interface Descriptor {
  readonly tag: number;
  readonly physicalAddress: number;
  readonly byteCount: number;
  readonly last: boolean;
  done: number;
}

/**
 * A stream on a card that does scatter/gather: a list of descriptors which the card works off at exactly the format's rate, a
 * millisecond at a time, from memory that was opened to it and nowhere else; it interrupts when a descriptor is done.
 */
export class PciStream extends CUnknown implements IMiniportWavePciStream {
  readonly script: PciScript;
  readonly capture: boolean;
  readonly port: IPortWavePciStream;
  readonly group: IServiceGroup | null;
  readonly channel: IDmaChannel;
  readonly played = new ByteLog();
  readonly states: KSSTATE[] = [];
  /** Every mapping taken. */
  readonly taken: {
    readonly tag: number;
    /** Where the processor finds it: the client's buffer, or map registers. */
    readonly memory: SystemMapping;
    readonly offset: number;
    readonly byteCount: number;
    readonly last: boolean;
    readonly physicalAddress: number;
  }[] = [];
  readonly revoked: number[] = [];
  state: KSSTATE = KSSTATE_STOP;
  starvedBytes = 0;
  nextTag = 1;
  readonly #miniport: PciMiniport;
  readonly #platform: TestPlatform;
  readonly #format: KSDATAFORMAT;
  readonly #alarm: Alarm;
  #ring: Descriptor[] = [];
  #position = 0;
  #runTick = 0;
  #runBytes = 0;

  constructor(
    miniport: PciMiniport,
    platform: TestPlatform,
    port: IPortWavePciStream,
    capture: boolean,
    format: KSDATAFORMAT,
    channel: IDmaChannel,
  ) {
    super('PciStream');
    this.#miniport = miniport;
    this.#platform = platform;
    this.script = miniport.script;
    this.capture = capture;
    this.port = port;
    port.addRef();
    this.channel = channel;
    this.#format = format;
    this.group = this.script.streamGroup ? pcNewServiceGroup() : null;
    this.#alarm = currentKernel().clock.createAlarm(() => this.#step());
  }

  protected override nonDelegatingQueryInterface(iid: IID<unknown>): object | null {
    return iid.equals(IID_IMiniportWavePciStream) ? this : super.nonDelegatingQueryInterface(iid);
  }

  protected override finalRelease(): void {
    this.script.note('~Stream');
    this.#alarm.cancel();
    this.#miniport.forget(this);
    this.group?.release();
    this.channel.release();
    this.port.release();
  }

  get bytesPerSecond(): number {
    return waveFormatOf(this.#format)?.nAvgBytesPerSec ?? 0;
  }

  get held(): number {
    return this.#ring.length;
  }

  setFormat(): void {
    this.script.note('SetFormat');
  }

  setState(state: KSSTATE): void {
    this.script.note('SetState', `${state}`);
    this.#move();
    if (state === KSSTATE_PAUSE && this.state < KSSTATE_PAUSE) this.fill();
    if (state === KSSTATE_RUN) {
      this.fill();
      this.#runTick = currentKernel().clock.now;
      this.#runBytes = 0;
      this.#alarm.set(currentKernel().clock.now + DMA_STEP_TICKS);
    } else this.#alarm.cancel();
    this.state = state;
    this.states.push(state);
    if (state === KSSTATE_STOP) this.#position = 0;
  }

  getPosition(): number {
    this.script.onCall('GetPosition');
    this.#move();
    return this.#position;
  }

  normalizePhysicalPosition(physicalPosition: number): number {
    return mulDivFloor(physicalPosition, TICKS_PER_SECOND, this.bytesPerSecond);
  }

  getAllocatorFraming(): KSALLOCATOR_FRAMING {
    if (!this.script.framing) throw new NtError(STATUS_NOT_IMPLEMENTED);
    return { optionsFlags: 1, poolType: 0, frames: 5, frameSize: 2000, fileAlignment: 3 };
  }

  mappingAvailable(): void {
    this.script.note('MappingAvailable');
    this.fill();
  }

  revokeMappings(firstTag: unknown, lastTag: unknown): number {
    this.script.note('RevokeMappings', `${String(firstTag)}-${String(lastTag)}`);
    const from = this.#ring.findIndex(({ tag }) => tag === firstTag);
    const to = this.#ring.findIndex(({ tag }) => tag === lastTag);
    if (from < 0 || to < from) return 0;
    const gone = this.#ring.splice(from, to - from + 1);
    this.revoked.push(...gone.map(({ tag }) => tag));
    return gone.length + this.script.revokeError;
  }

  service(): void {
    this.script.onCall('Service');
    this.releaseDone();
    this.fill();
  }

  /** Takes mappings until the ring is full or there are none. */
  fill(): void {
    while (this.#ring.length < this.script.depth) {
      const tag = this.nextTag;
      const mapping = this.port.getMapping(tag);
      if (mapping === null) return;
      this.nextTag++;
      this.taken.push({
        tag,
        offset: mapping.virtualOffset,
        memory: mapping.virtualAddress,
        byteCount: mapping.byteCount,
        last: mapping.flags !== 0,
        physicalAddress: mapping.physicalAddress,
      });
      this.#ring.push({
        tag,
        physicalAddress: mapping.physicalAddress,
        byteCount: mapping.byteCount,
        last: mapping.flags !== 0,
        done: 0,
      });
    }
  }

  /** A test has released the mappings. */
  forgetAll(): void {
    this.#ring = [];
  }

  releaseDone(): void {
    while (this.#ring[0] !== undefined && this.#ring[0].done === this.#ring[0].byteCount) {
      const { tag } = this.#ring.shift() as Descriptor;
      this.port.releaseMapping(tag);
    }
  }

  #step(): void {
    if (this.#move()) this.#miniport.raise(this);
    this.#alarm.set(currentKernel().clock.now + DMA_STEP_TICKS);
  }

  /** The DMA engine catches up with its converter; true when a descriptor was done. */
  #move(): boolean {
    if (this.state !== KSSTATE_RUN) return false;
    const due = mulDivFloor(currentKernel().clock.now - this.#runTick, this.bytesPerSecond, TICKS_PER_SECOND);
    let left = due - this.#runBytes;
    this.#runBytes = due;
    let done = false;
    for (const descriptor of this.#ring) {
      const count = Math.min(left, descriptor.byteCount - descriptor.done);
      if (count <= 0) continue;
      const piece = new Uint8Array(count);
      const address = descriptor.physicalAddress + descriptor.done;
      this.#requireOpen(address, count);
      if (this.capture) {
        for (let i = 0; i < count; i++) piece[i] = recordedAt(this.#position + i);
        this.#platform.ram.write(address, piece);
      } else {
        this.#platform.ram.read(address, piece);
        this.played.append(piece);
      }
      descriptor.done += count;
      this.#position += count;
      left -= count;
      if (descriptor.done === descriptor.byteCount) done = true;
    }
    this.starvedBytes += left;
    return done;
  }

  #requireOpen(address: number, count: number): void {
    const open = this.#platform.dmaRanges.some(
      ({ busDevice, physicalAddress, length }) =>
        busDevice === BUS_DEVICE && address >= physicalAddress && address + count <= physicalAddress + length,
    );
    if (!open) throw new Error(`the card reached for ${count} bytes at ${address} that are not open to it`);
  }
}

/** A WavePci miniport over an interrupt line. */
export class PciMiniport extends CUnknown implements IMiniportWavePci {
  readonly script: PciScript;
  readonly streams: PciStream[] = [];
  readonly #platform: TestPlatform;
  readonly #interrupt: StreamInterrupt<PciStream>;
  #port: IPortWavePci | null = null;
  #group: IServiceGroup | null = null;

  constructor(script: PciScript, platform: TestPlatform) {
    super('PciMiniport');
    this.script = script;
    this.#platform = platform;
    this.#interrupt = new StreamInterrupt(platform, (stream) => {
      const group = stream.group ?? this.#group;
      if (group !== null) this.#port?.notify(group);
    });
  }

  protected override nonDelegatingQueryInterface(iid: IID<unknown>): object | null {
    if (iid.equals(IID_IMiniport) || iid.equals(IID_IMiniportWavePci)) return this;
    return super.nonDelegatingQueryInterface(iid);
  }

  protected override finalRelease(): void {
    this.#interrupt.disconnect();
    this.#group?.release();
  }

  init(_unknownAdapter: IUnknown | null, resourceList: IResourceList, port: IPortWavePci): IServiceGroup {
    this.script.note('Init');
    this.#port = port;
    this.#interrupt.connect(resourceList);
    const group = pcNewServiceGroup();
    this.#group = group;
    group.addRef();
    return group;
  }

  getDescription(): PCFILTER_DESCRIPTOR {
    return WAVE_TEST_FILTER;
  }

  dataRangeIntersection(): number {
    throw new NtError(STATUS_NOT_IMPLEMENTED);
  }

  newStream(
    _outerUnknown: IUnknown | null,
    portStream: IPortWavePciStream,
    pin: number,
    capture: boolean,
    dataFormat: KSDATAFORMAT,
  ): WavePciNewStream {
    this.script.note('NewStream', `${pin}, ${capture ? 'capture' : 'render'}`);
    if (this.#port === null) throw new NtError(STATUS_UNSUCCESSFUL);
    const { scatterGather, dma64, maximumLength } = this.script;
    const channel = this.#port.newMasterDmaChannel(
      null,
      null,
      scatterGather,
      true,
      dma64,
      false,
      null,
      null,
      maximumLength,
    );
    const stream = new PciStream(this, this.#platform, portStream, capture, dataFormat, channel);
    this.streams.push(stream);
    stream.group?.addRef();
    return { stream, dmaChannel: channel, serviceGroup: stream.group };
  }

  /** The device's service group was notified: streams without a group of their own are served here. */
  service(): void {
    this.script.note('Miniport.Service');
    for (const stream of this.streams)
      if (stream.group === null && stream.state === KSSTATE_RUN) stream.service();
  }

  raise(stream: PciStream): void {
    this.#interrupt.raise(stream);
  }

  forget(stream: PciStream): void {
    this.#interrupt.forget(stream);
    const index = this.streams.indexOf(stream);
    if (index >= 0) this.streams.splice(index, 1);
  }
}

/** The driver as an installable package. */
export function pciDriver(script: PciScript, platform: TestPlatform): WaveTestDriver<PciMiniport> {
  return waveTestDriver({
    name: 'wpfake',
    hardwareId: 'TEST\\WPFAKE',
    portClass: CLSID_PortWavePci,
    portInterface: IID_IPortWavePci,
    newMiniport: () => new PciMiniport(script, platform),
  });
}
