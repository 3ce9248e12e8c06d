import { CUnknown, type IID, type IUnknown } from '../../com/index.ts';
import type { CommonBuffer } from '../../hal/index.ts';
import {
  KDPC,
  type KEVENT,
  keInsertQueueDpc,
  keQueryPerformanceCounter,
  keSetEvent,
  type MDL,
  MmCached,
  mulDivCeil,
  NtError,
  PAGE_SIZE,
  STATUS_INSUFFICIENT_RESOURCES,
  STATUS_INVALID_DEVICE_STATE,
  STATUS_INVALID_PARAMETER,
  STATUS_NOT_SUPPORTED,
  type SystemMapping,
  TICKS_PER_SECOND,
} from '../../kernel/index.ts';
import {
  type KSAUDIO_POSITION,
  type KSAUDIO_PRESENTATION_POSITION,
  type KSDATAFORMAT,
  type KSRTAUDIO_HWLATENCY,
  type KSRTAUDIO_HWREGISTER,
  type KSSTATE,
  KSSTATE_ACQUIRE,
  KSSTATE_PAUSE,
  KSSTATE_RUN,
  KSSTATE_STOP,
} from '../../ks/index.ts';
import {
  type DEVICE_POWER_STATE,
  IID_IMiniportWaveRTInputStream,
  IID_IMiniportWaveRTOutputStream,
  IID_IMiniportWaveRTStream,
  IID_IMiniportWaveRTStreamNotification,
  IID_IPowerNotify,
  type IMiniportWaveRTInputStream,
  type IMiniportWaveRTOutputStream,
  type IMiniportWaveRTStreamNotification,
  type IPortWaveRTStream,
  type IPowerNotify,
  PowerDeviceD0,
  type WaveRTAudioBuffer,
} from '../../portcls/index.ts';
import { PacketLedger, type PacketProgress } from '../common/packets.ts';
import {
  type BufferGeometry,
  type BufferRun,
  bufferDescriptors,
  bufferGeometry,
  bufferRuns,
  MOST_DESCRIPTORS,
  writeDescriptorList,
} from './buffer-list.ts';
import type { HdaController } from './controller.ts';
import * as R from './registers.ts';
import type { HdaStreamDescriptor, StreamInterruptSink } from './stream-descriptor.ts';
import type { HdaStreamFormat } from './stream-format.ts';

/** The converters at the other end of the link, as a stream sees them. PASSIVE_LEVEL. */
export interface StreamConverters {
  /** Sets the converters to a format and lets them listen to (or talk on) a stream of the link. */
  connect(streamNumber: number, format: HdaStreamFormat): void;
  /** The converters are idle again; also when the card is gone or has no power. */
  disconnect(): void;
  /** Between link and jack, in samples. */
  readonly delaySamples: number;
}

/** What a stream is made of. */
export interface WaveStreamOptions {
  readonly capture: boolean;
  readonly format: HdaStreamFormat;
  readonly converters: StreamConverters;
  readonly checkFormat: (dataFormat: KSDATAFORMAT) => HdaStreamFormat;
}

/** A stream descriptor with the memory for its list. */
export interface StreamEngine {
  readonly descriptor: HdaStreamDescriptor;
  readonly list: CommonBuffer;
}

/** An engine of the controller's that is free. PASSIVE_LEVEL. @throws NtError STATUS_INSUFFICIENT_RESOURCES when all are taken */
export function allocateEngine(controller: HdaController, direction: 'input' | 'output'): StreamEngine {
  const descriptor = controller.allocateDescriptor(direction);
  try {
    return { descriptor, list: controller.allocateDescriptorList() };
  } catch (error) {
    controller.freeDescriptor(descriptor);
    throw error;
  }
}

/**
 * One DMA engine and its converters. The cyclic buffer may be any pages; a list of descriptors, written once, describes it, with an
 * interrupt at the end of each half, which is often enough to know how many rounds LPIB has gone.
 */
