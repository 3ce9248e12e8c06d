/** Identifiers, layouts and tags of RIFF/WAVE files, shared by reader and writer. */

/** Four characters as the little-endian word they are stored as. */
export function fourCc(text: string): number {
  let value = 0;
  for (let i = 3; i >= 0; i--) value = value * 256 + text.charCodeAt(i);
  return value;
}

/** The characters of an identifier; what is not printable shows as a dot. */
export function fourCcText(value: number): string {
  let text = '';
  for (let i = 0; i < 4; i++) {
    const code = (value >>> (i * 8)) & 0xff;
    text += code >= 0x20 && code < 0x7f ? String.fromCharCode(code) : '.';
  }
  return text;
}

/** Could this be a chunk identifier? All four characters printable ASCII, no leading space. */
export function looksLikeFourCc(value: number): boolean {
  for (let i = 0; i < 4; i++) {
    const code = (value >>> (i * 8)) & 0xff;
    if (code < 0x20 || code > 0x7e) return false;
  }
  return (value & 0xff) !== 0x20;
}

export const RIFF = fourCc('RIFF');
export const RIFX = fourCc('RIFX');
export const RF64 = fourCc('RF64');
export const BW64 = fourCc('BW64');
export const WAVE = fourCc('WAVE');
export const FMT = fourCc('fmt ');
export const DATA = fourCc('data');
export const FACT = fourCc('fact');
export const DS64 = fourCc('ds64');
export const JUNK = fourCc('JUNK');
export const LIST = fourCc('LIST');
export const WAVL = fourCc('wavl');

/** A 32-bit size that stands for "see ds64" (RF64) or "not known yet" (streamed files). */
export const SIZE_UNKNOWN = 0xffffffff;

/** Names of compressed formats that occur in WAV files, for the error message. */
export const FORMAT_TAG_NAMES: ReadonlyMap<number, string> = new Map([
  [0x0002, 'Microsoft ADPCM'],
  [0x0006, 'A-law'],
  [0x0007, 'µ-law'],
  [0x0011, 'IMA ADPCM'],
  [0x0031, 'GSM 6.10'],
  [0x0050, 'MPEG layer 1 or 2'],
  [0x0055, 'MP3'],
  [0x0092, 'Dolby AC-3 over S/PDIF'],
  [0x00ff, 'AAC'],
  [0x0161, 'Windows Media Audio'],
  [0x0162, 'Windows Media Audio Professional'],
  [0x2000, 'Dolby AC-3'],
  [0x2001, 'DTS'],
]);
