import {
  CODEC,
  CONTROL,
  CTL_ADC_STOP,
  CTL_BREQ,
  CTL_CCB_INTRM,
  CTL_DAC_SYNC,
  CTL_JYSTK_EN,
  CTL_M_CB,
  CTL_M_SBB,
  CTL_MSFMTSEL,
  CTL_OPEN,
  CTL_PCLKDIV_SHIFT,
  CTL_RESET,
  CTL_WTSRSEL_SHIFT,
  CTL_XCTL0,
  CTL_XCTL1,
  ES1370_REGISTER_BYTES,
  MEMPAGE,
  PAGE_ADC,
  PAGE_DAC,
  PAGE_WINDOW,
  PHANTOM_FRAME,
  PHANTOM_SIZE,
  SER_P1_INTEN,
  SER_P1_LOOP_SEL,
  SER_P1_PAUSE,
  SER_P1_SCT_RLD,
  SER_P2_DAC_SEN,
  SER_P2_END_INC,
  SER_P2_INTEN,
  SER_P2_LOOP_SEL,
  SER_P2_PAUSE,
  SER_P2_ST_INC,
  SER_R1_INTEN,
  SER_R1_LOOP_SEL,
  SERIAL,
  STAT_VC_NONE,
  STATUS,
} from '../../hardware/es1370/registers.ts';
import { hex } from '../check.ts';
import { CHANNELS, CONTROL_AT_REST, MAPS } from './bench.ts';
import { checkTable } from './check-table.ts';

/** Bits of CONTROL that start nothing. */
const HARMLESS_CONTROL: readonly (readonly [string, number])[] = [
  ['ADC_STOP', CTL_ADC_STOP],
  ['XCTL1', CTL_XCTL1],
  ['OPEN', CTL_OPEN],
  ['MSFMTSEL', CTL_MSFMTSEL],
  ['M_SBB', CTL_M_SBB],
  ['DAC_SYNC', CTL_DAC_SYNC],
  ['CCB_INTRM', CTL_CCB_INTRM],
  ['M_CB', CTL_M_CB],
  ['XCTL0', CTL_XCTL0],
  ['BREQ', CTL_BREQ],
  ['JYSTK_EN', CTL_JYSTK_EN],
];

/** Bits of SERIAL that are no format. */
const SERIAL_BITS: readonly (readonly [string, number])[] = [
  ['R1_LOOP_SEL', SER_R1_LOOP_SEL],
  ['P2_LOOP_SEL', SER_P2_LOOP_SEL],
  ['P1_LOOP_SEL', SER_P1_LOOP_SEL],
  ['P2_PAUSE', SER_P2_PAUSE],
  ['P1_PAUSE', SER_P1_PAUSE],
  ['R1_INTEN', SER_R1_INTEN],
  ['P2_INTEN', SER_P2_INTEN],
  ['P1_INTEN', SER_P1_INTEN],
  ['P2_DAC_SEN', SER_P2_DAC_SEN],
];

const PATTERN = 0x1234_5678;

