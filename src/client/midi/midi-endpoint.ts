import type { GUID } from '../../com/guid.ts';
import { NtError } from '../../kernel/index.ts';
import {
  decodeDataRanges,
  isMusicDataRange,
  KSDATAFORMAT_SUBTYPE_MIDI,
  KSDATAFORMAT_TYPE_MUSIC,
  KSMUSIC_TECHNOLOGY_FMSYNTH,
  KSMUSIC_TECHNOLOGY_PORT,
  KSMUSIC_TECHNOLOGY_SQSYNTH,
  KSMUSIC_TECHNOLOGY_SWSYNTH,
  KSMUSIC_TECHNOLOGY_WAVETABLE,
  KSPIN_COMMUNICATION_NONE,
  KSPIN_DATAFLOW_IN,
  KSPROPERTY_PIN_COMMUNICATION,
  KSPROPERTY_PIN_CTYPES,
  KSPROPERTY_PIN_DATAFLOW,
  KSPROPERTY_PIN_DATARANGES,
  KSPROPSETID_Pin,
} from '../../ks/index.ts';
import { type KsObject, ulongAt } from '../requests/ks-object.ts';

/** What plays the notes (KSDATARANGE_MUSIC.Technology), as MIDIOUTCAPS tells it. */
export type MidiTechnology = 'port' | 'squareSynth' | 'fmSynth' | 'wavetable' | 'softwareSynth' | 'unknown';

const TECHNOLOGIES: readonly (readonly [GUID, MidiTechnology, string])[] = [
  [KSMUSIC_TECHNOLOGY_PORT, 'port', 'MIDI port'],
  [KSMUSIC_TECHNOLOGY_SQSYNTH, 'squareSynth', 'Square-wave synthesizer'],
  [KSMUSIC_TECHNOLOGY_FMSYNTH, 'fmSynth', 'FM synthesizer'],
  [KSMUSIC_TECHNOLOGY_WAVETABLE, 'wavetable', 'Wavetable synthesizer'],
  [KSMUSIC_TECHNOLOGY_SWSYNTH, 'softwareSynth', 'Software synthesizer'],
];

/** Somewhere to send MIDI to, or to get it from: a pin with a MIDI data range. */
export interface MidiEndpoint {
  /** `FM synthesizer`, `MIDI port`; with a number behind when there are several. */
  readonly name: string;
  readonly direction: 'out' | 'in';
  readonly technology: MidiTechnology;
  /** Symbolic link of the filter. */
  readonly filterPath: string;
  /** Pin factory. */
  readonly pinId: number;
}

/** The MIDI pins of an open filter that can be opened, in the order of their ids. */
export function readMidiPins(filterPath: string, filter: KsObject): MidiEndpoint[] {
  const count = ulongAt(filter.get(KSPROPSETID_Pin, KSPROPERTY_PIN_CTYPES, 4));
  const found: MidiEndpoint[] = [];
  for (let pinId = 0; pinId < count; pinId++) {
    const pinUlong = (id: number) => ulongAt(filter.getPin(KSPROPSETID_Pin, id, pinId, 4));
    if (pinUlong(KSPROPERTY_PIN_COMMUNICATION) === KSPIN_COMMUNICATION_NONE) continue;
    const range = midiRange(filter, pinId);
    if (range === null) continue;
    const known = TECHNOLOGIES.find(([guid]) => isMusicDataRange(range) && guid.equals(range.technology));
    found.push({
      name: known?.[2] ?? 'MIDI device',
      direction: pinUlong(KSPROPERTY_PIN_DATAFLOW) === KSPIN_DATAFLOW_IN ? 'out' : 'in',
      technology: known?.[1] ?? 'unknown',
      filterPath,
      pinId,
    });
  }
  return found;
}

function midiRange(filter: KsObject, pinId: number) {
  try {
    const ranges = decodeDataRanges(filter.getPin(KSPROPSETID_Pin, KSPROPERTY_PIN_DATARANGES, pinId));
    return (
      ranges.find(
        ({ majorFormat, subFormat }) =>
          majorFormat.equals(KSDATAFORMAT_TYPE_MUSIC) && subFormat.equals(KSDATAFORMAT_SUBTYPE_MIDI),
      ) ?? null
    );
  } catch (error) {
    if (error instanceof NtError) return null;
    throw error;
  }
}
