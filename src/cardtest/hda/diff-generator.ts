import * as R from '../../hardware/hda/registers.ts';
import * as V from '../../hardware/hda/verbs.ts';
import type { AccessSize } from '../../kernel/index.ts';
import type { TrafficGenerator } from '../diff/index.ts';
import type { SeededRandom } from '../seeded-random.ts';
import type { HdaDiffCommand, HdaDiffEntry, HdaOperation } from './diff-operations.ts';

/** Bytes of one run at most, so that a run of thousands of steps stays short on a machine in real time. */
const RUN_BYTES = 9600;
/** Steps between the start of a stream and the wait for its end, at most. */
const STEPS_WHILE_RUNNING = 8;
/** Stream numbers of runs; idle descriptors get others. */
const RUN_TAGS = 7;
const FIRST_IDLE_TAG = 8;
const DAC = 2;
const ADC = 4;
const FORMATS = [0x0011, 0x4011, 0x0811, 0x4811, 0x0211, 0x0a11, 0x4111, 0x0010] as const;
/** Codec parameters, and a few that there are not. */
const PARAMETERS = 0x16;

/** A register that can be written at any time, with the values that traffic writes. */
interface Target {
  readonly offset: number;
  readonly size: AccessSize;
  readonly value: (random: SeededRandom) => number;
}

const anyBits = (random: SeededRandom): number => random.bits();
const oneOf =
  (...values: readonly [number, ...number[]]) =>
  (random: SeededRandom): number =>
    random.pick(values);

const GLOBAL_TARGETS: readonly Target[] = [
  { offset: R.GCTL, size: 4, value: oneOf(R.GCTL_CRST, R.GCTL_CRST | R.GCTL_UNSOL) },
  { offset: R.WAKEEN, size: 2, value: (random) => random.below(0x1_0000) },
  { offset: R.STATESTS, size: 2, value: oneOf(0xffff, 0x7fff) },
  { offset: R.INTCTL, size: 4, value: anyBits },
  { offset: R.INTCTL, size: 4, value: oneOf(0x8000_0000, 0xc000_00ff, 0x4000_0010, 0xc000_0011, 0) },
  { offset: R.CORBLBASE, size: 4, value: anyBits },
  { offset: R.CORBUBASE, size: 4, value: anyBits },
  { offset: R.CORBCTL, size: 1, value: oneOf(0, R.CORBCTL_CMEIE, 0xf8) },
  { offset: R.CORBSTS, size: 1, value: oneOf(0xff, 1) },
  { offset: R.CORBSIZE, size: 1, value: anyBits },
  { offset: R.RIRBLBASE, size: 4, value: anyBits },
  { offset: R.RIRBUBASE, size: 4, value: anyBits },
  { offset: R.RIRBWP, size: 2, value: (random) => random.below(0x1_0000) },
  { offset: R.RINTCNT, size: 2, value: (random) => random.below(0x1_0000) },
  { offset: R.RIRBCTL, size: 1, value: oneOf(0, R.RIRBCTL_OIC, 0xf8, R.RIRBCTL_RINTCTL) },
  { offset: R.RIRBSTS, size: 1, value: oneOf(0xff, 5) },
  { offset: R.RIRBSIZE, size: 1, value: anyBits },
  { offset: R.ICOI, size: 4, value: anyBits },
  { offset: R.ICII, size: 4, value: anyBits },
  { offset: R.DPLBASE, size: 4, value: (random) => (random.bits() & ~1) >>> 0 },
  { offset: R.DPUBASE, size: 4, value: anyBits },
  { offset: R.GCAP, size: 2, value: anyBits },
  { offset: R.WALCLK, size: 4, value: anyBits },
  { offset: 0x14, size: 4, value: anyBits },
  { offset: 0x78, size: 4, value: anyBits },
];

