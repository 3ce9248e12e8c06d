import { CR_RPBM, CR_RR, SR_FIFOE } from '../../hardware/ac97/registers.ts';
import { TICKS_PER_MILLISECOND } from '../../kernel/index.ts';
import type { Expectations } from '../check.ts';
import { type Ac97Bench, testSignal } from './bench.ts';
import { type CheckRow, checkTable } from './check-table.ts';

/** Plays `samples` cut into descriptors of these lengths, each in a buffer of its own at this alignment and offset. */
function playPieces(
  bench: Ac97Bench,
  lengths: readonly number[],
  seed: number,
  offset = 0,
): { readonly heard: Int16Array; readonly samples: Int16Array } {
  bench.unmute();
  const samples = testSignal(
    lengths.reduce((sum, length) => sum + length, 0),
    seed,
  );
  let at = 0;
  const descriptors = lengths.map((length) => {
    const piece = samples.subarray(at, at + length);
    at += length;
    const address = bench.card.allocateRam(length * 2 + 4096, 4096) + offset;
    bench.card.writeRam(address, new Uint8Array(piece.buffer, piece.byteOffset, piece.byteLength));
    return { address, samples: length };
  });
  return { heard: bench.play(descriptors), samples };
}

function expectPieces(lengths: readonly number[], seed: number, offset = 0): CheckRow[3] {
  return (bench: Ac97Bench, expect: Expectations) => {
    const { heard, samples } = playPieces(bench, lengths, seed, offset);
    expect.same('samples', heard.subarray(0, samples.length), samples);
  };
}

