/**
 * The loops that make samples: all of the synthesizer's cost. Each renders one block of prepared operators and leaves the phase and
 * the last two outputs in them.
 */
import { BLOCK_SAMPLES, type Operator, PHASE_MASK } from './operator.ts';
import { AMPLITUDE, WAVE_LOG, WAVE_STEPS } from './tables.ts';

// A module's own constants are folded into the loops; imported ones would be looked up in each.
const amplitudes = AMPLITUDE;
const waveLogs = WAVE_LOG;

const PHASE_SHIFT = 9;
const STEP_MASK = WAVE_STEPS - 1;

/** A channel of two operators. */
export interface FmVoice {
  /** The first operator; it can modulate itself. */
  readonly modulator: Operator;
  readonly carrier: Operator;
  /** −1 where the side is switched on, else 0. */
  readonly leftMask: number;
  readonly rightMask: number;
}

/** Where samples are added up; place 0 belongs to the sample before the block. */
export interface Sums {
  readonly left: Int32Array;
  readonly right: Int32Array;
}

export function newSums(): Sums {
  return { left: new Int32Array(BLOCK_SAMPLES + 1), right: new Int32Array(BLOCK_SAMPLES + 1) };
}

const NO_MODULATION = new Int16Array(BLOCK_SAMPLES);

/** An operator that the output of another one, or nothing, modulates; into its own `out`. */
export function renderModulated(operator: Operator, modulation: Int16Array | null, frames: number): void {
  const { out, increment } = operator;
  const logs = operator.logs(frames);
  const wave = operator.wave * WAVE_STEPS;
  const shift = modulation ?? NO_MODULATION;
  let phase = operator.phase;
  for (let index = 0; index < frames; index++) {
    const step = ((phase >> PHASE_SHIFT) + shift[index]!) & STEP_MASK;
    out[index] = amplitudes[waveLogs[wave + step]! + logs[index]!]!;
    phase = (phase + increment) | 0;
  }
  operator.phase = phase & PHASE_MASK;
  keepLast(operator, frames);
}

/** An operator that follows given steps of its wave instead of its phase; into its own `out`. */
export function renderSteps(operator: Operator, steps: Int16Array, frames: number): void {
  const { out } = operator;
  const logs = operator.logs(frames);
  const wave = operator.wave * WAVE_STEPS;
  for (let index = 0; index < frames; index++)
    out[index] = amplitudes[waveLogs[wave + (steps[index]! & STEP_MASK)]! + logs[index]!]!;
  keepLast(operator, frames);
}

/** The wave steps of an operator's phase alone. */
export function renderPhase(operator: Operator, steps: Int16Array, frames: number): void {
  let phase = operator.phase;
  for (let index = 0; index < frames; index++) {
    steps[index] = (phase >> PHASE_SHIFT) & STEP_MASK;
    phase = (phase + operator.increment) | 0;
  }
  operator.phase = phase & PHASE_MASK;
}

/** An operator that its own last two outputs modulate; into its own `out`. */
export function renderFeedback(operator: Operator, frames: number): void {
  const { out, increment, feedbackMask, feedbackShift } = operator;
  const logs = operator.logs(frames);
  const wave = operator.wave * WAVE_STEPS;
  let { phase, last, lastButOne } = operator;
  for (let index = 0; index < frames; index++) {
    const step =
      ((phase >> PHASE_SHIFT) + (((last + lastButOne) & feedbackMask) >> feedbackShift)) & STEP_MASK;
    lastButOne = last;
    last = amplitudes[waveLogs[wave + step]! + logs[index]!]!;
    out[index] = last;
    phase = (phase + increment) | 0;
  }
  operator.phase = phase & PHASE_MASK;
  operator.last = last;
  operator.lastButOne = lastButOne;
}

function keepLast(operator: Operator, frames: number): void {
  operator.lastButOne = frames > 1 ? operator.out[frames - 2]! : operator.last;
  operator.last = operator.out[frames - 1]!;
}

/** Adds an operator's `out` to the sums. */
export function addOut(
  operator: Operator,
  leftMask: number,
  rightMask: number,
  frames: number,
  sums: Sums,
): void {
  const { out } = operator;
  const { left, right } = sums;
  for (let index = 0; index < frames; index++) {
    const sample = out[index]!;
    left[index + 1]! += sample & leftMask;
    right[index + 1]! += sample & rightMask;
  }
}

