import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { describeFmValue, fmRegisterAt, fmRegisterName, fmRegisters } from './describe.ts';
import { Opl3 } from './opl3.ts';
import { FM_NOMINAL_RATE, SampleGrid } from './sample-grid.ts';
import { FmSynth } from './synth.ts';
import { FmRig, type OperatorValues, PLAIN_OPERATOR, SAMPLE_RATE, SILENT_OPERATOR } from './test-rig.ts';

/** 80.457 µs and 321.83 µs: 4 and 16 samples of 1408 ÷ 7 ticks. */
const COUNT_1 = (4 * 1408) / 7;
const COUNT_2 = (16 * 1408) / 7;
const SAMPLE_TICKS = 1408 / 7;

const RST = 0x80;
const MT1 = 0x40;
const MT2 = 0x20;
const ST2 = 0x02;
const ST1 = 0x01;

const SQUARE: OperatorValues = [0x21, 0, 0xf0, 0x0f, 6];

describe('detection', () => {
  // AdLib's manual: mask and reset, status & E0h is 0; timer 1 from FFh, 80 µs later status & E0h is C0h.
  test.each(['YMF262', 'YM3812'] as const)('the timer test of the AdLib manual finds the %s', (chip) => {
    const rig = new FmRig({ chip });
    rig.write(4, MT1 | MT2).write(4, RST);
    expect(rig.status() & 0xe0).toBe(0);
    rig
      .write(2, 0xff)
      .write(4, MT2 | ST1)
      .advance(810);
    expect(rig.status() & 0xe0).toBe(0xc0);
    rig.write(4, MT1 | MT2).write(4, RST);
    expect(rig.status() & 0xe0).toBe(0);
  });

  test('status bits 1 and 2 are 0 on the YMF262 and 1 on the YM3812', () => {
    expect(new FmRig().status()).toBe(0x00);
    expect(new FmRig({ chip: 'YM3812' }).status()).toBe(0x06);
  });

  test('the YMF262 drives no other port than 0; the YM3812 knows one address line', () => {
    const opl3 = new FmRig();
    expect([1, 2, 3].map((port) => opl3.chip.read(port, 1))).toEqual([0xff, 0xff, 0xff]);
    const opl2 = new FmRig({ chip: 'YM3812' });
    expect([1, 2, 3].map((port) => opl2.chip.read(port, 1))).toEqual([0xff, 0x06, 0xff]);
  });

  test('a word access is two byte accesses', () => {
    const rig = new FmRig({ chip: 'YM3812' }, { wantsRegisters: true });
    expect(rig.chip.read(0, 2)).toBe(0xff06);
    expect(rig.chip.read(0, 4)).toBe(0xff06_ff06);
    rig.chip.write(0, 2, 0x5540);
    expect(rig.slot.registers.slice(-2).map(({ name, value }) => [name, value])).toEqual([
      ['FM_ADDRESS', 0x40],
      ['KSL_TL.1', 0x55],
    ]);
  });
});

