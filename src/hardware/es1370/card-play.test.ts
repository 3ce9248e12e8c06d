import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { mulDivCeil } from '../../hal/bus.ts';
import { MemorySink } from '../analog.ts';
import { AK_LFM, AK_LMASTER, AK_LVOICE, AK_RVOICE } from './ak4531.ts';
import {
  CONTROL,
  CTL_CDC_EN,
  CTL_DAC1_EN,
  CTL_DAC2_EN,
  CTL_PCLKDIV_SHIFT,
  CTL_WTSRSEL_SHIFT,
  DAC1_COUNT,
  DAC2_COUNT,
  MEMPAGE,
  PAGE_DAC,
  SER_P1_INTEN,
  SER_P1_LOOP_SEL,
  SER_P1_PAUSE,
  SER_P1_SCT_RLD,
  SER_P2_INTEN,
  SERIAL,
  STAT_DAC1,
  STAT_DAC2,
  STAT_INTR,
  STATUS,
} from './registers.ts';
import { DATA, Es1370Rig } from './test-rig.ts';

const WT_44100 = 3 << CTL_WTSRSEL_SHIFT;
const DIV_44100 = 30 << CTL_PCLKDIV_SHIFT;

function noise(count: number, seed = 1): Int16Array {
  const samples = new Int16Array(count);
  let state = seed;
  for (let index = 0; index < count; index++) {
    state = (Math.imul(state, 1_103_515_245) + 12_345) | 0;
    samples[index] = state >> 16;
  }
  return samples;
}

function rigWith(options = {}): { rig: Es1370Rig; sink: MemorySink } {
  const sink = new MemorySink();
  const rig = new Es1370Rig({ lineOut: sink, ...options }).unmute();
  rig.set(CONTROL, WT_44100 | DIV_44100);
  return { rig, sink };
}

/** When frame n of a grid leaves. */
function tickOf(start: number, n: number, divisor: number): number {
  return start + mulDivCeil(n, divisor * 3125, 441);
}

