/** An FM chip in a test slot with the moves that every test of it makes. */
import { MemorySink, type PcmTake } from '../analog.ts';
import { FakeSlot, type FakeSlotOptions } from '../test-slot.ts';
import { Opl3, type Opl3Options } from './opl3.ts';
import { FM_SAMPLE_RATE } from './sample-grid.ts';

/** Registers 20h, 40h, 60h, 80h, E0h of an operator. */
export type OperatorValues = readonly [number, number, number, number, number];

/** An operator that is not heard, and does not modulate: total level 63, no attack. */
export const SILENT_OPERATOR: OperatorValues = [0x20, 0x3f, 0x00, 0x0f, 0];
/** A sine as loud as possible, at once and for as long as the key is down. */
export const PLAIN_OPERATOR: OperatorValues = [0x21, 0x00, 0xf0, 0x0f, 0];

export const SAMPLE_RATE = FM_SAMPLE_RATE.numerator / FM_SAMPLE_RATE.denominator;

export class FmRig {
  readonly slot: FakeSlot;
  readonly sink = new MemorySink();
  readonly chip: Opl3;

  constructor(options: Omit<Opl3Options, 'output'> = {}, slotOptions: FakeSlotOptions = {}) {
    this.slot = new FakeSlot(slotOptions);
    this.chip = new Opl3({ ...options, output: this.sink });
    this.chip.attach(this.slot);
  }

  /** Address and data port of the register's bank. */
  write(register: number, value: number): this {
    const bank = register >= 0x100 ? 2 : 0;
    this.chip.write(bank, 1, register & 0xff);
    this.chip.write(bank + 1, 1, value);
    return this;
  }

  status(): number {
    return this.chip.read(0, 1);
  }

  /** OPL3 mode. */
  opl3(): this {
    return this.write(0x105, 1);
  }

  /** Both operators and the connection of channel 0 … 8 (bank 0). */
  instrument(
    channel: number,
    first: OperatorValues,
    second: OperatorValues,
    feedbackConnection = 0x30,
  ): this {
    const offset = Math.floor(channel / 3) * 8 + (channel % 3);
    for (const [index, group] of [0x20, 0x40, 0x60, 0x80, 0xe0].entries()) {
      this.write(group + offset, first[index]!);
      this.write(group + offset + 3, second[index]!);
    }
    return this.write(0xc0 + channel, feedbackConnection);
  }

  key(channel: number, fNumber: number, block: number, down = true): this {
    this.write(0xa0 + channel, fNumber & 0xff);
    return this.write(0xb0 + channel, (down ? 0x20 : 0) | (block << 2) | (fNumber >> 8));
  }

  advance(ticks: number): this {
    this.slot.clock.advance(ticks);
    return this;
  }

  milliseconds(count: number): this {
    return this.advance(Math.round(count * 10_000));
  }

  /** Everything heard so far; throws when there is nothing. */
  take(): PcmTake {
    this.chip.catchUp();
    const take = this.sink.takes[0];
    if (take === undefined) throw new Error('the chip was not heard');
    return take;
  }

  /** One side of what was heard from the first sample on. */
  side(which: 'left' | 'right' = 'left'): Int16Array {
    const samples = this.take().samples;
    return Int16Array.from(
      { length: samples.length / 2 },
      (_, index) => samples[2 * index + (which === 'left' ? 0 : 1)]!,
    );
  }
}

/** The frequency of a tone in Hz: whole periods between the first and the last rise through zero, interpolated. */
export function frequencyOf(samples: Int16Array, sampleRate = SAMPLE_RATE): number {
  const rises: number[] = [];
  for (let index = 1; index < samples.length; index++) {
    const before = samples[index - 1]!;
    const here = samples[index]!;
    // The chip's zero lies between −1 and 0.
    if (before < 0 && here >= 0) rises.push(index - 1 + (-0.5 - before) / (here - before));
  }
  const first = rises[0] ?? 0;
  const last = rises.at(-1) ?? 0;
  return rises.length < 2 ? 0 : ((rises.length - 1) * sampleRate) / (last - first);
}

/** The amplitude of a spectral line, through a Hann window. */
export function amplitudeAt(samples: Int16Array, hertz: number, sampleRate = SAMPLE_RATE): number {
  let real = 0;
  let imaginary = 0;
  let weight = 0;
  for (let index = 0; index < samples.length; index++) {
    const window = 0.5 - 0.5 * Math.cos((2 * Math.PI * index) / samples.length);
    const angle = (2 * Math.PI * hertz * index) / sampleRate;
    real += samples[index]! * window * Math.cos(angle);
    imaginary += samples[index]! * window * Math.sin(angle);
    weight += window;
  }
  return (2 * Math.hypot(real, imaginary)) / weight;
}