describe('timers', () => {
  test.each([
    [1, 0xff, COUNT_1],
    [1, 0x00, 256 * COUNT_1],
    [1, 0x9c, 100 * COUNT_1],
    [2, 0xff, COUNT_2],
    [2, 0x38, 200 * COUNT_2],
  ])(
    'timer %i from %i sets flag and interrupt after its time, within a sample, and again',
    (timer, preset, ticks) => {
      const rig = new FmRig().advance(12_345);
      const start = rig.slot.clock.now;
      rig.write(timer + 1, preset).write(4, timer === 1 ? ST1 : ST2);
      const flag = timer === 1 ? 0xc0 : 0xa0;
      const times: number[] = [];
      rig.slot.onInterrupt = () => {
        times.push(rig.slot.clock.now - start);
        expect(rig.status()).toBe(flag);
        rig.write(4, RST);
        expect([rig.status(), rig.slot.asserted]).toEqual([0, false]);
      };
      rig.advance(Math.ceil(10 * ticks));
      expect(times.length).toBe(10);
      for (const [index, time] of times.entries()) {
        expect(time).toBeLessThanOrEqual((index + 1) * ticks + 1);
        expect(time).toBeGreaterThan((index + 1) * ticks - SAMPLE_TICKS - 1);
        // Periods are exact: no drift, and no jitter beyond the tick.
        expect(Math.abs(time - times[0]! - index * ticks)).toBeLessThanOrEqual(1);
      }
    },
  );

  test('both flags, one line; RST clears them and touches nothing else', () => {
    const rig = new FmRig()
      .write(2, 0xfe)
      .write(3, 0xff)
      .write(4, ST1 | ST2);
    rig.advance(4000);
    expect([rig.status(), rig.slot.asserted]).toEqual([0xe0, true]);
    rig.write(4, RST | MT1 | MT2);
    expect([rig.status(), rig.slot.asserted]).toEqual([0, false]);
    rig.advance(4000);
    expect([rig.status(), rig.slot.asserted]).toEqual([0xe0, true]);
  });

  test('a masked timer sets no flag and wakes nobody; masking clears the flag', () => {
    const rig = new FmRig().write(2, 0xff).write(4, MT1 | ST1);
    expect(rig.slot.clock.nextDueTick).toBeNull();
    rig.advance(10_000);
    expect([rig.status(), rig.slot.asserted]).toEqual([0, false]);
    rig.write(4, ST1).advance(1000);
    expect(rig.status()).toBe(0xc0);
    rig.write(4, MT1 | ST1);
    expect([rig.status(), rig.slot.asserted]).toEqual([0, false]);
  });

  test('a stopped timer sets no flag; started again it begins from its preset; a start while running is none', () => {
    const rig = new FmRig()
      .write(2, 0xf6)
      .write(4, ST1)
      .advance(5 * COUNT_1);
    rig.write(4, 0).advance(100 * COUNT_1);
    expect(rig.status()).toBe(0);
    rig
      .write(4, ST1)
      .advance(5 * COUNT_1)
      .write(4, ST1)
      .advance(4 * COUNT_1);
    expect(rig.status()).toBe(0);
    rig.advance(1 * COUNT_1 + 1);
    expect(rig.status()).toBe(0xc0);
  });

  test('a new preset counts from the next overflow on', () => {
    const rig = new FmRig().write(2, 0xf6).write(4, ST1).write(2, 0xff);
    rig.advance(9 * COUNT_1);
    expect(rig.status()).toBe(0);
    rig.advance(COUNT_1).write(4, RST).advance(COUNT_1);
    expect(rig.status()).toBe(0xc0);
  });

  test('a flag nobody clears costs no further alarm', () => {
    const rig = new FmRig()
      .write(2, 0xff)
      .write(4, ST1)
      .advance(100 * COUNT_1);
    expect(rig.slot.clock.fired).toBe(1);
    expect(rig.slot.clock.nextDueTick).toBeNull();
  });

  test('detached, the chip holds no line, has no alarm and answers nothing', () => {
    const rig = new FmRig().write(2, 0xff).write(4, ST1).advance(1000);
    expect(rig.slot.asserted).toBe(true);
    rig.chip.detach();
    expect(rig.slot.asserted).toBe(false);
    rig.advance(10_000);
    expect(rig.slot.asserted).toBe(false);
    expect(rig.chip.read(0, 1)).toBe(0xff);
  });
});

