import { ClientError } from '../client-error.ts';

const HEADER_BYTES = 6;

/** The chunks of a file that are played, put together anew, and what was wrong with the others. */
export interface CleanMidiFile {
  readonly bytes: Uint8Array;
  readonly warnings: readonly string[];
}

/**
 * Takes a standard MIDI file apart into its chunks (RIFF-wrapped ones, too) and puts header and tracks together again: chunks of other
 * kinds are left out, as the specification wants, a track that the file ends in is kept as far as it goes, and the header counts the tracks
 * that are there. Throws a {@link ClientError} when there is no header or no track.
 */
export function cleanMidiFile(file: Uint8Array): CleanMidiFile {
  const warnings: string[] = [];
  const start = headerOffset(file);
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength);
  let header: Uint8Array | null = null;
  const tracks: Uint8Array[] = [];
  for (let at = start; at + 8 <= file.byteLength; ) {
    const id = idAt(file, at);
    const length = view.getUint32(at + 4);
    const available = file.byteLength - at - 8;
    const data = file.subarray(at + 8, at + 8 + Math.min(length, available));
    if (id === 'MThd' && header === null) {
      if (data.byteLength < HEADER_BYTES) throw new ClientError('The MIDI file ends within its header.');
      header = data.subarray(0, HEADER_BYTES);
    } else if (id === 'MTrk') {
      if (length > available)
        warnings.push(`track ${tracks.length + 1} ends after ${available} of its ${length} bytes`);
      tracks.push(data);
    } else if (/^[\x20-\x7e]{4}$/.test(id)) warnings.push(`a chunk '${id}' was left out`);
    else {
      warnings.push(`${file.byteLength - at} bytes at the end are no chunk`);
      break;
    }
    at += 8 + length;
  }
  if (header === null || tracks.length === 0)
    throw new ClientError('The MIDI file has no track. It may have been cut off, or be no MIDI file.');
  const announced = new DataView(header.buffer, header.byteOffset).getUint16(2);
  if (announced !== tracks.length)
    warnings.push(`the header speaks of ${announced} tracks, and there are ${tracks.length}`);
  return { bytes: assemble(header, tracks), warnings };
}

function headerOffset(file: Uint8Array): number {
  if (idAt(file, 0) === 'MThd') return 0;
  if (idAt(file, 0) === 'RIFF' && idAt(file, 8) === 'RMID') {
    for (let at = 12; at + 8 < file.byteLength; at++) if (idAt(file, at) === 'MThd') return at;
  }
  throw new ClientError("This is no standard MIDI file: it does not begin with 'MThd'.");
}

function idAt(bytes: Uint8Array, offset: number): string {
  return String.fromCharCode(...bytes.subarray(offset, offset + 4));
}

function assemble(header: Uint8Array, tracks: readonly Uint8Array[]): Uint8Array {
  const size = tracks.reduce((sum, track) => sum + 8 + track.byteLength, 8 + HEADER_BYTES);
  const bytes = new Uint8Array(size);
  const view = new DataView(bytes.buffer);
  let at = 0;
  const chunk = (id: string, data: Uint8Array) => {
    for (let index = 0; index < 4; index++) bytes[at + index] = id.charCodeAt(index);
    view.setUint32(at + 4, data.byteLength);
    bytes.set(data, at + 8);
    at += 8 + data.byteLength;
  };
  chunk('MThd', header);
  view.setUint16(10, tracks.length);
  for (const track of tracks) chunk('MTrk', track);
  return bytes;
}
