import { TICKS_PER_MILLISECOND } from '../../kernel/index.ts';
import type { Expectations } from '../check.ts';
import type { Sb16Bench } from './bench.ts';
import { checkTable } from './check-table.ts';

const SOURCE = 'HPG §5, MPU-401 UART mode';
const DSR = 0x80;
const DRR = 0x40;
const RESET = 0xff;
const ENTER_UART = 0x3f;
const ACK = 0xfe;
const LIMIT = 2 * TICKS_PER_MILLISECOND;

function base(bench: Sb16Bench): number {
  return bench.card.resources.mpuBase ?? 0;
}

function status(bench: Sb16Bench): number {
  return bench.card.readPort(base(bench) + 1);
}

function command(bench: Sb16Bench, code: number): void {
  bench.card.waitUntil(() => (status(bench) & DRR) === 0, LIMIT);
  bench.card.writePort(base(bench) + 1, code);
}

/** The next byte, -1 when none comes. */
function take(bench: Sb16Bench): number {
  return bench.card.waitUntil(() => (status(bench) & DSR) === 0, LIMIT)
    ? bench.card.readPort(base(bench))
    : -1;
}

function expectAck(bench: Sb16Bench, expect: Expectations, what: string): void {
  const byte = take(bench);
  expect.that(what, byte === ACK, 'FEh', byte < 0 ? 'nothing' : `${byte.toString(16).toUpperCase()}h`);
}

export const MPU_CHECKS = checkTable(
  'MPU',
  'MPU-401',
  [
    [
      '001',
      'At rest nothing can be read, and bytes are taken',
      SOURCE,
      (bench, expect) => expect.bits('status', status(bench), DSR | DRR, DSR),
    ],
    [
      '002',
      'A reset is acknowledged',
      SOURCE,
      (bench, expect) => {
        command(bench, RESET);
        expectAck(bench, expect, 'data');
        expect.bits('status afterwards', status(bench), DSR | DRR, DSR);
      },
    ],
    [
      '003',
      'UART mode is acknowledged',
      SOURCE,
      (bench, expect) => {
        command(bench, ENTER_UART);
        expectAck(bench, expect, 'data');
      },
    ],
    [
      '004',
      'In UART mode a byte is sent without an answer',
      SOURCE,
      (bench, expect) => {
        command(bench, ENTER_UART);
        take(bench);
        bench.card.writePort(base(bench), 0x90);
        expect.that('data', take(bench) === -1, 'nothing', 'a byte');
      },
    ],
    [
      '005',
      'Bytes that leave slower than they are written make it busy for a while',
      SOURCE,
      (bench, expect) => {
        command(bench, ENTER_UART);
        take(bench);
        let written = 0;
        while (written < 64 && (status(bench) & DRR) === 0) {
          bench.card.writePort(base(bench), 0xfe);
          written++;
        }
        expect.between('bytes until it is busy', written, 1, 63);
        expect.that(
          'ready again',
          bench.card.waitUntil(() => (status(bench) & DRR) === 0, 64 * LIMIT),
          'within the time of the bytes',
          'not so',
        );
      },
    ],
    [
      '006',
      'A reset leaves UART mode, which can be entered again',
      SOURCE,
      (bench, expect) => {
        for (const time of ['first', 'second']) {
          command(bench, ENTER_UART);
          expectAck(bench, expect, `UART mode, ${time} time`);
          command(bench, RESET);
          expectAck(bench, expect, `reset, ${time} time`);
        }
      },
    ],
    [
      '007',
      'An acknowledgement interrupts: bit 2 of the status, and the line, until it is read',
      `${SOURCE}; §4, 82h`,
      (bench, expect) => {
        command(bench, RESET);
        expect.that('line', bench.waitInterrupt(LIMIT), 'asserted', 'low');
        expect.bits('82h', bench.interruptStatus, 7, 4);
        bench.acknowledge(8);
        bench.acknowledge(16);
        expect.bits('82h after reading 2xEh and 2xFh', bench.interruptStatus, 7, 4);
        take(bench);
        expect.bits('82h after the data', bench.interruptStatus, 7, 0);
        expect.that('line after the data', !bench.asserted, 'low', 'asserted');
      },
    ],
    [
      '008',
      'A DSP reset does not touch it',
      SOURCE,
      (bench, expect) => {
        command(bench, RESET);
        bench.card.waitUntil(() => (status(bench) & DSR) === 0, LIMIT);
        bench.resetDsp();
        expectAck(bench, expect, 'the acknowledgement of before');
      },
    ],
  ],
  'mpu',
);
