import { PCI_COMMAND, PCI_COMMAND_BUS_MASTER, PCI_COMMAND_IO } from '../../hal/index.ts';
import {
  AK_AD_IN,
  AK_LIN_SW1,
  AK_LLINE,
  AK_LMASTER,
  AK_OUT_SW1,
  AK_OUT_SW2,
  AK_RESET,
  AK_RIN_SW1,
  AK_RLINE,
  AK_RMASTER,
  OUT_SW2_VOICEL,
  OUT_SW2_VOICER,
  RST_PD,
  RST_RST,
  SW1_FML,
  SW1_FMR,
  SW1_LINEL,
  SW1_LINER,
} from '../../hardware/es1370/ak4531.ts';
import {
  ADC_FRAME,
  ADC_MAP,
  type ChannelMap,
  type ChannelName,
  CODEC,
  CONTROL,
  CTL_CDC_EN,
  CTL_PCLKDIV,
  CTL_PCLKDIV_SHIFT,
  CTL_RESET,
  CTL_WTSRSEL,
  CTL_WTSRSEL_SHIFT,
  DAC1_FRAME,
  DAC1_MAP,
  DAC2_FRAME,
  DAC2_MAP,
  MEMPAGE,
  PAGE_ADC,
  PAGE_DAC,
  SERIAL,
  STAT_CSTAT,
  STAT_INTR,
  STATUS,
} from '../../hardware/es1370/registers.ts';
import { TICKS_PER_MICROSECOND, TICKS_PER_MILLISECOND, TICKS_PER_SECOND } from '../../kernel/index.ts';
import type { CardUnderTest } from '../card-under-test.ts';
import { countingSignal } from '../counting-signal.ts';
import { beginningOf } from '../diff/index.ts';
import { bytesPerFrame, type Es1370Format, silentBytes } from './pcm.ts';

/** Both DACs have this rate exactly, so that it is the recorder's. */
export const ES1370_RATE = 44_100;
/** The signal at the line input. */
export const ES1370_INPUT_SIGNAL = countingSignal(ES1370_RATE);

export const MAPS: Readonly<Record<ChannelName, ChannelMap>> = {
  DAC1: DAC1_MAP,
  DAC2: DAC2_MAP,
  ADC: ADC_MAP,
};
export const CHANNELS: readonly ChannelName[] = ['DAC1', 'DAC2', 'ADC'];
export const DACS: readonly ChannelName[] = ['DAC1', 'DAC2'];

/** Where a channel's buffer registers lie in the memory of the chip. */
const FRAME_PLACE: Readonly<Record<ChannelName, { readonly page: number; readonly offset: number }>> = {
  DAC1: { page: PAGE_DAC, offset: DAC1_FRAME },
  DAC2: { page: PAGE_DAC, offset: DAC2_FRAME },
  ADC: { page: PAGE_ADC, offset: ADC_FRAME },
};

/** PCLKDIV and WTSRSEL at which all channels run at {@link ES1370_RATE}. */
const DIVISOR_44100 = 30 << CTL_PCLKDIV_SHIFT;
const WTSRSEL_44100 = 3 << CTL_WTSRSEL_SHIFT;
/** CONTROL of a card at rest: codec interface on, all channels at 44.1 kHz and off. */
export const CONTROL_AT_REST = CTL_RESET | CTL_CDC_EN | DIVISOR_44100 | WTSRSEL_44100;
const ALL_FORMATS = 0x3f;

const BAR = 0;
const CODEC_LIMIT_TICKS = 10 * TICKS_PER_MILLISECOND;
/** Silence behind a sound in its ring: the ring is played again and again. */
const SILENCE_FRAMES = 4410;

/** A ring to be played or recorded into. */
export interface Es1370Ring {
  readonly address: number;
  readonly dwords: number;
}

/** How a channel is started. */
export interface Es1370Start {
  readonly ring: Es1370Ring;
  readonly format: Es1370Format;
  /** Dword with which it begins. */
  readonly index?: number;
  /** Frames between two interrupts; 441 by default. */
  readonly periodFrames?: number;
  /** Further bits of SERIAL. */
  readonly serial?: number;
}

