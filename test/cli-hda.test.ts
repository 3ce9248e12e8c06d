import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';
import { noise } from './support/ac97-bench.ts';
import { miniport, readWav, TemporaryFolder } from './support/cli.ts';

const folder = new TemporaryFolder();
afterAll(() => folder[Symbol.dispose]());

/** Of a WAV file: what the header says, and the samples as they are. */
interface WavFile {
  readonly sampleRate: number;
  readonly channels: number;
  readonly bits: number;
  readonly mask: number | null;
  readonly data: Buffer;
}

/** WAVEFORMATEXTENSIBLE, PCM, written by its layout (mmreg.h). */
function extensibleWav({ sampleRate, channels, bits, mask, data }: WavFile): Buffer {
  const head = Buffer.alloc(68);
  head.write('RIFF', 0, 'latin1');
  head.writeUInt32LE(60 + data.length + (data.length % 2), 4);
  head.write('WAVEfmt ', 8, 'latin1');
  head.writeUInt32LE(40, 16);
  head.writeUInt16LE(0xfffe, 20);
  head.writeUInt16LE(channels, 22);
  head.writeUInt32LE(sampleRate, 24);
  head.writeUInt32LE((sampleRate * channels * bits) / 8, 28);
  head.writeUInt16LE((channels * bits) / 8, 32);
  head.writeUInt16LE(bits, 34);
  head.writeUInt16LE(22, 36);
  head.writeUInt16LE(bits, 38);
  head.writeUInt32LE(mask ?? 0, 40);
  Buffer.from('0100000000001000800000aa00389b71', 'hex').copy(head, 44);
  head.write('data', 60, 'latin1');
  head.writeUInt32LE(data.length, 64);
  return Buffer.concat([head, data, Buffer.alloc(data.length % 2)]);
}

function wavFile(path: string): WavFile {
  const bytes = readFileSync(path);
  let head: Omit<WavFile, 'data'> | null = null;
  for (let at = 12; at + 8 <= bytes.length; ) {
    const tag = bytes.toString('latin1', at, at + 4);
    const size = bytes.readUInt32LE(at + 4);
    if (tag === 'fmt ') {
      const isExtensible = bytes.readUInt16LE(at + 8) === 0xfffe;
      head = {
        channels: bytes.readUInt16LE(at + 10),
        sampleRate: bytes.readUInt32LE(at + 12),
        bits: bytes.readUInt16LE(at + 22),
        mask: isExtensible ? bytes.readUInt32LE(at + 28) : null,
      };
    }
    if (tag === 'data' && head) return { ...head, data: bytes.subarray(at + 8, at + 8 + size) };
    at += 8 + size + (size % 2);
  }
  throw new Error(`${path} has no data`);
}

/** Noise that begins and ends with sound. */
function noiseBytes(length: number, seed: number): Buffer {
  const bytes = Buffer.from(noise(Math.ceil(length / 2), seed).buffer).subarray(0, length);
  bytes.fill(0x55, 0, Math.min(32, length));
  bytes.fill(0x2a, Math.max(0, length - 32));
  return bytes;
}

const STEREO = 0x3;
const FIVE_ONE = 0x3f;
const FIVE_ONE_SIDE = 0x60f;
const SEVEN_ONE = 0x63f;

/** Plays the file on the HDA card; what came out must be what went in, in the same layout, with silence behind. */
async function playedExactly(file: WavFile, ...words: string[]): Promise<void> {
  const input = folder.write('in.wav', extensibleWav(file));
  const out = folder.file('out.wav');
  const run = await miniport('play', input, '--card', 'hda', '--out', out, '--json', ...words);
  expect(run.err).toBe('');
  expect(run.code).toBe(0);
  expect(JSON.parse(run.out)).toMatchObject({
    card: 'hda',
    bitExact: true,
    glitches: 0,
    findings: [],
    leaks: '',
  });
  const { data, ...layout } = wavFile(out);
  const { data: wanted, ...wantedLayout } = file;
  expect({ ...layout, mask: layout.mask ?? wantedLayout.mask }).toEqual(wantedLayout);
  const at = data.findIndex((byte) => byte !== 0);
  const start = at - (at % ((file.channels * file.bits) / 8));
  expect(data.subarray(start, start + wanted.length).equals(wanted)).toBe(true);
  expect(data.subarray(start + wanted.length).every((byte) => byte === 0)).toBe(true);
}

function stereoSong(name = 'song.wav', seconds = 0.5): string {
  return folder.wav(name, noise(2 * Math.round(48_000 * seconds), 5), 48_000);
}

