/** What the driver knows of its codecs, for whoever wants to look behind the filters. */
import { type CodecGraph, type CodecSettings, readCodecSettings } from './codec/index.ts';
import type { HdaFunction } from './function.ts';

/** The widgets that a node of the topology filter stands for. */
export interface NodeWidgets {
  /** Number of the node. */
  readonly node: number;
  readonly nids: readonly number[];
}

/** One codec behind a topology filter. */
export interface CodecInspection {
  /** Reference string of the topology filter. */
  readonly filter: string;
  /** The widget graph as it was read by verbs. */
  readonly graph: CodecGraph;
  /** What the driver has set everything to. */
  readonly settings: CodecSettings;
  readonly nodes: readonly NodeWidgets[];
  /** What the driver calls the jacks, by pin widget. */
  readonly jackNames: ReadonlyMap<number, string>;
}

/** Hears of each codec when its driver has started. PASSIVE_LEVEL. */
export type CodecObserver = (inspection: CodecInspection) => void;

/** Asks the codec's widgets; nothing is changed. PASSIVE_LEVEL. @throws what the link to the codec throws */
export function inspectFunction(hdaFunction: HdaFunction, filter: string): CodecInspection {
  const { graph } = hdaFunction.codec;
  const jacks = hdaFunction.plan.ports.flatMap((port) => port.jacks);
  return {
    filter,
    graph,
    settings: readCodecSettings(hdaFunction.controller.link, graph),
    nodes: hdaFunction.topology.nodes.map(({ control }, node) => ({ node, nids: control.nids })),
    jackNames: new Map(jacks.map(({ nid, name }) => [nid, name])),
  };
}