export class HdaWaveStream
  extends CUnknown
  implements
    IMiniportWaveRTStreamNotification,
    IMiniportWaveRTOutputStream,
    IMiniportWaveRTInputStream,
    IPowerNotify,
    StreamInterruptSink
{
  readonly #controller: HdaController;
  readonly #owner: IUnknown;
  readonly #portStream: IPortWaveRTStream;
  readonly #options: WaveStreamOptions;
  readonly #descriptor: HdaStreamDescriptor;
  readonly #list: CommonBuffer;
  readonly #dpc = new KDPC(() => this.#packetDone(), null);
  readonly #events = new Set<KEVENT>();
  readonly #packets = new PacketLedger();
  #format: HdaStreamFormat;
  #state: KSSTATE = KSSTATE_STOP;

  #mdl: MDL | null = null;
  #mapping: SystemMapping | null = null;
  #runs: readonly BufferRun[] = [];
  #geometry: BufferGeometry | null = null;
  #notificationCount: 0 | 1 | 2 = 0;

  /** The engine has been told of format and buffer. */
  #loaded = false;
  /** The converters belong to this stream. */
  #connected = false;
  /** LPIB counts the buffer's own offsets; after a start in the middle of the buffer it counts from there. */
  #positionIsOffset = true;
  /** A client has LPIB mapped, and takes it for the offset in the buffer. */
  #positionMapped = false;
  /** Bytes since the stream left STOP, as of the last look at LPIB. */
  #bytes = 0;
  #lastLpib = 0;
  /** How far ahead of LPIB the engine may have fetched: the FIFO. 0 when it stores. */
  #fetchAhead = 0;
  #packetsDone = 0;
  #packetsSignalled = 0;
  #lastPacketCounter = 0;

  /**
   * @param owner the adapter object, which lives as long as the stream
   * @param engine the stream's from now on
   */
  constructor(
    controller: HdaController,
    owner: IUnknown,
    portStream: IPortWaveRTStream,
    engine: StreamEngine,
    options: WaveStreamOptions,
  ) {
    super(`HdaWaveStream(${options.capture ? 'capture' : 'render'})`);
    this.#controller = controller;
    this.#owner = owner;
    this.#portStream = portStream;
    this.#options = options;
    this.#format = options.format;
    this.#descriptor = engine.descriptor;
    this.#list = engine.list;
    owner.addRef();
    portStream.addRef();
    controller.setSink(this.#descriptor, this);
    // What the controller makes of a reset decides what is told of its position register.
    if (controller.powered) this.#descriptor.reset();
  }

  protected override nonDelegatingQueryInterface(iid: IID<unknown>): object | null {
    const { guid } = iid;
    if (
      guid.equals(IID_IMiniportWaveRTStream.guid) ||
      guid.equals(IID_IMiniportWaveRTStreamNotification.guid)
    )
      return this;
    if (guid.equals(IID_IMiniportWaveRTOutputStream.guid)) return this.#options.capture ? null : this;
    if (guid.equals(IID_IMiniportWaveRTInputStream.guid)) return this.#options.capture ? this : null;
    return guid.equals(IID_IPowerNotify.guid) ? this : null;
  }

  protected override finalRelease(): void {
    this.#controller.freeDescriptor(this.#descriptor);
    this.#controller.freeDescriptorList(this.#list);
    this.#portStream.release();
    this.#owner.release();
  }

  setFormat(dataFormat: KSDATAFORMAT): void {
    const format = this.#options.checkFormat(dataFormat);
    if (this.#state !== KSSTATE_STOP)
      throw new NtError(STATUS_INVALID_PARAMETER, 'HDA: the format can be changed in KSSTATE_STOP only.');
    if (this.#geometry && this.#geometry.halfBytes % format.frameBytes !== 0) {
      throw new NtError(
        STATUS_INVALID_PARAMETER,
        `HDA: the buffer's halves of ${this.#geometry.halfBytes} bytes are no whole frames of ${format.frameBytes} bytes.`,
      );
    }
    this.#format = format;
  }

  /* ---- buffer ---- */

  allocateAudioBuffer(requestedSize: number): WaveRTAudioBuffer {
    return this.#allocate(requestedSize, 0);
  }

  allocateBufferWithNotification(notificationCount: number, requestedSize: number): WaveRTAudioBuffer {
    if (notificationCount !== 1 && notificationCount !== 2) {
      throw new NtError(
        STATUS_INVALID_PARAMETER,
        `HDA: ${notificationCount} notifications per buffer; 1 or 2 are possible.`,
      );
    }
    return this.#allocate(requestedSize, notificationCount);
  }

  #allocate(requestedSize: number, notificationCount: 0 | 1 | 2): WaveRTAudioBuffer {
    if (this.#mdl) throw new NtError(STATUS_INVALID_DEVICE_STATE, 'HDA: the stream has its buffer already.');
    if (requestedSize <= 0)
      throw new NtError(STATUS_INVALID_PARAMETER, 'HDA: a buffer of 0 bytes was asked for.');
    const geometry = bufferGeometry(requestedSize, this.#format.frameBytes, LEAST_HALF_BYTES);
    const mdl = geometry && this.#allocatePages(geometry);
    if (!mdl) {
      throw new NtError(
        STATUS_INSUFFICIENT_RESOURCES,
        `HDA: no buffer of ${requestedSize} bytes that ${R.BDL_ENTRIES} descriptors could describe.`,
      );
    }
    this.#mdl = mdl;
    this.#mapping = this.#portStream.mapAllocatedPages(mdl, MmCached);
    this.#mapping.fill(0, geometry.bufferBytes, 0);
    this.#geometry = geometry;
    this.#notificationCount = notificationCount;
    return {
      audioBufferMdl: mdl,
      actualSize: geometry.bufferBytes,
      offsetFromFirstPage: 0,
      cacheType: MmCached,
    };
  }

  /** Any pages; contiguous ones where those lie in too many pieces. */
  #allocatePages(geometry: BufferGeometry): MDL | null {
    const { bufferBytes } = geometry;
    const highest = this.#controller.highestAddress;
    const portStream = this.#portStream;
    const ways = [
      () => portStream.allocatePagesForMdl(highest, bufferBytes),
      () => portStream.allocateContiguousPagesForMdl(0, highest, bufferBytes),
    ];
    for (const allocate of ways) {
      const mdl = allocate();
      if (!mdl) continue;
      const pages = Array.from({ length: portStream.getPhysicalPagesCount(mdl) }, (_, index) =>
        portStream.getPhysicalPageAddress(mdl, index),
      );
      if (pages.length * PAGE_SIZE >= bufferBytes) {
        this.#runs = bufferRuns(pages, PAGE_SIZE, bufferBytes);
        if (bufferDescriptors(this.#runs, geometry, 0).length <= MOST_DESCRIPTORS) return mdl;
      }
      portStream.freePagesFromMdl(mdl);
    }
    return null;
  }

  freeAudioBuffer(mdl: MDL | null, _bufferSize: number): void {
    if (!mdl || mdl !== this.#mdl || !this.#mapping) return;
    this.#portStream.unmapAllocatedPages(this.#mapping, mdl);
    this.#portStream.freePagesFromMdl(mdl);
    this.#mdl = null;
    this.#mapping = null;
    this.#geometry = null;
    this.#runs = [];
  }

  freeBufferWithNotification(mdl: MDL | null, bufferSize: number): void {
    this.freeAudioBuffer(mdl, bufferSize);
  }

  registerNotificationEvent(event: KEVENT): void {
    if (this.#events.has(event))
      throw new NtError(STATUS_INVALID_PARAMETER, 'HDA: the event is registered already.');
    this.#events.add(event);
  }

  unregisterNotificationEvent(event: KEVENT): void {
    if (!this.#events.delete(event))
      throw new NtError(STATUS_INVALID_PARAMETER, 'HDA: the event is not registered.');
  }

  getHWLatency(): KSRTAUDIO_HWLATENCY {
    return {
      fifoSize: this.#controller.powered ? this.#descriptor.readFifoBytes() : 0,
      chipsetDelay: 0,
      codecDelay: mulDivCeil(
        this.#options.converters.delaySamples,
        TICKS_PER_SECOND,
        this.#format.sampleRate,
      ),
    };
  }

  /** LPIB. Not where a pause costs the controller its position. */
  getPositionRegister(): KSRTAUDIO_HWREGISTER {
    if (!this.#controller.keepsPosition || !this.#positionIsOffset) throw new NtError(STATUS_NOT_SUPPORTED);
    this.#positionMapped = true;
    return {
      register: this.#descriptor.positionRegister,
      width: 32,
      numerator: 1,
      denominator: 1,
      accuracy: this.#format.frameBytes,
    };
  }

  /** The wall clock, which all streams of the controller share. */
  getClockRegister(): KSRTAUDIO_HWREGISTER {
    return {
      register: this.#controller.clockRegister,
      width: 32,
      numerator: R.WALL_CLOCK_HZ,
      denominator: 1,
      accuracy: 1,
    };
  }

  /* ---- state ---- */

  setState(state: KSSTATE): void {
    if (state === KSSTATE_RUN) this.#run();
    else if (state === KSSTATE_PAUSE && this.#state === KSSTATE_RUN) this.#pause();
    else if (state === KSSTATE_ACQUIRE && this.#state === KSSTATE_STOP) this.#acquire();
    else if (state === KSSTATE_STOP) this.#stop();
    this.#state = state;
    // A packet that ended just as the stream was halted, or the device lost its power, is told now.
    if (state === KSSTATE_RUN && this.#packetsDone > this.#packetsSignalled) keInsertQueueDpc(this.#dpc);
  }

  #rewind(): void {
    this.#bytes = 0;
    this.#lastLpib = 0;
    this.#loaded = false;
    this.#positionIsOffset = true;
    this.#packetsDone = 0;
    this.#packetsSignalled = 0;
    this.#packets.reset();
  }

  #acquire(): void {
    this.#rewind();
    if (this.#geometry) this.#load();
  }

  #buffer(): BufferGeometry {
    if (!this.#geometry) {
      throw new NtError(
        STATUS_INVALID_DEVICE_STATE,
        'HDA: the stream has no buffer; KSPROPERTY_RTAUDIO_BUFFER comes first.',
      );
    }
    return this.#geometry;
  }

  /** Tells engine and converters of format and buffer, the next byte being that at the stream's position. */
  #load(): void {
    const geometry = this.#buffer();
    const start = this.#bytes % geometry.bufferBytes;
    const descriptors = bufferDescriptors(this.#runs, geometry, start);
    this.#descriptor.reset();
    writeDescriptorList(this.#list, descriptors);
    this.#descriptor.program({
      format: this.#format.word,
      listAddress: this.#list.logicalAddress,
      entries: descriptors.length,
      cyclicBytes: geometry.bufferBytes,
    });
    this.#fetchAhead = this.#options.capture ? 0 : this.#descriptor.readFifoBytes() + this.#format.frameBytes;
    this.#options.converters.connect(this.#descriptor.streamNumber, this.#format);
    this.#connected = true;
    this.#lastLpib = 0;
    this.#positionIsOffset = start === 0;
    this.#loaded = true;
  }

  #run(): void {
    this.#buffer();
    // The buffer may have come after KSSTATE_ACQUIRE; and RUN may begin the list again, which then has to begin elsewhere.
    if (!this.#loaded || (this.#bytes > 0 && !this.#controller.keepsPosition)) this.#load();
    this.#controller.synchronized(() => this.#descriptor.run());
  }

  #pause(): void {
    this.#controller.synchronized(() => {
      this.#descriptor.pause();
      this.#readBytes(0);
    });
  }

  #stop(): void {
    try {
      if (this.#controller.powered) this.#descriptor.reset();
      if (this.#connected) this.#options.converters.disconnect();
    } finally {
      this.#connected = false;
      this.#rewind();
    }
  }

  /* ---- position ---- */

  /**
   * Looks at LPIB, which is less than a round behind, and counts packets: those that passed the link, and those that the engine is
   * `ahead` bytes further with. The interrupt service routine must be kept out.
   */
  #readBytes(ahead: number): void {
    const geometry = this.#geometry;
    const lpib = geometry && this.#controller.powered ? this.#descriptor.readPosition() : null;
    if (geometry === null || lpib === null) return;
    const { bufferBytes } = geometry;
    const offset = lpib % bufferBytes;
    this.#bytes += offset >= this.#lastLpib ? offset - this.#lastLpib : offset - this.#lastLpib + bufferBytes;
    this.#lastLpib = offset;
    const { packetBytes } = this.#progress;
    if (packetBytes > 0)
      this.#packetsDone = Math.max(this.#packetsDone, Math.floor((this.#bytes + ahead) / packetBytes));
  }

  #linearBytes(): number {
    if (this.#state === KSSTATE_RUN) this.#controller.synchronized(() => this.#readBytes(0));
    return this.#bytes;
  }

  getPosition(): KSAUDIO_POSITION {
    const bytes = this.#geometry ? this.#linearBytes() % this.#geometry.bufferBytes : 0;
    return { playOffset: bytes, writeOffset: bytes };
  }

  /* ---- interrupt ---- */

  /** At DIRQL. */
  streamInterrupt(status: number): void {
    if ((status & R.SD_STS_BCIS) === 0) return;
    // The engine has just fetched the last byte of a half, which passes the link when the FIFO has.
    this.#readBytes(this.#fetchAhead);
    if (this.#packetsDone > this.#packetsSignalled) keInsertQueueDpc(this.#dpc);
  }

  /** At DISPATCH_LEVEL: tells the clients once for however many packets have gone by. */
  #packetDone(): void {
    const packets = this.#packetsDone;
    if (packets <= this.#packetsSignalled || this.#state !== KSSTATE_RUN) return;
    this.#packetsSignalled = packets;
    this.#lastPacketCounter = keQueryPerformanceCounter().counter;
    for (const event of this.#events) keSetEvent(event);
  }

  /* ---- packet mode ---- */

  get #progress(): PacketProgress {
    const packetsInBuffer = this.#notificationCount;
    const packetBytes = packetsInBuffer === 0 ? 0 : (this.#geometry?.bufferBytes ?? 0) / packetsInBuffer;
    const underWay = this.#state === KSSTATE_RUN && this.#bytes > 0;
    return { packetsInBuffer, packetBytes, done: this.#packetsDone, underWay };
  }

  setWritePacket(packetNumber: number, flags: number, eosPacketLength: number): void {
    this.#buffer();
    this.#linearBytes();
    const silence = this.#packets.write(packetNumber, flags, eosPacketLength, this.#progress);
    if (silence) this.#mapping?.fill(silence.offset, silence.bytes, this.#silence);
  }

  /** Eight bits are unsigned (§3.7.1). */
  get #silence(): number {
    return this.#format.bits === 8 ? 0x80 : 0;
  }

  getOutputStreamPresentationPosition(): KSAUDIO_PRESENTATION_POSITION {
    return {
      u64PositionInBlocks: Math.floor(this.#linearBytes() / this.#format.frameBytes),
      u64QPCPosition: keQueryPerformanceCounter().counter,
    };
  }

  getPacketCount(): number {
    this.#linearBytes();
    return this.#packetsDone;
  }

  getReadPacket(): ReturnType<IMiniportWaveRTInputStream['getReadPacket']> {
    this.#buffer();
    this.#linearBytes();
    const progress = this.#progress;
    const { packetNumber, moreData } = this.#packets.read(progress);
    const { frequency } = keQueryPerformanceCounter();
    const packetFrames = progress.packetBytes / this.#format.frameBytes;
    const packetTicks = (packetFrames * frequency) / this.#format.sampleRate;
    const behind = (progress.done - packetNumber) * packetTicks;
    return {
      packetNumber,
      flags: 0,
      performanceCounterValue: Math.max(0, Math.round(this.#lastPacketCounter - behind)),
      moreData,
    };
  }

  /* ---- IPowerNotify ---- */

  /** The controller loses its registers below D0. PortCls has paused the stream before and will run it again afterwards. */
  powerChangeNotify(newState: DEVICE_POWER_STATE): void {
    if (newState !== PowerDeviceD0) {
      this.#loaded = false;
      return;
    }
    if (this.#state < KSSTATE_ACQUIRE || !this.#geometry) return;
    // Whoever has LPIB mapped takes it for the place in the buffer, and it begins at 0 again: so does the buffer.
    if (this.#positionMapped) {
      const { bufferBytes } = this.#geometry;
      this.#bytes = Math.ceil(this.#bytes / bufferBytes) * bufferBytes;
      this.#packetsDone = Math.max(this.#packetsDone, this.#notificationCount * (this.#bytes / bufferBytes));
    }
    this.#load();
  }
}

/**
 * A half must be longer than what a FIFO holds ahead of LPIB, 256 bytes on the chips known, so that an interrupt tells which half ended.
 */
const LEAST_HALF_BYTES = 512;
