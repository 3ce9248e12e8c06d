import { CUnknown, type GUID, type IID } from '../../../com/index.ts';
import { type DEVICE_DESCRIPTION, mmMapIoSpace, mmUnmapIoSpace } from '../../../hal/index.ts';
import {
  currentKernel,
  KDPC,
  type KEVENT,
  KTIMER,
  keCancelTimer,
  keQueryPerformanceCounter,
  keSetEvent,
  keSetTimerEx,
  type MDL,
  type MEMORY_CACHING_TYPE,
  MmCached,
  NtError,
  STATUS_DATA_LATE_ERROR,
  STATUS_DATA_OVERRUN,
  STATUS_DEVICE_NOT_READY,
  STATUS_INSUFFICIENT_RESOURCES,
  STATUS_INVALID_DEVICE_STATE,
  STATUS_INVALID_PARAMETER,
  STATUS_NOT_IMPLEMENTED,
  type SystemMapping,
  TICKS_PER_SECOND,
} from '../../../kernel/index.ts';
import {
  type KSAUDIO_POSITION,
  type KSAUDIO_PRESENTATION_POSITION,
  type KSDATAFORMAT,
  type KSRTAUDIO_HWLATENCY,
  type KSRTAUDIO_HWREGISTER,
  type KSSTATE,
  KSSTATE_RUN,
  KSSTATE_STOP,
  KSSTREAM_HEADER_OPTIONSF_ENDOFSTREAM,
  signalProcessingMode,
  waveFormatOf,
} from '../../../ks/index.ts';
import {
  type AUDIO_CURVE_TYPE,
  type BasicSupportRange,
  type CONSTRICTOR_OPTION,
  type DRMRIGHTS,
  type eChannelTargetType,
  type IDrmAudioStream,
  IID_IDrmAudioStream,
  IID_IMiniportStreamAudioEngineNode,
  IID_IMiniportStreamAudioEngineNode2,
  IID_IMiniportWaveRTInputStream,
  IID_IMiniportWaveRTOutputStream,
  IID_IMiniportWaveRTStream,
  IID_IMiniportWaveRTStreamNotification,
  type IMiniportStreamAudioEngineNode2,
  type IMiniportWaveRTInputStream,
  type IMiniportWaveRTOutputStream,
  type IMiniportWaveRTStreamNotification,
  type IPortWaveRTStream,
  type PCPROPERTY_ITEM,
  type WaveRTAudioBuffer,
  type WaveRTReadPacket,
} from '../../ddi/index.ts';

/** Where the test card's two registers lie: position at 0, clock (64 bits) at 8. */
export const TEST_REGISTERS_PHYSICAL = 0xfebf_0000;
export const TEST_REGISTERS_LENGTH = 16;

/** What the test driver can and does; a test changes it before the machine starts, or during the run. */
export class TestScript {
  notification = true;
  packets = true;
  engine = true;
  drm = false;
  registers = true;
  signalProcessing = true;
  /** The position register lies in the first page behind the buffer's MDL, not in device memory. */
  registerInMemory = false;
  /** The adapter takes part in rebalances. */
  rebalance = false;
  /** Pages of cyclic buffers are one physical run. */
  contiguous = true;
  deviceDescription: DEVICE_DESCRIPTION = {
    master: true,
    scatterGather: true,
    dma32BitAddresses: true,
    maximumLength: 0x10_0000,
  };
  cacheType: MEMORY_CACHING_TYPE = MmCached;
  /** Bytes of the first page in front of the buffer. */
  offsetFromFirstPage = 0;
  /** Buffers are whole multiples of this. */
  bufferAlignment = 4;
  /** Says another size than was allocated. */
  claimedSize: number | null = null;
  /** The stream maps its pages into system space, and forgets what these name. */
  mapsBuffer = true;
  forgetUnmap = false;
  forgetFree = false;
  /** Entries of the pins' automation tables, by pin. */
  pinAutomation: readonly PCPROPERTY_ITEM[] = [];
  /** Every call of the port into miniport and streams, by DDI name, in order. */
  readonly calls: string[] = [];
  /** Runs at the start of each of them; what it throws leaves the method. */
  onCall: (method: string) => void = () => {};

