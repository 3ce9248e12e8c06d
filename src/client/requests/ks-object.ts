import type { GUID } from '../../com/guid.ts';
import type { NTSTATUS } from '../../kernel/index.ts';
import {
  NtError,
  ntSuccess,
  STATUS_BUFFER_OVERFLOW,
  STATUS_BUFFER_TOO_SMALL,
  STATUS_NOT_FOUND,
  STATUS_PROPSET_NOT_FOUND,
} from '../../kernel/index.ts';
import {
  IOCTL_KS_PROPERTY,
  KSPROPERTY_TYPE_BASICSUPPORT,
  KSPROPERTY_TYPE_GET,
  KSPROPERTY_TYPE_SET,
  KSPROPERTY_TYPE_TOPOLOGY,
} from '../../ks/index.ts';
import type { ClientProcess } from './client-process.ts';

/** Which node, and which of its channels or bands, a request is for. */
export interface NodeTarget {
  readonly node: number;
  /** KSNODEPROPERTY_AUDIO_CHANNEL.Channel; absent: a plain KSNODEPROPERTY. */
  readonly channel?: number;
}

const PROPERTY_BYTES = 24;

/**
 * An open filter or pin: KS property requests as methods. Failures throw an NtError with the driver's status. Layouts:
 * KSPROPERTY (24 bytes), KSNODEPROPERTY (32: node, reserved), KSNODEPROPERTY_AUDIO_CHANNEL (40: channel, reserved), KSP_PIN (32).
 */
export class KsObject {
  readonly process: ClientProcess;
  readonly handle: number;
  #open = true;

  constructor(process: ClientProcess, handle: number) {
    this.process = process;
    this.handle = handle;
  }

  /** A property of the object itself; asks for the size first unless `size` is given. */
  get(set: GUID, id: number, size?: number): Uint8Array {
    return this.#get(encodeProperty(set, id, KSPROPERTY_TYPE_GET), size);
  }

  set(set: GUID, id: number, value: Uint8Array): void {
    this.control(encodeProperty(set, id, KSPROPERTY_TYPE_SET), value);
  }

  /** A property of a pin factory (KSP_PIN); `more` follows the structure. */
  getPin(set: GUID, id: number, pin: number, size?: number, more?: Uint8Array): Uint8Array {
    return this.#get(encodeProperty(set, id, KSPROPERTY_TYPE_GET, [pin, 0], more), size);
  }

  setPin(set: GUID, id: number, pin: number, value: Uint8Array): void {
    this.control(encodeProperty(set, id, KSPROPERTY_TYPE_SET, [pin, 0]), value);
  }

  getNode(set: GUID, id: number, target: NodeTarget, size?: number): Uint8Array {
    return this.#get(encodeNodeProperty(set, id, KSPROPERTY_TYPE_GET, target), size);
  }

  setNode(set: GUID, id: number, target: NodeTarget, value: Uint8Array): void {
    this.control(encodeNodeProperty(set, id, KSPROPERTY_TYPE_SET, target), value);
  }

  /** Basic support of a node's property: whatever the driver says, from access flags alone to all ranges; null: no such property. */
  nodeSupport(set: GUID, id: number, node: number): Uint8Array | null {
    return this.#support(encodeNodeProperty(set, id, KSPROPERTY_TYPE_BASICSUPPORT, { node }));
  }

  /** Basic support of a property of the object itself; null: no such property. */
  support(set: GUID, id: number): Uint8Array | null {
    return this.#support(encodeProperty(set, id, KSPROPERTY_TYPE_BASICSUPPORT));
  }

  /** Sends an IOCTL_KS_PROPERTY as it stands; returns the bytes produced. Throws an NtError with the status of a failure. */
  control(input: Uint8Array, output: Uint8Array | null): number {
    const { status, information } = this.tryControl(input, output);
    if (!ntSuccess(status)) throw new NtError(status);
    return information;
  }

