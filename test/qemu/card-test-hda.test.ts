import { expect, test } from 'vitest';
import { qemuCardFactory } from '../../src/cardtest/index.node.ts';
import { formatReportText, HDA_CARD_TESTS, runCardTests } from '../../src/cardtest/index.ts';
import { describeWithQemu } from '../support/with-qemu.ts';

describeWithQemu('the functional test of HDA cards on QEMU’s', () => {
  test.each([
    ['intel-hda', 'hda-duplex'],
    ['ich9-intel-hda', 'hda-micro'],
    ['intel-hda', 'hda-output'],
  ])(
    '%s with %s: every check ends as documented, deviates exactly as listed, or is of a part that the codec lacks',
    {
      timeout: 240_000,
    },
    async (controller, device) => {
      const card = await qemuCardFactory({ controller, device })();
      try {
        const report = await runCardTests(card, HDA_CARD_TESTS);
        const unexpected = report.results.filter(
          ({ status }) => status !== 'pass' && status !== 'deviation' && status !== 'absent',
        );
        expect(unexpected, formatReportText(report)).toEqual([]);
        if (device !== 'hda-output') expect(report.counts.deviation).toBe(HDA_CARD_TESTS.deviations.length);
      } finally {
        card.dispose();
      }
    },
  );
});
