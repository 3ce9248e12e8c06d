import type { GUID } from '../../com/index.ts';
import { NtError, STATUS_OBJECT_NAME_NOT_FOUND } from '../../kernel/index.ts';
import { ksGuidName } from '../../ks/index.ts';
import type { AdapterDevice } from '../adapter-device.ts';

const MEDIA_CATEGORIES = '\\Registry\\Machine\\System\\CurrentControlSet\\Control\\MediaCategories';
const KNOWN_PREFIXES = ['KSNODETYPE_', 'KSAUDFNAME_', 'KSCATEGORY_', 'PINNAME_'];

/**
 * The friendly name of a pin or node GUID: value `Name` of the GUID's key under MediaCategories, first in the device's software
 * key (as from Windows 10 1809), then in the global one. For GUIDs that ks.h and ksmedia.h define, and whose names ks.inf
 * would have put there, the constant's name in words serves instead. null when there is none.
 */
export function mediaCategoryName(device: AdapterDevice, category: GUID): string | null {
  const key = category.toString();
  return (
    device.readDriverString(`MediaCategories\\${key}`, 'Name') ??
    device.readRegistryString(`${MEDIA_CATEGORIES}\\${key}`, 'Name') ??
    builtInName(category)
  );
}

/** Throws STATUS_OBJECT_NAME_NOT_FOUND where {@link mediaCategoryName} finds nothing for any of the GUIDs, tried in order. */
export function requireMediaCategoryName(
  device: AdapterDevice,
  candidates: readonly (GUID | null)[],
): string {
  for (const candidate of candidates) {
    const name = candidate === null ? null : mediaCategoryName(device, candidate);
    if (name !== null) return name;
  }
  throw new NtError(STATUS_OBJECT_NAME_NOT_FOUND, 'no MediaCategories entry names this pin or node');
}

/** 'KSAUDFNAME_MASTER_VOLUME' → 'Master Volume'. */
function builtInName(category: GUID): string | null {
  const constant = ksGuidName(category);
  const prefix = KNOWN_PREFIXES.find((candidate) => constant?.startsWith(candidate));
  if (constant === null || constant === undefined || prefix === undefined) return null;
  return (
    DOCUMENTED[constant] ??
    constant
      .slice(prefix.length)
      .split('_')
      .map((word) => ACRONYMS[word] ?? word.charAt(0) + word.slice(1).toLowerCase())
      .join(' ')
  );
}

/** Names that the documentation spells out (friendly-names-for-audio-endpoint-devices.md). */
const DOCUMENTED: Readonly<Record<string, string>> = { KSNODETYPE_SPEAKER: 'Speakers' };

const ACRONYMS: Readonly<Record<string, string>> = {
  CD: 'CD',
  PC: 'PC',
  MIDI: 'MIDI',
  SPDIF: 'S/PDIF',
  ADC: 'ADC',
  DAC: 'DAC',
  AGC: 'AGC',
  SRC: 'SRC',
  DVD: 'DVD',
  TV: 'TV',
  HDMI: 'HDMI',
  '1394': '1394',
  '3D': '3D',
};
