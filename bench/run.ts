/**
 * npm run bench [-- --smoke] [-- --json FILE]
 *
 * Every figure stands beside a plain memory copy measured in the same run: compare ratios between computers, not milliseconds.
 * --smoke runs everything shortly, to see that it runs at all.
 */
import { writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { fmSynthesisFigure } from './fm.ts';
import { type Figure, formatFigures, memoryCopyBytesPerSecond } from './measure.ts';
import { midiFigure } from './midi.ts';
import { propertyFigures } from './properties.ts';
import { qemuFigures } from './qemu.ts';
import { type StreamBench, streamFigure } from './streams.ts';

const { values } = parseArgs({
  options: { smoke: { type: 'boolean', default: false }, json: { type: 'string' } },
});
const smoke = values.smoke;
/** Seconds of audio, scaled down for a smoke run. */
const seconds = (full: number) => (smoke ? Math.max(2, Math.round(full / 100)) : full);

const copy = memoryCopyBytesPerSecond(smoke ? 64e6 : 2e9);
const figures: Figure[] = [
  {
    name: 'memory copy, 1920-byte blocks',
    value: copy / 1e6,
    unit: 'MB/s',
    aim: null,
    higherIsBetter: true,
    ofMemoryCopy: 1,
  },
];
// The first run warms the compiler up; its figure is not kept.
streamFigure(
  { name: 'warm-up', streams: 1, mode: 'event', bufferMs: 20, seconds: seconds(1000), aim: null },
  copy,
);
/** The wave ports that copy between requests and the device. */
const requestStreams: readonly StreamBench[] = [
  {
    name: 'WaveCyclic (sb16), 1 stream, 40 ms buffer',
    card: 'sb16',
    format: { sampleRate: 44_100 },
    streams: 1,
    mode: 'event',
    bufferMs: 40,
    seconds: seconds(3000),
    aim: 1000,
  },
  {
    name: 'WaveCyclic (sb16), 3 cards at once, 40 ms',
    card: 'sb16',
    format: { sampleRate: 44_100 },
    streams: 3,
    mode: 'event',
    bufferMs: 40,
    seconds: seconds(1000),
    aim: null,
  },
  {
    name: 'WavePci (es1370), 1 stream, 40 ms buffer',
    card: 'es1370',
    format: { sampleRate: 44_100 },
    streams: 1,
    mode: 'event',
    bufferMs: 40,
    seconds: seconds(3000),
    aim: 1000,
  },
  {
    name: 'WavePci (es1370), 20 cards at once, 40 ms',
    card: 'es1370',
    format: { sampleRate: 44_100 },
    streams: 20,
    mode: 'event',
    bufferMs: 40,
    seconds: seconds(200),
    aim: null,
  },
];
const streams: readonly StreamBench[] = [
  {
    name: '1 stream, event, 20 ms buffer',
    streams: 1,
    mode: 'event',
    bufferMs: 20,
    seconds: seconds(6000),
    aim: 5000,
  },
  {
    name: '1 stream, timer, 40 ms buffer',
    streams: 1,
    mode: 'timer',
    bufferMs: 40,
    seconds: seconds(6000),
    aim: 5000,
  },
  {
    name: '1 stream, event, 500 ms buffer',
    streams: 1,
    mode: 'event',
    bufferMs: 500,
    seconds: seconds(12000),
    aim: 5000,
  },
  {
    name: '10 streams at once, event, 20 ms',
    streams: 10,
    mode: 'event',
    bufferMs: 20,
    seconds: seconds(600),
    aim: null,
  },
  {
    name: '100 streams at once, event, 20 ms',
    streams: 100,
    mode: 'event',
    bufferMs: 20,
    seconds: seconds(60),
    aim: null,
  },
  {
    name: 'WaveRT (hda), 1 stream, 40 ms buffer',
    card: 'hda',
    streams: 1,
    mode: 'event',
    bufferMs: 40,
    seconds: seconds(6000),
    aim: 5000,
  },
  {
    name: 'WaveRT (hda), 7.1, 192 kHz, 24-bit, 40 ms',
    card: 'hda',
    format: { sampleRate: 192_000, channels: 8, containerBits: 32, validBits: 24 },
    streams: 1,
    mode: 'event',
    bufferMs: 40,
    seconds: seconds(200),
    aim: null,
  },
  {
    name: 'WaveRT (hda), 20 cards at once, 40 ms',
    card: 'hda',
    streams: 20,
    mode: 'event',
    bufferMs: 40,
    seconds: seconds(200),
    aim: null,
  },
];
for (const bench of [...streams, ...requestStreams]) figures.push(streamFigure(bench, copy));
figures.push(fmSynthesisFigure('YMF262', seconds(600)), fmSynthesisFigure('YM3812', seconds(600)));
figures.push(...propertyFigures(smoke ? 2_000 : 300_000));
for (const synth of ['uart', 'fm'] as const) {
  for (const packMs of [0, 50]) figures.push(midiFigure(synth, packMs, smoke ? 1_000 : 200_000));
}
figures.push(...(await qemuFigures(smoke ? 500 : 10_000)));

console.log(formatFigures(figures));
if (smoke) console.log('\n(smoke run: too short to judge by)');
if (values.json !== undefined) writeFileSync(values.json, `${JSON.stringify(figures, null, 2)}\n`);
