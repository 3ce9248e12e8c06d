import { mulDivFloor } from '../../hal/bus.ts';
import type { SampleClock } from '../sample-clock.ts';

const BLOCK_FRAMES = 1024;
const BLOCK_COUNT = 64;

interface TapBlock {
  startTick: number;
  /** Frames per tick: the grid's fraction. */
  numerator: number;
  denominator: number;
  firstFrame: number;
  frames: number;
  /** Interleaved stereo. */
  readonly samples: Float64Array;
}

/**
 * The wire from the mixer's output to the record multiplexer: remembers the last blocks of the mix, each on its own sample grid,
 * and answers what was on the wire at the moments at which the ADC sampled. A DAC holds its value until the next sample, and so
 * does the wire; where nothing was played it is silent. With equal rates every sample is seen exactly once.
 */
export class MixTap {
  readonly #blocks: TapBlock[] = [];
  #next = 0;
  #count = 0;

  /** Adds `frames` frames of the mix, frame number `firstFrame` of `clock` onwards. */
  append(
    samples: Int16Array | Float64Array,
    offset: number,
    frames: number,
    clock: SampleClock,
    firstFrame: number,
  ): void {
    while (frames > 0) {
      const block = this.#blockFor(clock, firstFrame);
      const take = Math.min(frames, BLOCK_FRAMES - block.frames);
      block.samples.set(samples.subarray(offset * 2, (offset + take) * 2), block.frames * 2);
      block.frames += take;
      offset += take;
      firstFrame += take;
      frames -= take;
    }
  }

  clear(): void {
    this.#count = 0;
  }

  /** Fills `into` with the mix as the sample periods `firstFrame` … of the ADC's `clock` find it. */
  read(into: Float64Array, frames: number, clock: SampleClock, firstFrame: number): void {
    into.fill(0, 0, frames * 2);
    let index = 0;
    for (let frame = 0; frame < frames; frame++) {
      while (index < this.#count) {
        const block = this.#blockAt(index);
        const position = positionIn(block, clock, firstFrame + frame);
        if (position >= block.frames) {
          index++;
          continue;
        }
        if (position >= 0) {
          into[frame * 2] = block.samples[position * 2]!;
          into[frame * 2 + 1] = block.samples[position * 2 + 1]!;
        }
        break;
      }
    }
  }

  #blockAt(index: number): TapBlock {
    return this.#blocks[(this.#next - this.#count + index + BLOCK_COUNT) % BLOCK_COUNT]!;
  }

  #blockFor(clock: SampleClock, firstFrame: number): TapBlock {
    if (this.#count > 0) {
      const last = this.#blockAt(this.#count - 1);
      const goesOn =
        last.startTick === clock.startTick &&
        last.numerator === clock.numerator &&
        last.denominator === clock.denominator &&
        last.firstFrame + last.frames === firstFrame &&
        last.frames < BLOCK_FRAMES;
      if (goesOn) return last;
    }
    let block = this.#blocks[this.#next];
    if (block === undefined) {
      block = {
        startTick: 0,
        numerator: 0,
        denominator: 1,
        firstFrame: 0,
        frames: 0,
        samples: new Float64Array(BLOCK_FRAMES * 2),
      };
      this.#blocks[this.#next] = block;
    }
    this.#next = (this.#next + 1) % BLOCK_COUNT;
    this.#count = Math.min(this.#count + 1, BLOCK_COUNT);
    block.startTick = clock.startTick;
    block.numerator = clock.numerator;
    block.denominator = clock.denominator;
    block.firstFrame = firstFrame;
    block.frames = 0;
    return block;
  }
}

/** Which frame of the block is on the wire at the beginning of the ADC's period `frame`. */
function positionIn(block: TapBlock, clock: SampleClock, frame: number): number {
  const { startTick, numerator, denominator, firstFrame } = block;
  if (numerator === clock.numerator && denominator === clock.denominator)
    return mulDivFloor(clock.startTick - startTick, numerator, denominator) + frame - firstFrame;
  return mulDivFloor(clock.tickOf(frame) - startTick, numerator, denominator) - firstFrame;
}
