import {
  MIX_INTERRUPT_STATUS,
  MIX_MASTER_LEFT,
  MIX_MASTER_RIGHT,
  MIX_RESET,
  MIX_VOICE_LEFT,
  MIX_VOICE_RIGHT,
  SB_DSP_ACK_16,
  SB_DSP_READ_DATA,
  SB_DSP_READ_STATUS,
  SB_DSP_READY,
  SB_DSP_RESET,
  SB_DSP_WRITE,
  SB_DSP_WRITE_STATUS,
  SB_MIXER_DATA,
  SB_MIXER_INDEX,
  SB_STATUS_BIT,
} from '../../hardware/sb16/registers.ts';
import { TICKS_PER_MICROSECOND, TICKS_PER_MILLISECOND, TICKS_PER_SECOND } from '../../kernel/index.ts';
import type { CardSignal, IsaCardUnderTest } from '../card-under-test.ts';
import { type Expectations, hex } from '../check.ts';
import { type PcmKind, S16_MONO, silenceByte } from './pcm.ts';

/** Rate at which both kinds of machine record, and which both kinds of card play bit by bit. */
export const SB16_RATE = 44_100;
/** The guide asks for 3 µs of reset at least. */
const RESET_PULSE_TICKS = 10 * TICKS_PER_MICROSECOND;
/** The guide says "about 100 µs" to AAh; a machine in real time may be busy for a while. */
const READY_LIMIT_TICKS = 20 * TICKS_PER_MILLISECOND;
const REPLY_LIMIT_TICKS = 2 * TICKS_PER_MILLISECOND;
const WRITE_LIMIT_TICKS = 20 * TICKS_PER_MILLISECOND;
/** What follows a test sound in its buffer. */
export const TAIL_FRAMES = 3072;
/** More than QEMU's mixer holds. */
const FLUSH_FRAMES = 2048;
/** Below what the bench allocates: on a machine that does not isolate DMA. */
const FLUSH_ADDRESS = 0x10_0000;
/** The copyright text is the longest that a DSP says. */
const LONGEST_REPLY_BYTES = 64;
const UNITY = 0xf8;

/** Where a transfer goes wrong, time is not waited out for ever: what a block may take beyond its length. */
export interface TimeLimits {
  readonly early: number;
  readonly late: number;
}

/** Replies as {@link Sb16Bench.replies} gives them, for a report. */
export function repliesText(replies: readonly number[]): string {
  return replies.map((reply) => (reply < 0 ? 'none' : hex(reply))).join(' ');
}

/** A Sound Blaster 16 by its registers' names. */
export class Sb16Bench {
  readonly card: IsaCardUnderTest;
  /** A check moved the card elsewhere on the bus, or may have. */
  moved = false;

  constructor(card: IsaCardUnderTest) {
    this.card = card;
  }

  // --- ports ---

  read(offset: number): number {
    return this.card.readPort(this.card.resources.base + offset);
  }

  write(offset: number, value: number): void {
    this.card.writePort(this.card.resources.base + offset, value);
  }

  readMixer(index: number): number {
    this.write(SB_MIXER_INDEX, index);
    return this.read(SB_MIXER_DATA);
  }

  writeMixer(index: number, value: number): void {
    this.write(SB_MIXER_INDEX, index);
    this.write(SB_MIXER_DATA, value);
  }

  /** The three sources' bits of the interrupt status register. */
  get interruptStatus(): number {
    return this.readMixer(MIX_INTERRUPT_STATUS) & 7;
  }

  get asserted(): boolean {
    return this.card.interruptAsserted;
  }

  /** Reads the port that acknowledges this width. */
  acknowledge(width: 8 | 16): void {
    this.read(width === 8 ? SB_DSP_READ_STATUS : SB_DSP_ACK_16);
  }

  // --- the DSP ---

  get replyWaits(): boolean {
    return (this.read(SB_DSP_READ_STATUS) & SB_STATUS_BIT) !== 0;
  }