const STREAM_TARGETS: readonly Target[] = [
  { offset: R.SD_CTL, size: 1, value: (random) => random.below(8) << 2 },
  {
    offset: R.SD_CTL + 2,
    size: 1,
    value: (random) => ((FIRST_IDLE_TAG + random.below(8)) << 4) | random.below(16),
  },
  { offset: R.SD_STS, size: 1, value: oneOf(0xff, R.STS_WRITE_CLEAR) },
  { offset: R.SD_LPIB, size: 4, value: anyBits },
  { offset: R.SD_CBL, size: 4, value: anyBits },
  { offset: R.SD_LVI, size: 2, value: (random) => random.below(0x1_0000) },
  { offset: R.SD_FMT, size: 2, value: (random) => random.below(0x1_0000) },
  { offset: R.SD_BDPL, size: 4, value: anyBits },
  { offset: R.SD_BDPU, size: 4, value: anyBits },
];

/** Makes traffic that looks like a driver's, with unusual steps in between, and remembers enough not to ask for the impossible. */
export class HdaDiffGenerator implements TrafficGenerator<HdaOperation> {
  readonly #random: SeededRandom;
  readonly #running = new Set<number>();
  #stepsWhileRunning = 0;
  #input = false;

  constructor(random: SeededRandom) {
    this.#random = random;
  }

  wire(input: boolean): HdaOperation {
    this.#input = input;
    this.#running.clear();
    return { kind: 'wire', input };
  }

