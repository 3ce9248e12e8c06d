import { GUID } from '../com/index.ts';
import { KS_EVENT_SETS } from './event-ids.ts';
import * as audio from './guids/audio.ts';
import * as categories from './guids/categories.ts';
import * as formats from './guids/formats.ts';
import * as names from './guids/names.ts';
import * as nodes from './guids/nodes.ts';
import * as sets from './guids/sets.ts';
import { KS_METHOD_SETS } from './method-ids.ts';
import { KS_PROPERTY_SETS } from './property-ids.ts';

// Built on first use: only traces, tables and reports need names.
let guidNames: Map<string, string> | null = null;

/** The WDK name of a KS GUID ('KSNODETYPE_VOLUME'), or null. Where two names share a value, the more specific one. */
export function ksGuidName(guid: GUID): string | null {
  if (guidNames === null) {
    guidNames = new Map();
    for (const group of [formats, nodes, sets, categories, names, audio]) {
      for (const [name, value] of Object.entries(group)) {
        const key = value.toString();
        if (value instanceof GUID && !guidNames.has(key)) guidNames.set(key, name);
      }
    }
    guidNames.set(formats.KSDATAFORMAT_TYPE_WILDCARD.toString(), 'GUID_NULL');
  }
  return guidNames.get(guid.toString()) ?? null;
}

interface NamedSet {
  readonly set: GUID;
  readonly ids: Readonly<Record<string, number>>;
}

function itemName(table: readonly NamedSet[], set: GUID, id: number): string {
  const entry = table.find((candidate) => candidate.set.equals(set));
  if (entry !== undefined) {
    for (const [name, value] of Object.entries(entry.ids)) if (value === id) return name;
  }
  return `${ksGuidName(set) ?? set.toString()}[${id}]`;
}

/** 'KSPROPERTY_AUDIO_VOLUMELEVEL'; for an unknown item the set's name and the id: 'KSPROPSETID_Audio[99]'. */
export function ksPropertyName(set: GUID, id: number): string {
  return itemName(KS_PROPERTY_SETS, set, id);
}

/** 'KSEVENT_CONTROL_CHANGE', or set and id. */
export function ksEventName(set: GUID, id: number): string {
  return itemName(KS_EVENT_SETS, set, id);
}

/** 'KSMETHOD_STREAMALLOCATOR_ALLOC', or set and id. */
export function ksMethodName(set: GUID, id: number): string {
  return itemName(KS_METHOD_SETS, set, id);
}
