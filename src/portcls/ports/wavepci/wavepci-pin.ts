import { type IUnknown, tryQueryInterface } from '../../../com/index.ts';
import type { DMA_ADAPTER } from '../../../hal/index.ts';
import {
  DISPATCH_LEVEL,
  type IRP,
  KDPC,
  KTIMER,
  keCancelTimer,
  keLowerIrql,
  keRaiseIrql,
  keRemoveQueueDpc,
  keSetTimerEx,
  type NTSTATUS,
  NtError,
  STATUS_CANCELLED,
  STATUS_DEVICE_NOT_READY,
  STATUS_DEVICE_REMOVED,
  STATUS_INVALID_DEVICE_REQUEST,
  STATUS_INVALID_DEVICE_STATE,
  STATUS_PENDING,
  STATUS_SUCCESS,
  STATUS_UNSUCCESSFUL,
  TICKS_PER_SECOND,
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
  type IDrmAudioStream,
  IID_IDrmAudioStream,
  type IMiniportWavePciStream,
  type IServiceGroup,
} from '../../ddi/index.ts';
import { CallbackSink } from '../callback-sink.ts';
import { createPinClock } from '../pin-clock.ts';
import type { PinCreate, PinObject, PinObjectCreate } from '../port-handle.ts';
import { StreamMarks } from '../stream-marks.ts';
import { StreamPin } from '../stream-pin.ts';
import type { Mapping } from './mapped-packet.ts';
import { type MappingOwner, MappingQueue } from './mapping-queue.ts';
import type { PortWavePci } from './port-wavepci.ts';
import { PortWavePciStream } from './wavepci-port-stream.ts';

const STREAM = 'IMiniportWavePciStream';
/** How often the port looks after events itself when the miniport gave no service group (DDI page NewStream). */
const TIMER_PERIOD_MS = 20;
/** What a client is told of a stream whose miniport does not tell: three buffers of 10 ms. */
const DEFAULT_FRAMES = 3;
const DEFAULT_FRAMES_PER_SECOND = 100;

/**
 * An open pin of a WavePci filter: the miniport's stream, and the client's requests as mappings that the device reads and writes
 * itself. Methods at PASSIVE_LEVEL unless they say otherwise.
 */
export class WavePciPin extends StreamPin implements MappingOwner {
  readonly marks = new StreamMarks();
  readonly looped: boolean;
  readonly queue: MappingQueue;
  readonly wavePci: PortWavePci;
  readonly adapter: DMA_ADAPTER;
  readonly maximumTransferBytes: number;
  /** Bytes from play to write position that the miniport asked for; null: as far as it has taken mappings. */
  preFetchOffset: number | null = null;
  readonly #portStream: PortWavePciStream;
  readonly #sink: CallbackSink;
  #stream: IMiniportWavePciStream | null = null;
  #group: IServiceGroup | null = null;
  #drmAudioStream: IDrmAudioStream | null = null;
  #timer: KTIMER | null = null;
  #timerDpc: KDPC | null = null;
  /** GetMapping found nothing, and the miniport has not been told that there is something. */
  #mappingWanted = false;
  #resetting = false;
  /** Where the stream was when it left PAUSE for the last time: what STOP finds recorded. */
  #positionBytes = 0;

  readonly #callGetPosition = () => this.pciStream.getPosition();
  readonly #callService = () => this.pciStream.service();

