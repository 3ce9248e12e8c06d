import { type ChildProcess, spawn } from 'node:child_process';
import { accessSync, constants, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { audioFormat, WavWriter } from '../client/index.ts';
import type { PcmFormat } from '../hal/bus.ts';
import { CliError, ExitCode } from './cli-error.ts';
import { FileByteSink } from './files.ts';

/** A program that plays raw 16-bit little-endian PCM from its standard input. */
interface PlayerProgram {
  readonly name: string;
  readonly args: (format: PcmFormat) => string[];
}

/** ffmpeg's names of the usual places of so many channels. */
const CHANNEL_LAYOUTS: Readonly<Record<number, string>> = {
  1: 'mono',
  2: 'stereo',
  4: 'quad',
  6: '5.1',
  8: '7.1',
};

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
      CHANNEL_LAYOUTS[f.channels] ?? `${f.channels}c`,
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

/** Name of the system's player, or null when there is none. */
export function findPlayer(): string | null {
  return PLAYER_NAMES.find(onPath) ?? null;
}

/** Names of all players that are looked for, for messages. */
export const PLAYER_NAMES: readonly string[] = [...PLAYERS.map(({ name }) => name), ...FILE_PLAYERS];

/** What the player is to hear, on its way: into a running program, or into a file for one that takes nothing else. */
interface Feed {
  write(samples: Int16Array): void;
  /** Resolves when everything has been heard. */
  finish(): Promise<void>;
  kill(): void;
}

/**
 * The system's player, fed as the card plays. It is started when the format is known. One that only takes files (afplay) hears the whole
 * recording at the end.
 */
export class LivePlayer {
  readonly name: string;
  readonly #program: PlayerProgram | null;
  #feed: Feed | null = null;
  #failure: string | null = null;

  /** @throws CliError (exit code 4) when the computer has no player */
  constructor() {
    const found = findPlayer();
    if (!found) {
      throw new CliError(
        `--live needs a player, and none of ${PLAYER_NAMES.join(', ')} was found. ` +
          'On Debian or Ubuntu: apt-get install alsa-utils (or sox). Or leave --live out and use --out FILE.wav.',
        ExitCode.missing,
      );
    }
    this.name = found;
    this.#program = PLAYERS.find(({ name }) => name === found) ?? null;
  }

  /** What went wrong with the player, if anything did: playing goes on without it. */
  get failure(): string | null {
    return this.#failure;
  }

  write(samples: Int16Array, format: PcmFormat): void {
    this.#feed ??= this.#program
      ? this.#streamTo(this.#program, format)
      : this.#collectFor(this.name, format);
    if (this.#failure === null) this.#feed.write(samples);
  }

  /** Ends the input and waits until the player has played what it has. */
  async finish(): Promise<void> {
    await this.#feed?.finish();
  }

  /** Ends the player at once. */
  kill(): void {
    this.#feed?.kill();
  }

  #streamTo(program: PlayerProgram, format: PcmFormat): Feed {
    const child = spawn(program.name, program.args(format), { stdio: ['pipe', 'ignore', 'pipe'] });
    child.stdin.on('error', () => {}); // reported by 'close'
    const ended = this.#ended(child);
    return {
      write: (samples) => {
        child.stdin.write(
          new Uint8Array(samples.buffer.slice(samples.byteOffset, samples.byteOffset + samples.byteLength)),
        );
      },
      finish: () => {
        child.stdin.end();
        return ended;
      },
      kill: () => child.kill('SIGTERM'),
    };
  }

  #collectFor(name: string, format: PcmFormat): Feed {
    const folder = mkdtempSync(join(tmpdir(), 'miniport-live-'));
    const path = join(folder, 'live.wav');
    const file = new FileByteSink(path);
    const writer = new WavWriter(
      file,
      audioFormat({ sampleRate: format.sampleRate, channels: format.channels }),
    );
    const remove = () => rmSync(folder, { recursive: true, force: true });
    return {
      write: (samples) =>
        writer.write(
          new Uint8Array(samples.buffer, samples.byteOffset, samples.byteLength),
          0,
          samples.byteLength,
        ),
      finish: async () => {
        writer.end();
        file.close();
        await this.#ended(spawn(name, [path], { stdio: ['ignore', 'ignore', 'pipe'] }));
        remove();
      },
      kill: remove,
    };
  }

  /** Resolves when the program is gone; what it complained about becomes the failure. */
  #ended(child: ChildProcess): Promise<void> {
    let complaint = '';
    child.stderr?.on('data', (text) => {
      complaint = (complaint + String(text)).slice(0, 500);
    });
    return new Promise((resolve) => {
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