/** True when the envelopes of both operators stand still in the prepared block. */
export function isFlat(voice: FmVoice): boolean {
  return voice.modulator.flat && voice.carrier.flat;
}

/** A whole channel of two operators, added to the sums. */
export function renderVoice(voice: FmVoice, frames: number, sums: Sums): void {
  const { modulator, carrier, leftMask, rightMask } = voice;
  const { left, right } = sums;
  const { feedbackMask, feedbackShift } = modulator;
  const modulatorWave = modulator.wave * WAVE_STEPS;
  const carrierWave = carrier.wave * WAVE_STEPS;
  const modulatorLogs = modulator.logs(frames);
  const carrierLogs = carrier.logs(frames);
  const modulatorIncrement = modulator.increment;
  const carrierIncrement = carrier.increment;
  let modulatorPhase = modulator.phase;
  let carrierPhase = carrier.phase;
  let { last, lastButOne } = modulator;
  let out = carrier.last;
  for (let index = 0; index < frames; index++) {
    const fed = ((last + lastButOne) & feedbackMask) >> feedbackShift;
    const modulatorStep = ((modulatorPhase >> PHASE_SHIFT) + fed) & STEP_MASK;
    lastButOne = last;
    last = amplitudes[waveLogs[modulatorWave + modulatorStep]! + modulatorLogs[index]!]!;
    modulatorPhase = (modulatorPhase + modulatorIncrement) | 0;
    const carrierStep = ((carrierPhase >> PHASE_SHIFT) + last) & STEP_MASK;
    out = amplitudes[waveLogs[carrierWave + carrierStep]! + carrierLogs[index]!]!;
    carrierPhase = (carrierPhase + carrierIncrement) | 0;
    left[index + 1]! += out & leftMask;
    right[index + 1]! += out & rightMask;
  }
  modulator.phase = modulatorPhase & PHASE_MASK;
  modulator.last = last;
  modulator.lastButOne = lastButOne;
  carrier.phase = carrierPhase & PHASE_MASK;
  carrier.last = out;
}

/** A channel whose operators are both heard, neither modulating the other. They may belong to different sums. */
export function renderAddedVoice(voice: FmVoice, frames: number, firstSums: Sums, secondSums: Sums): void {
  const { modulator: first, carrier: second, leftMask, rightMask } = voice;
  const firstLeft = firstSums.left;
  const firstRight = firstSums.right;
  const secondLeft = secondSums.left;
  const secondRight = secondSums.right;
  const { feedbackMask, feedbackShift } = first;
  const firstWave = first.wave * WAVE_STEPS;
  const secondWave = second.wave * WAVE_STEPS;
  const firstLogs = first.logs(frames);
  const secondLogs = second.logs(frames);
  const firstIncrement = first.increment;
  const secondIncrement = second.increment;
  let firstPhase = first.phase;
  let secondPhase = second.phase;
  let { last, lastButOne } = first;
  let out = second.last;
  for (let index = 0; index < frames; index++) {
    const fed = ((last + lastButOne) & feedbackMask) >> feedbackShift;
    const step = ((firstPhase >> PHASE_SHIFT) + fed) & STEP_MASK;
    lastButOne = last;
    last = amplitudes[waveLogs[firstWave + step]! + firstLogs[index]!]!;
    firstPhase = (firstPhase + firstIncrement) | 0;
    out =
      amplitudes[waveLogs[secondWave + ((secondPhase >> PHASE_SHIFT) & STEP_MASK)]! + secondLogs[index]!]!;
    secondPhase = (secondPhase + secondIncrement) | 0;
    firstLeft[index + 1]! += last & leftMask;
    firstRight[index + 1]! += last & rightMask;
    secondLeft[index + 1]! += out & leftMask;
    secondRight[index + 1]! += out & rightMask;
  }
  first.phase = firstPhase & PHASE_MASK;
  first.last = last;
  first.lastButOne = lastButOne;
  second.phase = secondPhase & PHASE_MASK;
  second.last = out;
}

/**
 * Two channels at once, with envelopes that stand still. Feedback makes a sample wait for the one before, through two table look-ups; with two channels in the loop
 * the processor has something to do meanwhile, and the second one is almost free.
 */
