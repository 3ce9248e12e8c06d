import { describe, expect, test } from 'vitest';
import { Es1370Card } from '../../hardware/es1370/index.ts';
import { CODEC, CONTROL, MEMPAGE, SERIAL, STATUS } from '../../hardware/es1370/registers.ts';
import { type TraceEvent, TraceKind } from '../../kernel/index.ts';
import { type DiffReport, formatDiffReport, runDiffSuite } from '../diff/index.ts';
import { type RegisterFault, withFault } from '../faulty-card.ts';
import { simCardFactory } from '../sim-card.ts';
import { es1370SimFactory } from '../suites.ts';
import { ES1370_ACCEPTED_DIFFERENCES } from './accepted-differences.ts';
import { ES1370_DIFF } from './diff.ts';
import type { Es1370Operation } from './diff-operations.ts';
import { ES1370_RATE } from './index.ts';

async function diffWithFault(fault: RegisterFault, seed: number, steps: number): Promise<DiffReport> {
  const model = await es1370SimFactory();
  const other = await simCardFactory(
    'ES1370 with a fault',
    ({ output, input }) =>
      withFault(new Es1370Card({ lineOut: output, ...(input ? { lineIn: input } : {}) }), fault),
    ES1370_RATE,
  )();
  try {
    return await runDiffSuite(model, other, ES1370_DIFF, { seed, steps });
  } finally {
    model.dispose();
    other.dispose();
  }
}

describe('differential testing of the ES1370', () => {
  test('the traffic of a seed is always the same, and that of another seed another', () => {
    expect(ES1370_DIFF.generate(7, 300)).toEqual(ES1370_DIFF.generate(7, 300));
    expect(ES1370_DIFF.generate(7, 300)).not.toEqual(ES1370_DIFF.generate(8, 300));
    expect(ES1370_DIFF.generate(7, 300)).toHaveLength(300);
  });

  test.each([1, 2, 3])('our model beside itself: no difference, accepted or not (seed %i)', async (seed) => {
    const report = await diffWithFault({}, seed, 1000);
    expect(report.difference, formatDiffReport(report)).toBeNull();
    expect(report.accepted).toEqual([]);
    expect(report.stepsDone).toBe(1000);
    expect(report.comparisons).toBeGreaterThan(2000);
  });

  test.each<[string, RegisterFault, string]>([
    [
      'an interrupt enable that is not wired',
      { write: (_bar, offset, _size, value) => (offset === SERIAL ? value & ~0x200 : value) },
      'SERIAL|request of DAC2',
    ],
    [
      'a summary bit that is missing',
      {
        read: (_bar, offset, size, value) =>
          offset === STATUS && size === 4 && (value & 7) === 0 ? (value | 0x8000_0000) >>> 0 : value,
      },
      'STATUS',
    ],
    [
      'a page register of three bits',
      { write: (_bar, offset, _size, value) => (offset === MEMPAGE ? value & 7 : value) },
      'MEMPAGE|PAGE|DAC|ADC|PHANTOM',
    ],
    [
      'an index beyond its buffer',
      {
        read: (_bar, offset, size, value) =>
          offset === 0x34 && size === 4 && value >>> 16 > 300 ? (value | 0xffff_0000) >>> 0 : value,
      },
      'SIZE',
    ],
    [
      'sound that is one step too soft',
      {
        write: (_bar, offset, size, value) =>
          offset === CODEC && size === 2 && value <= 0x0100 && (value & 0xff) === 0 ? value | 1 : value,
      },
      'what was played',
    ],
    [
      'a recording of one side',
      {
        write: (_bar, offset, size, value) =>
          offset === CODEC && size === 2 && value >> 8 === 0x13 ? 0x1300 : value,
      },
      'memory of ADC',
    ],
  ])('%s is found', async (_what, fault, expected) => {
    const report = await diffWithFault(fault, 1, 900);
    expect(report.difference?.what).toMatch(new RegExp(expected));
    expect(formatDiffReport(report)).toContain('Again: miniport diff --card es1370 --seed 1 --steps 900');
  });

  test('a sequence is shortened to what is needed, and told by names', async () => {
    // CONTROL loses a bit of its divider once DAC2's buffer has an address.
    let set = false;
    const fault: RegisterFault = {
      write: (_bar, offset, size, value) => {
        if (offset === 0x38 && size === 4 && value > 0x100_0000) set = true;
        return value;
      },
      read: (_bar, offset, size, value) =>
        set && offset === CONTROL && size === 4 ? value & ~0x0001_0000 : value,
    };
    const report = await diffWithFault(fault, 4, 600);
    expect(report.difference?.what).toBe('CONTROL');
    expect(report.difference?.operations.length).toBeLessThan(12);
    expect(formatDiffReport(report)).toContain('ens1370.c ES_REG_CONTROL');
  });

  test('every accepted difference has a reason and an id of its own', () => {
    const ids = new Set(ES1370_ACCEPTED_DIFFERENCES.map(({ id }) => id));
    expect(ids.size).toBe(ES1370_ACCEPTED_DIFFERENCES.length);
    for (const { reason } of ES1370_ACCEPTED_DIFFERENCES) expect(reason.length).toBeGreaterThan(20);
  });
});

