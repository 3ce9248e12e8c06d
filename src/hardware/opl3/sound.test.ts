import { describe, expect, test } from 'vitest';
import {
  amplitudeAt,
  FmRig,
  frequencyOf,
  type OperatorValues,
  PLAIN_OPERATOR,
  SAMPLE_RATE,
  SILENT_OPERATOR,
} from './test-rig.ts';

/** A square wave: its amplitude is the envelope's at every sample. */
function squareOperator(attackDecay: number, sustainRelease: number, flags = 0x21): OperatorValues {
  return [flags, 0x00, attackDecay, sustainRelease, 6];
}

/** The amplitude behind a sample: the negative half is the ones' complement. */
function magnitude(sample: number): number {
  return sample < 0 ? ~sample : sample;
}

describe('pitch', () => {
  // 440 Hz is F-number 580 in octave 4: 580 × 49716 ÷ 2^16.
  test.each([
    [580, 4, 1, 440],
    [1023, 7, 1, 6208.4],
    [344, 0, 1, 16.31],
    [581, 3, 2, 440.75],
    [290, 5, 8, 3520],
    [967, 5, 0, 733.6],
  ])('F-number %i, block %i, MULT %i', (fNumber, block, multiple, about) => {
    const rig = new FmRig().opl3();
    rig.instrument(0, SILENT_OPERATOR, [0x20 | multiple, 0, 0xf0, 0x0f, 0]).key(0, fNumber, block);
    rig.milliseconds(1500);
    const factor = multiple === 0 ? 0.5 : multiple;
    const expected = (factor * fNumber * SAMPLE_RATE) / 2 ** (20 - block);
    expect(Math.abs(expected - about) / about).toBeLessThan(1e-3);
    // Within a tenth of a cent: as well as crossings of 1.5 s can be told.
    expect(Math.abs(1200 * Math.log2(frequencyOf(rig.side()) / expected))).toBeLessThan(0.1);
  });

  test('in block 0 the lowest bit of the F-number is lost', () => {
    const heard = [344, 345].map((fNumber) => {
      const rig = new FmRig().opl3().instrument(0, SILENT_OPERATOR, PLAIN_OPERATOR).key(0, fNumber, 0);
      return rig.milliseconds(200).side();
    });
    expect(heard[1]).toEqual(heard[0]);
  });

  test('a plain operator is a sine of 4084, with nothing else above −60 dB', () => {
    const rig = new FmRig().opl3().instrument(0, SILENT_OPERATOR, PLAIN_OPERATOR).key(0, 580, 4);
    rig.milliseconds(1000);
    const tone = rig.side().subarray(100, 100 + 45_000);
    const hertz = (580 * SAMPLE_RATE) / 2 ** 16;
    expect(Math.abs(amplitudeAt(tone, hertz) / 4084 - 1)).toBeLessThan(0.002);
    for (const harmonic of [2, 3, 4, 5, 7, 9]) {
      expect(amplitudeAt(tone, harmonic * hertz)).toBeLessThan(4084 / 1000);
    }
  });

  test('modulation puts side bands at the distance of the modulator, as strong as Bessel says', () => {
    // The modulator's amplitude 4084 moves the carrier by 4084 steps of 1024: at total level 32 (24 dB) the index is 2 π × 0.2517.
    const rig = new FmRig().opl3();
    rig.instrument(0, [0x21, 32, 0xf0, 0x0f, 0], [0x24, 0, 0xf0, 0x0f, 0]).key(0, 580, 4).milliseconds(1000);
    const tone = rig.side().subarray(100, 100 + 45_000);
    const hertz = (580 * SAMPLE_RATE) / 2 ** 16;
    const index = (2 * Math.PI * 4084 * 10 ** (-24 / 20)) / 1024;
    const bessel = (order: number): number => {
      let sum = 0;
      for (let step = 0; step < 2000; step++) {
        const angle = (Math.PI * (step + 0.5)) / 2000;
        sum += Math.cos(order * angle - index * Math.sin(angle));
      }
      return Math.abs(sum / 2000);
    };
    for (const order of [0, 1, 2, 3]) {
      const line = amplitudeAt(tone, (4 + order) * hertz) / 4084;
      expect(Math.abs(line - bessel(order)), `order ${order}`).toBeLessThan(0.01);
    }
  });
});

