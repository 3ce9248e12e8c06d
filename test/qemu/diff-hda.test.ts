import { expect, test } from 'vitest';
import { runDiff } from '../../src/cardtest/index.node.ts';
import { type DiffCard, findDiffCard, formatDiffReport } from '../../src/cardtest/index.ts';
import { type TraceEvent, TraceKind } from '../../src/kernel/index.ts';
import { describeWithQemu } from '../support/with-qemu.ts';

function hda(): DiffCard {
  const card = findDiffCard('hda');
  if (card === undefined) throw new RangeError('hda');
  return card;
}

describeWithQemu('our HDA model beside QEMU’s intel-hda with hda-duplex', () => {
  test.each([1, 2])(
    'random traffic of seed %i: every difference is one of the list',
    { timeout: 120_000 },
    async (seed) => {
      const report = await runDiff(hda(), { seed, steps: 1000 });
      expect(report.difference, formatDiffReport(report)).toBeNull();
      expect(report.stepsDone).toBe(1000);
      expect(report.accepted.map(({ id }) => id)).toContain('fifo-registers');
    },
  );

  test('recorded traffic: a driver brings card and codec up and plays', { timeout: 60_000 }, async () => {
    const report = await runDiff(hda(), { seed: 0, steps: 0, recorded: BRING_UP.map(toEvent) });
    expect(report.difference, formatDiffReport(report)).toBeNull();
    expect(report.stepsDone).toBeGreaterThan(20);
  });

  test('recorded traffic of another card is refused', async () => {
    const recorded = [toEvent([0, 'write', 'DSP_WRITE', 0xd1, 1], 0)];
    await expect(runDiff(hda(), { seed: 0, steps: 0, recorded })).rejects.toThrow(/no register traffic/);
  });
});

type Access = readonly [
  microseconds: number,
  direction: 'read' | 'write',
  name: string,
  value: number,
  size: number,
];

/** How a driver begins: reset, rings, the codec's graph, a stream, interrupts, stop. */
const BRING_UP: readonly Access[] = [
  [0, 'read', 'GCAP', 0x4401, 2],
  [5, 'read', 'VMAJ', 1, 1],
  [10, 'write', 'GCTL', 0, 4],
  [120, 'write', 'GCTL', 1, 4],
  [700, 'read', 'STATESTS', 1, 2],
  [710, 'write', 'STATESTS', 1, 2],
  [720, 'write', 'CORBLBASE', 0x10_0000, 4],
  [730, 'write', 'CORBCTL', 2, 1],
  [740, 'write', 'INTCTL', 0xc000_00ff, 4],
  [750, 'write', 'CORBWP', 1, 2],
  [780, 'write', 'C0N00.GET_PARAMETER', 0x00, 1],
  [800, 'write', 'C0N00.GET_PARAMETER', 0x04, 1],
  [820, 'write', 'C0N02.GET_PARAMETER', 0x09, 1],
  [840, 'write', 'C0N03.GET_CONFIG_DEFAULT', 0, 1],
  [860, 'write', 'C0N02.SET_FORMAT', 0x0011, 2],
  [880, 'write', 'C0N02.SET_STREAM_CHANNEL', 0x10, 1],
  [900, 'write', 'C0N02.SET_AMP', 0xb04a, 2],
  [920, 'write', 'C0N03.SET_PIN_CONTROL', 0x40, 1],
  [940, 'write', 'OSD0CTL', 1, 1],
  [960, 'write', 'OSD0CTL', 0, 1],
  [970, 'write', 'OSD0CBL', 3840, 4],
  [980, 'write', 'OSD0LVI', 3, 2],
  [990, 'write', 'OSD0FMT', 0x11, 2],
  [1000, 'write', 'OSD0BDPL', 0x10_1000, 4],
  [1010, 'write', 'OSD0CTL', 0x10_0000, 4],
  [1020, 'write', 'OSD0CTL', 0x1e, 1],
  [3000, 'read', 'OSD0LPIB', 100, 4],
  [6020, 'read', 'INTSTS', 0x8000_0010, 4],
  [6030, 'write', 'OSD0STS', 0x1c, 1],
  [9000, 'write', 'OSD0CTL', 0x1c, 1],
  [9010, 'read', 'OSD0CTL+OSD0STS', 0, 4],
  [9020, 'write', 'OSD0CTL', 1, 1],
];

function toEvent([microseconds, direction, name, value, size]: Access, index: number): TraceEvent {
  return {
    sequence: index + 1,
    tick: microseconds * 10,
    kind: TraceKind.Register,
    source: 'HDA',
    name,
    irql: 0,
    phase: 'I',
    cause: null,
    data: { direction, value, size },
  };
}
