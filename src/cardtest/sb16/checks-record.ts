import { TICKS_PER_MILLISECOND } from '../../kernel/index.ts';
import type { Expectations } from '../check.ts';
import { isContiguousLeft, SB16_INPUT_SIGNAL, SB16_RATE, type Sb16Bench } from './bench.ts';
import { type CheckRow, checkTable } from './check-table.ts';
import {
  frameBytes,
  kindName,
  type PcmKind,
  S8_MONO,
  S8_STEREO,
  S16_MONO,
  S16_STEREO,
  U8_MONO,
  U8_STEREO,
  U16_MONO,
  U16_STEREO,
} from './pcm.ts';

const FRAMES = 1024;
const LIMIT = 300 * TICKS_PER_MILLISECOND;
/** Bytes beside the buffer, and what they hold. */
const GUARD = 64;
const FILL = 0xa7;
const LINE_LEFT = 0x10;
const LINE_RIGHT = 0x08;
const MIC = 0x01;

/** The line input at 0 dB, left to left and right to right. */
function openLine(bench: Sb16Bench, left = LINE_LEFT, right = LINE_RIGHT): void {
  for (const index of [0x38, 0x39]) bench.writeMixer(index, 0xf8);
  bench.writeMixer(0x3c, 0);
  bench.writeMixer(0x3d, left);
  bench.writeMixer(0x3e, right);
}

interface Recording {
  readonly bytes: Uint8Array;
  readonly came: boolean;
  /** Bytes beside the buffer were written. */
  readonly beside: boolean;
}

/** Records one block into a buffer between guards; `start` gives the commands. */
function recordBlock(bench: Sb16Bench, width: 8 | 16, bytes: number, start: () => void): Recording {
  const address = bench.card.allocateRam(bytes + 2 * GUARD, 4);
  bench.card.writeRam(address, new Uint8Array(bytes + 2 * GUARD).fill(FILL));
  bench.drain(width, address + GUARD, bytes);
  start();
  const came = bench.waitInterrupt(LIMIT);
  bench.acknowledge(width);
  const all = bench.card.readRam(address, bytes + 2 * GUARD);
  const beside = [...all.subarray(0, GUARD), ...all.subarray(GUARD + bytes)].some((byte) => byte !== FILL);
  return { bytes: all.slice(GUARD, GUARD + bytes), came, beside };
}

/** One sample as 16 bits; of eight bits the upper half. */
function sampleAt({ bits, signed }: PcmKind, bytes: Uint8Array, index: number): number {
  if (bits === 8) return (((bytes[index] ?? 0) ^ (signed ? 0 : 0x80)) << 24) >> 16;
  const high = (bytes[2 * index + 1] ?? 0) ^ (signed ? 0 : 0x80);
  return (((bytes[2 * index] ?? 0) | (high << 8)) << 16) >> 16;
}

/** Is this a stretch of the input without a gap, and on which side? */
function matchesInput(kind: PcmKind, bytes: Uint8Array): boolean {
  const { samples } = SB16_INPUT_SIGNAL;
  const period = samples.length / 2;
  const frames = bytes.length / frameBytes(kind);
  const mask = kind.bits === 8 ? ~0xff : ~0;
  const at = (frame: number, side: 0 | 1) => (samples[2 * (frame % period) + side] as number) & mask;
  for (let start = 0; start < period; start++) {
    let frame = 0;
    for (; frame < frames; frame++) {
      if (kind.stereo) {
        if (sampleAt(kind, bytes, 2 * frame) !== at(start + frame, 0)) break;
        if (sampleAt(kind, bytes, 2 * frame + 1) !== at(start + frame, 1)) break;
      } else if (sampleAt(kind, bytes, frame) !== at(start + frame, 0)) break;
    }
    if (frame === frames) return true;
  }
  return false;
}

function expectInput(expect: Expectations, kind: PcmKind, { bytes, came, beside }: Recording): void {
  expect.that('end of the block', came, 'an interrupt', 'none');
  expect.that('samples in memory', matchesInput(kind, bytes), 'the input without a gap', 'something else');
  expect.that('bytes beside the buffer', !beside, 'untouched', 'written');
}

function records(kind: PcmKind): CheckRow[3] {
  return (bench, expect) => {
    openLine(bench);
    bench.setRate(SB16_RATE);
    const bytes = FRAMES * frameBytes(kind);
    const recording = recordBlock(bench, kind.bits, bytes, () =>
      bench.transfer(kind, 8, bytes / (kind.bits >> 3)),
    );
    expectInput(expect, kind, recording);
  };
}

/** Old commands: 8-bit unsigned mono. */
function recordsOldWay(start: (bench: Sb16Bench) => void): CheckRow[3] {
  return (bench, expect) => {
    openLine(bench);
    bench.setRate(SB16_RATE);
    expectInput(
      expect,
      U8_MONO,
      recordBlock(bench, 8, FRAMES, () => start(bench)),
    );
  };
}

