import { type AccessSize, NtError, STATUS_NO_SUCH_DEVICE } from '../kernel/index.ts';
import type { PciConfigAccess } from './pci-config-access.ts';
import type { PciIdentity } from './pci-ids.ts';
import {
  PCI_BAR_IO_MASK,
  PCI_BAR_IO_SPACE,
  PCI_BAR_MEMORY_MASK,
  PCI_BAR_MEMORY_PREFETCHABLE,
  PCI_BAR_MEMORY_TYPE_64,
  PCI_BAR_MEMORY_TYPE_MASK,
  PCI_BARS,
  PCI_BASE_ADDRESS_0,
  PCI_CLASS_CODE,
  PCI_COMMAND,
  PCI_COMMAND_BUS_MASTER,
  PCI_COMMAND_INTERRUPT_DISABLE,
  PCI_COMMAND_IO,
  PCI_COMMAND_MEMORY,
  PCI_DEVICE_ID,
  PCI_HEADER_LAYOUT_DEVICE,
  PCI_HEADER_LAYOUT_MASK,
  PCI_HEADER_TYPE,
  PCI_INTERRUPT_LINE,
  PCI_INTERRUPT_PIN,
  PCI_INVALID_VENDOR_ID,
  PCI_REVISION_ID,
  PCI_SUBSYSTEM_ID,
  PCI_SUBSYSTEM_VENDOR_ID,
  PCI_VENDOR_ID,
} from './pci-registers.ts';

/** A window that a function has, as sizing its base address registers showed. */
export interface PciWindow {
  /** Number of the (first) base address register. */
  readonly bar: number;
  readonly kind: 'io' | 'memory32' | 'memory64';
  /** Bytes, a power of two. */
  readonly size: number;
  readonly prefetchable: boolean;
  /** Where it is now; 0 when nobody placed it. */
  readonly address: number;
}

/** One function of a PCI device, reached through its configuration space. */
export class PciFunction {
  readonly device: number;
  readonly func: number;
  readonly #access: PciConfigAccess;

  constructor(access: PciConfigAccess, device: number, func: number) {
    this.#access = access;
    this.device = device;
    this.func = func;
  }

  read(offset: number, size: AccessSize): number {
    return this.#access.read(this.device, this.func, offset, size);
  }

  write(offset: number, size: AccessSize, value: number): void {
    this.#access.write(this.device, this.func, offset, size, value);
  }

  /** Does it answer? A function that is not there reads all ones. */
  isPresent(): boolean {
    return this.read(PCI_VENDOR_ID, 2) !== PCI_INVALID_VENDOR_ID;
  }

  identity(): PciIdentity {
    const hasSubsystem = (this.headerType() & PCI_HEADER_LAYOUT_MASK) === PCI_HEADER_LAYOUT_DEVICE;
    return {
      vendorId: this.read(PCI_VENDOR_ID, 2),
      deviceId: this.read(PCI_DEVICE_ID, 2),
      subsystemVendorId: hasSubsystem ? this.read(PCI_SUBSYSTEM_VENDOR_ID, 2) : 0,
      subsystemId: hasSubsystem ? this.read(PCI_SUBSYSTEM_ID, 2) : 0,
      revisionId: this.read(PCI_REVISION_ID, 1),
      classCode: this.read(PCI_REVISION_ID, 4) >>> (8 * (PCI_CLASS_CODE - PCI_REVISION_ID)),
    };
  }

  headerType(): number {
    return this.read(PCI_HEADER_TYPE, 1);
  }

  /** 0 none, 1 INTA# … 4 INTD#. */
  interruptPin(): number {
    return this.read(PCI_INTERRUPT_PIN, 1);
  }

  setInterruptLine(line: number): void {
    this.write(PCI_INTERRUPT_LINE, 1, line);
  }

  /** Are its I/O or memory decoders on? Firmware, or the driver of a former start, placed its windows then. */
  isDecoding(): boolean {
    return (this.read(PCI_COMMAND, 2) & (PCI_COMMAND_IO | PCI_COMMAND_MEMORY)) !== 0;
  }

