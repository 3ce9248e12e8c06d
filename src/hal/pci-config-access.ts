import { type AccessSize, type Kernel, TraceKind } from '../kernel/index.ts';
import {
  CONFIG_ADDRESS,
  CONFIG_ADDRESS_ENABLE,
  CONFIG_DATA,
  PCI_CAPABILITIES_POINTER,
  PCI_CONFIG_BYTES,
  PCI_DEVICE_SPECIFIC,
  PCI_STATUS,
  PCI_STATUS_CAPABILITIES,
} from './pci-registers.ts';

/** Capabilities are at least 4 bytes long and lie above 40h: a list longer than this has a loop in it. */
const CAPABILITY_LIMIT = (PCI_CONFIG_BYTES - PCI_DEVICE_SPECIFIC) / 4;

/** `00:05.0`: bus, device, function as lspci and others write them. */
export function pciLocationText(bus: number, device: number, func: number): string {
  return `${bus.toString(16).padStart(2, '0')}:${device.toString(16).padStart(2, '0')}.${func}`;
}

/**
 * Configuration space of bus 0 by configuration mechanism 1 (PCI 3.0, section 3.2.2.3.2): an address to CF8h, then the data at CFCh.
 * No interrupt is taken between the two, so that it may be used at any IRQL.
 */
export class PciConfigAccess {
  readonly #kernel: Kernel;

  constructor(kernel: Kernel) {
    this.#kernel = kernel;
  }

  /** Reads 1, 2 or 4 bytes at an offset that is a multiple of the size. All ones when there is no such function. */
  read(device: number, func: number, offset: number, size: AccessSize): number {
    const platform = this.#kernel.platform;
    platform.writePort(CONFIG_ADDRESS, 4, this.#address(device, func, offset));
    const value = platform.readPort(CONFIG_DATA + (offset & 3), size);
    this.#trace('CFG_READ', device, func, offset, size, value);
    return value;
  }

  /** Writes 1, 2 or 4 bytes at an offset that is a multiple of the size. */
  write(device: number, func: number, offset: number, size: AccessSize, value: number): void {
    const platform = this.#kernel.platform;
    platform.writePort(CONFIG_ADDRESS, 4, this.#address(device, func, offset));
    platform.writePort(CONFIG_DATA + (offset & 3), size, value);
    this.#trace('CFG_WRITE', device, func, offset, size, value);
  }

  /**
   * Reads `length` bytes, or as many as there are up to FFh, in the largest aligned pieces. Returns the number of bytes read; 0 when
   * the range begins outside configuration space.
   */
  readBytes(device: number, func: number, offset: number, buffer: Uint8Array, length: number): number {
    const count = configByteCount(offset, Math.min(length, buffer.length));
    for (let done = 0; done < count; ) {
      const size = alignedPiece(offset + done, count - done);
      const value = this.read(device, func, offset + done, size);
      for (let i = 0; i < size; i++) buffer[done + i] = (value >>> (8 * i)) & 0xff;
      done += size;
    }
    return count;
  }

  /** Writes like {@link readBytes} reads. */
  writeBytes(device: number, func: number, offset: number, buffer: Uint8Array, length: number): number {
    const count = configByteCount(offset, Math.min(length, buffer.length));
    for (let done = 0; done < count; ) {
      const size = alignedPiece(offset + done, count - done);
      let value = 0;
      for (let i = 0; i < size; i++) value |= (buffer[done + i] ?? 0) << (8 * i);
      this.write(device, func, offset + done, size, value >>> 0);
      done += size;
    }
    return count;
  }

  /** Offset of the function's first capability with this id, null when it has none. */
  findCapability(device: number, func: number, capabilityId: number): number | null {
    return walkCapabilities((offset, size) => this.read(device, func, offset, size), capabilityId);
  }

  #address(device: number, func: number, offset: number): number {
    return (CONFIG_ADDRESS_ENABLE | (device << 11) | (func << 8) | (offset & 0xfc)) >>> 0;
  }

  #trace(name: string, device: number, func: number, offset: number, size: AccessSize, value: number): void {
    const trace = this.#kernel.trace;
    if ((trace.mask & TraceKind.Register) === 0) return;
    const location = pciLocationText(0, device, func);
    trace.emit(
      TraceKind.Register,
      'I',
      'pci',
      `${name} ${location} ${offset.toString(16).padStart(2, '0')}h`,
      {
        offset,
        size,
        value,
      },
    );
  }
}

/** Walks a capability list (section 6.7) through any way to read configuration space. Null when the id is not in it. */
export function walkCapabilities(
  read: (offset: number, size: 1 | 2) => number,
  capabilityId: number,
): number | null {
  if ((read(PCI_STATUS, 2) & PCI_STATUS_CAPABILITIES) === 0) return null;
  let offset = read(PCI_CAPABILITIES_POINTER, 1) & 0xfc;
  for (let i = 0; i < CAPABILITY_LIMIT && offset >= PCI_DEVICE_SPECIFIC; i++) {
    const header = read(offset, 2);
    if ((header & 0xff) === capabilityId) return offset;
    offset = (header >> 8) & 0xfc;
  }
  return null;
}

function configByteCount(offset: number, length: number): number {
  if (!(offset >= 0 && offset < PCI_CONFIG_BYTES)) return 0;
  return Math.max(0, Math.min(length, PCI_CONFIG_BYTES - offset));
}

function alignedPiece(offset: number, left: number): AccessSize {
  if ((offset & 3) === 0 && left >= 4) return 4;
  if ((offset & 1) === 0 && left >= 2) return 2;
  return 1;
}
