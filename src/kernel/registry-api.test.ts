import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Kernel } from './kernel.ts';
import { NtError } from './nt-error.ts';
import { ntStatusName, STATUS_BUFFER_OVERFLOW, STATUS_BUFFER_TOO_SMALL, STATUS_SUCCESS } from './ntstatus.ts';
import {
  DELETE,
  KEY_ALL_ACCESS,
  KEY_QUERY_VALUE,
  KEY_READ,
  KEY_SET_VALUE,
  KeyBasicInformation,
  KeyFullInformation,
  KeyNameInformation,
  KeyNodeInformation,
  KeyValueBasicInformation,
  KeyValueFullInformation,
  KeyValuePartialInformation,
  REG_CREATED_NEW_KEY,
  REG_OPENED_EXISTING_KEY,
  REG_OPTION_VOLATILE,
  type RegistryHandle,
  zwClose,
  zwCreateKey,
  zwDeleteKey,
  zwDeleteValueKey,
  zwEnumerateKey,
  zwEnumerateValueKey,
  zwOpenKey,
  zwQueryKey,
  zwQueryValueKey,
  zwSetValueKey,
} from './registry-api.ts';
import { decodeUtf16, encodeDword, encodeSz, REG_BINARY, REG_DWORD, REG_SZ } from './registry-values.ts';
import { TestPlatform } from './test-platform.ts';

const PATH = '\\Registry\\Machine\\SOFTWARE\\Driver';

function inKernel(body: (kernel: Kernel) => void): Kernel {
  const kernel = new Kernel(new TestPlatform());
  kernel.enter(() => body(kernel));
  return kernel;
}

function open(access = KEY_ALL_ACCESS): RegistryHandle {
  return zwCreateKey({ objectName: PATH }, access).keyHandle;
}

function statusOf(fn: () => unknown): string {
  try {
    fn();
  } catch (error) {
    if (error instanceof NtError) return ntStatusName(error.status);
    throw error;
  }
  return 'none';
}

describe('ZwCreateKey and ZwOpenKey', () => {
  it('say whether the key was made, and make one level only', () => {
    inKernel(() => {
      const first = zwCreateKey({ objectName: PATH });
      expect(first.disposition).toBe(REG_CREATED_NEW_KEY);
      expect(zwCreateKey({ objectName: PATH }).disposition).toBe(REG_OPENED_EXISTING_KEY);
      expect(statusOf(() => zwCreateKey({ objectName: `${PATH}\\a\\b` }))).toBe(
        'STATUS_OBJECT_NAME_NOT_FOUND',
      );
      const sub = zwCreateKey({ rootDirectory: first.keyHandle, objectName: 'a' });
      expect(sub.keyHandle.key.path).toBe(`${PATH}\\a`);
      expect(statusOf(() => zwOpenKey({ objectName: `${PATH}\\none` }))).toBe('STATUS_OBJECT_NAME_NOT_FOUND');
      expect(statusOf(() => zwOpenKey({ objectName: 'relative' }))).toBe('STATUS_OBJECT_PATH_SYNTAX_BAD');
    });
  });

  it('need KEY_CREATE_SUB_KEY on the root directory to make a key, and nothing to open one', () => {
    inKernel(() => {
      open();
      const reader = zwOpenKey({ objectName: PATH }, KEY_READ);
      expect(statusOf(() => zwCreateKey({ rootDirectory: reader, objectName: 'a' }))).toBe(
        'STATUS_ACCESS_DENIED',
      );
      zwCreateKey({ objectName: `${PATH}\\a` });
      expect(zwCreateKey({ rootDirectory: reader, objectName: 'a' }, KEY_READ).disposition).toBe(
        REG_OPENED_EXISTING_KEY,
      );
    });
  });

  it('keep volatile keys above volatile keys only', () => {
    inKernel(() => {
      const { keyHandle } = zwCreateKey({ objectName: PATH }, KEY_ALL_ACCESS, '', REG_OPTION_VOLATILE);
      expect(statusOf(() => zwCreateKey({ rootDirectory: keyHandle, objectName: 'a' }))).toBe(
        'STATUS_CHILD_MUST_BE_VOLATILE',
      );
    });
  });
});

