import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { noiseAfterSample, noiseAfterSamples } from './noise.ts';
import {
  playScript,
  type ReferenceScript,
  referenceScripts,
  type ScriptStep,
  vectorOf,
} from './reference-scripts.ts';
import { REFERENCE_VECTORS } from './reference-vectors.ts';
import { FmSynth } from './synth.ts';
import { AMPLITUDE, EXP, LOG_SIN } from './tables.ts';

describe('against the reference implementation (Nuked OPL3 1.8)', () => {
  const scripts = referenceScripts();

  test('there is a vector for every script', () => {
    expect(REFERENCE_VECTORS.map(({ name }) => name)).toEqual(scripts.map(({ name }) => name));
  });

  test.each(scripts.map((script, index) => [script.name, script, REFERENCE_VECTORS[index]!] as const))(
    '%s: every sample is the same',
    (_, script, vector) => {
      expect(vectorOf(script.name, playScript(new FmSynth(), script))).toEqual(vector);
    },
  );

  test('a reset chip is as a new one', () => {
    const synth = new FmSynth();
    for (const [index, script] of scripts.entries()) {
      if (index % 5 !== 0) continue;
      expect(vectorOf(script.name, playScript(synth, script))).toEqual(REFERENCE_VECTORS[index]);
      synth.reset();
    }
  });

  test('the YM3812 is bank 0 in compatible mode, its left output on both sides, through a converter of 10 + 3 bits', () => {
    for (const script of scripts.filter(({ name }) => name.includes('compatible'))) {
      const opl3 = playScript(new FmSynth(), script);
      const waves = { register: 0x01, value: 0x20 };
      const opl2 = playScript(new FmSynth('YM3812'), { ...script, steps: [waves, ...script.steps] });
      let worst = 0;
      for (let at = 0; at < opl3.length; at += 2) {
        const exact = opl3[at]!;
        const heard = opl2[at]!;
        expect(opl2[at + 1]).toBe(heard);
        const step = 2 ** Math.max(0, Math.ceil(Math.log2(Math.abs(exact) + 1)) - 9);
        if (exact - heard < 0 || exact - heard >= step) worst = Math.max(worst, Math.abs(exact - heard));
      }
      expect([script.name, worst]).toEqual([script.name, 0]);
    }
  });
});

test('the ROMs are those of the die: first and last entries as published', () => {
  expect(Array.from(LOG_SIN.subarray(0, 8))).toEqual([2137, 1731, 1543, 1419, 1326, 1252, 1190, 1137]);
  expect(Array.from(LOG_SIN.subarray(248))).toEqual([0, 0, 0, 0, 0, 0, 0, 0]);
  expect(Array.from(EXP.subarray(0, 6), (value) => value - 1024)).toEqual([0, 3, 6, 8, 11, 14]);
  expect(EXP[255]! - 1024).toBe(1018);
  expect([Math.max(...AMPLITUDE), Math.min(...AMPLITUDE)]).toEqual([4084, -4085]);
});

describe('noise', () => {
  test('the register has all states but zero: its period is 2^23 − 1 shifts', () => {
    // 36 and the period have no common divisor but 1, so samples have the same period as shifts.
    expect(noiseAfterSamples(1, 2 ** 23 - 1)).toBe(1);
    for (const divisor of [47, 178_481]) expect(noiseAfterSamples(1, (2 ** 23 - 1) / divisor)).not.toBe(1);
  });

  test('many samples at once are as many samples one by one (property)', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 2 ** 23 - 1 }), fc.nat(3000), (state, samples) => {
        let stepped = state;
        for (let count = 0; count < samples; count++) stepped = noiseAfterSample(stepped);
        expect(noiseAfterSamples(state, samples)).toBe(stepped);
      }),
    );
  });
});

describe('blocks', () => {
  const scripts = referenceScripts().filter(({ name }) => name.includes('seed'));

  /** The script with its waits cut into pieces. */
  function cut(script: ReferenceScript, lengths: readonly number[]): ReferenceScript {
    let next = 0;
    const steps = script.steps.flatMap((step): readonly ScriptStep[] => {
      if (!('frames' in step)) return [step];
      const pieces: ScriptStep[] = [];
      for (let left = step.frames; left > 0; ) {
        const frames = Math.min(left, lengths[next++ % lengths.length]!);
        pieces.push({ frames });
        left -= frames;
      }
      return pieces;
    });
    return { name: script.name, steps };
  }

  test('how a stretch is cut changes no sample (property)', () => {
    fc.assert(
      fc.property(
        fc.nat(scripts.length - 1),
        fc.array(fc.integer({ min: 1, max: 300 }), { minLength: 1, maxLength: 20 }),
        (index, lengths) => {
          const script = scripts[index]!;
          const whole = vectorOf('', playScript(new FmSynth(), script));
          expect(vectorOf('', playScript(new FmSynth(), cut(script, lengths)))).toEqual(whole);
        },
      ),
      { numRuns: 25 },
    );
  });

  test('a rest that is skipped leaves the state that rendering it would (property)', () => {
    fc.assert(
      fc.property(fc.nat(scripts.length - 1), fc.integer({ min: 1, max: 200_000 }), (index, rest) => {
        const script = scripts[index]!;
        const [rendered, skipped] = [new FmSynth(), new FmSynth()];
        const tail: ReferenceScript = scripts[(index + 1) % scripts.length]!;
        const heard = [rendered, skipped].map((synth) => {
          playScript(synth, script);
          // All keys up, all releases fast, no hits: soon everything has ended.
          for (const bank of synth.newMode ? [0, 0x100] : [0]) {
            for (let channel = 0; channel < 9; channel++) synth.write(bank + 0xb0 + channel, 0x11);
            for (let offset = 0; offset < 22; offset++) {
              synth.write(bank + 0x60 + offset, 0xff);
              synth.write(bank + 0x80 + offset, 0x0f);
            }
          }
          synth.write(0xbd, 0xc0);
          synth.generate(new Int16Array(2 * 3000), 3000);
          expect(synth.silent).toBe(true);
          if (synth === skipped) synth.skip(rest);
          else synth.generate(new Int16Array(2 * rest), rest);
          return vectorOf('', playScript(synth, tail));
        });
        expect(heard[1]).toEqual(heard[0]);
      }),
      { numRuns: 25 },
    );
  });
});

test('any registers, any values: samples stay 16-bit integers and generators in their ranges (property)', () => {
  const write = fc.record({ register: fc.nat(0x1ff), value: fc.nat(0xff) });
  const wait = fc.record({ frames: fc.integer({ min: 1, max: 600 }) });
  fc.assert(
    fc.property(
      fc.constantFrom('YMF262' as const, 'YM3812' as const),
      fc.array(fc.oneof({ weight: 6, arbitrary: write }, { weight: 1, arbitrary: wait }), { maxLength: 300 }),
      (chip, steps) => {
        const synth = new FmSynth(chip);
        const samples = playScript(synth, { name: '', steps: [...steps, { frames: 500 }] });
        expect(samples.every((sample) => Number.isInteger(sample))).toBe(true);
        expect(typeof synth.silent).toBe('boolean');
      },
    ),
    { numRuns: 200 },
  );
});
