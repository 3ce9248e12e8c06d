import { type CodecInspection, formatCodecGraph } from '../adapters/hda/index.ts';
import type { CardGraph } from './card.ts';

function hex(nid: number): string {
  return `${nid.toString(16).toUpperCase().padStart(2, '0')}h`;
}

/** `audio-output` is what the specification calls a DAC. */
const TYPE_NAMES: Readonly<Record<string, string>> = { 'audio-output': 'DAC', 'audio-input': 'ADC' };

/** A codec's widgets as its driver has read and set them. */
export function codecGraph({ filter, graph, settings, nodes, jackNames }: CodecInspection): CardGraph {
  const widgets = graph.functionGroups.flatMap((group) => group.widgets);
  const known = new Set(widgets.map(({ nid }) => nid));
  return {
    name: `codec ${graph.address}`,
    filter,
    text: formatCodecGraph(graph, settings),
    parts: widgets.map(({ nid, type }) => {
      const jack = jackNames.get(nid);
      return {
        id: nid,
        label: `${hex(nid)} ${TYPE_NAMES[type] ?? type}${jack === undefined ? '' : `\n${jack}`}`,
      };
    }),
    wires: widgets.flatMap(({ nid, type, connections }) => {
      const selected = settings.get(nid)?.selectedConnection ?? null;
      return [...connections.entries()].flatMap(([index, from]) =>
        known.has(from)
          ? [{ from, to: nid, connected: type === 'mixer' || selected === null || selected === index }]
          : [],
      );
    }),
    nodes: nodes.map(({ node, nids }) => ({ node, parts: nids })),
    data: { filter, graph, settings: Object.fromEntries(settings), nodes },
  };
}
