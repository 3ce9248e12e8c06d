/** The chip's sample rate: its clock of 14.31818 MHz ÷ 288. */
const SAMPLE_RATE_HZ = 14_318_180 / 288;
/** Pitches are counted in 1/256 of a semitone from MIDI key 0 (8.18 Hz). */
export const PITCH_UNITS_PER_SEMITONE = 256;
/**
 * The octave from F sharp to F has F-numbers from 488 to 975: the finest that fit ten bits with any bend in between. From F sharp 4 (key
 * 66) on it is block 4.
 */
const FIRST_KEY_OF_OCTAVE = 6;
const TABLE_LENGTH = 12 * PITCH_UNITS_PER_SEMITONE;

/** F-numbers of that octave, not rounded yet: frequency × 2^(20 − block) ÷ sample rate (YMF262 manual, "F-Number"). */
const F_NUMBERS = Float64Array.from({ length: TABLE_LENGTH }, (_, index) => {
  const key = 66 + index / PITCH_UNITS_PER_SEMITONE;
  const frequencyHz = 440 * 2 ** ((key - 69) / 12);
  return (frequencyHz * 2 ** (20 - 4)) / SAMPLE_RATE_HZ;
});

/** F-number and block in one number: block × 1024 + F-number, as the chip's registers have them side by side. */
export function blockAndFNumber(pitch: number): number {
  const steps = Math.round(pitch) - FIRST_KEY_OF_OCTAVE * PITCH_UNITS_PER_SEMITONE;
  const octave = Math.floor(steps / TABLE_LENGTH);
  const fNumber = F_NUMBERS[steps - octave * TABLE_LENGTH] as number;
  // The octave from key 66 on, number 5, is block 4. Below block 0 the F-number shrinks; above block 7 the octave stays.
  const block = octave - 1;
  if (block < 0) return Math.round(fNumber * 2 ** block);
  return Math.min(7, block) * 1024 + Math.round(fNumber);
}