describe.each(['DAC1', 'DAC2'] as const)('%s', (name) => {
  test('at 0 dB the jack gets the samples bit by bit, the buffer over and over', () => {
    const { rig, sink } = rigWith();
    const samples = noise(2048);
    rig.slot.samplesAt(DATA[name], samples.length).set(samples);
    rig.prepare(name, 1024, 3, 512);
    const start = rig.now;
    rig.start(name);
    rig.slot.clock.advanceTo(tickOf(start, 2500, 32));
    rig.card.catchUp();
    expect(sink.frames).toBe(2501);
    for (let frame = 0; frame < 2501; frame++) {
      const at = (frame % 1024) * 2;
      expect(sink.samples[frame * 2]).toBe(samples[at]);
      expect(sink.samples[frame * 2 + 1]).toBe(samples[at + 1]);
    }
    expect(sink.takes[0]!.runs).toEqual([{ startTick: start, firstFrame: 0, frames: 2501 }]);
    expect(sink.takes[0]!.format).toEqual({ sampleRate: 44100, channels: 2 });
  });

  test('8 bits are unsigned, mono goes to both sides', () => {
    for (const format of [0, 1, 2]) {
      const { rig, sink } = rigWith();
      const bytes = new Uint8Array(256).map((_, index) => (index * 37) & 0xff);
      rig.slot.ram.set(bytes, DATA[name] - rig.slot.ramStart);
      rig.prepare(name, 64, format, 64);
      rig.start(name);
      rig.advance(10_000);
      rig.card.catchUp();
      const words = new Int16Array(bytes.buffer);
      for (let frame = 0; frame < 40; frame++) {
        const expected =
          format === 2
            ? [words[frame], words[frame]]
            : format === 0
              ? [(bytes[frame]! - 128) << 8, (bytes[frame]! - 128) << 8]
              : [(bytes[frame * 2]! - 128) << 8, (bytes[frame * 2 + 1]! - 128) << 8];
        expect([...sink.samples.subarray(frame * 2, frame * 2 + 2)]).toEqual(expected);
      }
    }
  });

  test('the counter counts frames, interrupts at the last one, and the enable bit acknowledges', () => {
    const { rig } = rigWith();
    const [inten, status, count] =
      name === 'DAC1' ? [SER_P1_INTEN, STAT_DAC1, DAC1_COUNT] : [SER_P2_INTEN, STAT_DAC2, DAC2_COUNT];
    rig.prepare(name, 256, 3, 100, inten);
    const start = rig.now;
    rig.start(name);
    expect(rig.io.read32(count)).toBe((98 << 16) | 99);
    const first = tickOf(start, 99, 32);
    rig.slot.clock.advanceTo(first + 5);
    expect(rig.slot.lineChanges).toEqual([{ tick: first, asserted: true }]);
    expect(rig.io.read32(STATUS) & (STAT_INTR | status)).toBe((STAT_INTR | status) & -1);
    rig.io.write32(STATUS, 0xffff_ffff);
    expect(rig.slot.asserted).toBe(true);
    rig.clear(SERIAL, inten);
    expect(rig.slot.asserted).toBe(false);
    expect(rig.io.read32(STATUS) & status).toBe(0);
    rig.set(SERIAL, inten);
    expect(rig.slot.asserted).toBe(false);
    const second = tickOf(start, 199, 32);
    rig.slot.clock.advanceTo(second - 1);
    expect(rig.slot.asserted).toBe(false);
    rig.slot.clock.advanceTo(second);
    expect(rig.slot.asserted).toBe(true);
  });

  test('without the enable bit the counter runs out in silence, and no alarm is needed', () => {
    const { rig } = rigWith();
    rig.prepare(name, 256, 3, 10);
    rig.start(name);
    const fired = rig.slot.clock.fired;
    rig.advance(100_000);
    expect(rig.slot.clock.fired).toBe(fired);
    expect(rig.io.read32(STATUS)).toBe(0x60);
  });

  test('the dword index is one or two halves of the sample memory ahead of the converter', () => {
    const { rig } = rigWith();
    rig.prepare(name, 1000, 3, 10);
    expect(rig.index(name)).toBe(0);
    const start = rig.now;
    rig.start(name);
    for (const frames of [1, 7, 8, 9, 100, 999, 1000, 1001, 1990]) {
      rig.slot.clock.advanceTo(tickOf(start, frames - 1, 32));
      expect(rig.index(name)).toBe((8 * Math.floor((frames + 16) / 8)) % 1000);
    }
  });

  test('disabled, the channel is silent and keeps its index; enabled again it goes on there', () => {
    const { rig, sink } = rigWith();
    const samples = noise(2048);
    rig.slot.samplesAt(DATA[name], samples.length).set(samples);
    rig.prepare(name, 1024, 3, 512);
    rig.start(name);
    rig.advance(10_000);
    rig.clear(CONTROL, name === 'DAC1' ? CTL_DAC1_EN : CTL_DAC2_EN);
    const index = rig.index(name);
    const heard = sink.frames;
    rig.advance(50_000);
    rig.card.catchUp();
    expect(sink.frames).toBe(heard);
    expect(rig.index(name)).toBe(index);
    rig.start(name);
    const take = sink.takes[0]!;
    expect(take.samples[take.runs[1]!.firstFrame * 2]).toBe(samples[index * 2]);
  });
});

