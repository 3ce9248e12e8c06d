/**
 * The DSP's commands as one table: code, operands, versions, what the DSP does, and where the guide has it (Creative Labs, "Sound Blaster
 * Series Hardware Programming Guide", chapter 6, "DSP commands", in order of code). Some that programs use are not in the guide; they
 * are marked and follow what the cards are known to do.
 */
import type { AdpcmKind } from './adpcm.ts';
import type { PcmCoding } from './sample-format.ts';

/** Version numbers: major × 256 + minor. */
export const DSP_1 = 0x0100;
export const DSP_2 = 0x0200;
export const DSP_2_01 = 0x0201;
export const DSP_3 = 0x0300;
export const DSP_4 = 0x0400;

/** A transfer as a command names it. */
export interface TransferCommand {
  readonly width: 8 | 16;
  readonly direction: 'play' | 'record';
  readonly coding: PcmCoding;
  readonly autoInit: boolean;
  /** Samples in a block (bytes for ADPCM); null: as 48h said. */
  readonly blockUnits: number | null;
  readonly fifo?: boolean;
  readonly adpcm?: AdpcmKind;
  readonly reference?: boolean;
  readonly silence?: boolean;
  /** 9xh: up to DSP 3.xx nothing else is heard until the end, or a reset. */
  readonly highSpeed?: boolean;
}

/** What commands do to the DSP. */
export interface DspOperations {
  reply(...bytes: readonly number[]): void;
  transfer(command: TransferCommand): void;
  pause(width: 8 | 16): void;
  resume(width: 8 | 16): void;
  exitAutoInit(width: 8 | 16): void;
  continueAutoInit(width: 8 | 16): void;
  setTimeConstant(constant: number): void;
  setRate(hz: number): void;
  setBlockSize(units: number): void;
  setSpeaker(on: boolean): void;
  readonly speaker: boolean;
  /** CT1345 only: the ADC is stereo. */
  setStereoInput(stereo: boolean): void;
  /** One sample to the DAC, one from the ADC. */
  directOutput(sample: number): void;
  directInput(): number;
  midi(mode: MidiMode): void;
  midiWrite(byte: number): void;
  requestInterrupt(width: 8 | 16): void;
  readonly version: number;
  testRegister: number;
  /** E2h: one byte to memory through the 8-bit channel. */
  identifyByDma(operand: number): void;
  readonly lastCommand: number;
}

/** What the DSP does with bytes from MIDI IN, and whether writes go to MIDI OUT. */
export interface MidiMode {
  readonly input: 'poll' | 'interrupt';
  readonly timeStamps: boolean;
  readonly uart: boolean;
}

/** One command. */
export interface DspCommand {
  readonly code: number;
  readonly name: string;
  readonly operands: number;
  /** First version that has it. */
  readonly since: number;
  /** First version that has it no more. */
  readonly until?: number;
  /** `guide` when chapter 6 has it under its code, else what it is known from. */
  readonly source: 'guide' | 'not in the guide';
  run(dsp: DspOperations, operands: readonly number[]): void;
}

const COPYRIGHT = 'COPYRIGHT (C) CREATIVE TECHNOLOGY LTD, 1992.';
const PCM_8_MONO: PcmCoding = { bits: 8, signed: false, stereo: false };

function units(low: number | undefined, high: number | undefined): number {
  return ((low ?? 0) | ((high ?? 0) << 8)) + 1;
}

type Row = Omit<DspCommand, 'source'> & { readonly source?: DspCommand['source'] };

/** 14h, 24h and their ADPCM kin: two operands, the block's length less one. */
function single(
  code: number,
  name: string,
  direction: 'play' | 'record',
  more: Partial<TransferCommand> = {},
): Row {
  return {
    code,
    name,
    operands: 2,
    since: DSP_1,
    run: (dsp, [low, high]) =>
      dsp.transfer({
        width: 8,
        direction,
        coding: PCM_8_MONO,
        autoInit: false,
        blockUnits: units(low, high),
        ...more,
      }),
  };
}

/** 1Ch, 2Ch, 9xh: no operands, the length is that of 48h. */
function block(
  code: number,
  name: string,
  direction: 'play' | 'record',
  autoInit: boolean,
  since: number,
  more: Partial<TransferCommand> = {},
): Row {
  return {
    code,
    name,
    operands: 0,
    since,
    run: (dsp) =>
      dsp.transfer({ width: 8, direction, coding: PCM_8_MONO, autoInit, blockUnits: null, ...more }),
  };
}

