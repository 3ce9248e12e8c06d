import { pciFindCapability } from '../../hal/index.ts';
import {
  type BUS_INTERFACE_STANDARD,
  type DEVICE_OBJECT,
  GUID_BUS_INTERFACE_STANDARD,
  type INTERFACE,
  PCI_WHICHSPACE_CONFIG,
  pnpQueryInterface,
} from '../../kernel/index.ts';
import * as R from './registers.ts';

function isBusInterface(value: INTERFACE): value is BUS_INTERFACE_STANDARD {
  return 'getBusData' in value && 'setBusData' in value;
}

/** The controller's configuration space. Release it with {@link close}. */
export class HdaPciConfig {
  readonly #bus: BUS_INTERFACE_STANDARD;

  /** @throws NtError when the bus driver has no BUS_INTERFACE_STANDARD. PASSIVE_LEVEL. */
  constructor(physicalDeviceObject: DEVICE_OBJECT) {
    this.#bus = pnpQueryInterface(physicalDeviceObject, GUID_BUS_INTERFACE_STANDARD, isBusInterface);
  }

  close(): void {
    this.#bus.interfaceDereference();
  }

  /**
   * What the ICH's functions want before they are used, and again after D3: the link in HDA mode, DMA in traffic class 0 (other classes
   * have lanes of their own to memory and may be starved), and coherent with the caches, where cyclic buffers are.
   */
  prepare(): void {
    const mode = this.#read(R.PCI_HDCTL, 1);
    if ((mode & R.HDCTL_AZALIA) === 0) this.#write(R.PCI_HDCTL, 1, mode | R.HDCTL_AZALIA);
    const trafficClass = this.#read(R.PCI_TCSEL, 1);
    if ((trafficClass & R.TCSEL_CLASS) !== 0) this.#write(R.PCI_TCSEL, 1, trafficClass & ~R.TCSEL_CLASS);
    const express = pciFindCapability(this.#bus, R.PCI_CAPABILITY_ID_PCI_EXPRESS);
    if (express === null) return;
    const control = this.#read(express + R.PCIE_DEVICE_CONTROL, 2);
    if ((control & R.PCIE_DEVICE_CONTROL_NO_SNOOP) !== 0) {
      this.#write(express + R.PCIE_DEVICE_CONTROL, 2, control & ~R.PCIE_DEVICE_CONTROL_NO_SNOOP);
    }
  }

  #read(offset: number, size: 1 | 2): number {
    const bytes = new Uint8Array(size);
    this.#bus.getBusData(PCI_WHICHSPACE_CONFIG, bytes, offset, size);
    return (bytes[0] ?? 0) | ((bytes[1] ?? 0) << 8);
  }

  #write(offset: number, size: 1 | 2, value: number): void {
    this.#bus.setBusData(
      PCI_WHICHSPACE_CONFIG,
      Uint8Array.of(value & 0xff, (value >>> 8) & 0xff),
      offset,
      size,
    );
  }
}
