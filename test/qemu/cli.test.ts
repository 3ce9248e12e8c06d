import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { afterAll, expect, it } from 'vitest';
import { bytesOf, noise, same, soundIn } from '../support/ac97-bench.ts';
import { miniport, readWav, TemporaryFolder } from '../support/cli.ts';
import { keysHeard, SCALE, scaleFile } from '../support/midi-song.ts';
import { describeWithQemu } from '../support/with-qemu.ts';

const folder = new TemporaryFolder();
afterAll(() => folder[Symbol.dispose]());

describeWithQemu('miniport --machine qemu', () => {
  const samples = noise(2 * 24_000, 21);
  const song = () => folder.wav('song.wav', samples, 48_000);

  it('plays a file bit by bit into the file that was asked for', async () => {
    const out = folder.file('out.wav');
    writeFileSync(out, 'an older take');
    const {
      code,
      out: text,
      err,
    } = await miniport('play', song(), '--machine', 'qemu', '--out', out, '--json');
    expect(err).toBe('');
    expect(code).toBe(0);
    expect(JSON.parse(text)).toMatchObject({ machine: 'qemu', bitExact: true, glitches: 0, leaks: '' });
    const { sound } = soundIn(readWav(out).samples, samples.length);
    expect(same(bytesOf(sound), bytesOf(samples))).toBe(true);
    expect(existsSync(`${out}.partial`)).toBe(false);
  });

  it('leaves the output file as it was when the run comes to nothing', async () => {
    const out = folder.file('precious.wav');
    writeFileSync(out, 'a take that nobody can repeat');
    const { code } = await miniport('play', song(), '--machine', 'qemu', '--out', out, '--endpoint', 'Kazoo');
    expect(code).toBe(2);
    expect(readFileSync(out, 'utf8')).toBe('a take that nobody can repeat');
    expect(existsSync(`${out}.partial`)).toBe(false);
  });

  it('records a file bit by bit', async () => {
    const out = folder.file('take.wav');
    const words = ['record', '--machine', 'qemu', '--in', song(), '--seconds', '0.5', '--out', out, '--json'];
    const { code, out: text } = await miniport(...words);
    expect(code).toBe(0);
    expect(JSON.parse(text)).toMatchObject({ machine: 'qemu', glitches: 0, leaks: '' });
    const taken = readWav(out).samples;
    const start = taken.findIndex((sample) => sample !== 0);
    expect(start).toBeGreaterThanOrEqual(0);
    expect(same(bytesOf(taken.slice(start)), bytesOf(samples.slice(0, taken.length - start)))).toBe(true);
  });

  it('plays a MIDI file on the FM chip of the AdLib card', { timeout: 60_000 }, async () => {
    const out = folder.file('scale.wav');
    const song = folder.write('scale.mid', scaleFile());
    const {
      code,
      out: text,
      err,
    } = await miniport('midi', song, '--machine', 'qemu', '--out', out, '--json');
    expect(err).toBe('');
    expect(code).toBe(0);
    expect(JSON.parse(text)).toMatchObject({
      card: 'adlib',
      machine: 'qemu',
      synth: 'fm',
      notes: 8,
      leaks: '',
    });
    expect(keysHeard(out, 60)).toEqual(SCALE);
  });

  it('says so when the card that QEMU has makes no music', { timeout: 60_000 }, async () => {
    const song = folder.write('scale.mid', scaleFile());
    const { code, err } = await miniport('midi', song, '--machine', 'qemu', '--card', 'sb16');
    expect(code).toBe(2);
    expect(err).toContain("has found no FM synthesizer on QEMU's card");
  });
});
