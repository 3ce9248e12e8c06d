import fc from 'fast-check';
import { beforeEach, describe, expect, test } from 'vitest';
import type { PcmFormat } from '../../hal/bus.ts';
import { ArraySource, MemorySink, ToneSource } from '../analog.ts';
import { SampleClock } from '../sample-clock.ts';
import { Ac97Codec } from './ac97-codec.ts';
import { Ac97Input } from './ac97-input.ts';
import type { Ac97Jacks } from './ac97-jacks.ts';
import { Ac97Output } from './ac97-output.ts';
import {
  AC97_3D_CONTROL,
  AC97_CD_VOLUME,
  AC97_GENERAL_PURPOSE,
  AC97_HEADPHONE_VOLUME,
  AC97_LINE_IN_VOLUME,
  AC97_MASTER_TONE,
  AC97_MASTER_VOLUME,
  AC97_MIC_VOLUME,
  AC97_MONO_VOLUME,
  AC97_PC_BEEP,
  AC97_PCM_OUT_VOLUME,
  AC97_PHONE_VOLUME,
  AC97_POWERDOWN,
  GP_3D,
  GP_MIX,
  GP_POP,
  PD_EAPD,
  PD_PR1,
  PD_PR2,
  PD_PR3,
  PD_PR6,
} from './ac97-registers.ts';
import { MixTap } from './mix-tap.ts';

const STEREO: PcmFormat = { sampleRate: 48000, channels: 2 };
const MONO: PcmFormat = { sampleRate: 48000, channels: 1 };

/** A codec with its jacks, and nothing else. */
class Bench {
  readonly line = new MemorySink();
  readonly headphone = new MemorySink();
  readonly mono = new MemorySink();
  readonly codec = new Ac97Codec(0);
  readonly output: Ac97Output;
  readonly clock = new SampleClock();
  #frame = 0;

  constructor(sources: Ac97Jacks = {}) {
    const jacks = { ...sources, lineOut: this.line, headphoneOut: this.headphone, monoOut: this.mono };
    const tap = new MixTap();
    const input = new Ac97Input(this.codec, jacks, tap);
    this.output = new Ac97Output(this.codec, input, tap, jacks, 'lineOut');
    this.set(AC97_MASTER_VOLUME, 0).set(AC97_PCM_OUT_VOLUME, 0x0808);
    this.output.claim();
  }

  set(offset: number, value: number): this {
    this.codec.write(offset, value, 0);
    return this;
  }

