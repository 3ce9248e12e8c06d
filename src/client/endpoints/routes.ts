import type { FilterModel, PinModel } from '../inspect/model.ts';
import { isHostPin } from '../inspect/model.ts';

/** One station on the way between a client and a jack. */
export type RouteStep =
  | { readonly kind: 'pin'; readonly filter: FilterModel; readonly id: number }
  | {
      readonly kind: 'node';
      readonly filter: FilterModel;
      readonly id: number;
      /** Logical pins of the node through which the data comes in and goes out. */
      readonly inPin: number;
      readonly outPin: number;
    };

/** A pin that a client opens, and the way between it and a jack. */
export interface HostRoute {
  readonly filter: FilterModel;
  readonly pin: PinModel;
  /** In the order in which data flows, from host to bridge pin or the other way. */
  readonly steps: readonly RouteStep[];
}

/** A jack, and how data gets from a client to it or from it to a client. */
export interface EndpointRoute {
  readonly direction: 'render' | 'capture';
  readonly bridgeFilter: FilterModel;
  readonly bridgePin: PinModel;
  /** All pins that lead here, the one with the shortest way first. */
  readonly hosts: readonly HostRoute[];
  /** The first of them; null when there is none. */
  readonly host: HostRoute | null;
  /** Its way; empty without a host. */
  readonly steps: readonly RouteStep[];
}

/** An end of a wire: a filter's pin, or a node. */
interface Vertex {
  readonly filter: FilterModel;
  readonly kind: 'pin' | 'node';
  readonly id: number;
}

interface Edge {
  readonly from: Vertex;
  readonly to: Vertex;
  readonly fromPin: number;
  readonly toPin: number;
}

const keyOf = ({ filter, kind, id }: Vertex): string => `${filter.path}\n${kind}${id}`;

/** All wires of a set of filters, by their two ends. */
class WireGraph {
  readonly #forward = new Map<string, Edge[]>();
  readonly #backward = new Map<string, Edge[]>();
  readonly #wired = new Set<string>();

  constructor(filters: readonly FilterModel[]) {
    for (const filter of filters) {
      for (const { fromNode, fromPin, toNode, toPin } of filter.connections) {
        const from: Vertex =
          fromNode === null ? { filter, kind: 'pin', id: fromPin } : { filter, kind: 'node', id: fromNode };
        const to: Vertex =
          toNode === null ? { filter, kind: 'pin', id: toPin } : { filter, kind: 'node', id: toNode };
        this.#add({ from, to, fromPin, toPin });
      }
    }
    const byPath = new Map(filters.map((filter) => [filter.path.toLowerCase(), filter]));
    for (const filter of filters) {
      for (const pin of filter.pins) {
        if (pin.physicalConnection === null) continue;
        const here: Vertex = { filter, kind: 'pin', id: pin.id };
        this.#wired.add(keyOf(here));
        const other = byPath.get(pin.physicalConnection.path.toLowerCase());
        if (other === undefined) continue;
        const there: Vertex = { filter: other, kind: 'pin', id: pin.physicalConnection.pin };
        // Both ends may report the wire, or one alone.
        this.#wired.add(keyOf(there));
        const [from, to] = pin.dataFlow === 'out' ? [here, there] : [there, here];
        const known = this.leaving(from).some((edge) => keyOf(edge.to) === keyOf(to));
        if (!known) this.#add({ from, to, fromPin: from.id, toPin: to.id });
      }
    }
  }

