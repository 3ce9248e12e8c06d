import type { GUID } from '../../com/guid.ts';
import {
  KSPROPERTY_AUDIO_AGC,
  KSPROPERTY_AUDIO_BASS,
  KSPROPERTY_AUDIO_BASS_BOOST,
  KSPROPERTY_AUDIO_CHORUS_LEVEL,
  KSPROPERTY_AUDIO_CHORUS_MODULATION_DEPTH,
  KSPROPERTY_AUDIO_CHORUS_MODULATION_RATE,
  KSPROPERTY_AUDIO_DEMUX_DEST,
  KSPROPERTY_AUDIO_DYNAMIC_SAMPLING_RATE,
  KSPROPERTY_AUDIO_LOUDNESS,
  KSPROPERTY_AUDIO_MID,
  KSPROPERTY_AUDIO_MUTE,
  KSPROPERTY_AUDIO_MUX_SOURCE,
  KSPROPERTY_AUDIO_NUM_EQ_BANDS,
  KSPROPERTY_AUDIO_PEAKMETER,
  KSPROPERTY_AUDIO_PEAKMETER2,
  KSPROPERTY_AUDIO_QUALITY,
  KSPROPERTY_AUDIO_REVERB_LEVEL,
  KSPROPERTY_AUDIO_REVERB_TIME,
  KSPROPERTY_AUDIO_SAMPLING_RATE,
  KSPROPERTY_AUDIO_STEREO_ENHANCE,
  KSPROPERTY_AUDIO_STEREO_SPEAKER_GEOMETRY,
  KSPROPERTY_AUDIO_SURROUND_ENCODE,
  KSPROPERTY_AUDIO_TREBLE,
  KSPROPERTY_AUDIO_VOLUMELEVEL,
  KSPROPERTY_AUDIO_WIDE_MODE,
  KSPROPERTY_AUDIO_WIDENESS,
  KSPROPERTY_TOPOLOGYNODE_ENABLE,
  KSPROPSETID_Audio,
  KSPROPSETID_TopologyNode,
} from '../../ks/index.ts';

/**
 * How a property's value is to be read. `level`: 1/65536 dB, given in dB, −2^31 is silence (−∞). `switch`: 0 or 1. `selection`: a
 * logical pin of the node. `number`: as it is.
 */
export type ControlKind = 'level' | 'switch' | 'selection' | 'number';

/** A property that is a control: one 32-bit value, for the node or for each of its channels. */
export interface ControlProperty {
  readonly property: string;
  readonly set: GUID;
  readonly id: number;
  readonly kind: ControlKind;
  /** Asked with KSNODEPROPERTY_AUDIO_CHANNEL. */
  readonly perChannel: boolean;
  readonly signed: boolean;
  /** What it is called behind the node's name, when the node has more than one. */
  readonly word: string;
}

const audio = (
  property: string,
  id: number,
  kind: ControlKind,
  perChannel: boolean,
  word: string,
  signed = kind === 'level',
): ControlProperty => ({ property, set: KSPROPSETID_Audio, id, kind, perChannel, signed, word });

