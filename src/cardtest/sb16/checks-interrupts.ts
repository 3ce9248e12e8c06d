import { MIX_INTERRUPT_STATUS } from '../../hardware/sb16/registers.ts';
import { TICKS_PER_MILLISECOND } from '../../kernel/index.ts';
import { checkTable } from './check-table.ts';
import { S16_STEREO, U8_MONO } from './pcm.ts';

const STATUS = 'HPG §4, 82h';
const REQUEST = 'Practice §F2h, F3h';
const BLOCK_LIMIT = 500 * TICKS_PER_MILLISECOND;

export const INTERRUPT_CHECKS = checkTable('INT', 'Interrupts', [
  [
    '001',
    'An 8-bit request shows in bit 0 and on the line',
    `${STATUS}; ${REQUEST}`,
    (bench, expect) => {
      bench.dsp(0xf2);
      expect.bits('82h', bench.interruptStatus, 7, 1);
      expect.that('line', bench.asserted, 'asserted', 'low');
    },
  ],
  [
    '002',
    'A 16-bit request shows in bit 1 and on the line',
    `${STATUS}; ${REQUEST}`,
    (bench, expect) => {
      bench.dsp(0xf3);
      expect.bits('82h', bench.interruptStatus, 7, 2);
      expect.that('line', bench.asserted, 'asserted', 'low');
    },
  ],
  [
    '003',
    'Reading 2xEh acknowledges the 8-bit request',
    'HPG §2, 2xEh',
    (bench, expect) => {
      bench.dsp(0xf2);
      bench.acknowledge(8);
      expect.bits('82h', bench.interruptStatus, 7, 0);
      expect.that('line', !bench.asserted, 'low', 'asserted');
    },
  ],
  [
    '004',
    'Reading 2xFh acknowledges the 16-bit request',
    'HPG §2, 2xFh',
    (bench, expect) => {
      bench.dsp(0xf3);
      bench.acknowledge(16);
      expect.bits('82h', bench.interruptStatus, 7, 0);
      expect.that('line', !bench.asserted, 'low', 'asserted');
    },
  ],
  [
    '005',
    'Reading 2xFh leaves the 8-bit request',
    'HPG §2, 2xFh',
    (bench, expect) => {
      bench.dsp(0xf2);
      bench.acknowledge(16);
      expect.bits('82h', bench.interruptStatus, 7, 1);
      expect.that('line', bench.asserted, 'asserted', 'low');
    },
  ],
  [
    '006',
    'Reading 2xEh leaves the 16-bit request',
    'HPG §2, 2xEh',
    (bench, expect) => {
      bench.dsp(0xf3);
      bench.acknowledge(8);
      expect.bits('82h', bench.interruptStatus, 7, 2);
      expect.that('line', bench.asserted, 'asserted', 'low');
    },
  ],
  [
    '007',
    'Of two requests the line stays until both are acknowledged: 8-bit first',
    `${STATUS}; HPG §2, 2xEh, 2xFh`,
    (bench, expect) => {
      bench.dsp(0xf2, 0xf3);
      expect.bits('82h, both', bench.interruptStatus, 7, 3);
      bench.acknowledge(8);
      expect.bits('82h after 2xEh', bench.interruptStatus, 7, 2);
      expect.that('line after 2xEh', bench.asserted, 'asserted', 'low');
      bench.acknowledge(16);
      expect.bits('82h after 2xFh', bench.interruptStatus, 7, 0);
      expect.that('line after 2xFh', !bench.asserted, 'low', 'asserted');
    },
  ],
  [
    '008',
    'Of two requests the line stays until both are acknowledged: 16-bit first',
    `${STATUS}; HPG §2, 2xEh, 2xFh`,
    (bench, expect) => {
      bench.dsp(0xf3, 0xf2);
      bench.acknowledge(16);
      expect.bits('82h after 2xFh', bench.interruptStatus, 7, 1);
      expect.that('line after 2xFh', bench.asserted, 'asserted', 'low');
      bench.acknowledge(8);
      expect.bits('82h after 2xEh', bench.interruptStatus, 7, 0);
      expect.that('line after 2xEh', !bench.asserted, 'low', 'asserted');
    },
  ],
  [
    '009',
    'Reading 82h acknowledges nothing',
    STATUS,
    (bench, expect) => {
      bench.dsp(0xf2, 0xf3);
      for (let i = 0; i < 3; i++) expect.bits(`82h, time ${i + 1}`, bench.interruptStatus, 7, 3);
      expect.that('line', bench.asserted, 'asserted', 'low');
    },
  ],
  [
    '010',
    'Writing 82h changes nothing',
    STATUS,
    (bench, expect) => {
      bench.writeMixer(MIX_INTERRUPT_STATUS, 0xff);
      expect.bits('82h after FFh', bench.interruptStatus, 7, 0);
      bench.dsp(0xf2, 0xf3);
      bench.writeMixer(MIX_INTERRUPT_STATUS, 0x00);
      expect.bits('82h after 00h', bench.interruptStatus, 7, 3);
      expect.that('line', bench.asserted, 'asserted', 'low');
    },
  ],
  [
    '011',
    'A mixer reset leaves a request as it is',
    'HPG §4, 00h',
    (bench, expect) => {
      bench.dsp(0xf2);
      bench.writeMixer(0x00, 0);
      expect.bits('82h', bench.interruptStatus, 7, 1);
      expect.that('line', bench.asserted, 'asserted', 'low');
    },
  ],
  [
    '012',
    'A request interrupts without a reply',
    REQUEST,
    (bench, expect) => {
      bench.dsp(0xf2);
      const [reply = -1] = bench.replies(1);
      expect.that('reply', reply === -1, 'none', `${reply.toString(16).toUpperCase()}h`);
    },
  ],
  [
    '013',
    'The end of an 8-bit block sets bit 0, that of a 16-bit block bit 1',
    STATUS,
    (bench, expect) => {
      for (const [kind, bit] of [
        [U8_MONO, 1],
        [S16_STEREO, 2],
      ] as const) {
        bench.feedSilence(kind, 4096);
        bench.setRate(44_100);
        bench.transfer(kind, 0, 512);
        bench.waitInterrupt(BLOCK_LIMIT);
        expect.bits(`82h after ${kind.bits} bits`, bench.interruptStatus, 7, bit);
        bench.acknowledge(kind.bits);
        expect.bits(`82h after its acknowledgement`, bench.interruptStatus, 7, 0);
      }
    },
  ],
  [
    '014',
    'A request stays while the transfer goes on, and asks no louder',
    STATUS,
    (bench, expect) => {
      bench.feedSilence(U8_MONO, 4096, true);
      bench.setRate(44_100);
      bench.transfer(U8_MONO, 4, 2048);
      expect.that('first block', bench.waitInterrupt(BLOCK_LIMIT), 'an interrupt', 'none');
      const before = bench.card.readDmaCount(bench.channel(8));
      bench.card.letTimePass(120 * TICKS_PER_MILLISECOND);
      expect.bits('82h', bench.interruptStatus, 7, 1);
      expect.that('line', bench.asserted, 'asserted', 'low');
      expect.that(
        'DMA count',
        bench.card.readDmaCount(bench.channel(8)) !== before,
        'moves on',
        'stands still',
      );
    },
  ],
]);
