import { describe, expect, it } from 'vitest';
import { NtError, statusOfError } from './nt-error.ts';
import {
  ntError,
  ntInformation,
  ntStatus,
  ntStatusName,
  ntSuccess,
  ntWarning,
  STATUS_BUFFER_OVERFLOW,
  STATUS_BUFFER_TOO_SMALL,
  STATUS_INVALID_DEVICE_REQUEST,
  STATUS_INVALID_PARAMETER,
  STATUS_NO_MATCH,
  STATUS_NO_MORE_ENTRIES,
  STATUS_NOT_FOUND,
  STATUS_NOT_IMPLEMENTED,
  STATUS_OBJECT_NAME_EXISTS,
  STATUS_PENDING,
  STATUS_SUCCESS,
  STATUS_TIMEOUT,
  STATUS_UNSUCCESSFUL,
} from './ntstatus.ts';

describe('NTSTATUS', () => {
  it('has the values of ntstatus.h', () => {
    expect([
      STATUS_SUCCESS,
      STATUS_PENDING,
      STATUS_TIMEOUT,
      STATUS_BUFFER_OVERFLOW,
      STATUS_NO_MORE_ENTRIES,
      STATUS_UNSUCCESSFUL,
      STATUS_NOT_IMPLEMENTED,
      STATUS_INVALID_PARAMETER,
      STATUS_INVALID_DEVICE_REQUEST,
      STATUS_BUFFER_TOO_SMALL,
      STATUS_NO_MATCH,
      STATUS_NOT_FOUND,
    ]).toEqual([
      0, 0x103, 0x102, 0x80000005, 0x8000001a, 0xc0000001, 0xc0000002, 0xc000000d, 0xc0000010, 0xc0000023,
      0xc0000272, 0xc0000225,
    ]);
  });

  it('tells success from failure by the severity', () => {
    expect([STATUS_SUCCESS, STATUS_PENDING, STATUS_OBJECT_NAME_EXISTS].map(ntSuccess)).toEqual([
      true,
      true,
      true,
    ]);
    expect([STATUS_BUFFER_OVERFLOW, STATUS_UNSUCCESSFUL].map(ntSuccess)).toEqual([false, false]);
    expect(ntInformation(STATUS_OBJECT_NAME_EXISTS)).toBe(true);
    expect(ntWarning(STATUS_BUFFER_OVERFLOW)).toBe(true);
    expect(ntError(STATUS_UNSUCCESSFUL)).toBe(true);
  });

  it('names codes, the plainest name first, and shows unknown ones in hexadecimal', () => {
    expect(ntStatusName(STATUS_SUCCESS)).toBe('STATUS_SUCCESS');
    expect(ntStatusName(-1073741811)).toBe('STATUS_INVALID_PARAMETER');
    expect(ntStatusName(0xc0001234)).toBe('NTSTATUS(0xC0001234)');
    expect(ntStatus(-1073741811)).toBe(STATUS_INVALID_PARAMETER);
  });
});

describe('NtError', () => {
  it('carries its status and reads as its name', () => {
    const error = new NtError(STATUS_NO_MATCH, 'pin 2');
    expect(error.status).toBe(STATUS_NO_MATCH);
    expect(error.message).toBe('STATUS_NO_MATCH: pin 2');
    expect(new NtError(STATUS_NO_MATCH).message).toBe('STATUS_NO_MATCH');
  });

  it('captures a stack only when asked, and leaves the stacks of others alone', () => {
    expect(new NtError(STATUS_NO_MATCH).stack).not.toContain('ntstatus.test');
    expect(new Error('other').stack).toContain('ntstatus.test');
    NtError.captureStacks = true;
    try {
      expect(new NtError(STATUS_NO_MATCH).stack).toContain('ntstatus.test');
    } finally {
      NtError.captureStacks = false;
    }
  });

  it('statusOfError passes on what is no status', () => {
    expect(statusOfError(new NtError(STATUS_NOT_FOUND))).toBe(STATUS_NOT_FOUND);
    expect(() => statusOfError(new TypeError('bug'))).toThrow(TypeError);
  });
});