describe('registry handles', () => {
  it('are in the leak report until they are closed, and closed once', () => {
    const kernel = inKernel(() => {
      const handle = open();
      zwClose(handle);
      expect(statusOf(() => zwClose(handle))).toBe('STATUS_INVALID_HANDLE');
      expect(statusOf(() => zwQueryKey(handle, KeyBasicInformation, null))).toBe('STATUS_INVALID_HANDLE');
      open();
    });
    expect(kernel.leakReport().leaks.map((leak) => `${leak.kind} ${leak.name}`)).toEqual([
      `registry handle ${PATH}`,
    ]);
  });

  it('allow what they were opened for', () => {
    inKernel(() => {
      const writer = open(KEY_SET_VALUE);
      zwSetValueKey(writer, 'v', REG_DWORD, encodeDword(1));
      expect(statusOf(() => zwQueryValueKey(writer, 'v', KeyValuePartialInformation, null))).toBe(
        'STATUS_ACCESS_DENIED',
      );
      const reader = open(KEY_QUERY_VALUE);
      expect(statusOf(() => zwSetValueKey(reader, 'v', REG_DWORD, encodeDword(1)))).toBe(
        'STATUS_ACCESS_DENIED',
      );
      expect(statusOf(() => zwDeleteKey(reader))).toBe('STATUS_ACCESS_DENIED');
      const generic = zwOpenKey({ objectName: PATH }, 0x80000000);
      expect(generic.access).toBe(KEY_READ);
    });
  });

  it('of a deleted key are good for closing only', () => {
    inKernel(() => {
      const handle = open(DELETE | KEY_READ | KEY_SET_VALUE);
      zwDeleteKey(handle);
      expect(statusOf(() => zwSetValueKey(handle, 'v', REG_DWORD, encodeDword(1)))).toBe(
        'STATUS_KEY_DELETED',
      );
      zwClose(handle);
    });
  });
});

describe('ZwQueryValueKey', () => {
  it('lays KEY_VALUE_FULL_INFORMATION out as the WDK does', () => {
    inKernel(() => {
      const handle = open();
      zwSetValueKey(handle, 'ab', REG_BINARY, Uint8Array.of(9, 8, 7));
      const buffer = new Uint8Array(64).fill(0xee);
      const result = zwQueryValueKey(handle, 'AB', KeyValueFullInformation, buffer);
      expect(result).toEqual({ status: STATUS_SUCCESS, resultLength: 27 });
      const view = new DataView(buffer.buffer);
      expect(view.getUint32(4, true)).toBe(REG_BINARY);
      expect(view.getUint32(8, true)).toBe(24);
      expect(view.getUint32(12, true)).toBe(3);
      expect(view.getUint32(16, true)).toBe(4);
      expect(decodeUtf16(buffer.subarray(20, 24))).toBe('ab');
      expect([...buffer.subarray(24, 28)]).toEqual([9, 8, 7, 0xee]);
    });
  });

  it('lays out KEY_VALUE_BASIC_INFORMATION and KEY_VALUE_PARTIAL_INFORMATION', () => {
    inKernel(() => {
      const handle = open();
      zwSetValueKey(handle, 'n', REG_SZ, encodeSz('x'));
      const basic = new Uint8Array(14);
      expect(zwQueryValueKey(handle, 'n', KeyValueBasicInformation, basic).resultLength).toBe(14);
      expect([...basic]).toEqual([0, 0, 0, 0, 1, 0, 0, 0, 2, 0, 0, 0, 0x6e, 0]);
      const partial = new Uint8Array(16);
      expect(zwQueryValueKey(handle, 'n', KeyValuePartialInformation, partial).resultLength).toBe(16);
      expect([...partial]).toEqual([0, 0, 0, 0, 1, 0, 0, 0, 4, 0, 0, 0, 0x78, 0, 0, 0]);
    });
  });

  it('tells BUFFER_TOO_SMALL (nothing written) from BUFFER_OVERFLOW (as much as fits), always with the whole size', () => {
    const classes = fc.constantFrom(
      KeyValueBasicInformation,
      KeyValueFullInformation,
      KeyValuePartialInformation,
    );
    fc.assert(
      fc.property(
        classes,
        fc.uint8Array({ maxLength: 40 }),
        fc.string({ maxLength: 10 }),
        fc.nat(80),
        (kind, data, name, room) => {
          inKernel(() => {
            const handle = open();
            zwSetValueKey(handle, name, REG_BINARY, data);
            const whole = new Uint8Array(200);
            const { resultLength } = zwQueryValueKey(handle, name, kind, whole);
            const buffer = new Uint8Array(room).fill(0xee);
            const result = zwQueryValueKey(handle, name, kind, buffer);
            const fixed = kind === KeyValueFullInformation ? 20 : 12;
            expect(result.resultLength).toBe(resultLength);
            if (room < fixed) {
              expect(result.status).toBe(STATUS_BUFFER_TOO_SMALL);
              expect(buffer.every((byte) => byte === 0xee)).toBe(true);
            } else {
              expect(result.status).toBe(room < resultLength ? STATUS_BUFFER_OVERFLOW : STATUS_SUCCESS);
              const written = Math.min(room, resultLength);
              expect(buffer.subarray(0, written)).toEqual(whole.subarray(0, written));
              expect(buffer.subarray(written).every((byte) => byte === 0xee)).toBe(true);
            }
            expect(zwQueryValueKey(handle, name, kind, null)).toEqual({
              status: STATUS_BUFFER_TOO_SMALL,
              resultLength,
            });
          });
        },
      ),
      { numRuns: 60 },
    );
  });

  it('answers unknown values and classes', () => {
    inKernel(() => {
      const handle = open();
      expect(statusOf(() => zwQueryValueKey(handle, 'none', KeyValuePartialInformation, null))).toBe(
        'STATUS_OBJECT_NAME_NOT_FOUND',
      );
      expect(statusOf(() => zwQueryValueKey(handle, 'none', 17, null))).toBe('STATUS_INVALID_PARAMETER');
      expect(statusOf(() => zwDeleteValueKey(handle, 'none'))).toBe('STATUS_OBJECT_NAME_NOT_FOUND');
    });
  });
});

