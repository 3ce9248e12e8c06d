/**
 * The wave filter.
 *
 *            +--------------------------------------------+
 *   PCM out  |  0 (host sink)  ──> DAC ──>  1 (bridge)     |  to the topology filter, pin WAVE_OUT
 *   PCM in   |  2 (host source) <── ADC <── 3 (bridge)     |  from the topology filter, pin RECORD
 *   mic in   |  4 (host source) <── ADC <── 5 (bridge)     |  from the topology filter, pin MIC_RECORD
 *            +--------------------------------------------+
 *
 * Pins 4 and 5 exist when the codec has a dedicated microphone ADC.
 */
import {
  KSCATEGORY_AUDIO,
  KSCATEGORY_CAPTURE,
  KSCATEGORY_REALTIME,
  KSCATEGORY_RENDER,
  KSDATAFORMAT_SPECIFIER_WAVEFORMATEX,
  KSDATAFORMAT_SUBTYPE_PCM,
  KSDATAFORMAT_TYPE_AUDIO,
  type KSDATARANGE_AUDIO,
  KSNODETYPE_ADC,
  KSNODETYPE_DAC,
  KSPIN_DATAFLOW_IN,
  KSPIN_DATAFLOW_OUT,
} from '../../ks/index.ts';
import {
  type PCFILTER_DESCRIPTOR,
  PCFILTER_NODE,
  type PCNODE_DESCRIPTOR,
  type PCPIN_DESCRIPTOR,
} from '../../portcls/index.ts';
import { bridgePin, hostPin } from '../common/pins.ts';
import type { CodecFeatures } from './common.ts';
import { NAME_ADC, NAME_MIC_ADC } from './names.ts';

export const WavePin = {
  renderHost: 0,
  renderBridge: 1,
  captureHost: 2,
  captureBridge: 3,
  micHost: 4,
  micBridge: 5,
} as const;

/** What the AC-link's converters do: 16 bits; any rate the codec's variable rate audio offers, else 48 kHz. */
export const MINIMUM_VARIABLE_RATE = 8_000;
export const MAXIMUM_RATE = 48_000;
export const SAMPLE_BITS = 16;

function pcmRange(channels: number, variableRate: boolean): KSDATARANGE_AUDIO {
  return {
    flags: 0,
    sampleSize: 0,
    majorFormat: KSDATAFORMAT_TYPE_AUDIO,
    subFormat: KSDATAFORMAT_SUBTYPE_PCM,
    specifier: KSDATAFORMAT_SPECIFIER_WAVEFORMATEX,
    maximumChannels: channels,
    minimumBitsPerSample: SAMPLE_BITS,
    maximumBitsPerSample: SAMPLE_BITS,
    minimumSampleFrequency: variableRate ? MINIMUM_VARIABLE_RATE : MAXIMUM_RATE,
    maximumSampleFrequency: MAXIMUM_RATE,
  };
}

/** Channels of a host pin: the microphone ADC has one, the others two (82801AA datasheet, PCM buffer formats). */
export function pinChannels(pinId: number): number {
  return pinId === WavePin.micHost ? 1 : 2;
}

/** Builds the filter for the codec that was found. */
export function waveFilter(features: CodecFeatures): PCFILTER_DESCRIPTOR {
  const pins: PCPIN_DESCRIPTOR[] = [
    hostPin(KSPIN_DATAFLOW_IN, [pcmRange(2, features.variableRate)]),
    bridgePin(KSPIN_DATAFLOW_OUT),
    hostPin(KSPIN_DATAFLOW_OUT, [pcmRange(2, features.variableRate)]),
    bridgePin(KSPIN_DATAFLOW_IN),
  ];
  const nodes: PCNODE_DESCRIPTOR[] = [
    { type: KSNODETYPE_DAC, name: null },
    { type: KSNODETYPE_ADC, name: NAME_ADC },
  ];
  const connections = [
    { fromNode: PCFILTER_NODE, fromNodePin: WavePin.renderHost, toNode: 0, toNodePin: 1 },
    { fromNode: 0, fromNodePin: 0, toNode: PCFILTER_NODE, toNodePin: WavePin.renderBridge },
    { fromNode: PCFILTER_NODE, fromNodePin: WavePin.captureBridge, toNode: 1, toNodePin: 1 },
    { fromNode: 1, fromNodePin: 0, toNode: PCFILTER_NODE, toNodePin: WavePin.captureHost },
  ];
  if (features.dedicatedMic) {
    pins.push(
      hostPin(KSPIN_DATAFLOW_OUT, [pcmRange(1, features.variableRateMic)]),
      bridgePin(KSPIN_DATAFLOW_IN),
    );
    nodes.push({ type: KSNODETYPE_ADC, name: NAME_MIC_ADC });
    connections.push(
      { fromNode: PCFILTER_NODE, fromNodePin: WavePin.micBridge, toNode: 2, toNodePin: 1 },
      { fromNode: 2, fromNodePin: 0, toNode: PCFILTER_NODE, toNodePin: WavePin.micHost },
    );
  }
  return {
    version: 0,
    pins,
    nodes,
    connections,
    categories: [KSCATEGORY_AUDIO, KSCATEGORY_RENDER, KSCATEGORY_CAPTURE, KSCATEGORY_REALTIME],
  };
}
