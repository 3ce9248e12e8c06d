import { describe, expect, it } from 'vitest';
import { NtError, ntStatusName } from '../kernel/index.ts';
import * as ks from './index.ts';

function outcome(headers: readonly ks.KSSTREAM_HEADER[], rules: ks.StreamHeaderRules): string {
  try {
    return `${ks.decodeStreamHeaders(ks.encodeStreamHeaders(headers), rules).length} headers`;
  } catch (error) {
    if (error instanceof NtError) return ntStatusName(error.status);
    throw error;
  }
}

const write = { write: true };
const read = { write: false };
const whole = ks.streamHeader({ frameExtent: 100, dataUsed: 100 });

describe('stream headers', () => {
  it('of a write may use what there is, of a read nothing yet', () => {
    expect(outcome([whole, whole], write)).toBe('2 headers');
    expect(outcome([ks.streamHeader({ frameExtent: 100 })], read)).toBe('1 headers');
    expect(outcome([ks.streamHeader({ frameExtent: 99, dataUsed: 100 })], write)).toBe(
      'STATUS_INVALID_PARAMETER',
    );
    expect(outcome([whole], read)).toBe('STATUS_INVALID_PARAMETER');
  });

  it('have to be as large as agreed', () => {
    const long = { ...whole, size: 64 };
    expect(outcome([long, long], write)).toBe('2 headers');
    expect(outcome([long], { ...write, headerSize: 56 })).toBe('STATUS_INVALID_BUFFER_SIZE');
    expect(outcome([whole], { ...write, headerSize: 56 })).toBe('1 headers');
    expect(outcome([{ ...whole, size: 60 }], write)).toBe('STATUS_INVALID_BUFFER_SIZE');
    expect(outcome([], write)).toBe('STATUS_INVALID_BUFFER_SIZE');
  });

  it('announce a new format alone and only where it is allowed', () => {
    const change = { ...whole, optionsFlags: ks.KSSTREAM_HEADER_OPTIONSF_TYPECHANGED };
    expect(outcome([change], write)).toBe('STATUS_INVALID_PARAMETER');
    expect(outcome([change], { ...write, allowFormatChange: true, headerSize: 64 })).toBe('1 headers');
    expect(outcome([change, whole], { ...write, allowFormatChange: true })).toBe('STATUS_INVALID_PARAMETER');
  });

  it('that end within a header are refused', () => {
    const bytes = ks.encodeStreamHeaders([whole, whole]).subarray(0, 100);
    expect(() => ks.decodeStreamHeaders(bytes, write)).toThrow(NtError);
  });
});
