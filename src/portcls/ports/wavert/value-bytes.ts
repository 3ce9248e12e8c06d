/**
 * Numbers to and from request bytes without a DataView, for the requests that clients send many times a period. Everything is
 * little-endian; the caller checked the length.
 */
export function putUlong(bytes: Uint8Array, offset: number, value: number): void {
  bytes[offset] = value;
  bytes[offset + 1] = value >>> 8;
  bytes[offset + 2] = value >>> 16;
  bytes[offset + 3] = value >>> 24;
}

/** ULONGLONG: exact below 2^53. */
export function putUlonglong(bytes: Uint8Array, offset: number, value: number): void {
  putUlong(bytes, offset, value >>> 0);
  putUlong(bytes, offset + 4, Math.floor(value / 0x1_0000_0000) >>> 0);
}

export function takeUlong(bytes: Uint8Array, offset: number): number {
  return (
    ((bytes[offset] ?? 0) |
      ((bytes[offset + 1] ?? 0) << 8) |
      ((bytes[offset + 2] ?? 0) << 16) |
      ((bytes[offset + 3] ?? 0) << 24)) >>>
    0
  );
}

/** A pointer or handle, 64-bit form: exact below 2^53, beyond which no address lies. */
export function takePointer(bytes: Uint8Array, offset: number): number {
  return takeUlong(bytes, offset) + takeUlong(bytes, offset + 4) * 0x1_0000_0000;
}
