import type { GUID } from '../../com/index.ts';
import type { KSJACK_DESCRIPTION } from '../../ks/index.ts';
import { type PCCONNECTION_DESCRIPTOR, PCFILTER_NODE, type PCPIN_DESCRIPTOR } from '../../portcls/index.ts';
import { bridgePin, type DataFlow } from './pins.ts';

/** A node, and what its properties act on in the driver's own terms. */
export interface TopologyNode<Control> {
  readonly type: GUID;
  readonly name: GUID | null;
  readonly control: Control;
}

/** One end of a connection. */
export interface End {
  readonly node: number;
  readonly pin: number;
}

/** Draws a topology filter: collects pins, nodes and wires; each method returns the end to go on from. */
export class TopologyBuilder<Control> {
  readonly pins: PCPIN_DESCRIPTOR[] = [];
  readonly nodes: TopologyNode<Control>[] = [];
  readonly connections: PCCONNECTION_DESCRIPTOR[] = [];
  /** Jacks by pin. */
  readonly jacks = new Map<number, KSJACK_DESCRIPTION>();

  pin(flow: DataFlow, category: GUID, name: GUID | null, jack: KSJACK_DESCRIPTION | null): End {
    const pin = this.pins.push(bridgePin(flow, category, name)) - 1;
    if (jack) this.jacks.set(pin, jack);
    return { node: PCFILTER_NODE, pin };
  }

  node(type: GUID, name: GUID | null, control: Control): number {
    return this.nodes.push({ type, name, control }) - 1;
  }

  wire(from: End, to: End): void {
    this.connections.push({ fromNode: from.node, fromNodePin: from.pin, toNode: to.node, toNodePin: to.pin });
  }

  /** Puts a node with one input (pin 1) and one output (pin 0) behind `from`. */
  through(from: End, type: GUID, name: GUID | null, control: Control): End {
    const node = this.node(type, name, control);
    this.wire(from, { node, pin: 1 });
    return { node, pin: 0 };
  }
}
