/** Memory descriptor lists. */
import type { SystemMapping } from './system-mapping.ts';

export const PAGE_SIZE = 4096;
export const PAGE_SHIFT = 12;

/** MEMORY_CACHING_TYPE. The machine's caches are coherent: the value is kept and reported, nothing more. */
export const MmNonCached = 0;
export const MmCached = 1;
export const MmWriteCombined = 2;
export type MEMORY_CACHING_TYPE = 0 | 1 | 2;

/** Where an MDL's pages come from: what decides how they are given back. */
export type MdlKind = 'PagesForMdl' | 'Contiguous' | 'LockedUser' | 'IoSpace' | 'Bounce';

/** Pages that a buffer occupies, by physical page number (physical address ÷ 4096). */
export class MDL {
  /** Bytes that the MDL describes. */
  readonly byteCount: number;
  /** Offset of the first byte in the first page. */
  readonly byteOffset: number;
  /** Physical page numbers in the buffer's order. */
  readonly pages: readonly number[];
  readonly kind: MdlKind;
  /** The mapping into system space, null while there is none. */
  systemMapping: SystemMapping | null = null;
  /** How many processes have the pages mapped. */
  processMappings = 0;
  /** Given back: any further use is a bugcheck. */
  freed = false;
  next: MDL | null = null;
  /** What MmUnlockPages has to undo besides. */
  unlock: (() => void) | null = null;

  constructor(kind: MdlKind, pages: readonly number[], byteCount: number, byteOffset = 0) {
    this.kind = kind;
    this.pages = pages;
    this.byteCount = byteCount;
    this.byteOffset = byteOffset;
  }
}

/** MmGetMdlByteCount. */
export function mmGetMdlByteCount(mdl: MDL): number {
  return mdl.byteCount;
}

/** MmGetMdlByteOffset. */
export function mmGetMdlByteOffset(mdl: MDL): number {
  return mdl.byteOffset;
}

/** MmGetMdlPfnArray. */
export function mmGetMdlPfnArray(mdl: MDL): readonly number[] {
  return mdl.pages;
}

/** ADDRESS_AND_SIZE_TO_SPAN_PAGES. */
export function ADDRESS_AND_SIZE_TO_SPAN_PAGES(address: number, byteCount: number): number {
  return Math.ceil(((address % PAGE_SIZE) + byteCount) / PAGE_SIZE);
}

/** The physical address of a byte of an MDL's buffer. Throws a RangeError outside it. */
export function mdlPhysicalAddress(mdl: MDL, offset: number): number {
  const at = mdl.byteOffset + offset;
  const page = mdl.pages[Math.floor(at / PAGE_SIZE)];
  if (offset < 0 || offset >= mdl.byteCount || page === undefined) {
    throw new RangeError(`Offset ${offset} lies outside an MDL of ${mdl.byteCount} bytes.`);
  }
  return page * PAGE_SIZE + (at % PAGE_SIZE);
}