describe('rates', () => {
  test.each([
    [0, 256],
    [1, 128],
    [2, 64],
    [3, 32],
  ])('DAC1 clock %i is 1.4112 MHz ÷ %i', (code, divisor) => {
    const { rig } = rigWith();
    rig.clear(CONTROL, WT_44100);
    rig.set(CONTROL, code << CTL_WTSRSEL_SHIFT);
    rig.prepare('DAC1', 256, 3, 100);
    const start = rig.now;
    rig.start('DAC1');
    rig.slot.clock.advanceTo(tickOf(start, 77, divisor) - 1);
    expect(rig.card.position('DAC1').converterFrames).toBe(77);
    rig.slot.clock.advanceTo(tickOf(start, 77, divisor));
    expect(rig.card.position('DAC1').converterFrames).toBe(78);
  });

  test('DAC2 runs at 1.4112 MHz ÷ (PCLKDIV + 2), exactly, for as long as it runs (property)', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 8191 }), fc.integer({ min: 1, max: 3000 }), (div, frame) => {
        const rig = new Es1370Rig();
        rig.io.write32(CONTROL, div << CTL_PCLKDIV_SHIFT);
        rig.prepare('DAC2', 256, 3, 60_000);
        rig.advance(12_345_678);
        const start = rig.now;
        rig.start('DAC2');
        rig.slot.clock.advanceTo(tickOf(start, frame, div + 2) - 1);
        expect(rig.card.position('DAC2').converterFrames).toBe(frame);
        rig.slot.clock.advanceTo(tickOf(start, frame, div + 2));
        expect(rig.card.position('DAC2').converterFrames).toBe(frame + 1);
      }),
      { numRuns: 30 },
    );
  });
});

describe('pause, stop, reload', () => {
  test('paused, nothing is lost: the samples go on with the next one', () => {
    const { rig, sink } = rigWith();
    const samples = noise(4096);
    rig.slot.samplesAt(DATA.DAC1, samples.length).set(samples);
    rig.prepare('DAC1', 2048, 3, 512);
    rig.start('DAC1');
    rig.advance(10_000);
    rig.set(SERIAL, SER_P1_PAUSE);
    const heard = rig.card.position('DAC1').converterFrames;
    rig.advance(1_000_000);
    expect(rig.card.position('DAC1')).toMatchObject({ converterFrames: heard, running: false });
    rig.clear(SERIAL, SER_P1_PAUSE);
    rig.advance(10_000);
    rig.card.catchUp();
    const take = sink.takes[0]!;
    expect(take.runs.length).toBe(2);
    const played = take.runs.flatMap(({ firstFrame, frames }) => [
      ...take.samples.subarray(firstFrame * 2, (firstFrame + frames) * 2),
    ]);
    expect(played).toEqual([...samples.subarray(0, played.length)]);
  });

  test('in stop mode the channel ends with the counter and interrupts; a reload lets it go on', () => {
    const { rig, sink } = rigWith();
    const samples = noise(4096);
    rig.slot.samplesAt(DATA.DAC1, samples.length).set(samples);
    rig.prepare('DAC1', 2048, 3, 100, SER_P1_INTEN | SER_P1_LOOP_SEL);
    rig.start('DAC1');
    rig.advance(1_000_000);
    expect(rig.slot.asserted).toBe(true);
    expect(sink.samples).toEqual(samples.subarray(0, 200));
    expect(rig.card.position('DAC1').running).toBe(false);
    rig.clear(SERIAL, SER_P1_INTEN);
    rig.set(SERIAL, SER_P1_SCT_RLD | SER_P1_INTEN);
    expect(rig.io.read32(SERIAL) & SER_P1_SCT_RLD).toBe(0);
    rig.advance(1_000_000);
    rig.card.catchUp();
    expect(rig.card.position('DAC1').converterFrames).toBe(200);
    expect(rig.slot.asserted).toBe(true);
  });
});

