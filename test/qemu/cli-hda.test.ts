import { afterAll, expect, it } from 'vitest';
import { bytesOf, noise, same, soundIn } from '../support/ac97-bench.ts';
import { miniport, readWav, TemporaryFolder } from '../support/cli.ts';
import { describeWithQemu } from '../support/with-qemu.ts';

const folder = new TemporaryFolder();
afterAll(() => folder[Symbol.dispose]());

describeWithQemu('miniport --card hda --machine qemu', () => {
  const qemu = ['--card', 'hda', '--machine', 'qemu'];
  const song = (rate: number, samples: Int16Array) => folder.wav(`song${rate}.wav`, samples, rate);

  it.each([
    [48_000, []],
    [44_100, ['--codec', 'qemu-output', '--controller', 'ich9']],
    [96_000, []],
  ])('plays %i Hz bit by bit, %s', { timeout: 60_000 }, async (rate, words) => {
    const samples = noise(rate, 31);
    const out = folder.file('out.wav');
    const run = await miniport('play', song(rate, samples), ...qemu, ...words, '--out', out, '--json');
    expect([run.err, run.code]).toEqual(['', 0]);
    const report = JSON.parse(run.out);
    expect(report).toMatchObject({ machine: 'qemu', bitExact: true, glitches: 0, findings: [], leaks: '' });
    expect(report.choices).toEqual({
      codec: words.length === 0 ? 'qemu-duplex' : 'qemu-output',
      controller: words.length === 0 ? 'ich6' : 'ich9',
    });
    const played = readWav(out);
    expect(played.sampleRate).toBe(rate);
    const { sound } = soundIn(played.samples, samples.length);
    expect(same(bytesOf(sound), bytesOf(samples))).toBe(true);
  });

  it.each([
    ['line', 'qemu-duplex'],
    ['mic', 'qemu-micro'],
  ])('records at --pin %s of %s bit by bit', { timeout: 60_000 }, async (pin, codec) => {
    const samples = noise(2 * 48_000, 32);
    const out = folder.file('take.wav');
    const words = ['--in', song(48_000, samples), '--seconds', '0.5', '--out', out, '--pin', pin, '--json'];
    const run = await miniport('record', ...qemu, '--codec', codec, ...words);
    expect([run.err, run.code]).toEqual(['', 0]);
    expect(JSON.parse(run.out)).toMatchObject({ bitExact: true, glitches: 0, leaks: '' });
    const taken = readWav(out).samples;
    const start = taken.findIndex((sample) => sample !== 0);
    expect(start).toBeGreaterThanOrEqual(0);
    expect(same(bytesOf(taken.slice(start)), bytesOf(samples.slice(0, taken.length - start)))).toBe(true);
  });

  it("inspects the codec by verbs, QEMU's as ours", { timeout: 60_000 }, async () => {
    const behind = (text: string) => text.slice(text.indexOf('Behind Topology'));
    const theirs = await miniport('inspect', ...qemu);
    expect(theirs.code).toBe(0);
    expect(behind(theirs.out)).toContain('codec 0: 1AF4:0022');
    const ours = await miniport('inspect', '--card', 'hda', '--codec', 'qemu-duplex');
    expect(behind(theirs.out)).toBe(behind(ours.out));
  });

  it('refuses codecs that QEMU has not, and says which it has', async () => {
    const { code, err } = await miniport('endpoints', ...qemu, '--codec', 'desktop');
    expect(code).toBe(2);
    expect(err).toContain(
      "QEMU has no card 'hda' with the codec 'desktop'. It has: qemu-duplex, qemu-micro, qemu-output. Or use --machine sim.",
    );
  });
});
