/**
 * The wave filter.
 *
 *            +--------------------------------------------+
 *   DAC2     |  0 (host sink)  ──> DAC ──>  1 (bridge)     |  to the topology filter, pin WAVE
 *   DAC1     |  2 (host sink)  ──> DAC ──>  3 (bridge)     |  to the topology filter, pin WAVE2
 *   ADC      |  4 (host source) <── ADC <── 5 (bridge)     |  from the topology filter, pin RECORD
 *            +--------------------------------------------+
 *
 * DAC2 comes first, since its clock can be divided freely; DAC1 has four rates.
 */
import {
  audioDataRange,
  KSCATEGORY_AUDIO,
  KSCATEGORY_CAPTURE,
  KSCATEGORY_RENDER,
  type KSDATARANGE,
  KSNODETYPE_ADC,
  KSNODETYPE_DAC,
  KSPIN_DATAFLOW_IN,
  KSPIN_DATAFLOW_OUT,
} from '../../ks/index.ts';
import { type PCFILTER_DESCRIPTOR, PCFILTER_NODE } from '../../portcls/index.ts';
import { bridgePin, hostPin } from '../common/pins.ts';
import { NAME_DAC1, NAME_WAVE_PIN, NAME_WAVE2_PIN } from './names.ts';
import type { ChannelName } from './registers.ts';

export const WavePin = {
  dac2Host: 0,
  dac2Bridge: 1,
  dac1Host: 2,
  dac1Bridge: 3,
  adcHost: 4,
  adcBridge: 5,
} as const;

/** DAC2 and ADC: any rate that a divider comes near enough to. */
export const MINIMUM_RATE = 4_000;
export const MAXIMUM_RATE = 44_100;
/** DAC1; the lowest one is 5512.5 Hz. */
export const DAC1_RATES = [5_512, 11_025, 22_050, 44_100] as const;
/** How far a divided clock may be from what a format says: half a percent, a twelfth of a semitone. */
export const RATE_TOLERANCE = 0.005;

function range(minimum: number, maximum: number): KSDATARANGE {
  return audioDataRange({
    maximumChannels: 2,
    minimumBitsPerSample: 8,
    maximumBitsPerSample: 16,
    minimumSampleFrequency: minimum,
    maximumSampleFrequency: maximum,
  });
}

/** What serves a host pin. */
export const PIN_CHANNEL: Readonly<
  Record<number, { readonly channel: ChannelName; readonly capture: boolean }>
> = {
  [WavePin.dac2Host]: { channel: 'DAC2', capture: false },
  [WavePin.dac1Host]: { channel: 'DAC1', capture: false },
  [WavePin.adcHost]: { channel: 'ADC', capture: true },
};

export const WAVE_FILTER: PCFILTER_DESCRIPTOR = {
  version: 0,
  pins: [
    hostPin(KSPIN_DATAFLOW_IN, [range(MINIMUM_RATE, MAXIMUM_RATE)], NAME_WAVE_PIN),
    bridgePin(KSPIN_DATAFLOW_OUT),
    hostPin(
      KSPIN_DATAFLOW_IN,
      // The best one first.
      [...DAC1_RATES].reverse().map((rate) => range(rate, rate)),
      NAME_WAVE2_PIN,
    ),
    bridgePin(KSPIN_DATAFLOW_OUT),
    hostPin(KSPIN_DATAFLOW_OUT, [range(MINIMUM_RATE, MAXIMUM_RATE)]),
    bridgePin(KSPIN_DATAFLOW_IN),
  ],
  nodes: [
    { type: KSNODETYPE_DAC, name: null },
    { type: KSNODETYPE_DAC, name: NAME_DAC1 },
    { type: KSNODETYPE_ADC, name: null },
  ],
  connections: [
    { fromNode: PCFILTER_NODE, fromNodePin: WavePin.dac2Host, toNode: 0, toNodePin: 1 },
    { fromNode: 0, fromNodePin: 0, toNode: PCFILTER_NODE, toNodePin: WavePin.dac2Bridge },
    { fromNode: PCFILTER_NODE, fromNodePin: WavePin.dac1Host, toNode: 1, toNodePin: 1 },
    { fromNode: 1, fromNodePin: 0, toNode: PCFILTER_NODE, toNodePin: WavePin.dac1Bridge },
    { fromNode: PCFILTER_NODE, fromNodePin: WavePin.adcBridge, toNode: 2, toNodePin: 1 },
    { fromNode: 2, fromNodePin: 0, toNode: PCFILTER_NODE, toNodePin: WavePin.adcHost },
  ],
  categories: [KSCATEGORY_AUDIO, KSCATEGORY_RENDER, KSCATEGORY_CAPTURE],
};