  get busy(): boolean {
    return (this.read(SB_DSP_WRITE_STATUS) & SB_STATUS_BIT) !== 0;
  }

  /** Commands and operands, each when the DSP takes it. */
  dsp(...bytes: readonly number[]): void {
    for (const byte of bytes) {
      if (this.busy) this.card.waitUntil(() => !this.busy, WRITE_LIMIT_TICKS);
      this.write(SB_DSP_WRITE, byte);
    }
  }

  /** The next replies; −1 for one that does not come. Asking for them acknowledges the 8-bit interrupt. */
  replies(count: number): number[] {
    const replies: number[] = [];
    while (replies.length < count) {
      if (!this.card.waitUntil(() => this.replyWaits, REPLY_LIMIT_TICKS)) {
        replies.push(...Array.from({ length: count - replies.length }, () => -1));
        break;
      }
      replies.push(this.read(SB_DSP_READ_DATA));
    }
    return replies;
  }

  /** One command with its operands, and its replies. */
  ask(count: number, ...bytes: readonly number[]): number[] {
    this.dsp(...bytes);
    return this.replies(count);
  }

  /** The same, which must be these. */
  expectReplies(
    expect: Expectations,
    what: string,
    command: readonly number[],
    expected: readonly number[],
  ): void {
    const observed = this.ask(expected.length, ...command);
    const same = expected.every((reply, index) => observed[index] === reply);
    expect.that(what, same, repliesText(expected), repliesText(observed));
  }

  /** The reset pulse without what follows. */
  pulseReset(): void {
    this.write(SB_DSP_RESET, 1);
    this.card.letTimePass(RESET_PULSE_TICKS);
    this.write(SB_DSP_RESET, 0);
  }

  /** Resets the DSP and takes its AAh; true when it came. */
  resetDsp(): boolean {
    this.pulseReset();
    return (
      this.card.waitUntil(() => this.replyWaits, READY_LIMIT_TICKS) &&
      this.read(SB_DSP_READ_DATA) === SB_DSP_READY
    );
  }

  /** Sample rate by 41h. */
  setRate(hz: number): void {
    this.dsp(0x41, hz >> 8, hz & 0xff);
  }

  /** 48h. */
  setBlockSize(units: number): void {
    this.dsp(0x48, (units - 1) & 0xff, (units - 1) >> 8);
  }

  /** A Bxh or Cxh command for this coding: `bits` are those of its low half (8 ADC, 4 auto-initialize, 2 FIFO). */
  transfer(kind: PcmKind, bits: number, units: number): void {
    const mode = (kind.signed ? 0x10 : 0) | (kind.stereo ? 0x20 : 0);
    this.dsp((kind.bits === 16 ? 0xb0 : 0xc0) | bits, mode, (units - 1) & 0xff, (units - 1) >> 8);
  }

  // --- states ---

  /** DSP reset, mixer at its defaults, nothing pending, channels closed, MPU-401 and FM chip at rest; all RAM given back. */
  prepare(): void {
    const { card } = this;
    const { mpuBase, fmBase, dma8, dma16 } = card.resources;
    if (this.moved) {
      card.configure();
      this.moved = false;
    }
    for (const channel of [dma8, dma16]) card.maskDma(channel, true);
    this.resetDsp();
    for (let i = 0; i < LONGEST_REPLY_BYTES && this.replyWaits; i++) this.read(SB_DSP_READ_DATA);
    this.writeMixer(MIX_RESET, 0);
    this.acknowledge(8);
    this.acknowledge(16);
    if (mpuBase !== null) this.#resetMpu(mpuBase);
    if (fmBase !== null) this.#silenceFm(fmBase);
    card.freeRam();
  }

