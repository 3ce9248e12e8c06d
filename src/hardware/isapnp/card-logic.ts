import type { IsaPnpTarget } from '../../hal/bus.ts';
import {
  ISAPNP_ACTIVATE,
  ISAPNP_CARD_SELECT_NUMBER,
  ISAPNP_CONFIG_CONTROL,
  ISAPNP_CONTROL_RESET,
  ISAPNP_CONTROL_RESET_CSN,
  ISAPNP_CONTROL_WAIT_FOR_KEY,
  ISAPNP_DMA_0,
  ISAPNP_DMA_NONE,
  ISAPNP_DMAS,
  ISAPNP_IDENTIFIER_BITS,
  ISAPNP_IDENTIFIER_BYTES,
  ISAPNP_IO_BASE_0,
  ISAPNP_IO_BASES,
  ISAPNP_IRQ_0,
  ISAPNP_IRQ_HIGH,
  ISAPNP_IRQS,
  ISAPNP_ISOLATION_FIRST,
  ISAPNP_ISOLATION_SECOND,
  ISAPNP_KEY_LENGTH,
  ISAPNP_LFSR_SEED,
  ISAPNP_LOGICAL_DEVICE,
  ISAPNP_RESOURCE_DATA,
  ISAPNP_SERIAL_ISOLATION,
  ISAPNP_SET_READ_DATA,
  ISAPNP_STATUS,
  ISAPNP_STATUS_READY,
  ISAPNP_WAKE,
  isapnpShift,
} from '../../hal/isapnp-registers.ts';
import {
  encodeIsaPnpResources,
  type IsaPnpCardDescription,
  isapnpSerialIdentifier,
} from '../../hal/isapnp-resources.ts';

/** What a logical device was told to use. */
export interface IsaPnpConfiguration {
  readonly active: boolean;
  /** By number of the I/O descriptor; 0 where none is assigned. */
  readonly ioBases: readonly number[];
  /** 0 where none is assigned. */
  readonly irqs: readonly number[];
  /** Null where none is assigned. */
  readonly dmas: readonly (number | null)[];
}

/** The four states of the logic (section 4.2). */
export type IsaPnpState = 'wait for key' | 'sleep' | 'isolation' | 'config';

/** Registers of a logical device, 30h–FFh. */
const FIRST_DEVICE_REGISTER = 0x30;
const REGISTERS = 0x100;

class LogicalDevice {
  readonly registers = new Uint8Array(REGISTERS);

  constructor() {
    this.reset();
  }

  reset(): void {
    this.registers.fill(0);
    // "High true, edge" and "no DMA channel" after a reset (tables ).
    for (let i = 0; i < ISAPNP_IRQS; i++) this.registers[ISAPNP_IRQ_0 + 2 * i + 1] = ISAPNP_IRQ_HIGH;
    for (let i = 0; i < ISAPNP_DMAS; i++) this.registers[ISAPNP_DMA_0 + i] = ISAPNP_DMA_NONE;
  }

  get configuration(): IsaPnpConfiguration {
    const byte = (register: number) => this.registers[register] ?? 0;
    return {
      active: (byte(ISAPNP_ACTIVATE) & 1) !== 0,
      ioBases: Array.from({ length: ISAPNP_IO_BASES }, (_, i) => {
        const at = ISAPNP_IO_BASE_0 + 2 * i;
        return (byte(at) << 8) | byte(at + 1);
      }),
      irqs: Array.from({ length: ISAPNP_IRQS }, (_, i) => byte(ISAPNP_IRQ_0 + 2 * i) & 0x0f),
      dmas: Array.from({ length: ISAPNP_DMAS }, (_, i) => {
        const channel = byte(ISAPNP_DMA_0 + i) & 7;
        return channel === ISAPNP_DMA_NONE ? null : channel;
      }),
    };
  }
}

