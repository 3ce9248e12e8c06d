import { TICKS_PER_MILLISECOND } from '../../kernel/index.ts';
import type { Expectations } from '../check.ts';
import { repliesText, type Sb16Bench } from './bench.ts';
import { type CheckRow, checkTable } from './check-table.ts';
import { S16_MONO, U8_MONO } from './pcm.ts';

const COPYRIGHT = 'COPYRIGHT (C) CREATIVE TECHNOLOGY LTD, 1992.';
/** Command E2h: what the operand is turned over by, in turn, before it is added to a sum that begins with AAh. */
const E2_MASKS = [0x96, 0xa5, 0x69, 0x5a] as const;
const E2_START = 0xaa;

/** Asks by E2h with these operands; the bytes that came through DMA, -1 where none did. */
function identifyByDma(bench: Sb16Bench, operands: readonly number[]): { bytes: number[]; beside: boolean } {
  const answers: number[] = [];
  let beside = false;
  for (const operand of operands) {
    const fill = 0x3c;
    const address = bench.buffer(new Uint8Array(4).fill(fill));
    bench.drain(8, address + 1, 1);
    bench.dsp(0xe2, operand);
    const came = () => (bench.card.readRam(address + 1, 1)[0] ?? 0) !== fill;
    answers.push(
      bench.card.waitUntil(came, 5 * TICKS_PER_MILLISECOND)
        ? (bench.card.readRam(address + 1, 1)[0] ?? -1)
        : -1,
    );
    const around = bench.card.readRam(address, 4);
    beside ||= [0, 2, 3].some((index) => around[index] !== fill);
  }
  return { bytes: answers, beside };
}

/** The documented commands of DSP 4.xx that take operands and, with their channels closed, do nothing that lasts. */
const WITH_OPERANDS: readonly (readonly [code: number, operands: number])[] = [
  [0x10, 1],
  [0x14, 2],
  [0x16, 2],
  [0x17, 2],
  [0x24, 2],
  [0x38, 1],
  [0x40, 1],
  [0x41, 2],
  [0x42, 2],
  [0x48, 2],
  [0x74, 2],
  [0x75, 2],
  [0x76, 2],
  [0x77, 2],
  [0x80, 2],
  ...[0xb0, 0xb2, 0xb4, 0xb6, 0xb8, 0xba, 0xbc, 0xbe].map((code) => [code, 3] as const),
  ...[0xc0, 0xc2, 0xc4, 0xc6, 0xc8, 0xca, 0xcc, 0xce].map((code) => [code, 3] as const),
];

/** E1h as an operand: a DSP that took it for a command would answer with its version. */
const OPERAND = 0xe1;
const SILENCE = 0x80;

/** SILENCE is to be short: what it leaves behind is the reset's check (RST-018), not the next one's. */
function operandsOf(code: number, operands: number): number[] {
  return code === SILENCE ? [OPERAND, 0x00] : Array.from({ length: operands }, () => OPERAND);
}

/** Operands of this command go where they belong: the DSP takes what comes behind them for a command. */
function swallowsOperands(code: number, operands: number): CheckRow[3] {
  return (bench: Sb16Bench, expect: Expectations) => {
    bench.dsp(code, ...operandsOf(code, operands));
    const early = bench.replies(1);
    expect.that('reply to operands', early[0] === -1, 'none', repliesText(early));
    bench.resetDsp();
    bench.dsp(code, ...operandsOf(code, operands));
    bench.expectReplies(expect, 'E0h behind them', [0xe0, 0x2b], [0xd4]);
    if (code === SILENCE) bench.card.letTimePass(100 * TICKS_PER_MILLISECOND);
  };
}

function hexByte(code: number): string {
  return `${code.toString(16).toUpperCase()}h`;
}

