import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { NtError } from './nt-error.ts';
import { Registry, type RegistryJson, type RegistryKey } from './registry.ts';
import { applyReg, formatReg, parseReg, RegFileError } from './registry-text.ts';
import {
  decodeMultiSz,
  decodeSz,
  encodeMultiSz,
  encodeSz,
  REG_BINARY,
  REG_DWORD,
  REG_DWORD_BIG_ENDIAN,
  REG_EXPAND_SZ,
  REG_MULTI_SZ,
  REG_NONE,
  REG_QWORD,
  REG_SZ,
} from './registry-values.ts';

function statusOf(fn: () => unknown): string {
  try {
    fn();
  } catch (error) {
    if (error instanceof NtError) return error.message.split(':')[0] ?? '';
    throw error;
  }
  return 'none';
}

/** Key, class, values and subkeys as plain data, for comparison. */
function dump(key: RegistryKey): unknown {
  return {
    name: key.name,
    class: key.className,
    values: key.values.map((v) => ({ name: v.name, type: v.type, data: [...v.data] })),
    keys: key.subkeys.filter((k) => !k.isVolatile).map(dump),
  };
}

describe('registry', () => {
  it('compares names without regard to case and keeps the first spelling', () => {
    const registry = new Registry();
    registry.createKey('HKLM\\SOFTWARE\\Miniport').set('Volume', 1);
    registry.createKey('\\REGISTRY\\machine\\Software\\MINIPORT').set('VOLUME', 2);
    const key = registry.openKey('\\Registry\\Machine\\SOFTWARE\\miniport');
    expect(key?.path).toBe('\\Registry\\Machine\\SOFTWARE\\Miniport');
    expect(key?.values.map((v) => v.name)).toEqual(['Volume']);
    expect(key?.getDword('volume')).toBe(2);
  });

  it('leads paths through links, and CurrentControlSet to ControlSet001', () => {
    const registry = new Registry();
    registry.createKey('HKLM\\SYSTEM\\CurrentControlSet\\Services\\ac97').set('Start', 3);
    expect(registry.openKey('HKLM\\SYSTEM\\ControlSet001\\Services\\ac97')?.getDword('Start')).toBe(3);
    registry.createLink('HKLM\\SOFTWARE\\Here', '\\Registry\\Machine\\SOFTWARE\\There');
    registry.createKey('HKLM\\SOFTWARE\\Here\\Sub');
    expect(registry.openKey('HKLM\\SOFTWARE\\There\\Sub')).not.toBeNull();
    expect(registry.openLink('HKLM\\SOFTWARE\\Here')?.linkTarget).toBe(
      '\\Registry\\Machine\\SOFTWARE\\There',
    );
    registry.createLink('HKLM\\SOFTWARE\\A', '\\Registry\\Machine\\SOFTWARE\\B');
    registry.createLink('HKLM\\SOFTWARE\\B', '\\Registry\\Machine\\SOFTWARE\\A');
    expect(statusOf(() => registry.openKey('HKLM\\SOFTWARE\\A'))).toBe('STATUS_OBJECT_NAME_INVALID');
  });

  it('enumerates subkeys by name and values in the order of setting', () => {
    const registry = new Registry();
    const key = registry.createKey('HKLM\\SOFTWARE\\K');
    for (const name of ['b', 'A', 'c']) key.addSubkey(name);
    for (const name of ['b', 'A', 'c']) key.set(name, 0);
    expect(key.subkeys.map((k) => k.name)).toEqual(['A', 'b', 'c']);
    expect(key.values.map((v) => v.name)).toEqual(['b', 'A', 'c']);
  });

  it('refuses what Windows refuses', () => {
    const registry = new Registry();
    const key = registry.createKey('HKLM\\SOFTWARE\\K\\Sub');
    expect(statusOf(() => key.parent?.delete())).toBe('STATUS_CANNOT_DELETE');
    key.delete();
    expect(statusOf(() => key.set('x', 1))).toBe('STATUS_KEY_DELETED');
    expect(registry.openKey('HKLM\\SOFTWARE\\K\\Sub')).toBeNull();
    expect(statusOf(() => registry.createKey('HKLM\\HARDWARE\\X'))).toBe('STATUS_CHILD_MUST_BE_VOLATILE');
    expect(statusOf(() => registry.openKey('SOFTWARE\\K'))).toBe('STATUS_OBJECT_PATH_SYNTAX_BAD');
    expect(statusOf(() => registry.openKey('HKLM\\SOFTWARE\\\\K'))).toBe('STATUS_OBJECT_NAME_INVALID');
    expect(statusOf(() => registry.createKey(`HKLM\\SOFTWARE\\${'x'.repeat(256)}`))).toBe(
      'STATUS_NAME_TOO_LONG',
    );
    expect(statusOf(() => registry.createKey('\\Registry\\Elsewhere\\K'))).toBe(
      'STATUS_OBJECT_NAME_NOT_FOUND',
    );
  });

  it('reads values by type and tolerates a missing terminator', () => {
    const key = new Registry().createKey('HKLM\\SOFTWARE\\K');
    key.set('sz', 'text');
    key.set('multi', ['one', 'two']);
    key.set('big', { type: REG_DWORD_BIG_ENDIAN, data: 0x01020304 });
    key.setValue('open', REG_SZ, encodeSz('open').subarray(0, 8));
    expect(key.getString('sz')).toBe('text');
    expect(key.getString('open')).toBe('open');
    expect(key.getMultiString('multi')).toEqual(['one', 'two']);
    expect(key.getDword('big')).toBe(0x01020304);
    expect([...(key.value('big')?.data ?? [])]).toEqual([1, 2, 3, 4]);
    expect(key.getDword('sz')).toBeNull();
    expect(key.getString('absent')).toBeNull();
  });

  const stringWithoutNull = fc.string({ unit: 'grapheme', maxLength: 20 }).filter((s) => !s.includes('\0'));
  const value = fc.oneof(
    fc.record({ type: fc.constant(REG_SZ), data: stringWithoutNull.map(encodeSz) }),
    fc.record({ type: fc.constant(REG_EXPAND_SZ), data: stringWithoutNull.map(encodeSz) }),
    fc.record({
      type: fc.constant(REG_MULTI_SZ),
      data: fc.array(stringWithoutNull.filter((s) => s !== '')).map(encodeMultiSz),
    }),
    fc.record({ type: fc.constant(REG_DWORD), data: fc.uint8Array({ minLength: 4, maxLength: 4 }) }),
    fc.record({ type: fc.constant(REG_QWORD), data: fc.uint8Array({ minLength: 8, maxLength: 8 }) }),
    // Anything goes with any type: nothing in Windows checks it.
    fc.record({
      type: fc.oneof(
        fc.constantFrom(REG_NONE, REG_SZ, REG_BINARY, REG_DWORD, REG_MULTI_SZ),
        fc.nat(0xffffffff),
      ),
      data: fc.uint8Array({ maxLength: 100 }),
    }),
  );
  const keyName = fc
    .string({ unit: 'grapheme', minLength: 1, maxLength: 12 })
    .filter((s) => !/[\\\0\r\n]/.test(s) && s.length <= 255);
  const valueName = fc.string({ unit: 'grapheme', maxLength: 12 }).filter((s) => !/[\0\r]/.test(s));
  const tree = fc.array(
    fc.record({
      path: fc.array(keyName, { minLength: 1, maxLength: 4 }),
      values: fc.array(fc.tuple(valueName, value), { maxLength: 6 }),
    }),
    { maxLength: 8 },
  );
  const build = (entries: typeof tree extends fc.Arbitrary<infer T> ? T : never): Registry => {
    const registry = new Registry();
    for (const { path, values } of entries) {
      const key = registry.createKey(`HKLM\\SOFTWARE\\Test\\${path.join('\\')}`);
      for (const [name, { type, data }] of values) key.setValue(name, type, data);
    }
    return registry;
  };

  it('is the same after toJSON, JSON text and fromJSON', () => {
    fc.assert(
      fc.property(tree, (entries) => {
        const registry = build(entries);
        const json: RegistryJson = JSON.parse(JSON.stringify(registry));
        const copy = Registry.fromJSON(json);
        expect(dump(copy.root)).toEqual(dump(registry.root));
        expect(copy.openKey('HKLM\\SYSTEM\\CurrentControlSet')).not.toBeNull();
      }),
      { numRuns: 200 },
    );
  });

  it('is the same after export to and import from a .reg file', () => {
    fc.assert(
      fc.property(tree, (entries) => {
        const registry = build(entries);
        registry.createKey('HKLM\\SOFTWARE\\Test');
        const text = formatReg(registry, 'HKLM\\SOFTWARE\\Test');
        expect(text).not.toBeNull();
        const copy = new Registry();
        applyReg(copy, parseReg(text ?? ''));
        const original = registry.openKey('HKLM\\SOFTWARE\\Test');
        const imported = copy.openKey('HKLM\\SOFTWARE\\Test');
        expect(imported && dump(imported)).toEqual(original && dump(original));
      }),
      { numRuns: 300 },
    );
  });

  it('rejects damaged JSON by name', () => {
    const json: RegistryJson = {
      version: 1,
      root: { name: 'Registry', keys: [{ name: 'Machine', values: [{ name: 'bad', type: 3, data: '0g' }] }] },
    };
    expect(() => Registry.fromJSON(json)).toThrow(/\\Registry\\Machine: data of value 'bad'/);
  });
});

