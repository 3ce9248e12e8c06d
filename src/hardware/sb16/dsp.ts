import type { CardReporter, IsaDmaLine, MidiSource } from '../../hal/bus.ts';
import { AdpcmDecoder } from './adpcm.ts';
import {
  DSP_4,
  type DspCommand,
  type DspOperations,
  dspCommand,
  type MidiMode,
  type TransferCommand,
} from './dsp-commands.ts';
import { DspMidiPort, type SharedMidiOut } from './midi-port.ts';
import { SB_DSP_READY, SB_STATUS_BIT, SB_STATUS_UNDRIVEN } from './registers.ts';
import { DEFAULT_RATE, type SampleRate, TransferEngine, type VoicePath } from './transfer-engine.ts';

/** What the DSP asks of the card around it. */
export interface DspHost {
  /** The voice at the output mixer and the ADC behind the input mixer. */
  readonly voice: VoicePath;
  /** The present, to which the card has advanced. */
  now(): number;
  report(): CardReporter | null;
  /** A sample for the DAC without DMA. */
  directOutput(sample: number): void;
  /** What the ADC sees at this moment, left side, 16 bits. */
  directInput(): number;
  /** Speaker on or off; up to DSP 3.xx off means silence. */
  setSpeaker(on: boolean): void;
  /** An interrupt flag was set or cleared. */
  interruptChanged(): void;
}

/** How the DSP is built. */
export interface DspOptions {
  /** Major × 256 + minor. */
  readonly version: number;
  readonly fifoBytes: number;
  /** From the end of the reset pulse to "ready". */
  readonly resetTicks: number;
}

/** Room for replies that nobody has read: the copyright text is the longest. */
const READ_BUFFER_BYTES = 64;
/** 41h and 42h (guide, chapter 6): rates of the converters. */
const LOWEST_RATE_HZ = 5000;
const HIGHEST_RATE_HZ = 45_000;
const TIME_CONSTANT_HZ = 1_000_000;
/** 45.45 kHz: the highest rate that a time constant gives the converters. */
const LEAST_TIME_CONSTANT_DIVISOR = 22;
/** After reset, before 48h. */
const DEFAULT_BLOCK_UNITS = 0x1_0000;

/**
 * E2h: what is added up is the operand with some bits turned over, by a pattern of four; the sum starts at AAh. Programs compare the
 * byte that comes back through DMA.
 */
const E2_START = 0xaa;
const E2_MASKS: readonly number[] = [0x96, 0xa5, 0x69, 0x5a];

/** The digital sound processor: its command interface (guide, chapters 2, 3 and 6), and the two transfers that commands start. */
export class Sb16Dsp implements DspOperations {
  readonly version: number;
  readonly engine8: TransferEngine;
  readonly engine16: TransferEngine;
  readonly midiPort: DspMidiPort;
  readonly #host: DspHost;
  readonly #resetTicks: number;
  readonly #decoder = new AdpcmDecoder();

  /** The reset port holds a 1. */
  #inReset = false;
  /** When the reset that ended last is over, null when it is. */
  #readyTick: number | null = null;
  readonly #replies: number[] = [];
  #latch = 0xff;
  #command: DspCommand | null = null;
  readonly #operands: number[] = [];
  #lastCommand = 0;
  #interrupt8 = false;
  #interrupt16 = false;

  #rate: SampleRate = DEFAULT_RATE;
  #blockUnits = DEFAULT_BLOCK_UNITS;
  #speaker = false;
  #stereoInput = false;
  /** A transfer up to DSP 3.xx hears no commands. */
  #highSpeed = false;
  #e2Sum = E2_START;
  #e2Count = 0;
  testRegister = 0;
  #line8: IsaDmaLine | null = null;

