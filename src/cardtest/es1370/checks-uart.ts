import {
  CONTROL,
  CTL_UART_EN,
  PAGE_UART,
  PAGE_WINDOW,
  STAT_INTR,
  STAT_UART,
  UART_CONTROL,
  UART_DATA,
  UART_STATUS,
  UART_TEST,
  UC_RESET,
  UC_RXINTEN,
  UC_TXINTEN_READY,
  US_RXINT,
  US_RXRDY,
  US_TXINT,
  US_TXRDY,
} from '../../hardware/es1370/registers.ts';
import { TICKS_PER_MICROSECOND } from '../../kernel/index.ts';
import type { Es1370Bench } from './bench.ts';
import { checkTable } from './check-table.ts';

/** Ten bits at 31250 baud. */
const BYTE_TICKS = 320 * TICKS_PER_MICROSECOND;

function open(bench: Es1370Bench): void {
  bench.set(CONTROL, CTL_UART_EN);
  bench.write8(UART_CONTROL, UC_RESET);
  bench.write8(UART_CONTROL, 0);
}

/** The MIDI UART. Nothing is plugged into its input. */
export const UART_CHECKS = checkTable('UART', 'MIDI UART', [
  [
    '001',
    'Enabled, it is ready to send, and has received nothing',
    'ens1370.c ES_UART_EN, ES_TXRDY, ES_RXRDY',
    (bench, expect) => {
      open(bench);
      expect.equal('UART_STATUS', bench.read8(UART_STATUS), US_TXRDY);
    },
  ],
  [
    '002',
    'Two bytes fill it: one on the wire, one that waits; 320 µs later there is room again',
    'ens1370.c ES_TXRDY; inferred (one byte waits); MIDI 1.0 (31250 baud)',
    (bench, expect) => {
      open(bench);
      bench.write8(UART_DATA, 0x90);
      expect.bits('with one byte', bench.read8(UART_STATUS), US_TXRDY, US_TXRDY);
      bench.write8(UART_DATA, 0x3c);
      expect.bits('with two bytes', bench.read8(UART_STATUS), US_TXRDY, 0);
      bench.card.letTimePass(BYTE_TICKS);
      expect.bits('after one byte’s time', bench.read8(UART_STATUS), US_TXRDY, US_TXRDY);
    },
  ],
  [
    '003',
    'With TXINTEN 01 it asks for an interrupt while it is ready to send',
    'ens1370.c ES_TXINTENO(1), ES_TXINT, ES_UART',
    (bench, expect) => {
      open(bench);
      bench.write8(UART_CONTROL, UC_TXINTEN_READY);
      expect.bits('UART_STATUS', bench.read8(UART_STATUS), US_TXINT, US_TXINT);
      expect.bits('STATUS', bench.status, STAT_UART | STAT_INTR, STAT_UART | STAT_INTR);
      expect.that('line', bench.line, 'asserted', 'low');
    },
  ],
  [
    '004',
    'The request goes when TXINTEN is taken away, and the line falls',
    'ens1370.c ES_TXINTENM',
    (bench, expect) => {
      open(bench);
      bench.write8(UART_CONTROL, UC_TXINTEN_READY);
      bench.write8(UART_CONTROL, 0);
      expect.bits('UART_STATUS', bench.read8(UART_STATUS), US_TXINT, 0);
      expect.bits('STATUS', bench.status, STAT_UART | STAT_INTR, 0);
      expect.that('line', !bench.line, 'low', 'asserted');
    },
  ],
  [
    '005',
    'The request goes while there is no room, and comes again',
    'ens1370.c ES_TXINT; inferred',
    (bench, expect) => {
      open(bench);
      bench.write8(UART_CONTROL, UC_TXINTEN_READY);
      bench.write8(UART_DATA, 0xf8);
      bench.write8(UART_DATA, 0xf8);
      expect.bits('with two bytes', bench.status, STAT_UART, 0);
      bench.card.letTimePass(BYTE_TICKS);
      expect.bits('after one byte’s time', bench.status, STAT_UART, STAT_UART);
    },
  ],
  [
    '006',
    'With RXINTEN alone and nothing received it does not ask',
    'ens1370.c ES_RXINTEN, ES_RXINT',
    (bench, expect) => {
      open(bench);
      bench.write8(UART_CONTROL, UC_RXINTEN);
      expect.bits('UART_STATUS', bench.read8(UART_STATUS), US_RXINT | US_RXRDY, 0);
      expect.bits('STATUS', bench.status, STAT_UART, 0);
    },
  ],
  [
    '007',
    'CNTRL 11 resets it: enables gone',
    'ens1370.c ES_CNTRL(3)',
    (bench, expect) => {
      open(bench);
      bench.write8(UART_CONTROL, UC_TXINTEN_READY);
      bench.write8(UART_CONTROL, UC_RESET);
      expect.equal('UART_STATUS', bench.read8(UART_STATUS), US_TXRDY);
      expect.bits('STATUS', bench.status, STAT_UART, 0);
    },
  ],
  [
    '008',
    'Without UART_EN it neither sends nor asks',
    'ens1370.c ES_UART_EN',
    (bench, expect) => {
      open(bench);
      bench.write8(UART_CONTROL, UC_TXINTEN_READY);
      bench.clear(CONTROL, CTL_UART_EN);
      expect.equal('UART_STATUS', bench.read8(UART_STATUS), 0);
      expect.bits('STATUS', bench.status, STAT_UART | STAT_INTR, 0);
    },
  ],
  [
    '009',
    'The test register is memory',
    'ens1370.c ES_REG_UART_RES (R/W)',
    (bench, expect) => {
      bench.write8(UART_TEST, 0);
      expect.equal('UART_TEST', bench.read8(UART_TEST), 0);
      bench.write8(UART_TEST, 1);
      expect.equal('UART_TEST set', bench.read8(UART_TEST), 1);
      bench.write8(UART_TEST, 0);
    },
  ],
  [
    '010',
    'Pages E and F show the received bytes: none is valid',
    'ens1370.c ES_PAGE_UART; inferred (bit 8 is valid)',
    (bench, expect) => {
      open(bench);
      for (let entry = 0; entry < 8; entry++) {
        const value = bench.readPage(PAGE_UART + (entry >> 2), PAGE_WINDOW + (entry & 3) * 4);
        expect.bits(`entry ${entry}`, value, 0x100, 0);
      }
    },
  ],
]);
