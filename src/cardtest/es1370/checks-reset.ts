import {
  CONTROL,
  CTL_RESET,
  MEMPAGE,
  PAGE_ADC,
  PHANTOM_FRAME,
  PHANTOM_SIZE,
  SERIAL,
  STAT_VC_NONE,
  STATUS,
  UART_STATUS,
} from '../../hardware/es1370/registers.ts';
import { CHANNELS, MAPS } from './bench.ts';
import { checkTable } from './check-table.ts';

/** What a reset leaves. */
export const RESET_CHECKS = checkTable('RST', 'After a reset', [
  [
    '001',
    'CONTROL has SERR_DIS set and nothing else: all channels are off',
    'inferred (SERR_DIS); ens1370.c ES_REG_CONTROL',
    (bench, expect) => expect.equal('CONTROL', bench.read(CONTROL), CTL_RESET),
    'powerOn',
  ],
  [
    '002',
    'STATUS shows no request, and no voice of the CCB',
    'ens1370.c ES_1370_VC; inferred (3 is none)',
    (bench, expect) => expect.equal('STATUS', bench.read(STATUS), STAT_VC_NONE),
    'powerOn',
  ],
  [
    '003',
    'SERIAL is 0: 8-bit mono, loop mode, no interrupt enabled',
    'ens1370.c ES_REG_SERIAL; inferred',
    (bench, expect) => expect.equal('SERIAL', bench.read(SERIAL), 0),
    'powerOn',
  ],
  [
    '004',
    'Memory page 0 is selected',
    'ens1370.c ES_REG_MEM_PAGE; inferred',
    (bench, expect) => expect.bits('MEMPAGE', bench.read(MEMPAGE), 0x0f, 0),
    'powerOn',
  ],
  [
    '005',
    'The sample counters are 0',
    'ens1370.c ES_REG_DAC1_COUNT; inferred',
    (bench, expect) => {
      for (const name of CHANNELS) expect.equal(`${name}_COUNT`, bench.count(name), 0);
    },
    'powerOn',
  ],
  [
    '006',
    'The buffer addresses are 0',
    'ens1370.c ES_REG_DAC1_FRAME; inferred',
    (bench, expect) => {
      for (const name of CHANNELS) expect.equal(`${name}_FRAME`, bench.frameAddress(name), 0);
    },
    'powerOn',
  ],
  [
    '007',
    'The buffer sizes and indices are 0',
    'ens1370.c ES_REG_DAC1_SIZE; inferred',
    (bench, expect) => {
      for (const name of CHANNELS) expect.equal(`${name}_SIZE`, bench.sizeRegister(name), 0);
    },
    'powerOn',
  ],
  [
    '008',
    'The phantom frame is 0',
    'ens1370.c ES_REG_PHANTOM_FRAME; inferred',
    (bench, expect) => {
      expect.equal('PHANTOM_FRAME', bench.readPage(PAGE_ADC, PHANTOM_FRAME), 0);
      expect.equal('PHANTOM_SIZE', bench.readPage(PAGE_ADC, PHANTOM_SIZE), 0);
    },
    'powerOn',
  ],
  [
    '009',
    'The UART is off: neither ready to send nor with a byte, no interrupt',
    'ens1370.c ES_REG_UART_STATUS, ES_UART_EN',
    (bench, expect) => expect.equal('UART_STATUS', bench.read8(UART_STATUS), 0),
    'powerOn',
  ],
  [
    '010',
    'The interrupt line is not asserted',
    'PCI 3.0 §2.2.6',
    (bench, expect) => expect.that('line', !bench.line, 'low', 'asserted'),
    'powerOn',
  ],
  [
    '011',
    'Nothing moves: counters and indices stand',
    'ens1370.c ES_DAC1_EN, ES_DAC2_EN, ES_ADC_EN',
    (bench, expect) => {
      bench.card.letTimePass(300_000);
      for (const name of CHANNELS) {
        expect.equal(`${name}_COUNT`, bench.count(name), 0);
        expect.equal(`${name}_SIZE`, bench.sizeRegister(name), 0);
      }
    },
    'powerOn',
  ],
  [
    '012',
    'A DAC plays at once in the format and at the rate of the reset',
    'ens1370.c ES_P1_MODEO(0), ES_1370_WTSRSEL(0)',
    (bench, expect) => {
      const address = bench.card.allocateRam(4096, 4096);
      bench.setRing('DAC1', { address, dwords: 1024 });
      bench.write(MAPS.DAC1.countRegister, 99);
      bench.enable('DAC1');
      // 5512.5 bytes a second: 138 dwords in a tenth.
      bench.card.letTimePass(1_500_000);
      expect.between('dwords in 150 ms', bench.index('DAC1'), 50, 600);
      bench.disable('DAC1');
    },
    'powerOn',
  ],
]);
