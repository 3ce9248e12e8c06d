import fc from 'fast-check';
import { expect, test } from 'vitest';
import { MemorySink } from '../src/hardware/analog.ts';
import {
  CONTROL,
  CTL_DAC1_EN,
  CTL_DAC2_EN,
  CTL_PCLKDIV_SHIFT,
  CTL_WTSRSEL_SHIFT,
  SER_P1_PAUSE,
  SER_P2_PAUSE,
  SERIAL,
  STATUS,
} from '../src/hardware/es1370/registers.ts';
import { DATA, Es1370Rig } from '../src/hardware/es1370/test-rig.ts';
import { noise } from './support/ac97-bench.ts';
import { unmix } from './support/mix.ts';

/** 1.4112 MHz ÷ 32. */
const DIVIDER_44100 = 30;
const TICKS_PER_FRAME = 10_000_000 / 44_100;
const FRAMES = 1024;

/** Sound, then silence to the end of a buffer that is long enough for the run. */
function fill(rig: Es1370Rig, name: 'DAC1' | 'DAC2', samples: Int16Array): void {
  rig.slot.samplesAt(DATA[name], samples.length).set(samples);
  rig.prepare(name, 8 * FRAMES, 3, FRAMES);
}

test('each DAC is heard frame by frame, whichever begins, ends or pauses first, to the tick (property)', () => {
  const tick = fc.integer({ min: 0, max: 100_000 });
  // The very moments of frames, and those beside them.
  const frame = fc
    .tuple(fc.integer({ min: 0, max: 300 }), fc.integer({ min: -1, max: 1 }))
    .map(([count, beside]) => Math.max(0, Math.ceil(count * TICKS_PER_FRAME) + beside));
  const moment = fc.oneof(tick, frame);
  fc.assert(
    fc.property(
      fc.boolean(),
      moment,
      fc.integer({ min: 20, max: FRAMES }),
      fc.integer({ min: 20, max: FRAMES }),
      fc.array(moment, { maxLength: 6 }),
      fc.constantFrom('none' as const, 'first' as const, 'second' as const),
      fc.integer({ min: 0, max: 2 }),
      (dac1First, lag, firstFrames, secondFrames, looks, stops, shift) => {
        const sink = new MemorySink();
        const rig = new Es1370Rig({ lineOut: sink }).unmute();
        rig.set(CONTROL, (3 << CTL_WTSRSEL_SHIFT) | (DIVIDER_44100 << CTL_PCLKDIV_SHIFT));
        const sounds = [noise(2 * firstFrames, 3), noise(2 * secondFrames, 77)].map((samples) =>
          samples.map((value) => (value >> shift) | 1),
        );
        const [first, second] = dac1First ? (['DAC1', 'DAC2'] as const) : (['DAC2', 'DAC1'] as const);
        fill(rig, first, sounds[0] as Int16Array);
        fill(rig, second, sounds[1] as Int16Array);
        const enable = { DAC1: CTL_DAC1_EN, DAC2: CTL_DAC2_EN };
        rig.set(CONTROL, enable[first]);
        rig.advance(lag);
        rig.set(CONTROL, enable[second]);
        for (const step of looks) {
          rig.advance(step);
          rig.io.read32(STATUS);
        }
        // Behind its sound a DAC plays silence; it may be switched off there, and the other goes on.
        const past = { first: firstFrames, second: secondFrames };
        if (stops !== 'none') {
          const name = stops === 'first' ? first : second;
          while (rig.card.position(name).converterFrames < past[stops]) rig.advance(1000);
          rig.clear(CONTROL, enable[name]);
        }
        rig.advance(700_000);
        rig.card.catchUp();
        const { difference, starts } = unmix(sink.samples, sounds);
        expect(difference).toBe(null);
        const [one = 0, two = 0] = starts;
        expect(Math.abs((two - one) / 2 - lag / TICKS_PER_FRAME)).toBeLessThanOrEqual(1);
      },
    ),
    { numRuns: 300 },
  );
});

test('a pause in the middle of a mix loses no frame of either (property)', () => {
  fc.assert(
    fc.property(
      fc.boolean(),
      fc.integer({ min: 0, max: 50_000 }),
      fc.integer({ min: 1, max: 50_000 }),
      (pauseDac1, before, length) => {
        const sink = new MemorySink();
        const rig = new Es1370Rig({ lineOut: sink }).unmute();
        rig.set(CONTROL, (3 << CTL_WTSRSEL_SHIFT) | (DIVIDER_44100 << CTL_PCLKDIV_SHIFT));
        const sounds = [noise(2 * FRAMES, 3), noise(2 * FRAMES, 77)].map((samples) =>
          samples.map((value) => (value >> 1) | 1),
        );
        fill(rig, 'DAC1', sounds[0] as Int16Array);
        fill(rig, 'DAC2', sounds[1] as Int16Array);
        rig.set(CONTROL, CTL_DAC1_EN | CTL_DAC2_EN);
        rig.advance(before);
        const pause = pauseDac1 ? SER_P1_PAUSE : SER_P2_PAUSE;
        const paused = pauseDac1 ? 'DAC1' : 'DAC2';
        rig.set(SERIAL, pause);
        const cut = 2 * rig.card.position(paused).converterFrames;
        rig.advance(length);
        rig.clear(SERIAL, pause);
        rig.advance(700_000);
        rig.card.catchUp();
        const [one, two] = sounds as [Int16Array, Int16Array];
        const [whole, parted] = pauseDac1 ? [two, one] : [one, two];
        const pieces = [whole, parted.subarray(0, cut), parted.subarray(cut)].filter(
          ({ length: samples }) => samples > 0,
        );
        expect(unmix(sink.samples, pieces).difference).toBe(null);
      },
    ),
    { numRuns: 150 },
  );
});