describe('enumeration', () => {
  it('ends with STATUS_NO_MORE_ENTRIES', () => {
    inKernel((kernel) => {
      const handle = open();
      zwSetValueKey(handle, 'one', REG_DWORD, encodeDword(1));
      zwCreateKey({ rootDirectory: handle, objectName: 'sub' }, KEY_READ, 'Klass');
      const buffer = new Uint8Array(100);
      const view = new DataView(buffer.buffer);
      expect(zwEnumerateValueKey(handle, 0, KeyValueBasicInformation, buffer).status).toBe(STATUS_SUCCESS);
      expect(statusOf(() => zwEnumerateValueKey(handle, 1, KeyValueBasicInformation, buffer))).toBe(
        'STATUS_NO_MORE_ENTRIES',
      );
      expect(zwEnumerateKey(handle, 0, KeyNodeInformation, buffer).resultLength).toBe(24 + 6 + 10);
      expect(view.getBigInt64(0, true)).toBe(kernel.bootSystemTime);
      expect(view.getUint32(12, true)).toBe(30);
      expect(decodeUtf16(buffer.subarray(24, 30))).toBe('sub');
      expect(decodeUtf16(buffer.subarray(30, 40))).toBe('Klass');
      expect(statusOf(() => zwEnumerateKey(handle, 1, KeyBasicInformation, buffer))).toBe(
        'STATUS_NO_MORE_ENTRIES',
      );
      expect(statusOf(() => zwEnumerateKey(handle, 0, KeyNameInformation, buffer))).toBe(
        'STATUS_INVALID_PARAMETER',
      );
    });
  });

  it('has the numbers for buffers in KEY_FULL_INFORMATION', () => {
    inKernel(() => {
      const handle = open();
      zwSetValueKey(handle, 'long name', REG_BINARY, new Uint8Array(33));
      zwSetValueKey(handle, 'n', REG_DWORD, encodeDword(1));
      zwCreateKey({ rootDirectory: handle, objectName: 'subkey' });
      const buffer = new Uint8Array(44);
      expect(zwQueryKey(handle, KeyFullInformation, buffer).status).toBe(STATUS_SUCCESS);
      const view = new DataView(buffer.buffer);
      expect([16, 20, 24, 28, 32, 36, 40].map((at) => view.getUint32(at, true))).toEqual([
        0, 1, 12, 0, 2, 18, 33,
      ]);
      expect(view.getUint32(12, true)).toBe(0xffffffff);
      const name = new Uint8Array(4 + PATH.length * 2);
      zwQueryKey(handle, KeyNameInformation, name);
      expect(decodeUtf16(name.subarray(4))).toBe(PATH);
    });
  });
});
