import {
  type CM_PARTIAL_RESOURCE_DESCRIPTOR,
  CM_RESOURCE_INTERRUPT_LEVEL_SENSITIVE,
  type CM_RESOURCE_LIST,
  CM_RESOURCE_MEMORY_PREFETCHABLE,
  CM_RESOURCE_MEMORY_READ_WRITE,
  CM_RESOURCE_PORT_16_BIT_DECODE,
  CM_RESOURCE_PORT_IO,
  type DEVICE_CAPABILITIES,
  type DEVICE_POWER_STATE,
  GUID_BUS_INTERFACE_STANDARD,
  type INTERFACE,
  type IO_RESOURCE_DESCRIPTOR,
  type IO_RESOURCE_REQUIREMENTS_LIST,
  type Kernel,
  makeResourceList,
  NtError,
  PCI_WHICHSPACE_CONFIG,
  type PNP_BUS_INFORMATION,
  type PnpChild,
  PowerDeviceD0,
  STATUS_CONFLICTING_ADDRESSES,
  STATUS_INVALID_PARAMETER,
  STATUS_INVALID_PARAMETER_1,
  STATUS_INVALID_PARAMETER_2,
  STATUS_INVALID_PARAMETER_3,
} from '../kernel/index.ts';
import type { AddressAllocator, PciAddressSpace } from './address-allocator.ts';
import { translateInterrupt } from './interrupt-translation.ts';
import { PciBusInterface } from './pci-bus-interface.ts';
import { type PciConfigAccess, pciLocationText } from './pci-config-access.ts';
import type { PciFunction, PciWindow } from './pci-function.ts';
import { type PciIdentity, pciClassText, pciCompatibleIds, pciDeviceId, pciHardwareIds } from './pci-ids.ts';
import {
  PCI_CAPABILITY_ID_POWER_MANAGEMENT,
  PCI_CONFIG_BYTES,
  PCI_INTERRUPT_LINE_NONE,
} from './pci-registers.ts';

/** Power management capability (PCI Bus Power Management Interface 1.1, section 3.2): control and status, and its power state bits. */
const PMCSR = 4;
const PMCSR_POWER_STATE = 0x0003;

/** What instance ids begin with: on Windows a hash of the parent's path; here every bus is PCI bus 0. */
const INSTANCE_PREFIX = '3&11583659&0&';

const HIGHEST_32_BIT_ADDRESS = 0xffff_ffff;

/** One function of the bus as the PnP manager sees it. */
export class PciChild implements PnpChild {
  readonly busDevice: string;
  readonly deviceId: string;
  readonly instanceId: string;
  readonly hardwareIds: readonly string[];
  readonly compatibleIds: readonly string[];
  readonly description: string;
  readonly location: string;
  readonly bus: PNP_BUS_INFORMATION;
  readonly capabilities: Partial<DEVICE_CAPABILITIES>;
  readonly resourceRequirements: IO_RESOURCE_REQUIREMENTS_LIST | null;
  readonly #function: PciFunction;
  readonly #addresses: PciAddressSpace;
  readonly #interface: PciBusInterface;
  readonly #windows: readonly PciWindow[];
  /** Line of the interrupt controller, null when the function has no interrupt. */
  readonly #line: number | null;
  /** Offset of the power management capability, null without one. */
  readonly #powerCapability: number | null;
  /** Where each of #windows lies, parallel to it; null when no addresses are assigned. */
  #assigned: readonly Placement[] | null = null;
  #started = false;
  #present = true;

  constructor(
    kernel: Kernel,
    access: PciConfigAccess,
    addresses: PciAddressSpace,
    bus: PNP_BUS_INFORMATION,
    pciFunction: PciFunction,
    identity: PciIdentity,
  ) {
    const { device, func } = pciFunction;
    this.busDevice = `pci:${pciLocationText(0, device, func)}`;
    this.deviceId = pciDeviceId(identity);
    this.instanceId = `${INSTANCE_PREFIX}${((device << 3) | func).toString(16).toUpperCase().padStart(2, '0')}`;
    this.hardwareIds = pciHardwareIds(identity);
    this.compatibleIds = pciCompatibleIds(identity);
    this.description = pciClassText(identity.classCode);
    this.location = `PCI bus 0, device ${device}, function ${func}`;
    this.bus = bus;
    this.capabilities = {
      address: (device << 16) | func,
      uniqueID: false,
      surpriseRemovalOK: false,
    };
    this.#function = pciFunction;
    this.#addresses = addresses;
    this.#interface = new PciBusInterface(kernel, access, this.busDevice, device, func);
    const pin = pciFunction.interruptPin();
    this.#line = pin >= 1 && pin <= 4 ? kernel.platform.pciInterruptLine(device, pin) : null;
    this.#powerCapability = access.findCapability(device, func, PCI_CAPABILITY_ID_POWER_MANAGEMENT);
    const wasDecoding = pciFunction.isDecoding();
    this.#windows = pciFunction.sizeWindows();
    if (wasDecoding) this.#adoptFirmwareAddresses();
    this.resourceRequirements = this.#requirements();
  }

