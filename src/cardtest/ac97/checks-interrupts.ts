import {
  CR_FEIE,
  CR_INTERRUPT_ENABLES,
  CR_IOCE,
  CR_LVBIE,
  CR_RPBM,
  type EngineName,
  SR_BCIS,
  SR_LVBCI,
  STA_MINT,
  STA_PIINT,
  STA_POINT,
} from '../../hardware/ac97/registers.ts';
import type { Expectations } from '../check.ts';
import { type Ac97Bench, ENGINES } from './bench.ts';
import { type CheckRow, checkTable } from './check-table.ts';

const SAMPLES = 192;
const MIRRORS = STA_PIINT | STA_POINT | STA_MINT;
const MIRROR: Readonly<Record<EngineName, number>> = { PI: STA_PIINT, PO: STA_POINT, MC: STA_MINT };

/** Runs one descriptor through an engine and waits for its end; RPBM stays set. */
function complete(bench: Ac97Bench, engine: EngineName, enables: number, ioc: boolean): void {
  const address = bench.card.allocateRam(SAMPLES * 2);
  bench.describe(engine, [{ address, samples: SAMPLES, ioc }]);
  bench.start(engine, 0, enables);
  if (!bench.waitHalted(engine, SAMPLES)) throw new Error(`The engine ${engine} did not come to its end.`);
}

function expectLine(bench: Ac97Bench, expect: Expectations, what: string, asserted: boolean): void {
  const observed = bench.card.interruptAsserted;
  expect.that(what, observed === asserted, asserted ? 'asserted' : 'low', observed ? 'asserted' : 'low');
}

const sourceRows: readonly CheckRow[] = ENGINES.map(
  (engine, index): CheckRow => [
    `00${index + 1}`,
    `${engine}: a completed buffer with IOC interrupts when IOCE is set, and shows in GLOB_STA`,
    '82801AA §12.2.4, §12.2.7, §12.2.9',
    (bench, expect) => {
      complete(bench, engine, CR_IOCE, true);
      expect.bits(`${engine}_SR.BCIS`, bench.sr(engine), SR_BCIS, SR_BCIS);
      expectLine(bench, expect, 'interrupt line', true);
      expect.bits('GLOB_STA', bench.globSta, MIRRORS, MIRROR[engine]);
      bench.setSr(engine, SR_BCIS | SR_LVBCI);
      expect.bits(`${engine}_SR.BCIS after clearing`, bench.sr(engine), SR_BCIS, 0);
      expectLine(bench, expect, 'interrupt line after clearing', false);
      expect.bits('GLOB_STA after clearing', bench.globSta, MIRRORS, 0);
    },
    engine === 'PO' ? 'output' : 'input',
  ],
);