/** Bits that a device's register takes; the others read 0. */
function writableBits(register: number): number {
  if (register === ISAPNP_ACTIVATE) return 0x01;
  const io = register - ISAPNP_IO_BASE_0;
  if (io >= 0 && io < 2 * ISAPNP_IO_BASES) return 0xff;
  const irq = register - ISAPNP_IRQ_0;
  if (irq >= 0 && irq < 2 * ISAPNP_IRQS) return (irq & 1) === 0 ? 0x0f : 0x03;
  const dma = register - ISAPNP_DMA_0;
  return dma >= 0 && dma < ISAPNP_DMAS ? 0x07 : 0;
}

/**
 * The Plug and Play logic of one card (Plug and Play ISA Specification 1.0a, chapters 3 and 4, appendix A): silent until it hears the
 * initiation key, singled out by its serial identifier, then read and configured under its card select number. Range checks (31h) and
 * memory windows are not implemented, and the resource data do not offer them.
 */
export class IsaPnpLogic implements IsaPnpTarget {
  readonly #identifier: Uint8Array;
  readonly #rom: Uint8Array;
  readonly #devices: readonly LogicalDevice[];
  readonly #onConfigure: (device: number, configuration: IsaPnpConfiguration) => void;
  #state: IsaPnpState = 'wait for key';
  #address = 0;
  #lfsr = ISAPNP_LFSR_SEED;
  #keyBytes = 0;
  #csn = 0;
  #device = 0;
  #readDataPort: number | null = null;
  /** Which bit of the identifier isolation is at, and which of its two reads. */
  #bit = 0;
  #secondRead = false;
  #sawOther = false;
  /** Next byte of identifier and ROM. */
  #pointer = 0;

  /** @param onConfigure a configuration register of a logical device was written, or all were reset */
  constructor(
    card: IsaPnpCardDescription,
    onConfigure: (device: number, configuration: IsaPnpConfiguration) => void,
  ) {
    this.#identifier = isapnpSerialIdentifier(card.id, card.serialNumber);
    this.#rom = Uint8Array.from([...this.#identifier, ...encodeIsaPnpResources(card)]);
    this.#devices = card.devices.map(() => new LogicalDevice());
    this.#onConfigure = onConfigure;
  }

  get state(): IsaPnpState {
    return this.#state;
  }

  /** Card select number, 0 before it was isolated. */
  get cardSelectNumber(): number {
    return this.#csn;
  }

  configuration(device: number): IsaPnpConfiguration | null {
    return this.#devices[device]?.configuration ?? null;
  }

  /** RESET DRV: forgets number, port and configuration. */
  reset(): void {
    this.#waitForKey();
    this.#csn = 0;
    this.#readDataPort = null;
    this.#resetDevices();
  }

  get readDataPort(): number | null {
    return this.#state === 'isolation' || this.#state === 'config' ? this.#readDataPort : null;
  }

  writeAddress(value: number): void {
    if (this.#state !== 'wait for key') {
      this.#address = value;
      return;
    }
    if (value === this.#lfsr) {
      this.#lfsr = isapnpShift(this.#lfsr);
      if (++this.#keyBytes === ISAPNP_KEY_LENGTH) {
        this.#state = 'sleep';
        this.#lfsr = ISAPNP_LFSR_SEED;
      }
      return;
    }
    // Any other byte begins the sequence anew; it may itself be the first of it.
    this.#keyBytes = value === ISAPNP_LFSR_SEED ? 1 : 0;
    this.#lfsr = value === ISAPNP_LFSR_SEED ? isapnpShift(ISAPNP_LFSR_SEED) : ISAPNP_LFSR_SEED;
  }