export const COMMAND_CHECKS = [
  ...checkTable('ID', 'Identification', [
    [
      '001',
      'GET_VERSION answers 4 and a minor number',
      'HPG §6, E1h',
      (bench, expect) => {
        const [major = -1, minor = -1] = bench.ask(2, 0xe1);
        expect.between('major', major, 4, 4);
        expect.between('minor', minor, 0, 99);
      },
    ],
    [
      '002',
      'The version is two bytes, the same every time',
      'HPG §6, E1h',
      (bench, expect) => {
        const first = bench.ask(3, 0xe1);
        const second = bench.ask(3, 0xe1);
        expect.that('third byte', first[2] === -1 && second[2] === -1, 'none', repliesText(first));
        expect.that(
          'second time',
          repliesText(first) === repliesText(second),
          repliesText(first),
          repliesText(second),
        );
      },
    ],
    [
      '003',
      'The copyright text ends with a zero',
      'Practice §E3h',
      (bench, expect) => {
        const text = [...Array.from(COPYRIGHT, (letter) => letter.charCodeAt(0)), 0];
        expect.same('text', bench.ask(text.length, 0xe3), text);
      },
    ],
    [
      '004',
      'E0h answers with its operand turned over',
      'Practice §E0h',
      (bench, expect) => {
        for (const operand of [0x00, 0xff, 0x55, 0xaa, 0x01, 0x80, 0x35])
          bench.expectReplies(expect, `E0h ${hexByte(operand)}`, [0xe0, operand], [~operand & 0xff]);
      },
    ],
    [
      '005',
      'The test register keeps what is written',
      'Practice §E4h, E8h',
      (bench, expect) => {
        for (const value of [0x5a, 0xa5, 0x00, 0xff]) {
          bench.dsp(0xe4, value);
          bench.expectReplies(expect, `E8h after E4h ${hexByte(value)}`, [0xe8], [value]);
        }
      },
    ],
    [
      '006',
      'The test register is untouched by other commands',
      'Practice §E4h, E8h',
      (bench, expect) => {
        bench.dsp(0xe4, 0x69, 0x40, 0x83, 0xd1, 0x48, 0x10, 0x00, 0xd3);
        bench.expectReplies(expect, 'E8h', [0xe8], [0x69]);
      },
    ],
    [
      '007',
      'Identification by DMA answers the known sequence',
      'Practice §E2h',
      (bench, expect) => {
        bench.resetDsp();
        const operands = [0x00, 0x00, 0x00, 0x00, 0xbb, 0x17];
        const { bytes } = identifyByDma(bench, operands);
        let sum = E2_START;
        const expected = operands.map((operand, index) => {
          sum = (sum + (operand ^ (E2_MASKS[index % E2_MASKS.length] as number))) & 0xff;
          return sum;
        });
        expect.that(
          'bytes in memory',
          repliesText(bytes) === repliesText(expected),
          repliesText(expected),
          repliesText(bytes),
        );
      },
      { needs: 'powerOn' },
    ],
    [
      '008',
      'Identification by DMA writes one byte and nothing beside it',
      'Practice §E2h',
      (bench, expect) => {
        const { bytes, beside } = identifyByDma(bench, [0x12]);
        expect.that('byte', bytes[0] !== -1, 'written', 'not written');
        expect.that('bytes beside it', !beside, 'untouched', 'written');
      },
    ],
    [
      '009',
      'The bytes of the internal RAM that programs look at are those of an SB16',
      'Practice §F9h',
      (bench, expect) => {
        bench.expectReplies(expect, 'F9h 0Eh', [0xf9, 0x0e], [0xff]);
        bench.expectReplies(expect, 'F9h 0Fh', [0xf9, 0x0f], [0x07]);
        bench.expectReplies(expect, 'F9h 37h', [0xf9, 0x37], [0x38]);
      },
    ],
  ]),
  ...checkTable('CMD', 'Command interface', [
    [
      '001',
      'WRITE_STATUS says "ready" while nothing goes on',
      'HPG §2, writing to the DSP',
      (bench, expect) => expect.that('WRITE_STATUS', !bench.busy, 'ready', 'busy'),
    ],
    [
      '002',
      'READ_STATUS says that a byte waits, until it is read',
      'HPG §2, reading from the DSP',
      (bench, expect) => {
        expect.that('before', !bench.replyWaits, 'no byte', 'a byte waits');
        bench.dsp(0xe0, 0x00);
        expect.that(
          'after the command',
          bench.card.waitUntil(() => bench.replyWaits, TICKS_PER_MILLISECOND),
          'a byte waits',
          'no byte',
        );
        bench.replies(1);
        expect.that('after reading it', !bench.replyWaits, 'no byte', 'a byte waits');
      },
    ],
    [
      '003',
      'Replies come in the order of the commands',
      'HPG §2, reading from the DSP',
      (bench, expect) => {
        bench.dsp(0xe4, 0x77);
        bench.dsp(0xe8, 0xf9, 0x0f);
        bench.expectReplies(expect, 'E8h, then F9h 0Fh', [], [0x77, 0x07]);
      },
    ],
    [
      '004',
      'A code without a command does nothing',
      'HPG §6, DSP commands by code',
      (bench, expect) => {
        for (const code of [0x60, 0x6f, 0xaf, 0xff]) {
          bench.dsp(code);
          bench.expectReplies(expect, `E0h behind ${hexByte(code)}`, [0xe0, 0x71], [0x8e]);
        }
        expect.bits('82h', bench.interruptStatus, 7, 0);
      },
    ],
    [
      '005',
      'SPEAKER_STATUS follows SPEAKER_ON and SPEAKER_OFF',
      'HPG §6, D1h, D3h, D8h',
      (bench, expect) => {
        bench.expectReplies(expect, 'after a reset', [0xd8], [0x00]);
        bench.expectReplies(expect, 'after D1h', [0xd1, 0xd8], [0xff]);
        bench.expectReplies(expect, 'after D3h', [0xd3, 0xd8], [0x00]);
      },
    ],
    [
      '006',
      'DSP 4.xx takes commands while a transfer runs',
      'HPG §6, 90h, E1h',
      (bench, expect) => {
        bench.feedSilence(U8_MONO, 16_384);
        bench.setRate(44_100);
        bench.setBlockSize(16_384);
        bench.dsp(0x91);
        bench.expectReplies(expect, 'E0h meanwhile', [0xe0, 0x0f], [0xf0]);
      },
    ],
    [
      '007',
      'The operands of a rate may be any bytes, also those of commands',
      'HPG §6, 41h',
      (bench, expect) => {
        bench.dsp(0x41, 0xac, 0xe1);
        const replies = bench.replies(1);
        expect.that('replies', replies[0] === -1, 'none', repliesText(replies));
      },
    ],
    [
      '008',
      'Commands without a transfer to act on do nothing',
      'HPG §6, D0h, D4h, D5h, D6h, D9h, DAh, 45h, 47h',
      (bench, expect) => {
        bench.dsp(0xd0, 0xd4, 0xd5, 0xd6, 0xd9, 0xda, 0x45, 0x47);
        const replies = bench.replies(1);
        expect.that('replies', replies[0] === -1, 'none', repliesText(replies));
        expect.bits('82h', bench.interruptStatus, 7, 0);
        expect.that('line', bench.staysQuiet(30 * TICKS_PER_MILLISECOND), 'low', 'asserted');
      },
    ],
    [
      '009',
      'A transfer with its channel closed waits: no interrupt, and the request shows',
      'HPG §3, DMA transfers; 8237A, status register',
      (bench, expect) => {
        for (const kind of [U8_MONO, S16_MONO]) {
          const channel = bench.channel(kind.bits);
          bench.setRate(44_100);
          bench.transfer(kind, 0, 441);
          expect.that(
            `${kind.bits}-bit interrupt`,
            bench.staysQuiet(60 * TICKS_PER_MILLISECOND),
            'none',
            'one came',
          );
          expect.that(`DRQ${channel}`, bench.card.isDmaRequested(channel), 'asserted', 'low');
          bench.resetDsp();
          expect.that(`DRQ${channel} after a reset`, !bench.card.isDmaRequested(channel), 'low', 'asserted');
        }
      },
    ],
  ]),
  ...checkTable(
    'OPD',
    'Operands of commands',
    WITH_OPERANDS.map(
      ([code, operands]): CheckRow => [
        code.toString(16).toUpperCase().padStart(3, '0'),
        `${hexByte(code)} takes ${operands === 1 ? 'one operand' : `${operands} operands`}`,
        `HPG §6, ${hexByte(code)}`,
        swallowsOperands(code, operands),
      ],
    ),
  ),
];
