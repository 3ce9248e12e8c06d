import { describe, expect, it } from 'vitest';
import {
  audioFormat,
  bytesPerSecond,
  formatDot,
  formatFilters,
  MemoryPcmReader,
  MemoryPcmWriter,
} from '../src/client/index.ts';
import { ArraySource } from '../src/hardware/analog.ts';
import { Ac97Bench as Bench, bytesOf, noise, play, same, soundIn } from './support/ac97-bench.ts';

describe("an AC'97 card", () => {
  it('shows its endpoints, the preferred ones first', () => {
    using bench = new Bench();
    const endpoints = bench.audio.endpoints();
    expect(
      endpoints.map(({ name, direction, state }) => `${direction} ${name} ${state}`),
    ).toMatchInlineSnapshot(`
      [
        "render Speakers active",
        "render Headphones active",
        "render Mono Out active",
        "capture Microphone active",
        "capture Line In active",
        "capture CD Audio active",
        "capture Video active",
        "capture Aux active",
        "capture Phone Line active",
      ]
    `);
    expect(bench.audio.endpoint('render').name).toBe('Speakers');
    expect(bench.audio.endpoint('capture').name).toMatch(/mic/i);
    expect(bench.audio.endpoint('capture', 'phone').name).toBe('Phone Line');
    expect(() => bench.audio.endpoint('capture', 'line')).toThrow(/'line' may be 'Line In' or 'Phone Line'/);
    expect(() => bench.audio.endpoint('render', 'Trumpet')).toThrow(
      /There is no endpoint 'Trumpet' to play\. There is 'Speakers'/,
    );
  });

  it('is inspected as text and as a graph', () => {
    using bench = new Bench();
    const filters = bench.audio.inspect();
    expect(filters.map(({ reference }) => reference).sort()).toEqual(['Topology', 'Wave']);
    const text = formatFilters(filters);
    expect(text).toContain('PCM, up to 2 channels, 16 bits, 8000–48000 Hz (WAVEFORMATEX)');
    expect(text).toContain('KSPROPERTY_AUDIO_VOLUMELEVEL');
    expect(text).toContain('wired to pin');
    expect(formatDot(filters).match(/style=dashed/g)).toHaveLength(3);
  });

  it('takes volumes in dB and mutes by endpoint', () => {
    using bench = new Bench();
    const speakers = bench.audio.endpoint('render', 'Speakers');
    expect(speakers.volumeRange).toMatchObject({ maximumDb: 0, stepDb: 1.5, channels: 2 });
    speakers.setVolumeDb(-12);
    expect(speakers.getVolumeDb()).toEqual([-12, -12]);
    speakers.setVolumeDb([-3, -6]);
    expect(speakers.getVolumeDb()).toEqual([-3, -6]);
    speakers.setVolumeDb(-1000);
    expect(speakers.getVolumeDb()).toEqual([
      speakers.volumeRange!.minimumDb,
      speakers.volumeRange!.minimumDb,
    ]);
    speakers.setMute(true);
    expect(speakers.getMute()).toBe(true);
    speakers.setMute(false);
    expect(speakers.getMute()).toBe(false);
    expect(() => speakers.setVolumeDb([1, 2, 3])).toThrow(/has 2 channels; 3 values were given/);
  });

  it('has every control by name', () => {
    using bench = new Bench();
    const controls = bench.audio.controls();
    expect(new Set(controls.list.map(({ name }) => name)).size).toBe(controls.list.length);
    const selector = controls.list.find(({ kind }) => kind === 'selection')!;
    for (const { value } of selector.choices) {
      controls.set(selector, value);
      expect(controls.get(selector)).toEqual([value]);
    }
    expect(() => controls.set(selector, 99)).toThrow(/cannot select 99; there is 1 \(/);
    expect(() => controls.find('no such knob')).toThrow(/There is no control 'no such knob'/);
    for (const control of controls.list) {
      if (!control.set || control.kind === 'selection') continue;
      expect(controls.find(control.id)).toBe(control);
      const before = controls.get(control);
      controls.set(control, before);
      expect(controls.get(control)).toEqual(before);
    }
  });

  it('says which formats it takes', () => {
    using bench = new Bench();
    const speakers = bench.audio.endpoint('render', 'Speakers');
    expect(bench.audio.supportsFormat(speakers, audioFormat())).toBe(true);
    expect(bench.audio.supportsFormat(speakers, audioFormat({ sampleRate: 44100 }))).toBe(true);
    expect(bench.audio.supportsFormat(speakers, audioFormat({ sampleRate: 96000 }))).toBe(false);
    expect(bench.audio.supportsFormat(speakers, audioFormat({ channels: 6 }))).toBe(false);
    expect(bench.audio.supportsFormat(speakers, audioFormat({ encoding: 'float' }))).toBe(false);
  });
});

describe('playing on an AC’97 card', () => {
  const samples = noise(2 * 48000);

  it.each(
    (['timer', 'event', 'packet'] as const).flatMap((mode) =>
      [3, 5, 10, 21, 40, 100, 333, 500].map((bufferMs) => [mode, bufferMs] as const),
    ),
  )('is bit-exact in %s mode with a buffer of %i ms', (mode, bufferMs) => {
    using bench = new Bench();
    const statistics = play(bench, samples, mode, bufferMs);
    const { sound, silentAfter } = soundIn(bench.lineOut.samples, samples.length);
    expect(same(bytesOf(sound), bytesOf(samples))).toBe(true);
    expect(silentAfter).toBe(true);
    expect(statistics).toMatchObject({ glitches: 0, frames: 48000 });
    expect(statistics.bufferMs).toBeGreaterThanOrEqual(bufferMs);
    expect(statistics.clockFit.rateHz / 48000).toBeCloseTo(1, 3);
  });

  it.each([8000, 11025, 22050, 32000, 44100])('keeps the rate of the file: %i Hz', (sampleRate) => {
    using bench = new Bench();
    play(bench, samples.subarray(0, 2 * 8000), 'timer', 20, sampleRate);
    const take = bench.lineOut.takes.at(-1)!;
    expect(take.format.sampleRate).toBe(sampleRate);
    expect(
      same(bytesOf(soundIn(take.samples as Int16Array, 16000).sound), bytesOf(samples.subarray(0, 16000))),
    ).toBe(true);
  });

  it('converts what the card does not take', () => {
    using bench = new Bench();
    const format = audioFormat({ sampleRate: 96000, channels: 1, encoding: 'float' });
    const source = new MemoryPcmReader(format, new Uint8Array(new Float32Array(96000).fill(0.5).buffer));
    const stream = bench.audio.openRender(bench.audio.endpoint('render'), { source });
    expect(bench.audio.describeConversion(stream, format)).toMatch(
      /→ 48000 Hz, \d channels?, 16-bit: resampled/,
    );
    stream.start();
    expect(bench.run(() => stream.ended)).toBe(true);
    expect(stream.statistics().frames).toBe(48000);
    const recorded = bench.lineOut.samples;
    expect(recorded[recorded.length >> 1]).toBe(16384);
  });

  it('plays nothing, and one frame', () => {
    for (const frames of [0, 1]) {
      for (const mode of ['timer', 'event', 'packet'] as const) {
        using bench = new Bench();
        const few = noise(2 * frames, 5);
        play(bench, few, mode, 20);
        expect(same(bytesOf(soundIn(bench.lineOut.samples, 2 * frames).sound), bytesOf(few))).toBe(true);
      }
    }
  });

  it('goes on after pauses without losing a sample', () => {
    using bench = new Bench();
    const source = new MemoryPcmReader(audioFormat(), bytesOf(samples));
    const stream = bench.audio.openRender(bench.audio.endpoint('render'), { source, bufferMs: 30 });
    stream.start();
    for (let i = 0; i < 5; i++) {
      bench.run(() => stream.ended, 0.1237);
      stream.pause();
      bench.run(() => false, 0.05);
      stream.resume();
    }
    expect(bench.run(() => stream.ended)).toBe(true);
    const heard = bench.lineOut.samples.filter((sample) => sample !== 0);
    expect(same(bytesOf(heard), bytesOf(samples))).toBe(true);
  });

  it('can be stopped, and another stream opened', () => {
    using bench = new Bench();
    const endpoint = bench.audio.endpoint('render');
    const source = new MemoryPcmReader(audioFormat(), bytesOf(samples));
    const stream = bench.audio.openRender(endpoint, { source });
    stream.start();
    bench.run(() => false, 0.2);
    expect(() => bench.audio.openRender(endpoint, { source })).toThrow(/STATUS_/);
    stream.stop();
    expect(stream.state).toBe('ended');
    stream.close();
    const statistics = play(bench, samples.subarray(0, 4800), 'event', 20);
    expect(statistics.glitches).toBe(0);
  });

  it('is quieter when asked to be', () => {
    using bench = new Bench();
    const source = new MemoryPcmReader(audioFormat(), bytesOf(new Int16Array(9600).fill(10_000)));
    const stream = bench.audio.openRender(bench.audio.endpoint('render'), { source, volumeDb: -6 });
    stream.start();
    bench.run(() => stream.ended);
    expect(bench.lineOut.samples[4800]).toBeCloseTo(5012, -1);
  });
});

describe('recording on an AC’97 card', () => {
  const samples = noise(2 * 48000, 99);
  const line = () =>
    new ArraySource(samples, { sampleRate: 48000, channels: 2 }, { startTick: 0, loop: true });

  it.each(
    (['timer', 'event', 'packet'] as const).flatMap((mode) =>
      [3, 10, 50, 500].map((bufferMs) => [mode, bufferMs] as const),
    ),
  )('is gap-free in %s mode with a buffer of %i ms', (mode, bufferMs) => {
    using bench = new Bench({ card: { lineIn: line() } });
    const sink = new MemoryPcmWriter(audioFormat());
    const stream = bench.audio.openCapture(bench.audio.endpoint('capture', 'Line In'), {
      sink,
      mode,
      bufferMs,
      frames: 20_000,
    });
    stream.start();
    expect(bench.run(() => stream.ended)).toBe(true);
    expect(stream.error).toBe(null);
    expect(stream.statistics()).toMatchObject({ glitches: 0, frames: 20_000 });
    expect(sink.frameCount).toBe(20_000);
    const twice = Buffer.concat([bytesOf(samples), bytesOf(samples)]);
    expect(twice.indexOf(sink.bytes) % 4).toBe(0);
  });

  it('selects the endpoint’s own source', () => {
    const level = (value: number) =>
      new ArraySource(new Int16Array(9600).fill(value), { sampleRate: 48000, channels: 2 }, { loop: true });
    using bench = new Bench({ card: { lineIn: level(1000), cdIn: level(2000) } });
    for (const [name, expected] of [
      ['CD Audio', 2000],
      ['Line In', 1000],
    ] as const) {
      const sink = new MemoryPcmWriter(audioFormat());
      const endpoint = bench.audio
        .endpoints()
        .find(
          (one) =>
            one.direction === 'capture' && one.name.toLowerCase().startsWith(name.toLowerCase().slice(0, 2)),
        )!;
      using stream = bench.audio.openCapture(endpoint, { sink, frames: 4800 });
      stream.start();
      expect(bench.run(() => stream.ended)).toBe(true);
      expect(new DataView(sink.bytes.buffer).getInt16(9600, true)).toBe(expected);
    }
  });

  it('records into another format, to the frame', () => {
    using bench = new Bench({ card: { lineIn: line() } });
    const sink = new MemoryPcmWriter(audioFormat({ sampleRate: 96000, channels: 1 }));
    const stream = bench.audio.openCapture(bench.audio.endpoint('capture', 'Line In'), {
      sink,
      frames: 12_345,
    });
    stream.start();
    expect(bench.run(() => stream.ended)).toBe(true);
    expect(sink.frameCount).toBe(12_345);
  });
});

describe('several streams', () => {
  it('play and record at once', () => {
    const samples = noise(2 * 48000, 7);
    const lineIn = new ArraySource(samples, { sampleRate: 48000, channels: 2 }, { startTick: 0, loop: true });
    using bench = new Bench({ card: { lineIn } });
    const source = new MemoryPcmReader(audioFormat(), bytesOf(samples));
    const sink = new MemoryPcmWriter(audioFormat());
    const player = bench.audio.openRender(bench.audio.endpoint('render'), {
      source,
      mode: 'event',
      bufferMs: 10,
    });
    const recorder = bench.audio.openCapture(bench.audio.endpoint('capture', 'Line In'), {
      sink,
      frames: 30_000,
      bufferMs: 30,
    });
    player.start();
    recorder.start();
    expect(bench.run(() => player.ended && recorder.ended)).toBe(true);
    expect(player.statistics().glitches + recorder.statistics().glitches).toBe(0);
    expect(Buffer.concat([bytesOf(samples), bytesOf(samples)]).indexOf(sink.bytes)).toBeGreaterThanOrEqual(0);
  });

  it('end with a readable error when the card is pulled out', () => {
    using bench = new Bench();
    const source = new MemoryPcmReader(audioFormat(), new Uint8Array(bytesPerSecond(audioFormat()) * 10));
    const stream = bench.audio.openRender(bench.audio.endpoint('render'), { source });
    stream.start();
    bench.run(() => false, 0.5);
    bench.unplug();
    expect(bench.run(() => stream.ended, 5)).toBe(true);
    expect(stream.state).toBe('failed');
    expect(stream.error?.message).toMatch(/^Speakers: /);
    stream.close();
    expect(bench.audio.endpoints()).toEqual([]);
  });
});
