import { type TimedMidi, writeMidiFile } from '../../src/client/index.ts';
import { readWav } from './cli.ts';
import { amplitudeAt } from './midi-bench.ts';

const at = (ms: number, ...bytes: number[]): TimedMidi => ({
  time100ns: ms * 10_000,
  bytes: Uint8Array.from(bytes),
});

/** A scale, one note every 200 ms. */
export const SCALE: readonly number[] = [60, 62, 64, 65, 67, 69, 71, 72];
export const SCALE_SONG: readonly TimedMidi[] = [
  at(0, 0xf0, 0x7e, 0x7f, 0x09, 0x01, 0xf7),
  at(20, 0xc0, 80),
  ...SCALE.flatMap((key, index) => [
    at(100 + index * 200, 0x90, key, 110),
    at(280 + index * 200, 0x80, key, 0),
  ]),
];
export const scaleFile = (): Uint8Array => writeMidiFile(SCALE_SONG);

/** In each note's own time, the key of the scale that is loudest in a recording; its middle, `widthMs` long, is looked at. */
export function keysHeard(path: string, widthMs = 100): (number | undefined)[] {
  const { samples, channels, sampleRate } = readWav(path);
  const left = Float64Array.from(
    { length: samples.length / channels },
    (_, frame) => (samples[frame * channels] ?? 0) / 32_768,
  );
  const begins = left.findIndex((sample) => Math.abs(sample) > 0.001) / sampleRate;
  return SCALE.map((_, index) => {
    const from = Math.round((begins + 0.1 - widthMs / 2000 + index * 0.2) * sampleRate);
    const piece = left.subarray(from, from + Math.round((widthMs / 1000) * sampleRate));
    const heard = SCALE.map((key) => amplitudeAt(piece, 440 * 2 ** ((key - 69) / 12), sampleRate));
    return SCALE[heard.indexOf(Math.max(...heard))];
  });
}

/** A file of format 1 with everything in it that makes files hard to read: see the comments. Times of its events in milliseconds. */
export function hardFile(): {
  readonly bytes: Uint8Array;
  readonly events: readonly (readonly [number, number[]])[];
} {
  const chunk = (tag: string, data: number[]) => [
    ...[...tag].map((letter) => letter.charCodeAt(0)),
    ...[24, 16, 8, 0].map((shift) => (data.length >>> shift) & 0xff),
    ...data,
  ];
  // 96 ticks a quarter; 120 beats a minute, from tick 96 on 60, from tick 192 on 240.
  const conductor = [
    [0x00, 0xff, 0x51, 3, 0x07, 0xa1, 0x20],
    [0x60, 0xff, 0x51, 3, 0x0f, 0x42, 0x40],
    [0x60, 0xff, 0x51, 3, 0x03, 0xd0, 0x90],
    [0x00, 0xff, 0x2f, 0],
  ].flat();
  const piano = [
    [0x00, 0xc0, 4],
    // Running status: no status byte; velocity 0 ends a note.
    [0x30, 0x90, 60, 100],
    [0x30, 64, 100],
    [0x60, 60, 0],
    [0x00, 64, 0],
    // A system exclusive message in two packets, half a quarter apart: it is sent when the second is due.
    [0x00, 0xf0, 3, 0x7d, 1, 2],
    [0x30, 0xf7, 3, 3, 4, 0xf7],
    // Any bytes, as they are.
    [0x30, 0xf7, 1, 0xfa],
    [0x00, 0xff, 0x2f, 0],
  ].flat();
  const bytes = [
    ...chunk('MThd', [0, 1, 0, 2, 0, 96]),
    // A chunk that nobody knows is passed over.
    ...chunk('XFIH', [1, 2, 3]),
    ...chunk('MTrk', conductor),
    ...chunk('MTrk', piano),
  ];
  return {
    bytes: Uint8Array.from(bytes),
    events: [
      [0, [0xc0, 4]],
      [250, [0x90, 60, 100]],
      [500, [0x90, 64, 100]],
      [1500, [0x90, 60, 0]],
      [1500, [0x90, 64, 0]],
      [1625, [0xf0, 0x7d, 1, 2, 3, 4, 0xf7]],
      [1750, [0xfa]],
    ],
  };
}