/** The properties of ksmedia.h whose value is one ULONG, LONG or BOOL, as their pages describe them. */
export const CONTROL_PROPERTIES: readonly ControlProperty[] = [
  audio('KSPROPERTY_AUDIO_VOLUMELEVEL', KSPROPERTY_AUDIO_VOLUMELEVEL, 'level', true, 'Volume'),
  audio('KSPROPERTY_AUDIO_MUTE', KSPROPERTY_AUDIO_MUTE, 'switch', true, 'Mute'),
  audio('KSPROPERTY_AUDIO_BASS', KSPROPERTY_AUDIO_BASS, 'level', true, 'Bass'),
  audio('KSPROPERTY_AUDIO_MID', KSPROPERTY_AUDIO_MID, 'level', true, 'Mid'),
  audio('KSPROPERTY_AUDIO_TREBLE', KSPROPERTY_AUDIO_TREBLE, 'level', true, 'Treble'),
  audio('KSPROPERTY_AUDIO_BASS_BOOST', KSPROPERTY_AUDIO_BASS_BOOST, 'switch', true, 'Bass Boost'),
  audio('KSPROPERTY_AUDIO_AGC', KSPROPERTY_AUDIO_AGC, 'switch', true, 'Automatic Gain'),
  audio('KSPROPERTY_AUDIO_LOUDNESS', KSPROPERTY_AUDIO_LOUDNESS, 'switch', true, 'Loudness'),
  audio('KSPROPERTY_AUDIO_MUX_SOURCE', KSPROPERTY_AUDIO_MUX_SOURCE, 'selection', false, 'Source'),
  audio('KSPROPERTY_AUDIO_DEMUX_DEST', KSPROPERTY_AUDIO_DEMUX_DEST, 'selection', false, 'Destination'),
  audio('KSPROPERTY_AUDIO_PEAKMETER', KSPROPERTY_AUDIO_PEAKMETER, 'number', true, 'Peak', true),
  audio('KSPROPERTY_AUDIO_PEAKMETER2', KSPROPERTY_AUDIO_PEAKMETER2, 'number', true, 'Peak Meter', true),
  audio('KSPROPERTY_AUDIO_NUM_EQ_BANDS', KSPROPERTY_AUDIO_NUM_EQ_BANDS, 'number', true, 'Bands'),
  audio(
    'KSPROPERTY_AUDIO_STEREO_ENHANCE',
    KSPROPERTY_AUDIO_STEREO_ENHANCE,
    'switch',
    false,
    'Stereo Enhance',
  ),
  audio('KSPROPERTY_AUDIO_WIDE_MODE', KSPROPERTY_AUDIO_WIDE_MODE, 'number', false, 'Wide Mode'),
  audio('KSPROPERTY_AUDIO_WIDENESS', KSPROPERTY_AUDIO_WIDENESS, 'number', false, 'Wideness'),
  audio('KSPROPERTY_AUDIO_REVERB_LEVEL', KSPROPERTY_AUDIO_REVERB_LEVEL, 'number', false, 'Reverb Level'),
  audio('KSPROPERTY_AUDIO_REVERB_TIME', KSPROPERTY_AUDIO_REVERB_TIME, 'number', false, 'Reverb Time'),
  audio('KSPROPERTY_AUDIO_CHORUS_LEVEL', KSPROPERTY_AUDIO_CHORUS_LEVEL, 'number', false, 'Chorus Level'),
  audio(
    'KSPROPERTY_AUDIO_CHORUS_MODULATION_RATE',
    KSPROPERTY_AUDIO_CHORUS_MODULATION_RATE,
    'number',
    false,
    'Rate',
  ),
  audio(
    'KSPROPERTY_AUDIO_CHORUS_MODULATION_DEPTH',
    KSPROPERTY_AUDIO_CHORUS_MODULATION_DEPTH,
    'number',
    false,
    'Depth',
  ),
  audio('KSPROPERTY_AUDIO_QUALITY', KSPROPERTY_AUDIO_QUALITY, 'number', false, 'Quality'),
  audio('KSPROPERTY_AUDIO_SAMPLING_RATE', KSPROPERTY_AUDIO_SAMPLING_RATE, 'number', false, 'Sampling Rate'),
  audio(
    'KSPROPERTY_AUDIO_DYNAMIC_SAMPLING_RATE',
    KSPROPERTY_AUDIO_DYNAMIC_SAMPLING_RATE,
    'switch',
    false,
    'Dynamic Sampling Rate',
  ),
  audio('KSPROPERTY_AUDIO_SURROUND_ENCODE', KSPROPERTY_AUDIO_SURROUND_ENCODE, 'switch', false, 'Surround'),
  audio(
    'KSPROPERTY_AUDIO_STEREO_SPEAKER_GEOMETRY',
    KSPROPERTY_AUDIO_STEREO_SPEAKER_GEOMETRY,
    'number',
    false,
    'Speaker Geometry',
    true,
  ),
  {
    property: 'KSPROPERTY_TOPOLOGYNODE_ENABLE',
    set: KSPROPSETID_TopologyNode,
    id: KSPROPERTY_TOPOLOGYNODE_ENABLE,
    kind: 'switch',
    perChannel: false,
    signed: false,
    word: 'Enable',
  },
];

/** LONG of −∞ dB. */
const SILENCE = -0x80000000;

/** What a client sees of a raw 32-bit value. */
export function fromRaw(kind: ControlKind, raw: number): number {
  if (kind === 'switch') return raw === 0 ? 0 : 1;
  if (kind !== 'level') return raw;
  return raw === SILENCE ? Number.NEGATIVE_INFINITY : raw / 65536;
}

/** The raw value for what a client gives; levels are rounded to 1/65536 dB and limited to the range of a LONG. */
export function toRaw(kind: ControlKind, value: number): number {
  if (kind === 'switch') return value === 0 ? 0 : 1;
  if (kind !== 'level') return Math.round(value);
  return Math.max(SILENCE, Math.min(0x7fffffff, Math.round(value * 65536)));
}