  assignResources(
    requirements: IO_RESOURCE_REQUIREMENTS_LIST | null,
  ): { raw: CM_RESOURCE_LIST; translated: CM_RESOURCE_LIST } | null {
    const descriptors = (requirements ?? this.resourceRequirements)?.alternativeLists[0] ?? [];
    if (descriptors.length === 0 && this.#windows.length === 0) return null;
    const addresses = descriptors.filter(({ type }) => type === 'Port' || type === 'Memory');
    if (addresses.length !== this.#windows.length) {
      throw new NtError(
        STATUS_INVALID_PARAMETER,
        `${this.busDevice}: the filtered requirements name ${addresses.length} address range(s), the function has ${this.#windows.length}.`,
      );
    }
    const placements = this.#place(addresses);
    const raw: CM_PARTIAL_RESOURCE_DESCRIPTOR[] = this.#windows.map((window, i) =>
      windowResource(window, placements[i]?.address ?? 0),
    );
    const translated = [...raw];
    if (this.#line !== null && descriptors.some(({ type }) => type === 'Interrupt')) {
      const interrupt = {
        type: 'Interrupt',
        shareDisposition: 'Shared',
        flags: CM_RESOURCE_INTERRUPT_LEVEL_SENSITIVE,
        level: this.#line,
        vector: this.#line,
        affinity: 1,
      } as const;
      raw.push(interrupt);
      translated.push(translateInterrupt(interrupt));
    }
    return {
      raw: makeResourceList(raw, 'PCIBus', this.bus.busNumber),
      translated: makeResourceList(translated, 'PCIBus', this.bus.busNumber),
    };
  }

