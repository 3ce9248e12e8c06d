import { CUnknown, type IID } from '../../com/index.ts';
import type { CommonBuffer } from '../../hal/index.ts';
import {
  KDPC,
  type KEVENT,
  keInsertQueueDpc,
  keQueryPerformanceCounter,
  keSetEvent,
  type MDL,
  MmCached,
  NtError,
  STATUS_INSUFFICIENT_RESOURCES,
  STATUS_INVALID_DEVICE_STATE,
  STATUS_INVALID_PARAMETER,
  STATUS_NOT_SUPPORTED,
  type SystemMapping,
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
} from '../../portcls/index.ts';
import { PacketLedger } from '../common/packets.ts';
import type { Ac97Common, EngineInterruptSink, EngineName } from './common.ts';
import {
  type RingGeometry,
  ringGeometry,
  writeDescriptors,
  writeFirstDescriptor,
} from './descriptor-ring.ts';
import * as R from './registers.ts';

/**
 * What an engine may hold between memory and the AC-link. The datasheet gives no depth; what is reported here is a bound that
 * clients may rely on when they wait for the last sample: four bursts of eight dwords, 0.7 ms of 48 kHz stereo.
 */
const FIFO_BYTES = 128;
/** From a slot on the AC-link to the analogue pin: one audio frame of 48 kHz in the codec's input latch (AC'97 2.3, 4.1). */
const CODEC_DELAY_100NS = 208;
const BYTES_PER_SAMPLE = 2;
const DESCRIPTOR_ALIGNMENT = 4;

export interface WaveStreamOptions {
  readonly pin: number;
  readonly engine: EngineName;
  readonly rateRegister: number;
  readonly capture: boolean;
  readonly sampleRate: number;
  readonly channels: number;
  readonly checkFormat: (format: KSDATAFORMAT) => { sampleRate: number; channels: number };
}

/**
 * One running engine. The cyclic buffer is physically contiguous and described by a list of 32 descriptors that is written
 * once; LVI is kept one behind CIV, so that the engine never meets its last valid descriptor as long as an interrupt is
 * served within 31 of them.
 */
