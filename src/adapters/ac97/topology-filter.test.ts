import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type ConnectionModel, checkTopology, type FilterModel } from '../../client/index.ts';
import { KSPIN_DATAFLOW_IN, ksGuidName } from '../../ks/index.ts';
import { PCFILTER_NODE } from '../../portcls/index.ts';
import type { CodecFeatures } from './common.ts';
import * as R from './registers.ts';
import { buildTopology, type Topology } from './topology-filter.ts';
import { waveFilter } from './wave-filter.ts';

const OPTIONAL = [
  R.NAM_AUX_OUT_VOLUME,
  R.NAM_MONO_VOLUME,
  R.NAM_PC_BEEP_VOLUME,
  R.NAM_PHONE_VOLUME,
  R.NAM_MIC_VOLUME,
  R.NAM_LINE_IN_VOLUME,
  R.NAM_CD_VOLUME,
  R.NAM_VIDEO_VOLUME,
  R.NAM_AUX_IN_VOLUME,
  R.NAM_RECORD_GAIN_MIC,
] as const;
const MANDATORY = [R.NAM_MASTER_VOLUME, R.NAM_PCM_OUT_VOLUME, R.NAM_RECORD_GAIN] as const;

const features = (registers: readonly number[], more: Partial<CodecFeatures> = {}): CodecFeatures => ({
  vendorId: 0,
  volumeMasks: new Map([...MANDATORY, ...registers].map((register) => [register, 0x9f5f])),
  tone: false,
  dedicatedMic: false,
  variableRate: false,
  variableRateMic: false,
  ...more,
});

/** The name of a constant, for reading; texts of the registry are PortCls's business. */
const nameOf = (guid: Parameters<typeof ksGuidName>[0]) => ksGuidName(guid) ?? guid.toString();

const PROPERTIES: Readonly<Record<string, string>> = {
  volume: 'KSPROPERTY_AUDIO_VOLUMELEVEL',
  mute: 'KSPROPERTY_AUDIO_MUTE',
  bass: 'KSPROPERTY_AUDIO_BASS',
  treble: 'KSPROPERTY_AUDIO_TREBLE',
  boost: 'KSPROPERTY_AUDIO_LOUDNESS',
  mux: 'KSPROPERTY_AUDIO_MUX_SOURCE',
};

/** Both filters as a client would see them, wired as the adapter wires them. */
function models(found: CodecFeatures): { filters: FilterModel[]; topology: Topology } {
  const topology = buildTopology(found);
  const wave = waveFilter(found);
  const { waveOut, record, micRecord } = topology.bridgePins;
  const wires = new Map<number, number>([
    [waveOut, 1],
    [record, 3],
    ...(micRecord === null ? [] : [[micRecord, 5] as const]),
  ]);
  const connection = ({
    fromNode,
    fromNodePin,
    toNode,
    toNodePin,
  }: Topology['connections'][number]): ConnectionModel => ({
    fromNode: fromNode === PCFILTER_NODE ? null : fromNode,
    fromPin: fromNodePin,
    toNode: toNode === PCFILTER_NODE ? null : toNode,
    toPin: toNodePin,
  });
  const pins = (list: Topology['pins'], peer: (pin: number) => { path: string; pin: number } | null) =>
    list.map(({ kspinDescriptor, maxFilterInstanceCount }, id) => ({
      id,
      category: nameOf(kspinDescriptor.category),
      name: kspinDescriptor.name === null ? null : nameOf(kspinDescriptor.name),
      dataFlow: kspinDescriptor.dataFlow === KSPIN_DATAFLOW_IN ? ('in' as const) : ('out' as const),
      communication: maxFilterInstanceCount > 0 ? ('sink' as const) : ('none' as const),
      possibleInstances: maxFilterInstanceCount,
      currentInstances: 0,
      necessaryInstances: 0,
      dataRanges: [],
      interfaces: [],
      mediums: [],
      physicalConnection: peer(id),
      jacks: [],
    }));
  const property = (name: string) => ({
    property: name,
    get: true,
    set: true,
    valueType: null,
    ranges: [],
    multichannel: false,
    uniform: false,
  });
  return {
    topology,
    filters: [
      {
        path: 'topology',
        reference: 'Topology',
        categories: [],
        pins: pins(topology.pins, (pin) => {
          const other = wires.get(pin);
          return other === undefined ? null : { path: 'wave', pin: other };
        }),
        nodes: topology.nodes.map(({ type, name, control }, id) => ({
          id,
          type: nameOf(type),
          name: name === null ? nameOf(type) : nameOf(name),
          properties: [PROPERTIES[control.kind]].flatMap((one) => (one === undefined ? [] : [property(one)])),
        })),
        connections: topology.connections.map(connection),
      },
      {
        path: 'wave',
        reference: 'Wave',
        categories: [],
        pins: pins(wave.pins, (pin) => {
          const other = [...wires].find(([, wavePin]) => wavePin === pin);
          return other === undefined ? null : { path: 'topology', pin: other[0] };
        }),
        nodes: (wave.nodes ?? []).map(({ type, name }, id) => ({
          id,
          type: nameOf(type),
          name: name ? nameOf(name) : nameOf(type),
          properties: [],
        })),
        connections: (wave.connections ?? []).map(connection),
      },
    ],
  };
}