describe('banks and modes', () => {
  test('bank 1 is closed until NEW is set: its addresses reach bank 0, but for 105h', () => {
    const rig = new FmRig({}, { wantsRegisters: true });
    const written = (): string | undefined => rig.slot.registers.at(-1)?.name;
    rig.write(0x1a3, 5);
    expect(written()).toBe('FNUM.4');
    rig.write(0x104, 0);
    expect(written()).toBe('TIMER_CONTROL');
    rig.write(0x105, 1);
    expect(written()).toBe('NEW');
    rig.write(0x1a3, 5);
    expect(written()).toBe('FNUM.13');
    rig.write(0x104, 0);
    expect(written()).toBe('CONNECTION');
    rig.write(0x105, 0).write(0x1a3, 5);
    expect(written()).toBe('FNUM.4');
  });

  test('either data port writes the register that was addressed last', () => {
    const rig = new FmRig({}, { wantsRegisters: true }).opl3();
    rig.chip.write(0, 1, 0x43);
    rig.chip.write(3, 1, 0x12);
    expect(rig.slot.registers.at(-1)).toMatchObject({ name: 'KSL_TL.4', value: 0x12 });
    rig.chip.write(2, 1, 0x43);
    rig.chip.write(1, 1, 0x12);
    expect(rig.slot.registers.at(-1)).toMatchObject({ name: 'KSL_TL.22', value: 0x12 });
  });

  test('CHA and CHB switch the sides in OPL3 mode; in the compatible mode both are on', () => {
    for (const [connection, mode, left, right] of [
      [0x10, 1, true, false],
      [0x20, 1, false, true],
      [0x30, 1, true, true],
      [0xc0, 1, false, false],
      [0x00, 0, true, true],
    ] as const) {
      const rig = new FmRig().write(0x105, mode);
      rig.instrument(0, SILENT_OPERATOR, SQUARE, connection).key(0, 300, 4).milliseconds(20);
      const loud = (side: 'left' | 'right'): boolean => Math.max(...rig.side(side)) > 4000;
      expect([loud('left'), loud('right')]).toEqual([left, right]);
    }
  });

  test('waves 4 to 7 exist in OPL3 mode only', () => {
    const heard = [0, 1].map((mode) => {
      const rig = new FmRig().write(0x105, mode);
      rig.instrument(0, SILENT_OPERATOR, SQUARE).key(0, 300, 4).milliseconds(20);
      return new Set(rig.side().subarray(20)).size;
    });
    expect(heard[0]).toBeGreaterThan(50);
    expect(heard[1]).toBe(2);
  });

  test('the YM3812 takes waves only with WSE, and keeps them when it is switched off', () => {
    const heard = (writes: readonly (readonly [number, number])[]): boolean => {
      const rig = new FmRig({ chip: 'YM3812' }).instrument(0, SILENT_OPERATOR, PLAIN_OPERATOR, 0);
      for (const [register, value] of writes) rig.write(register, value);
      return Math.min(...rig.key(0, 300, 4).milliseconds(20).side()) < -4000;
    };
    expect(heard([[0xe3, 2]])).toBe(true);
    expect(
      heard([
        [0x01, 0x20],
        [0xe3, 2],
      ]),
    ).toBe(false);
    expect(
      heard([
        [0x01, 0x20],
        [0xe3, 2],
        [0x01, 0],
        [0xe3, 0],
      ]),
    ).toBe(false);
  });

  test('composite sine mode strikes all keys of a YM3812 at every overflow of timer 1, and none of a YMF262', () => {
    for (const chip of ['YM3812', 'YMF262'] as const) {
      const rig = new FmRig({ chip });
      // A release so fast that every strike is a click of its own.
      rig.write(0x01, 0x20).instrument(0, SILENT_OPERATOR, [0x21, 0, 0xf0, 0x0f, 1], 0).key(0, 600, 7, false);
      rig
        .milliseconds(5)
        .write(0x08, 0x80)
        .write(2, 256 - 25)
        .write(4, MT1 | ST1)
        .milliseconds(50);
      if (chip === 'YMF262') {
        expect(Math.max(...rig.side())).toBeLessThanOrEqual(0);
        continue;
      }
      const loud = Array.from(rig.side()).map((sample) => sample > 100);
      const strikes = loud.flatMap((on, at) =>
        on && !loud.slice(Math.max(0, at - 40), at).includes(true) ? [at] : [],
      );
      expect(strikes.length).toBeGreaterThanOrEqual(23);
      for (let index = 1; index < strikes.length; index++) {
        expect(Math.abs(strikes[index]! - strikes[index - 1]! - 100)).toBeLessThanOrEqual(8);
      }
    }
  });

  test('a reset closes bank 1, stops the timers and silences everything', () => {
    const rig = new FmRig().opl3().instrument(0, SILENT_OPERATOR, SQUARE).key(0, 300, 4).milliseconds(10);
    rig.write(2, 0xff).write(4, ST1).milliseconds(1);
    rig.chip.reset();
    expect([rig.status(), rig.slot.asserted]).toEqual([0, false]);
    const frames = rig.take().frames;
    rig.milliseconds(100).chip.catchUp();
    expect(rig.sink.frames).toBe(frames);
    expect(rig.slot.clock.nextDueTick).toBeNull();
  });
});

