import { readUlong, writeUlong } from '../../ks/index.ts';

/**
 * 64-bit numbers to and from request bytes without a DataView, for the requests that clients send many times a period. The
 * caller checked the length; exact below 2^53, beyond which no position or address lies.
 */
export function writeUlonglong(bytes: Uint8Array, offset: number, value: number): void {
  writeUlong(bytes, offset, value >>> 0);
  writeUlong(bytes, offset + 4, Math.floor(value / 0x1_0000_0000) >>> 0);
}

/** A pointer or handle in its 64-bit form. */
export function readPointer(bytes: Uint8Array, offset: number): number {
  return readUlong(bytes, offset) + readUlong(bytes, offset + 4) * 0x1_0000_0000;
}
