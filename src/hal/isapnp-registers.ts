/**
 * ISA Plug and Play as both ends need it: the bus driver, and the logic of cards. Source: Plug and Play ISA Specification 1.0a (appendix A:
 * registers, chapter 6: resource data), with its clarifications.
 */

/** The three ports (section 3): cards decode 12 address lines. READ_DATA moves within 203h–3FFh, where bits 1:0 are 11b. */
export const ISAPNP_ADDRESS_PORT = 0x279;
export const ISAPNP_WRITE_DATA_PORT = 0xa79;
export const ISAPNP_READ_DATA_FIRST = 0x203;
export const ISAPNP_READ_DATA_LAST = 0x3ff;
export const ISAPNP_READ_DATA_STEP = 4;

/** Card control registers (table A-1). */
export const ISAPNP_SET_READ_DATA = 0x00;
export const ISAPNP_SERIAL_ISOLATION = 0x01;
export const ISAPNP_CONFIG_CONTROL = 0x02;
export const ISAPNP_WAKE = 0x03;
export const ISAPNP_RESOURCE_DATA = 0x04;
export const ISAPNP_STATUS = 0x05;
export const ISAPNP_CARD_SELECT_NUMBER = 0x06;
export const ISAPNP_LOGICAL_DEVICE = 0x07;
/** Logical device control and configuration registers (tables ). */
export const ISAPNP_ACTIVATE = 0x30;
export const ISAPNP_IO_RANGE_CHECK = 0x31;
export const ISAPNP_IO_BASE_0 = 0x60;
export const ISAPNP_IO_BASES = 8;
export const ISAPNP_IRQ_0 = 0x70;
export const ISAPNP_IRQ_TYPE_0 = 0x71;
export const ISAPNP_IRQS = 2;
export const ISAPNP_DMA_0 = 0x74;
export const ISAPNP_DMAS = 2;
/** DMA select register: no channel is used. */
export const ISAPNP_DMA_NONE = 4;

/** CONFIG_CONTROL. */
export const ISAPNP_CONTROL_RESET = 0x01;
export const ISAPNP_CONTROL_WAIT_FOR_KEY = 0x02;
export const ISAPNP_CONTROL_RESET_CSN = 0x04;
/** STATUS: the next byte of resource data can be read. */
export const ISAPNP_STATUS_READY = 0x01;
/** IO_RANGE_CHECK: enable, and whether 55h (1) or AAh (0) is driven. */
export const ISAPNP_RANGE_CHECK_ENABLE = 0x02;
export const ISAPNP_RANGE_CHECK_55 = 0x01;
/** IRQ type: bit 1 = high or rising, bit 0 = level. */
export const ISAPNP_IRQ_HIGH = 0x02;
export const ISAPNP_IRQ_LEVEL = 0x01;

/** Bits of the serial identifier that isolation reads: vendor and product, serial number, checksum. */
export const ISAPNP_IDENTIFIER_BITS = 72;
export const ISAPNP_IDENTIFIER_BYTES = 9;
/** A card with bit = 1 drives these two, one after the other. */
export const ISAPNP_ISOLATION_FIRST = 0x55;
export const ISAPNP_ISOLATION_SECOND = 0xaa;

/** Start value of both shift registers, that of the initiation key and that of the checksum (appendix B). */
export const ISAPNP_LFSR_SEED = 0x6a;
export const ISAPNP_KEY_LENGTH = 32;

/** Small resource items: tag in bits 6:3 (section 6.2.2). */
export const ISAPNP_TAG_VERSION = 0x1;
export const ISAPNP_TAG_LOGICAL_DEVICE = 0x2;
export const ISAPNP_TAG_COMPATIBLE_DEVICE = 0x3;
export const ISAPNP_TAG_IRQ = 0x4;
export const ISAPNP_TAG_DMA = 0x5;
export const ISAPNP_TAG_START_DEPENDENT = 0x6;
export const ISAPNP_TAG_END_DEPENDENT = 0x7;
export const ISAPNP_TAG_IO = 0x8;
export const ISAPNP_TAG_FIXED_IO = 0x9;
export const ISAPNP_TAG_VENDOR = 0xe;
export const ISAPNP_TAG_END = 0xf;
/** Large resource items (section 6.2.3). */
export const ISAPNP_LARGE = 0x80;
export const ISAPNP_LARGE_MEMORY = 0x81;
export const ISAPNP_LARGE_ANSI_STRING = 0x82;

/** DMA format, mask byte 2: which widths the device uses. */
export const ISAPNP_DMA_8_BIT = 0;
export const ISAPNP_DMA_8_AND_16_BIT = 1;
export const ISAPNP_DMA_16_BIT = 2;

/** Priorities of a set of dependent functions. */
export const ISAPNP_PRIORITY_GOOD = 0;
export const ISAPNP_PRIORITY_ACCEPTABLE = 1;
export const ISAPNP_PRIORITY_SUBOPTIMAL = 2;

/** The next value of the shift register, with a bit of data for the checksum, 0 for the key (appendix B). */
export function isapnpShift(lfsr: number, bit = 0): number {
  const feedback = (lfsr ^ (lfsr >> 1) ^ bit) & 1;
  return (lfsr >> 1) | (feedback << 7);
}

/** The 32 bytes that wake the cards' logic (section 3.3). */
export function isapnpInitiationKey(): number[] {
  const key: number[] = [];
  for (let lfsr = ISAPNP_LFSR_SEED; key.length < ISAPNP_KEY_LENGTH; lfsr = isapnpShift(lfsr)) key.push(lfsr);
  return key;
}

/** Checksum over the eight bytes of identifier and serial number (section 3.3.1, appendix B). */
export function isapnpChecksum(identifier: ArrayLike<number>): number {
  let lfsr = ISAPNP_LFSR_SEED;
  for (let i = 0; i < ISAPNP_IDENTIFIER_BYTES - 1; i++) {
    for (let bit = 0; bit < 8; bit++) lfsr = isapnpShift(lfsr, ((identifier[i] ?? 0) >> bit) & 1);
  }
  return lfsr;
}

/** `CTL0031` out of the four bytes of a compressed EISA identifier (section 6.1). */
export function isapnpIdText(bytes: ArrayLike<number>): string {
  const [b0, b1, b2, b3] = [bytes[0] ?? 0, bytes[1] ?? 0, bytes[2] ?? 0, bytes[3] ?? 0];
  const letters = [(b0 >> 2) & 0x1f, ((b0 & 3) << 3) | (b1 >> 5), b1 & 0x1f];
  const name = letters.map((letter) => String.fromCharCode(0x40 + letter)).join('');
  return name + ((b2 << 8) | b3).toString(16).toUpperCase().padStart(4, '0');
}

/** The four bytes of `CTL0031`. Throws a RangeError for a text that is no EISA identifier. */
export function isapnpIdBytes(id: string): number[] {
  if (!/^[A-Z]{3}[0-9A-F]{4}$/.test(id)) {
    throw new RangeError(`${id}: an EISA identifier is three capital letters and four hexadecimal digits.`);
  }
  const [a, b, c] = [0, 1, 2].map((i) => id.charCodeAt(i) - 0x40) as [number, number, number];
  const product = Number.parseInt(id.slice(3), 16);
  return [(a << 2) | (b >> 3), ((b & 7) << 5) | c, product >> 8, product & 0xff];
}
