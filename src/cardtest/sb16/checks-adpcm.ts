import { TICKS_PER_MILLISECOND } from '../../kernel/index.ts';
import { SB16_RATE, type Sb16Bench } from './bench.ts';
import { type CheckRow, checkTable } from './check-table.ts';

const LIMIT = 500 * TICKS_PER_MILLISECOND;

/**
 * Known answers: the reference byte, codes of every sign and size, the step's growth and its return. Levels as unsigned bytes; the first
 * is the one behind the reference.
 */
const VECTORS = {
  '4': {
    command: 0x75,
    // +1 +2 +3 +4 −1 −2 −3 −4 +7 (grows) +1 (counts threefold) 0 (one, shrinks) +1
    bytes: [0x80, 0x12, 0x34, 0x9a, 0xbc, 0x71, 0x01],
    levels: [0x81, 0x83, 0x86, 0x8a, 0x89, 0x87, 0x84, 0x80, 0x87, 0x8a, 0x8b, 0x8c],
  },
  '2.6': {
    command: 0x77,
    // +1 +2 +2, −1 −2 −2, +3 (grows) +1 (threefold) 0 (one, shrinks): the third code of a byte lacks its lowest bit
    bytes: [0x80, 0x29, 0xbb, 0x64],
    levels: [0x81, 0x83, 0x85, 0x84, 0x82, 0x80, 0x83, 0x86, 0x87],
  },
  '2': {
    command: 0x17,
    // 0 +1 (grows) 0 (one, shrinks) +1, +1 (threefold) −1 (sixfold) −0 (four) 0 (two)
    bytes: [0x80, 0x11, 0x78],
    levels: [0x80, 0x81, 0x82, 0x83, 0x86, 0x80, 0x7c, 0x7e],
  },
} as const;

/** Left samples as unsigned 8-bit levels. */
function levelsOf(heard: Int16Array, count: number): number[] {
  return Array.from(
    { length: Math.min(count, heard.length >> 1) },
    (_, i) => (((heard[2 * i] as number) >> 8) ^ 0x80) & 0xff,
  );
}

function playBlock(bench: Sb16Bench, command: number, bytes: readonly number[]): boolean {
  bench.feed(8, bench.buffer(Uint8Array.from(bytes)), bytes.length);
  bench.dsp(command, bytes.length - 1, 0);
  const came = bench.waitInterrupt(LIMIT);
  bench.acknowledge(8);
  bench.card.letTimePass(5 * TICKS_PER_MILLISECOND);
  return came;
}

function decodes(kind: keyof typeof VECTORS): CheckRow[3] {
  return (bench, expect) => {
    const { command, bytes, levels } = VECTORS[kind];
    bench.unity();
    bench.setRate(SB16_RATE);
    let came = false;
    const heard = bench.recordSound(() => {
      came = playBlock(bench, command, bytes);
    });
    expect.that('end of the block', came, 'an interrupt', 'none');
    // What is heard begins with the first level that is not silence.
    const first = levels.findIndex((level) => level !== 0x80);
    const expected = levels.slice(first);
    expect.same('levels', levelsOf(heard, expected.length), expected);
  };
}

export const ADPCM_CHECKS = checkTable('ADP', 'ADPCM', [
  ['001', '4-bit ADPCM with a reference byte', 'HPG §6, 75h', decodes('4'), { needs: 'output' }],
  ['002', '2.6-bit ADPCM with a reference byte', 'HPG §6, 77h', decodes('2.6'), { needs: 'output' }],
  ['003', '2-bit ADPCM with a reference byte', 'HPG §6, 17h', decodes('2'), { needs: 'output' }],
  [
    '004',
    'Without a reference byte 4-bit ADPCM goes on from the last level',
    'HPG §6, 74h',
    (bench, expect) => {
      bench.unity();
      bench.setRate(SB16_RATE);
      const heard = bench.recordSound(() => {
        playBlock(bench, 0x75, [0x90, 0x00]);
        expect.that('end of the block', playBlock(bench, 0x74, [0x12, 0x34]), 'an interrupt', 'none');
      });
      const levels = new Set(levelsOf(heard, heard.length));
      for (const level of [0x91, 0x93, 0x96, 0x9a])
        expect.that(`level ${level.toString(16).toUpperCase()}h`, levels.has(level), 'heard', 'not heard');
    },
    { needs: 'output' },
  ],
  [
    '005',
    'Auto-initialized ADPCM interrupts block after block',
    'HPG §6, 1Fh, 7Dh, 7Fh',
    (bench, expect) => {
      for (const command of [0x7d, 0x7f, 0x1f]) {
        const bytes = new Uint8Array(1024).fill(0x80);
        bench.setRate(SB16_RATE);
        bench.feed(8, bench.buffer(bytes), bytes.length, true);
        bench.setBlockSize(512);
        bench.dsp(command);
        const name = `${command.toString(16).toUpperCase()}h`;
        for (const block of [1, 2, 3]) {
          expect.that(`${name}, block ${block}`, bench.waitInterrupt(LIMIT / 4), 'an interrupt', 'none');
          bench.acknowledge(8);
        }
        bench.resetDsp();
      }
    },
  ],
]);
