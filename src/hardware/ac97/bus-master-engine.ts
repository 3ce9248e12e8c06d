import type { CardSlot } from '../../hal/bus.ts';
import { SampleClock } from '../sample-clock.ts';
import {
  BD_IOC,
  BD_LENGTH,
  CR_FEIE,
  CR_INTERRUPT_ENABLES,
  CR_IOCE,
  CR_LVBIE,
  CR_RPBM,
  CR_RR,
  type EngineName,
  SR_BCIS,
  SR_CELV,
  SR_DCH,
  SR_FIFOE,
  SR_LVBCI,
  SR_WRITE_CLEAR,
} from './registers.ts';

/** One bus master burst: eight dwords. PICB moves in these steps, or to the end of a descriptor. */
export const BURST_BYTES = 32;
/** Depth of an engine's FIFO. The datasheet gives none; three bursts let one be on its way while the converter goes on. */
export const DEFAULT_FIFO_BYTES = 96;

const INDEX_MASK = 31;
const RESERVED_CONTROL_BITS = 0x3fff_0000;

/**
 * Where an engine is in its ring:
 * `idle` nothing loaded, the next run takes the descriptor at PIV; `pending` CIV is set, its descriptor not yet read;
 * `active` moving samples of the descriptor at CIV; `done` the last valid descriptor is processed (CELV).
 */
type RingState = 'idle' | 'pending' | 'active' | 'done';

/** How an engine is built. */
export interface EngineOptions {
  readonly name: EngineName;
  /** 16-bit samples in one frame: 2 for stereo, 1 for the mic channel. */
  readonly samplesPerFrame: 1 | 2;
  readonly fifoBytes: number;
}

/**
 * What the three bus master engines share (82801AA datasheet §12.2; AC'97 Programmer's Reference Manual §3.2): registers, the
 * descriptor ring with its prefetch, status and interrupt, and the sample clock of the converter behind the FIFO. Subclasses
 * move the samples.
 *
 * A refused transfer moves nothing: the engine stays where it is, and runs its FIFO dry or over, which sets FIFOE. It tries
 * again when software touches CR or LVI, or the configuration space changes ({@link retry}).
 */
export abstract class BusMasterEngine {
  readonly name: EngineName;
  readonly samplesPerFrame: 1 | 2;
  readonly clock = new SampleClock();
  protected readonly fifoSamples: number;
  protected readonly burstSamples = BURST_BYTES / 2;
  protected slot: CardSlot | null = null;

  #bdbar = 0;
  #civ = 0;
  #lvi = 0;
  #piv = 0;
  #cr = 0;
  #status = 0;

  #state: RingState = 'idle';
  #address = 0;
  #control = 0;
  /** Samples of the current descriptor, and how many of them have moved between memory and FIFO. */
  protected length = 0;
  protected moved = 0;
  #prefetched = false;
  #prefetchedAddress = 0;
  #prefetchedControl = 0;
  #refused = false;
  #samplesMoved = 0;

  /** The link carries frames for this engine's slots. */
  #clocked = false;
  #rate = 48000;
  #running = false;
  /** Sample slots (playing) or periods (capturing) of the current clock that are dealt with. */
  protected handled = 0;

  constructor(options: EngineOptions) {
    this.name = options.name;
    this.samplesPerFrame = options.samplesPerFrame;
    this.fifoSamples = options.fifoBytes / 2;
  }

  attach(slot: CardSlot): void {
    this.slot = slot;
  }

  detach(): void {
    this.slot = null;
  }

  // --- registers ---

  get bdbar(): number {
    return this.#bdbar;
  }

  get civ(): number {
    return this.#civ;
  }

  get lvi(): number {
    return this.#lvi;
  }

  get piv(): number {
    return this.#piv;
  }

  get cr(): number {
    return this.#cr;
  }

