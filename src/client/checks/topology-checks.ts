import type { ConnectionModel, FilterModel, NodeModel, PinModel } from '../inspect/model.ts';
import { isHostPin } from '../inspect/model.ts';
import { type CheckFailure, CheckList } from './failure.ts';

/** What the page of a node type says: logical pins on either side, and properties of which the node needs one of each group. */
interface NodeRule {
  readonly inputs: readonly [least: number, most: number];
  readonly outputs: readonly [least: number, most: number];
  readonly needs: readonly (readonly string[])[];
  /** Number of the rule about its properties. */
  readonly check?: string;
}

const ANY = Number.POSITIVE_INFINITY;
const THROUGH = { inputs: [1, 1], outputs: [1, 1] } as const;
const property = (name: string): string => `KSPROPERTY_AUDIO_${name}`;

/** By type (audio docs, ksnodetype-*.md). Types that are not listed are not judged. */
const NODE_RULES: Readonly<Record<string, NodeRule>> = {
  KSNODETYPE_VOLUME: { ...THROUGH, needs: [[property('VOLUMELEVEL')]], check: 'TOP-016' },
  KSNODETYPE_MUTE: { ...THROUGH, needs: [[property('MUTE')]], check: 'TOP-017' },
  KSNODETYPE_MUX: { inputs: [1, ANY], outputs: [1, 1], needs: [[property('MUX_SOURCE')]], check: 'TOP-018' },
  KSNODETYPE_DEMUX: {
    inputs: [1, 1],
    outputs: [1, ANY],
    needs: [[property('DEMUX_DEST')]],
    check: 'TOP-019',
  },
  // "Multiple inputs", says its page; a sum of one is how a line gets a name of its own (wdmaud-topology-parsing.md, note 1).
  KSNODETYPE_SUM: { inputs: [1, ANY], outputs: [1, 1], needs: [], check: 'TOP-020' },
  KSNODETYPE_TONE: {
    ...THROUGH,
    needs: [['BASS', 'MID', 'TREBLE', 'BASS_BOOST'].map(property)],
    check: 'TOP-021',
  },
  KSNODETYPE_LOUDNESS: { ...THROUGH, needs: [['LOUDNESS', 'DYNAMIC_RANGE'].map(property)], check: 'TOP-022' },
  KSNODETYPE_AGC: { ...THROUGH, needs: [[property('AGC')]], check: 'TOP-023' },
  KSNODETYPE_SUPERMIX: {
    ...THROUGH,
    needs: [[property('MIX_LEVEL_TABLE')], [property('MIX_LEVEL_CAPS')]],
    check: 'TOP-024',
  },
  KSNODETYPE_CHORUS: {
    ...THROUGH,
    needs: [
      [property('CHORUS_LEVEL')],
      [property('CHORUS_MODULATION_RATE')],
      [property('CHORUS_MODULATION_DEPTH')],
    ],
    check: 'TOP-025',
  },
  KSNODETYPE_REVERB: {
    ...THROUGH,
    needs: [[property('REVERB_LEVEL')], [property('REVERB_TIME')]],
    check: 'TOP-026',
  },
  KSNODETYPE_EQUALIZER: {
    ...THROUGH,
    needs: [[property('EQ_LEVEL')], [property('NUM_EQ_BANDS')], [property('EQ_BANDS')]],
    check: 'TOP-027',
  },
  KSNODETYPE_STEREO_WIDE: { ...THROUGH, needs: [[property('WIDENESS')]], check: 'TOP-028' },
  KSNODETYPE_DELAY: { ...THROUGH, needs: [[property('DELAY')]], check: 'TOP-029' },
  KSNODETYPE_PEAKMETER: { ...THROUGH, needs: [['PEAKMETER2', 'PEAKMETER'].map(property)], check: 'TOP-031' },
  KSNODETYPE_DAC: { ...THROUGH, needs: [] },
  KSNODETYPE_ADC: { ...THROUGH, needs: [] },
  KSNODETYPE_SRC: { ...THROUGH, needs: [] },
};
/** Their logical pins are numbered 0 for the output, 1 and up for inputs. */
const SEVERAL_INPUTS = ['KSNODETYPE_SUM', 'KSNODETYPE_MUX'];

/**
 * The rules about a driver's topology (TOP-001 to TOP-022 and their like) on what its filters show, `inspect()`'s result with
 * properties. They are those of the KS topology test and of the documentation's pages on topology, nodes and connections.
 */
export function checkTopology(filters: readonly FilterModel[]): readonly CheckFailure[] {
  const list = new CheckList();
  for (const filter of filters) checkFilter(list, filter);
  checkWiring(list, filters);
  return list.failures;
}