describe('strings in the registry', () => {
  it('are null-terminated UTF-16', () => {
    expect([...encodeSz('aé')]).toEqual([0x61, 0, 0xe9, 0, 0, 0]);
    expect(decodeSz(encodeSz('Lautsprecher 🔊'))).toBe('Lautsprecher 🔊');
    expect(decodeMultiSz(encodeMultiSz(['a', 'bc']))).toEqual(['a', 'bc']);
    expect([...encodeMultiSz([])]).toEqual([0, 0]);
  });
});

describe('.reg files', () => {
  const FILE = [
    '\uFEFFWindows Registry Editor Version 5.00',
    '',
    '; a comment',
    '[HKEY_LOCAL_MACHINE\\SOFTWARE\\Miniport]',
    '@="default"',
    '"Path"="C:\\\\Music\\\\\\"Best\\""',
    '"Count"=dword:0000000a ; ten',
    '"Bytes"=hex:01,02,\\',
    '  03,04,\\',
    '  05',
    '"Expand"=hex(2):25,00,50,00,25,00,00,00',
    '"Multi"=hex(7):61,00,00,00,62,00,00,00,00,00',
    '"Q"=hex(b):01,00,00,00,00,00,00,80',
    '"Empty"=hex:',
    '"Lines"="one',
    'two"',
    '"Gone"=-',
    '',
    '[HKEY_LOCAL_MACHINE\\SOFTWARE\\Miniport\\[brackets]]',
    '[-HKEY_LOCAL_MACHINE\\SOFTWARE\\Old]',
  ].join('\r\n');

  it('are read with all kinds of values, deletions and continued lines', () => {
    const registry = new Registry();
    registry.createKey('HKLM\\SOFTWARE\\Miniport').set('Gone', 1);
    registry.createKey('HKLM\\SOFTWARE\\Old\\Deep');
    applyReg(registry, parseReg(FILE));
    const key = registry.openKey('HKLM\\SOFTWARE\\Miniport');
    expect(key?.getString('')).toBe('default');
    expect(key?.getString('Path')).toBe('C:\\Music\\"Best"');
    expect(key?.getDword('Count')).toBe(10);
    expect([...(key?.value('Bytes')?.data ?? [])]).toEqual([1, 2, 3, 4, 5]);
    expect(key?.value('Expand')?.type).toBe(REG_EXPAND_SZ);
    expect(key?.getString('Expand')).toBe('%P%');
    expect(key?.getMultiString('Multi')).toEqual(['a', 'b']);
    expect(key?.value('Q')?.type).toBe(REG_QWORD);
    expect(key?.value('Empty')?.data.length).toBe(0);
    expect(key?.getString('Lines')).toBe('one\ntwo');
    expect(key?.value('Gone')).toBeNull();
    expect(key?.subkey('[brackets]')).not.toBeNull();
    expect(registry.openKey('HKLM\\SOFTWARE\\Old')).toBeNull();
  });

  it('of REGEDIT4 hold one byte a character in hex strings', () => {
    const registry = new Registry();
    applyReg(registry, parseReg('REGEDIT4\n\n[HKEY_LOCAL_MACHINE\\SOFTWARE\\K]\n"E"=hex(2):25,50,25,00\n'));
    expect(registry.openKey('HKLM\\SOFTWARE\\K')?.getString('E')).toBe('%P%');
  });

  it.each([
    ['', 1],
    ['Something else\n', 1],
    ['REGEDIT4\n"x"=dword:1\n', 2],
    ['REGEDIT4\n[HKLM\\A]\n"x"=dword:xyz\n', 3],
    ['REGEDIT4\n[HKLM\\A]\n"x"=hex:1,zz\n', 3],
    ['REGEDIT4\n[HKLM\\A]\nnonsense\n', 3],
    ['REGEDIT4\n[HKLM\\A\n', 2],
    ['REGEDIT4\n[-HKLM\\A]\n"x"=dword:1\n', 3],
  ])('that are none are rejected with the line: %j', (text, line) => {
    try {
      parseReg(text);
      expect.unreachable();
    } catch (error) {
      expect(error).toBeInstanceOf(RegFileError);
      expect(error instanceof RegFileError && error.line).toBe(line);
    }
  });

  it('are written as regedit writes them', () => {
    const registry = new Registry();
    const key = registry.createKey('HKLM\\SOFTWARE\\K');
    key.set('', 'def');
    key.set('D', 255);
    key.set(
      'B',
      Uint8Array.from({ length: 30 }, (_, i) => i),
    );
    expect(formatReg(registry, 'HKLM\\SOFTWARE\\K')?.split('\r\n')).toEqual([
      'Windows Registry Editor Version 5.00',
      '',
      '[HKEY_LOCAL_MACHINE\\SOFTWARE\\K]',
      '@="def"',
      '"D"=dword:000000ff',
      '"B"=hex:00,01,02,03,04,05,06,07,08,09,0a,0b,0c,0d,0e,0f,10,11,12,13,14,15,16,\\',
      '  17,18,19,1a,1b,1c,1d',
      '',
      '',
    ]);
    expect(formatReg(registry, 'HKLM\\SOFTWARE\\None')).toBeNull();
  });
});