  #resetMpu(base: number): void {
    const { card } = this;
    card.writePort(base + 1, 0xff);
    card.letTimePass(TICKS_PER_MILLISECOND);
    for (let i = 0; i < LONGEST_REPLY_BYTES && (card.readPort(base + 1) & 0x80) === 0; i++)
      card.readPort(base);
  }

  #silenceFm(base: number): void {
    const write = (bank: 0 | 1, register: number, value: number) => {
      this.card.writePort(base + 2 * bank, register);
      this.card.writePort(base + 2 * bank + 1, value);
    };
    write(0, 0x04, 0x60);
    write(0, 0x04, 0x80);
    write(1, 0x05, 0x01);
    for (const bank of [0, 1] as const) {
      // Release at once, then let go of all keys.
      for (let operator = 0; operator < 0x16; operator++) write(bank, 0x80 + operator, 0xff);
      for (let channel = 0; channel < 9; channel++) write(bank, 0xb0 + channel, 0);
    }
    write(0, 0xbd, 0);
    write(1, 0x05, 0x00);
    // Their last samples are not to be heard in the next check.
    this.card.letTimePass(20 * TICKS_PER_MILLISECOND);
  }

  /** Voice and master at 0 dB: samples pass unchanged. */
  unity(): void {
    for (const index of [MIX_MASTER_LEFT, MIX_MASTER_RIGHT, MIX_VOICE_LEFT, MIX_VOICE_RIGHT])
      this.writeMixer(index, UNITY);
  }

  // --- memory and DMA ---

  /** A buffer with these bytes in it. */
  buffer(bytes: Uint8Array): number {
    const address = this.card.allocateRam(bytes.length, 4);
    this.card.writeRam(address, bytes);
    return address;
  }

  channel(width: 8 | 16): number {
    const { dma8, dma16 } = this.card.resources;
    return width === 8 ? dma8 : dma16;
  }

  /** Opens the channel of this width on a buffer from memory to card. */
  feed(width: 8 | 16, address: number, bytes: number, autoInitialize = false): void {
    this.card.programDma(this.channel(width), { address, bytes, direction: 'toCard', autoInitialize });
  }

  /** Opens the channel of this width on a buffer that is to be filled. */
  drain(width: 8 | 16, address: number, bytes: number, autoInitialize = false): void {
    this.card.programDma(this.channel(width), { address, bytes, direction: 'toMemory', autoInitialize });
  }

  /** A channel open on silence: for transfers of which only the time matters. Returns the bytes. */
  feedSilence(kind: PcmKind, bytes: number, autoInitialize = false): void {
    const address = this.buffer(new Uint8Array(bytes).fill(silenceByte(kind)));
    this.feed(kind.bits, address, bytes, autoInitialize);
  }

  // --- time ---

  /** How far from its exact time an event of the card may be: QEMU moves sound every 10 ms, and what its mixer holds ahead of time. */
  get limits(): TimeLimits {
    return this.card.realTime
      ? { early: 60 * TICKS_PER_MILLISECOND, late: 150 * TICKS_PER_MILLISECOND }
      : { early: 20 * TICKS_PER_MICROSECOND, late: 20 * TICKS_PER_MICROSECOND };
  }

  /** The interrupt of a block that takes this long from now comes, and not too early. Returns whether it came. */
  expectInterruptAfter(expect: Expectations, what: string, ticks: number): boolean {
    const { early, late } = this.limits;
    const { card } = this;
    card.letTimePass(Math.max(ticks - early, 0));
    expect.that(`${what}: before its end`, !this.asserted || ticks <= early, 'no interrupt', 'an interrupt');
    const came = this.waitInterrupt(Math.max(early, 0) + late);
    expect.that(`${what}: at its end`, came, 'an interrupt', 'no interrupt');
    return came;
  }

  waitInterrupt(limitTicks: number): boolean {
    return this.card.waitUntil(() => this.asserted, limitTicks);
  }

  /** No interrupt comes for so long. */
  staysQuiet(ticks: number): boolean {
    return !this.card.waitUntil(() => this.asserted, ticks);
  }

  /** Ticks of so many samples at a rate. */
  ticksOf(frames: number, rate: number): number {
    return Math.ceil((frames * TICKS_PER_SECOND) / rate);
  }

  // --- sound ---

  /** What left the output while `play` ran. The rate is {@link SB16_RATE} before. */
  record(play: () => void): Int16Array {
    if (this.card.realTime) this.#flush();
    this.#catchUp();
    const before = this.card.output.samples.length;
    play();
    this.card.letTimePass((this.card.realTime ? 100 : 2) * TICKS_PER_MILLISECOND);
    this.#catchUp();
    return this.card.output.samples.slice(before);
  }

  /** QEMU's mixer keeps what it had of a sound that was cut off, and adds it to the next one: that is to be silence. */
  #flush(): void {
    this.setRate(SB16_RATE);
    this.feed(16, FLUSH_ADDRESS, FLUSH_FRAMES * 2);
    this.card.writeRam(FLUSH_ADDRESS, new Uint8Array(FLUSH_FRAMES * 2));
    this.transfer(S16_MONO, 0, FLUSH_FRAMES);
    this.waitInterrupt(500 * TICKS_PER_MILLISECOND);
    this.acknowledge(16);
    this.card.letTimePass(30 * TICKS_PER_MILLISECOND);
  }

  /** The same as {@link record}, from the first sound on. */
  recordSound(play: () => void): Int16Array {
    const recorded = this.record(play);
    const first = recorded.findIndex((sample) => sample !== 0);
    return first < 0 ? recorded.subarray(0, 0) : recorded.subarray(first - (first % 2));
  }

  /** A card model catches up with time when it is accessed; reading the mixer changes nothing. */
  #catchUp(): void {
    this.read(SB_MIXER_DATA);
  }
}

