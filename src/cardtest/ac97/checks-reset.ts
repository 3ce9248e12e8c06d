import {
  CAS,
  CNT_ACLINK_OFF,
  CNT_COLD_RESET,
  CNT_WARM_RESET,
  CR_FEIE,
  CR_INTERRUPT_ENABLES,
  CR_IOCE,
  CR_RR,
  ENGINE_OFFSET,
  GLOB_CNT,
  GLOB_STA,
  SR_DCH,
  STA_PCR,
  STA_RCS,
} from '../../hardware/ac97/registers.ts';
import {
  AC97_MASTER_VOLUME,
  AC97_PCM_OUT_VOLUME,
  AC97_POWERDOWN,
  AC97_RESET,
  AC97_VENDOR_ID1,
  PD_PR4,
} from '../../hardware/codecs/ac97-registers.ts';
import { TICKS_PER_MILLISECOND } from '../../kernel/index.ts';
import { type Ac97Bench, ENGINES } from './bench.ts';
import { type CheckRow, checkTable } from './check-table.ts';

const powerOnRows: readonly CheckRow[] = ENGINES.map(
  (engine, index): CheckRow => [
    `00${index + 1}`,
    `${engine} engine: all registers have their defaults`,
    '82801AA §12.2.1–12.2.7',
    (bench, expect) => {
      expect.equal(`${engine}_BDBAR`, bench.bdbar(engine), 0);
      expect.equal(`${engine}_CIV`, bench.civ(engine), 0);
      expect.equal(`${engine}_LVI`, bench.lvi(engine), 0);
      expect.equal(`${engine}_SR`, bench.sr(engine), SR_DCH);
      expect.equal(`${engine}_PICB`, bench.picb(engine), 0);
      expect.equal(`${engine}_PIV`, bench.piv(engine), 0);
      expect.equal(`${engine}_CR`, bench.cr(engine), 0);
    },
    'powerOn',
  ],
);

function coldReset(bench: Ac97Bench): void {
  bench.write32(GLOB_CNT, 0);
  bench.card.letTimePass(TICKS_PER_MILLISECOND / 100);
  bench.write32(GLOB_CNT, CNT_COLD_RESET);
  bench.card.waitUntil(() => (bench.globSta & STA_PCR) !== 0, 100 * TICKS_PER_MILLISECOND);
}

