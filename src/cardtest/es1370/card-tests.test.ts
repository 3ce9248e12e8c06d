import { describe, expect, test } from 'vitest';
import { Es1370Card } from '../../hardware/es1370/index.ts';
import { CODEC, CONTROL, MEMPAGE, SERIAL, STATUS, UART_DATA } from '../../hardware/es1370/registers.ts';
import { type RegisterFault, withFault } from '../faulty-card.ts';
import { runCardTests } from '../run-card-tests.ts';
import { simCardFactory } from '../sim-card.ts';
import { es1370SimFactory, findTestableCard } from '../suites.ts';
import { ES1370_CARD_TESTS, ES1370_RATE } from './index.ts';

async function failures(fault: RegisterFault, filter: string): Promise<readonly string[]> {
  const card = await simCardFactory(
    'ES1370 with a fault',
    ({ output, input }) =>
      withFault(new Es1370Card({ lineOut: output, ...(input ? { lineIn: input } : {}) }), fault),
    ES1370_RATE,
  )();
  try {
    const report = await runCardTests(card, ES1370_CARD_TESTS, { filter });
    return report.results.filter(({ status }) => status === 'fail' || status === 'error').map(({ id }) => id);
  } finally {
    card.dispose();
  }
}

describe('the functional test of ES1370 cards', () => {
  test('our model passes every check, without a known deviation', async () => {
    const card = await es1370SimFactory();
    const report = await runCardTests(card, ES1370_CARD_TESTS);
    card.dispose();
    expect(report.results.filter(({ status }) => status !== 'pass')).toEqual([]);
    expect(report.counts.pass).toBe(ES1370_CARD_TESTS.checks.length);
  });

  test('every check has an id of its own, a source, and belongs to one stretch of its group', () => {
    const { checks, documents } = ES1370_CARD_TESTS;
    expect(checks.length).toBeGreaterThanOrEqual(150);
    expect(new Set(checks.map(({ id }) => id)).size).toBe(checks.length);
    for (const { id, source } of checks) {
      expect(id).toMatch(/^ES1370-[A-Z]+-\d{3}$/);
      expect(documents.some(({ short }) => source.startsWith(short))).toBe(true);
    }
    const groups = checks.map(({ group }) => group).filter((group, index, all) => group !== all[index - 1]);
    expect(new Set(groups).size).toBe(groups.length);
  });

  test('every known deviation names a check that there is, once', () => {
    const ids = new Set(ES1370_CARD_TESTS.checks.map(({ id }) => id));
    const deviating = ES1370_CARD_TESTS.deviations.map(({ checkId }) => checkId);
    for (const checkId of deviating) expect(ids).toContain(checkId);
    expect(new Set(deviating).size).toBe(deviating.length);
  });

  test.each<[string, RegisterFault, string, string]>([
    [
      'MEMPAGE of three bits',
      { write: (_bar, offset, _size, value) => (offset === MEMPAGE ? value & 7 : value) },
      'REG-',
      'ES1370-REG-004',
    ],
    [
      'a page multiplexer that confuses the DACs’ addresses',
      { read: (_bar, offset, _size, value) => (offset === 0x38 ? value & 0xffff : value) },
      'REG-',
      'ES1370-REG-012',
    ],
    [
      'a sample counter one frame short',
      {
        write: (_bar, offset, size, value) =>
          offset === 0x24 && size === 4 && value > 0 ? (value & 0xffff) - 1 : value,
      },
      'REG-',
      'ES1370-REG-010',
    ],
    [
      'a DAC2 that counts dwords instead of frames',
      {
        write: (_bar, offset, size, value) =>
          offset === 0x28 && size === 4 && value > 4000 ? value >> 2 : value,
      },
      'INT-019',
      'ES1370-INT-019',
    ],
    [
      'P2_INTEN that is not wired',
      { write: (_bar, offset, _size, value) => (offset === SERIAL ? value & ~0x200 : value) },
      'INT-',
      'ES1370-INT-002',
    ],
    [
      'a request that cannot be acknowledged',
      {
        read: (_bar, offset, _size, value) => (offset === STATUS && (value & 0x60) !== 0 ? value | 4 : value),
      },
      'INT-',
      'ES1370-INT-007',
    ],
    [
      'INTR that does not sum up',
      { read: (_bar, offset, _size, value) => (offset === STATUS ? value & 0x7fff_ffff : value) },
      'INT-',
      'ES1370-INT-001',
    ],
    [
      'a DAC2 that takes 8 bits for 16',
      { write: (_bar, offset, _size, value) => (offset === SERIAL ? value | 0x08 : value) },
      'PLAY-',
      'ES1370-PLAY-005',
    ],
    [
      'a pause that is ignored',
      { write: (_bar, offset, _size, value) => (offset === SERIAL ? value & ~0x1800 : value) },
      'RING-',
      'ES1370-RING-013',
    ],
    [
      'stop mode that loops',
      { write: (_bar, offset, _size, value) => (offset === SERIAL ? value & ~0xe000 : value) },
      'RING-',
      'ES1370-RING-015',
    ],
    [
      'an index that always begins at 0',
      {
        write: (_bar, offset, size, value) =>
          (offset === 0x34 || offset === 0x3c) && size === 4 ? value & 0xffff : value,
      },
      'RING-',
      'ES1370-RING-004',
    ],
    [
      'a clock divider that is one off',
      {
        write: (_bar, offset, size, value) =>
          offset === CONTROL && size === 4 && ((value >>> 16) & 0x1fff) === 62 ? value + 0x20_0000 : value,
      },
      'RATE-',
      'ES1370-RATE-005',
    ],
    [
      'a master volume of one side only',
      {
        write: (_bar, offset, size, value) =>
          offset === CODEC && size === 2 && value >> 8 === 1 ? 0x0080 | (value & 0xff) : value,
      },
      'MIX-',
      'ES1370-MIX-005',
    ],
    [
      'an ADC that records mono',
      { write: (_bar, offset, _size, value) => (offset === SERIAL ? value & ~0x10 : value) },
      'CAP-',
      'ES1370-CAP-001',
    ],
    [
      'ADC_STOP that is not wired',
      { write: (_bar, offset, _size, value) => (offset === CONTROL ? value & 0x7fff_ffff : value) },
      'CAP-',
      'ES1370-CAP-010',
    ],
    [
      'a UART that is always ready',
      {
        read: (_bar, offset, size, value) => (offset === UART_DATA + 1 && size === 1 ? value | 2 : value),
      },
      'UART-',
      'ES1370-UART-002',
    ],
  ])('finds %s', async (_what, fault, filter, id) => {
    expect(await failures(fault, filter)).toContain(id);
  });

  test('the card is found by name', () => {
    expect(findTestableCard('ES1370')?.qemuDevice).toBe('ES1370');
  });
});
