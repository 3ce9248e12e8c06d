import type { CodecWidget } from './model.ts';
import { passesThrough, pinUse, type WidgetGraph } from './widget-graph.ts';

/** A connection that carries an input. */
export interface LiveInput {
  readonly connection: number;
  readonly source: CodecWidget;
}

/**
 * What the input pins reach, backwards: from converters, mixers and selectors to the pins. Widgets that carry an output are left out (nothing
 * is recorded from there), and so is one connection of every loop.
 */
export class InputGraph {
  readonly #graph: WidgetGraph;
  readonly #outputs: ReadonlySet<number>;
  /** Pins by what stands in front: itself for a pin. */
  readonly #reach = new Map<number, ReadonlySet<number>>();
  readonly #dropped = new Set<string>();

  /** @param outputs node ids between output converters and their pins */
  constructor(graph: WidgetGraph, outputs: ReadonlySet<number>) {
    this.#graph = graph;
    this.#outputs = outputs;
    this.#dropLoops();
  }

  /** Connections of a widget by which some input pin is heard, in their order. */
  inputs(widget: CodecWidget): readonly LiveInput[] {
    return this.#edges(widget).filter(({ source }) => this.reach(source).size > 0);
  }

  /** Input pins that are heard at a widget. */
  reach(widget: CodecWidget): ReadonlySet<number> {
    const known = this.#reach.get(widget.nid);
    if (known) return known;
    const pins = new Set<number>();
    if (widget.type === 'pin') pins.add(widget.nid);
    else for (const { source } of this.#edges(widget)) for (const pin of this.reach(source)) pins.add(pin);
    this.#reach.set(widget.nid, pins);
    return pins;
  }

  #edges(widget: CodecWidget): readonly LiveInput[] {
    const seen = new Set<number>();
    return this.#graph.inputs(widget).filter(({ source }) => {
      // A source twice in a list is one source.
      if (seen.has(source.nid) || this.#dropped.has(`${widget.nid}-${source.nid}`)) return false;
      seen.add(source.nid);
      if (source.digital !== widget.digital) return false;
      if (passesThrough(source)) return !this.#outputs.has(source.nid);
      return source.type === 'pin' && pinUse(source).use === 'capture';
    });
  }

  #dropLoops(): void {
    const state = new Map<number, 'open' | 'closed'>();
    const visit = (widget: CodecWidget): void => {
      state.set(widget.nid, 'open');
      for (const { source } of this.#edges(widget)) {
        if (state.get(source.nid) === 'open') this.#dropped.add(`${widget.nid}-${source.nid}`);
        else if (passesThrough(source) && !state.has(source.nid)) visit(source);
      }
      state.set(widget.nid, 'closed');
    };
    for (const widget of this.#graph.group.widgets)
      if (passesThrough(widget) && !state.has(widget.nid)) visit(widget);
  }
}
