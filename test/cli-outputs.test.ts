import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { noise } from './support/ac97-bench.ts';
import { miniport, readWav, TemporaryFolder } from './support/cli.ts';

const folder = new TemporaryFolder();
afterAll(() => folder[Symbol.dispose]());

const song = () => folder.wav('song.wav', noise(2 * 4_800, 3), 48_000);
/** A standard MIDI file of one note. */
const tune = () => {
  const path = folder.file('tune.mid');
  const track = [0x00, 0x90, 60, 100, 0x60, 0x80, 60, 0, 0x00, 0xff, 0x2f, 0x00];
  const header = [0, 0, 0, 6, 0, 0, 0, 1, 0, 96];
  writeFileSync(
    path,
    Buffer.concat([
      Buffer.from('MThd'),
      Buffer.from(header),
      Buffer.from('MTrk'),
      Buffer.from([0, 0, 0, track.length]),
      Buffer.from(track),
    ]),
  );
  return path;
};

/** Commands that find out only after the machine has booted that they cannot do what was asked. */
const MISTAKES: readonly (readonly [name: string, words: () => readonly string[]])[] = [
  ['play to an endpoint that is not there', () => ['play', song(), '--endpoint', 'Kazoo']],
  ['play with a control that is not there', () => ['play', song(), '--set', 'Kazoo=1']],
  ['play with a control that is not written as one', () => ['play', song(), '--set', 'Kazoo']],
  [
    'record from an endpoint that is not there',
    () => ['record', '--in', song(), '--seconds', '1', '--endpoint', 'Kazoo'],
  ],
  ['midi on a card without a synthesizer', () => ['midi', tune(), '--card', 'ac97']],
  ['midi on a card without a connector', () => ['midi', tune(), '--card', 'ac97', '--synth', 'uart']],
];

describe('a command that comes to nothing', () => {
  it.each(MISTAKES)('leaves the output file as it was: %s', async (_name, words) => {
    const out = folder.file('precious.wav');
    writeFileSync(out, 'a take that nobody can repeat');
    const { code } = await miniport(...words(), '--out', out);
    expect(code).toBe(2);
    expect(readFileSync(out, 'utf8')).toBe('a take that nobody can repeat');
  });

  it.each(MISTAKES)('makes no file: %s', async (_name, words) => {
    const out = folder.file('new.wav');
    const before = readdirSync(dirname(out));
    const { code } = await miniport(...words(), '--out', out);
    expect(code).toBe(2);
    expect(existsSync(out)).toBe(false);
    expect(
      readdirSync(dirname(out)).filter((name) => !before.includes(name) && !/song|tune/.test(name)),
    ).toEqual([]);
  });
});

describe('a command that works', () => {
  it('replaces a longer file whole', async () => {
    const out = folder.file('long.wav');
    writeFileSync(out, Buffer.alloc(10_000_000, 7));
    expect((await miniport('play', song(), '--out', out)).code).toBe(0);
    expect(readFileSync(out).byteLength).toBeLessThan(100_000);
    expect(readWav(out).samples.length).toBeGreaterThanOrEqual(9_600);
  });

  it('writes to what is no file', async () => {
    expect((await miniport('play', song(), '--out', '/dev/null')).code).toBe(0);
  });
});
