import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { vi } from 'vitest';
import { runCommand } from '../../src/cli/run-command.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));

/** What a command said and how it ended. */
export interface CommandResult {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

/** Runs `miniport WORDS` in this process. */
export async function miniport(...words: string[]): Promise<CommandResult> {
  let [out, err] = ['', ''];
  const text = (chunk: unknown) =>
    typeof chunk === 'string' ? chunk : Buffer.from(chunk as Uint8Array).toString();
  const spies = [
    vi.spyOn(process.stdout, 'write').mockImplementation((chunk) => {
      out += text(chunk);
      return true;
    }),
    vi.spyOn(process.stderr, 'write').mockImplementation((chunk) => {
      err += text(chunk);
      return true;
    }),
    vi.spyOn(console, 'log').mockImplementation((...values) => {
      out += `${values.join(' ')}\n`;
    }),
    vi.spyOn(console, 'error').mockImplementation((...values) => {
      err += `${values.join(' ')}\n`;
    }),
  ];
  process.exitCode = 0;
  try {
    await runCommand(words);
    return { code: Number(process.exitCode), out, err };
  } finally {
    process.exitCode = 0;
    for (const spy of spies) spy.mockRestore();
  }
}

/** Compiles the program when a source is newer than what was compiled. */
export function buildProgram(): void {
  const { status, stderr } = spawnSync(process.execPath, ['scripts/setup.mjs', '--build'], {
    cwd: ROOT,
    encoding: 'utf8',
  });
  if (status !== 0) throw new Error(stderr);
}

/** Starts `miniport WORDS` as a process of its own, in the folder of the sources or another. */
export function startMiniport(
  words: readonly string[],
  folder = ROOT,
): { readonly child: ChildProcess; readonly ended: Promise<CommandResult> } {
  const child = spawn(process.execPath, [join(ROOT, 'dist/cli/main.js'), ...words], {
    cwd: folder,
    // The demo is not to be heard.
    env: { ...process.env, CI: '1' },
  });
  let [out, err] = ['', ''];
  child.stdout.on('data', (chunk) => {
    out += chunk;
  });
  child.stderr.on('data', (chunk) => {
    err += chunk;
  });
  const ended = new Promise<CommandResult>((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code) => resolve({ code: code ?? -1, out, err }));
  });
  return { child, ended };
}

/** A folder for the files of a test. */
export class TemporaryFolder implements Disposable {
  readonly path = mkdtempSync(join(tmpdir(), 'miniport-test-'));

  file(name: string): string {
    return join(this.path, name);
  }

  /** Writes a 16-bit PCM WAV file and returns its path. */
  wav(name: string, samples: Int16Array, sampleRate: number, channels = 2): string {
    const path = this.file(name);
    writeFileSync(path, wavBytes(samples, sampleRate, channels));
    return path;
  }

  write(name: string, content: string | Uint8Array): string {
    const path = this.file(name);
    writeFileSync(path, content);
    return path;
  }

  [Symbol.dispose](): void {
    rmSync(this.path, { recursive: true, force: true });
  }
}

/** A WAV file as the Multimedia Programming Interface of 1991 has it, written here so that reader and writer are not tested by each other. */
export function wavBytes(samples: Int16Array, sampleRate: number, channels = 2): Buffer {
  const head = Buffer.alloc(44);
  const dataBytes = samples.byteLength;
  head.write('RIFF', 0, 'latin1');
  head.writeUInt32LE(36 + dataBytes, 4);
  head.write('WAVEfmt ', 8, 'latin1');
  head.writeUInt32LE(16, 16);
  head.writeUInt16LE(1, 20);
  head.writeUInt16LE(channels, 22);
  head.writeUInt32LE(sampleRate, 24);
  head.writeUInt32LE(sampleRate * channels * 2, 28);
  head.writeUInt16LE(channels * 2, 32);
  head.writeUInt16LE(16, 34);
  head.write('data', 36, 'latin1');
  head.writeUInt32LE(dataBytes, 40);
  return Buffer.concat([head, Buffer.from(samples.buffer, samples.byteOffset, samples.byteLength)]);
}

/** Reads a 16-bit PCM WAV file: chunk by chunk, with every size checked. */
export function readWav(path: string): { samples: Int16Array; sampleRate: number; channels: number } {
  const bytes = readFileSync(path);
  const tag = (at: number) => bytes.toString('latin1', at, at + 4);
  if (tag(0) !== 'RIFF' || tag(8) !== 'WAVE') throw new Error(`${path} is no WAV file`);
  if (bytes.readUInt32LE(4) !== bytes.length - 8) {
    throw new Error(`${path}: RIFF says ${bytes.readUInt32LE(4)} bytes, there are ${bytes.length - 8}`);
  }
  let [sampleRate, channels] = [0, 0];
  for (let at = 12; at + 8 <= bytes.length; ) {
    const size = bytes.readUInt32LE(at + 4);
    if (tag(at) === 'fmt ') {
      if (bytes.readUInt16LE(at + 22) !== 16) throw new Error(`${path} has no 16-bit samples`);
      channels = bytes.readUInt16LE(at + 10);
      sampleRate = bytes.readUInt32LE(at + 12);
    } else if (tag(at) === 'data') {
      if (at + 8 + size > bytes.length) throw new Error(`${path}: the data go beyond the file`);
      const data = bytes.subarray(at + 8, at + 8 + size);
      const samples = new Int16Array(data.length / 2);
      new Uint8Array(samples.buffer).set(data);
      return { samples, sampleRate, channels };
    }
    at += 8 + size + (size % 2);
  }
  throw new Error(`${path} has no data`);
}
