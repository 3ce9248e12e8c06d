/**
 * The numbers that the FM chips of the OPL family keep in ROM, from their formulas. The two ROMs were read from a YM3812 die by
 * Matthew Gambrell and Olli Niemitalo ("OPLx decapsulated", 2008); the formulas reproduce them exactly.
 */

/** −log2 sin of a quarter wave in 1/256 octaves: entry x belongs to the angle (x + ½) π ÷ 512. */
export const LOG_SIN: Uint16Array = Uint16Array.from({ length: 256 }, (_, x) =>
  Math.round(-256 * Math.log2(Math.sin(((x + 0.5) * Math.PI) / 512))),
);

/** The mantissa of 2^(y ÷ 256), 1024 … 2042, hidden bit included: entry y belongs to the attenuation 255 − y. */
export const EXP: Uint16Array = Uint16Array.from(
  { length: 256 },
  (_, y) => 1024 + Math.round((2 ** (y / 256) - 1) * 1024),
);

/** Attenuation at or above which the output is 0: the mantissa has been shifted out. In 1/256 octaves. */
const SILENT_LOG = 0x1000;
/** In a {@link WAVE_LOG} entry and in the index of {@link AMPLITUDE}: the lower half of the wave. */
const NEGATIVE = 0x4000;

/** What a log of `log` 1/256 octaves is as an amplitude, 0 … 4084. */
function amplitude(log: number): number {
  return (EXP[255 - (log & 0xff)]! << 1) >> (log >> 8);
}

/**
 * Attenuation and sign to output, −4085 … 4084: the index is a {@link WAVE_LOG} entry plus the envelope in its units (envelope × 8).
 * The largest sum of both is below {@link NEGATIVE}. The negative half is the ones' complement, as in the chip: an operator
 * that is silent gives 0 in one half of its wave and −1 in the other.
 */
export const AMPLITUDE: Int16Array = Int16Array.from({ length: 2 * NEGATIVE }, (_, index) => {
  const log = index & (NEGATIVE - 1);
  const value = log < SILENT_LOG ? amplitude(log) : 0;
  return (index & NEGATIVE) === 0 ? value : ~value;
});

/** Steps in a wave: 10 bits of phase. */
export const WAVE_STEPS = 1024;

/** −log2 |sin| over a half wave of 512 steps. */
function halfSine(step: number): number {
  return LOG_SIN[(step & 0x100) === 0 ? step & 0xff : 255 - (step & 0xff)]!;
}

/** −log2 |sin| of a half wave in 256 steps: every second entry of the ROM, the falling quarter mirrored before the doubling. */
function fastHalfSine(step: number): number {
  return LOG_SIN[((step & 0x80) === 0 ? 2 * step : 2 * ~step) & 0xff]!;
}

/** The eight waveforms (YMF262 application manual, "Wave Select"), step 0 … 1023, as attenuation and sign. */
const WAVES: readonly ((step: number) => number)[] = [
  // Sine.
  (step) => halfSine(step & 0x1ff) | (step >= 512 ? NEGATIVE : 0),
  // Upper half of a sine, then nothing.
  (step) => (step < 512 ? halfSine(step) : SILENT_LOG),
  // Rectified sine.
  (step) => halfSine(step & 0x1ff),
  // The rising quarters of a rectified sine.
  (step) => ((step & 0x100) === 0 ? halfSine(step & 0xff) : SILENT_LOG),
  // A sine at twice the speed in the first half, then nothing.
  (step) => (step < 512 ? fastHalfSine(step) | (step >= 256 ? NEGATIVE : 0) : SILENT_LOG),
  // The same, rectified.
  (step) => (step < 512 ? fastHalfSine(step) : SILENT_LOG),
  // Square.
  (step) => (step >= 512 ? NEGATIVE : 0),
  // Exponential saw: the attenuation itself is a ramp.
  (step) => (step < 512 ? step << 3 : ((1023 - step) << 3) | NEGATIVE),
];

/** Entry `wave × 1024 + step`. */
export const WAVE_LOG: Uint16Array = Uint16Array.from({ length: WAVES.length * WAVE_STEPS }, (_, index) =>
  WAVES[index >> 10]!(index & (WAVE_STEPS - 1)),
);

/** MULT: frequency multiple × 2 (application manual, "Multiple"; 11, 13 and 14 repeat their neighbours). */
export const DOUBLE_MULTIPLE: Uint8Array = Uint8Array.of(
  1,
  2,
  4,
  6,
  8,
  10,
  12,
  14,
  16,
  18,
  20,
  20,
  24,
  24,
  30,
  30,
);

/** KSL: attenuation at block 8 by the upper four bits of the F-number, in envelope units ÷ 4 (0.75 dB). */
const KEY_SCALE_LEVEL: Uint8Array = Uint8Array.of(
  0,
  32,
  40,
  45,
  48,
  51,
  53,
  55,
  56,
  58,
  59,
  60,
  61,
  62,
  63,
  64,
);

/** How far the KSL register field 0 … 3 shifts the full 6 dB per octave down: off, 3, 1.5, 6 dB per octave. */
export const KEY_SCALE_SHIFT: Uint8Array = Uint8Array.of(8, 1, 2, 0);

/** The KSL attenuation at 6 dB per octave in envelope units (0.1875 dB): 3 dB for every half octave below block 8 less. */
export function keyScaleLevel(fNumber: number, block: number): number {
  return Math.max(0, 4 * KEY_SCALE_LEVEL[fNumber >> 6]! - 32 * (8 - block));
}
