/**
 * The mixer's registers as gain stages: which register, how a code becomes decibels. AC'97 Component Specification 2.3,
 * 5.7.2 (play volumes), 5.7.3 (beep), 5.7.4 (analogue inputs), 5.7.7 (record gain), 5.7.8 (tone).
 */
import * as R from './registers.ts';

/** KS levels count 1/65536 dB. */
export const DB = 65_536;

/** How the codes of a register map to decibels: gain = (zeroCode − code) × step, or (code − zeroCode) × step for gains. */
export interface GainStage {
  readonly register: number;
  readonly channels: 1 | 2;
  /** Bits of one channel's field that hold the code. */
  readonly codeMask: number;
  readonly codeShift: number;
  readonly zeroCode: number;
  /** Decibels per code; negative for attenuators, whose larger codes are quieter. */
  readonly stepDb: number;
}

export function masterStage(register: number, channels: 1 | 2, codeMask: number): GainStage {
  return { register, channels, codeMask, codeShift: 0, zeroCode: 0, stepDb: -1.5 };
}

export function inputStage(register: number, channels: 1 | 2): GainStage {
  return { register, channels, codeMask: 0x1f, codeShift: 0, zeroCode: 8, stepDb: -1.5 };
}

export function recordStage(register: number, channels: 1 | 2): GainStage {
  return { register, channels, codeMask: 0x0f, codeShift: 0, zeroCode: 0, stepDb: 1.5 };
}

export const BEEP_STAGE: GainStage = {
  register: R.NAM_PC_BEEP_VOLUME,
  channels: 1,
  codeMask: 0x0f,
  codeShift: 1,
  zeroCode: 0,
  stepDb: -3,
};

/** Lowest and highest level of a stage, in 1/65536 dB, and the distance of neighbouring ones. */
export function stageRange(stage: GainStage): { minimum: number; maximum: number; steppingDelta: number } {
  const ends = [codeToLevel(stage, 0), codeToLevel(stage, stage.codeMask)];
  return {
    minimum: Math.min(...ends),
    maximum: Math.max(...ends),
    steppingDelta: Math.abs(stage.stepDb) * DB,
  };
}

/** The nearest code to a level; levels beyond the range take its end. */
export function levelToCode(stage: GainStage, level: number): number {
  const { minimum, maximum } = stageRange(stage);
  const clamped = Math.min(Math.max(level, minimum), maximum);
  return Math.round(clamped / (stage.stepDb * DB)) + stage.zeroCode;
}

export function codeToLevel(stage: GainStage, code: number): number {
  // Adding 0 turns the -0 of attenuators into 0.
  return (code - stage.zeroCode) * stage.stepDb * DB + 0;
}

/** Channel 0 (left) sits in the high byte of a stereo register; a mono register has its field in the low byte. */
export function fieldShift(stage: GainStage, channel: number): number {
  return (stage.channels === 2 && channel === 0 ? 8 : 0) + stage.codeShift;
}

/**
 * Bass and treble: codes 0…14 are +10.5 dB…−10.5 dB, 15 bypasses the filter, which sounds like 7 (0 dB). Bass is in the high
 * byte, treble in the low one, for both channels together.
 */
export interface ToneStage {
  readonly shift: 0 | 8;
}
export const BASS: ToneStage = { shift: 8 };
export const TREBLE: ToneStage = { shift: 0 };
export const TONE_STEP_DB = 1.5;
const TONE_FLAT_CODE = 7;
const TONE_BYPASS_CODE = 15;
export const TONE_RANGE = {
  minimum: -7 * TONE_STEP_DB * DB,
  maximum: 7 * TONE_STEP_DB * DB,
  steppingDelta: TONE_STEP_DB * DB,
};

/** 0 dB becomes the bypass code, so that a flat setting leaves the samples alone. */
export function toneLevelToCode(level: number): number {
  const clamped = Math.min(Math.max(level, TONE_RANGE.minimum), TONE_RANGE.maximum);
  const code = TONE_FLAT_CODE - Math.round(clamped / (TONE_STEP_DB * DB));
  return code === TONE_FLAT_CODE ? TONE_BYPASS_CODE : code;
}

export function toneCodeToLevel(code: number): number {
  return code === TONE_BYPASS_CODE ? 0 : (TONE_FLAT_CODE - code) * TONE_STEP_DB * DB;
}
