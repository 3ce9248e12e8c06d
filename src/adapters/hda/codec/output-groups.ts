/** Output pins that make one device, and which speakers their channels are (Pin Configuration Guidelines, "Speaker Configurations"). */
import {
  KSAUDIO_SPEAKER_MONO,
  KSAUDIO_SPEAKER_STEREO,
  SPEAKER_BACK_LEFT,
  SPEAKER_BACK_RIGHT,
  SPEAKER_FRONT_CENTER,
  SPEAKER_FRONT_LEFT_OF_CENTER,
  SPEAKER_FRONT_RIGHT_OF_CENTER,
  SPEAKER_LOW_FREQUENCY,
  SPEAKER_SIDE_LEFT,
  SPEAKER_SIDE_RIGHT,
} from '../../../ks/index.ts';
import type { CodecWidget } from './model.ts';
import * as V from './verbs.ts';
import { pinUse } from './widget-graph.ts';

/** Associations of single pins: 15 by the guidelines, 0 because it is reserved. */
const ASSOCIATION_SINGLE = 15;
const ASSOCIATION_RESERVED = 0;
/** 7.1 */
const MAX_PAIRS = 4;

const CENTER_LFE = SPEAKER_FRONT_CENTER | SPEAKER_LOW_FREQUENCY;
const BACK = SPEAKER_BACK_LEFT | SPEAKER_BACK_RIGHT;
const FRONT_OF_CENTER = SPEAKER_FRONT_LEFT_OF_CENTER | SPEAKER_FRONT_RIGHT_OF_CENTER;
const SIDE = SPEAKER_SIDE_LEFT | SPEAKER_SIDE_RIGHT;

/** What a pair is by its sequence number. */
const PAIR_BY_SEQUENCE: readonly number[] = [KSAUDIO_SPEAKER_STEREO, CENTER_LFE, BACK, FRONT_OF_CENTER, SIDE];
/** The sets of sequence numbers that say so. */
const KNOWN_SETS: readonly string[] = ['0', '0,2', '0,4', '0,1,2', '0,1,4', '0,1,2,3', '0,1,2,4'];
/** Pairs of a set whose numbers say nothing, by how many there are. */
const PAIRS_BY_COUNT: readonly (readonly number[])[] = [
  [],
  [KSAUDIO_SPEAKER_STEREO],
  [KSAUDIO_SPEAKER_STEREO, BACK],
  [KSAUDIO_SPEAKER_STEREO, CENTER_LFE, BACK],
  [KSAUDIO_SPEAKER_STEREO, CENTER_LFE, BACK, SIDE],
];

/** Output pins of one device by priority. */
export interface OutputGroup {
  /** Channel pairs in the order of the stream's channels. */
  readonly pins: readonly CodecWidget[];
  /** Headphones of the same association: redirected, that is, they play the first pair. */
  readonly headphones: readonly CodecWidget[];
}

/** Low is important: association 1 … 15, then the reserved 0; within one the sequence (§7.3.3.31; guidelines, "Default Association"). */
export function pinPriority(widget: CodecWidget): number {
  const { association, sequence } = widget.pin?.config ?? { association: 0, sequence: 0 };
  const rank = association === ASSOCIATION_RESERVED ? ASSOCIATION_SINGLE + 1 : association;
  return rank * 16 + sequence;
}

export function byPriority(a: CodecWidget, b: CodecWidget): number {
  return pinPriority(a) - pinPriority(b) || a.nid - b.nid;
}

/** Groups the output pins by association, the most important first. Digital pins and headphones make no sets of several channels. */
export function groupOutputs(widgets: readonly CodecWidget[]): readonly OutputGroup[] {
  const pins = widgets.filter((widget) => pinUse(widget).use === 'render').sort(byPriority);
  const groups: { pins: CodecWidget[]; headphones: CodecWidget[] }[] = [];
  const sets = new Map<number, CodecWidget[]>();
  for (const pin of pins) {
    const association = pin.pin?.config.association ?? ASSOCIATION_RESERVED;
    const alone = pin.digital || association === ASSOCIATION_SINGLE || association === ASSOCIATION_RESERVED;
    if (alone) {
      groups.push({ pins: [pin], headphones: [] });
      continue;
    }
    const set = sets.get(association);
    if (set) set.push(pin);
    else {
      const first = [pin];
      sets.set(association, first);
      groups.push({ pins: first, headphones: [] });
    }
  }
  return groups.flatMap(({ pins: members }) => split(members));
}

function split(members: readonly CodecWidget[]): readonly OutputGroup[] {
  const headphones = members.filter((pin) => pin.pin?.config.device === V.DEVICE_HEADPHONE);
  const others = members.filter((pin) => !headphones.includes(pin));
  const single = (pin: CodecWidget): OutputGroup => ({ pins: [pin], headphones: [] });
  if (others.length === 0) return headphones.map(single);
  return [{ pins: others.slice(0, MAX_PAIRS), headphones }, ...others.slice(MAX_PAIRS).map(single)];
}

/** SPEAKER_* of each pin's pair, in the order of the stream's channels. */
export function channelPositions(pins: readonly CodecWidget[]): readonly number[] {
  if (pins.length === 1) return [stereoOrMono(pins[0]!)];
  const sequences = pins.map((pin) => pin.pin?.config.sequence ?? 0);
  if (KNOWN_SETS.includes(sequences.join(',')))
    return sequences.map((sequence) => PAIR_BY_SEQUENCE[sequence] ?? 0);
  return PAIRS_BY_COUNT[pins.length] ?? pins.map(() => 0);
}

export function stereoOrMono(pin: CodecWidget): number {
  return pin.channels === 1 ? KSAUDIO_SPEAKER_MONO : KSAUDIO_SPEAKER_STEREO;
}
