import type { GUID } from '../com/index.ts';
import type { KSPIN_COMMUNICATION, KSPIN_DATAFLOW } from './constants.ts';
import type { KSDATARANGE } from './data-range.ts';
import type { KSPIN_INTERFACE, KSPIN_MEDIUM, KSTOPOLOGY_CONNECTION } from './structs.ts';

/** One pin factory as a filter describes it (DDI page KSPIN_DESCRIPTOR). */
export interface KSPIN_DESCRIPTOR {
  /** Absent or empty: standard streaming alone. */
  readonly interfaces?: readonly KSPIN_INTERFACE[];
  /** Absent or empty: KSMEDIUM_STANDARD_DEVIO alone. */
  readonly mediums?: readonly KSPIN_MEDIUM[];
  readonly dataRanges: readonly KSDATARANGE[];
  readonly dataFlow: KSPIN_DATAFLOW;
  readonly communication: KSPIN_COMMUNICATION;
  /** KSCATEGORY_* of a host pin, KSNODETYPE_* of a jack; GUID_NULL: none. */
  readonly category: GUID;
  /** Names the pin; null: its category does. */
  readonly name: GUID | null;
  /** What is possible in the filter's present state, for KSPROPERTY_PIN_CONSTRAINEDDATARANGES. */
  readonly constrainedDataRanges?: readonly KSDATARANGE[];
}

/** A filter's inside (DDI page KSTOPOLOGY): what the Topology property set answers from. */
export interface KSTOPOLOGY {
  readonly categories: readonly GUID[];
  /** Type of each node, by node id. */
  readonly topologyNodes: readonly GUID[];
  readonly topologyConnections: readonly KSTOPOLOGY_CONNECTION[];
  /** Name of each node, by node id; null or absent: the node's type names it. */
  readonly topologyNodesNames?: readonly (GUID | null)[];
}
