import { TICKS_PER_MILLISECOND } from '../../kernel/index.ts';
import type { Expectations } from '../check.ts';
import { SB16_RATE, type Sb16Bench } from './bench.ts';
import { type CheckRow, checkTable } from './check-table.ts';
import { kindName, type PcmKind, S8_STEREO, S16_MONO, S16_STEREO, U8_MONO, U8_STEREO } from './pcm.ts';

/** A block of 200 ms: long against what a machine in real time is late. */
const UNITS = 8820;
const BLOCK_LIMIT = 700 * TICKS_PER_MILLISECOND;
const QUIET = 300 * TICKS_PER_MILLISECOND;

function exitCommand({ bits }: PcmKind): number {
  return bits === 8 ? 0xda : 0xd9;
}

/** A single-cycle block of so many samples ends when they have been played, once. */
function blockEnds(kind: PcmKind, start: (bench: Sb16Bench, units: number) => void): CheckRow[3] {
  return (bench: Sb16Bench, expect: Expectations) => {
    const channels = kind.stereo ? 2 : 1;
    bench.feedSilence(kind, UNITS * channels * (kind.bits >> 3));
    bench.setRate(SB16_RATE);
    start(bench, UNITS * channels);
    bench.expectInterruptAfter(expect, 'block', bench.ticksOf(UNITS, SB16_RATE));
    bench.acknowledge(kind.bits);
    expect.that('afterwards', bench.staysQuiet(QUIET), 'no interrupt', 'an interrupt');
  };
}

/** An auto-initialized block interrupts again and again at its length. */
function blocksFollow(kind: PcmKind, start: (bench: Sb16Bench, units: number) => void): CheckRow[3] {
  return (bench, expect) => {
    const blocks = 5;
    const channels = kind.stereo ? 2 : 1;
    const frames = 4410;
    bench.feedSilence(kind, 2 * frames * channels * (kind.bits >> 3), true);
    bench.setRate(SB16_RATE);
    const begin = bench.card.now;
    start(bench, frames * channels);
    for (let block = 1; block <= blocks; block++) {
      expect.that(`block ${block}`, bench.waitInterrupt(BLOCK_LIMIT), 'an interrupt', 'none');
      bench.acknowledge(kind.bits);
    }
    // Of each block for itself a machine in real time says little: it may stand still, and catch up.
    const { early, late } = bench.limits;
    const expected = bench.ticksOf(frames * blocks, SB16_RATE);
    const slack = bench.card.realTime ? late : 5 * TICKS_PER_MILLISECOND;
    expect.between('ticks to the end of block 5', bench.card.now - begin, expected - early, expected + slack);
  };
}

/** Exit auto-initialize: the block under way is the last. */
function exitEnds(kind: PcmKind): CheckRow[3] {
  return (bench, expect) => {
    const channels = kind.stereo ? 2 : 1;
    bench.feedSilence(kind, 2 * UNITS * channels * (kind.bits >> 3), true);
    bench.setRate(SB16_RATE);
    bench.transfer(kind, 4, UNITS * channels);
    expect.that('block 1', bench.waitInterrupt(BLOCK_LIMIT), 'an interrupt', 'none');
    bench.acknowledge(kind.bits);
    bench.dsp(exitCommand(kind));
    expect.that('block 2', bench.waitInterrupt(BLOCK_LIMIT), 'an interrupt', 'none');
    bench.acknowledge(kind.bits);
    expect.that('afterwards', bench.staysQuiet(QUIET), 'no interrupt', 'an interrupt');
  };
}

/** "Continue auto-initialize" takes the exit back before the block has ended. */
function exitTakenBack(kind: PcmKind, command: number): CheckRow[3] {
  return (bench, expect) => {
    bench.feedSilence(kind, 2 * UNITS * (kind.bits >> 3), true);
    bench.setRate(SB16_RATE);
    bench.transfer(kind, 4, UNITS);
    expect.that('block 1', bench.waitInterrupt(BLOCK_LIMIT), 'an interrupt', 'none');
    bench.acknowledge(kind.bits);
    bench.dsp(exitCommand(kind), command);
    for (const block of [2, 3]) {
      expect.that(`block ${block}`, bench.waitInterrupt(BLOCK_LIMIT), 'an interrupt', 'none');
      bench.acknowledge(kind.bits);
    }
    const [reply = -1] = bench.replies(1);
    expect.that('replies', reply === -1, 'none', `${reply}`);
  };
}

