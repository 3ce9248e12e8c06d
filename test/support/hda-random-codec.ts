/** Codecs that nobody would build, for property-based tests: random widgets wired at random, loops included. */
import fc from 'fast-check';
import {
  HDA_CONNECTION_TYPES,
  HDA_DEFAULT_DEVICES,
  HDA_JACK_COLORS,
  HDA_LOCATIONS,
  HDA_PORT_CONNECTIVITY,
  type HdaAmpDefinition,
  type HdaCodecDefinition,
  type HdaPinConfig,
  type HdaWidgetDefinition,
  type HdaWidgetKind,
} from '../../src/hardware/hda/definition.ts';

const FIRST_NID = 2;
const PCM = { rates: [44_100, 48_000], bits: [16, 24] } as const;

function ampArbitrary(mute: fc.Arbitrary<boolean>): fc.Arbitrary<HdaAmpDefinition> {
  return fc
    .record({
      steps: fc.constantFrom(0, 1, 31, 127),
      part: fc.nat(127),
      stepQuarterDb: fc.integer({ min: 1, max: 128 }),
      mute,
    })
    .map(({ steps, part, stepQuarterDb, mute: canMute }) => ({
      steps,
      offset: steps === 0 ? 0 : part % (steps + 1),
      stepQuarterDb,
      mute: canMute,
    }));
}

const anyAmp = fc.option(ampArbitrary(fc.boolean()), { nil: undefined });
/** What stands in front of a mixer can be silenced: else nobody could keep two signals apart. */
const mutingAmp = ampArbitrary(fc.constant(true));

const pinConfig: fc.Arbitrary<HdaPinConfig> = fc.record({
  port: fc.constantFrom(...HDA_PORT_CONNECTIVITY, 'jack' as const, 'fixed' as const),
  location: fc.constantFrom(...(Object.keys(HDA_LOCATIONS) as (keyof typeof HDA_LOCATIONS)[])),
  device: fc.constantFrom(...HDA_DEFAULT_DEVICES, 'line-out' as const, 'mic' as const),
  connection: fc.constantFrom(...HDA_CONNECTION_TYPES),
  color: fc.constantFrom(...HDA_JACK_COLORS),
  misc: fc.constantFrom(0, 1),
  association: fc.constantFrom(0, 1, 1, 1, 2, 2, 3, 15),
  sequence: fc.nat(15),
});

interface Sketch {
  readonly kind: HdaWidgetKind;
  readonly channels: number;
  readonly digital: boolean;
  readonly connections: readonly number[];
  readonly inAmp: HdaAmpDefinition | undefined;
  readonly mixerAmp: HdaAmpDefinition;
  readonly outAmp: HdaAmpDefinition | undefined;
  readonly powerControl: boolean;
  readonly unsolicited: boolean;
  readonly output: boolean;
  readonly input: boolean;
  readonly presenceDetect: boolean;
  readonly eapd: boolean;
  readonly headphone: boolean;
  readonly config: HdaPinConfig;
}

const sketch: fc.Arbitrary<Sketch> = fc.record({
  kind: fc.constantFrom<HdaWidgetKind>(
    'audio-output',
    'audio-output',
    'audio-input',
    'mixer',
    'mixer',
    'selector',
    'pin',
    'pin',
    'pin',
    'vendor',
    'beep',
  ),
  channels: fc.constantFrom(1, 2, 2, 2, 2),
  digital: fc.constantFrom(false, false, false, false, true),
  connections: fc.uniqueArray(fc.nat(1000), { maxLength: 6 }),
  inAmp: anyAmp,
  mixerAmp: mutingAmp,
  outAmp: anyAmp,
  powerControl: fc.boolean(),
  unsolicited: fc.boolean(),
  output: fc.boolean(),
  input: fc.boolean(),
  presenceDetect: fc.boolean(),
  eapd: fc.boolean(),
  headphone: fc.boolean(),
  config: pinConfig,
});

function widgetOf(from: Sketch, index: number, count: number): HdaWidgetDefinition {
  const { kind, digital } = from;
  const sourceless = kind === 'audio-output' || kind === 'vendor' || kind === 'beep';
  const connections = [...new Set(from.connections.map((value) => FIRST_NID + (value % count)))];
  const amps = kind !== 'vendor' && kind !== 'beep';
  return {
    nid: FIRST_NID + index,
    name: `${kind} ${index}`,
    kind,
    channels: from.channels,
    digital,
    connections: sourceless ? [] : connections,
    ...(kind === 'mixer' ? { inAmp: from.mixerAmp } : amps && from.inAmp ? { inAmp: from.inAmp } : {}),
    ...(amps && from.outAmp ? { outAmp: from.outAmp } : {}),
    ...(kind === 'audio-output' || kind === 'audio-input' ? { pcm: PCM } : {}),
    powerControl: from.powerControl,
    unsolicited: from.unsolicited,
    ...(kind === 'pin'
      ? {
          pin: {
            output: from.output,
            input: from.input,
            presenceDetect: from.presenceDetect,
            eapd: from.eapd,
            headphone: from.headphone,
            config: from.config,
          },
        }
      : {}),
  };
}