/** Registers and the window to the chip's memory: what can be written, and what is read back. */
export const REGISTER_CHECKS = checkTable('REG', 'Registers', [
  [
    '001',
    'Every bit of CONTROL that starts nothing is kept',
    'ens1370.c ES_REG_CONTROL (R/W)',
    (bench, expect) => {
      for (const [name, bit] of HARMLESS_CONTROL) {
        bench.write(CONTROL, CTL_RESET | bit);
        expect.equal(name, bench.read(CONTROL), (CTL_RESET | bit) >>> 0);
        bench.write(CONTROL, CTL_RESET);
        expect.equal(`${name} cleared`, bench.read(CONTROL), CTL_RESET);
      }
    },
  ],
  [
    '002',
    'CONTROL keeps its clock fields',
    'ens1370.c ES_1370_PCLKDIVM, ES_1370_WTSRSELM',
    (bench, expect) => {
      for (const divider of [0, 1, 30, 0x0aaa, 0x1555, 0x1fff]) {
        for (const fixed of [0, 1, 2, 3]) {
          const value = (divider << CTL_PCLKDIV_SHIFT) | (fixed << CTL_WTSRSEL_SHIFT);
          bench.write(CONTROL, value);
          expect.equal(`PCLKDIV ${divider}, WTSRSEL ${fixed}`, bench.read(CONTROL), value);
        }
      }
    },
  ],
  [
    '003',
    'STATUS is read only',
    'ens1370.c ES_REG_STATUS (R/O)',
    (bench, expect) => {
      for (const value of [0, 0xffff_ffff, PATTERN]) {
        bench.write(STATUS, value);
        expect.equal(`STATUS after ${hex(value)}`, bench.read(STATUS), STAT_VC_NONE);
      }
    },
  ],
  [
    '004',
    'MEMPAGE has four bits',
    'ens1370.c ES_MEM_PAGEM',
    (bench, expect) => {
      for (let page = 0; page < 16; page++) {
        bench.write(MEMPAGE, page | 0xffff_fff0);
        expect.equal(`page ${page}`, bench.read(MEMPAGE), page);
      }
    },
  ],
  [
    '005',
    'SERIAL keeps the bits of modes, pauses and interrupts, each for itself',
    'ens1370.c ES_REG_SERIAL (R/W)',
    (bench, expect) => {
      for (const [name, bit] of SERIAL_BITS) {
        bench.write(SERIAL, bit);
        expect.equal(name, bench.read(SERIAL), bit);
      }
      bench.write(SERIAL, 0);
      expect.equal('all cleared', bench.read(SERIAL), 0);
    },
  ],
  [
    '006',
    'SERIAL keeps the formats of all three channels',
    'ens1370.c ES_P1_MODEM, ES_P2_MODEM, ES_R1_MODEM',
    (bench, expect) => {
      for (let value = 0; value < 0x40; value++) {
        bench.write(SERIAL, value);
        expect.equal(`formats ${hex(value)}`, bench.read(SERIAL), value);
      }
    },
  ],
  [
    '007',
    'SERIAL keeps the increments of DAC2',
    'ens1370.c ES_P2_END_INCM, ES_P2_ST_INCM',
    (bench, expect) => {
      for (const value of [SER_P2_END_INC, SER_P2_ST_INC, 0x0012_0000, 0x000a_0000]) {
        bench.write(SERIAL, value);
        expect.equal(hex(value), bench.read(SERIAL), value);
      }
    },
  ],
  [
    '008',
    'SERIAL has nothing above bit 21',
    'ens1370.c ES_REG_SERIAL: bit 22 is the ES1371’s; inferred (read as 0)',
    (bench, expect) => {
      bench.write(SERIAL, 0xffc0_0000);
      expect.equal('SERIAL', bench.read(SERIAL), 0);
    },
  ],
  [
    '009',
    'P1_SCT_RLD is a command: it reads 0',
    'ens1370.c ES_P1_SCT_RLD (forces a reload); inferred (reads 0)',
    (bench, expect) => {
      bench.write(SERIAL, SER_P1_SCT_RLD);
      expect.equal('SERIAL', bench.read(SERIAL), 0);
    },
  ],
  [
    '010',
    'A sample counter’s period is 16 bits, and writing it loads the counter',
    'ens1370.c ES_REG_COUNTM, ES_REG_CURR_COUNT',
    (bench, expect) => {
      for (const name of CHANNELS) {
        for (const value of [0, 1, 0x1234, 0x8000, 0xffff]) {
          bench.write(MAPS[name].countRegister, value);
          expect.equal(`${name}_COUNT ${hex(value)}`, bench.count(name), ((value << 16) | value) >>> 0);
        }
      }
    },
  ],
  [
    '011',
    'The counter itself cannot be written',
    'ens1370.c ES_REG_COUNTO (16 bits); inferred',
    (bench, expect) => {
      for (const name of CHANNELS) {
        bench.write(MAPS[name].countRegister, 0xabcd_0123);
        expect.equal(`${name}_COUNT`, bench.count(name), 0x0123_0123);
      }
    },
  ],
  [
    '012',
    'A buffer’s address is 32 bits',
    'ens1370.c ES_REG_DAC1_FRAME, ES_REG_DAC2_FRAME, ES_REG_ADC_FRAME (R/W)',
    (bench, expect) => {
      for (const name of CHANNELS) {
        for (const value of [0xffff_fffc, 0x8000_0000, 0x0123_4568, 4]) {
          bench.setFrameAddress(name, value);
          expect.equal(`${name}_FRAME`, bench.frameAddress(name), value);
        }
      }
    },
  ],
  [
    '013',
    'A buffer’s size and its index are 16 bits each, and both can be written',
    'ens1370.c ES_REG_FCURR_COUNTO, ES_REG_FSIZEO',
    (bench, expect) => {
      for (const name of CHANNELS) {
        for (const value of [0xffff, 0x7fff_ffff, 0x0010_0020, 0]) {
          bench.setSizeRegister(name, value);
          expect.equal(`${name}_SIZE`, bench.sizeRegister(name), value);
        }
      }
    },
  ],
  [
    '014',
    'The buffer registers of the three channels are different ones',
    'ens1370.c ES_PAGE_DAC, ES_PAGE_ADC',
    (bench, expect) => {
      for (const [index, name] of CHANNELS.entries()) {
        bench.setFrameAddress(name, 0x1000 * (index + 1));
        bench.setSizeRegister(name, 0x100 * (index + 1));
      }
      for (const [index, name] of CHANNELS.entries()) {
        expect.equal(`${name}_FRAME`, bench.frameAddress(name), 0x1000 * (index + 1));
        expect.equal(`${name}_SIZE`, bench.sizeRegister(name), 0x100 * (index + 1));
      }
    },
  ],
  [
    '015',
    'The sample counters of the three channels are different ones',
    'ens1370.c ES_REG_DAC1_COUNT, ES_REG_DAC2_COUNT, ES_REG_ADC_COUNT',
    (bench, expect) => {
      for (const [index, name] of CHANNELS.entries()) bench.setPeriod(name, 101 + index);
      for (const [index, name] of CHANNELS.entries())
        expect.bits(`${name}_COUNT`, bench.count(name), 0xffff, 100 + index);
    },
  ],
  [
    '016',
    'The phantom frame is memory',
    'ens1370.c ES_REG_PHANTOM_FRAME, ES_REG_PHANTOM_COUNT (R/W)',
    (bench, expect) => {
      bench.writePage(PAGE_ADC, PHANTOM_FRAME, 0x0123_4567);
      bench.writePage(PAGE_ADC, PHANTOM_SIZE, 0x89ab_cdef);
      expect.equal('PHANTOM_FRAME', bench.readPage(PAGE_ADC, PHANTOM_FRAME), 0x0123_4567);
      expect.equal('PHANTOM_SIZE', bench.readPage(PAGE_ADC, PHANTOM_SIZE), 0x89ab_cdef);
    },
  ],
  [
    '017',
    'Pages 0 to B, the channels’ sample memory, are memory while no channel runs',
    'ens1370.c: pages 0–0Bh are cleared by the driver; inferred (readable)',
    (bench, expect) => {
      for (let page = 0; page < PAGE_DAC; page++)
        for (let at = 0; at < 16; at += 4) bench.writePage(page, PAGE_WINDOW + at, page * 0x0101_0101 + at);
      for (let page = 0; page < PAGE_DAC; page++) {
        let wrong = 0;
        for (let at = 0; at < 16; at += 4)
          if (bench.readPage(page, PAGE_WINDOW + at) !== page * 0x0101_0101 + at) wrong++;
        expect.between(`dwords of page ${page.toString(16).toUpperCase()} that differ`, wrong, 0, 0);
      }
    },
  ],
  [
    '018',
    'What is outside the page window does not depend on the page',
    'ens1370.c ES_REG_MEM_PAGE',
    (bench, expect) => {
      bench.write(SERIAL, SER_P1_PAUSE);
      bench.setPeriod('DAC1', 500);
      for (const page of [0, PAGE_DAC, PAGE_ADC, 0x0f]) {
        bench.write(MEMPAGE, page);
        const name = page.toString(16).toUpperCase();
        expect.equal(`CONTROL on page ${name}`, bench.read(CONTROL), CONTROL_AT_REST);
        expect.equal(`SERIAL on page ${name}`, bench.read(SERIAL), SER_P1_PAUSE);
        expect.equal(`DAC1_COUNT on page ${name}`, bench.count('DAC1'), 0x01f3_01f3);
      }
    },
  ],
  [
    '019',
    'Bytes and words of a register are read by themselves',
    'PCI 3.0 §3.2.1 (byte enables)',
    (bench, expect) => {
      bench.setFrameAddress('DAC1', PATTERN);
      const at = PAGE_WINDOW;
      expect.equal('byte 0', bench.read8(at), 0x78);
      expect.equal('byte 1', bench.read8(at + 1), 0x56);
      expect.equal('byte 2', bench.read8(at + 2), 0x34);
      expect.equal('byte 3', bench.read8(at + 3), 0x12);
      expect.equal('word 0', bench.read16(at), 0x5678);
      expect.equal('word 1', bench.read16(at + 2), 0x1234);
    },
  ],
  [
    '020',
    'Bytes and words of a register are written by themselves',
    'PCI 3.0 §3.2.1 (byte enables)',
    (bench, expect) => {
      bench.setFrameAddress('DAC1', 0);
      const at = PAGE_WINDOW;
      bench.write8(at, 0x11);
      expect.equal('byte 0', bench.read(at), 0x11);
      bench.write8(at + 3, 0x44);
      expect.equal('byte 3', bench.read(at), 0x4400_0011);
      bench.write16(at + 2, 0x5566);
      expect.equal('word 1', bench.read(at), 0x5566_0011);
    },
  ],
  [
    '021',
    'MEMPAGE and SERIAL can be written by bytes',
    'PCI 3.0 §3.2.1 (byte enables)',
    (bench, expect) => {
      bench.write8(MEMPAGE, PAGE_ADC);
      expect.equal('MEMPAGE', bench.read(MEMPAGE), PAGE_ADC);
      bench.write(SERIAL, SER_P1_PAUSE | SER_P2_PAUSE);
      bench.write8(SERIAL, 0x3f);
      expect.equal('SERIAL', bench.read(SERIAL), SER_P1_PAUSE | SER_P2_PAUSE | 0x3f);
    },
  ],
  [
    '022',
    'Above 3Fh there is nothing',
    'ens1370.c: registers up to 3Fh; inferred (ones)',
    (bench, expect) => {
      for (const offset of [ES1370_REGISTER_BYTES, 0x80, 0xfc])
        expect.equal(hex(offset), bench.read(offset), 0xffff_ffff);
    },
  ],
  [
    '023',
    'The codec’s register is write only',
    'ens1370.c ES_REG_1370_CODEC (W/O); inferred (reads 0)',
    (bench, expect) => expect.equal('CODEC', bench.read(CODEC), 0),
  ],
  [
    '024',
    'A read changes nothing',
    'ens1370.c: no register but the UART’s data is said to change by a read',
    (bench, expect) => {
      bench.write(SERIAL, SER_P2_PAUSE);
      bench.setRing('DAC2', { address: 0x10_0000, dwords: 256 }, 3);
      for (let offset = 0; offset < ES1370_REGISTER_BYTES; offset += 4) bench.read(offset);
      expect.equal('CONTROL', bench.read(CONTROL), CONTROL_AT_REST);
      expect.equal('SERIAL', bench.read(SERIAL), SER_P2_PAUSE);
      expect.equal('DAC2_FRAME', bench.frameAddress('DAC2'), 0x10_0000);
      expect.equal('DAC2_SIZE', bench.sizeRegister('DAC2'), 0x0003_00ff);
    },
  ],
]);
