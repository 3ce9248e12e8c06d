import type { GUID } from '../../com/index.ts';
import { NtError, STATUS_BUFFER_TOO_SMALL, STATUS_NO_MATCH } from '../../kernel/index.ts';
import {
  dataRangesMatch,
  encodeDataFormat,
  KSCATEGORY_AUDIO,
  KSDATAFORMAT_SPECIFIER_NONE,
  KSDATAFORMAT_SUBTYPE_ANALOG,
  KSDATAFORMAT_SUBTYPE_MIDI,
  KSDATAFORMAT_SUBTYPE_MIDI_BUS,
  KSDATAFORMAT_TYPE_AUDIO,
  KSDATAFORMAT_TYPE_MUSIC,
  type KSDATARANGE,
  KSPIN_COMMUNICATION_NONE,
  KSPIN_COMMUNICATION_SINK,
  type KSPIN_DATAFLOW,
  MIDI_DATA_FORMAT,
} from '../../ks/index.ts';
import type { PCPIN_DESCRIPTOR } from '../ddi/index.ts';

/** What goes over a MIDI cable. */
export const MIDI_BUS_RANGE: KSDATARANGE = {
  flags: 0,
  sampleSize: 0,
  majorFormat: KSDATAFORMAT_TYPE_MUSIC,
  subFormat: KSDATAFORMAT_SUBTYPE_MIDI_BUS,
  specifier: KSDATAFORMAT_SPECIFIER_NONE,
};

/** What goes over an analogue wire. */
export const ANALOG_RANGE: KSDATARANGE = {
  flags: 0,
  sampleSize: 0,
  majorFormat: KSDATAFORMAT_TYPE_AUDIO,
  subFormat: KSDATAFORMAT_SUBTYPE_ANALOG,
  specifier: KSDATAFORMAT_SPECIFIER_NONE,
};

/** A pin for one MIDI stream. */
export function streamPin(dataFlow: KSPIN_DATAFLOW, range: KSDATARANGE): PCPIN_DESCRIPTOR {
  return {
    maxGlobalInstanceCount: 1,
    maxFilterInstanceCount: 1,
    minFilterInstanceCount: 0,
    kspinDescriptor: {
      dataRanges: [range],
      dataFlow,
      communication: KSPIN_COMMUNICATION_SINK,
      category: KSCATEGORY_AUDIO,
      name: null,
    },
  };
}

/** A pin that stands for wiring. */
export function bridgePin(dataFlow: KSPIN_DATAFLOW, range: KSDATARANGE, category: GUID): PCPIN_DESCRIPTOR {
  return {
    maxGlobalInstanceCount: 0,
    maxFilterInstanceCount: 0,
    minFilterInstanceCount: 0,
    kspinDescriptor: {
      dataRanges: [range],
      dataFlow,
      communication: KSPIN_COMMUNICATION_NONE,
      category,
      name: null,
    },
  };
}

/** IMiniport::DataRangeIntersection of MIDI miniports: the one MIDI format there is. */
export function midiIntersection(
  clientDataRange: KSDATARANGE,
  myDataRange: KSDATARANGE,
  outputBufferLength: number,
  resultantFormat: Uint8Array | null,
): number {
  if (
    !myDataRange.subFormat.equals(KSDATAFORMAT_SUBTYPE_MIDI) ||
    !dataRangesMatch(clientDataRange, myDataRange)
  )
    throw new NtError(STATUS_NO_MATCH);
  const format = encodeDataFormat(MIDI_DATA_FORMAT);
  if (outputBufferLength > 0) {
    if (outputBufferLength < format.byteLength) throw new NtError(STATUS_BUFFER_TOO_SMALL);
    resultantFormat?.set(format);
  }
  return format.byteLength;
}
