import type { GUID } from '../../com/index.ts';
import { NtError, STATUS_INVALID_DEVICE_REQUEST, STATUS_INVALID_PARAMETER } from '../../kernel/index.ts';
import {
  encodeGuids,
  encodeTopologyConnections,
  encodeWideString,
  KSPROPERTY_TOPOLOGY_CATEGORIES,
  KSPROPERTY_TOPOLOGY_CONNECTIONS,
  KSPROPERTY_TOPOLOGY_NAME,
  KSPROPERTY_TOPOLOGY_NODES,
  KSPROPSETID_Topology,
} from '../../ks/index.ts';
import type { PCFILTER_DESCRIPTOR, PCPROPERTY_REQUEST } from '../ddi/index.ts';
import { requireMediaCategoryName } from './media-categories.ts';
import type { PortBase } from './port-base.ts';
import type { PortFilter, PortHandle } from './port-handle.ts';
import type { PortProperty } from './port-property.ts';

/** The filter's topology as KSPROPSETID_Topology returns it; laid out once, when the port is bound. */
export class TopologyAnswers {
  readonly categories: Uint8Array;
  readonly nodes: Uint8Array;
  readonly connections: Uint8Array;

  constructor(descriptor: PCFILTER_DESCRIPTOR, categories: readonly GUID[]) {
    this.categories = encodeGuids(categories);
    this.nodes = encodeGuids(descriptor.nodes.map((node) => node.type));
    this.connections = encodeTopologyConnections(descriptor.connections);
  }
}

const PROPERTIES: readonly PortProperty<PortFilter>[] = [
  {
    set: KSPROPSETID_Topology,
    id: KSPROPERTY_TOPOLOGY_CATEGORIES,
    owned: true,
    onGet: (filter, request) => request.setList(filter.port.topologyAnswers.categories),
  },
  {
    set: KSPROPSETID_Topology,
    id: KSPROPERTY_TOPOLOGY_NODES,
    owned: true,
    onGet: (filter, request) => request.setList(filter.port.topologyAnswers.nodes),
  },
  {
    set: KSPROPSETID_Topology,
    id: KSPROPERTY_TOPOLOGY_CONNECTIONS,
    owned: true,
    onGet: (filter, request) => request.setList(filter.port.topologyAnswers.connections),
  },
  {
    // Clients also send KSP_NODE without the topology flag; then the node number is instance data.
    set: KSPROPSETID_Topology,
    id: KSPROPERTY_TOPOLOGY_NAME,
    owned: false,
    instanceBytes: 4,
    onGet: (filter, request) => answerNodeName(filter.port, request.instanceUlong(0), request),
  },
];

const NODE_PROPERTIES: readonly PortProperty<PortHandle>[] = [
  {
    set: KSPROPSETID_Topology,
    id: KSPROPERTY_TOPOLOGY_NAME,
    owned: false,
    onGet: (handle, request) => {
      // The one built-in node property goes to a filter handle (filter--pin--and-node-properties.md).
      if (handle.kind !== 'filter') throw new NtError(STATUS_INVALID_DEVICE_REQUEST);
      answerNodeName(handle.port, request.node, request);
    },
  },
];

/** KSPROPSETID_Topology of every port's filters. */
export function topologyPropertySet(): readonly PortProperty<PortFilter>[] {
  return PROPERTIES;
}

/** The one node property that ports answer: KSPROPERTY_TOPOLOGY_NAME. */
export function nodeTopologyProperties(): readonly PortProperty<PortHandle>[] {
  return NODE_PROPERTIES;
}

/** The name GUID of the node decides, else its type (PCNODE_DESCRIPTOR). */
function answerNodeName(port: PortBase, nodeId: number, request: PCPROPERTY_REQUEST): void {
  const node = port.descriptor.nodes[nodeId];
  if (node === undefined) throw new NtError(STATUS_INVALID_PARAMETER, `the filter has no node ${nodeId}`);
  request.setBytes(encodeWideString(requireMediaCategoryName(port.device, [node.name, node.type])));
}
