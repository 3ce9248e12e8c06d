import { expect, test } from 'vitest';
import { isaQemuCardFactory } from '../../src/cardtest/index.node.ts';
import { formatReportText, QEMU_SB16, runCardTests, SB16_CARD_TESTS } from '../../src/cardtest/index.ts';
import { describeWithQemu } from '../support/with-qemu.ts';

describeWithQemu('the functional test of a Sound Blaster 16 on QEMU’s sb16', () => {
  test('every check ends as documented, deviates exactly as listed, or is of a part that QEMU’s card lacks', {
    timeout: 240_000,
  }, async () => {
    const card = await isaQemuCardFactory(QEMU_SB16)();
    try {
      const report = await runCardTests(card, SB16_CARD_TESTS);
      const unexpected = report.results.filter(
        ({ status }) => status !== 'pass' && status !== 'deviation' && status !== 'absent',
      );
      expect(unexpected, formatReportText(report)).toEqual([]);
      expect(report.counts.deviation).toBe(SB16_CARD_TESTS.deviations.length);
      const absent = report.results.filter(({ status }) => status === 'absent').map(({ group }) => group);
      expect(new Set(absent)).toEqual(new Set(['MPU-401', 'FM synthesizer', 'Plug and Play', 'Game port']));
    } finally {
      card.dispose();
    }
  });
});