describe('envelopes', () => {
  // YM3812 application manual, tables of attack and decay times at 3.6 MHz, rates 4 to 7; each octave of rates is twice as fast.
  const MANUAL_CLOCK = 3_600_000 / 72;
  const ATTACK_FULL = [2826.24, 2252.8, 1884.16, 1597.44];
  const ATTACK_10_90 = [1482.75, 1155.07, 991.23, 868.35];
  const DECAY_10_90 = [8212.48, 6574.08, 5509.12, 4730.88];
  const DECAY_FULL = [39_280.64, 31_416.32, 26_173.44, 22_446.08];
  /** With KSR = 0 the key scale number ÷ 4 is added to the rate: 0 … 3 by block 0, 2, 4, 6. */
  const blockOf = (rate: number): number => 2 * (rate & 3);
  const milliseconds = (samples: number): number => (samples * 1000) / MANUAL_CLOCK;
  const firstAtLeast = (samples: Int16Array, level: number): number =>
    samples.findIndex((sample) => magnitude(sample) >= level);
  const lastAtLeast = (samples: Int16Array, level: number): number => {
    let at = samples.length - 1;
    while (at >= 0 && magnitude(samples[at]!) < level) at--;
    return at;
  };

  test.each([16, 17, 18, 19, 20, 27, 34, 41, 48, 53])(
    'attack rate %i takes the time of the manual',
    (rate) => {
      const octave = (rate >> 2) - 1;
      const rig = new FmRig().opl3();
      rig.instrument(0, SILENT_OPERATOR, squareOperator((rate >> 2) << 4, 0x0f));
      rig.key(0, 300, blockOf(rate)).milliseconds(1.3 * (ATTACK_FULL[0]! / 2 ** octave) + 20);
      const tone = rig.side();
      const low = firstAtLeast(tone, 0.1 * 4084);
      const high = firstAtLeast(tone, 0.9 * 4084);
      const full = firstAtLeast(tone, 4084);
      const scale = 2 ** octave;
      // The attack goes in big steps at its beginning; the fastest rates are a few samples long.
      expect(Math.abs(milliseconds(high - low) - ATTACK_10_90[rate & 3]! / scale)).toBeLessThan(
        0.12 * (ATTACK_10_90[rate & 3]! / scale) + milliseconds(4),
      );
      expect(Math.abs(milliseconds(full) - ATTACK_FULL[rate & 3]! / scale)).toBeLessThan(
        0.12 * (ATTACK_FULL[rate & 3]! / scale) + milliseconds(8),
      );
    },
  );

  test.each([24, 25, 26, 27, 32, 37, 42, 47, 49, 54, 59])(
    'decay and release rate %i take the time of the manual',
    (rate) => {
      const octave = (rate >> 2) - 1;
      const scale = 2 ** octave;
      const wanted = DECAY_10_90[rate & 3]! / scale;
      const whole = DECAY_FULL[rate & 3]! / scale;
      const decay = new FmRig().opl3();
      decay.instrument(0, SILENT_OPERATOR, squareOperator(0xf0 | (rate >> 2), 0xf0));
      decay.key(0, 300, blockOf(rate)).milliseconds(1.2 * whole + 20);
      const release = new FmRig().opl3();
      release.instrument(0, SILENT_OPERATOR, squareOperator(0xf0, rate >> 2));
      release.key(0, 300, blockOf(rate)).milliseconds(5);
      release.key(0, 300, blockOf(rate), false).milliseconds(1.2 * whole + 20);
      for (const tone of [decay.side(), release.side()]) {
        const steep = milliseconds(lastAtLeast(tone, 0.1 * 4084) - lastAtLeast(tone, 0.9 * 4084));
        expect(Math.abs(steep - wanted)).toBeLessThan(0.04 * wanted + milliseconds(4));
      }
      // The manual's whole time ends at 90 dB; the amplitude is 0 from about 66 dB on: so many steps fewer.
      const tone = decay.side();
      const toOne = milliseconds(lastAtLeast(tone, 2) - lastAtLeast(tone, 4084));
      expect(Math.abs(toOne - (whole * 66) / 90)).toBeLessThan(0.06 * whole);
    },
  );

  test('rate 0 stands still; attack rate 15 is there in the next sample but one', () => {
    const rig = new FmRig().opl3();
    rig.instrument(0, SILENT_OPERATOR, squareOperator(0x00, 0x00)).key(0, 300, 4).milliseconds(500);
    expect(rig.side().every((sample) => Math.abs(sample) <= 2)).toBe(true);
    const fast = new FmRig().opl3();
    fast.instrument(0, SILENT_OPERATOR, squareOperator(0xf0, 0x00)).milliseconds(3);
    fast.chip.catchUp();
    fast.sink.clear();
    fast.key(0, 300, 4).milliseconds(500).key(0, 300, 4, false).milliseconds(500);
    expect(firstAtLeast(fast.side(), 4084)).toBe(1);
    // Release rate 0: it sounds on.
    expect(magnitude(fast.side().at(-1)!)).toBe(4084);
  });

  test.each([
    [1, 3],
    [5, 15],
    [14, 42],
  ])('sustain level %i holds at −%i dB while the key is down (EGT = 1)', (level, decibels) => {
    const rig = new FmRig().opl3();
    rig.instrument(0, SILENT_OPERATOR, squareOperator(0xfd, (level << 4) | 0x0c)).key(0, 300, 4);
    rig.milliseconds(300).key(0, 300, 4, false).milliseconds(300);
    const tone = rig.side();
    const held = Math.abs(tone[Math.floor(0.29 * SAMPLE_RATE)]!);
    expect(Math.abs(20 * Math.log10(held / 4084) + decibels)).toBeLessThan(0.4);
    expect(Math.abs(tone.at(-1)!)).toBeLessThanOrEqual(2);
  });

  test('a percussive operator (EGT = 0) goes on to silence at the release rate with the key down', () => {
    const rig = new FmRig().opl3();
    rig
      .instrument(0, SILENT_OPERATOR, squareOperator(0xf9, 0x37, 0x01))
      .key(0, 300, 4)
      .milliseconds(1500);
    expect(Math.abs(rig.side()[200]!)).toBeGreaterThan(1000);
    expect(Math.abs(rig.side().at(-1)!)).toBeLessThanOrEqual(2);
  });

  test('total level is 0.75 dB a step', () => {
    for (const level of [1, 8, 20, 40]) {
      const rig = new FmRig().opl3();
      rig.instrument(0, SILENT_OPERATOR, [0x21, level, 0xf0, 0x0f, 6]).key(0, 300, 4).milliseconds(20);
      const heard = Math.max(...rig.side());
      expect(Math.abs(20 * Math.log10(heard / 4084) + 0.75 * level)).toBeLessThan(0.2);
    }
  });

  test.each([
    [0, 0],
    [1, 3],
    [2, 1.5],
    [3, 6],
  ])('KSL %i attenuates by %f dB per octave', (code, perOctave) => {
    const heard = [4, 5, 6, 7].map((block) => {
      const rig = new FmRig().opl3();
      rig.instrument(0, SILENT_OPERATOR, [0x21, code << 6, 0xf0, 0x0f, 6]).key(0, 1000, block);
      return 20 * Math.log10(Math.max(...rig.milliseconds(20).side()));
    });
    for (let octave = 1; octave < 4; octave++) {
      expect(Math.abs(heard[octave - 1]! - heard[octave]! - perOctave)).toBeLessThan(0.2);
    }
  });
});