/** An ES1370 by its registers' names, in BAR0. */
export class Es1370Bench {
  readonly card: CardUnderTest;

  constructor(card: CardUnderTest) {
    this.card = card;
  }

  // --- registers ---

  read(offset: number): number {
    return this.card.readBar(BAR, offset, 4);
  }

  write(offset: number, value: number): void {
    this.card.writeBar(BAR, offset, 4, value >>> 0);
  }

  read8(offset: number): number {
    return this.card.readBar(BAR, offset, 1);
  }

  write8(offset: number, value: number): void {
    this.card.writeBar(BAR, offset, 1, value);
  }

  read16(offset: number): number {
    return this.card.readBar(BAR, offset, 2);
  }

  write16(offset: number, value: number): void {
    this.card.writeBar(BAR, offset, 2, value);
  }

  set(register: number, bits: number): void {
    this.write(register, this.read(register) | bits);
  }

  clear(register: number, bits: number): void {
    this.write(register, this.read(register) & ~bits);
  }

  get status(): number {
    return this.read(STATUS);
  }

  /** A dword of the chip's memory, `offset` in the page window. */
  readPage(page: number, offset: number): number {
    this.write(MEMPAGE, page);
    return this.read(offset);
  }

  writePage(page: number, offset: number, value: number): void {
    this.write(MEMPAGE, page);
    this.write(offset, value);
  }

  frameAddress(name: ChannelName): number {
    const { page, offset } = FRAME_PLACE[name];
    return this.readPage(page, offset);
  }

  /** Dwords less one below, current dword above. */
  sizeRegister(name: ChannelName): number {
    const { page, offset } = FRAME_PLACE[name];
    return this.readPage(page, offset + 4);
  }

  index(name: ChannelName): number {
    return this.sizeRegister(name) >>> 16;
  }

  setFrameAddress(name: ChannelName, address: number): void {
    const { page, offset } = FRAME_PLACE[name];
    this.writePage(page, offset, address);
  }

  setSizeRegister(name: ChannelName, value: number): void {
    const { page, offset } = FRAME_PLACE[name];
    this.writePage(page, offset + 4, value);
  }

  setRing(name: ChannelName, { address, dwords }: Es1370Ring, index = 0): void {
    this.setFrameAddress(name, address);
    this.setSizeRegister(name, (index << 16) | (dwords - 1));
  }

  count(name: ChannelName): number {
    return this.read(MAPS[name].countRegister);
  }

  setPeriod(name: ChannelName, frames: number): void {
    this.write(MAPS[name].countRegister, frames - 1);
  }

  setFormat(name: ChannelName, format: Es1370Format, more = 0): void {
    const { formatShift } = MAPS[name];
    this.write(SERIAL, (this.read(SERIAL) & ~(3 << formatShift)) | (format << formatShift) | more);
  }

  enable(name: ChannelName): void {
    this.set(CONTROL, MAPS[name].enable);
  }

  disable(name: ChannelName): void {
    this.clear(CONTROL, MAPS[name].enable);
  }

  /** Takes the interrupt enable away and gives it back: that is how a request is acknowledged. */
  acknowledge(name: ChannelName): void {
    const { interruptEnable } = MAPS[name];
    this.clear(SERIAL, interruptEnable);
    this.set(SERIAL, interruptEnable);
  }

  isPending(name: ChannelName): boolean {
    return (this.status & MAPS[name].status) !== 0;
  }

  waitPending(name: ChannelName, limitMilliseconds = 500): boolean {
    return this.card.waitUntil(() => this.isPending(name), limitMilliseconds * TICKS_PER_MILLISECOND);
  }

  /** Level of the line. QEMU tells of a change by a message that the next command finds. */
  get line(): boolean {
    this.read(STATUS);
    return this.card.interruptAsserted;
  }

  /** PCLKDIV, by which DAC2 and ADC run at 1411200 ÷ (value + 2). */
  setDivider(value: number): void {
    this.write(CONTROL, (this.read(CONTROL) & ~CTL_PCLKDIV) | (value << CTL_PCLKDIV_SHIFT));
  }

