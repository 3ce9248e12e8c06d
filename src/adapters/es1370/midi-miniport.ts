import { CUnknown, type IID, type IUnknown } from '../../com/index.ts';
import {
  KDPC,
  KTIMER,
  keCancelTimer,
  keDelayExecutionThread,
  keQueryInterruptTime,
  keRemoveQueueDpc,
  keSetTimer,
  NtError,
  STATUS_BUFFER_TOO_SMALL,
  STATUS_INSUFFICIENT_RESOURCES,
  STATUS_INVALID_DEVICE_REQUEST,
  STATUS_NO_MATCH,
  TICKS_PER_MICROSECOND,
  TICKS_PER_MILLISECOND,
} from '../../kernel/index.ts';
import {
  dataRangesMatch,
  encodeDataFormat,
  type KSDATAFORMAT,
  KSDATAFORMAT_SUBTYPE_MIDI,
  type KSDATARANGE,
  type KSSTATE,
  KSSTATE_PAUSE,
  KSSTATE_STOP,
  MIDI_DATA_FORMAT,
} from '../../ks/index.ts';
import {
  IID_IMiniport,
  IID_IMiniportMidi,
  IID_IMiniportMidiStream,
  type IMiniportMidi,
  type IMiniportMidiStream,
  type IPortMidi,
  type IResourceList,
  type IServiceGroup,
  type MidiNewStream,
  type PCFILTER_DESCRIPTOR,
  pcNewServiceGroup,
} from '../../portcls/index.ts';
import { commonOf, type Es1370Common, type InterruptSink } from './common.ts';
import { MIDI_FILTER, MidiPin } from './midi-filter.ts';
import * as R from './registers.ts';

/** A byte is on the wire for 320 µs: how soon it is worth looking again. */
const BYTE_TICKS = 320 * TICKS_PER_MICROSECOND;
/** Bytes taken from the port ahead of the wire: 5 ms. */
const SEND_BYTES = 16;
/** Bytes received that the port has not fetched yet. */
const RECEIVE_BYTES = 1024;
/** How long STOP waits for what was taken. */
const FLUSH_TICKS = 10 * TICKS_PER_MILLISECOND;

/**
 * MIDI miniport on the chip's own UART, which is no MPU-401, so that the miniport of PortCls does not fit it. Bytes come by interrupt;
 * what the transmitter does not take at once is sent from a timer's DPC, so that the processor is never held up.
 */
export class Es1370MidiMiniport extends CUnknown implements IMiniportMidi, InterruptSink {
  #common: Es1370Common | null = null;
  #port: IPortMidi | null = null;
  #serviceGroup: IServiceGroup | null = null;
  readonly #toSend: number[] = [];
  readonly #received: number[] = [];
  readonly #timer = new KTIMER('NotificationTimer', 'ES1370 MIDI transmitter');
  readonly #dpc = new KDPC(() => this.#send(), null, 'MidiTransmit');
  #receiving = false;
  #open = { render: false, capture: false };

  constructor(outerUnknown: IUnknown | null = null) {
    super('Es1370MidiMiniport', outerUnknown);
  }

  protected override nonDelegatingQueryInterface(iid: IID<unknown>): object | null {
    return iid.equals(IID_IMiniportMidi) || iid.equals(IID_IMiniport) ? this : null;
  }

  protected override finalRelease(): void {
    this.#clearOutput();
    this.#common?.enableUart(null);
    this.#common?.release();
    this.#common = null;
    this.#port = null;
    this.#serviceGroup?.release();
  }

  init(unknownAdapter: IUnknown | null, _resourceList: IResourceList, port: IPortMidi): IServiceGroup {
    this.#common = commonOf(unknownAdapter);
    this.#port = port;
    const serviceGroup = pcNewServiceGroup();
    this.#serviceGroup = serviceGroup;
    port.registerServiceGroup(serviceGroup);
    this.#common.enableUart(this);
    serviceGroup.addRef();
    return serviceGroup;
  }

  getDescription(): PCFILTER_DESCRIPTOR {
    return MIDI_FILTER;
  }

  /** There is one MIDI format. */
  dataRangeIntersection(
    _pinId: number,
    clientDataRange: KSDATARANGE,
    myDataRange: KSDATARANGE,
    outputBufferLength: number,
    resultantFormat: Uint8Array | null,
  ): number {
    const isMidi = myDataRange.subFormat.equals(KSDATAFORMAT_SUBTYPE_MIDI);
    if (!isMidi || !dataRangesMatch(clientDataRange, myDataRange)) throw new NtError(STATUS_NO_MATCH);
    const format = encodeDataFormat(MIDI_DATA_FORMAT);
    if (outputBufferLength > 0) {
      if (outputBufferLength < format.byteLength) throw new NtError(STATUS_BUFFER_TOO_SMALL);
      resultantFormat?.set(format);
    }
    return format.byteLength;
  }

