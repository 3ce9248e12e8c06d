/**
 * The topology filter: the AK4531's mixer.
 *
 *   wave (DAC2)  ──> volume ──> mute ──┐
 *   wave 2 (DAC1) ─> volume ──> mute ──┤
 *   mic ─> boost ──> volume ─┬> mute ──┼──> SUM ─┬──> volume ──> mute ──> speakers
 *   CD ────────────> volume ─┼> mute ──┤         └──> volume ──> mute ──> mono out
 *   line ──────────> volume ─┼> mute ──┤
 *   aux ───────────> volume ─┼> mute ──┤
 *   mono 1, 2 ─────> volume ─┼> mute ──┘
 *                            └──────────────> MUX <── stereo mix ── SUM
 *                                              └──> record
 *
 * The mutes of the inputs are the output mixer's switches: a muted input can still be recorded, at its volume.
 */
import type { GUID } from '../../com/index.ts';
import {
  KSAUDFNAME_AUX,
  KSAUDFNAME_AUX_MUTE,
  KSAUDFNAME_AUX_VOLUME,
  KSAUDFNAME_CD_MUTE,
  KSAUDFNAME_CD_VOLUME,
  KSAUDFNAME_LINE_IN_VOLUME,
  KSAUDFNAME_LINE_MUTE,
  KSAUDFNAME_MASTER_MUTE,
  KSAUDFNAME_MASTER_VOLUME,
  KSAUDFNAME_MIC_MUTE,
  KSAUDFNAME_MIC_VOLUME,
  KSAUDFNAME_MICROPHONE_BOOST,
  KSAUDFNAME_MONO_OUT,
  KSAUDFNAME_MONO_OUT_MUTE,
  KSAUDFNAME_MONO_OUT_VOLUME,
  KSAUDFNAME_RECORDING_SOURCE,
  KSAUDFNAME_STEREO_MIX,
  KSAUDFNAME_WAVE_MUTE,
  KSAUDFNAME_WAVE_VOLUME,
  KSCATEGORY_AUDIO,
  type KSJACK_DESCRIPTION,
  KSNODETYPE_ANALOG_CONNECTOR,
  KSNODETYPE_CD_PLAYER,
  KSNODETYPE_LINE_CONNECTOR,
  KSNODETYPE_LOUDNESS,
  KSNODETYPE_MICROPHONE,
  KSNODETYPE_MUTE,
  KSNODETYPE_MUX,
  KSNODETYPE_SPEAKER,
  KSNODETYPE_SUM,
  KSNODETYPE_VOLUME,
  KSPIN_DATAFLOW_IN,
  KSPIN_DATAFLOW_OUT,
} from '../../ks/index.ts';
import type { PCCONNECTION_DESCRIPTOR, PCPIN_DESCRIPTOR } from '../../portcls/index.ts';
import {
  COLOR_BLUE,
  COLOR_LIME,
  COLOR_PINK,
  FRONT_LEFT_RIGHT,
  INTERNAL_HEADER,
  rearJack,
} from '../common/jacks.ts';
import { type TopologyNode as BuilderNode, type End, TopologyBuilder } from '../common/topology-builder.ts';
import {
  type GainStage,
  inputStage,
  MONO_OUT_STAGE,
  masterStage,
  type RecordSource,
  type SwitchBit,
} from './mixer-controls.ts';
import * as N from './names.ts';
import * as R from './registers.ts';

/** What a node's properties act on. */
export type NodeControl =
  | { readonly kind: 'volume'; readonly stage: GainStage }
  /** A bit for each channel; `muted` is the value that mutes. */
  | { readonly kind: 'mute'; readonly bits: readonly SwitchBit[]; readonly muted: 0 | 1 }
  | { readonly kind: 'boost' }
  /** Input pins 1…n of the mux, in this order. */
  | { readonly kind: 'mux'; readonly sources: readonly RecordSource[] }
  | { readonly kind: 'none' };

export type TopologyNode = BuilderNode<NodeControl>;

/** Pins that the wave filter is wired to. */
export interface BridgePins {
  readonly wave: number;
  readonly wave2: number;
  readonly record: number;
}

