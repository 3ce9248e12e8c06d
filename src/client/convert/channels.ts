import {
  SPEAKER_BACK_CENTER,
  SPEAKER_BACK_LEFT,
  SPEAKER_BACK_RIGHT,
  SPEAKER_FRONT_CENTER,
  SPEAKER_FRONT_LEFT,
  SPEAKER_FRONT_LEFT_OF_CENTER,
  SPEAKER_FRONT_RIGHT,
  SPEAKER_FRONT_RIGHT_OF_CENTER,
  SPEAKER_LOW_FREQUENCY,
  SPEAKER_SIDE_LEFT,
  SPEAKER_SIDE_RIGHT,
  SPEAKER_TOP_BACK_CENTER,
  SPEAKER_TOP_BACK_LEFT,
  SPEAKER_TOP_BACK_RIGHT,
  SPEAKER_TOP_CENTER,
  SPEAKER_TOP_FRONT_CENTER,
  SPEAKER_TOP_FRONT_LEFT,
  SPEAKER_TOP_FRONT_RIGHT,
} from '../../ks/index.ts';
import type { AudioFormat } from '../audio-format.ts';
import { usualChannelMask } from '../audio-format.ts';

/** −3 dB: the share of each of two loudspeakers that stand for one between them, so that the power stays the same. */
const HALF_POWER = Math.SQRT1_2;

/** Where a speaker's sound goes when it is missing: the first alternative whose speakers all exist is taken. */
type Alternatives = readonly (readonly (readonly [speaker: number, gain: number])[])[];

const toFront = (front: number): Alternatives => [[[front, 1]], [[SPEAKER_FRONT_CENTER, HALF_POWER]]];
const toSurround = (same: number, side: number, front: number): Alternatives => [
  [[same, 1]],
  [[side, 1]],
  [[SPEAKER_BACK_CENTER, HALF_POWER]],
  [[front, HALF_POWER]],
  [[SPEAKER_FRONT_CENTER, 0.5]],
];

/**
 * Folding rules after ITU-R BS.775, annex 4: centre and surrounds go into the front pair at −3 dB, back and side stand in for
 * each other at full level, the low-frequency channel is left out when there is no loudspeaker for it, height channels fall
 * to the channel below them.
 */
const FOLDS: ReadonlyMap<number, Alternatives> = new Map([
  [SPEAKER_FRONT_LEFT, toFront(SPEAKER_FRONT_LEFT)],
  [SPEAKER_FRONT_RIGHT, toFront(SPEAKER_FRONT_RIGHT)],
  [
    SPEAKER_FRONT_CENTER,
    [
      [
        [SPEAKER_FRONT_LEFT, HALF_POWER],
        [SPEAKER_FRONT_RIGHT, HALF_POWER],
      ],
      [[SPEAKER_FRONT_LEFT, 1]],
    ],
  ],
  [SPEAKER_LOW_FREQUENCY, []],
  [SPEAKER_BACK_LEFT, toSurround(SPEAKER_BACK_LEFT, SPEAKER_SIDE_LEFT, SPEAKER_FRONT_LEFT)],
  [SPEAKER_BACK_RIGHT, toSurround(SPEAKER_BACK_RIGHT, SPEAKER_SIDE_RIGHT, SPEAKER_FRONT_RIGHT)],
  [SPEAKER_SIDE_LEFT, toSurround(SPEAKER_SIDE_LEFT, SPEAKER_BACK_LEFT, SPEAKER_FRONT_LEFT)],
  [SPEAKER_SIDE_RIGHT, toSurround(SPEAKER_SIDE_RIGHT, SPEAKER_BACK_RIGHT, SPEAKER_FRONT_RIGHT)],
  [SPEAKER_FRONT_LEFT_OF_CENTER, toFront(SPEAKER_FRONT_LEFT)],
  [SPEAKER_FRONT_RIGHT_OF_CENTER, toFront(SPEAKER_FRONT_RIGHT)],
  [
    SPEAKER_BACK_CENTER,
    [
      [
        [SPEAKER_BACK_LEFT, HALF_POWER],
        [SPEAKER_BACK_RIGHT, HALF_POWER],
      ],
      [
        [SPEAKER_SIDE_LEFT, HALF_POWER],
        [SPEAKER_SIDE_RIGHT, HALF_POWER],
      ],
      [
        [SPEAKER_FRONT_LEFT, 0.5],
        [SPEAKER_FRONT_RIGHT, 0.5],
      ],
      [[SPEAKER_FRONT_CENTER, HALF_POWER]],
    ],
  ],
  [
    SPEAKER_TOP_CENTER,
    [
      [
        [SPEAKER_FRONT_LEFT, 0.5],
        [SPEAKER_FRONT_RIGHT, 0.5],
      ],
      [[SPEAKER_FRONT_CENTER, HALF_POWER]],
    ],
  ],
  [SPEAKER_TOP_FRONT_LEFT, toFront(SPEAKER_FRONT_LEFT)],
  [SPEAKER_TOP_FRONT_RIGHT, toFront(SPEAKER_FRONT_RIGHT)],
  [
    SPEAKER_TOP_FRONT_CENTER,
    [
      [[SPEAKER_FRONT_CENTER, 1]],
      [
        [SPEAKER_FRONT_LEFT, HALF_POWER],
        [SPEAKER_FRONT_RIGHT, HALF_POWER],
      ],
    ],
  ],
  [SPEAKER_TOP_BACK_LEFT, toSurround(SPEAKER_BACK_LEFT, SPEAKER_SIDE_LEFT, SPEAKER_FRONT_LEFT)],
  [SPEAKER_TOP_BACK_RIGHT, toSurround(SPEAKER_BACK_RIGHT, SPEAKER_SIDE_RIGHT, SPEAKER_FRONT_RIGHT)],
  [
    SPEAKER_TOP_BACK_CENTER,
    [
      [[SPEAKER_BACK_CENTER, 1]],
      [
        [SPEAKER_BACK_LEFT, HALF_POWER],
        [SPEAKER_BACK_RIGHT, HALF_POWER],
      ],
      [
        [SPEAKER_FRONT_LEFT, 0.5],
        [SPEAKER_FRONT_RIGHT, 0.5],
      ],
    ],
  ],
]);