  /** GUID_BUS_INTERFACE_STANDARD, version 1. The PnP manager references it for the caller. */
  queryInterface(interfaceType: string, version: number): INTERFACE | null {
    if (interfaceType !== GUID_BUS_INTERFACE_STANDARD || version > this.#interface.version) return null;
    return this.#interface;
  }

  /** Configuration space alone; the bytes there are up to FFh. */
  readConfig(whichSpace: number, buffer: Uint8Array, offset: number, length: number): number {
    requireConfigRange(whichSpace, buffer, offset, length);
    return this.#interface.getBusData(whichSpace, buffer, offset, length);
  }

  writeConfig(whichSpace: number, buffer: Uint8Array, offset: number, length: number): number {
    requireConfigRange(whichSpace, buffer, offset, length);
    return this.#interface.setBusData(whichSpace, buffer, offset, length);
  }

  /** Writes the assigned addresses and the line, then lets the function decode and master the bus. */
  start(): void {
    if (!this.#present) return;
    this.#started = true;
    this.#program();
  }

  /** Decoders off; the addresses are free for others. */
  stop(): void {
    this.#started = false;
    if (this.#present) this.#function.disable();
    this.#releaseAddresses();
  }

  setPowerState(state: DEVICE_POWER_STATE): void {
    if (!this.#present || this.#powerCapability === null) return;
    const register = this.#powerCapability + PMCSR;
    const old = this.#function.read(register, 2);
    this.#function.write(register, 2, (old & ~PMCSR_POWER_STATE) | (state - PowerDeviceD0));
    // A function that comes back from D3hot may have lost its configuration (section 5.4.1).
    if (state === PowerDeviceD0 && this.#started) this.#program();
  }

  /** The card is gone. Its addresses stay taken until its driver lets go of them, since that may still use them. */
  vanish(): void {
    this.#present = false;
    if (!this.#started) this.#releaseAddresses();
  }

  #program(): void {
    const pciFunction = this.#function;
    const placements = this.#assigned ?? [];
    pciFunction.disable();
    this.#windows.forEach((window, i) => {
      const placement = placements[i];
      if (placement) pciFunction.place(window, placement.address);
    });
    pciFunction.setInterruptLine(this.#line ?? PCI_INTERRUPT_LINE_NONE);
    pciFunction.enable(this.#windows);
  }

  #requirements(): IO_RESOURCE_REQUIREMENTS_LIST | null {
    const list: IO_RESOURCE_DESCRIPTOR[] = this.#windows.map((window) => {
      const spaces = this.#spacesFor(window);
      const last = spaces.at(-1);
      return {
        option: 0,
        type: window.kind === 'io' ? 'Port' : 'Memory',
        shareDisposition: 'DeviceExclusive',
        flags: windowFlags(window),
        length: window.size,
        alignment: window.size,
        minimum: spaces[0]?.start ?? 0,
        maximum: (last?.end ?? HIGHEST_32_BIT_ADDRESS + 1) - 1,
      };
    });
    if (this.#line !== null) {
      list.push({
        option: 0,
        type: 'Interrupt',
        shareDisposition: 'Shared',
        flags: CM_RESOURCE_INTERRUPT_LEVEL_SENSITIVE,
        length: 1,
        alignment: 1,
        minimum: this.#line,
        maximum: this.#line,
      });
    }
    if (list.length === 0) return null;
    return {
      interfaceType: 'PCIBus',
      busNumber: this.bus.busNumber,
      slotNumber: (this.#function.func << 5) | this.#function.device,
      alternativeLists: [list],
    };
  }

  /** Where a window may go, in order of preference. */
  #spacesFor(window: PciWindow): readonly AddressAllocator[] {
    const { io, memory, highMemory } = this.#addresses;
    if (window.kind === 'io') return [io];
    return window.kind === 'memory32' ? [memory] : [memory, highMemory];
  }

  #place(descriptors: readonly IO_RESOURCE_DESCRIPTOR[]): readonly Placement[] {
    const kept = this.#assigned;
    if (kept?.every(({ address }, i) => fits(address, this.#windows[i], descriptors[i]))) return kept;
    this.#releaseAddresses();
    const placements: Placement[] = [];
    this.#assigned = placements;
    this.#windows.forEach((window, i) => {
      const placement = this.#placeWindow(window, descriptors[i]);
      if (placement === null) {
        this.#releaseAddresses();
        throw new NtError(
          STATUS_CONFLICTING_ADDRESSES,
          `${this.busDevice}: no ${window.size} free ${window.kind === 'io' ? 'port' : 'memory'} addresses for base address register ${window.bar}.`,
        );
      }
      placements.push(placement);
    });
    return placements;
  }

  #placeWindow(window: PciWindow, limits: IO_RESOURCE_DESCRIPTOR | undefined): Placement | null {
    const alignment = Math.max(window.size, limits?.alignment ?? 1);
    for (const space of this.#spacesFor(window)) {
      const address = space.allocate(window.size, alignment, limits?.minimum, limits?.maximum);
      if (address !== null) return { space, address };
    }
    return null;
  }

  #releaseAddresses(): void {
    for (const { space, address } of this.#assigned ?? []) space.release(address);
    this.#assigned = null;
  }

  /** Addresses that firmware gave stay as they are when all of them lie within the bus's windows and nobody else has them. */
  #adoptFirmwareAddresses(): void {
    const placements: Placement[] = [];
    this.#assigned = placements;
    for (const window of this.#windows) {
      const space = this.#spacesFor(window).find((candidate) =>
        candidate.reserve(window.address, window.size),
      );
      if (!space) {
        this.#releaseAddresses();
        return;
      }
      placements.push({ space, address: window.address });
    }
  }
}

/** What a request for configuration space may say (DDI page IRP_MN_READ_CONFIG). */
function requireConfigRange(whichSpace: number, buffer: Uint8Array, offset: number, length: number): void {
  if (whichSpace !== PCI_WHICHSPACE_CONFIG) throw new NtError(STATUS_INVALID_PARAMETER_1);
  if (buffer.byteLength < length) throw new NtError(STATUS_INVALID_PARAMETER_2);
  if (!(offset >= 0 && offset < PCI_CONFIG_BYTES)) throw new NtError(STATUS_INVALID_PARAMETER_3);
}

interface Placement {
  readonly space: AddressAllocator;
  readonly address: number;
}

function fits(
  address: number,
  window: PciWindow | undefined,
  limits: IO_RESOURCE_DESCRIPTOR | undefined,
): boolean {
  if (!window || !limits) return window === undefined;
  return (
    address >= limits.minimum &&
    address + window.size - 1 <= limits.maximum &&
    address % Math.max(limits.alignment, 1) === 0
  );
}

function windowFlags(window: PciWindow): number {
  if (window.kind === 'io') return CM_RESOURCE_PORT_IO | CM_RESOURCE_PORT_16_BIT_DECODE;
  return CM_RESOURCE_MEMORY_READ_WRITE | (window.prefetchable ? CM_RESOURCE_MEMORY_PREFETCHABLE : 0);
}

function windowResource(window: PciWindow, address: number): CM_PARTIAL_RESOURCE_DESCRIPTOR {
  return {
    type: window.kind === 'io' ? 'Port' : 'Memory',
    shareDisposition: 'DeviceExclusive',
    flags: windowFlags(window),
    start: address,
    length: window.size,
  };
}