export interface Topology {
  readonly pins: readonly PCPIN_DESCRIPTOR[];
  readonly nodes: readonly TopologyNode[];
  readonly connections: readonly PCCONNECTION_DESCRIPTOR[];
  readonly bridgePins: BridgePins;
  /** Jacks by pin. */
  readonly jacks: ReadonlyMap<number, KSJACK_DESCRIPTION>;
}

const sw1 = (...bits: number[]): readonly SwitchBit[] => bits.map((bit) => ({ register: R.AK_OUT_SW1, bit }));
const sw2 = (...bits: number[]): readonly SwitchBit[] => bits.map((bit) => ({ register: R.AK_OUT_SW2, bit }));

/** An analogue input of the codec, and what hangs on it. */
interface InputSpec {
  readonly source: Exclude<RecordSource, 'stereoMix'>;
  readonly stage: GainStage;
  readonly switches: readonly SwitchBit[];
  readonly category: GUID;
  readonly pinName: GUID | null;
  readonly volumeName: GUID;
  readonly muteName: GUID;
  readonly jack: KSJACK_DESCRIPTION;
}

const INPUTS: readonly InputSpec[] = [
  {
    source: 'mic',
    stage: inputStage(R.AK_MIC),
    switches: sw1(R.SW1_MIC),
    category: KSNODETYPE_MICROPHONE,
    pinName: null,
    volumeName: KSAUDFNAME_MIC_VOLUME,
    muteName: KSAUDFNAME_MIC_MUTE,
    jack: rearJack(0, COLOR_PINK),
  },
  {
    source: 'cd',
    stage: inputStage(R.AK_LCD, R.AK_RCD),
    switches: sw1(R.SW1_CDL, R.SW1_CDR),
    category: KSNODETYPE_CD_PLAYER,
    pinName: null,
    volumeName: KSAUDFNAME_CD_VOLUME,
    muteName: KSAUDFNAME_CD_MUTE,
    jack: INTERNAL_HEADER,
  },
  {
    source: 'line',
    stage: inputStage(R.AK_LLINE, R.AK_RLINE),
    switches: sw1(R.SW1_LINEL, R.SW1_LINER),
    category: KSNODETYPE_LINE_CONNECTOR,
    pinName: null,
    volumeName: KSAUDFNAME_LINE_IN_VOLUME,
    muteName: KSAUDFNAME_LINE_MUTE,
    jack: rearJack(0, COLOR_BLUE),
  },
  {
    source: 'aux',
    stage: inputStage(R.AK_LAUX, R.AK_RAUX),
    switches: sw2(R.OUT2_AUXL, R.OUT2_AUXR),
    category: KSNODETYPE_ANALOG_CONNECTOR,
    pinName: KSAUDFNAME_AUX,
    volumeName: KSAUDFNAME_AUX_VOLUME,
    muteName: KSAUDFNAME_AUX_MUTE,
    jack: INTERNAL_HEADER,
  },
  {
    source: 'mono1',
    stage: inputStage(R.AK_MONO1),
    switches: sw2(R.OUT2_MONO1),
    category: KSNODETYPE_ANALOG_CONNECTOR,
    pinName: N.NAME_MONO1,
    volumeName: N.NAME_MONO1_VOLUME,
    muteName: N.NAME_MONO1_MUTE,
    jack: INTERNAL_HEADER,
  },
  {
    source: 'mono2',
    stage: inputStage(R.AK_MONO2),
    switches: sw2(R.OUT2_MONO2),
    category: KSNODETYPE_ANALOG_CONNECTOR,
    pinName: N.NAME_MONO2,
    volumeName: N.NAME_MONO2_VOLUME,
    muteName: N.NAME_MONO2_MUTE,
    jack: INTERNAL_HEADER,
  },
];

/** The builder, with the codec's pairs of nodes. */
class MixerBuilder extends TopologyBuilder<NodeControl> {
  volume(from: End, stage: GainStage, name: GUID): End {
    return this.through(from, KSNODETYPE_VOLUME, name, { kind: 'volume', stage });
  }

  mute(from: End, bits: readonly SwitchBit[], muted: 0 | 1, name: GUID): End {
    return this.through(from, KSNODETYPE_MUTE, name, { kind: 'mute', bits, muted });
  }
}

