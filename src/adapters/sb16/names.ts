/**
 * Names of nodes for which ksmedia.h has no KSAUDFNAME: GUIDs of this driver's own, whose texts its installation puts under
 * MediaCategories in the device's software key.
 */
import { type GUID, guid } from '../../com/index.ts';
import type { DriverPackage } from '../../kernel/index.ts';

export const NAME_MIC_RECORD_MUTE = guid('{3C5E7A10-9D41-4E7B-8B0A-51C6A2F4E010}');
export const NAME_CD_RECORD_MUTE = guid('{3C5E7A10-9D41-4E7B-8B0A-51C6A2F4E011}');
export const NAME_LINE_RECORD_MUTE = guid('{3C5E7A10-9D41-4E7B-8B0A-51C6A2F4E012}');
export const NAME_MIDI_RECORD_MUTE = guid('{3C5E7A10-9D41-4E7B-8B0A-51C6A2F4E013}');
export const NAME_OUTPUT_GAIN = guid('{3C5E7A10-9D41-4E7B-8B0A-51C6A2F4E014}');
export const NAME_INPUT_GAIN = guid('{3C5E7A10-9D41-4E7B-8B0A-51C6A2F4E015}');
export const NAME_MIC_AGC = guid('{3C5E7A10-9D41-4E7B-8B0A-51C6A2F4E016}');
export const NAME_PLAY_MIX = guid('{3C5E7A10-9D41-4E7B-8B0A-51C6A2F4E017}');
export const NAME_RECORD_MIX = guid('{3C5E7A10-9D41-4E7B-8B0A-51C6A2F4E018}');

const TEXTS: readonly (readonly [name: GUID, text: string])[] = [
  [NAME_MIC_RECORD_MUTE, 'Mic Record Mute'],
  [NAME_CD_RECORD_MUTE, 'CD Record Mute'],
  [NAME_LINE_RECORD_MUTE, 'Line Record Mute'],
  [NAME_MIDI_RECORD_MUTE, 'MIDI Record Mute'],
  [NAME_OUTPUT_GAIN, 'Output Gain'],
  [NAME_INPUT_GAIN, 'Input Gain'],
  [NAME_MIC_AGC, 'Mic AGC'],
  [NAME_PLAY_MIX, 'Play Mix'],
  [NAME_RECORD_MIX, 'Record Mix'],
];

/** AddReg lines of the INF. */
export const MEDIA_CATEGORIES: NonNullable<NonNullable<DriverPackage['registry']>['driver']> = TEXTS.map(
  ([name, text]) => ({ subkey: `MediaCategories\\${name}`, name: 'Name', value: text }),
);
