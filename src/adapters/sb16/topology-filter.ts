/**
 * The topology filter: the CT1745 mixer.
 *
 *   wave out ──> volume ──────────────────────┐
 *   FM synth ─┬> volume ──────────────────────┤
 *   CD ───────┼─┬> volume ──> mute ───────────┼──> SUM ──> bass ──> treble ──> output gain ──> volume ──> speakers
 *   line in ──┼─┼─┬> volume ──> mute ─────────┤
 *   mic ──> AGC ┼─┼─┬> volume ──> mute ───────┤
 *   PC speaker ─┼─┼─┼> volume ────────────────┘
 *             │ │ │ │
 *             └─┴─┴─┴──> mute (one each) ──> SUM ──> input gain ──> wave in
 */
import type { GUID } from '../../com/index.ts';
import {
  KSAUDFNAME_BASS,
  KSAUDFNAME_CD_MUTE,
  KSAUDFNAME_CD_VOLUME,
  KSAUDFNAME_LINE_IN_VOLUME,
  KSAUDFNAME_LINE_MUTE,
  KSAUDFNAME_MASTER_VOLUME,
  KSAUDFNAME_MIC_MUTE,
  KSAUDFNAME_MIC_VOLUME,
  KSAUDFNAME_MIDI_VOLUME,
  KSAUDFNAME_PC_SPEAKER,
  KSAUDFNAME_PC_SPEAKER_VOLUME,
  KSAUDFNAME_TREBLE,
  KSAUDFNAME_WAVE_VOLUME,
  KSCATEGORY_AUDIO,
  type KSJACK_DESCRIPTION,
  KSNODETYPE_AGC,
  KSNODETYPE_ANALOG_CONNECTOR,
  KSNODETYPE_CD_PLAYER,
  KSNODETYPE_LINE_CONNECTOR,
  KSNODETYPE_MICROPHONE,
  KSNODETYPE_MUTE,
  KSNODETYPE_SPEAKER,
  KSNODETYPE_SUM,
  KSNODETYPE_SYNTHESIZER,
  KSNODETYPE_TONE,
  KSNODETYPE_VOLUME,
  KSPIN_DATAFLOW_IN,
  KSPIN_DATAFLOW_OUT,
} from '../../ks/index.ts';
import { type PCCONNECTION_DESCRIPTOR, PCFILTER_NODE, type PCPIN_DESCRIPTOR } from '../../portcls/index.ts';
import {
  COLOR_BLUE,
  COLOR_LIME,
  COLOR_PINK,
  FRONT_LEFT_RIGHT,
  INTERNAL_HEADER,
  rearJack,
} from '../common/jacks.ts';
import { bridgePin } from '../common/pins.ts';
import type { TopologyNode as BuilderNode } from '../common/topology-builder.ts';
import { type GainStage, gain, PC_SPEAKER, tone, volume } from './mixer-controls.ts';
import * as N from './names.ts';
import * as R from './registers.ts';

/** One bit of a switch register for each channel; a set bit lets the sound through. */
export interface SwitchBits {
  readonly register: number;
  readonly bit: number;
}

export type NodeControl =
  | { readonly kind: 'volume'; readonly stage: GainStage }
  | { readonly kind: 'bass' | 'treble'; readonly stage: GainStage }
  | { readonly kind: 'mute'; readonly switches: readonly SwitchBits[] }
  | { readonly kind: 'agc' }
  | { readonly kind: 'none' };

export type TopologyNode = BuilderNode<NodeControl>;

/** Pins, in order. Those from the wave and the synthesizer filter and to the wave filter are wired to them. */
export const TopologyPin = {
  waveOut: 0,
  synth: 1,
  cd: 2,
  lineIn: 3,
  mic: 4,
  pcSpeaker: 5,
  speakers: 6,
  waveIn: 7,
} as const;

