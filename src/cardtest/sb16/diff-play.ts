import { TICKS_PER_MICROSECOND, TICKS_PER_MILLISECOND } from '../../kernel/index.ts';
import { findSound, SB16_RATE, type Sb16Bench, TAIL_FRAMES } from './bench.ts';
import type { PlayOperation, QuietOperation } from './diff-operations.ts';
import { frameBytes, testSound } from './pcm.ts';

const END_LIMIT_TICKS = 1500 * TICKS_PER_MILLISECOND;
const QUIET_TICKS = 30 * TICKS_PER_MILLISECOND;

/** What one card made of a transfer, in words and numbers that two cards can be compared by. */
export interface PlayResult {
  /** Interrupts, their bits in 82h, and the end. */
  readonly interrupts: string;
  readonly sound: string;
  /** By how much the samples were higher than those in memory; 0 when the sound was not found, or not compared. */
  readonly middle: number;
  /** The channel's count register at the end. */
  readonly count: number;
}

/** Plays it. `meanwhile` carries out what is to be done while it runs, as far as the card has not interrupted by then. */
export function playOn(
  bench: Sb16Bench,
  operation: PlayOperation,
  meanwhile: (operation: QuietOperation, index: number) => void,
): PlayResult {
  const { pcm, autoInitialize, frames, rate, dataSeed } = operation;
  const width = pcm.bits;
  const tail = autoInitialize ? frames : TAIL_FRAMES;
  const { bytes, expected } = testSound(pcm, frames, dataSeed, tail);
  const events: string[] = [];
  bench.card.freeRam();
  const recorded = bench.record(() => {
    bench.feed(width, bench.buffer(bytes), bytes.length, autoInitialize);
    if ('hz' in rate) bench.setRate(rate.hz);
    else bench.dsp(0x40, rate.timeConstant);
    start(bench, operation, autoInitialize ? frames : frames + tail);
    pause(bench, operation);
    for (const [index, quiet] of operation.meanwhile.entries()) {
      if (bench.asserted) break;
      meanwhile(quiet, index);
    }
    events.push(interrupt(bench, width));
    if (autoInitialize) {
      bench.dsp(width === 8 ? 0xda : 0xd9);
      events.push(interrupt(bench, width));
      // A machine in real time may have begun with the next block before the exit was heard.
      if (bench.card.realTime) bench.card.letTimePass(bench.ticksOf(frames, 16_000));
      bench.acknowledge(width);
    }
    events.push(bench.staysQuiet(QUIET_TICKS) ? 'quiet' : 'still more');
  });
  const result = { interrupts: events.join(', '), count: bench.card.readDmaCount(bench.channel(width)) };
  if (!('hz' in rate) || rate.hz !== SB16_RATE) return { ...result, sound: 'not compared', middle: 0 };
  return { ...result, ...describe(recorded, expected) };
}

function start(bench: Sb16Bench, { command, pcm, autoInitialize }: PlayOperation, frames: number): void {
  const units = (frames * frameBytes(pcm)) / (pcm.bits >> 3);
  switch (command) {
    case 'programmed':
    case 'programmed with FIFO':
      bench.transfer(pcm, (autoInitialize ? 4 : 0) | (command === 'programmed' ? 0 : 2), units);
      break;
    case '14h':
      bench.dsp(0x14, (units - 1) & 0xff, (units - 1) >> 8);
      break;
    default:
      bench.setBlockSize(units);
      bench.dsp(Number.parseInt(command, 16));
  }
}

function pause(bench: Sb16Bench, { pcm, pauseMicroseconds }: PlayOperation): void {
  if (pauseMicroseconds === null) return;
  const [pauseCommand, continueCommand] = pcm.bits === 8 ? [0xd0, 0xd4] : [0xd5, 0xd6];
  bench.dsp(pauseCommand);
  bench.card.letTimePass(pauseMicroseconds * TICKS_PER_MICROSECOND);
  bench.dsp(continueCommand);
}

/** Waits for the next interrupt and acknowledges it. */
function interrupt(bench: Sb16Bench, width: 8 | 16): string {
  if (!bench.waitInterrupt(END_LIMIT_TICKS)) return 'no interrupt';
  const status = bench.interruptStatus;
  bench.acknowledge(width);
  return `interrupt ${status}${bench.asserted ? ', which stays' : ''}`;
}

function describe(
  recorded: Int16Array,
  expected: Int16Array,
): { readonly sound: string; readonly middle: number } {
  const at = findSound(recorded, expected);
  if (at < 0) return { sound: 'the beginning is not in the recording', middle: 0 };
  const middle = (recorded[at] as number) - (expected[0] as number);
  for (let i = 0; i < expected.length; i++) {
    const heard = recorded[at + i];
    if (heard === undefined) return { sound: `ends after ${i} of ${expected.length} samples`, middle };
    if (heard - middle !== expected[i])
      return {
        sound: `sample ${i} of ${expected.length} is ${heard - middle}, in memory ${expected[i]}`,
        middle,
      };
  }
  return { sound: 'all samples as in memory', middle };
}
