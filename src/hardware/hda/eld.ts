/** EDID-like data: what an HDMI sink's audio can do (HDA specification, ECN 034; CEA-861 short audio descriptors). */

/** A display's audio in words. */
export interface HdaDisplay {
  /** At most 16 ASCII characters. */
  readonly monitorName: string;
  readonly channels: number;
  readonly rates: readonly number[];
  readonly bits: readonly number[];
}

const SAD_RATES = [32_000, 44_100, 48_000, 88_200, 96_000, 176_400, 192_000];
const SAD_BITS = [16, 20, 24];
const SAD_LPCM = 1;
const ELD_VERSION_2 = 2;
const NAME_OFFSET = 20;
/** Speaker allocation: front left and right, subwoofer, centre, rear, rear centre … by the number of channels. */
const SPEAKERS: Readonly<Record<number, number>> = { 2: 0x01, 4: 0x09, 6: 0x0f, 8: 0x4f };

function bitsOf(list: readonly number[], of: readonly number[]): number {
  return of.reduce((mask, value) => mask | (list.includes(value) ? 1 << list.indexOf(value) : 0), 0);
}

/** The ELD bytes of a display with one linear PCM descriptor. */
export function makeEld(display: HdaDisplay): Uint8Array {
  const name = display.monitorName.slice(0, 16);
  const length = Math.ceil((NAME_OFFSET + name.length + 3) / 4) * 4;
  const eld = new Uint8Array(length);
  eld[0] = ELD_VERSION_2 << 3;
  eld[2] = (length - 4) / 4;
  eld[4] = (3 << 5) | name.length;
  eld[5] = 1 << 4;
  eld[7] = SPEAKERS[display.channels] ?? 0x01;
  for (let index = 0; index < name.length; index++) eld[NAME_OFFSET + index] = name.charCodeAt(index) & 0x7f;
  const sad = NAME_OFFSET + name.length;
  eld[sad] = (SAD_LPCM << 3) | (display.channels - 1);
  eld[sad + 1] = bitsOf(SAD_RATES, display.rates);
  eld[sad + 2] = bitsOf(SAD_BITS, display.bits);
  return eld;
}

/** What is plugged into a digital display's pin unless the owner says otherwise: a television with eight channels. */
export const DEFAULT_DISPLAY: HdaDisplay = {
  monitorName: 'Miniport TV',
  channels: 8,
  rates: SAD_RATES,
  bits: SAD_BITS,
};