const nodeText = (filter: FilterModel, node: NodeModel): string =>
  `${filter.reference}, node ${node.id} (${node.type})`;
const pinText = (filter: FilterModel, pin: Pick<PinModel, 'id'>): string =>
  `${filter.reference}, pin ${pin.id}`;
const wireText = ({ fromNode, fromPin, toNode, toPin }: ConnectionModel): string =>
  `${fromNode ?? 'filter'}:${fromPin} → ${toNode ?? 'filter'}:${toPin}`;

function checkFilter(list: CheckList, filter: FilterModel): void {
  const { connections, nodes, pins, reference } = filter;
  const seen = new Set<string>();
  for (const wire of connections) {
    const text = wireText(wire);
    const isNode = (node: number | null) => node === null || node < nodes.length;
    const isPin = (node: number | null, pin: number) => node !== null || pin < pins.length;
    list.must(
      'TOP-006',
      reference,
      isNode(wire.fromNode) &&
        isNode(wire.toNode) &&
        isPin(wire.fromNode, wire.fromPin) &&
        isPin(wire.toNode, wire.toPin),
      `the connection ${text} names a node or pin that does not exist`,
    );
    list.should('TOP-007', reference, !seen.has(text), `the connection ${text} is there twice`);
    seen.add(text);
  }
  for (const pin of pins) {
    const from = connections.filter((wire) => wire.fromNode === null && wire.fromPin === pin.id);
    const to = connections.filter((wire) => wire.toNode === null && wire.toPin === pin.id);
    list.must('TOP-004', pinText(filter, pin), from.length + to.length > 0, 'no connection touches it');
    const wrong = pin.dataFlow === 'in' ? to : from;
    list.must(
      'TOP-005',
      pinText(filter, pin),
      wrong.length === 0,
      `data flow ${pin.dataFlow}, but the connections ${wrong.map(wireText)} go the other way`,
    );
  }
  for (const node of nodes) checkNode(list, filter, node);
  checkPaths(list, filter);
  const names = new Set<string>();
  for (const node of nodes) {
    if (node.properties.length === 0 || node.name === null) continue;
    const key = `${node.type} ${node.name}`;
    list.should(
      'TOP-014',
      nodeText(filter, node),
      !names.has(key),
      `another node of this type is called '${node.name}' too`,
    );
    names.add(key);
  }
  // Every factory of one direction is known by category and name together; those that only stand for wiring between filters need no
  // name.
  const factories = new Set<string>();
  for (const pin of pins) {
    if (pin.physicalConnection !== null || isHostPin(pin)) continue;
    const key = `${pin.category} ${pin.name} ${pin.dataFlow}`;
    list.must(
      'PIN-012',
      pinText(filter, pin),
      !factories.has(key),
      `another pin has category ${pin.category} and name '${pin.name}' too`,
    );
    factories.add(key);
  }
}

function checkNode(list: CheckList, filter: FilterModel, node: NodeModel): void {
  const where = nodeText(filter, node);
  const inputs = new Set(
    filter.connections.filter(({ toNode }) => toNode === node.id).map(({ toPin }) => toPin),
  );
  const outputs = new Set(
    filter.connections.filter(({ fromNode }) => fromNode === node.id).map(({ fromPin }) => fromPin),
  );
  list.should('TOP-013', where, node.name !== null && node.name !== '', 'it has no name');
  const rule = NODE_RULES[node.type];
  if (rule === undefined) return;
  const within = (count: number, [least, most]: readonly [number, number]) => count >= least && count <= most;
  list.must('TOP-001', where, within(inputs.size, rule.inputs), `${inputs.size} input(s)`);
  list.must('TOP-001', where, within(outputs.size, rule.outputs), `${outputs.size} output(s)`);
  if (node.type !== 'KSNODETYPE_DEMUX') {
    list.must(
      'TOP-002',
      where,
      [...outputs].every((pin) => pin === 0),
      `outputs ${[...outputs]}, pin 0 is right`,
    );
    const most = SEVERAL_INPUTS.includes(node.type) ? inputs.size : 1;
    const right = [...inputs].every((pin) => pin >= 1 && pin <= most);
    list.must('TOP-002', where, right, `inputs ${[...inputs]}, pins 1 to ${most} are right`);
  }
  const owned = node.properties.map((one) => one.property);
  for (const group of rule.needs) {
    list.must(
      rule.check ?? 'TOP-016',
      where,
      group.some((name) => owned.includes(name)),
      `it supports none of ${group.join(', ')}`,
    );
  }
}

