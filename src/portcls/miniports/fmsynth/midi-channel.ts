import { PITCH_UNITS_PER_SEMITONE } from './pitch.ts';

const NO_PARAMETER = 0x3fff;
const BEND_RANGE = 0;
const FINE_TUNING = 1;
const COARSE_TUNING = 2;

/** What MIDI messages have set on one of the sixteen channels. */
export class MidiChannel {
  program = 0;
  volume = 100;
  expression = 127;
  pan = 64;
  modulation = 0;
  sustain = false;
  /** −8192 … 8191. */
  bend = 0;
  /** Semitones and hundredths. */
  #bendSemitones = 2;
  #bendCents = 0;
  /** 14 bits each; 2000h is no detuning. */
  #fineTuning = 0x2000;
  #coarseTuning = 64;
  #parameter = NO_PARAMETER;

  /** Distance from the keys' own pitch in 1/256 semitone. */
  get pitchOffset(): number {
    const range =
      this.#bendSemitones * PITCH_UNITS_PER_SEMITONE + (this.#bendCents * PITCH_UNITS_PER_SEMITONE) / 100;
    const bend = (this.bend * range) / 8192;
    const fine = ((this.#fineTuning - 0x2000) * PITCH_UNITS_PER_SEMITONE) / 8192;
    return bend + fine + (this.#coarseTuning - 64) * PITCH_UNITS_PER_SEMITONE;
  }

  /** As after power-on: General MIDI's defaults. */
  reset(): void {
    this.program = 0;
    this.volume = 100;
    this.pan = 64;
    this.#bendSemitones = 2;
    this.#bendCents = 0;
    this.#fineTuning = 0x2000;
    this.#coarseTuning = 64;
    this.resetControllers();
  }

  /** Controller 121 (RP-015): volume, pan, program and what registered parameters have set stay. */
  resetControllers(): void {
    this.expression = 127;
    this.modulation = 0;
    this.sustain = false;
    this.bend = 0;
    this.#parameter = NO_PARAMETER;
  }

  /** Controllers 98 and 99: parameters of manufacturers, of which this synthesizer has none. */
  selectNoParameter(): void {
    this.#parameter = NO_PARAMETER;
  }

  /** Controllers 100 (low) and 101 (high). */
  selectParameter(part: 'low' | 'high', value: number): void {
    this.#parameter =
      part === 'low' ? (this.#parameter & 0x3f80) | value : (this.#parameter & 0x7f) | (value << 7);
  }

  /** Controllers 6 (high) and 38 (low). True when it changes pitches. */
  enterData(part: 'low' | 'high', value: number): boolean {
    switch (this.#parameter) {
      case BEND_RANGE:
        if (part === 'high') this.#bendSemitones = Math.min(24, value);
        else this.#bendCents = Math.min(99, value);
        return true;
      case FINE_TUNING:
        this.#fineTuning =
          part === 'high' ? (this.#fineTuning & 0x7f) | (value << 7) : (this.#fineTuning & 0x3f80) | value;
        return true;
      case COARSE_TUNING:
        if (part === 'high') this.#coarseTuning = value;
        return true;
      default:
        return false;
    }
  }
}