describe('samples in time', () => {
  test('sample n leaves at start + n × 1408 ÷ 7 ticks, rounded up', () => {
    const grid = new SampleGrid();
    grid.start(1000);
    expect([0, 1, 2, 7, 14].map((sample) => grid.tickOf(sample))).toEqual([1000, 1202, 1403, 2408, 3816]);
    fc.assert(
      fc.property(fc.nat(2 ** 40), (sample) => {
        expect(grid.samplesBy(grid.tickOf(sample))).toBe(sample + 1);
        expect(grid.samplesBy(grid.tickOf(sample) - 1)).toBe(sample);
      }),
    );
    // An hour: 49715.909 samples a second.
    expect(grid.samplesBy(1000 + 3600e7)).toBe(Math.floor(3600 * (546_875 / 11)) + 1);
  });

  test('a register acts on the samples after its tick, and blocks are stamped with their first sample', () => {
    const rig = new FmRig({}, { startTick: 777 }).opl3().instrument(0, SILENT_OPERATOR, SQUARE);
    rig.milliseconds(30).chip.catchUp();
    rig.sink.clear();
    rig.key(0, 300, 4).milliseconds(10);
    const grid = new SampleGrid();
    grid.start(777);
    const first = grid.samplesBy(777 + 300_000);
    expect(rig.take().startTick).toBe(grid.tickOf(first));
    expect(rig.take().format).toEqual({ sampleRate: FM_NOMINAL_RATE, channels: 2 });
    expect(rig.take().frames).toBe(grid.samplesBy(777 + 400_000) - first);
  });

  test('a tone of a minute is one run without a seam, though the label is 1.8 ppm off', () => {
    const rig = new FmRig().opl3().instrument(0, SILENT_OPERATOR, SQUARE).key(0, 300, 4);
    for (let count = 0; count < 600; count++) rig.milliseconds(100).chip.catchUp();
    expect(rig.take().runs.length).toBe(1);
    // Sample 0 left before the first register was written.
    expect(rig.take().frames).toBe(Math.floor(60 * SAMPLE_RATE));
  });

  test('nothing leaves while nothing sounds, and looking at the status costs no sound', () => {
    const rig = new FmRig();
    for (let count = 0; count < 1000; count++) {
      rig.advance(1000);
      rig.status();
    }
    rig.chip.catchUp();
    expect(rig.sink.frames).toBe(0);
    rig.opl3().instrument(0, SILENT_OPERATOR, SQUARE).key(0, 300, 4).milliseconds(20);
    rig.key(0, 300, 4, false).milliseconds(50);
    const frames = rig.take().frames;
    rig.milliseconds(10_000).chip.catchUp();
    expect(rig.take().frames).toBe(frames);
    expect(frames).toBeLessThan(0.08 * SAMPLE_RATE);
  });

  test('after a rest the sound is what it would be without one', () => {
    const rig = new FmRig().opl3();
    const synth = new FmSynth();
    const grid = new SampleGrid();
    grid.start(0);
    const direct: number[] = [];
    const both = (register: number, value: number): void => {
      rig.write(register, value);
      const frames = grid.samplesBy(rig.slot.clock.now) - direct.length / 2;
      const samples = new Int16Array(2 * frames);
      synth.generate(samples, frames);
      direct.push(...samples);
      synth.write(register, value);
    };
    both(0x105, 1);
    for (const [register, value] of [
      [0x23, 0x61],
      [0x63, 0xf0],
      [0x83, 0x0a],
      [0xe3, 3],
      [0xc0, 0x30],
      [0xa0, 200],
    ] as const)
      both(register, value);
    for (let note = 0; note < 4; note++) {
      rig.milliseconds(3);
      both(0xb0, 0x31);
      rig.milliseconds(70);
      both(0xb0, 0x11);
      rig.milliseconds(1234.5);
    }
    both(0xb0, 0x11);
    const take = rig.take();
    const shift = grid.samplesBy(take.startTick) - 1;
    for (const { startTick, firstFrame, frames } of take.runs) {
      const at = grid.samplesBy(startTick) - 1;
      expect(Array.from(take.samples.subarray(2 * firstFrame, 2 * (firstFrame + frames)))).toEqual(
        direct.slice(2 * at, 2 * (at + frames)),
      );
    }
    // Where nothing left, there is the rest noise of silent waves only: −1 a voice at most.
    const heard = new Int16Array(direct.length);
    for (const { startTick, firstFrame, frames } of take.runs)
      heard.set(
        take.samples.subarray(2 * firstFrame, 2 * (firstFrame + frames)) as Int16Array,
        2 * (grid.samplesBy(startTick) - 1),
      );
    expect(shift).toBeLessThan(10);
    const deviations = direct.map((sample, at) => Math.abs(sample - heard[at]!));
    expect(deviations.reduce((most, deviation) => Math.max(most, deviation), 0)).toBeLessThanOrEqual(18);
    expect(take.runs.length).toBeGreaterThanOrEqual(4);
  });
});

