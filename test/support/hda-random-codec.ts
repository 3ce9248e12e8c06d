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

/** Up to two dozen widgets. */
export const randomCodec: fc.Arbitrary<HdaCodecDefinition> = fc
  .record({
    sketches: fc.array(sketch, { minLength: 1, maxLength: 24 }),
    powerStates: fc.constantFrom(0, 0x09, 0x0f),
    resetPowerState: fc.constantFrom(0, 3),
  })
  .map(({ sketches, powerStates, resetPowerState }) => ({
    name: 'random',
    title: 'random codec',
    vendorId: 0x4d50_ffff,
    subsystemId: 0x4d50_0000,
    revisionId: 0x0010_0000,
    functionGroupNid: 1,
    pcm: PCM,
    powerStates,
    resetPowerState: powerStates === 0 ? 0 : resetPowerState,
    widgets: sketches.map((from, index) => widgetOf(from, index, sketches.length)),
  }));
