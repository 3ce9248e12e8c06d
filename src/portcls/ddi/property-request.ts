import { GUID, type IUnknown } from '../../com/index.ts';
import {
  type IRP,
  NtError,
  STATUS_BUFFER_OVERFLOW,
  STATUS_BUFFER_TOO_SMALL,
  STATUS_INVALID_PARAMETER,
  type UserProcess,
} from '../../kernel/index.ts';
import { readUlong, viewOf } from '../../ks/index.ts';
import { type BasicSupport, encodeBasicSupport } from './basic-support.ts';
import { PCFILTER_NODE, type PCPROPERTY_ITEM } from './descriptors.ts';

/**
 * What a miniport's property handler gets (DDI page PCPROPERTY_REQUEST). `instance` is what the client sent after KSPROPERTY
 * (or, with a node, after KSNODEPROPERTY); `value` is the client's value buffer of `valueSize` bytes. A handler that answers
 * sets `valueSize` to the bytes produced; the typed helpers below do so.
 *
 * The object is the port's and used again: after the handler returned, or after pcCompletePendingPropertyRequest for a handler
 * that returned STATUS_PENDING, it belongs to another request.
 */
export class PCPROPERTY_REQUEST {
  /** The miniport's unknown as the adapter passed it to IPort.init. */
  majorTarget!: IUnknown;
  /** The stream when the request went to a pin handle, else null. */
  minorTarget: IUnknown | null = null;
  /** Node id, {@link PCFILTER_NODE} when no node is addressed. */
  node: number = PCFILTER_NODE;
  propertyItem!: PCPROPERTY_ITEM;
  /** KSPROPERTY_TYPE_* without the topology bit. */
  verb = 0;
  instanceSize = 0;
  instance: Uint8Array | null = null;
  valueSize = 0;
  value: Uint8Array | null = null;
  irp!: IRP;
  /** Who asks; null for a request from kernel mode. */
  process: UserProcess | null = null;

  /** The `index`-th ULONG (here as LONG) of the instance data; throws STATUS_INVALID_PARAMETER when it is too short. */
  instanceLong(index: number): number {
    const instance = this.instance;
    const offset = index * 4;
    if (instance === null || offset + 4 > this.instanceSize) throw new NtError(STATUS_INVALID_PARAMETER);
    return readUlong(instance, offset) | 0;
  }

  /** The `index`-th ULONG of the instance data, unsigned. */
  instanceUlong(index: number): number {
    return this.instanceLong(index) >>> 0;
  }

  /**
   * Makes sure that the value buffer holds `bytes`. A size query (length 0) throws STATUS_BUFFER_OVERFLOW with `valueSize`
   * set to `bytes`; a buffer that is too short throws STATUS_BUFFER_TOO_SMALL. To a get, also sets `valueSize`.
   */
  requireValue(bytes: number): void {
    if (this.valueSize < bytes) {
      const status = this.valueSize === 0 ? STATUS_BUFFER_OVERFLOW : STATUS_BUFFER_TOO_SMALL;
      this.valueSize = status === STATUS_BUFFER_OVERFLOW ? bytes : 0;
      throw new NtError(status);
    }
    this.valueSize = bytes;
  }

  /** Reads the value of a set request as LONG. Throws as {@link requireValue}. */
  getLong(offset = 0): number {
    this.#requireInput(offset + 4);
    return readUlong(this.value ?? EMPTY, offset) | 0;
  }

  getUlong(offset = 0): number {
    return this.getLong(offset) >>> 0;
  }

  /** BOOL: any non-zero LONG. */
  getBool(offset = 0): boolean {
    return this.getLong(offset) !== 0;
  }

  getGuid(offset = 0): GUID {
    this.#requireInput(offset + 16);
    return GUID.read(viewOf(this.value ?? EMPTY), offset);
  }

  /** The value bytes of a set request. */
  getBytes(): Uint8Array {
    return this.value === null ? EMPTY : this.value.subarray(0, this.valueSize);
  }

  /** Answers a get request with a LONG. Throws as {@link requireValue}. */
  setLong(value: number): void {
    this.requireValue(4);
    const bytes = this.value;
    if (bytes === null) return;
    bytes[0] = value;
    bytes[1] = value >>> 8;
    bytes[2] = value >>> 16;
    bytes[3] = value >>> 24;
  }

  setUlong(value: number): void {
    this.setLong(value | 0);
  }

  setBool(value: boolean): void {
    this.setLong(value ? 1 : 0);
  }

  setGuid(value: GUID): void {
    this.requireValue(16);
    if (this.value !== null) value.write(viewOf(this.value), 0);
  }

  /** Answers a get request with bytes as they are. */
  setBytes(bytes: Uint8Array): void {
    this.requireValue(bytes.byteLength);
    this.value?.set(bytes);
  }

  /**
   * Answers a get request with a KSMULTIPLE_ITEM list. A client with room for the head alone gets that: size and count tell it
   * what to ask for next (KsHandleSizedListQuery does the same).
   */
  setList(bytes: Uint8Array): void {
    this.setBytes(this.valueSize === KSMULTIPLE_ITEM_SIZE ? bytes.subarray(0, KSMULTIPLE_ITEM_SIZE) : bytes);
  }

  /**
   * Answers a KSPROPERTY_TYPE_BASICSUPPORT request in the size the client has room for: a ULONG gets the access flags, a
   * KSPROPERTY_DESCRIPTION gets that with the whole size needed, a larger buffer everything. Throws as {@link requireValue}.
   */
  answerBasicSupport(support: BasicSupport): void {
    const room = this.valueSize;
    const bytes = encodeBasicSupport(support, room);
    if (room < 4) {
      this.requireValue(encodeBasicSupport(support, Number.MAX_SAFE_INTEGER).byteLength);
      return;
    }
    this.value?.set(bytes);
    this.valueSize = bytes.byteLength;
  }

  #requireInput(bytes: number): void {
    if (this.valueSize < bytes) throw new NtError(STATUS_BUFFER_TOO_SMALL);
  }
}

const KSMULTIPLE_ITEM_SIZE = 8;
const EMPTY = new Uint8Array(0);
