import {
  GUID_BUS_TYPE_PCI,
  type Kernel,
  type PNP_BUS_INFORMATION,
  type PnpBus,
  type PnpChild,
} from '../kernel/index.ts';
import { AddressAllocator, type PciAddressSpace } from './address-allocator.ts';
import { PciChild } from './pci-child.ts';
import { PciConfigAccess } from './pci-config-access.ts';
import { PciFunction } from './pci-function.ts';
import { type PciIdentity, pciDeviceId } from './pci-ids.ts';
import { PCI_DEVICES, PCI_FUNCTIONS, PCI_HEADER_MULTI_FUNCTION } from './pci-registers.ts';

/** Addresses that the bus may give to its devices: from `start` to, not including, `end`. */
export interface PciAddressWindow {
  readonly start: number;
  readonly end: number;
}

export interface PciBusOptions {
  /** I/O addresses; 1000h–FFFFh unless given, above everything of a PC's that is fixed. */
  readonly io?: PciAddressWindow;
  /** Memory below 4 GiB; E0000000h–FEBFFFFFh unless given, between RAM and the interrupt controllers. */
  readonly memory?: PciAddressWindow;
  /** Memory for 64-bit windows that find no room below 4 GiB; 64 GiB from 512 GiB on unless given. */
  readonly highMemory?: PciAddressWindow;
}

const DEFAULT_IO: PciAddressWindow = { start: 0x1000, end: 0x1_0000 };
const DEFAULT_MEMORY: PciAddressWindow = { start: 0xe000_0000, end: 0xfec0_0000 };
const DEFAULT_HIGH_MEMORY: PciAddressWindow = { start: 0x80_0000_0000, end: 0x90_0000_0000 };

/** Base class of bridges: part of the machine itself, for which no driver is looked for. */
const BASE_CLASS_BRIDGE = 0x06;

/**
 * The driver of PCI bus 0. It finds the functions through configuration mechanism 1, so that it works on every machine that has ports
 * CF8h and CFCh, sizes and places their windows, and reports them to the PnP manager.
 */
export class PciBusDriver implements PnpBus {
  readonly name = 'pci';
  readonly #kernel: Kernel;
  readonly #access: PciConfigAccess;
  readonly #addresses: PciAddressSpace;
  /** By device * 8 + function. */
  readonly #children = new Map<number, PciChild>();
  /** Cards that are gone and whose addresses their drivers may still use. */
  #vanished: PciChild[] = [];

  /** Give it to `kernel.pnp.addBus`. */
  constructor(kernel: Kernel, options: PciBusOptions = {}) {
    this.#kernel = kernel;
    this.#access = new PciConfigAccess(kernel);
    const allocator = ({ start, end }: PciAddressWindow) => new AddressAllocator(start, end);
    this.#addresses = {
      io: allocator(options.io ?? DEFAULT_IO),
      memory: allocator(options.memory ?? DEFAULT_MEMORY),
      highMemory: allocator(options.highMemory ?? DEFAULT_HIGH_MEMORY),
    };
  }

  /** Configuration space of the bus, for the machine's owner and for tests. */
  get config(): PciConfigAccess {
    return this.#access;
  }

  /**
   * Looks at every slot. A function that was there before keeps its entry and its addresses; one that is gone loses its entry (its
   * addresses when its driver has let go); one that another card replaced counts as both.
   */
  enumerate(): readonly PnpChild[] {
    this.#releaseVanished();
    const seen = new Set<number>();
    for (let device = 0; device < PCI_DEVICES; device++) {
      const first = new PciFunction(this.#access, device, 0);
      if (!first.isPresent()) continue;
      const multiFunction = (first.headerType() & PCI_HEADER_MULTI_FUNCTION) !== 0;
      const count = multiFunction ? PCI_FUNCTIONS : 1;
      for (let func = 0; func < count; func++) {
        const candidate = func === 0 ? first : new PciFunction(this.#access, device, func);
        if (func !== 0 && !candidate.isPresent()) continue;
        const identity = candidate.identity();
        if (identity.classCode >> 16 === BASE_CLASS_BRIDGE) continue;
        const key = device * PCI_FUNCTIONS + func;
        seen.add(key);
        this.#noteFunction(key, candidate, identity);
      }
    }
    for (const [key, child] of this.#children) {
      if (seen.has(key)) continue;
      this.#vanish(child);
      this.#children.delete(key);
    }
    return [...this.#children.entries()].sort(([a], [b]) => a - b).map(([, child]) => child);
  }

  /**
   * The card in this slot was pulled out: its entry goes, whatever sits there by the time of the next enumeration. Without this, a card
   * replaced by its like between two enumerations goes unnoticed.
   */
  forget(busDevice: string): void {
    for (const [key, child] of this.#children) {
      if (child.busDevice !== busDevice) continue;
      this.#vanish(child);
      this.#children.delete(key);
    }
  }

  #vanish(child: PciChild): void {
    child.vanish();
    this.#vanished.push(child);
  }

  /** A device that was removed by surprise stays in the PnP manager's tree until its driver got IRP_MN_REMOVE_DEVICE. */
  #releaseVanished(): void {
    const { devices } = this.#kernel.pnp;
    this.#vanished = this.#vanished.filter((child) => {
      const inUse = devices.some(
        (node) => node.busDevice === child.busDevice && node.state === 'DeviceNodeAwaitingQueuedRemoval',
      );
      if (!inUse) child.stop();
      return inUse;
    });
  }

  #noteFunction(key: number, pciFunction: PciFunction, identity: PciIdentity): void {
    const known = this.#children.get(key);
    if (known && known.deviceId === pciDeviceId(identity)) return;
    if (known) this.#vanish(known);
    const child = new PciChild(
      this.#kernel,
      this.#access,
      this.#addresses,
      BUS_INFORMATION,
      pciFunction,
      identity,
    );
    this.#children.set(key, child);
  }
}

const BUS_INFORMATION: PNP_BUS_INFORMATION = {
  busTypeGuid: GUID_BUS_TYPE_PCI,
  legacyBusType: 'PCIBus',
  busNumber: 0,
};