/** Bxh and Cxh: bit 3 ADC, bit 2 auto-initialize, bit 1 FIFO; operands are the mode (bit 5 stereo, bit 4 signed) and the length less one. */
function programmable(width: 8 | 16): Row[] {
  const first = width === 16 ? 0xb0 : 0xc0;
  return [0x0, 0x2, 0x4, 0x6, 0x8, 0xa, 0xc, 0xe].map((bits) => {
    const direction = (bits & 8) !== 0 ? 'record' : 'play';
    const autoInit = (bits & 4) !== 0;
    const fifo = (bits & 2) !== 0;
    return {
      code: first | bits,
      name: `${width}_BIT_${direction === 'play' ? 'DAC' : 'ADC'}${autoInit ? '_AUTO' : ''}${fifo ? '_FIFO' : ''}`,
      operands: 3,
      since: DSP_4,
      run: (dsp, [mode = 0, low, high]) =>
        dsp.transfer({
          width,
          direction,
          coding: { bits: width, signed: (mode & 0x10) !== 0, stereo: (mode & 0x20) !== 0 },
          autoInit,
          blockUnits: units(low, high),
          fifo,
        }),
    };
  });
}

function midi(code: number, name: string, since: number, mode: MidiMode): Row {
  return { code, name, operands: 0, since, run: (dsp) => dsp.midi(mode) };
}

function constant(code: number, name: string, operands: number, since: number, ...reply: number[]): Row {
  return { code, name, operands, since, source: 'not in the guide', run: (dsp) => dsp.reply(...reply) };
}

