import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { haltingRom, ROM_BYTES } from './halting-rom.ts';
import { prepareQemuAudio } from './qemu-audio.ts';
import { QemuError } from './qemu-error.ts';
import { findQemu } from './qemu-process.ts';
import { SharedRam } from './shared-ram.ts';

let directory: string;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'miniport-test-'));
});

afterEach(() => {
  rmSync(directory, { recursive: true, force: true });
});

function errorOf(run: () => unknown): QemuError {
  try {
    run();
  } catch (error) {
    if (error instanceof QemuError) return error;
    throw error;
  }
  throw new Error('nothing was thrown');
}

describe('looking for QEMU', () => {
  const before = process.env['MINIPORT_QEMU'];

  afterEach(() => {
    if (before === undefined) delete process.env['MINIPORT_QEMU'];
    else process.env['MINIPORT_QEMU'] = before;
  });

  function fakeQemu(script: string): void {
    const path = join(directory, 'fake-qemu');
    writeFileSync(path, `#!/bin/sh\n${script}\n`);
    chmodSync(path, 0o755);
    process.env['MINIPORT_QEMU'] = path;
  }

  test('a program that is not there: the error names the packages', () => {
    process.env['MINIPORT_QEMU'] = join(directory, 'nowhere');
    const error = errorOf(findQemu);
    expect(error.missing).toBe(true);
    expect(error.message).toContain('apt-get install qemu-system-x86');
    expect(error.message).toContain('nowhere');
  });

  test('one that fails counts as not there', () => {
    fakeQemu('exit 3');
    expect(errorOf(findQemu).missing).toBe(true);
  });

  test('one that is too old: the error names both versions', () => {
    fakeQemu('echo "QEMU emulator version 5.2.0 (Debian 1:5.2+dfsg-11)"');
    const error = errorOf(findQemu);
    expect(error.missing).toBe(true);
    expect(error.message).toContain('is version 5.2; version 6.2 or later is needed');
    expect(error.message).toContain('apt-get install qemu-system-x86');
  });

  test.each(['6.2.0', '7.2.22', '10.0.0'])('version %s will do', (version) => {
    fakeQemu(`echo "QEMU emulator version ${version} (somewhere)"`);
    expect(findQemu().version).toBe(version);
  });
});

describe('jacks of QEMU’s card', () => {
  test('a recording: the wav back end at the rate asked for; commas in the path are doubled', () => {
    const path = join(directory, 'a,b.wav');
    const { deviceArguments, recordingPath } = prepareQemuAudio(
      { output: { path, sampleRate: 44_100 } },
      directory,
    );
    expect(deviceArguments).toEqual([
      '-audiodev',
      `wav,id=snd,path=${path.replace(',', ',,')},out.frequency=44100`,
    ]);
    expect(recordingPath).toBe(path);
  });

  test('nothing: the back end that is silent in real time', () => {
    expect(prepareQemuAudio({}, directory).deviceArguments).toEqual(['-audiodev', 'none,id=snd']);
  });

  test('an input: the samples, then a second of silence, fed by a plug-in of the ALSA library', () => {
    const pcm = new Uint8Array(400).fill(7);
    const prepared = prepareQemuAudio({ input: { pcm, sampleRate: 8000 }, output: {} }, directory);
    expect(prepared.deviceArguments[1]).toMatch(/^alsa,id=snd,.*in\.dev=miniport_in,in\.frequency=8000/);
    const configuration = readFileSync(prepared.environment['ALSA_CONFIG_PATH'] ?? '', 'utf8');
    expect(configuration).toContain(`infile "${join(directory, 'input.pcm')}"`);
    expect(configuration).toContain(`file "${join(directory, 'output.wav')}"`);
    const file = readFileSync(join(directory, 'input.pcm'));
    expect(file.length).toBe(400 + 8000 * 4);
    expect(file.subarray(0, 400).every((byte) => byte === 7)).toBe(true);
    expect(file.subarray(400).every((byte) => byte === 0)).toBe(true);
  });

  test('a recording that cannot be written is refused: QEMU would go on without', () => {
    const path = join(directory, 'missing', 'out.wav');
    expect(errorOf(() => prepareQemuAudio({ output: { path } }, directory)).message).toContain(path);
    expect(existsSync(path)).toBe(false);
  });
});

describe('RAM in a shared file', () => {
  test('what is written is read at the same physical address; nothing lies below 1 MiB or beyond the end', () => {
    const path = join(directory, 'ram');
    const bytes = 2 * 1024 * 1024;
    writeFileSync(path, new Uint8Array(bytes));
    const ram = new SharedRam(path, bytes);
    ram.write(0x10_0010, Uint8Array.of(1, 2, 3, 4));
    ram.writeUlong(0x10_0014, 0x8765_4321);
    ram.fill(0x10_0018, 100_000, 0xab);
    const read = new Uint8Array(10);
    ram.read(0x10_0010, read);
    expect([...read]).toEqual([1, 2, 3, 4, 0x21, 0x43, 0x65, 0x87, 0xab, 0xab]);
    expect(ram.readUlong(0x10_0014)).toBe(0x8765_4321);
    expect(readFileSync(path)[0x10_0018 + 99_999]).toBe(0xab);
    expect(readFileSync(path)[0x10_0018 + 100_000]).toBe(0);
    expect(ram.view()).toBeNull();
    for (const address of [0, 0xf_fffe, bytes - 2]) expect(() => ram.readUlong(address)).toThrow(RangeError);
    ram.close();
  });
});

describe('the firmware', () => {
  test('fills 64 KiB; the reset vector switches interrupts off and halts for good', () => {
    const rom = haltingRom();
    expect(rom.length).toBe(ROM_BYTES);
    // CLI; HLT; JMP to the HLT.
    expect([...rom.subarray(ROM_BYTES - 16, ROM_BYTES - 12)]).toEqual([0xfa, 0xf4, 0xeb, 0xfd]);
  });
});