/** Pause keeps the place; the rest of the block comes when it is continued. */
function pauses(kind: PcmKind, pause: number, resume: number): CheckRow[3] {
  return (bench, expect) => {
    const channel = bench.channel(kind.bits);
    const channels = kind.stereo ? 2 : 1;
    bench.feedSilence(kind, UNITS * channels * (kind.bits >> 3));
    bench.setRate(SB16_RATE);
    // The width's own commands of one side: for stereo on cards that count double, the block would be longer.
    bench.transfer(kind, 0, UNITS * channels);
    const beforePause = 60 * TICKS_PER_MILLISECOND;
    bench.card.letTimePass(beforePause);
    bench.dsp(pause);
    const count = bench.card.readDmaCount(channel);
    expect.that('while paused', bench.staysQuiet(QUIET), 'no interrupt', 'an interrupt');
    expect.equal('DMA count after the pause', bench.card.readDmaCount(channel), count);
    bench.dsp(resume);
    bench.expectInterruptAfter(expect, 'rest of the block', bench.ticksOf(UNITS, SB16_RATE) - beforePause);
    bench.acknowledge(kind.bits);
  };
}

/** The pause of one width leaves the other alone. */
function otherWidthGoesOn(kind: PcmKind, otherPause: number): CheckRow[3] {
  return (bench, expect) => {
    bench.feedSilence(kind, UNITS * (kind.bits >> 3));
    bench.setRate(SB16_RATE);
    bench.transfer(kind, 0, UNITS);
    bench.card.letTimePass(20 * TICKS_PER_MILLISECOND);
    bench.dsp(otherPause);
    expect.that('end of the block', bench.waitInterrupt(BLOCK_LIMIT), 'an interrupt', 'none');
  };
}

function single14(bench: Sb16Bench, units: number): void {
  bench.dsp(0x14, (units - 1) & 0xff, (units - 1) >> 8);
}

function withBlockSize(command: number): (bench: Sb16Bench, units: number) => void {
  return (bench, units) => {
    bench.setBlockSize(units);
    bench.dsp(command);
  };
}

function programmed(kind: PcmKind, bits: number): (bench: Sb16Bench, units: number) => void {
  return (bench, units) => bench.transfer(kind, bits, units);
}

/** Only the channel of the transfer's width moves. */
function usesItsChannel(kind: PcmKind): CheckRow[3] {
  return (bench, expect) => {
    const other = kind.bits === 8 ? 16 : 8;
    const bytes = UNITS * 2;
    bench.feedSilence(S16_MONO, bytes);
    bench.feedSilence(U8_MONO, bytes);
    const otherBefore = bench.card.readDmaCount(bench.channel(other));
    const before = bench.card.readDmaCount(bench.channel(kind.bits));
    bench.setRate(SB16_RATE);
    bench.transfer(kind, 0, UNITS);
    bench.card.letTimePass(100 * TICKS_PER_MILLISECOND);
    const moved = before - bench.card.readDmaCount(bench.channel(kind.bits));
    expect.between('units moved after 100 ms', moved, 1000, UNITS);
    expect.equal('count of the other channel', bench.card.readDmaCount(bench.channel(other)), otherBefore);
  };
}