describe('recorded traffic of an ES1370 driver', () => {
  const event = (tick: number, direction: string, name: string, value: number, size = 4): TraceEvent => ({
    sequence: tick,
    tick,
    kind: TraceKind.Register,
    source: 'ES1370',
    name,
    irql: 0,
    phase: 'I',
    cause: null,
    data: { direction, value, size },
  });

  const RECORDED = [
    event(0, 'write', 'CONTROL', 0x001e_3003),
    event(0, 'write', 'SERIAL', 0),
    event(10, 'write', 'CODEC', 0x1603, 2),
    event(5000, 'read', 'STATUS', 0x60),
    event(6000, 'write', 'MEMPAGE', 0x0c),
    event(6000, 'write', 'DAC2_FRAME', 0x10_0000),
    event(6000, 'write', 'DAC2_SIZE', 0x0fff),
    event(6000, 'write', 'DAC2_COUNT', 440),
    event(6000, 'write', 'SERIAL', 0x020c),
    event(6000, 'write', 'CONTROL', 0x001e_3023),
    event(106_000, 'read', 'STATUS', 0x8000_0062),
    event(106_100, 'write', 'SERIAL', 0x000c),
    event(106_200, 'write', 'SERIAL', 0x020c),
    event(106_300, 'read', 'DAC2_SIZE', 0x01c8_0fff),
    event(150_000, 'write', 'SERIAL', 0x120c),
    event(170_000, 'write', 'SERIAL', 0x020c),
    event(190_000, 'write', 'CONTROL', 0x001e_3003),
    event(190_000, 'write', 'SERIAL', 0x000c),
  ];

  test('a driver’s accesses become the same operations; its ring becomes one of ours', () => {
    const operations = ES1370_DIFF.fromTrace(RECORDED);
    expect(operations.map(({ kind }) => kind)).toEqual([
      'wire',
      'write',
      'write',
      'write',
      'pass',
      'read',
      'pass',
      'write',
      'write',
      'write',
      'write',
      'write',
      'run',
      'pass',
      'read',
      'interrupt',
      'read',
      'pass',
      'pause',
      'pass',
      'resume',
      'pass',
      'settle',
      'write',
      'write',
      'settle',
    ]);
    const run = operations.find((one): one is Es1370Operation & { kind: 'run' } => one.kind === 'run');
    expect(run).toMatchObject({
      channel: 'DAC2',
      format: 3,
      dwords: 4096,
      periodFrames: 441,
      interrupt: true,
    });
  });

  test('it can be played on two cards', async () => {
    const [model, other] = [await es1370SimFactory(), await es1370SimFactory()];
    const operations = ES1370_DIFF.fromTrace(RECORDED);
    const report = await runDiffSuite(model, other, ES1370_DIFF, { seed: 0, steps: 0, operations });
    model.dispose();
    other.dispose();
    expect(report.difference, formatDiffReport(report)).toBeNull();
    expect(report.stepsDone).toBe(operations.length);
  });

  test('a trace of another card gives nothing to play', () => {
    expect(ES1370_DIFF.fromTrace([event(0, 'write', 'GLOB_CNT', 2)])).toEqual([]);
  });
});
