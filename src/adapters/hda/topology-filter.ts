/**
 * The topology filter, built from the codec's plan: its nodes and connections are the plan's, one to one, but for the converters, which
 * are the wave filter's. Pins are first those towards the wave filter, one for each device, then those that stand for jacks, one
 * for each port:
 *
 *   device (render)  ──> volume ──> SUM ──> mute ──> port (speakers, headphones, …)
 *   device (capture) <── volume <── MUX <── boost <── port (microphone, line in, …)
 */
import type { GUID } from '../../com/index.ts';
import {
  KSCATEGORY_AUDIO,
  KSNODETYPE_MUTE,
  KSNODETYPE_MUX,
  KSNODETYPE_SUM,
  KSNODETYPE_VOLUME,
  KSPIN_DATAFLOW_IN,
  KSPIN_DATAFLOW_OUT,
} from '../../ks/index.ts';
import type { PCCONNECTION_DESCRIPTOR, PCPIN_DESCRIPTOR } from '../../portcls/index.ts';
import { type TopologyNode as BuilderNode, type End, TopologyBuilder } from '../common/topology-builder.ts';
import type {
  CodecPlan,
  PlanConverterNode,
  PlanEnd,
  PlanMuteNode,
  PlanMuxNode,
  PlanNode,
  PlanSumNode,
  PlanVolumeNode,
} from './codec/model.ts';
import { type NameList, UniqueTexts } from './names.ts';

/** A node that the topology filter shows. */
export type PlanControl = PlanVolumeNode | PlanMuteNode | PlanSumNode | PlanMuxNode;
export type TopologyNode = BuilderNode<PlanControl>;

export interface Topology {
  readonly pins: readonly PCPIN_DESCRIPTOR[];
  readonly nodes: readonly TopologyNode[];
  readonly connections: readonly PCCONNECTION_DESCRIPTOR[];
  /** Pins that the wave filter is wired to, by device. */
  readonly devicePins: readonly number[];
  /** Pins that stand for jacks, by port. */
  readonly portPins: readonly number[];
}

const NODE_TYPES: Readonly<Record<PlanControl['type'], GUID>> = {
  volume: KSNODETYPE_VOLUME,
  mute: KSNODETYPE_MUTE,
  sum: KSNODETYPE_SUM,
  mux: KSNODETYPE_MUX,
};

function isConverter(node: PlanNode): node is PlanConverterNode {
  return node.type === 'dac' || node.type === 'adc';
}

/** Draws the codec's mixer. */
export function buildTopology(plan: CodecPlan, names: NameList): Topology {
  const builder = new TopologyBuilder<PlanControl>();
  const devicePins = plan.devices.map(({ direction }) =>
    builder.pin(
      direction === 'render' ? KSPIN_DATAFLOW_IN : KSPIN_DATAFLOW_OUT,
      KSCATEGORY_AUDIO,
      null,
      null,
    ),
  );
  const portPins = plan.ports.map(({ direction, category, name }) => {
    const flow = direction === 'render' ? KSPIN_DATAFLOW_OUT : KSPIN_DATAFLOW_IN;
    return builder.pin(flow, category, names.guidOf(name), null);
  });
  const nodeTexts = new NodeTexts(plan);
  const ends = plan.nodes.map((node): End => {
    if (isConverter(node)) return devicePins[node.device] as End;
    const name = names.guidOf(nodeTexts.textOf(node));
    return { node: builder.node(NODE_TYPES[node.type], name, node), pin: 0 };
  });
  const endOf = (end: PlanEnd): End => {
    if (end.kind === 'device') return devicePins[end.device] as End;
    return (end.kind === 'port' ? portPins[end.port] : ends[end.node]) as End;
  };
  const inputs = new Map<number, number>();
  for (const { from, to } of plan.connections) {
    const start = endOf(from);
    const end = endOf(to);
    // Between a device and its converter there is nothing here.
    if (start === end) continue;
    const target = to.kind === 'node' ? plan.nodes[to.node] : undefined;
    if (!target || isConverter(target)) {
      builder.wire(start, end);
      continue;
    }
    const pin = (inputs.get(end.node) ?? 0) + 1;
    inputs.set(end.node, pin);
    builder.wire(start, { node: end.node, pin });
  }
  return {
    pins: builder.pins,
    nodes: builder.nodes,
    connections: builder.connections,
    devicePins: devicePins.map(({ pin }) => pin),
    portPins: portPins.map(({ pin }) => pin),
  };
}

