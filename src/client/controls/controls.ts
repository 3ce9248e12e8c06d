import { NtError } from '../../kernel/index.ts';
import { ClientError, explained } from '../client-error.ts';
import { endpointName } from '../endpoints/names.ts';
import type { FilterModel, NodeModel, NodePropertyModel, RangeModel } from '../inspect/model.ts';
import type { KsObject } from '../requests/ks-object.ts';
import { encodeUlong, longAt, ulongAt } from '../requests/ks-object.ts';
import type { ControlKind, ControlProperty } from './control-kinds.ts';
import { CONTROL_PROPERTIES, fromRaw, toRaw } from './control-kinds.ts';

/** KSNODEPROPERTY_AUDIO_CHANNEL.Channel for all channels at once. */
const MASTER_CHANNEL = 0xffffffff;
/** How many channels are probed where the driver does not list them. */
const MAXIMUM_CONTROL_CHANNELS = 18;

/** Something that one input of a mux or demux leads to. */
export interface ControlChoice {
  readonly value: number;
  readonly name: string;
}

/** One knob, switch or selector of a card. */
export interface Control {
  /** Stable and unique: `Topology/4/KSPROPERTY_AUDIO_VOLUMELEVEL`. */
  readonly id: string;
  /** `Master Volume`; the number of the node is added where two have the same. */
  readonly name: string;
  readonly filter: FilterModel;
  readonly node: NodeModel;
  readonly property: ControlProperty;
  readonly kind: ControlKind;
  readonly get: boolean;
  readonly set: boolean;
  /** Number of values: one per channel, or one for the whole node. */
  readonly channels: number;
  /** Bounds and step in the control's unit (dB for levels), one per channel; empty when the driver gives none. */
  readonly ranges: readonly RangeModel[];
  /** For selections: what can be selected. */
  readonly choices: readonly ControlChoice[];
}

/** Opens a filter for the time of an action. */
export type FilterOpener = <T>(path: string, action: (filter: KsObject) => T) => T;

/** All controls of a set of filters, to be listed, read and set by name. */
export class Controls {
  readonly list: readonly Control[];
  readonly #withFilter: FilterOpener;

  constructor(filters: readonly FilterModel[], withFilter: FilterOpener) {
    this.#withFilter = withFilter;
    this.list = withUniqueNames(filters.flatMap((filter) => this.#controlsOf(filter)));
  }

  /** A control by its name (in any case) or id. Throws a {@link ClientError} that names near ones. */
  find(name: string): Control {
    const wanted = name.toLowerCase();
    const found = this.list.find(
      (control) => control.id.toLowerCase() === wanted || control.name.toLowerCase() === wanted,
    );
    if (found !== undefined) return found;
    const near = this.list.filter((control) => control.name.toLowerCase().includes(wanted)).slice(0, 5);
    const names = (near.length > 0 ? near : this.list.slice(0, 8)).map((control) => `'${control.name}'`);
    throw new ClientError(
      `There is no control '${name}'. There ${names.length === 1 ? 'is' : 'are'} ${names.join(', ') || 'none'}.`,
    );
  }

  /** The values, one per channel. */
  get(control: Control): number[] {
    return explained(`Cannot read '${control.name}'`, () =>
      this.#withFilter(control.filter.path, (filter) =>
        Array.from({ length: control.channels }, (_, channel) =>
          readControl(filter, control.node.id, control.property, channel),
        ),
      ),
    );
  }

  /** Sets one value for all channels, or one for each. Out of range the driver limits a level; read it back to see what it took. */
  set(control: Control, values: number | readonly number[]): void {
    const list = typeof values === 'number' ? Array.from({ length: control.channels }, () => values) : values;
    if (list.length !== control.channels) {
      throw new ClientError(`'${control.name}' has ${control.channels} values; ${list.length} were given.`);
    }
    for (const value of list)
      if (Number.isNaN(value))
        throw new ClientError(`'${control.name}' cannot be set to something that is no number.`);
    if (control.kind === 'selection') requireChoice(control, list[0] ?? 0);
    explained(`Cannot set '${control.name}' to ${list.join(', ')}`, () =>
      this.#withFilter(control.filter.path, (filter) => {
        for (const [channel, value] of list.entries())
          writeControl(filter, control.node.id, control.property, channel, value);
      }),
    );
  }

  #controlsOf(filter: FilterModel): Control[] {
    const found: Control[] = [];
    const nodes = filter.nodes.filter(({ properties }) => properties.length > 0);
    if (nodes.length === 0) return found;
    return this.#withFilter(filter.path, (object) => {
      for (const node of nodes) {
        const own = node.properties.flatMap((model) => {
          const property = CONTROL_PROPERTIES.find((candidate) => candidate.property === model.property);
          return property === undefined ? [] : [{ model, property }];
        });
        for (const { model, property } of own) {
          found.push(makeControl(object, filter, node, model, property, own.length > 1));
        }
      }
      return found;
    });
  }
}

