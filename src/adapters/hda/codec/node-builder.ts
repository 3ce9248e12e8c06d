import type { GUID } from '../../../com/index.ts';
import type {
  AmpCaps,
  CodecWidget,
  PlanAmp,
  PlanConnection,
  PlanEnd,
  PlanFixedAmp,
  PlanNode,
  PlanRange,
} from './model.ts';
import * as V from './verbs.ts';
import { passesThrough, type WidgetGraph } from './widget-graph.ts';

/** An amplifier of one channel pair on the way. */
export interface AmpPlace {
  readonly widget: CodecWidget;
  readonly direction: 'in' | 'out';
  /** The connection; 0 for output amplifiers and pins. */
  readonly index: number;
}

/** How the nodes of amplifiers are to be called and left. */
export interface AmpOptions {
  readonly volumeName?: GUID | null;
  readonly muteName?: GUID | null;
  readonly initiallyMuted?: boolean;
  readonly boost?: boolean;
}

type WithoutId<Node> = Node extends PlanNode ? Omit<Node, 'id'> : never;

function ampKey(amp: Pick<PlanAmp, 'nid' | 'direction' | 'index'>): string {
  return `${amp.nid}.${amp.direction}.${amp.index}`;
}

/** The amplifier's capabilities; null where there is none, or none that the index of the verb reaches. */
export function ampCapsAt(place: AmpPlace): AmpCaps | null {
  if (place.index > V.AMP_LAST_INDEX) return null;
  return place.direction === 'in' ? place.widget.inAmp : place.widget.outAmp;
}

/** Collects nodes and wires; every method returns the end to go on from. */
export class NodeBuilder {
  readonly nodes: PlanNode[] = [];
  readonly connections: PlanConnection[] = [];
  readonly #used = new Set<string>();

  node(node: WithoutId<PlanNode>): PlanEnd {
    const id = this.nodes.length;
    this.nodes.push({ ...node, id });
    return { kind: 'node', node: id };
  }

  wire(from: PlanEnd, to: PlanEnd): void {
    this.connections.push({ from, to });
  }

  /** Puts a node behind `from`. */
  through(from: PlanEnd, node: WithoutId<PlanNode>): PlanEnd {
    const end = this.node(node);
    this.wire(from, end);
    return end;
  }

  /** Volume and mute of the amplifiers at one place of the way, one a channel pair; null for a pair that has no widget here. */
  amplifiers(from: PlanEnd, places: readonly (AmpPlace | null)[], options: AmpOptions = {}): PlanEnd {
    const sides = places.map((place) => this.#sides(place, places.length > 1));
    const nids = [...new Set(places.flatMap((place) => (place === null ? [] : [place.widget.nid])))];
    const caps = places.map((place) => (place === null ? null : ampCapsAt(place)));
    const channelsWith = (has: (amp: AmpCaps) => boolean): (PlanAmp | null)[] =>
      sides.flatMap((pair, index) => {
        const amp = caps[index];
        return amp && has(amp) ? pair : pair.map(() => null);
      });
    let end = from;
    const gains = caps.filter((amp): amp is AmpCaps => amp !== null && amp.steps > 0);
    if (gains.length > 0) {
      end = this.through(end, {
        type: 'volume',
        nids,
        name: options.volumeName ?? null,
        channels: channelsWith((amp) => amp.steps > 0),
        range: commonRange(gains),
        boost: options.boost ?? false,
      });
    }
    if (caps.some((amp) => amp?.mute)) {
      end = this.through(end, {
        type: 'mute',
        nids,
        name: options.muteName ?? null,
        channels: channelsWith((amp) => amp.mute),
        initiallyMuted: options.initiallyMuted ?? false,
      });
    }
    for (const pair of sides) for (const amp of pair) if (amp) this.#used.add(ampKey(amp));
    return end;
  }

  /** The two sides of a widget's amplifier; a mono one has its setting in the left half and stands for the pair's first channel. */
  #sides(place: AmpPlace | null, inSet: boolean): readonly (PlanAmp | null)[] {
    if (place === null) return [null, null];
    const { widget, direction, index } = place;
    const amp = { nid: widget.nid, direction, index };
    if (widget.channels === 1) return inSet ? [{ ...amp, side: 'both' }, null] : [{ ...amp, side: 'both' }];
    return [
      { ...amp, side: 'left' },
      { ...amp, side: 'right' },
    ];
  }

  /**
   * What becomes of all other amplifiers: those that can are muted, and those in front of mixers that are in use turned down as far as
   * they go.
   */
  otherAmps(graph: WidgetGraph, usedNids: ReadonlySet<number>): PlanFixedAmp[] {
    const fixed: PlanFixedAmp[] = [];
    const add = (widget: CodecWidget, direction: 'in' | 'out', index: number): void => {
      const caps = ampCapsAt({ widget, direction, index });
      if (caps === null || this.#used.has(ampKey({ nid: widget.nid, direction, index }))) return;
      const amp: PlanAmp = { nid: widget.nid, direction, index, side: 'both' };
      if (caps.mute) fixed.push({ amp, step: caps.offset, mute: true });
      else if (direction === 'in' && widget.type === 'mixer' && usedNids.has(widget.nid) && caps.steps > 0)
        fixed.push({ amp, step: 0, mute: false });
    };
    for (const widget of graph.group.widgets) {
      const converter = widget.type === 'audio-output' || widget.type === 'audio-input';
      if (!converter && widget.type !== 'pin' && !passesThrough(widget)) continue;
      add(widget, 'out', 0);
      const inputs = widget.type === 'pin' ? 1 : Math.max(1, widget.connections.length);
      for (let index = 0; index < inputs; index++) add(widget, 'in', index);
    }
    return fixed;
  }
}

/** What all amplifiers can do; what any can, where they have nothing in common. */
function commonRange(amps: readonly AmpCaps[]): PlanRange {
  const minimum = Math.max(...amps.map((amp) => amp.minimumDecibels));
  const maximum = Math.min(...amps.map((amp) => amp.maximumDecibels));
  const common = minimum <= maximum;
  return {
    minimumDecibels: common ? minimum : Math.min(...amps.map((amp) => amp.minimumDecibels)),
    maximumDecibels: common ? maximum : Math.max(...amps.map((amp) => amp.maximumDecibels)),
    stepDecibels: Math.max(...amps.map((amp) => amp.stepQuarterDb)) / 4,
  };
}
