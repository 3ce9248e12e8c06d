import type { DMA_ADAPTER, SCATTER_GATHER_LIST } from '../../../hal/index.ts';
import {
  type IRP,
  ioFreeMdl,
  type MDL,
  mdlPhysicalAddress,
  mmBuildMdlForRam,
  mmMapLockedPages,
  mmUnmapLockedPages,
  NtError,
  PAGE_SIZE,
  STATUS_INVALID_PARAMETER,
  type SystemMapping,
} from '../../../kernel/index.ts';
import { type StreamBuffer, StreamRequest } from '../irp-stream/index.ts';

/** No mapping spans more pages (DDI page IPortWavePciStream::GetMapping). */
export const MAXIMUM_MAPPING_PAGES = 16;

/** A part of a buffer that is open to the device, as one scatter/gather list. */
interface Window {
  readonly list: SCATTER_GATHER_LIST;
  /** Where in the buffer it begins and ends. */
  readonly start: number;
  readonly end: number;
  /** Element that is handed out next, and how much of it has been. */
  element: number;
  elementDone: number;
  /** The element's map registers, null where the device reaches the buffer's own pages. */
  registers: SystemMapping | null;
  /** All map registers that were shown. */
  readonly shown: SystemMapping[];
  /** Mappings of it that the miniport holds. */
  held: number;
}

/** A mapping that the miniport holds, or held. */
export interface Mapping {
  readonly tag: unknown;
  readonly packet: MappedPacket;
  readonly buffer: StreamBuffer;
  readonly window: Window;
  readonly physicalAddress: number;
  /** The bytes that the device reaches: the buffer's memory, or the map registers that stand in for it. */
  readonly virtualAddress: SystemMapping;
  readonly virtualOffset: number;
  /** Offset in the buffer. */
  readonly offset: number;
  readonly byteCount: number;
  /** The stream position of its first byte. */
  readonly streamStart: number;
  readonly last: boolean;
}

/**
 * A stream request that is handed to the device in mappings: how far it is mapped, and what is still out. Pages are opened to the
 * device with the first mapping that touches them, as much at a time as the adapter object takes, and closed when the last mapping of
 * that part has come back.
 */
export class MappedPacket {
  readonly request: StreamRequest;
  readonly looped: boolean;
  readonly #adapter: () => DMA_ADAPTER;
  readonly #maximumTransfer: () => number;
  readonly #windows = new Set<Window>();
  #window: Window | null = null;
  #bufferIndex = 0;
  #mapped = 0;
  #terminated = false;
  /** Mappings that the miniport holds. */
  held = 0;

  /** Throws what {@link StreamRequest} throws. PASSIVE_LEVEL. */
  constructor(
    irp: IRP,
    capture: boolean,
    looped: boolean,
    adapter: () => DMA_ADAPTER,
    maximumTransfer: () => number,
  ) {
    this.request = new StreamRequest(irp, capture);
    this.looped = looped;
    this.#adapter = adapter;
    this.#maximumTransfer = maximumTransfer;
    this.#skipEmpty();
  }

  /** Nothing is left to map. */
  get mappedOut(): boolean {
    return this.#terminated || this.#bufferIndex >= this.request.buffers.length;
  }

  /** Mapping has begun, and has not come to the end. */
  get partlyMapped(): boolean {
    return !this.mappedOut && this.request.touched;
  }

  /** The device is done with it. */
  get finished(): boolean {
    return this.mappedOut && this.held === 0;
  }

  /** What was mapped so far is all that it gets. */
  terminate(): void {
    this.#terminated = true;
    this.#dropWindow();
  }

