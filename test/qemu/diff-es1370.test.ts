import { expect, test } from 'vitest';
import { runDiff } from '../../src/cardtest/index.node.ts';
import { type DiffCard, findDiffCard, formatDiffReport } from '../../src/cardtest/index.ts';
import { type TraceEvent, TraceKind } from '../../src/kernel/index.ts';
import { describeWithQemu } from '../support/with-qemu.ts';

function es1370(): DiffCard {
  const found = findDiffCard('es1370');
  if (found === undefined) throw new RangeError('es1370');
  return found;
}

describeWithQemu('our ES1370 model beside QEMU’s ES1370', () => {
  test.each([1, 2, 3])(
    'random traffic of seed %i: every difference is one of the list',
    { timeout: 120_000 },
    async (seed) => {
      const report = await runDiff(es1370(), { seed, steps: 1000 });
      expect(report.difference, formatDiffReport(report)).toBeNull();
      expect(report.stepsDone).toBe(1000);
      expect(report.accepted.map(({ id }) => id)).toContain('phantom-frame');
    },
  );

  test('recorded traffic: a driver brings the card up, plays with interrupts, pauses', {
    timeout: 60_000,
  }, async () => {
    const report = await runDiff(es1370(), { seed: 0, steps: 0, recorded: BRING_UP.map(toEvent) });
    expect(report.difference, formatDiffReport(report)).toBeNull();
    expect(report.stepsDone).toBeGreaterThan(BRING_UP.length);
  });
});

type Access = readonly [
  microseconds: number,
  direction: 'read' | 'write',
  name: string,
  value: number,
  size: number,
];

/** How a driver begins: codec, ring, counter, run, interrupts, pause, stop. */
const BRING_UP: readonly Access[] = [
  [0, 'write', 'CONTROL', 0x0000_0003, 4],
  [0, 'write', 'SERIAL', 0, 4],
  [10, 'write', 'CODEC', 0x1600, 2],
  [20, 'read', 'STATUS', 0x60, 4],
  [30, 'write', 'CODEC', 0x1603, 2],
  [40, 'write', 'CODEC', 0x0000, 2],
  [400, 'write', 'MEMPAGE', 0x0c, 4],
  [410, 'write', 'DAC1_FRAME', 0x10_0000, 4],
  [420, 'write', 'DAC1_SIZE', 0x0fff, 4],
  [430, 'write', 'DAC1_COUNT', 440, 4],
  [440, 'write', 'SERIAL', 0x0103, 4],
  [450, 'write', 'CONTROL', 0x001e_3043, 4],
  [10_500, 'read', 'STATUS', 0x8000_0064, 4],
  [10_510, 'write', 'SERIAL', 0x0003, 4],
  [10_520, 'write', 'SERIAL', 0x0103, 4],
  [10_530, 'read', 'DAC1_SIZE', 0x01c8_0fff, 4],
  [10_540, 'read', 'DAC1_COUNT', 0x01b0_01b8, 4],
  [20_500, 'write', 'SERIAL', 0x0003, 4],
  [20_510, 'write', 'SERIAL', 0x0103, 4],
  [25_000, 'write', 'SERIAL', 0x0903, 4],
  [27_000, 'read', 'DAC1_SIZE', 0x0450_0fff, 4],
  [29_000, 'write', 'SERIAL', 0x0103, 4],
  [39_000, 'write', 'SERIAL', 0x0003, 4],
  [39_010, 'write', 'SERIAL', 0x0103, 4],
  [45_000, 'write', 'CONTROL', 0x001e_3003, 4],
  [45_010, 'write', 'SERIAL', 0x0003, 4],
  [45_020, 'write', 'CODEC', 0x0080, 2],
];

function toEvent([microseconds, direction, name, value, size]: Access, index: number): TraceEvent {
  return {
    sequence: index + 1,
    tick: microseconds * 10,
    kind: TraceKind.Register,
    source: 'ES1370',
    name,
    irql: 0,
    phase: 'I',
    cause: null,
    data: { direction, value, size },
  };
}
