import type { AccessSize, Alarm, BusTarget, CardSlot, PcmFormat, PcmSink } from '../../hal/bus.ts';
import { describeFmStatus, describeFmValue, fmRegisterAt, fmRegisterName, fmRegisters } from './describe.ts';
import {
  CN_CSM,
  type FmChip,
  OPL_BYTES,
  OPL_CSM_NTS,
  OPL_NEW,
  OPL_STATUS,
  OPL_STATUS_YM3812,
  OPL_TIMER_1,
  OPL_TIMER_2,
  OPL_TIMER_CONTROL,
} from './registers.ts';
import { FM_NOMINAL_RATE, SampleGrid } from './sample-grid.ts';
import { FmSynth } from './synth.ts';
import { FmTimers } from './timers.ts';

/** What the chip gets from the card that carries it. */
export type Opl3Slot = Pick<CardSlot, 'clock' | 'interrupt' | 'report'>;

/** Which chip it is, and what hears it. */
export interface Opl3Options {
  /** YMF262 (OPL3) by default; YM3812 is the OPL2 of the AdLib card. */
  readonly chip?: FmChip;
  /** Hears outputs A (left) and B (right); of a YM3812 the same on both sides. Without it nothing is synthesized. */
  readonly output?: PcmSink;
}

/** One register as {@link Opl3.snapshot} shows it. */
export interface FmRegisterValue {
  readonly name: string;
  readonly register: number;
  /** What was written last; the chip itself cannot be read. */
  readonly value: number;
  readonly meaning: string | undefined;
}

/** The least that is decided at once: whether the chip is silent. */
const CHECK_SAMPLES = 64;
const BLOCK_SAMPLES = 512;
/** What a port reads that the chip does not drive. */
const OPEN_BUS = 0xff;

const FORMAT: PcmFormat = { sampleRate: FM_NOMINAL_RATE, channels: 2 };

/**
 * A Yamaha YMF262 (OPL3) or YM3812 (OPL2) on a bus: four ports (two on the YM3812, seen twice), timers, interrupt, and its samples in
 * time.
 *
 * Sample n leaves at start + ceil(n × 1408 ÷ 7) ticks, from the tick at which the chip was attached; blocks are labelled 49716 Hz, and
 * their time stamps are exact, so a block that follows another begins where that one ends to the tick, while by the label it would
 * begin 1.8 parts per million earlier. A register acts on the samples after its tick. When all envelopes have ended the output
 * gets nothing until a register is written: the rest noise of the chip, −1 in the negative halves of silent waves, is left out.
 *
 * Nothing happens between accesses but the timers' interrupts; {@link catchUp} brings the output up to the present.
 */
export class Opl3 implements BusTarget {
  readonly chip: FmChip;
  readonly #output: PcmSink | null;
  readonly #synth: FmSynth;
  readonly #timers = new FmTimers();
  readonly #grid = new SampleGrid();
  readonly #block = new Int16Array(2 * BLOCK_SAMPLES);

  #slot: Opl3Slot | null = null;
  #alarm: Alarm | null = null;
  #alarmTick: number | null = null;
  #level = false;

  /** Nine bits: the register that the data ports write. */
  #address = 0;
  /** What was written last, by register number. */
  readonly #written = new Uint8Array(0x200);
  #compositeSine = false;
  #keysStruck = false;
  /** The next sample's number. */
  #sample = 0;
  /** Samples at the end of those passed that were neither rendered nor skipped: the synthesizer rests. */
  #restingSamples = 0;
  #resting = true;

  constructor(options: Opl3Options = {}) {
    this.chip = options.chip ?? 'YMF262';
    this.#output = options.output ?? null;
    this.#synth = new FmSynth(this.chip);
  }

