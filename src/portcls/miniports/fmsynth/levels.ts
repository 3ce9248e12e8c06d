/**
 * Loudness of General MIDI in the chip's steps of 0.75 dB. Velocity, volume (controller 7) and expression (controller 11) each follow
 * 40 × log10(value ÷ 127) decibels (General MIDI level 1 developer guidelines); the decibels add up.
 */
import { TL_SILENT, TL_STEP_DB } from './registers.ts';

/** Sixteenths of a step, so that three curves can be added before they are rounded. */
const FINE = 16;

const CURVE = Uint16Array.from({ length: 128 }, (_, value) =>
  value === 0
    ? TL_SILENT * FINE
    : Math.min(TL_SILENT * FINE, Math.round(((40 * Math.log10(127 / value)) / TL_STEP_DB) * FINE)),
);

/** Attenuation of a note in steps of the total level, 0 to 63. */
export function attenuationSteps(velocity: number, volume: number, expression: number): number {
  const fine =
    (CURVE[velocity & 0x7f] as number) +
    (CURVE[volume & 0x7f] as number) +
    (CURVE[expression & 0x7f] as number);
  return Math.min(TL_SILENT, Math.round(fine / FINE));
}

/** Softly struck notes are duller: how much less the modulator modulates, up to 4.5 dB. */
export function brightnessSteps(velocity: number): number {
  return ((127 - (velocity & 0x7f)) * 6) >> 7;
}
