import {
  APC_LEVEL,
  type BUS_INTERFACE_STANDARD,
  currentKernel,
  DISPATCH_LEVEL,
  type Kernel,
  type ObjectRecord,
  PCI_WHICHSPACE_CONFIG,
  requireIrql,
} from '../kernel/index.ts';
import { makeDmaAdapter } from './dma.ts';
import type { DEVICE_DESCRIPTION, DMA_ADAPTER } from './dma-types.ts';
import { type PciConfigAccess, walkCapabilities } from './pci-config-access.ts';

/** DataType of get and set routines: the expansion ROM. */
export const PCI_WHICHSPACE_ROM = 0x52696350;

/** AddressSpace of TranslateBusAddress. */
export const BUS_ADDRESS_SPACE_MEMORY = 0;
export const BUS_ADDRESS_SPACE_IO = 1;

/** sizeof(BUS_INTERFACE_STANDARD) of 64-bit Windows. */
const INTERFACE_BYTES = 64;

/** BUS_INTERFACE_STANDARD as a PCI bus gives it: all of the WDK's members. */
export interface PCI_BUS_INTERFACE_STANDARD extends BUS_INTERFACE_STANDARD {
  /**
   * TranslateBusAddress: bus addresses and the processor's are the same on these machines. Returns null for an address space that
   * there is not.
   */
  translateBusAddress(
    busAddress: number,
    length: number,
    addressSpace: number,
  ): { readonly translatedAddress: number; readonly addressSpace: number } | null;
  /** GetDmaAdapter: what ioGetDmaAdapter does, at up to DISPATCH_LEVEL. */
  getDmaAdapter(deviceDescription: DEVICE_DESCRIPTION): DMA_ADAPTER;
}

/** The interface of one function's PDO. Counts its references; what is not dereferenced appears in the leak report. */
export class PciBusInterface implements PCI_BUS_INTERFACE_STANDARD {
  readonly size = INTERFACE_BYTES;
  readonly version = 1;
  readonly #kernel: Kernel;
  readonly #access: PciConfigAccess;
  readonly #busDevice: string;
  readonly #device: number;
  readonly #func: number;
  #references = 0;
  #record: ObjectRecord | null = null;

  constructor(kernel: Kernel, access: PciConfigAccess, busDevice: string, device: number, func: number) {
    this.#kernel = kernel;
    this.#access = access;
    this.#busDevice = busDevice;
    this.#device = device;
    this.#func = func;
  }

  interfaceReference(): void {
    if (this.#references++ === 0) {
      this.#record = this.#kernel.objects.register('BUS_INTERFACE_STANDARD', this.#busDevice);
    }
  }

  interfaceDereference(): void {
    if (--this.#references === 0 && this.#record !== null) {
      this.#kernel.objects.remove(this.#record);
      this.#record = null;
    }
  }

  translateBusAddress(busAddress: number, _length: number, addressSpace: number) {
    if (addressSpace !== BUS_ADDRESS_SPACE_MEMORY && addressSpace !== BUS_ADDRESS_SPACE_IO) return null;
    return { translatedAddress: busAddress, addressSpace };
  }

  getDmaAdapter(deviceDescription: DEVICE_DESCRIPTION): DMA_ADAPTER {
    requireIrql(DISPATCH_LEVEL, 'GetDmaAdapter');
    return makeDmaAdapter(this.#busDevice, deviceDescription);
  }

  /**
   * Up to DIRQL for configuration space, APC_LEVEL for the expansion ROM (DDI page GetBusData), which no card here has. A space that
   * there is not, or an offset outside: 0 bytes.
   */
  getBusData(dataType: number, buffer: Uint8Array, offset: number, length: number): number {
    if (dataType === PCI_WHICHSPACE_ROM) requireIrql(APC_LEVEL, 'GetBusData(PCI_WHICHSPACE_ROM)');
    if (dataType !== PCI_WHICHSPACE_CONFIG) return 0;
    return this.#access.readBytes(this.#device, this.#func, offset, buffer, length);
  }

  setBusData(dataType: number, buffer: Uint8Array, offset: number, length: number): number {
    if (dataType === PCI_WHICHSPACE_ROM) requireIrql(APC_LEVEL, 'SetBusData(PCI_WHICHSPACE_ROM)');
    if (dataType !== PCI_WHICHSPACE_CONFIG) return 0;
    const written = this.#access.writeBytes(this.#device, this.#func, offset, buffer, length);
    // A configuration write may switch an interrupt on; it is taken here as after a register access.
    currentKernel().afterAccess();
    return written;
  }
}

/** Offset of a device's first capability with this id, null when it has none: for drivers, which have the interface. */
export function pciFindCapability(bus: BUS_INTERFACE_STANDARD, capabilityId: number): number | null {
  const bytes = new Uint8Array(2);
  return walkCapabilities((offset, size) => {
    if (bus.getBusData(PCI_WHICHSPACE_CONFIG, bytes, offset, size) !== size) return 0;
    return size === 1 ? (bytes[0] ?? 0) : (bytes[0] ?? 0) | ((bytes[1] ?? 0) << 8);
  }, capabilityId);
}
