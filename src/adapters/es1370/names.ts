/**
 * Names of nodes and pins for which ksmedia.h has no KSAUDFNAME: GUIDs of this driver's own, whose texts its installation puts under
 * MediaCategories in the device's software key.
 */
import { type GUID, guid } from '../../com/index.ts';
import type { DriverPackage } from '../../kernel/index.ts';

export const NAME_WAVE2_VOLUME = guid('{E7B3B6A2-40A5-4E4A-9C0E-5A1D3E0C1370}');
export const NAME_WAVE2_MUTE = guid('{E7B3B6A2-40A5-4E4A-9C0E-5A1D3E0C1371}');
export const NAME_MONO1 = guid('{E7B3B6A2-40A5-4E4A-9C0E-5A1D3E0C1372}');
export const NAME_MONO1_VOLUME = guid('{E7B3B6A2-40A5-4E4A-9C0E-5A1D3E0C1373}');
export const NAME_MONO1_MUTE = guid('{E7B3B6A2-40A5-4E4A-9C0E-5A1D3E0C1374}');
export const NAME_MONO2 = guid('{E7B3B6A2-40A5-4E4A-9C0E-5A1D3E0C1375}');
export const NAME_MONO2_VOLUME = guid('{E7B3B6A2-40A5-4E4A-9C0E-5A1D3E0C1376}');
export const NAME_MONO2_MUTE = guid('{E7B3B6A2-40A5-4E4A-9C0E-5A1D3E0C1377}');
export const NAME_DAC1 = guid('{E7B3B6A2-40A5-4E4A-9C0E-5A1D3E0C1378}');
/** Host pins: what is opened to play by DAC2 and by DAC1, named as their volumes are. */
export const NAME_WAVE_PIN = guid('{E7B3B6A2-40A5-4E4A-9C0E-5A1D3E0C1379}');
export const NAME_WAVE2_PIN = guid('{E7B3B6A2-40A5-4E4A-9C0E-5A1D3E0C137A}');

const TEXTS: readonly (readonly [name: GUID, text: string])[] = [
  [NAME_WAVE2_VOLUME, 'Wave 2 Volume'],
  [NAME_WAVE2_MUTE, 'Wave 2 Mute'],
  [NAME_MONO1, 'Mono 1'],
  [NAME_MONO1_VOLUME, 'Mono 1 Volume'],
  [NAME_MONO1_MUTE, 'Mono 1 Mute'],
  [NAME_MONO2, 'Mono 2'],
  [NAME_MONO2_VOLUME, 'Mono 2 Volume'],
  [NAME_MONO2_MUTE, 'Mono 2 Mute'],
  [NAME_DAC1, 'DAC 1'],
  [NAME_WAVE_PIN, 'Wave'],
  [NAME_WAVE2_PIN, 'Wave 2'],
];

/** AddReg lines of the INF. */
export const MEDIA_CATEGORIES: NonNullable<NonNullable<DriverPackage['registry']>['driver']> = TEXTS.map(
  ([name, text]) => ({
    subkey: `MediaCategories\\${name}`,
    name: 'Name',
    value: text,
  }),
);
