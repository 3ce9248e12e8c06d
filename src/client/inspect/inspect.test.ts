import { describe, expect, it } from 'vitest';
import { formatDot, formatFilters } from './index.ts';
import type { FilterModel, PinModel } from './model.ts';
import { decodeSupport } from './node-properties.ts';

const words = (...values: number[]) => new Uint8Array(Uint32Array.from(values).buffer);
/** KSPROPTYPESETID_General stands at byte 8; its value plays no part in reading. */
const description = (access: number, size: number, type: number, lists: number) =>
  words(access, size, 0x97e99ba0, 0x11cfbdea, 0x0000d6a5, 0x00001050, type, 0, lists, 0);
const join = (...parts: Uint8Array[]) => Uint8Array.from(parts.flatMap((part) => [...part]));

describe('basic support', () => {
  it('is read with the ranges of every channel', () => {
    const bytes = join(
      description(0x203, 40 + 16 + 32, 3, 1),
      words(2, 16, 2, 2 | 4),
      words(0x18000, 0, -46.5 * 65536, 0),
      words(0x18000, 0, -46.5 * 65536, 0),
    );
    expect(decodeSupport(bytes)).toEqual({
      get: true,
      set: true,
      valueType: 'VT_I4',
      ranges: [
        { minimum: -46.5 * 65536, maximum: 0, step: 0x18000 },
        { minimum: -46.5 * 65536, maximum: 0, step: 0x18000 },
      ],
      multichannel: true,
      uniform: true,
    });
  });

  it('is read from flags alone, and from the bare description', () => {
    const bare = { valueType: null, ranges: [], multichannel: false, uniform: false };
    expect(decodeSupport(words(1))).toEqual({ get: true, set: false, ...bare });
    expect(decodeSupport(description(2, 40, 11, 0))).toEqual({
      get: false,
      set: true,
      ...bare,
      valueType: 'VT_BOOL',
    });
  });

  it('is read as far as it goes when its counts are lies', () => {
    const bytes = join(
      description(1, 9999, 19, 0xffffffff),
      words(2, 16, 0xffffffff, 0),
      words(1, 0, 0, 0xffffffff),
    );
    expect(decodeSupport(bytes).ranges).toEqual([{ minimum: 0, maximum: 0xffffffff, step: 1 }]);
    expect(
      decodeSupport(join(description(1, 9999, 19, 3), words(7, 0xfffffff0, 0xfffffff0, 0))).ranges,
    ).toEqual([]);
  });
});

