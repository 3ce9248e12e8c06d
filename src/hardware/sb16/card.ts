import type {
  Alarm,
  BusTarget,
  IsaCard,
  IsaDmaDevice,
  IsaDmaLine,
  IsaInterruptLine,
  IsaPnpTarget,
  IsaPorts,
  IsaSlot,
} from '../../hal/bus.ts';
import { TICKS_PER_MICROSECOND, TICKS_PER_MILLISECOND } from '../../hal/bus.ts';
import { type IsaPnpConfiguration, IsaPnpLogic } from '../isapnp/index.ts';
import { Mpu401 } from '../mpu401/index.ts';
import { Opl3 } from '../opl3/index.ts';
import { SampleClock } from '../sample-clock.ts';
import { AnalogSources, Sb16Input } from './analog-input.ts';
import { Sb16Dsp } from './dsp.ts';
import { FmTap } from './fm-tap.ts';
import type { Sb16Jacks } from './jacks.ts';
import { MidiSplitter, SharedMidiOut } from './midi-port.ts';
import { Ct1745Mixer, interruptSetupOf } from './mixer.ts';
import { Sb16Output } from './output.ts';
import {
  SB16_BASES,
  SB16_DMA,
  SB16_FM_BASES,
  SB16_GAME_BASES,
  SB16_IO,
  SB16_LOGICAL_AUDIO,
  SB16_LOGICAL_GAME,
  SB16_MPU_BASES,
  sb16PnpDescription,
} from './pnp-description.ts';
import {
  DMA_SETUP_8_BIT,
  DMA_SETUP_16_BIT,
  INTERRUPT_8_BIT,
  INTERRUPT_16_BIT,
  INTERRUPT_MPU,
  INTERRUPT_SETUP_LINES,
  MIXER_REGISTERS,
  mixerRegister,
  SB_DSP_ACK_16,
  SB_DSP_READ_DATA,
  SB_DSP_READ_STATUS,
  SB_DSP_RESET,
  SB_DSP_WRITE,
  SB_DSP_WRITE_STATUS,
  SB_FM_LEGACY,
  SB_FM_LEGACY_PORTS,
  SB_FM_PORTS,
  SB_GAME_PORTS,
  SB_MIXER_DATA,
  SB_MIXER_INDEX,
  SB_MPU_PORTS,
  SB_PORTS,
} from './registers.ts';
import type { TransferEngine } from './transfer-engine.ts';

/** Where a card without Plug and Play is, by its jumpers and by its mixer's setup registers after power-on. */
export interface Sb16JumperSettings {
  readonly base?: number;
  /** Null: the MPU-401 is switched off. */
  readonly mpuBase?: number | null;
  readonly irq?: number;
  readonly dma8?: number;
  readonly dma16?: number | null;
}

/** What is plugged into the card, and how it is built. */
export interface Sb16CardOptions extends Sb16Jacks {
  /** Major × 256 + minor; 4.13 unless given. */
  readonly dspVersion?: number;
  /** A card without Plug and Play, with these jumpers; otherwise the card is silent until it is configured. */
  readonly jumpers?: Sb16JumperSettings;
  /** Serial number of the Plug and Play identifier. */
  readonly serialNumber?: number;
  /** Depth of the FIFO that transfer commands may switch on; 16 bytes unless given. */
  readonly fifoBytes?: number;
  /** From a reset of the DSP to its AAh; 100 µs unless given. */
  readonly resetTicks?: number;
  /** Everything leaves at this rate, for a listener who cannot follow changes. */
  readonly outputRate?: number;
}

/** Where a transfer is, by the card's own count. */
export interface Sb16Position {
  /** Bytes moved by DMA since the DSP's reset. */
  readonly dmaBytes: number;
  /** Frames that left the DAC, or came from the ADC, since then. */
  readonly converterFrames: number;
  /** Bytes of the block that have not moved yet. */
  readonly blockBytesLeft: number;
  readonly running: boolean;
}

/** One register as {@link Sb16Card.snapshot} shows it. */
export interface Sb16RegisterValue {
  readonly name: string;
  readonly index: number;
  readonly value: number;
  readonly meaning: string;
}

/** What the card answers to, as jumpers or Plug and Play have it. */
interface AudioSettings {
  readonly base: number | null;
  readonly mpuBase: number | null;
  readonly fmBase: number | null;
  readonly irq: number | null;
  readonly dma8: number | null;
  readonly dma16: number | null;
}