  /** The same, with the status as a result. */
  tryControl(
    input: Uint8Array,
    output: Uint8Array | null,
  ): { readonly status: NTSTATUS; readonly information: number } {
    return this.process.deviceIoControl(this.handle, IOCTL_KS_PROPERTY, input, output);
  }

  close(): void {
    if (!this.#open) return;
    this.#open = false;
    this.process.closeHandle(this.handle);
  }

  #get(request: Uint8Array, size: number | undefined): Uint8Array {
    const value = new Uint8Array(size ?? this.#sizeOf(request));
    const produced = this.control(request, value);
    return produced < value.byteLength ? value.subarray(0, produced) : value;
  }

  /** Length 0 asks for the size: STATUS_BUFFER_OVERFLOW with the number of bytes (audio-property-handlers). */
  #sizeOf(request: Uint8Array): number {
    const { status, information } = this.tryControl(request, null);
    if (status === STATUS_BUFFER_OVERFLOW || (status === STATUS_BUFFER_TOO_SMALL && information > 0))
      return information;
    if (!ntSuccess(status)) throw new NtError(status);
    return information;
  }

  #support(request: Uint8Array): Uint8Array | null {
    // KSPROPERTY_DESCRIPTION is 40 bytes; its second ULONG says how many the whole answer takes.
    let output = new Uint8Array(40);
    let answer = this.tryControl(request, output);
    if (ntSuccess(answer.status) && answer.information >= 40) {
      const whole = new DataView(output.buffer).getUint32(4, true);
      if (whole > 40 && whole <= MAXIMUM_SUPPORT_BYTES) {
        output = new Uint8Array(whole);
        answer = this.tryControl(request, output);
      }
    }
    if (ntSuccess(answer.status)) return output.subarray(0, answer.information);
    if (answer.status === STATUS_NOT_FOUND || answer.status === STATUS_PROPSET_NOT_FOUND) return null;
    // A driver that only knows the short form refuses the long one.
    const flags = new Uint8Array(4);
    return ntSuccess(this.tryControl(request, flags).status) ? flags : null;
  }
}

/** More than this in an answer to basic support is damage. */
const MAXIMUM_SUPPORT_BYTES = 1 << 20;

/** KSPROPERTY, then the given ULONGs, then bytes as they are. */
export function encodeProperty(
  set: GUID,
  id: number,
  flags: number,
  words: readonly number[] = [],
  more?: Uint8Array,
): Uint8Array {
  const bytes = new Uint8Array(PROPERTY_BYTES + words.length * 4 + (more?.byteLength ?? 0));
  const view = new DataView(bytes.buffer);
  set.write(view, 0);
  view.setUint32(16, id, true);
  view.setUint32(20, flags, true);
  for (const [index, word] of words.entries()) view.setUint32(PROPERTY_BYTES + index * 4, word, true);
  if (more !== undefined) bytes.set(more, PROPERTY_BYTES + words.length * 4);
  return bytes;
}

function encodeNodeProperty(set: GUID, id: number, flags: number, { node, channel }: NodeTarget): Uint8Array {
  const words = channel === undefined ? [node, 0] : [node, 0, channel, 0];
  return encodeProperty(set, id, flags | KSPROPERTY_TYPE_TOPOLOGY, words);
}

/** One ULONG or LONG as bytes. */
export function encodeUlong(value: number): Uint8Array {
  const bytes = new Uint8Array(4);
  new DataView(bytes.buffer).setUint32(0, value >>> 0, true);
  return bytes;
}

/** The ULONG at an offset; 0 when the bytes end before. */
export function ulongAt(bytes: Uint8Array, offset = 0): number {
  return offset + 4 <= bytes.byteLength
    ? new DataView(bytes.buffer, bytes.byteOffset).getUint32(offset, true)
    : 0;
}

/** The LONG at an offset; 0 when the bytes end before. */
export function longAt(bytes: Uint8Array, offset = 0): number {
  return ulongAt(bytes, offset) | 0;
}