  /** The next run; the caller knows that there is one. Throws what GetScatterGatherList throws. Up to DISPATCH_LEVEL. */
  map(tag: unknown, streamStart: number): Mapping {
    const buffer = this.request.buffers[this.#bufferIndex];
    const { mdl = null, mapping = null } = buffer ?? {};
    if (buffer === undefined || mdl === null || mapping === null) throw new NtError(STATUS_INVALID_PARAMETER);
    buffer.streamStart ??= streamStart;
    const window = this.#window ?? this.#open(buffer);
    const element = window.list.elements[window.element];
    if (element === undefined) throw new NtError(STATUS_INVALID_PARAMETER, 'an empty scatter/gather list');
    if (window.elementDone === 0) showRegisters(window, mdl, this.#mapped);
    const { registers } = window;
    const virtualAddress = registers ?? mapping;
    const virtualOffset = registers === null ? this.#mapped : window.elementDone;
    const physicalAddress = element.address + window.elementDone;
    const room = MAXIMUM_MAPPING_PAGES * PAGE_SIZE - (physicalAddress % PAGE_SIZE);
    const byteCount = Math.min(element.length - window.elementDone, room);
    const offset = this.#mapped;
    this.#mapped += byteCount;
    window.elementDone += byteCount;
    if (window.elementDone === element.length) {
      window.element++;
      window.elementDone = 0;
    }
    window.held++;
    this.held++;
    const bufferEnds = this.#mapped === buffer.byteLength;
    if (this.#mapped === window.end) this.#window = null;
    if (bufferEnds) this.#nextBuffer();
    const last = bufferEnds && (this.looped || this.mappedOut);
    return {
      tag,
      packet: this,
      buffer,
      window,
      physicalAddress,
      virtualAddress,
      virtualOffset,
      offset,
      byteCount,
      streamStart,
      last,
    };
  }

  /** A mapping came back: `byteCount` bytes of it are the device's work. */
  unmap(mapping: Mapping, byteCount: number): void {
    const { buffer, window } = mapping;
    if (byteCount > 0) buffer.done = Math.max(buffer.done, mapping.offset + byteCount);
    if (this.looped && buffer.done === buffer.byteLength) {
      buffer.done = 0;
      buffer.wrapped = true;
    }
    this.held--;
    window.held--;
    if (window.held === 0 && window !== this.#window) this.#close(window);
  }

  /** Closes what is still open to the device. No mapping may be out. */
  release(): void {
    this.#window = null;
    for (const window of [...this.#windows]) this.#close(window);
  }

  #nextBuffer(): void {
    this.#mapped = 0;
    if (this.looped) return;
    this.#bufferIndex++;
    this.#skipEmpty();
  }

  #skipEmpty(): void {
    while (this.request.buffers[this.#bufferIndex]?.byteLength === 0) this.#bufferIndex++;
  }

  #open(buffer: StreamBuffer): Window {
    const { mdl } = buffer;
    if (mdl === null) throw new NtError(STATUS_INVALID_PARAMETER, 'a buffer without bytes');
    const start = this.#mapped;
    const length = Math.min(buffer.byteLength - start, this.#maximumTransfer());
    const list = this.#adapter().getScatterGatherList(mdl, start, length, !this.request.capture);
    const window: Window = {
      list,
      start,
      end: start + length,
      element: 0,
      elementDone: 0,
      registers: null,
      shown: [],
      held: 0,
    };
    this.#windows.add(window);
    this.#window = window;
    return window;
  }

  #dropWindow(): void {
    const window = this.#window;
    this.#window = null;
    if (window !== null && window.held === 0) this.#close(window);
  }

  #close(window: Window): void {
    if (!this.#windows.delete(window)) return;
    for (const registers of window.shown.splice(0)) {
      const { mdl } = registers;
      if (mdl === null) continue;
      mmUnmapLockedPages(registers, mdl);
      ioFreeMdl(mdl);
    }
    this.#adapter().putScatterGatherList(window.list, !this.request.capture);
  }
}

/** The next element of a window: finds out whether map registers stand in for the buffer, and maps them if so. */
function showRegisters(window: Window, mdl: MDL, offset: number): void {
  window.registers = null;
  const element = window.list.elements[window.element];
  if (element === undefined) return;
  const { address, length } = element;
  for (let at = 0; at < length; at += PAGE_SIZE - ((address + at) % PAGE_SIZE)) {
    if (mdlPhysicalAddress(mdl, offset + at) === address + at) continue;
    window.registers = mmMapLockedPages(mmBuildMdlForRam(address, length));
    window.shown.push(window.registers);
    return;
  }
}
