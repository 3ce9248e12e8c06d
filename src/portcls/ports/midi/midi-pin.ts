import {
  type IRP,
  KDPC,
  KTIMER,
  keCancelTimer,
  keRemoveQueueDpc,
  keSetTimerEx,
  type NTSTATUS,
  NtError,
  STATUS_CANCELLED,
  STATUS_DEVICE_REMOVED,
  STATUS_INVALID_DEVICE_REQUEST,
  STATUS_INVALID_DEVICE_STATE,
  STATUS_PENDING,
  STATUS_SUCCESS,
  TICKS_PER_MILLISECOND,
} from '../../../kernel/index.ts';
import {
  IOCTL_KS_READ_STREAM,
  IOCTL_KS_RESET_STATE,
  IOCTL_KS_WRITE_STREAM,
  type KSALLOCATOR_FRAMING,
  KSALLOCATOR_REQUIREMENTF_SYSTEM_MEMORY,
  type KSAUDIO_POSITION,
  type KSDATAFORMAT,
  KSRESET_BEGIN,
  type KSSTATE,
  KSSTATE_ACQUIRE,
  KSSTATE_PAUSE,
  KSSTATE_RUN,
  KSSTATE_STOP,
  ksAcquireResetValue,
} from '../../../ks/index.ts';
import type { IDrmAudioStream, IMiniportMidiStream } from '../../ddi/index.ts';
import { type ClockedPin, createPinClock } from '../pin-clock.ts';
import type { PinCreate, PinObject, PinObjectCreate } from '../port-handle.ts';
import { StreamPin } from '../stream-pin.ts';
import { MusicCapture } from './music-capture.ts';
import { MusicRender } from './music-render.ts';
import type { PortMidi } from './port-midi.ts';
import { MidiServiceSink } from './service-sink.ts';
import { StreamTime } from './stream-time.ts';

/** What a client is told to allocate: a page holds hundreds of messages. */
const FRAME_BYTES = 4096;
const FRAMES = 8;

/** An open pin of a MIDI filter: the miniport's stream with the sequencer before it or the time stamps behind it. */
export class MidiPin extends StreamPin implements ClockedPin {
  readonly midi: PortMidi;
  readonly #time: StreamTime;
  readonly #render: MusicRender | null;
  readonly #capture: MusicCapture | null;
  /** In the stream's own service group; null when the miniport's group serves the stream. */
  #sink: MidiServiceSink | null = null;
  #stream: IMiniportMidiStream | null = null;
  #reached: KSSTATE = KSSTATE_STOP;
  /** Between KSRESET_BEGIN and KSRESET_END no request is taken. */
  #resetting = false;
  /** Looks after the events of clocks under the pin, every millisecond of RUN while there are clocks. */
  readonly #clockTimer = new KTIMER('NotificationTimer', 'MIDI clock');
  readonly #clockDpc = new KDPC(() => this.#tickClocks(), null, 'MidiClock');
  // Made once: calls at every event allocate no closures.
  #buffer: Uint8Array = new Uint8Array(0);
  readonly #callWrite = () => this.midiStream.write(this.#buffer);
  readonly #callRead = () => this.midiStream.read(this.#buffer);

  /** Creates the miniport's stream. Throws what NewStream throws; nothing is left then. */
  constructor(port: PortMidi, create: PinCreate) {
    super(create);
    this.midi = port;
    const { kernel } = port;
    this.#time = new StreamTime(kernel.clock);
    const finding = (text: string, data?: Readonly<Record<string, number>>) => this.finding(text, data);
    const { stream, serviceGroup } = port.newStream(create.pinId, this.capture, create.dataFormat);
    this.#stream = stream;
    if (this.capture) {
      this.#render = null;
      this.#capture = new MusicCapture(this.#time, { read: (buffer) => this.#read(buffer), finding });
    } else {
      this.#capture = null;
      this.#render = new MusicRender(kernel, this.#time, { write: (bytes) => this.#write(bytes), finding });
    }
    if (serviceGroup !== null) {
      const sink = new MidiServiceSink('MidiStreamServiceSink', () => this.service());
      this.#sink = sink;
      sink.join(serviceGroup);
    }
  }

  override get stream(): IMiniportMidiStream | null {
    return this.#stream;
  }

