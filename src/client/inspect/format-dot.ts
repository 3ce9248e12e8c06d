import { referenceOf } from './format-text.ts';
import type { FilterModel, PinModel } from './model.ts';
import { isHostPin } from './model.ts';

/** What lies behind a filter in its hardware, for a drawing beside it: a codec's widgets. */
export interface HardwareGraph {
  /** For people, and unique. */
  readonly name: string;
  /** Reference string of the filter. */
  readonly filter: string;
  readonly parts: readonly { readonly id: number; readonly label: string }[];
  /** Signals flow `from` … `to`; where it is not connected just now, it could be. */
  readonly wires: readonly { readonly from: number; readonly to: number; readonly connected: boolean }[];
  /** The parts that a node of the filter stands for. */
  readonly nodes: readonly { readonly node: number; readonly parts: readonly number[] }[];
}

/**
 * Filters as a Graphviz digraph: a cluster per filter, pins as houses at its edges, nodes as boxes, wires between filters
 * dashed. `hardware` is drawn beside them, its parts as ellipses, with a dotted line to each node that stands for one. Draw it with
 * `dot -Tsvg`.
 */
export function formatDot(filters: readonly FilterModel[], hardware: readonly HardwareGraph[] = []): string {
  const lines = ['digraph filters {', '  rankdir=LR;', '  node [fontname="sans-serif", fontsize=10];'];
  for (const [index, filter] of filters.entries()) {
    lines.push(
      `  subgraph cluster_${index} {`,
      `    label=${quoted(filter.reference || referenceOf(filter.path))};`,
    );
    for (const pin of filter.pins) {
      lines.push(`    ${pinId(index, pin.id)} [shape=${pinShape(pin)}, label=${quoted(pinLabel(pin))}];`);
    }
    for (const node of filter.nodes) {
      const label = `${node.type.replace('KSNODETYPE_', '')}${node.name === null ? '' : `\n${node.name}`}`;
      lines.push(`    ${nodeId(index, node.id)} [shape=box, label=${quoted(label)}];`);
    }
    for (const { fromNode, fromPin, toNode, toPin } of filter.connections) {
      const from = fromNode === null ? pinId(index, fromPin) : nodeId(index, fromNode);
      const to = toNode === null ? pinId(index, toPin) : nodeId(index, toNode);
      lines.push(`    ${from} -> ${to};`);
    }
    lines.push('  }');
  }
  for (const [index, filter] of filters.entries()) {
    for (const pin of filter.pins) {
      // A wire is drawn once, from the pin that data leaves through.
      if (pin.physicalConnection === null || pin.dataFlow !== 'out') continue;
      const other = filters.findIndex(({ path }) => path === pin.physicalConnection?.path);
      if (other < 0) continue;
      lines.push(`  ${pinId(index, pin.id)} -> ${pinId(other, pin.physicalConnection.pin)} [style=dashed];`);
    }
  }
  for (const [index, graph] of hardware.entries()) lines.push(...hardwareLines(filters, graph, index));
  lines.push('}', '');
  return lines.join('\n');
}

function hardwareLines(filters: readonly FilterModel[], graph: HardwareGraph, index: number): string[] {
  const partId = (id: number) => `h${index}p${id}`;
  const filter = filters.findIndex(({ reference }) => reference === graph.filter);
  const stands = filter < 0 ? [] : graph.nodes;
  return [
    `  subgraph cluster_hardware_${index} {`,
    `    label=${quoted(graph.name)};`,
    ...graph.parts.map(({ id, label }) => `    ${partId(id)} [shape=ellipse, label=${quoted(label)}];`),
    ...graph.wires.map(
      ({ from, to, connected }) => `    ${partId(from)} -> ${partId(to)}${connected ? '' : ' [color=gray]'};`,
    ),
    '  }',
    ...stands.flatMap(({ node, parts }) =>
      parts.map(
        (part) =>
          `  ${nodeId(filter, node)} -> ${partId(part)} [style=dotted, arrowhead=none, constraint=false];`,
      ),
    ),
  ];
}

function pinId(filter: number, pin: number): string {
  return `f${filter}p${pin}`;
}

function nodeId(filter: number, node: number): string {
  return `f${filter}n${node}`;
}

function pinShape(pin: PinModel): string {
  if (isHostPin(pin)) return 'doubleoctagon';
  return pin.physicalConnection === null ? 'house' : 'cds';
}

function pinLabel(pin: PinModel): string {
  return `${pin.id}: ${pin.name ?? pin.category.replace(/^KS(NODETYPE|CATEGORY)_/, '')}`;
}

function quoted(text: string): string {
  return `"${text.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n')}"`;
}
