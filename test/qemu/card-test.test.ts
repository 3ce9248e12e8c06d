import { expect, test } from 'vitest';
import { measureRegisterAccessCost, qemuCardFactory } from '../../src/cardtest/index.node.ts';
import { AC97_CARD_TESTS, formatReportText, runCardTests } from '../../src/cardtest/index.ts';
import { describeWithQemu } from '../support/with-qemu.ts';

describeWithQemu('the functional test of cards on QEMU’s AC97', () => {
  test('every check ends as documented, or deviates exactly as listed', { timeout: 60_000 }, async () => {
    const card = await qemuCardFactory('AC97')();
    try {
      const report = await runCardTests(card, AC97_CARD_TESTS);
      const unexpected = report.results.filter(({ status }) => status !== 'pass' && status !== 'deviation');
      expect(unexpected, formatReportText(report)).toEqual([]);
      expect(report.counts.deviation).toBe(AC97_CARD_TESTS.deviations.length);
    } finally {
      card.dispose();
    }
  });

  test('a register access costs microseconds, and so does a page of RAM', { timeout: 30_000 }, async () => {
    const cost = await measureRegisterAccessCost(1000);
    expect(cost.readMicroseconds).toBeLessThan(2000);
    expect(cost.writeMicroseconds).toBeLessThan(2000);
    expect(cost.readPageMicroseconds).toBeLessThan(2000);
    expect(cost.writePageMicroseconds).toBeLessThan(2000);
  });
});