export function renderTwoFlatVoices(one: FmVoice, two: FmVoice, frames: number, sums: Sums): void {
  const { left, right } = sums;
  const modulatorA = one.modulator;
  const carrierA = one.carrier;
  const modulatorB = two.modulator;
  const carrierB = two.carrier;
  const leftMaskA = one.leftMask;
  const rightMaskA = one.rightMask;
  const leftMaskB = two.leftMask;
  const rightMaskB = two.rightMask;
  const feedbackMaskA = modulatorA.feedbackMask;
  const feedbackShiftA = modulatorA.feedbackShift;
  const feedbackMaskB = modulatorB.feedbackMask;
  const feedbackShiftB = modulatorB.feedbackShift;
  const modulatorWaveA = modulatorA.wave * WAVE_STEPS;
  const carrierWaveA = carrierA.wave * WAVE_STEPS;
  const modulatorWaveB = modulatorB.wave * WAVE_STEPS;
  const carrierWaveB = carrierB.wave * WAVE_STEPS;
  const modulatorLogA = modulatorA.flatLog;
  const carrierLogA = carrierA.flatLog;
  const modulatorLogB = modulatorB.flatLog;
  const carrierLogB = carrierB.flatLog;
  const modulatorIncrementA = modulatorA.increment;
  const carrierIncrementA = carrierA.increment;
  const modulatorIncrementB = modulatorB.increment;
  const carrierIncrementB = carrierB.increment;
  let modulatorPhaseA = modulatorA.phase;
  let carrierPhaseA = carrierA.phase;
  let modulatorPhaseB = modulatorB.phase;
  let carrierPhaseB = carrierB.phase;
  let lastA = modulatorA.last;
  let lastButOneA = modulatorA.lastButOne;
  let lastB = modulatorB.last;
  let lastButOneB = modulatorB.lastButOne;
  let outA = carrierA.last;
  let outB = carrierB.last;
  for (let index = 0; index < frames; index++) {
    const fedA = ((lastA + lastButOneA) & feedbackMaskA) >> feedbackShiftA;
    const modulatorStepA = ((modulatorPhaseA >> PHASE_SHIFT) + fedA) & STEP_MASK;
    lastButOneA = lastA;
    lastA = amplitudes[waveLogs[modulatorWaveA + modulatorStepA]! + modulatorLogA]!;
    modulatorPhaseA = (modulatorPhaseA + modulatorIncrementA) | 0;
    const fedB = ((lastB + lastButOneB) & feedbackMaskB) >> feedbackShiftB;
    const modulatorStepB = ((modulatorPhaseB >> PHASE_SHIFT) + fedB) & STEP_MASK;
    lastButOneB = lastB;
    lastB = amplitudes[waveLogs[modulatorWaveB + modulatorStepB]! + modulatorLogB]!;
    modulatorPhaseB = (modulatorPhaseB + modulatorIncrementB) | 0;
    const carrierStepA = ((carrierPhaseA >> PHASE_SHIFT) + lastA) & STEP_MASK;
    outA = amplitudes[waveLogs[carrierWaveA + carrierStepA]! + carrierLogA]!;
    carrierPhaseA = (carrierPhaseA + carrierIncrementA) | 0;
    const carrierStepB = ((carrierPhaseB >> PHASE_SHIFT) + lastB) & STEP_MASK;
    outB = amplitudes[waveLogs[carrierWaveB + carrierStepB]! + carrierLogB]!;
    carrierPhaseB = (carrierPhaseB + carrierIncrementB) | 0;
    left[index + 1]! += (outA & leftMaskA) + (outB & leftMaskB);
    right[index + 1]! += (outA & rightMaskA) + (outB & rightMaskB);
  }
  modulatorA.phase = modulatorPhaseA & PHASE_MASK;
  modulatorA.last = lastA;
  modulatorA.lastButOne = lastButOneA;
  carrierA.phase = carrierPhaseA & PHASE_MASK;
  carrierA.last = outA;
  modulatorB.phase = modulatorPhaseB & PHASE_MASK;
  modulatorB.last = lastB;
  modulatorB.lastButOne = lastButOneB;
  carrierB.phase = carrierPhaseB & PHASE_MASK;
  carrierB.last = outB;
}