  play(samples: Int16Array | null, frames = samples === null ? 0 : samples.length / 2): void {
    this.output.play(samples, frames, this.clock, this.#frame);
    this.#frame += frames;
  }
}

function pairs(...values: number[]): Int16Array {
  return Int16Array.from(values);
}

function rounded(value: number): number {
  return Math.max(-32768, Math.min(32767, Math.floor(value + 0.5)));
}

const db = (decibels: number): number => 10 ** (decibels / 20);

let bench = new Bench();
beforeEach(() => {
  bench = new Bench();
});

describe('volumes', () => {
  test('0 dB hands on the very array', () => {
    const samples = pairs(1, -2, 32767, -32768);
    const seen: unknown[] = [];
    const codec = new Ac97Codec(0);
    const jacks: Ac97Jacks = { lineOut: { write: (block) => seen.push(block) } };
    const tap = new MixTap();
    const output = new Ac97Output(codec, new Ac97Input(codec, jacks, tap), tap, jacks, 'none');
    codec.write(AC97_MASTER_VOLUME, 0, 0);
    codec.write(AC97_PCM_OUT_VOLUME, 0x0808, 0);
    output.play(samples, 2, new SampleClock(), 0);
    expect(seen[0]).toBe(samples);
  });

  test('every combination of PCM out and master gain is exact to the nearest sample (property)', () => {
    fc.assert(
      fc.property(
        fc.record({
          pcm: fc.nat(0xffff),
          master: fc.nat(0xffff),
          left: fc.integer({ min: -32768, max: 32767 }),
          right: fc.integer({ min: -32768, max: 32767 }),
        }),
        ({ pcm, master, left, right }) => {
          const b = new Bench().set(AC97_PCM_OUT_VOLUME, pcm).set(AC97_MASTER_VOLUME, master);
          b.play(pairs(left, right));
          const p = b.codec.stored(AC97_PCM_OUT_VOLUME);
          const m = b.codec.stored(AC97_MASTER_VOLUME);
          const gain = (shift: number): number =>
            ((p | m) & 0x8000) !== 0
              ? 0
              : db(1.5 * (8 - ((p >> shift) & 31))) * db(-1.5 * ((m >> shift) & 31));
          const [heardLeft, heardRight] = b.line.samples;
          expect(Math.abs(heardLeft! - rounded(left * gain(8)))).toBeLessThanOrEqual(1);
          expect(Math.abs(heardRight! - rounded(right * gain(0)))).toBeLessThanOrEqual(1);
          if (gain(8) === 1 && gain(0) === 1) expect([heardLeft, heardRight]).toEqual([left, right]);
        },
      ),
    );
  });

  test('master attenuates by 1.5 dB a step, sides apart; 20 × log10 says so', () => {
    bench.set(AC97_MASTER_VOLUME, 0x041f);
    bench.play(pairs(10000, 10000));
    expect(Array.from(bench.line.samples)).toEqual([rounded(10000 * db(-6)), rounded(10000 * db(-46.5))]);
  });

  test('PCM out amplifies up to 12 dB and saturates', () => {
    bench.set(AC97_PCM_OUT_VOLUME, 0x0000);
    bench.play(pairs(1000, -30000));
    expect(Array.from(bench.line.samples)).toEqual([rounded(1000 * db(12)), -32768]);
  });

  test('muted, a running converter gives zeros', () => {
    bench.set(AC97_MASTER_VOLUME, 0x8000);
    bench.play(pairs(1, 2, 3, 4));
    expect(bench.line.samples).toEqual(pairs(0, 0, 0, 0));
    bench.set(AC97_MASTER_VOLUME, 0).set(AC97_PCM_OUT_VOLUME, 0x8808);
    bench.play(pairs(1, 2, 3, 4));
    expect(bench.line.samples).toEqual(new Int16Array(8));
  });

  test('headphone and mono have volumes of their own; mono is the mean of the sides', () => {
    bench.set(AC97_HEADPHONE_VOLUME, 0x0004).set(AC97_MONO_VOLUME, 0x0000);
    bench.play(pairs(3000, 1001));
    expect(bench.line.samples).toEqual(pairs(3000, 1001));
    expect(bench.headphone.samples).toEqual(pairs(3000, rounded(1001 * db(-6))));
    expect(Array.from(bench.mono.samples)).toEqual([rounded(2000.5)]);
    expect(bench.mono.takes[0]!.format.channels).toBe(1);
  });
});

describe('powerdown and EAPD', () => {
  test.each([
    ['PR1, the DACs', PD_PR1],
    ['PR2, the mixer', PD_PR2],
    ['PR3, the reference', PD_PR3],
  ])('%s: silence everywhere', (_name, bit) => {
    bench.set(AC97_HEADPHONE_VOLUME, 0).set(AC97_POWERDOWN, bit);
    bench.play(pairs(5, 5));
    expect([bench.line.samples, bench.headphone.samples]).toEqual([pairs(0, 0), pairs(0, 0)]);
  });

  test('PR6 silences the headphone, EAPD what its amplifier drives', () => {
    bench.set(AC97_HEADPHONE_VOLUME, 0).set(AC97_POWERDOWN, PD_PR6);
    bench.play(pairs(5, 5));
    expect([bench.line.samples, bench.headphone.samples]).toEqual([pairs(5, 5), pairs(0, 0)]);
    bench.set(AC97_POWERDOWN, PD_EAPD);
    bench.play(pairs(6, 6));
    expect([bench.line.samples, bench.headphone.samples]).toEqual([pairs(5, 5, 0, 0), pairs(0, 0, 6, 6)]);
  });
});

describe('analogue inputs', () => {
  test('an unmuted input is added with its gain', () => {
    bench = new Bench({ cdIn: new ArraySource(new Int16Array(2000).fill(100), STEREO) });
    bench.set(AC97_CD_VOLUME, 0x0804);
    bench.play(pairs(1000, 1000));
    expect(Array.from(bench.line.samples)).toEqual([1100, rounded(1000 + 100 * db(6))]);
  });

  test('mono inputs go to both sides', () => {
    bench = new Bench({
      phoneIn: new ArraySource(new Int16Array(10).fill(7), MONO),
      micIn: new ArraySource(new Int16Array(10).fill(9), MONO),
    });
    bench.set(AC97_PHONE_VOLUME, 0x0008).set(AC97_MIC_VOLUME, 0x0048);
    bench.play(pairs(0, 1));
    expect(Array.from(bench.line.samples)).toEqual([97, 98]);
  });

  test('without a stream the inputs are heard as time passes, at 48 kHz', () => {
    bench = new Bench({ lineIn: new ToneSource(1000, 0.25) });
    bench.output.release(0);
    bench.output.advanceIdle(0);
    bench.output.advanceIdle(10_000);
    expect(bench.line.frames).toBe(0);
    bench.set(AC97_LINE_IN_VOLUME, 0x0808);
    bench.output.advanceIdle(10_000);
    bench.output.advanceIdle(1_010_000);
    expect(bench.line.frames).toBe(4801);
    expect(bench.line.takes[0]!.startTick).toBe(10_000);
    const expected = new Int16Array(2 * 4801);
    new ToneSource(1000, 0.25).read(expected, 4801, STEREO, 10_000);
    for (let index = 0; index < expected.length; index++) {
      expect(Math.abs(expected[index]! - bench.line.samples[index]!)).toBeLessThanOrEqual(1);
    }
  });

  test('MIX sends the microphone to the mono output, before its volume', () => {
    bench = new Bench({ micIn: new ArraySource(new Int16Array(10).fill(50), MONO) });
    bench.set(AC97_GENERAL_PURPOSE, GP_MIX).set(AC97_MONO_VOLUME, 0x0004);
    bench.play(pairs(1000, 1000));
    expect(Array.from(bench.mono.samples)).toEqual([rounded(50 * db(-6))]);
    expect(bench.line.samples).toEqual(pairs(1000, 1000));
  });
});

describe('PC beep (§5.7.4)', () => {
  test('the divider makes a square wave of 48 kHz ÷ 4F, the volume 3 dB steps', () => {
    bench.output.release(0);
    bench.set(AC97_PC_BEEP, (12 << 5) | (2 << 1));
    bench.output.advanceIdle(0);
    bench.output.advanceIdle(9_999_999);
    const heard = bench.line.samples;
    const level = rounded(8192 * db(-6));
    expect(new Set(heard)).toEqual(new Set([level, rounded(-8192 * db(-6))]));
    let rises = 0;
    for (let frame = 1; frame < heard.length / 2; frame++) {
      if (heard[frame * 2]! > 0 && heard[frame * 2 - 2]! < 0) rises++;
    }
    expect(rises).toBe(999);
  });

  test('with divider 0 the pin is heard, muted it is not', () => {
    bench = new Bench({ pcBeepIn: new ArraySource(new Int16Array(10).fill(40), MONO) });
    bench.play(pairs(1, 2));
    expect(bench.line.samples).toEqual(pairs(41, 42));
    bench.set(AC97_PC_BEEP, 0x8000);
    bench.play(pairs(1, 2));
    expect(bench.line.samples).toEqual(pairs(41, 42, 1, 2));
  });
});

describe('3D and tone', () => {
  test('3D widens by depth when it is switched on; POP takes the DAC around it', () => {
    bench.set(AC97_3D_CONTROL, 0x000f);
    bench.play(pairs(1000, 500));
    bench.set(AC97_GENERAL_PURPOSE, GP_3D);
    bench.play(pairs(1000, 500));
    bench.set(AC97_GENERAL_PURPOSE, GP_3D | GP_POP);
    bench.play(pairs(1000, 500));
    expect(bench.line.samples).toEqual(pairs(1000, 500, 1250, 250, 1000, 500));
  });

  test('tone changes the spectrum, and flat settings leave every bit', () => {
    const tone = new Int16Array(9600 * 2);
    new ToneSource(30, 0.1).read(tone, 9600, STEREO, 0);
    bench.set(AC97_MASTER_TONE, 0x0707);
    bench.play(tone);
    expect(bench.line.samples).toEqual(tone);
    bench.set(AC97_MASTER_TONE, 0x000f);
    bench.line.clear();
    bench.play(tone);
    const peak = (samples: Int16Array): number =>
      samples.reduce((high, value) => Math.max(high, Math.abs(value)), 0);
    expect(20 * Math.log10(peak(bench.line.samples.subarray(9600)) / peak(tone))).toBeGreaterThan(9);
  });
});

describe('silence', () => {
  test('a silent converter writes nothing; a held frame is a frame', () => {
    bench.play(null, 100);
    expect(bench.line.frames).toBe(0);
    bench.output.hold(3, -3, 2000, bench.clock, 0);
    expect(bench.line.frames).toBe(2000);
    expect(new Set(bench.line.samples)).toEqual(new Set([3, -3]));
  });
});