  /** WTSRSEL, which of its four rates DAC1 runs at. */
  setFixedRate(value: number): void {
    this.write(CONTROL, (this.read(CONTROL) & ~CTL_WTSRSEL) | (value << CTL_WTSRSEL_SHIFT));
  }

  // --- codec ---

  /** Writes a register of the codec, when the line to it is free, and waits until it is there. */
  writeCodec(register: number, value: number): void {
    const isFree = () => (this.status & STAT_CSTAT) === 0;
    this.card.waitUntil(isFree, CODEC_LIMIT_TICKS);
    this.write16(CODEC, (register << 8) | value);
    if (isFree()) return;
    this.card.letTimePass(20 * TICKS_PER_MICROSECOND);
    this.card.waitUntil(isFree, CODEC_LIMIT_TICKS);
  }

  /** All of the codec as after its reset: on, everything muted. */
  resetCodec(): void {
    this.writeCodec(AK_RESET, 0);
    this.writeCodec(AK_RESET, RST_RST | RST_PD);
  }

  /** Both DACs at 0 dB, nothing else is heard. */
  unmute(): void {
    this.writeCodec(AK_LMASTER, 0);
    this.writeCodec(AK_RMASTER, 0);
    for (const register of [2, 3, 4, 5]) this.writeCodec(register, 6);
    this.writeCodec(AK_OUT_SW1, SW1_FML | SW1_FMR);
    this.writeCodec(AK_OUT_SW2, OUT_SW2_VOICEL | OUT_SW2_VOICER);
  }

  /** The line input at 0 dB is recorded. */
  openInput(): void {
    this.writeCodec(AK_LLINE, 6);
    this.writeCodec(AK_RLINE, 6);
    this.writeCodec(AK_LIN_SW1, SW1_LINEL);
    this.writeCodec(AK_RIN_SW1, SW1_LINER);
    this.writeCodec(AK_AD_IN, 0);
  }

  // --- states ---

  /** Channels off and at 44.1 kHz, no request pending, buffer registers and counters 0, codec as after its reset; RAM given back. */
  prepare(): void {
    const { card } = this;
    card.writeConfig(PCI_COMMAND, 2, PCI_COMMAND_IO | PCI_COMMAND_BUS_MASTER);
    this.write(CONTROL, CONTROL_AT_REST);
    // A format that changes makes QEMU open its voices, which a reset closes.
    this.write(SERIAL, ALL_FORMATS);
    this.write(SERIAL, 0);
    for (const name of CHANNELS) {
      this.write(MAPS[name].countRegister, 0);
      this.setRing(name, { address: 0, dwords: 1 });
    }
    this.write(MEMPAGE, 0);
    this.resetCodec();
    card.freeRam();
  }

  /** RAM with these bytes in it. */
  buffer(bytes: Uint8Array, alignment = 4096): number {
    const address = this.card.allocateRam(Math.ceil(bytes.length / 4) * 4, alignment);
    this.card.writeRam(address, bytes);
    return address;
  }

  /** A ring with these bytes in it, a whole number of dwords. */
  ring(bytes: Uint8Array, alignment = 4096): Es1370Ring {
    return { address: this.buffer(bytes, alignment), dwords: bytes.length / 4 };
  }

  /** Programs a channel, and leaves it off. */
  program(name: ChannelName, { ring, format, index = 0, periodFrames = 441, serial = 0 }: Es1370Start): void {
    this.setRing(name, ring, index);
    this.setPeriod(name, periodFrames);
    this.setFormat(name, format, serial);
  }

  start(name: ChannelName, start: Es1370Start): void {
    this.program(name, start);
    this.enable(name);
  }

  /** Starts a channel on a silent ring of its own, for checks of what moves and counts. */
  run(name: ChannelName, start: Omit<Es1370Start, 'ring'> & { readonly dwords?: number }): void {
    const dwords = start.dwords ?? 16_384;
    const address = this.card.allocateRam(dwords * 4, 4096);
    if (name !== 'ADC') this.card.writeRam(address, silentBytes(dwords * 4, start.format));
    this.start(name, { ...start, ring: { address, dwords } });
  }

