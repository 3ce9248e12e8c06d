/**
 * What a display is told of the sound it gets: the audio infoframe (CEA-861-D, §6.6; HDMI 1.3a, §8.2.2; DisplayPort 1.1a, §2.2.5), and
 * which of the stream's channels goes into which of its slots.
 */

const INFOFRAME_TYPE = 0x84;
const INFOFRAME_VERSION = 1;
const INFOFRAME_BYTES = 10;
/** A DisplayPort packet of 1Bh + 1 bytes, version 1.1. */
const DISPLAYPORT_LENGTH = 0x1b;
const DISPLAYPORT_VERSION = 0x11 << 2;
/** Where the payload's bytes 1 (channel count) and 4 (allocation) are. */
const COUNT_BYTE = 0;
const ALLOCATION_BYTE = 3;

/** A slot that carries nothing. */
export const EMPTY_SLOT = 0x0f;

interface Allocation {
  readonly code: number;
  /** Slot by slot the stream's channel. */
  readonly slots: readonly number[];
}

/**
 * By the number of channels, in Windows' order of speakers. Displays want the subwoofer before the centre, and in 7.1 the side pair before
 * the back pair.
 */
const ALLOCATIONS: Readonly<Record<number, Allocation>> = {
  1: { code: 0x00, slots: [0, 0] },
  2: { code: 0x00, slots: [0, 1] },
  3: { code: 0x01, slots: [0, 1, 2] },
  4: { code: 0x08, slots: [0, 1, EMPTY_SLOT, EMPTY_SLOT, 2, 3] },
  6: { code: 0x0b, slots: [0, 1, 3, 2, 4, 5] },
  8: { code: 0x13, slots: [0, 1, 3, 2, 6, 7, 4, 5] },
};

/** Allocation of so many channels; those that have none of their own are sent in order, as front pair and more. */
export function channelAllocation(channels: number): Allocation {
  return ALLOCATIONS[channels] ?? { code: 0x00, slots: Array.from({ length: channels }, (_, slot) => slot) };
}

/** The bytes of the packet, header first. HDMI's carries a checksum, by which all of them add up to 0. */
export function audioInfoframe(channels: number, connection: 'hdmi' | 'displayport'): Uint8Array {
  const isHdmi = connection === 'hdmi';
  const header = isHdmi
    ? [INFOFRAME_TYPE, INFOFRAME_VERSION, INFOFRAME_BYTES]
    : [INFOFRAME_TYPE, DISPLAYPORT_LENGTH, DISPLAYPORT_VERSION];
  const payload = new Uint8Array(INFOFRAME_BYTES);
  payload[COUNT_BYTE] = channels - 1;
  payload[ALLOCATION_BYTE] = channelAllocation(channels).code;
  if (!isHdmi) return new Uint8Array([...header, ...payload]);
  const sum = [...header, ...payload].reduce((total, value) => total + value, 0);
  return new Uint8Array([...header, (0x100 - (sum & 0xff)) & 0xff, ...payload]);
}
