/**
 * Resource data of ISA Plug and Play cards (specification 1.0a, chapter 6): what a card may be told to use, as data, and as the bytes in
 * its ROM. One description serves both ends.
 */
import {
  ISAPNP_DMA_8_AND_16_BIT,
  ISAPNP_DMA_8_BIT,
  ISAPNP_DMA_16_BIT,
  ISAPNP_LARGE,
  ISAPNP_LARGE_ANSI_STRING,
  ISAPNP_PRIORITY_ACCEPTABLE,
  ISAPNP_TAG_COMPATIBLE_DEVICE,
  ISAPNP_TAG_DMA,
  ISAPNP_TAG_END,
  ISAPNP_TAG_END_DEPENDENT,
  ISAPNP_TAG_FIXED_IO,
  ISAPNP_TAG_IO,
  ISAPNP_TAG_IRQ,
  ISAPNP_TAG_LOGICAL_DEVICE,
  ISAPNP_TAG_START_DEPENDENT,
  ISAPNP_TAG_VERSION,
  isapnpChecksum,
  isapnpIdBytes,
  isapnpIdText,
} from './isapnp-registers.ts';

/** Ports: `length` of them, at a multiple of `alignment` from `minimum` to `maximum` (both are base addresses). */
export interface IsaPnpIo {
  readonly type: 'io';
  readonly minimum: number;
  readonly maximum: number;
  readonly alignment: number;
  readonly length: number;
  /** The device decodes all sixteen address lines; ten otherwise. */
  readonly decodes16?: boolean;
}

/** One interrupt line out of several: rising edges, unless the flags say otherwise. */
export interface IsaPnpIrq {
  readonly type: 'irq';
  readonly lines: readonly number[];
  readonly level?: boolean;
}

/** One DMA channel out of several. */
export interface IsaPnpDma {
  readonly type: 'dma';
  readonly channels: readonly number[];
  readonly width: 8 | 16 | '8 and 16';
}

export type IsaPnpResource = IsaPnpIo | IsaPnpIrq | IsaPnpDma;

/** One way to configure a device. */
export interface IsaPnpAlternative {
  /** ISAPNP_PRIORITY_*. */
  readonly priority: number;
  readonly resources: readonly IsaPnpResource[];
}

/** A logical device. */
export interface IsaPnpDevice {
  /** `CTL0031`. */
  readonly id: string;
  readonly compatibleIds: readonly string[];
  readonly name: string | null;
  /** What it needs whatever alternative is chosen. */
  readonly resources: readonly IsaPnpResource[];
  /** Dependent functions in the order in which the card lists them; one is chosen. None: there is nothing to choose. */
  readonly alternatives: readonly IsaPnpAlternative[];
}

/** A card. */
export interface IsaPnpCardDescription {
  /** `CTL0028`. */
  readonly id: string;
  readonly serialNumber: number;
  readonly name: string | null;
  readonly devices: readonly IsaPnpDevice[];
}

const PNP_VERSION = 0x10;
const DMA_WIDTHS: readonly IsaPnpDma['width'][] = [8, '8 and 16', 16];
const DMA_COUNT_BY_BYTE = 0x08;
const DMA_COUNT_BY_WORD = 0x10;

/** The nine bytes of the serial identifier: vendor and product, serial number, checksum. */
export function isapnpSerialIdentifier(id: string, serialNumber: number): Uint8Array {
  const bytes = [
    ...isapnpIdBytes(id),
    ...[0, 8, 16, 24].map((shift) => Math.floor(serialNumber / 2 ** shift) & 0xff),
  ];
  return Uint8Array.from([...bytes, isapnpChecksum(bytes)]);
}

function small(tag: number, ...bytes: readonly number[]): number[] {
  return [(tag << 3) | bytes.length, ...bytes];
}

function ansiString(text: string): number[] {
  const bytes = Array.from(text, (character) => character.charCodeAt(0) & 0x7f);
  return [ISAPNP_LARGE_ANSI_STRING, bytes.length & 0xff, bytes.length >> 8, ...bytes];
}

