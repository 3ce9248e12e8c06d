/**
 * Names of nodes for which ksmedia.h has no KSAUDFNAME: GUIDs of this driver's own, whose texts its installation puts under
 * MediaCategories in the device's software key.
 */
import { type GUID, guid } from '../../com/index.ts';
import type { DriverPackage } from '../../kernel/index.ts';

export const NAME_PHONE_VOLUME = guid('{8C3C5D9E-6A0B-4F86-9B0D-2B4A4B1E7A10}');
export const NAME_PHONE_MUTE = guid('{8C3C5D9E-6A0B-4F86-9B0D-2B4A4B1E7A11}');
export const NAME_HEADPHONE_VOLUME = guid('{8C3C5D9E-6A0B-4F86-9B0D-2B4A4B1E7A12}');
export const NAME_HEADPHONE_MUTE = guid('{8C3C5D9E-6A0B-4F86-9B0D-2B4A4B1E7A13}');
export const NAME_WAVE_IN_MUTE = guid('{8C3C5D9E-6A0B-4F86-9B0D-2B4A4B1E7A14}');
export const NAME_MIC_IN_MUTE = guid('{8C3C5D9E-6A0B-4F86-9B0D-2B4A4B1E7A15}');
export const NAME_ADC = guid('{8C3C5D9E-6A0B-4F86-9B0D-2B4A4B1E7A17}');
export const NAME_MIC_ADC = guid('{8C3C5D9E-6A0B-4F86-9B0D-2B4A4B1E7A18}');

const TEXTS: readonly (readonly [name: GUID, text: string])[] = [
  [NAME_PHONE_VOLUME, 'Phone Volume'],
  [NAME_PHONE_MUTE, 'Phone Mute'],
  [NAME_HEADPHONE_VOLUME, 'Headphone Volume'],
  [NAME_HEADPHONE_MUTE, 'Headphone Mute'],
  [NAME_WAVE_IN_MUTE, 'Wave In Mute'],
  [NAME_MIC_IN_MUTE, 'Mic In Mute'],
  [NAME_ADC, 'ADC'],
  [NAME_MIC_ADC, 'Microphone ADC'],
];

/** AddReg lines of the INF. */
export const MEDIA_CATEGORIES: NonNullable<NonNullable<DriverPackage['registry']>['driver']> = TEXTS.map(
  ([name, text]) => ({
    subkey: `MediaCategories\\${name}`,
    name: 'Name',
    value: text,
  }),
);
