/**
 * The MIDI filter.
 *
 *  0 (render)  ──────────> 1 MIDI OUT jack
 *  3 (capture) <────────── 2 MIDI IN jack
 */
import {
  KSCATEGORY_AUDIO,
  KSDATAFORMAT_SPECIFIER_NONE,
  KSDATAFORMAT_SUBTYPE_MIDI_BUS,
  KSDATAFORMAT_TYPE_MUSIC,
  type KSDATARANGE,
  KSNODETYPE_MIDI_JACK,
  KSPIN_COMMUNICATION_NONE,
  KSPIN_COMMUNICATION_SINK,
  KSPIN_DATAFLOW_IN,
  KSPIN_DATAFLOW_OUT,
  midiDataRange,
} from '../../ks/index.ts';
import { type PCFILTER_DESCRIPTOR, PCFILTER_NODE, type PCPIN_DESCRIPTOR } from '../../portcls/index.ts';

export const MidiPin = { render: 0, out: 1, in: 2, capture: 3 } as const;

const BUS_RANGE: KSDATARANGE = {
  flags: 0,
  sampleSize: 0,
  majorFormat: KSDATAFORMAT_TYPE_MUSIC,
  subFormat: KSDATAFORMAT_SUBTYPE_MIDI_BUS,
  specifier: KSDATAFORMAT_SPECIFIER_NONE,
};

function pin(
  dataFlow: typeof KSPIN_DATAFLOW_IN | typeof KSPIN_DATAFLOW_OUT,
  isJack: boolean,
): PCPIN_DESCRIPTOR {
  const instances = isJack ? 0 : 1;
  return {
    maxGlobalInstanceCount: instances,
    maxFilterInstanceCount: instances,
    minFilterInstanceCount: 0,
    kspinDescriptor: {
      dataRanges: [isJack ? BUS_RANGE : midiDataRange({})],
      dataFlow,
      communication: isJack ? KSPIN_COMMUNICATION_NONE : KSPIN_COMMUNICATION_SINK,
      category: isJack ? KSNODETYPE_MIDI_JACK : KSCATEGORY_AUDIO,
      name: null,
    },
  };
}

function wire(fromNodePin: number, toNodePin: number) {
  return { fromNode: PCFILTER_NODE, fromNodePin, toNode: PCFILTER_NODE, toNodePin };
}

export const MIDI_FILTER: PCFILTER_DESCRIPTOR = {
  version: 0,
  pins: [
    pin(KSPIN_DATAFLOW_IN, false),
    pin(KSPIN_DATAFLOW_OUT, true),
    pin(KSPIN_DATAFLOW_IN, true),
    pin(KSPIN_DATAFLOW_OUT, false),
  ],
  nodes: [],
  connections: [wire(MidiPin.render, MidiPin.out), wire(MidiPin.in, MidiPin.capture)],
};