export const PINS: readonly PCPIN_DESCRIPTOR[] = [
  bridgePin(KSPIN_DATAFLOW_IN),
  bridgePin(KSPIN_DATAFLOW_IN, KSNODETYPE_SYNTHESIZER),
  bridgePin(KSPIN_DATAFLOW_IN, KSNODETYPE_CD_PLAYER),
  bridgePin(KSPIN_DATAFLOW_IN, KSNODETYPE_LINE_CONNECTOR),
  bridgePin(KSPIN_DATAFLOW_IN, KSNODETYPE_MICROPHONE),
  bridgePin(KSPIN_DATAFLOW_IN, KSNODETYPE_ANALOG_CONNECTOR, KSAUDFNAME_PC_SPEAKER),
  bridgePin(KSPIN_DATAFLOW_OUT, KSNODETYPE_SPEAKER),
  bridgePin(KSPIN_DATAFLOW_OUT, KSCATEGORY_AUDIO),
];

/** What the pins lead to; without detection all of it counts as connected. */
export const JACKS: ReadonlyMap<number, KSJACK_DESCRIPTION> = new Map([
  [TopologyPin.cd, INTERNAL_HEADER],
  [TopologyPin.lineIn, rearJack(0, COLOR_BLUE)],
  [TopologyPin.mic, rearJack(0, COLOR_PINK)],
  [TopologyPin.pcSpeaker, INTERNAL_HEADER],
  [TopologyPin.speakers, rearJack(FRONT_LEFT_RIGHT, COLOR_LIME)],
]);

const output = (bit: number): SwitchBits => ({ register: R.MIX_OUTPUT_SWITCHES, bit });
const inputLeft = (bit: number): SwitchBits => ({ register: R.MIX_INPUT_LEFT, bit });
const inputRight = (bit: number): SwitchBits => ({ register: R.MIX_INPUT_RIGHT, bit });

const gainNode = (stage: GainStage, name: GUID): TopologyNode => ({
  type: KSNODETYPE_VOLUME,
  name,
  control: { kind: 'volume', stage },
});
const muteNode = (switches: readonly SwitchBits[], name: GUID): TopologyNode => ({
  type: KSNODETYPE_MUTE,
  name,
  control: { kind: 'mute', switches },
});
const sumNode = (name: GUID): TopologyNode => ({ type: KSNODETYPE_SUM, name, control: { kind: 'none' } });

/** Node numbers. */
export const TopologyNodeId = {
  waveVolume: 0,
  midiVolume: 1,
  cdVolume: 2,
  cdMute: 3,
  lineVolume: 4,
  lineMute: 5,
  micAgc: 6,
  micVolume: 7,
  micMute: 8,
  pcSpeakerVolume: 9,
  playMix: 10,
  bass: 11,
  treble: 12,
  outputGain: 13,
  masterVolume: 14,
  midiRecordMute: 15,
  cdRecordMute: 16,
  lineRecordMute: 17,
  micRecordMute: 18,
  recordMix: 19,
  inputGain: 20,
} as const;
const ID = TopologyNodeId;