const pin = (id: number, fields: Partial<PinModel>): PinModel => ({
  id,
  category: 'KSCATEGORY_AUDIO',
  name: null,
  dataFlow: 'in',
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
const wavePath = '\\??\\PCI#VEN_8086#0#{6994AD04-93EF-11D0-A3CC-00A0C9223196}\\Wave';
const topologyPath = wavePath.replace('Wave', 'Topology');
const wave: FilterModel = {
  path: wavePath,
  reference: 'Wave',
  categories: ['KSCATEGORY_AUDIO', 'KSCATEGORY_RENDER'],
  pins: [
    pin(0, {
      communication: 'sink',
      possibleInstances: 1,
      interfaces: ['STANDARD_LOOPED_STREAMING'],
      dataRanges: [
        {
          majorFormat: 'KSDATAFORMAT_TYPE_AUDIO',
          subFormat: 'KSDATAFORMAT_SUBTYPE_PCM',
          specifier: 'KSDATAFORMAT_SPECIFIER_WAVEFORMATEX',
          audio: {
            maximumChannels: 2,
            minimumBits: 16,
            maximumBits: 16,
            minimumRate: 8000,
            maximumRate: 48000,
          },
        },
      ],
    }),
    pin(1, { dataFlow: 'out', physicalConnection: { path: topologyPath, pin: 0 } }),
  ],
  nodes: [{ id: 0, type: 'KSNODETYPE_DAC', name: null, properties: [] }],
  connections: [
    { fromNode: null, fromPin: 0, toNode: 0, toPin: 1 },
    { fromNode: 0, fromPin: 0, toNode: null, toPin: 1 },
  ],
};
const topology: FilterModel = {
  path: topologyPath,
  reference: 'Topology',
  categories: ['KSCATEGORY_AUDIO', 'KSCATEGORY_TOPOLOGY'],
  pins: [
    pin(0, { physicalConnection: { path: wavePath, pin: 1 } }),
    pin(1, {
      dataFlow: 'out',
      category: 'KSNODETYPE_SPEAKER',
      name: 'The "loud" ones',
      jacks: [
        {
          channelMapping: 3,
          color: '#b3c98c',
          connection: '3.5 mm jack',
          place: 'rear',
          enclosure: 'primary box',
          port: 'jack',
          connected: true,
        },
      ],
    }),
  ],
  nodes: [
    {
      id: 0,
      type: 'KSNODETYPE_VOLUME',
      name: 'Master Volume',
      properties: [
        {
          property: 'KSPROPERTY_AUDIO_VOLUMELEVEL',
          get: true,
          set: true,
          valueType: 'VT_I4',
          ranges: [{ minimum: -3047424, maximum: 0, step: 98304 }],
          multichannel: true,
          uniform: false,
        },
      ],
    },
  ],
  connections: [
    { fromNode: null, fromPin: 0, toNode: 0, toPin: 1 },
    { fromNode: 0, fromPin: 0, toNode: null, toPin: 1 },
  ],
};

describe('filters', () => {
  it('are printed as text', () => {
    expect(formatFilters([wave, topology])).toMatchInlineSnapshot(`
      "Filter Wave
        path        \\??\\PCI#VEN_8086#0#{6994AD04-93EF-11D0-A3CC-00A0C9223196}\\Wave
        categories  KSCATEGORY_AUDIO, KSCATEGORY_RENDER
        pins
           0  in  sink   KSCATEGORY_AUDIO  (0 of 1 open)
                PCM, up to 2 channels, 16 bits, 8000–48000 Hz (WAVEFORMATEX)
                interfaces STANDARD_LOOPED_STREAMING
           1  out none   KSCATEGORY_AUDIO  (hard-wired)
                wired to pin 0 of Topology
        nodes
           0  KSNODETYPE_DAC
        connections
          pin 0 → node 0 (DAC).1
          node 0 (DAC).0 → pin 1

      Filter Topology
        path        \\??\\PCI#VEN_8086#0#{6994AD04-93EF-11D0-A3CC-00A0C9223196}\\Topology
        categories  KSCATEGORY_AUDIO, KSCATEGORY_TOPOLOGY
        pins
           0  in  none   KSCATEGORY_AUDIO  (hard-wired)
                wired to pin 1 of Wave
           1  out none   KSNODETYPE_SPEAKER  "The "loud" ones"  (hard-wired)
                jack 3.5 mm jack, rear, primary box, #b3c98c, connected
        nodes
           0  KSNODETYPE_VOLUME  "Master Volume"
                get set  KSPROPERTY_AUDIO_VOLUMELEVEL  -46.5…0 dB by 1.5
        connections
          pin 0 → node 0 (VOLUME).1
          node 0 (VOLUME).0 → pin 1
      "
    `);
  });

  it('are drawn as a graph, wires between filters once and dashed', () => {
    expect(formatDot([wave, topology])).toMatchInlineSnapshot(`
      "digraph filters {
        rankdir=LR;
        node [fontname="sans-serif", fontsize=10];
        subgraph cluster_0 {
          label="Wave";
          f0p0 [shape=doubleoctagon, label="0: AUDIO"];
          f0p1 [shape=cds, label="1: AUDIO"];
          f0n0 [shape=box, label="DAC"];
          f0p0 -> f0n0;
          f0n0 -> f0p1;
        }
        subgraph cluster_1 {
          label="Topology";
          f1p0 [shape=cds, label="0: AUDIO"];
          f1p1 [shape=house, label="1: The \\"loud\\" ones"];
          f1n0 [shape=box, label="VOLUME\\nMaster Volume"];
          f1p0 -> f1n0;
          f1n0 -> f1p1;
        }
        f0p1 -> f1p0 [style=dashed];
      }
      "
    `);
  });
});
