import { TICKS_PER_MILLISECOND } from '../../kernel/index.ts';
import type { Expectations } from '../check.ts';
import { expectSound, findSound, SB16_RATE, type Sb16Bench, TAIL_FRAMES } from './bench.ts';
import { type CheckRow, checkTable } from './check-table.ts';
import {
  kindName,
  type PcmKind,
  S8_MONO,
  S8_STEREO,
  S16_MONO,
  S16_STEREO,
  testSound,
  U8_MONO,
  U8_STEREO,
  U16_MONO,
  U16_STEREO,
} from './pcm.ts';

const FRAMES = 2048;
const LIMIT = 800 * TICKS_PER_MILLISECOND;
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

function units(kind: PcmKind, frames: number): number {
  return frames * (kind.stereo ? 2 : 1);
}

/** Plays a sound and silence behind it with these bits of the command; compares what is heard. */
function plays(kind: PcmKind, bits: number, seed: number): CheckRow[3] {
  return (bench: Sb16Bench, expect: Expectations) => {
    const auto = (bits & 4) !== 0;
    const { bytes, expected } = testSound(kind, FRAMES, seed, auto ? FRAMES : TAIL_FRAMES);
    bench.unity();
    bench.setRate(SB16_RATE);
    const heard = bench.record(() => {
      bench.feed(kind.bits, bench.buffer(bytes), bytes.length, auto);
      if (!auto) {
        bench.transfer(kind, bits, bytes.length / (kind.bits >> 3));
        expect.that('end of the block', bench.waitInterrupt(LIMIT), 'an interrupt', 'none');
        bench.acknowledge(kind.bits);
        return;
      }
      bench.transfer(kind, bits, units(kind, FRAMES));
      expect.that('end of the sound', bench.waitInterrupt(LIMIT), 'an interrupt', 'none');
      bench.acknowledge(kind.bits);
      bench.dsp(kind.bits === 8 ? 0xda : 0xd9);
      expect.that('end of the silence', bench.waitInterrupt(LIMIT), 'an interrupt', 'none');
      bench.acknowledge(kind.bits);
    });
    bench.resetDsp();
    expectSound(expect, heard, expected);
  };
}

/** Plays 8-bit mono by one of the commands that DSP 1.xx and 2.xx had. */
function playsOldWay(command: number, seed: number): CheckRow[3] {
  return (bench, expect) => {
    const auto = command === 0x1c || command === 0x90;
    const { bytes, expected } = testSound(U8_MONO, FRAMES, seed, FRAMES);
    bench.unity();
    bench.setRate(SB16_RATE);
    const heard = bench.record(() => {
      bench.feed(8, bench.buffer(bytes), bytes.length, auto);
      if (command === 0x14) bench.dsp(0x14, (bytes.length - 1) & 0xff, (bytes.length - 1) >> 8);
      else {
        bench.setBlockSize(auto ? FRAMES : bytes.length);
        bench.dsp(command);
      }
      expect.that('first interrupt', bench.waitInterrupt(LIMIT), 'an interrupt', 'none');
      bench.acknowledge(8);
      if (!auto) return;
      bench.dsp(0xda);
      expect.that('second interrupt', bench.waitInterrupt(LIMIT), 'an interrupt', 'none');
      bench.acknowledge(8);
    });
    bench.resetDsp();
    expectSound(expect, heard, expected);
  };
}

/** Plays 8-bit unsigned mono from `address`, whose bytes are the caller's. */
function playFrom(
  bench: Sb16Bench,
  expect: Expectations,
  kind: PcmKind,
  place: (bytes: number) => number,
): void {
  const { bytes, expected } = testSound(kind, FRAMES, 77, TAIL_FRAMES);
  const address = place(bytes.length);
  bench.card.writeRam(address, bytes);
  bench.unity();
  bench.setRate(SB16_RATE);
  const heard = bench.record(() => {
    bench.feed(kind.bits, address, bytes.length);
    bench.transfer(kind, 0, bytes.length / (kind.bits >> 3));
    expect.that('end of the block', bench.waitInterrupt(LIMIT), 'an interrupt', 'none');
    bench.acknowledge(kind.bits);
  });
  expectSound(expect, heard, expected);
}

const KIB = 1024;