/** By {@link TopologyNodeId}. */
export const NODES: readonly TopologyNode[] = [
  gainNode(volume(R.MIX_VOICE_LEFT, 2), KSAUDFNAME_WAVE_VOLUME),
  gainNode(volume(R.MIX_MIDI_LEFT, 2), KSAUDFNAME_MIDI_VOLUME),
  gainNode(volume(R.MIX_CD_LEFT, 2), KSAUDFNAME_CD_VOLUME),
  muteNode([output(R.SWITCH_CD_LEFT), output(R.SWITCH_CD_RIGHT)], KSAUDFNAME_CD_MUTE),
  gainNode(volume(R.MIX_LINE_LEFT, 2), KSAUDFNAME_LINE_IN_VOLUME),
  muteNode([output(R.SWITCH_LINE_LEFT), output(R.SWITCH_LINE_RIGHT)], KSAUDFNAME_LINE_MUTE),
  { type: KSNODETYPE_AGC, name: N.NAME_MIC_AGC, control: { kind: 'agc' } },
  gainNode(volume(R.MIX_MIC, 1), KSAUDFNAME_MIC_VOLUME),
  muteNode([output(R.SWITCH_MIC)], KSAUDFNAME_MIC_MUTE),
  gainNode(PC_SPEAKER, KSAUDFNAME_PC_SPEAKER_VOLUME),
  sumNode(N.NAME_PLAY_MIX),
  { type: KSNODETYPE_TONE, name: KSAUDFNAME_BASS, control: { kind: 'bass', stage: tone(R.MIX_BASS_LEFT) } },
  {
    type: KSNODETYPE_TONE,
    name: KSAUDFNAME_TREBLE,
    control: { kind: 'treble', stage: tone(R.MIX_TREBLE_LEFT) },
  },
  gainNode(gain(R.MIX_OUTPUT_GAIN_LEFT), N.NAME_OUTPUT_GAIN),
  gainNode(volume(R.MIX_MASTER_LEFT, 2), KSAUDFNAME_MASTER_VOLUME),
  muteNode([inputLeft(R.SWITCH_MIDI_LEFT), inputRight(R.SWITCH_MIDI_RIGHT)], N.NAME_MIDI_RECORD_MUTE),
  muteNode([inputLeft(R.SWITCH_CD_LEFT), inputRight(R.SWITCH_CD_RIGHT)], N.NAME_CD_RECORD_MUTE),
  muteNode([inputLeft(R.SWITCH_LINE_LEFT), inputRight(R.SWITCH_LINE_RIGHT)], N.NAME_LINE_RECORD_MUTE),
  muteNode([inputLeft(R.SWITCH_MIC), inputRight(R.SWITCH_MIC)], N.NAME_MIC_RECORD_MUTE),
  sumNode(N.NAME_RECORD_MIX),
  gainNode(gain(R.MIX_INPUT_GAIN_LEFT), N.NAME_INPUT_GAIN),
];

const fromPin = (pin: number, node: number): PCCONNECTION_DESCRIPTOR => ({
  fromNode: PCFILTER_NODE,
  fromNodePin: pin,
  toNode: node,
  toNodePin: 1,
});
const between = (from: number, to: number, toPin = 1): PCCONNECTION_DESCRIPTOR => ({
  fromNode: from,
  fromNodePin: 0,
  toNode: to,
  toNodePin: toPin,
});
const toPin = (node: number, pin: number): PCCONNECTION_DESCRIPTOR => ({
  fromNode: node,
  fromNodePin: 0,
  toNode: PCFILTER_NODE,
  toNodePin: pin,
});

export const CONNECTIONS: readonly PCCONNECTION_DESCRIPTOR[] = [
  fromPin(TopologyPin.waveOut, ID.waveVolume),
  between(ID.waveVolume, ID.playMix, 1),
  fromPin(TopologyPin.synth, ID.midiVolume),
  between(ID.midiVolume, ID.playMix, 2),
  fromPin(TopologyPin.cd, ID.cdVolume),
  between(ID.cdVolume, ID.cdMute),
  between(ID.cdMute, ID.playMix, 3),
  fromPin(TopologyPin.lineIn, ID.lineVolume),
  between(ID.lineVolume, ID.lineMute),
  between(ID.lineMute, ID.playMix, 4),
  fromPin(TopologyPin.mic, ID.micAgc),
  between(ID.micAgc, ID.micVolume),
  between(ID.micVolume, ID.micMute),
  between(ID.micMute, ID.playMix, 5),
  fromPin(TopologyPin.pcSpeaker, ID.pcSpeakerVolume),
  between(ID.pcSpeakerVolume, ID.playMix, 6),
  between(ID.playMix, ID.bass),
  between(ID.bass, ID.treble),
  between(ID.treble, ID.outputGain),
  between(ID.outputGain, ID.masterVolume),
  toPin(ID.masterVolume, TopologyPin.speakers),
  // The recording switches are behind the volumes (guide, figure 4-1).
  between(ID.midiVolume, ID.midiRecordMute),
  between(ID.midiRecordMute, ID.recordMix, 1),
  between(ID.cdVolume, ID.cdRecordMute),
  between(ID.cdRecordMute, ID.recordMix, 2),
  between(ID.lineVolume, ID.lineRecordMute),
  between(ID.lineRecordMute, ID.recordMix, 3),
  between(ID.micVolume, ID.micRecordMute),
  between(ID.micRecordMute, ID.recordMix, 4),
  between(ID.recordMix, ID.inputGain),
  toPin(ID.inputGain, TopologyPin.waveIn),
];
