import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { CliError } from './cli-error.ts';
import { findPlayer, LivePlayer } from './live-player.ts';

const STEREO = { sampleRate: 48_000, channels: 2 };
const SAMPLES = Int16Array.from({ length: 4000 }, (_, i) => (i * 37) % 30_000);
const SAMPLE_BYTES = Buffer.from(SAMPLES.buffer);

/** A folder in front of nothing: the only programs there are those that a test puts into it, and the shell's own. */
let folder: string;
const path = process.env['PATH'];
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'miniport-players-'));
  process.env['PATH'] = folder;
});
afterEach(() => {
  process.env['PATH'] = path;
  rmSync(folder, { recursive: true, force: true });
});

function program(name: string, script: string): void {
  const file = join(folder, name);
  // The shell finds its tools by absolute path: PATH holds the players alone.
  writeFileSync(file, `#!/bin/sh\nPATH=/usr/bin${delimiter}/bin\n${script}\n`);
  chmodSync(file, 0o755);
}

describe('the live player', () => {
  it('says what is missing, and which package has it, when there is none', () => {
    expect(findPlayer()).toBe(null);
    expect(() => new LivePlayer()).toThrow(CliError);
    expect(() => new LivePlayer()).toThrow(/aplay.*apt-get install alsa-utils/s);
  });

  it('streams every sample to a program, with rate and channels in its words', async () => {
    program('aplay', `echo "$@" > ${folder}/words; cat > ${folder}/heard`);
    const player = new LivePlayer();
    expect(player.name).toBe('aplay');
    player.write(SAMPLES.subarray(0, 1000), STEREO);
    player.write(SAMPLES.subarray(1000), STEREO);
    await player.finish();
    expect(player.failure).toBe(null);
    expect(readFileSync(join(folder, 'heard')).equals(SAMPLE_BYTES)).toBe(true);
    expect(readFileSync(join(folder, 'words'), 'utf8')).toContain('-f S16_LE -r 48000 -c 2');
  });

  it('gives a program that takes only files the whole recording, and removes the file', async () => {
    program('afplay', `cp "$1" ${folder}/heard.wav; echo "$1" > ${folder}/name`);
    const player = new LivePlayer();
    player.write(SAMPLES, STEREO);
    await player.finish();
    expect(player.failure).toBe(null);
    const wav = readFileSync(join(folder, 'heard.wav'));
    expect(wav.subarray(wav.length - SAMPLE_BYTES.length).equals(SAMPLE_BYTES)).toBe(true);
    expect(existsSync(readFileSync(join(folder, 'name'), 'utf8').trim())).toBe(false);
  });

  it('goes on when the player gives up, and says what it complained about', async () => {
    program('aplay', 'echo "no such device" >&2; exit 1');
    const player = new LivePlayer();
    for (let i = 0; i < 50; i++) player.write(SAMPLES, STEREO);
    await player.finish();
    expect(player.failure).toBe('aplay ended with code 1: no such device');
  });

  it('prefers sound servers to plain ALSA', () => {
    program('aplay', 'cat > /dev/null');
    copyFileSync(join(folder, 'aplay'), join(folder, 'paplay'));
    expect(findPlayer()).toBe('paplay');
  });
});