/** An address in the last page of the 16 MiB that ISA reaches. */
function lastPage(bench: Sb16Bench, bytes: number): number {
  for (;;) {
    const block = bench.card.allocateRam(2048 * KIB, 2048 * KIB);
    if (block + 2048 * KIB >= 16 * KIB * KIB)
      return block + 2048 * KIB - 64 * KIB + ((64 * KIB - bytes) & ~3);
  }
}

export const PLAY_CHECKS = checkTable('PLY', 'What is played', [
  ...KINDS.map(
    (kind, index): CheckRow => [
      `${index + 1}`.padStart(3, '0'),
      `${kindName(kind)}, auto-initialized, comes out bit by bit`,
      `HPG §6, ${kind.bits === 16 ? 'B4h' : 'C4h'}`,
      plays(kind, 4, index + 1),
      { needs: 'output' },
    ],
  ),
  ...KINDS.map(
    (kind, index): CheckRow => [
      `${index + 11}`.padStart(3, '0'),
      `${kindName(kind)}, single-cycle, comes out bit by bit`,
      `HPG §6, ${kind.bits === 16 ? 'B0h' : 'C0h'}`,
      plays(kind, 0, index + 11),
      { needs: 'output' },
    ],
  ),
  [
    '021',
    '16-bit signed stereo through the FIFO, auto-initialized',
    'HPG §6, B6h',
    plays(S16_STEREO, 6, 21),
    { needs: 'output' },
  ],
  [
    '022',
    '8-bit signed mono through the FIFO, single-cycle',
    'HPG §6, C2h',
    plays(S8_MONO, 2, 22),
    { needs: 'output' },
  ],
  [
    '023',
    '8-bit mono by the single-cycle command of DSP 1.xx',
    'HPG §6, 14h',
    playsOldWay(0x14, 23),
    { needs: 'output' },
  ],
  [
    '024',
    '8-bit mono by the auto-initialize command of DSP 2.00',
    'HPG §6, 1Ch',
    playsOldWay(0x1c, 24),
    { needs: 'output' },
  ],
  [
    '025',
    '8-bit mono by the high-speed auto-initialize command',
    'HPG §6, 90h',
    playsOldWay(0x90, 25),
    { needs: 'output' },
  ],
  [
    '026',
    '8-bit mono by the high-speed single-cycle command',
    'HPG §6, 91h',
    playsOldWay(0x91, 26),
    { needs: 'output' },
  ],
  [
    '027',
    'SPEAKER_OFF does not mute a DSP 4.xx',
    'HPG §6, D1h, D3h',
    (bench, expect) => {
      bench.dsp(0xd3);
      plays(S16_MONO, 0, 27)(bench, expect);
    },
    { needs: 'output' },
  ],
  [
    '028',
    'The channel goes round its buffer, block after block',
    'HPG §3, auto-initialize DMA; 8237A, autoinitialize',
    (bench, expect) => {
      const rounds = 3;
      const { bytes, expected } = testSound(S16_STEREO, 2 * FRAMES, 28);
      bench.unity();
      bench.setRate(SB16_RATE);
      const heard = bench.record(() => {
        const address = bench.buffer(bytes);
        bench.feed(16, address, bytes.length, true);
        bench.transfer(S16_STEREO, 4, units(S16_STEREO, FRAMES));
        for (let block = 0; block < 2 * rounds; block++) {
          expect.that(`interrupt ${block + 1}`, bench.waitInterrupt(LIMIT), 'it comes', 'it does not come');
          bench.acknowledge(16);
        }
        // Then silence, which is what is cut off.
        bench.card.writeRam(address, new Uint8Array(bytes.length));
        bench.card.letTimePass(200 * TICKS_PER_MILLISECOND);
      });
      bench.resetDsp();
      const start = Math.max(findSound(heard, expected), 0);
      for (let round = 0; round < rounds - 1; round++) {
        const at = start + round * expected.length;
        expect.same(`samples of round ${round + 1}`, heard.subarray(at, at + expected.length), expected);
      }
    },
    { needs: 'output' },
  ],
  [
    '029',
    'An 8-bit buffer may begin at an odd address',
    '8237A, base address registers',
    (bench, expect) => playFrom(bench, expect, S8_MONO, (bytes) => bench.card.allocateRam(bytes + 1, 4) + 1),
    { needs: 'output' },
  ],
  [
    '030',
    'An 8-bit buffer may lie in the last 64 KiB of 16 MiB',
    '8237A, base address registers; HPG §3, DMA page registers',
    (bench, expect) => playFrom(bench, expect, S8_MONO, (bytes) => lastPage(bench, bytes)),
    { needs: 'output' },
  ],
  [
    '031',
    'A 16-bit buffer may lie in the last 128 KiB of 16 MiB',
    '8237A, base address registers; HPG §3, DMA page registers',
    (bench, expect) => playFrom(bench, expect, S16_MONO, (bytes) => lastPage(bench, bytes)),
    { needs: 'output' },
  ],
  [
    '032',
    'A 16-bit buffer may begin behind 64 KiB of its page of 128 KiB',
    '8237A, base address registers; HPG §3, DMA page registers',
    (bench, expect) =>
      playFrom(
        bench,
        expect,
        S16_MONO,
        (bytes) => bench.card.allocateRam(128 * KIB, 128 * KIB) + 64 * KIB - (bytes & ~0xff) / 2,
      ),
    { needs: 'output' },
  ],
  [
    '033',
    'Nothing is lost or doubled by a pause',
    'HPG §6, D5h, D6h',
    (bench, expect) => {
      const { bytes, expected } = testSound(S16_STEREO, 4 * FRAMES, 33, TAIL_FRAMES);
      bench.unity();
      bench.setRate(SB16_RATE);
      const heard = bench.record(() => {
        bench.feed(16, bench.buffer(bytes), bytes.length);
        bench.transfer(S16_STEREO, 0, bytes.length / 2);
        bench.card.letTimePass(80 * TICKS_PER_MILLISECOND);
        bench.dsp(0xd5);
        bench.card.letTimePass(50 * TICKS_PER_MILLISECOND);
        bench.dsp(0xd6);
        bench.waitInterrupt(LIMIT);
        bench.acknowledge(16);
      });
      // What the DAC holds meanwhile is silence, or the last sample: it is left out.
      const joined = withoutPause(heard.subarray(Math.max(findSound(heard, expected), 0)), expected);
      expect.same('samples', joined, expected);
    },
    { needs: 'output' },
  ],
  [
    '034',
    'Bytes of a test pattern in direct mode are heard one after the other',
    'HPG §6, 10h',
    (bench, expect) => {
      const levels = [0xc0, 0x40, 0xff, 0x01, 0xa0];
      bench.unity();
      const heard = bench.recordSound(() => {
        for (const level of levels) {
          bench.dsp(0x10, level);
          bench.card.letTimePass(10 * TICKS_PER_MILLISECOND);
        }
        bench.dsp(0x10, 0x80);
      });
      const seen: number[] = [];
      for (let i = 0; i < heard.length; i += 2) {
        const level = ((heard[i] as number) >> 8) ^ 0x80;
        if (seen.at(-1) !== (level & 0xff)) seen.push(level & 0xff);
      }
      expect.same('levels', seen.slice(0, levels.length), levels);
      expect.between('left side', heard.length === 0 ? 0 : (heard[0] as number), 0x4000, 0x4000);
      expect.between('right side', heard.length === 0 ? 0 : (heard[1] as number), 0x4000, 0x4000);
    },
    { needs: 'output' },
  ],
  [
    '035',
    'SILENCE plays nothing',
    'HPG §6, 80h',
    (bench, expect) => {
      bench.unity();
      bench.setRate(SB16_RATE);
      const address = bench.buffer(new Uint8Array(4096).fill(0xc5));
      bench.feed(8, address, 4096);
      const heard = bench.record(() => {
        bench.dsp(0x80, 0xff, 0x0f);
        bench.card.letTimePass(120 * TICKS_PER_MILLISECOND);
      });
      expect.between('samples that are not silence', heard.filter((sample) => sample !== 0).length, 0, 0);
    },
    { needs: 'output' },
  ],
]);

/** What was heard without the stretch that a pause put in: the longest that goes on behind what came before. */
function withoutPause(heard: Int16Array, expected: Int16Array): Int16Array {
  let same = 0;
  while (same < heard.length && heard[same] === expected[same]) same++;
  same -= same % 2;
  const rest = expected.length - same;
  if (rest <= 0) return heard.subarray(0, expected.length);
  for (let at = same; at + rest <= heard.length; at += 2) {
    let i = 0;
    while (i < rest && heard[at + i] === expected[same + i]) i++;
    if (i < rest) continue;
    const joined = new Int16Array(expected.length);
    joined.set(heard.subarray(0, same));
    joined.set(heard.subarray(at, at + rest), same);
    return joined;
  }
  return heard.subarray(0, expected.length);
}
