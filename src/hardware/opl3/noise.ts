/**
 * The noise generator of the rhythm section: a 23-bit shift register (x^23 + x^14 + 1, period 2^23 − 1) that is shifted once per
 * operator slot, 36 times a sample. Its output is the bit that leaves.
 */

/** Shifts a sample: the YMF262 has 36 operator slots. */
const SHIFTS_PER_SAMPLE = 36;
const BITS = 23;
const PERIOD = 2 ** BITS - 1;

/** Nine shifts at once: bit 14 is the highest tap, so nine new bits depend on old ones only. */
function shiftNine(state: number): number {
  return (state >>> 9) | (((state ^ (state >>> 14)) & 0x1ff) << 14);
}

function shiftOne(state: number): number {
  return (state >>> 1) | (((state ^ (state >>> 14)) & 1) << 22);
}

/** The register one sample later. Bit k (k < 23) of a state is the output k shifts from it. */
export function noiseAfterSample(state: number): number {
  return shiftNine(shiftNine(shiftNine(shiftNine(state))));
}

/** A linear map of the register: the image of every single bit. */
type LinearMap = Int32Array;

function applyMap(map: LinearMap, state: number): number {
  let image = 0;
  for (let bit = 0; bit < BITS; bit++) if (((state >>> bit) & 1) !== 0) image ^= map[bit]!;
  return image;
}

/** Map k shifts 2^k times. */
const POWER_MAPS: LinearMap[] = [];
{
  let map: LinearMap = Int32Array.from({ length: BITS }, (_, bit) => shiftOne(1 << bit));
  for (let power = 0; power < BITS; power++) {
    POWER_MAPS.push(map);
    const half = map;
    map = half.map((image) => applyMap(half, image));
  }
}

/** The register `samples` samples later, in a time that does not depend on their number. */
export function noiseAfterSamples(state: number, samples: number): number {
  let shifts = ((samples % PERIOD) * SHIFTS_PER_SAMPLE) % PERIOD;
  for (let power = 0; shifts > 0; power++, shifts >>>= 1) {
    if ((shifts & 1) !== 0) state = applyMap(POWER_MAPS[power]!, state);
  }
  return state;
}
