import * as R from '../../hardware/hda/registers.ts';
import {
  AMP_MUTE,
  SET_CONNECTION_SELECT,
  SET_PIN_CONTROL,
  SET_STREAM_CHANNEL,
} from '../../hardware/hda/verbs.ts';
import type { Expectations } from '../check.ts';
import { isContiguous } from '../counting-signal.ts';
import { testSignal } from '../test-signal.ts';
import { BYTES_PER_MS, FORMAT_48_16_2, type HdaBench } from './bench.ts';
import { checkTable } from './check-table.ts';

const INPUT = { need: 'input', part: 'input' } as const;
const STREAM = 0;
const TAG = 4;
const HALF_MS = 50;
const HALF = HALF_MS * BYTES_PER_MS;

/** Records into a ring of two halves until the first one is full, and returns it with whatever follows. */
function recordRing(bench: HdaBench, bytes = HALF, ring = 2): Int16Array {
  const entries = bench.silentEntries(ring, HALF);
  bench.program({ stream: STREAM, tag: TAG, entries });
  bench.run(STREAM);
  bench.waitBytes(STREAM, bytes, ring * HALF);
  bench.stop(STREAM);
  return bench.samplesAt(entries[0]!.address, Math.min(bytes, ring * HALF) / 2);
}

/** Without what was there before the first sound came: emulators begin with silence, and so may converters. */
function fromFirstSound(samples: Int16Array): Int16Array {
  const first = samples.findIndex((sample) => sample !== 0);
  return first < 0 ? samples.subarray(0, 0) : samples.subarray(first - (first % 2));
}

function isSignal(samples: Int16Array): boolean {
  const sound = fromFirstSound(samples);
  return sound.length >= samples.length / 4 && isContiguous(sound);
}

/** {@link recordRing} until it has the signal. */
function recordSignal(bench: HdaBench, bytes = HALF, ring = 2): Int16Array {
  return bench.again(() => recordRing(bench, bytes, ring), isSignal);
}

function expectSignal(samples: Int16Array, expect: Expectations, what = 'samples'): void {
  const sound = fromFirstSound(samples);
  expect.that(
    what,
    isSignal(samples),
    'the signal without a gap',
    `${sound.length} samples of sound, ${sound.subarray(0, 6).join(', ')} …`,
  );
}

