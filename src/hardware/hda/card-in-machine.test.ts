import { describe, expect, test } from 'vitest';
import { SimMachine } from '../../machines/sim/index.ts';
import { MemorySink } from '../analog.ts';
import { HdaCard, type HdaCardOptions } from './card.ts';
import * as R from './registers.ts';
import { formatWord, sdOffset } from './test-rig.ts';
import * as V from './verbs.ts';

const WINDOW = 0xfeb0_0000;
const LIST = 0x20_0000;
const DATA = 0x20_1000;
const OUT = WINDOW + sdOffset(4);

/** The card at device 27 of a machine without a driver, its window where a BIOS might have put it. */
function plugged(options: HdaCardOptions = {}) {
  const sink = new MemorySink();
  const machine = new SimMachine();
  const card = new HdaCard({ codecs: [{ name: 'qemu-output', jacks: { 3: { sink } } }], ...options });
  const busDevice = machine.plugPci(card, 27);
  const { platform } = machine;
  const select = (offset: number): void =>
    platform.writePort(0xcf8, 4, (0x8000_0000 | (27 << 11) | offset) >>> 0);
  const config = (offset: number): number => {
    select(offset);
    return platform.readPort(0xcfc, 4);
  };
  const setConfig = (offset: number, value: number): void => {
    select(offset);
    platform.writePort(0xcfc, 4, value);
  };
  return { machine, platform, busDevice, sink, card, config, setConfig };
}

describe('in a machine', () => {
  test('configuration space shows function, window, mode and capabilities', () => {
    const { machine, config, setConfig } = plugged({ variant: 'ich9' });
    expect(config(0x00)).toBe(0x293e_8086);
    expect(config(0x08) >>> 8).toBe(0x04_03_00);
    setConfig(0x10, 0xffff_ffff);
    expect(config(0x10)).toBe(0xffff_c004);
    setConfig(0x14, 0xffff_ffff);
    expect(config(0x14)).toBe(0xffff_ffff);
    expect((config(0x3c) >>> 8) & 0xff).toBe(1);
    expect(config(0x40) & 0xff).toBe(1);
    setConfig(0x44, 0xff);
    expect(config(0x44)).toBe(7);
    expect((config(0x04) >>> 16) & 0x10).toBe(0x10);
    const chain: number[] = [];
    for (let at = config(0x34) & 0xff; at !== 0; at = (config(at) >>> 8) & 0xff)
      chain.push(config(at) & 0xff);
    expect(chain).toEqual([0x01, 0x05, 0x10]);
    machine.dispose();
  });

  test('a buffer is played through memory, DMA and the interrupt line', () => {
    const { machine, platform, busDevice, sink, setConfig } = plugged();
    setConfig(0x10, WINDOW);
    setConfig(0x04, 0x0006);
    const write = platform.writeMemory.bind(platform);
    write(WINDOW + R.GCTL, 4, R.GCTL_CRST);
    machine.runFor(10_000);
    expect(platform.readMemory(WINDOW + R.STATESTS, 2)).toBe(1);
    const format = formatWord(48_000, 16, 2);
    for (const [verb, payload] of [
      [V.SET_FORMAT, format],
      [V.SET_STREAM_CHANNEL, 0x10],
    ] as const) {
      write(WINDOW + R.ICOI, 4, V.encodeHdaCommand(0, 2, verb, payload));
      write(WINDOW + R.ICIS, 2, R.ICIS_IRV);
      write(WINDOW + R.ICIS, 2, R.ICIS_ICB);
      machine.runFor(1000);
    }
    const samples = Int16Array.from({ length: 960 }, (_, index) => index + 1);
    platform.ram.write(DATA, new Uint8Array(samples.buffer));
    for (const index of [0, 1]) {
      platform.ram.writeUlong(LIST + 16 * index, DATA + 960 * index);
      platform.ram.writeUlong(LIST + 16 * index + 4, 0);
      platform.ram.writeUlong(LIST + 16 * index + 8, 960);
      platform.ram.writeUlong(LIST + 16 * index + 12, index);
    }
    platform.mapDma(busDevice, LIST, 32);
    platform.mapDma(busDevice, DATA, 1920);
    write(WINDOW + R.INTCTL, 4, (R.INT_GLOBAL | (1 << 4)) >>> 0);
    write(OUT + R.SD_BDPL, 4, LIST);
    write(OUT + R.SD_CBL, 4, 1920);
    write(OUT + R.SD_LVI, 2, 1);
    write(OUT + R.SD_FMT, 2, format);
    write(OUT + 2, 1, 0x10);
    write(OUT, 1, R.CTL_RUN | R.CTL_IOCE);
    const line = platform.pciInterruptLine(27, 1);
    expect(platform.isInterruptAsserted(line)).toBe(false);
    machine.runFor(100_300);
    expect(platform.isInterruptAsserted(line)).toBe(true);
    write(OUT + R.SD_STS, 1, R.STS_BCIS);
    expect(platform.isInterruptAsserted(line)).toBe(false);
    write(OUT, 1, 0);
    expect(sink.samples.subarray(0, 960)).toEqual(samples);
    machine.dispose();
  });

  test('a list that points outside what was mapped moves nothing', () => {
    const { machine, platform, setConfig, sink } = plugged();
    setConfig(0x10, WINDOW);
    setConfig(0x04, 0x0006);
    platform.writeMemory(WINDOW + R.GCTL, 4, R.GCTL_CRST);
    machine.runFor(10_000);
    platform.writeMemory(OUT + R.SD_BDPL, 4, LIST);
    platform.writeMemory(OUT + R.SD_LVI, 2, 1);
    platform.writeMemory(OUT, 1, R.CTL_RUN);
    expect(platform.readMemory(OUT + R.SD_STS, 1)).toBe(R.STS_DESE);
    expect(sink.frames).toBe(0);
    machine.dispose();
  });

  test('addresses beyond all memory, even beyond 2^53, move nothing and end nothing', () => {
    const { machine, platform, setConfig, busDevice } = plugged();
    setConfig(0x10, WINDOW);
    setConfig(0x04, 0x0006);
    const write = platform.writeMemory.bind(platform);
    write(WINDOW + R.GCTL, 4, R.GCTL_CRST);
    machine.runFor(10_000);
    for (const high of [1, 0x7fff, 0xffff_ffff]) {
      write(WINDOW + R.DPUBASE, 4, high);
      write(WINDOW + R.DPLBASE, 4, 0xffff_ff81);
      write(OUT + R.SD_BDPU, 4, high);
      write(OUT + R.SD_LVI, 2, 1);
      write(OUT, 1, R.CTL_RUN);
      expect(platform.readMemory(OUT + R.SD_STS, 1)).toBe(R.STS_DESE);
      write(OUT + R.SD_STS, 1, R.STS_DESE);
      write(OUT + R.SD_BDPU, 4, 0);
      write(OUT + R.SD_BDPL, 4, LIST);
      for (const offset of [0, 4, 8, 16, 20, 24]) platform.ram.writeUlong(LIST + offset, high);
      platform.mapDma(busDevice, LIST, 32);
      write(OUT, 1, R.CTL_RUN);
      machine.runFor(50_000);
      expect(platform.readMemory(OUT + R.SD_LPIB, 4)).toBe(0);
      write(OUT, 1, 0);
      write(OUT, 1, R.CTL_SRST);
      machine.runFor(20);
      write(OUT, 1, 0);
      machine.runFor(20);
    }
    machine.dispose();
  });
});