describe('miniport play --card hda', () => {
  it.each([
    ['5.1', 48_000, 6, 16, FIVE_ONE],
    ['5.1 with side speakers', 48_000, 6, 24, FIVE_ONE_SIDE],
    ['7.1 of 24 bits', 96_000, 8, 24, SEVEN_ONE],
    ['7.1 at 192 kHz', 192_000, 8, 24, SEVEN_ONE],
    ['stereo of 24 bits', 44_100, 2, 24, STEREO],
    ['stereo of 16 bits', 192_000, 2, 16, STEREO],
  ])('plays %s bit by bit into a file of the same layout', async (_, sampleRate, channels, bits, mask) => {
    const data = noiseBytes((sampleRate / 5) * channels * (bits / 8), 3);
    await playedExactly({ sampleRate, channels, bits, mask, data });
  });

  it('plays whatever a codec can, bit by bit (property)', async () => {
    const layouts = fc.constantFrom(
      { channels: 2, mask: STEREO },
      { channels: 6, mask: FIVE_ONE },
      { channels: 8, mask: SEVEN_ONE },
    );
    const rates = fc.constantFrom(44_100, 48_000, 88_200, 96_000, 176_400, 192_000);
    const modes = fc.constantFrom('timer', 'event', 'packet');
    const codecs = fc.constantFrom(['desktop', 'ich6'], ['hdmi', 'ich9']);
    await fc.assert(
      fc.asyncProperty(
        layouts,
        rates,
        fc.constantFrom(16, 24),
        modes,
        codecs,
        fc.integer({ min: 100, max: 9000 }),
        async ({ channels, mask }, sampleRate, bits, mode, [codec = '', controller = ''], frames) => {
          const data = noiseBytes(frames * channels * (bits / 8), frames);
          const words = ['--mode', mode, '--codec', codec, '--controller', controller];
          await playedExactly({ sampleRate, channels, bits, mask, data }, ...words);
        },
      ),
      { numRuns: 12 },
    );
  });

  it('tells what the card is made of and what was recorded', async () => {
    const out = folder.file('told.wav');
    const run = await miniport('play', stereoSong(), '--card', 'hda', '--out', out);
    expect(run.code).toBe(0);
    expect(run.out).toContain('hda (codec desktop, controller ich6) on sim, Speakers');
    expect(run.out).toMatch(/told\.wav \(0\.\d+ s of 48000 Hz, 2 channels, 16-bit\)/);
  });

  it.each([
    ['Headphones', 2],
    ['S/PDIF Out', 2],
    ['Internal Speakers', 1],
  ])('records at the output that the endpoint %s leads to', async (endpoint, channels) => {
    const out = folder.file('out.wav');
    const run = await miniport('play', stereoSong(), '--card', 'hda', '--endpoint', endpoint, '--out', out);
    expect([run.err, run.code]).toEqual(['', 0]);
    const played = readWav(out);
    expect(played.channels).toBe(channels);
    expect(played.samples.some((sample) => sample !== 0)).toBe(true);
  });

  it('a codec or controller that there is not, or a card without any, is an error that says what there is', async () => {
    const song = stereoSong();
    const codec = await miniport('play', song, '--card', 'hda', '--codec', 'alc880');
    expect([codec.code, codec.out]).toEqual([2, '']);
    expect(codec.err).toContain(
      "The card 'hda' has no codec 'alc880'. It comes with: desktop, hdmi, qemu-duplex, qemu-micro, qemu-output.",
    );
    const controller = await miniport('endpoints', '--card', 'hda', '--controller', 'ich10');
    expect(controller.err).toContain("has no controller 'ich10'. It comes with: ich6, ich9.");
    const other = await miniport('inspect', '--card', 'ac97', '--codec', 'desktop');
    expect(other.code).toBe(2);
    expect(other.err).toContain("--codec: the card 'ac97' comes in one way only");
    expect(other.err).toContain('hda');
  });
});

