/** The CT1745's registers as gain stages and switches: programming guide, chapter 4, "CT1745 Mixer Register Map". */
import * as R from './registers.ts';

/** KS levels count 1/65536 dB. */
export const DB = 65_536;

/** A gain: the left channel's register (the right one's follows), where its code sits, and how codes become decibels. */
export interface GainStage {
  readonly register: number;
  readonly channels: 1 | 2;
  readonly shift: number;
  readonly codes: number;
  readonly stepDb: number;
  /** Code of 0 dB. */
  readonly zeroCode: number;
}

/** Volumes: 5 bits, 2 dB, 31 is 0 dB. */
export const volume = (register: number, channels: 1 | 2): GainStage => ({
  register,
  channels,
  shift: 3,
  codes: 32,
  stepDb: 2,
  zeroCode: 31,
});

/** PC speaker: 2 bits, 6 dB, 3 is 0 dB. */
export const PC_SPEAKER: GainStage = {
  register: R.MIX_PC_SPEAKER,
  channels: 1,
  shift: 6,
  codes: 4,
  stepDb: 6,
  zeroCode: 3,
};

/** Input and output gain: 2 bits, 6 dB, 0 is 0 dB. */
export const gain = (register: number): GainStage => ({
  register,
  channels: 2,
  shift: 6,
  codes: 4,
  stepDb: 6,
  zeroCode: 0,
});

/** Treble and bass: 4 bits, 2 dB; 0–7 are −14 to 0 dB, 8–15 are 0 to +14 dB, so that 0 dB has two codes. */
export const tone = (register: number): GainStage => ({
  register,
  channels: 2,
  shift: 4,
  codes: 16,
  stepDb: 2,
  zeroCode: 8,
});

export const isTone = (stage: GainStage): boolean => stage.codes === 16;

/** Lowest and highest level of a stage, in 1/65536 dB, and the distance of neighbouring ones. */
export function stageRange(stage: GainStage): { minimum: number; maximum: number; steppingDelta: number } {
  return {
    minimum: codeToLevel(stage, 0),
    maximum: codeToLevel(stage, stage.codes - 1),
    steppingDelta: stage.stepDb * DB,
  };
}

export function codeToLevel(stage: GainStage, code: number): number {
  // Codes 7 and 8 of a tone control are both flat.
  const steps = isTone(stage) && code < stage.zeroCode ? code + 1 - stage.zeroCode : code - stage.zeroCode;
  return steps * stage.stepDb * DB + 0;
}

/** The nearest code to a level; levels beyond the range take its end. */
export function levelToCode(stage: GainStage, level: number): number {
  const { minimum, maximum } = stageRange(stage);
  const steps = Math.round(Math.min(Math.max(level, minimum), maximum) / (stage.stepDb * DB));
  return isTone(stage) && steps < 0 ? steps + stage.zeroCode - 1 : steps + stage.zeroCode;
}
