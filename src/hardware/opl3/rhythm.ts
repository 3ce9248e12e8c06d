import { noiseAfterSample } from './noise.ts';
import { BLOCK_SAMPLES, type Operator } from './operator.ts';
import { renderPhase, renderSteps } from './tone.ts';

/** The operators of the rhythm section that do not follow their own phase. */
export interface RhythmOperators {
  readonly hiHat: Operator;
  readonly snareDrum: Operator;
  readonly cymbal: Operator;
}

/**
 * Hi-hat, snare drum and cymbal: their wave steps come from a few phase bits of the hi-hat's and the cymbal's operators and from
 * noise. The slots are served in the order hi-hat, snare, cymbal, so the hi-hat sees the cymbal's phase of the sample before.
 */
export class RhythmSection {
  readonly #operators: RhythmOperators;
  readonly #hiHatSteps = new Int16Array(BLOCK_SAMPLES);
  readonly #snareSteps = new Int16Array(BLOCK_SAMPLES);
  readonly #cymbalSteps = new Int16Array(BLOCK_SAMPLES);
  /** The cymbal's phase as last seen. */
  #cymbalPhase = 0;

  constructor(operators: RhythmOperators) {
    this.#operators = operators;
  }

  reset(): void {
    this.#cymbalPhase = 0;
  }

  /** Renders the prepared operators. `noise` is the noise register at the block's start; the one at its end is returned. */
  render(frames: number, noise: number): number {
    const { hiHat, snareDrum, cymbal } = this.#operators;
    const hiHatSteps = this.#hiHatSteps;
    const snareSteps = this.#snareSteps;
    const cymbalSteps = this.#cymbalSteps;
    renderPhase(hiHat, hiHatSteps, frames);
    // The snare drum's own phase moves on unheard.
    renderPhase(snareDrum, snareSteps, frames);
    renderPhase(cymbal, cymbalSteps, frames);
    let cymbalPhase = this.#cymbalPhase;
    for (let index = 0; index < frames; index++) {
      const phase = hiHatSteps[index]!;
      // Slot 13 is the hi-hat, slot 16 the snare drum: so many shifts after the sample's first slot.
      const hiHatHalf = metalBit(phase, cymbalPhase);
      hiHatSteps[index] = (hiHatHalf << 9) | (hiHatHalf === ((noise >>> 13) & 1) ? 0x34 : 0xd0);
      const snareHalf = (phase >> 8) & 1;
      snareSteps[index] = (snareHalf << 9) | ((snareHalf ^ ((noise >>> 16) & 1)) << 8);
      cymbalPhase = cymbalSteps[index]!;
      cymbalSteps[index] = (metalBit(phase, cymbalPhase) << 9) | 0x80;
      noise = noiseAfterSample(noise);
    }
    this.#cymbalPhase = cymbalPhase;
    renderSteps(hiHat, hiHatSteps, frames);
    renderSteps(snareDrum, snareSteps, frames);
    renderSteps(cymbal, cymbalSteps, frames);
    return noise;
  }
}

/** The half of the wave of hi-hat and cymbal: three pairs of phase bits that beat against each other. */
function metalBit(hiHatPhase: number, cymbalPhase: number): number {
  const hiHat = (hiHatPhase >> 2) ^ (hiHatPhase >> 7);
  const both = (hiHatPhase >> 3) ^ (cymbalPhase >> 5);
  const cymbal = (cymbalPhase >> 3) ^ (cymbalPhase >> 5);
  return (hiHat | both | cymbal) & 1;
}
