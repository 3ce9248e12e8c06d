import { describe, expect, it } from 'vitest';
import type { ConnectionModel, FilterModel, PinModel } from '../inspect/model.ts';
import { endpointName, endpointRank } from './names.ts';
import { findRoutes } from './routes.ts';

const pin = (id: number, fields: Partial<PinModel>): PinModel => ({
  id,
  category: 'KSCATEGORY_AUDIO',
  name: null,
  dataFlow: 'out',
  communication: 'none',
  possibleInstances: 0,
  currentInstances: 0,
  necessaryInstances: 0,
  dataRanges: [],
  interfaces: [],
  mediums: [],
  physicalConnection: null,
  jacks: [],
  ...fields,
});

/** `p0`, `n3.1`: a pin of the filter, or a node's logical pin. */
const wire = (from: string, to: string): ConnectionModel => {
  const end = (text: string) => {
    const [place = '', nodePin = ''] = text.split('.');
    const number = Number(place.slice(1));
    return place.startsWith('p') ? { node: null, pin: number } : { node: number, pin: Number(nodePin) };
  };
  const [a, b] = [end(from), end(to)];
  return { fromNode: a.node, fromPin: a.pin, toNode: b.node, toPin: b.pin };
};

const filter = (
  path: string,
  pins: PinModel[],
  types: string[],
  connections: ConnectionModel[],
): FilterModel => ({
  path,
  reference: path,
  categories: [],
  pins,
  nodes: types.map((type, id) => ({ id, type: `KSNODETYPE_${type}`, name: null, properties: [] })),
  connections,
});

/** The usual card: a wave filter with a pin to play and one to record, a topology filter with mixer and record mux. */
function card(): FilterModel[] {
  const wave = filter(
    'wave',
    [
      pin(0, { dataFlow: 'in', communication: 'sink' }),
      pin(1, { dataFlow: 'out', physicalConnection: { path: 'topology', pin: 0 } }),
      pin(2, { dataFlow: 'out', communication: 'sink' }),
      pin(3, { dataFlow: 'in' }),
    ],
    ['DAC', 'ADC'],
    [wire('p0', 'n0.1'), wire('n0.0', 'p1'), wire('p3', 'n1.1'), wire('n1.0', 'p2')],
  );
  const topology = filter(
    'topology',
    [
      pin(0, { dataFlow: 'in' }),
      pin(1, { dataFlow: 'in', category: 'KSNODETYPE_MICROPHONE', name: 'Front Mic' }),
      pin(2, { dataFlow: 'in', category: 'KSNODETYPE_ANALOG_CONNECTOR' }),
      pin(3, { dataFlow: 'out', category: 'KSNODETYPE_SPEAKER', name: 'Ignored' }),
      // Only this end reports the wire to the wave filter.
      pin(4, { dataFlow: 'out', physicalConnection: { path: 'WAVE', pin: 3 } }),
    ],
    ['SUM', 'VOLUME', 'MUX'],
    [
      wire('p0', 'n0.1'),
      wire('p1', 'n0.2'),
      wire('p2', 'n0.3'),
      wire('n0.0', 'n1.1'),
      wire('n1.0', 'p3'),
      wire('p1', 'n2.1'),
      wire('n0.0', 'n2.2'),
      wire('n2.0', 'p4'),
    ],
  );
  return [wave, topology];
}

const steps = (route: ReturnType<typeof findRoutes>[number] | undefined) =>
  route?.steps.map((step) =>
    step.kind === 'pin'
      ? `${step.filter.path}.p${step.id}`
      : `${step.filter.path}.n${step.id}(${step.inPin}→${step.outPin})`,
  );

