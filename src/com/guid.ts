/**
 * A GUID as four little-endian 32-bit words of its memory layout, so that comparing and dispatching never build strings.
 * Immutable. Constants are made once with {@link guid}.
 */
export class GUID {
  /** Words of the 16-byte memory layout, each as an unsigned 32-bit number. */
  readonly w0: number;
  readonly w1: number;
  readonly w2: number;
  readonly w3: number;

  constructor(w0: number, w1: number, w2: number, w3: number) {
    this.w0 = w0;
    this.w1 = w1;
    this.w2 = w2;
    this.w3 = w3;
  }

  equals(other: GUID): boolean {
    return (
      this === other ||
      (this.w0 === other.w0 && this.w1 === other.w1 && this.w2 === other.w2 && this.w3 === other.w3)
    );
  }

  /** True when the 16 bytes at `offset` are this GUID; false also when they do not fit. */
  matches(bytes: DataView, offset: number): boolean {
    return (
      offset + 16 <= bytes.byteLength &&
      bytes.getUint32(offset, true) === this.w0 &&
      bytes.getUint32(offset + 4, true) === this.w1 &&
      bytes.getUint32(offset + 8, true) === this.w2 &&
      bytes.getUint32(offset + 12, true) === this.w3
    );
  }

  static read(bytes: DataView, offset: number): GUID {
    return new GUID(
      bytes.getUint32(offset, true),
      bytes.getUint32(offset + 4, true),
      bytes.getUint32(offset + 8, true),
      bytes.getUint32(offset + 12, true),
    );
  }

  write(bytes: DataView, offset: number): void {
    bytes.setUint32(offset, this.w0, true);
    bytes.setUint32(offset + 4, this.w1, true);
    bytes.setUint32(offset + 8, this.w2, true);
    bytes.setUint32(offset + 12, this.w3, true);
  }

  /** Registry form, upper case: `{6994AD04-93EF-11D0-A3CC-00A0C9223196}`. */
  toString(): string {
    const hex = (value: number, digits: number) => value.toString(16).toUpperCase().padStart(digits, '0');
    const byte = (word: number, index: number) => hex((word >>> (index * 8)) & 0xff, 2);
    const { w0, w1, w2, w3 } = this;
    return (
      `{${hex(w0, 8)}-${hex(w1 & 0xffff, 4)}-${hex(w1 >>> 16, 4)}-${byte(w2, 0)}${byte(w2, 1)}-` +
      `${byte(w2, 2)}${byte(w2, 3)}${byte(w3, 0)}${byte(w3, 1)}${byte(w3, 2)}${byte(w3, 3)}}`
    );
  }
}

/** Parses the registry form, with or without braces, in any case. Throws a SyntaxError that names the text otherwise. */
export function guid(text: string): GUID {
  const hex = text.replace(/^\{|\}$/g, '');
  if (!/^[0-9a-f]{8}-([0-9a-f]{4}-){3}[0-9a-f]{12}$/i.test(hex)) {
    throw new SyntaxError(`Not a GUID: '${text}'. Expected {xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx}.`);
  }
  const [a = '', b = '', c = '', d = '', e = ''] = hex.split('-');
  const tail = d + e;
  const word = (start: number) => {
    let value = 0;
    for (let i = 3; i >= 0; i--)
      value = value * 256 + Number.parseInt(tail.slice((start + i) * 2, (start + i) * 2 + 2), 16);
    return value;
  };
  return new GUID(
    Number.parseInt(a, 16),
    (Number.parseInt(b, 16) | (Number.parseInt(c, 16) << 16)) >>> 0,
    word(0),
    word(4),
  );
}

export const GUID_NULL = new GUID(0, 0, 0, 0);
