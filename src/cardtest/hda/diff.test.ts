import { describe, expect, test } from 'vitest';
import * as R from '../../hardware/hda/registers.ts';
import { SET_AMP, SET_FORMAT } from '../../hardware/hda/verbs.ts';
import { type TraceEvent, TraceKind } from '../../kernel/index.ts';
import { type DiffReport, formatDiffReport, runDiffSuite } from '../diff/index.ts';
import { type RegisterFault, withFault } from '../faulty-card.ts';
import { HDA_ACCEPTED_DIFFERENCES, HDA_AVOIDED_TRAFFIC } from './accepted-differences.ts';
import { HDA_DIFF } from './diff.ts';
import { hdaSimFactory } from './sim-card.ts';

const OSD0 = R.SD_BASE + 4 * R.SD_BYTES;

async function diffWithFault(fault: RegisterFault, seed: number, steps: number): Promise<DiffReport> {
  const model = await hdaSimFactory()();
  const other = await hdaSimFactory({ spoil: (card) => withFault(card, fault) })();
  try {
    return await runDiffSuite(model, other, HDA_DIFF, { seed, steps });
  } finally {
    model.dispose();
    other.dispose();
  }
}

describe('differential testing of HDA cards', () => {
  test('the traffic of a seed is always the same, and that of another seed another', () => {
    expect(HDA_DIFF.generate(7, 300)).toEqual(HDA_DIFF.generate(7, 300));
    expect(HDA_DIFF.generate(7, 300)).not.toEqual(HDA_DIFF.generate(8, 300));
    expect(HDA_DIFF.generate(7, 300)).toHaveLength(300);
  });

  test('a thousand steps have all kinds', () => {
    const kinds = new Set(HDA_DIFF.generate(1, 1000).map(({ kind }) => kind));
    expect([...kinds].sort()).toEqual(
      [
        'abort',
        'command',
        'commands',
        'pass',
        'read',
        'reset',
        'run',
        'settle',
        'streamReset',
        'wire',
        'write',
      ].sort(),
    );
  });

  test.each([1, 2, 3])('our model beside itself: no difference, accepted or not (seed %i)', async (seed) => {
    const report = await diffWithFault({}, seed, 1000);
    expect(report.difference, formatDiffReport(report)).toBeNull();
    expect(report.accepted).toEqual([]);
    expect(report.stepsDone).toBe(1000);
    expect(report.comparisons).toBeGreaterThan(3000);
  });

  test('a wrong register is told as a story: accesses by name, both answers, what the specification says', async () => {
    const report = await diffWithFault(
      { read: (_bar, offset, _size, value) => (offset === R.INTCTL ? value & ~0x10 : value) },
      1,
      600,
    );
    expect(report.difference?.what).toBe('INTCTL');
    const text = formatDiffReport(report);
    expect(text).toContain('INTCTL differs, and no entry of the list says why.');
    expect(text).toContain('HDA 1.0a §3.3: INTCTL, RW: interrupt enables');
    expect(text).toContain('Again: miniport diff --card hda --seed 1 --steps 600');
  });

  test.each<[string, RegisterFault, RegExp]>([
    [
      'a wrong answer of the codec',
      {
        read: (_bar, offset, _size, value) =>
          offset === R.ICII && value === 0x1af4_0022 ? value + 1 : value,
      },
      /^answer to node|^ICII/,
    ],
    [
      'a stream that plays one entry less',
      {
        write: (_bar, offset, size, value) =>
          size === 2 && offset >= R.SD_BASE && (offset & 0x1f) === R.SD_LVI && value > 0 ? value - 1 : value,
      },
      /LVI$/,
    ],
    [
      'BCIS that never comes',
      {
        read: (_bar, offset, size, value) =>
          size === 1 && offset === OSD0 + R.SD_STS ? value & ~R.STS_BCIS : value,
      },
      /OSD0|line|INTSTS/,
    ],
    [
      'a wall clock that runs backwards',
      { read: (_bar, offset, size, value) => (size === 4 && offset === R.WALCLK ? ~value >>> 0 : value) },
      /^WALCLK/,
    ],
  ])('a card with %s is caught', async (_name, fault, what) => {
    const report = await diffWithFault(fault, 2, 1500);
    expect(report.difference?.what, formatDiffReport(report)).toMatch(what);
    expect(report.difference?.operations.length).toBeLessThan(60);
  });

  test('accepted differences have ids of their own and reasons', () => {
    const ids = HDA_ACCEPTED_DIFFERENCES.map(({ id }) => id);
    expect(new Set(ids).size).toBe(ids.length);
    for (const { reason } of HDA_ACCEPTED_DIFFERENCES) expect(reason.length).toBeGreaterThan(20);
    for (const { what, reason } of HDA_AVOIDED_TRAFFIC) expect(`${what}${reason}`).not.toMatch(/undefined/);
  });

  test('a driver’s trace becomes steps: verbs one by one, runs of our own, nothing that leads cards apart', () => {
    const operations = HDA_DIFF.fromTrace(
      [
        ['write', 'GCTL', 0, 4],
        ['write', 'CORBWP', 1, 2],
        ['write', 'C0N02.SET_FORMAT', 0x4011, 2],
        ['read', 'C0N02.GET_FORMAT', 0x4011, 4],
        ['write', 'C0N03.SET_AMP', 0xb000, 2],
        ['write', 'OSD1CTL', 0x30_0000, 4],
        ['write', 'OSD1LVI', 2, 2],
        ['write', 'OSD1CTL', 0x1e, 1],
        ['read', 'OSD1LPIB', 0, 4],
        ['write', 'OSD1CTL', 0x1c, 1],
      ].map(([direction, name, value, size], index) =>
        event(String(direction), String(name), value, size, index),
      ),
    );
    expect(operations.map(({ kind }) => kind)).toEqual([
      'wire',
      'settle',
      'reset',
      'command',
      'write',
      'run',
      'read',
      'settle',
      'settle',
    ]);
    expect(operations[3]).toMatchObject({ nid: 2, verb: SET_FORMAT, payload: 0x4011 });
    expect(operations[5]).toMatchObject({ stream: 5, tag: 3, enables: 0x1c });
    expect(operations.some((step) => step.kind === 'command' && step.verb === SET_AMP)).toBe(false);
  });

  test('a trace of another card has no steps', () => {
    expect(HDA_DIFF.fromTrace([event('write', 'PO_CR', 1, 1, 0)])).toEqual([]);
  });
});

function event(
  direction: string,
  name: string,
  value: string | number | undefined,
  size: string | number | undefined,
  index: number,
): TraceEvent {
  return {
    sequence: index + 1,
    tick: index * 10,
    kind: TraceKind.Register,
    source: 'HDA',
    name,
    irql: 0,
    phase: 'I',
    cause: null,
    data: { direction, value: Number(value), size: Number(size) },
  };
}
