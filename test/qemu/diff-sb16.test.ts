import { expect, test } from 'vitest';
import { runDiff } from '../../src/cardtest/index.node.ts';
import { type DiffCard, findDiffCard, formatDiffReport } from '../../src/cardtest/index.ts';
import { type TraceEvent, TraceKind } from '../../src/kernel/index.ts';
import { describeWithQemu } from '../support/with-qemu.ts';

function sb16(): DiffCard {
  const card = findDiffCard('SB16');
  if (card === undefined) throw new Error('There is no differential test of the Sound Blaster 16.');
  return card;
}

describeWithQemu('our Sound Blaster 16 beside QEMU’s sb16', () => {
  test.each([1, 2])(
    'random traffic of seed %i: every difference is one of the list',
    { timeout: 120_000 },
    async (seed) => {
      const report = await runDiff(sb16(), { seed, steps: 800 });
      expect(report.difference, formatDiffReport(report)).toBeNull();
      expect(report.stepsDone).toBe(800);
      expect(report.accepted.map(({ id }) => id)).toContain('mixer-defaults');
    },
  );

  test('recorded traffic: a driver brings the card up and plays a block', { timeout: 60_000 }, async () => {
    const report = await runDiff(sb16(), { seed: 0, steps: 0, recorded: BRING_UP.map(toEvent) });
    expect(report.difference, formatDiffReport(report)).toBeNull();
    expect(report.stepsDone).toBeGreaterThan(10);
  });
});

type Access = readonly [microseconds: number, direction: 'read' | 'write', name: string, value: number];

function dsp(microseconds: number, ...bytes: readonly number[]): readonly Access[] {
  return bytes.flatMap((byte): readonly Access[] => [
    [microseconds, 'read', 'DSP_WRITE_STATUS', 0x7f],
    [microseconds, 'write', 'DSP_WRITE', byte],
  ]);
}

/** How a driver begins: reset, version, mixer, rate, auto-initialized 16-bit stereo, interrupt, exit. */
const BRING_UP: readonly Access[] = [
  [0, 'write', 'DSP_RESET', 1],
  [10, 'write', 'DSP_RESET', 0],
  [110, 'read', 'DSP_READ_STATUS', 0xff],
  [110, 'read', 'DSP_READ_DATA', 0xaa],
  ...dsp(120, 0xe1),
  [130, 'read', 'DSP_READ_DATA', 4],
  [130, 'read', 'DSP_READ_DATA', 13],
  [140, 'write', 'MIX_RESET', 0],
  [150, 'write', 'MIX_MASTER_LEFT', 0xf8],
  [150, 'write', 'MIX_MASTER_RIGHT', 0xf8],
  [160, 'read', 'MIX_MASTER_LEFT', 0xf8],
  [170, 'read', 'MIX_INTERRUPT_SETUP', 2],
  [170, 'read', 'MIX_DMA_SETUP', 0x22],
  ...dsp(200, 0xd1, 0x41, 0xac, 0x44, 0xb6, 0x30, 0xff, 0x07),
  [23_000, 'read', 'MIX_INTERRUPT_STATUS', 2],
  [23_010, 'read', 'DSP_ACK_16', 0xff],
  ...dsp(60_000, 0xd9),
  ...dsp(90_000, 0x40, 0xd3, 0x48, 0xff, 0x0f, 0x1c),
  ...dsp(120_000, 0xda, 0xd3),
];

function toEvent([microseconds, direction, name, value]: Access, index: number): TraceEvent {
  return {
    sequence: index + 1,
    tick: microseconds * 10,
    kind: TraceKind.Register,
    source: 'SB16',
    name,
    irql: 0,
    phase: 'I',
    cause: null,
    data: { direction, value, size: 1 },
  };
}