function word(value: number): number[] {
  return [value & 0xff, value >> 8];
}

function encodeResource(resource: IsaPnpResource): number[] {
  switch (resource.type) {
    case 'io': {
      const { minimum, maximum, alignment, length, decodes16 } = resource;
      if (minimum === maximum && decodes16 !== true)
        return small(ISAPNP_TAG_FIXED_IO, ...word(minimum), length);
      return small(
        ISAPNP_TAG_IO,
        decodes16 === true ? 1 : 0,
        ...word(minimum),
        ...word(maximum),
        alignment,
        length,
      );
    }
    case 'irq': {
      const mask = resource.lines.reduce((bits, line) => bits | (1 << line), 0);
      return resource.level === true
        ? small(ISAPNP_TAG_IRQ, ...word(mask), 0x08)
        : small(ISAPNP_TAG_IRQ, ...word(mask));
    }
    case 'dma': {
      const mask = resource.channels.reduce((bits, channel) => bits | (1 << channel), 0);
      const width =
        resource.width === 8
          ? ISAPNP_DMA_8_BIT
          : resource.width === 16
            ? ISAPNP_DMA_16_BIT
            : ISAPNP_DMA_8_AND_16_BIT;
      const counts =
        (resource.width === 16 ? 0 : DMA_COUNT_BY_BYTE) | (resource.width === 8 ? 0 : DMA_COUNT_BY_WORD);
      return small(ISAPNP_TAG_DMA, mask, width | counts);
    }
  }
}

/** The card's ROM after the serial identifier, with end tag and checksum: all bytes add up to 0 (section 6.2.2.11). */
export function encodeIsaPnpResources(card: IsaPnpCardDescription): Uint8Array {
  const bytes: number[] = [...small(ISAPNP_TAG_VERSION, PNP_VERSION, 0x10)];
  if (card.name !== null) bytes.push(...ansiString(card.name));
  for (const device of card.devices) {
    bytes.push(...small(ISAPNP_TAG_LOGICAL_DEVICE, ...isapnpIdBytes(device.id), 0));
    for (const id of device.compatibleIds)
      bytes.push(...small(ISAPNP_TAG_COMPATIBLE_DEVICE, ...isapnpIdBytes(id)));
    if (device.name !== null) bytes.push(...ansiString(device.name));
    for (const resource of device.resources) bytes.push(...encodeResource(resource));
    for (const { priority, resources } of device.alternatives) {
      // Without its byte the tag means "acceptable" (section 6.2.2.5).
      bytes.push(
        ...(priority === ISAPNP_PRIORITY_ACCEPTABLE
          ? small(ISAPNP_TAG_START_DEPENDENT)
          : small(ISAPNP_TAG_START_DEPENDENT, priority)),
      );
      for (const resource of resources) bytes.push(...encodeResource(resource));
    }
    if (device.alternatives.length > 0) bytes.push(...small(ISAPNP_TAG_END_DEPENDENT));
  }
  bytes.push((ISAPNP_TAG_END << 3) | 1);
  const sum = bytes.reduce((total, byte) => total + byte, 0);
  return Uint8Array.from([...bytes, -sum & 0xff]);
}

function bitsOf(mask: number): number[] {
  return Array.from({ length: 16 }, (_, bit) => bit).filter((bit) => ((mask >> bit) & 1) !== 0);
}

/** Bytes in one card's data, many times what any card has: a ROM without an end tag must not be read for ever. */
const BYTE_LIMIT = 4096;

/** Takes items from a card's resource data one after the other. */
class ItemReader {
  readonly #next: () => number;
  #read = 0;
  sum = 0;

  constructor(next: () => number) {
    this.#next = next;
  }

  /** The data go on for longer than they can. */
  get exhausted(): boolean {
    return this.#read >= BYTE_LIMIT;
  }

  byte(): number {
    this.#read++;
    const value = this.#next() & 0xff;
    this.sum = (this.sum + value) & 0xff;
    return value;
  }

