import {
  MIX_MASTER_LEFT,
  SB_DSP_READ_DATA,
  SB_DSP_READY,
  SB_DSP_RESET,
} from '../../hardware/sb16/registers.ts';
import { TICKS_PER_MICROSECOND, TICKS_PER_MILLISECOND } from '../../kernel/index.ts';
import type { Expectations } from '../check.ts';
import type { Sb16Bench } from './bench.ts';
import { type CheckRow, checkTable } from './check-table.ts';
import { S16_MONO, U8_MONO } from './pcm.ts';

const RESET = 'HPG §2, resetting the DSP';

/** An auto-initialized transfer that a reset has to end. */
function resetEndsTransfer(width: 8 | 16): CheckRow[3] {
  return (bench: Sb16Bench, expect: Expectations) => {
    const kind = width === 8 ? U8_MONO : S16_MONO;
    bench.feedSilence(kind, 8192, true);
    bench.setRate(44_100);
    bench.transfer(kind, 4, 2048);
    expect.that('first block', bench.waitInterrupt(500 * TICKS_PER_MILLISECOND), 'an interrupt', 'none');
    expect.that('AAh', bench.resetDsp(), 'AAh', 'none');
    expect.that('line after the reset', !bench.asserted, 'low', 'asserted');
    const count = bench.card.readDmaCount(bench.channel(width));
    expect.that(
      'interrupts after the reset',
      bench.staysQuiet(200 * TICKS_PER_MILLISECOND),
      'none',
      'an interrupt',
    );
    expect.equal('DMA count 200 ms later', bench.card.readDmaCount(bench.channel(width)), count);
  };
}

function resetClearsRequest(command: number, bit: number): CheckRow[3] {
  return (bench, expect) => {
    bench.dsp(command);
    expect.bits('82h before', bench.interruptStatus, 7, bit);
    bench.resetDsp();
    expect.bits('82h after', bench.interruptStatus, 7, 0);
    expect.that('line', !bench.asserted, 'low', 'asserted');
  };
}

