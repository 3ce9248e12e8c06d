import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { QemuError, QemuMachine } from '../../src/machines/qemu/index.ts';
import { type Compiled, compile } from '../support/compiled.ts';
import { describeWithQemu } from '../support/with-qemu.ts';

const CARD = ['-device', 'AC97,audiodev=snd,addr=5'];
const LIMIT_MS = 10_000;

/** Processes whose command line contains this text, by /proc. */
function processesWith(text: string): readonly number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((pid) => {
      try {
        return readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes(text);
      } catch {
        return false;
      }
    });
}

/** QEMU's own process, not its guardian. */
function qemuIn(directory: string): number {
  const pid = processesWith(directory).find((one) =>
    readFileSync(`/proc/${one}/cmdline`, 'utf8').startsWith('qemu'),
  );
  if (pid === undefined) throw new Error('QEMU does not run');
  return pid;
}

async function eventually(condition: () => boolean): Promise<boolean> {
  const deadline = performance.now() + LIMIT_MS;
  while (!condition()) {
    if (performance.now() > deadline) return false;
    await delay(20);
  }
  return true;
}

function directoryOf(machine: QemuMachine): string {
  return dirname(machine.recordingPath ?? '');
}

describeWithQemu('the machine with QEMU', () => {
  test('holds the card, and everything of it is gone after dispose', { timeout: 30_000 }, async () => {
    const machine = await QemuMachine.launch({ deviceArguments: CARD, audio: { output: {} } });
    const directory = directoryOf(machine);
    try {
      expect(existsSync(directory)).toBe(true);
      expect(machine.pciBus.config.read(5, 0, 0, 4)).toBe(0x2415_8086);
      machine.start();
      expect(machine.kernel.pnp.findDevice('pci:00:05.0')).not.toBeNull();
      const before = machine.kernel.clock.now;
      machine.runFor(50_000);
      expect(machine.kernel.clock.now - before).toBeGreaterThanOrEqual(50_000);
    } finally {
      const leaks = machine.dispose();
      expect(machine.dispose()).toBe(leaks);
    }
    expect(existsSync(directory)).toBe(false);
    expect(await eventually(() => processesWith(directory).length === 0)).toBe(true);
    expect(() => machine.platform.readPort(0x80, 1)).toThrow(QemuError);
  });

  test('a second machine beside the first', { timeout: 30_000 }, async () => {
    const machines = await Promise.all(
      [1, 2].map(() => QemuMachine.launch({ deviceArguments: CARD, audio: { output: {} } })),
    );
    const directories = new Set(machines.map(directoryOf));
    for (const machine of machines) machine.dispose();
    expect(directories.size).toBe(2);
  });

  test('QEMU killed in the middle of a run: a QemuError, whoever notices, and dispose cleans up', {
    timeout: 30_000,
  }, async () => {
    const machine = await QemuMachine.launch({ deviceArguments: CARD, audio: { output: {} } });
    const directory = directoryOf(machine);
    try {
      machine.start();
      process.kill(qemuIn(directory), 'SIGKILL');
      expect(() => machine.runFor(50_000_000)).toThrow(/QEMU ended in the middle of the run/);
      expect(() => machine.platform.readPort(0x80, 1)).toThrow(QemuError);
    } finally {
      machine.dispose();
    }
    expect(existsSync(directory)).toBe(false);
    expect(await eventually(() => processesWith(directory).length === 0)).toBe(true);
  });

  test('a device that QEMU does not know: the error says what QEMU said', { timeout: 30_000 }, async () => {
    await expect(QemuMachine.launch({ deviceArguments: ['-device', 'no-such-card'] })).rejects.toThrow(
      /did not start.*no-such-card/,
    );
  });

  test('RAM of an impossible size is refused', async () => {
    await expect(QemuMachine.launch({ deviceArguments: CARD, ramBytes: 1000 })).rejects.toThrow(RangeError);
  });

  describe('when this process ends', () => {
    let compiled: Compiled;
    let scratch: string;
    let child: ChildProcess | null = null;

    beforeAll(() => {
      compiled = compile('machines/qemu/index.ts');
    });

    afterAll(() => compiled.remove());

    beforeEach(() => {
      scratch = mkdtempSync(join(tmpdir(), 'miniport-test-'));
    });

    afterEach(() => {
      child?.kill('SIGKILL');
      rmSync(scratch, { recursive: true, force: true });
    });

    /** A process that starts a machine, tells its directory, and then does `what`. */
    async function start(what: string): Promise<{ readonly directory: string; readonly wav: string }> {
      const script = join(compiled.directory, 'run.mjs');
      const wav = join(scratch, 'out.wav');
      writeFileSync(
        script,
        `import { QemuMachine } from './machines/qemu/index.js';
const machine = await QemuMachine.launch({
  deviceArguments: ['-device', 'AC97,audiodev=snd,addr=5'],
  audio: { output: { path: ${JSON.stringify(wav)} } },
});
process.stdout.write('pid ' + process.pid + '\\n');
${what}
`,
      );
      const started = spawn(process.execPath, [script], { stdio: ['ignore', 'pipe', 'ignore'] });
      child = started;
      let said = '';
      started.stdout.on('data', (data) => {
        said += data;
      });
      expect(await eventually(() => said.includes('\n'))).toBe(true);
      const [line] = processesWith(wav).map((pid) => readFileSync(`/proc/${pid}/cmdline`, 'utf8'));
      const directory =
        /[^\0]*miniport-qemu-[A-Za-z0-9]+/.exec(line ?? '')?.[0]?.replace(/^.*?(?=\/)/, '') ?? '';
      return { directory, wav };
    }

    test.each([
      ['SIGKILL', 'setInterval(() => machine.platform.readPort(0x80, 1), 1);'],
      ['SIGINT', 'setInterval(() => machine.platform.readPort(0x80, 1), 1);'],
      ['SIGTERM', 'for (;;) machine.platform.readPort(0x80, 1);'],
    ] as const)(
      'by %s, QEMU completes its recording, and it and its files are gone',
      { timeout: 40_000 },
      async (signal, what) => {
        const { directory, wav } = await start(what);
        expect(existsSync(directory)).toBe(true);
        child?.kill(signal);
        expect(await eventually(() => !existsSync(directory))).toBe(true);
        expect(await eventually(() => processesWith(directory).length === 0)).toBe(true);
        expectWholeWav(wav);
      },
    );

    test('by an exception that nobody catches', { timeout: 40_000 }, async () => {
      const { directory, wav } = await start("setTimeout(() => { throw new Error('on purpose'); }, 300);");
      expect(await eventually(() => directory !== '' && !existsSync(directory))).toBe(true);
      expect(await eventually(() => processesWith(directory).length === 0)).toBe(true);
      expectWholeWav(wav);
    });
  });
});

/** The header's sizes are those of the file. */
function expectWholeWav(path: string): void {
  const file = readFileSync(path);
  expect(file.subarray(0, 4).toString('latin1')).toBe('RIFF');
  expect(file.readUInt32LE(4)).toBe(file.length - 8);
  expect(file.readUInt32LE(40)).toBe(file.length - 44);
}