  /** Creates the miniport's stream. Throws what NewStream throws, or what its results lack; nothing is left then. */
  constructor(port: PortWavePci, create: PinCreate) {
    super(create);
    this.wavePci = port;
    this.looped = create.connect.interface.id === KSINTERFACE_STANDARD_LOOPED_STREAMING;
    this.queue = new MappingQueue(this.capture, this.looped, this, raised);
    this.#sink = new CallbackSink('WavePci stream sink', () => this.#service());
    this.#portStream = new PortWavePciStream(this);
    try {
      const { stream, serviceGroup } = port.newStream(
        this.#portStream,
        create.pinId,
        this.capture,
        create.dataFormat,
      );
      this.#stream = stream;
      this.#group = serviceGroup ?? null;
      if (stream === null || stream === undefined) {
        this.finding('IMiniportWavePci::NewStream succeeded without Stream.');
        throw new NtError(STATUS_UNSUCCESSFUL, 'NewStream gave no Stream');
      }
      const { adapter, maximumTransferBytes } = port.dmaAdapter();
      this.adapter = adapter;
      this.maximumTransferBytes = maximumTransferBytes;
      this.#drmAudioStream = this.callOut(`${STREAM}::QueryInterface(IID_IDrmAudioStream)`, () =>
        tryQueryInterface(stream, IID_IDrmAudioStream),
      );
      const group = this.#group;
      if (group !== null) this.callOut('IServiceGroup::AddMember', () => group.addMember(this.#sink));
      else {
        this.#timer = new KTIMER();
        this.#timerDpc = new KDPC(() => this.#events(), null);
      }
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
  get pciStream(): IMiniportWavePciStream {
    if (this.#stream === null) throw new NtError(STATUS_INVALID_DEVICE_STATE, 'the stream is closed');
    return this.#stream;
  }

  override get drmAudioStream(): IDrmAudioStream | null {
    return this.#drmAudioStream;
  }

  /** A WavePci stream does not survive a rebalance (P-24: WaveRT and Topology only). */
  override get allowsRebalance(): boolean {
    return false;
  }

  /** What the miniport prefers; when it does not say, three buffers of 10 ms. */
  override get allocatorFraming(): KSALLOCATOR_FRAMING {
    try {
      return this.callOut(`${STREAM}::GetAllocatorFraming`, () => this.pciStream.getAllocatorFraming());
    } catch (error) {
      if (!(error instanceof NtError)) throw error;
      const wave = waveFormatOf(this.dataFormat);
      const block = Math.max(1, wave?.nBlockAlign ?? 1);
      return {
        optionsFlags: KSALLOCATOR_REQUIREMENTF_SYSTEM_MEMORY,
        poolType: 0,
        frames: DEFAULT_FRAMES,
        frameSize: Math.ceil((wave?.nSamplesPerSec ?? 0) / DEFAULT_FRAMES_PER_SECOND) * block,
        fileAlignment: block - 1,
      };
    }
  }

  // ------------------------------------------------------------------ mappings

  /** IPortWavePciStream::GetMapping. Up to DISPATCH_LEVEL. */
  takeMapping(tag: unknown): Mapping | null {
    const mapping = this.#resetting ? null : this.queue.take(tag);
    if (mapping === null) this.#mappingWanted = true;
    return mapping;
  }

  /** DISPATCH_LEVEL. */
  revoke(firstTag: unknown, lastTag: unknown, held: number): void {
    const stream = this.#stream;
    if (stream === null) return;
    this.callOutReporting(`${STREAM}::RevokeMappings`, () => {
      const revoked = stream.revokeMappings(firstTag, lastTag);
      if (revoked !== held)
        this.finding('RevokeMappings gave up another number of mappings than the miniport holds.', {
          revoked,
          held,
        });
    });
  }

  endOfStream(): void {
    this.marks.signalEnd();
  }

  unmappable(status: NTSTATUS): void {
    this.finding('A buffer of the client cannot be opened to the device; its request fails.', { status });
  }

  /** Tells a miniport that waits for a mapping that there is one, once. Up to DISPATCH_LEVEL. */
  #offerMapping(): void {
    if (!this.#mappingWanted || this.#resetting || !this.queue.available) return;
    this.#mappingWanted = false;
    this.callOutReporting(`${STREAM}::MappingAvailable`, () => this.pciStream.mappingAvailable());
  }

  // ------------------------------------------------------------------ service

  /** The stream's service group was notified. DISPATCH_LEVEL. */
  #service(): void {
    if (this.#stream === null || !this.present || this.state !== KSSTATE_RUN) return;
    this.callOutReporting(`${STREAM}::Service`, this.#callService);
    this.#events();
  }

  /** Position and clock events that are due. DISPATCH_LEVEL. */
  #events(): void {
    if (this.#stream === null || !this.present) return;
    try {
      const loop = this.marks.any ? this.queue.loop : null;
      if (loop !== null) this.marks.passTo(this.#devicePosition() - loop.start, loop.byteLength);
      for (const object of this.objects) object.tick();
    } catch (error) {
      if (!(error instanceof NtError)) throw error;
      // Nobody waits for this status; what is due is looked for again the next time.
      this.finding('Positions could not be looked at, since the miniport did not tell where the stream is.', {
        status: error.status,
      });
    }
  }

  #devicePosition(): number {
    const position = this.callOut(`${STREAM}::GetPosition`, this.#callGetPosition);
    if (!(position >= 0)) {
      this.finding('GetPosition gave no position.', { position });
      return 0;
    }
    return position;
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
        this.#resetting = ksAcquireResetValue(irp) === KSRESET_BEGIN;
        if (this.#resetting) this.queue.abortAll(STATUS_CANCELLED);
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
    this.queue.submit(irp);
    this.#offerMapping();
  }

  /**
   * Play (or record) position as the miniport counts it; the write position is the end of the last mapping taken, or so far ahead as
   * the miniport asked, the read position the end of the last one released. Of a looped buffer, offsets in it.
   */
  override getPosition(): KSAUDIO_POSITION {
    this.requirePresent();
    if (this.state === KSSTATE_STOP) return { playOffset: 0, writeOffset: 0 };
    const play = this.#devicePosition();
    if (play > this.queue.mappedBytes)
      this.finding('GetPosition is beyond the mappings that the miniport has taken.', {
        position: play,
        mappedBytes: this.queue.mappedBytes,
      });
    const { capture, preFetchOffset } = this;
    const write = capture
      ? this.queue.releasedBytes
      : preFetchOffset === null
        ? this.queue.mappedBytes
        : play + preFetchOffset;
    return { playOffset: this.#clientOffset(play), writeOffset: this.#clientOffset(write) };
  }

  #clientOffset(streamBytes: number): number {
    if (!this.looped) return streamBytes;
    const loop = this.queue.loop;
    return loop === null ? 0 : Math.max(0, streamBytes - loop.start) % loop.byteLength;
  }

  // ------------------------------------------------------------------ clock

  override createObject(create: PinObjectCreate): PinObject {
    return createPinClock(this, create);
  }

  /** The converter's time in 100-ns units. Up to DISPATCH_LEVEL. */
  clockTime(_physical: boolean): number {
    if (this.#stream === null || !this.present) return 0;
    const position = this.#devicePosition();
    return this.callOut(`${STREAM}::NormalizePhysicalPosition`, () =>
      this.pciStream.normalizePhysicalPosition(position),
    );
  }

  /** One sample of all channels. */
  get clockGranularity(): number {
    const rate = waveFormatOf(this.dataFormat)?.nSamplesPerSec ?? 0;
    return rate > 0 ? Math.max(1, Math.round(TICKS_PER_SECOND / rate)) : 1;
  }

  // ------------------------------------------------------------------ state and format

  protected override setStreamState(state: KSSTATE): void {
    const leavesRun = this.state === KSSTATE_RUN;
    if (state === KSSTATE_STOP) this.#noteFinalPosition();
    try {
      this.callOut(`${STREAM}::SetState`, () => this.pciStream.setState(state));
      if (state === KSSTATE_RUN) this.#startTimer();
    } finally {
      if (leavesRun) {
        this.#stopTimer();
        raised(() => this.#events());
      }
      if (state === KSSTATE_STOP) this.#end();
    }
  }

  /** Before STOP resets it: a read that is under way ends with what was recorded. */
  #noteFinalPosition(): void {
    this.#positionBytes = 0;
    if (this.capture && this.present && this.queue.heldMappings > 0)
      this.#positionBytes = this.#devicePosition();
  }

  #end(): void {
    this.queue.endAll(this.#positionBytes);
    this.marks.reset();
    this.#mappingWanted = false;
    this.#resetting = false;
  }

  protected override setStreamFormat(dataFormat: KSDATAFORMAT): void {
    this.callOut(`${STREAM}::SetFormat`, () => this.pciStream.setFormat(dataFormat));
  }

  #startTimer(): void {
    if (this.#timer !== null)
      keSetTimerEx(this.#timer, -TIMER_PERIOD_MS * 10_000, TIMER_PERIOD_MS, this.#timerDpc);
  }

  #stopTimer(): void {
    if (this.#timer !== null) keCancelTimer(this.#timer);
    if (this.#timerDpc !== null) keRemoveQueueDpc(this.#timerDpc);
  }

  // ------------------------------------------------------------------ end

  override cleanup(): void {
    this.queue.abortAll(STATUS_CANCELLED);
  }

  override retire(): void {
    this.#stopTimer();
    this.queue.abortAll(STATUS_DEVICE_REMOVED);
  }

  override close(): void {
    if (this.#stream === null) return;
    this.stop(false);
    this.queue.abortAll(STATUS_CANCELLED);
    const group = this.#group;
    if (group !== null) this.callOut('IServiceGroup::RemoveMember', () => group.removeMember(this.#sink));
    this.#releaseStream();
  }

  #releaseStream(): void {
    this.#stopTimer();
    const held: (readonly [string, IUnknown | null | undefined])[] = [
      ['IDrmAudioStream', this.#drmAudioStream],
      ['IServiceGroup', this.#group],
      [STREAM, this.#stream],
    ];
    this.#drmAudioStream = null;
    this.#group = null;
    this.#stream = null;
    this.#timer = null;
    this.#portStream.detach();
    for (const [name, object] of held) {
      if (object !== null && object !== undefined)
        this.callOutReporting(`${name}::Release`, () => object.release());
    }
    this.#portStream.release();
    this.#sink.release();
  }
}

/** Runs something at DISPATCH_LEVEL, where no DPC comes in between. */
function raised<T>(act: () => T): T {
  const old = keRaiseIrql(DISPATCH_LEVEL);
  try {
    return act();
  } finally {
    keLowerIrql(old);
  }
}