describe('endpoints', () => {
  it('are the unconnected bridge pins, with the way data takes', () => {
    const routes = findRoutes(card());
    expect(routes.map(({ direction, bridgePin }) => `${direction} ${bridgePin.category}`)).toEqual([
      'capture KSNODETYPE_MICROPHONE',
      'capture KSNODETYPE_ANALOG_CONNECTOR',
      'render KSNODETYPE_SPEAKER',
    ]);
    expect(steps(routes[2])).toEqual([
      'wave.p0',
      'wave.n0(1→0)',
      'wave.p1',
      'topology.p0',
      'topology.n0(1→0)',
      'topology.n1(1→0)',
      'topology.p3',
    ]);
    expect(routes[2]?.host?.pin.id).toBe(0);
  });

  it('are reached by every host pin from which a way leads, the shortest first, each with its own', () => {
    const [wave, topology] = card() as [FilterModel, FilterModel];
    const second = {
      ...wave,
      pins: [...wave.pins, pin(4, { dataFlow: 'in', communication: 'sink', name: 'Wave 2' })],
      nodes: [...wave.nodes, { id: 2, type: 'KSNODETYPE_SRC', name: null, properties: [] }],
      connections: [...wave.connections, wire('p4', 'n2.1'), wire('n2.0', 'n0.2')],
    };
    const speakers = findRoutes([second, topology]).find(({ direction }) => direction === 'render');
    expect(speakers?.hosts.map((host) => host.pin.id)).toEqual([0, 4]);
    expect(speakers?.host).toBe(speakers?.hosts[0]);
    expect(steps({ ...speakers!, steps: speakers!.hosts[1]!.steps })?.slice(0, 4)).toEqual([
      'wave.p4',
      'wave.n2(1→0)',
      'wave.n0(2→0)',
      'wave.p1',
    ]);
  });

  it('of capture name the mux input that selects them', () => {
    expect(steps(findRoutes(card())[0])).toEqual([
      'topology.p1',
      'topology.n2(1→0)',
      'topology.p4',
      'wave.p3',
      'wave.n1(1→0)',
      'wave.p2',
    ]);
  });

  it('have no route when their signal only reaches a client mixed with the output', () => {
    const aux = findRoutes(card())[1];
    expect(aux?.host).toBe(null);
    expect(aux?.steps).toEqual([]);
  });

  it('have no route when the wire leads to a filter that is not there', () => {
    const [, topology] = card();
    const routes = findRoutes([topology!]);
    expect(routes.every(({ host }) => host === null)).toBe(true);
  });

  it('are found when wires run in circles', () => {
    const loop = filter(
      'loop',
      [pin(0, { dataFlow: 'in', communication: 'both' }), pin(1, {})],
      ['SUM', 'DELAY'],
      [wire('p0', 'n0.1'), wire('n0.0', 'n1.1'), wire('n1.0', 'n0.2'), wire('n0.0', 'p1')],
    );
    expect(steps(findRoutes([loop])[0])).toEqual(['loop.p0', 'loop.n0(1→0)', 'loop.p1']);
  });

  it('are called Speakers, or what the driver says, or what their category is called', () => {
    expect(endpointName(pin(3, { category: 'KSNODETYPE_SPEAKER', name: 'Boxes' }))).toBe('Speakers');
    expect(endpointName(pin(3, { category: 'KSNODETYPE_MICROPHONE', name: 'Front Mic' }))).toBe('Front Mic');
    expect(endpointName(pin(3, { category: 'KSNODETYPE_LINE_CONNECTOR' }))).toBe('Line Out');
    expect(endpointName(pin(3, { category: 'KSNODETYPE_LINE_CONNECTOR', name: 'Line Connector' }))).toBe(
      'Line Out',
    );
    expect(endpointName(pin(3, { category: 'KSNODETYPE_LINE_CONNECTOR', dataFlow: 'in' }))).toBe('Line In');
    expect(endpointName(pin(3, { category: 'KSNODETYPE_DAT_IO_DIGITAL_AUDIO_TAPE' }))).toBe(
      'Dat io digital audio tape',
    );
    expect(endpointName(pin(3, { category: '{12345678-0000-0000-0000-000000000000}' }))).toBe('Pin 3');
  });

  it('are preferred in the order of the endpoint builder', () => {
    const order = [
      'KSNODETYPE_SPDIF_INTERFACE',
      'KSNODETYPE_CD_PLAYER',
      'KSNODETYPE_SPEAKER',
      'KSNODETYPE_LINE_CONNECTOR',
    ];
    expect(order.toSorted((a, b) => endpointRank('render', a) - endpointRank('render', b))).toEqual([
      'KSNODETYPE_SPEAKER',
      'KSNODETYPE_LINE_CONNECTOR',
      'KSNODETYPE_SPDIF_INTERFACE',
      'KSNODETYPE_CD_PLAYER',
    ]);
  });
});
