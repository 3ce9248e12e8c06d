/**
 * The envelope generator's arithmetic: 9 bits of attenuation in 0.1875 dB, 0 = loudest, and when it steps.
 *
 * A counter runs at half the sample rate. Rates up to 47 (4 × register + key scale) step when a bit of the counter, the higher the
 * slower, has just become 1 and all below are 0; rates above step every sample or every other one by up to 4. The lower two bits of
 * the rate add steps in between, so that four rates make an octave (YMF262 application manual, "Envelope Generator"; order and
 * widths as measured on the chip).
 */

export const ENVELOPE_OFF = 0x1ff;
/** From here on the envelope counts as ended and jumps to {@link ENVELOPE_OFF}. */
const ENVELOPE_ENDS = 0x1f8;

/** The stages of an envelope. */
export const STAGE_ATTACK = 0;
export const STAGE_DECAY = 1;
export const STAGE_SUSTAIN = 2;
export const STAGE_RELEASE = 3;

/** Rates from here on attack in no time. */
export const INSTANT_RATE = 60;
/** Rates from here on step with the sample clock. */
const FAST_RATE = 48;

/** Additional steps of the fast rates by the lower two bits of the rate and of the counter. */
const EXTRA_STEP = Uint8Array.of(0, 0, 0, 0, 1, 0, 0, 0, 1, 0, 1, 0, 1, 1, 1, 0);

/** The counter as sample `sample` finds it: it was latched at the end of the last odd sample before. */
function counterAt(sample: number): number {
  return sample < 2 ? 0 : (sample >> 1) - 1;
}

/**
 * How a rate steps at the end of sample `sample`: 0 = not, n = by 2^(n − 1) downwards, and by (level + 1) ÷ 2^(4 − n) upwards.
 */
export function stepSize(rate: number, sample: number): number {
  if (rate === 0) return 0;
  const counter = counterAt(sample);
  if (rate < FAST_RATE) {
    if ((sample & 1) === 0 || (counter & 0x1fff) === 0) return 0;
    const zeros = 31 - Math.clz32(counter & -counter);
    const place = zeros - (11 - (rate >> 2));
    if (place === 0) return 1;
    if (place === 1) return (rate >> 1) & 1;
    return place === 2 ? rate & 1 : 0;
  }
  const octave = rate >= INSTANT_RATE ? 3 : (rate >> 2) & 3;
  const size = octave + EXTRA_STEP[((rate & 3) << 2) | (counter & 3)]!;
  if (size > 3) return 3;
  return size === 0 ? sample & 1 : size;
}

/** How many samples, from `sample` on, end before the first that may step at `rate`; at most `limit`. */
export function samplesBeforeStep(rate: number, sample: number, limit: number): number {
  if (rate === 0) return limit;
  if (rate >= FAST_RATE) return 0;
  const multiple = 1 << (11 - (rate >> 2));
  const counter = Math.max((sample - 2) >> 1, 1);
  const next = (counter + multiple - 1) & -multiple;
  // Odd samples step, with the counter latched at the end of the odd one before.
  return Math.min(2 * next + 3 - sample, limit);
}

/** True when an envelope of this attenuation has ended. */
export function envelopeEnds(level: number): boolean {
  return level >= ENVELOPE_ENDS;
}
