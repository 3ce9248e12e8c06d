import type { CodecWidget } from './model.ts';
import { passesThrough, type WidgetGraph } from './widget-graph.ts';

/** A widget on a way, and the connection by which the signal enters it. */
export interface Hop {
  readonly nid: number;
  readonly connection: number;
}

/** A way from an output converter to a pin. */
export interface OutputPath {
  readonly dac: number;
  readonly pin: number;
  /** From the widget behind the converter to the pin, which is the last. */
  readonly hops: readonly Hop[];
}

/** Codecs have at most two or three widgets between converter and pin. */
const MAX_HOPS = 8;
const MAX_SEARCH_STEPS = 4096;
const PATHS_PER_DAC = 3;
/** After so many the best assignment found so far is taken: the first one found is already what taking pins in turn gives. */
const MAX_ASSIGNMENT_STEPS = 20_000;

/** Ways to a pin from every converter that reaches it, the shortest first; among equals in the order of the connection lists. */
export function findOutputPaths(graph: WidgetGraph, pin: CodecWidget): readonly OutputPath[] {
  const paths: OutputPath[] = [];
  const perDac = new Map<number, number>();
  let waiting: { readonly widget: CodecWidget; readonly hops: readonly Hop[] }[] = [
    { widget: pin, hops: [] },
  ];
  let steps = 0;
  while (waiting.length > 0) {
    const next: typeof waiting = [];
    for (const { widget, hops } of waiting) {
      for (const { connection, source } of graph.inputs(widget)) {
        if (++steps > MAX_SEARCH_STEPS) return paths;
        // Bits and voltages do not meet.
        if (source.digital !== pin.digital) continue;
        const way = [{ nid: widget.nid, connection }, ...hops];
        if (source.type === 'audio-output') {
          const found = perDac.get(source.nid) ?? 0;
          if (found === PATHS_PER_DAC) continue;
          perDac.set(source.nid, found + 1);
          paths.push({ dac: source.nid, pin: pin.nid, hops: way });
        } else if (
          passesThrough(source) &&
          way.length < MAX_HOPS &&
          !way.some((hop) => hop.nid === source.nid)
        ) {
          next.push({ widget: source, hops: way });
        }
      }
    }
    waiting = next;
  }
  return paths;
}

/** An output pin that wants a converter, in the order of priority. */
export interface OutputRequest {
  readonly pin: number;
  readonly paths: readonly OutputPath[];
  /** A redirected headphone: it would rather play what that pin plays than have a converter to itself. */
  readonly companion: number | null;
}

/** What a pin got: a way, and whether its converter is its own. */
export interface OutputAssignment {
  readonly path: OutputPath;
  readonly shared: boolean;
}

/** How bad a pin's lot is. */
const COST_RIGHT = 0;
const COST_SHARED = 1;
const COST_NONE = 2;

interface Candidate {
  readonly path: OutputPath;
  readonly shared: boolean;
  readonly cost: number;
}

/**
 * Gives every pin a converter of its own where that can be done, the first requests having preference; otherwise one that another pin has
 * already, on a way that carries nothing else. A pin without any way is missing in the answer.
 *
 * No widget between is used by two converters, since a mixer would mix them and a selector has one choice.
 */
export function assignConverters(requests: readonly OutputRequest[]): ReadonlyMap<number, OutputAssignment> {
  let best: readonly (Candidate | null)[] = [];
  let bestCosts: readonly number[] | null = null;
  let steps = 0;
  const chosen: (Candidate | null)[] = [];
  const costs: number[] = [];

  const candidates = (request: OutputRequest): readonly Candidate[] => {
    const list: Candidate[] = [];
    const companion = chosen.find((candidate) => candidate?.path.pin === request.companion);
    for (const path of request.paths) {
      const taken = chosen.some((candidate) => candidate?.path.dac === path.dac);
      if (!fits(path)) continue;
      const together = companion?.path.dac === path.dac;
      list.push({ path, shared: taken, cost: taken && !together ? COST_SHARED : COST_RIGHT });
    }
    // The order of the paths otherwise: sort is stable.
    const rank = (candidate: Candidate): number => {
      const together = candidate.path.dac === companion?.path.dac;
      return candidate.cost * 2 + (companion !== undefined && !together ? 1 : 0);
    };
    return list.sort((a, b) => rank(a) - rank(b));
  };

  const fits = (path: OutputPath): boolean =>
    chosen.every((candidate) => {
      if (candidate === null) return true;
      return path.hops.every((hop) => {
        const other = candidate.path.hops.find(({ nid }) => nid === hop.nid);
        return (
          other === undefined || (other.connection === hop.connection && candidate.path.dac === path.dac)
        );
      });
    });

  /** Costs so far against the best's: the first difference counts. */
  const worse = (): boolean => {
    if (bestCosts === null) return false;
    for (const [index, cost] of costs.entries()) {
      if (cost !== bestCosts[index]) return cost > bestCosts[index]!;
    }
    return costs.length === bestCosts.length;
  };

  const search = (index: number): boolean => {
    if (index === requests.length) {
      best = [...chosen];
      bestCosts = [...costs];
      return bestCosts.every((cost) => cost === COST_RIGHT);
    }
    const options: (Candidate | null)[] = [...candidates(requests[index]!), null];
    for (const option of options) {
      if (bestCosts !== null && ++steps > MAX_ASSIGNMENT_STEPS) return true;
      chosen.push(option);
      costs.push(option?.cost ?? COST_NONE);
      const done = !worse() && search(index + 1);
      chosen.pop();
      costs.pop();
      if (done) return true;
    }
    return false;
  };

  search(0);
  return new Map(
    best.flatMap((candidate) =>
      candidate === null ? [] : [[candidate.path.pin, { path: candidate.path, shared: candidate.shared }]],
    ),
  );
}