  /** Frames as time. */
  ticks(frames: number, rate = ES1370_RATE): number {
    return Math.ceil((frames / rate) * TICKS_PER_SECOND);
  }

  // --- sound ---

  /** How long after a sound the recorder has it: QEMU's file comes in pieces of 4096 bytes, and only while something plays. */
  get recorderDelayTicks(): number {
    return (this.card.realTime ? 100 : 2) * TICKS_PER_MILLISECOND;
  }

  /** What the recorder has; a model catches up with time when it is accessed. */
  get recorded(): Int16Array {
    this.read(STATUS);
    return this.card.output.samples;
  }

  /**
   * Plays `bytes` from a ring of their own, then silence, and returns what was heard from where `expected` begins, as long as it; less
   * when it was not heard so long. The channel is off afterwards.
   */
  playBytes(
    name: ChannelName,
    bytes: Uint8Array,
    format: Es1370Format,
    expected: Int16Array,
    options: { readonly alignment?: number; readonly offset?: number; readonly index?: number } = {},
  ): Int16Array {
    const silence = silentBytes(SILENCE_FRAMES * bytesPerFrame(format), format);
    const all = new Uint8Array(Math.ceil((bytes.length + silence.length) / 4) * 4);
    all.fill(silence[0] ?? 0);
    all.set(bytes);
    const offset = options.offset ?? 0;
    const address = this.card.allocateRam(all.length + offset, options.alignment ?? 4096) + offset;
    this.card.writeRam(address, all);
    const before = this.recorded.length;
    this.start(name, {
      ring: { address, dwords: all.length / 4 },
      format,
      ...(options.index === undefined ? {} : { index: options.index }),
    });
    const heard = this.hear(before, expected, expected.length / 2);
    this.silence(name, address, all.length, format);
    return heard;
  }

  /** Waits until what was recorded since `before` has so many frames from the beginning of `expected` on, and returns them. */
  hear(before: number, expected: Int16Array, frames: number): Int16Array {
    const since = () => {
      const recorded = this.recorded.subarray(before);
      const start = beginningOf(expected, recorded);
      return start < 0 ? recorded.subarray(0, 0) : recorded.subarray(start);
    };
    this.card.waitUntil(
      () => since().length >= frames * 2,
      this.ticks(frames) * 2 + 5 * this.recorderDelayTicks + 300 * TICKS_PER_MILLISECOND,
    );
    return since().slice(0, frames * 2);
  }

  /** Lets a channel end in silence, so that nothing of it is heard in the next recording. */
  silence(name: ChannelName, address: number, bytes: number, format: Es1370Format): void {
    this.card.writeRam(address, silentBytes(bytes, format));
    this.card.letTimePass(this.recorderDelayTicks);
    this.disable(name);
    this.card.letTimePass(this.recorderDelayTicks / 4);
  }

  /** Records into a ring until `frames` frames are in it, and returns its bytes. The channel is off afterwards. */
  record(format: Es1370Format, frames: number, more: Partial<Es1370Start> = {}): Uint8Array {
    this.openInput();
    const bytes = Math.ceil((frames * bytesPerFrame(format)) / 4) * 4;
    // Twice as long, so that the ring does not begin again before it is looked at.
    const dwords = (bytes / 4) * 2 + 2048;
    const address = this.card.allocateRam(dwords * 4, 4096);
    this.start('ADC', { ring: { address, dwords }, format, ...more });
    this.card.waitUntil(
      () => this.index('ADC') * 4 >= bytes,
      this.ticks(frames) * 2 + 1000 * TICKS_PER_MILLISECOND,
    );
    this.disable('ADC');
    return this.card.readRam(address, bytes);
  }

  /** True when a request is pending as the summary says it, and the line agrees. */
  get summary(): boolean {
    return (this.status & STAT_INTR) !== 0;
  }
}
