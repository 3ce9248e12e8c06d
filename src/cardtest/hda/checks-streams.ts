import * as R from '../../hardware/hda/registers.ts';
import { TICKS_PER_MILLISECOND } from '../../kernel/index.ts';
import type { Expectations } from '../check.ts';
import { BYTES_PER_MS, FORMAT_48_16_2, type HdaBench } from './bench.ts';
import { checkTable } from './check-table.ts';

const NO_MEMORY = 0x9000_0000;
const TAG = 3;
const TURN_MS = 40;
const TURN = TURN_MS * BYTES_PER_MS;

/** The first output stream in a ring of `count` silent entries, with the codec listening. */
function programSilence(bench: HdaBench, count = 2, bytesEach = TURN / count, ioc = false): number {
  const stream = bench.firstOutput;
  bench.openOutput(TAG);
  bench.program({ stream, tag: TAG, entries: bench.silentEntries(count, bytesEach, ioc) });
  return stream;
}

/** Runs a stream for some time and compares the bytes that passed with what the format says. */
function expectRate(
  bench: HdaBench,
  expect: Expectations,
  format: number,
  bytesPerSecond: number,
  what: string,
): void {
  const stream = bench.firstOutput;
  const cbl = 8 * Math.ceil(bytesPerSecond / 1000 / 8) * 800;
  bench.openOutput(TAG, format);
  bench.program({ stream, tag: TAG, format, entries: bench.silentEntries(2, cbl / 2) });
  bench.run(stream);
  const { card } = bench;
  // An emulator fills its buffers first, faster than sound is played.
  bench.wait(card.realTime ? 250 : 20);
  const [start, from] = [card.now, bench.lpib(stream)];
  bench.wait(card.realTime ? 400 : 100);
  const passed = (bench.lpib(stream) - from + cbl) % cbl;
  const seconds = (card.now - start) / TICKS_PER_MILLISECOND / 1000;
  bench.stop(stream);
  // Emulators move bytes every few milliseconds, and correct their clocks by what the sound system takes.
  const slack = card.realTime ? 0.45 : 0.001;
  expect.between(
    `bytes a second ${what}`,
    Math.round(passed / seconds),
    Math.floor(bytesPerSecond * (1 - slack)),
    Math.ceil(bytesPerSecond * (1 + slack)),
  );
}

