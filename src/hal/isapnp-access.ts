import { type Kernel, TICKS_PER_MICROSECOND, TraceKind } from '../kernel/index.ts';
import {
  ISAPNP_ACTIVATE,
  ISAPNP_ADDRESS_PORT,
  ISAPNP_CARD_SELECT_NUMBER,
  ISAPNP_CONFIG_CONTROL,
  ISAPNP_CONTROL_RESET_CSN,
  ISAPNP_CONTROL_WAIT_FOR_KEY,
  ISAPNP_IDENTIFIER_BITS,
  ISAPNP_IDENTIFIER_BYTES,
  ISAPNP_ISOLATION_FIRST,
  ISAPNP_ISOLATION_SECOND,
  ISAPNP_LOGICAL_DEVICE,
  ISAPNP_RESOURCE_DATA,
  ISAPNP_SERIAL_ISOLATION,
  ISAPNP_SET_READ_DATA,
  ISAPNP_STATUS,
  ISAPNP_STATUS_READY,
  ISAPNP_WAKE,
  ISAPNP_WRITE_DATA_PORT,
  isapnpChecksum,
  isapnpIdText,
  isapnpInitiationKey,
} from './isapnp-registers.ts';
import { decodeIsaPnpResources, type IsaPnpDevice } from './isapnp-resources.ts';

/** A card as its identifier and resource data describe it. */
export interface IsaPnpCardFound {
  readonly cardSelectNumber: number;
  /** `CTL0028`. */
  readonly id: string;
  readonly serialNumber: number;
  readonly name: string | null;
  readonly devices: readonly IsaPnpDevice[];
}

/** Before the first, and between two pairs of, isolation reads (section 3.3.1). */
const ISOLATION_START_TICKS = 1000 * TICKS_PER_MICROSECOND;
const ISOLATION_PAIR_TICKS = 250 * TICKS_PER_MICROSECOND;
/** A card has this long to make the next byte of its data ready. */
const STATUS_TRIES = 1000;
const STATUS_WAIT_TICKS = 10 * TICKS_PER_MICROSECOND;
const HIGHEST_CSN = 255;

/** Ports for READ_DATA that nothing on a PC uses, in order of preference; each must be one that no card answers at. */
const READ_DATA_PORTS: readonly number[] = [0x273, 0x277, 0x20b, 0x2ab, 0x3e7, 0x213, 0x393, 0x33b];

/**
 * Isolation and configuration of ISA Plug and Play cards by their three ports (specification 1.0a, chapters 3 and 4). Between calls the
 * cards wait for the key, so that nobody else's accesses reach them. PASSIVE_LEVEL: isolation takes 19 ms a card.
 */
export class IsaPnpAccess {
  readonly #kernel: Kernel;
  #readDataPort: number | null = null;
  #lastCsn = 0;

  constructor(kernel: Kernel) {
    this.#kernel = kernel;
  }

  /** Port at which cards are read, null before one was found. */
  get readDataPort(): number | null {
    return this.#readDataPort;
  }

