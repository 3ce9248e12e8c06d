/** The two kinds of pins that a card's filters have: those that are opened, and those that stand for wiring. */
import type { GUID } from '../../com/index.ts';
import {
  KSCATEGORY_AUDIO,
  KSDATAFORMAT_SPECIFIER_NONE,
  KSDATAFORMAT_SUBTYPE_ANALOG,
  KSDATAFORMAT_TYPE_AUDIO,
  type KSDATARANGE,
  KSPIN_COMMUNICATION_NONE,
  KSPIN_COMMUNICATION_SINK,
  type KSPIN_DATAFLOW_IN,
  type KSPIN_DATAFLOW_OUT,
} from '../../ks/index.ts';
import type { PCPIN_DESCRIPTOR } from '../../portcls/index.ts';

/** Seen from the filter. */
export type DataFlow = typeof KSPIN_DATAFLOW_IN | typeof KSPIN_DATAFLOW_OUT;

const ANALOG: KSDATARANGE = {
  flags: 0,
  sampleSize: 0,
  majorFormat: KSDATAFORMAT_TYPE_AUDIO,
  subFormat: KSDATAFORMAT_SUBTYPE_ANALOG,
  specifier: KSDATAFORMAT_SPECIFIER_NONE,
};

/** A pin for one stream of a client; `name` tells it from others of the filter. */
export function hostPin(
  dataFlow: DataFlow,
  dataRanges: readonly KSDATARANGE[],
  name: GUID | null = null,
): PCPIN_DESCRIPTOR {
  return {
    maxGlobalInstanceCount: 1,
    maxFilterInstanceCount: 1,
    minFilterInstanceCount: 0,
    kspinDescriptor: {
      dataRanges,
      dataFlow,
      communication: KSPIN_COMMUNICATION_SINK,
      category: KSCATEGORY_AUDIO,
      name,
    },
  };
}

/** A pin that stands for wiring, to another filter or to a jack: it cannot be opened. */
export function bridgePin(
  dataFlow: DataFlow,
  category: GUID = KSCATEGORY_AUDIO,
  name: GUID | null = null,
): PCPIN_DESCRIPTOR {
  return {
    maxGlobalInstanceCount: 0,
    maxFilterInstanceCount: 0,
    minFilterInstanceCount: 0,
    kspinDescriptor: {
      dataRanges: [ANALOG],
      dataFlow,
      communication: KSPIN_COMMUNICATION_NONE,
      category,
      name,
    },
  };
}
