import * as R from './registers.ts';

/** One operator of an instrument, in the chip's own terms. */
export interface FmOperator {
  /** Frequency as a multiple of the channel's: 0 is one half. */
  readonly mult: number;
  /** Attenuation in 0.75 dB: of a modulator the brightness, of a carrier the loudness. */
  readonly level: number;
  /** Rates, 0 (never) to 15 (at once); sustain in 3 dB below the peak. */
  readonly attack: number;
  readonly decay: number;
  readonly sustain: number;
  readonly release: number;
  /** 0 sine, 1 half sine, 2 rectified sine, 3 quarter sines; on an OPL3 also 4 to 7. */
  readonly wave: number;
  /** Bits AM, VIB, EGT, KSR of register 20h. */
  readonly flags: number;
  /** Code of the key scale level: 0 none, 2 1.5, 1 3, 3 6 dB per octave. */
  readonly keyScale: number;
}

/** An instrument: two operators and how they are joined. */
export interface FmPatch {
  readonly name: string;
  readonly modulator: FmOperator;
  readonly carrier: FmOperator;
  /** 0 to 7: how much the modulator modulates itself. */
  readonly feedback: number;
  /** Both operators are heard, side by side. */
  readonly additive: boolean;
  /** Semitones added to the key. */
  readonly transpose: number;
}

/** An instrument of the percussion map. */
export interface FmDrum extends FmPatch {
  /** The key that sounds, whatever key asks for it. */
  readonly key: number;
  /** Drums of one group end each other, as the pedal does with a hi-hat. */
  readonly group: number;
}

const FLAGS: Readonly<Record<string, number>> = { t: R.OP_AM, v: R.OP_VIB, s: R.OP_EGT, k: R.OP_KSR };

/**
 * An operator in short: `op('2:18 15-3-4-6 w1 svk l2')` is the double frequency, 18 steps down, attack 15, decay 3, sustain 4, release
 * 6; then in any order waveform 1, the letters s (sustained), v (vibrato), k (key scale rate), t (tremolo), and key scale level 2. A
 * defect of the text is an Error.
 */
export function op(text: string): FmOperator {
  const [head = '', envelope = '', ...more] = text.split(' ');
  const [mult = 0, level = 0] = numbers(text, head, ':', [15, 63]);
  const [attack = 0, decay = 0, sustain = 0, release = 0] = numbers(text, envelope, '-', [15, 15, 15, 15]);
  let wave = 0;
  let keyScale = 0;
  let flags = 0;
  for (const word of more) {
    if (/^w[0-7]$/.test(word)) wave = Number(word[1]);
    else if (/^l[0-3]$/.test(word)) keyScale = Number(word[1]);
    else if (/^[tvsk]+$/.test(word)) for (const letter of word) flags |= FLAGS[letter] ?? 0;
    else throw new Error(`'${text}': '${word}' says nothing about an operator`);
  }
  return { mult, level, attack, decay, sustain, release, wave, keyScale, flags };
}

/** As many whole numbers as there are maxima, none above its own. */
function numbers(text: string, part: string, separator: string, maxima: readonly number[]): number[] {
  const values = part.split(separator).map(Number);
  const inRange = values.every(
    (value, index) => Number.isInteger(value) && value >= 0 && value <= (maxima[index] ?? -1),
  );
  if (values.length !== maxima.length || !inRange) throw new Error(`'${text}': '${part}' is out of range`);
  return values;
}

/** An instrument whose modulator is not heard itself. */
export function fm(
  name: string,
  feedback: number,
  modulator: string,
  carrier: string,
  transpose = 0,
): FmPatch {
  return { name, feedback, additive: false, modulator: op(modulator), carrier: op(carrier), transpose };
}

/** An instrument of two operators that are both heard. */
export function sum(name: string, feedback: number, first: string, second: string, transpose = 0): FmPatch {
  return { name, feedback, additive: true, modulator: op(first), carrier: op(second), transpose };
}

export function drum(key: number, patch: FmPatch, group = 0): FmDrum {
  return { ...patch, key, group };
}