  /** Switches on the decoders that `windows` need, and bus mastering. INTx stays as enabled as the specification's default has it. */
  enable(windows: readonly PciWindow[]): void {
    let command =
      this.read(PCI_COMMAND, 2) & ~(PCI_COMMAND_IO | PCI_COMMAND_MEMORY | PCI_COMMAND_INTERRUPT_DISABLE);
    command |= PCI_COMMAND_BUS_MASTER;
    for (const { kind } of windows) command |= kind === 'io' ? PCI_COMMAND_IO : PCI_COMMAND_MEMORY;
    this.write(PCI_COMMAND, 2, command);
  }

  /** Decoders and bus mastering off: the function answers to configuration cycles alone. */
  disable(): void {
    const command = this.read(PCI_COMMAND, 2);
    this.write(PCI_COMMAND, 2, command & ~(PCI_COMMAND_IO | PCI_COMMAND_MEMORY | PCI_COMMAND_BUS_MASTER));
  }

  /** Places a window. Decoders should be off meanwhile: a 64-bit register takes two writes. */
  place(window: PciWindow, address: number): void {
    const offset = PCI_BASE_ADDRESS_0 + 4 * window.bar;
    this.write(offset, 4, address % 0x1_0000_0000);
    if (window.kind === 'memory64') this.write(offset + 4, 4, Math.floor(address / 0x1_0000_0000));
  }

  /**
   * Finds the windows by writing all ones to each base address register and looking which bits stay (PCI 3.0, section 6.2.5.1,
   * implementation note "Sizing a 32-bit Base Address Register"). Decoders are off meanwhile and everything is put back.
   *
   * @throws NtError STATUS_NO_SUCH_DEVICE when the function went away in between
   */
  sizeWindows(): PciWindow[] {
    if ((this.headerType() & PCI_HEADER_LAYOUT_MASK) !== PCI_HEADER_LAYOUT_DEVICE) return [];
    const command = this.read(PCI_COMMAND, 2);
    this.write(PCI_COMMAND, 2, command & ~(PCI_COMMAND_IO | PCI_COMMAND_MEMORY));
    const windows: PciWindow[] = [];
    for (let bar = 0; bar < PCI_BARS; bar++) {
      const window = this.#sizeWindow(bar);
      if (window === null) continue;
      windows.push(window);
      if (window.kind === 'memory64') bar++;
    }
    this.write(PCI_COMMAND, 2, command);
    if (!this.isPresent())
      throw new NtError(STATUS_NO_SUCH_DEVICE, `PCI device ${this.device}.${this.func} vanished.`);
    return windows;
  }

  #sizeWindow(bar: number): PciWindow | null {
    const offset = PCI_BASE_ADDRESS_0 + 4 * bar;
    const old = this.read(offset, 4);
    const mask = this.#writableBits(offset, old);
    if (mask === 0) return null;
    if ((mask & PCI_BAR_IO_SPACE) !== 0) {
      // Only 16 address bits need exist for I/O: the upper half of the register may read zero.
      const bits = (mask & PCI_BAR_IO_MASK) | 0xffff_0000;
      return { bar, kind: 'io', size: -bits, prefetchable: false, address: (old & PCI_BAR_IO_MASK) >>> 0 };
    }
    const prefetchable = (mask & PCI_BAR_MEMORY_PREFETCHABLE) !== 0;
    const low = (mask & PCI_BAR_MEMORY_MASK) >>> 0;
    const address = (old & PCI_BAR_MEMORY_MASK) >>> 0;
    if ((mask & PCI_BAR_MEMORY_TYPE_MASK) !== PCI_BAR_MEMORY_TYPE_64) {
      return { bar, kind: 'memory32', size: 0x1_0000_0000 - low, prefetchable, address };
    }
    const oldHigh = this.read(offset + 4, 4);
    const high = this.#writableBits(offset + 4, oldHigh);
    const size = low !== 0 ? 0x1_0000_0000 - low : (0x1_0000_0000 - high) * 0x1_0000_0000;
    return { bar, kind: 'memory64', size, prefetchable, address: address + oldHigh * 0x1_0000_0000 };
  }

  /** What a base address register reads after all ones were written: writable bits, and the type bits that cannot be written. */
  #writableBits(offset: number, old: number): number {
    this.write(offset, 4, 0xffff_ffff);
    const bits = this.read(offset, 4);
    this.write(offset, 4, old);
    return bits;
  }
}
