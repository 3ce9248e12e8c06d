import { GUID } from '../com/index.ts';
import {
  type FILE_OBJECT,
  type IRP,
  ioGetCurrentIrpStackLocation,
  type NTSTATUS,
  NtError,
  STATUS_BUFFER_OVERFLOW,
  STATUS_BUFFER_TOO_SMALL,
  STATUS_INVALID_BUFFER_SIZE,
  STATUS_SUCCESS,
  type UserProcess,
} from '../kernel/index.ts';
import { KSALL_NODES, KSPROPERTY_TYPE_TOPOLOGY } from './constants.ts';
import { viewOf } from './layout.ts';
import { encodeWideString } from './multiple-item.ts';

/** sizeof(KSIDENTIFIER): KSPROPERTY, KSEVENT, KSMETHOD. */
export const KSIDENTIFIER_SIZE = 24;
/** sizeof(KSP_NODE), KSE_NODE, KSM_NODE, KSNODEPROPERTY. */
export const KSP_NODE_SIZE = 32;

/** A little-endian ULONG without a DataView: requests are parsed too often for one each. */
export function readUlong(bytes: Uint8Array, offset: number): number {
  return (
    ((bytes[offset] as number) |
      ((bytes[offset + 1] as number) << 8) |
      ((bytes[offset + 2] as number) << 16) |
      ((bytes[offset + 3] as number) << 24)) >>>
    0
  );
}

export function writeUlong(bytes: Uint8Array, offset: number, value: number): void {
  bytes[offset] = value;
  bytes[offset + 1] = value >>> 8;
  bytes[offset + 2] = value >>> 16;
  bytes[offset + 3] = value >>> 24;
}

/**
 * What every property, event and method handler gets: the request taken apart, the client's buffers, and the answers that KS handlers give,
 * with the statuses that the documentation asks for. `input` is a copy, as on Windows, so that it stays while the handler writes, even where the
 * client's two buffers overlap. `data` is the client's own buffer.
 */
export class KsRequest {
  readonly irp: IRP;
  readonly fileObject: FILE_OBJECT | null;
  /** Words of the set's GUID. */
  readonly setWord0: number;
  readonly setWord1: number;
  readonly setWord2: number;
  readonly setWord3: number;
  readonly id: number;
  /** KSPROPERTY_TYPE_*, KSEVENT_TYPE_* or KSMETHOD_TYPE_*, without the topology bit. */
  readonly verb: number;
  /** The topology bit was set, and the request is for this node; KSALL_NODES otherwise. */
  readonly nodeId: number;
  /** KSIDENTIFIER (or KSP_NODE) and what the client sent behind it. */
  readonly input: Uint8Array;
  /** Bytes of {@link input} before the data of the item's own: 24, or 32 with a node. */
  readonly headerSize: number;
  /** The client's value buffer; null when it gave none. */
  readonly data: Uint8Array | null;
  #view: DataView | null = null;

  /** Takes the request of an IRP apart. Throws NtError STATUS_INVALID_BUFFER_SIZE when the input is shorter than its head. */
  static of(irp: IRP): KsRequest {
    const stack = ioGetCurrentIrpStackLocation(irp);
    const given = stack.parameters.type3InputBuffer;
    if (given === null || given.byteLength < KSIDENTIFIER_SIZE) throw new NtError(STATUS_INVALID_BUFFER_SIZE);
    return new KsRequest(irp, stack.fileObject, given.slice(), irp.userBuffer);
  }

  /** For {@link KsRequest.of} and {@link derive}; `input` holds 24 bytes or more. */
  constructor(irp: IRP, fileObject: FILE_OBJECT | null, input: Uint8Array, data: Uint8Array | null) {
    const flags = readUlong(input, 20);
    const hasNode = (flags & KSPROPERTY_TYPE_TOPOLOGY) !== 0;
    if (hasNode && input.byteLength < KSP_NODE_SIZE) throw new NtError(STATUS_INVALID_BUFFER_SIZE);
    this.irp = irp;
    this.fileObject = fileObject;
    this.setWord0 = readUlong(input, 0);
    this.setWord1 = readUlong(input, 4);
    this.setWord2 = readUlong(input, 8);
    this.setWord3 = readUlong(input, 12);
    this.id = readUlong(input, 16);
    this.verb = (flags & ~KSPROPERTY_TYPE_TOPOLOGY) >>> 0;
    this.nodeId = hasNode ? readUlong(input, 24) : KSALL_NODES;
    this.input = input;
    this.headerSize = hasNode ? KSP_NODE_SIZE : KSIDENTIFIER_SIZE;
    this.data = data !== null && data.byteLength > 0 ? data : null;
  }

