import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import {
  closeSync,
  constants,
  existsSync,
  mkdtempSync,
  openSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { haltingRom } from './halting-rom.ts';
import { type PreparedQemuAudio, prepareQemuAudio, type QemuAudio } from './qemu-audio.ts';
import { QemuError } from './qemu-error.ts';

/** Oldest version whose cards, options and qtest behave as needed here. */
const OLDEST_VERSION: readonly [number, number] = [6, 2];
const BINARY = 'qemu-system-x86_64';
const START_LIMIT_MS = 20_000;
const END_LIMIT_MS = 5_000;

const REMEDY =
  'On Debian or Ubuntu: apt-get install qemu-system-x86. On Fedora: dnf install qemu-system-x86-core. ' +
  'On macOS: brew install qemu. Or name the program in MINIPORT_QEMU.';

/**
 * Runs QEMU, writes its exit code to the file `ended`, and waits until the starting process is gone (its end of standard input closes).
 * Then QEMU is asked to end if it runs still, which lets it complete its WAV file, and its files are removed: also after a crash or
 * SIGKILL of ours. A SIGTERM for the group is for QEMU, not for the guardian.
 */
const GUARDIAN = `
exec 3<&0
dir=$1; shift
trap : TERM
"$@" 3<&- </dev/null & qemu=$!
( cat <&3 >/dev/null; kill $qemu 2>/dev/null; sleep 5; kill -9 $qemu 2>/dev/null ) & guard=$!
wait $qemu; code=$?
while kill -0 $qemu 2>/dev/null; do wait $qemu; code=$?; done
echo $code >"$dir/ended"
cat <&3 >/dev/null
rm -rf "$dir"
kill $guard 2>/dev/null
exit $code
`;

/** Finds QEMU. @throws QemuError (missing) when it is not there or too old */
export function findQemu(): { readonly program: string; readonly version: string } {
  const program = process.env['MINIPORT_QEMU'] ?? BINARY;
  const answer = spawnSync(program, ['--version'], { encoding: 'utf8' });
  if (answer.error || answer.status !== 0) {
    throw new QemuError(
      `The machine 'qemu' needs ${program}, which was not found on this computer. ${REMEDY}`,
      {
        missing: true,
        cause: answer.error,
      },
    );
  }
  const match = /version (\d+)\.(\d+)(?:\.(\d+))?/.exec(answer.stdout);
  const [major, minor] = [Number(match?.[1] ?? 0), Number(match?.[2] ?? 0)];
  if (major < OLDEST_VERSION[0] || (major === OLDEST_VERSION[0] && minor < OLDEST_VERSION[1])) {
    throw new QemuError(
      `${program} is version ${major}.${minor}; version ${OLDEST_VERSION.join('.')} or later is needed. ${REMEDY}`,
      { missing: true },
    );
  }
  return { program, version: match?.[0].slice('version '.length) ?? '' };
}

/** A running QEMU with its FIFOs and RAM file. All of it is gone after {@link end}, or when this process ends in any way. */
export class QemuProcess {
  readonly ramPath: string;
  readonly pipePath: string;
  /** Where the card's output is recorded, null when it is not. */
  readonly recordingPath: string | null;
  readonly #directory: string;
  readonly #logPath: string;
  readonly #child: ChildProcess;
  readonly #endedPath: string;
  #gone = false;

  private constructor(directory: string, child: ChildProcess, recordingPath: string | null) {
    this.recordingPath = recordingPath;
    this.#directory = directory;
    this.#child = child;
    this.ramPath = join(directory, 'ram');
    this.pipePath = join(directory, 'qtest');
    this.#logPath = join(directory, 'qemu.log');
    this.#endedPath = join(directory, 'ended');
    child.on('exit', () => {
      this.#gone = true;
    });
    // The guardian may end before it has read all of nothing.
    child.stdin?.on('error', () => {});
  }

  /**
   * Starts QEMU with the devices given and waits until it has opened the qtest FIFOs.
   * @throws QemuError with what QEMU said when it does not start
   */
  static async start(
    ramBytes: number,
    deviceArguments: readonly string[],
    audio: QemuAudio | null = null,
  ): Promise<QemuProcess> {
    const { program } = findQemu();
    const memoryFileSystem = existsSync('/dev/shm') ? '/dev/shm' : tmpdir();
    const directory = mkdtempSync(join(memoryFileSystem, 'miniport-qemu-'));
    const pipePath = join(directory, 'qtest');
    const made = spawnSync('mkfifo', [`${pipePath}.in`, `${pipePath}.out`], { encoding: 'utf8' });
    if (made.status !== 0) {
      rmSync(directory, { recursive: true, force: true });
      throw new QemuError(
        `mkfifo failed: ${made.error?.message ?? made.stderr}. The machine 'qemu' needs a Unix system.`,
      );
    }
    const romPath = join(directory, 'rom.bin');
    writeFileSync(romPath, haltingRom());
    let sound: PreparedQemuAudio | null = null;
    try {
      if (audio !== null) sound = prepareQemuAudio(audio, directory);
    } catch (error) {
      rmSync(directory, { recursive: true, force: true });
      throw error;
    }
    const megabytes = ramBytes / (1024 * 1024);
    const log = openSync(join(directory, 'qemu.log'), 'w');
    const child = spawn(
      '/bin/sh',
      [
        '-c',
        GUARDIAN,
        'miniport-guardian',
        directory,
        program,
        '-nodefaults',
        '-no-user-config',
        ...['-display', 'none', '-vga', 'none', '-serial', 'none', '-monitor', 'none'],
        ...['-accel', 'tcg', '-bios', romPath],
        ...[
          '-object',
          `memory-backend-file,id=ram,size=${megabytes}M,mem-path=${join(directory, 'ram')},share=on`,
        ],
        ...['-machine', 'pc,memory-backend=ram,usb=off,hpet=off', '-m', `${megabytes}M`],
        ...['-qtest', `pipe:${pipePath}`, '-qtest-log', '/dev/null'],
        ...(sound?.deviceArguments ?? []),
        ...deviceArguments,
      ],
      // A process group of its own: Ctrl-C is ours to handle, so that QEMU can still finish its WAV file.
      {
        stdio: ['pipe', log, log],
        detached: true,
        env: { ...process.env, ...sound?.environment },
      },
    );
    closeSync(log);
    const qemu = new QemuProcess(directory, child, sound?.recordingPath ?? null);
    try {
      await qemu.waitUntil(() => qemu.#hasOpenedFifo());
    } catch (error) {
      qemu.kill();
      throw error;
    }
    return qemu;
  }

  get running(): boolean {
    return !this.#gone && !existsSync(this.#endedPath);
  }

  /** The last lines of what QEMU printed. */
  said(): string {
    try {
      return readFileSync(this.#logPath, 'utf8').trim().split('\n').slice(-4).join(' | ');
    } catch {
      return '';
    }
  }

  /** Asks QEMU to end in good order (it completes its WAV file), then removes all files. `waitForEnd` tells when it has. */
  end(waitForEnd: (milliseconds: number) => boolean): void {
    if (this.running) {
      this.#signal('SIGTERM');
      if (!waitForEnd(END_LIMIT_MS)) this.#signal('SIGKILL');
    }
    this.kill();
  }

  /** Ends QEMU at once and removes its files. */
  kill(): void {
    if (!this.#gone) this.#signal('SIGKILL');
    this.#child.stdin?.destroy();
    this.#child.unref();
    rmSync(this.#directory, { recursive: true, force: true });
  }

  #signal(signal: NodeJS.Signals): void {
    if (this.#child.pid === undefined) return;
    try {
      process.kill(-this.#child.pid, signal);
    } catch {
      // the group is gone already
    }
  }

  /**
   * Looks again and again until `condition()`.
   * @throws QemuError with what QEMU said when it ends before, or when it takes too long
   */
  async waitUntil(condition: () => boolean): Promise<void> {
    const deadline = performance.now() + START_LIMIT_MS;
    while (!condition()) {
      if (!this.running) throw new QemuError(`QEMU did not start. It said: ${this.said() || '(nothing)'}`);
      if (performance.now() > deadline) {
        throw new QemuError(
          `QEMU was not ready within ${START_LIMIT_MS / 1000} s. It said: ${this.said() || '(nothing)'}`,
        );
      }
      await delay(3);
    }
  }

  /** QEMU opens the command FIFO for reading early on; until then opening it for writing fails with ENXIO. */
  #hasOpenedFifo(): boolean {
    try {
      closeSync(openSync(`${this.pipePath}.in`, constants.O_WRONLY | constants.O_NONBLOCK));
      return true;
    } catch (error) {
      if (error instanceof Error && 'code' in error && error.code === 'ENXIO') return false;
      throw new QemuError(`The FIFO to QEMU cannot be opened: ${String(error)}`, { cause: error });
    }
  }
}
