import { type ChildProcess, spawn } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';
import type { PcmFormat } from '../hal/bus.ts';
import { CliError, ExitCode } from './cli-error.ts';

/** A program that plays raw 16-bit little-endian PCM from its standard input. */
interface PlayerProgram {
  readonly name: string;
  readonly args: (format: PcmFormat) => string[];
}

/** In order of preference: sound servers first, then plain ALSA, then the general-purpose ones. */
const PLAYERS: readonly PlayerProgram[] = [
  {
    name: 'pw-play',
    args: (f) => ['--raw', '--format=s16', `--rate=${f.sampleRate}`, `--channels=${f.channels}`, '-'],
  },
  {
    name: 'paplay',
    args: (f) => ['--raw', '--format=s16le', `--rate=${f.sampleRate}`, `--channels=${f.channels}`],
  },
  {
    name: 'aplay',
    args: (f) => ['-q', '-t', 'raw', '-f', 'S16_LE', '-r', `${f.sampleRate}`, '-c', `${f.channels}`, '-'],
  },
  {
    name: 'play',
    args: (f) => [
      '-q',
      '-t',
      'raw',
      '-e',
      'signed',
      '-b',
      '16',
      '-r',
      `${f.sampleRate}`,
      '-c',
      `${f.channels}`,
      '-',
    ],
  },
  {
    name: 'ffplay',
    args: (f) => [
      '-loglevel',
      'error',
      '-nodisp',
      '-autoexit',
      '-f',
      's16le',
      '-ar',
      `${f.sampleRate}`,
      '-ch_layout',
      f.channels === 1 ? 'mono' : 'stereo',
      '-',
    ],
  },
];

/** Players that only take a file: they cannot follow the stream as it is made. */
const FILE_PLAYERS: readonly string[] = ['afplay'];

function onPath(name: string): boolean {
  const suffixes = process.platform === 'win32' ? ['.exe', '.cmd'] : [''];
  for (const folder of (process.env['PATH'] ?? '').split(delimiter)) {
    for (const suffix of suffixes) {
      try {
        accessSync(join(folder, name + suffix), constants.X_OK);
        return true;
      } catch {
        // not in this folder
      }
    }
  }
  return false;
}

/** The system's player, or null when there is none. `streaming` is false for one that wants the whole file first. */
export function findPlayer(): { readonly name: string; readonly streaming: boolean } | null {
  const streaming = PLAYERS.find(({ name }) => onPath(name));
  if (streaming) return { name: streaming.name, streaming: true };
  const file = FILE_PLAYERS.find(onPath);
  return file === undefined ? null : { name: file, streaming: false };
}

/** Names of all players that are looked for, for messages. */
export const PLAYER_NAMES: readonly string[] = [...PLAYERS.map(({ name }) => name), ...FILE_PLAYERS];

/** Starts no player before the format is known, feeds it as the card plays, and waits for it at the end. */
export class LivePlayer {
  readonly name: string;
  readonly #program: PlayerProgram;
  #child: ChildProcess | null = null;
  #failure: string | null = null;
  #finished: Promise<void> = Promise.resolve();

  /** @throws CliError (exit code 4) when the computer has no player that streams */
  constructor() {
    const program = PLAYERS.find(({ name }) => onPath(name));
    if (!program) {
      throw new CliError(
        `--live needs a player, and none of ${PLAYERS.map(({ name }) => name).join(', ')} was found. ` +
          'On Debian or Ubuntu: apt-get install alsa-utils (or sox). Or leave --live out and use --out FILE.wav.',
        ExitCode.missing,
      );
    }
    this.#program = program;
    this.name = program.name;
  }

  /** Bytes handed over and not yet taken by the player. */
  get pendingBytes(): number {
    return this.#child?.stdin?.writableLength ?? 0;
  }

  /** What went wrong with the player, if anything did: playing goes on without it. */
  get failure(): string | null {
    return this.#failure;
  }

  write(samples: Int16Array, format: PcmFormat): void {
    if (!this.#child) this.#start(format);
    if (this.#failure !== null) return;
    this.#child?.stdin?.write(
      new Uint8Array(samples.buffer.slice(samples.byteOffset, samples.byteOffset + samples.byteLength)),
    );
  }

  /** Ends the input and waits until the player has played what it has. */
  async finish(): Promise<void> {
    this.#child?.stdin?.end();
    await this.#finished;
  }

  /** Ends the player at once. */
  kill(): void {
    this.#child?.kill('SIGTERM');
  }

  #start(format: PcmFormat): void {
    const child = spawn(this.#program.name, this.#program.args(format), {
      stdio: ['pipe', 'ignore', 'pipe'],
    });
    this.#child = child;
    let complaint = '';
    child.stderr?.on('data', (text) => {
      complaint = (complaint + String(text)).slice(0, 500);
    });
    child.stdin?.on('error', () => {}); // reported by 'close'
    this.#finished = new Promise((resolve) => {
      child.on('error', (error) => {
        this.#failure ??= `${this.name} could not be started: ${error.message}`;
        resolve();
      });
      child.on('close', (code) => {
        if (code !== 0 && code !== null) {
          this.#failure ??= `${this.name} ended with code ${code}${complaint ? `: ${complaint.trim().split('\n')[0]}` : ''}`;
        }
        resolve();
      });
    });
  }
}
