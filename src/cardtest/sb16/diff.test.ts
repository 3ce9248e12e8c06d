import { describe, expect, test } from 'vitest';
import { Sb16Card } from '../../hardware/sb16/index.ts';
import { type TraceEvent, TraceKind } from '../../kernel/index.ts';
import { type DiffReport, formatDiffReport, runDiffSuite } from '../diff/index.ts';
import { type PortFault, withIsaFault } from '../faulty-card.ts';
import { sb16SimFactory } from '../suites.ts';
import { SB16_ACCEPTED_DIFFERENCES } from './accepted-differences.ts';
import { SB16_DIFF } from './diff.ts';
import { sb16OperationsFromTrace } from './recorded-traffic.ts';

const MIXER_INDEX = 0x224;
const MIXER_DATA = 0x225;
const DSP_WRITE = 0x22c;
const ACK_16 = 0x22f;

async function diffWithFault(fault: PortFault, seed: number, steps: number): Promise<DiffReport> {
  const model = await sb16SimFactory({ jumpers: {} })();
  const other = await sb16SimFactory({ jumpers: {} }, ({ output }) =>
    withIsaFault(new Sb16Card({ jumpers: {}, lineOut: output }), fault),
  )();
  try {
    return await runDiffSuite(model, other, SB16_DIFF, { seed, steps });
  } finally {
    model.dispose();
    other.dispose();
  }
}

describe('differential testing of the Sound Blaster 16', () => {
  test('the traffic of a seed is always the same, and that of another seed another', () => {
    expect(SB16_DIFF.generate(7, 300)).toEqual(SB16_DIFF.generate(7, 300));
    expect(SB16_DIFF.generate(7, 300)).not.toEqual(SB16_DIFF.generate(8, 300));
    expect(SB16_DIFF.generate(7, 300)).toHaveLength(300);
  });

  test.each([1, 2, 3])('our model beside itself: no difference, accepted or not (seed %i)', async (seed) => {
    const report = await diffWithFault({}, seed, 1000);
    expect(report.difference).toBeNull();
    expect(report.accepted).toEqual([]);
    expect(report.stepsDone).toBe(1000);
    expect(report.comparisons).toBeGreaterThan(2500);
  });

  test('a wrong register is told as a story: accesses by name, both answers, what the guide says', async () => {
    const fault: PortFault = {
      read: (port, card) => {
        const value = card.read(port);
        return port === MIXER_DATA && card.lastWritten(MIXER_INDEX) === 0x44 ? value | 0x10 : value;
      },
    };
    const report = await diffWithFault(fault, 1, 1000);
    expect(report.difference?.what).toBe('MIX_TREBLE_LEFT');
    expect(report.difference?.operations.length).toBeLessThan(6);
    const text = formatDiffReport(report);
    expect(text).toContain('MIX_TREBLE_LEFT differs, and no entry of the list says why.');
    expect(text).toContain('HPG §4, 44h: TREBLE_LEFT');
    expect(text).toContain('Again: miniport diff --card sb16 --seed 1 --steps 1000');
  });

  test.each<[string, PortFault, RegExp]>([
    [
      'a test register of seven bits',
      {
        write: (port, value, card) => {
          const operand = port === DSP_WRITE && card.lastWritten(DSP_WRITE) === 0xe4;
          card.write(port, operand ? value & 0x7f : value);
        },
      },
      /READ_TEST_REGISTER/,
    ],
    [
      'a 16-bit acknowledgement that is not wired',
      { read: (port, card) => (port === ACK_16 ? 0xff : card.read(port)) },
      /MIX_INTERRUPT_STATUS|interrupts of the transfer/,
    ],
    [
      'an exit from auto-initialize that is not heard',
      {
        write: (port, value, card) => {
          if (port !== DSP_WRITE || (value !== 0xd9 && value !== 0xda)) card.write(port, value);
        },
      },
      /interrupts of the transfer/,
    ],
    [
      'samples whose sign is lost',
      {
        write: (port, value, card) => {
          const mode = (card.lastWritten(DSP_WRITE) & 0xf0) === 0xb0 && port === DSP_WRITE;
          card.write(port, mode && (value & 0xcf) === 0 ? value & ~0x10 : value);
        },
      },
      /what was played|middle/,
    ],
  ])('finds %s', async (_what, fault, what) => {
    const report = await diffWithFault(fault, 3, 1000);
    expect(report.difference?.what ?? 'nothing').toMatch(what);
  });

  test('every accepted difference has a reason and an id of its own', () => {
    expect(new Set(SB16_ACCEPTED_DIFFERENCES.map(({ id }) => id)).size).toBe(
      SB16_ACCEPTED_DIFFERENCES.length,
    );
    for (const { reason } of SB16_ACCEPTED_DIFFERENCES) expect(reason.length).toBeGreaterThan(20);
  });
});

describe('recorded traffic of a Sound Blaster 16', () => {
  const event = (tick: number, direction: 'read' | 'write', name: string, value: number): TraceEvent => ({
    sequence: tick,
    tick,
    kind: TraceKind.Register,
    source: 'SB16',
    name,
    irql: 0,
    phase: 'I',
    cause: null,
    data: { direction, value, size: 1 },
  });
  const dsp = (tick: number, ...bytes: readonly number[]) =>
    bytes.flatMap((byte) => [
      event(tick, 'read', 'DSP_WRITE_STATUS', 0x7f),
      event(tick, 'write', 'DSP_WRITE', byte),
    ]);

  const RECORDED = [
    event(0, 'write', 'DSP_RESET', 1),
    event(100, 'write', 'DSP_RESET', 0),
    event(1100, 'read', 'DSP_READ_DATA', 0xaa),
    ...dsp(1200, 0xe1),
    event(1300, 'read', 'DSP_READ_DATA', 4),
    event(1300, 'write', 'MIX_VOICE_LEFT', 0xf8),
    event(1400, 'read', 'MIX_MASTER_LEFT', 0xc0),
    event(1400, 'write', 'MIX_INTERRUPT_SETUP', 2),
    ...dsp(1500, 0x41, 0xac, 0x44, 0xb6, 0x30, 0xff, 0x03),
    event(90_000, 'read', 'MIX_INTERRUPT_STATUS', 2),
    event(90_000, 'read', 'DSP_ACK_16', 0xff),
    ...dsp(95_000, 0xd9, 0xbe, 0x30, 0xff, 0x03),
  ];

  test('a driver’s commands become the same operations; its transfer becomes one of ours; recording is left out', () => {
    const operations = sb16OperationsFromTrace(RECORDED);
    expect(operations.map(({ kind }) => kind)).toEqual([
      'wire',
      'reset',
      'pass',
      'command',
      'mixerWrite',
      'mixerRead',
      'command',
      'play',
      'pass',
      'mixerRead',
      'acknowledge',
      'pass',
    ]);
    expect(operations.find(({ kind }) => kind === 'play')).toMatchObject({
      command: 'programmed with FIFO',
      pcm: { bits: 16, signed: true, stereo: true },
      autoInitialize: true,
      rate: { hz: 44_100 },
    });
    expect(sb16OperationsFromTrace([event(0, 'read', 'PO_CIV', 0)])).toEqual([]);
  });

  test('it can be played on two cards', async () => {
    const [model, other] = [await sb16SimFactory()(), await sb16SimFactory()()];
    const operations = sb16OperationsFromTrace(RECORDED);
    const report = await runDiffSuite(model, other, SB16_DIFF, { seed: 0, steps: 0, operations });
    model.dispose();
    other.dispose();
    expect(report.difference).toBeNull();
    expect(report.stepsDone).toBe(operations.length);
  });
});