/** State after power-on, and after every kind of reset. */
export const RESET_CHECKS = checkTable('RST', 'Reset', [
  ...powerOnRows,
  [
    '004',
    'GLOB_CNT is 0: the link is held in cold reset',
    '82801AA §12.2.8',
    (bench, expect) => {
      expect.equal('GLOB_CNT', bench.read32(GLOB_CNT), 0);
    },
    'powerOn',
  ],
  [
    '005',
    'No interrupt is pending, and the line is low',
    '82801AA §12.2.9',
    (bench, expect) => {
      expect.bits('GLOB_STA interrupts', bench.globSta, 0x0ce7, 0);
      expect.that('interrupt line', !bench.card.interruptAsserted, 'low', 'asserted');
    },
    'powerOn',
  ],
  [
    '006',
    'The codec is not ready while AC_RST# is low',
    '82801AA §12.2.8, §12.2.9',
    (bench, expect) => {
      expect.bits('GLOB_STA.PCR', bench.globSta, STA_PCR, 0);
    },
    'powerOn',
  ],
  [
    '007',
    'A codec read while AC_RST# is low times out: FFFFh, and GLOB_STA.RCS',
    '82801AA §12.2.9',
    (bench, expect) => {
      expect.equal('codec read', bench.readNam(AC97_VENDOR_ID1), 0xffff);
      expect.bits('GLOB_STA.RCS', bench.globSta, STA_RCS, STA_RCS);
    },
    'powerOn',
  ],
  [
    '008',
    'The codec access semaphore is free',
    '82801AA §12.2.10',
    (bench, expect) => {
      expect.equal('CAS', bench.read8(CAS) & 1, 0);
    },
    'powerOn',
  ],
  [
    '009',
    'Release of the cold reset brings the codec up',
    '82801AA §12.2.8; AC’97 2.3 §6.2.1',
    (bench, expect) => {
      coldReset(bench);
      expect.bits('GLOB_STA.PCR', bench.globSta, STA_PCR, STA_PCR);
      expect.bits('GLOB_CNT.COLD_RESET#', bench.read32(GLOB_CNT), CNT_COLD_RESET, CNT_COLD_RESET);
      expect.that('codec answers', bench.readNam(AC97_VENDOR_ID1) !== 0xffff, 'a vendor id', 'FFFFh');
    },
  ],
  [
    '010',
    'A cold reset puts codec registers back',
    '82801AA §12.2.8; AC’97 2.3 §5.7',
    (bench, expect) => {
      bench.writeNam(AC97_MASTER_VOLUME, 0x0505);
      coldReset(bench);
      expect.equal('master volume', bench.readNam(AC97_MASTER_VOLUME), 0x8000);
    },
  ],
  [
    '011',
    'A cold reset puts the engines back, interrupt enables included',
    '82801AA §12.2.8',
    (bench, expect) => {
      bench.setBdbar('PO', 0x0012_3458);
      bench.setLvi('PO', 7);
      bench.setCr('PO', CR_FEIE | CR_IOCE);
      coldReset(bench);
      expect.equal('PO_BDBAR', bench.bdbar('PO'), 0);
      expect.equal('PO_LVI', bench.lvi('PO'), 0);
      expect.equal('PO_CR', bench.cr('PO'), 0);
    },
  ],
  [
    '012',
    'While AC_RST# is low the codec is gone',
    '82801AA §12.2.8, §12.2.9',
    (bench, expect) => {
      bench.write32(GLOB_CNT, 0);
      expect.bits('GLOB_STA.PCR', bench.globSta, STA_PCR, 0);
      expect.equal('codec read', bench.readNam(AC97_VENDOR_ID1), 0xffff);
    },
  ],
  [
    '013',
    'A warm reset with BIT_CLK running does nothing, and its bit reads 0',
    '82801AA §12.2.8',
    (bench, expect) => {
      bench.writeNam(AC97_MASTER_VOLUME, 0x0505);
      bench.write32(GLOB_CNT, CNT_COLD_RESET | CNT_WARM_RESET);
      bench.card.letTimePass(TICKS_PER_MILLISECOND);
      expect.bits('GLOB_CNT.WARM_RESET', bench.read32(GLOB_CNT), CNT_WARM_RESET, 0);
      expect.equal('master volume', bench.readNam(AC97_MASTER_VOLUME), 0x0505);
    },
  ],
  [
    '014',
    'PR4 stops the link; a warm reset wakes it with the registers intact',
    'AC’97 2.3 §5.7.11, §7.1; 82801AA §12.2.8',
    (bench, expect) => {
      bench.writeNam(AC97_MASTER_VOLUME, 0x0505);
      bench.writeNam(AC97_POWERDOWN, PD_PR4);
      bench.card.letTimePass(TICKS_PER_MILLISECOND);
      expect.bits('GLOB_STA.PCR asleep', bench.globSta, STA_PCR, 0);
      bench.write32(GLOB_CNT, CNT_COLD_RESET | CNT_WARM_RESET);
      bench.card.letTimePass(5 * TICKS_PER_MILLISECOND);
      expect.bits('GLOB_STA.PCR awake', bench.globSta, STA_PCR, STA_PCR);
      expect.bits('GLOB_CNT.WARM_RESET afterwards', bench.read32(GLOB_CNT), CNT_WARM_RESET, 0);
      expect.equal('master volume', bench.readNam(AC97_MASTER_VOLUME), 0x0505);
    },
  ],
  [
    '015',
    'AC-link off: the codec is not ready',
    '82801AA §12.2.8',
    (bench, expect) => {
      bench.write32(GLOB_CNT, CNT_COLD_RESET | CNT_ACLINK_OFF);
      bench.card.letTimePass(TICKS_PER_MILLISECOND);
      expect.bits('GLOB_STA.PCR', bench.globSta, STA_PCR, 0);
    },
  ],
  [
    '016',
    'RR puts an engine back but keeps its interrupt enables, and reads 0 afterwards',
    '82801AA §12.2.7',
    (bench, expect) => {
      for (const engine of ENGINES) {
        bench.setBdbar(engine, 0x0012_3458);
        bench.setLvi(engine, 9);
        bench.setCr(engine, CR_INTERRUPT_ENABLES);
        bench.setCr(engine, CR_INTERRUPT_ENABLES | CR_RR);
        expect.equal(`${engine}_BDBAR`, bench.bdbar(engine), 0);
        expect.equal(`${engine}_LVI`, bench.lvi(engine), 0);
        expect.equal(`${engine}_SR`, bench.sr(engine), SR_DCH);
        expect.equal(`${engine}_CR`, bench.cr(engine), CR_INTERRUPT_ENABLES);
      }
    },
  ],
  [
    '017',
    'RR of one engine leaves the others alone',
    '82801AA §12.2.7',
    (bench, expect) => {
      for (const engine of ENGINES) bench.setLvi(engine, 9);
      bench.setCr('PO', CR_RR);
      expect.equal('PI_LVI', bench.lvi('PI'), 9);
      expect.equal('PO_LVI', bench.lvi('PO'), 0);
      expect.equal('MC_LVI', bench.lvi('MC'), 9);
    },
  ],
  [
    '018',
    'A register reset of the codec (write to 00h) leaves the bus master alone',
    'AC’97 2.3 §5.7.1',
    (bench, expect) => {
      bench.setLvi('PO', 9);
      bench.setCr('PO', CR_IOCE);
      bench.writeNam(AC97_PCM_OUT_VOLUME, 0x0101);
      bench.writeNam(AC97_RESET, 0xffff);
      expect.equal('PCM out volume', bench.readNam(AC97_PCM_OUT_VOLUME), 0x8808);
      expect.equal('PO_LVI', bench.lvi('PO'), 9);
      expect.equal('PO_CR', bench.cr('PO'), CR_IOCE);
    },
  ],
  [
    '019',
    'RR takes pending status and its interrupt away',
    '82801AA §12.2.4, §12.2.7',
    (bench, expect) => {
      const address = bench.card.allocateRam(512);
      bench.describe('PO', [{ address, samples: 96, ioc: true }]);
      bench.start('PO', 0, CR_IOCE);
      bench.waitHalted('PO', 96);
      expect.that('interrupt line before', bench.card.interruptAsserted, 'asserted', 'low');
      bench.setCr('PO', CR_IOCE);
      bench.setCr('PO', CR_IOCE | CR_RR);
      expect.equal('PO_SR', bench.sr('PO'), SR_DCH);
      expect.that('interrupt line after', !bench.card.interruptAsserted, 'low', 'asserted');
      expect.bits('GLOB_STA interrupts', bench.read32(GLOB_STA), 0x00e0, 0);
    },
  ],
  [
    '020',
    'RR clears position and prefetched index',
    '82801AA §12.2.5–12.2.7',
    (bench, expect) => {
      const address = bench.card.allocateRam(8192);
      bench.describe(
        'PO',
        [0, 1, 2].map(() => ({ address, samples: 960 })),
      );
      bench.start('PO', 2);
      bench.card.letTimePass(15 * TICKS_PER_MILLISECOND);
      bench.stop('PO');
      bench.setCr('PO', CR_RR);
      expect.equal('PO_CIV', bench.civ('PO'), 0);
      expect.equal('PO_PIV', bench.piv('PO'), 0);
      expect.equal('PO_PICB', bench.picb('PO'), 0);
      expect.equal('PO_CR', bench.read8(ENGINE_OFFSET.PO + 0x0b), 0);
    },
  ],
]);
