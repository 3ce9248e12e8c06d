/**
 * The piece that `npm start` plays when it is given no file: eight bars in D minor over a falling bass, plucked strings and
 * a soft pad, made from nothing but arithmetic. Deterministic: the same samples on every machine.
 */

const TEMPO_BPM = 96;
const BEATS_PER_BAR = 4;
const TAIL_SECONDS = 1.5;
const PEAK = 0.8;

/** Chord per bar: bass note and three upper notes, as MIDI note numbers. */
const BARS: readonly (readonly [bass: number, ...upper: number[]])[] = [
  [38, 62, 65, 69],
  [36, 60, 64, 69],
  [34, 62, 65, 70],
  [33, 61, 64, 69],
  [38, 65, 69, 74],
  [36, 64, 67, 72],
  [31, 62, 67, 70],
  [33, 61, 64, 73],
];
/** Which upper note each eighth of a bar plucks, and whether it is an octave up. */
const ARPEGGIO: readonly (readonly [note: number, octave: 0 | 1])[] = [
  [0, 0],
  [1, 0],
  [2, 0],
  [0, 1],
  [2, 0],
  [1, 1],
  [2, 0],
  [1, 0],
];
const FINAL_CHORD: readonly number[] = [38, 50, 57, 62, 65, 74];

const frequencyOf = (note: number) => 440 * 2 ** ((note - 69) / 12);

/** A small linear congruential generator: the noise that excites a string. */
function noise(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 0x8000_0000 - 1;
  };
}

interface Mix {
  readonly left: Float64Array;
  readonly right: Float64Array;
  readonly sampleRate: number;
}

/** Karplus-Strong: a burst of noise in a delay line with a fractional tap, losing its high frequencies at every trip. */
function pluck(
  mix: Mix,
  at: number,
  note: number,
  seconds: number,
  level: number,
  pan: number,
  seed: number,
): void {
  const period = mix.sampleRate / frequencyOf(note);
  const length = Math.floor(period - 0.5);
  const fraction = period - 0.5 - length;
  const line = new Float64Array(length + 1);
  const random = noise(seed);
  for (let i = 0; i <= length; i++) line[i] = random();
  const start = Math.round(at * mix.sampleRate);
  const frames = Math.min(Math.round(seconds * mix.sampleRate), mix.left.length - start);
  let index = 0;
  let previous = 0;
  for (let i = 0; i < frames; i++) {
    const current = line[index] ?? 0;
    const next = line[(index + 1) % (length + 1)] ?? 0;
    const tapped = current * (1 - fraction) + next * fraction;
    line[index] = 0.4985 * (tapped + previous);
    previous = tapped;
    index = (index + 1) % (length + 1);
    const release = Math.min(1, (frames - i) / (0.02 * mix.sampleRate));
    const value = tapped * level * release;
    mix.left[start + i] = (mix.left[start + i] ?? 0) + value * (1 - pan);
    mix.right[start + i] = (mix.right[start + i] ?? 0) + value * pan;
  }
}

/** A pad voice: three partials, slightly apart in the two channels, with slow attack and release. */
function pad(mix: Mix, at: number, note: number, seconds: number, level: number): void {
  const start = Math.round(at * mix.sampleRate);
  const frames = Math.min(Math.round(seconds * mix.sampleRate), mix.left.length - start);
  const step = (2 * Math.PI * frequencyOf(note)) / mix.sampleRate;
  for (let i = 0; i < frames; i++) {
    const envelope = Math.min(1, i / (0.4 * mix.sampleRate), (frames - i) / (0.5 * mix.sampleRate));
    const phase = step * i;
    const voice = (detune: number) =>
      Math.sin(phase * detune) + 0.35 * Math.sin(2 * phase * detune) + 0.12 * Math.sin(3 * phase * detune);
    mix.left[start + i] = (mix.left[start + i] ?? 0) + voice(1.0012) * level * envelope;
    mix.right[start + i] = (mix.right[start + i] ?? 0) + voice(0.9988) * level * envelope;
  }
}

/** The piece as interleaved 16-bit stereo. About 21.5 seconds. */
export function makeMusic(sampleRate = 48_000): Int16Array {
  const beat = 60 / TEMPO_BPM;
  const barSeconds = beat * BEATS_PER_BAR;
  const seconds = BARS.length * barSeconds + TAIL_SECONDS;
  const frames = Math.round(seconds * sampleRate);
  const mix: Mix = { left: new Float64Array(frames), right: new Float64Array(frames), sampleRate };

  BARS.forEach(([bass, ...upper], bar) => {
    const at = bar * barSeconds;
    pluck(mix, at, bass, barSeconds, 0.5, 0.5, 1000 + bar);
    pluck(mix, at + 2.5 * beat, bass + 12, 1.2 * beat, 0.22, 0.5, 1100 + bar);
    for (const note of upper) pad(mix, at, note - 12, barSeconds + 0.3, 0.035);
    ARPEGGIO.forEach(([which, octave], eighth) => {
      const note = (upper[which] ?? bass) + 12 * octave;
      const accent = eighth % 4 === 0 ? 0.34 : 0.26;
      pluck(
        mix,
        at + (eighth * beat) / 2,
        note,
        2 * beat,
        accent,
        0.3 + (0.4 * ((eighth * 3) % 8)) / 7,
        7 * bar + eighth + 1,
      );
    });
  });
  FINAL_CHORD.forEach((note, index) => {
    pluck(
      mix,
      BARS.length * barSeconds + index * 0.03,
      note,
      TAIL_SECONDS - index * 0.03,
      0.3,
      0.3 + index * 0.08,
      4242 + index,
    );
  });

  let peak = 0;
  for (let i = 0; i < frames; i++)
    peak = Math.max(peak, Math.abs(mix.left[i] ?? 0), Math.abs(mix.right[i] ?? 0));
  const scale = (PEAK * 32_767) / peak;
  const samples = new Int16Array(frames * 2);
  for (let i = 0; i < frames; i++) {
    samples[2 * i] = Math.round((mix.left[i] ?? 0) * scale);
    samples[2 * i + 1] = Math.round((mix.right[i] ?? 0) * scale);
  }
  return samples;
}
