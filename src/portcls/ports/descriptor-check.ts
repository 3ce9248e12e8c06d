import { type PCFILTER_DESCRIPTOR, PCFILTER_NODE } from '../ddi/index.ts';
import type { PortBase } from './port-base.ts';

/**
 * Looks a filter descriptor over and reports what cannot be right as findings, without failing: Windows would not look either,
 * and the driver's author wants to know.
 */
export function checkDescriptor(port: PortBase, descriptor: PCFILTER_DESCRIPTOR): void {
  const report = (text: string, data: Record<string, number>) =>
    port.kernel.trace.finding('PortCls', `${port.miniportName} of ${port.driverName}: ${text}`, data);
  const { pins, nodes, connections } = descriptor;
  connections.forEach((connection, index) => {
    for (const [node, pin] of [
      [connection.fromNode, connection.fromNodePin],
      [connection.toNode, connection.toNodePin],
    ] as const) {
      if (node === PCFILTER_NODE) {
        if (pin >= pins.length)
          report('a connection names a filter pin that does not exist', { connection: index, pin });
      } else if (node >= nodes.length) {
        report('a connection names a node that does not exist', { connection: index, node });
      }
    }
  });
  pins.forEach((pin, pinId) => {
    if (
      pin.maxFilterInstanceCount > pin.maxGlobalInstanceCount &&
      pin.maxFilterInstanceCount !== 0xffffffff
    ) {
      report('a pin allows more instances per filter than in all', { pin: pinId });
    }
    if (pin.kspinDescriptor.dataRanges.length === 0) report('a pin has no data range', { pin: pinId });
    if (pin.kspinDescriptor.dataFlow !== 1 && pin.kspinDescriptor.dataFlow !== 2) {
      report('a pin has no valid data flow', { pin: pinId, dataFlow: pin.kspinDescriptor.dataFlow });
    }
  });
  nodes.forEach((node, nodeId) => {
    const twin = nodes.findIndex(
      (other, otherId) => otherId < nodeId && other.type.equals(node.type) && sameName(other.name, node.name),
    );
    if (twin >= 0) report('two nodes of one type have the same name', { node: twin, other: nodeId });
  });
}

function sameName(a: PCFILTER_DESCRIPTOR['nodes'][number]['name'], b: typeof a): boolean {
  return a === null || b === null ? a === b : a.equals(b);
}
