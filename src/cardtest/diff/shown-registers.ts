/** A register, or a part of one, that an access shows. */
export interface ShownRegister {
  readonly name: string;
  /** Bits of the access by which it is shifted, and how many it has there. */
  readonly shift: number;
  readonly bits: number;
  /** False when only a part of it is seen. */
  readonly whole: boolean;
}

/** Where a register lies in its window. */
export interface RegisterPlace {
  readonly name: string;
  readonly offset: number;
  readonly widthBytes: number;
}

/** What an access of `size` bytes at `offset` shows of a window with these registers; bytes without one are `<unnamed>_<offset>`. */
export function shownInWindow<Register extends RegisterPlace>(
  registers: readonly Register[],
  offset: number,
  size: number,
  unnamed: string,
): readonly ShownRegister[] {
  const shown: ShownRegister[] = [];
  for (let at = offset; at < offset + size; ) {
    const register = registers.find((one) => one.offset <= at && at < one.offset + one.widthBytes);
    const end = Math.min(register ? register.offset + register.widthBytes : at + 1, offset + size);
    shown.push({
      name: register?.name ?? `${unnamed}_${at.toString(16).toUpperCase().padStart(2, '0')}`,
      shift: 8 * (at - offset),
      bits: 8 * (end - at),
      whole:
        register !== undefined && at === register.offset && end === register.offset + register.widthBytes,
    });
    at = end;
  }
  return shown;
}

/** The register's part of an access' value. */
export function shownValue(value: number, { shift, bits }: ShownRegister): number {
  const shifted = value >>> shift;
  return bits >= 32 ? shifted : (shifted & (2 ** bits - 1)) >>> 0;
}