  /** Large items keep their whole first byte as the tag. */
  item(): { readonly tag: number; readonly large: boolean; readonly bytes: readonly number[] } {
    const first = this.byte();
    const large = (first & ISAPNP_LARGE) !== 0;
    const low = large ? this.byte() : 0;
    const length = large ? low | (this.byte() << 8) : first & 7;
    const bytes: number[] = [];
    while (bytes.length < length && !this.exhausted) bytes.push(this.byte());
    return { tag: large ? first : first >> 3, large, bytes };
  }
}

interface DeviceDraft {
  readonly id: string;
  readonly compatibleIds: string[];
  name: string | null;
  readonly resources: IsaPnpResource[];
  readonly alternatives: { readonly priority: number; readonly resources: IsaPnpResource[] }[];
}

/**
 * Reads the resource data that follow a serial identifier, byte by byte as the card gives them. Items that nothing here uses (memory,
 * vendor data) are skipped. `checksumGood` is false when the sum is not 0; a checksum of 0 means that the card has none. Null when the
 * data do not end.
 */
export function decodeIsaPnpResources(next: () => number): {
  readonly name: string | null;
  readonly devices: readonly IsaPnpDevice[];
  readonly checksumGood: boolean;
} | null {
  const reader = new ItemReader(next);
  const devices: DeviceDraft[] = [];
  let name: string | null = null;
  let alternative: DeviceDraft['alternatives'][number] | null = null;
  while (!reader.exhausted) {
    const { tag, large, bytes } = reader.item();
    const [b0 = 0, b1 = 0, b2 = 0, b3 = 0, b4 = 0, b5 = 0, b6 = 0] = bytes;
    const device = devices.at(-1);
    const add = (resource: IsaPnpResource) => (alternative ?? device)?.resources.push(resource);
    if (large) {
      if (tag !== ISAPNP_LARGE_ANSI_STRING) continue;
      const text = String.fromCharCode(...bytes);
      if (device) device.name ??= text;
      else name ??= text;
      continue;
    }
    switch (tag) {
      case ISAPNP_TAG_LOGICAL_DEVICE:
        alternative = null;
        devices.push({
          id: isapnpIdText(bytes),
          compatibleIds: [],
          name: null,
          resources: [],
          alternatives: [],
        });
        break;
      case ISAPNP_TAG_COMPATIBLE_DEVICE:
        device?.compatibleIds.push(isapnpIdText(bytes));
        break;
      case ISAPNP_TAG_IRQ: {
        const lines = bitsOf(b0 | (b1 << 8));
        const level = bytes.length > 2 && (b2 & 0x0c) !== 0;
        add(level ? { type: 'irq', lines, level } : { type: 'irq', lines });
        break;
      }
      case ISAPNP_TAG_DMA:
        add({ type: 'dma', channels: bitsOf(b0), width: DMA_WIDTHS[b1 & 3] ?? 8 });
        break;
      case ISAPNP_TAG_START_DEPENDENT:
        alternative = { priority: bytes.length > 0 ? b0 : ISAPNP_PRIORITY_ACCEPTABLE, resources: [] };
        device?.alternatives.push(alternative);
        break;
      case ISAPNP_TAG_END_DEPENDENT:
        alternative = null;
        break;
      case ISAPNP_TAG_IO: {
        const range = { minimum: b1 | (b2 << 8), maximum: b3 | (b4 << 8), alignment: b5, length: b6 };
        add((b0 & 1) !== 0 ? { type: 'io', ...range, decodes16: true } : { type: 'io', ...range });
        break;
      }
      case ISAPNP_TAG_FIXED_IO: {
        const port = (b0 | (b1 << 8)) & 0x3ff;
        add({ type: 'io', minimum: port, maximum: port, alignment: 1, length: b2 });
        break;
      }
      case ISAPNP_TAG_END:
        return { name, devices, checksumGood: b0 === 0 || reader.sum === 0 };
      default:
        break;
    }
  }
  return null;
}