  /** A request for another item of the same set, on the same object and node, with a value buffer of its own. */
  derive(id: number, verb: number, data: Uint8Array | null): KsRequest {
    const input = this.input.slice();
    writeUlong(input, 16, id);
    writeUlong(input, 20, verb | (this.hasNode ? KSPROPERTY_TYPE_TOPOLOGY : 0));
    return new KsRequest(this.irp, this.fileObject, input, data);
  }

  get hasNode(): boolean {
    return this.headerSize === KSP_NODE_SIZE;
  }

  get set(): GUID {
    return new GUID(this.setWord0, this.setWord1, this.setWord2, this.setWord3);
  }

  /** The set is GUID_NULL: a support request for the list of sets. */
  get isSetNull(): boolean {
    return (this.setWord0 | this.setWord1 | this.setWord2 | this.setWord3) === 0;
  }

  /** Who asks; null for a kernel-mode client. */
  get process(): UserProcess | null {
    return this.irp.requestor;
  }

  /** Bytes of the client's value buffer, 0 when there is none. */
  get dataLength(): number {
    return this.data?.byteLength ?? 0;
  }

  /** What the client sent behind the head. */
  get instance(): Uint8Array {
    return this.input.subarray(this.headerSize);
  }

  /** The value buffer of a set request, at least `minimum` bytes of it. Throws NtError STATUS_BUFFER_TOO_SMALL. */
  value(minimum = 0): Uint8Array {
    if (this.dataLength < minimum) throw new NtError(STATUS_BUFFER_TOO_SMALL);
    return this.data ?? EMPTY;
  }

  /** A ULONG behind the head, by byte offset. Throws NtError STATUS_INVALID_BUFFER_SIZE when it is not there. */
  instanceUlong(offset = 0): number {
    const at = this.headerSize + offset;
    if (at + 4 > this.input.byteLength) throw new NtError(STATUS_INVALID_BUFFER_SIZE);
    return readUlong(this.input, at);
  }

  /**
   * Makes room for an answer of `bytes`: a zero-length buffer is a size query and throws NtError STATUS_BUFFER_OVERFLOW with the size in
   * Information; a buffer that is too short throws STATUS_BUFFER_TOO_SMALL. Sets Information to `bytes` and returns the buffer.
   */
  room(bytes: number): Uint8Array {
    const { data, irp } = this;
    if (data === null) {
      irp.ioStatus.information = bytes;
      if (bytes > 0) throw new NtError(STATUS_BUFFER_OVERFLOW);
      return EMPTY;
    }
    if (data.byteLength < bytes) {
      irp.ioStatus.information = 0;
      throw new NtError(STATUS_BUFFER_TOO_SMALL);
    }
    irp.ioStatus.information = bytes;
    return data;
  }

  /** Answers with bytes as they are. Throws as {@link room} does. */
  answer(bytes: Uint8Array): NTSTATUS {
    this.room(bytes.byteLength).set(bytes);
    return STATUS_SUCCESS;
  }

  /**
   * Answers with a KSMULTIPLE_ITEM list. A buffer of exactly 8 bytes gets the head alone: the size and count that a client needs for the next
   * request. Throws as {@link room} does.
   */
  answerList(bytes: Uint8Array): NTSTATUS {
    if (this.dataLength === 8 && bytes.byteLength > 8) return this.answer(bytes.subarray(0, 8));
    return this.answer(bytes);
  }

  answerUlong(value: number): NTSTATUS {
    writeUlong(this.room(4), 0, value);
    return STATUS_SUCCESS;
  }

  answerGuid(value: GUID): NTSTATUS {
    value.write(this.#dataView(16), 0);
    return STATUS_SUCCESS;
  }

  /** Answers with a zero-terminated UTF-16 string. */
  answerString(text: string): NTSTATUS {
    return this.answer(encodeWideString(text));
  }

  #dataView(bytes: number): DataView {
    const room = this.room(bytes);
    this.#view ??= viewOf(room);
    return this.#view;
  }
}

const EMPTY = new Uint8Array(0);
