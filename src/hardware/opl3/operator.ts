import {
  ENVELOPE_OFF,
  envelopeEnds,
  INSTANT_RATE,
  STAGE_ATTACK,
  STAGE_DECAY,
  STAGE_RELEASE,
  STAGE_SUSTAIN,
  samplesBeforeStep,
  stepSize,
} from './envelope.ts';
import { DOUBLE_MULTIPLE, KEY_SCALE_SHIFT, keyScaleLevel } from './tables.ts';

/** The most samples rendered in one go. The vibrato moves at multiples of it only. */
export const BLOCK_SAMPLES = 256;

/** Phases are 19 bits; the upper ten select the step of the wave. */
export const PHASE_MASK = 0x7_ffff;

/** What can hold an operator's key down. */
export const KEY_CHANNEL = 1 << 0;
export const KEY_RHYTHM = 1 << 1;
export const KEY_CSM = 1 << 2;

/** What operators have in common during a block. */
export interface BlockContext {
  /** Number of the block's first sample since reset (modulo a common multiple of all that depends on it). */
  sample: number;
  /** Tremolo attenuation in envelope units. */
  tremolo: number;
  /** 0 … 7, the place in the vibrato cycle. */
  vibratoStep: number;
  /** 0 with the deep vibrato, 1 with the shallow one. */
  vibratoShift: number;
}

/**
 * One operator: its registers, phase generator and envelope generator. {@link prepare} makes a block's attenuations; the loops of
 * `tone.ts` turn phase, level and modulation into samples. A block in which a key goes down has one sample only.
 */
export class Operator {
  // Registers 20h, 40h, 60h, 80h, E0h.
  tremolo = false;
  vibrato = false;
  sustained = false;
  keyScaleRate = false;
  multiple = 0;
  keyScale = 0;
  totalLevel = 0;
  attackRate = 0;
  decayRate = 0;
  /** 0 … 14 in 3 dB, 31 for the register's 15 (93 dB). */
  sustainLevel = 0;
  releaseRate = 0;
  wave = 0;

  // From the channel.
  fNumber = 0;
  block = 0;
  /** Block × 2 + one bit of the F-number: the key scale number. */
  keyScaleNumber = 0;
  /** The sum of the last two outputs, shifted right, modulates the operator itself; the mask is 0 without feedback. */
  feedbackMask = 0;
  feedbackShift = 0;

  /** {@link KEY_CHANNEL} … bits that hold the key. */
  keys = 0;
  /** The phase of the next sample. */
  phase = 0;
  level = ENVELOPE_OFF;
  stage: number = STAGE_RELEASE;
  /** The outputs of the last two samples. */
  last = 0;
  lastButOne = 0;

  /** For the block being rendered: how far the phase moves in a sample. */
  increment = 0;
  /** For the block being rendered: the attenuation of all samples in the units of the log-sine ROM, where {@link flat}. */
  flatLog = 0;
  flat = true;
  /** The output of each sample, where a loop keeps it. */
  readonly out = new Int16Array(BLOCK_SAMPLES);
  /** The rate of the stage, during {@link prepare}. */
  #stageRate = 0;
  /** The phase begins anew after the block, which has one sample. */
  #restarting = false;

  /** Attenuation of each sample; where the block is {@link flat}, this value has been written to so many places. */
  readonly #logs = new Int16Array(BLOCK_SAMPLES);
  #filledLog = 0;
  #filledSamples = 0;

  /** True when nothing but a register write can make this operator heard. */
  get silent(): boolean {
    if (this.level !== ENVELOPE_OFF) return false;
    if (this.keys === 0) return this.stage === STAGE_RELEASE;
    if (this.stage === STAGE_ATTACK) return this.attackRate === 0;
    return this.stage !== STAGE_RELEASE;
  }

  /** True when the key went down and the next sample is the last of the old phase. */
  get restarts(): boolean {
    return this.keys !== 0 && this.stage === STAGE_RELEASE;
  }

  /** 0 or 1 … 7 from π ÷ 16 to 4 π. */
  setFeedback(feedback: number): void {
    this.feedbackMask = feedback === 0 ? 0 : -1;
    this.feedbackShift = 9 - feedback;
  }

