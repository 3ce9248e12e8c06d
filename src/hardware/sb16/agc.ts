/** Creative's guide gives the fixed gain; how the automatic one behaves is the analogue chip's, and chosen here. */
const FIXED_GAIN = 10;
/** The level that the automatic gain aims at: half of full scale. */
const TARGET_PEAK = 16_384;
/** The envelope falls to half in this time. */
const RELEASE_SECONDS = 0.5;

/**
 * The microphone's amplifier (register 43h): 20 dB fixed, or automatic: between 0 and 20 dB, so that the peaks of the last moments come
 * near half of full scale. Loud signals pass unchanged.
 */
export class MicAmplifier {
  #envelope = 0;

  /** Amplifies mono samples in place. */
  process(samples: Float64Array, frames: number, rate: number, automatic: boolean): void {
    if (!automatic) {
      for (let i = 0; i < frames; i++) samples[i]! *= FIXED_GAIN;
      return;
    }
    const release = 0.5 ** (1 / (RELEASE_SECONDS * rate));
    let envelope = this.#envelope;
    for (let i = 0; i < frames; i++) {
      envelope = Math.max(Math.abs(samples[i]!), envelope * release);
      if (envelope > 0) samples[i]! *= Math.max(1, Math.min(FIXED_GAIN, TARGET_PEAK / envelope));
    }
    this.#envelope = envelope;
  }
}
