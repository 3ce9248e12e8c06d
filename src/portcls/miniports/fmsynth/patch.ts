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
 * 6, waveform 1, sustained (s) with vibrato (v) and key scale rate (k); t is tremolo; l gives the key scale level. A defect of the
 * text is an Error.
 */
export function op(text: string): FmOperator {
  const match =
    /^(?<mult>\d+):(?<level>\d+) (?<attack>\d+)-(?<decay>\d+)-(?<sustain>\d+)-(?<release>\d+)(?: w(?<wave>[0-7]))?(?: (?<flags>[tvsk]+))?(?: l(?<scale>[0-3]))?$/.exec(
      text,
    );
  const groups = match?.groups;
  if (groups === undefined) throw new Error(`'${text}' describes no operator`);
  const number = (name: string, maximum: number): number => {
    const value = Number(groups[name] ?? 0);
    if (value > maximum) throw new Error(`'${text}': ${name} is ${maximum} at most`);
    return value;
  };
  let flags = 0;
  for (const letter of groups['flags'] ?? '') flags |= FLAGS[letter] ?? 0;
  return {
    mult: number('mult', 15),
    level: number('level', 63),
    attack: number('attack', 15),
    decay: number('decay', 15),
    sustain: number('sustain', 15),
    release: number('release', 15),
    wave: number('wave', 7),
    keyScale: number('scale', 3),
    flags,
  };
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
