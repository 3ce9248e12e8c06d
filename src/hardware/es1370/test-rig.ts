/** A card in a test slot with the moves that every test of it makes: mixer at 0 dB, buffer, start. */
import { FakeSlot, type FakeSlotOptions, FakeWindow } from '../test-slot.ts';
import { AK_LMASTER, AK_OUT_SW1, AK_OUT_SW2, AK_RMASTER } from './ak4531.ts';
import { Es1370Card, type Es1370CardOptions } from './card.ts';
import {
  ADC_FRAME,
  ADC_MAP,
  ADC_SIZE,
  type ChannelMap,
  type ChannelName,
  CODEC,
  CONTROL,
  CTL_CDC_EN,
  DAC1_FRAME,
  DAC1_MAP,
  DAC1_SIZE,
  DAC2_FRAME,
  DAC2_MAP,
  MEMPAGE,
  PAGE_ADC,
  PAGE_DAC,
  SERIAL,
} from './registers.ts';

export const MAPS: Readonly<Record<ChannelName, ChannelMap>> = {
  DAC1: DAC1_MAP,
  DAC2: DAC2_MAP,
  ADC: ADC_MAP,
};
/** Where the tests keep their data. */
export const DATA: Readonly<Record<ChannelName, number>> = {
  DAC1: 0x10_1000,
  DAC2: 0x14_0000,
  ADC: 0x18_0000,
};

export class Es1370Rig {
  readonly slot: FakeSlot;
  readonly card: Es1370Card;
  readonly io: FakeWindow;

  constructor(options: Es1370CardOptions = {}, slotOptions: FakeSlotOptions = {}) {
    this.slot = new FakeSlot(slotOptions);
    this.card = new Es1370Card(options);
    this.card.attach(this.slot);
    this.card.reset();
    this.io = new FakeWindow(this.card, 0);
  }

  /** Writes a codec register and waits until it is there. */
  codec(register: number, value: number): void {
    this.io.write16(CODEC, (register << 8) | value);
    this.slot.clock.advance(100);
  }

  /** Both DACs at 0 dB, everything else off. */
  unmute(): this {
    this.set(CONTROL, CTL_CDC_EN);
    this.codec(AK_LMASTER, 0);
    this.codec(AK_RMASTER, 0);
    for (const register of [2, 3, 4, 5]) this.codec(register, 6);
    this.codec(AK_OUT_SW1, 0x60);
    this.codec(AK_OUT_SW2, 0x0c);
    return this;
  }

  set(register: number, bits: number): void {
    this.io.write32(register, (this.io.read32(register) | bits) >>> 0);
  }

  clear(register: number, bits: number): void {
    this.io.write32(register, (this.io.read32(register) & ~bits) >>> 0);
  }

  /** Writes one of the buffer registers through the memory window. */
  frame(name: ChannelName, address: number, dwords: number): void {
    this.io.write32(MEMPAGE, name === 'ADC' ? PAGE_ADC : PAGE_DAC);
    const base = name === 'DAC1' ? DAC1_FRAME : name === 'DAC2' ? DAC2_FRAME : ADC_FRAME;
    this.io.write32(base, address);
    this.io.write32(base + 4, dwords - 1);
  }

  /** Dword index of a channel's buffer, as its size register shows it. */
  index(name: ChannelName): number {
    this.io.write32(MEMPAGE, name === 'ADC' ? PAGE_ADC : PAGE_DAC);
    return this.io.read32(name === 'DAC1' ? DAC1_SIZE : name === 'DAC2' ? DAC2_FRAME + 4 : ADC_SIZE) >>> 16;
  }

  /** A buffer at {@link DATA}, format bits (stereo 1, 16 bits 2), frames per interrupt; the channel is not yet enabled. */
  prepare(name: ChannelName, dwords: number, format: number, countFrames: number, serial = 0): void {
    const map = MAPS[name];
    this.frame(name, DATA[name], dwords);
    this.io.write32(map.countRegister, countFrames - 1);
    this.clear(SERIAL, 3 << map.formatShift);
    this.set(SERIAL, (format << map.formatShift) | serial);
  }

  start(name: ChannelName): void {
    this.set(CONTROL, MAPS[name].enable);
  }

  advance(ticks: number): void {
    this.slot.clock.advance(ticks);
  }

  get now(): number {
    return this.slot.clock.now;
  }
}
