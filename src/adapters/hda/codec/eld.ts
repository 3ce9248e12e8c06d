import type { EldInformation } from './model.ts';

/** Rates of a short audio descriptor's second byte, by bit (CEA-861-D, Table 34). */
const SAD_RATES = [32_000, 44_100, 48_000, 88_200, 96_000, 176_400, 192_000] as const;
/** Sizes of its third byte, for linear PCM. */
const SAD_BITS = [16, 20, 24] as const;
const SAD_BYTES = 3;
const FORMAT_LPCM = 1;

const HEADER_BYTES = 4;
const NAME_OFFSET = 20;
const MAX_NAME = 16;
/** Versions of the layout below: 2, and 31 for one that was composed by a graphics driver before any display said something. */
const ELD_VERSIONS: readonly number[] = [2, 31];
const CONNECTION_DISPLAYPORT = 1;
const DELAY_UNIT_MS = 2;
const MAX_DELAY_BYTE = 250;

/**
 * Takes a display's ELD apart (HDA ECN 034-A, "ELD memory structure"). Null for bytes that are none: an unknown version, or shorter than
 * they say.
 */
export function parseEld(bytes: Uint8Array): EldInformation | null {
  if (bytes.length < NAME_OFFSET) return null;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const byte = (offset: number): number => view.getUint8(offset);
  if (!ELD_VERSIONS.includes(byte(0) >>> 3)) return null;
  const end = HEADER_BYTES + 4 * byte(2);
  const nameLength = byte(4) & 0x1f;
  const sadCount = byte(5) >>> 4;
  const sads = NAME_OFFSET + nameLength;
  if (end > bytes.length || nameLength > MAX_NAME || sads + SAD_BYTES * sadCount > end) return null;
  const pcm: EldInformation['pcm'][number][] = [];
  const encodings: number[] = [];
  for (let sad = sads; sad < sads + SAD_BYTES * sadCount; sad += SAD_BYTES) {
    const code = (byte(sad) >>> 3) & 0x0f;
    if (code !== FORMAT_LPCM) {
      encodings.push(code);
      continue;
    }
    pcm.push({
      channels: (byte(sad) & 7) + 1,
      rates: SAD_RATES.filter((_, bit) => (byte(sad + 1) & (1 << bit)) !== 0),
      bits: SAD_BITS.filter((_, bit) => (byte(sad + 2) & (1 << bit)) !== 0),
    });
  }
  let monitorName = '';
  for (let offset = NAME_OFFSET; offset < sads; offset++)
    if (byte(offset) >= 0x20 && byte(offset) < 0x7f) monitorName += String.fromCharCode(byte(offset));
  return {
    bytes: bytes.slice(0, end),
    monitorName: monitorName.trim(),
    manufacturerId: view.getUint16(16, true),
    productId: view.getUint16(18, true),
    portIdLow: view.getUint32(8, true),
    portIdHigh: view.getUint32(12, true),
    connection: ((byte(5) >>> 2) & 3) === CONNECTION_DISPLAYPORT ? 'displayport' : 'hdmi',
    hdcp: (byte(5) & 1) !== 0,
    ai: (byte(5) & 2) !== 0,
    audioLatencyMs: byte(6) <= MAX_DELAY_BYTE ? byte(6) * DELAY_UNIT_MS : 0,
    speakers: byte(7) & 0x7f,
    pcm,
    encodings,
  };
}
