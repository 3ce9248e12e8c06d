import { describe, expect, test } from 'vitest';
import { Ac97Card } from '../../hardware/ac97/index.ts';
import { type TraceEvent, TraceKind } from '../../kernel/index.ts';
import { type DiffReport, formatDiffReport, runDiffSuite } from '../diff/index.ts';
import { type RegisterFault, withFault } from '../faulty-card.ts';
import { simCardFactory } from '../sim-card.ts';
import { ac97SimFactory } from '../suites.ts';
import { AC97_ACCEPTED_DIFFERENCES } from './accepted-differences.ts';
import { AC97_DIFF } from './diff.ts';
import type { DiffOperation } from './diff-operations.ts';

async function diffWithFault(fault: RegisterFault, seed: number, steps: number): Promise<DiffReport> {
  const model = await ac97SimFactory();
  const other = await simCardFactory('AC97 with a fault', ({ output, input }) =>
    withFault(new Ac97Card({ lineOut: output, ...(input ? { lineIn: input, micIn: input } : {}) }), fault),
  )();
  try {
    return await runDiffSuite(model, other, AC97_DIFF, { seed, steps });
  } finally {
    model.dispose();
    other.dispose();
  }
}

describe('differential testing', () => {
  test('the traffic of a seed is always the same, and that of another seed another', () => {
    expect(AC97_DIFF.generate(7, 300)).toEqual(AC97_DIFF.generate(7, 300));
    expect(AC97_DIFF.generate(7, 300)).not.toEqual(AC97_DIFF.generate(8, 300));
    expect(AC97_DIFF.generate(7, 300)).toHaveLength(300);
  });

  test.each([1, 2, 3])('our model beside itself: no difference, accepted or not (seed %i)', async (seed) => {
    const report = await diffWithFault({}, seed, 1200);
    expect(report.difference).toBeNull();
    expect(report.accepted).toEqual([]);
    expect(report.stepsDone).toBe(1200);
    expect(report.comparisons).toBeGreaterThan(3000);
  });

  test('a wrong register is told as a story: accesses by name, both answers, what the datasheet says', async () => {
    const fault: RegisterFault = {
      read: (bar, offset, size, value) => (bar === 1 && offset === 0x16 && size === 2 ? value & ~2 : value),
    };
    const report = await diffWithFault(fault, 1, 1000);
    expect(report.difference?.what).toBe('PO_SR');
    const text = formatDiffReport(report);
    expect(text).toContain('PO_SR differs, and no entry of the list says why.');
    expect(text).toMatch(/model: 0[0-9A-F]h \(DCH CELV/);
    expect(text).toContain('82801AA §12.2.4: PO_SR');
    expect(text).toContain('Again: miniport diff --card ac97 --seed 1 --steps 1000');
  });

  test('the sequence is shortened to what is needed', async () => {
    // A reset of the codec that forgets the record source.
    let stale = 0;
    const fault: RegisterFault = {
      read: (bar, offset, _size, value) => (bar === 0 && offset === 0x1a && value === 0 ? stale : value),
      write: (bar, offset, _size, value) => {
        if (bar === 0 && offset === 0x1a) stale = value & 0x0707;
        return value;
      },
    };
    const report = await diffWithFault(fault, 5, 600);
    expect(report.difference?.what).toBe('RECORD_SELECT');
    expect(report.difference?.operations.length).toBeLessThan(12);
  });

  test('sound that is not that of the buffers is found', async () => {
    let settings = 0;
    const fault: RegisterFault = {
      // After a while the right side is one step too soft, and the register does not show it.
      write: (bar, offset, size, value) =>
        bar === 0 && offset === 0x18 && size === 2 && value === 0x0808 && ++settings > 5 ? 0x0809 : value,
      read: (bar, offset, _size, value) =>
        bar === 0 && offset === 0x18 && value === 0x0809 ? 0x0808 : value,
    };
    const report = await diffWithFault(fault, 3, 800);
    expect(report.difference?.what).toBe('what was played');
  });

  test('every accepted difference has a reason and an id of its own', () => {
    expect(new Set(AC97_ACCEPTED_DIFFERENCES.map(({ id }) => id)).size).toBe(
      AC97_ACCEPTED_DIFFERENCES.length,
    );
    for (const { reason } of AC97_ACCEPTED_DIFFERENCES) expect(reason.length).toBeGreaterThan(20);
  });
});

describe('recorded traffic', () => {
  const event = (tick: number, direction: string, name: string, value: number, size: number): TraceEvent => ({
    sequence: tick,
    tick,
    kind: TraceKind.Register,
    source: 'AC97',
    name,
    irql: 0,
    phase: 'I',
    cause: null,
    data: { direction, value, size },
  });

  const RECORDED = [
    event(0, 'write', 'GLOB_CNT', 2, 4),
    event(1000, 'read', 'GLOB_STA', 0x100, 4),
    event(2000, 'write', 'RESET', 0, 2),
    event(90_000, 'write', 'MASTER_VOLUME', 0x0808, 2),
    event(90_000, 'write', 'PO_BDBAR', 0x1000, 4),
    event(90_000, 'write', 'PO_LVI', 2, 1),
    event(90_000, 'write', 'PO_CR', 0x11, 1),
    event(91_000, 'read', 'PO_CIV+PO_LVI+PO_SR', 0x200, 4),
    event(99_000, 'write', 'PO_SR', 8, 2),
    event(99_000, 'write', 'PO_CR', 0x10, 1),
    event(99_000, 'write', 'PO_CR', 2, 1),
  ];

  test('a driver’s accesses become the same operations; its ring becomes one of ours', () => {
    const operations = AC97_DIFF.fromTrace(RECORDED);
    const kinds = operations.map(({ kind }) => kind);
    expect(kinds).toEqual([
      'wire',
      'write',
      'pass',
      'read',
      'pass',
      'codecReset',
      'pass',
      'write',
      'write',
      'run',
      'pass',
      'read',
      'pass',
      'settle',
      'write',
      'write',
      'settle',
    ]);
    const run = operations.find((one): one is DiffOperation & { kind: 'run' } => one.kind === 'run');
    expect(run).toMatchObject({ engine: 'PO', enables: 0x10 });
    expect(run?.descriptors).toHaveLength(3);
  });

  test('a trace of another card gives nothing to play', () => {
    expect(AC97_DIFF.fromTrace([event(0, 'write', 'DSP_WRITE', 0xd1, 1)])).toEqual([]);
  });

  test('it can be played on two cards', async () => {
    const [model, other] = [await ac97SimFactory(), await ac97SimFactory()];
    const operations = AC97_DIFF.fromTrace(RECORDED);
    const report = await runDiffSuite(model, other, AC97_DIFF, { seed: 0, steps: 0, operations });
    model.dispose();
    other.dispose();
    expect(report.difference).toBeNull();
    expect(report.stepsDone).toBe(operations.length);
  });
});
