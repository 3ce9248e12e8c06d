import {
  CR_IOCE,
  CR_RPBM,
  CR_RR,
  ENGINE_OFFSET,
  SR_BCIS,
  SR_CELV,
  SR_DCH,
  SR_FIFOE,
  SR_LVBCI,
  X_CIV,
} from '../../hardware/ac97/registers.ts';
import { TICKS_PER_MILLISECOND } from '../../kernel/index.ts';
import type { Ac97Bench } from './bench.ts';
import { checkTable } from './check-table.ts';

/** Samples of a descriptor that lasts 200 ms: it is not over before the next look, however busy the computer. */
const LONG = 19_200;
const SHORT = 192;

/** So many descriptors of silence, all at the same buffer. */
function silentRing(bench: Ac97Bench, count: number, samples: number): void {
  const address = bench.card.allocateRam(samples * 2 + 4);
  bench.describe(
    'PO',
    Array.from({ length: count }, () => ({ address, samples })),
  );
}

/** The descriptor ring: start, progress, end, resume, pause. Played silence does for all of it. */
export const RING_CHECKS = checkTable('RING', 'Descriptor ring', [
  [
    '001',
    'The first run takes descriptor 0 and prefetches 1',
    '82801AA §12.2.2, §12.2.6; PRM §3.2.2',
    (bench, expect) => {
      silentRing(bench, 4, LONG);
      bench.start('PO', 3);
      expect.equal('PO_CIV', bench.civ('PO'), 0);
      expect.equal('PO_PIV', bench.piv('PO'), 1);
      expect.bits('PO_SR', bench.sr('PO'), SR_DCH | SR_CELV, 0);
      expect.between('PO_PICB', bench.picb('PO'), 1, LONG);
      bench.stop('PO');
    },
  ],
  [
    '002',
    'PICB counts down to the end of a descriptor',
    '82801AA §12.2.5',
    (bench, expect) => {
      silentRing(bench, 2, 9600);
      bench.start('PO', 1);
      let before = 9600;
      let falls = 0;
      let rises = 0;
      bench.card.waitUntil(() => {
        const now = bench.picb('PO');
        // Read behind PICB, so that a PICB of the next descriptor is never taken for this one's.
        if (bench.civ('PO') !== 0) return true;
        if (now < before) falls++;
        if (now > before) rises++;
        before = now;
        return false;
      }, 300 * TICKS_PER_MILLISECOND);
      expect.between('times it fell', falls, 3, 10_000);
      expect.between('times it rose', rises, 0, 0);
      expect.equal('PO_CIV afterwards', bench.civ('PO'), 1);
      bench.stop('PO');
    },
  ],
  [
    '003',
    'After the last valid descriptor the engine halts: DCH, CELV, LVBCI, CIV = LVI, PICB = 0',
    '82801AA §12.2.4; PRM §3.2.3',
    (bench, expect) => {
      silentRing(bench, 3, SHORT);
      bench.start('PO', 2);
      expect.that('halt', bench.waitHalted('PO', 3 * SHORT), 'DCH', 'no DCH within the limit');
      expect.equal('PO_SR', bench.sr('PO'), SR_DCH | SR_CELV | SR_LVBCI);
      expect.equal('PO_CIV', bench.civ('PO'), 2);
      expect.equal('PO_PICB', bench.picb('PO'), 0);
      expect.equal('PO_CR', bench.cr('PO'), CR_RPBM);
      bench.stop('PO');
    },
  ],
  [
    '004',
    'A ring of one descriptor halts at it',
    '82801AA §12.2.3, §12.2.4',
    (bench, expect) => {
      silentRing(bench, 1, SHORT);
      bench.start('PO', 0);
      expect.that('halt', bench.waitHalted('PO', SHORT), 'DCH', 'no DCH within the limit');
      expect.equal('PO_CIV', bench.civ('PO'), 0);
      expect.bits('PO_SR', bench.sr('PO'), SR_LVBCI | SR_CELV, SR_LVBCI | SR_CELV);
      bench.stop('PO');
    },
  ],
  [
    '005',
    'A new LVI lets a halted engine go on with the next descriptor',
    '82801AA §12.2.3, §12.2.4; PRM §3.2.4',
    (bench, expect) => {
      silentRing(bench, 8, LONG);
      bench.describe(
        'PO',
        [0, 1].map(() => ({ address: bench.card.allocateRam(SHORT * 2), samples: SHORT })),
      );
      bench.start('PO', 1);
      bench.waitHalted('PO', 2 * SHORT);
      bench.setLvi('PO', 7);
      expect.equal('PO_CIV', bench.civ('PO'), 2);
      expect.bits('PO_SR: DCH and CELV are gone', bench.sr('PO'), SR_DCH | SR_CELV, 0);
      expect.bits('PO_SR: LVBCI stays until it is cleared', bench.sr('PO'), SR_LVBCI, SR_LVBCI);
      bench.stop('PO');
    },
  ],
  [
    '006',
    'Every update of LVI moves the end of the ring while it runs',
    '82801AA §12.2.3; PRM §3.2.3',
    (bench, expect) => {
      silentRing(bench, 32, SHORT);
      bench.start('PO', 4);
      bench.setLvi('PO', 9);
      expect.that('halt', bench.waitHalted('PO', 10 * SHORT), 'DCH', 'no DCH within the limit');
      expect.equal('PO_CIV', bench.civ('PO'), 9);
      bench.stop('PO');
    },
  ],
  [
    '007',
    'LVI by itself starts nothing',
    '82801AA §12.2.7',
    (bench, expect) => {
      silentRing(bench, 4, SHORT);
      bench.setBdbar('PO', bench.list('PO'));
      bench.setLvi('PO', 3);
      bench.card.letTimePass(30 * TICKS_PER_MILLISECOND);
      expect.equal('PO_SR', bench.sr('PO'), SR_DCH);
      expect.equal('PO_CIV', bench.civ('PO'), 0);
      expect.equal('PO_PIV', bench.piv('PO'), 0);
    },
  ],
  [
    '008',
    'All 32 descriptors are used, and the index goes from 31 to 0',
    '82801AA §12.2.2; PRM §3.2.2',
    (bench, expect) => {
      silentRing(bench, 32, SHORT);
      bench.start('PO', 31);
      bench.waitHalted('PO', 32 * SHORT);
      expect.equal('PO_CIV at the end', bench.civ('PO'), 31);
      expect.equal('PO_PIV at the end', bench.piv('PO'), 0);
      bench.setLvi('PO', 1);
      bench.waitHalted('PO', 2 * SHORT);
      expect.equal('PO_CIV after the wrap', bench.civ('PO'), 1);
      bench.stop('PO');
    },
  ],
  [
    '009',
    'A ring that LVI never ends goes round',
    '82801AA §12.2.3; PRM §3.2.3',
    (bench, expect) => {
      silentRing(bench, 32, SHORT);
      bench.start('PO', 31);
      let last = 0;
      let laps = 0;
      bench.card.waitUntil(() => {
        const civ = bench.civ('PO');
        bench.setLvi('PO', (civ + 31) & 31);
        if (civ < last) laps++;
        last = civ;
        return laps === 2;
      }, 1000 * TICKS_PER_MILLISECOND);
      expect.between('laps', laps, 2, 2);
      expect.bits('PO_SR', bench.sr('PO'), SR_DCH | SR_FIFOE, 0);
      bench.stop('PO');
    },
  ],
  [
    '010',
    'Pausing (RPBM = 0) halts the engine where it is',
    '82801AA §12.2.7; PRM §3.2.4',
    (bench, expect) => {
      silentRing(bench, 4, LONG);
      bench.start('PO', 3);
      bench.card.letTimePass(35 * TICKS_PER_MILLISECOND);
      bench.stop('PO');
      const [civ, picb] = [bench.civ('PO'), bench.picb('PO')];
      expect.bits('PO_SR', bench.sr('PO'), SR_DCH, SR_DCH);
      bench.card.letTimePass(35 * TICKS_PER_MILLISECOND);
      expect.equal('PO_CIV after a while', bench.civ('PO'), civ);
      expect.equal('PO_PICB after a while', bench.picb('PO'), picb);
      expect.between('PO_PICB', picb, 1, LONG - 1);
    },
  ],
  [
    '011',
    'After a pause the engine goes on within the same descriptor',
    '82801AA §12.2.7; PRM §3.2.4',
    (bench, expect) => {
      silentRing(bench, 8, LONG);
      bench.start('PO', 7);
      bench.card.letTimePass(35 * TICKS_PER_MILLISECOND);
      bench.stop('PO');
      const [civ, picb] = [bench.civ('PO'), bench.picb('PO')];
      bench.setCr('PO', CR_RPBM);
      expect.equal('PO_CIV', bench.civ('PO'), civ);
      expect.between('PO_PICB', bench.picb('PO'), 1, picb);
      bench.stop('PO');
    },
  ],
  [
    '012',
    'Writing x_CR with RPBM still set changes the enables and nothing else',
    '82801AA §12.2.7',
    (bench, expect) => {
      silentRing(bench, 8, LONG);
      bench.start('PO', 7);
      bench.setCr('PO', CR_RPBM | CR_IOCE);
      expect.equal('PO_CIV', bench.civ('PO'), 0);
      expect.equal('PO_PIV', bench.piv('PO'), 1);
      expect.equal('PO_CR', bench.cr('PO'), CR_RPBM | CR_IOCE);
      bench.stop('PO');
    },
  ],
  [
    '013',
    'A descriptor of length 0 is passed over',
    'PRM table 6 (buffer length)',
    (bench, expect) => {
      const address = bench.card.allocateRam(SHORT * 2);
      bench.describe('PO', [
        { address, samples: SHORT },
        { address, samples: 0 },
        { address, samples: 0 },
        { address, samples: SHORT },
      ]);
      bench.start('PO', 3);
      expect.that('halt', bench.waitHalted('PO', 2 * SHORT), 'DCH', `CIV ${bench.civ('PO')}`);
      expect.equal('PO_CIV', bench.civ('PO'), 3);
      expect.bits('PO_SR', bench.sr('PO'), SR_LVBCI, SR_LVBCI);
      bench.stop('PO');
    },
  ],
  [
    '014',
    'A descriptor of length 0 at the end of the ring ends it: LVBCI',
    'PRM table 6; 82801AA §12.2.4',
    (bench, expect) => {
      const address = bench.card.allocateRam(SHORT * 2);
      bench.describe('PO', [
        { address, samples: SHORT },
        { address, samples: 0 },
      ]);
      bench.start('PO', 1);
      expect.that('halt', bench.waitHalted('PO', SHORT), 'DCH', `CIV ${bench.civ('PO')}`);
      expect.bits('PO_SR', bench.sr('PO'), SR_LVBCI | SR_CELV, SR_LVBCI | SR_CELV);
      bench.stop('PO');
    },
  ],
  [
    '015',
    'LVI may lie before CIV: the ring runs on through 31',
    '82801AA §12.2.3',
    (bench, expect) => {
      silentRing(bench, 32, SHORT);
      bench.start('PO', 29);
      bench.waitHalted('PO', 30 * SHORT);
      bench.setLvi('PO', 2);
      expect.that('halt', bench.waitHalted('PO', 5 * SHORT), 'DCH', `CIV ${bench.civ('PO')}`);
      expect.equal('PO_CIV', bench.civ('PO'), 2);
      bench.stop('PO');
    },
  ],
  [
    '016',
    'Descriptors that were prefetched before LVI came in are not stale after a halt',
    'PRM §3.2.3, §3.2.4',
    (bench, expect) => {
      const address = bench.card.allocateRam(LONG * 2);
      bench.describe('PO', [{ address, samples: SHORT }]);
      bench.start('PO', 0);
      bench.waitHalted('PO', SHORT);
      bench.describe('PO', [{ address, samples: LONG }], 1);
      bench.setLvi('PO', 1);
      expect.equal('PO_CIV', bench.civ('PO'), 1);
      expect.between('PO_PICB', bench.picb('PO'), SHORT + 1, LONG);
      bench.stop('PO');
    },
  ],
  [
    '017',
    'CIV, LVI and SR read as one dword while running belong together',
    '82801AA §12.2.2–12.2.4',
    (bench, expect) => {
      silentRing(bench, 8, LONG);
      bench.start('PO', 7);
      const dword = bench.read32(ENGINE_OFFSET.PO + X_CIV);
      expect.equal('LVI in it', (dword >>> 8) & 0xff, 7);
      expect.bits('SR in it', dword >>> 16, SR_DCH | SR_CELV, 0);
      expect.between('CIV in it', dword & 0xff, 0, 1);
      bench.stop('PO');
    },
  ],
  [
    '018',
    'RR after a pause lets the next run begin at descriptor 0',
    '82801AA §12.2.7',
    (bench, expect) => {
      silentRing(bench, 8, SHORT);
      bench.start('PO', 7);
      bench.waitHalted('PO', 8 * SHORT);
      bench.stop('PO');
      bench.setCr('PO', CR_RR);
      bench.start('PO', 3);
      expect.equal('PO_LVI', bench.lvi('PO'), 3);
      bench.waitHalted('PO', 4 * SHORT);
      expect.equal('PO_CIV', bench.civ('PO'), 3);
      bench.stop('PO');
    },
  ],
  [
    '019',
    'PIV is the next after CIV all the way',
    '82801AA §12.2.6',
    (bench, expect) => {
      silentRing(bench, 32, SHORT);
      bench.start('PO', 31);
      let wrong = 0;
      bench.card.waitUntil(() => {
        const [civ, piv, civAgain] = [bench.civ('PO'), bench.piv('PO'), bench.civ('PO')];
        if (civ === civAgain && piv !== ((civ + 1) & 31)) wrong++;
        return bench.halted('PO');
      }, 300 * TICKS_PER_MILLISECOND);
      expect.between('looks at which it was not', wrong, 0, 0);
      expect.bits('PO_SR', bench.sr('PO'), SR_BCIS, 0);
      bench.stop('PO');
    },
  ],
]);
