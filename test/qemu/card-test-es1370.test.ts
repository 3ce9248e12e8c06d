import { expect, test } from 'vitest';
import { qemuCardFactory } from '../../src/cardtest/index.node.ts';
import {
  ES1370_CARD_TESTS,
  findTestableCard,
  formatReportText,
  runCardTests,
} from '../../src/cardtest/index.ts';
import { describeWithQemu } from '../support/with-qemu.ts';

describeWithQemu('the functional test of cards on QEMU’s ES1370', () => {
  test('every check ends as documented, or deviates exactly as listed', { timeout: 180_000 }, async () => {
    const testable = findTestableCard('es1370');
    const card = await qemuCardFactory('ES1370', testable?.bus === 'PCI' ? testable.outputRate : undefined)();
    try {
      const report = await runCardTests(card, ES1370_CARD_TESTS);
      const unexpected = report.results.filter(({ status }) => status !== 'pass' && status !== 'deviation');
      expect(unexpected, formatReportText(report)).toEqual([]);
      expect(report.counts.deviation).toBe(ES1370_CARD_TESTS.deviations.length);
    } finally {
      card.dispose();
    }
  });
});
