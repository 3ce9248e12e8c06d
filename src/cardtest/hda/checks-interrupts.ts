import * as R from '../../hardware/hda/registers.ts';
import { GET_PARAMETER } from '../../hardware/hda/verbs.ts';
import { TICKS_PER_MILLISECOND } from '../../kernel/index.ts';
import type { Expectations } from '../check.ts';
import { BYTES_PER_MS, type HdaBench } from './bench.ts';
import { checkTable } from './check-table.ts';
import { HdaRings } from './rings.ts';

const TAG = 2;

/** Runs a stream, under a number of its own, in 10 ms periods with IOC until the first period has ended, then stops it. */
function endPeriod(bench: HdaBench, enables: number, stream = bench.firstOutput): void {
  const tag = TAG + stream;
  bench.openOutput(tag);
  bench.program({ stream, tag, entries: bench.silentEntries(2, 10 * BYTES_PER_MS, true) });
  bench.run(stream, enables);
  bench.waitStatus(stream, R.STS_BCIS);
  bench.stop(stream);
}

function expectLine(bench: HdaBench, expect: Expectations, what: string, high: boolean): void {
  const asserted = () => bench.card.interruptAsserted === high;
  // A line may be heard of a moment later on an emulator.
  if (!asserted()) bench.card.waitUntil(asserted, 5 * TICKS_PER_MILLISECOND);
  const names = high ? (['high', 'low'] as const) : (['low', 'high'] as const);
  expect.that(what, asserted(), names[0], names[1]);
}