describe('description', () => {
  test('every register has one name, and the trace says what a value means', () => {
    const registers = fmRegisters('YMF262');
    expect(registers.length).toBe(8 + 36 * 5 + 18 * 3);
    expect(new Set(registers.map(({ name }) => name)).size).toBe(registers.length);
    expect(new Set(registers.map(({ register }) => register)).size).toBe(registers.length);
    expect(fmRegisters('YM3812').length).toBe(6 + 18 * 5 + 9 * 3);
    for (const { fields } of registers) {
      expect(fields.reduce((sum, { mask }) => sum + mask, 0)).toBeLessThanOrEqual(0xff);
    }
    expect(fmRegisterName(0x1b8)).toBe('KON_BLOCK.18');
    expect(fmRegisterName(0x1bd)).toBe('FM_1BD');
    expect(fmRegisterAt(0x36)).toBeNull();
    expect(describeFmValue(0xb0, 0x31)).toBe('KON, BLOCK 4, FNUM 1');
    expect(describeFmValue(0x20, 0xa1)).toBe('AM, EGT, MULT 1');
    expect(describeFmValue(0x02, 0x12)).toBeUndefined();
  });

  test('the listing has what was written last', () => {
    const rig = new FmRig().opl3().write(0x1b0, 0x31).write(0x1b0, 0x11);
    const named = (name: string): unknown => rig.chip.snapshot().find((row) => row.name === name);
    expect(named('KON_BLOCK.10')).toEqual({
      name: 'KON_BLOCK.10',
      register: 0x1b0,
      value: 0x11,
      meaning: 'BLOCK 4, FNUM 1',
    });
    rig.chip.reset();
    expect(rig.chip.snapshot().every(({ value }) => value === 0)).toBe(true);
  });

  test('a write to a register that does not exist is found, a zero is not: drivers clear everything', () => {
    const rig = new FmRig().opl3();
    for (let register = 0; register < 0xf6; register++) if (register !== 5) rig.write(register, 0);
    expect(rig.slot.findings).toEqual([]);
    rig.write(0x36, 1);
    expect(rig.slot.findings).toEqual([
      { what: 'write to an FM register that does not exist', data: { register: 0x36, value: 1 } },
    ]);
  });
});