const ROWS: readonly Row[] = [
  // The CSP (ASP) chip is not on this card: its commands take their operands, and its registers read all ones.
  constant(0x04, 'CSP_SET_MODE', 1, DSP_4),
  constant(0x05, 'CSP_SET_CODEC', 2, DSP_4),
  constant(0x08, 'CSP_GET_VERSION', 1, DSP_4, 0xff),
  constant(0x0e, 'CSP_SET_REGISTER', 2, DSP_4),
  constant(0x0f, 'CSP_GET_REGISTER', 1, DSP_4, 0xff),
  {
    code: 0x10,
    name: 'DIRECT_DAC',
    operands: 1,
    since: DSP_1,
    run: (dsp, [sample = 0x80]) => dsp.directOutput(sample),
  },
  single(0x14, 'DMA_DAC', 'play'),
  single(0x16, 'DMA_DAC_ADPCM_2', 'play', { adpcm: '2' }),
  single(0x17, 'DMA_DAC_ADPCM_2_REFERENCE', 'play', { adpcm: '2', reference: true }),
  block(0x1c, 'DMA_DAC_AUTO', 'play', true, DSP_2),
  block(0x1f, 'DMA_DAC_AUTO_ADPCM_2_REFERENCE', 'play', true, DSP_2, { adpcm: '2', reference: true }),
  {
    code: 0x20,
    name: 'DIRECT_ADC',
    operands: 0,
    since: DSP_1,
    run: (dsp) => dsp.reply(dsp.directInput()),
  },
  single(0x24, 'DMA_ADC', 'record'),
  block(0x2c, 'DMA_ADC_AUTO', 'record', true, DSP_2),
  midi(0x30, 'MIDI_READ_POLL', DSP_1, { input: 'poll', timeStamps: false, uart: false }),
  midi(0x31, 'MIDI_READ_INTERRUPT', DSP_1, { input: 'interrupt', timeStamps: false, uart: false }),
  midi(0x32, 'MIDI_READ_POLL_TIME_STAMP', DSP_2, { input: 'poll', timeStamps: true, uart: false }),
  midi(0x33, 'MIDI_READ_INTERRUPT_TIME_STAMP', DSP_2, { input: 'interrupt', timeStamps: true, uart: false }),
  midi(0x34, 'MIDI_UART_POLL', DSP_2, { input: 'poll', timeStamps: false, uart: true }),
  midi(0x35, 'MIDI_UART_INTERRUPT', DSP_2, { input: 'interrupt', timeStamps: false, uart: true }),
  midi(0x36, 'MIDI_UART_POLL_TIME_STAMP', DSP_2, { input: 'poll', timeStamps: true, uart: true }),
  midi(0x37, 'MIDI_UART_INTERRUPT_TIME_STAMP', DSP_2, { input: 'interrupt', timeStamps: true, uart: true }),
  {
    code: 0x38,
    name: 'MIDI_WRITE',
    operands: 1,
    since: DSP_1,
    run: (dsp, [byte = 0]) => dsp.midiWrite(byte),
  },
  {
    code: 0x40,
    name: 'SET_TIME_CONSTANT',
    operands: 1,
    since: DSP_1,
    run: (dsp, [value = 0]) => dsp.setTimeConstant(value),
  },
  ...([0x41, 0x42] as const).map(
    (code): Row => ({
      code,
      name: code === 0x41 ? 'SET_OUTPUT_RATE' : 'SET_INPUT_RATE',
      operands: 2,
      since: DSP_4,
      // High byte first, unlike lengths.
      run: (dsp, [high = 0, low = 0]) => dsp.setRate((high << 8) | low),
    }),
  ),
  {
    code: 0x45,
    name: 'CONTINUE_AUTO_8',
    operands: 0,
    since: DSP_4,
    run: (dsp) => dsp.continueAutoInit(8),
  },
  {
    code: 0x47,
    name: 'CONTINUE_AUTO_16',
    operands: 0,
    since: DSP_4,
    run: (dsp) => dsp.continueAutoInit(16),
  },
  {
    code: 0x48,
    name: 'SET_BLOCK_SIZE',
    operands: 2,
    since: DSP_2,
    run: (dsp, [low, high]) => dsp.setBlockSize(units(low, high)),
  },
  single(0x74, 'DMA_DAC_ADPCM_4', 'play', { adpcm: '4' }),
  single(0x75, 'DMA_DAC_ADPCM_4_REFERENCE', 'play', { adpcm: '4', reference: true }),
  single(0x76, 'DMA_DAC_ADPCM_2_6', 'play', { adpcm: '2.6' }),
  single(0x77, 'DMA_DAC_ADPCM_2_6_REFERENCE', 'play', { adpcm: '2.6', reference: true }),
  block(0x7d, 'DMA_DAC_AUTO_ADPCM_4_REFERENCE', 'play', true, DSP_2, { adpcm: '4', reference: true }),
  block(0x7f, 'DMA_DAC_AUTO_ADPCM_2_6_REFERENCE', 'play', true, DSP_2, { adpcm: '2.6', reference: true }),
  single(0x80, 'SILENCE', 'play', { silence: true }),
  block(0x90, 'HIGH_SPEED_DAC_AUTO', 'play', true, DSP_2_01, { highSpeed: true }),
  block(0x91, 'HIGH_SPEED_DAC', 'play', false, DSP_2_01, { highSpeed: true }),
  block(0x98, 'HIGH_SPEED_ADC_AUTO', 'record', true, DSP_2_01, { highSpeed: true }),
  block(0x99, 'HIGH_SPEED_ADC', 'record', false, DSP_2_01, { highSpeed: true }),
  {
    code: 0xa0,
    name: 'MONO_INPUT',
    operands: 0,
    since: DSP_3,
    until: DSP_4,
    run: (dsp) => dsp.setStereoInput(false),
  },
  {
    code: 0xa8,
    name: 'STEREO_INPUT',
    operands: 0,
    since: DSP_3,
    until: DSP_4,
    run: (dsp) => dsp.setStereoInput(true),
  },
  ...programmable(16),
  ...programmable(8),
  { code: 0xd0, name: 'PAUSE_8', operands: 0, since: DSP_1, run: (dsp) => dsp.pause(8) },
  { code: 0xd1, name: 'SPEAKER_ON', operands: 0, since: DSP_1, run: (dsp) => dsp.setSpeaker(true) },
  { code: 0xd3, name: 'SPEAKER_OFF', operands: 0, since: DSP_1, run: (dsp) => dsp.setSpeaker(false) },
  { code: 0xd4, name: 'CONTINUE_8', operands: 0, since: DSP_1, run: (dsp) => dsp.resume(8) },
  { code: 0xd5, name: 'PAUSE_16', operands: 0, since: DSP_4, run: (dsp) => dsp.pause(16) },
  { code: 0xd6, name: 'CONTINUE_16', operands: 0, since: DSP_4, run: (dsp) => dsp.resume(16) },
  {
    code: 0xd8,
    name: 'SPEAKER_STATUS',
    operands: 0,
    since: DSP_2,
    run: (dsp) => dsp.reply(dsp.speaker ? 0xff : 0x00),
  },
  { code: 0xd9, name: 'EXIT_AUTO_16', operands: 0, since: DSP_4, run: (dsp) => dsp.exitAutoInit(16) },
  { code: 0xda, name: 'EXIT_AUTO_8', operands: 0, since: DSP_2, run: (dsp) => dsp.exitAutoInit(8) },
  {
    code: 0xe0,
    name: 'IDENTIFY',
    operands: 1,
    since: DSP_1,
    source: 'not in the guide',
    run: (dsp, [value = 0]) => dsp.reply(~value & 0xff),
  },
  {
    code: 0xe1,
    name: 'GET_VERSION',
    operands: 0,
    since: DSP_1,
    run: (dsp) => dsp.reply(dsp.version >> 8, dsp.version & 0xff),
  },
  {
    code: 0xe2,
    name: 'IDENTIFY_BY_DMA',
    operands: 1,
    since: DSP_1,
    source: 'not in the guide',
    run: (dsp, [value = 0]) => dsp.identifyByDma(value),
  },
  {
    code: 0xe3,
    name: 'GET_COPYRIGHT',
    operands: 0,
    since: DSP_3,
    source: 'not in the guide',
    run: (dsp) => dsp.reply(...Array.from(COPYRIGHT, (letter) => letter.charCodeAt(0)), 0),
  },
  {
    code: 0xe4,
    name: 'WRITE_TEST_REGISTER',
    operands: 1,
    since: DSP_2,
    source: 'not in the guide',
    run: (dsp, [value = 0]) => {
      dsp.testRegister = value;
    },
  },
  {
    code: 0xe8,
    name: 'READ_TEST_REGISTER',
    operands: 0,
    since: DSP_2,
    source: 'not in the guide',
    run: (dsp) => dsp.reply(dsp.testRegister),
  },
  {
    code: 0xf2,
    name: 'REQUEST_INTERRUPT_8',
    operands: 0,
    since: DSP_1,
    source: 'not in the guide',
    run: (dsp) => dsp.requestInterrupt(8),
  },
  {
    code: 0xf3,
    name: 'REQUEST_INTERRUPT_16',
    operands: 0,
    since: DSP_4,
    source: 'not in the guide',
    run: (dsp) => dsp.requestInterrupt(16),
  },
  constant(0xf8, 'DIAGNOSE', 0, DSP_1, 0x00),
  {
    code: 0xf9,
    name: 'READ_INTERNAL_RAM',
    operands: 1,
    since: DSP_4,
    source: 'not in the guide',
    // What programs look at to tell an SB16's DSP from others.
    run: (dsp, [address = 0]) => dsp.reply(INTERNAL_RAM[address] ?? 0x00),
  },
  constant(0xfb, 'GET_STATUS', 0, DSP_4, 0x00),
  constant(0xfc, 'GET_AUXILIARY_STATUS', 0, DSP_4, 0x00),
  {
    code: 0xfd,
    name: 'GET_LAST_COMMAND',
    operands: 0,
    since: DSP_4,
    source: 'not in the guide',
    run: (dsp) => dsp.reply(dsp.lastCommand),
  },
];

const INTERNAL_RAM: Readonly<Record<number, number>> = { 14: 0xff, 15: 0x07, 55: 0x38 };

/** All commands, in order of code. */
export const DSP_COMMANDS: readonly DspCommand[] = ROWS.map((row) => ({
  source: 'guide' as const,
  ...row,
})).sort((a, b) => a.code - b.code);

const BY_CODE: readonly (DspCommand | null)[] = Array.from(
  { length: 256 },
  (_, code) => DSP_COMMANDS.find((command) => command.code === code) ?? null,
);

/** The command with this code on a DSP of this version, null when it has none. */
export function dspCommand(code: number, version: number): DspCommand | null {
  const command = BY_CODE[code] ?? null;
  if (command === null || version < command.since) return null;
  return command.until !== undefined && version >= command.until ? null : command;
}
