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
import { type PCCONNECTION_DESCRIPTOR, PCFILTER_NODE, type PCPIN_DESCRIPTOR } from '../../portcls/index.ts';
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
import { bridgePin } from './wave-filter.ts';

/** What a node's properties act on. */
export type NodeControl =
  | { readonly kind: 'volume'; readonly stage: GainStage }
  | { readonly kind: 'mute'; readonly register: number; readonly channels: 1 | 2 }
  | { readonly kind: 'bass' | 'treble'; readonly stage: ToneStage }
  | { readonly kind: 'boost' }
  /** Input pins 1…n of the mux, in this order. */
  | { readonly kind: 'mux'; readonly sources: readonly R.RecordSource[] }
  | { readonly kind: 'none' };

export interface TopologyNode {
  readonly type: GUID;
  readonly name: GUID | null;
  readonly control: NodeControl;
}

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

/** Speaker positions, colours and places of KSJACK_DESCRIPTION (ksmedia.h, devicetopology.h). */
const FRONT_LEFT_RIGHT = 0x3;
const COLOR_LIME = 0x00b6_ff00 >>> 0;
const COLOR_PINK = 0x00ff_c0cb;
const COLOR_BLUE = 0x0000_8cff;
const COLOR_NONE = 0;
const CONNECTOR_3_5MM = 1; // eConnType3Point5mm
const CONNECTOR_ATAPI = 3; // eConnTypeAtapiInternal
const LOCATION_REAR = 1; // eGeoLocRear
const LOCATION_ATAPI = 13; // eGeoLocATAPI
const GENERAL_PRIMARY_BOX = 0; // eGenLocPrimaryBox
const GENERAL_INTERNAL = 1; // eGenLocInternal
const PORT_JACK = 0; // ePortConnJack
const PORT_INTEGRATED = 1; // ePortConnIntegratedDevice

function jack(channelMapping: number, color: number): KSJACK_DESCRIPTION {
  return {
    channelMapping,
    color,
    connectionType: CONNECTOR_3_5MM,
    geoLocation: LOCATION_REAR,
    genLocation: GENERAL_PRIMARY_BOX,
    portConnection: PORT_JACK,
    // AC'97 has no jack detection: reported as connected, as the property's page asks of such hardware.
    isConnected: true,
  };
}

const INTERNAL_HEADER: KSJACK_DESCRIPTION = {
  channelMapping: 0,
  color: COLOR_NONE,
  connectionType: CONNECTOR_ATAPI,
  geoLocation: LOCATION_ATAPI,
  genLocation: GENERAL_INTERNAL,
  portConnection: PORT_INTEGRATED,
  isConnected: true,
};

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
    jack: jack(0, COLOR_PINK),
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
    jack: jack(0, COLOR_BLUE),
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

/** One end of a connection. */
interface End {
  readonly node: number;
  readonly pin: number;
}

/** Collects pins, nodes and wires; each method returns the end to go on from. */
class Builder {
  readonly pins: PCPIN_DESCRIPTOR[] = [];
  readonly nodes: TopologyNode[] = [];
  readonly connections: PCCONNECTION_DESCRIPTOR[] = [];
  readonly jacks = new Map<number, KSJACK_DESCRIPTION>();

  pin(
    flow: typeof KSPIN_DATAFLOW_IN | typeof KSPIN_DATAFLOW_OUT,
    category: GUID,
    name: GUID | null,
    jack: KSJACK_DESCRIPTION | null,
  ): End {
    const pin = this.pins.push(bridgePin(flow, category, name)) - 1;
    if (jack) this.jacks.set(pin, jack);
    return { node: PCFILTER_NODE, pin };
  }

  node(type: GUID, name: GUID | null, control: NodeControl): number {
    return this.nodes.push({ type, name, control }) - 1;
  }

  wire(from: End, to: End): void {
    this.connections.push({ fromNode: from.node, fromNodePin: from.pin, toNode: to.node, toNodePin: to.pin });
  }

  /** Puts a node with one input (pin 1) and one output (pin 0) behind `from`. */
  through(from: End, type: GUID, name: GUID | null, control: NodeControl): End {
    const node = this.node(type, name, control);
    this.wire(from, { node, pin: 1 });
    return { node, pin: 0 };
  }

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
  const builder = new Builder();
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
      jack(FRONT_LEFT_RIGHT, COLOR_LIME),
    ],
    [
      R.NAM_AUX_OUT_VOLUME,
      2,
      KSNODETYPE_HEADPHONES,
      null,
      NAME_HEADPHONE_VOLUME,
      NAME_HEADPHONE_MUTE,
      jack(FRONT_LEFT_RIGHT, COLOR_LIME),
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
