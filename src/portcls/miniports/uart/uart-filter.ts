import {
  type KSDATARANGE_MUSIC,
  KSNODETYPE_MIDI_JACK,
  KSPIN_DATAFLOW_IN,
  KSPIN_DATAFLOW_OUT,
} from '../../../ks/index.ts';
import { type PCFILTER_DESCRIPTOR, PCFILTER_NODE } from '../../ddi/index.ts';
import { bridgePin, MIDI_BUS_RANGE, streamPin } from '../midi-filter.ts';

/** Pin factories of the UART filter. */
export const UART_PIN_RENDER = 0;
export const UART_PIN_MIDI_OUT = 1;
export const UART_PIN_MIDI_IN = 2;
export const UART_PIN_CAPTURE = 3;

/**
 * ```
 *  0 render ──────────> 1 MIDI OUT jack
 *  3 capture <────────── 2 MIDI IN jack
 * ```
 */
export function uartFilter(range: KSDATARANGE_MUSIC): PCFILTER_DESCRIPTOR {
  const wire = (fromNodePin: number, toNodePin: number) => ({
    fromNode: PCFILTER_NODE,
    fromNodePin,
    toNode: PCFILTER_NODE,
    toNodePin,
  });
  return {
    pins: [
      streamPin(KSPIN_DATAFLOW_IN, range),
      bridgePin(KSPIN_DATAFLOW_OUT, MIDI_BUS_RANGE, KSNODETYPE_MIDI_JACK),
      bridgePin(KSPIN_DATAFLOW_IN, MIDI_BUS_RANGE, KSNODETYPE_MIDI_JACK),
      streamPin(KSPIN_DATAFLOW_OUT, range),
    ],
    nodes: [],
    connections: [wire(UART_PIN_RENDER, UART_PIN_MIDI_OUT), wire(UART_PIN_MIDI_IN, UART_PIN_CAPTURE)],
  };
}