describe("the AC'97 filters", () => {
  it('keep the rules of topologies whatever the codec has', () => {
    const codecs = fc.record({
      registers: fc.subarray([...OPTIONAL]),
      tone: fc.boolean(),
      dedicatedMic: fc.boolean(),
      variableRate: fc.boolean(),
      variableRateMic: fc.boolean(),
    });
    fc.assert(
      fc.property(codecs, ({ registers, ...more }) => {
        expect(checkTopology(models(features(registers, more)).filters)).toEqual([]);
      }),
      { numRuns: 400 },
    );
  });

  it('show of a bare codec (as QEMU’s) what it has, and its inputs', () => {
    const { topology } = models(features([]));
    const controls = topology.nodes.map(({ name, type }) => nameOf(name ?? type));
    expect(controls).toEqual([
      'KSNODETYPE_SUM',
      'KSAUDFNAME_WAVE_VOLUME',
      'KSAUDFNAME_WAVE_MUTE',
      'KSAUDFNAME_MASTER_VOLUME',
      'KSAUDFNAME_MASTER_MUTE',
      'KSAUDFNAME_STEREO_MIX',
      'KSAUDFNAME_MONO_MIX',
      'KSAUDFNAME_RECORDING_SOURCE',
      'KSAUDFNAME_WAVE_IN_VOLUME',
      expect.stringMatching(/^\{8C3C5D9E/i),
    ]);
    // AC'97 asks for microphone, CD and line of every codec: they can be recorded without a volume of their own.
    const mux = topology.nodes.find(({ control }) => control.kind === 'mux')?.control;
    expect(mux).toMatchObject({ sources: ['mic', 'cd', 'lineIn', 'stereoMix', 'monoMix'] });
    expect(topology.bridgePins.micRecord).toBeNull();
  });

  it('offer 48 kHz alone when the codec has no variable rate', () => {
    for (const [variableRate, minimum] of [
      [false, 48_000],
      [true, 8000],
    ] as const) {
      const [pin] = waveFilter(features([], { variableRate })).pins;
      expect(pin?.kspinDescriptor.dataRanges[0]).toMatchObject({
        minimumSampleFrequency: minimum,
        maximumSampleFrequency: 48_000,
      });
    }
  });
});

describe('the checks themselves', () => {
  const good = () => models(features([...OPTIONAL], { tone: true, dedicatedMic: true })).filters;
  const spoil = (change: (filter: FilterModel) => Partial<FilterModel>) => {
    const [topology, wave] = good() as [FilterModel, FilterModel];
    return new Set(checkTopology([{ ...topology, ...change(topology) }, wave]).map(({ check }) => check));
  };

  it('find what is wrong', () => {
    expect(checkTopology(good())).toEqual([]);
    const without = (index: number) => (filter: FilterModel) => ({
      connections: filter.connections.filter((_, at) => at !== index),
    });
    expect(spoil(without(0)).size).toBeGreaterThan(0);
    expect(
      spoil(({ connections }) => ({ connections: [...connections, ...connections.slice(0, 1)] })),
    ).toContain('TOP-007');
    const first = (filter: FilterModel) => filter.connections[0] as ConnectionModel;
    const replaced = (change: Partial<ConnectionModel>) => (filter: FilterModel) => ({
      connections: [{ ...first(filter), ...change }, ...filter.connections.slice(1)],
    });
    expect(spoil(replaced({ toNode: 99 }))).toContain('TOP-006');
    expect(spoil(replaced({ toPin: 7 }))).toContain('TOP-002');
    expect(
      spoil(({ pins }) => ({ pins: pins.map((pin) => ({ ...pin, dataFlow: 'out' as const })) })),
    ).toContain('TOP-005');
    expect(spoil(({ nodes }) => ({ nodes: nodes.map((node) => ({ ...node, properties: [] })) }))).toEqual(
      new Set(['TOP-016', 'TOP-017', 'TOP-018', 'TOP-021', 'TOP-022']),
    );
    expect(spoil(({ nodes }) => ({ nodes: nodes.map((node) => ({ ...node, name: null })) }))).toContain(
      'TOP-013',
    );
    expect(
      spoil(({ pins }) => ({ pins: pins.map((pin) => ({ ...pin, physicalConnection: null })) })),
    ).toContain('TOP-009');
    // A circle: the record volume back into the sum.
    expect(
      spoil(({ connections, nodes }) => ({
        connections: [...connections, { fromNode: nodes.length - 3, fromPin: 0, toNode: 0, toPin: 15 }],
      })),
    ).toContain('TOP-007');
  });
});