describe('miniport record --card hda', () => {
  it.each([
    ['line', 16, []],
    ['mic', 16, []],
    ['line', 24, []],
    ['line', 16, ['--endpoint', 'Front Microphone']],
    ['mic', 16, ['--codec', 'qemu-micro']],
  ])('records what is at --pin %s, %i bits, %s, bit by bit', async (pin, bits, words) => {
    const sampleRate = 48_000;
    const data = noiseBytes(sampleRate * 2 * (bits / 8), 8);
    const input = folder.write(
      'in.wav',
      extensibleWav({ sampleRate, channels: 2, bits, mask: STEREO, data }),
    );
    const out = folder.file('take.wav');
    const options = [
      '--card',
      'hda',
      '--in',
      input,
      '--seconds',
      '0.5',
      '--pin',
      pin,
      '--out',
      out,
      '--json',
    ];
    const run = await miniport('record', ...options, ...words);
    expect([run.err, run.code]).toEqual(['', 0]);
    expect(JSON.parse(run.out)).toMatchObject({ bitExact: true, glitches: 0, findings: [], leaks: '' });
    const take = wavFile(out);
    expect([take.sampleRate, take.channels, take.bits]).toEqual([sampleRate, 2, bits]);
    expect(take.data.length).toBe(24_000 * 2 * (bits / 8));
    const at = take.data.findIndex((byte) => byte !== 0);
    const start = at - (at % (2 * (bits / 8)));
    expect(take.data.subarray(start).equals(data.subarray(0, take.data.length - start))).toBe(true);
  });
});

