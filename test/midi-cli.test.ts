import { readFileSync } from 'node:fs';
import { afterAll, describe, expect, it } from 'vitest';
import { readMidiFile } from '../src/client/index.ts';
import { miniport, TemporaryFolder } from './support/cli.ts';
import { hardFile, keysHeard, SCALE, SCALE_SONG, scaleFile } from './support/midi-song.ts';

const folder = new TemporaryFolder();
afterAll(() => folder[Symbol.dispose]());

const input = () => folder.write('song.mid', scaleFile());

describe('miniport midi', () => {
  it('plays on the FM synthesizer and records the sound', async () => {
    const out = folder.file('song.wav');
    const { code, out: text, err } = await miniport('midi', input(), '--out', out);
    expect(err).toBe('');
    expect(code).toBe(0);
    expect(text).toMatch(/^Played {6}0:01 of MIDI\n/);
    expect(text).toContain('sb16 on sim, FM synthesizer');
    expect(text).toContain(
      `Events      ${SCALE_SONG.length} of ${SCALE_SONG.length}, 8 notes; voices stolen: 0`,
    );
    expect(keysHeard(out)).toEqual(SCALE);
  });

  it('plays on the nine voices of the AdLib card', async () => {
    const out = folder.file('adlib.wav');
    const { code, out: text, err } = await miniport('midi', input(), '--card', 'adlib', '--out', out);
    expect(err).toBe('');
    expect(code).toBe(0);
    expect(text).toContain('adlib on sim, FM synthesizer');
    expect(text).toContain('8 notes; voices stolen: 0');
    expect(keysHeard(out)).toEqual(SCALE);
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
      events: SCALE_SONG.length,
      notes: 8,
      voicesStolen: null,
      findings: [],
      leaks: '',
    });
    expect(report.latenessMs.max).toBeLessThan(1);
    const { events } = readMidiFile(readFileSync(out));
    expect(events.map(({ bytes }) => [...bytes])).toEqual(SCALE_SONG.map(({ bytes }) => [...bytes]));
    for (const [index, { time100ns }] of events.entries()) {
      expect(Math.abs(time100ns - (SCALE_SONG[index]?.time100ns ?? 0))).toBeLessThan(10_000);
    }
  });

  it('plays format 1 with tempo changes, running status and system exclusive messages in pieces', async () => {
    const { bytes, events } = hardFile();
    const out = folder.file('hard.mid');
    const { code, err } = await miniport('midi', folder.write('in.mid', bytes), '--out', out);
    expect(err).toMatch(/^Warning: .*: a chunk 'XFIH' was left out\.\n$/);
    expect(code).toBe(0);
    const left = readMidiFile(readFileSync(out)).events;
    const sent = events.flatMap(([, bytes]) => bytes);
    expect(left.flatMap(({ bytes }) => [...bytes])).toEqual(sent);
    const timesOf = (list: readonly (readonly [number, number])[]) => list.map(([time]) => time);
    const due = events.flatMap(([ms, bytes]) => bytes.map((byte) => [ms, byte] as const));
    const heard = left.flatMap(({ time100ns, bytes }) =>
      [...bytes].map((byte) => [time100ns / 10_000, byte] as const),
    );
    // Three bytes behind each other take the wire a millisecond.
    for (const [index, time] of timesOf(heard).entries()) {
      expect(time).toBeGreaterThanOrEqual(timesOf(due)[index] ?? 0);
      expect(time).toBeLessThan((timesOf(due)[index] ?? 0) + 4);
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
    [['--machine', 'qemu', '--live'], '--live works on --machine sim'],
    [['--card', 'adlib', '--synth', 'uart'], "The driver of 'adlib' has no MIDI port"],
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