/** Gains from every input channel (column) to every output channel (row). */
export class ChannelMatrix {
  readonly inputs: number;
  readonly outputs: number;
  /** Row by row: `gains[output * inputs + input]`. */
  readonly gains: Float64Array;

  constructor(inputs: number, outputs: number, gains: ArrayLike<number>) {
    if (gains.length !== inputs * outputs) {
      throw new RangeError(
        `${gains.length} gains given; ${outputs} × ${inputs} channels need ${inputs * outputs}.`,
      );
    }
    this.inputs = inputs;
    this.outputs = outputs;
    this.gains = Float64Array.from(gains);
  }

  /** True when every channel goes to the one of the same number, unchanged. */
  get isIdentity(): boolean {
    const { inputs, outputs } = this;
    return (
      inputs === outputs &&
      this.gains.every((gain, i) => gain === (i % inputs === Math.floor(i / inputs) ? 1 : 0))
    );
  }

  /** Mixes `frames` frames; `from` and `into` are interleaved and must not be the same array. */
  mix(from: Float64Array, frames: number, into: Float64Array, intoFrame: number): void {
    const { inputs, outputs, gains } = this;
    let at = intoFrame * outputs;
    for (let base = 0, end = frames * inputs; base < end; base += inputs) {
      for (let output = 0, g = 0; output < outputs; output++) {
        let sum = 0;
        for (let input = 0; input < inputs; input++) sum += gains[g++]! * from[base + input]!;
        into[at++] = sum;
      }
    }
  }
}

/**
 * The matrix between two layouts. The same speaker: gain 1. A missing one: folded as {@link FOLDS} says. Mono to more: into
 * left and right at full level. When a row's gains add up to more than 1, all rows are scaled down together so that full scale
 * in every channel cannot clip; stereo to mono thereby is (L + R) ÷ 2, and 5.1 to stereo L = 0.414 FL + 0.293 FC + 0.293 BL.
 * Layouts without a mask that are no usual ones map channel by number, as far as both reach.
 */
export function channelMatrix(from: AudioFormat, to: AudioFormat): ChannelMatrix {
  const inputs = speakers(from);
  const outputs = speakers(to);
  const gains = new Float64Array(from.channels * to.channels);
  const add = (output: number, input: number, gain: number) => {
    const index = output * from.channels + input;
    gains[index] = gains[index]! + gain;
  };
  if (inputs === null || outputs === null) {
    for (let i = 0; i < Math.min(from.channels, to.channels); i++) add(i, i, 1);
    return new ChannelMatrix(from.channels, to.channels, gains);
  }
  for (const [input, speaker] of inputs.entries()) {
    const same = outputs.indexOf(speaker);
    if (same >= 0) {
      add(same, input, 1);
      continue;
    }
    if (from.channels === 1 && speaker === SPEAKER_FRONT_CENTER && outputs.includes(SPEAKER_FRONT_LEFT)) {
      for (const front of [SPEAKER_FRONT_LEFT, SPEAKER_FRONT_RIGHT])
        if (outputs.includes(front)) add(outputs.indexOf(front), input, 1);
      continue;
    }
    const fold = FOLDS.get(speaker)?.find((targets) => targets.every(([target]) => outputs.includes(target)));
    for (const [target, gain] of fold ?? []) add(outputs.indexOf(target), input, gain);
  }
  return new ChannelMatrix(from.channels, to.channels, normalised(gains, from.channels));
}

function normalised(gains: Float64Array, inputs: number): Float64Array {
  let largest = 1;
  for (let row = 0; row < gains.length; row += inputs) {
    let sum = 0;
    for (let i = 0; i < inputs; i++) sum += gains[row + i]!;
    largest = Math.max(largest, sum);
  }
  return largest === 1 ? gains : gains.map((gain) => gain / largest);
}

/** Speaker bit of each channel; null when the mask does not say it for all. */
function speakers(format: AudioFormat): number[] | null {
  const mask = format.channelMask || usualChannelMask(format.channels);
  const places: number[] = [];
  for (let bit = 0; bit < 18 && places.length < format.channels; bit++) {
    if ((mask >>> bit) % 2 === 1) places.push(2 ** bit);
  }
  return places.length === format.channels ? places : null;
}