/** What a place in the plan leads to, in one direction. */
interface Reach {
  readonly devices: ReadonlySet<number>;
  readonly ports: ReadonlySet<number>;
  /** Nodes on the shortest way to any of them. */
  readonly distance: number;
}

/**
 * Names for nodes from what they lie between: `Headphones Volume`, `Rear Microphone Boost`. Of several that would have the same one, the
 * last on the way of the sound has it, and the others a number behind.
 */
class NodeTexts {
  readonly #plan: CodecPlan;
  readonly #texts = new Map<PlanNode, string>();

  constructor(plan: CodecPlan) {
    this.#plan = plan;
    const controls = plan.nodes.filter((node): node is PlanControl => !isConverter(node));
    const byDistance = controls
      .map((node) => ({ node, distance: this.#reach(node, 'down').distance }))
      .sort((one, other) => one.distance - other.distance || one.node.id - other.node.id);
    const unique = new UniqueTexts();
    for (const { node } of byDistance)
      this.#texts.set(node, unique.take(`${this.#placeOf(node)} ${kindOf(node)}`));
  }

  textOf(node: PlanControl): string {
    return this.#texts.get(node) as string;
  }

  #placeOf(node: PlanControl): string {
    const up = this.#reach(node, 'up');
    const down = this.#reach(node, 'down');
    const port = (reach: Reach) => {
      const [first, ...others] = reach.ports;
      return first === undefined || others.length > 0 ? undefined : this.#plan.ports[first]?.name;
    };
    const device = (reach: Reach) => {
      const [first, ...others] = reach.devices;
      return first === undefined || others.length > 0 ? undefined : this.#plan.devices[first]?.name;
    };
    if (down.ports.size > 0) {
      if (up.devices.size > 0) return port(down) ?? device(up) ?? 'Output';
      // Inputs that are heard in the outputs; a microphone's boost acts on recordings as well.
      const input = port(up) ?? port(down) ?? 'Input';
      return node.type === 'volume' && node.boost ? input : `${input} Monitor`;
    }
    return port(up) ?? device(down) ?? 'Recording';
  }

  #reach(node: PlanNode, direction: 'up' | 'down'): Reach {
    const devices = new Set<number>();
    const ports = new Set<number>();
    const distances = new Map([[node.id, 0]]);
    let nearest = Number.POSITIVE_INFINITY;
    const queue = [node.id];
    for (let next = queue.shift(); next !== undefined; next = queue.shift()) {
      const distance = distances.get(next) as number;
      for (const { from, to } of this.#plan.connections) {
        const [here, there] = direction === 'up' ? [to, from] : [from, to];
        if (here.kind !== 'node' || here.node !== next) continue;
        if (there.kind === 'node') {
          if (distances.has(there.node)) continue;
          distances.set(there.node, distance + 1);
          queue.push(there.node);
          continue;
        }
        nearest = Math.min(nearest, distance);
        if (there.kind === 'device') devices.add(there.device);
        else ports.add(there.port);
      }
    }
    return { devices, ports, distance: nearest };
  }
}

function kindOf(node: PlanControl): string {
  switch (node.type) {
    case 'volume':
      return node.boost ? 'Boost' : 'Volume';
    case 'mute':
      return 'Mute';
    case 'sum':
      return 'Mix';
    case 'mux':
      return 'Source';
  }
}
