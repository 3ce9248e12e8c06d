import type { GUID } from '../../com/index.ts';
import { NtError, STATUS_INVALID_PARAMETER } from '../../kernel/index.ts';
import {
  KSCATEGORY_CAPTURE,
  KSCATEGORY_RENDER,
  KSDATAFORMAT_SPECIFIER_DSOUND,
  KSDATAFORMAT_SPECIFIER_WAVEFORMATEX,
  type KSDATARANGE,
  KSPIN_DATAFLOW_IN,
  KSPIN_DATAFLOW_OUT,
  type KSPIN_DESCRIPTOR,
} from '../../ks/index.ts';
import type { PCFILTER_DESCRIPTOR, PinCounts } from '../ddi/index.ts';
import type { PortBase } from './port-base.ts';
import type { PortFilter } from './port-handle.ts';

/**
 * The pin factories as clients see them: the miniport's descriptors with the port's interfaces (the descriptor's list is always
 * ignored, ns-portcls-pcpin_descriptor.md) and a DSOUND copy behind each WAVEFORMATEX range (specifying-ac-3-data-ranges.md).
 */
export function effectivePins(port: PortBase): readonly KSPIN_DESCRIPTOR[] {
  return port.descriptor.pins.map(({ kspinDescriptor }, pinId) => {
    const { constrainedDataRanges, ...pin } = kspinDescriptor;
    return {
      ...pin,
      interfaces: port.pinInterfaces(pinId),
      dataRanges: withDsoundCopies(pin.dataRanges),
      ...(constrainedDataRanges === undefined || constrainedDataRanges.length === 0
        ? {}
        : { constrainedDataRanges: withDsoundCopies(constrainedDataRanges) }),
    };
  });
}

/** KSCATEGORY_RENDER and KSCATEGORY_CAPTURE, as far as a filter has pins that clients can stream to or from. */
export function streamingCategories(descriptor: PCFILTER_DESCRIPTOR): readonly GUID[] {
  const flows = (dataFlow: number) =>
    descriptor.pins.some(
      (pin) => pin.kspinDescriptor.dataFlow === dataFlow && pin.maxFilterInstanceCount > 0,
    );
  return [
    ...(flows(KSPIN_DATAFLOW_IN) ? [KSCATEGORY_RENDER] : []),
    ...(flows(KSPIN_DATAFLOW_OUT) ? [KSCATEGORY_CAPTURE] : []),
  ];
}

function withDsoundCopies(ranges: readonly KSDATARANGE[]): readonly KSDATARANGE[] {
  const hasDsound = (range: KSDATARANGE) =>
    ranges.some(
      (other) =>
        other.specifier.equals(KSDATAFORMAT_SPECIFIER_DSOUND) && other.subFormat.equals(range.subFormat),
    );
  return ranges.flatMap((range) =>
    range.specifier.equals(KSDATAFORMAT_SPECIFIER_WAVEFORMATEX) && !hasDsound(range)
      ? [range, { ...range, specifier: KSDATAFORMAT_SPECIFIER_DSOUND }]
      : [range],
  );
}

/** Instance counts of a pin factory, after the miniport's IPinCount had its chance to change them. PASSIVE_LEVEL. */
export function pinCounts(port: PortBase, filter: PortFilter, pinId: number): PinCounts {
  const descriptor = port.descriptor.pins[pinId];
  if (descriptor === undefined) throw new NtError(STATUS_INVALID_PARAMETER, `the filter has no pin ${pinId}`);
  let globalCurrent = 0;
  for (const open of port.filters) globalCurrent += open.pinInstances(pinId);
  const counts: PinCounts = {
    filterNecessary: descriptor.minFilterInstanceCount,
    filterCurrent: filter.pinInstances(pinId),
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
