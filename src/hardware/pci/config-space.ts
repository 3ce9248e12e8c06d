import type { AccessSize, PciBar, PciCard } from '../../hal/bus.ts';
import {
  PCI_BAR_IO_SPACE,
  PCI_BAR_MEMORY_PREFETCHABLE,
  PCI_BAR_MEMORY_TYPE_64,
  PCI_BARS,
  PCI_BASE_ADDRESS_0,
  PCI_CACHE_LINE_SIZE,
  PCI_CAPABILITIES_POINTER,
  PCI_CLASS_CODE,
  PCI_COMMAND,
  PCI_COMMAND_BUS_MASTER,
  PCI_COMMAND_INTERRUPT_DISABLE,
  PCI_COMMAND_IO,
  PCI_COMMAND_MEMORY,
  PCI_COMMAND_MEMORY_WRITE_INVALIDATE,
  PCI_COMMAND_PARITY_ERROR_RESPONSE,
  PCI_COMMAND_SERR,
  PCI_CONFIG_BYTES,
  PCI_DEVICE_ID,
  PCI_HEADER_MULTI_FUNCTION,
  PCI_HEADER_TYPE,
  PCI_INTERRUPT_LINE,
  PCI_INTERRUPT_PIN,
  PCI_LATENCY_TIMER,
  PCI_MAX_LAT,
  PCI_MIN_GNT,
  PCI_REVISION_ID,
  PCI_STATUS,
  PCI_STATUS_CAPABILITIES,
  PCI_STATUS_DEVSEL_MEDIUM,
  PCI_STATUS_FAST_BACK_TO_BACK,
  PCI_STATUS_INTERRUPT,
  PCI_STATUS_RECEIVED_MASTER_ABORT,
  PCI_STATUS_WRITE_ONE_TO_CLEAR,
  PCI_SUBSYSTEM_ID,
  PCI_SUBSYSTEM_VENDOR_ID,
  PCI_VENDOR_ID,
} from '../../hal/pci-registers.ts';

/** What a function's configuration space is made from: all of a card but its working parts. */
export type PciIdentification = Pick<
  PciCard,
  | 'name'
  | 'vendorId'
  | 'deviceId'
  | 'revisionId'
  | 'classCode'
  | 'subsystemVendorId'
  | 'subsystemId'
  | 'interruptPin'
  | 'bars'
  | 'configExtra'
  | 'status'
  | 'capabilitiesPointer'
  | 'minGrant'
  | 'maxLatency'
>;

/** A window as the command register and a base address register have it now. */
export interface DecodedBar {
  readonly bar: PciBar;
  /** Number of the (first) base address register. */
  readonly index: number;
  readonly address: number;
}

const DEFAULT_STATUS = PCI_STATUS_FAST_BACK_TO_BACK | PCI_STATUS_DEVSEL_MEDIUM;
/** Ports that a PC's processor can address. */
const IO_SPACE_BYTES = 0x1_0000;
const SMALLEST_IO_BAR = 4;
const SMALLEST_MEMORY_BAR = 16;

/**
 * Configuration space of one function: 256 bytes with, for each, the bits that software writes and those that it clears by writing ones
 * (PCI 3.0, chapter 6). Reserved and read-only bits ignore writes. It holds state; what follows from the state (decoding, bus mastering,
 * the interrupt line) is the slot's to do, which asks after every write.
 */
export class PciConfigSpace {
  readonly #bytes = new Uint8Array(PCI_CONFIG_BYTES);
  readonly #writable = new Uint8Array(PCI_CONFIG_BYTES);
  readonly #writeOneToClear = new Uint8Array(PCI_CONFIG_BYTES);
  readonly #resetBytes: Uint8Array;
  readonly #bars: readonly (PciBar | null)[];