describe('both DACs at once', () => {
  test('are mixed at the jack, with saturation', () => {
    const { rig, sink } = rigWith();
    const one = noise(2048, 5);
    const two = noise(2048, 9);
    rig.slot.samplesAt(DATA.DAC1, 2048).set(one);
    rig.slot.samplesAt(DATA.DAC2, 2048).set(two);
    rig.prepare('DAC1', 1024, 3, 512);
    rig.prepare('DAC2', 1024, 3, 512);
    rig.set(CONTROL, CTL_DAC1_EN | CTL_DAC2_EN);
    rig.advance(200_000);
    rig.card.catchUp();
    expect(sink.frames).toBeGreaterThan(800);
    for (let index = 0; index < 1600; index++) {
      const sum = one[index]! + two[index]!;
      expect(sink.samples[index]).toBe(Math.max(-32768, Math.min(32767, sum)));
    }
  });

  test('at different rates the slower one is heard as what it holds at the moments of the faster one', () => {
    const { rig, sink } = rigWith();
    rig.clear(CONTROL, WT_44100);
    rig.set(CONTROL, 1 << CTL_WTSRSEL_SHIFT);
    const one = noise(2048, 5).map((value) => value >> 1);
    const two = noise(2048, 9).map((value) => value >> 1);
    rig.slot.samplesAt(DATA.DAC1, 2048).set(one);
    rig.slot.samplesAt(DATA.DAC2, 2048).set(two);
    rig.prepare('DAC1', 1024, 3, 512);
    rig.prepare('DAC2', 1024, 3, 512);
    rig.set(CONTROL, CTL_DAC1_EN | CTL_DAC2_EN);
    for (const step of [1, 777, 50_000, 120_000, 3]) {
      rig.advance(step);
      rig.card.catchUp();
    }
    expect(sink.frames).toBeGreaterThan(700);
    for (let frame = 0; frame < 700; frame++) {
      const slow = Math.floor(frame / 4);
      expect(sink.samples[frame * 2]).toBe(one[slow * 2]! + two[frame * 2]!);
    }
  });

  test('when one ends the other is alone again, bit by bit', () => {
    const { rig, sink } = rigWith();
    const two = noise(8192, 9);
    rig.slot.samplesAt(DATA.DAC1, 2048).set(noise(2048, 5));
    rig.slot.samplesAt(DATA.DAC2, 8192).set(two);
    rig.prepare('DAC1', 1024, 3, 100, SER_P1_LOOP_SEL);
    rig.prepare('DAC2', 4096, 3, 512);
    rig.set(CONTROL, CTL_DAC1_EN | CTL_DAC2_EN);
    rig.advance(500_000);
    rig.card.catchUp();
    expect(sink.takes.length).toBe(1);
    expect([...sink.samples.subarray(200, 4000)]).toEqual([...two.subarray(200, 4000)]);
    expect([...sink.samples.subarray(0, 200)]).not.toEqual([...two.subarray(0, 200)]);
  });
});

describe('the mixer in the playing path', () => {
  test('volumes are steps of 2 dB with 0 dB at code 6; master attenuates from 0 dB', () => {
    const { rig, sink } = rigWith();
    rig.slot.samplesAt(DATA.DAC2, 4).set([10_000, 10_000, 10_000, 10_000]);
    rig.prepare('DAC2', 2, 3, 512);
    rig.codec(AK_LVOICE, 9);
    rig.codec(AK_RVOICE, 3);
    rig.codec(AK_LMASTER, 2);
    rig.start('DAC2');
    rig.advance(1000);
    rig.card.catchUp();
    expect(sink.samples[0]).toBe(Math.round(10_000 * 10 ** (-10 / 20)));
    expect(sink.samples[1]).toBe(Math.round(10_000 * 10 ** (6 / 20)));
  });

  test('mute, a closed switch, a codec without its clock or powered down: silence', () => {
    const silences: ((rig: Es1370Rig) => void)[] = [
      (rig) => rig.codec(AK_LVOICE, 0x86),
      (rig) => rig.codec(0x11, 0x04),
      (rig) => rig.clear(CONTROL, CTL_CDC_EN),
      (rig) => rig.codec(0x16, 0x01),
      (rig) => rig.codec(0x16, 0x02),
    ];
    for (const silence of silences) {
      const { rig, sink } = rigWith();
      rig.slot.samplesAt(DATA.DAC2, 4).fill(1000);
      rig.prepare('DAC2', 2, 3, 512);
      silence(rig);
      rig.start('DAC2');
      rig.advance(1000);
      rig.card.catchUp();
      expect(sink.samples[0]).toBe(0);
    }
  });

  test('DAC1 is the FM input of the codec', () => {
    const { rig, sink } = rigWith();
    rig.slot.samplesAt(DATA.DAC1, 4).fill(1000);
    rig.prepare('DAC1', 2, 3, 512);
    rig.codec(AK_LFM, 0x86);
    rig.start('DAC1');
    rig.advance(1000);
    rig.card.catchUp();
    expect([...sink.samples.subarray(0, 2)]).toEqual([0, 1000]);
  });
});

