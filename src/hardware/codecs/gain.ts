/**
 * Volume fields of an AC'97 codec as linear gains. All steps are 1.5 dB but the beep's, which are 3 dB; a gain is exactly
 * 10^(dB ÷ 20), and 0 dB is exactly 1.
 */
import { AC97_MUTE } from './ac97-registers.ts';

export function decibelsToGain(decibels: number): number {
  return decibels === 0 ? 1 : 10 ** (decibels / 20);
}

/** Which half of a stereo volume register: left is the high byte. */
export type Side = 'left' | 'right';

function field(register: number, side: Side, mask: number): number {
  return (side === 'left' ? register >>> 8 : register) & mask;
}

/** Attenuation of a master volume register: 0 … −46.5 dB (§5.7.2). */
export function masterDecibels(register: number, side: Side): number {
  return -1.5 * field(register, side, 0x1f);
}

/** Gain of an input or PCM out register: +12 … −34.5 dB, 8 is 0 dB (§5.7.5). */
export function inputDecibels(register: number, side: Side): number {
  return 1.5 * (8 - field(register, side, 0x1f));
}

/** Gain of a record gain register: 0 … +22.5 dB (§5.7.7). */
export function recordDecibels(register: number, side: Side): number {
  return 1.5 * field(register, side, 0x0f);
}

/** The linear gain of one side, 0 when muted. */
export function gainOf(
  register: number,
  decibels: (register: number, side: Side) => number,
  side: Side,
): number {
  return (register & AC97_MUTE) !== 0 ? 0 : decibelsToGain(decibels(register, side));
}

/** A sum of signals as the 16 bits of a converter: nearest, halves up, saturating. */
export function toSample(value: number): number {
  const rounded = Math.floor(value + 0.5);
  return Math.max(-32768, Math.min(32767, rounded));
}
