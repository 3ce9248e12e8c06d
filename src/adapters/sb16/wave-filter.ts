/**
 * The wave filter.
 *
 *              +------------------------------------------+
 *   wave out   |  0 (host sink)   ──> DAC ──>  1 (bridge)  |  to the topology filter
 *   wave in    |  2 (host source) <── ADC <──  3 (bridge)  |  from the topology filter
 *              +------------------------------------------+
 */
import {
  KSCATEGORY_AUDIO,
  KSCATEGORY_CAPTURE,
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
import { type PCFILTER_DESCRIPTOR, PCFILTER_NODE } from '../../portcls/index.ts';
import { bridgePin, hostPin } from '../common/pins.ts';
import { HIGHEST_RATE, LOWEST_RATE } from './registers.ts';

export const WavePin = { renderHost: 0, renderBridge: 1, captureHost: 2, captureBridge: 3 } as const;

const PCM: KSDATARANGE_AUDIO = {
  flags: 0,
  sampleSize: 0,
  majorFormat: KSDATAFORMAT_TYPE_AUDIO,
  subFormat: KSDATAFORMAT_SUBTYPE_PCM,
  specifier: KSDATAFORMAT_SPECIFIER_WAVEFORMATEX,
  maximumChannels: 2,
  minimumBitsPerSample: 8,
  maximumBitsPerSample: 16,
  minimumSampleFrequency: LOWEST_RATE,
  maximumSampleFrequency: HIGHEST_RATE,
};

export const WAVE_FILTER: PCFILTER_DESCRIPTOR = {
  version: 0,
  pins: [
    hostPin(KSPIN_DATAFLOW_IN, [PCM]),
    bridgePin(KSPIN_DATAFLOW_OUT),
    hostPin(KSPIN_DATAFLOW_OUT, [PCM]),
    bridgePin(KSPIN_DATAFLOW_IN),
  ],
  nodes: [
    { type: KSNODETYPE_DAC, name: null },
    { type: KSNODETYPE_ADC, name: null },
  ],
  connections: [
    { fromNode: PCFILTER_NODE, fromNodePin: WavePin.renderHost, toNode: 0, toNodePin: 1 },
    { fromNode: 0, fromNodePin: 0, toNode: PCFILTER_NODE, toNodePin: WavePin.renderBridge },
    { fromNode: PCFILTER_NODE, fromNodePin: WavePin.captureBridge, toNode: 1, toNodePin: 1 },
    { fromNode: 1, fromNodePin: 0, toNode: PCFILTER_NODE, toNodePin: WavePin.captureHost },
  ],
  categories: [KSCATEGORY_AUDIO, KSCATEGORY_RENDER, KSCATEGORY_CAPTURE],
};
