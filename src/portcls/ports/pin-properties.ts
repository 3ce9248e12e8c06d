import {
  NtError,
  STATUS_INVALID_PARAMETER,
  STATUS_NO_MATCH,
  STATUS_NOT_FOUND,
  STATUS_NOT_SUPPORTED,
} from '../../kernel/index.ts';
import {
  dataFormatWithinRange,
  decodeDataFormat,
  encodeDataRanges,
  encodeIdentifiers,
  encodePhysicalConnection,
  encodeWideString,
  KSDATAFORMAT_SPECIFIER_DSOUND,
  KSDATAFORMAT_SPECIFIER_WAVEFORMATEX,
  type KSDATARANGE,
  type KSIDENTIFIER,
  KSPROPERTY_PIN_CATEGORY,
  KSPROPERTY_PIN_CINSTANCES,
  KSPROPERTY_PIN_COMMUNICATION,
  KSPROPERTY_PIN_CONSTRAINEDDATARANGES,
  KSPROPERTY_PIN_CTYPES,
  KSPROPERTY_PIN_DATAFLOW,
  KSPROPERTY_PIN_DATAINTERSECTION,
  KSPROPERTY_PIN_DATARANGES,
  KSPROPERTY_PIN_GLOBALCINSTANCES,
  KSPROPERTY_PIN_INTERFACES,
  KSPROPERTY_PIN_MEDIUMS,
  KSPROPERTY_PIN_NAME,
  KSPROPERTY_PIN_NECESSARYINSTANCES,
  KSPROPERTY_PIN_PHYSICALCONNECTION,
  KSPROPERTY_PIN_PROPOSEDATAFORMAT,
  KSPROPSETID_Pin,
  STANDARD_DEVIO_MEDIUM,
} from '../../ks/index.ts';
import type { PCPIN_DESCRIPTOR, PCPROPERTY_REQUEST, PinCounts } from '../ddi/index.ts';
import { answerDataIntersection } from './data-intersection.ts';
import { requireMediaCategoryName } from './media-categories.ts';
import type { PortBase } from './port-base.ts';
import type { PortFilter } from './port-handle.ts';
import type { PortProperty } from './port-property.ts';

/** PinId and Reserved of KSP_PIN, behind KSPROPERTY. */
const KSP_PIN_TAIL = 8;

/** A pin factory as the Pin set shows it; laid out once, when the port is bound. */
export class PinFactory {
  readonly pinId: number;
  readonly descriptor: PCPIN_DESCRIPTOR;
  /** The descriptor's ranges, each WAVEFORMATEX range followed by its DSOUND copy (specifying-ac-3-data-ranges.md). */
  readonly dataRanges: readonly KSDATARANGE[];
  readonly interfaces: readonly KSIDENTIFIER[];
  readonly mediums: readonly KSIDENTIFIER[];
  readonly dataRangesAnswer: Uint8Array;
  readonly constrainedAnswer: Uint8Array;
  readonly interfacesAnswer: Uint8Array;
  readonly mediumsAnswer: Uint8Array;

  constructor(port: PortBase, pinId: number, descriptor: PCPIN_DESCRIPTOR) {
    this.pinId = pinId;
    this.descriptor = descriptor;
    const pin = descriptor.kspinDescriptor;
    this.dataRanges = withDsoundCopies(pin.dataRanges);
    this.interfaces = port.pinInterfaces(pinId);
    this.mediums = pin.mediums !== undefined && pin.mediums.length > 0 ? pin.mediums : STANDARD_DEVIO;
    this.dataRangesAnswer = encodeDataRanges(this.dataRanges);
    const constrained = pin.constrainedDataRanges;
    this.constrainedAnswer =
      constrained !== undefined && constrained.length > 0
        ? encodeDataRanges(withDsoundCopies(constrained))
        : this.dataRangesAnswer;
    this.interfacesAnswer = encodeIdentifiers(this.interfaces);
    this.mediumsAnswer = encodeIdentifiers(this.mediums);
  }
}

