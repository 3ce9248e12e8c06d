import { existsSync, readFileSync, statSync, truncateSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { bytesOf, noise, same, soundIn } from './support/ac97-bench.ts';
import { buildProgram, miniport, readWav, startMiniport, TemporaryFolder, wavBytes } from './support/cli.ts';

const folder = new TemporaryFolder();
afterAll(() => folder[Symbol.dispose]());

const file48 = () => folder.wav('song48.wav', noise(2 * 24_000, 11), 48_000);
const file44 = () => folder.wav('song44.wav', noise(2 * 22_050, 12), 44_100);

/** Is there a program that draws Graphviz graphs? No: the grammar is checked here as far as it is used. */
function expectDot(text: string): void {
  const lines = text.trimEnd().split('\n');
  expect(lines[0]).toMatch(/^digraph \S+ \{$/);
  expect(lines.at(-1)).toBe('}');
  let depth = 0;
  for (const line of lines) {
    // Strings aside, braces and brackets must balance; a string may hold anything, with \" for a quote.
    const bare = line.replace(/"(?:[^"\\]|\\.)*"/g, '');
    expect(bare).not.toContain('"');
    for (const letter of bare) {
      if (letter === '{' || letter === '[') depth++;
      if (letter === '}' || letter === ']') depth--;
      expect(depth).toBeGreaterThanOrEqual(0);
    }
  }
  expect(depth).toBe(0);
}

describe('miniport play', () => {
  it.each(
    ([file48, file44] as const).flatMap((file, index) =>
      (['timer', 'event', 'packet'] as const).flatMap((mode) =>
        [3, 40, 500].map((ms) => [index === 0 ? '48 kHz' : '44.1 kHz', mode, ms, file] as const),
      ),
    ),
  )('plays %s bit-exact in %s mode with a buffer of %i ms', async (_rate, mode, ms, file) => {
    const input = file();
    const out = folder.file('out.wav');
    const {
      code,
      out: text,
      err,
    } = await miniport('play', input, '--out', out, '--mode', mode, '--buffer-ms', String(ms), '--json');
    expect(err).toBe('');
    const report = JSON.parse(text);
    expect(report).toMatchObject({
      card: 'ac97',
      machine: 'sim',
      endpoint: 'Speakers',
      mode,
      conversion: 'none',
      bitExact: true,
      glitches: 0,
      findings: [],
      leaks: '',
      interrupted: false,
    });
    expect(report.bufferMs).toBeGreaterThanOrEqual(ms);
    expect(code).toBe(0);
    const played = readWav(input);
    const recorded = readWav(out);
    expect(recorded).toMatchObject({ sampleRate: played.sampleRate, channels: 2 });
    expect(report.frames).toBe(played.samples.length / 2);
    const { sound, silentAfter } = soundIn(recorded.samples, played.samples.length);
    expect(same(bytesOf(sound), bytesOf(played.samples))).toBe(true);
    expect(silentAfter).toBe(true);
  });

  it('tells a person what it did', async () => {
    const out = folder.file('told.wav');
    const { code, out: text } = await miniport('play', file48(), '--out', out);
    expect(code).toBe(0);
    expect(text).toMatch(/^Played +0\.500 s of 48000 Hz, 2 channels, 16-bit$/m);
    expect(text).toMatch(/^Conversion +none: bit-exact$/m);
    expect(text).toMatch(/^Glitches +0$/m);
    expect(text).toMatch(/^Position +error 0\.\d+ ms at most/m);
    expect(text).toContain(out);
  });

  it('sets the volume and controls before it plays', async () => {
    const tone = new Int16Array(9600).fill(16_000);
    const out = folder.file('quiet.wav');
    const { code } = await miniport(
      'play',
      folder.wav('tone.wav', tone, 48_000),
      '--out',
      out,
      '--volume',
      '-6',
      '--set',
      'Wave Volume=-6',
    );
    expect(code).toBe(0);
    const { samples } = readWav(out);
    expect(samples.reduce((a, b) => Math.max(a, b))).toBe(Math.round(16_000 * 10 ** (-12 / 20)));
  });

  it('says what it converts, and that it is not bit-exact then', async () => {
    const mono = folder.wav('mono96.wav', noise(9600, 3), 96_000, 1);
    const { code, out } = await miniport('play', mono, '--json');
    expect(code).toBe(0);
    const report = JSON.parse(out);
    expect(report.bitExact).toBe(false);
    expect(report.conversion).toMatch(/96000 Hz.*48000 Hz.*resampled/);
    expect(report.output).toBeNull();
  });

  it('plays a truncated file as far as it goes, and warns', async () => {
    const whole = wavBytes(noise(2 * 4800, 4), 48_000);
    const cut = folder.write('cut.wav', whole.subarray(0, whole.length - 1001));
    const out = folder.file('cut-out.wav');
    const { code, err, out: text } = await miniport('play', cut, '--out', out, '--json');
    expect(code).toBe(0);
    expect(err).toMatch(/^Warning: .*cut\.wav: /);
    const frames = Math.floor((whole.length - 1001 - 44) / 4);
    expect(JSON.parse(text).frames).toBe(frames);
    const { sound } = soundIn(readWav(out).samples, frames * 2);
    expect(same(bytesOf(sound), whole.subarray(44, 44 + frames * 4))).toBe(true);
  });

  it('never overwrites what it reads', async () => {
    const path = folder.wav('precious.wav', noise(2 * 480, 8), 48_000);
    const before = readFileSync(path);
    for (const words of [
      ['play', path, '--out', path],
      ['play', path, '--trace', path],
      ['record', '--in', path, '--seconds', '1', '--out', path],
    ]) {
      const { code, err } = await miniport(...words);
      expect(code).toBe(2);
      expect(err).toMatch(/is the file that is read; give another name to --/);
    }
    // A bad card name is found before anything is made.
    const { code } = await miniport('play', file48(), '--out', path, '--card', 'nonsense');
    expect(code).toBe(2);
    expect(readFileSync(path).equals(before)).toBe(true);
  });
});

describe('miniport record', () => {
  it.each(
    (['line', 'mic'] as const).flatMap((pin) =>
      (['timer', 'event', 'packet'] as const).map((mode) => [pin, mode] as const),
    ),
  )('records the %s input bit-exact in %s mode', async (pin, mode) => {
    const channels = pin === 'mic' ? 1 : 2;
    const source = noise(channels * 48_000, 21);
    const input = folder.wav('jack.wav', source, 48_000, channels);
    const out = folder.file('take.wav');
    const {
      code,
      out: text,
      err,
    } = await miniport(
      'record',
      '--in',
      input,
      '--seconds',
      '0.4',
      '--out',
      out,
      '--pin',
      pin,
      '--mode',
      mode,
      '--buffer-ms',
      '15',
      '--json',
    );
    expect(err).toBe('');
    expect(code).toBe(0);
    expect(JSON.parse(text)).toMatchObject({ glitches: 0, findings: [], leaks: '', frames: 19_200 });
    const { samples, sampleRate } = readWav(out);
    expect(sampleRate).toBe(48_000);
    expect(samples.length).toBe(19_200 * channels);
    const at = Buffer.from(bytesOf(source)).indexOf(bytesOf(samples));
    expect(at).toBeGreaterThanOrEqual(0);
    expect(at % (2 * channels)).toBe(0);
  });

  it('keeps 44.1 kHz', async () => {
    const source = noise(2 * 44_100, 22);
    const out = folder.file('take44.wav');
    const { code } = await miniport(
      'record',
      '--in',
      folder.wav('jack44.wav', source, 44_100),
      '--seconds',
      '0.5',
      '--out',
      out,
    );
    expect(code).toBe(0);
    const { samples, sampleRate } = readWav(out);
    expect([sampleRate, samples.length]).toEqual([44_100, 44_100]);
    expect(Buffer.from(bytesOf(source)).indexOf(bytesOf(samples))).toBeGreaterThanOrEqual(0);
  });
});

describe('miniport shows what is there:', () => {
  it('cards', async () => {
    const { code, out } = await miniport('cards');
    expect(code).toBe(0);
    expect(out).toMatch(/^ac97 +PCI +AC97 +WaveRT, Topology +Intel 82801AA/m);
    const list = JSON.parse((await miniport('cards', '--json')).out);
    expect(list.find(({ name }: { name: string }) => name === 'ac97')).toMatchObject({
      bus: 'PCI',
      hardwareId: 'PCI\\VEN_8086&DEV_2415',
    });
  });

  it('endpoints', async () => {
    const { code, out } = await miniport('endpoints');
    expect(code).toBe(0);
    for (const name of ['Speakers', 'Headphones', 'Microphone', 'Line In', 'CD Audio'])
      expect(out).toContain(name);
    const list = JSON.parse((await miniport('endpoints', '--json')).out);
    const speakers = list.find(({ name }: { name: string }) => name === 'Speakers');
    expect(speakers).toMatchObject({ direction: 'render', state: 'active', mute: false, volumeDb: [0, 0] });
    expect(new Set(list.map(({ id }: { id: string }) => id)).size).toBe(list.length);
  });

  it('inspect, as text, as a graph and as JSON', async () => {
    const { code, out } = await miniport('inspect');
    expect(code).toBe(0);
    expect(out).toContain('PCM, up to 2 channels, 16 bits, 8000–48000 Hz');
    const { filters, codecs } = JSON.parse((await miniport('inspect', '--json')).out);
    expect(codecs).toEqual([]);
    expect(filters.map(({ reference }: { reference: string }) => reference).sort()).toEqual([
      'Topology',
      'Wave',
    ]);
    const dot = await miniport('inspect', '--dot');
    expect(dot.code).toBe(0);
    expectDot(dot.out);
    const both = await miniport('inspect', '--dot', '--json');
    expect(both).toMatchObject({ code: 2, out: '' });
    expect(both.err).toMatch(/exclude each other/);
  });

  it('control, to list, read and set', async () => {
    const all = await miniport('control');
    expect(all.code).toBe(0);
    expect(all.out).toMatch(/^Master Volume +0\.0 dB +-46\.5 … 0 dB, step 1\.5 dB/m);
    expect(all.out).toContain('Stereo Mix');
    const one = JSON.parse((await miniport('control', 'master volume', '--json')).out);
    expect(one).toHaveLength(1);
    expect(one[0]).toMatchObject({ name: 'Master Volume', kind: 'level', values: [0, 0], settable: true });
    const set = JSON.parse((await miniport('control', 'Master Volume', '-6,-3', '--json')).out);
    expect(set[0].values).toEqual([-6, -3]);
    expect(JSON.parse((await miniport('control', 'Master Mute', 'on', '--json')).out)[0].values).toEqual([
      1, 1,
    ]);
    const source = await miniport('control', 'Recording Source', 'CD Audio');
    expect(source.out).toContain('(CD Audio)');
    // Values that begin with a minus are no options.
    const quietest = await miniport('control', 'Wave Volume', '-inf', '--json');
    expect(JSON.parse(quietest.out)[0].values).toEqual([-34.5, -34.5]);
    expect(JSON.parse((await miniport('control', '--json', 'Wave Volume', '-6')).out)[0].values).toEqual([
      -6, -6,
    ]);
  });
});

describe('miniport trace', () => {
  let trace = '';
  beforeAll(async () => {
    trace = folder.file('run.trace');
    const { code } = await miniport('play', file48(), '--trace', trace, '--mode', 'event');
    expect(code).toBe(0);
  });

  it('prints the timeline', async () => {
    const { code, out } = await miniport('trace', trace);
    expect(code).toBe(0);
    expect(out).toMatch(/card ac97 on sim\): \d+ events in \d/);
    for (const kind of ['irp', 'ddi', 'register', 'dma', 'interrupt', 'dpc', 'pnp', 'state'])
      expect(out).toMatch(new RegExp(`^ +\\d+\\.\\d{7}  ${kind} `, 'm'));
    expect(out).toContain('IMiniportWaveRTStream::SetState');
  });

  it('filters by kind, device and time', async () => {
    const events = async (...words: string[]) => {
      const { code, out } = await miniport('trace', trace, '--json', ...words);
      expect(code).toBe(0);
      return out
        .split('\n')
        .filter((line) => line !== '')
        .map((line) => JSON.parse(line) as { kind: string; source: string; seconds: number });
    };
    const all = await events();
    const registers = await events('--kind', 'register,interrupt');
    expect(new Set(registers.map(({ kind }) => kind))).toEqual(new Set(['register', 'interrupt']));
    const device = await events('--device', 'AC97', '--from', '10ms', '--to', '0.05');
    expect(device.length).toBeGreaterThan(0);
    expect(device.length).toBeLessThan(all.length);
    for (const { source, seconds } of device) {
      expect(source.toLowerCase()).toContain('ac97');
      expect(seconds).toBeGreaterThanOrEqual(0.01);
      expect(seconds).toBeLessThanOrEqual(0.05);
    }
    expect(all.map(({ seconds }) => seconds)).toEqual(
      all.map(({ seconds }) => seconds).sort((a, b) => a - b),
    );
  });

  it('writes a trace that Perfetto reads: spans balance, times rise', async () => {
    const path = folder.file('run.json');
    const { code, out } = await miniport('trace', trace, '--perfetto', path);
    expect(code).toBe(0);
    expect(out).toMatch(/^\d+ events written to /);
    const { traceEvents } = JSON.parse(readFileSync(path, 'utf8')) as {
      traceEvents: { ph: string; ts?: number; tid: number; name: string }[];
    };
    const open: string[] = [];
    let last = 0;
    for (const { ph, ts, name } of traceEvents) {
      if (ph === 'M') continue;
      expect(ts).toBeGreaterThanOrEqual(last);
      last = ts ?? 0;
      if (ph === 'B') open.push(name);
      if (ph === 'E') expect(open.pop()).toBe(name);
    }
    expect(open).toEqual([]);
  });

  it('says what is wrong with a file, a kind or a time', async () => {
    const damaged = folder.write(
      'damaged.trace',
      `${readFileSync(trace, 'utf8').slice(0, 5000)}\n{"x":\n[1,2]\n`,
    );
    const other = folder.write('other.trace', 'hello\n');
    const newer = folder.write('newer.trace', '{"format":"miniport-trace","version":99}\n');
    for (const [words, message] of [
      [[folder.file('no.trace')], /there is no such file\. A trace is made by: miniport play/],
      [[damaged], /line \d+: not (JSON|a trace event)\. The file is damaged/],
      [[other], /is not a trace file/],
      [[newer], /version 99; this miniport reads version 1/],
      [[folder.path], /cannot be read/],
      [[trace, '--kind', 'nonsense'], /There is no kind of event 'nonsense'\. Kinds: irp, /],
      [[trace, '--from', 'soon'], /'soon' is not a time\. Write seconds/],
      [[trace, '--from', '2s', '--to', '1s'], /--to 1s is before --from 2s/],
      [[trace, '--perfetto', '/nonexistent/x.json'], /cannot be written: its folder does not exist/],
    ] as const) {
      const { code, err, out } = await miniport('trace', ...words);
      expect([words.join(' '), code]).toEqual([words.join(' '), 2]);
      expect(err).toMatch(/^miniport: /);
      expect(err).toMatch(message);
      expect(out).toBe('');
    }
  });
});

