/** A card in a machine without a driver, and the moves that every test of it makes. */

import { MemorySink } from '../../src/hardware/analog.ts';
import { Sb16Card, type Sb16CardOptions } from '../../src/hardware/sb16/card.ts';
import { SimMachine } from '../../src/machines/sim/index.ts';

export const BASE = 0x220;
/** Where the tests keep their data: below 16 MiB, at the start of a DMA page. */
export const DATA = 0x20_0000;
export const DATA_BYTES = 0x1_0000;

export class Sb16Rig {
  readonly machine = new SimMachine({ ramBytes: 4 << 20 });
  readonly sink = new MemorySink();
  readonly card: Sb16Card;

  /** Jumpers: 220h, 330h, IRQ 5, DMA 1 and 5, unless the options say otherwise. */
  constructor(options: Sb16CardOptions = {}) {
    this.card = new Sb16Card({ jumpers: {}, lineOut: this.sink, ...options });
    this.machine.plugIsa(this.card);
    this.machine.platform.mapDma('isa-dma', DATA, DATA_BYTES);
    // The first controller's requests pass through channel 4.
    this.out(0xd6, 0xc0);
    this.out(0xd4, 0x00);
  }

  get now(): number {
    return this.machine.platform.clock.now;
  }

  out(port: number, value: number): void {
    this.machine.platform.writePort(port, 1, value);
  }

  in(port: number): number {
    return this.machine.platform.readPort(port, 1);
  }

  /** The interrupt line as the processor sees it: not taken yet. */
  get interrupted(): boolean {
    return this.machine.platform.isInterruptAsserted(5);
  }

  run(ticks: number): void {
    this.machine.runFor(ticks);
  }

  dsp(...bytes: readonly number[]): void {
    for (const byte of bytes) this.out(BASE + 0xc, byte);
  }

  /** Reads `count` replies; those that are not there read −1. */
  replies(count: number): number[] {
    return Array.from({ length: count }, () =>
      (this.in(BASE + 0xe) & 0x80) !== 0 ? this.in(BASE + 0xa) : -1,
    );
  }

  resetDsp(): void {
    this.out(BASE + 6, 1);
    this.run(40);
    this.out(BASE + 6, 0);
    this.run(1000);
  }

  mixer(index: number, value: number): void {
    this.out(BASE + 4, index);
    this.out(BASE + 5, value);
  }

  readMixer(index: number): number {
    this.out(BASE + 4, index);
    return this.in(BASE + 5);
  }

  /** Master and voice at 0 dB. */
  unity(): this {
    for (const index of [0x30, 0x31, 0x32, 0x33]) this.mixer(index, 0xf8);
    return this;
  }

  writeData(bytes: Uint8Array, at = DATA): void {
    this.machine.platform.ram.write(at, bytes);
  }

  readData(length: number, at = DATA): Uint8Array {
    const bytes = new Uint8Array(length);
    this.machine.platform.ram.read(at, bytes);
    return bytes;
  }

  /** Programs channel 1 or 5 for `bytes` bytes at DATA: `mode` as the mode register has it, without the channel. */
  dma(channel: 1 | 5, mode: number, bytes: number, address = DATA): void {
    const wide = channel === 5;
    const port = (register: number) => (wide ? 0xc0 + 2 * register : register);
    const index = channel & 3;
    const start = wide ? address >> 1 : address;
    const count = (wide ? bytes >> 1 : bytes) - 1;
    this.out(port(0xa), 4 | index);
    this.out(port(0xc), 0);
    this.out(port(0xb), mode | index);
    this.out(port(2 * index), start & 0xff);
    this.out(port(2 * index), (start >> 8) & 0xff);
    this.out(port(2 * index + 1), count & 0xff);
    this.out(port(2 * index + 1), (count >> 8) & 0xff);
    this.out(wide ? 0x8b : 0x83, address >> 16);
    this.out(port(0xa), index);
  }

  /** The word count register of channel 1 or 5. */
  dmaCount(channel: 1 | 5): number {
    const wide = channel === 5;
    this.out(wide ? 0xd8 : 0x0c, 0);
    const port = wide ? 0xc6 : 0x03;
    return this.in(port) | (this.in(port) << 8);
  }

  dispose(): void {
    this.machine.dispose();
  }
}

/** Modes of the DMA controller: single transfers, to the card or from it, with and without auto-initialize. */
export const TO_CARD = 0x48;
export const TO_CARD_AUTO = 0x58;
export const FROM_CARD = 0x44;
export const FROM_CARD_AUTO = 0x54;
