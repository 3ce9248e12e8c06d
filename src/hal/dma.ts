import {
  currentKernel,
  type DEVICE_OBJECT,
  ioGetDeviceAttachmentBase,
  NtError,
  PASSIVE_LEVEL,
  requireIrql,
  STATUS_INVALID_PARAMETER,
  STATUS_NOT_SUPPORTED,
} from '../kernel/index.ts';
import { BusMasterDmaAdapter } from './bus-master-dma.ts';
import type { DEVICE_DESCRIPTION, DMA_ADAPTER } from './dma-types.ts';
import { SlaveDmaAdapter } from './slave-dma.ts';

/**
 * IoGetDmaAdapter: DMA for a device, as its description says. What C returns through NumberOfMapRegisters is
 * {@link DMA_ADAPTER.numberOfMapRegisters}. PASSIVE_LEVEL. The driver ends it with putDmaAdapter.
 *
 * @param physicalDeviceObject the PDO; a device object higher in the stack does as well
 * @throws NtError STATUS_INVALID_PARAMETER for a device that no bus reported or a description that makes no sense, STATUS_NOT_SUPPORTED
 * where C gets NULL: for a device that neither masters the bus nor names a channel of the system's DMA controller
 */
export function ioGetDmaAdapter(
  physicalDeviceObject: DEVICE_OBJECT,
  deviceDescription: DEVICE_DESCRIPTION,
): DMA_ADAPTER {
  requireIrql(PASSIVE_LEVEL, 'IoGetDmaAdapter');
  const busDevice = ioGetDeviceAttachmentBase(physicalDeviceObject).deviceNode?.busDevice;
  if (busDevice === null || busDevice === undefined) {
    throw new NtError(
      STATUS_INVALID_PARAMETER,
      `IoGetDmaAdapter: ${physicalDeviceObject.displayName} is on no bus, so that nothing is known of its DMA.`,
    );
  }
  return makeDmaAdapter(busDevice, deviceDescription);
}

/** The same by the device's id as bus master, for the GetDmaAdapter routine of bus interfaces. Up to DISPATCH_LEVEL. */
export function makeDmaAdapter(busDevice: string, deviceDescription: DEVICE_DESCRIPTION): DMA_ADAPTER {
  if (!deviceDescription.master) {
    if (deviceDescription.dmaChannel === undefined) {
      throw new NtError(
        STATUS_NOT_SUPPORTED,
        'IoGetDmaAdapter: DEVICE_DESCRIPTION.Master is false, and DmaChannel names no channel of the DMA controller.',
      );
    }
    return new SlaveDmaAdapter(currentKernel(), deviceDescription);
  }
  return new BusMasterDmaAdapter(currentKernel(), busDevice, deviceDescription);
}
