import {
  CNT_COLD_RESET,
  ENGINE_OFFSET,
  type EngineName,
  GLOB_CNT,
  GLOB_STA,
  NABM_REGISTERS,
} from '../../hardware/ac97/registers.ts';
import { AC97_REGISTERS } from '../../hardware/codecs/ac97-registers.ts';
import type { AccessSize } from '../../kernel/index.ts';
import type { TrafficGenerator } from '../diff/index.ts';
import type { SeededRandom } from '../seeded-random.ts';
import { ENGINES } from './bench.ts';
import type { DiffDescriptor, DiffOperation } from './diff-operations.ts';

/** Sound of one ring in samples at most, so that a run of thousands of steps stays short on a machine in real time. */
const RING_SAMPLES = 5_000;
/** Steps between the start of an engine and the wait for its end, at most. */
const STEPS_WHILE_RUNNING = 8;

/** Offsets of codec registers as traffic meets them: those that exist, and some that do not. */
const CODEC_OFFSETS: readonly number[] = [
  ...AC97_REGISTERS.map(({ offset }) => offset),
  0x24,
  0x2e,
  0x30,
  0x36,
  0x5a,
  0x6c,
  0x74,
];

/** Those that are written; the reset register has an operation of its own. */
const WRITABLE = CODEC_OFFSETS.filter((offset) => offset !== 0x00);
/** Rates and power stay as they are while something runs: see AC97_AVOIDED_TRAFFIC. */
const WRITABLE_WHILE_RUNNING = WRITABLE.filter((offset) => ![0x26, 0x2a, 0x2c, 0x32, 0x34].includes(offset));

/** Makes traffic that looks like a driver's, with unusual steps in between, and remembers enough not to ask for the impossible. */
export class DiffGenerator implements TrafficGenerator<DiffOperation> {
  readonly #random: SeededRandom;
  readonly #running = new Map<EngineName, number>();
  #stepsWhileRunning = 0;
  #input = false;

  constructor(random: SeededRandom) {
    this.#random = random;
  }

  /** Says how both cards are wired from now on. */
  wire(input: boolean): DiffOperation {
    this.#input = input;
    this.#running.clear();
    return { kind: 'wire', input };
  }

