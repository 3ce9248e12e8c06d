import { NtError, STATUS_INVALID_DEVICE_REQUEST, STATUS_INVALID_PARAMETER } from '../../kernel/index.ts';
import {
  KSPROPERTY_PIN_CINSTANCES,
  KSPROPERTY_PIN_CTYPES,
  KSPROPERTY_PIN_DATAINTERSECTION,
  KSPROPERTY_PIN_GLOBALCINSTANCES,
  KSPROPERTY_PIN_NECESSARYINSTANCES,
  KSPROPERTY_PIN_PHYSICALCONNECTION,
  type KSPROPERTY_SET,
  KSPROPERTY_TOPOLOGY_CATEGORIES,
  KSPROPERTY_TOPOLOGY_CONNECTIONS,
  KSPROPERTY_TOPOLOGY_NODES,
  KSPROPSETID_Pin,
  type KsRequest,
  pinPropertySet,
  topologyPropertySet,
} from '../../ks/index.ts';
import { answerDataIntersection } from './data-intersection.ts';
import { requireMediaCategoryName } from './media-categories.ts';
import { pinCounts } from './pin-factories.ts';
import type { PortBase } from './port-base.ts';
import { PortFilter, PortPin } from './port-handle.ts';
import type { PortProperty } from './port-property.ts';

/** Properties of the two sets whose state the port owns: a miniport's entry for them is not used. */
const OWNED_PIN_IDS: readonly number[] = [
  KSPROPERTY_PIN_CTYPES,
  KSPROPERTY_PIN_CINSTANCES,
  KSPROPERTY_PIN_GLOBALCINSTANCES,
  KSPROPERTY_PIN_NECESSARYINSTANCES,
  KSPROPERTY_PIN_DATAINTERSECTION,
  KSPROPERTY_PIN_PHYSICALCONNECTION,
];
const OWNED_TOPOLOGY_IDS: readonly number[] = [
  KSPROPERTY_TOPOLOGY_CATEGORIES,
  KSPROPERTY_TOPOLOGY_NODES,
  KSPROPERTY_TOPOLOGY_CONNECTIONS,
];

/** Does the port own the state behind a property of its KS sets? */
export function isOwnedFilterProperty(set: KSPROPERTY_SET, id: number): boolean {
  return (set.set.equals(KSPROPSETID_Pin) ? OWNED_PIN_IDS : OWNED_TOPOLOGY_IDS).includes(id);
}

/** KSPROPSETID_Pin and KSPROPSETID_Topology of a port's filter, out of the miniport's descriptor. */
export function filterPropertySets(port: PortBase): readonly KSPROPERTY_SET[] {
  const { descriptor, device } = port;
  const counts = (pinId: number, request: KsRequest) => pinCounts(port, filterOf(request), pinId);
  const pinSet = pinPropertySet(port.pinDescriptors, {
    instances: (pinId, request) => {
      const { filterPossible, filterCurrent } = counts(pinId, request);
      return { possibleCount: filterPossible, currentCount: filterCurrent };
    },
    globalInstances: (pinId, request) => {
      const { globalPossible, globalCurrent } = counts(pinId, request);
      return { possibleCount: globalPossible, currentCount: globalCurrent };
    },
    necessaryInstances: (pinId, request) => counts(pinId, request).filterNecessary,
    physicalConnection: (pinId) => {
      const peer = device.physicalConnection(port, pinId);
      return peer === null ? null : { pin: peer.pin, symbolicLinkName: peer.symbolicLink };
    },
    name: (pinId, _nameGuid, request) => pinName(port, pinId, request),
  });
  const topologySet = topologyPropertySet(
    {
      categories: port.categories,
      topologyNodes: descriptor.nodes.map((node) => node.type),
      topologyConnections: descriptor.connections,
    },
    // The name GUID of the node decides, else its type (PCNODE_DESCRIPTOR).
    (nodeId, type) => requireMediaCategoryName(device, [descriptor.nodes[nodeId]?.name ?? null, type]),
  );
  return [pinSet, topologySet];
}

/**
 * KSPROPERTY_PIN_DATAINTERSECTION: not KS's own handler, since the port shows the miniport every pair of ranges
 * (data-intersection.md), not only those of equal types.
 */
export const DATA_INTERSECTION: PortProperty<PortFilter> = {
  set: KSPROPSETID_Pin,
  id: KSPROPERTY_PIN_DATAINTERSECTION,
  owned: true,
  // PinId, Reserved, and the head of the client's list.
  instanceBytes: 16,
  onGet: ({ port }, request) => {
    const pinId = request.instanceUlong(0);
    const pin = port.pinDescriptors[pinId];
    if (pin === undefined) throw new NtError(STATUS_INVALID_PARAMETER, `the filter has no pin ${pinId}`);
    answerDataIntersection(port, pinId, pin.dataRanges, request);
  },
};

function filterOf(request: KsRequest): PortFilter {
  const handle = request.fileObject?.fsContext;
  if (handle instanceof PortFilter || handle instanceof PortPin) return handle.filter;
  throw new NtError(STATUS_INVALID_DEVICE_REQUEST);
}

/** IPinName first, then the descriptor's name GUID, then its category. */
function pinName(port: PortBase, pinId: number, request: KsRequest): string {
  const pinNames = port.pinNameInterface;
  if (pinNames !== null) {
    try {
      return port.kernel.callOut(port.driverName, 'IPinName::GetPinName', () =>
        pinNames.getPinName(request.irp, pinId),
      );
    } catch (error) {
      if (!(error instanceof NtError)) throw error;
    }
  }
  const pin = port.descriptor.pins[pinId]?.kspinDescriptor;
  return requireMediaCategoryName(port.device, [pin?.name ?? null, pin?.category ?? null]);
}