const STANDARD_DEVIO: readonly KSIDENTIFIER[] = [STANDARD_DEVIO_MEDIUM];

function withDsoundCopies(ranges: readonly KSDATARANGE[]): readonly KSDATARANGE[] {
  return ranges.flatMap((range) =>
    range.specifier.equals(KSDATAFORMAT_SPECIFIER_WAVEFORMATEX) &&
    !ranges.some(
      (other) =>
        other.specifier.equals(KSDATAFORMAT_SPECIFIER_DSOUND) && other.subFormat.equals(range.subFormat),
    )
      ? [range, { ...range, specifier: KSDATAFORMAT_SPECIFIER_DSOUND }]
      : [range],
  );
}

/** The pin factory that a KSP_PIN names; throws STATUS_INVALID_PARAMETER when the filter has none of that number. */
function factoryOf(filter: PortFilter, request: PCPROPERTY_REQUEST): PinFactory {
  const pinId = request.instanceUlong(0);
  const factory = filter.port.pinFactories[pinId];
  if (factory === undefined) throw new NtError(STATUS_INVALID_PARAMETER, `the filter has no pin ${pinId}`);
  return factory;
}

/**
 * Instance counts of a pin factory, after the miniport's IPinCount had its chance to change them. `filter` null counts for a
 * filter without pins.
 */
export function pinCounts(port: PortBase, filter: PortFilter | null, pinId: number): PinCounts {
  const descriptor = port.descriptor.pins[pinId];
  if (descriptor === undefined) throw new NtError(STATUS_INVALID_PARAMETER, `the filter has no pin ${pinId}`);
  let globalCurrent = 0;
  for (const open of port.filters) globalCurrent += open.pinInstances(pinId);
  const counts: PinCounts = {
    filterNecessary: descriptor.minFilterInstanceCount,
    filterCurrent: filter?.pinInstances(pinId) ?? 0,
    filterPossible: descriptor.maxFilterInstanceCount,
    globalCurrent,
    globalPossible: descriptor.maxGlobalInstanceCount,
  };
  const pinCount = port.pinCountInterface;
  if (pinCount !== null) {
    port.kernel.callOut(port.driverName, 'IPinCount::PinCount', () => pinCount.pinCount(pinId, counts));
  }
  return counts;
}

function setCounts(request: PCPROPERTY_REQUEST, possible: number, current: number): void {
  const bytes = new Uint8Array(8);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, possible, true);
  view.setUint32(4, current, true);
  request.setBytes(bytes);
}

/** A get-only property of KSP_PIN. */
function pinProperty(
  id: number,
  valueBytes: number,
  owned: boolean,
  onGet: (factory: PinFactory, filter: PortFilter, request: PCPROPERTY_REQUEST) => void,
): PortProperty<PortFilter> {
  return {
    set: KSPROPSETID_Pin,
    id,
    owned,
    instanceBytes: KSP_PIN_TAIL,
    valueBytes,
    onGet: (filter, request) => onGet(factoryOf(filter, request), filter, request),
  };
}