  next(): DiffOperation {
    if (this.#running.size > 0 && ++this.#stepsWhileRunning > STEPS_WHILE_RUNNING) return this.settle();
    return this.#random.weighted<() => DiffOperation>([
      [42, () => this.#read()],
      [26, () => this.#write()],
      [6, () => this.#run()],
      [3, () => this.#extend()],
      [5, () => ({ kind: 'pass', microseconds: 100 + this.#random.below(4000) })],
      [2, () => this.#codecReset()],
      [3, () => this.settle()],
      [1, () => this.#abort()],
    ])();
  }

  settle(): DiffOperation {
    this.#running.clear();
    this.#stepsWhileRunning = 0;
    return { kind: 'settle' };
  }

  #read(): DiffOperation {
    const random = this.#random;
    if (random.chance(35)) {
      const size = random.weighted<AccessSize>([
        [92, 2],
        [4, 1],
        [4, 4],
      ]);
      const offset = random.chance(4) ? 0x80 + 2 * random.below(0x3f) : random.pick(CODEC_OFFSETS);
      return { kind: 'read', bar: 0, offset, size };
    }
    if (random.chance(8)) {
      const size = random.pick([1, 2, 4] as const);
      return { kind: 'read', bar: 1, offset: random.below(0x34 / size) * size, size };
    }
    const register = random.pick(NABM_REGISTERS);
    const asDword = (register.offset & 0x0f) >= 4 && register.offset < GLOB_CNT && random.chance(25);
    return asDword
      ? { kind: 'read', bar: 1, offset: register.offset & ~3, size: 4 }
      : { kind: 'read', bar: 1, offset: register.offset, size: register.widthBytes };
  }

  #write(): DiffOperation {
    return this.#random.chance(55) ? this.#writeCodec() : this.#writeBusMaster();
  }

  #writeCodec(): DiffOperation {
    const random = this.#random;
    const offset = random.pick(this.#running.size > 0 ? WRITABLE_WHILE_RUNNING : WRITABLE);
    const size = random.weighted<AccessSize>([
      [97, 2],
      [2, 1],
      [1, 4],
    ]);
    // Our model carries the word of a narrow write, QEMU drops it: written where neither stores anything.
    if (size !== 2) return { kind: 'write', bar: 0, offset: 0x7c, size, value: random.bits() };
    return { kind: 'write', bar: 0, offset, size, value: this.#codecValue(offset) };
  }

  #codecValue(offset: number): number {
    const random = this.#random;
    switch (offset) {
      case 0x2a:
        return random.pick([0x0000, 0x0001, 0x0008, 0x0009]);
      case 0x2c:
      case 0x32:
      case 0x34:
        return random.chance(85)
          ? random.pick([8000, 11_025, 16_000, 22_050, 32_000, 44_100, 48_000])
          : 1 + random.below(0xffff);
      case 0x26:
        return random.chance(70) || this.#running.size > 0
          ? 0
          : random.pick([0x8000, 0x0100, 0x0200, 0x4000]);
      default:
        return random.chance(20) ? random.pick([0xffff, 0x0000, 0x8000]) : random.below(0x1_0000);
    }
  }

  #writeBusMaster(): DiffOperation {
    const random = this.#random;
    const write = (offset: number, size: AccessSize, value: number): DiffOperation => ({
      kind: 'write',
      bar: 1,
      offset,
      size,
      value,
    });
    const idle = ENGINES.filter((engine) => !this.#running.has(engine));
    if (idle.length === 0 || random.chance(20)) {
      return random.weighted<() => DiffOperation>([
        [4, () => write(GLOB_CNT, 4, CNT_COLD_RESET | random.pick([0, 0x01, 0x10, 0x20, 0x31]))],
        [3, () => write(GLOB_STA, 4, random.pick([0, 0x8c01, 0x0ce6]))],
        [1, () => write(GLOB_STA, 4, random.pick([0x1_0000, 0x3_0000]))],
      ])();
    }
    const engine = random.pick(idle);
    const base = ENGINE_OFFSET[engine];
    return random.weighted<() => DiffOperation>([
      [3, () => write(base, 4, random.bits())],
      [4, () => write(base + 5, 1, random.below(256))],
      [
        4,
        () =>
          write(
            base + 6,
            2,
            random.weighted([
              [3, 0x1c],
              [2, 0x08],
              [2, 0x04],
              [1, 0x00],
              [1, 0xffff],
            ]),
          ),
      ],
      // The enables, without RPBM and RR.
      [3, () => write(base + 0x0b, 1, 4 * random.below(8))],
      [2, () => write(base + 0x0b, 1, 0x02)],
      [1, () => write(base + random.pick([4, 8, 0x0a]), 1, random.below(256))],
    ])();
  }

  #run(): DiffOperation {
    const random = this.#random;
    const captures = this.#running.has('PI') || this.#running.has('MC');
    const free = (this.#input && !captures ? ENGINES : (['PO'] as const)).filter(
      (engine) => !this.#running.has(engine),
    );
    if (free.length === 0) return this.#read();
    const engine = random.pick(free);
    const descriptors = this.#descriptors();
    this.#running.set(engine, descriptors.length);
    if (this.#running.size === 1) this.#stepsWhileRunning = 0;
    return {
      kind: 'run',
      engine,
      descriptors,
      enables: 4 * random.below(8),
      rate: random.chance(70) ? 48_000 : random.pick([44_100, 32_000, 22_050]),
      dataSeed: random.below(1_000_000),
    };
  }

  #descriptors(): readonly DiffDescriptor[] {
    const random = this.#random;
    const count = random.chance(10) ? 32 : 1 + random.below(8);
    let left = RING_SAMPLES;
    const descriptors: DiffDescriptor[] = [];
    for (let i = 0; i < count; i++) {
      const longest = Math.min(left - 2 * (count - i), random.chance(30) ? 80 : 2000);
      const empty = i < count - 1 && i > 0 && random.chance(6);
      const samples = empty ? 0 : 2 + 2 * random.below(Math.max(longest / 2, 1));
      left -= samples;
      descriptors.push({
        samples,
        ioc: random.chance(40),
        bup: random.chance(20),
        offset: 4 * random.below(1024),
      });
    }
    return descriptors;
  }

  #extend(): DiffOperation {
    const [engine] = this.#running.keys();
    if (engine === undefined) return this.#read();
    const count = this.#running.get(engine) ?? 1;
    // All 32 descriptors are filled in: those behind the ring's end are short.
    const lvi = Math.min(31, count - 1 + 1 + this.#random.below(4));
    this.#running.set(engine, lvi + 1);
    return { kind: 'extend', engine, lvi };
  }

  #codecReset(): DiffOperation {
    return this.#running.size > 0 ? this.#read() : { kind: 'codecReset' };
  }

  #abort(): DiffOperation {
    const [engine] = this.#running.keys();
    if (engine === undefined) return this.settle();
    this.#running.delete(engine);
    return { kind: 'abort', engine };
  }
}
