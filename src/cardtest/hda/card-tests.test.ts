import { describe, expect, test } from 'vitest';
import { formatReportText } from '../report-text.ts';
import { runCardTests } from '../run-card-tests.ts';
import { HDA_CARD_TESTS } from './index.ts';
import { hdaSimFactory } from './sim-card.ts';

describe('the functional test of HDA cards', () => {
  test('our model passes every check', async () => {
    const card = await hdaSimFactory()();
    const report = await runCardTests(card, HDA_CARD_TESTS, { stopwatch: () => performance.now() });
    card.dispose();
    const unexpected = report.results.filter(({ status }) => status !== 'pass' && status !== 'absent');
    expect(unexpected, formatReportText(report)).toEqual([]);
  });
});