function makeControl(
  object: KsObject,
  filter: FilterModel,
  node: NodeModel,
  model: NodePropertyModel,
  property: ControlProperty,
  several: boolean,
): Control {
  const base = node.name ?? placeName(filter, node);
  return {
    id: `${filter.reference}/${node.id}/${property.property}`,
    name: several || node.name === null ? `${base} ${property.word}` : base,
    filter,
    node,
    property,
    kind: property.kind,
    get: model.get,
    set: model.set,
    channels:
      property.perChannel && model.get ? Math.max(1, countChannels(object, node.id, property, model)) : 1,
    ranges: model.ranges.map(({ minimum, maximum, step }) => ({
      minimum: fromRaw(property.kind, minimum),
      maximum: fromRaw(property.kind, maximum),
      step: property.kind === 'level' ? step / 65536 : step,
    })),
    choices: property.kind === 'selection' ? choicesOf(filter, node, property) : [],
  };
}

/** As the driver lists them, else as many as it answers for: left, right … (the way WDMAud probes); 0 when it answers for none. */
export function countChannels(
  filter: KsObject,
  node: number,
  property: ControlProperty,
  model: Pick<NodePropertyModel, 'ranges' | 'multichannel'>,
): number {
  if (model.multichannel && model.ranges.length > 0) return model.ranges.length;
  for (let channel = 0; channel < MAXIMUM_CONTROL_CHANNELS; channel++) {
    try {
      readControl(filter, node, property, channel);
    } catch (error) {
      if (error instanceof NtError) return channel;
      throw error;
    }
  }
  return MAXIMUM_CONTROL_CHANNELS;
}

/** Reads a value; where channel 0 is refused, the value of all channels. Throws an NtError. */
export function readControl(
  filter: KsObject,
  node: number,
  property: ControlProperty,
  channel: number,
): number {
  const { set, id, perChannel, signed, kind } = property;
  const read = (target: number) => {
    const bytes = filter.getNode(set, id, perChannel ? { node, channel: target } : { node }, 4);
    return fromRaw(kind, signed ? longAt(bytes) : ulongAt(bytes));
  };
  if (channel !== 0 || !perChannel) return read(channel);
  try {
    return read(0);
  } catch (error) {
    if (error instanceof NtError) return read(MASTER_CHANNEL);
    throw error;
  }
}

/** Sets a value; where channel 0 is refused, that of all channels. Throws an NtError. */
export function writeControl(
  filter: KsObject,
  node: number,
  property: ControlProperty,
  channel: number,
  value: number,
): void {
  const { set, id, perChannel, kind } = property;
  const bytes = encodeUlong(toRaw(kind, value));
  const write = (target: number) =>
    filter.setNode(set, id, perChannel ? { node, channel: target } : { node }, bytes);
  if (channel !== 0 || !perChannel) {
    write(channel);
    return;
  }
  try {
    write(0);
  } catch (error) {
    if (!(error instanceof NtError)) throw error;
    write(MASTER_CHANNEL);
  }
}

