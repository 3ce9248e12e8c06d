/**
 * The YM3014B, the converter behind a YM3812: ten bits of mantissa, sign included, and an exponent of 0 … 6 places (its data sheet's
 * formula for the output voltage). Of loud samples the lower bits are lost.
 */
export function throughFloatDac(sample: number): number {
  // The bits below a sign that repeats itself; nine of them reach the converter.
  const significant = 32 - Math.clz32(sample < 0 ? ~sample : sample);
  const shift = Math.max(significant - 9, 0);
  return (sample >> shift) << shift;
}