/** What the DAC hears of what lies in memory. */
export const DATA_CHECKS = checkTable('DMA', 'Playback data', [
  ['001', 'One buffer comes out bit by bit', '82801AA §12.1; PRM §3.2.1', expectPieces([1920], 1), 'output'],
  [
    '002',
    'Buffers follow each other without a gap',
    'PRM §3.2.3',
    expectPieces([960, 960, 960, 960], 2),
    'output',
  ],
  [
    '003',
    'Lengths of one frame, and of bursts less and more one frame',
    'PRM §3.2.1',
    expectPieces([2, 14, 16, 18, 30, 32, 34, 62, 64, 66], 3),
    'output',
  ],
  [
    '004',
    'Thirty buffers of different lengths',
    'PRM §3.2.2',
    expectPieces(
      Array.from({ length: 30 }, (_, i) => 2 * (3 * i + 1)),
      4,
    ),
    'output',
  ],
  [
    '005',
    'A buffer that begins four bytes before a page ends',
    'PRM table 5 (buffer pointer)',
    expectPieces([960, 960], 5, 4092),
    'output',
  ],
  [
    '006',
    'A buffer at an address that is a multiple of four, not of eight',
    'PRM table 5 (buffer pointer)',
    expectPieces([960, 960], 6, 20),
    'output',
  ],
  [
    '007',
    'A buffer at an address that is a multiple of two, not of four',
    'PRM table 5 (buffer pointer)',
    expectPieces([960], 7, 2),
    'output',
  ],
  [
    '008',
    'The longest even buffer, 65534 samples',
    'PRM table 6 (buffer length)',
    expectPieces([65_534], 8),
    'output',
  ],
  [
    '009',
    'Extreme values: 7FFFh, 8000h, FFFFh, 0001h',
    'PRM §3.2.1',
    (bench, expect) => {
      bench.unmute();
      const samples = Int16Array.from({ length: 960 }, (_, i) => [0x7fff, -0x8000, -1, 1][i & 3] as number);
      expect.same('samples', bench.playOnce(samples).subarray(0, 960), samples);
    },
    'output',
  ],
  [
    '010',
    'After the last buffer with BUP the output is silent',
    'PRM table 6 (BUP)',
    (bench, expect) => {
      bench.unmute();
      const heard = playToTheEnd(bench, true);
      expect.between(
        'sound in the 20 ms after the end',
        heard.slice(960, 2880).filter((sample) => sample !== 0).length,
        0,
        0,
      );
    },
    'output',
  ],
  [
    '011',
    'After the last buffer without BUP its last sample is repeated',
    'PRM table 6 (BUP)',
    (bench, expect) => {
      bench.unmute();
      const heard = playToTheEnd(bench, false);
      const after = heard.subarray(960, 2880);
      const held = after.filter((sample, index) => sample === ((index & 1) === 0 ? 4000 : -5000)).length;
      expect.between('repeated samples in the 20 ms after the end', held, 1900, 1920);
    },
    'output',
  ],
  [
    '012',
    'A pause and its end lose and repeat nothing',
    '82801AA §12.2.7; PRM §3.2.4',
    (bench, expect) => {
      bench.unmute();
      const samples = testSignal(9600, 12);
      const silence = bench.buffer(new Int16Array(192));
      bench.describe('PO', [
        { address: bench.buffer(samples), samples: samples.length },
        { address: silence, samples: 192 },
      ]);
      const heard = bench.record(() => {
        bench.start('PO', 1);
        bench.card.letTimePass(40 * TICKS_PER_MILLISECOND);
        bench.stop('PO');
        bench.card.letTimePass(20 * TICKS_PER_MILLISECOND);
        bench.setCr('PO', CR_RPBM);
        bench.waitHalted('PO', samples.length);
      });
      bench.stop('PO');
      bench.setCr('PO', CR_RR);
      expect.same('samples without the silence of the pause', withoutPause(heard), samples);
    },
    'output',
  ],
  [
    '013',
    'A buffer that is filled just before LVI reaches it is played as it is then',
    'PRM §3.2.3',
    (bench, expect) => {
      bench.unmute();
      const samples = testSignal(3840, 13);
      const address = bench.card.allocateRam(samples.byteLength, 4096);
      const bytes = new Uint8Array(samples.buffer);
      bench.card.writeRam(address, bytes.subarray(0, 3840));
      const silence = bench.buffer(new Int16Array(192));
      bench.describe('PO', [
        { address, samples: 1920 },
        { address: address + 3840, samples: 1920 },
        { address: silence, samples: 192 },
      ]);
      const heard = bench.record(() => {
        bench.start('PO', 0);
        bench.waitHalted('PO', 1920);
        bench.card.writeRam(address + 3840, bytes.subarray(3840));
        bench.setLvi('PO', 2);
        bench.waitHalted('PO', 2112);
      });
      bench.stop('PO');
      bench.setCr('PO', CR_RR);
      expect.same('first buffer', heard.subarray(0, 1920), samples.subarray(0, 1920));
      const second = indexOf(heard, samples.subarray(1920), 1920);
      expect.that('second buffer', second >= 0, 'all of it', 'not found in the recording');
    },
    'output',
  ],
  [
    '014',
    'Nothing but the descriptors and buffers is read or written',
    '82801AA §12.1; PRM §3.2.1',
    (bench, expect) => {
      const { card } = bench;
      const address = card.allocateRam(12_288, 4096);
      const filled = testSignal(6144, 14);
      card.writeRam(address, new Uint8Array(filled.buffer));
      bench.describe('PO', [{ address: address + 4096, samples: 960 }]);
      const listBefore = card.readRam(bench.list('PO'), 256);
      bench.start('PO', 0);
      bench.waitHalted('PO', 960);
      bench.stop('PO');
      expect.same('buffer and its surroundings', bench.samplesAt(address, 6144), filled);
      expect.same('descriptor list', card.readRam(bench.list('PO'), 256), listBefore);
    },
  ],
  [
    '015',
    'Played at its own pace, an engine has no FIFO error',
    '82801AA §12.2.4',
    (bench, expect) => {
      playPieces(bench, [960, 960, 960], 15);
      expect.bits('PO_SR', bench.sr('PO'), SR_FIFOE, 0);
    },
    'output',
  ],
  [
    '016',
    'A second run after RR plays from the first descriptor',
    '82801AA §12.2.7',
    (bench, expect) => {
      const first = playPieces(bench, [960], 16);
      const second = playPieces(bench, [962], 17);
      expect.same('first run', first.heard.subarray(0, 960), first.samples);
      expect.same('second run', second.heard.subarray(0, 962), second.samples);
    },
    'output',
  ],
]);

/** One buffer that ends with 4000, −5000 as the last of the ring, and what follows it for a while. */
function playToTheEnd(bench: Ac97Bench, bup: boolean): Int16Array {
  const samples = testSignal(960, 10);
  samples[958] = 4000;
  samples[959] = -5000;
  bench.describe('PO', [{ address: bench.buffer(samples), samples: 960, bup }]);
  const heard = bench.record(() => {
    bench.start('PO', 0);
    bench.waitHalted('PO', 960);
    bench.card.letTimePass(30 * TICKS_PER_MILLISECOND);
  });
  bench.stop('PO');
  bench.setCr('PO', CR_RR);
  // What the recorder has not written yet must not be taken for the next sound.
  bench.record(() => bench.playOnce(new Int16Array(4800)));
  return heard;
}

/** Takes the longest run of zeros out, and those at the end. */
function withoutPause(heard: Int16Array): Int16Array {
  let end = heard.length;
  while (end > 0 && heard[end - 1] === 0) end--;
  return heard.subarray(0, end).filter((sample) => sample !== 0);
}

function indexOf(heard: Int16Array, wanted: Int16Array, from: number): number {
  for (let at = from; at + wanted.length <= heard.length; at += 2) {
    let i = 0;
    while (i < wanted.length && heard[at + i] === wanted[i]) i++;
    if (i === wanted.length) return at;
  }
  return -1;
}
