import { afterAll, describe, expect, it } from 'vitest';
import { bytesOf, noise, same, soundIn } from './support/ac97-bench.ts';
import { miniport, readWav, TemporaryFolder } from './support/cli.ts';

const folder = new TemporaryFolder();
afterAll(() => folder[Symbol.dispose]());

const samples = noise(2 * 11_025, 12);

describe('miniport --pin', () => {
  it('plays on the pin that is named, by name or number', async () => {
    const input = folder.wav('song44.wav', samples, 44_100);
    for (const pin of ['Wave', 'wave 2', '2']) {
      const out = folder.file('out.wav');
      const { code, err } = await miniport('play', input, '--card', 'es1370', '--pin', pin, '--out', out);
      expect([err, code]).toEqual(['', 0]);
      const { sound } = soundIn(readWav(out).samples, samples.length);
      expect(same(bytesOf(sound), bytesOf(samples))).toBe(true);
    }
  });

  it('that there is not says which there are', async () => {
    const input = folder.wav('song44.wav', samples, 44_100);
    const { code, err } = await miniport('play', input, '--card', 'es1370', '--pin', 'Wave 3');
    expect(err).toContain("'Speakers' has no pin 'Wave 3'. There is 'Wave' (0), 'Wave 2' (2).");
    expect(code).toBe(2);
  });

  it('and endpoints list them', async () => {
    const { out } = await miniport('endpoints', '--card', 'es1370');
    expect(out).toMatch(/Speakers.*Wave \(0\), Wave 2 \(2\)/);
    const { out: json } = await miniport('endpoints', '--card', 'es1370', '--json');
    const speakers = JSON.parse(json).find(({ name }: { name: string }) => name === 'Speakers');
    expect(speakers.pins.map(({ id, name }: { id: number; name: string }) => [id, name])).toEqual([
      [0, 'Wave'],
      [2, 'Wave 2'],
    ]);
  });
});
