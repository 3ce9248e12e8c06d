import { GUID } from '../../com/guid.ts';
import { NtError } from '../../kernel/index.ts';
import type { KSIDENTIFIER, KSJACK_DESCRIPTION } from '../../ks/index.ts';
import {
  decodeDataRanges,
  decodeGuids,
  decodeIdentifiers,
  decodeJackDescriptions,
  decodePhysicalConnection,
  decodeTopologyConnections,
  decodeWideString,
  isAudioDataRange,
  KSFILTER_NODE,
  KSINSTANCE_INDETERMINATE,
  KSPIN_DATAFLOW_IN,
  KSPROPERTY_JACK_DESCRIPTION,
  KSPROPERTY_PIN_CATEGORY,
  KSPROPERTY_PIN_CINSTANCES,
  KSPROPERTY_PIN_COMMUNICATION,
  KSPROPERTY_PIN_CTYPES,
  KSPROPERTY_PIN_DATAFLOW,
  KSPROPERTY_PIN_DATARANGES,
  KSPROPERTY_PIN_INTERFACES,
  KSPROPERTY_PIN_MEDIUMS,
  KSPROPERTY_PIN_NAME,
  KSPROPERTY_PIN_NECESSARYINSTANCES,
  KSPROPERTY_PIN_PHYSICALCONNECTION,
  KSPROPERTY_TOPOLOGY_CATEGORIES,
  KSPROPERTY_TOPOLOGY_CONNECTIONS,
  KSPROPERTY_TOPOLOGY_NAME,
  KSPROPERTY_TOPOLOGY_NODES,
  KSPROPSETID_Jack,
  KSPROPSETID_Pin,
  KSPROPSETID_Topology,
  ksGuidName,
} from '../../ks/index.ts';
import type { KsObject } from '../requests/ks-object.ts';
import { ulongAt } from '../requests/ks-object.ts';
import { referenceOf } from './format-text.ts';
import type {
  ConnectionModel,
  DataRangeModel,
  FilterModel,
  JackModel,
  NodeModel,
  PinModel,
} from './model.ts';
import { readNodeProperties } from './node-properties.ts';

/** The name of a GUID, or its registry form. */
export function guidText(guid: GUID): string {
  return ksGuidName(guid) ?? guid.toString();
}

/**
 * Asks an open filter for all it says of itself. What a driver need not answer (names, jacks, physical connections) may be missing;
 * what it must answer throws an NtError. `properties: false` leaves the nodes' properties out, which is most of the requests.
 */
export function readFilter(
  path: string,
  filter: KsObject,
  options: { readonly properties?: boolean } = {},
): FilterModel {
  const pinCount = ulongAt(filter.get(KSPROPSETID_Pin, KSPROPERTY_PIN_CTYPES, 4));
  const types =
    optional(() => decodeGuids(filter.get(KSPROPSETID_Topology, KSPROPERTY_TOPOLOGY_NODES))) ?? [];
  return {
    path,
    reference: referenceOf(path),
    categories:
      optional(() => decodeGuids(filter.get(KSPROPSETID_Topology, KSPROPERTY_TOPOLOGY_CATEGORIES)))?.map(
        guidText,
      ) ?? [],
    pins: Array.from({ length: pinCount }, (_, id) => readPin(filter, id)),
    nodes: types.map((type, id) => readNode(filter, id, type, options.properties ?? true)),
    connections: readConnections(filter),
  };
}

function guidOf(bytes: Uint8Array): GUID {
  return GUID.read(new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength), 0);
}

/** The result, or null when the driver does not answer. */
function optional<T>(action: () => T): T | null {
  try {
    return action();
  } catch (error) {
    if (error instanceof NtError) return null;
    throw error;
  }
}

const COMMUNICATIONS = ['none', 'sink', 'source', 'both', 'bridge'] as const;

function readPin(filter: KsObject, id: number): PinModel {
  const get = (property: number, size?: number) => filter.getPin(KSPROPSETID_Pin, property, id, size);
  const instances = get(KSPROPERTY_PIN_CINSTANCES, 8);
  const possible = ulongAt(instances);
  const physical = optional(() => decodePhysicalConnection(get(KSPROPERTY_PIN_PHYSICALCONNECTION)));
  const identifiers = (property: number) =>
    (optional(() => decodeIdentifiers(get(property))) ?? []).map(identifierText);
  return {
    id,
    category: optional(() => guidText(guidOf(get(KSPROPERTY_PIN_CATEGORY, 16)))) ?? 'GUID_NULL',
    name: optional(() => decodeWideString(get(KSPROPERTY_PIN_NAME))) || null,
    dataFlow: ulongAt(get(KSPROPERTY_PIN_DATAFLOW, 4)) === KSPIN_DATAFLOW_IN ? 'in' : 'out',
    communication: COMMUNICATIONS[ulongAt(get(KSPROPERTY_PIN_COMMUNICATION, 4))] ?? 'none',
    possibleInstances: possible === KSINSTANCE_INDETERMINATE ? null : possible,
    currentInstances: ulongAt(instances, 4),
    necessaryInstances: ulongAt(
      optional(() => get(KSPROPERTY_PIN_NECESSARYINSTANCES, 4)) ?? new Uint8Array(4),
    ),
    dataRanges: decodeDataRanges(get(KSPROPERTY_PIN_DATARANGES)).map(rangeModel),
    interfaces: identifiers(KSPROPERTY_PIN_INTERFACES),
    mediums: identifiers(KSPROPERTY_PIN_MEDIUMS),
    physicalConnection: physical === null ? null : { path: physical.symbolicLinkName, pin: physical.pin },
    jacks: readJacks(filter, id),
  };
}