/** Enables, status, and the line. */
export const INTERRUPT_CHECKS = checkTable('INT', 'Interrupts', [
  [
    '001',
    'The end of an entry with IOC raises the line when IOCE, the stream’s enable and GIE are set',
    'HDA 1.0a §3.3.14, §3.3.35, §3.3.36',
    (bench, expect) => {
      bench.write32(R.INTCTL, R.INT_GLOBAL | (1 << bench.firstOutput));
      expectLine(bench, expect, 'interrupt line before', false);
      endPeriod(bench, R.CTL_IOCE);
      expectLine(bench, expect, 'interrupt line', true);
    },
  ],
  [
    '002',
    'Without GIE the line stays low',
    'HDA 1.0a §3.3.14',
    (bench, expect) => {
      bench.write32(R.INTCTL, 1 << bench.firstOutput);
      endPeriod(bench, R.CTL_IOCE);
      expectLine(bench, expect, 'interrupt line', false);
    },
  ],
  [
    '003',
    'Without the stream’s enable the line stays low',
    'HDA 1.0a §3.3.14',
    (bench, expect) => {
      bench.write32(R.INTCTL, R.INT_GLOBAL | R.INT_CONTROLLER | 1);
      endPeriod(bench, R.CTL_IOCE);
      expectLine(bench, expect, 'interrupt line', false);
    },
  ],
  [
    '004',
    'Without IOCE the line stays low, and the status is set all the same',
    'HDA 1.0a §3.3.35',
    (bench, expect) => {
      bench.write32(R.INTCTL, R.INT_GLOBAL | (1 << bench.firstOutput));
      endPeriod(bench, 0);
      expect.bits('STS', bench.sts(bench.firstOutput), R.STS_BCIS, R.STS_BCIS);
      expectLine(bench, expect, 'interrupt line', false);
    },
  ],
  [
    '005',
    'INTSTS tells which stream it is, enabled in INTCTL or not',
    'HDA 1.0a §3.3.15',
    (bench, expect) => {
      const bit = 1 << bench.firstOutput;
      endPeriod(bench, R.CTL_IOCE);
      expect.bits('INTSTS, streams', bench.read32(R.INTSTS), 0xff, bit);
      bench.write32(R.INTCTL, bit);
      expect.bits('INTSTS, streams, enabled', bench.read32(R.INTSTS), 0xff, bit);
    },
  ],
  [
    '006',
    'GIS is the OR of all status bits, enabled in INTCTL or not',
    'HDA 1.0a §3.3.15',
    (bench, expect) => {
      expect.equal('INTSTS before', bench.read32(R.INTSTS), 0);
      endPeriod(bench, R.CTL_IOCE);
      expect.bits('GIS', bench.read32(R.INTSTS), R.INT_GLOBAL, R.INT_GLOBAL);
      bench.acknowledge(bench.firstOutput);
      expect.equal('INTSTS acknowledged', bench.read32(R.INTSTS), 0);
    },
  ],
  [
    '007',
    'Clearing BCIS lowers the line',
    'HDA 1.0a §3.3.36',
    (bench, expect) => {
      bench.write32(R.INTCTL, R.INT_GLOBAL | (1 << bench.firstOutput));
      endPeriod(bench, R.CTL_IOCE);
      bench.acknowledge(bench.firstOutput);
      expectLine(bench, expect, 'interrupt line', false);
    },
  ],
  [
    '008',
    'Clearing GIE lowers the line, setting it raises it again',
    'HDA 1.0a §3.3.14',
    (bench, expect) => {
      const bit = 1 << bench.firstOutput;
      bench.write32(R.INTCTL, R.INT_GLOBAL | bit);
      endPeriod(bench, R.CTL_IOCE);
      bench.write32(R.INTCTL, bit);
      expectLine(bench, expect, 'interrupt line without GIE', false);
      bench.write32(R.INTCTL, R.INT_GLOBAL | bit);
      expectLine(bench, expect, 'interrupt line with GIE', true);
    },
  ],
  [
    '009',
    'Clearing the stream’s enable lowers the line, setting it raises it again',
    'HDA 1.0a §3.3.14',
    (bench, expect) => {
      const bit = 1 << bench.firstOutput;
      bench.write32(R.INTCTL, R.INT_GLOBAL | bit);
      endPeriod(bench, R.CTL_IOCE);
      bench.write32(R.INTCTL, R.INT_GLOBAL);
      expectLine(bench, expect, 'interrupt line without the enable', false);
      bench.write32(R.INTCTL, R.INT_GLOBAL | bit);
      expectLine(bench, expect, 'interrupt line with it', true);
    },
  ],
  [
    '010',
    'Clearing IOCE lowers the line, setting it raises it again',
    'HDA 1.0a §3.3.35',
    (bench, expect) => {
      const stream = bench.firstOutput;
      bench.write32(R.INTCTL, R.INT_GLOBAL | (1 << stream));
      endPeriod(bench, R.CTL_IOCE);
      bench.write8(bench.at(stream, R.SD_CTL), 0);
      expectLine(bench, expect, 'interrupt line without IOCE', false);
      bench.write8(bench.at(stream, R.SD_CTL), R.CTL_IOCE);
      expectLine(bench, expect, 'interrupt line with it', true);
    },
  ],
  [
    '011',
    'Of two streams each holds the line until it is acknowledged',
    'HDA 1.0a §3.3.14, §3.3.15',
    (bench, expect) => {
      const [one, two] = [bench.firstOutput, bench.firstOutput + 1];
      bench.write32(R.INTCTL, R.INT_GLOBAL | (1 << one) | (1 << two));
      endPeriod(bench, R.CTL_IOCE, one);
      endPeriod(bench, R.CTL_IOCE, two);
      expect.bits('INTSTS, streams', bench.read32(R.INTSTS), 0xff, (1 << one) | (1 << two));
      bench.acknowledge(one);
      expectLine(bench, expect, 'interrupt line after one', true);
      expect.bits('INTSTS after one', bench.read32(R.INTSTS), 0xff, 1 << two);
      bench.acknowledge(two);
      expectLine(bench, expect, 'interrupt line after both', false);
    },
  ],
  [
    '012',
    'A stream reset takes its interrupt back',
    'HDA 1.0a §3.3.35',
    (bench, expect) => {
      bench.write32(R.INTCTL, R.INT_GLOBAL | (1 << bench.firstOutput));
      endPeriod(bench, R.CTL_IOCE);
      bench.resetStream(bench.firstOutput);
      expectLine(bench, expect, 'interrupt line', false);
      expect.bits('INTSTS, streams', bench.read32(R.INTSTS), 0xff, 0);
    },
  ],
  [
    '013',
    'The response interrupt needs CIE and GIE, and shows in CIS',
    'HDA 1.0a §3.3.14, §3.3.15',
    (bench, expect) => {
      new HdaRings(bench)
        .start({ rintcnt: 1, rirbCtl: R.RIRBCTL_DMAEN | R.RIRBCTL_RINTCTL })
        .post(0, GET_PARAMETER, 0);
      bench.card.waitUntil(() => bench.read8(R.RIRBSTS) !== 0, 20 * TICKS_PER_MILLISECOND);
      expect.bits('CIS without enables', bench.read32(R.INTSTS), R.INT_CONTROLLER, R.INT_CONTROLLER);
      expectLine(bench, expect, 'interrupt line without enables', false);
      bench.write32(R.INTCTL, R.INT_GLOBAL);
      expectLine(bench, expect, 'interrupt line with GIE', false);
      bench.write32(R.INTCTL, R.INT_GLOBAL | R.INT_CONTROLLER);
      expectLine(bench, expect, 'interrupt line with both', true);
      bench.write8(R.RIRBSTS, R.RIRBSTS_RINTFL);
      expectLine(bench, expect, 'interrupt line acknowledged', false);
    },
  ],
  [
    '014',
    'A codec’s announcement interrupts when WAKEEN, CIE and GIE allow it',
    'HDA 1.0a §3.3.8, §3.3.9, §3.3.14',
    (bench, expect) => {
      bench.enterReset();
      bench.leaveReset();
      const announced = bench.read16(R.STATESTS);
      bench.write32(R.INTCTL, R.INT_GLOBAL | R.INT_CONTROLLER);
      expectLine(bench, expect, 'interrupt line without WAKEEN', false);
      bench.write16(R.WAKEEN, announced);
      expectLine(bench, expect, 'interrupt line with WAKEEN', true);
      expect.bits('CIS', bench.read32(R.INTSTS), R.INT_CONTROLLER, R.INT_CONTROLLER);
      bench.write16(R.STATESTS, announced);
      expectLine(bench, expect, 'interrupt line acknowledged', false);
      bench.write16(R.WAKEEN, 0);
    },
  ],
  [
    '015',
    'Writes to INTSTS acknowledge nothing',
    'HDA 1.0a §3.3.15',
    (bench, expect) => {
      bench.write32(R.INTCTL, R.INT_GLOBAL | (1 << bench.firstOutput));
      endPeriod(bench, R.CTL_IOCE);
      bench.write32(R.INTSTS, 0xffff_ffff);
      expectLine(bench, expect, 'interrupt line', true);
      expect.bits('INTSTS, streams', bench.read32(R.INTSTS), 0xff, 1 << bench.firstOutput);
    },
  ],
  [
    '016',
    'A stream that runs on raises the line at each period',
    'HDA 1.0a §3.3.36, §4.5.6',
    (bench, expect) => {
      const stream = bench.firstOutput;
      bench.write32(R.INTCTL, R.INT_GLOBAL | (1 << stream));
      bench.openOutput(TAG);
      bench.program({ stream, tag: TAG, entries: bench.silentEntries(4, 10 * BYTES_PER_MS, true) });
      bench.run(stream, R.CTL_IOCE);
      for (let period = 1; period <= 8; period++) {
        bench.card.waitUntil(() => bench.card.interruptAsserted, 500 * TICKS_PER_MILLISECOND);
        expectLine(bench, expect, `interrupt line, period ${period}`, true);
        bench.acknowledge(stream);
        expectLine(bench, expect, `interrupt line acknowledged, period ${period}`, false);
      }
      bench.stop(stream);
    },
  ],
  [
    '017',
    'Input streams interrupt by their own bits',
    'HDA 1.0a §3.3.15',
    (bench, expect) => {
      bench.write32(R.INTCTL, R.INT_GLOBAL | 1);
      bench.openInput(TAG);
      bench.program({ stream: 0, tag: TAG, entries: bench.silentEntries(2, 10 * BYTES_PER_MS, true) });
      bench.run(0, R.CTL_IOCE);
      bench.waitStatus(0, R.STS_BCIS);
      bench.stop(0);
      expectLine(bench, expect, 'interrupt line', true);
      expect.bits('INTSTS, streams', bench.read32(R.INTSTS), 0xff, 1);
      bench.acknowledge(0);
      expectLine(bench, expect, 'interrupt line acknowledged', false);
    },
    { need: 'input', part: 'input' },
  ],
]);
