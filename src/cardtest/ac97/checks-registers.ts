import {
  CAS,
  CNT_COLD_RESET,
  CR_INTERRUPT_ENABLES,
  ENGINE_OFFSET,
  type EngineName,
  GLOB_CNT,
  GLOB_STA,
  SR_DCH,
  STA_AD3,
  STA_MD3,
  X_CIV,
  X_PICB,
  X_PIV,
} from '../../hardware/ac97/registers.ts';
import { AC97_MASTER_VOLUME, AC97_VENDOR_ID1 } from '../../hardware/codecs/ac97-registers.ts';
import type { Expectations } from '../check.ts';
import { type Ac97Bench, ENGINES } from './bench.ts';
import { checkTable } from './check-table.ts';

function forEachEngine(
  run: (engine: EngineName, bench: Ac97Bench, expect: Expectations) => void,
): (bench: Ac97Bench, expect: Expectations) => void {
  return (bench, expect) => {
    for (const engine of ENGINES) run(engine, bench, expect);
  };
}

/** Registers of the bus master window while no engine runs. */
export const REGISTER_CHECKS = checkTable('REG', 'Bus master registers', [
  [
    '001',
    'x_BDBAR stores bits 31:3, and bits 2:0 are 0',
    '82801AA §12.2.1',
    forEachEngine((engine, bench, expect) => {
      for (const value of [0xffff_ffff, 0x0000_0000, 0x5a5a_5a58]) {
        bench.setBdbar(engine, value);
        expect.equal(`${engine}_BDBAR after ${value.toString(16)}`, bench.bdbar(engine), (value & ~7) >>> 0);
      }
    }),
  ],
  [
    '002',
    'x_LVI stores five bits',
    '82801AA §12.2.3',
    forEachEngine((engine, bench, expect) => {
      for (const value of [0x1f, 0x00, 0x15, 0xff]) {
        bench.setLvi(engine, value);
        expect.equal(`${engine}_LVI after ${value.toString(16)}`, bench.lvi(engine), value & 0x1f);
      }
    }),
  ],
  [
    '003',
    'x_CIV, x_PIV and x_PICB ignore writes',
    '82801AA §12.2.2, §12.2.5, §12.2.6',
    forEachEngine((engine, bench, expect) => {
      const base = ENGINE_OFFSET[engine];
      bench.write8(base + X_CIV, 0x0b);
      bench.write8(base + X_PIV, 0x0c);
      bench.write16(base + X_PICB, 0x1234);
      expect.equal(`${engine}_CIV`, bench.civ(engine), 0);
      expect.equal(`${engine}_PIV`, bench.piv(engine), 0);
      expect.equal(`${engine}_PICB`, bench.picb(engine), 0);
    }),
  ],
  [
    '004',
    'x_CR stores each interrupt enable by itself',
    '82801AA §12.2.7',
    forEachEngine((engine, bench, expect) => {
      for (const value of [0x04, 0x08, 0x10, 0x1c, 0x00]) {
        bench.setCr(engine, value);
        expect.equal(`${engine}_CR after ${value.toString(16)}`, bench.cr(engine), value);
      }
    }),
  ],
  [
    '005',
    'x_CR bits 7:5 are reserved and read 0',
    '82801AA §12.2.7',
    forEachEngine((engine, bench, expect) => {
      bench.setCr(engine, 0xe0 | CR_INTERRUPT_ENABLES);
      expect.equal(`${engine}_CR`, bench.cr(engine), CR_INTERRUPT_ENABLES);
      bench.setCr(engine, 0);
    }),
  ],
  [
    '006',
    'x_SR: writes of ones set nothing; bits 15:5 read 0',
    '82801AA §12.2.4',
    forEachEngine((engine, bench, expect) => {
      bench.setSr(engine, 0xffff);
      expect.equal(`${engine}_SR`, bench.sr(engine), SR_DCH);
    }),
  ],
  [
    '007',
    'A dword read at x4h gives CIV, LVI and SR',
    '82801AA §12.2.2–12.2.4',
    forEachEngine((engine, bench, expect) => {
      bench.setLvi(engine, 0x1a);
      expect.equal(`dword at ${engine} + 4`, bench.read32(ENGINE_OFFSET[engine] + X_CIV), 0x0001_1a00);
    }),
  ],
  [
    '008',
    'A dword read at x8h gives PICB, PIV and CR',
    '82801AA §12.2.5–12.2.7',
    forEachEngine((engine, bench, expect) => {
      bench.setCr(engine, 0x14);
      expect.equal(`dword at ${engine} + 8`, bench.read32(ENGINE_OFFSET[engine] + X_PICB), 0x1400_0000);
      bench.setCr(engine, 0);
    }),
  ],
  [
    '009',
    'Registers may be read in smaller pieces: bytes of x_BDBAR and x_PICB, a word of CIV and LVI',
    '82801AA §12.2.2–12.2.7; ICH7 PRM §2.2',
    (bench, expect) => {
      bench.setBdbar('PO', 0x1234_5678);
      expect.equal('byte 0 of PO_BDBAR', bench.read8(0x10), 0x78);
      expect.equal('byte 3 of PO_BDBAR', bench.read8(0x13), 0x12);
      expect.equal('high word of PO_BDBAR', bench.read16(0x12), 0x1234);
      bench.setLvi('PO', 3);
      expect.equal('word of PO_CIV and PO_LVI', bench.read16(0x14), 0x0300);
      expect.equal('low byte of PO_PICB', bench.read8(0x18), 0x00);
    },
  ],
  [
    '010',
    'The engines’ registers are their own',
    '82801AA table 12-3',
    (bench, expect) => {
      ENGINES.forEach((engine, index) => {
        bench.setBdbar(engine, 0x10_0000 * (index + 1));
        bench.setLvi(engine, index + 1);
      });
      ENGINES.forEach((engine, index) => {
        expect.equal(`${engine}_BDBAR`, bench.bdbar(engine), 0x10_0000 * (index + 1));
        expect.equal(`${engine}_LVI`, bench.lvi(engine), index + 1);
      });
    },
  ],
  [
    '011',
    'GLOB_CNT stores GIE, COLD_RESET#, PRIE and SRIE',
    '82801AA §12.2.8',
    (bench, expect) => {
      for (const bit of [0x01, 0x10, 0x20]) {
        bench.write32(GLOB_CNT, CNT_COLD_RESET | bit);
        expect.bits(`GLOB_CNT after ${bit.toString(16)}`, bench.read32(GLOB_CNT), 0x3b, CNT_COLD_RESET | bit);
      }
    },
  ],
  [
    '012',
    'GLOB_CNT: reserved bits read 0',
    '82801AA §12.2.8',
    (bench, expect) => {
      bench.write32(GLOB_CNT, 0xffcf_ffc0 | CNT_COLD_RESET);
      expect.bits('GLOB_CNT', bench.read32(GLOB_CNT), 0xffcf_ffc0, 0);
    },
  ],
  [
    '013',
    'GLOB_STA: read-only bits ignore writes',
    '82801AA §12.2.9',
    (bench, expect) => {
      const before = bench.globSta & 0x72e6;
      bench.write32(GLOB_STA, before ^ 0x72e6);
      expect.bits('GLOB_STA', bench.globSta, 0x72e6, before);
    },
  ],
  [
    '014',
    'GLOB_STA: the power-down semaphores AD3 and MD3 can be set and cleared',
    '82801AA §12.2.9',
    (bench, expect) => {
      bench.write32(GLOB_STA, STA_AD3 | STA_MD3);
      expect.bits('set', bench.globSta, STA_AD3 | STA_MD3, STA_AD3 | STA_MD3);
      bench.write32(GLOB_STA, STA_MD3);
      expect.bits('AD3 cleared', bench.globSta, STA_AD3 | STA_MD3, STA_MD3);
      bench.write32(GLOB_STA, 0);
      expect.bits('both cleared', bench.globSta, STA_AD3 | STA_MD3, 0);
    },
  ],
  [
    '015',
    'GLOB_STA: bits 31:18 are reserved and read 0',
    '82801AA §12.2.9',
    (bench, expect) => {
      bench.write32(GLOB_STA, 0xfffc_0000);
      expect.bits('GLOB_STA', bench.globSta, 0xfffc_0000, 0);
    },
  ],
  [
    '016',
    'CAS: the first read takes the semaphore, the next finds it taken',
    '82801AA §12.2.10',
    (bench, expect) => {
      bench.readNam(AC97_VENDOR_ID1);
      expect.equal('first read', bench.readCas(), 0);
      expect.equal('second read', bench.readCas(), 1);
      expect.equal('third read', bench.readCas(), 1);
    },
  ],
  [
    '017',
    'CAS: a codec read gives it back',
    '82801AA §12.2.10',
    (bench, expect) => {
      bench.readCas();
      bench.readNam(AC97_VENDOR_ID1);
      expect.equal('CAS', bench.readCas(), 0);
    },
  ],
  [
    '018',
    'CAS: a codec write gives it back',
    '82801AA §12.2.10',
    (bench, expect) => {
      bench.readCas();
      bench.writeNam(AC97_MASTER_VOLUME, 0x8000);
      expect.equal('CAS', bench.readCas(), 0);
    },
  ],
  [
    '019',
    'CAS: bus master accesses do not give it back',
    '82801AA §12.2.10',
    (bench, expect) => {
      bench.readNam(AC97_VENDOR_ID1);
      bench.readCas();
      bench.setLvi('PO', 1);
      bench.read32(GLOB_CNT);
      expect.equal('CAS', bench.read8(CAS), 1);
    },
  ],
  [
    '020',
    'A stopped engine says DCH, whatever else is written',
    '82801AA §12.2.4, §12.2.7',
    forEachEngine((engine, bench, expect) => {
      bench.setBdbar(engine, 0x20_0000);
      bench.setLvi(engine, 4);
      bench.setCr(engine, CR_INTERRUPT_ENABLES);
      expect.equal(`${engine}_SR`, bench.sr(engine), SR_DCH);
      expect.equal(`${engine}_CIV`, bench.civ(engine), 0);
    }),
  ],
]);
