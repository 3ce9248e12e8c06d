import { describe, expect, test } from 'vitest';
import { CARDS, type CatalogCard } from '../src/catalog.ts';
import { AudioClient, audioFormat, MemoryPcmReader, MemoryPcmWriter } from '../src/client/index.ts';
import { ISA_DMA_BUS_DEVICE } from '../src/hal/index.ts';
import { ArraySource, MemorySink } from '../src/hardware/index.ts';
import {
  formatLeakReport,
  mdlPhysicalAddress,
  mmProbeAndLockPages,
  mmUnlockPages,
  TICKS_PER_SECOND,
} from '../src/kernel/index.ts';
import { SimMachine } from '../src/machines/sim/index.ts';
import { bytesOf, noise, same, soundIn } from './support/ac97-bench.ts';
import { COPY_STATUS_ABORT, COPY_STATUS_DONE, CopyCard } from './support/copy-card.ts';
import { CopyDriver } from './support/copy-driver.ts';

const MEGABYTE = 0x10_0000;
const FOUR_GIGABYTES = 0x1_0000_0000;
const RATE = 44_100;

/** Below which address a card must find everything; null: it drives 64 address bits. */
const REACH: Readonly<Record<string, number | null>> = {
  ac97: FOUR_GIGABYTES,
  es1370: FOUR_GIGABYTES,
  sb16: 16 * MEGABYTE,
  hda: null,
};
const STREAMING = CARDS.filter(({ ports }) => ports.some((port) => port.startsWith('Wave')));

/** A PC most of whose memory lies above 4 GiB, where it is handed out first, a page here and a page there. */
function openMachine(card: CatalogCard, input?: Int16Array) {
  const machine = new SimMachine({ ramBytes: 24 * MEGABYTE, highRamBytes: 64 * MEGABYTE });
  machine.kernel.memory.scatterPages = true;
  const output = new MemorySink();
  const { slot } = card.plug(machine, {
    output,
    ...(input ? { lineIn: new ArraySource(input, { sampleRate: RATE, channels: 2 }) } : {}),
  });
  machine.installDriver(card.driver);
  machine.start();
  const audio = new AudioClient(machine.kernel);
  // Where an application's memory is.
  const address = audio.process.allocateMemory(4096);
  const physical = machine.kernel.enter(() => {
    const mdl = mmProbeAndLockPages(audio.process, address, 4096);
    const found = mdlPhysicalAddress(mdl, 0);
    mmUnlockPages(mdl);
    return found;
  });
  expect(physical).toBeGreaterThanOrEqual(FOUR_GIGABYTES);
  const busDevice = card.bus === 'ISA' ? ISA_DMA_BUS_DEVICE : slot;
  return {
    machine,
    audio,
    output,
    /** Ranges that are open to the card now. */
    ranges: () => machine.platform.dma.rangesOf(busDevice),
    run: (done: () => boolean) => machine.runUntil(done, machine.kernel.clock.now + 20 * TICKS_PER_SECOND),
    end: () => {
      audio.close();
      expect(machine.trace.findings.map(({ text }) => text)).toEqual([]);
      expect(formatLeakReport(machine.dispose())).toBe('');
    },
  };
}

function expectReach(card: CatalogCard, ranges: readonly { start: number; length: number }[]): void {
  const limit = REACH[card.name];
  if (limit === undefined) throw new Error(`say in this test what addresses the card ${card.name} drives`);
  expect(ranges.length).toBeGreaterThan(0);
  if (limit === null) expect(ranges.some(({ start }) => start >= FOUR_GIGABYTES)).toBe(true);
  else for (const { start, length } of ranges) expect(start + length).toBeLessThanOrEqual(limit);
}