/** Function group and identity around widgets. */
function codecOf(
  widgets: readonly HdaWidgetDefinition[],
  powerStates: number,
  resetPowerState: number,
): HdaCodecDefinition {
  return {
    name: 'random',
    title: 'random codec',
    vendorId: 0x4d50_ffff,
    subsystemId: 0x4d50_0000,
    revisionId: 0x0010_0000,
    functionGroupNid: 1,
    pcm: PCM,
    powerStates,
    resetPowerState: powerStates === 0 ? 0 : resetPowerState,
    widgets,
  };
}

const group = {
  powerStates: fc.constantFrom(0, 0x09, 0x0f),
  resetPowerState: fc.constantFrom(0, 3),
};

/** Up to two dozen widgets of any kind, wired to any. */
const wildCodec = fc
  .record({ sketches: fc.array(sketch, { minLength: 1, maxLength: 24 }), ...group })
  .map(({ sketches, powerStates, resetPowerState }) =>
    codecOf(
      sketches.map((from, index) => widgetOf(from, index, sketches.length)),
      powerStates,
      resetPowerState,
    ),
  );

/**
 * Codecs in the manner of real ones: converters, two layers of mixers and selectors, pins; everything wired densely towards the jacks, or
 * from the jacks to the recorders.
 */
const layeredCodec = fc
  .record({
    dacs: fc.integer({ min: 1, max: 4 }),
    adcs: fc.integer({ min: 0, max: 3 }),
    first: fc.integer({ min: 0, max: 4 }),
    second: fc.integer({ min: 0, max: 4 }),
    outputs: fc.integer({ min: 1, max: 5 }),
    inputs: fc.integer({ min: 0, max: 4 }),
    sketches: fc.array(sketch, { minLength: 24, maxLength: 24 }),
    ...group,
  })
  .map(({ dacs, adcs, first, second, outputs, inputs, sketches, powerStates, resetPowerState }) => {
    const layers = [dacs, adcs, first, second, outputs, inputs];
    const starts = layers.map((_, layer) => FIRST_NID + layers.slice(0, layer).reduce((a, b) => a + b, 0));
    const nids = layers.map((count, layer) => Array.from({ length: count }, (_, n) => starts[layer]! + n));
    const [dacNids, adcNids, firstNids, secondNids, outputNids, inputNids] = nids;
    const make = (
      nid: number,
      kind: HdaWidgetKind,
      sources: readonly number[],
      more: Partial<Sketch> = {},
    ) => {
      const from = { ...sketches[nid - FIRST_NID]!, kind, digital: false, ...more };
      const picked =
        sources.length === 0 ? [] : from.connections.map((value) => sources[value % sources.length]!);
      const connections = [...new Set(picked)];
      return { ...widgetOf({ ...from, connections: [] }, nid - FIRST_NID, 1), connections };
    };
    const middle = (nid: number): HdaWidgetKind =>
      sketches[nid - FIRST_NID]!.kind === 'selector' || sketches[nid - FIRST_NID]!.headphone
        ? 'selector'
        : 'mixer';
    const below = [...dacNids!, ...inputNids!];
    const pin = (nid: number, direction: 'in' | 'out') => ({
      output: direction === 'out',
      input: direction === 'in',
      config: {
        ...sketches[nid - FIRST_NID]!.config,
        port: 'jack' as const,
        device: direction === 'in' ? ('mic' as const) : ('line-out' as const),
      },
    });
    return codecOf(
      [
        ...dacNids!.map((nid) => make(nid, 'audio-output', [])),
        ...adcNids!.map((nid) => make(nid, 'audio-input', [...firstNids!, ...secondNids!, ...inputNids!])),
        ...firstNids!.map((nid) => make(nid, middle(nid), below)),
        ...secondNids!.map((nid) => make(nid, middle(nid), [...below, ...firstNids!, ...firstNids!])),
        ...outputNids!.map((nid) =>
          make(nid, 'pin', [...secondNids!, ...firstNids!, ...dacNids!], pin(nid, 'out')),
        ),
        ...inputNids!.map((nid) => make(nid, 'pin', [], pin(nid, 'in'))),
      ],
      powerStates,
      resetPowerState,
    );
  });

/** Any codec: wild ones, and ones that look like something. */
export const randomCodec: fc.Arbitrary<HdaCodecDefinition> = fc.oneof(wildCodec, layeredCodec);