describe('miniport, used wrongly,', () => {
  const song = () => file48();
  const mistakes: readonly (readonly [words: () => string[], message: RegExp])[] = [
    [() => ['play', folder.file('no.wav')], /no\.wav cannot be read: there is no such file/],
    [() => ['play', folder.path], /cannot be read: it is a folder/],
    [
      () => ['play', folder.write('text.wav', 'This is a text, not a sound. '.repeat(10))],
      /text\.wav|no WAV|RIFF/i,
    ],
    [() => ['play', folder.write('empty.wav', '')], /The file holds 0 bytes; a WAV file has at least 44/],
    [
      () => ['play', folder.write('head.wav', wavBytes(noise(100), 48_000).subarray(0, 30))],
      /ends|cut|truncated|fmt/i,
    ],
    [() => ['play', song(), '--card', 'nonsense'], /There is no card 'nonsense'\. Cards: ac97/],
    [() => ['play', song(), '--buffer-ms', '2'], /number from 3 to 500 ms/],
    [() => ['play', song(), '--buffer-ms', '501'], /number from 3 to 500 ms/],
    [() => ['play', song(), '--buffer-ms', 'many'], /number from 3 to 500 ms/],
    [() => ['play', song(), '--mode', 'magic'], /timer, event, packet/],
    [() => ['play', song(), '--machine', 'abacus'], /sim, qemu/],
    [
      () => ['play', song(), '--out', '/nonexistent/out.wav'],
      /out\.wav cannot be written: its folder does not exist/,
    ],
    [() => ['play', song(), '--out', folder.path], /cannot be written: it is a folder/],
    [() => ['play', song(), '--trace', '/nonexistent/run.trace'], /trace cannot be written/],
    [
      () => ['play', song(), '--endpoint', 'Trumpet'],
      /There is no endpoint 'Trumpet' to play\. There is 'Speakers'/,
    ],
    [() => ['play', song(), '--set', 'Trumpet=1'], /There is no control 'Trumpet'/],
    [() => ['play', song(), '--set', 'Master Volume'], /Master Volume|CONTROL=VALUE/],
    [() => ['play', song(), '--set', 'Master Volume=loud'], /cannot be set to 'loud'/],
    [() => ['play', song(), '--volume', '-1000'], /number from -200 to 100 dB/],
    [() => ['play'], /missing required argument 'file.wav'/],
    [() => ['play', song(), '--nonsense'], /unknown option '--nonsense'/],
    [() => ['record', '--in', song(), '--seconds', '1'], /required option '--out/],
    [
      () => ['record', '--in', folder.file('no.wav'), '--seconds', '1', '--out', folder.file('x.wav')],
      /no such file/,
    ],
    [() => ['record', '--in', song(), '--seconds', '0', '--out', folder.file('x.wav')], /number from/],
    [
      () => ['record', '--in', song(), '--seconds', '1', '--out', '/nonexistent/x.wav'],
      /its folder does not exist/,
    ],
    [
      () => [
        'record',
        '--in',
        song(),
        '--seconds',
        '1',
        '--out',
        folder.file('x.wav'),
        '--endpoint',
        'Trumpet',
      ],
      /There is no endpoint 'Trumpet' to record/,
    ],
    [() => ['control', 'Trumpet'], /There is no control 'Trumpet'/],
    [() => ['control', 'Master Volume', '1,2,3'], /2 values; 3 were given/],
    [() => ['control', 'Master Mute', 'perhaps'], /takes on \| off/],
    [() => ['control', 'Recording Source', 'Trumpet'], /cannot be set to 'Trumpet'\. It takes 1 Microphone/],
    [() => ['endpoints', '--card', 'nonsense'], /There is no card 'nonsense'/],
    [() => ['inspect', '--card', 'nonsense'], /There is no card 'nonsense'/],
    [() => ['nonsense'], /There is no command 'nonsense'\. miniport --help lists/],
  ];

  it.each(mistakes.map(([words, message]) => [message, words] as const))(
    'says %s',
    async (message, words) => {
      const { code, err, out } = await miniport(...words());
      expect(err).toMatch(message);
      expect(code).toBe(2);
      expect(out).toBe('');
      // One message, no stack.
      expect(err).not.toMatch(/\n +at /);
      expect(err).not.toContain('defect of this program');
    },
  );
});

describe('miniport --help', () => {
  it('lists the commands, and explains each', async () => {
    const help = await miniport('--help');
    expect(help.code).toBe(0);
    const commands = [...help.out.matchAll(/^ {2}([a-z-]+) /gm)].map((match) => match[1] as string);
    for (const name of ['play', 'record', 'cards', 'endpoints', 'inspect', 'control', 'trace'])
      expect(commands).toContain(name);
    for (const name of commands) {
      const { code, out, err } = await miniport(...(name === 'help' ? ['help'] : [name, '--help']));
      expect([name, code, err]).toEqual([name, 0, '']);
      expect(out).toMatch(/^Usage: miniport/);
    }
    expect((await miniport('--version')).out).toMatch(/^\d+\.\d+\.\d+\n$/);
  });
});

describe('miniport as a program', () => {
  // Compiling takes its time on a machine that has other work.
  beforeAll(() => buildProgram(), 300_000);

  it('plays from standard input, and says nothing more than it is asked for', async () => {
    const { child, ended } = startMiniport(['play', '-', '--json', '--out', folder.file('piped.wav')]);
    const samples = noise(2 * 4800, 31);
    child.stdin?.end(wavBytes(samples, 48_000));
    const { code, out, err } = await ended;
    expect([code, err]).toEqual([0, '']);
    expect(JSON.parse(out).frames).toBe(4800);
    const { sound } = soundIn(readWav(folder.file('piped.wav')).samples, samples.length);
    expect(same(bytesOf(sound), bytesOf(samples))).toBe(true);
  });

  it.each(['play', 'record'])('Ctrl-C during %s leaves a valid file and exit code 130', async (command) => {
    const out = folder.file(`${command}-interrupted.wav`);
    // Hours of silence in a file of holes: nobody waits for its end.
    const endless = folder.wav('endless.wav', new Int16Array(0), 48_000);
    const head = readFileSync(endless);
    head.writeUInt32LE(0x7fff_ff00, 40);
    head.writeUInt32LE(0x7fff_ff24, 4);
    folder.write('endless.wav', head);
    truncateSync(endless, 0x7fff_ff00 + 44);
    const words =
      command === 'play'
        ? ['play', endless, '--out', out]
        : ['record', '--in', endless, '--seconds', '80000', '--out', out];
    const { child, ended } = startMiniport(words);
    // Until the recording has begun: then the run is under way.
    while (!existsSync(out) || statSync(out).size < 100_000)
      await new Promise((resolve) => setImmediate(resolve));
    child.kill('SIGINT');
    const { code, out: text, err } = await ended;
    expect(code).toBe(130);
    expect(err).toContain('Stopping');
    expect(text).toMatch(/\(interrupted\)/);
    const { samples, sampleRate } = readWav(out);
    expect(sampleRate).toBe(48_000);
    expect(samples.length).toBeGreaterThan(1000);
  });

  it('without a word plays its own piece of music, and says what to try next', async () => {
    const { code, out, err } = await startMiniport([], folder.path).ended;
    expect([code, err]).toEqual([0, '']);
    expect(out).toMatch(/^Conversion +none: bit-exact$/m);
    expect(out).toContain('What to try next');
    const { samples, sampleRate } = readWav(folder.file('out.wav'));
    expect(sampleRate).toBe(48_000);
    expect(samples.some((sample) => Math.abs(sample) > 8000)).toBe(true);
  });

  it('ends quietly when nobody reads on', async () => {
    const { child, ended } = startMiniport(['inspect', '--json']);
    child.stdout?.destroy();
    const { code, err } = await ended;
    expect([code, err]).toEqual([0, '']);
  });
});
