import { AK_REGISTERS } from '../../hardware/es1370/ak4531.ts';
import {
  type ChannelName,
  CODEC,
  CONTROL,
  CTL_ADC_EN,
  CTL_DAC1_EN,
  CTL_DAC2_EN,
  CTL_UART_EN,
  ES1370_REGISTER_BYTES,
  MEMPAGE,
  PAGE_ADC,
  PAGE_DAC,
  PAGE_WINDOW,
  SER_P1_SCT_RLD,
  SER_WRITABLE,
  SERIAL,
  STATUS,
  UART_TEST,
} from '../../hardware/es1370/registers.ts';
import type { AccessSize } from '../../kernel/index.ts';
import type { TrafficGenerator } from '../diff/index.ts';
import type { SeededRandom } from '../seeded-random.ts';
import { CHANNELS, DACS, MAPS } from './bench.ts';
import type { Es1370Operation } from './diff-operations.ts';
import { bytesPerFrame, FORMATS, STEREO_16 } from './pcm.ts';

/** Steps between the start of a channel and the comparison that ends it, at most. */
const STEPS_WHILE_RUNNING = 10;
/** Enables of channels, and of the UART, whose interrupts the other side does not have. */
const STARTING_BITS = CTL_DAC1_EN | CTL_DAC2_EN | CTL_ADC_EN | CTL_UART_EN;

interface Running {
  readonly interrupt: boolean;
  paused: boolean;
}

/** Makes traffic that looks like a driver's, with unusual steps in between, and remembers enough not to ask for the impossible. */
export class Es1370Generator implements TrafficGenerator<Es1370Operation> {
  readonly #random: SeededRandom;
  readonly #running = new Map<ChannelName, Running>();
  #stepsWhileRunning = 0;
  #input = false;

  constructor(random: SeededRandom) {
    this.#random = random;
  }

  wire(input: boolean): Es1370Operation {
    this.#input = input;
    this.#running.clear();
    return { kind: 'wire', input };
  }

  next(): Es1370Operation {
    if (this.#running.size > 0 && ++this.#stepsWhileRunning > STEPS_WHILE_RUNNING) return this.settle();
    return this.#random.weighted<() => Es1370Operation>([
      [44, () => this.#read()],
      [28, () => this.#write()],
      [7, () => this.#run()],
      [6, () => this.#interrupt()],
      [3, () => this.#pause()],
      [2, () => this.#stop()],
      [5, () => ({ kind: 'pass', microseconds: 100 + this.#random.below(4000) })],
      [2, () => this.settle()],
    ])();
  }

  settle(): Es1370Operation {
    this.#running.clear();
    this.#stepsWhileRunning = 0;
    return { kind: 'settle' };
  }

  #read(): Es1370Operation {
    const random = this.#random;
    if (random.chance(6)) {
      const size = random.pick([1, 2] as const);
      return { kind: 'read', offset: random.below(ES1370_REGISTER_BYTES / size) * size, size };
    }
    const offset = random.weighted([
      [3, CONTROL],
      [6, STATUS],
      [3, MEMPAGE],
      [4, SERIAL],
      [8, MAPS[random.pick(CHANNELS)].countRegister],
      [14, PAGE_WINDOW + 4 * random.below(4)],
      [1, CODEC],
      [2, 4 * random.below(64)],
    ]);
    return { kind: 'read', offset, size: 4 };
  }

  #write(): Es1370Operation {
    const random = this.#random;
    const write = (offset: number, value: number, size: AccessSize = 4): Es1370Operation => ({
      kind: 'write',
      offset,
      size,
      value: value >>> 0,
    });
    const page = () =>
      random.weighted([
        [5, PAGE_DAC],
        [4, PAGE_ADC],
        [1, random.below(16)],
      ]);
    const codec = () =>
      write(CODEC, (random.below(AK_REGISTERS + 2) << 8) | random.below(256), random.pick([2, 4] as const));
    if (this.#running.size > 0) {
      return random.weighted<() => Es1370Operation>([
        [8, () => write(MEMPAGE, page())],
        [1, () => write(STATUS, random.bits())],
        [1, codec],
      ])();
    }
    return random.weighted<() => Es1370Operation>([
      [8, () => write(MEMPAGE, page())],
      [1, () => write(MEMPAGE, page() | 0x50, 1)],
      [5, () => write(CONTROL, random.bits() & ~STARTING_BITS)],
      [5, () => write(SERIAL, random.bits() & SER_WRITABLE & ~SER_P1_SCT_RLD)],
      [1, () => write(SERIAL, random.bits())],
      [5, () => write(MAPS[random.pick(CHANNELS)].countRegister, random.bits())],
      [9, () => write(PAGE_WINDOW + 4 * random.below(4), random.bits())],
      [1, () => write(STATUS, random.bits())],
      [3, codec],
      [1, () => write(random.pick([0x14, 0x18, 0x1c, 0x40, 0xf0]), random.bits())],
      [1, () => write(UART_TEST, random.below(2), 1)],
    ])();
  }

  #run(): Es1370Operation {
    const random = this.#random;
    const free = (this.#input ? CHANNELS : DACS).filter((channel) => !this.#running.has(channel));
    if (free.length === 0) return this.#read();
    const channel = random.pick(free);
    const alone = this.#running.size === 0;
    const format = random.chance(60) ? STEREO_16 : random.pick(FORMATS);
    // Half a second of 16-bit stereo: no turn before it is looked at; or a ring that turns often.
    const dwords = random.chance(60) ? 22_050 : 600 + random.below(4000);
    const interrupt = random.chance(70);
    const clock =
      alone && random.chance(25) ? (channel === 'DAC1' ? random.below(4) : 20 + random.below(200)) : null;
    this.#running.set(channel, { interrupt, paused: false });
    if (alone) this.#stepsWhileRunning = 0;
    return {
      kind: 'run',
      channel,
      format,
      dwords,
      index: random.chance(70) ? 0 : random.below(Math.floor(dwords / bytesPerFrame(format))),
      periodFrames: 441 + random.below(3000),
      interrupt,
      clock,
      dataSeed: random.below(1_000_000),
    };
  }

  #interrupt(): Es1370Operation {
    const asking = [...this.#running].filter(([, { interrupt, paused }]) => interrupt && !paused);
    if (asking.length === 0) return this.#read();
    const [channel] = this.#random.pick(asking);
    return { kind: 'interrupt', channel };
  }

  #pause(): Es1370Operation {
    const dacs = DACS.filter((channel) => this.#running.has(channel));
    if (dacs.length === 0) return this.#read();
    const channel = this.#random.pick(dacs);
    const running = this.#running.get(channel);
    if (running === undefined) return this.#read();
    running.paused = !running.paused;
    return { kind: running.paused ? 'pause' : 'resume', channel };
  }

  #stop(): Es1370Operation {
    const [channel] = this.#running.keys();
    if (channel === undefined) return this.settle();
    this.#running.delete(channel);
    return { kind: 'stop', channel };
  }
}