const INPUT_PERIOD = 30_000;

/** The signal at the inputs: left counts 1, 2, 3 … 30000 and begins again, right is its negative. */
export const SB16_INPUT_SIGNAL: CardSignal = {
  sampleRate: SB16_RATE,
  channels: 2,
  samples: Int16Array.from({ length: INPUT_PERIOD * 2 }, (_, i) => ((i >> 1) + 1) * ((i & 1) === 0 ? 1 : -1)),
};

/** True when `left` is a stretch of the left side of {@link SB16_INPUT_SIGNAL} without a gap. */
export function isContiguousLeft(left: ArrayLike<number>): boolean {
  for (let i = 0; i < left.length; i++) {
    const value = left[i] as number;
    if (value < 1 || value > INPUT_PERIOD) return false;
    if (i > 0 && value !== ((left[i - 1] as number) % INPUT_PERIOD) + 1) return false;
  }
  return left.length > 1;
}

/** Frames by whose steps a sound is found in a recording. */
const PROBE = 24;

/**
 * Where a sound begins in a recording, by the steps between its samples: a converter whose middle is off plays them, too. -1 when it is
 * not there.
 */
export function findSound(recorded: Int16Array, sound: Int16Array): number {
  const length = Math.min(PROBE, sound.length);
  for (let at = 0; at + length <= recorded.length; at += 2) {
    let i = 1;
    while (
      i < length &&
      (recorded[at + i] as number) - (recorded[at] as number) === (sound[i] as number) - (sound[0] as number)
    )
      i++;
    if (i === length) return at;
  }
  return -1;
}

/** The sound is in the recording, sample by sample; whether the middle of its scale is the recorder's, is a thing of its own. */
export function expectSound(
  expect: Expectations,
  recorded: Int16Array,
  sound: Int16Array,
  what = 'samples',
): void {
  const at = findSound(recorded, sound);
  if (at < 0) {
    const heard = recorded.filter((sample) => sample !== 0).length;
    expect.that(
      what,
      false,
      `${sound.length} values`,
      `its beginning is not there (${recorded.length} values, ${heard} not 0)`,
    );
    return;
  }
  const offset = (recorded[at] as number) - (sound[0] as number);
  const heard = recorded.subarray(at, at + sound.length).map((sample) => sample - offset);
  expect.same(what, heard, sound);
  expect.between(`middle of the scale of ${what}`, offset, 0, 0);
}