/** Status, enables, line. */
export const INTERRUPT_CHECKS = checkTable('INT', 'Interrupts', [
  ...sourceRows,
  [
    '004',
    'Without IOC a completed buffer sets no BCIS',
    '82801AA §12.2.4',
    (bench, expect) => {
      complete(bench, 'PO', CR_IOCE, false);
      expect.bits('PO_SR.BCIS', bench.sr('PO'), SR_BCIS, 0);
      expectLine(bench, expect, 'interrupt line', false);
    },
  ],
  [
    '005',
    'Without IOCE BCIS is set, but the line stays low',
    '82801AA §12.2.4, §12.2.7',
    (bench, expect) => {
      complete(bench, 'PO', 0, true);
      expect.bits('PO_SR.BCIS', bench.sr('PO'), SR_BCIS, SR_BCIS);
      expectLine(bench, expect, 'interrupt line', false);
    },
  ],
  [
    '006',
    'The last valid buffer interrupts when LVBIE is set',
    '82801AA §12.2.4, §12.2.7',
    (bench, expect) => {
      complete(bench, 'PO', CR_LVBIE, false);
      expect.bits('PO_SR.LVBCI', bench.sr('PO'), SR_LVBCI, SR_LVBCI);
      expectLine(bench, expect, 'interrupt line', true);
      bench.setSr('PO', SR_LVBCI);
      expectLine(bench, expect, 'interrupt line after clearing', false);
    },
  ],
  [
    '007',
    'Without LVBIE LVBCI is set, but the line stays low',
    '82801AA §12.2.4, §12.2.7',
    (bench, expect) => {
      complete(bench, 'PO', CR_IOCE | CR_FEIE, false);
      expect.bits('PO_SR.LVBCI', bench.sr('PO'), SR_LVBCI, SR_LVBCI);
      expectLine(bench, expect, 'interrupt line', false);
    },
  ],
  [
    '008',
    'Writing zeros to x_SR clears nothing',
    '82801AA §12.2.4',
    (bench, expect) => {
      complete(bench, 'PO', CR_IOCE, true);
      bench.setSr('PO', 0);
      expect.bits('PO_SR', bench.sr('PO'), SR_BCIS | SR_LVBCI, SR_BCIS | SR_LVBCI);
      expectLine(bench, expect, 'interrupt line', true);
    },
  ],
  [
    '009',
    'Each status bit is cleared by itself; the line waits for the last enabled one',
    '82801AA §12.2.4',
    (bench, expect) => {
      complete(bench, 'PO', CR_IOCE | CR_LVBIE, true);
      bench.setSr('PO', SR_BCIS);
      expect.bits('PO_SR after BCIS', bench.sr('PO'), SR_BCIS | SR_LVBCI, SR_LVBCI);
      expectLine(bench, expect, 'interrupt line after BCIS', true);
      bench.setSr('PO', SR_LVBCI);
      expect.bits('PO_SR after LVBCI', bench.sr('PO'), SR_BCIS | SR_LVBCI, 0);
      expectLine(bench, expect, 'interrupt line after LVBCI', false);
    },
  ],
  [
    '010',
    'A status bit that is not enabled does not hold the line',
    '82801AA §12.2.4, §12.2.7',
    (bench, expect) => {
      complete(bench, 'PO', CR_IOCE, true);
      bench.setSr('PO', SR_BCIS);
      expect.bits('PO_SR', bench.sr('PO'), SR_LVBCI, SR_LVBCI);
      expectLine(bench, expect, 'interrupt line', false);
    },
  ],
  [
    '011',
    'An enable that comes after its status asserts the line',
    '82801AA §12.2.4, §12.2.7',
    (bench, expect) => {
      complete(bench, 'PO', 0, true);
      bench.setCr('PO', CR_IOCE);
      expectLine(bench, expect, 'interrupt line', true);
      expect.bits('GLOB_STA.POINT', bench.globSta, MIRRORS, STA_POINT);
    },
  ],
  [
    '012',
    'Taking the enable away lowers the line',
    '82801AA §12.2.7',
    (bench, expect) => {
      complete(bench, 'PO', CR_IOCE, true);
      bench.setCr('PO', 0);
      expectLine(bench, expect, 'interrupt line', false);
      expect.bits('PO_SR.BCIS', bench.sr('PO'), SR_BCIS, SR_BCIS);
    },
  ],
  [
    '013',
    'Pausing an engine keeps its pending interrupt',
    '82801AA §12.2.4, §12.2.7',
    (bench, expect) => {
      complete(bench, 'PO', CR_IOCE, true);
      bench.setCr('PO', CR_IOCE);
      expectLine(bench, expect, 'interrupt line', true);
    },
  ],
  [
    '014',
    'The line is the OR of the engines: clearing one leaves the other’s interrupt',
    '82801AA §12.2.9; PCI 3.0 §2.2.6',
    (bench, expect) => {
      complete(bench, 'PO', CR_IOCE, true);
      complete(bench, 'PI', CR_IOCE, true);
      expect.bits('GLOB_STA with both', bench.globSta, MIRRORS, STA_POINT | STA_PIINT);
      bench.setSr('PO', SR_BCIS | SR_LVBCI);
      expect.bits('GLOB_STA with one', bench.globSta, MIRRORS, STA_PIINT);
      expectLine(bench, expect, 'interrupt line with one', true);
      bench.setSr('PI', SR_BCIS | SR_LVBCI);
      expectLine(bench, expect, 'interrupt line with none', false);
    },
    'input',
  ],
  [
    '015',
    'Every completed buffer with IOC interrupts anew',
    '82801AA §12.2.4',
    (bench, expect) => {
      const address = bench.card.allocateRam(SAMPLES * 20);
      bench.describe(
        'PO',
        Array.from({ length: 4 }, () => ({ address, samples: SAMPLES * 10, ioc: true })),
      );
      bench.start('PO', 3, CR_IOCE);
      let interrupts = 0;
      bench.card.waitUntil(() => {
        if (bench.card.interruptAsserted) {
          interrupts++;
          bench.setSr('PO', SR_BCIS | SR_LVBCI);
        }
        return bench.halted('PO') && !bench.card.interruptAsserted;
      }, 10_000_000);
      // Two buffers may end within one burst of QEMU's.
      expect.between('interrupts', interrupts, bench.card.realTime ? 3 : 4, 4);
      bench.stop('PO');
    },
  ],
  [
    '016',
    'LVBCI does not come again without a new last buffer',
    '82801AA §12.2.4',
    (bench, expect) => {
      complete(bench, 'PO', CR_LVBIE, false);
      bench.setSr('PO', SR_LVBCI);
      bench.card.letTimePass(500_000);
      expect.bits('PO_SR', bench.sr('PO'), SR_LVBCI | SR_BCIS, 0);
      expectLine(bench, expect, 'interrupt line', false);
      expect.equal('PO_CR', bench.cr('PO'), CR_RPBM | CR_LVBIE);
    },
  ],
  [
    '017',
    'Enables alone, without status, assert nothing',
    '82801AA §12.2.7',
    (bench, expect) => {
      for (const engine of ENGINES) bench.setCr(engine, CR_INTERRUPT_ENABLES);
      expectLine(bench, expect, 'interrupt line', false);
      expect.bits('GLOB_STA', bench.globSta, MIRRORS, 0);
    },
  ],
  [
    '018',
    'GLOB_STA’s mirrors cannot be cleared there',
    '82801AA §12.2.9',
    (bench, expect) => {
      complete(bench, 'PO', CR_IOCE, true);
      bench.write32(0x30, MIRRORS);
      expect.bits('GLOB_STA', bench.globSta, MIRRORS, STA_POINT);
      expectLine(bench, expect, 'interrupt line', true);
    },
  ],
]);
