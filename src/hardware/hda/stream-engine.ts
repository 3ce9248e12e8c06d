import type { CardSlot } from '../../hal/bus.ts';
import { SampleClock } from '../sample-clock.ts';
import type { HdaSamples } from './audio.ts';
import { decodeHdaFormat, type HdaFormat } from './format.ts';
import {
  BDL_ENTRY_BYTES,
  BDL_IOC,
  CTL_DEIE,
  CTL_FEIE,
  CTL_IOCE,
  CTL_RUN,
  CTL_SRST,
  CTL_STRM,
  CTL_STRM_SHIFT,
  CTL_TP,
  CTL_WRITABLE,
  FIFOS_SHORTER,
  FMT_WRITABLE,
  STS_BCIS,
  STS_DESE,
  STS_FIFOE,
  STS_FIFORDY,
  STS_WRITE_CLEAR,
} from './registers.ts';

/** What a stream needs of the link and the codecs on it. */
export interface HdaLink {
  startOutput(tag: number, clock: SampleClock, format: HdaFormat, now: number): void;
  stopOutput(tag: number, now: number): void;
  play(tag: number, samples: HdaSamples, frames: number, clock: SampleClock, firstFrame: number): void;
  /** Some codec sends on that tag. */
  hasInput(tag: number): boolean;
  setRecording(tag: number, records: boolean, now: number): void;
  record(
    tag: number,
    into: HdaSamples,
    frames: number,
    channels: number,
    clock: SampleClock,
    firstFrame: number,
  ): void;
}

/** How a stream is built. */
export interface HdaStreamOptions {
  /** As its registers are called: `OSD0`. */
  readonly name: string;
  readonly fifoBytes: number;
  /** From a write of SRST to its reading back. */
  readonly resetTicks: number;
}

/** What FIFOW has after reset: 32 bytes. */
const FIFOW_RESET = 4;
/** A fetch takes whole bursts, or the rest of a descriptor. */
export const HDA_BURST_BYTES = 32;
/** Frames of a format that must fit into a FIFO for it to hold a stream at all. */
const SMALLEST_FIFO_FRAMES = 2;
/** Memory is looked at twice in a turn of the cyclic buffer at least, when CBL says how long that is. */
const DEFAULT_TURN_BYTES = 0x1_0000;
/** Entries without length, one after the other, after which the list is no list. */
const MOST_EMPTY_ENTRIES = 256;

/**
 * One stream descriptor (HDA specification 1.0a, §3.3.35–3.3.43, §3.6): registers, the walk through the buffer descriptor list, the
 * frame clock, status and interrupt. Subclasses move the samples.
 *
 * LPIB counts bytes that passed the link. The list is read as it goes, one entry ahead. BCIS comes when the last byte of an entry was
 * fetched (output) or stored (input).
 */
export abstract class HdaStreamEngine {
  readonly name: string;
  readonly clock = new SampleClock();
  protected slot: CardSlot | null = null;
  protected readonly link: HdaLink;
  readonly #fifoBytes: number;
  readonly #resetTicks: number;

  #ctl = 0;
  #status = 0;
  #cbl = 0;
  #lvi = 0;
  #fifow = FIFOW_RESET;
  /** What software wrote to FIFOS, if that is shorter than the FIFO; null for the whole FIFO. */
  #fifosChosen: number | null = null;
  #fmt = 0;
  #bdpl = 0;
  #bdpu = 0;
  #lpib = 0;
  /** When the value of SRST written last is what reading it shows. */
  #resetShownTick = 0;

  protected format: HdaFormat = decodeHdaFormat(0);
  /** Frames of the current clock that are dealt with. */
  protected handled = 0;
  #clocked = false;
  #tag = 0;

  /** The entry worked on; length −1 while none is loaded. */
  #index = 0;
  #address = 0;
  #length = -1;
  #ioc = false;
  #moved = 0;
  #nextIndex = -1;
  #nextAddress = 0;
  #nextLength = 0;
  #nextIoc = false;
  #emptyEntries = 0;
  #turnBytes = 0;
  #turnChecked = false;
  #refused = false;
  readonly #entry = new Uint8Array(BDL_ENTRY_BYTES);
  readonly #entryView = new DataView(this.#entry.buffer);

  constructor(options: HdaStreamOptions, link: HdaLink) {
    this.name = options.name;
    this.link = link;
    this.#fifoBytes = options.fifoBytes;
    this.#resetTicks = options.resetTicks;
  }

  attach(slot: CardSlot): void {
    this.slot = slot;
  }

  detach(): void {
    this.slot = null;
  }

  // --- registers ---