/** Every node lies on a way between two pins, and nothing runs in a circle. */
function checkPaths(list: CheckList, filter: FilterModel): void {
  const { connections, nodes } = filter;
  const reach = (
    start: (wire: ConnectionModel) => number | null,
    end: (wire: ConnectionModel) => number | null,
  ) => {
    const reached = new Set<number>();
    const queue = connections.filter((wire) => start(wire) === null).map(end);
    for (let next = queue.pop(); next !== undefined; next = queue.pop()) {
      if (next === null || reached.has(next)) continue;
      reached.add(next);
      for (const wire of connections) if (start(wire) === next) queue.push(end(wire));
    }
    return reached;
  };
  const fromPins = reach(
    ({ fromNode }) => fromNode,
    ({ toNode }) => toNode,
  );
  const toPins = reach(
    ({ toNode }) => toNode,
    ({ fromNode }) => fromNode,
  );
  for (const node of nodes) {
    list.must(
      'TOP-003',
      nodeText(filter, node),
      fromPins.has(node.id) && toPins.has(node.id),
      'it lies on no way between two pins',
    );
  }
  const left = new Set(nodes.map(({ id }) => id));
  for (let changed = true; changed; ) {
    changed = false;
    for (const id of left) {
      if (
        connections.some(({ fromNode, toNode }) => toNode === id && fromNode !== null && left.has(fromNode))
      )
        continue;
      left.delete(id);
      changed = true;
    }
  }
  list.should(
    'TOP-007',
    filter.reference,
    left.size === 0,
    `the nodes ${[...left]} are in or behind a circle`,
  );
}

/** What joins the filters, and the ways from jacks to streams. */
function checkWiring(list: CheckList, filters: readonly FilterModel[]): void {
  const find = (path: string) => filters.find((one) => one.path.toLowerCase() === path.toLowerCase());
  for (const filter of filters) {
    for (const pin of filter.pins) {
      const { physicalConnection } = pin;
      if (physicalConnection === null) continue;
      const peer = find(physicalConnection.path)?.pins[physicalConnection.pin];
      const where = pinText(filter, pin);
      list.must(
        'TOP-009',
        where,
        peer !== undefined,
        `wired to pin ${physicalConnection.pin} of ${physicalConnection.path}, which does not exist`,
      );
      if (peer === undefined) continue;
      const back = peer.physicalConnection;
      list.must(
        'TOP-009',
        where,
        back !== null && back.pin === pin.id && find(back.path) === filter,
        'the pin at the other end is not wired to this one',
      );
      list.must('TOP-010', where, peer.dataFlow !== pin.dataFlow, 'both ends have the same data flow');
    }
  }
  for (const filter of filters) {
    for (const pin of filter.pins) {
      if (isHostPin(pin) || pin.physicalConnection !== null) continue;
      list.must(
        'TOP-008',
        pinText(filter, pin),
        reachesStream(filters, filter, pin),
        'no way leads from this jack to a stream',
      );
    }
  }
}

/**
 * Follows the wires from a jack, in its direction or against it, through all filters. An input that is heard but not recorded (a PC's
 * speaker) leads to an output's jack, to which a stream leads as well.
 */
function reachesStream(filters: readonly FilterModel[], filter: FilterModel, pin: PinModel): boolean {
  const downstream = pin.dataFlow === 'in';
  const seen = new Set<string>();
  const queue: { filter: FilterModel; node: number | null; pin: number }[] = [
    { filter, node: null, pin: pin.id },
  ];
  for (let here = queue.pop(); here !== undefined; here = queue.pop()) {
    const key = `${here.filter.path} ${here.node ?? `pin ${here.pin}`}`;
    if (seen.has(key)) continue;
    seen.add(key);
    const at = here.filter.pins[here.pin];
    if (here.node === null && at !== undefined) {
      if (isHostPin(at)) return true;
      const next = at.physicalConnection;
      const other =
        next === null
          ? undefined
          : filters.find(({ path }) => path.toLowerCase() === next.path.toLowerCase());
      if (next !== null && other !== undefined) queue.push({ filter: other, node: null, pin: next.pin });
      if (downstream && next === null && at.dataFlow === 'out' && reachesStream(filters, here.filter, at))
        return true;
    }
    for (const wire of here.filter.connections) {
      const [startNode, startPin, endNode, endPin] = downstream
        ? [wire.fromNode, wire.fromPin, wire.toNode, wire.toPin]
        : [wire.toNode, wire.toPin, wire.fromNode, wire.fromPin];
      if (startNode !== here.node || (startNode === null && startPin !== here.pin)) continue;
      queue.push({ filter: here.filter, node: endNode, pin: endPin });
    }
  }
  return false;
}