function rangeModel(range: ReturnType<typeof decodeDataRanges>[number]): DataRangeModel {
  return {
    majorFormat: guidText(range.majorFormat),
    subFormat: guidText(range.subFormat),
    specifier: guidText(range.specifier),
    audio: isAudioDataRange(range)
      ? {
          maximumChannels: range.maximumChannels,
          minimumBits: range.minimumBitsPerSample,
          maximumBits: range.maximumBitsPerSample,
          minimumRate: range.minimumSampleFrequency,
          maximumRate: range.maximumSampleFrequency,
        }
      : null,
  };
}

function identifierText({ set, id }: KSIDENTIFIER): string {
  const name = guidText(set);
  if (name === 'KSINTERFACESETID_Standard') {
    return ['STANDARD_STREAMING', 'STANDARD_LOOPED_STREAMING', 'STANDARD_CONTROL'][id] ?? `${name}[${id}]`;
  }
  if (name === 'KSMEDIUMSETID_Standard' && id === 0) return 'STANDARD_DEVIO';
  return `${name}[${id}]`;
}

function readNode(filter: KsObject, id: number, type: GUID, withProperties: boolean): NodeModel {
  const name = optional(() =>
    decodeWideString(filter.getNode(KSPROPSETID_Topology, KSPROPERTY_TOPOLOGY_NAME, { node: id })),
  );
  return {
    id,
    type: guidText(type),
    name: name || null,
    properties: withProperties ? readNodeProperties(filter, id) : [],
  };
}

function readConnections(filter: KsObject): ConnectionModel[] {
  const bytes = optional(() => filter.get(KSPROPSETID_Topology, KSPROPERTY_TOPOLOGY_CONNECTIONS));
  if (bytes === null) return [];
  const nodeOf = (node: number) => (node === KSFILTER_NODE ? null : node);
  return decodeTopologyConnections(bytes).map(({ fromNode, fromNodePin, toNode, toNodePin }) => ({
    fromNode: nodeOf(fromNode),
    fromPin: fromNodePin,
    toNode: nodeOf(toNode),
    toPin: toNodePin,
  }));
}

// ---- jacks (devicetopology.h, as the KSJACK_DESCRIPTION page lists them) ----

const CONNECTIONS = [
  'unknown connector',
  '3.5 mm jack',
  '6.3 mm jack',
  'internal ATAPI connector',
  'RCA jack',
  'optical connector',
  'digital connector',
  'analogue connector',
  'multichannel DIN connector',
  'XLR connector',
  'RJ-11 connector',
  'combination connector',
];
const PLACES = [
  'unknown place',
  'rear',
  'front',
  'left',
  'right',
  'top',
  'bottom',
  'rear panel',
  'riser card',
  'inside the lid',
  'drive bay',
  'HDMI connector',
  'outside the lid',
  'ATAPI connector',
  'no particular place',
];
const ENCLOSURES = ['primary box', 'inside', 'separate box', 'other box'];
const PORTS = ['jack', 'integrated device', 'jack and integrated device', 'unknown port'];

/** The jacks of a bridge pin as they are now; empty when the driver describes none. */
export function readJacks(filter: KsObject, pin: number): JackModel[] {
  const bytes = optional(() => filter.getPin(KSPROPSETID_Jack, KSPROPERTY_JACK_DESCRIPTION, pin));
  if (bytes === null) return [];
  return (optional(() => decodeJackDescriptions(bytes)) ?? []).map(jackModel);
}

function jackModel(jack: KSJACK_DESCRIPTION): JackModel {
  // COLORREF: 00bbggrr in wingdi.h, but the jack pages write 00rrggbb; drivers follow the pages.
  const color = jack.color === 0 ? null : `#${jack.color.toString(16).padStart(6, '0')}`;
  return {
    channelMapping: jack.channelMapping,
    color,
    connection: CONNECTIONS[jack.connectionType] ?? 'unknown connector',
    place: PLACES[jack.geoLocation] ?? 'unknown place',
    enclosure: ENCLOSURES[jack.genLocation] ?? 'unknown box',
    port: PORTS[jack.portConnection] ?? 'unknown port',
    connected: jack.isConnected,
  };
}