  /** The miniport's stream; throws STATUS_INVALID_DEVICE_STATE after close. */
  get midiStream(): IMiniportMidiStream {
    if (this.#stream === null) throw new NtError(STATUS_INVALID_DEVICE_STATE, 'the stream is closed');
    return this.#stream;
  }

  /** The stream has a service group of its own. */
  get ownSink(): MidiServiceSink | null {
    return this.#sink;
  }

  /** Presentation time in 100-ns units. */
  get presentationTime100ns(): number {
    return this.#time.now;
  }

  override get drmAudioStream(): IDrmAudioStream | null {
    return null;
  }

  override get allocatorFraming(): KSALLOCATOR_FRAMING {
    return {
      optionsFlags: KSALLOCATOR_REQUIREMENTF_SYSTEM_MEMORY,
      poolType: 0,
      frames: FRAMES,
      frameSize: FRAME_BYTES,
      fileAlignment: 3,
    };
  }

  override get allowsRebalance(): boolean {
    return false;
  }

  /** MIDI bytes since STOP: at the device, and given by or to the client. */
  override getPosition(): KSAUDIO_POSITION {
    this.requirePresent();
    if (this.#render !== null)
      return { playOffset: this.#render.bytesPlayed, writeOffset: this.#render.bytesQueued };
    const bytes = this.#capture?.bytesRead ?? 0;
    return { playOffset: bytes, writeOffset: bytes };
  }

  // ------------------------------------------------------------------ states

  /** Upwards the miniport goes first, downwards the port: in RUN alone is the stream written to. */
  protected override setStreamState(state: KSSTATE): void {
    const up = state > this.#reached;
    this.#reached = state;
    if (!up) this.#leave(state);
    try {
      this.callOut('IMiniportMidiStream::SetState', () => this.midiStream.setState(state));
    } catch (error) {
      if (up) this.#reached = (state - 1) as KSSTATE;
      throw error;
    }
    if (up) this.#enter(state);
  }

  #enter(state: KSSTATE): void {
    if (state === KSSTATE_PAUSE) this.#capture?.setOpen(true);
    if (state !== KSSTATE_RUN) return;
    this.#time.run();
    this.#startClocks();
    this.#render?.serve();
  }

  #leave(state: KSSTATE): void {
    if (state === KSSTATE_PAUSE) {
      this.#time.pause();
      this.#render?.pause();
      this.#stopClocks();
    } else if (state === KSSTATE_ACQUIRE) this.#capture?.setOpen(false);
    else {
      // STOP discards what waits (P-127), and time begins anew.
      this.#abort(STATUS_CANCELLED);
      this.#time.reset();
      this.#render?.reset();
      this.#capture?.reset();
    }
  }

  protected override setStreamFormat(dataFormat: KSDATAFORMAT): void {
    this.callOut('IMiniportMidiStream::SetFormat', () => this.midiStream.setFormat(dataFormat));
  }

  // ------------------------------------------------------------------ clock

  override createObject(create: PinObjectCreate): PinObject {
    const clock = createPinClock(this, create);
    if (this.#time.running) this.#startClocks();
    return clock;
  }

  /** The presentation time, either way: MIDI has no silence that would be played. */
  clockTime(_physical: boolean): number {
    return this.present ? this.#time.now : 0;
  }

  get clockGranularity(): number {
    return TICKS_PER_MILLISECOND;
  }

  #startClocks(): void {
    if (this.objects.size > 0) keSetTimerEx(this.#clockTimer, -TICKS_PER_MILLISECOND, 1, this.#clockDpc);
  }

  #stopClocks(): void {
    keCancelTimer(this.#clockTimer);
    keRemoveQueueDpc(this.#clockDpc);
  }

  /** At DISPATCH_LEVEL. */
  #tickClocks(): void {
    if (this.objects.size === 0) this.#stopClocks();
    for (const object of this.objects) object.tick();
  }

  // ------------------------------------------------------------------ data

  /** The service group called. At DISPATCH_LEVEL. */
  service(): void {
    if (this.#stream === null || !this.present) return;
    this.#capture?.service();
    this.#render?.serve();
  }

  #write(bytes: Uint8Array): number {
    this.#buffer = bytes;
    return this.callOut('IMiniportMidiStream::Write', this.#callWrite);
  }

  #read(buffer: Uint8Array): number {
    this.#buffer = buffer;
    return this.callOut('IMiniportMidiStream::Read', this.#callRead);
  }

  /**
   * Stream reads, writes and reset. Throws STATUS_INVALID_DEVICE_REQUEST for the wrong direction, STATUS_INVALID_DEVICE_STATE in
   * KSSTATE_STOP and during a reset, and what makes a request malformed.
   */
  override deviceControl(ioControlCode: number, irp: IRP): NTSTATUS {
    switch (ioControlCode) {
      case IOCTL_KS_WRITE_STREAM:
        if (this.#render === null) return STATUS_INVALID_DEVICE_REQUEST;
        this.#requireStreaming();
        this.#render.submit(irp);
        return STATUS_PENDING;
      case IOCTL_KS_READ_STREAM:
        if (this.#capture === null) return STATUS_INVALID_DEVICE_REQUEST;
        this.#requireStreaming();
        this.#capture.submit(irp);
        return STATUS_PENDING;
      case IOCTL_KS_RESET_STATE:
        return this.#resetState(irp);
      default:
        return STATUS_INVALID_DEVICE_REQUEST;
    }
  }

  #requireStreaming(): void {
    this.requirePresent();
    if (this.state === KSSTATE_STOP) throw new NtError(STATUS_INVALID_DEVICE_STATE, 'the stream is in STOP');
    if (this.#resetting) throw new NtError(STATUS_INVALID_DEVICE_STATE, 'the stream is being reset');
  }

  /** IOCTL_KS_RESET_STATE: the beginning cancels what waits; requests are taken again at the end. */
  #resetState(irp: IRP): NTSTATUS {
    this.#resetting = ksAcquireResetValue(irp) === KSRESET_BEGIN;
    if (this.#resetting) this.#abort(STATUS_CANCELLED);
    return STATUS_SUCCESS;
  }

  #abort(status: NTSTATUS): void {
    this.#render?.abort(status);
    this.#capture?.abort(status);
  }

  // ------------------------------------------------------------------ end

  /** The device is gone: nothing is written to it any more, and nobody waits for it. */
  override retire(): void {
    this.#render?.pause();
    this.#stopClocks();
    this.#abort(STATUS_DEVICE_REMOVED);
  }

  override cleanup(): void {
    this.#abort(STATUS_CANCELLED);
  }

  override close(): void {
    const stream = this.#stream;
    if (stream === null) return;
    this.stop(false);
    this.#sink?.leave();
    this.#sink?.release();
    this.#sink = null;
    this.#stream = null;
    this.callOut('IMiniportMidiStream::Release', () => stream.release());
  }
}
