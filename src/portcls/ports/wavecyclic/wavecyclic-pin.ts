import { type IUnknown, tryQueryInterface } from '../../../com/index.ts';
import {
  exQueueWorkItem,
  type IRP,
  KSPIN_LOCK,
  keAcquireSpinLock,
  keReleaseSpinLock,
  type NTSTATUS,
  NtError,
  STATUS_CANCELLED,
  STATUS_DEVICE_NOT_READY,
  STATUS_DEVICE_REMOVED,
  STATUS_INSUFFICIENT_RESOURCES,
  STATUS_INVALID_DEVICE_REQUEST,
  STATUS_INVALID_DEVICE_STATE,
  STATUS_PENDING,
  STATUS_SUCCESS,
  STATUS_UNSUCCESSFUL,
  type SystemMapping,
  TICKS_PER_SECOND,
  TraceKind,
  WORK_QUEUE_ITEM,
} from '../../../kernel/index.ts';
import {
  IOCTL_KS_READ_STREAM,
  IOCTL_KS_RESET_STATE,
  IOCTL_KS_WRITE_STREAM,
  type KSALLOCATOR_FRAMING,
  KSALLOCATOR_REQUIREMENTF_SYSTEM_MEMORY,
  type KSAUDIO_POSITION,
  type KSDATAFORMAT,
  KSINTERFACE_STANDARD_LOOPED_STREAMING,
  KSRESET_BEGIN,
  type KSSTATE,
  KSSTATE_RUN,
  KSSTATE_STOP,
  ksAcquireResetValue,
  waveFormatOf,
} from '../../../ks/index.ts';
import {
  type IDmaChannel,
  type IDrmAudioStream,
  IID_IDrmAudioStream,
  type IMiniportWaveCyclicStream,
  type IServiceGroup,
} from '../../ddi/index.ts';
import { CallbackSink } from '../callback-sink.ts';
import { IrpStream } from '../irp-stream/index.ts';
import { createPinClock } from '../pin-clock.ts';
import type { PinCreate, PinObject, PinObjectCreate } from '../port-handle.ts';
import { StreamMarks } from '../stream-marks.ts';
import { StreamPin } from '../stream-pin.ts';
import { CaptureTransport } from './capture-transport.ts';
import type { CyclicDevice, CyclicGeometry } from './cyclic-transport.ts';
import type { PortWaveCyclic } from './port-wavecyclic.ts';
import { RenderTransport } from './render-transport.ts';

/** What the port asks of SetNotificationFreq, always (DDI page IMiniportWaveCyclicStream::SetNotificationFreq). */
const NOTIFICATION_INTERVAL_MS = 10;
/** Requests that a client should keep queued, each of one notification's bytes (wavepci-latency.md says the same of KMixer). */
const ALLOCATOR_FRAMES = 3;

const STREAM = 'IMiniportWaveCyclicStream';

/**
 * An open pin of a WaveCyclic filter: the miniport's stream, its cyclic buffer, and the client's requests between which the port
 * copies. Methods at PASSIVE_LEVEL unless they say otherwise.
 */
export class WaveCyclicPin extends StreamPin implements CyclicDevice {
  readonly marks = new StreamMarks();
  readonly looped: boolean;
  readonly #lock = new KSPIN_LOCK();
  readonly #requests: IrpStream;
  readonly #transport: RenderTransport | CaptureTransport;
  readonly #sink: CallbackSink;
  #stream: IMiniportWaveCyclicStream | null = null;
  #channel: IDmaChannel | null = null;
  #group: IServiceGroup | null = null;
  #drmAudioStream: IDrmAudioStream | null = null;
  #buffer: SystemMapping | null = null;
  #geometry: CyclicGeometry;
  /** The device moves data, or is about to. */
  #running = false;
  /** Power is back, and the stream is about to go on. */
  #resuming = false;
  /** Between KSRESET_BEGIN and KSRESET_END. */
  #resetting = false;
  /** 100-ns units at the place where the format was changed last. */
  #times = { stream: 0, physical: 0 };
  readonly #formatWork = new WORK_QUEUE_ITEM(() => this.#applyNewFormat(), 'WaveCyclic format change');

  // Made once, so that a period allocates no closures.
  readonly #callGetPosition: () => number;
  readonly #callSilence: () => void;
  readonly #callSetState: () => void;
  readonly #serviceLocked = () => this.#move();
  #nextState: KSSTATE = KSSTATE_STOP;
  #silenceOffset = 0;
  #silenceCount = 0;