describe('memory', () => {
  test('a refused read gives all ones, and the channel goes on', () => {
    const { rig, sink } = rigWith();
    rig.frame('DAC1', 0x50_0000, 1024);
    rig.set(SERIAL, 3);
    rig.start('DAC1');
    rig.advance(10_000);
    rig.card.catchUp();
    expect(sink.samples[0]).toBe(-1);
    expect(rig.slot.findings.length).toBeGreaterThan(0);
    expect(rig.index('DAC1')).toBeGreaterThan(0);
  });

  test('what is heard is what lay in the buffer, whatever the format, size and pattern of accesses (property)', () => {
    fc.assert(
      fc.property(
        fc.constantFrom('DAC1' as const, 'DAC2' as const),
        fc.integer({ min: 0, max: 3 }),
        fc.integer({ min: 1, max: 300 }),
        fc.array(fc.integer({ min: 0, max: 90_000 }), { minLength: 1, maxLength: 30 }),
        (name, format, dwords, steps) => {
          const { rig, sink } = rigWith();
          const bytes = new Uint8Array(noise(dwords * 2, dwords).buffer);
          rig.slot.ram.set(bytes, DATA[name] - rig.slot.ramStart);
          rig.prepare(name, dwords, format, 50, name === 'DAC1' ? SER_P1_INTEN : SER_P2_INTEN);
          rig.start(name);
          for (const step of steps) {
            rig.advance(step);
            rig.io.read32(STATUS);
          }
          rig.card.catchUp();
          const frameBytes = ((format & 1) + 1) * ((format >> 1) + 1);
          const view = new DataView(bytes.buffer);
          const at = (byte: number): number =>
            (format & 2) !== 0
              ? view.getInt16(byte % bytes.length, true)
              : (bytes[byte % bytes.length]! - 128) << 8;
          for (let frame = 0; frame < sink.frames; frame++) {
            const right = (format & 1) !== 0 ? frameBytes / 2 : 0;
            if (
              sink.samples[frame * 2] !== at(frame * frameBytes) ||
              sink.samples[frame * 2 + 1] !== at(frame * frameBytes + right)
            )
              throw new Error(`frame ${frame}`);
          }
          expect(sink.frames).toBe(rig.card.position(name).converterFrames);
        },
      ),
      { numRuns: 60 },
    );
  });

  test('frame registers lie on page C, and size and index share a dword', () => {
    const { rig } = rigWith();
    rig.frame('DAC1', 0x1234_5678, 0x100);
    rig.frame('DAC2', 0x0bad_cafe, 0x200);
    expect(rig.io.read32(MEMPAGE)).toBe(PAGE_DAC);
    expect([0x30, 0x34, 0x38, 0x3c].map((at) => rig.io.read32(at))).toEqual([
      0x1234_5678, 0xff, 0x0bad_cafe, 0x1ff,
    ]);
    rig.io.write32(0x34, 0x0010_00ff);
    expect(rig.index('DAC1')).toBe(0x10);
  });
});