  /** Throws a RangeError for a card that no PCI card can be: window sizes, number of registers, capability bytes out of range. */
  constructor(card: PciIdentification) {
    this.#bars = card.bars;
    this.#checkBars(card);
    this.#set16(PCI_VENDOR_ID, card.vendorId);
    this.#set16(PCI_DEVICE_ID, card.deviceId);
    const hasIo = card.bars.some((bar) => bar?.kind === 'io');
    const hasMemory = card.bars.some((bar) => bar && bar.kind !== 'io');
    this.#allow16(
      PCI_COMMAND,
      (hasIo ? PCI_COMMAND_IO : 0) |
        (hasMemory ? PCI_COMMAND_MEMORY : 0) |
        (hasMemory ? PCI_COMMAND_MEMORY_WRITE_INVALIDATE : 0) |
        (card.interruptPin === 0 ? 0 : PCI_COMMAND_INTERRUPT_DISABLE) |
        PCI_COMMAND_BUS_MASTER |
        PCI_COMMAND_PARITY_ERROR_RESPONSE |
        PCI_COMMAND_SERR,
    );
    const capabilities = card.capabilitiesPointer ? PCI_STATUS_CAPABILITIES : 0;
    this.#set16(PCI_STATUS, (card.status ?? DEFAULT_STATUS) | capabilities);
    this.#writeOneToClear[PCI_STATUS] = PCI_STATUS_WRITE_ONE_TO_CLEAR & 0xff;
    this.#writeOneToClear[PCI_STATUS + 1] = PCI_STATUS_WRITE_ONE_TO_CLEAR >> 8;
    this.#bytes[PCI_REVISION_ID] = card.revisionId;
    this.#bytes[PCI_CLASS_CODE] = card.classCode & 0xff;
    this.#set16(PCI_CLASS_CODE + 1, card.classCode >> 8);
    this.#writable[PCI_CACHE_LINE_SIZE] = 0xff;
    // The low three bits of the latency timer may be read-only: a granularity of eight clocks (section 6.2.4).
    this.#writable[PCI_LATENCY_TIMER] = 0xf8;
    this.#set16(PCI_SUBSYSTEM_VENDOR_ID, card.subsystemVendorId);
    this.#set16(PCI_SUBSYSTEM_ID, card.subsystemId);
    this.#bytes[PCI_CAPABILITIES_POINTER] = card.capabilitiesPointer ?? 0;
    this.#writable[PCI_INTERRUPT_LINE] = card.interruptPin === 0 ? 0 : 0xff;
    this.#bytes[PCI_INTERRUPT_PIN] = card.interruptPin;
    this.#bytes[PCI_MIN_GNT] = card.minGrant ?? 0;
    this.#bytes[PCI_MAX_LAT] = card.maxLatency ?? 0;
    card.bars.forEach((bar, index) => {
      if (bar) this.#defineBar(bar, index);
    });
    for (const { offset, bytes, writable } of card.configExtra ?? []) {
      if (offset < 0 || offset + bytes.length > PCI_CONFIG_BYTES) {
        throw new RangeError(
          `${card.name}: configExtra at ${offset.toString(16)}h leaves configuration space.`,
        );
      }
      this.#bytes.set(bytes, offset);
      if (writable) this.#writable.set(writable, offset);
    }
    this.#resetBytes = this.#bytes.slice();
  }

  /** State after RST#: everything as it was made, but that other functions share the slot. */
  reset(): void {
    const headerType = this.#bytes[PCI_HEADER_TYPE] ?? 0;
    this.#bytes.set(this.#resetBytes);
    this.#bytes[PCI_HEADER_TYPE] = headerType;
  }

  read(offset: number, size: AccessSize): number {
    const bytes = this.#bytes;
    let value = bytes[offset] ?? 0xff;
    if (size === 1) return value;
    value |= (bytes[offset + 1] ?? 0xff) << 8;
    if (size === 2) return value;
    return (value | ((bytes[offset + 2] ?? 0xff) << 16) | ((bytes[offset + 3] ?? 0xff) << 24)) >>> 0;
  }

  /** Writes what software may write of 1, 2 or 4 bytes. */
  write(offset: number, size: AccessSize, value: number): void {
    for (let i = 0; i < size && offset + i < PCI_CONFIG_BYTES; i++) {
      const at = offset + i;
      const byte = (value >>> (8 * i)) & 0xff;
      const writable = this.#writable[at] ?? 0;
      const old = this.#bytes[at] ?? 0;
      const cleared = byte & (this.#writeOneToClear[at] ?? 0);
      this.#bytes[at] = ((old & ~writable) | (byte & writable)) & ~cleared & 0xff;
    }
  }

  get command(): number {
    return this.read(PCI_COMMAND, 2);
  }

  get busMasterEnabled(): boolean {
    return (this.command & PCI_COMMAND_BUS_MASTER) !== 0;
  }

  /** Interrupt Disable: the function may not assert INTx#. Its state shows in the status register all the same. */
  get interruptDisabled(): boolean {
    return (this.command & PCI_COMMAND_INTERRUPT_DISABLE) !== 0;
  }

  /** Interrupt Status: what the function would assert. */
  setInterruptStatus(asserted: boolean): void {
    const old = this.#bytes[PCI_STATUS] ?? 0;
    this.#bytes[PCI_STATUS] = asserted ? old | PCI_STATUS_INTERRUPT : old & ~PCI_STATUS_INTERRUPT;
  }

  /** A transfer of the function as bus master found nobody at its address. */
  setReceivedMasterAbort(): void {
    this.#bytes[PCI_STATUS + 1] =
      (this.#bytes[PCI_STATUS + 1] ?? 0) | (PCI_STATUS_RECEIVED_MASTER_ABORT >> 8);
  }

  /** Tells in function 0 that the slot has further functions. */
  setMultiFunction(multiFunction: boolean): void {
    const old = this.#bytes[PCI_HEADER_TYPE] ?? 0;
    this.#bytes[PCI_HEADER_TYPE] = multiFunction
      ? old | PCI_HEADER_MULTI_FUNCTION
      : old & ~PCI_HEADER_MULTI_FUNCTION;
  }

  /**
   * The windows that the function decodes now: those whose space the command register enables and whose register holds an address. A
   * register that was never written holds 0, and no PC has a card there; one whose window would leave the space decodes nothing.
   */
  decodedBars(): DecodedBar[] {
    const { command } = this;
    const decoded: DecodedBar[] = [];
    this.#bars.forEach((bar, index) => {
      if (!bar) return;
      const isIo = bar.kind === 'io';
      if ((command & (isIo ? PCI_COMMAND_IO : PCI_COMMAND_MEMORY)) === 0) return;
      const offset = PCI_BASE_ADDRESS_0 + 4 * index;
      let address = this.read(offset, 4);
      address -= address % (isIo ? SMALLEST_IO_BAR : SMALLEST_MEMORY_BAR);
      if (bar.kind === 'memory64') address += this.read(offset + 4, 4) * 0x1_0000_0000;
      const end = address + bar.size;
      if (address === 0 || !Number.isSafeInteger(end)) return;
      if (end > (isIo ? IO_SPACE_BYTES : bar.kind === 'memory32' ? 0x1_0000_0000 : end)) return;
      decoded.push({ bar, index, address });
    });
    return decoded;
  }

  #defineBar(bar: PciBar, index: number): void {
    const offset = PCI_BASE_ADDRESS_0 + 4 * index;
    if (bar.kind === 'io') {
      this.#bytes[offset] = PCI_BAR_IO_SPACE;
      this.#allow32(offset, 0x1_0000_0000 - bar.size);
      return;
    }
    this.#bytes[offset] =
      (bar.prefetchable ? PCI_BAR_MEMORY_PREFETCHABLE : 0) |
      (bar.kind === 'memory64' ? PCI_BAR_MEMORY_TYPE_64 : 0);
    this.#allow32(offset, bar.size >= 0x1_0000_0000 ? 0 : 0x1_0000_0000 - bar.size);
    if (bar.kind === 'memory64') {
      this.#allow32(offset + 4, 0x1_0000_0000 - Math.max(1, Math.floor(bar.size / 0x1_0000_0000)));
    }
  }

  #checkBars({ name, bars }: PciIdentification): void {
    if (bars.length > PCI_BARS)
      throw new RangeError(`${name}: ${bars.length} base address registers; there are ${PCI_BARS}.`);
    bars.forEach((bar, index) => {
      if (!bar) return;
      const smallest = bar.kind === 'io' ? SMALLEST_IO_BAR : SMALLEST_MEMORY_BAR;
      if (bar.size < smallest || !Number.isInteger(Math.log2(bar.size))) {
        throw new RangeError(
          `${name}: window ${index} has ${bar.size} bytes; a power of two of at least ${smallest} is needed.`,
        );
      }
      if (bar.kind === 'memory64' && (index + 1 >= PCI_BARS || bars[index + 1])) {
        throw new RangeError(
          `${name}: the 64-bit window ${index} takes register ${index + 1} as well, which must be null.`,
        );
      }
    });
  }

  #set16(offset: number, value: number): void {
    this.#bytes[offset] = value & 0xff;
    this.#bytes[offset + 1] = (value >> 8) & 0xff;
  }

  #allow16(offset: number, mask: number): void {
    this.#writable[offset] = mask & 0xff;
    this.#writable[offset + 1] = mask >> 8;
  }

  #allow32(offset: number, mask: number): void {
    for (let i = 0; i < 4; i++) this.#writable[offset + i] = (mask >>> (8 * i)) & 0xff;
  }
}