  newStream(
    _outerUnknown: IUnknown | null,
    pin: number,
    capture: boolean,
    _dataFormat: KSDATAFORMAT,
  ): MidiNewStream {
    if (pin !== (capture ? MidiPin.capture : MidiPin.render))
      throw new NtError(STATUS_INVALID_DEVICE_REQUEST, `ES1370: pin ${pin} has no MIDI in that direction.`);
    const direction = capture ? 'capture' : 'render';
    if (this.#open[direction])
      throw new NtError(STATUS_INSUFFICIENT_RESOURCES, 'ES1370: the UART has one stream in each direction.');
    const stream = new Es1370MidiStream(this, capture);
    this.#open[direction] = true;
    return { stream, serviceGroup: null };
  }

  /** Bytes are fetched by the interrupt routine, and sent by the timer. */
  service(): void {}

  /** At DIRQL: reading the data lets go of the line; bytes that nobody listens for are dropped. */
  interrupt(): void {
    const common = this.#common;
    if (common === null) return;
    for (let count = 0; count < RECEIVE_BYTES; count++) {
      if ((common.readUartStatus() & R.UART_STATUS_RXRDY) === 0) break;
      const byte = common.readUart();
      if (this.#receiving && this.#received.length < RECEIVE_BYTES) this.#received.push(byte);
    }
    if (this.#receiving && this.#serviceGroup !== null) this.#port?.notify(this.#serviceGroup);
  }

  // ------------------------------------------------------------------ for the streams

  setReceiving(receiving: boolean): void {
    if (receiving === this.#receiving) return;
    this.#common?.synchronized(() => {
      this.#receiving = receiving;
      this.#received.length = 0;
    });
  }

  read(buffer: Uint8Array): number {
    const take = () => this.#received.splice(0, buffer.byteLength);
    const bytes = this.#common?.synchronized(take) ?? [];
    buffer.set(bytes);
    return bytes.length;
  }

  /** Takes all bytes, or a multiple of four, or none, as there is room. DISPATCH_LEVEL. */
  write(bytes: Uint8Array): number {
    this.#send();
    const room = SEND_BYTES - this.#toSend.length;
    const taken = bytes.byteLength <= room ? bytes.byteLength : room & ~3;
    this.#toSend.push(...bytes.subarray(0, taken));
    this.#send();
    return taken;
  }

  /** Waits until what was taken has been sent. PASSIVE_LEVEL. */
  flush(): void {
    const deadline = keQueryInterruptTime() + FLUSH_TICKS;
    while (this.#toSend.length > 0 && keQueryInterruptTime() < deadline)
      keDelayExecutionThread(-TICKS_PER_MILLISECOND);
    this.#clearOutput();
  }

  streamClosed(capture: boolean): void {
    if (capture) this.setReceiving(false);
    this.#open[capture ? 'capture' : 'render'] = false;
  }

  #clearOutput(): void {
    keCancelTimer(this.#timer);
    keRemoveQueueDpc(this.#dpc);
    this.#toSend.length = 0;
  }

  /** As many bytes as the transmitter takes; the rest later. DISPATCH_LEVEL. */
  #send(): void {
    const common = this.#common;
    if (common === null) return;
    while (this.#toSend.length > 0) {
      if ((common.readUartStatus() & R.UART_STATUS_TXRDY) === 0) {
        keSetTimer(this.#timer, -BYTE_TICKS, this.#dpc);
        return;
      }
      common.writeUart(this.#toSend.shift() as number);
    }
  }
}

/** A stream of the UART, in one direction. */
class Es1370MidiStream extends CUnknown implements IMiniportMidiStream {
  readonly #miniport: Es1370MidiMiniport;
  readonly #capture: boolean;

  constructor(miniport: Es1370MidiMiniport, capture: boolean) {
    super('Es1370MidiStream');
    this.#miniport = miniport;
    this.#capture = capture;
    miniport.addRef();
  }

  protected override nonDelegatingQueryInterface(iid: IID<unknown>): object | null {
    return iid.equals(IID_IMiniportMidiStream) ? this : super.nonDelegatingQueryInterface(iid);
  }

  protected override finalRelease(): void {
    this.#miniport.streamClosed(this.#capture);
    this.#miniport.release();
  }

  setFormat(): void {}

  /** Capture listens from PAUSE on. At STOP what a render stream took from the port is sent to its end. */
  setState(state: KSSTATE): void {
    if (this.#capture) this.#miniport.setReceiving(state >= KSSTATE_PAUSE);
    else if (state === KSSTATE_STOP) this.#miniport.flush();
  }

  read(buffer: Uint8Array): number {
    if (!this.#capture)
      throw new NtError(STATUS_INVALID_DEVICE_REQUEST, 'a render stream has nothing to read');
    return this.#miniport.read(buffer);
  }

  write(buffer: Uint8Array): number {
    if (this.#capture) throw new NtError(STATUS_INVALID_DEVICE_REQUEST, 'a capture stream takes no bytes');
    return this.#miniport.write(buffer);
  }
}