/** What recording puts into memory. */
export const CAPTURE_CHECKS = checkTable('CAP', 'Recording', [
  [
    '001',
    'What comes in at the jack is stored bit by bit',
    'HDA 1.0a §4.5.1, §3.6.3',
    (bench, expect) => {
      bench.openInput(TAG);
      expectSignal(recordSignal(bench), expect);
    },
    INPUT,
  ],
  [
    '002',
    'Entries are filled one after the other',
    'HDA 1.0a §3.6.2',
    (bench, expect) => {
      bench.openInput(TAG);
      expectSignal(recordSignal(bench, 3 * HALF, 4), expect);
    },
    INPUT,
  ],
  [
    '003',
    'At the end of the list recording goes on with the first entry',
    'HDA 1.0a §3.6.2, §3.3.39',
    (bench, expect) => {
      bench.openInput(TAG);
      const turned = bench.again(() => {
        const entries = bench.silentEntries(2, HALF);
        bench.program({ stream: STREAM, tag: TAG, entries });
        bench.run(STREAM);
        bench.waitBytes(STREAM, 2.5 * HALF, 2 * HALF);
        bench.stop(STREAM);
        const at = bench.lpib(STREAM);
        const ring = bench.samplesAt(entries[0]!.address, HALF);
        const fromOldest = new Int16Array(HALF);
        fromOldest.set(ring.subarray(at / 2));
        fromOldest.set(ring.subarray(0, at / 2), HALF - at / 2);
        return fromOldest;
      }, isContiguous);
      expect.that(
        'ring from the oldest sample on',
        isContiguous(turned),
        'one stretch of the signal',
        'gaps',
      );
    },
    INPUT,
  ],
  [
    '004',
    'Nothing is stored outside the entries',
    'HDA 1.0a §3.6.3',
    (bench, expect) => {
      bench.openInput(TAG);
      const address = bench.card.allocateRam(3 * HALF, 128);
      bench.program({
        stream: STREAM,
        tag: TAG,
        entries: [
          { address, bytes: HALF - 256 },
          { address: address + 2 * HALF, bytes: HALF - 256 },
        ],
      });
      bench.run(STREAM);
      bench.waitBytes(STREAM, 3 * HALF, 2 * HALF - 512);
      bench.stop(STREAM);
      for (const [what, from] of [
        ['behind the first entry', HALF - 256],
        ['before the second entry', 2 * HALF - 256],
      ] as const)
        expect.same(what, bench.samplesAt(address + from, 128), new Int16Array(128));
    },
    INPUT,
  ],
  [
    '005',
    '192000 bytes come in a second',
    'HDA 1.0a §3.3.37, §3.7.1',
    (bench, expect) => {
      bench.openInput(TAG);
      bench.program({ stream: STREAM, tag: TAG, entries: bench.silentEntries(2, 100 * BYTES_PER_MS) });
      bench.run(STREAM);
      bench.wait(20);
      const [start, from] = [bench.card.now, bench.lpib(STREAM)];
      bench.wait(100);
      const cbl = 200 * BYTES_PER_MS;
      const passed = (bench.lpib(STREAM) - from + cbl) % cbl;
      const seconds = (bench.card.now - start) / 1e7;
      bench.stop(STREAM);
      const slack = bench.card.realTime ? 0.45 : 0.001;
      expect.between(
        'bytes a second',
        Math.round(passed / seconds),
        192_000 * (1 - slack),
        192_000 * (1 + slack),
      );
    },
    INPUT,
  ],
  [
    '006',
    'BCIS comes at the end of entries with IOC, when they are full',
    'HDA 1.0a §3.3.36, §3.6.3',
    (bench, expect) => {
      bench.openInput(TAG);
      const entries = bench.silentEntries(2, HALF, true);
      bench.program({ stream: STREAM, tag: TAG, entries });
      bench.run(STREAM);
      expect.that('BCIS', bench.waitStatus(STREAM, R.STS_BCIS), 'set', 'clear');
      const lastFrame = bench.samplesAt(entries[0]!.address + HALF - 4, 2);
      bench.stop(STREAM);
      expect.that('last frame of the first entry', lastFrame[0] !== 0, 'sound', 'zero');
    },
    INPUT,
  ],
  [
    '007',
    'A converter of another stream number sends nothing here',
    'HDA 1.0a §7.3.3.11, §5.3.3',
    (bench, expect) => {
      const { converter } = bench.openInput(TAG);
      bench.verb(converter.nid, SET_STREAM_CHANNEL, 0x50);
      const entries = bench.silentEntries(2, HALF);
      bench.program({ stream: STREAM, tag: TAG, entries });
      bench.run(STREAM);
      bench.wait(HALF_MS);
      bench.stop(STREAM);
      expect.equal('LPIB', bench.lpib(STREAM), 0);
      expect.same('memory', bench.samplesAt(entries[0]!.address, 64), new Int16Array(64));
    },
    INPUT,
  ],
  [
    '008',
    'A muted input amplifier stores silence',
    'HDA 1.0a §7.3.3.7',
    (bench, expect) => {
      const { converter } = bench.openInput(TAG);
      bench.setAmp(converter, 'in', { gain: AMP_MUTE | (converter.inAmpCaps & 0x7f) });
      const recorded = recordRing(bench);
      expect.between('samples of sound', recorded.filter((sample) => sample !== 0).length, 0, 0);
    },
    { need: 'input', part: 'input amplifier' },
  ],
  [
    '009',
    'A pin whose input is off lets nothing through',
    'HDA 1.0a §7.3.3.13',
    (bench, expect) => {
      const { pin } = bench.openInput(TAG);
      bench.verb(pin.nid, SET_PIN_CONTROL, 0);
      const recorded = recordRing(bench);
      expect.between('samples of sound', recorded.filter((sample) => sample !== 0).length, 0, 0);
    },
    INPUT,
  ],
  [
    '010',
    'Every input stream descriptor can record',
    'HDA 1.0a §3.3.34',
    (bench, expect) => {
      bench.openInput(TAG);
      for (let stream = 0; stream < bench.inputStreams; stream++) {
        const recorded = bench.again(() => {
          const entries = bench.silentEntries(2, HALF);
          bench.program({ stream, tag: TAG, entries });
          bench.run(stream);
          bench.waitBytes(stream, HALF, 2 * HALF);
          bench.stop(stream);
          return bench.samplesAt(entries[0]!.address, HALF / 2);
        }, isSignal);
        expectSignal(recorded, expect, `samples of stream ${stream}`);
        bench.resetStream(stream);
      }
    },
    INPUT,
  ],
  [
    '011',
    'Recording goes on while the card plays',
    'HDA 1.0a §3.3.34, §4.5.2',
    (bench, expect) => {
      const output = bench.firstOutput + 1;
      bench.openOutput(1);
      bench.openInput(TAG);
      const sound = bench.buffer(testSignal(19_200, 11));
      bench.program({
        stream: output,
        tag: 1,
        entries: [
          { address: sound, bytes: 19_200 },
          { address: sound + 19_200, bytes: 19_200 },
        ],
      });
      bench.run(output);
      expectSignal(recordSignal(bench), expect);
      expect.that('playing stream', bench.lpib(output) !== 0, 'moved', 'stands');
      bench.stop(output);
    },
    INPUT,
  ],
  [
    '012',
    'The position buffer has the input stream’s position, too',
    'HDA 1.0a §3.6.1',
    (bench, expect) => {
      const { card } = bench;
      const buffer = card.allocateRam(128, 128);
      bench.write32(R.DPLBASE, buffer | R.DPLBASE_ENABLE);
      bench.openInput(TAG);
      bench.program({ stream: STREAM, tag: TAG, entries: bench.silentEntries(2, HALF) });
      bench.run(STREAM);
      let seen = 0;
      bench.waitBytes(STREAM, HALF, 2 * HALF, () => {
        seen = Math.max(seen, card.readRamUlong(buffer + 8 * STREAM));
      });
      bench.stop(STREAM);
      expect.between('highest position in the buffer', seen, HALF / 2, 2 * HALF - 1);
    },
    INPUT,
  ],
  [
    '013',
    'A selector records from the input that it is told to',
    'HDA 1.0a §7.3.3.2',
    (bench, expect) => {
      const route = bench.openInput(TAG);
      const step = route.steps.find(({ widget }) => widget.connections.length > 1);
      if (step === undefined) throw new Error('There is no selector on the way.');
      const other = step.input === 0 ? 1 : 0;
      bench.verb(step.widget.nid, SET_CONNECTION_SELECT, other);
      const elsewhere = recordRing(bench);
      expect.between('sound from elsewhere', elsewhere.filter((sample) => sample !== 0).length, 0, 0);
      bench.verb(step.widget.nid, SET_CONNECTION_SELECT, step.input);
      expectSignal(recordSignal(bench), expect);
    },
    { need: 'input', part: 'selection' },
  ],
  [
    '014',
    'Stopping keeps the position, and going on leaves no gap in memory',
    'HDA 1.0a §4.5.4, §4.5.5',
    (bench, expect) => {
      bench.openInput(TAG);
      const entries = bench.silentEntries(2, 2 * HALF);
      bench.program({ stream: STREAM, tag: TAG, entries });
      bench.run(STREAM);
      bench.waitBytes(STREAM, 1.5 * HALF, 4 * HALF);
      bench.stop(STREAM);
      const stopped = bench.lpib(STREAM);
      bench.run(STREAM);
      bench.waitBytes(STREAM, HALF / 4, 4 * HALF);
      bench.stop(STREAM);
      const zeros = fromFirstSound(bench.samplesAt(entries[0]!.address, bench.lpib(STREAM) / 2)).filter(
        (sample) => sample === 0,
      ).length;
      expect.between('LPIB', bench.lpib(STREAM), stopped + HALF / 4, 4 * HALF);
      expect.between('zeros', zeros, 0, 0);
    },
    INPUT,
  ],
  [
    '015',
    'Samples of 24 bits are stored left-justified in 32',
    'HDA 1.0a §4.5.1, §3.7.1',
    (bench, expect) => {
      const format = FORMAT_48_16_2 + 0x20;
      bench.openInput(TAG, format);
      const entries = bench.silentEntries(2, 2 * HALF);
      bench.program({ stream: STREAM, tag: TAG, format, entries });
      bench.run(STREAM);
      bench.waitBytes(STREAM, HALF, 4 * HALF);
      bench.stop(STREAM);
      const halves = bench.samplesAt(entries[0]!.address, HALF / 2);
      const high = halves.filter((_, index) => (index & 1) === 1);
      expectSignal(high, expect, 'upper 16 bits');
      expect.between(
        'lower bits set',
        halves.filter((half, index) => (index & 1) === 0 && half !== 0).length,
        0,
        0,
      );
    },
    { need: 'input', part: 'input of samples wider than 16 bits' },
  ],
]);