describe('whatever software does', () => {
  const access = fc.record({
    kind: fc.constantFrom('read' as const, 'write' as const),
    port: fc.nat(3),
    size: fc.constantFrom(1 as const, 2 as const, 4 as const),
    value: fc.integer({ min: 0, max: 0xffff_ffff }),
  });
  const register = fc.record({
    kind: fc.constant('register' as const),
    number: fc.nat(0x1ff),
    value: fc.nat(255),
  });
  const timers = fc.record({
    kind: fc.constant('register' as const),
    number: fc.integer({ min: 2, max: 4 }),
    value: fc.nat(255),
  });
  const time = fc.record({
    kind: fc.constant('time' as const),
    ticks: fc.oneof(fc.nat(3000), fc.nat(200_000)),
  });
  const moves = fc.array(
    fc.oneof(
      { weight: 3, arbitrary: access },
      { weight: 6, arbitrary: register },
      { weight: 2, arbitrary: timers },
      { weight: 3, arbitrary: time },
    ),
    { maxLength: 120 },
  );

  test('the chip neither throws nor hangs, the line is status bit 7, samples stay in range (property)', () => {
    fc.assert(
      fc.property(
        fc.constantFrom('YMF262' as const, 'YM3812' as const),
        moves,
        fc.boolean(),
        (chip, steps, traced) => {
          const rig = new FmRig({ chip }, { wantsRegisters: traced });
          for (const step of steps) {
            if (step.kind === 'time') rig.advance(step.ticks);
            else if (step.kind === 'register') rig.write(step.number, step.value);
            else if (step.kind === 'write') {
              rig.chip.write(step.port, step.size, step.value % 2 ** (8 * step.size));
            } else {
              const value = rig.chip.read(step.port, step.size);
              expect(Number.isInteger(value) && value >= 0 && value < 2 ** (8 * step.size)).toBe(true);
            }
            const status = rig.status();
            expect((status & 0x80) !== 0).toBe(rig.slot.asserted);
            expect((status & 0x60) !== 0).toBe(rig.slot.asserted);
          }
          rig.milliseconds(20).chip.catchUp();
          for (const take of rig.sink.takes) {
            expect(take.format).toEqual({ sampleRate: FM_NOMINAL_RATE, channels: 2 });
            expect(take.samples.length).toBe(2 * take.frames);
          }
        },
      ),
      { numRuns: 150 },
    );
  });

  test('looking changes nothing: status reads and catching up at any times leave sound and interrupts as they are (property)', () => {
    fc.assert(
      fc.property(
        fc.constantFrom('YMF262' as const, 'YM3812' as const),
        moves,
        fc.array(fc.nat(5000), { minLength: 1, maxLength: 40 }),
        (chip, steps, looks) => {
          const outcome = (looking: boolean): unknown => {
            const rig = new FmRig({ chip });
            let look = 0;
            const pass = (ticks: number): void => {
              const end = rig.slot.clock.now + ticks;
              for (let count = 0; looking && count < 30; count++) {
                const next = rig.slot.clock.now + looks[look++ % looks.length]!;
                if (next >= end) break;
                rig.slot.clock.advanceTo(next);
                if (look % 3 === 0) rig.chip.catchUp();
                else rig.status();
              }
              rig.slot.clock.advanceTo(end);
            };
            for (const step of steps) {
              if (step.kind === 'time') pass(step.ticks);
              else if (step.kind === 'register') rig.write(step.number, step.value);
              else if (step.kind === 'write') rig.chip.write(step.port, step.size, step.value);
            }
            pass(200_000);
            rig.chip.catchUp();
            const takes = rig.sink.takes.map(({ startTick, runs, samples }) => ({
              startTick,
              runs,
              samples: Array.from(samples),
            }));
            return { takes, line: rig.slot.lineChanges };
          };
          expect(outcome(true)).toEqual(outcome(false));
        },
      ),
      { numRuns: 60 },
    );
  });
});

test('without an output nothing is synthesized, and the timers run all the same', () => {
  const rig = new FmRig();
  const chip = new Opl3();
  chip.attach(rig.slot);
  for (const [register, value] of [
    [0xb0, 0x31],
    [0x02, 0xff],
    [0x04, 0x01],
  ] as const) {
    chip.write(0, 1, register);
    chip.write(1, 1, value);
  }
  rig.advance(1000);
  expect(chip.read(0, 1)).toBe(0xc0);
});
