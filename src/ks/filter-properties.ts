import type { GUID } from '../com/index.ts';
import { NtError, STATUS_INVALID_PARAMETER } from '../kernel/index.ts';
import { KSPROPSETID_General, KSPROPSETID_Topology } from './guids/sets.ts';
import { encodeGuids, encodeTopologyConnections } from './multiple-item.ts';
import type { KSTOPOLOGY } from './pin-descriptor.ts';
import {
  KSPROPERTY_GENERAL_COMPONENTID,
  KSPROPERTY_TOPOLOGY_CATEGORIES,
  KSPROPERTY_TOPOLOGY_CONNECTIONS,
  KSPROPERTY_TOPOLOGY_NAME,
  KSPROPERTY_TOPOLOGY_NODES,
} from './property-ids.ts';
import type { KSPROPERTY_ITEM, KSPROPERTY_SET } from './property-item.ts';
import { KSIDENTIFIER_SIZE, KSP_NODE_SIZE, type KsRequest, readUlong } from './request.ts';
import { KSCOMPONENTID } from './structs.ts';

/** A node's name in words. `nameGuid` is its own name, else its type. */
export type NodeNameHook = (nodeId: number, nameGuid: GUID, request: KsRequest) => string;

/**
 * KSPROPSETID_Topology for a filter (KsTopologyPropertyHandler): categories, nodes and connections as the topology lists them, encoded once, and node names from
 * the hook. The NAME request is a KSP_NODE with or without the topology flag; a table for nodes needs {@link nodeNameItem} too.
 */
export function topologyPropertySet(topology: KSTOPOLOGY, nodeName?: NodeNameHook): KSPROPERTY_SET {
  const list = (propertyId: number, bytes: Uint8Array): KSPROPERTY_ITEM => ({
    propertyId,
    minProperty: KSIDENTIFIER_SIZE,
    minData: 0,
    getPropertyHandler: (request) => request.answerList(bytes),
  });
  const items = [
    list(KSPROPERTY_TOPOLOGY_CATEGORIES, encodeGuids(topology.categories)),
    list(KSPROPERTY_TOPOLOGY_NODES, encodeGuids(topology.topologyNodes)),
    list(KSPROPERTY_TOPOLOGY_CONNECTIONS, encodeTopologyConnections(topology.topologyConnections)),
  ];
  if (nodeName !== undefined) items.push(nodeNameItem(topology, nodeName));
  return { set: KSPROPSETID_Topology, propertyItem: items };
}

/** KSPROPERTY_TOPOLOGY_NAME. Throws NtError STATUS_INVALID_PARAMETER for a node that does not exist. */
export function nodeNameItem(topology: KSTOPOLOGY, nodeName: NodeNameHook): KSPROPERTY_ITEM {
  return {
    propertyId: KSPROPERTY_TOPOLOGY_NAME,
    minProperty: KSP_NODE_SIZE,
    minData: 0,
    getPropertyHandler: (request) => {
      const nodeId = readUlong(request.input, KSIDENTIFIER_SIZE);
      const type = topology.topologyNodes[nodeId];
      if (type === undefined) throw new NtError(STATUS_INVALID_PARAMETER, `there is no node ${nodeId}`);
      return request.answerString(nodeName(nodeId, topology.topologyNodesNames?.[nodeId] ?? type, request));
    },
  };
}

/** KSPROPSETID_General: who made the filter. */
export function generalPropertySet(componentId: KSCOMPONENTID): KSPROPERTY_SET {
  const bytes = KSCOMPONENTID.encode(componentId);
  return {
    set: KSPROPSETID_General,
    propertyItem: [
      {
        propertyId: KSPROPERTY_GENERAL_COMPONENTID,
        minProperty: KSIDENTIFIER_SIZE,
        minData: bytes.byteLength,
        getPropertyHandler: (request) => request.answer(bytes),
      },
    ],
  };
}