/** Auto-initialized recording goes round its buffer. */
function recordsRound(kind: PcmKind, start: (bench: Sb16Bench, units: number) => void): CheckRow[3] {
  return (bench, expect) => {
    openLine(bench);
    bench.setRate(SB16_RATE);
    const block = FRAMES * frameBytes(kind);
    const address = bench.card.allocateRam(2 * block, 4);
    bench.drain(kind.bits, address, 2 * block, true);
    start(bench, block / (kind.bits >> 3));
    for (const round of [1, 2, 3, 4]) {
      const came = bench.waitInterrupt(LIMIT);
      expect.that(`block ${round}`, came, 'an interrupt', 'none');
      if (!came) break;
      bench.acknowledge(kind.bits);
      const half = bench.card.readRam(address + ((round - 1) & 1) * block, block);
      expect.that(
        `samples of block ${round}`,
        matchesInput(kind, half),
        'the input without a gap',
        'something else',
      );
    }
    bench.resetDsp();
  };
}

/** 16-bit stereo through these switches. */
function recordWith(bench: Sb16Bench, expect: Expectations, left: number, right: number): Int16Array {
  openLine(bench, left, right);
  bench.setRate(SB16_RATE);
  const { bytes, came } = recordBlock(bench, 16, FRAMES * 4, () => bench.transfer(S16_STEREO, 8, FRAMES * 2));
  expect.that('end of the block', came, 'an interrupt', 'none');
  return new Int16Array(bytes.buffer, bytes.byteOffset, FRAMES * 2);
}

function side(samples: Int16Array, which: 0 | 1): Int16Array {
  return samples.filter((_, index) => (index & 1) === which);
}

const KINDS: readonly PcmKind[] = [
  U8_MONO,
  S8_MONO,
  U8_STEREO,
  S8_STEREO,
  S16_MONO,
  U16_MONO,
  S16_STEREO,
  U16_STEREO,
];

