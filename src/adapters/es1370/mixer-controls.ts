/** The AK4531's registers as controls: which registers and bits, how a code becomes decibels (AK4531 datasheet, register map). */
import * as R from './registers.ts';

/** KS levels count 1/65536 dB. */
export const DB = 65_536;

/** A volume: a register for each channel, whose larger codes are quieter. */
export interface GainStage {
  /** Left and right, or the one register of a mono input. */
  readonly registers: readonly [number] | readonly [number, number];
  readonly codeMask: number;
  readonly zeroCode: number;
  readonly stepDb: number;
}

/** A bit of a register. */
export interface SwitchBit {
  readonly register: number;
  readonly bit: number;
}

export function masterStage(left: number, right: number): GainStage {
  return { registers: [left, right], codeMask: 0x1f, zeroCode: 0, stepDb: 2 };
}

export function inputStage(...registers: [number] | [number, number]): GainStage {
  return { registers, codeMask: 0x1f, zeroCode: 6, stepDb: 2 };
}

export const MONO_OUT_STAGE: GainStage = {
  registers: [R.AK_MONO_OUT],
  codeMask: 0x07,
  zeroCode: 0,
  stepDb: 4,
};

export function codeToLevel(stage: GainStage, code: number): number {
  return (stage.zeroCode - (code & stage.codeMask)) * stage.stepDb * DB;
}

/** The nearest code to a level; levels beyond the range take its end. */
export function levelToCode(stage: GainStage, level: number): number {
  const code = stage.zeroCode - Math.round(level / (stage.stepDb * DB));
  return Math.min(Math.max(code, 0), stage.codeMask);
}

/** Lowest and highest level of a stage, in 1/65536 dB, and the distance of neighbouring ones. */
export function stageRange(stage: GainStage): { minimum: number; maximum: number; steppingDelta: number } {
  return {
    minimum: codeToLevel(stage, stage.codeMask),
    maximum: codeToLevel(stage, 0),
    steppingDelta: stage.stepDb * DB,
  };
}

/** How the inputs of the record multiplexer set the switches before the ADC: LIN_SW1, RIN_SW1, LIN_SW2, RIN_SW2. */
export type RecordSource = 'mic' | 'cd' | 'line' | 'aux' | 'mono1' | 'mono2' | 'stereoMix';

export const RECORD_SWITCHES: Readonly<Record<RecordSource, readonly [number, number, number, number]>> = {
  mic: [R.SW1_MIC, R.SW1_MIC, 0, 0],
  cd: [R.SW1_CDL, R.SW1_CDR, 0, 0],
  line: [R.SW1_LINEL, R.SW1_LINER, 0, 0],
  aux: [0, 0, R.IN2_AUXL, R.IN2_AUXR],
  mono1: [0, 0, R.IN2_MONO1, R.IN2_MONO1],
  mono2: [0, 0, R.IN2_MONO2, R.IN2_MONO2],
  // The codec has no way back from its output: everything is taken, each input at its volume.
  stereoMix: [
    R.SW1_MIC | R.SW1_CDL | R.SW1_LINEL | R.SW1_FML,
    R.SW1_MIC | R.SW1_CDR | R.SW1_LINER | R.SW1_FMR,
    R.IN2_MONO1 | R.IN2_MONO2 | R.IN2_VOICE | R.IN2_AUXL,
    R.IN2_MONO1 | R.IN2_MONO2 | R.IN2_VOICE | R.IN2_AUXR,
  ],
};
export const RECORD_REGISTERS = [R.AK_LIN_SW1, R.AK_RIN_SW1, R.AK_LIN_SW2, R.AK_RIN_SW2] as const;
