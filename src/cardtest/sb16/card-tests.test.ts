import { describe, expect, test } from 'vitest';
import { Sb16Card } from '../../hardware/sb16/index.ts';
import { type PortAccess, type PortFault, withIsaFault } from '../faulty-card.ts';
import { runCardTests } from '../run-card-tests.ts';
import { findTestableCard, sb16SimFactory } from '../suites.ts';
import { SB16_CARD_TESTS } from './index.ts';

/** Ports of the card where Plug and Play puts it. */
const MIXER_INDEX = 0x224;
const MIXER_DATA = 0x225;
const DSP_WRITE = 0x22c;
const READ_STATUS = 0x22e;
const ACK_16 = 0x22f;
const FM_INDEX = 0x388;
const FM_DATA = 0x389;
const MPU_COMMAND = 0x331;

async function failures(fault: PortFault, filter: string): Promise<readonly string[]> {
  const card = await sb16SimFactory({}, ({ output, input }) =>
    withIsaFault(new Sb16Card({ lineOut: output, ...(input ? { lineIn: input } : {}) }), fault),
  )();
  try {
    const report = await runCardTests(card, SB16_CARD_TESTS, { filter });
    return report.results.filter(({ status }) => status === 'fail' || status === 'error').map(({ id }) => id);
  } finally {
    card.dispose();
  }
}

/** Changes what one mixer register reads. */
function mixerReads(index: number, change: (value: number) => number): PortFault {
  return {
    read: (port, card) => {
      const value = card.read(port);
      return port === MIXER_DATA && card.lastWritten(MIXER_INDEX) === index ? change(value) : value;
    },
  };
}

/** Changes what is written to one port; null: the write is lost. */
function writes(at: number, change: (value: number, card: PortAccess) => number | null): PortFault {
  return {
    write: (port, value, card) => {
      const changed = port === at ? change(value, card) : value;
      if (changed !== null) card.write(port, changed);
    },
  };
}

describe('the functional test of a Sound Blaster 16', () => {
  test('our model, placed by Plug and Play, passes every check without a known deviation', async () => {
    const card = await sb16SimFactory()();
    const report = await runCardTests(card, SB16_CARD_TESTS);
    card.dispose();
    const left = report.results.filter(({ status }) => status !== 'pass');
    expect(left.map(({ id, status }) => `${id} ${status}`)).toEqual([
      'SB16-JMP-001 absent',
      'SB16-JMP-002 absent',
    ]);
    expect(report.passed).toBe(true);
  });

  test('our model, placed by jumpers, passes every check but those of Plug and Play', async () => {
    const card = await sb16SimFactory({ jumpers: {} })();
    const report = await runCardTests(card, SB16_CARD_TESTS);
    card.dispose();
    const left = report.results.filter(({ status }) => status !== 'pass');
    expect(left.length).toBeGreaterThan(10);
    for (const { id, status } of left) expect(`${id} ${status}`).toMatch(/^SB16-PNP-\d{3} absent$/);
  });

  test('every check has an id of its own, a source, and belongs to one stretch of its group', () => {
    const { checks } = SB16_CARD_TESTS;
    expect(checks.length).toBeGreaterThanOrEqual(250);
    expect(new Set(checks.map(({ id }) => id)).size).toBe(checks.length);
    for (const { id, source } of checks) {
      expect(id).toMatch(/^SB16-[A-Z]+-[0-9A-F]{3}$/);
      expect(SB16_CARD_TESTS.documents.some(({ short }) => source.startsWith(short))).toBe(true);
    }
    const groups = checks.map(({ group }) => group).filter((group, index, all) => group !== all[index - 1]);
    expect(new Set(groups).size).toBe(groups.length);
  });

  test('every known deviation names a check that there is, once', () => {
    const ids = new Set(SB16_CARD_TESTS.checks.map(({ id }) => id));
    const deviating = SB16_CARD_TESTS.deviations.map(({ checkId }) => checkId);
    for (const id of deviating) expect(ids).toContain(id);
    expect(new Set(deviating).size).toBe(deviating.length);
  });

  test.each<[string, PortFault, string, string]>([
    [
      'a 16-bit acknowledgement that is not wired',
      { read: (port, card) => (port === ACK_16 ? 0xff : card.read(port)) },
      'INT-',
      'SB16-INT-004',
    ],
    [
      'an 8-bit acknowledgement that takes the 16-bit request, too',
      {
        read: (port, card) => {
          if (port === READ_STATUS) card.read(ACK_16);
          return card.read(port);
        },
      },
      'INT-',
      'SB16-INT-006',
    ],
    [
      'a DSP that does not hear the 16-bit pause',
      writes(DSP_WRITE, (value) => (value === 0xd5 ? null : value)),
      'BLK-',
      'SB16-BLK-017',
    ],
    ['rates with their bytes exchanged', rateBytesExchanged(), 'RATE-', 'SB16-RATE-003'],
    ['a left volume with a bit stuck', mixerReads(0x32, (value) => value | 0x08), 'REG-', 'SB16-REG-032'],
    [
      'a DMA setup that forgets the 16-bit channel',
      mixerReads(0x81, (value) => value & 0x0f),
      'MIX-',
      'SB16-MIX-005',
    ],
    [
      'a mixer that is deaf to the voice volume on the right',
      writes(MIXER_DATA, (value, card) => (card.lastWritten(MIXER_INDEX) === 0x33 ? 0x50 : value)),
      'MIX-',
      'SB16-MIX-032',
    ],
    [
      'an FM chip without its second timer',
      writes(FM_DATA, (value, card) => (card.lastWritten(FM_INDEX) === 0x04 ? value & ~0x02 : value)),
      'FM-',
      'SB16-FM-004',
    ],
    [
      'an MPU-401 that does not enter UART mode',
      writes(MPU_COMMAND, (value) => (value === 0x3f ? null : value)),
      'MPU-',
      'SB16-MPU-003',
    ],
    ['signed samples taken for unsigned ones', signBitLost(), 'PLY-', 'SB16-PLY-002'],
  ])('finds %s', async (_what, fault, filter, id) => {
    expect(await failures(fault, filter)).toContain(id);
  });

  test('two runs on fresh machines give the same report', async () => {
    const reports = [];
    for (let run = 0; run < 2; run++) {
      const card = await sb16SimFactory()();
      reports.push(await runCardTests(card, SB16_CARD_TESTS, { filter: 'Blocks' }));
      card.dispose();
    }
    expect(reports[0]).toEqual(reports[1]);
  });

  test('is found by name, and says where QEMU has the card', () => {
    const card = findTestableCard('SB16');
    expect(card?.bus).toBe('ISA');
    expect(card?.qemuDevice).toMatchObject({
      device: 'sb16',
      resources: { base: 0x220, irq: 5, mpuBase: null },
    });
  });
});

/** Swaps the operands of 41h. */
function rateBytesExchanged(): PortFault {
  let operand = 0;
  let high = 0;
  return {
    write: (port, value, card) => {
      if (port !== DSP_WRITE || operand === 0) {
        if (port === DSP_WRITE && value === 0x41) operand = 1;
        card.write(port, value);
      } else if (operand === 1) {
        operand = 2;
        high = value;
      } else {
        operand = 0;
        card.write(port, value);
        card.write(port, high);
      }
    },
  };
}

/** Clears the "signed" bit of the mode behind Bxh and Cxh. */
function signBitLost(): PortFault {
  let mode = false;
  return writes(DSP_WRITE, (value) => {
    const was = mode;
    mode = !was && value >= 0xb0 && value < 0xd0;
    return was ? value & ~0x10 : value;
  });
}