export const RECORD_CHECKS = checkTable('REC', 'Recording', [
  ...KINDS.map(
    (kind, index): CheckRow => [
      `00${index + 1}`,
      `${kindName(kind)} comes into memory bit by bit`,
      `HPG §6, ${kind.bits === 16 ? 'B8h' : 'C8h'}`,
      records(kind),
      { needs: 'input' },
    ],
  ),
  [
    '011',
    '8-bit mono by the single-cycle command of DSP 1.xx',
    'HPG §6, 24h',
    recordsOldWay((bench) => bench.dsp(0x24, (FRAMES - 1) & 0xff, (FRAMES - 1) >> 8)),
    { needs: 'input' },
  ],
  [
    '012',
    '8-bit mono by the high-speed single-cycle command',
    'HPG §6, 48h, 99h',
    recordsOldWay((bench) => {
      bench.setBlockSize(FRAMES);
      bench.dsp(0x99);
    }),
    { needs: 'input' },
  ],
  [
    '013',
    '16-bit stereo goes round its buffer',
    'HPG §6, BCh',
    recordsRound(S16_STEREO, (bench, units) => bench.transfer(S16_STEREO, 12, units)),
    { needs: 'input' },
  ],
  [
    '014',
    '8-bit mono goes round its buffer, by the command of DSP 2.00',
    'HPG §6, 2Ch',
    recordsRound(U8_MONO, (bench, units) => {
      bench.setBlockSize(units);
      bench.dsp(0x2c);
    }),
    { needs: 'input' },
  ],
  [
    '015',
    '8-bit mono goes round its buffer, by the high-speed command',
    'HPG §6, 98h',
    recordsRound(U8_MONO, (bench, units) => {
      bench.setBlockSize(units);
      bench.dsp(0x98);
    }),
    { needs: 'input' },
  ],
  [
    '016',
    'With no source switched to the ADC it records silence',
    'HPG §4, 3Dh, 3Eh',
    (bench, expect) => {
      const samples = recordWith(bench, expect, 0, 0);
      expect.same('samples', samples, new Int16Array(samples.length));
    },
    { needs: 'input' },
  ],
  [
    '017',
    'Either side of a source can be switched to the other side of the ADC',
    'HPG §4, 3Dh, 3Eh',
    (bench, expect) => {
      const samples = recordWith(bench, expect, LINE_RIGHT, LINE_LEFT);
      expect.that(
        'right side',
        isContiguousLeft(side(samples, 1)),
        'the left of the input',
        'something else',
      );
      const negated = side(samples, 0).map((sample) => -sample);
      expect.that('left side', isContiguousLeft(negated), 'the right of the input', 'something else');
    },
    { needs: 'input' },
  ],
  [
    '018',
    'The microphone goes to both sides of the ADC',
    'HPG §4, 3Ah, 3Dh, 3Eh',
    (bench, expect) => {
      bench.writeMixer(0x3a, 0xf8);
      const samples = recordWith(bench, expect, MIC, MIC);
      expect.that(
        'left side',
        side(samples, 0).some((sample) => sample !== 0),
        'sound',
        'silence',
      );
      expect.same('right side', side(samples, 1), side(samples, 0));
    },
    { needs: 'input' },
  ],
  [
    '019',
    'Input gain of 6 dB doubles the level',
    'HPG §4, 3Fh, 40h',
    (bench, expect) => {
      // A step of the input's count is one: with the gain it is two, or what 6 dB is to the converter.
      bench.writeMixer(0x3f, 0x40);
      const samples = side(recordWith(bench, expect, LINE_LEFT, LINE_RIGHT), 0);
      const steps = samples.subarray(1).map((sample, index) => sample - (samples[index] as number));
      const mean =
        steps.filter((step) => step > 0).reduce((sum, step) => sum + step, 0) / Math.max(steps.length, 1);
      expect.between('step between samples', Math.round(mean * 100) / 100, 1.9, 2.1);
    },
    { needs: 'input' },
  ],
  [
    '020',
    'A line volume of 10 dB less records 10 dB less',
    'HPG §4, 38h, 39h',
    (bench, expect) => {
      openLine(bench);
      bench.writeMixer(0x38, 26 << 3);
      bench.setRate(SB16_RATE);
      const { bytes } = recordBlock(bench, 16, FRAMES * 4, () => bench.transfer(S16_STEREO, 8, FRAMES * 2));
      const samples = new Int16Array(bytes.buffer, bytes.byteOffset, FRAMES * 2);
      const ratio = (samples[2 * FRAMES - 2] as number) / -((samples[2 * FRAMES - 1] as number) || 1);
      expect.between('left over right', Math.round(ratio * 1000) / 1000, 0.3, 0.333);
    },
    { needs: 'input' },
  ],
  [
    '021',
    '42h sets the rate of recording',
    'HPG §6, 42h',
    (bench, expect) => {
      openLine(bench);
      const address = bench.card.allocateRam(4096, 4);
      bench.drain(8, address, 4096);
      bench.dsp(0x42, 16_000 >> 8, 16_000 & 0xff);
      bench.transfer(U8_MONO, 8, 4000);
      bench.expectInterruptAfter(expect, 'block', bench.ticksOf(4000, 16_000));
    },
    { needs: 'input' },
  ],
  [
    '022',
    'Direct mode reads the ADC: silence is 80h',
    'HPG §6, 20h',
    (bench, expect) => {
      openLine(bench, 0, 0);
      bench.expectReplies(expect, '20h', [0x20], [0x80]);
    },
  ],
  [
    '023',
    'Direct mode reads the ADC: the signal moves',
    'HPG §6, 20h',
    (bench, expect) => {
      openLine(bench);
      const seen = new Set<number>();
      for (let i = 0; i < 40; i++) {
        seen.add(bench.ask(1, 0x20)[0] ?? -1);
        bench.card.letTimePass(20 * TICKS_PER_MILLISECOND);
      }
      expect.between('different values', seen.size, 20, 40);
    },
    { needs: 'input' },
  ],
  [
    '024',
    'It records through one channel while it plays through the other',
    'HPG §3, full duplex',
    (bench, expect) => {
      openLine(bench);
      bench.setRate(SB16_RATE);
      bench.feedSilence(U8_MONO, 4096, true);
      bench.setBlockSize(4096);
      bench.dsp(0x1c);
      const recording = recordBlock(bench, 16, FRAMES * 4, () => bench.transfer(S16_STEREO, 8, FRAMES * 2));
      expectInput(expect, S16_STEREO, recording);
      bench.acknowledge(8);
      expect.that('8-bit playing goes on', bench.waitInterrupt(LIMIT), 'an interrupt', 'none');
      expect.bits('82h', bench.interruptStatus, 7, 1);
    },
    { needs: 'input' },
  ],
  [
    '025',
    'A pause of recording keeps the place in memory',
    'HPG §6, D5h, D6h',
    (bench, expect) => {
      openLine(bench);
      bench.setRate(SB16_RATE);
      const address = bench.card.allocateRam(8820 * 2, 4);
      bench.drain(16, address, 8820 * 2);
      bench.transfer(S16_MONO, 8, 8820);
      bench.card.letTimePass(50 * TICKS_PER_MILLISECOND);
      bench.dsp(0xd5);
      const count = bench.card.readDmaCount(bench.channel(16));
      expect.between('units left', count, 1000, 8000);
      bench.card.letTimePass(50 * TICKS_PER_MILLISECOND);
      expect.equal('count after the pause', bench.card.readDmaCount(bench.channel(16)), count);
      bench.dsp(0xd6);
      expect.that('end of the block', bench.waitInterrupt(LIMIT), 'an interrupt', 'none');
    },
    { needs: 'input' },
  ],
]);
