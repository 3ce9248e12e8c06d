import type { Alarm, BusTarget, IsaCard, IsaPnpTarget, IsaSlot } from '../../hal/bus.ts';
import { TICKS_PER_MICROSECOND, TICKS_PER_MILLISECOND } from '../../hal/bus.ts';
import { type IsaPnpConfiguration, IsaPnpLogic } from '../isapnp/index.ts';
import { Mpu401 } from '../mpu401/index.ts';
import { Opl3 } from '../opl3/index.ts';
import { SampleClock } from '../sample-clock.ts';
import { AnalogSources, Sb16Input } from './analog-input.ts';
import { Sb16Connections } from './connections.ts';
import { Sb16Dsp } from './dsp.ts';
import { FmTap } from './fm-tap.ts';
import type { Sb16Jacks } from './jacks.ts';
import { MidiSplitter, SharedMidiOut } from './midi-port.ts';
import { Ct1745Mixer } from './mixer.ts';
import { Sb16Output } from './output.ts';
import {
  SB16_GAME_BASES,
  SB16_LOGICAL_AUDIO,
  SB16_LOGICAL_GAME,
  sb16PnpDescription,
} from './pnp-description.ts';
import {
  INTERRUPT_8_BIT,
  INTERRUPT_16_BIT,
  INTERRUPT_MPU,
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
  SB_MIXER_DATA,
  SB_MIXER_INDEX,
} from './registers.ts';
import {
  decodable,
  dmaSetupOf,
  interruptSetup,
  jumperSettings,
  NO_SETTINGS,
  plugAndPlaySettings,
  type Sb16JumperSettings,
  type Sb16Settings,
  withDmaSetup,
  withInterruptSetup,
} from './settings.ts';
import type { TransferEngine } from './transfer-engine.ts';

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
  readonly #connections: Sb16Connections;

  #slot: IsaSlot | null = null;
  #alarm: Alarm | null = null;
  #alarmTick: number | null = null;
  #advancedTo = 0;
  /** Time passed, or something was written, since line and alarm were last set. */
  #unsettled = true;
  #busy = false;

  #mpuAsserted = false;
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
      readInterruptSetup: () => interruptSetup(this.#connections.settings),
      readDmaSetup: () => dmaSetupOf(this.#connections.settings),
      writeInterruptSetup: (value) => {
        const { settings } = this.#connections;
        const changed = withInterruptSetup(settings, value);
        this.#writeSetup('MIX_INTERRUPT_SETUP', value, interruptSetup(settings), changed);
      },
      writeDmaSetup: (value) => {
        const { settings } = this.#connections;
        this.#writeSetup('MIX_DMA_SETUP', value, dmaSetupOf(settings), withDmaSetup(settings, value));
      },
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
    const fm = this.#fmTarget();
    this.#connections = new Sb16Connections({
      audio: {
        read: (offset) => this.#read(offset, fm),
        write: (offset, _size, value) => this.#write(offset, value, fm),
      },
      mpu: this.#mpu,
      fm,
      dma: { catchUp: () => this.#dmaCatchUp(), changed: () => this.#dmaChanged() },
      useDmaLines: (line8, line16) => this.#dsp.setLines(line8, line16),
    });
  }

  attach(slot: IsaSlot): void {
    this.#slot = slot;
    this.#connections.attach(slot);
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
    if (!this.#logic) this.#connections.useGamePort(SB16_GAME_BASES[0] ?? null);
    this.#leave();
  }

  detach(): void {
    this.#alarm?.cancel();
    this.#alarm = null;
    this.#mpu.detach();
    this.#fm.detach();
    this.#useSettings(NO_SETTINGS);
    this.#connections.detach();
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
  get configuration(): Sb16Settings & { readonly gameBase: number | null } {
    const { settings, gameBase } = this.#connections;
    return { ...settings, gameBase };
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
    // Last of all: whoever hears of the line may access the card at once.
    this.#connections.setInterrupt(this.#interruptStatus !== 0);
  }

  #directInput(): number {
    this.#oneFrameClock.start(this.#advancedTo, DIRECT_INPUT_HZ);
    this.#input.record(this.#oneFrame, 1, this.#oneFrameClock, 0);
    return this.#oneFrame[0]!;
  }

  // --- configuration ---

  #configure(device: number, configuration: IsaPnpConfiguration): void {
    const refuse = (what: string, base: number) =>
      this.#slot?.report.finding(
        `the card cannot decode its ${what} at ${base.toString(16).toUpperCase()}h`,
        {
          base,
        },
      );
    if (device === SB16_LOGICAL_AUDIO) this.#useSettings(plugAndPlaySettings(configuration, refuse));
    else if (device === SB16_LOGICAL_GAME) {
      const base = configuration.active ? (configuration.ioBases[0] ?? 0) : 0;
      this.#connections.useGamePort(decodable(base, SB16_GAME_BASES, () => refuse('game port', base)));
    }
  }

  /** 80h and 81h: on a Plug and Play card the configuration registers decide (guide, "Interrupt setup register"). */
  #writeSetup(name: string, value: number, present: number, changed: Sb16Settings): void {
    if (this.#logic === null) this.#useSettings(changed);
    else if (value !== present) {
      this.#slot?.report.finding(
        `${name} written on a Plug and Play card: it keeps what it was configured to`,
        {
          value,
          present,
        },
      );
    }
  }

  #useSettings(settings: Sb16Settings): void {
    const now = this.#enter();
    this.#unsettled = true;
    this.#connections.use(settings);
    for (const engine of [this.#dsp.engine8, this.#dsp.engine16]) engine.retry(now);
    if (!this.#busy) this.#leave();
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