export const BLOCK_CHECKS = checkTable('BLK', 'Blocks', [
  ['001', 'A block of 14h ends after its samples, once', 'HPG §6, 14h', blockEnds(U8_MONO, single14)],
  [
    '002',
    'A block of 91h ends after its samples, once',
    'HPG §6, 48h, 91h',
    blockEnds(U8_MONO, withBlockSize(0x91)),
  ],
  [
    '003',
    `A block of ${kindName(U8_MONO)} ends after its samples`,
    'HPG §6, C0h',
    blockEnds(U8_MONO, programmed(U8_MONO, 0)),
  ],
  [
    '004',
    `A block of ${kindName(U8_STEREO)} counts samples of both sides`,
    'HPG §6, C0h',
    blockEnds(U8_STEREO, programmed(U8_STEREO, 0)),
  ],
  [
    '005',
    `A block of ${kindName(S16_MONO)} ends after its samples`,
    'HPG §6, B0h',
    blockEnds(S16_MONO, programmed(S16_MONO, 0)),
  ],
  [
    '006',
    `A block of ${kindName(S16_STEREO)} counts samples of both sides`,
    'HPG §6, B0h',
    blockEnds(S16_STEREO, programmed(S16_STEREO, 0)),
  ],
  ['007', 'Blocks of 1Ch follow each other', 'HPG §6, 1Ch, 48h', blocksFollow(U8_MONO, withBlockSize(0x1c))],
  ['008', 'Blocks of 90h follow each other', 'HPG §6, 48h, 90h', blocksFollow(U8_MONO, withBlockSize(0x90))],
  [
    '009',
    `Auto-initialized blocks of ${kindName(S8_STEREO)} follow each other`,
    'HPG §6, C4h',
    blocksFollow(S8_STEREO, programmed(S8_STEREO, 4)),
  ],
  [
    '010',
    `Auto-initialized blocks of ${kindName(S16_MONO)} follow each other`,
    'HPG §6, B4h',
    blocksFollow(S16_MONO, programmed(S16_MONO, 4)),
  ],
  [
    '011',
    `Auto-initialized blocks of ${kindName(S16_STEREO)} follow each other`,
    'HPG §6, B4h',
    blocksFollow(S16_STEREO, programmed(S16_STEREO, 4)),
  ],
  ['012', 'DAh ends 8-bit auto-initialize at the end of the block', 'HPG §6, DAh', exitEnds(U8_MONO)],
  ['013', 'D9h ends 16-bit auto-initialize at the end of the block', 'HPG §6, D9h', exitEnds(S16_STEREO)],
  ['014', '45h goes on with 8-bit auto-initialize', 'HPG §6, 45h', exitTakenBack(U8_MONO, 0x45)],
  ['015', '47h goes on with 16-bit auto-initialize', 'HPG §6, 47h', exitTakenBack(S16_MONO, 0x47)],
  ['016', 'D0h pauses an 8-bit transfer, D4h continues it', 'HPG §6, D0h, D4h', pauses(U8_MONO, 0xd0, 0xd4)],
  ['017', 'D5h pauses a 16-bit transfer, D6h continues it', 'HPG §6, D5h, D6h', pauses(S16_MONO, 0xd5, 0xd6)],
  ['018', 'The 16-bit pause leaves an 8-bit transfer alone', 'HPG §6, D5h', otherWidthGoesOn(U8_MONO, 0xd5)],
  ['019', 'The 8-bit pause leaves a 16-bit transfer alone', 'HPG §6, D0h', otherWidthGoesOn(S16_MONO, 0xd0)],
  ['020', 'An 8-bit transfer moves through its own channel', 'HPG §3, DMA channels', usesItsChannel(U8_MONO)],
  [
    '021',
    'A 16-bit transfer moves through its own channel',
    'HPG §3, DMA channels',
    usesItsChannel(S16_MONO),
  ],
  [
    '022',
    'A block of one sample interrupts',
    'HPG §6, 14h, B0h',
    (bench, expect) => {
      bench.feedSilence(U8_MONO, 16);
      bench.setRate(SB16_RATE);
      bench.dsp(0x14, 0, 0);
      expect.that('8 bits', bench.waitInterrupt(BLOCK_LIMIT), 'an interrupt', 'none');
      bench.acknowledge(8);
      bench.feedSilence(S16_MONO, 16);
      bench.transfer(S16_MONO, 0, 1);
      expect.that('16 bits', bench.waitInterrupt(BLOCK_LIMIT), 'an interrupt', 'none');
    },
  ],
  [
    '023',
    'The block size stays for the transfers that follow',
    'HPG §6, 48h',
    (bench, expect) => {
      bench.setRate(SB16_RATE);
      bench.setBlockSize(2205);
      for (const time of [1, 2, 3]) {
        bench.feedSilence(U8_MONO, 2205);
        bench.dsp(0x91);
        expect.that(`transfer ${time}`, bench.waitInterrupt(BLOCK_LIMIT), 'an interrupt', 'none');
        bench.acknowledge(8);
      }
    },
  ],
  [
    '024',
    'A single-cycle command ends auto-initialize: its block is the last',
    'HPG §3, ending auto-initialize DMA; §6, 14h',
    (bench, expect) => {
      bench.feedSilence(U8_MONO, 8192, true);
      bench.setRate(SB16_RATE);
      bench.setBlockSize(2205);
      bench.dsp(0x1c);
      expect.that('block 1', bench.waitInterrupt(BLOCK_LIMIT), 'an interrupt', 'none');
      bench.acknowledge(8);
      single14(bench, 2205);
      expect.that('block 2', bench.waitInterrupt(BLOCK_LIMIT), 'an interrupt', 'none');
      bench.acknowledge(8);
      bench.card.letTimePass(150 * TICKS_PER_MILLISECOND);
      bench.acknowledge(8);
      expect.that('afterwards', bench.staysQuiet(QUIET), 'no interrupt', 'an interrupt');
    },
  ],
  [
    '025',
    'A transfer waits while its channel is closed, and goes on when it is opened',
    '8237A, mask register',
    (bench, expect) => {
      bench.feedSilence(U8_MONO, UNITS);
      bench.setRate(SB16_RATE);
      single14(bench, UNITS);
      bench.card.letTimePass(60 * TICKS_PER_MILLISECOND);
      const channel = bench.channel(8);
      bench.card.maskDma(channel, true);
      const count = bench.card.readDmaCount(channel);
      expect.that('while closed', bench.staysQuiet(QUIET), 'no interrupt', 'an interrupt');
      expect.equal('count while closed', bench.card.readDmaCount(channel), count);
      bench.card.maskDma(channel, false);
      expect.that('when opened', bench.waitInterrupt(BLOCK_LIMIT), 'an interrupt', 'none');
    },
  ],
  [
    '026',
    'The channel has moved all of the block, and nothing beyond',
    '8237A, current word count register',
    (bench, expect) => {
      bench.feedSilence(U8_MONO, 4096);
      bench.setRate(SB16_RATE);
      single14(bench, 3000);
      expect.that('end of the block', bench.waitInterrupt(BLOCK_LIMIT), 'an interrupt', 'none');
      expect.equal('count', bench.card.readDmaCount(bench.channel(8)), 4096 - 3000 - 1);
    },
  ],
  [
    '027',
    'After the last byte of the buffer the count reads FFFFh',
    '8237A, current word count register',
    (bench, expect) => {
      bench.feedSilence(U8_MONO, 2205);
      bench.setRate(SB16_RATE);
      single14(bench, 2205);
      expect.that('end of the block', bench.waitInterrupt(BLOCK_LIMIT), 'an interrupt', 'none');
      expect.equal('count', bench.card.readDmaCount(bench.channel(8)), 0xffff);
    },
  ],
  [
    '028',
    'SILENCE lasts its block, interrupts, and moves nothing',
    'HPG §6, 80h',
    (bench, expect) => {
      bench.feedSilence(U8_MONO, UNITS);
      bench.setRate(SB16_RATE);
      const count = bench.card.readDmaCount(bench.channel(8));
      bench.dsp(0x80, (UNITS - 1) & 0xff, (UNITS - 1) >> 8);
      bench.expectInterruptAfter(expect, 'silence', bench.ticksOf(UNITS, SB16_RATE));
      expect.bits('82h', bench.interruptStatus, 7, 1);
      bench.acknowledge(8);
      expect.that('line after 2xEh', !bench.asserted, 'low', 'asserted');
      expect.equal('DMA count', bench.card.readDmaCount(bench.channel(8)), count);
    },
  ],
  [
    '029',
    'The high byte of a length counts',
    'HPG §6, 14h',
    (bench, expect) => {
      bench.feedSilence(U8_MONO, 0x2800);
      bench.setRate(SB16_RATE);
      bench.dsp(0x14, 0x00, 0x27);
      bench.expectInterruptAfter(expect, 'block of 2701h samples', bench.ticksOf(0x2701, SB16_RATE));
    },
  ],
]);