  writeData(value: number): void {
    const state = this.#state;
    if (state === 'wait for key') return;
    switch (this.#address) {
      case ISAPNP_SET_READ_DATA:
        if (state === 'isolation') this.#readDataPort = (value << 2) | 3;
        return;
      case ISAPNP_CONFIG_CONTROL:
        this.#control(value);
        return;
      case ISAPNP_WAKE:
        this.#wake(value);
        return;
      case ISAPNP_CARD_SELECT_NUMBER:
        if (state === 'sleep') return;
        this.#csn = value;
        if (state === 'isolation') {
          this.#state = 'config';
          // Without a new wake-up the resource data go on behind the identifier (section 4.6).
          this.#pointer = ISAPNP_IDENTIFIER_BYTES;
        }
        return;
      case ISAPNP_LOGICAL_DEVICE:
        if (state === 'config') this.#device = value;
        return;
      default:
        if (state === 'config' && this.#address >= FIRST_DEVICE_REGISTER)
          this.#configure(this.#address, value);
    }
  }

  drive(): number | null {
    if (this.#state === 'isolation') {
      if (this.#address !== ISAPNP_SERIAL_ISOLATION || this.#bit >= ISAPNP_IDENTIFIER_BITS) return null;
      if (!this.#identifierBit) return null;
      return this.#secondRead ? ISAPNP_ISOLATION_SECOND : ISAPNP_ISOLATION_FIRST;
    }
    if (this.#state !== 'config') return null;
    switch (this.#address) {
      case ISAPNP_RESOURCE_DATA:
        return this.#rom[this.#pointer] ?? 0xff;
      case ISAPNP_STATUS:
        return ISAPNP_STATUS_READY;
      case ISAPNP_CARD_SELECT_NUMBER:
        return this.#csn;
      case ISAPNP_LOGICAL_DEVICE:
        return this.#device;
      default:
        if (this.#address < FIRST_DEVICE_REGISTER) return 0;
        return this.#devices[this.#device]?.registers[this.#address] ?? 0;
    }
  }

  observe(bus: number): void {
    if (this.#state === 'config') {
      if (this.#address === ISAPNP_RESOURCE_DATA && this.#pointer < this.#rom.length) this.#pointer++;
      return;
    }
    if (this.#state !== 'isolation' || this.#address !== ISAPNP_SERIAL_ISOLATION) return;
    if (this.#bit >= ISAPNP_IDENTIFIER_BITS) return;
    // A card with a 0 looks at the two low lines only: 01 and then 10 says that another one is driving a 1 (section 3.3.1).
    const drives = this.#identifierBit;
    if (!this.#secondRead) {
      this.#sawOther = !drives && (bus & 3) === (ISAPNP_ISOLATION_FIRST & 3);
      this.#secondRead = true;
      return;
    }
    this.#secondRead = false;
    if (this.#sawOther && (bus & 3) === (ISAPNP_ISOLATION_SECOND & 3)) this.#state = 'sleep';
    else this.#bit++;
  }

  get #identifierBit(): boolean {
    return (((this.#identifier[this.#bit >> 3] ?? 0) >> (this.#bit & 7)) & 1) !== 0;
  }

  #waitForKey(): void {
    this.#state = 'wait for key';
    this.#lfsr = ISAPNP_LFSR_SEED;
    this.#keyBytes = 0;
  }

  #control(value: number): void {
    if ((value & ISAPNP_CONTROL_RESET_CSN) !== 0) this.#csn = 0;
    if ((value & ISAPNP_CONTROL_RESET) !== 0) this.#resetDevices();
    if ((value & ISAPNP_CONTROL_WAIT_FOR_KEY) !== 0) this.#waitForKey();
  }

  #resetDevices(): void {
    this.#device = 0;
    this.#devices.forEach((device, index) => {
      device.reset();
      this.#onConfigure(index, device.configuration);
    });
  }

  #wake(csn: number): void {
    this.#pointer = 0;
    this.#bit = 0;
    this.#secondRead = false;
    this.#state = csn !== this.#csn ? 'sleep' : csn === 0 ? 'isolation' : 'config';
  }

  #configure(register: number, value: number): void {
    const device = this.#devices[this.#device];
    const bits = writableBits(register);
    if (!device || bits === 0) return;
    device.registers[register] = value & bits;
    this.#onConfigure(this.#device, device.configuration);
  }
}