  get sr(): number {
    let value = this.#status;
    if (this.#state === 'done') value |= SR_CELV | SR_DCH;
    if (!this.dmaRuns) value |= SR_DCH;
    return value;
  }

  /** Samples of the current buffer not yet read from, or written to, memory (§12.2.5). */
  get picb(): number {
    return this.#state === 'active' ? this.length - this.moved : 0;
  }

  /** The one place that says whether this engine asks for an interrupt: status bits and their enables. */
  get interrupt(): boolean {
    return (
      ((this.#status & SR_BCIS) !== 0 && (this.#cr & CR_IOCE) !== 0) ||
      ((this.#status & SR_LVBCI) !== 0 && (this.#cr & CR_LVBIE) !== 0) ||
      ((this.#status & SR_FIFOE) !== 0 && (this.#cr & CR_FEIE) !== 0)
    );
  }

  /** Samples moved between memory and FIFO since the registers were reset: where the DMA is. */
  get samplesMoved(): number {
    return this.#samplesMoved;
  }

  /** Frames that passed the converter since the registers were reset, without those stuffed or lost. */
  abstract get framesConverted(): number;

  writeBdbar(value: number): void {
    if (this.dmaRuns)
      this.slot?.report.finding(`${this.name}_BDBAR written while the bus master runs`, { value });
    this.#bdbar = (value & ~7) >>> 0;
  }

  writeLvi(value: number, now: number): void {
    this.#lvi = value & INDEX_MASK;
    const refused = this.#refused;
    this.#refused = false;
    if (this.#state === 'done') {
      // "If the run/pause bit remains set, any update of LVI resumes the bus master" (PRM §3.2.4).
      this.#state = 'idle';
      this.#prefetched = false;
      if (this.dmaRuns) this.#step();
    } else if (this.#state === 'active') {
      this.#prefetch();
      // The common case, a running ring moved on: nothing flows differently at this very tick.
      if (!refused) return;
    }
    this.advance(now);
  }

  writeSr(value: number): void {
    this.#status &= ~(value & SR_WRITE_CLEAR);
  }

  writeCr(value: number, now: number): void {
    if ((value & CR_RR) !== 0) {
      if (this.dmaRuns) this.slot?.report.finding(`${this.name}_CR: RR while the bus master runs`, { value });
      this.resetRegisters(now);
      return;
    }
    const ran = this.dmaRuns;
    this.#cr = value & (CR_INTERRUPT_ENABLES | CR_RPBM);
    this.#refused = false;
    if (this.dmaRuns && !ran) {
      if (this.#state === 'idle') this.#step();
      this.#startClock(now);
    } else if (!this.dmaRuns && ran) {
      this.onPause(now);
    }
    this.advance(now);
  }

  /** RR: everything but the interrupt enables goes back to its default; the FIFO is emptied. */
  resetRegisters(now: number): void {
    this.stopClock(now);
    this.#bdbar = 0;
    this.#civ = 0;
    this.#lvi = 0;
    this.#piv = 0;
    this.#cr &= CR_INTERRUPT_ENABLES;
    this.#status = 0;
    this.#state = 'idle';
    this.length = 0;
    this.moved = 0;
    this.#prefetched = false;
    this.#refused = false;
    this.#samplesMoved = 0;
    this.emptyFifo();
  }

  /** Cold or PCI reset: the interrupt enables go, too. */
  reset(now: number): void {
    this.resetRegisters(now);
    this.#cr = 0;
  }

  // --- time ---

  /** Brings samples, ring and status up to `now`. */
  abstract advance(now: number): void;

  /** When something happens next that somebody may wait for, or null; never later than two descriptors ahead. */
  abstract nextEventTick(): number | null;

  /** Says whether frames pass at the converter, and how many a second; the caller has advanced to `now`. */
  setConverter(clocked: boolean, rate: number, now: number): void {
    if (rate !== this.#rate) {
      this.#rate = rate;
      if (this.#running) {
        // The frame on its way still comes at the old rate; the new one counts from there.
        this.clock.start(this.clock.tickOf(this.handled), rate);
        this.handled = 0;
      }
    }
    if (clocked === this.#clocked) return;
    this.#clocked = clocked;
    if (clocked) this.#startClock(now);
    else this.stopClock(now);
  }

  /** A refused transfer may be allowed by now: try again. */
  retry(now: number): void {
    if (!this.#refused) return;
    this.#refused = false;
    this.advance(now);
  }

  /** True while the converter's clock counts slots for this engine. */
  get running(): boolean {
    return this.#running;
  }

  /** False while there is nothing that time could change: neither DMA nor a FIFO to play out. */
  get engaged(): boolean {
    return this.#running || this.dmaRuns;
  }

  /** RPBM. */
  get dmaRuns(): boolean {
    return (this.#cr & CR_RPBM) !== 0;
  }

  protected get state(): RingState {
    return this.#state;
  }

  protected get refused(): boolean {
    return this.#refused;
  }

  /** The second dword of the current, or last, descriptor. */
  protected get control(): number {
    return this.#control;
  }

  /** Software paused the engine at `now`. */
  protected abstract onPause(now: number): void;

  protected abstract emptyFifo(): void;

  /** The clock begins to count (`start`), or ended, its next slot being that of `tick`. */
  protected abstract onClock(runs: boolean, tick: number): void;

  /** Moves samples between memory at `busAddress` and the FIFO; false when refused. */
  protected abstract transfer(busAddress: number, samples: number): boolean;

  protected stopClock(now: number): void {
    if (!this.#running) return;
    this.#running = false;
    this.onClock(false, Math.max(now, this.clock.tickOf(this.handled)));
  }

  #startClock(now: number): void {
    if (this.#running || !this.#clocked || !this.dmaRuns) return;
    this.#running = true;
    this.clock.start(now, this.#rate);
    this.handled = 0;
    this.onClock(true, now);
  }

  protected setFifoError(): void {
    this.#status |= SR_FIFOE;
  }

  /** Reads the descriptor at CIV when it is due; false when there is none to work on. */
  protected loadDescriptor(): boolean {
    if (this.#state === 'active') return true;
    if (this.#state !== 'pending' || this.#refused || !this.dmaRuns) return false;
    if (this.#prefetched) {
      this.#prefetched = false;
      this.#begin(this.#prefetchedAddress, this.#prefetchedControl);
    } else {
      const at = this.#bdbar + this.#civ * 8;
      const address = this.slot?.busMaster.readUlong(at) ?? null;
      const control = address === null ? null : (this.slot?.busMaster.readUlong(at + 4) ?? null);
      if (address === null || control === null) {
        this.#refused = true;
        return false;
      }
      this.#begin(address, control);
    }
    this.#prefetch();
    return true;
  }

  /** Moves `samples` samples of the current descriptor; after a refusal as many whole bursts as were allowed. */
  protected moveSamples(samples: number): boolean {
    const report = this.slot?.report;
    const busAddress = this.#address + this.moved * 2;
    if (this.transfer(busAddress, samples)) {
      if (report?.wantsDma === true) {
        report.dma(this.name, this.name === 'PO' ? 'read' : 'write', busAddress, samples * 2);
      }
      this.moved += samples;
      this.#samplesMoved += samples;
      return true;
    }
    if (samples <= this.burstSamples) {
      this.#refused = true;
      return false;
    }
    // The real engine moves burst by burst, so what lies before the forbidden byte still comes.
    let left = samples;
    while (left > 0) {
      const burst = Math.min(left, this.burstSamples);
      if (!this.moveSamples(burst)) return false;
      left -= burst;
    }
    return true;
  }

  /** Rounds down to where a burst of the current descriptor ends. */
  protected wholeBursts(samples: number): number {
    return samples - (samples % this.burstSamples);
  }

  /** The last sample of the current descriptor has moved. */
  protected completeDescriptor(): void {
    if ((this.#control & BD_IOC) !== 0) this.#status |= SR_BCIS;
    if (this.#civ === this.#lvi) {
      this.#status |= SR_LVBCI;
      this.#state = 'done';
    } else {
      this.#step();
    }
  }

  /**
   * How many samples from now a descriptor ends of which somebody wants to know: the current one when its end interrupts or
   * halts, or when FIFO errors interrupt (a refusal shows only when the transfer is tried); else the prefetched one, so that a
   * ring without interrupts is looked at once in two descriptors. Null: nothing to wait for.
   */
  protected samplesToEvent(): number | null {
    if (this.#state !== 'active') return null;
    const left = this.length - this.moved;
    const interrupts =
      ((this.#control & BD_IOC) !== 0 && (this.#cr & CR_IOCE) !== 0) || (this.#cr & CR_FEIE) !== 0;
    if (interrupts || this.#civ === this.#lvi || !this.#prefetched) return left;
    return left + (this.#prefetchedControl & BD_LENGTH);
  }

  /** True when a FIFO error would be news worth an interrupt. */
  protected get fifoErrorAwaited(): boolean {
    return this.#refused && (this.#cr & CR_FEIE) !== 0 && (this.#status & SR_FIFOE) === 0;
  }

  #step(): void {
    this.#civ = this.#piv;
    this.#piv = (this.#piv + 1) & INDEX_MASK;
    this.#state = 'pending';
  }

  #begin(address: number, control: number): void {
    this.#address = (address & ~1) >>> 0;
    this.#control = control;
    this.length = control & BD_LENGTH;
    this.moved = 0;
    this.#state = 'active';
    const odd = this.length % this.samplesPerFrame !== 0;
    if (odd || (address & 1) !== 0 || (control & RESERVED_CONTROL_BITS) !== 0) {
      const what = odd ? 'a frame spans two descriptors' : 'reserved bits are set';
      this.slot?.report.finding(`${this.name} descriptor ${this.#civ}: ${what}`, { address, control });
    }
  }

  /** Reads the descriptor after the current one ahead, unless the current one is the last valid. */
  #prefetch(): void {
    if (this.#prefetched || this.#civ === this.#lvi) return;
    const at = this.#bdbar + this.#piv * 8;
    const address = this.slot?.busMaster.readUlong(at) ?? null;
    const control = address === null ? null : (this.slot?.busMaster.readUlong(at + 4) ?? null);
    if (address === null || control === null) return;
    this.#prefetched = true;
    this.#prefetchedAddress = address;
    this.#prefetchedControl = control;
  }
}
