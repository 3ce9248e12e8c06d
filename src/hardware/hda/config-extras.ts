/**
 * Configuration space of the HDA function above 40h (ICH6 datasheet, §18.1; ICH9, §17.1): mode, traffic class, power management
 * and message signalled interrupts.
 */
import type { AccessSize, PciCard } from '../../hal/bus.ts';

/** Azalia control: bit 0 says that the pins carry an HDA link, not AC'97. */
export const HDCTL = 0x40;
/** Traffic class select. */
export const TCSEL = 0x44;
/** Power management capability. */
export const PID = 0x50;
/** Power management control and status: bits 1:0 the state, bit 8 PME enable. */
export const PCS = 0x54;
/** Message signalled interrupts capability: 64-bit address, one message. */
export const MID = 0x60;
export const MMC = 0x62;
export const MMLA = 0x64;
export const MMUA = 0x68;
export const MMD = 0x6c;
/** PCI Express capability: an integrated endpoint of the root complex. */
export const PXID = 0x70;

const MMC_ENABLE = 1 << 0;
const PCS_STATE = 3;

export const HDA_CONFIG_EXTRA: NonNullable<PciCard['configExtra']> = [
  { offset: HDCTL, bytes: [0x01] },
  { offset: TCSEL, bytes: [0x00], writable: [0x07] },
  // Version 2, D3hot and D3cold can signal PME, D1 and D2 are not there.
  { offset: PID, bytes: [0x01, MID, 0x42, 0xc8] },
  { offset: PCS, bytes: [0x00, 0x00, 0x00, 0x00], writable: [0x03, 0x01, 0x00, 0x00] },
  { offset: MID, bytes: [0x05, PXID, 0x80, 0x00], writable: [0x00, 0x00, 0x01, 0x00] },
  { offset: MMLA, bytes: [0, 0, 0, 0], writable: [0xfc, 0xff, 0xff, 0xff] },
  { offset: MMUA, bytes: [0, 0, 0, 0], writable: [0xff, 0xff, 0xff, 0xff] },
  { offset: MMD, bytes: [0, 0], writable: [0xff, 0xff] },
  { offset: PXID, bytes: [0x10, 0x00, 0x91, 0x00] },
];

const FIRST = HDCTL;
const BYTES = 0x100 - FIRST;

/** What the card keeps of the bytes that the bus holds for it: a card is told of writes, and looks at nothing else. */
export class HdaConfigMirror {
  readonly #bytes = new Uint8Array(BYTES);
  readonly #writable = new Uint8Array(BYTES);

  constructor() {
    for (const { offset, writable } of HDA_CONFIG_EXTRA)
      if (writable) this.#writable.set(writable, offset - FIRST);
    this.reset();
  }

  reset(): void {
    for (const { offset, bytes } of HDA_CONFIG_EXTRA) this.#bytes.set(bytes, offset - FIRST);
  }

  write(offset: number, size: AccessSize, value: number): void {
    for (let index = 0; index < size; index++) {
      const at = offset + index - FIRST;
      if (at < 0 || at >= BYTES) continue;
      const writable = this.#writable[at]!;
      this.#bytes[at] = (this.#bytes[at]! & ~writable) | ((value >>> (8 * index)) & writable);
    }
  }

  /** D0 … D3. */
  get powerState(): number {
    return this.#bytes[PCS - FIRST]! & PCS_STATE;
  }

  /** Where an interrupt message goes, and what it says; null while INTA# is used. */
  get message(): { readonly busAddress: number; readonly data: number } | null {
    if ((this.#bytes[MMC - FIRST]! & MMC_ENABLE) === 0) return null;
    const data = this.#bytes[MMD - FIRST]! | (this.#bytes[MMD - FIRST + 1]! << 8);
    return { busAddress: this.#read32(MMUA) * 0x1_0000_0000 + this.#read32(MMLA), data };
  }

  #read32(offset: number): number {
    let value = 0;
    for (let index = 3; index >= 0; index--) value = value * 256 + this.#bytes[offset - FIRST + index]!;
    return value;
  }
}