  /** The attenuation of each of `frames` prepared samples. */
  logs(frames: number): Int16Array {
    if (this.flat && (this.#filledLog !== this.flatLog || this.#filledSamples < frames)) {
      this.#logs.fill(this.flatLog, 0, frames);
      this.#filledLog = this.flatLog;
      this.#filledSamples = frames;
    }
    return this.#logs;
  }

  /** Makes {@link increment} and attenuation of a block, and moves the envelope past it. */
  prepare(frames: number, context: BlockContext): void {
    this.increment = this.#phaseIncrement(context);
    this.#restarting = this.restarts;
    const keyScale = keyScaleLevel(this.fNumber, this.block) >> KEY_SCALE_SHIFT[this.keyScale]!;
    const attenuation = (this.totalLevel << 2) + keyScale + (this.tremolo ? context.tremolo : 0);
    const { sample } = context;
    this.#stageRate = this.#rateOf(this.stage);
    let quiet = this.#samplesBeforeChange(sample, frames);
    this.flat = quiet === frames;
    if (this.flat) {
      this.flatLog = (this.level + attenuation) << 3;
      return;
    }
    this.#filledSamples = 0;
    const logs = this.#logs;
    let at = 0;
    while (at < frames) {
      // The sample in which the envelope moves still has the old level.
      const end = Math.min(at + quiet + 1, frames);
      const moves = at + quiet < frames;
      const log = (this.level + attenuation) << 3;
      while (at < end) logs[at++] = log;
      if (moves) this.#moveEnvelope(sample + end - 1);
      quiet = this.#samplesBeforeChange(sample + end, frames - end);
    }
  }

  /** After a block of one sample in which an operator {@link restarts}: that sample belonged to the old phase, the next to the new. */
  restartPhase(): void {
    if (this.#restarting) this.phase = this.increment;
  }

  /** Lets `frames` samples pass in which the operator is {@link silent}; the vibrato stands still in them. */
  skip(frames: number, context: BlockContext): void {
    this.phase = (this.phase + Math.imul(this.#phaseIncrement(context), frames)) & PHASE_MASK;
  }

  /** The state after IC#; the registers are cleared by their owner. */
  resetGenerators(): void {
    this.keys = 0;
    this.phase = 0;
    this.level = ENVELOPE_OFF;
    this.stage = STAGE_RELEASE;
    this.last = 0;
    this.lastButOne = 0;
  }

  #phaseIncrement(context: BlockContext): number {
    let fNumber = this.fNumber;
    if (this.vibrato) fNumber += vibratoOffset(fNumber, context.vibratoStep, context.vibratoShift);
    return (((fNumber << this.block) >> 1) * DOUBLE_MULTIPLE[this.multiple]!) >> 1;
  }

  #enterStage(stage: number): void {
    this.stage = stage;
    this.#stageRate = this.#rateOf(stage);
  }

  /** 4 × the register of a stage + key scale, 0 for a stage that stands still. */
  #rateOf(stage: number): number {
    let rate = 0;
    if (stage === STAGE_ATTACK) rate = this.attackRate;
    else if (stage === STAGE_DECAY) rate = this.decayRate;
    else if (stage === STAGE_RELEASE || !this.sustained) rate = this.releaseRate;
    return rate === 0 ? 0 : (rate << 2) + (this.keyScaleNumber >> (this.keyScaleRate ? 0 : 2));
  }

  /** How many samples from `sample` on pass before one at whose end envelope or stage may change; at most `limit`. */
  #samplesBeforeChange(sample: number, limit: number): number {
    const { stage, level } = this;
    if (limit <= 0) return limit;
    if ((this.keys === 0) !== (stage === STAGE_RELEASE)) return 0;
    if (stage === STAGE_ATTACK) {
      if (level === 0) return 0;
      return this.#stageRate >= INSTANT_RATE ? limit : samplesBeforeStep(this.#stageRate, sample, limit);
    }
    if (stage === STAGE_DECAY && level >> 4 === this.sustainLevel) return 0;
    if (envelopeEnds(level)) return level === ENVELOPE_OFF ? limit : 0;
    return samplesBeforeStep(this.#stageRate, sample, limit);
  }

  /** The end of sample `sample`: stage and level of the next one. A change of stage takes the sample in which it is noticed. */
  #moveEnvelope(sample: number): void {
    const { stage, level } = this;
    if (stage === STAGE_RELEASE && this.keys !== 0) {
      this.#enterStage(STAGE_ATTACK);
      if (this.#stageRate >= INSTANT_RATE) this.level = 0;
      return;
    }
    if (stage === STAGE_ATTACK) {
      if (level === 0) this.#enterStage(STAGE_DECAY);
      else if (this.keys !== 0) {
        const size = this.#stageRate < INSTANT_RATE ? stepSize(this.#stageRate, sample) : 0;
        if (size > 0) this.level = level + (~level >> (4 - size));
      }
    } else {
      const ends = envelopeEnds(level);
      if (ends) this.level = ENVELOPE_OFF;
      if (stage === STAGE_DECAY && level >> 4 === this.sustainLevel) this.#enterStage(STAGE_SUSTAIN);
      else if (!ends) {
        const size = stepSize(this.#stageRate, sample);
        if (size > 0) this.level = level + (1 << (size - 1));
      }
    }
    if (this.keys === 0 && this.stage !== STAGE_RELEASE) this.#enterStage(STAGE_RELEASE);
  }
}

/** The vibrato is a triangle over eight steps, 7 cents deep or 14: the upper three bits of the F-number, scaled. */
function vibratoOffset(fNumber: number, step: number, shift: number): number {
  if ((step & 3) === 0) return 0;
  const range = ((fNumber >> 7) & 7) >> ((step & 1) + shift);
  return (step & 4) === 0 ? range : -range;
}