describe('tremolo and vibrato', () => {
  test.each([
    [0x00, 1],
    [0x80, 4.8],
  ])('the tremolo (BDh = %i) is %f dB deep, 3.7 Hz', (depth, decibels) => {
    const rig = new FmRig().opl3().write(0xbd, depth);
    rig.instrument(0, SILENT_OPERATOR, [0xa1, 0, 0xf0, 0x0f, 6]).key(0, 300, 4).milliseconds(2200);
    const levels = Array.from(rig.side().subarray(10), magnitude);
    const [loudest, softest] = [Math.max(...levels), Math.min(...levels)];
    expect(Math.abs(20 * Math.log10(loudest / softest) - decibels)).toBeLessThan(0.25);
    // Times at which it is loudest again.
    const tops: number[] = [];
    for (let at = 1; at < levels.length; at++) {
      if (levels[at] === loudest && levels[at - 1] !== loudest) tops.push(at);
    }
    const hertz = ((tops.length - 1) * SAMPLE_RATE) / (tops.at(-1)! - tops[0]!);
    expect(Math.abs(hertz - 3.7)).toBeLessThan(0.03);
  });

  test.each([
    [0x00, 7],
    [0x40, 14],
  ])('the vibrato (BDh = %i) is about %i cents deep, 6.1 Hz', (depth, cents) => {
    const rig = new FmRig().opl3().write(0xbd, depth);
    rig.instrument(0, SILENT_OPERATOR, [0x61, 0, 0xf0, 0x0f, 0]).key(0, 1023, 6).milliseconds(1000);
    const tone = rig.side();
    // One vibrato step is 1024 samples; the chip was attached at sample 0, so steps are at multiples.
    const pitches = Array.from({ length: 8 }, (_, step) =>
      frequencyOf(tone.subarray(1024 * (step + 8), 1024 * (step + 9))),
    );
    const middle = (1023 * SAMPLE_RATE) / 2 ** 14;
    const deviations = pitches.map((pitch) => 1200 * Math.log2(pitch / middle));
    expect(Math.abs(Math.max(...deviations) - cents)).toBeLessThan(3.5);
    expect(Math.abs(Math.min(...deviations) + cents)).toBeLessThan(3.5);
    expect(deviations[0]!).toBeCloseTo(0, 0);
    expect(deviations[4]!).toBeCloseTo(0, 0);
    expect(deviations[1]!).toBeCloseTo(-deviations[5]!, 0);
  });
});
