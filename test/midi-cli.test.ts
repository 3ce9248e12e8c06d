import { readFileSync } from 'node:fs';
import { afterAll, describe, expect, it } from 'vitest';
import { readMidiFile, type TimedMidi, writeMidiFile } from '../src/client/index.ts';
import { miniport, readWav, TemporaryFolder } from './support/cli.ts';
import { amplitudeAt } from './support/midi-bench.ts';

const folder = new TemporaryFolder();
afterAll(() => folder[Symbol.dispose]());

const at = (ms: number, ...bytes: number[]): TimedMidi => ({
  time100ns: ms * 10_000,
  bytes: Uint8Array.from(bytes),
});

/** A scale, one note every 200 ms. */
const SCALE = [60, 62, 64, 65, 67, 69, 71, 72];
const song = [
  at(0, 0xf0, 0x7e, 0x7f, 0x09, 0x01, 0xf7),
  at(20, 0xc0, 80),
  ...SCALE.flatMap((key, index) => [
    at(100 + index * 200, 0x90, key, 110),
    at(280 + index * 200, 0x80, key, 0),
  ]),
];
const input = () => folder.write('song.mid', writeMidiFile(song));

describe('miniport midi', () => {
  it('plays on the FM synthesizer and records the sound', async () => {
    const out = folder.file('song.wav');
    const { code, out: text, err } = await miniport('midi', input(), '--out', out);
    expect(err).toBe('');
    expect(code).toBe(0);
    expect(text).toMatch(/^Played {6}0:01 of MIDI\n/);
    expect(text).toContain('sb16 on sim, FM synthesizer');
    expect(text).toContain(`Events      ${song.length} of ${song.length}, 8 notes; voices stolen: 0`);
    const { samples, channels, sampleRate } = readWav(out);
    const left = Float64Array.from(
      { length: samples.length / channels },
      (_, frame) => (samples[frame * channels] ?? 0) / 32_768,
    );
    // Every note is louder than its neighbours in its own time.
    const begins = left.findIndex((sample) => Math.abs(sample) > 0.001) / sampleRate;
    for (const [index, key] of SCALE.entries()) {
      const from = Math.round((begins + 0.05 + index * 0.2) * sampleRate);
      const piece = left.subarray(from, from + Math.round(0.1 * sampleRate));
      const heard = SCALE.map((other) => amplitudeAt(piece, 440 * 2 ** ((other - 69) / 12), sampleRate));
      expect(SCALE[heard.indexOf(Math.max(...heard))]).toBe(key);
    }
  });

  it('sends to the MIDI connector and records the bytes with their times', async () => {
    const out = folder.file('out.mid');
    const {
      code,
      out: text,
      err,
    } = await miniport('midi', input(), '--synth', 'uart', '--out', out, '--json');
    expect(err).toBe('');
    expect(code).toBe(0);
    const report = JSON.parse(text);
    expect(report).toMatchObject({
      events: song.length,
      notes: 8,
      voicesStolen: null,
      findings: [],
      leaks: '',
    });
    expect(report.latenessMs.max).toBeLessThan(1);
    const { events } = readMidiFile(readFileSync(out));
    expect(events.map(({ bytes }) => [...bytes])).toEqual(song.map(({ bytes }) => [...bytes]));
    for (const [index, { time100ns }] of events.entries()) {
      expect(Math.abs(time100ns - (song[index]?.time100ns ?? 0))).toBeLessThan(10_000);
    }
  });

  it('takes the synthesizer from the name of the output', async () => {
    const { code, out } = await miniport('midi', input(), '--out', folder.file('again.mid'), '--json');
    expect(code).toBe(0);
    expect(JSON.parse(out).synth).toBe('uart');
  });

  it('writes a timeline', async () => {
    const trace = folder.file('midi.trace');
    expect((await miniport('midi', input(), '--trace', trace)).code).toBe(0);
    const { out } = await miniport('trace', trace);
    expect(out).toContain('IMiniportMidiStream::Write');
  });

  it.each([
    [['--synth', 'fm', '--out', 'x.mid'], 'must be a WAV file'],
    [['--synth', 'uart', '--out', 'x.wav'], 'must be a MIDI file'],
    [['--synth', 'uart', '--live'], '--live plays sound'],
    [['--card', 'ac97'], "The driver of 'ac97' has no FM synthesizer"],
    [['--card', 'nothing'], "There is no card 'nothing'"],
    [['--out', '/nowhere/out.wav'], 'its folder does not exist'],
  ])('refuses %j with a sentence', async (words, message) => {
    const { code, err } = await miniport('midi', input(), ...words);
    expect(code).toBe(2);
    expect(err).toContain(message);
  });

  it('refuses files that are none, and does not overwrite its input', async () => {
    const missing = await miniport('midi', folder.file('missing.mid'));
    expect([missing.code, missing.err]).toEqual([2, expect.stringContaining('there is no such file')]);
    const text = await miniport(
      'midi',
      folder.write('text.mid', new TextEncoder().encode('not a MIDI file at all')),
    );
    expect([text.code, text.err]).toEqual([2, expect.stringContaining("does not begin with 'MThd'")]);
    const file = input();
    const same = await miniport('midi', file, '--synth', 'uart', '--out', file);
    expect([same.code, same.err]).toEqual([2, expect.stringContaining('is the file that is read')]);
  });
});