  next(): HdaOperation {
    if (this.#running.size > 0 && ++this.#stepsWhileRunning > STEPS_WHILE_RUNNING) return this.settle();
    return this.#random.weighted<() => HdaOperation>([
      [34, () => this.#read()],
      [26, () => this.#write()],
      [18, () => ({ kind: 'command', ...this.#command() })],
      [6, () => this.#commands()],
      [4, () => this.#run()],
      [4, () => this.#streamReset()],
      [4, () => ({ kind: 'pass', microseconds: 100 + this.#random.below(3000) })],
      [1, () => this.#reset()],
      [2, () => this.settle()],
      [1, () => this.#abort()],
    ])();
  }

  settle(): HdaOperation {
    this.#running.clear();
    this.#stepsWhileRunning = 0;
    return { kind: 'settle' };
  }

  #read(): HdaOperation {
    const random = this.#random;
    if (random.chance(8)) {
      const size = random.pick([1, 2, 4] as const);
      return { kind: 'read', offset: random.below(0x180 / size) * size, size };
    }
    const { offset, widthBytes } = random.pick(R.HDA_REGISTERS);
    if (widthBytes !== 3) return { kind: 'read', offset, size: widthBytes };
    return random.pick([
      { kind: 'read', offset, size: 4 },
      { kind: 'read', offset: offset + 2, size: 1 },
    ] as const);
  }

  #write(): HdaOperation {
    const random = this.#random;
    if (random.chance(45)) {
      const { offset, size, value } = random.pick(GLOBAL_TARGETS);
      return { kind: 'write', offset, size, value: cut(value(random), size) };
    }
    const idle = Array.from({ length: R.HDA_STREAMS }, (_, stream) => stream).filter(
      (stream) => !this.#running.has(stream),
    );
    const base = R.SD_BASE + R.SD_BYTES * random.pick(idle);
    const { offset, size, value } = random.pick(STREAM_TARGETS);
    return { kind: 'write', offset: base + offset, size, value: cut(value(random), size) };
  }

  #command(): HdaDiffCommand {
    const random = this.#random;
    // Nobody is at address 2.
    const codec = random.chance(2) ? 2 : 0;
    const node = () => random.below(8);
    const make = (nid: number, verb: number, payload: number): HdaDiffCommand => ({
      codec,
      nid,
      verb,
      payload,
    });
    return random.weighted<() => HdaDiffCommand>([
      [30, () => make(node(), V.GET_PARAMETER, random.below(PARAMETERS))],
      [6, () => make(node(), V.GET_CONNECTION_LIST, random.below(6))],
      [5, () => make(node(), V.GET_CONFIG_DEFAULT, 0)],
      [5, () => make(node(), V.GET_SUBSYSTEM_ID, 0)],
      [5, () => make(node(), V.GET_PIN_CONTROL, 0)],
      [8, () => make(node(), V.GET_FORMAT, 0)],
      [8, () => make(node(), V.GET_STREAM_CHANNEL, 0)],
      [12, () => make(node(), V.GET_AMP, random.below(4) * 0x2000 + random.below(2) * 0x8000)],
      [5, () => make(node(), random.pick([V.GET_POWER_STATE, V.GET_SDI_SELECT, V.GET_CONNECTION_SELECT]), 0)],
      [
        4,
        () =>
          make(node(), random.pick([V.GET_PIN_SENSE, V.GET_EAPD_BTL, V.GET_UNSOLICITED, 0xf3c, 0x7b0]), 0),
      ],
      [3, () => make(1, V.SET_POWER_STATE, random.below(4))],
      // What is heard stays as it is while something runs.
      [22, () => (this.#running.size > 0 ? make(node(), V.GET_PARAMETER, 9) : this.#set(make))],
    ])();
  }

  #set(make: (nid: number, verb: number, payload: number) => HdaDiffCommand): HdaDiffCommand {
    const random = this.#random;
    return random.weighted<() => HdaDiffCommand>([
      [4, () => make(random.pick([3, 5]), V.SET_PIN_CONTROL, random.below(256))],
      [12, () => this.#setAmp(make)],
      [6, () => this.#setConverter(make)],
    ])();
  }

  #setAmp(make: (nid: number, verb: number, payload: number) => HdaDiffCommand): HdaDiffCommand {
    const random = this.#random;
    const low = random.below(0x1000) | (random.below(4) << 12);
    return random.chance(50)
      ? make(DAC, V.SET_AMP, V.AMP_SET_OUTPUT | low)
      : make(ADC, V.SET_AMP, V.AMP_SET_INPUT | low);
  }

  #setConverter(make: (nid: number, verb: number, payload: number) => HdaDiffCommand): HdaDiffCommand {
    const random = this.#random;
    const nid = random.pick([DAC, ADC]);
    return random.chance(50)
      ? make(nid, V.SET_FORMAT, random.pick(FORMATS))
      : make(nid, V.SET_STREAM_CHANNEL, random.below(256));
  }

  #commands(): HdaOperation {
    const random = this.#random;
    const count = 1 + random.below(random.chance(10) ? 200 : 12);
    return {
      kind: 'commands',
      commands: Array.from({ length: count }, () => this.#command()),
      rintcnt: 1 + random.below(255),
    };
  }

  #run(): HdaOperation {
    const random = this.#random;
    const plays = [...this.#running].some((stream) => stream >= R.HDA_INPUT_STREAMS);
    const records = [...this.#running].some((stream) => stream < R.HDA_INPUT_STREAMS);
    const streams = Array.from({ length: R.HDA_STREAMS }, (_, stream) => stream).filter((stream) =>
      stream < R.HDA_INPUT_STREAMS ? this.#input && !records : !plays,
    );
    // What is run first decides how the codec is set.
    if (streams.length === 0 || this.#running.size > 0) return this.#read();
    const stream = random.pick(streams);
    this.#running.add(stream);
    this.#stepsWhileRunning = 0;
    return {
      kind: 'run',
      stream,
      tag: 1 + random.below(RUN_TAGS),
      entries: this.#entries(),
      enables: 4 * random.below(8),
      positions: random.chance(40),
      dataSeed: random.below(1_000_000),
    };
  }

  #entries(): readonly HdaDiffEntry[] {
    const random = this.#random;
    const count = random.chance(10) ? 250 : 1 + random.below(12);
    let left = RUN_BYTES;
    return Array.from({ length: count }, (_, index) => {
      const longest = Math.max(1, Math.min((left - 4 * (count - index)) / 4, random.chance(30) ? 40 : 1000));
      const bytes = 4 + 4 * random.below(longest);
      left -= bytes;
      return { bytes, ioc: random.chance(30) };
    });
  }

  #streamReset(): HdaOperation {
    const stream = this.#random.below(R.HDA_STREAMS);
    return this.#running.has(stream) ? this.#read() : { kind: 'streamReset', stream };
  }

  #reset(): HdaOperation {
    return this.#running.size > 0 ? this.#read() : { kind: 'reset' };
  }

  #abort(): HdaOperation {
    const [stream] = this.#running;
    if (stream === undefined) return this.settle();
    this.#running.delete(stream);
    return { kind: 'abort', stream };
  }
}

function cut(value: number, size: AccessSize): number {
  return size === 4 ? value >>> 0 : value & (size === 2 ? 0xffff : 0xff);
}