export class Ac97WaveStream
  extends CUnknown
  implements
    IMiniportWaveRTStreamNotification,
    IMiniportWaveRTOutputStream,
    IMiniportWaveRTInputStream,
    IPowerNotify,
    EngineInterruptSink
{
  readonly #common: Ac97Common;
  readonly #portStream: IPortWaveRTStream;
  readonly #options: WaveStreamOptions;
  readonly #engine: EngineName;
  readonly #descriptors: CommonBuffer;
  readonly #dpc: KDPC;
  readonly #events = new Set<KEVENT>();
  readonly #packets = new PacketLedger();
  #sampleRate: number;
  #state: KSSTATE = KSSTATE_STOP;

  #mdl: MDL | null = null;
  #mapping: SystemMapping | null = null;
  #geometry: RingGeometry | null = null;
  #notificationCount: 0 | 1 | 2 = 0;

  /** Descriptors done since the engine was acquired; CIV gives its low five bits. */
  #entriesDone = 0;
  #lastCiv = 0;
  /** Number of the descriptor that entry 0 of the list stands for, as long as entry 0 holds only the rest of it; else null. */
  #cutEntry: number | null = null;
  #bufferAddress = 0;
  /** Position in bytes since the engine was acquired, as of the last pause; valid unless in RUN. */
  #pausedBytes = 0;
  #packetsSignalled = 0;
  #lastPacketCounter = 0;

  constructor(common: Ac97Common, portStream: IPortWaveRTStream, options: WaveStreamOptions) {
    super(`Ac97WaveStream(${options.engine})`);
    this.#common = common;
    this.#options = options;
    this.#engine = options.engine;
    this.#sampleRate = options.sampleRate;
    this.#descriptors = common.allocateDescriptorList();
    this.#portStream = portStream;
    this.#dpc = new KDPC(() => this.#packetDone(), null);
    common.addRef();
    portStream.addRef();
    common.setInterruptSink(this.#engine, this);
    try {
      this.#programRate(options.sampleRate);
    } catch (error) {
      this.finalRelease();
      throw error;
    }
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
    this.#common.setInterruptSink(this.#engine, null);
    this.#common.freeDescriptorList(this.#descriptors);
    this.#portStream.release();
    this.#common.release();
  }

  get #frameBytes(): number {
    return this.#options.channels * BYTES_PER_SAMPLE;
  }

  #programRate(sampleRate: number): void {
    const taken = this.#common.programRate(this.#options.rateRegister, sampleRate);
    if (taken !== sampleRate) {
      throw new NtError(
        STATUS_INVALID_PARAMETER,
        `AC97: the codec's nearest rate to ${sampleRate} Hz is ${taken} Hz; ask for that one.`,
      );
    }
    this.#sampleRate = sampleRate;
  }

  setFormat(dataFormat: KSDATAFORMAT): void {
    const { sampleRate } = this.#options.checkFormat(dataFormat);
    if (this.#state !== KSSTATE_STOP) {
      throw new NtError(STATUS_INVALID_PARAMETER, 'AC97: the rate can be changed in KSSTATE_STOP only.');
    }
    this.#programRate(sampleRate);
  }

  /* ---- buffer ---- */

  allocateAudioBuffer(
    requestedSize: number,
  ): ReturnType<IMiniportWaveRTStreamNotification['allocateAudioBuffer']> {
    return this.#allocate(requestedSize, 0);
  }

  allocateBufferWithNotification(
    notificationCount: number,
    requestedSize: number,
  ): ReturnType<IMiniportWaveRTStreamNotification['allocateAudioBuffer']> {
    if (notificationCount !== 1 && notificationCount !== 2) {
      throw new NtError(
        STATUS_INVALID_PARAMETER,
        `AC97: ${notificationCount} notifications per buffer; 1 or 2 are possible.`,
      );
    }
    return this.#allocate(requestedSize, notificationCount);
  }

  #allocate(
    requestedSize: number,
    notificationCount: 0 | 1 | 2,
  ): ReturnType<IMiniportWaveRTStreamNotification['allocateAudioBuffer']> {
    if (this.#mdl) throw new NtError(STATUS_INVALID_DEVICE_STATE, 'AC97: the stream has its buffer already.');
    if (requestedSize <= 0)
      throw new NtError(STATUS_INVALID_PARAMETER, 'AC97: a buffer of 0 bytes was asked for.');
    const geometry = ringGeometry(requestedSize, notificationCount, this.#frameBytes);
    const mdl =
      geometry && this.#portStream.allocateContiguousPagesForMdl(0, 0xffff_ffff, geometry.bufferBytes);
    if (!mdl) {
      throw new NtError(
        STATUS_INSUFFICIENT_RESOURCES,
        `AC97: no contiguous buffer of ${requestedSize} bytes below 4 GiB; ` +
          `the engine's limit is ${R.BD_ENTRIES * R.BD_MAX_SAMPLES * BYTES_PER_SAMPLE} bytes.`,
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

  freeAudioBuffer(mdl: MDL | null, _bufferSize: number): void {
    if (!mdl || mdl !== this.#mdl || !this.#mapping) return;
    this.#portStream.unmapAllocatedPages(this.#mapping, mdl);
    this.#portStream.freePagesFromMdl(mdl);
    this.#mdl = null;
    this.#mapping = null;
    this.#geometry = null;
  }

  freeBufferWithNotification(mdl: MDL | null, bufferSize: number): void {
    this.freeAudioBuffer(mdl, bufferSize);
  }

  registerNotificationEvent(event: KEVENT): void {
    if (this.#events.has(event))
      throw new NtError(STATUS_INVALID_PARAMETER, 'AC97: the event is registered already.');
    this.#events.add(event);
  }

  unregisterNotificationEvent(event: KEVENT): void {
    if (!this.#events.delete(event))
      throw new NtError(STATUS_INVALID_PARAMETER, 'AC97: the event is not registered.');
  }

  getHWLatency(): KSRTAUDIO_HWLATENCY {
    return { fifoSize: FIFO_BYTES, chipsetDelay: 0, codecDelay: CODEC_DELAY_100NS };
  }

  /** The engine counts down within a descriptor: there is no register with the position in the buffer. */
  getPositionRegister(): KSRTAUDIO_HWREGISTER {
    throw new NtError(STATUS_NOT_SUPPORTED);
  }

  getClockRegister(): KSRTAUDIO_HWREGISTER {
    throw new NtError(STATUS_NOT_SUPPORTED);
  }

  /* ---- state ---- */

  setState(state: KSSTATE): void {
    if (state === KSSTATE_RUN) this.#run();
    else if (state === KSSTATE_PAUSE) this.#pause();
    else if (state === KSSTATE_ACQUIRE && this.#state === KSSTATE_STOP) this.#acquire();
    else if (state === KSSTATE_STOP) this.#stop();
    this.#state = state;
    // A packet that ended just as the stream was halted, or the device lost its power, is told now.
    if (state === KSSTATE_RUN && this.#packetsDone > this.#packetsSignalled) keInsertQueueDpc(this.#dpc);
  }

  #acquire(): void {
    this.#entriesDone = 0;
    this.#pausedBytes = 0;
    this.#packetsSignalled = 0;
    this.#packets.reset();
    if (this.#geometry) this.#loadEngine();
  }

  /**
   * Points the reset engine at the descriptor list, with entry 0 standing for the next descriptor to do, or for the rest of it when
   * `offsetBytes` of it are done.
   */
  #loadEngine(offsetBytes = 0): void {
    const { mdl, geometry } = this.#buffer();
    this.#common.resetEngine(this.#engine);
    this.#bufferAddress = this.#portStream.getPhysicalPageAddress(mdl, 0);
    writeDescriptors(this.#descriptors, this.#bufferAddress, geometry, this.#entriesDone, offsetBytes);
    this.#cutEntry = offsetBytes > 0 ? this.#entriesDone : null;
    this.#lastCiv = 0;
    this.#common.writeEngineUlong(this.#engine, R.X_BDBAR, this.#descriptors.logicalAddress);
    this.#common.writeEngineUchar(this.#engine, R.X_LVI, R.BD_ENTRIES - 1);
  }

  #buffer(): { mdl: MDL; geometry: RingGeometry } {
    if (!this.#mdl || !this.#geometry) {
      throw new NtError(
        STATUS_INVALID_DEVICE_STATE,
        'AC97: the stream has no buffer; KSPROPERTY_RTAUDIO_BUFFER comes first.',
      );
    }
    return { mdl: this.#mdl, geometry: this.#geometry };
  }

  #run(): void {
    this.#buffer();
    // The buffer may have come after KSSTATE_ACQUIRE: the engine is loaded by the first RUN then.
    if (this.#pausedBytes === 0 && this.#entriesDone === 0) this.#loadEngine();
    this.#common.synchronized(() => {
      this.#common.writeEngineUchar(this.#engine, R.X_CR, R.CR_RPBM | R.CR_IOCE | R.CR_LVBIE | R.CR_FEIE);
    });
  }

  #pause(): void {
    if (this.#state !== KSSTATE_RUN) return;
    this.#common.synchronized(() => {
      this.#common.writeEngineUchar(this.#engine, R.X_CR, R.CR_IOCE | R.CR_LVBIE | R.CR_FEIE);
      this.#pausedBytes = this.#readBytes();
    });
  }

  #stop(): void {
    try {
      this.#common.resetEngine(this.#engine);
    } finally {
      this.#entriesDone = 0;
      this.#pausedBytes = 0;
      this.#packetsSignalled = 0;
      this.#packets.reset();
    }
  }

  /* ---- position ---- */

  /** Bytes since the start, from the engine's registers. The interrupt service routine must be kept out. */
  #readBytes(): number {
    const geometry = this.#geometry;
    if (!geometry) return 0;
    let civ = this.#common.readEngineUchar(this.#engine, R.X_CIV);
    let samplesLeft: number;
    // CIV and PICB are two registers: both belong together only if CIV is the same before and after.
    for (let attempt = 0; ; attempt++) {
      samplesLeft = this.#common.readEngineUshort(this.#engine, R.X_PICB);
      const again = this.#common.readEngineUchar(this.#engine, R.X_CIV);
      if (again === civ || attempt === 3) break;
      civ = again;
    }
    this.#advance(civ);
    const left = Math.min(samplesLeft * BYTES_PER_SAMPLE, geometry.segmentBytes);
    return (this.#entriesDone + 1) * geometry.segmentBytes - left;
  }

  #advance(civ: number): void {
    const done = (civ - this.#lastCiv) & (R.BD_ENTRIES - 1);
    if (done === 0) return;
    this.#lastCiv = civ;
    this.#entriesDone += done;
    if (this.#cutEntry !== null && this.#geometry) {
      // The engine is past entry 0 and comes back to it after 31 others.
      writeFirstDescriptor(this.#descriptors, this.#bufferAddress, this.#geometry, this.#cutEntry);
      this.#cutEntry = null;
    }
    this.#common.writeEngineUchar(this.#engine, R.X_LVI, (civ - 1) & (R.BD_ENTRIES - 1));
  }

  #linearBytes(): number {
    return this.#state === KSSTATE_RUN
      ? this.#common.synchronized(() => this.#readBytes())
      : this.#pausedBytes;
  }

  getPosition(): KSAUDIO_POSITION {
    const bytes = this.#geometry ? this.#linearBytes() % this.#geometry.bufferBytes : 0;
    return { playOffset: bytes, writeOffset: bytes };
  }

  /* ---- interrupt ---- */

  /** At DIRQL. */
  engineInterrupt(_status: number): void {
    this.#advance(this.#common.readEngineUchar(this.#engine, R.X_CIV));
    if (this.#notificationCount !== 0) keInsertQueueDpc(this.#dpc);
  }

  get #packetsDone(): number {
    const perPacket = this.#geometry?.segmentsPerPacket ?? 0;
    return perPacket === 0 ? 0 : Math.floor(this.#entriesDone / perPacket);
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

  setWritePacket(packetNumber: number, flags: number, eosPacketLength: number): void {
    const { bufferBytes } = this.#buffer().geometry;
    const packetsInBuffer = this.#notificationCount;
    const packetBytes = packetsInBuffer === 0 ? 0 : bufferBytes / packetsInBuffer;
    const bytes = this.#linearBytes();
    // What follows the end must be silence until the client stops the stream.
    const silence = this.#packets.write(packetNumber, flags, eosPacketLength, {
      packetsInBuffer,
      packetBytes,
      done: packetBytes === 0 ? 0 : Math.floor(bytes / packetBytes),
      underWay: bytes > 0 && this.#state === KSSTATE_RUN,
    });
    if (silence) this.#mapping?.fill(silence.offset, silence.bytes, 0);
  }

  getOutputStreamPresentationPosition(): KSAUDIO_PRESENTATION_POSITION {
    return {
      u64PositionInBlocks: Math.floor(this.#linearBytes() / this.#frameBytes),
      u64QPCPosition: keQueryPerformanceCounter().counter,
    };
  }

  getPacketCount(): number {
    if (this.#state === KSSTATE_RUN) this.#linearBytes();
    return this.#packetsDone;
  }

  getReadPacket(): ReturnType<IMiniportWaveRTInputStream['getReadPacket']> {
    const { geometry } = this.#buffer();
    if (this.#state === KSSTATE_RUN) this.#linearBytes();
    const done = this.#packetsDone;
    const { packetNumber, moreData } = this.#packets.read({
      packetsInBuffer: this.#notificationCount,
      packetBytes: geometry.segmentBytes * geometry.segmentsPerPacket,
      done,
      underWay: true,
    });
    const packetFrames = (geometry.segmentBytes * geometry.segmentsPerPacket) / this.#frameBytes;
    const { frequency } = keQueryPerformanceCounter();
    const packetTicks = (packetFrames * frequency) / this.#sampleRate;
    return {
      packetNumber,
      flags: 0,
      performanceCounterValue: Math.max(
        0,
        Math.round(this.#lastPacketCounter - (done - packetNumber) * packetTicks),
      ),
      moreData,
    };
  }

  /* ---- IPowerNotify ---- */

  /** The engine loses its registers below D0. PortCls has paused the stream before and will run it again afterwards. */
  powerChangeNotify(newState: DEVICE_POWER_STATE): void {
    if (newState !== PowerDeviceD0 || this.#state < KSSTATE_ACQUIRE || !this.#geometry) return;
    this.#programRate(this.#sampleRate);
    const { segmentBytes } = this.#geometry;
    // On with the very next frame that memory has not given (or taken); a descriptor begins on a dword, which half a mono pair is not.
    this.#pausedBytes = Math.ceil(this.#pausedBytes / DESCRIPTOR_ALIGNMENT) * DESCRIPTOR_ALIGNMENT;
    this.#entriesDone = Math.floor(this.#pausedBytes / segmentBytes);
    this.#loadEngine(this.#pausedBytes % segmentBytes);
  }
}