/** What hangs on the inputs of a mux, or the outputs of a demux. */
function choicesOf(filter: FilterModel, node: NodeModel, property: ControlProperty): ControlChoice[] {
  const inputs = property.word === 'Source';
  const wires = filter.connections.filter((wire) => (inputs ? wire.toNode : wire.fromNode) === node.id);
  const choices = wires.map((wire) => ({
    value: inputs ? wire.toPin : wire.fromPin,
    name: nameBehind(
      filter,
      inputs ? wire.fromNode : wire.toNode,
      inputs ? wire.fromPin : wire.toPin,
      inputs,
    ),
  }));
  return choices.sort((a, b) => a.value - b.value);
}

/** What a node without a name is called: after the jack on either side of it, else after the node before it. */
function placeName(filter: FilterModel, node: NodeModel): string {
  const before = lineEnd(filter, node.id, true);
  const behind = lineEnd(filter, node.id, false);
  for (const end of [before, behind]) {
    const pin = end.node === null ? filter.pins.find(({ id }) => id === end.pin) : undefined;
    if (pin?.category.startsWith('KSNODETYPE_')) return endpointName(pin);
  }
  const neighbour = before.node === null ? undefined : filter.nodes[before.node];
  return neighbour?.name ?? typeName(node);
}

/** The name of what a line comes from, or goes to: its pin, or the node at which several lines meet. */
function nameBehind(filter: FilterModel, node: number | null, pin: number, against: boolean): string {
  // A sum with a name of its own stands there to give the line one ('Stereo Mix').
  const next = node === null ? undefined : filter.nodes[node];
  if (next?.type === 'KSNODETYPE_SUM' && next.name !== null) return next.name;
  const end = node === null ? { node, pin } : lineEnd(filter, node, against);
  if (end.node === null) {
    const found = filter.pins.find(({ id }) => id === end.pin);
    return found === undefined ? `pin ${end.pin}` : endpointName(found);
  }
  const here = filter.nodes[end.node];
  return here?.name ?? (here === undefined ? `node ${end.node}` : typeName(here));
}

/** Follows the only wire on one side of a node to a pin, or to a node with none or several; `pin` is then that node's. */
function lineEnd(filter: FilterModel, start: number, against: boolean): { node: number | null; pin: number } {
  let node: number | null = start;
  let pin = 0;
  for (let hops = 0; node !== null && hops <= filter.nodes.length; hops++) {
    const here: number = node;
    const wires = filter.connections.filter((wire) => (against ? wire.toNode : wire.fromNode) === here);
    const [wire] = wires;
    if (wires.length !== 1 || wire === undefined) break;
    node = against ? wire.fromNode : wire.toNode;
    pin = against ? wire.fromPin : wire.toPin;
  }
  return { node, pin };
}

/** `Volume` for KSNODETYPE_VOLUME. */
function typeName(node: NodeModel): string {
  const words = node.type.replace('KSNODETYPE_', '').replaceAll('_', ' ').toLowerCase();
  return words.replace(/^./, (letter) => letter.toUpperCase());
}

function requireChoice(control: Control, value: number): void {
  if (control.choices.length === 0 || control.choices.some((choice) => choice.value === value)) return;
  const choices = control.choices.map((choice) => `${choice.value} (${choice.name})`).join(', ');
  throw new ClientError(`'${control.name}' cannot select ${value}; there is ${choices}.`);
}

function withUniqueNames(controls: readonly Control[]): Control[] {
  const counts = new Map<string, number>();
  for (const { name } of controls) counts.set(name, (counts.get(name) ?? 0) + 1);
  return controls.map((control) =>
    (counts.get(control.name) ?? 0) > 1
      ? { ...control, name: `${control.name} (node ${control.node.id})` }
      : control,
  );
}