  note(method: string, detail = ''): void {
    this.calls.push(detail === '' ? method : `${method}(${detail})`);
    this.onCall(method);
  }
}

/** What both sides of the engine say of their controls. */
export const VOLUME_RANGE: BasicSupportRange = { minimum: -96 * 65536, maximum: 0, steppingDelta: 65536 };
export const BOOL_RANGE: BasicSupportRange = { minimum: 0, maximum: 1, steppingDelta: 1 };

/** A stream that plays at exactly its format's rate on the machine's clock. */
export class TestStream
  extends CUnknown
  implements
    IMiniportWaveRTStreamNotification,
    IMiniportWaveRTOutputStream,
    IMiniportWaveRTInputStream,
    IMiniportStreamAudioEngineNode2,
    IDrmAudioStream
{
  readonly script: TestScript;
  readonly portStream: IPortWaveRTStream;
  readonly capture: boolean;
  state: KSSTATE = KSSTATE_STOP;
  mdl: MDL | null = null;
  bufferBytes = 0;
  contentId = 0;
  rights: DRMRIGHTS | null = null;
  loopbackProtection = 0;
  writePosition = -1;
  /** The signal-processing mode that the open request named. */
  readonly mode: GUID | null;
  lastBufferPosition = -1;
  #bytesPerSecond: number;
  #frameBytes: number;
  #mapping: SystemMapping | null = null;
  #notificationCount = 0;
  readonly #events: KEVENT[] = [];
  readonly #timer = new KTIMER('NotificationTimer', 'TestStream packet timer');
  readonly #dpc = new KDPC(() => this.#packetDone(), null);
  #startTick = 0;
  #bytesBefore = 0;
  #lastWritten = -1;
  #nextRead = 0;
  #endOfStream = false;
  #lfx = false;
  readonly #volumes = [0, 0];
  readonly #mutes = [false, false];
  #registers = 0;

  constructor(script: TestScript, portStream: IPortWaveRTStream, capture: boolean, format: KSDATAFORMAT) {
    super('TestStream');
    this.script = script;
    this.portStream = portStream;
    this.capture = capture;
    this.mode = signalProcessingMode(format.attributes);
    const wave = waveFormatOf(format);
    this.#bytesPerSecond = wave?.nAvgBytesPerSec ?? 192_000;
    this.#frameBytes = wave?.nBlockAlign ?? 4;
    portStream.addRef();
  }

  protected override nonDelegatingQueryInterface(iid: IID<unknown>): object | null {
    const { script, capture } = this;
    if (iid.equals(IID_IMiniportWaveRTStream)) return this;
    if (iid.equals(IID_IMiniportWaveRTStreamNotification)) return script.notification ? this : null;
    if (iid.equals(IID_IMiniportWaveRTOutputStream)) return script.packets && !capture ? this : null;
    if (iid.equals(IID_IMiniportWaveRTInputStream)) return script.packets && capture ? this : null;
    if (iid.equals(IID_IMiniportStreamAudioEngineNode) || iid.equals(IID_IMiniportStreamAudioEngineNode2)) {
      return script.engine && !capture ? this : null;
    }
    if (iid.equals(IID_IDrmAudioStream)) return script.drm ? this : null;
    return super.nonDelegatingQueryInterface(iid);
  }

  protected override finalRelease(): void {
    this.script.note('~Stream');
    keCancelTimer(this.#timer);
    if (this.#registers !== 0) mmUnmapIoSpace(this.#registers, TEST_REGISTERS_LENGTH);
    this.portStream.release();
  }

  /** Events that the port has registered and not taken back. */
  get registeredEvents(): number {
    return this.#events.length;
  }

  get mapping(): SystemMapping | null {
    return this.#mapping;
  }

  setFormat(format: KSDATAFORMAT): void {
    this.script.note('SetFormat');
    const wave = waveFormatOf(format);
    const playable = wave !== null && wave.nAvgBytesPerSec > 0 && wave.nBlockAlign > 0;
    if (!playable || this.state === KSSTATE_RUN) throw new NtError(STATUS_INVALID_PARAMETER);
    this.#bytesPerSecond = wave.nAvgBytesPerSec;
    this.#frameBytes = wave.nBlockAlign;
  }

  setState(state: KSSTATE): void {
    this.script.note('SetState', `${state}`);
    const { clock } = currentKernel();
    if (state === KSSTATE_RUN) {
      if (this.mdl === null) throw new NtError(STATUS_INVALID_DEVICE_STATE);
      this.#startTick = clock.now;
      this.#armTimer();
    } else if (this.state === KSSTATE_RUN) {
      this.#bytesBefore = this.#linearBytes();
      keCancelTimer(this.#timer);
    }
    this.state = state;
    if (state === KSSTATE_STOP) {
      this.#bytesBefore = 0;
      this.#lastWritten = -1;
      this.#nextRead = 0;
      this.#endOfStream = false;
    }
  }

  #armTimer(): void {
    if (this.#notificationCount === 0) return;
    const packet = this.bufferBytes / this.#notificationCount;
    const left = packet - (this.#bytesBefore % packet);
    const ticks = (bytes: number) =>
      Math.max(1, Math.round((bytes * TICKS_PER_SECOND) / this.#bytesPerSecond));
    keSetTimerEx(this.#timer, -ticks(left), Math.max(1, Math.round(ticks(packet) / 10_000)), this.#dpc);
  }

  #packetDone(): void {
    if (this.state !== KSSTATE_RUN) return;
    for (const event of this.#events) keSetEvent(event);
  }

  /** Whole frames played since the stream left STOP, in bytes. */
  #linearBytes(): number {
    if (this.state !== KSSTATE_RUN) return this.#bytesBefore;
    const ticks = currentKernel().clock.now - this.#startTick;
    const frames = Math.floor((ticks * this.#bytesPerSecond) / TICKS_PER_SECOND / this.#frameBytes);
    return this.#bytesBefore + frames * this.#frameBytes;
  }

  getPosition(): KSAUDIO_POSITION {
    this.script.note('GetPosition');
    const bytes = this.bufferBytes === 0 ? 0 : this.#linearBytes() % this.bufferBytes;
    return { playOffset: bytes, writeOffset: bytes };
  }

  allocateAudioBuffer(requestedSize: number): WaveRTAudioBuffer {
    this.script.note('AllocateAudioBuffer', `${requestedSize}`);
    return this.#allocate(requestedSize, 0);
  }

  allocateBufferWithNotification(notificationCount: number, requestedSize: number): WaveRTAudioBuffer {
    this.script.note('AllocateBufferWithNotification', `${notificationCount}, ${requestedSize}`);
    return this.#allocate(requestedSize, notificationCount);
  }

  #allocate(requestedSize: number, notificationCount: number): WaveRTAudioBuffer {
    const { script, portStream } = this;
    const grain = script.bufferAlignment * Math.max(1, notificationCount);
    const size = Math.ceil(requestedSize / grain) * grain;
    const bytes = script.offsetFromFirstPage + size;
    const mdl = script.contiguous
      ? portStream.allocateContiguousPagesForMdl(0, Number.MAX_SAFE_INTEGER, bytes)
      : portStream.allocatePagesForMdl(Number.MAX_SAFE_INTEGER, bytes);
    if (mdl === null || mdl.byteCount < bytes) {
      if (mdl !== null) portStream.freePagesFromMdl(mdl);
      throw new NtError(STATUS_INSUFFICIENT_RESOURCES);
    }
    this.mdl = mdl;
    this.bufferBytes = size;
    this.#notificationCount = notificationCount;
    if (script.mapsBuffer) this.#mapping = portStream.mapAllocatedPages(mdl, script.cacheType);
    return {
      audioBufferMdl: mdl,
      actualSize: script.claimedSize ?? size,
      offsetFromFirstPage: script.offsetFromFirstPage,
      cacheType: script.cacheType,
    };
  }

  freeAudioBuffer(mdl: MDL, bufferSize: number): void {
    this.script.note('FreeAudioBuffer', `${bufferSize}`);
    this.#free(mdl);
  }

  freeBufferWithNotification(mdl: MDL, bufferSize: number): void {
    this.script.note('FreeBufferWithNotification', `${bufferSize}`);
    this.#free(mdl);
  }

  #free(mdl: MDL): void {
    if (this.#mapping !== null && !this.script.forgetUnmap) {
      this.portStream.unmapAllocatedPages(this.#mapping, mdl);
      this.#mapping = null;
    }
    if (!this.script.forgetFree) this.portStream.freePagesFromMdl(mdl);
    this.mdl = null;
    this.bufferBytes = 0;
  }

  registerNotificationEvent(event: KEVENT): void {
    this.script.note('RegisterNotificationEvent');
    this.#events.push(event);
  }

  unregisterNotificationEvent(event: KEVENT): void {
    this.script.note('UnregisterNotificationEvent');
    const index = this.#events.indexOf(event);
    if (index >= 0) this.#events.splice(index, 1);
  }

  getHWLatency(): KSRTAUDIO_HWLATENCY {
    this.script.note('GetHWLatency');
    return { fifoSize: 64, chipsetDelay: 0, codecDelay: 5_000 };
  }

  getPositionRegister(): KSRTAUDIO_HWREGISTER {
    this.script.note('GetPositionRegister');
    if (this.script.registerInMemory) {
      const register = (this.#mapping?.virtualAddress ?? 0) + 64;
      return { register, width: 64, numerator: 0, denominator: 0, accuracy: this.#frameBytes };
    }
    return {
      register: this.#mapRegisters(),
      width: 32,
      numerator: 0,
      denominator: 0,
      accuracy: this.#frameBytes,
    };
  }

  getClockRegister(): KSRTAUDIO_HWREGISTER {
    this.script.note('GetClockRegister');
    return {
      register: this.#mapRegisters() + 8,
      width: 64,
      numerator: 10_000_000,
      denominator: 1,
      accuracy: 1,
    };
  }

  #mapRegisters(): number {
    if (!this.script.registers) throw new NtError(STATUS_NOT_IMPLEMENTED);
    if (this.#registers === 0) this.#registers = mmMapIoSpace(TEST_REGISTERS_PHYSICAL, TEST_REGISTERS_LENGTH);
    return this.#registers;
  }

  // ---- packets

  #packetBytes(): number {
    return this.#notificationCount === 0 ? 0 : this.bufferBytes / this.#notificationCount;
  }

  #packetsDone(): number {
    const packet = this.#packetBytes();
    return packet === 0 ? 0 : Math.floor(this.#linearBytes() / packet);
  }

  getPacketCount(): number {
    this.script.note('GetPacketCount');
    return this.#packetsDone();
  }

  setWritePacket(packetNumber: number, flags: number, eosPacketLength: number): void {
    this.script.note('SetWritePacket', `${packetNumber}, ${flags}, ${eosPacketLength}`);
    if ((flags & ~KSSTREAM_HEADER_OPTIONSF_ENDOFSTREAM) !== 0) throw new NtError(STATUS_INVALID_PARAMETER);
    if (this.#endOfStream || this.mdl === null) throw new NtError(STATUS_INVALID_DEVICE_STATE);
    const done = this.#packetsDone();
    const late = this.state === KSSTATE_RUN ? packetNumber <= done : packetNumber < done;
    if (late) throw new NtError(STATUS_DATA_LATE_ERROR);
    if (packetNumber >= done + this.#notificationCount) throw new NtError(STATUS_DATA_OVERRUN);
    this.#lastWritten = Math.max(this.#lastWritten, packetNumber);
    this.#endOfStream = (flags & KSSTREAM_HEADER_OPTIONSF_ENDOFSTREAM) !== 0;
  }

  getOutputStreamPresentationPosition(): KSAUDIO_PRESENTATION_POSITION {
    this.script.note('GetOutputStreamPresentationPosition');
    return this.#presentation();
  }

  #presentation(): KSAUDIO_PRESENTATION_POSITION {
    return {
      u64PositionInBlocks: this.#linearBytes() / this.#frameBytes,
      u64QPCPosition: keQueryPerformanceCounter().counter,
    };
  }

  getReadPacket(): WaveRTReadPacket {
    this.script.note('GetReadPacket');
    const done = this.#packetsDone();
    if (done <= this.#nextRead) throw new NtError(STATUS_DEVICE_NOT_READY);
    // What the client did not read in time has been overwritten: the oldest packet that is still there comes next.
    this.#nextRead = Math.max(this.#nextRead, done - this.#notificationCount);
    const packetNumber = this.#nextRead++;
    return {
      packetNumber,
      flags: 0,
      performanceCounterValue: keQueryPerformanceCounter().counter,
      moreData: done > this.#nextRead,
    };
  }

  // ---- audio engine

  getLfxState(): boolean {
    this.script.note('GetLfxState');
    return this.#lfx;
  }

  setLfxState(enable: boolean): void {
    this.script.note('SetLfxState', `${enable}`);
    this.#lfx = enable;
  }

  getStreamChannelCount(): number {
    this.script.note('GetStreamChannelCount');
    return this.#volumes.length;
  }

  getStreamAttributeSteppings(target: eChannelTargetType): readonly BasicSupportRange[] {
    this.script.note('GetStreamAttributeSteppings');
    return target === 1 ? [BOOL_RANGE, BOOL_RANGE] : [VOLUME_RANGE, VOLUME_RANGE];
  }

  getStreamChannelVolume(channel: number): number {
    this.script.note('GetStreamChannelVolume');
    return this.#volumes[channel] ?? 0;
  }

  setStreamChannelVolume(channel: number, volume: number, curve: AUDIO_CURVE_TYPE, duration: number): void {
    this.script.note('SetStreamChannelVolume', `${channel}, ${volume}, ${curve}, ${duration}`);
    this.#volumes.forEach((_, index) => {
      if (channel === index || channel === 0xffff_ffff) this.#volumes[index] = volume;
    });
  }

  getStreamChannelPeakMeter(): number {
    this.script.note('GetStreamChannelPeakMeter');
    return 0x4321;
  }

  getStreamChannelMute(channel: number): boolean {
    this.script.note('GetStreamChannelMute');
    return this.#mutes[channel] ?? false;
  }

  setStreamChannelMute(channel: number, mute: boolean): void {
    this.script.note('SetStreamChannelMute', `${channel}, ${mute}`);
    this.#mutes[channel] = mute;
  }

  getStreamPresentationPosition(): KSAUDIO_PRESENTATION_POSITION {
    this.script.note('GetStreamPresentationPosition');
    return this.#presentation();
  }

  setStreamCurrentWritePosition(position: number): void {
    this.script.note('SetStreamCurrentWritePosition', `${position}`);
    this.writePosition = position;
  }

  getStreamLinearBufferPosition(): number {
    this.script.note('GetStreamLinearBufferPosition');
    return this.#linearBytes();
  }

  setStreamLoopbackProtection(option: CONSTRICTOR_OPTION): void {
    this.script.note('SetStreamLoopbackProtection', `${option}`);
    this.loopbackProtection = option;
  }

  setStreamCurrentWritePositionForLastBuffer(position: number): void {
    this.script.note('SetStreamCurrentWritePositionForLastBuffer', `${position}`);
    this.lastBufferPosition = position;
  }

  setContentId(contentId: number, drmRights: DRMRIGHTS): void {
    this.script.note('SetContentId', `${contentId}`);
    this.contentId = contentId;
    this.rights = drmRights;
  }
}
