import type { CommonBuffer } from '../../hal/index.ts';
import * as R from './registers.ts';

/** How a cyclic buffer is laid out: two halves, each of which ends with an interrupt. */
export interface BufferGeometry {
  readonly bufferBytes: number;
  readonly halfBytes: number;
}

/** A run of the buffer's bytes that is contiguous on the bus. */
export interface BufferRun {
  readonly busAddress: number;
  readonly bytes: number;
}

/** A descriptor, as the list holds it. */
export interface BufferDescriptor {
  readonly busAddress: number;
  readonly bytes: number;
  readonly interrupt: boolean;
}

function greatestCommonDivisor(a: number, b: number): number {
  return b === 0 ? a : greatestCommonDivisor(b, a % b);
}

/**
 * The buffer of at least `requestedBytes` whose halves are whole frames, multiples of 128 bytes and no smaller than `leastHalfBytes`.
 * Null when CBL could not count it.
 */
export function bufferGeometry(
  requestedBytes: number,
  frameBytes: number,
  leastHalfBytes: number,
): BufferGeometry | null {
  const unit = (R.BUFFER_ALIGNMENT * frameBytes) / greatestCommonDivisor(R.BUFFER_ALIGNMENT, frameBytes);
  const halfBytes = Math.ceil(Math.max(requestedBytes / 2, leastHalfBytes) / unit) * unit;
  return halfBytes <= 0x7fff_ffff ? { bufferBytes: 2 * halfBytes, halfBytes } : null;
}

/** Pages that follow one another are one run. `pageAddresses` covers the buffer, which begins at the start of the first page. */
export function bufferRuns(
  pageAddresses: readonly number[],
  pageBytes: number,
  bufferBytes: number,
): BufferRun[] {
  const runs: { busAddress: number; bytes: number }[] = [];
  let left = bufferBytes;
  for (const busAddress of pageAddresses) {
    const bytes = Math.min(pageBytes, left);
    if (bytes <= 0) break;
    left -= bytes;
    const last = runs.at(-1);
    if (last && last.busAddress + last.bytes === busAddress) last.bytes += bytes;
    else runs.push({ busAddress, bytes });
  }
  return runs;
}

/**
 * One round through the buffer as descriptors, beginning `startOffset` bytes in: cut where a run ends, at the end of each half, where
 * the descriptor interrupts, and at the end of the buffer.
 */
export function bufferDescriptors(
  runs: readonly BufferRun[],
  { bufferBytes, halfBytes }: BufferGeometry,
  startOffset: number,
): BufferDescriptor[] {
  const pieces: { offset: number; busAddress: number; bytes: number; interrupt: boolean }[] = [];
  let offset = 0;
  for (const run of runs) {
    for (let done = 0; done < run.bytes; ) {
      const toHalf = halfBytes - (offset % halfBytes);
      const toStart = offset < startOffset ? startOffset - offset : bufferBytes;
      const bytes = Math.min(run.bytes - done, toHalf, toStart);
      const interrupt = (offset + bytes) % halfBytes === 0;
      pieces.push({ offset, busAddress: run.busAddress + done, bytes, interrupt });
      done += bytes;
      offset += bytes;
    }
  }
  const first = pieces.findIndex((piece) => piece.offset === startOffset);
  return [...pieces.slice(first), ...pieces.slice(0, first)].map(({ busAddress, bytes, interrupt }) => ({
    busAddress,
    bytes,
    interrupt,
  }));
}

/** Most descriptors a round may take, so that one is left for a round that begins in the middle of another's. */
export const MOST_DESCRIPTORS = R.BDL_ENTRIES - 1;

/** Writes the list into memory. */
export function writeDescriptorList(list: CommonBuffer, descriptors: readonly BufferDescriptor[]): void {
  for (const [index, { busAddress, bytes, interrupt }] of descriptors.entries()) {
    const at = index * R.BDL_ENTRY_BYTES;
    list.writeUlong(at, busAddress % 0x1_0000_0000);
    list.writeUlong(at + 4, Math.floor(busAddress / 0x1_0000_0000));
    list.writeUlong(at + 8, bytes);
    list.writeUlong(at + 12, interrupt ? R.BDL_IOC : 0);
  }
}
