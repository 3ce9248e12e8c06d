import {
  READ_REGISTER_UCHAR,
  READ_REGISTER_ULONG,
  READ_REGISTER_USHORT,
  WRITE_REGISTER_UCHAR,
  WRITE_REGISTER_ULONG,
  WRITE_REGISTER_USHORT,
} from '../../hal/index.ts';

/** What reads of a register give when nobody answers any more: the card was pulled out. */
export const NOBODY_UCHAR = 0xff;
export const NOBODY_USHORT = 0xffff;
export const NOBODY_ULONG = 0xffff_ffff;

/** The controller's registers behind BAR0, by offset. Any IRQL. */
export class RegisterWindow {
  /** System address of the first register, from MmMapIoSpace. */
  readonly base: number;
  readonly length: number;

  constructor(base: number, length: number) {
    this.base = base;
    this.length = length;
  }

  readUchar(offset: number): number {
    return READ_REGISTER_UCHAR(this.base + offset);
  }

  readUshort(offset: number): number {
    return READ_REGISTER_USHORT(this.base + offset);
  }

  readUlong(offset: number): number {
    return READ_REGISTER_ULONG(this.base + offset);
  }

  writeUchar(offset: number, value: number): void {
    WRITE_REGISTER_UCHAR(this.base + offset, value);
  }

  writeUshort(offset: number, value: number): void {
    WRITE_REGISTER_USHORT(this.base + offset, value);
  }

  writeUlong(offset: number, value: number): void {
    WRITE_REGISTER_ULONG(this.base + offset, value);
  }

  /** Writes a bus address to a pair of registers, `low` and the one behind it. */
  writeAddress(low: number, busAddress: number): void {
    this.writeUlong(low, busAddress % 0x1_0000_0000);
    this.writeUlong(low + 4, Math.floor(busAddress / 0x1_0000_0000));
  }
}
