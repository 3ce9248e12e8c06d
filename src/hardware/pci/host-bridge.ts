import type { AccessSize, BusTarget } from '../../hal/bus.ts';
import {
  CONFIG_ADDRESS,
  CONFIG_ADDRESS_ENABLE,
  CONFIG_DATA,
  PCI_DEVICES,
  PCI_FUNCTIONS,
} from '../../hal/pci-registers.ts';
import { PciConfigSpace, type PciIdentification } from './config-space.ts';

/** CONFIG_ADDRESS: bits 30:24 and 1:0 read 0 (PCI 3.0, figure 3-2). */
const CONFIG_ADDRESS_WRITABLE = 0x80ff_fffc;
const ALL_ONES: Readonly<Record<AccessSize, number>> = { 1: 0xff, 2: 0xffff, 4: 0xffff_ffff };

/** A function on the bus as the bridge reaches it. */
export interface PciConfigTarget {
  readConfig(offset: number, size: AccessSize): number;
  writeConfig(offset: number, size: AccessSize, value: number): void;
  /** Function 0 says in its header whether its slot has others. */
  setMultiFunction(multiFunction: boolean): void;
}

/** The bridge as it shows itself at 00:00.0: vendor, device and class of Intel's 440FX, of which nothing else is modelled. */
const IDENTIFICATION: PciIdentification = {
  name: 'host bridge',
  vendorId: 0x8086,
  deviceId: 0x1237,
  revisionId: 0x02,
  classCode: 0x06_00_00,
  subsystemVendorId: 0,
  subsystemId: 0,
  interruptPin: 0,
  bars: [],
};

/** The ports of the bridge: {@link PciHostBridge} answers at CF8h–CFFh. */
export const HOST_BRIDGE_PORT = CONFIG_ADDRESS;
export const HOST_BRIDGE_PORTS = CONFIG_DATA + 4 - CONFIG_ADDRESS;

/**
 * Host bridge with configuration mechanism 1 (PCI 3.0, section 3.2.2.3.2) and one bus. CONFIG_ADDRESS takes dwords alone; bytes and words
 * at CF8h–CFBh are ordinary I/O, at which nothing answers. CONFIG_DATA takes every size, at every byte of the addressed dword. What is not
 * there (functions, other buses) reads all ones and ignores writes.
 */
export class PciHostBridge implements BusTarget {
  #address = 0;
  /** By device * 8 + function. */
  readonly #functions: (PciConfigTarget | null)[] = new Array<PciConfigTarget | null>(
    PCI_DEVICES * PCI_FUNCTIONS,
  ).fill(null);

  constructor() {
    const config = new PciConfigSpace(IDENTIFICATION);
    this.#functions[0] = {
      readConfig: (offset, size) => config.read(offset, size),
      writeConfig: (offset, size, value) => config.write(offset, size, value),
      setMultiFunction: (multiFunction) => config.setMultiFunction(multiFunction),
    };
  }

  /** Is the slot taken? Device 0 is the bridge itself. */
  isOccupied(device: number, func: number): boolean {
    return (this.#functions[device * PCI_FUNCTIONS + func] ?? null) !== null;
  }

  /** Puts a function into a slot. Throws a RangeError when there is no such slot, or it is taken. */
  plug(device: number, func: number, target: PciConfigTarget): void {
    if (!(device >= 0 && device < PCI_DEVICES && func >= 0 && func < PCI_FUNCTIONS)) {
      throw new RangeError(
        `PCI device ${device}, function ${func}: a bus has devices 0 to 31 with functions 0 to 7.`,
      );
    }
    if (this.isOccupied(device, func))
      throw new RangeError(`PCI device ${device}, function ${func} is taken.`);
    this.#functions[device * PCI_FUNCTIONS + func] = target;
    this.#refreshMultiFunction(device);
  }

  unplug(device: number, func: number): void {
    this.#functions[device * PCI_FUNCTIONS + func] = null;
    this.#refreshMultiFunction(device);
  }

  read(offset: number, size: AccessSize): number {
    if (offset < CONFIG_DATA - CONFIG_ADDRESS)
      return offset === 0 && size === 4 ? this.#address : ALL_ONES[size];
    const target = this.#target();
    return target?.readConfig(this.#register(offset), size) ?? ALL_ONES[size];
  }

  write(offset: number, size: AccessSize, value: number): void {
    if (offset < CONFIG_DATA - CONFIG_ADDRESS) {
      if (offset === 0 && size === 4) this.#address = (value & CONFIG_ADDRESS_WRITABLE) >>> 0;
      return;
    }
    this.#target()?.writeConfig(this.#register(offset), size, value);
  }

  #target(): PciConfigTarget | null {
    const address = this.#address;
    // Bits 23:16 are the bus: there is only bus 0.
    if ((address & CONFIG_ADDRESS_ENABLE) === 0 || (address & 0x00ff_0000) !== 0) return null;
    return this.#functions[(address >>> 8) & 0xff] ?? null;
  }

  #register(offset: number): number {
    return (this.#address & 0xfc) + (offset & 3);
  }

  #refreshMultiFunction(device: number): void {
    const functions = this.#functions.slice(device * PCI_FUNCTIONS, (device + 1) * PCI_FUNCTIONS);
    const others = functions.slice(1).some((target) => target !== null);
    functions[0]?.setMultiFunction(others);
  }
}