const NOTHING: AudioSettings = {
  base: null,
  mpuBase: null,
  fmBase: null,
  irq: null,
  dma8: null,
  dma16: null,
};

const DEFAULT_DSP_VERSION = 0x040d;
const DEFAULT_FIFO_BYTES = 16;
const DEFAULT_SERIAL_NUMBER = 0x0001_0203;
/** How often the mixer is heard when only time makes sound. */
const LIVE_STEP_TICKS = 10 * TICKS_PER_MILLISECOND;
/** What a source is told of the rate when software samples it one by one. */
const DIRECT_INPUT_HZ = 44_100;
const UNDRIVEN = 0xff;

const REGISTER_NAMES: Readonly<Record<number, readonly [string, string]>> = {
  [SB_MIXER_INDEX]: ['MIXER_INDEX', 'MIXER_INDEX'],
  [SB_DSP_RESET]: ['', 'DSP_RESET'],
  [SB_DSP_READ_DATA]: ['DSP_READ_DATA', ''],
  [SB_DSP_WRITE]: ['DSP_WRITE_STATUS', 'DSP_WRITE'],
  [SB_DSP_READ_STATUS]: ['DSP_READ_STATUS', ''],
  [SB_DSP_ACK_16]: ['DSP_ACK_16', ''],
};

/**
 * A Sound Blaster 16: DSP 4.xx with 8-bit and 16-bit DMA, CT1745 mixer, YMF262 FM synthesizer, MPU-401 UART, game port without a joystick
 * (Creative Labs, "Sound Blaster Series Hardware Programming Guide"). With Plug and Play, as by default, it answers where it is told; with
 * jumpers, where they are set.
 *
 * The card does nothing between accesses: every access, and an alarm for the next end of a block, first brings it up to the present.
 */
export class Sb16Card implements IsaCard {
  readonly name = 'SB16';
  readonly pnp: IsaPnpTarget | null;
  readonly #logic: IsaPnpLogic | null;
  readonly #jumpers: Sb16JumperSettings | null;
  readonly #mixer: Ct1745Mixer;
  readonly #dsp: Sb16Dsp;
  readonly #mpu: Mpu401;
  readonly #fm: Opl3;
  readonly #fmTap = new FmTap();
  readonly #input: Sb16Input;
  readonly #output: Sb16Output;

  #slot: IsaSlot | null = null;
  #alarm: Alarm | null = null;
  #alarmTick: number | null = null;
  #advancedTo = 0;
  /** Time passed, or something was written, since line and alarm were last set. */
  #unsettled = true;
  #busy = false;

  #settings: AudioSettings = NOTHING;
  #gameBase: number | null = null;
  #ports: IsaPorts[] = [];
  #gamePorts: IsaPorts | null = null;
  #irqLine: IsaInterruptLine | null = null;
  #dmaLines: readonly IsaDmaLine[] = [];
  #mpuAsserted = false;
  #level = false;
  /** The FM chip was written to: whether it sounds shows when time has passed. */
  #fmTouched = false;
  readonly #oneFrame = new Int16Array(2);
  readonly #oneFrameClock = new SampleClock();