  /** Creates the miniport's stream. Throws what NewStream throws, or what its results lack; nothing is left then. */
  constructor(port: PortWaveCyclic, create: PinCreate) {
    super(create);
    this.looped = create.connect.interface.id === KSINTERFACE_STANDARD_LOOPED_STREAMING;
    this.#requests = new IrpStream(this.capture, this.looped, () => this.#endOfStream(), true);
    this.#callGetPosition = () => this.cyclicStream.getPosition();
    this.#callSilence = () => {
      const buffer = this.#buffer;
      if (buffer !== null) this.cyclicStream.silence(buffer, this.#silenceOffset, this.#silenceCount);
    };
    this.#callSetState = () => this.cyclicStream.setState(this.#nextState);
    this.#sink = new CallbackSink('WaveCyclic service sink', () => this.#service());
    try {
      const { stream, dmaChannel, serviceGroup } = port.newStream(
        create.pinId,
        this.capture,
        create.dataFormat,
      );
      this.#stream = stream;
      this.#channel = dmaChannel;
      this.#group = serviceGroup;
      this.#requireResults();
      this.#drmAudioStream = this.callOut(`${STREAM}::QueryInterface(IID_IDrmAudioStream)`, () =>
        tryQueryInterface(stream, IID_IDrmAudioStream),
      );
      this.#geometry = this.#measure(create.dataFormat, true);
      this.callOut('IServiceGroup::AddMember', () => serviceGroup.addMember(this.#sink));
    } catch (error) {
      if (error instanceof NtError) this.#releaseStream();
      throw error;
    }
    this.#transport = this.capture
      ? new CaptureTransport(this, this.#requests, this.#geometry)
      : new RenderTransport(this, this.#requests, this.#geometry);
  }

  #requireResults(): void {
    const missing = [
      ['Stream', this.#stream],
      ['DmaChannel', this.#channel],
      ['ServiceGroup', this.#group],
    ]
      .filter(([, value]) => value === null || value === undefined)
      .map(([name]) => name);
    if (missing.length === 0) return;
    this.finding(`IMiniportWaveCyclic::NewStream succeeded without ${missing.join(', ')}.`);
    throw new NtError(STATUS_UNSUCCESSFUL, `NewStream gave no ${missing.join(', ')}`);
  }

  // ------------------------------------------------------------------ what the pin is

  override get stream(): IUnknown | null {
    return this.#stream;
  }

  /** The miniport's stream; throws STATUS_INVALID_DEVICE_STATE after close. */
  get cyclicStream(): IMiniportWaveCyclicStream {
    if (this.#stream === null) throw new NtError(STATUS_INVALID_DEVICE_STATE, 'the stream is closed');
    return this.#stream;
  }

  override get drmAudioStream(): IDrmAudioStream | null {
    return this.#drmAudioStream;
  }

  /** A WaveCyclic stream does not survive a rebalance (P-24: WaveRT and Topology only). */
  override get allowsRebalance(): boolean {
    return false;
  }

  /** Sizes of the cyclic buffer and what the format makes of them. */
  get geometry(): CyclicGeometry {
    return this.#geometry;
  }

  override get allocatorFraming(): KSALLOCATOR_FRAMING {
    return {
      optionsFlags: KSALLOCATOR_REQUIREMENTF_SYSTEM_MEMORY,
      poolType: 0,
      frames: ALLOCATOR_FRAMES,
      frameSize: this.#geometry.frameBytes,
      fileAlignment: 0,
    };
  }

  // ------------------------------------------------------------------ the device, for the transports

  get now(): number {
    return this.port.kernel.clock.now;
  }

  deviceOffset(): number {
    const offset = this.callOut(`${STREAM}::GetPosition`, this.#callGetPosition);
    const { bufferBytes } = this.#geometry;
    if (!(offset >= 0 && offset <= bufferBytes)) {
      this.finding('GetPosition gave an offset beyond the cyclic buffer; offsets count from its start.', {
        offset,
        bufferBytes,
      });
      return 0;
    }
    return offset;
  }

  silence(byteOffset: number, byteCount: number): void {
    this.#silenceOffset = byteOffset;
    this.#silenceCount = byteCount;
    this.callOut(`${STREAM}::Silence`, this.#callSilence);
  }

  copyTo(destination: number, source: Uint8Array, byteCount: number, sourceOffset: number): void {
    this.#dmaChannel.copyTo(destination, source, byteCount, sourceOffset);
  }

  copyFrom(destination: Uint8Array, source: number, byteCount: number, destinationOffset: number): void {
    this.#dmaChannel.copyFrom(destination, source, byteCount, destinationOffset);
  }

  streamTime(streamBytes: number): number {
    return this.#times.stream + this.#normalize(streamBytes - this.#transport.formatStart);
  }

  /** The miniport's conversion; where it refuses, the format's average rate, since the DPC that stamps recordings has nobody to tell. */
  #normalize(bytes: number): number {
    try {
      return this.callOut(`${STREAM}::NormalizePhysicalPosition`, () =>
        this.cyclicStream.normalizePhysicalPosition(bytes),
      );
    } catch (error) {
      if (!(error instanceof NtError)) throw error;
      this.finding('A position was turned into time by the average rate, since the miniport did not do it.', {
        status: error.status,
      });
      return Math.floor((bytes * TICKS_PER_SECOND) / this.#geometry.bytesPerSecond);
    }
  }

  wentBack(byteCount: number): void {
    this.finding('GetPosition went back in KSSTATE_RUN; the port waits until it has caught up.', {
      bytes: byteCount,
    });
  }

  get #dmaChannel(): IDmaChannel {
    if (this.#channel === null) throw new NtError(STATUS_INVALID_DEVICE_STATE, 'the stream is closed');
    return this.#channel;
  }

  // ------------------------------------------------------------------ moving data

  /** The service group's DPC. DISPATCH_LEVEL. */
  #service(): void {
    if (this.#running && this.#stream !== null) this.#locked(this.#serviceLocked);
  }

  /** Runs under the pin's lock; requests that got done in it are completed behind it. Up to DISPATCH_LEVEL. */
  #locked<T>(work: () => T): T {
    const irql = keAcquireSpinLock(this.#lock);
    let result: T;
    try {
      result = work();
    } finally {
      keReleaseSpinLock(this.#lock, irql);
    }
    this.#requests.completeFinished();
    return result;
  }

  /** One step: where is the device, what can be moved, who waits for that. */
  #move(): void {
    const transport = this.#transport;
    transport.updatePosition(this.#running);
    const wasStarved = transport instanceof RenderTransport && transport.starved;
    transport.move();
    if (transport instanceof RenderTransport) {
      if (transport.takeEndReached()) this.marks.signalEnd();
      if (transport.starved && !wasStarved && !transport.ended) this.#traceStarvation();
    }
    if (this.marks.any) this.#passMarks();
    for (const object of this.objects) object.tick();
    // SetFormat is for PASSIVE_LEVEL.
    if (this.#formatIsDue && !this.#formatWork.queued) exQueueWorkItem(this.#formatWork);
  }

  /** A new format comes next in the stream, and all data before it have been played (stream-changes.md). */
  get #formatIsDue(): boolean {
    const transport = this.#transport;
    return this.#requests.newFormat !== null && transport instanceof RenderTransport && transport.drained;
  }

  /** The stream goes on in the format that its client has announced, or in the old one when the miniport refuses. PASSIVE_LEVEL. */
  #applyNewFormat(): void {
    const format = this.#locked(() => this.#requests.newFormat);
    if (format === null || this.#stream === null || !this.present || !this.#formatIsDue) return;
    let status: NTSTATUS = STATUS_SUCCESS;
    try {
      this.setFormat(format);
    } catch (error) {
      if (!(error instanceof NtError)) throw error;
      status = error.status;
    }
    this.#locked(() => {
      this.#requests.finishNewFormat(status);
      if (this.#running) this.#move();
    });
  }

  #passMarks(): void {
    const loop = this.#requests.current();
    if (loop === null || loop.streamStart === null) return;
    this.marks.passTo(this.#transport.converterBytes - loop.streamStart, loop.byteLength);
  }

  #endOfStream(): void {
    const transport = this.#transport;
    if (transport instanceof RenderTransport) transport.markEnd();
  }

  #traceStarvation(): void {
    const { trace } = this.port.kernel;
    if ((trace.mask & TraceKind.State) === 0) return;
    trace.emit(TraceKind.State, 'I', this.port.driverName, 'Starved: silence is played', {
      pin: this.pinId,
      streamBytes: this.#transport.streamBytes,
    });
  }

  // ------------------------------------------------------------------ requests of the client

  override deviceControl(ioControlCode: number, irp: IRP): NTSTATUS {
    irp.ioStatus.information = 0;
    switch (ioControlCode) {
      case IOCTL_KS_READ_STREAM:
      case IOCTL_KS_WRITE_STREAM:
        if ((ioControlCode === IOCTL_KS_READ_STREAM) !== this.capture) return STATUS_INVALID_DEVICE_REQUEST;
        this.#submit(irp);
        return STATUS_PENDING;
      case IOCTL_KS_RESET_STATE:
        this.#reset(ksAcquireResetValue(irp) === KSRESET_BEGIN);
        return STATUS_SUCCESS;
      default:
        return STATUS_INVALID_DEVICE_REQUEST;
    }
  }

  #submit(irp: IRP): void {
    this.requirePresent();
    if (this.#resetting) throw new NtError(STATUS_DEVICE_NOT_READY, 'the pin is being reset');
    if (this.state === KSSTATE_STOP) {
      throw new NtError(STATUS_INVALID_DEVICE_STATE, 'a stopped pin takes no stream requests');
    }
    this.#requests.submit(irp);
    // What a starving device waits for need not wait for its next interrupt; empty packets need not wait at all.
    if (this.#running) this.#locked(this.#serviceLocked);
    else this.#locked(() => this.#requests.current());
    if (this.#formatIsDue) this.#applyNewFormat();
  }

  #reset(begin: boolean): void {
    this.#resetting = begin;
    if (begin) this.#requests.abortAll(STATUS_CANCELLED);
  }

  /** Play (or record) and write (or read) position, as audio-position-property.md defines them. */
  override getPosition(): KSAUDIO_POSITION {
    this.requirePresent();
    if (this.state === KSSTATE_STOP) return { playOffset: 0, writeOffset: 0 };
    return this.#locked(() => {
      const transport = this.#transport;
      transport.updatePosition(this.#running);
      return {
        playOffset: transport.clientOffset(transport.converterBytes),
        writeOffset: transport.clientOffset(transport.streamBytes),
      };
    });
  }

  // ------------------------------------------------------------------ clock

  override createObject(create: PinObjectCreate): PinObject {
    return createPinClock(this, create);
  }

  /** The converter's time in 100-ns units; `physical`: with the silence in between, else in the client's data. Up to DISPATCH_LEVEL. */
  clockTime(physical: boolean): number {
    if (this.#stream === null || !this.present) return 0;
    const transport = this.#transport;
    if (this.state !== KSSTATE_STOP && !this.#lock.isHeld) {
      this.#locked(() => transport.updatePosition(this.#running));
    }
    return physical
      ? this.#times.physical + this.#normalize(transport.deviceBytes)
      : this.streamTime(Math.max(transport.converterBytes, transport.formatStart));
  }

  /** One sample of all channels. */
  get clockGranularity(): number {
    const { blockBytes, bytesPerSecond } = this.#geometry;
    return Math.max(1, Math.round((blockBytes * TICKS_PER_SECOND) / bytesPerSecond));
  }

  // ------------------------------------------------------------------ state and format

  protected override setStreamState(state: KSSTATE): void {
    const leavesRun = this.#running;
    this.#nextState = state;
    if (state === KSSTATE_RUN) this.#start();
    try {
      this.callOut(`${STREAM}::SetState`, this.#callSetState);
      if (state === KSSTATE_RUN) this.#started();
    } catch (error) {
      if (state === KSSTATE_RUN) this.#running = false;
      throw error;
    } finally {
      if (leavesRun) this.#halt();
      if (state === KSSTATE_STOP) this.#end();
    }
  }

  /** As much as there is goes into the buffer; the device does not wait for more (wavecyclic-latency.md). */
  #start(): void {
    this.#transport.start();
    // A device that says already where it will begin finds its data there from the first byte on.
    if (this.#resuming) this.#locked(() => this.#transport.started(true));
    if (!this.capture) this.#locked(this.#serviceLocked);
    this.#running = true;
  }

  /** Positions are frozen in PAUSE, and go on from there; a device that was without power may know nothing of that. */
  #started(): void {
    const moved = this.#locked(() => this.#transport.started(this.#resuming));
    if (!moved || this.#resuming) return;
    this.finding('GetPosition went on from another place in KSSTATE_RUN than where it had been frozen.');
  }

  override resume(): void {
    this.#resuming = true;
    super.resume();
    this.#resuming = false;
  }

  /** The position is frozen: what was recorded up to it is handed over. */
  #halt(): void {
    this.#running = false;
    if (this.#stream === null || !this.present) return;
    this.#locked(() => {
      this.#move();
      this.#requests.flushOnPause();
      if (this.#transport instanceof RenderTransport) this.#transport.flush();
    });
  }

  #end(): void {
    this.#requests.endAll();
    this.#transport.reset();
    this.#times = { stream: 0, physical: 0 };
    this.marks.reset();
    this.#resetting = false;
  }

  /**
   * On a stream that is under way, what the device has not come to yet was meant for the old format and is dropped: clients that want it
   * played announce the new format in the stream (KSSTREAM_HEADER_OPTIONSF_TYPECHANGED). Times go on, each stretch in its format.
   */
  protected override setStreamFormat(dataFormat: KSDATAFORMAT): void {
    const stopped = this.state === KSSTATE_STOP;
    const transport = this.#transport;
    if (this.#running) this.#locked(this.#serviceLocked);
    const times = stopped
      ? this.#times
      : {
          stream: this.streamTime(this.capture ? transport.converterBytes : transport.streamBytes),
          physical: this.clockTime(true),
        };
    // A device that begins anew may fetch from the buffer before SetFormat has returned.
    if (this.#running && transport instanceof RenderTransport && transport.drained)
      this.#locked(() => transport.clear());
    this.callOut(`${STREAM}::SetFormat`, () => this.cyclicStream.setFormat(dataFormat));
    this.#geometry = this.#measure(dataFormat, stopped);
    this.#times = times;
    this.#locked(() => {
      if (stopped) transport.setGeometry(this.#geometry);
      else transport.changeFormat(this.#geometry, this.#running);
      if (this.#running) this.#move();
    });
  }

  /**
   * Asks for the notification interval and makes the buffer a multiple of its bytes. A stream that is under way keeps its buffer: the
   * device has been told its size.
   */
  #measure(dataFormat: KSDATAFORMAT, resize: boolean): CyclicGeometry {
    const { frameSize } = this.callOut(`${STREAM}::SetNotificationFreq`, () =>
      this.cyclicStream.setNotificationFreq(NOTIFICATION_INTERVAL_MS),
    );
    const wave = waveFormatOf(dataFormat);
    const blockBytes = Math.max(1, wave?.nBlockAlign ?? dataFormat.sampleSize);
    const bytesPerSecond = wave?.nAvgBytesPerSec ?? Math.ceil((frameSize * 1000) / NOTIFICATION_INTERVAL_MS);
    const frameBytes = Math.max(blockBytes, Math.floor(frameSize / blockBytes) * blockBytes);
    const channel = this.#dmaChannel;
    if (resize)
      channel.setBufferSize(this.#usableBytes(channel.allocatedBufferSize(), frameBytes, blockBytes));
    const buffer = channel.systemAddress();
    const bufferBytes = channel.bufferSize();
    if (buffer === null || !(bufferBytes > 0) || bufferBytes > buffer.byteLength) {
      this.finding(
        'The DMA channel that NewStream gave has no buffer of its size; AllocateBuffer comes first.',
        {
          bufferBytes,
          allocatedBytes: buffer?.byteLength ?? 0,
        },
      );
      throw new NtError(STATUS_INSUFFICIENT_RESOURCES, 'the stream has no DMA buffer');
    }
    this.#buffer = buffer;
    return { bufferBytes, blockBytes, frameBytes, bytesPerSecond };
  }

  #usableBytes(allocated: number, frameBytes: number, blockBytes: number): number {
    if (allocated >= 2 * frameBytes) return Math.floor(allocated / frameBytes) * frameBytes;
    this.finding(
      'The DMA buffer holds less than two notification intervals; the device will overtake the port.',
      {
        allocatedBytes: allocated,
        frameBytes,
      },
    );
    return Math.floor(allocated / blockBytes) * blockBytes;
  }

  // ------------------------------------------------------------------ end

  /** Nobody can hear the stream's end any more, but a clock that is still open keeps the pin: it stops here. */
  override cleanup(): void {
    this.#requests.abortAll(STATUS_CANCELLED);
    this.port.device.lock.run(() => this.stop(false));
  }

  override retire(): void {
    this.#running = false;
    this.#requests.abortAll(STATUS_DEVICE_REMOVED);
  }

  override close(): void {
    if (this.#stream === null) return;
    this.stop(false);
    this.#requests.abortAll(STATUS_CANCELLED);
    const group = this.#group;
    if (group !== null) this.callOut('IServiceGroup::RemoveMember', () => group.removeMember(this.#sink));
    this.#releaseStream();
  }

  #releaseStream(): void {
    const held: (readonly [string, IUnknown | null])[] = [
      ['IDrmAudioStream', this.#drmAudioStream],
      ['IServiceGroup', this.#group],
      [STREAM, this.#stream],
      ['IDmaChannel', this.#channel],
    ];
    this.#drmAudioStream = null;
    this.#group = null;
    this.#stream = null;
    this.#channel = null;
    this.#buffer = null;
    for (const [name, object] of held) {
      if (object !== null && object !== undefined)
        this.callOutReporting(`${name}::Release`, () => object.release());
    }
    this.#sink.release();
  }
}