/** Stream descriptors: reset, descriptor lists, positions, status, several at once. */
export const STREAM_CHECKS = checkTable('STR', 'Stream descriptors', [
  [
    '001',
    'SRST reads 1 in reset and 0 after it',
    'HDA 1.0a §3.3.35',
    (bench, expect) => {
      for (let stream = 0; stream < bench.streams; stream++)
        expect.that(`handshake of stream ${stream}`, bench.resetStream(stream), 'complete', 'not complete');
    },
  ],
  [
    '002',
    'SRST clears the descriptor’s registers',
    'HDA 1.0a §3.3.35',
    (bench, expect) => {
      const stream = bench.firstOutput;
      bench.write32(bench.at(stream, R.SD_CTL), 0x50_001c);
      bench.write32(bench.at(stream, R.SD_CBL), 0x1000);
      bench.write16(bench.at(stream, R.SD_LVI), 7);
      bench.write16(bench.at(stream, R.SD_FMT), FORMAT_48_16_2);
      bench.write32(bench.at(stream, R.SD_BDPL), 0x1234_5680);
      bench.write32(bench.at(stream, R.SD_BDPU), 1);
      bench.resetStream(stream);
      expect.bits('SDCTL', bench.ctl(stream), R.CTL_WRITABLE, 0);
      expect.equal('CBL', bench.read32(bench.at(stream, R.SD_CBL)), 0);
      expect.equal('LVI', bench.read16(bench.at(stream, R.SD_LVI)), 0);
      expect.equal('FMT', bench.read16(bench.at(stream, R.SD_FMT)), 0);
      expect.equal('BDPL', bench.read32(bench.at(stream, R.SD_BDPL)), 0);
      expect.equal('BDPU', bench.read32(bench.at(stream, R.SD_BDPU)), 0);
    },
  ],
  [
    '003',
    'SRST of one stream leaves the others alone',
    'HDA 1.0a §3.3.35',
    (bench, expect) => {
      for (let stream = 0; stream < bench.streams; stream++)
        bench.write32(bench.at(stream, R.SD_CBL), 0x100 + stream);
      bench.resetStream(2);
      for (let stream = 0; stream < bench.streams; stream++)
        if (stream !== 2)
          expect.equal(`CBL of stream ${stream}`, bench.read32(bench.at(stream, R.SD_CBL)), 0x100 + stream);
    },
  ],
  [
    '004',
    'With RUN the position moves, and stays below CBL',
    'HDA 1.0a §3.3.37, §3.3.38, §4.5.3',
    (bench, expect) => {
      const stream = programSilence(bench);
      bench.run(stream);
      let highest = 0;
      expect.that(
        'three turns',
        bench.waitBytes(stream, 3 * TURN, TURN, (lpib) => {
          highest = Math.max(highest, lpib);
        }),
        'pass',
        'do not pass',
      );
      expect.between('highest LPIB', highest, TURN / 4, TURN - 1);
    },
  ],
  [
    '005',
    'At 48 kHz, 16 bits, stereo, 192000 bytes pass in a second',
    'HDA 1.0a §3.3.37, §3.7.1',
    (bench, expect) => expectRate(bench, expect, FORMAT_48_16_2, 192_000, 'at 48 kHz'),
  ],
  [
    '006',
    'At 44.1 kHz, 176400 bytes pass in a second',
    'HDA 1.0a §3.7.1, table 53',
    (bench, expect) => expectRate(bench, expect, 0x4011, 176_400, 'at 44.1 kHz'),
  ],
  [
    '007',
    'At 96 kHz, 384000 bytes pass in a second',
    'HDA 1.0a §3.7.1, table 53',
    (bench, expect) => expectRate(bench, expect, 0x0811, 384_000, 'at 96 kHz'),
  ],
  [
    '008',
    'At 16 kHz, a third of 48 kHz, 64000 bytes pass in a second',
    'HDA 1.0a §3.7.1, table 53',
    (bench, expect) => expectRate(bench, expect, 0x0211, 64_000, 'at 16 kHz'),
  ],
  [
    '009',
    'At 32 kHz, two thirds of 48 kHz, 128000 bytes pass in a second',
    'HDA 1.0a §3.7.1, table 53',
    (bench, expect) => expectRate(bench, expect, 0x0a11, 128_000, 'at 32 kHz'),
  ],
  [
    '010',
    'At 88.2 kHz, 352800 bytes pass in a second',
    'HDA 1.0a §3.7.1, table 53',
    (bench, expect) => expectRate(bench, expect, 0x4811, 352_800, 'at 88.2 kHz'),
  ],
  [
    '011',
    'At 22.05 kHz, half of 44.1 kHz, 88200 bytes pass in a second',
    'HDA 1.0a §3.7.1, table 53',
    (bench, expect) => expectRate(bench, expect, 0x4111, 88_200, 'at 22.05 kHz'),
  ],
  [
    '012',
    'One channel of 16 bits at 48 kHz makes 96000 bytes a second',
    'HDA 1.0a §3.7.1',
    (bench, expect) => expectRate(bench, expect, 0x0010, 96_000, 'of one channel'),
  ],
  [
    '013',
    'Samples of 24 bits take four bytes: 384000 bytes a second',
    'HDA 1.0a §3.7.1, §4.5.1',
    (bench, expect) => expectRate(bench, expect, 0x0031, 384_000, 'of 24 bits'),
    { part: 'samples wider than 16 bits' },
  ],
  [
    '014',
    'LPIB has an alias 2000h above',
    'HDA 1.0a §3.3.45',
    (bench, expect) => {
      const stream = programSilence(bench);
      bench.run(stream);
      bench.wait(TURN_MS / 4);
      bench.stop(stream);
      const alias = bench.read32(bench.at(stream, R.SD_LPIB) + R.HDA_ALIAS);
      expect.equal('alias', alias, bench.lpib(stream));
      expect.that('alias', alias !== 0, 'not 0', '0');
    },
  ],
  [
    '015',
    'Without RUN the position stands',
    'HDA 1.0a §3.3.35, §4.5.4',
    (bench, expect) => {
      const stream = programSilence(bench);
      bench.run(stream);
      bench.wait(TURN_MS / 4);
      bench.stop(stream);
      const stopped = bench.lpib(stream);
      bench.wait(TURN_MS / 4);
      expect.equal('LPIB later', bench.lpib(stream), stopped);
      expect.that('LPIB', stopped !== 0, 'not 0', '0');
    },
  ],
  [
    '016',
    'With RUN again the position goes on from where it stood',
    'HDA 1.0a §4.5.4, §4.5.5',
    (bench, expect) => {
      const stream = programSilence(bench, 2, 100 * BYTES_PER_MS);
      bench.run(stream);
      bench.wait(100);
      bench.stop(stream);
      const stopped = bench.lpib(stream);
      bench.run(stream);
      const again = bench.lpib(stream);
      bench.stop(stream);
      expect.between('LPIB', again, stopped, stopped + 40 * BYTES_PER_MS);
    },
  ],
  [
    '017',
    'A list of two entries is used entry by entry',
    'HDA 1.0a §3.6.2, §3.3.39',
    (bench, expect) => {
      const stream = bench.firstOutput;
      bench.openOutput(TAG);
      const half = 100 * BYTES_PER_MS;
      const [first, second] = bench.silentEntries(2, half);
      bench.program({ stream, tag: TAG, entries: [first!, { ...second!, ioc: true }] });
      bench.run(stream);
      bench.waitBytes(stream, half / 2, 2 * half);
      expect.bits('BCIS in the first entry', bench.sts(stream), R.STS_BCIS, 0);
      expect.that('BCIS after it', bench.waitStatus(stream, R.STS_BCIS), 'set', 'clear');
      bench.stop(stream);
    },
  ],
  [
    '018',
    'A list of 256 entries is used to its end',
    'HDA 1.0a §3.6.2, §3.3.39',
    (bench, expect) => {
      const stream = bench.firstOutput;
      bench.openOutput(TAG);
      const entries = bench.silentEntries(256, 384).map((entry, index) => ({ ...entry, ioc: index === 255 }));
      bench.program({ stream, tag: TAG, entries });
      bench.run(stream);
      bench.waitBytes(stream, 128 * 384, 256 * 384);
      expect.bits('BCIS half-way', bench.sts(stream), R.STS_BCIS, 0);
      expect.that('BCIS after it', bench.waitStatus(stream, R.STS_BCIS), 'set', 'clear');
      bench.stop(stream);
    },
  ],
  [
    '019',
    'Entries behind the last valid index are not used',
    'HDA 1.0a §3.3.39',
    (bench, expect) => {
      const stream = bench.firstOutput;
      bench.openOutput(TAG);
      const entries = bench.silentEntries(4, TURN / 4).map((entry, index) => ({ ...entry, ioc: index > 1 }));
      bench.program({ stream, tag: TAG, entries, lvi: 1, cbl: TURN / 2 });
      bench.run(stream);
      bench.waitBytes(stream, 2 * TURN, TURN / 2);
      expect.bits('STS', bench.sts(stream), R.STS_BCIS, 0);
      bench.stop(stream);
    },
  ],
  [
    '020',
    'BCIS comes at the end of entries with IOC',
    'HDA 1.0a §3.3.36, §3.6.3',
    (bench, expect) => {
      const stream = programSilence(bench, 4, TURN / 4, true);
      bench.run(stream);
      for (let entry = 0; entry < 6; entry++) {
        expect.that(`BCIS of entry ${entry}`, bench.waitStatus(stream, R.STS_BCIS), 'set', 'clear');
        bench.acknowledge(stream);
      }
      bench.stop(stream);
    },
  ],
  [
    '021',
    'Without IOC nothing is told of an entry’s end',
    'HDA 1.0a §3.6.3',
    (bench, expect) => {
      const stream = programSilence(bench, 4, TURN / 4, false);
      bench.run(stream, R.CTL_IOCE);
      bench.waitBytes(stream, 2 * TURN, TURN);
      expect.bits('STS', bench.sts(stream), R.STS_BCIS, 0);
      bench.stop(stream);
    },
  ],
  [
    '022',
    'BCIS is cleared by a one alone',
    'HDA 1.0a §3.3.36',
    (bench, expect) => {
      const stream = programSilence(bench, 2, TURN / 2, true);
      bench.run(stream);
      bench.waitStatus(stream, R.STS_BCIS);
      bench.stop(stream);
      bench.write8(bench.at(stream, R.SD_STS), 0);
      expect.bits('STS after 0', bench.sts(stream), R.STS_BCIS, R.STS_BCIS);
      bench.write8(bench.at(stream, R.SD_STS), R.STS_BCIS);
      expect.bits('STS after 1', bench.sts(stream), R.STS_BCIS, 0);
    },
  ],
  [
    '023',
    'A stream goes on while BCIS waits to be cleared',
    'HDA 1.0a §3.3.36, §4.5.6',
    (bench, expect) => {
      const stream = programSilence(bench, 4, TURN / 4, true);
      bench.run(stream);
      bench.waitStatus(stream, R.STS_BCIS);
      const at = bench.lpib(stream);
      bench.wait((TURN_MS * 3) / 4);
      expect.that('LPIB', bench.lpib(stream) !== at, 'moves', 'stands');
      bench.stop(stream);
    },
  ],
  [
    '024',
    'BCIS comes at about the time at which its entry ends',
    'HDA 1.0a §3.3.36',
    (bench, expect) => {
      const stream = programSilence(bench, 2, 50 * BYTES_PER_MS, true);
      const start = bench.card.now;
      bench.run(stream);
      bench.waitStatus(stream, R.STS_BCIS);
      const milliseconds = (bench.card.now - start) / TICKS_PER_MILLISECOND;
      expect.between(
        'milliseconds to the first BCIS',
        milliseconds,
        bench.card.realTime ? 30 : 48,
        bench.card.realTime ? 400 : 51,
      );
      bench.stop(stream);
    },
  ],
  [
    '025',
    'FIFORDY of an output stream is clear before RUN and set when data is there',
    'HDA 1.0a §3.3.36',
    (bench, expect) => {
      const stream = programSilence(bench);
      expect.bits('STS before RUN', bench.sts(stream), R.STS_FIFORDY, 0);
      bench.run(stream);
      expect.that('FIFORDY with RUN', bench.waitStatus(stream, R.STS_FIFORDY, 20), 'set', 'clear');
      bench.stop(stream);
    },
  ],
  [
    '026',
    'An output stream runs whether a codec listens or not',
    'HDA 1.0a §4.5.3, §5.4.2',
    (bench, expect) => {
      const stream = programSilence(bench);
      bench.write8(bench.at(stream, R.SD_CTL) + 2, 0xb0);
      bench.run(stream);
      bench.wait(TURN_MS / 2);
      expect.that('LPIB', bench.lpib(stream) !== 0, 'moves', 'stands');
      bench.stop(stream);
    },
  ],
  [
    '027',
    'An input stream to which nobody sends stands still',
    'HDA 1.0a §4.5.3',
    (bench, expect) => {
      bench.program({ stream: 0, tag: 0xb, entries: bench.silentEntries(2, TURN / 2) });
      bench.run(0);
      bench.wait(TURN_MS / 2);
      expect.equal('LPIB', bench.lpib(0), 0);
      bench.stop(0);
    },
  ],
  [
    '028',
    'The position buffer has the position of each stream at its own place',
    'HDA 1.0a §3.3.32, §3.6.1',
    (bench, expect) => {
      const { card } = bench;
      const buffer = card.allocateRam(128, 128);
      const stream = programSilence(bench);
      bench.write32(R.DPUBASE, 0);
      bench.write32(R.DPLBASE, buffer | R.DPLBASE_ENABLE);
      bench.run(stream);
      let seen = 0;
      bench.waitBytes(stream, TURN, TURN, () => {
        seen = Math.max(seen, card.readRamUlong(buffer + 8 * stream));
      });
      bench.stop(stream);
      expect.between('highest position in the buffer', seen, TURN / 2, TURN - 1);
      for (let other = 0; other < bench.streams; other++)
        if (other !== stream)
          expect.equal(`position of stream ${other}`, card.readRamUlong(buffer + 8 * other), 0);
    },
  ],
  [
    '029',
    'The position buffer follows LPIB closely',
    'HDA 1.0a §3.6.1',
    (bench, expect) => {
      const { card } = bench;
      const buffer = card.allocateRam(128, 128);
      const stream = programSilence(bench);
      bench.write32(R.DPLBASE, buffer | R.DPLBASE_ENABLE);
      bench.run(stream);
      bench.wait(TURN_MS / 4);
      let furthest = 0;
      for (let look = 0; look < 20; look++) {
        bench.wait(1);
        const position = card.readRamUlong(buffer + 8 * stream);
        furthest = Math.max(furthest, (bench.lpib(stream) - position + TURN) % TURN);
      }
      bench.stop(stream);
      expect.between('bytes behind LPIB', furthest, 0, (card.realTime ? 15 : 1.1) * BYTES_PER_MS);
    },
  ],
  [
    '030',
    'A position buffer that is off is not written',
    'HDA 1.0a §3.3.32',
    (bench, expect) => {
      const { card } = bench;
      const buffer = card.allocateRam(128, 128);
      const stream = programSilence(bench);
      bench.write32(R.DPLBASE, buffer);
      bench.run(stream);
      bench.waitBytes(stream, TURN / 2, TURN);
      bench.stop(stream);
      expect.same('buffer', card.readRam(buffer, 128), new Uint8Array(128));
    },
  ],
  [
    '031',
    'A descriptor list that cannot be read is an error: DESE, RUN cleared, an interrupt with DEIE',
    'HDA 1.0a §3.3.36; ICH6 §18.2.34',
    (bench, expect) => {
      const stream = programSilence(bench);
      bench.write32(bench.at(stream, R.SD_BDPL), NO_MEMORY);
      bench.write32(R.INTCTL, R.INT_GLOBAL | (1 << stream));
      bench.run(stream, R.CTL_DEIE);
      expect.that('DESE', bench.waitStatus(stream, R.STS_DESE, 20), 'set', 'clear');
      expect.bits('RUN', bench.ctl(stream), R.CTL_RUN, 0);
      expect.that('interrupt line', bench.card.interruptAsserted, 'high', 'low');
      bench.acknowledge(stream);
      expect.bits('STS acknowledged', bench.sts(stream), R.STS_DESE, 0);
      bench.stop(stream);
    },
  ],
  [
    '032',
    'Data that cannot be read runs the FIFO dry: FIFOE, an interrupt with FEIE, and the stream runs on',
    'HDA 1.0a §3.3.36; ICH6 §18.2.34',
    (bench, expect) => {
      const stream = bench.firstOutput;
      bench.openOutput(TAG);
      const entries = [0, 1].map((index) => ({ address: NO_MEMORY + index * 0x1000, bytes: 0x1000 }));
      bench.program({ stream, tag: TAG, entries });
      bench.write32(R.INTCTL, R.INT_GLOBAL | (1 << stream));
      bench.run(stream, R.CTL_FEIE);
      expect.that('FIFOE', bench.waitStatus(stream, R.STS_FIFOE, 50), 'set', 'clear');
      expect.bits('RUN', bench.ctl(stream), R.CTL_RUN, R.CTL_RUN);
      expect.that('interrupt line', bench.card.interruptAsserted, 'high', 'low');
      bench.stop(stream);
      bench.acknowledge(stream);
      expect.bits('STS acknowledged', bench.sts(stream), R.STS_FIFOE, 0);
    },
  ],
  [
    '033',
    'SSYNC holds a stream that runs, with its FIFO ready',
    'HDA 1.0a §3.3.17, §4.5.7; ICH6 §18.2.13',
    (bench, expect) => {
      const stream = programSilence(bench);
      bench.write32(R.SSYNC, 1 << stream);
      bench.run(stream);
      bench.wait(TURN_MS / 4);
      expect.equal('LPIB while held', bench.lpib(stream), 0);
      expect.bits('STS while held', bench.sts(stream), R.STS_FIFORDY, R.STS_FIFORDY);
      bench.write32(R.SSYNC, 0);
      bench.wait(TURN_MS / 4);
      expect.that('LPIB when let go', bench.lpib(stream) !== 0, 'moves', 'stands');
      bench.stop(stream);
    },
  ],
  [
    '034',
    'Streams that SSYNC lets go together begin together',
    'HDA 1.0a §3.3.17, §4.5.7',
    (bench, expect) => {
      const streams = [bench.firstOutput, bench.firstOutput + 1, bench.firstOutput + 2];
      bench.openOutput(TAG);
      for (const stream of streams)
        bench.program({ stream, tag: TAG + stream, entries: bench.silentEntries(2, TURN) });
      const mask = streams.reduce((all, stream) => all | (1 << stream), 0);
      bench.write32(R.SSYNC, mask);
      for (const stream of streams) {
        bench.run(stream);
        bench.wait(3);
      }
      bench.write32(R.SSYNC, 0);
      bench.wait(TURN_MS / 2);
      bench.write32(R.SSYNC, mask);
      const positions = streams.map((stream) => bench.lpib(stream));
      expect.that('LPIB', positions[0] !== 0, 'moves', 'stands');
      for (const [index, position] of positions.entries())
        expect.equal(`LPIB of stream ${streams[index]}`, position, positions[0] ?? 0);
      for (const stream of streams) bench.stop(stream);
    },
  ],
  [
    '035',
    'Output streams run side by side, each in its own ring',
    'HDA 1.0a §3.3.34, §4.5.2',
    (bench, expect) => {
      bench.openOutput(TAG);
      const streams = Array.from({ length: bench.outputStreams }, (_, index) => bench.firstOutput + index);
      for (const [index, stream] of streams.entries()) {
        bench.program({ stream, tag: TAG + index, entries: bench.silentEntries(2, (index + 1) * 1920) });
        bench.run(stream);
      }
      bench.wait(100);
      for (const [index, stream] of streams.entries()) {
        const lpib = bench.lpib(stream);
        expect.that(
          `LPIB of stream ${stream}`,
          lpib !== 0 && lpib < (index + 1) * 3840,
          `1 to ${(index + 1) * 3840 - 1}`,
          `${lpib}`,
        );
        bench.stop(stream);
      }
    },
  ],
  [
    '036',
    'Any output stream descriptor can carry the codec’s stream',
    'HDA 1.0a §3.3.34, §3.3.35',
    (bench, expect) => {
      bench.openOutput(TAG);
      for (let stream = bench.firstOutput; stream < bench.streams; stream++) {
        bench.program({ stream, tag: TAG, entries: bench.silentEntries(2, TURN / 2) });
        bench.run(stream);
        expect.that(`stream ${stream}`, bench.waitBytes(stream, TURN / 4, TURN), 'runs', 'stands');
        bench.stop(stream);
        bench.resetStream(stream);
      }
    },
  ],
  [
    '037',
    'The interrupts of 20 periods come at the pace of the stream',
    'HDA 1.0a §3.3.36, §4.5.6',
    (bench, expect) => {
      const period = 10 * BYTES_PER_MS;
      const stream = bench.firstOutput;
      bench.openOutput(TAG);
      bench.program({ stream, tag: TAG, entries: bench.silentEntries(4, period, true) });
      const start = bench.card.now;
      bench.run(stream);
      for (let count = 0; count < 20; count++) {
        bench.waitStatus(stream, R.STS_BCIS);
        bench.acknowledge(stream);
      }
      bench.stop(stream);
      const milliseconds = (bench.card.now - start) / TICKS_PER_MILLISECOND;
      expect.between(
        'milliseconds of 20 periods',
        milliseconds,
        bench.card.realTime ? 100 : 197,
        bench.card.realTime ? 1000 : 201,
      );
    },
  ],
  [
    '038',
    'A stopped stream can be reset and started anew',
    'HDA 1.0a §4.5.4, §3.3.35',
    (bench, expect) => {
      const stream = programSilence(bench);
      for (let turn = 0; turn < 3; turn++) {
        bench.run(stream);
        bench.waitBytes(stream, TURN / 4, TURN);
        bench.stop(stream);
        bench.resetStream(stream);
        expect.equal(`LPIB after reset ${turn}`, bench.lpib(stream), 0);
        bench.program({ stream, tag: TAG, entries: bench.silentEntries(2, TURN / 2) });
      }
    },
  ],
]);