  constructor(host: DspHost, options: DspOptions, midiIn: MidiSource, midiOut: SharedMidiOut) {
    this.version = options.version;
    this.#host = host;
    this.#resetTicks = options.resetTicks;
    this.engine8 = new TransferEngine(host.voice, this.#decoder, options.fifoBytes, () => this.#endBlock(8));
    this.engine16 = new TransferEngine(host.voice, this.#decoder, options.fifoBytes, () =>
      this.#endBlock(16),
    );
    this.midiPort = new DspMidiPort(midiIn, midiOut, {
      push: (byte) => this.#push(byte),
      requestInterrupt: () => this.requestInterrupt(8),
    });
  }

  /** 8-bit DMA or SB-MIDI; 16-bit DMA. */
  get interrupt8(): boolean {
    return this.#interrupt8;
  }

  get interrupt16(): boolean {
    return this.#interrupt16;
  }

  get lastCommand(): number {
    return this.#lastCommand;
  }

  /**
   * The channels that the card is configured to. Without a 16-bit channel sixteen bits go through the 8-bit one, byte by byte (guide,
   * "DMA setup register").
   */
  setLines(line8: IsaDmaLine | null, line16: IsaDmaLine | null): void {
    this.#line8 = line8;
    this.engine8.setLine(line8);
    this.engine16.setLine(line16 ?? line8);
  }

  /** Power-on or RESET DRV: ready at once, without a reply. */
  powerOn(now: number): void {
    this.#resetState(now);
    this.#inReset = false;
    this.#readyTick = null;
    this.#replies.length = 0;
    this.testRegister = 0;
    this.#e2Sum = E2_START;
    this.#e2Count = 0;
  }

  advance(now: number): void {
    const ready = this.#readyTick;
    if (ready !== null && ready <= now) {
      this.#readyTick = null;
      this.#replies.length = 0;
      this.#replies.push(SB_DSP_READY);
    }
    this.engine8.advance(now);
    this.engine16.advance(now);
    if (this.#highSpeed && !this.engine8.active) this.#highSpeed = false;
    this.midiPort.advance(now);
    if (this.midiPort.takeLost())
      this.#host.report()?.finding('DSP: the read buffer is full; a MIDI byte is lost');
  }

  /** When something happens next that somebody may wait for. */
  nextEventTick(): number | null {
    let next = this.engine8.nextEventTick();
    for (const tick of [this.engine16.nextEventTick(), this.midiPort.nextEventTick]) {
      if (tick !== null && (next === null || tick < next)) next = tick;
    }
    return next;
  }

  // --- ports ---

  writeReset(value: number): void {
    const now = this.#host.now();
    if ((value & 1) !== 0) {
      if (this.#inReset) return;
      this.#inReset = true;
      this.#readyTick = null;
      // A reset that ends UART or high-speed mode does nothing else (guide, "MIDI UART mode", "High-speed mode").
      if (this.midiPort.uart) this.midiPort.reset(now);
      else if (this.#highSpeed) {
        this.#highSpeed = false;
        this.engine8.stop();
      } else this.#resetState(now);
      return;
    }
    if (!this.#inReset) return;
    this.#inReset = false;
    this.#readyTick = now + this.#resetTicks;
    if (this.#resetTicks === 0) this.advance(now);
  }

  readData(): number {
    this.#latch = this.#replies.shift() ?? this.#latch;
    return this.#latch;
  }

  readWriteStatus(): number {
    return (this.#busy ? SB_STATUS_BIT : 0) | SB_STATUS_UNDRIVEN;
  }

  readReadStatus(): number {
    this.acknowledge(8);
    return (this.#replies.length > 0 ? SB_STATUS_BIT : 0) | SB_STATUS_UNDRIVEN;
  }

  acknowledge(width: 8 | 16): void {
    if (width === 8) this.#interrupt8 = false;
    else this.#interrupt16 = false;
    this.#host.interruptChanged();
  }

  /** Command or operand. */
  write(value: number): void {
    const report = this.#host.report();
    if (this.#inReset || this.#readyTick !== null) {
      report?.finding('DSP written to while it is in reset: the byte is lost', { value });
      return;
    }
    if (this.#highSpeed) {
      report?.finding('DSP written to in high-speed mode: only a reset is heard', { value });
      return;
    }
    if (this.midiPort.uart) {
      this.midiPort.write(value, this.#host.now());
      return;
    }
    if (this.#command === null) {
      const command = dspCommand(value, this.version);
      if (command === null) {
        report?.finding(`DSP ${versionText(this.version)} has no command ${hex(value)}: it is ignored`, {
          value,
        });
        return;
      }
      this.#command = command;
      this.#operands.length = 0;
      this.#lastCommand = value;
    } else {
      this.#operands.push(value);
    }
    if (this.#operands.length < this.#command.operands) return;
    const command = this.#command;
    this.#command = null;
    command.run(this, this.#operands);
  }

  /** What a byte written now would be: `SET_TIME_CONSTANT`, or `SET_BLOCK_SIZE operand 1`. */
  nameOfWrite(value: number): string {
    if (this.midiPort.uart) return 'MIDI byte';
    if (this.#command !== null) return `${this.#command.name} operand ${this.#operands.length + 1}`;
    return dspCommand(value, this.version)?.name ?? 'unknown command';
  }

  get #busy(): boolean {
    if (this.#inReset || this.#readyTick !== null || this.#highSpeed) return true;
    return this.midiPort.busyAt(this.#host.now());
  }

  #resetState(now: number): void {
    this.engine8.reset();
    this.engine16.reset();
    this.#decoder.reset();
    this.midiPort.reset(now);
    this.#replies.length = 0;
    this.#command = null;
    this.#operands.length = 0;
    this.#rate = DEFAULT_RATE;
    this.#blockUnits = DEFAULT_BLOCK_UNITS;
    this.#stereoInput = false;
    this.#highSpeed = false;
    this.setSpeaker(false);
    this.#interrupt8 = false;
    this.#interrupt16 = false;
    this.#host.interruptChanged();
  }

  #endBlock(width: 8 | 16): void {
    this.requestInterrupt(width);
  }

  #push(byte: number): boolean {
    if (this.#replies.length >= READ_BUFFER_BYTES) return false;
    this.#replies.push(byte);
    return true;
  }

  #engine(width: 8 | 16): TransferEngine {
    return width === 8 ? this.engine8 : this.engine16;
  }

  // --- what commands do ---

  reply(...bytes: readonly number[]): void {
    for (const byte of bytes) {
      if (!this.#push(byte))
        this.#host.report()?.finding('DSP: nobody reads its replies; one is lost', { byte });
    }
  }

  transfer(command: TransferCommand): void {
    const now = this.#host.now();
    const { width, direction } = command;
    const engine = this.#engine(width);
    const other = this.#engine(width === 8 ? 16 : 8);
    // One converter each way: a second transfer in the same direction takes it away from the first.
    if (other.active && other.direction === direction) {
      this.#host
        .report()
        ?.finding(`DSP: ${width}-bit ${direction} command while the other width does that: it ends`, {
          width,
        });
      other.stop();
    }
    // What the other one had left in its FIFO is cut off, too.
    if (other.drains && direction === 'play') other.stop();
    const stereo = command.coding.stereo || (direction === 'record' && this.#stereoInput);
    engine.start(
      {
        direction,
        coding: { ...command.coding, stereo },
        adpcm: command.adpcm ?? null,
        reference: command.reference ?? false,
        silence: command.silence ?? false,
        autoInit: command.autoInit,
        fifo: command.fifo ?? false,
        blockUnits: command.blockUnits ?? this.#blockUnits,
      },
      this.#rate,
      now,
    );
    this.#highSpeed = command.highSpeed === true && this.version < DSP_4;
  }

  pause(width: 8 | 16): void {
    this.#engine(width).pause();
  }

  resume(width: 8 | 16): void {
    this.#engine(width).resume(this.#host.now());
  }

  exitAutoInit(width: 8 | 16): void {
    this.#engine(width).exitAutoInit();
  }

  continueAutoInit(width: 8 | 16): void {
    this.#engine(width).continueAutoInit();
  }

  setTimeConstant(constant: number): void {
    const divisor = Math.max(256 - constant, LEAST_TIME_CONSTANT_DIVISOR);
    this.#setRate({ hz: TIME_CONSTANT_HZ, divisor });
  }

  setRate(hz: number): void {
    if (hz < LOWEST_RATE_HZ || hz > HIGHEST_RATE_HZ) {
      this.#host.report()?.finding(`DSP: a rate of ${hz} Hz is none that the converters have`, { hz });
    }
    this.#setRate({ hz: Math.max(LOWEST_RATE_HZ, Math.min(HIGHEST_RATE_HZ, hz)), divisor: 1 });
  }

  /** Both directions share one time base. */
  #setRate(rate: SampleRate): void {
    this.#rate = rate;
    const now = this.#host.now();
    this.engine8.setRate(rate, now);
    this.engine16.setRate(rate, now);
  }

  setBlockSize(units: number): void {
    this.#blockUnits = units;
  }

  get speaker(): boolean {
    return this.#speaker;
  }

  setSpeaker(on: boolean): void {
    this.#speaker = on;
    this.#host.setSpeaker(on || this.version >= DSP_4);
  }

  setStereoInput(stereo: boolean): void {
    this.#stereoInput = stereo;
  }

  directOutput(sample: number): void {
    this.#host.directOutput((sample ^ 0x80) << 8);
  }

  directInput(): number {
    return ((this.#host.directInput() >> 8) ^ 0x80) & 0xff;
  }

  midi(mode: MidiMode): void {
    this.midiPort.setMode(mode, this.#host.now());
  }

  midiWrite(byte: number): void {
    this.midiPort.write(byte, this.#host.now());
  }

  requestInterrupt(width: 8 | 16): void {
    if (width === 8) this.#interrupt8 = true;
    else this.#interrupt16 = true;
    this.#host.interruptChanged();
  }

  identifyByDma(operand: number): void {
    const mask = E2_MASKS[this.#e2Count % E2_MASKS.length]!;
    this.#e2Sum = (this.#e2Sum + (operand ^ mask)) & 0xff;
    this.#e2Count++;
    if ((this.#line8?.write(Uint8Array.of(this.#e2Sum)) ?? 0) === 0) {
      this.#host
        .report()
        ?.finding('DSP: the identification by DMA (E2h) finds its channel closed', { operand });
    }
  }
}

function hex(value: number): string {
  return `${value.toString(16).toUpperCase().padStart(2, '0')}h`;
}

/** `4.13`. */
export function versionText(version: number): string {
  return `${version >> 8}.${(version & 0xff).toString().padStart(2, '0')}`;
}
