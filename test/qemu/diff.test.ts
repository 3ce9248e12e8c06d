import { expect, test } from 'vitest';
import { runDiff } from '../../src/cardtest/index.node.ts';
import { type DiffCard, findDiffCard, formatDiffReport } from '../../src/cardtest/index.ts';
import { type TraceEvent, TraceKind } from '../../src/kernel/index.ts';
import { describeWithQemu } from '../support/with-qemu.ts';

function card(name: string): DiffCard {
  const found = findDiffCard(name);
  if (found === undefined) throw new RangeError(name);
  return found;
}

describeWithQemu('our AC’97 model beside QEMU’s AC97', () => {
  test.each([1, 2])(
    'random traffic of seed %i: every difference is one of the list',
    { timeout: 60_000 },
    async (seed) => {
      const report = await runDiff(card('ac97'), { seed, steps: 1000 });
      expect(report.difference, formatDiffReport(report)).toBeNull();
      expect(report.stepsDone).toBe(1000);
      expect(report.accepted.map(({ id }) => id)).toContain('absent-registers');
    },
  );

  test('recorded traffic: a driver brings the card up and plays a ring', { timeout: 60_000 }, async () => {
    const report = await runDiff(card('ac97'), { seed: 0, steps: 0, recorded: BRING_UP.map(toEvent) });
    expect(report.difference, formatDiffReport(report)).toBeNull();
    expect(report.stepsDone).toBeGreaterThan(BRING_UP.length);
  });

  test('recorded traffic of another card is refused', async () => {
    const recorded = [toEvent([0, 'write', 'DSP_WRITE', 0xd1, 1], 0)];
    await expect(runDiff(card('ac97'), { seed: 0, steps: 0, recorded })).rejects.toThrow(
      /no register traffic/,
    );
  });
});

type Access = readonly [
  microseconds: number,
  direction: 'read' | 'write',
  name: string,
  value: number,
  size: number,
];

/** How a driver begins: link, codec, volumes, ring, run, interrupt, stop. */
const BRING_UP: readonly Access[] = [
  [0, 'write', 'GLOB_CNT', 0x02, 4],
  [120, 'read', 'GLOB_STA', 0x100, 4],
  [130, 'read', 'VENDOR_ID1', 0x8384, 2],
  [140, 'read', 'VENDOR_ID2', 0x7600, 2],
  [150, 'write', 'RESET', 0, 2],
  [700, 'read', 'POWERDOWN', 0x0f, 2],
  [710, 'read', 'EXTENDED_AUDIO_ID', 0x0809, 2],
  [720, 'write', 'EXTENDED_AUDIO_CONTROL', 0x09, 2],
  [730, 'write', 'MASTER_VOLUME', 0x0000, 2],
  [740, 'write', 'PCM_OUT_VOLUME', 0x0808, 2],
  [750, 'write', 'PCM_FRONT_DAC_RATE', 48_000, 2],
  [760, 'write', 'PO_CR', 0x02, 1],
  [770, 'write', 'PO_BDBAR', 0x10_0000, 4],
  [780, 'write', 'PO_LVI', 7, 1],
  [790, 'write', 'PO_CR', 0x1d, 1],
  [900, 'read', 'PO_CIV+PO_LVI+PO_SR', 0x0700, 4],
  [5900, 'read', 'GLOB_STA', 0x140, 4],
  [5910, 'read', 'PO_SR', 8, 2],
  [5920, 'write', 'PO_SR', 0x1c, 2],
  [9000, 'write', 'PO_CR', 0x00, 1],
  [9010, 'write', 'PO_CR', 0x02, 1],
  [9020, 'write', 'MASTER_VOLUME', 0x8000, 2],
];

function toEvent([microseconds, direction, name, value, size]: Access, index: number): TraceEvent {
  return {
    sequence: index + 1,
    tick: microseconds * 10,
    kind: TraceKind.Register,
    source: 'AC97',
    name,
    irql: 0,
    phase: 'I',
    cause: null,
    data: { direction, value, size },
  };
}