  constructor(options: Sb16CardOptions = {}) {
    this.#jumpers = options.jumpers ?? null;
    this.#logic =
      options.jumpers === undefined
        ? new IsaPnpLogic(
            sb16PnpDescription(options.serialNumber ?? DEFAULT_SERIAL_NUMBER),
            (device, configuration) => this.#configure(device, configuration),
          )
        : null;
    this.pnp = this.#logic;
    this.#mixer = new Ct1745Mixer({
      readInterruptSetup: () => interruptSetupOf(this.#settings.irq),
      readDmaSetup: () => dmaSetupOf(this.#settings),
      writeInterruptSetup: (value) => this.#writeInterruptSetup(value),
      writeDmaSetup: (value) => this.#writeDmaSetup(value),
      readInterruptStatus: () => this.#interruptStatus,
    });
    this.#input = new Sb16Input(this.#mixer, new AnalogSources(this.#mixer, options, this.#fmTap));
    const outputSources = new AnalogSources(this.#mixer, options, this.#fmTap);
    this.#output = new Sb16Output(
      this.#mixer,
      outputSources,
      this.#fmTap,
      options,
      options.outputRate ?? null,
    );
    const midiIn = new MidiSplitter(options.midiIn ?? null);
    const midiOut = new SharedMidiOut(options.midiOut ?? null);
    this.#mpu = new Mpu401({ midiOut, midiIn: midiIn.output(0) });
    this.#fm = new Opl3({ output: this.#fmTap });
    const input = this.#input;
    const output = this.#output;
    const dspIn = midiIn.output(1);
    dspIn.connect(() => this.#onMidiIn());
    this.#dsp = new Sb16Dsp(
      {
        voice: {
          claim: () => output.claim(),
          release: () => output.release(),
          play: (samples, frames, clock, first) => output.play(samples, frames, clock, first),
          record: (into, frames, clock, first) => input.record(into, frames, clock, first),
        },
        now: () => this.#advancedTo,
        report: () => this.#slot?.report ?? null,
        directOutput: (sample) => output.direct(sample, this.#advancedTo),
        directInput: () => this.#directInput(),
        setSpeaker: (on) => output.setSpeaker(on),
        interruptChanged: () => {
          this.#unsettled = true;
        },
      },
      {
        version: options.dspVersion ?? DEFAULT_DSP_VERSION,
        fifoBytes: options.fifoBytes ?? DEFAULT_FIFO_BYTES,
        resetTicks: options.resetTicks ?? 100 * TICKS_PER_MICROSECOND,
      },
      dspIn,
      midiOut,
    );
  }

  attach(slot: IsaSlot): void {
    this.#slot = slot;
    this.#advancedTo = slot.clock.now;
    this.#alarm = slot.clock.createAlarm(() => this.#onAlarm());
    this.#alarmTick = null;
    this.#fmTap.start(slot.clock.now);
    this.#output.start(slot.clock.now);
    const { clock, report } = slot;
    this.#fm.attach({ clock, report, interrupt: { setLevel: () => {} } });
    this.#mpu.attach({
      clock,
      report,
      interrupt: {
        setLevel: (asserted) => {
          this.#mpuAsserted = asserted;
          this.#updateInterrupt();
        },
      },
    });
  }

  reset(): void {
    const now = this.#enter();
    this.#dsp.powerOn(now);
    this.#mixer.reset();
    this.#mpu.reset();
    this.#fm.reset();
    if (this.#logic) this.#logic.reset();
    else this.#useSettings(jumperSettings(this.#jumpers ?? {}));
    if (!this.#logic) this.#useGamePort(SB16_GAME_BASES[0] ?? null);
    this.#leave();
  }

  detach(): void {
    this.#alarm?.cancel();
    this.#alarm = null;
    this.#mpu.detach();
    this.#fm.detach();
    this.#useSettings(NOTHING);
    this.#useGamePort(null);
    this.#slot = null;
  }

  /** Brings sinks, memory and connectors up to the present without touching a register. */
  catchUp(): void {
    this.#enter();
    this.#leave();
  }

  /** Where the 8-bit or 16-bit transfer is now, for tests and for comparing with what a driver believes. */
  position(width: 8 | 16): Sb16Position {
    this.catchUp();
    const engine: TransferEngine = width === 8 ? this.#dsp.engine8 : this.#dsp.engine16;
    return {
      dmaBytes: engine.bytesMoved,
      converterFrames: engine.framesConverted,
      blockBytesLeft: engine.bytesLeft,
      running: engine.running,
    };
  }

  /** Every mixer register with its value and meaning; reading them here has no side effect. */
  snapshot(): readonly Sb16RegisterValue[] {
    this.catchUp();
    return MIXER_REGISTERS.map(({ index, name, meaning }) => ({
      name,
      index,
      value: this.#mixer.read(index),
      meaning,
    }));
  }

  /** Where the card answers now, null for what is not configured. */
  get configuration(): AudioSettings & { readonly gameBase: number | null } {
    return { ...this.#settings, gameBase: this.#gameBase };
  }

  // --- time ---

  #enter(): number {
    const now = this.#slot?.clock.now ?? this.#advancedTo;
    if (now !== this.#advancedTo) {
      this.#unsettled = true;
      this.#advance(now);
    }
    return now;
  }

  #advance(now: number): void {
    this.#busy = true;
    this.#fm.catchUp();
    this.#output.prepare();
    this.#advancedTo = now;
    this.#dsp.advance(now);
    this.#output.advance(now);
    this.#busy = false;
  }

  #onAlarm(): void {
    this.#alarmTick = null;
    this.#unsettled = true;
    this.#fmTouched = false;
    // Also when the card has been at this tick before: a command may have made something due at once.
    this.#advance(this.#slot?.clock.now ?? this.#advancedTo);
    this.#leave();
  }

  /** Ends an access: the consequences at this very tick, then the alarm and the line. */
  #leave(): void {
    if (this.#slot === null || !this.#unsettled) return;
    this.#unsettled = false;
    this.#setAlarm();
    this.#updateInterrupt();
  }

  #setAlarm(): void {
    let tick = this.#dsp.nextEventTick();
    if (this.#output.live || this.#fmTouched) {
      const step = (Math.floor(this.#advancedTo / LIVE_STEP_TICKS) + 1) * LIVE_STEP_TICKS;
      if (tick === null || step < tick) tick = step;
    }
    if (tick === this.#alarmTick) return;
    this.#alarmTick = tick;
    if (tick === null) this.#alarm?.cancel();
    else this.#alarm?.set(tick);
  }

  /** A byte is on its way to MIDI IN: the DSP may wait for it. */
  #onMidiIn(): void {
    if (this.#slot === null || this.#busy) return;
    this.#enter();
    this.#unsettled = true;
    this.#leave();
  }

  /** 82h. */
  get #interruptStatus(): number {
    return (
      (this.#dsp.interrupt8 ? INTERRUPT_8_BIT : 0) |
      (this.#dsp.interrupt16 ? INTERRUPT_16_BIT : 0) |
      (this.#mpuAsserted ? INTERRUPT_MPU : 0)
    );
  }

  /** The level of the interrupt line, recomputed from state: any of the three sources. */
  #updateInterrupt(): void {
    const level = this.#interruptStatus !== 0;
    if (level === this.#level) return;
    this.#level = level;
    // Last of all: whoever hears of the line may access the card at once.
    this.#irqLine?.setLevel(level);
  }

  #directInput(): number {
    this.#oneFrameClock.start(this.#advancedTo, DIRECT_INPUT_HZ);
    this.#input.record(this.#oneFrame, 1, this.#oneFrameClock, 0);
    return this.#oneFrame[0]!;
  }

  // --- configuration ---

  #configure(device: number, configuration: IsaPnpConfiguration): void {
    if (device === SB16_LOGICAL_GAME) {
      const base = configuration.ioBases[0] ?? 0;
      this.#useGamePort(configuration.active ? this.#decodable(base, SB16_GAME_BASES, 'game port') : null);
      return;
    }
    if (device !== SB16_LOGICAL_AUDIO) return;
    if (!configuration.active) {
      this.#useSettings(NOTHING);
      return;
    }
    const { ioBases, irqs, dmas } = configuration;
    const [dma8 = null, dma16 = null] = [dmas[SB16_DMA.channel8], dmas[SB16_DMA.channel16]];
    this.#useSettings({
      base: this.#decodable(ioBases[SB16_IO.base] ?? 0, SB16_BASES, 'audio'),
      mpuBase: this.#decodable(ioBases[SB16_IO.mpu] ?? 0, SB16_MPU_BASES, 'MPU-401'),
      fmBase: this.#decodable(ioBases[SB16_IO.fm] ?? 0, SB16_FM_BASES, 'FM'),
      irq: irqs[0] === 0 ? null : (irqs[0] ?? null),
      dma8: dma8 !== null && DMA_SETUP_8_BIT.includes(dma8) ? dma8 : null,
      dma16: dma16 !== null && DMA_SETUP_16_BIT.includes(dma16) ? dma16 : null,
    });
  }

  #decodable(base: number, bases: readonly number[], what: string): number | null {
    if (base === 0) return null;
    if (bases.includes(base)) return base;
    this.#slot?.report.finding(`the card cannot decode its ${what} at ${base.toString(16).toUpperCase()}h`, {
      base,
    });
    return null;
  }

  /** 80h: on a Plug and Play card the configuration registers decide (guide, "Interrupt setup register"). */
  #writeInterruptSetup(value: number): void {
    const wired = INTERRUPT_SETUP_LINES.find(([bit]) => (value & bit) !== 0);
    if (this.#logic) {
      this.#refuseSetup('MIX_INTERRUPT_SETUP', value, interruptSetupOf(this.#settings.irq));
      return;
    }
    this.#useSettings({ ...this.#settings, irq: wired?.[1] ?? null });
  }

  /** 81h. */
  #writeDmaSetup(value: number): void {
    if (this.#logic) {
      this.#refuseSetup('MIX_DMA_SETUP', value, dmaSetupOf(this.#settings));
      return;
    }
    const chosen = (channels: readonly number[]) =>
      channels.find((channel) => ((value >> channel) & 1) !== 0) ?? null;
    this.#useSettings({
      ...this.#settings,
      dma8: chosen(DMA_SETUP_8_BIT),
      dma16: chosen(DMA_SETUP_16_BIT),
    });
  }

  #refuseSetup(name: string, value: number, present: number): void {
    if (value === present) return;
    this.#slot?.report.finding(
      `${name} written on a Plug and Play card: it keeps what it was configured to`,
      {
        value,
        present,
      },
    );
  }

  #useSettings(settings: AudioSettings): void {
    const now = this.#enter();
    const before = this.#settings;
    this.#settings = settings;
    this.#unsettled = true;
    if (settings.irq !== before.irq) this.#connectInterrupt(settings.irq);
    if (settings.dma8 !== before.dma8 || settings.dma16 !== before.dma16) this.#connectDma(settings);
    const moved = (['base', 'mpuBase', 'fmBase'] as const).some((key) => settings[key] !== before[key]);
    if (moved) this.#mapPorts(settings);
    for (const engine of [this.#dsp.engine8, this.#dsp.engine16]) engine.retry(now);
    if (!this.#busy) this.#leave();
  }

  #connectInterrupt(irq: number | null): void {
    this.#irqLine?.setLevel(false);
    this.#irqLine?.disconnect();
    this.#irqLine = null;
    const slot = this.#slot;
    if (irq === null || slot === null) return;
    this.#irqLine = this.#attempt(() => slot.connectInterrupt(irq));
    this.#irqLine?.setLevel(this.#level);
  }

  #connectDma({ dma8, dma16 }: AudioSettings): void {
    for (const line of this.#dmaLines) line.disconnect();
    const slot = this.#slot;
    const device: IsaDmaDevice = {
      catchUp: () => this.#dmaCatchUp(),
      changed: () => this.#dmaChanged(),
    };
    const connect = (channel: number | null) =>
      channel === null || slot === null ? null : this.#attempt(() => slot.connectDma(channel, device));
    const line8 = connect(dma8);
    const line16 = connect(dma16);
    this.#dmaLines = [line8, line16].filter((line) => line !== null);
    this.#dsp.setLines(line8, line16);
  }

  /** Wrongly configured, the card has no line; a card has no other way to say so. */
  #attempt<T>(connect: () => T): T | null {
    try {
      return connect();
    } catch (error) {
      if (!(error instanceof RangeError)) throw error;
      this.#slot?.report.finding(error.message);
      return null;
    }
  }

  #mapPorts({ base, mpuBase, fmBase }: AudioSettings): void {
    for (const ports of this.#ports) ports.unmap();
    this.#ports = [];
    const slot = this.#slot;
    if (slot === null) return;
    const map = (name: string, start: number | null, length: number, target: BusTarget) => {
      if (start !== null) this.#ports.push(slot.mapPorts(name, start, length, target));
    };
    const fm = this.#fmTarget();
    map('audio', base, SB_PORTS, {
      read: (offset) => this.#read(offset, fm),
      write: (offset, _size, value) => this.#write(offset, value, fm),
    });
    map('MPU-401', mpuBase, SB_MPU_PORTS, this.#mpu);
    map('FM', fmBase, SB_FM_PORTS, fm);
  }

  #useGamePort(base: number | null): void {
    if (base === this.#gameBase) return;
    this.#gameBase = base;
    this.#gamePorts?.unmap();
    // Nothing is plugged in: buttons are up, and the timers of the axes never end.
    const target: BusTarget = { read: () => UNDRIVEN, write: () => {} };
    this.#gamePorts =
      base === null ? null : (this.#slot?.mapPorts('game port', base, SB_GAME_PORTS, target) ?? null);
  }

  // --- DMA ---

  #dmaCatchUp(): void {
    if (this.#busy) return;
    this.#enter();
    this.#leave();
  }

  #dmaChanged(): void {
    if (this.#busy || this.#slot === null) return;
    const now = this.#enter();
    this.#busy = true;
    this.#dsp.engine8.retry(now);
    this.#dsp.engine16.retry(now);
    this.#busy = false;
    this.#unsettled = true;
    this.#leave();
  }

  // --- ports ---

  /** The FM chip's ports with the card brought up to date before: what is written sounds from now on. */
  #fmTarget(): BusTarget {
    return {
      read: (offset, size) => this.#fm.read(offset, size),
      write: (offset, size, value) => {
        this.#enter();
        this.#fm.write(offset, size, value);
        if (!this.#fmTouched) {
          this.#fmTouched = true;
          this.#unsettled = true;
        }
        this.#leave();
      },
    };
  }

  #read(offset: number, fm: BusTarget): number {
    if (offset < SB_FM + SB_FM_PORTS) return fm.read(offset, 1);
    if (isLegacyFm(offset)) return fm.read(offset - SB_FM_LEGACY, 1);
    this.#enter();
    const value = this.#readRegister(offset);
    const report = this.#slot?.report;
    if (report?.wantsRegisters === true) {
      if (offset === SB_MIXER_DATA) this.#traceMixer('read', value);
      else report.register(nameOf(offset, 0), 'read', value, 1);
    }
    this.#leave();
    return value;
  }

  #readRegister(offset: number): number {
    switch (offset) {
      case SB_MIXER_INDEX:
        return this.#mixer.index;
      case SB_MIXER_DATA:
        return this.#mixer.read();
      case SB_DSP_READ_DATA:
        return this.#dsp.readData();
      case SB_DSP_WRITE_STATUS:
        return this.#dsp.readWriteStatus();
      case SB_DSP_READ_STATUS:
        return this.#dsp.readReadStatus();
      case SB_DSP_ACK_16:
        this.#dsp.acknowledge(16);
        return UNDRIVEN;
      default:
        return UNDRIVEN;
    }
  }

  #write(offset: number, value: number, fm: BusTarget): void {
    if (offset < SB_FM + SB_FM_PORTS) {
      fm.write(offset, 1, value);
      return;
    }
    if (isLegacyFm(offset)) {
      fm.write(offset - SB_FM_LEGACY, 1, value);
      return;
    }
    this.#enter();
    this.#unsettled = true;
    this.#writeRegister(offset, value);
    this.#leave();
  }

  #writeRegister(offset: number, value: number): void {
    const report = this.#slot?.report;
    if (report?.wantsRegisters === true) {
      if (offset === SB_MIXER_DATA) this.#traceMixer('write', value);
      else {
        const meaning = offset === SB_DSP_WRITE ? this.#dsp.nameOfWrite(value) : undefined;
        report.register(nameOf(offset, 1), 'write', value, 1, meaning);
      }
    }
    switch (offset) {
      case SB_MIXER_INDEX:
        this.#mixer.writeIndex(value);
        break;
      case SB_MIXER_DATA:
        if (mixerRegister(this.#mixer.index) === null) {
          report?.finding('write to a mixer register that does not exist', {
            index: this.#mixer.index,
            value,
          });
        }
        this.#mixer.write(value);
        break;
      case SB_DSP_RESET:
        this.#dsp.writeReset(value);
        break;
      case SB_DSP_WRITE:
        this.#dsp.write(value);
        break;
      default:
        report?.finding('write to a port that takes none', { offset, value });
    }
  }

  #traceMixer(direction: 'read' | 'write', value: number): void {
    const { index } = this.#mixer;
    const name = mixerRegister(index)?.name ?? `MIX_${index.toString(16).toUpperCase().padStart(2, '0')}`;
    this.#slot?.report.register(name, direction, value, 1);
  }
}

const SB_FM = 0;

function isLegacyFm(offset: number): boolean {
  return offset >= SB_FM_LEGACY && offset < SB_FM_LEGACY + SB_FM_LEGACY_PORTS;
}

function nameOf(offset: number, direction: 0 | 1): string {
  const name = REGISTER_NAMES[offset]?.[direction] ?? '';
  return name === '' ? `SB_${offset.toString(16).toUpperCase()}` : name;
}

function dmaSetupOf({ dma8, dma16 }: AudioSettings): number {
  return (dma8 === null ? 0 : 1 << dma8) | (dma16 === null ? 0 : 1 << dma16);
}

function jumperSettings(jumpers: Sb16JumperSettings): AudioSettings {
  return {
    base: jumpers.base ?? 0x220,
    mpuBase: jumpers.mpuBase === undefined ? 0x330 : jumpers.mpuBase,
    fmBase: 0x388,
    irq: jumpers.irq ?? 5,
    dma8: jumpers.dma8 ?? 1,
    dma16: jumpers.dma16 === undefined ? 5 : jumpers.dma16,
  };
}