export const RESET_CHECKS = checkTable('RST', 'Reset of the DSP', [
  [
    '001',
    'After power-on nothing can be read, and no interrupt is asserted',
    'HPG §2, DSP I/O port addresses',
    (bench, expect) => {
      expect.that('interrupt line', !bench.asserted, 'low', 'asserted');
      expect.that('READ_STATUS', !bench.replyWaits, 'no byte', 'a byte waits');
      expect.that('WRITE_STATUS', !bench.busy, 'ready', 'busy');
    },
    { needs: 'powerOn' },
  ],
  [
    '002',
    'The first reset after power-on answers AAh',
    RESET,
    (bench, expect) => {
      bench.pulseReset();
      bench.card.waitUntil(() => bench.replyWaits, 20 * TICKS_PER_MILLISECOND);
      expect.equal('READ_DATA', bench.read(SB_DSP_READ_DATA), SB_DSP_READY);
    },
    { needs: 'powerOn' },
  ],
  [
    '003',
    'AAh comes within 100 µs of the end of the pulse',
    RESET,
    (bench, expect) => {
      bench.pulseReset();
      const limit = bench.card.realTime ? 10 * TICKS_PER_MILLISECOND : 100 * TICKS_PER_MICROSECOND;
      const start = bench.card.now;
      const came = bench.card.waitUntil(() => bench.replyWaits, limit);
      expect.that('READ_STATUS', came, 'a byte', 'no byte');
      expect.between('ticks of 100 ns', bench.card.now - start, 0, limit * 2);
      expect.equal('READ_DATA', bench.read(SB_DSP_READ_DATA), SB_DSP_READY);
    },
  ],
  [
    '004',
    'Nothing comes while the reset port holds 1',
    RESET,
    (bench, expect) => {
      bench.write(SB_DSP_RESET, 1);
      bench.card.letTimePass(2 * TICKS_PER_MILLISECOND);
      expect.that('READ_STATUS', !bench.replyWaits, 'no byte', 'a byte waits');
      bench.write(SB_DSP_RESET, 0);
      expect.that(
        'AAh afterwards',
        bench.card.waitUntil(() => bench.replyWaits, 20 * TICKS_PER_MILLISECOND),
        'a byte',
        'no byte',
      );
    },
  ],
  [
    '005',
    'A pulse of 3 µs is enough',
    RESET,
    (bench, expect) => {
      bench.write(SB_DSP_RESET, 1);
      bench.card.letTimePass(3 * TICKS_PER_MICROSECOND);
      bench.write(SB_DSP_RESET, 0);
      bench.card.waitUntil(() => bench.replyWaits, 20 * TICKS_PER_MILLISECOND);
      expect.equal('READ_DATA', bench.read(SB_DSP_READ_DATA), SB_DSP_READY);
    },
  ],
  [
    '006',
    'AAh is there once',
    RESET,
    (bench, expect) => {
      expect.that('AAh', bench.resetDsp(), 'AAh', 'none');
      bench.card.letTimePass(TICKS_PER_MILLISECOND);
      expect.that('READ_STATUS', !bench.replyWaits, 'no byte', 'a byte waits');
    },
  ],
  [
    '007',
    'Replies that nobody has read are gone',
    RESET,
    (bench, expect) => {
      bench.dsp(0xe1);
      bench.pulseReset();
      const [ready = -1, more = -1] = bench.replies(2);
      expect.equal('first byte', ready, SB_DSP_READY);
      expect.that('second byte', more === -1, 'none', `${more}`);
    },
  ],
  [
    '008',
    'A command without its operands is forgotten',
    RESET,
    (bench, expect) => {
      bench.dsp(0x41, 0x1f);
      bench.resetDsp();
      bench.expectReplies(expect, 'E0h 5Ah', [0xe0, 0x5a], [0xa5]);
    },
  ],
  [
    '009',
    'Writing 0 without 1 before it resets nothing',
    RESET,
    (bench, expect) => {
      bench.dsp(0xe0, 0x3c);
      bench.write(SB_DSP_RESET, 0);
      bench.card.letTimePass(TICKS_PER_MILLISECOND);
      bench.expectReplies(expect, 'reply', [], [0xc3]);
    },
  ],
  ['010', 'An 8-bit interrupt request ends', RESET, resetClearsRequest(0xf2, 1)],
  ['011', 'A 16-bit interrupt request ends', RESET, resetClearsRequest(0xf3, 2)],
  ['012', 'An 8-bit auto-initialized transfer ends', RESET, resetEndsTransfer(8)],
  ['013', 'A 16-bit auto-initialized transfer ends', RESET, resetEndsTransfer(16)],
  [
    '014',
    'The speaker is off',
    'HPG §6, D8h',
    (bench, expect) => {
      bench.dsp(0xd1);
      bench.resetDsp();
      bench.expectReplies(expect, 'D8h', [0xd8], [0x00]);
    },
  ],
  [
    '015',
    'The mixer stays as it is: it has a reset of its own',
    'HPG §4, 00h',
    (bench, expect) => {
      bench.writeMixer(MIX_MASTER_LEFT, 0x50);
      bench.resetDsp();
      expect.equal('30h', bench.readMixer(MIX_MASTER_LEFT), 0x50);
    },
  ],
  [
    '016',
    'Every reset of a hundred is answered',
    RESET,
    (bench, expect) => {
      let answered = 0;
      for (let i = 0; i < 100; i++) if (bench.resetDsp()) answered++;
      expect.between('answers', answered, 100, 100);
    },
  ],
  [
    '017',
    'A paused transfer does not come back after it',
    RESET,
    (bench, expect) => {
      bench.feedSilence(U8_MONO, 4096, true);
      bench.setRate(44_100);
      bench.transfer(U8_MONO, 4, 2048);
      bench.dsp(0xd0);
      bench.acknowledge(8);
      bench.resetDsp();
      bench.dsp(0xd4);
      expect.that('interrupts', bench.staysQuiet(200 * TICKS_PER_MILLISECOND), 'none', 'an interrupt');
    },
  ],
  [
    '018',
    'A silence under way ends',
    `${RESET}; §6, 80h`,
    (bench, expect) => {
      bench.setRate(44_100);
      bench.dsp(0x80, 0x3a, 0x11);
      bench.resetDsp();
      expect.that('interrupts', bench.staysQuiet(300 * TICKS_PER_MILLISECOND), 'none', 'an interrupt');
    },
  ],
]);