  /**
   * Gives every card without a number one, and returns what those cards say of themselves. The first call takes the numbers away from
   * cards that a former system gave them.
   */
  isolate(): IsaPnpCardFound[] {
    const first = this.#readDataPort === null;
    const candidates = first ? READ_DATA_PORTS : [this.#readDataPort as number];
    const found: IsaPnpCardFound[] = [];
    for (const port of candidates) {
      this.#sendKey();
      if (first) this.#register(ISAPNP_CONFIG_CONTROL, ISAPNP_CONTROL_RESET_CSN);
      const numbers = this.#isolateAt(port);
      for (const csn of numbers) {
        const card = this.#readCard(csn);
        if (card) found.push(card);
      }
      this.#register(ISAPNP_CONFIG_CONTROL, ISAPNP_CONTROL_WAIT_FOR_KEY);
      if (numbers.length > 0) break;
    }
    return found;
  }

  /** Is the card with this number still the one that it was? */
  isPresent(card: IsaPnpCardFound): boolean {
    if (this.#readDataPort === null) return false;
    this.#sendKey();
    this.#register(ISAPNP_WAKE, card.cardSelectNumber);
    const identifier = this.#readIdentifier();
    this.#register(ISAPNP_CONFIG_CONTROL, ISAPNP_CONTROL_WAIT_FOR_KEY);
    return identifier !== null && identifier.id === card.id && identifier.serialNumber === card.serialNumber;
  }

  /** Writes registers of a logical device, in order; the device is silent meanwhile, and decodes afterwards when `activate`. */
  configure(
    cardSelectNumber: number,
    device: number,
    registers: readonly (readonly [number, number])[],
    activate: boolean,
  ): void {
    this.#sendKey();
    this.#register(ISAPNP_WAKE, cardSelectNumber);
    this.#register(ISAPNP_LOGICAL_DEVICE, device);
    this.#register(ISAPNP_ACTIVATE, 0);
    for (const [register, value] of registers) this.#register(register, value);
    if (activate) this.#register(ISAPNP_ACTIVATE, 1);
    this.#register(ISAPNP_CONFIG_CONTROL, ISAPNP_CONTROL_WAIT_FOR_KEY);
    this.#kernel.afterAccess();
  }

  /** Reads a register of a logical device. All ones when the card is gone. */
  readRegister(cardSelectNumber: number, device: number, register: number): number {
    this.#sendKey();
    this.#register(ISAPNP_WAKE, cardSelectNumber);
    this.#register(ISAPNP_LOGICAL_DEVICE, device);
    const value = this.#readData(register);
    this.#register(ISAPNP_CONFIG_CONTROL, ISAPNP_CONTROL_WAIT_FOR_KEY);
    return value;
  }

  /** Isolates the cards without a number one after the other; returns the numbers they got. */
  #isolateAt(port: number): number[] {
    const numbers: number[] = [];
    while (this.#lastCsn < HIGHEST_CSN) {
      this.#register(ISAPNP_WAKE, 0);
      this.#register(ISAPNP_SET_READ_DATA, port >> 2);
      this.#readDataPort ??= port;
      const identifier = this.#readIsolation(port);
      if (identifier === null) break;
      this.#lastCsn++;
      this.#register(ISAPNP_CARD_SELECT_NUMBER, this.#lastCsn);
      numbers.push(this.#lastCsn);
    }
    // Somebody else may answer at this port: the next one is tried.
    if (numbers.length === 0 && this.#lastCsn === 0) this.#readDataPort = null;
    return numbers;
  }

  /** One round of isolation: the identifier of the card that is left, null when there is none. */
  #readIsolation(port: number): Uint8Array | null {
    const { platform } = this.#kernel;
    const identifier = new Uint8Array(ISAPNP_IDENTIFIER_BYTES);
    platform.writePort(ISAPNP_ADDRESS_PORT, 1, ISAPNP_SERIAL_ISOLATION);
    this.#kernel.stall(ISOLATION_START_TICKS);
    for (let bit = 0; bit < ISAPNP_IDENTIFIER_BITS; bit++) {
      const first = platform.readPort(port, 1);
      const second = platform.readPort(port, 1);
      if (first === ISAPNP_ISOLATION_FIRST && second === ISAPNP_ISOLATION_SECOND) {
        identifier[bit >> 3] = (identifier[bit >> 3] ?? 0) | (1 << (bit & 7));
      }
      this.#kernel.stall(ISOLATION_PAIR_TICKS);
    }
    const empty = identifier.every((byte) => byte === 0);
    return !empty && identifier[8] === isapnpChecksum(identifier) ? identifier : null;
  }

  #readCard(cardSelectNumber: number): IsaPnpCardFound | null {
    this.#register(ISAPNP_WAKE, cardSelectNumber);
    const identifier = this.#readIdentifier();
    const data = identifier === null ? null : decodeIsaPnpResources(() => this.#readResourceByte());
    if (identifier === null || data === null) {
      this.#kernel.trace.finding(
        'isapnp',
        `Card ${cardSelectNumber}: its resource data cannot be read; it is left alone.`,
      );
      return null;
    }
    if (!data.checksumGood) {
      this.#kernel.trace.finding(
        'isapnp',
        `Card ${identifier.id}: the checksum of its resource data is wrong.`,
      );
    }
    const { trace } = this.#kernel;
    if ((trace.mask & TraceKind.Pnp) !== 0) {
      trace.emit(TraceKind.Pnp, 'I', 'isapnp', `card ${cardSelectNumber}: ${identifier.id}`, {
        serialNumber: identifier.serialNumber,
        logicalDevices: data.devices.length,
      });
    }
    return { cardSelectNumber, ...identifier, name: data.name, devices: data.devices };
  }

  /** The identifier at the start of a woken card's data. Isolation has seen its checksum; here it need not be right (section 4.6). */
  #readIdentifier(): { readonly id: string; readonly serialNumber: number } | null {
    const bytes = Array.from({ length: ISAPNP_IDENTIFIER_BYTES }, () => this.#readResourceByte());
    if (bytes.every((byte) => byte === 0xff)) return null;
    const [, , , , s0 = 0, s1 = 0, s2 = 0, s3 = 0] = bytes;
    return { id: isapnpIdText(bytes), serialNumber: s0 + s1 * 0x100 + s2 * 0x1_0000 + s3 * 0x100_0000 };
  }

  #readResourceByte(): number {
    for (let i = 0; i < STATUS_TRIES; i++) {
      if ((this.#readData(ISAPNP_STATUS) & ISAPNP_STATUS_READY) !== 0)
        return this.#readData(ISAPNP_RESOURCE_DATA);
      this.#kernel.stall(STATUS_WAIT_TICKS);
    }
    return 0xff;
  }

  #sendKey(): void {
    const { platform } = this.#kernel;
    // Two zeros bring the shift registers of all cards to their start (section 3.3).
    platform.writePort(ISAPNP_ADDRESS_PORT, 1, 0);
    platform.writePort(ISAPNP_ADDRESS_PORT, 1, 0);
    for (const byte of isapnpInitiationKey()) platform.writePort(ISAPNP_ADDRESS_PORT, 1, byte);
  }

  #register(register: number, value: number): void {
    const { platform } = this.#kernel;
    platform.writePort(ISAPNP_ADDRESS_PORT, 1, register);
    platform.writePort(ISAPNP_WRITE_DATA_PORT, 1, value);
  }

  #readData(register: number): number {
    const { platform } = this.#kernel;
    platform.writePort(ISAPNP_ADDRESS_PORT, 1, register);
    return this.#readDataPort === null ? 0xff : platform.readPort(this.#readDataPort, 1);
  }
}