const PROPERTIES: readonly PortProperty<PortFilter>[] = [
  {
    set: KSPROPSETID_Pin,
    id: KSPROPERTY_PIN_CTYPES,
    owned: true,
    valueBytes: 4,
    onGet: (filter, request) => request.setUlong(filter.port.descriptor.pins.length),
  },
  pinProperty(KSPROPERTY_PIN_CINSTANCES, 8, true, ({ pinId }, filter, request) => {
    const counts = pinCounts(filter.port, filter, pinId);
    setCounts(request, counts.filterPossible, counts.filterCurrent);
  }),
  pinProperty(KSPROPERTY_PIN_GLOBALCINSTANCES, 8, true, ({ pinId }, filter, request) => {
    const counts = pinCounts(filter.port, filter, pinId);
    setCounts(request, counts.globalPossible, counts.globalCurrent);
  }),
  pinProperty(KSPROPERTY_PIN_NECESSARYINSTANCES, 4, true, ({ pinId }, filter, request) =>
    request.setUlong(pinCounts(filter.port, filter, pinId).filterNecessary),
  ),
  pinProperty(KSPROPERTY_PIN_DATAFLOW, 4, false, ({ descriptor }, _filter, request) =>
    request.setUlong(descriptor.kspinDescriptor.dataFlow),
  ),
  pinProperty(KSPROPERTY_PIN_COMMUNICATION, 4, false, ({ descriptor }, _filter, request) =>
    request.setUlong(descriptor.kspinDescriptor.communication),
  ),
  pinProperty(KSPROPERTY_PIN_CATEGORY, 16, false, ({ descriptor }, _filter, request) =>
    request.setGuid(descriptor.kspinDescriptor.category),
  ),
  pinProperty(KSPROPERTY_PIN_NAME, 0, false, ({ pinId, descriptor }, filter, request) => {
    request.setBytes(encodeWideString(pinName(filter.port, pinId, descriptor, request)));
  }),
  pinProperty(KSPROPERTY_PIN_INTERFACES, 0, false, (factory, _filter, request) =>
    request.setList(factory.interfacesAnswer),
  ),
  pinProperty(KSPROPERTY_PIN_MEDIUMS, 0, false, (factory, _filter, request) =>
    request.setList(factory.mediumsAnswer),
  ),
  pinProperty(KSPROPERTY_PIN_DATARANGES, 0, false, (factory, _filter, request) =>
    request.setList(factory.dataRangesAnswer),
  ),
  pinProperty(KSPROPERTY_PIN_CONSTRAINEDDATARANGES, 0, false, (factory, _filter, request) =>
    request.setList(factory.constrainedAnswer),
  ),
  pinProperty(KSPROPERTY_PIN_DATAINTERSECTION, 0, true, (factory, filter, request) =>
    answerDataIntersection(filter.port, factory.pinId, factory.dataRanges, request),
  ),
  pinProperty(KSPROPERTY_PIN_PHYSICALCONNECTION, 0, true, ({ pinId }, filter, request) => {
    const peer = filter.port.device.physicalConnection(filter.port, pinId);
    if (peer === null) throw new NtError(STATUS_NOT_FOUND, `pin ${pinId} has no physical connection`);
    request.setBytes(encodePhysicalConnection({ pin: peer.pin, symbolicLinkName: peer.symbolicLink }));
  }),
  {
    // Without a miniport handler only the static ranges can be asked: a set tells whether one of them holds the format.
    set: KSPROPSETID_Pin,
    id: KSPROPERTY_PIN_PROPOSEDATAFORMAT,
    owned: false,
    instanceBytes: KSP_PIN_TAIL,
    onGet: () => {
      throw new NtError(STATUS_NOT_SUPPORTED, 'the miniport proposes no format');
    },
    onSet: (filter, request) => {
      const format = decodeDataFormat(request.getBytes());
      const { dataRanges } = factoryOf(filter, request);
      if (!dataRanges.some((range) => dataFormatWithinRange(format, range)))
        throw new NtError(STATUS_NO_MATCH);
    },
  },
];

/** KSPROPSETID_Pin of every port's filters. */
export function pinPropertySet(): readonly PortProperty<PortFilter>[] {
  return PROPERTIES;
}

/** IPinName first, then the descriptor's name GUID, then its category. */
function pinName(
  port: PortBase,
  pinId: number,
  descriptor: PCPIN_DESCRIPTOR,
  request: PCPROPERTY_REQUEST,
): string {
  const pinNames = port.pinNameInterface;
  if (pinNames !== null) {
    try {
      return port.kernel.callOut(port.driverName, 'IPinName::GetPinName', () =>
        pinNames.getPinName(request.irp, pinId),
      );
    } catch (error) {
      if (!(error instanceof NtError)) throw error;
    }
  }
  const pin = descriptor.kspinDescriptor;
  return requireMediaCategoryName(port.device, [pin.name, pin.category]);
}
