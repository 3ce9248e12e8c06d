import { describe, expect, test } from 'vitest';
import { Ac97Card } from '../hardware/ac97/index.ts';
import { AC97_CARD_TESTS } from './ac97/index.ts';
import { type RegisterFault, withFault } from './faulty-card.ts';
import { runCardTests } from './run-card-tests.ts';
import { simCardFactory } from './sim-card.ts';
import { ac97SimFactory, findTestableCard } from './suites.ts';

function faultyFactory(fault: RegisterFault) {
  return simCardFactory('AC97 with a fault', ({ output, input }) =>
    withFault(new Ac97Card({ lineOut: output, ...(input ? { lineIn: input, micIn: input } : {}) }), fault),
  );
}

async function failures(fault: RegisterFault, filter: string): Promise<readonly string[]> {
  const card = await faultyFactory(fault)();
  try {
    const report = await runCardTests(card, AC97_CARD_TESTS, { filter });
    return report.results.filter(({ status }) => status === 'fail' || status === 'error').map(({ id }) => id);
  } finally {
    card.dispose();
  }
}

describe("the functional test of AC'97 cards", () => {
  test('our model passes every check, without a known deviation', async () => {
    const card = await ac97SimFactory();
    const progress: string[] = [];
    const report = await runCardTests(card, AC97_CARD_TESTS, {
      onProgress: ({ check, result }) => {
        if (result) progress.push(check.id);
      },
    });
    card.dispose();
    expect(report.results.filter(({ status }) => status !== 'pass')).toEqual([]);
    expect(report.passed).toBe(true);
    expect(report.counts.pass).toBe(AC97_CARD_TESTS.checks.length);
    expect(new Set(progress).size).toBe(AC97_CARD_TESTS.checks.length);
  });

  test('every check has an id of its own, a source, and belongs to one stretch of its group', () => {
    const { checks } = AC97_CARD_TESTS;
    expect(checks.length).toBeGreaterThanOrEqual(60);
    expect(new Set(checks.map(({ id }) => id)).size).toBe(checks.length);
    for (const { id, source } of checks) {
      expect(id).toMatch(/^AC97-[A-Z]+-\d{3}$/);
      expect(source).toMatch(/§|table/);
    }
    const groups = checks.map(({ group }) => group).filter((group, index, all) => group !== all[index - 1]);
    expect(new Set(groups).size).toBe(groups.length);
  });

  test('every known deviation names a check that there is', () => {
    const ids = new Set(AC97_CARD_TESTS.checks.map(({ id }) => id));
    for (const { checkId } of AC97_CARD_TESTS.deviations) expect(ids).toContain(checkId);
  });

  test.each<[string, RegisterFault, string, string]>([
    [
      'LVI of six bits',
      { read: (bar, offset, _size, value) => (bar === 1 && offset === 0x15 ? value | 0x20 : value) },
      'REG-',
      'AC97-REG-002',
    ],
    [
      'a vendor id that is missing',
      { read: (bar, offset, _size, value) => (bar === 0 && offset === 0x7c ? 0 : value) },
      'MIX-',
      'AC97-MIX-018',
    ],
    [
      'PICB that stands still',
      { read: (bar, offset, size, value) => (bar === 1 && offset === 0x18 && size === 2 ? 500 : value) },
      'RING-',
      'AC97-RING-002',
    ],
    [
      'IOCE that is not wired',
      { write: (bar, offset, _size, value) => (bar === 1 && offset === 0x1b ? value & ~0x10 : value) },
      'INT-',
      'AC97-INT-002',
    ],
    [
      'PCM out one step too soft',
      {
        write: (bar, offset, _size, value) =>
          bar === 0 && offset === 0x18 && value === 0x0808 ? 0x0909 : value,
      },
      'MIX-',
      'AC97-MIX-029',
    ],
    [
      'a status that cannot be cleared',
      { write: (bar, offset, _size, value) => (bar === 1 && offset === 0x16 ? 0 : value) },
      'INT-',
      'AC97-INT-006',
    ],
  ])('finds %s', async (_what, fault, filter, id) => {
    expect(await failures(fault, filter)).toContain(id);
  });

  test('a filter selects by id, group or title', async () => {
    const card = await ac97SimFactory();
    const byGroup = await runCardTests(card, AC97_CARD_TESTS, { filter: 'sample rates' });
    const byId = await runCardTests(card, AC97_CARD_TESTS, { filter: 'ac97-int-004' });
    card.dispose();
    expect(new Set(byGroup.results.map(({ group }) => group))).toEqual(new Set(['Sample rates']));
    expect(byId.results.map(({ id }) => id)).toEqual(['AC97-INT-004']);
  });

  test('two runs on fresh machines give the same report', async () => {
    const reports = [];
    for (let run = 0; run < 2; run++) {
      const card = await ac97SimFactory();
      reports.push(await runCardTests(card, AC97_CARD_TESTS));
      card.dispose();
    }
    expect(reports[0]).toEqual(reports[1]);
  });

  test('cards are found by name in any case', () => {
    expect(findTestableCard('AC97')?.qemuDevice).toBe('AC97');
    expect(findTestableCard('none')).toBeUndefined();
  });
});
