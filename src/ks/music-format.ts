import { NtError, STATUS_INVALID_PARAMETER } from '../kernel/index.ts';
import { KSMUSICFORMAT } from './audio-structs.ts';
import { type KSDATAFORMAT, KSDATAFORMAT_SIZE } from './data-format.ts';
import type { KSDATARANGE_MUSIC } from './data-range.ts';
import { KSMUSIC_TECHNOLOGY_PORT } from './guids/audio.ts';
import {
  KSDATAFORMAT_SPECIFIER_NONE,
  KSDATAFORMAT_SUBTYPE_MIDI,
  KSDATAFORMAT_TYPE_MUSIC,
} from './guids/formats.ts';
import { alignUp } from './layout.ts';
import { readUlong, writeUlong } from './request.ts';
import type { KSTIME } from './structs.ts';

/** The one format of MIDI streams (midi-stream-data-format.md). */
export const MIDI_DATA_FORMAT: KSDATAFORMAT = {
  formatSize: KSDATAFORMAT_SIZE,
  flags: 0,
  sampleSize: 0,
  majorFormat: KSDATAFORMAT_TYPE_MUSIC,
  subFormat: KSDATAFORMAT_SUBTYPE_MIDI,
  specifier: KSDATAFORMAT_SPECIFIER_NONE,
};

/** A range of MIDI streams (midi-stream-data-range.md): an MPU-401 on all channels, unless told otherwise. */
export function midiDataRange(
  fields: Partial<Pick<KSDATARANGE_MUSIC, 'technology' | 'channels' | 'notes' | 'channelMask'>> = {},
): KSDATARANGE_MUSIC {
  return {
    flags: 0,
    sampleSize: 0,
    majorFormat: KSDATAFORMAT_TYPE_MUSIC,
    subFormat: KSDATAFORMAT_SUBTYPE_MIDI,
    specifier: KSDATAFORMAT_SPECIFIER_NONE,
    technology: KSMUSIC_TECHNOLOGY_PORT,
    channels: 0,
    notes: 0,
    channelMask: 0xffff,
    ...fields,
  };
}

/** A time and what is to be played then. */
export interface MusicRecord {
  /** Milliseconds after the record before, or after the presentation time of the stream header. */
  readonly timeDeltaMs: number;
  readonly bytes: Uint8Array;
}

/** Bytes that a record of so much data takes: head, data, padding to a multiple of four (DDI page KSMUSICFORMAT). */
export function musicRecordSize(byteCount: number): number {
  return KSMUSICFORMAT.size + alignUp(byteCount, 4);
}

/** Writes a record at `offset`, padding zeroed; the caller made room. Returns the offset behind it. */
export function writeMusicRecord(
  into: Uint8Array,
  offset: number,
  timeDeltaMs: number,
  bytes: Uint8Array,
): number {
  writeUlong(into, offset, timeDeltaMs);
  writeUlong(into, offset + 4, bytes.byteLength);
  const start = offset + KSMUSICFORMAT.size;
  const end = offset + musicRecordSize(bytes.byteLength);
  into.set(bytes, start);
  into.fill(0, start + bytes.byteLength, end);
  return end;
}

/** Records one behind the other. */
export function encodeMusicRecords(records: readonly MusicRecord[]): Uint8Array {
  const into = new Uint8Array(
    records.reduce((size, { bytes }) => size + musicRecordSize(bytes.byteLength), 0),
  );
  let offset = 0;
  for (const { timeDeltaMs, bytes } of records) offset = writeMusicRecord(into, offset, timeDeltaMs, bytes);
  return into;
}

/**
 * The records of a buffer; the arrays are parts of it. Fewer bytes than a record's head at the end are padding. The padding of the last
 * record may be missing. Throws NtError STATUS_INVALID_PARAMETER for a record whose data would run out of the buffer.
 */
export function decodeMusicRecords(buffer: Uint8Array): MusicRecord[] {
  const records: MusicRecord[] = [];
  let offset = 0;
  while (offset + KSMUSICFORMAT.size <= buffer.byteLength) {
    const timeDeltaMs = readUlong(buffer, offset);
    const byteCount = readUlong(buffer, offset + 4);
    const start = offset + KSMUSICFORMAT.size;
    if (byteCount > buffer.byteLength - start) {
      throw new NtError(
        STATUS_INVALID_PARAMETER,
        `KSMUSICFORMAT.ByteCount ${byteCount} at ${offset} of ${buffer.byteLength} bytes`,
      );
    }
    records.push({ timeDeltaMs, bytes: buffer.subarray(start, start + byteCount) });
    offset += musicRecordSize(byteCount);
  }
  return records;
}

/** A presentation time in 100-ns units: Time × Numerator ÷ Denominator (DDI page KSSTREAM_HEADER); a scale of 0 counts as 1. */
export function presentationTime100ns({ time, numerator, denominator }: KSTIME): number {
  return Math.floor((time * (numerator || 1)) / (denominator || 1));
}