  ctl(now: number): number {
    const wanted = this.#ctl & CTL_SRST;
    const shown = now >= this.#resetShownTick ? wanted : wanted ^ CTL_SRST;
    return (this.#ctl & ~CTL_SRST) | shown | CTL_TP;
  }

  get status(): number {
    return this.#status | (this.fifoReady ? STS_FIFORDY : 0);
  }

  get lpib(): number {
    return this.#lpib;
  }

  get cbl(): number {
    return this.#cbl;
  }

  get lvi(): number {
    return this.#lvi;
  }

  get fifow(): number {
    return this.#fifow;
  }

  /** Bytes of the FIFO less one, as the ICH tells them: for the format that is programmed, or what software chose. */
  get fifos(): number {
    return this.#fifosChosen ?? this.#fullFifoBytes(decodeHdaFormat(this.#fmt)) - 1;
  }

  /** Samples of 20 and 24 bits lie in the FIFO without the byte that pads them in memory: it holds a third more of these. */
  #fullFifoBytes({ bits }: HdaFormat): number {
    return bits === 20 || bits === 24 ? Math.floor((this.#fifoBytes * 4) / 3) : this.#fifoBytes;
  }

  get fmt(): number {
    return this.#fmt;
  }

  get bdpl(): number {
    return this.#bdpl;
  }

  get bdpu(): number {
    return this.#bdpu;
  }

  /** The one place that says whether this stream asks for an interrupt: status bits and their enables. */
  get interrupt(): boolean {
    const ctl = this.#ctl;
    const status = this.#status;
    return (
      ((status & STS_BCIS) !== 0 && (ctl & CTL_IOCE) !== 0) ||
      ((status & STS_FIFOE) !== 0 && (ctl & CTL_FEIE) !== 0) ||
      ((status & STS_DESE) !== 0 && (ctl & CTL_DEIE) !== 0)
    );
  }

  /** RUN is set. */
  get runs(): boolean {
    return (this.#ctl & CTL_RUN) !== 0;
  }

  /** Frames pass on the link for this stream. */
  get clocked(): boolean {
    return this.#clocked;
  }

  get tag(): number {
    return (this.#ctl & CTL_STRM) >>> CTL_STRM_SHIFT;
  }

  writeCtl(written: number, now: number): void {
    const value = written & CTL_WRITABLE;
    if ((value & CTL_SRST) !== 0) {
      if ((this.#ctl & CTL_SRST) !== 0) return;
      if (this.runs) this.finding('SRST set while RUN is set', { value });
      this.resetRegisters(now);
      this.#ctl = CTL_SRST;
      this.#resetShownTick = now + this.#resetTicks;
      return;
    }
    if ((this.#ctl & CTL_SRST) !== 0) {
      if (now < this.#resetShownTick) this.finding('SRST cleared before it read 1');
      this.#ctl = 0;
      this.#resetShownTick = now + this.#resetTicks;
      if (value !== 0) this.finding('control bits written before SRST read 0', { value });
      return;
    }
    if (now < this.#resetShownTick) {
      this.finding('control written before SRST read 0', { value });
      return;
    }
    const tagChanges = ((value ^ this.#ctl) & CTL_STRM) !== 0;
    if (tagChanges && this.runs) this.finding('the stream number changed while RUN is set', { value });
    const ran = this.runs;
    if (this.#clocked && ((value & CTL_RUN) === 0 || tagChanges)) this.stopClock(now);
    this.#ctl = value;
    this.#refused = false;
    if (this.runs && !ran) this.#onRun();
    if (this.runs) this.prefill();
  }

  writeStatus(value: number): void {
    this.#status &= ~(value & STS_WRITE_CLEAR);
  }

  writeCbl(value: number, now: number): void {
    if (this.#mayWrite('CBL', value, now)) this.#cbl = value >>> 0;
  }

  writeLvi(value: number, now: number): void {
    if (this.#mayWrite('LVI', value, now)) this.#lvi = value & 0xff;
  }

  /** Unsupported sizes become the default (ICH7, §19.2.41). */
  writeFifow(value: number): void {
    const code = value & 7;
    this.#fifow = code >= 2 && code <= 4 ? code : FIFOW_RESET;
  }

  /** Output streams only: a shorter FIFO; what there is not becomes the whole one. */
  writeFifos(value: number, now: number): void {
    if (!this.#mayWrite('FIFOS', value, now)) return;
    const chosen = value & 0xff;
    this.#fifosChosen = FIFOS_SHORTER.includes(chosen) ? chosen : null;
  }

  writeFmt(value: number, now: number): void {
    if (!this.#mayWrite('FMT', value, now)) return;
    this.#fmt = value & FMT_WRITABLE;
  }

  writeBdpl(value: number, now: number): void {
    if (!this.#mayWrite('BDPL', value, now)) return;
    if ((value & 0x7f) !== 0) this.finding('descriptor list not on a 128-byte boundary', { value });
    this.#bdpl = (value & ~0x7f) >>> 0;
  }

  writeBdpu(value: number, now: number): void {
    if (this.#mayWrite('BDPU', value, now)) this.#bdpu = value >>> 0;
  }

  /** Stream reset, controller reset: everything as after power-on. */
  resetRegisters(now: number): void {
    this.stopClock(now);
    this.#ctl = 0;
    this.#status = 0;
    this.#cbl = 0;
    this.#lvi = 0;
    this.#fifow = FIFOW_RESET;
    this.#fifosChosen = null;
    this.#fmt = 0;
    this.#bdpl = 0;
    this.#bdpu = 0;
    this.#lpib = 0;
    this.#resetShownTick = 0;
    this.#index = 0;
    this.#length = -1;
    this.#nextIndex = -1;
    this.#refused = false;
    this.#turnBytes = 0;
    this.#turnChecked = false;
    this.emptyFifo();
  }

  // --- time ---

  /** Brings samples, list and status up to `now`. */
  abstract advance(now: number): void;

  /** Frames from now until something happens that somebody may wait for; null when nothing will. */
  protected abstract framesToEvent(bytesToEntryEnd: number): number;

  protected abstract get fifoReady(): boolean;
  protected abstract emptyFifo(): void;
  protected abstract prefill(): void;
  /** The clock began to run, or ended. */
  protected abstract onClock(runs: boolean, tag: number, now: number): void;
  /** What must be there, besides RUN and the link, for frames to pass. */
  abstract get linkReady(): boolean;

  /** When something happens next that somebody may wait for, or null. */
  nextEventTick(): number | null {
    if (!this.#clocked) return null;
    const { frameBytes } = this.format;
    const turn = this.#cbl > 0 ? this.#cbl : DEFAULT_TURN_BYTES;
    let frames = Math.max(1, Math.floor(turn / 2 / frameBytes));
    if (this.#refused) {
      if ((this.#ctl & CTL_FEIE) === 0 || (this.#status & STS_FIFOE) !== 0) return null;
      return this.clock.tickOf(this.handled + 1);
    }
    const awaitsEntries = (this.#ctl & (CTL_IOCE | CTL_DEIE | CTL_FEIE)) !== 0;
    if (awaitsEntries && this.#length >= 0) {
      const left = this.#length - this.#moved;
      // What comes after the entry read ahead is not known before that one is worked on.
      const bytes = this.#ioc || this.#nextIndex < 0 ? left : left + this.#nextLength;
      frames = Math.min(frames, Math.max(1, this.framesToEvent(bytes)));
    }
    return this.clock.tickOf(this.handled + frames);
  }

  /** Frames begin to pass at `startTick`, or end; the caller has advanced to `now`. */
  setClocked(clocked: boolean, startTick: number, now: number): void {
    if (clocked === this.#clocked) return;
    if (!clocked) {
      this.stopClock(now);
      return;
    }
    this.#clocked = true;
    this.#tag = this.tag;
    this.handled = 0;
    this.clock.start(startTick, this.format.rateNumerator, this.format.rateDivisor);
    this.onClock(true, this.#tag, now);
  }

  protected stopClock(now: number): void {
    if (!this.#clocked) return;
    this.#clocked = false;
    this.onClock(false, this.#tag, now);
  }

  /** A refused transfer may be allowed by now: try again. */
  retry(): void {
    if (!this.#refused) return;
    this.#refused = false;
    if (this.runs) this.prefill();
  }

  protected get refused(): boolean {
    return this.#refused;
  }

  protected finding(what: string, data: Readonly<Record<string, number>> = {}): void {
    this.slot?.report.finding(`${this.name}: ${what}`, data);
  }

  protected setFifoError(): void {
    this.#status |= STS_FIFOE;
  }

  /** `bytes` passed the link. */
  protected moveLink(bytes: number): void {
    this.#lpib += bytes;
    if (this.#cbl > 0) {
      if (this.#lpib >= this.#cbl) this.#lpib %= this.#cbl;
    } else this.#lpib %= 0x1_0000_0000;
  }

  // --- the buffer descriptor list ---

  /** Bytes of the current entry not yet moved. */
  protected get entryLeft(): number {
    return this.#length - this.#moved;
  }

  protected get entryMoved(): number {
    return this.#moved;
  }

  /** Has an entry to work on, reading it if need be; false when there is none, or when it cannot be read. */
  protected loadEntry(): boolean {
    if (!this.runs || this.#refused) return false;
    if (this.#length >= 0) return true;
    if (this.#nextIndex === this.#index) {
      this.#address = this.#nextAddress;
      this.#length = this.#nextLength;
      this.#ioc = this.#nextIoc;
    } else {
      if (!this.#readEntry(this.#index)) {
        this.#descriptorError();
        return false;
      }
      this.#address = this.#entryAddress();
      this.#length = this.#entryView.getUint32(8, true);
      this.#ioc = (this.#entryView.getUint32(12, true) & BDL_IOC) !== 0;
    }
    this.#moved = 0;
    this.#nextIndex = -1;
    if (this.#length === 0) {
      if (++this.#emptyEntries > MOST_EMPTY_ENTRIES) {
        this.finding('the descriptor list has entries without length only');
        this.#descriptorError();
        return false;
      }
    } else this.#emptyEntries = 0;
    this.#prefetch();
    return true;
  }

  /** Moves `bytes` bytes of the current entry at once; after a refusal as many whole bursts as were allowed. */
  protected moveBytes(bytes: number, transfer: (busAddress: number, bytes: number) => boolean): boolean {
    const busAddress = this.#address + this.#moved;
    if (transfer(busAddress, bytes)) {
      this.#moved += bytes;
      return true;
    }
    if (bytes <= HDA_BURST_BYTES) {
      this.#refused = true;
      return false;
    }
    for (let left = bytes; left > 0; ) {
      const burst = Math.min(left, HDA_BURST_BYTES);
      if (!this.moveBytes(burst, transfer)) return false;
      left -= burst;
    }
    return true;
  }

  /** The last byte of the current entry has moved. */
  protected completeEntry(): void {
    if (this.#ioc) this.#status |= STS_BCIS;
    this.#turnBytes += this.#length;
    this.#length = -1;
    if (this.#index >= this.#lvi) {
      this.#index = 0;
      if (!this.#turnChecked && this.#turnBytes !== this.#cbl) {
        this.finding('CBL is not the sum of the entries', { cbl: this.#cbl, sum: this.#turnBytes });
      }
      this.#turnChecked = true;
      this.#turnBytes = 0;
    } else this.#index++;
  }

  #onRun(): void {
    this.format = decodeHdaFormat(this.#fmt);
    if (this.format.reserved) this.finding('FMT has a reserved code', { fmt: this.#fmt });
    if (this.#lvi === 0) this.finding('LVI is 0: a list has two entries at least');
    if (this.tag === 0) this.finding('RUN set with stream number 0, which is nobody’s');
    if (this.#cbl % this.format.frameBytes !== 0)
      this.finding('CBL is no whole number of frames', {
        cbl: this.#cbl,
        frameBytes: this.format.frameBytes,
      });
    this.#emptyEntries = 0;
  }

  /** Bytes the FIFO holds in the present format. */
  protected get fifoDepth(): number {
    const bytes = this.#fifosChosen === null ? this.#fullFifoBytes(this.format) : this.#fifosChosen + 1;
    return Math.max(bytes, SMALLEST_FIFO_FRAMES * this.format.frameBytes);
  }

  #mayWrite(register: string, value: number, now: number): boolean {
    if ((this.#ctl & CTL_SRST) !== 0 || now < this.#resetShownTick) {
      this.finding(`${register} written during stream reset`, { value });
      return false;
    }
    if (this.runs) this.finding(`${register} written while RUN is set`, { value });
    return true;
  }

  #readEntry(index: number): boolean {
    const at = this.#bdpu * 0x1_0000_0000 + this.#bdpl + index * BDL_ENTRY_BYTES;
    return this.slot?.busMaster.read(at, this.#entry) === true;
  }

  #entryAddress(): number {
    return this.#entryView.getUint32(4, true) * 0x1_0000_0000 + this.#entryView.getUint32(0, true);
  }

  #prefetch(): void {
    const index = this.#index >= this.#lvi ? 0 : this.#index + 1;
    // What cannot be read ahead is tried again, and is an error, when it is needed.
    if (!this.#readEntry(index)) return;
    this.#nextIndex = index;
    this.#nextAddress = this.#entryAddress();
    this.#nextLength = this.#entryView.getUint32(8, true);
    this.#nextIoc = (this.#entryView.getUint32(12, true) & BDL_IOC) !== 0;
  }

  /** Fatal: RUN is cleared by the controller. The clock is the card's to stop, which asks after every step. */
  #descriptorError(): void {
    this.#status |= STS_DESE;
    this.#ctl &= ~CTL_RUN;
    this.#emptyEntries = 0;
  }
}
