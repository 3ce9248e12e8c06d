/**
 * The topology filter, built from what the codec was found to have (brackets: only then).
 *
 *   wave out ──> volume ──> mute ──┐
 *  [beep, phone, mic, line, CD,    ├──> SUM ──> [bass ──> treble] ─┬──> volume ──> mute ──> speakers
 *   video, aux] ──> volume ─> mute ┘                               ├──> [volume ──> mute ──> headphones]
 *                                                                  ├──> [volume ──> mute ──> mono out]
 *   mic ──> [boost] ─┬───────────────────────> MUX <── stereo mix ─┤
 *   line, CD, [video, aux, phone] ───────────>  │  <── mono mix ───┘
 *                    │                          └──> volume ──> mute ──> record
 *                    └──> [volume ──> mute ──> mic record]
 */
import type { GUID } from '../../com/index.ts';
import {
  KSAUDFNAME_AUX,
  KSAUDFNAME_AUX_MUTE,
  KSAUDFNAME_AUX_VOLUME,
  KSAUDFNAME_BASS,
  KSAUDFNAME_CD_MUTE,
  KSAUDFNAME_CD_VOLUME,
  KSAUDFNAME_LINE_IN_VOLUME,
  KSAUDFNAME_LINE_MUTE,
  KSAUDFNAME_MASTER_MUTE,
  KSAUDFNAME_MASTER_VOLUME,
  KSAUDFNAME_MIC_IN_VOLUME,
  KSAUDFNAME_MIC_MUTE,
  KSAUDFNAME_MIC_VOLUME,
  KSAUDFNAME_MICROPHONE_BOOST,
  KSAUDFNAME_MONO_MIX,
  KSAUDFNAME_MONO_OUT,
  KSAUDFNAME_MONO_OUT_MUTE,
  KSAUDFNAME_MONO_OUT_VOLUME,
  KSAUDFNAME_PC_SPEAKER,
  KSAUDFNAME_PC_SPEAKER_MUTE,
  KSAUDFNAME_PC_SPEAKER_VOLUME,
  KSAUDFNAME_RECORDING_SOURCE,
  KSAUDFNAME_STEREO_MIX,
  KSAUDFNAME_TREBLE,
  KSAUDFNAME_VIDEO,
  KSAUDFNAME_VIDEO_MUTE,
  KSAUDFNAME_VIDEO_VOLUME,
  KSAUDFNAME_WAVE_IN_VOLUME,
  KSAUDFNAME_WAVE_MUTE,
  KSAUDFNAME_WAVE_VOLUME,
  KSCATEGORY_AUDIO,
  type KSJACK_DESCRIPTION,
  KSNODETYPE_ANALOG_CONNECTOR,
  KSNODETYPE_CD_PLAYER,
  KSNODETYPE_HEADPHONES,
  KSNODETYPE_LINE_CONNECTOR,
  KSNODETYPE_LOUDNESS,
  KSNODETYPE_MICROPHONE,
  KSNODETYPE_MUTE,
  KSNODETYPE_MUX,
  KSNODETYPE_PHONE_LINE,
  KSNODETYPE_SPEAKER,
  KSNODETYPE_SUM,
  KSNODETYPE_TONE,
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
import type { CodecFeatures } from './common.ts';
import {
  BASS,
  BEEP_STAGE,
  type GainStage,
  inputStage,
  masterStage,
  recordStage,
  type ToneStage,
  TREBLE,
} from './mixer-controls.ts';
import {
  NAME_HEADPHONE_MUTE,
  NAME_HEADPHONE_VOLUME,
  NAME_MIC_IN_MUTE,
  NAME_PHONE_MUTE,
  NAME_PHONE_VOLUME,
  NAME_WAVE_IN_MUTE,
} from './names.ts';
import * as R from './registers.ts';

/** What a node's properties act on. */
export type NodeControl =
  | { readonly kind: 'volume'; readonly stage: GainStage }
  | { readonly kind: 'mute'; readonly register: number; readonly channels: 1 | 2 }
  | { readonly kind: 'bass' | 'treble'; readonly stage: ToneStage }
  | { readonly kind: 'boost' }
  /** Input pins 1…n of the mux, in this order. */
  | { readonly kind: 'mux'; readonly sources: readonly R.RecordSource[] }
  | { readonly kind: 'none' };

export type TopologyNode = BuilderNode<NodeControl>;

/** Pins that the wave filter is wired to. */
export interface BridgePins {
  readonly waveOut: number;
  readonly record: number;
  /** null when the codec has no ADC of its own for the microphone. */
  readonly micRecord: number | null;
}

export interface Topology {
  readonly pins: readonly PCPIN_DESCRIPTOR[];
  readonly nodes: readonly TopologyNode[];
  readonly connections: readonly PCCONNECTION_DESCRIPTOR[];
  readonly bridgePins: BridgePins;
  /** Jacks by pin. */
  readonly jacks: ReadonlyMap<number, KSJACK_DESCRIPTION>;
}

/** An analogue input of the codec, and what hangs on it. */
interface InputSpec {
  readonly source: R.RecordSource | 'beep';
  readonly register: number;
  readonly stage: GainStage;
  readonly category: GUID;
  readonly pinName: GUID | null;
  readonly volumeName: GUID | null;
  readonly muteName: GUID | null;
  readonly jack: KSJACK_DESCRIPTION | null;
  /** AC'97 asks for these inputs of every codec; the others exist when their volume register does. */
  readonly mandatory: boolean;
}

const INPUTS: readonly InputSpec[] = [
  {
    source: 'mic',
    register: R.NAM_MIC_VOLUME,
    stage: inputStage(R.NAM_MIC_VOLUME, 1),
    category: KSNODETYPE_MICROPHONE,
    pinName: null,
    volumeName: KSAUDFNAME_MIC_VOLUME,
    muteName: KSAUDFNAME_MIC_MUTE,
    jack: rearJack(0, COLOR_PINK),
    mandatory: true,
  },
  {
    source: 'cd',
    register: R.NAM_CD_VOLUME,
    stage: inputStage(R.NAM_CD_VOLUME, 2),
    category: KSNODETYPE_CD_PLAYER,
    pinName: null,
    volumeName: KSAUDFNAME_CD_VOLUME,
    muteName: KSAUDFNAME_CD_MUTE,
    jack: INTERNAL_HEADER,
    mandatory: true,
  },
  {
    source: 'video',
    register: R.NAM_VIDEO_VOLUME,
    stage: inputStage(R.NAM_VIDEO_VOLUME, 2),
    category: KSNODETYPE_ANALOG_CONNECTOR,
    pinName: KSAUDFNAME_VIDEO,
    volumeName: KSAUDFNAME_VIDEO_VOLUME,
    muteName: KSAUDFNAME_VIDEO_MUTE,
    jack: INTERNAL_HEADER,
    mandatory: false,
  },
  {
    source: 'auxIn',
    register: R.NAM_AUX_IN_VOLUME,
    stage: inputStage(R.NAM_AUX_IN_VOLUME, 2),
    category: KSNODETYPE_ANALOG_CONNECTOR,
    pinName: KSAUDFNAME_AUX,
    volumeName: KSAUDFNAME_AUX_VOLUME,
    muteName: KSAUDFNAME_AUX_MUTE,
    jack: INTERNAL_HEADER,
    mandatory: false,
  },
  {
    source: 'lineIn',
    register: R.NAM_LINE_IN_VOLUME,
    stage: inputStage(R.NAM_LINE_IN_VOLUME, 2),
    category: KSNODETYPE_LINE_CONNECTOR,
    pinName: null,
    volumeName: KSAUDFNAME_LINE_IN_VOLUME,
    muteName: KSAUDFNAME_LINE_MUTE,
    jack: rearJack(0, COLOR_BLUE),
    mandatory: true,
  },
  {
    source: 'phone',
    register: R.NAM_PHONE_VOLUME,
    stage: inputStage(R.NAM_PHONE_VOLUME, 1),
    category: KSNODETYPE_PHONE_LINE,
    pinName: null,
    volumeName: NAME_PHONE_VOLUME,
    muteName: NAME_PHONE_MUTE,
    jack: INTERNAL_HEADER,
    mandatory: false,
  },
  {
    source: 'beep',
    register: R.NAM_PC_BEEP_VOLUME,
    stage: BEEP_STAGE,
    category: KSNODETYPE_ANALOG_CONNECTOR,
    pinName: KSAUDFNAME_PC_SPEAKER,
    volumeName: KSAUDFNAME_PC_SPEAKER_VOLUME,
    muteName: KSAUDFNAME_PC_SPEAKER_MUTE,
    jack: INTERNAL_HEADER,
    mandatory: false,
  },
];

/** The record mux takes the mixer's output twice; a sum of one gives each tap its name. */
const MIXES: readonly (readonly [source: R.RecordSource, name: GUID])[] = [
  ['stereoMix', KSAUDFNAME_STEREO_MIX],
  ['monoMix', KSAUDFNAME_MONO_MIX],
];

/** The builder, with the codec's pairs of nodes. */
class MixerBuilder extends TopologyBuilder<NodeControl> {
  gain(from: End, stage: GainStage, volumeName: GUID | null, muteName: GUID | null): End {
    const volume = this.through(from, KSNODETYPE_VOLUME, volumeName, { kind: 'volume', stage });
    return this.through(volume, KSNODETYPE_MUTE, muteName, {
      kind: 'mute',
      register: stage.register,
      channels: stage.channels,
    });
  }
}

/** Draws the mixer of the codec that was found. */
export function buildTopology(features: CodecFeatures): Topology {
  const builder = new MixerBuilder();
  const has = (register: number) => (features.volumeMasks.get(register) ?? 0) !== 0;
  const sum = { inputs: 0, node: builder.node(KSNODETYPE_SUM, null, { kind: 'none' }) };
  const mixIn = (from: End) => {
    sum.inputs += 1;
    builder.wire(from, { node: sum.node, pin: sum.inputs });
  };

  const waveOut = builder.pin(KSPIN_DATAFLOW_IN, KSCATEGORY_AUDIO, null, null);
  mixIn(
    builder.gain(waveOut, inputStage(R.NAM_PCM_OUT_VOLUME, 2), KSAUDFNAME_WAVE_VOLUME, KSAUDFNAME_WAVE_MUTE),
  );

  const recordable: { source: R.RecordSource; from: End }[] = [];
  let mic: End | null = null;
  for (const input of INPUTS) {
    if (!input.mandatory && !has(input.register)) continue;
    let from = builder.pin(KSPIN_DATAFLOW_IN, input.category, input.pinName, input.jack);
    if (input.source === 'mic') {
      if (((features.volumeMasks.get(R.NAM_MIC_VOLUME) ?? 0) & R.MIC_BOOST_20DB) !== 0) {
        from = builder.through(from, KSNODETYPE_LOUDNESS, KSAUDFNAME_MICROPHONE_BOOST, { kind: 'boost' });
      }
      mic = from;
    }
    if (input.source !== 'beep') recordable.push({ source: input.source, from });
    if (has(input.register)) mixIn(builder.gain(from, input.stage, input.volumeName, input.muteName));
  }

  let mix: End = { node: sum.node, pin: 0 };
  if (features.tone) {
    mix = builder.through(mix, KSNODETYPE_TONE, KSAUDFNAME_BASS, { kind: 'bass', stage: BASS });
    mix = builder.through(mix, KSNODETYPE_TONE, KSAUDFNAME_TREBLE, { kind: 'treble', stage: TREBLE });
  }

  const outputs: readonly (readonly [
    register: number,
    channels: 1 | 2,
    category: GUID,
    pinName: GUID | null,
    volume: GUID | null,
    mute: GUID | null,
    jack: KSJACK_DESCRIPTION,
  ])[] = [
    [
      R.NAM_MASTER_VOLUME,
      2,
      KSNODETYPE_SPEAKER,
      null,
      KSAUDFNAME_MASTER_VOLUME,
      KSAUDFNAME_MASTER_MUTE,
      rearJack(FRONT_LEFT_RIGHT, COLOR_LIME),
    ],
    [
      R.NAM_AUX_OUT_VOLUME,
      2,
      KSNODETYPE_HEADPHONES,
      null,
      NAME_HEADPHONE_VOLUME,
      NAME_HEADPHONE_MUTE,
      rearJack(FRONT_LEFT_RIGHT, COLOR_LIME),
    ],
    [
      R.NAM_MONO_VOLUME,
      1,
      KSNODETYPE_ANALOG_CONNECTOR,
      KSAUDFNAME_MONO_OUT,
      KSAUDFNAME_MONO_OUT_VOLUME,
      KSAUDFNAME_MONO_OUT_MUTE,
      INTERNAL_HEADER,
    ],
  ];
  for (const [register, channels, category, pinName, volumeName, muteName, outputJack] of outputs) {
    if (!has(register)) continue;
    const codeMask = (features.volumeMasks.get(register) ?? 0) & 0x3f;
    const end = builder.gain(mix, masterStage(register, channels, codeMask), volumeName, muteName);
    builder.wire(end, builder.pin(KSPIN_DATAFLOW_OUT, category, pinName, outputJack));
  }

  for (const [source, name] of MIXES) {
    recordable.push({ source, from: builder.through(mix, KSNODETYPE_SUM, name, { kind: 'none' }) });
  }
  const mux = builder.node(KSNODETYPE_MUX, KSAUDFNAME_RECORDING_SOURCE, {
    kind: 'mux',
    sources: recordable.map(({ source }) => source),
  });
  recordable.forEach(({ from }, index) => {
    builder.wire(from, { node: mux, pin: index + 1 });
  });
  const recorded = builder.gain(
    { node: mux, pin: 0 },
    recordStage(R.NAM_RECORD_GAIN, 2),
    KSAUDFNAME_WAVE_IN_VOLUME,
    NAME_WAVE_IN_MUTE,
  );
  const record = builder.pin(KSPIN_DATAFLOW_OUT, KSCATEGORY_AUDIO, null, null);
  builder.wire(recorded, record);

  let micRecord: End | null = null;
  if (features.dedicatedMic && mic) {
    const from = has(R.NAM_RECORD_GAIN_MIC)
      ? builder.gain(mic, recordStage(R.NAM_RECORD_GAIN_MIC, 1), KSAUDFNAME_MIC_IN_VOLUME, NAME_MIC_IN_MUTE)
      : mic;
    micRecord = builder.pin(KSPIN_DATAFLOW_OUT, KSCATEGORY_AUDIO, null, null);
    builder.wire(from, micRecord);
  }

  return {
    pins: builder.pins,
    nodes: builder.nodes,
    connections: builder.connections,
    jacks: builder.jacks,
    bridgePins: { waveOut: waveOut.pin, record: record.pin, micRecord: micRecord?.pin ?? null },
  };
}