describe.each(STREAMING)('$name on a PC with memory above 4 GiB', (card) => {
  test('plays bit by bit, from where it can reach', () => {
    const bench = openMachine(card);
    const samples = noise(RATE, 5);
    const format = audioFormat({ sampleRate: RATE });
    const stream = bench.audio.openRender(bench.audio.endpoint('render'), {
      source: new MemoryPcmReader(format, bytesOf(samples)),
      format,
    });
    stream.start();
    bench.machine.runFor(TICKS_PER_SECOND / 10);
    expectReach(card, bench.ranges());
    expect(bench.run(() => stream.ended)).toBe(true);
    expect([stream.error, stream.statistics().glitches]).toEqual([null, 0]);
    const { sound } = soundIn(bench.output.samples, samples.length);
    expect(same(bytesOf(sound), bytesOf(samples))).toBe(true);
    bench.end();
  });

  test('records bit by bit, to where it can reach', () => {
    const input = noise(2 * RATE, 9);
    const bench = openMachine(card, input);
    const endpoint =
      bench.audio
        .endpoints()
        .find(
          ({ direction, category }) => direction === 'capture' && category === 'KSNODETYPE_LINE_CONNECTOR',
        ) ?? bench.audio.endpoint('capture');
    const format = audioFormat({ sampleRate: RATE });
    const sink = new MemoryPcmWriter(format);
    const stream = bench.audio.openCapture(endpoint, { sink, frames: RATE / 2, format });
    stream.start();
    bench.machine.runFor(TICKS_PER_SECOND / 10);
    expectReach(card, bench.ranges());
    expect(bench.run(() => stream.ended)).toBe(true);
    expect([stream.error, stream.statistics().glitches]).toEqual([null, 0]);
    const recorded = new Int16Array(sink.bytes.slice().buffer);
    const at = input.indexOf(recorded[200] ?? 0) - 200;
    expect(at).toBeGreaterThanOrEqual(-200);
    const skip = Math.max(0, -at);
    expect(
      same(bytesOf(recorded.subarray(skip)), bytesOf(input.subarray(at + skip, at + recorded.length))),
    ).toBe(true);
    bench.end();
  });
});

describe('a card that drives 64 address bits', () => {
  function open() {
    const driver = new CopyDriver('copydrv', 8192, true);
    const machine = new SimMachine({ ramBytes: 4 * MEGABYTE, highRamBytes: 8 * MEGABYTE });
    machine.plugPci(new CopyCard());
    machine.installDriver(driver.package);
    machine.start();
    return { machine, device: driver.device };
  }

  test('reaches its common buffer there, and nothing beside it', () => {
    const { machine, device } = open();
    const { buffer } = device;
    if (buffer === null) throw new Error('there is no common buffer');
    const start = buffer.logicalAddress;
    expect(start).toBeGreaterThanOrEqual(FOUR_GIGABYTES);
    const copy = (from: number, to: number, length: number) => {
      machine.kernel.enter(() => device.copy(from, to, length));
      machine.runFor(10_000);
      return device.statuses.at(-1);
    };
    const bytes = bytesOf(noise(1000));
    machine.kernel.enter(() => buffer.write(0, bytes));
    expect(copy(start, start + 4096, bytes.length)).toBe(COPY_STATUS_DONE);
    const copied = new Uint8Array(bytes.length);
    machine.kernel.enter(() => buffer.read(4096, copied));
    expect(same(copied, bytes)).toBe(true);
    expect(machine.trace.findings).toEqual([]);
    // A byte too many at either end, and the same place 4 GiB below.
    for (const [from, to, length] of [
      [start, start + 8192 - 63, 64],
      [start - 1, start + 4096, 64],
      [start - FOUR_GIGABYTES, start, 64],
    ] as const) {
      expect(copy(from, to, length)).toBe(COPY_STATUS_DONE | COPY_STATUS_ABORT);
    }
    const texts = machine.trace.findings.map(({ text }) => text);
    expect(texts).toHaveLength(3);
    expect(texts[0]).toContain(`0x${(start + 8192 - 63).toString(16).toUpperCase()}`);
    for (const text of texts) expect(text).toMatch(/not all of it is mapped for this card/);
    expect(formatLeakReport(machine.dispose())).toBe('');
  });
});