  #add(edge: Edge): void {
    const put = (map: Map<string, Edge[]>, key: string) => {
      const list = map.get(key);
      if (list === undefined) map.set(key, [edge]);
      else list.push(edge);
    };
    put(this.#forward, keyOf(edge.from));
    put(this.#backward, keyOf(edge.to));
  }

  leaving(vertex: Vertex): readonly Edge[] {
    return this.#forward.get(keyOf(vertex)) ?? [];
  }

  entering(vertex: Vertex): readonly Edge[] {
    return this.#backward.get(keyOf(vertex)) ?? [];
  }

  /** Is the pin wired to another filter? */
  isWired(vertex: Vertex): boolean {
    return this.#wired.has(keyOf(vertex));
  }

  /** Everything that data from (or, backwards, to) these places passes. */
  reachable(starts: readonly Vertex[], forward: boolean): Set<string> {
    const seen = new Set(starts.map(keyOf));
    const queue = [...starts];
    for (let vertex = queue.shift(); vertex !== undefined; vertex = queue.shift()) {
      for (const edge of forward ? this.leaving(vertex) : this.entering(vertex)) {
        const next = forward ? edge.to : edge.from;
        if (seen.has(keyOf(next))) continue;
        seen.add(keyOf(next));
        queue.push(next);
      }
    }
    return seen;
  }

  /** The shortest way to each vertex that `isGoal` accepts, the shortest of all first, as edges from the start on. */
  shortest(
    start: Vertex,
    forward: boolean,
    isGoal: (vertex: Vertex) => boolean,
    mayPass: (vertex: Vertex) => boolean,
  ): Edge[][] {
    const ways: Edge[][] = [];
    const cameBy = new Map<string, Edge | null>([[keyOf(start), null]]);
    const queue = [start];
    for (let vertex = queue.shift(); vertex !== undefined; vertex = queue.shift()) {
      for (const edge of forward ? this.leaving(vertex) : this.entering(vertex)) {
        const next = forward ? edge.to : edge.from;
        if (cameBy.has(keyOf(next)) || !mayPass(next)) continue;
        cameBy.set(keyOf(next), edge);
        if (isGoal(next)) ways.push(this.#wayBack(next, cameBy, forward));
        else queue.push(next);
      }
    }
    return ways;
  }

  #wayBack(goal: Vertex, cameBy: ReadonlyMap<string, Edge | null>, forward: boolean): Edge[] {
    const edges: Edge[] = [];
    let edge = cameBy.get(keyOf(goal)) ?? null;
    while (edge !== null) {
      edges.push(edge);
      edge = cameBy.get(keyOf(forward ? edge.from : edge.to)) ?? null;
    }
    return edges.reverse();
  }
}

const pinOf = (vertex: Vertex): PinModel | undefined =>
  vertex.kind === 'pin' ? vertex.filter.pins.find(({ id }) => id === vertex.id) : undefined;

/**
 * Finds the endpoints among a set of filters as the system's endpoint builder does: every bridge pin that no other filter is
 * wired to is a jack, and the ways from it to host pins, over wires inside filters and between them, are its routes: the
 * shortest one to each. A capture route does not run through the mixer that feeds an output: what arrives there is a mix and
 * no longer that jack's signal.
 * Source: "Audio Endpoint Builder Algorithm".
 */
export function findRoutes(filters: readonly FilterModel[]): EndpointRoute[] {
  const graph = new WireGraph(filters);
  const pins = filters.flatMap((filter) =>
    filter.pins.map((pin) => ({ vertex: { filter, kind: 'pin', id: pin.id } satisfies Vertex, pin })),
  );
  const renderHosts = pins.filter(({ pin }) => isHostPin(pin) && pin.dataFlow === 'in');
  const jacks = pins.filter(({ pin, vertex }) => !isHostPin(pin) && !graph.isWired(vertex));
  const fromHosts = graph.reachable(
    renderHosts.map(({ vertex }) => vertex),
    true,
  );
  const toOutputs = graph.reachable(
    jacks.filter(({ pin }) => pin.dataFlow === 'out').map(({ vertex }) => vertex),
    false,
  );
  const isOutputMix = (vertex: Vertex) => fromHosts.has(keyOf(vertex)) && toOutputs.has(keyOf(vertex));
  return jacks.map(({ vertex, pin }) => {
    const render = pin.dataFlow === 'out';
    const wanted = render ? 'in' : 'out';
    const ways = graph.shortest(
      vertex,
      !render,
      (place) => {
        const candidate = pinOf(place);
        return candidate !== undefined && isHostPin(candidate) && candidate.dataFlow === wanted;
      },
      (place) => render || !isOutputMix(place),
    );
    return routeOf(vertex, pin, render, ways);
  });
}

function routeOf(
  bridge: Vertex,
  bridgePin: PinModel,
  render: boolean,
  ways: readonly Edge[][],
): EndpointRoute {
  const hosts = ways.flatMap((edges) => hostRouteOf(bridge, render, edges) ?? []);
  const [host = null] = hosts;
  return {
    direction: render ? 'render' : 'capture',
    bridgeFilter: bridge.filter,
    bridgePin,
    hosts,
    host,
    steps: host?.steps ?? [],
  };
}

function hostRouteOf(bridge: Vertex, render: boolean, edges: readonly Edge[]): HostRoute | null {
  const last = edges.at(-1);
  if (last === undefined) return null;
  // Edges were followed from the jack on; data of a render route flows the other way.
  const flow = render ? edges.toReversed() : edges;
  const hostVertex = render ? last.from : last.to;
  const pin = pinOf(hostVertex);
  if (pin === undefined) return null;
  const steps: RouteStep[] = [];
  for (const [index, edge] of flow.entries()) {
    const { filter, kind, id } = edge.from;
    if (kind === 'pin') steps.push({ kind, filter, id });
    else steps.push({ kind, filter, id, inPin: flow[index - 1]?.toPin ?? 0, outPin: edge.fromPin });
  }
  const end = flow.at(-1)?.to ?? bridge;
  steps.push({ kind: 'pin', filter: end.filter, id: end.id });
  return { filter: hostVertex.filter, pin, steps };
}