  attach(slot: Opl3Slot): void {
    this.#slot = slot;
    this.#grid.start(slot.clock.now);
    this.#sample = 0;
    this.#restingSamples = 0;
    this.#alarm = slot.clock.createAlarm(() => {
      this.#alarmTick = null;
      this.catchUp();
    });
    this.#alarmTick = null;
    this.#level = false;
    this.#settle();
  }

  /** The IC# pin: registers, timers and generators as at power-on. */
  reset(): void {
    this.#advance();
    this.#synth.reset();
    this.#timers.reset();
    this.#address = 0;
    this.#written.fill(0);
    this.#compositeSine = false;
    this.#keysStruck = false;
    this.#resting = true;
    this.#restingSamples = 0;
    this.#settle();
  }

  detach(): void {
    this.#alarm?.cancel();
    this.#alarm = null;
    this.#slot?.interrupt.setLevel(false);
    this.#slot = null;
  }

  /** Gives the output everything up to the present without touching a register. */
  catchUp(): void {
    this.#advance();
    this.#settle();
  }

  /** Every register with the value written last and its meaning, for a listing. */
  snapshot(): readonly FmRegisterValue[] {
    return fmRegisters(this.chip).map(({ name, register }) => {
      const value = this.#written[register]!;
      return { name, register, value, meaning: describeFmValue(register, value) };
    });
  }

  /** The status at port 0 (and 2 on the YM3812); the other ports are not driven. */
  read(offset: number, size: AccessSize): number {
    let value = 0;
    for (let index = 0; index < size; index++) value += this.#read(offset + index) * 2 ** (8 * index);
    return value;
  }

  write(offset: number, size: AccessSize, value: number): void {
    for (let index = 0; index < size; index++) this.#write(offset + index, (value >>> (8 * index)) & 0xff);
  }

  /** Address lines of the YMF262: A0 and A1; of the YM3812: A0. */
  #port(offset: number): number {
    return offset & (this.chip === 'YMF262' ? OPL_BYTES - 1 : 1);
  }

  #read(offset: number): number {
    const slot = this.#slot;
    if (slot === null || this.#port(offset) !== OPL_STATUS) return OPEN_BUS;
    this.#advanceTimers();
    const value = this.#timers.status | (this.chip === 'YM3812' ? OPL_STATUS_YM3812 : 0);
    this.#settle();
    if (slot.report.wantsRegisters)
      slot.report.register('FM_STATUS', 'read', value, 1, describeFmStatus(value));
    return value;
  }

  #write(offset: number, value: number): void {
    const slot = this.#slot;
    if (slot === null) return;
    const port = this.#port(offset);
    if ((port & 1) === 0) {
      this.#address = this.#decodeAddress(port, value);
      if (slot.report.wantsRegisters)
        slot.report.register('FM_ADDRESS', 'write', value, 1, fmRegisterName(this.#address));
      return;
    }
    const register = this.#address;
    if (slot.report.wantsRegisters)
      slot.report.register(fmRegisterName(register), 'write', value, 1, describeFmValue(register, value));
    // Drivers clear the whole address space at their start; that is harmless.
    if (value !== 0 && fmRegisterAt(register) === null)
      slot.report.finding('write to an FM register that does not exist', { register, value });
    this.#writeRegister(register, value);
  }

  /** In the compatible mode bank 1 is closed, but for the register that opens it; its addresses reach bank 0. */
  #decodeAddress(port: number, value: number): number {
    const open = this.#synth.newMode || value === (OPL_NEW & 0xff);
    return port >= 2 && open ? 0x100 | value : value;
  }

  #writeRegister(register: number, value: number): void {
    this.#written[register] = value;
    switch (register) {
      case OPL_TIMER_1:
        this.#advanceTimers();
        this.#timers.setPreset1(value);
        break;
      case OPL_TIMER_2:
        this.#advanceTimers();
        this.#timers.setPreset2(value);
        break;
      case OPL_TIMER_CONTROL:
        this.#advanceTimers();
        this.#timers.control(value, this.#now());
        break;
      default:
        this.#advance();
        this.#wake();
        if (register === OPL_CSM_NTS) this.#compositeSine = this.chip === 'YM3812' && (value & CN_CSM) !== 0;
        this.#synth.write(register, value);
    }
    this.#settle();
  }

  // --- time ---

  /** The number of the next sample: all before it have left. */
  #now(): number {
    return this.#slot === null ? this.#sample : this.#grid.samplesBy(this.#slot.clock.now);
  }

  /** The timers up to the present; the sound only where it hangs on them. */
  #advanceTimers(): void {
    if (this.#compositeSine) this.#advance();
    else this.#timers.advance(this.#now());
  }

  #advance(): void {
    const now = this.#now();
    while (this.#compositeSine) {
      const overflow = this.#timers.overflow1Sample;
      if (overflow === null || overflow > now) break;
      this.#render(overflow);
      this.#timers.advance(overflow);
      this.#strikeAllKeys();
    }
    this.#timers.advance(now);
    this.#render(now);
  }

  /** An overflow of timer 1 in composite sine mode: the keys are down for the next sample. */
  #strikeAllKeys(): void {
    if (this.#output === null) return;
    this.#wake();
    this.#synth.holdKeys(true);
    this.#keysStruck = true;
  }

  /** Renders up to sample `end`, or rests. Whether it rests depends on the samples alone, not on who looks when. */
  #render(end: number): void {
    const output = this.#output;
    let frames = 0;
    while (output !== null && this.#sample < end && !this.#resting) {
      if (this.#sample % CHECK_SAMPLES === 0 && this.#synth.silent) {
        this.#resting = true;
        break;
      }
      const toCheck = CHECK_SAMPLES - (this.#sample % CHECK_SAMPLES);
      const count = this.#keysStruck ? 1 : Math.min(end - this.#sample, toCheck, BLOCK_SAMPLES - frames);
      this.#synth.generate(this.#block, count, frames);
      if (this.#keysStruck) this.#releaseAllKeys();
      this.#sample += count;
      frames += count;
      if (frames === BLOCK_SAMPLES) {
        this.#deliver(output, frames);
        frames = 0;
      }
    }
    if (output !== null && frames > 0) this.#deliver(output, frames);
    if (this.#sample < end) {
      this.#restingSamples += end - this.#sample;
      this.#sample = end;
    }
  }

  #releaseAllKeys(): void {
    this.#synth.holdKeys(false);
    this.#keysStruck = false;
  }

  /** The last `frames` samples leave. */
  #deliver(output: PcmSink, frames: number): void {
    output.write(this.#block, frames, FORMAT, this.#grid.tickOf(this.#sample - frames));
  }

  /** A register is written: from here on there may be something to hear. */
  #wake(): void {
    if (this.#output === null) return;
    if (this.#resting && this.#restingSamples > 0) this.#synth.skip(this.#restingSamples);
    this.#restingSamples = 0;
    this.#resting = false;
  }

  /** Line and alarm, from state. */
  #settle(): void {
    const slot = this.#slot;
    if (slot === null) return;
    const next = this.#timers.nextFlagSample;
    // An overflow before sample n is there as soon as sample n − 1 has left.
    const tick = next === null ? null : this.#grid.tickOf(next - 1);
    if (tick !== this.#alarmTick) {
      this.#alarmTick = tick;
      if (tick === null) this.#alarm?.cancel();
      else this.#alarm?.set(tick);
    }
    const level = this.#timers.status !== 0;
    if (level === this.#level) return;
    this.#level = level;
    // Last of all: whoever hears of the line may access the chip at once.
    slot.interrupt.setLevel(level);
  }
}
