import { describe, expect, test } from 'vitest';
import { TICKS_PER_MILLISECOND } from '../kernel/index.ts';
import { Recorder } from './recorder.ts';
import { sb16SimFactory } from './suites.ts';

const CHANNEL_8 = 1;
const CHANNEL_16 = 5;

describe('the bench for ISA cards', () => {
  test('gives RAM below 16 MiB, zeroed, and never across a page of the DMA controllers', async () => {
    const card = await sb16SimFactory()();
    for (const bytes of [1, 100, 4097, 40_000, 65_536]) {
      const address = card.allocateRam(bytes);
      expect(Math.floor(address / 0x1_0000)).toBe(Math.floor((address + bytes - 1) / 0x1_0000));
      expect(card.readRam(address, bytes).every((byte) => byte === 0)).toBe(true);
    }
    expect(() => {
      for (;;) expect(card.allocateRam(0x20_0000)).toBeLessThan(0x100_0000);
    }).toThrow(RangeError);
    card.freeRam();
    expect(card.allocateRam(4)).toBeLessThan(0x100_0000);
    card.dispose();
  });

  test('programs the channels by the ports of the 8237s, and reads them back', async () => {
    const card = await sb16SimFactory()();
    const address = card.allocateRam(4096);
    card.programDma(CHANNEL_8, { address, bytes: 4096, direction: 'toCard' });
    card.programDma(CHANNEL_16, { address, bytes: 4096, direction: 'toMemory', masked: true });
    expect(card.readDmaCount(CHANNEL_8)).toBe(4095);
    expect(card.readDmaCount(CHANNEL_16)).toBe(2047);
    expect(card.isDmaRequested(CHANNEL_8)).toBe(false);
    expect(card.pristine).toBe(true);
    card.dispose();
  });

  test('configures a Plug and Play card by its ports, again after a power cycle, and again when asked', async () => {
    const card = await sb16SimFactory()();
    const answers = () => {
      card.writePort(0x224, 0x30);
      return card.readPort(0x225);
    };
    expect(card.pristine).toBe(true);
    expect(answers()).toBe(0xc0);
    expect(card.pristine).toBe(false);
    await card.powerCycle();
    expect(card.pristine).toBe(true);
    expect(answers()).toBe(0xc0);
    card.configure();
    expect(answers()).toBe(0xc0);
    card.dispose();
  });

  test('shows the level of every interrupt line, also of one that nobody serves', async () => {
    const card = await sb16SimFactory()();
    expect(card.interruptAsserted).toBe(false);
    card.writePort(0x22c, 0xf2);
    for (let time = 0; time < 3; time++) expect(card.interruptAsserted).toBe(true);
    expect(card.isLineAsserted(7)).toBe(false);
    card.letTimePass(TICKS_PER_MILLISECOND);
    expect(card.isLineAsserted(5)).toBe(true);
    card.readPort(0x22e);
    expect(card.interruptAsserted).toBe(false);
    card.dispose();
  });
});

describe('the recorder', () => {
  const frames = (count: number) => Int16Array.from({ length: 2 * count }, (_, i) => (i >> 1) + 1);

  test('keeps its own rate bit by bit, and drops others unless it holds them', () => {
    const own = new Recorder(48_000);
    own.write(frames(3), 3, { sampleRate: 48_000, channels: 2 });
    own.write(frames(3), 3, { sampleRate: 24_000, channels: 2 });
    expect(Array.from(own.recording.samples)).toEqual([1, 1, 2, 2, 3, 3]);
  });

  test('holds slower samples, and leaves out of faster ones, with no drift over blocks', () => {
    const slow = new Recorder(48_000, 'held');
    slow.write(frames(2), 2, { sampleRate: 24_000, channels: 2 });
    expect(Array.from(slow.recording.samples)).toEqual([1, 1, 1, 1, 2, 2, 2, 2]);
    const odd = new Recorder(44_100, 'held');
    for (let block = 0; block < 497; block++)
      odd.write(frames(100), 100, { sampleRate: 49_700, channels: 2 });
    expect(odd.recording.samples.length).toBe(2 * 44_100);
  });
});
