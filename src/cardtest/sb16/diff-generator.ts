import { MIXER_REGISTERS } from '../../hardware/sb16/registers.ts';
import type { SeededRandom } from '../seeded-random.ts';
import { SB16_RATE } from './bench.ts';
import type {
  PlayCommand,
  PlayOperation,
  PlayRate,
  QuietOperation,
  Sb16Operation,
} from './diff-operations.ts';
import { type PcmKind, U8_MONO } from './pcm.ts';

/** Not moved, and with a stereo bit that QEMU knows: see SB16_AVOIDED_TRAFFIC. */
const NOT_WRITTEN = new Set([0x0e, 0x80, 0x81]);
const MIXER_INDICES: readonly number[] = [
  ...MIXER_REGISTERS.map(({ index }) => index),
  0x02,
  0x06,
  0x08,
  0x0c,
  0x20,
  0x48,
  0x7f,
  0x83,
  0xff,
];
const WRITABLE = MIXER_INDICES.filter((index) => !NOT_WRITTEN.has(index));
/** Codes without a command on either card. */
const NO_COMMANDS: readonly number[] = [
  0x00, 0x21, 0x50, 0x60, 0x6f, 0x81, 0xa5, 0xd7, 0xdf, 0xe5, 0xef, 0xff,
];
/** Ports that are read: not those of the FM chip, whose index they are. */
const PORTS: readonly number[] = [0x4, 0x5, 0x6, 0x7, 0xa, 0xb, 0xc, 0xd, 0xe, 0xf];

/** Mixer registers that were written last. */
const REMEMBERED = 4;

/** Makes traffic that looks like a driver's, with unusual steps in between. */
export class Sb16DiffGenerator {
  readonly #random: SeededRandom;
  /** What was written last to the mixer: what is read most. */
  readonly #written: number[] = [];

  constructor(random: SeededRandom) {
    this.#random = random;
  }

  next(): Sb16Operation {
    const random = this.#random;
    return random.weighted<() => Sb16Operation>([
      [60, () => this.#quiet()],
      [14, () => ({ kind: 'read', offset: random.pick(PORTS) })],
      [9, () => this.#requests()],
      [9, () => ({ kind: 'acknowledge', width: random.chance(50) ? 8 : 16 })],
      [4, () => ({ kind: 'reset' })],
      [3, () => this.#partial()],
      [2, () => this.#play()],
    ])();
  }

  #quiet(): QuietOperation {
    const random = this.#random;
    return random.weighted<() => QuietOperation>([
      [36, () => ({ kind: 'command', bytes: this.#question() })],
      [30, () => ({ kind: 'mixerRead', index: this.#readIndex() })],
      [30, () => this.#mixerWrite()],
      [4, () => ({ kind: 'pass', microseconds: 50 + random.below(2000) })],
    ])();
  }

  #readIndex(): number {
    const random = this.#random;
    if (random.chance(5)) return random.below(256);
    return this.#written.length > 0 && random.chance(60)
      ? random.pick(this.#written)
      : random.pick(MIXER_INDICES);
  }

  #mixerWrite(): QuietOperation {
    const random = this.#random;
    const index = random.chance(3) ? 0x00 : random.pick(WRITABLE);
    this.#written.push(index);
    if (this.#written.length > REMEMBERED) this.#written.shift();
    return { kind: 'mixerWrite', index, value: random.below(256) };
  }

  /** What neither moves a volume nor takes long. */
  #meanwhile(): QuietOperation {
    const random = this.#random;
    return random.chance(60)
      ? { kind: 'command', bytes: this.#question() }
      : { kind: 'mixerRead', index: random.pick(MIXER_INDICES) };
  }

  /** A command that answers, or that changes nothing of a transfer. */
  #question(): readonly number[] {
    const random = this.#random;
    const byte = () => random.below(256);
    return random.weighted<() => readonly number[]>([
      [20, () => [0xe0, byte()]],
      [10, () => [0xe1]],
      [10, () => [0xe4, byte()]],
      [12, () => [0xe8]],
      [2, () => [0xe3]],
      [10, () => [0xf9, random.chance(60) ? random.pick([0x0e, 0x0f, 0x37]) : byte()]],
      [4, () => [random.pick([0xd1, 0xd3])]],
      [8, () => [random.pick(NO_COMMANDS)]],
      [3, () => [random.pick([0x0f, 0x04]), byte()]],
      [2, () => [0x0e, byte(), byte()]],
      [2, () => [random.pick([0xf8, 0xfb, 0xfc])]],
    ])();
  }

  /** Commands that leave something behind: interrupt requests, rates, block sizes. */
  #requests(): Sb16Operation {
    const random = this.#random;
    const byte = () => random.below(256);
    return {
      kind: 'command',
      bytes: random.weighted<() => readonly number[]>([
        [10, () => [random.pick([0xf2, 0xf3])]],
        [4, () => [random.pick([0x41, 0x42]), 0x14 + random.below(0x9a), byte()]],
        [4, () => [0x40, random.below(233)]],
        [4, () => [0x48, byte(), byte()]],
      ])(),
    };
  }

  #partial(): Sb16Operation {
    const random = this.#random;
    const bytes = random.pick([
      [0xe0],
      [0xe4],
      [0x40],
      [0x41],
      [0x41, random.below(256)],
      [0x48, random.below(256)],
      [0xb0, random.below(256)],
      [0xc6, random.below(256), random.below(256)],
    ] as const);
    return { kind: 'partial', bytes };
  }

  #play(): PlayOperation {
    const random = this.#random;
    const command = random.weighted<PlayCommand>([
      [6, 'programmed'],
      [3, 'programmed with FIFO'],
      [2, '14h'],
      [2, '1Ch'],
      [1, '90h'],
      [1, '91h'],
    ]);
    const programmed = command === 'programmed' || command === 'programmed with FIFO';
    const pcm: PcmKind = programmed
      ? { bits: random.chance(60) ? 16 : 8, signed: random.chance(60), stereo: random.chance(50) }
      : U8_MONO;
    // Single-cycle blocks of stereo are counted differently: see SB16_AVOIDED_TRAFFIC.
    const autoInitialize = programmed
      ? pcm.stereo || random.chance(50)
      : command === '1Ch' || command === '90h';
    const rate = this.#rate();
    return {
      kind: 'play',
      command,
      pcm,
      autoInitialize,
      rate,
      // Long enough that a machine in real time sees each of its two interrupts.
      frames: 2200 + random.below(1500),
      pauseMicroseconds: random.chance(20) ? 1000 + random.below(20_000) : null,
      meanwhile: Array.from({ length: random.below(5) }, () => this.#meanwhile()),
      dataSeed: random.below(1_000_000),
    };
  }

  #rate(): PlayRate {
    const random = this.#random;
    if (random.chance(65)) return { hz: SB16_RATE };
    return random.chance(50)
      ? { hz: random.pick([22_050, 32_000, 45_000, 16_000]) }
      : { timeConstant: random.pick([211, 233, 225, 206]) };
  }
}
