import {
  KSAUDFNAME_MIDI_VOLUME,
  type KSDATARANGE_MUSIC,
  KSNODETYPE_SYNTHESIZER,
  KSNODETYPE_VOLUME,
  KSPIN_DATAFLOW_IN,
  KSPIN_DATAFLOW_OUT,
} from '../../../ks/index.ts';
import {
  type PCAUTOMATION_TABLE,
  type PCFILTER_DESCRIPTOR,
  PCFILTER_NODE,
  type PCNODE_DESCRIPTOR,
} from '../../ddi/index.ts';
import { ANALOG_RANGE, bridgePin, streamPin } from '../midi-filter.ts';

/** Pin factories of the FM synthesizer's filter. */
export const FM_PIN_RENDER = 0;
export const FM_PIN_ANALOG_OUT = 1;
/** Nodes. */
export const FM_NODE_SYNTH = 0;
export const FM_NODE_VOLUME = 1;

/**
 * ```
 *  0 render ──>[ 0 synthesizer ]──>[ 1 volume ]──> 1 analogue out
 * ```
 * The volume node is there in CLSID_MiniportDriverFmSynthWithVol alone.
 */
export function fmFilter(
  range: KSDATARANGE_MUSIC,
  synth: PCAUTOMATION_TABLE,
  volume: PCAUTOMATION_TABLE | null,
): PCFILTER_DESCRIPTOR {
  const nodes: PCNODE_DESCRIPTOR[] = [{ type: KSNODETYPE_SYNTHESIZER, name: null, automationTable: synth }];
  if (volume !== null)
    nodes.push({ type: KSNODETYPE_VOLUME, name: KSAUDFNAME_MIDI_VOLUME, automationTable: volume });
  const last = nodes.length - 1;
  return {
    pins: [
      streamPin(KSPIN_DATAFLOW_IN, range),
      bridgePin(KSPIN_DATAFLOW_OUT, ANALOG_RANGE, KSNODETYPE_SYNTHESIZER),
    ],
    nodes,
    // Nodes take at their pin 1 and give at their pin 0 (DDI page KSTOPOLOGY_CONNECTION).
    connections: [
      { fromNode: PCFILTER_NODE, fromNodePin: FM_PIN_RENDER, toNode: FM_NODE_SYNTH, toNodePin: 1 },
      ...(volume === null
        ? []
        : [{ fromNode: FM_NODE_SYNTH, fromNodePin: 0, toNode: FM_NODE_VOLUME, toNodePin: 1 }]),
      { fromNode: last, fromNodePin: 0, toNode: PCFILTER_NODE, toNodePin: FM_PIN_ANALOG_OUT },
    ],
  };
}
