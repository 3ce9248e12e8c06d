import type { CommonBuffer, DEVICE_DESCRIPTION } from '../../hal/index.ts';
import * as R from './registers.ts';

/** The engines as bus masters: descriptors hold 32-bit addresses, and 32 of them 65534 samples each. */
export const BUS_MASTER: DEVICE_DESCRIPTION = {
  master: true,
  scatterGather: true,
  dma32BitAddresses: true,
  dma64BitAddresses: false,
  interfaceType: 'PCIBus',
  maximumLength: R.BD_ENTRIES * R.BD_MAX_SAMPLES * 2,
};

/** How a cyclic buffer is cut up for the engine. */
export interface RingGeometry {
  /** Bytes per descriptor: all alike, a multiple of 4. */
  readonly segmentBytes: number;
  /** Descriptors per trip through the buffer: a power of two that divides the 32 of the list. */
  readonly segmentCount: number;
  /** Descriptors per notification; 0 when the client wants none. */
  readonly segmentsPerPacket: number;
  /** The buffer's size: segmentBytes × segmentCount. */
  readonly bufferBytes: number;
}

/** Without notifications an interrupt is still needed to move LVI on, before the ring of 32 is through. */
const KEEP_ALIVE_ENTRIES = 8;

/**
 * Cuts a buffer of at least `requestedBytes` into segments: one or two packets of equal size (two without notifications),
 * each halved until a descriptor can hold it. Because the number of segments divides 32, the descriptor list never changes
 * while the engine runs: entry i always names segment i mod segmentCount.
 *
 * @param frameBytes bytes per frame; packets are whole frames
 * @returns null when the buffer would need more than 32 descriptors
 */
export function ringGeometry(
  requestedBytes: number,
  notificationCount: 0 | 1 | 2,
  frameBytes: number,
): RingGeometry | null {
  const packets = notificationCount || 2;
  for (let segmentCount: number = packets; segmentCount <= R.BD_ENTRIES; segmentCount *= 2) {
    // Mono frames have 2 bytes, but a descriptor's address is a multiple of 4.
    const unit = Math.max(frameBytes, 4);
    const segmentBytes = Math.ceil(requestedBytes / segmentCount / unit) * unit;
    if (segmentBytes <= R.BD_MAX_SAMPLES * 2) {
      return {
        segmentBytes,
        segmentCount,
        segmentsPerPacket: notificationCount === 0 ? 0 : segmentCount / packets,
        bufferBytes: segmentBytes * segmentCount,
      };
    }
  }
  return null;
}

/**
 * Writes the descriptor list for a buffer. `firstEntry` is the absolute number of the descriptor that entry 0 stands for
 * (not 0 after the engine lost its registers in the middle of a stream), `firstOffsetBytes` what of it has been done already: entry
 * 0 then begins there, until {@link writeFirstDescriptor} makes it whole for the next round.
 */
export function writeDescriptors(
  list: CommonBuffer,
  bufferAddress: number,
  geometry: RingGeometry,
  firstEntry: number,
  firstOffsetBytes: number,
): void {
  for (let entry = 0; entry < R.BD_ENTRIES; entry++) {
    writeDescriptor(list, bufferAddress, geometry, entry, firstEntry, entry === 0 ? firstOffsetBytes : 0);
  }
}

/** Entry 0 as every other one. */
export function writeFirstDescriptor(
  list: CommonBuffer,
  bufferAddress: number,
  geometry: RingGeometry,
  firstEntry: number,
): void {
  writeDescriptor(list, bufferAddress, geometry, 0, firstEntry, 0);
}

function writeDescriptor(
  list: CommonBuffer,
  bufferAddress: number,
  { segmentBytes, segmentCount, segmentsPerPacket }: RingGeometry,
  entry: number,
  firstEntry: number,
  offsetBytes: number,
): void {
  const segment = (firstEntry + entry) % segmentCount;
  const interrupt =
    segmentsPerPacket === 0
      ? entry % KEEP_ALIVE_ENTRIES === KEEP_ALIVE_ENTRIES - 1
      : (segment + 1) % segmentsPerPacket === 0;
  const samples = (segmentBytes - offsetBytes) / 2;
  list.writeUlong(entry * R.BD_BYTES, bufferAddress + segment * segmentBytes + offsetBytes);
  list.writeUlong(entry * R.BD_BYTES + 4, ((interrupt ? R.BD_IOC : 0) | samples) >>> 0);
}
