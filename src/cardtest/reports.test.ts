import { describe, expect, test } from 'vitest';
import type { CardUnderTest } from './card-under-test.ts';
import type { CardCheck, CardTestSuite, KnownDeviation } from './check.ts';
import { formatReportJson, formatReportJunit } from './report-files.ts';
import { formatReportText } from './report-text.ts';
import { type CardTestReport, runCardTests } from './run-card-tests.ts';
import { ac97SimFactory } from './suites.ts';

function check(id: string, run: CardCheck<CardUnderTest>['run'], group = 'First'): CardCheck<CardUnderTest> {
  return { id, title: `title of <${id}>`, group, source: 'Book §1', run };
}

const CHECKS: readonly CardCheck<CardUnderTest>[] = [
  check('T-1', (_card, expect) => expect.equal('value', 5, 5)),
  check('T-2', (_card, expect) => expect.equal('value', 5, 0x1234)),
  check('T-3', (_card, expect) => expect.equal('value', 5, 6)),
  check('T-4', (_card, expect) => expect.equal('value', 5, 5), 'Second'),
  check(
    'T-5',
    () => {
      throw new Error('no "answer" & nothing');
    },
    'Second',
  ),
  check(
    'T-6',
    (_card, expect) => {
      expect.equal('value', 5, 6);
      expect.equal('other value', 5, 6);
    },
    'Second',
  ),
  {
    ...check('T-7', (_card, expect) => expect.equal('value', 5, 6), 'Second'),
    part: 'organ',
  },
];

const DEVIATIONS: readonly KnownDeviation[] = ['T-3', 'T-4', 'T-6'].map((checkId) => ({
  checkId,
  machine: 'sim',
  what: ['value'],
  reason: `reason of ${checkId}`,
}));

async function report(): Promise<CardTestReport> {
  const suite: CardTestSuite<CardUnderTest> = {
    card: 'ac97',
    title: 'Test of tests',
    documents: [{ short: 'Book', title: 'The book' }],
    checks: CHECKS,
    deviations: DEVIATIONS,
    input: { sampleRate: 48_000, channels: 2, samples: new Int16Array(2) },
    open: (card) => card,
    prepare: () => {},
    missing: (_card, part) => (part === 'organ' ? 'it has no organ' : null),
  };
  const card = await ac97SimFactory();
  let time = 0;
  try {
    return await runCardTests(card, suite, { stopwatch: () => (time += 2) });
  } finally {
    card.dispose();
  }
}

describe('results of checks', () => {
  test('a mismatch fails, unless it is exactly the known one; a known one that does not occur is told apart', async () => {
    const { results, counts, passed } = await report();
    expect(results.map(({ id, status }) => `${id} ${status}`)).toEqual([
      'T-1 pass',
      'T-2 fail',
      'T-3 deviation',
      'T-4 undeviating',
      'T-5 error',
      'T-6 fail',
      'T-7 absent',
    ]);
    expect(counts).toEqual({ pass: 1, fail: 2, deviation: 1, undeviating: 1, absent: 1, error: 1 });
    expect(passed).toBe(false);
  });
});

describe('reports', () => {
  test('text: what did not pass with expected and observed, reasons, counts, documents', async () => {
    const text = formatReportText(await report());
    expect(text).toContain('First: 1 of 3 as documented');
    expect(text).toContain('FAIL   T-2  title of <T-2>  [Book §1]');
    expect(text).toContain('value: expected 1234h, observed 05h');
    expect(text).toContain('known: reason of T-3');
    expect(text).toContain('could not be carried out: no "answer" & nothing');
    expect(text).toContain('absent T-7  title of <T-7>  [Book §1]');
    expect(text).toContain('not on this card: it has no organ');
    expect(text).toContain(
      '7 checks: 1 as documented, 1 known deviation, 1 listed as deviating but as documented, ' +
        '1 of parts that this card does not have, 2 FAILED, 1 not carried out. Not passed.',
    );
    expect(text).toContain('Book: The book');
    expect(text).not.toContain('T-1');
    expect(formatReportText(await report(), { all: true })).toContain('ok     T-1');
  });

  test('JSON: the report itself, with a format and version', async () => {
    const parsed = JSON.parse(formatReportJson(await report()));
    expect(parsed).toMatchObject({ format: 'miniport-card-test', version: 1, card: 'ac97', machine: 'sim' });
    expect(parsed.results).toHaveLength(7);
    expect(parsed.results[1].mismatches).toEqual([{ what: 'value', expected: '1234h', observed: '05h' }]);
  });

  test('JUnit: suites by group, escaped text, failures, errors, and known deviations as skipped', async () => {
    const xml = formatReportJunit(await report());
    expect(xml).toContain(
      '<testsuites name="Test of tests (sim)" tests="7" failures="2" errors="1" skipped="2" time="0.014">',
    );
    expect(xml).toContain(
      '<testsuite name="Second" tests="4" failures="1" errors="1" skipped="1" time="0.008">',
    );
    expect(xml).toContain('classname="ac97.sim" name="T-1 title of &lt;T-1&gt;" time="0.002"/>');
    expect(xml).toContain('<failure message="value: expected 1234h, observed 05h">');
    expect(xml).toContain('<error message="no &quot;answer&quot; &amp; nothing">');
    expect(xml).toContain('<skipped message="known deviation: reason of T-3"/>');
    const opened = xml.match(/<testcase/g)?.length ?? 0;
    const closed = (xml.match(/<\/testcase>/g)?.length ?? 0) + (xml.match(/<testcase[^>]*\/>/g)?.length ?? 0);
    expect(opened).toBe(7);
    expect(closed).toBe(7);
  });
});