/** Draws the mixer. */
export function buildTopology(): Topology {
  const builder = new MixerBuilder();
  const sum = { inputs: 0, node: builder.node(KSNODETYPE_SUM, null, { kind: 'none' }) };
  const mixIn = (from: End) => {
    sum.inputs += 1;
    builder.wire(from, { node: sum.node, pin: sum.inputs });
  };
  const dac = (stage: GainStage, bits: readonly SwitchBit[], volumeName: GUID, muteName: GUID): number => {
    const pin = builder.pin(KSPIN_DATAFLOW_IN, KSCATEGORY_AUDIO, null, null);
    mixIn(builder.mute(builder.volume(pin, stage, volumeName), bits, 0, muteName));
    return pin.pin;
  };
  const wave = dac(
    inputStage(R.AK_LVOICE, R.AK_RVOICE),
    sw2(R.OUT2_VOICEL, R.OUT2_VOICER),
    KSAUDFNAME_WAVE_VOLUME,
    KSAUDFNAME_WAVE_MUTE,
  );
  const wave2 = dac(
    inputStage(R.AK_LFM, R.AK_RFM),
    sw1(R.SW1_FML, R.SW1_FMR),
    N.NAME_WAVE2_VOLUME,
    N.NAME_WAVE2_MUTE,
  );

  const recordable: { source: RecordSource; from: End }[] = [];
  for (const input of INPUTS) {
    let from = builder.pin(KSPIN_DATAFLOW_IN, input.category, input.pinName, input.jack);
    if (input.source === 'mic')
      from = builder.through(from, KSNODETYPE_LOUDNESS, KSAUDFNAME_MICROPHONE_BOOST, { kind: 'boost' });
    from = builder.volume(from, input.stage, input.volumeName);
    recordable.push({ source: input.source, from });
    mixIn(builder.mute(from, input.switches, 0, input.muteName));
  }

  const mix: End = { node: sum.node, pin: 0 };
  const speakers = builder.mute(
    builder.volume(mix, masterStage(R.AK_LMASTER, R.AK_RMASTER), KSAUDFNAME_MASTER_VOLUME),
    [
      { register: R.AK_LMASTER, bit: R.AK_MUTE },
      { register: R.AK_RMASTER, bit: R.AK_MUTE },
    ],
    1,
    KSAUDFNAME_MASTER_MUTE,
  );
  builder.wire(
    speakers,
    builder.pin(KSPIN_DATAFLOW_OUT, KSNODETYPE_SPEAKER, null, rearJack(FRONT_LEFT_RIGHT, COLOR_LIME)),
  );
  const mono = builder.mute(
    builder.volume(mix, MONO_OUT_STAGE, KSAUDFNAME_MONO_OUT_VOLUME),
    [{ register: R.AK_MONO_OUT, bit: R.AK_MUTE }],
    1,
    KSAUDFNAME_MONO_OUT_MUTE,
  );
  builder.wire(
    mono,
    builder.pin(KSPIN_DATAFLOW_OUT, KSNODETYPE_ANALOG_CONNECTOR, KSAUDFNAME_MONO_OUT, INTERNAL_HEADER),
  );

  const tap = builder.through(mix, KSNODETYPE_SUM, KSAUDFNAME_STEREO_MIX, { kind: 'none' });
  recordable.push({ source: 'stereoMix', from: tap });
  const mux = builder.node(KSNODETYPE_MUX, KSAUDFNAME_RECORDING_SOURCE, {
    kind: 'mux',
    sources: recordable.map(({ source }) => source),
  });
  recordable.forEach(({ from }, index) => {
    builder.wire(from, { node: mux, pin: index + 1 });
  });
  const record = builder.pin(KSPIN_DATAFLOW_OUT, KSCATEGORY_AUDIO, null, null);
  builder.wire({ node: mux, pin: 0 }, record);

  return {
    pins: builder.pins,
    nodes: builder.nodes,
    connections: builder.connections,
    jacks: builder.jacks,
    bridgePins: { wave, wave2, record: record.pin },
  };
}