describe('miniport --plug and --unplug', () => {
  it('pull a jack and put it back while the stream runs: silence in between, and the driver tells', async () => {
    const out = folder.file('out.wav');
    const trace = folder.file('run.trace');
    const run = await miniport(
      ...['play', folder.wav('tone.wav', new Int16Array(2 * 48_000).fill(1000), 48_000)],
      ...['--card', 'hda', '--out', out, '--trace', trace, '--json'],
      ...['--unplug', 'front@0.2', '--plug', 'Front @ 0.4'],
    );
    expect([run.err, run.code]).toEqual(['', 0]);
    const { jackEvents } = JSON.parse(run.out);
    expect(jackEvents.map(({ by, text }: { by: string; text: string }) => [by, text])).toEqual([
      ['hand', 'front unplugged'],
      ['driver', 'Speakers: rear #b6ff00 empty'],
      ['hand', 'front plugged'],
      ['driver', 'Speakers: rear #b6ff00 plugged'],
    ]);
    const [pulled, told, back] = jackEvents.map(({ seconds }: { seconds: number }) => seconds);
    expect(pulled).toBeCloseTo(0.2, 6);
    expect(told - pulled).toBeLessThan(0.001);
    expect(back).toBeCloseTo(0.4, 6);
    const { samples } = readWav(out);
    const at = (seconds: number) => samples[2 * Math.round(seconds * 48_000)];
    expect([at(0.1), at(0.3), at(0.6)]).toEqual([1000, 0, 1000]);
    const listed = await miniport('trace', trace, '--kind', 'client');
    expect(listed.out).toMatch(/front unplugged/);
    expect(listed.out).toMatch(/Speakers: rear #b6ff00 empty/);
  });

  it('stand in the report for people', async () => {
    const run = await miniport('play', stereoSong(), '--card', 'hda', '--unplug', 'headphone@0.1');
    expect(run.out).toMatch(/^Jacks +0\.100000 s {2}headphone unplugged$/m);
    expect(run.out).toMatch(/^Jacks +0\.1\d+ s {2}the driver tells: Headphones: front #b6ff00 empty$/m);
  });

  it('an input jack that is pulled gives silence', async () => {
    const input = folder.wav('tone.wav', new Int16Array(2 * 48_000).fill(1000), 48_000);
    const out = folder.file('take.wav');
    const words = [
      '--card',
      'hda',
      '--in',
      input,
      '--seconds',
      '0.6',
      '--out',
      out,
      '--unplug',
      'line-in@0.3',
    ];
    const run = await miniport('record', ...words, '--json');
    expect([run.err, run.code]).toEqual(['', 0]);
    expect(JSON.parse(run.out).jackEvents.at(-1).text).toBe('Line In: rear #008cff empty');
    const { samples } = readWav(out);
    expect([samples[2 * 12_000], samples[2 * 20_000]]).toEqual([1000, 0]);
  });

  it('without a time the jack is empty from the beginning, in endpoints, too', async () => {
    const out = folder.file('silent.wav');
    const run = await miniport(
      'play',
      stereoSong(),
      '--card',
      'hda',
      '--unplug',
      'front',
      '--out',
      out,
      '--json',
    );
    expect([run.err, run.code]).toEqual(['', 0]);
    expect(JSON.parse(run.out).jackEvents).toEqual([]);
    expect(readWav(out).samples.every((sample) => sample === 0)).toBe(true);
    const list = await miniport(
      'endpoints',
      '--card',
      'hda',
      '--unplug',
      'headphone',
      '--unplug',
      'front',
      '--json',
    );
    const states = JSON.parse(list.out).map(({ name, state }: { name: string; state: string }) => [
      name,
      state,
    ]);
    expect(states).toContainEqual(['Headphones', 'unplugged']);
    expect(states).toContainEqual(['Speakers', 'active']);
    const table = await miniport('endpoints', '--card', 'hda', '--unplug', 'front');
    expect(table.out).toContain('4 jacks, rear, 3.5 mm jack: #b6ff00, empty; #ffa500');
  });

  it('a jack that there is not says which there are', async () => {
    const { code, err } = await miniport('play', stereoSong(), '--card', 'hda', '--unplug', 'rear@1');
    expect(code).toBe(2);
    expect(err).toContain(
      "--unplug 'rear@1': the card 'hda' has no jack 'rear'. It has: front (Front: line out, green, rear)",
    );
    expect(err).toContain('headphone (');
  });

  it('times, cards and machines on which they mean nothing are refused with a remedy', async () => {
    const song = stereoSong();
    const time = await miniport('play', song, '--card', 'hda', '--unplug', 'front@soon');
    expect([time.code, time.err]).toEqual([
      2,
      expect.stringContaining("'soon' is no time. Write JACK@SECONDS"),
    ]);
    const card = await miniport('play', song, '--unplug', 'front@1');
    expect([card.code, card.err]).toEqual([2, expect.stringContaining('Cards that do: hda')]);
    const machine = await miniport('play', song, '--card', 'hda', '--machine', 'qemu', '--plug', 'front@1');
    expect([machine.code, machine.err]).toEqual([2, expect.stringContaining('Use --machine sim')]);
  });

  it('a time behind the end of the stream is said to be', async () => {
    const { code, err } = await miniport('play', stereoSong(), '--card', 'hda', '--unplug', 'front@9');
    expect(code).toBe(0);
    expect(err).toContain("Warning: --unplug 'front@9': the stream was over before");
  });
});

describe('what miniport shows of the HDA card', () => {
  it('cards lists what can be chosen, as text and as JSON', async () => {
    const text = (await miniport('cards')).out;
    expect(text).toContain('--card hda --codec');
    expect(text).toMatch(/^qemu-duplex +yes +standard on qemu +QEMU's hda-duplex/m);
    expect(text).toMatch(/^ich9 +yes/m);
    const list = JSON.parse((await miniport('cards', '--json')).out);
    const hda = list.find(({ name }: { name: string }) => name === 'hda');
    expect(hda.options.map(({ name }: { name: string }) => name)).toEqual(['codec', 'controller']);
    expect(hda).toMatchObject({ qemuDevice: 'hda-duplex', bus: 'PCI' });
  });

  it('inspect has the widgets as the driver set them, and the widgets of each node', async () => {
    const { code, out } = await miniport('inspect', '--card', 'hda');
    expect(code).toBe(0);
    expect(out).toContain('Filter Topology');
    expect(out).toContain('Behind Topology, as the driver has read and set it');
    expect(out).toMatch(/^ {2}1Bh pin: .*jack front green 3\.5 mm headphone.*OUT HP, plugged, D0$/m);
    expect(out).toMatch(/^\d+ +KSNODETYPE_MUTE +Speakers Mute +14h, 16h, 15h, 17h$/m);
    const empty = await miniport('inspect', '--card', 'hda', '--unplug', 'headphone');
    expect(empty.out).toMatch(/^ {2}1Bh pin: .*OUT HP, empty, D0$/m);
  });

  it('inspect draws both graphs in one picture, and has both in JSON', async () => {
    const dot = (await miniport('inspect', '--card', 'hda', '--dot')).out;
    expect(dot.match(/digraph/g)).toHaveLength(1);
    expect(dot).toContain('label="codec 0"');
    expect(dot).toMatch(/h0p2 -> h0p12;/);
    expect(dot).toMatch(/f\d+n\d+ -> h0p2 \[style=dotted/);
    const { filters, codecs } = JSON.parse((await miniport('inspect', '--card', 'hda', '--json')).out);
    expect(filters).toHaveLength(2);
    expect(codecs).toHaveLength(1);
    expect(codecs[0].graph.functionGroups[0].widgets).toHaveLength(34);
    expect(codecs[0].settings['20'].present).toBe(true);
  });

  it('controls are set and kept', async () => {
    const { code, out } = await miniport('control', 'Speakers Volume', '-6', '--card', 'hda');
    expect(code).toBe(0);
    expect(out).toMatch(/^Speakers Volume +-6\.0 dB/m);
    const quiet = folder.file('quiet.wav');
    await miniport('play', stereoSong(), '--card', 'hda', '--out', quiet, '--volume', '-20');
    const loudest = readWav(quiet).samples.reduce((most, sample) => Math.max(most, Math.abs(sample)), 0);
    expect(loudest).toBeGreaterThan(0);
    expect(loudest).toBeLessThan(3300);
  });
});
