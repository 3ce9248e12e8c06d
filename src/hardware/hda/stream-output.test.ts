import { describe, expect, test } from 'vitest';
import { mulDivCeil } from '../../hal/bus.ts';
import { MemorySink } from '../analog.ts';
import type { HdaCardOptions } from './card.ts';
import { decodeHdaFormat } from './format.ts';
import * as R from './registers.ts';
import {
  DATA_ADDRESS,
  formatWord,
  HdaRig,
  LIST_ADDRESS,
  POSITION_ADDRESS,
  sdOffset,
  type TestEntry,
} from './test-rig.ts';
import * as V from './verbs.ts';

const OUT = 4;
const BASE = sdOffset(OUT);
const FIFO_BYTES = 192;

function noiseBytes(count: number, seed = 1): Uint8Array {
  const bytes = new Uint8Array(count);
  let state = seed;
  for (let index = 0; index < count; index++) {
    state = (Math.imul(state, 1_103_515_245) + 12_345) | 0;
    bytes[index] = state >>> 24;
  }
  return bytes;
}

/** A QEMU-like codec whose DAC listens to stream 1. */
function player(format: number, options: HdaCardOptions = {}) {
  const sink = new MemorySink();
  const codec = { name: 'qemu-output' as const, jacks: { 3: { sink } } };
  const rig = new HdaRig({ codecs: [codec], ...options }, { ramBytes: 4 << 20 }).bringUp();
  rig.verb(2, V.SET_FORMAT, format);
  rig.verb(2, V.SET_STREAM_CHANNEL, 0x10);
  return { rig, sink };
}

function ring(bytes: number, count: number, ioc = true): TestEntry[] {
  return Array.from({ length: count }, (_, index) => ({ address: DATA_ADDRESS + bytes * index, bytes, ioc }));
}

const FORMAT_48_16_2 = formatWord(48_000, 16, 2);

describe('stream control', () => {
  test('SRST is a handshake in both directions and resets every register', () => {
    const { rig } = player(FORMAT_48_16_2);
    const { mmio } = rig;
    mmio.write32(BASE + R.SD_CBL, 0x1000);
    mmio.write8(BASE, R.CTL_SRST);
    expect(mmio.read8(BASE)).toBe(0);
    rig.advance(10);
    expect(mmio.read8(BASE)).toBe(R.CTL_SRST);
    expect(mmio.read32(BASE + R.SD_CBL)).toBe(0);
    mmio.write8(BASE, 0);
    expect(mmio.read8(BASE)).toBe(R.CTL_SRST);
    rig.advance(10);
    expect(mmio.read8(BASE)).toBe(0);
    expect(rig.slot.findings).toEqual([]);
  });

  test('registers written during stream reset are lost and reported', () => {
    const { rig } = player(FORMAT_48_16_2);
    rig.mmio.write8(BASE, R.CTL_SRST);
    rig.mmio.write32(BASE + R.SD_CBL, 0x1000);
    expect(rig.mmio.read32(BASE + R.SD_CBL)).toBe(0);
    expect(rig.slot.findings.map(({ what }) => what)).toEqual(['OSD0: CBL written during stream reset']);
  });

  test('what a driver gets wrong is told', () => {
    const { rig } = player(FORMAT_48_16_2);
    rig.prepare({
      stream: OUT,
      tag: 0,
      format: FORMAT_48_16_2,
      entries: [{ address: DATA_ADDRESS, bytes: 402 }],
    });
    rig.mmio.write8(BASE, R.CTL_RUN);
    rig.mmio.write16(BASE + R.SD_LVI, 1);
    rig.mmio.write32(BASE + R.SD_BDPL, 0x1010);
    expect(rig.slot.findings.map(({ what }) => what)).toEqual([
      'OSD0: LVI is 0: a list has two entries at least',
      'OSD0: RUN set with stream number 0, which is nobody’s',
      'OSD0: CBL is no whole number of frames',
      'OSD0: LVI written while RUN is set',
      'OSD0: BDPL written while RUN is set',
      'OSD0: descriptor list not on a 128-byte boundary',
    ]);
  });
});

describe('playing', () => {
  test('the jack gets the samples bit by bit, frame n at start + ceil(n × 10^7 ÷ rate)', () => {
    const { rig, sink } = player(FORMAT_48_16_2);
    const data = noiseBytes(1920 * 4);
    rig.bytesAt(DATA_ADDRESS, data.length).set(data);
    const start = rig.run({ stream: OUT, tag: 1, format: FORMAT_48_16_2, entries: ring(1920, 4) });
    rig.slot.clock.advanceTo(start + 400_000);
    rig.card.catchUp();
    expect(sink.samples).toEqual(new Int16Array(data.buffer));
    expect(sink.takes[0]!.runs).toEqual([{ startTick: start, firstFrame: 0, frames: 1920 }]);
    expect(rig.slot.findings).toEqual([]);
  });

  test('LPIB counts frames that passed the link and wraps at CBL; its alias follows', () => {
    const { rig } = player(FORMAT_48_16_2);
    const start = rig.run({ stream: OUT, tag: 1, format: FORMAT_48_16_2, entries: ring(1920, 4) });
    for (const frame of [1, 2, 479, 480, 1919, 1920, 1921, 48_000]) {
      const due = start + mulDivCeil(frame, 10_000_000, 48_000);
      rig.slot.clock.advanceTo(due - 1);
      expect(rig.mmio.read32(BASE + R.SD_LPIB)).toBe(((frame - 1) * 4) % 7680);
      rig.slot.clock.advanceTo(due);
      expect(rig.mmio.read32(BASE + R.SD_LPIB)).toBe((frame * 4) % 7680);
      expect(rig.mmio.read32(BASE + R.SD_LPIB + 0x2000)).toBe((frame * 4) % 7680);
    }
  });

  test('BCIS comes when the last byte of an entry is fetched: a FIFO before it passes the link', () => {
    const { rig } = player(FORMAT_48_16_2);
    rig.mmio.write32(R.INTCTL, (R.INT_GLOBAL | (1 << OUT)) >>> 0);
    const start = rig.run({
      stream: OUT,
      tag: 1,
      format: FORMAT_48_16_2,
      entries: ring(1920, 4),
      enables: R.CTL_IOCE,
    });
    rig.slot.clock.advanceTo(start + 1_000_000);
    expect(rig.slot.lineChanges.length).toBe(1);
    const frames = (1920 - FIFO_BYTES) / 4;
    expect(rig.slot.lineChanges[0]).toEqual({
      tick: start + mulDivCeil(frames, 10_000_000, 48_000),
      asserted: true,
    });
    expect(rig.mmio.read8(BASE + R.SD_STS)).toBe(R.STS_BCIS | R.STS_FIFORDY);
    expect(rig.mmio.read32(R.INTSTS)).toBe((R.INT_GLOBAL | (1 << OUT)) >>> 0);
    rig.mmio.write8(BASE + R.SD_STS, R.STS_BCIS);
    expect(rig.slot.asserted).toBe(false);
    expect(rig.mmio.read32(R.INTSTS)).toBe(0);
  });

  test('a ring of 10 ms periods interrupts every 10 ms and wakes the card for nothing else', () => {
    const { rig } = player(FORMAT_48_16_2);
    rig.mmio.write32(R.INTCTL, (R.INT_GLOBAL | (1 << OUT)) >>> 0);
    rig.slot.onInterrupt = () => rig.mmio.write8(BASE + R.SD_STS, R.STS_BCIS);
    rig.run({ stream: OUT, tag: 1, format: FORMAT_48_16_2, entries: ring(1920, 4), enables: R.CTL_IOCE });
    const fired = rig.slot.clock.fired;
    rig.advance(10_000_000);
    const rises = rig.slot.lineChanges.filter(({ asserted }) => asserted);
    expect(rises.length).toBe(100);
    for (let index = 1; index < rises.length; index++) {
      expect(Math.abs(rises[index]!.tick - rises[index - 1]!.tick - 100_000)).toBeLessThanOrEqual(1);
    }
    expect(rig.slot.clock.fired - fired).toBe(100);
  });

  test('only entries with IOC interrupt, found in time among others', () => {
    const { rig } = player(FORMAT_48_16_2);
    rig.mmio.write32(R.INTCTL, (R.INT_GLOBAL | (1 << OUT)) >>> 0);
    rig.slot.onInterrupt = () => rig.mmio.write8(BASE + R.SD_STS, R.STS_BCIS);
    const entries = ring(384, 200, false).map((entry, index) => ({ ...entry, ioc: index % 7 === 6 }));
    const start = rig.run({ stream: OUT, tag: 1, format: FORMAT_48_16_2, entries, enables: R.CTL_IOCE });
    rig.slot.clock.advanceTo(start + 4_000_000);
    const rises = rig.slot.lineChanges.filter(({ asserted }) => asserted);
    expect(rises.length).toBe(28);
    for (const [index, { tick }] of rises.entries()) {
      const frames = ((index + 1) * 7 * 384 - FIFO_BYTES) / 4;
      expect(tick).toBe(start + mulDivCeil(frames, 10_000_000, 48_000));
    }
  });

  test('without an interrupt memory is still read in time: twice a turn at least', () => {
    const { rig, sink } = player(FORMAT_48_16_2);
    const start = rig.run({ stream: OUT, tag: 1, format: FORMAT_48_16_2, entries: ring(9600, 2, false) });
    const first = noiseBytes(19_200, 3);
    rig.bytesAt(DATA_ADDRESS, 19_200).set(first);
    rig.slot.clock.advanceTo(start + 950_000);
    rig.bytesAt(DATA_ADDRESS, 9600).fill(0);
    rig.slot.clock.advanceTo(start + 1_500_000);
    rig.card.catchUp();
    expect(sink.samples.subarray(FIFO_BYTES / 2, 4800)).toEqual(
      new Int16Array(first.buffer).subarray(FIFO_BYTES / 2, 4800),
    );
  });

  test('paused, LPIB and FIFO stand; running again, not a sample is lost', () => {
    const { rig, sink } = player(FORMAT_48_16_2);
    const data = noiseBytes(1920 * 4, 7);
    rig.bytesAt(DATA_ADDRESS, data.length).set(data);
    rig.run({ stream: OUT, tag: 1, format: FORMAT_48_16_2, entries: ring(1920, 4) });
    rig.advance(123_456);
    rig.mmio.write8(BASE, 0);
    const lpib = rig.mmio.read32(BASE + R.SD_LPIB);
    rig.advance(1_000_000);
    expect(rig.mmio.read32(BASE + R.SD_LPIB)).toBe(lpib);
    rig.mmio.write8(BASE, R.CTL_RUN);
    rig.advance(276_000);
    rig.card.catchUp();
    const samples = sink.samples.filter((sample) => sample !== 0);
    const expected = new Int16Array(data.buffer).filter((sample) => sample !== 0);
    expect(samples).toEqual(expected.subarray(0, samples.length));
    expect(samples.length).toBeGreaterThan(3700);
  });

  test('the list is read as it goes: an entry changed before its turn is played as changed', () => {
    const { rig, sink } = player(FORMAT_48_16_2);
    rig.bytesAt(DATA_ADDRESS + 0x8000, 1920).fill(0x55);
    const start = rig.run({ stream: OUT, tag: 1, format: FORMAT_48_16_2, entries: ring(1920, 4) });
    rig.slot.writeRamUlong(LIST_ADDRESS + 0x1000 * OUT + 3 * 16, DATA_ADDRESS + 0x8000);
    rig.slot.clock.advanceTo(start + 400_000);
    rig.card.catchUp();
    expect(sink.samples[2 * 1440]).toBe(0x5555);
    expect(sink.samples[2 * 1440 - 1]).toBe(0);
  });

  test('CBL that is not the sum of the entries wraps LPIB at CBL, and is reported', () => {
    const { rig } = player(FORMAT_48_16_2);
    const base = rig.prepare({ stream: OUT, tag: 1, format: FORMAT_48_16_2, entries: ring(1920, 2) });
    rig.mmio.write32(base + R.SD_CBL, 1000);
    rig.mmio.write8(base, R.CTL_RUN);
    const start = rig.nextLinkFrame;
    rig.slot.clock.advanceTo(start + 1_000_000);
    expect(rig.mmio.read32(BASE + R.SD_LPIB)).toBe(19_200 % 1000);
    expect(rig.slot.findings.map(({ what }) => what)).toEqual(['OSD0: CBL is not the sum of the entries']);
  });

  test('the position buffer has each stream’s LPIB at base + 8 × n every millisecond', () => {
    const { rig } = player(FORMAT_48_16_2);
    rig.mmio.write32(R.DPLBASE, POSITION_ADDRESS | 1);
    expect(rig.mmio.read32(R.DPLBASE)).toBe(POSITION_ADDRESS | 1);
    const start = rig.run({ stream: OUT, tag: 1, format: FORMAT_48_16_2, entries: ring(1920, 4) });
    rig.slot.clock.advanceTo(start + 50_000);
    const position = rig.ramUlong(POSITION_ADDRESS + 8 * OUT);
    expect(position).toBeGreaterThanOrEqual(4 * 192 - 4);
    expect(position).toBeLessThanOrEqual(4 * 240);
    rig.mmio.read32(BASE + R.SD_LPIB);
    expect(rig.ramUlong(POSITION_ADDRESS + 8 * OUT)).toBe(4 * 240);
    expect(rig.ramUlong(POSITION_ADDRESS + 8 * OUT + 4)).toBe(0);
  });

  test('SSYNC holds streams with their FIFOs filled and lets them begin on one link frame', () => {
    const sinks = [new MemorySink(), new MemorySink()];
    const codec = (index: number) => ({
      name: 'qemu-output' as const,
      jacks: { 3: { sink: sinks[index]! } },
    });
    const rig = new HdaRig({ codecs: [codec(0), codec(1)] }).bringUp();
    for (const address of [0, 1]) {
      rig.verb(2, V.SET_FORMAT, FORMAT_48_16_2, address);
      rig.verb(2, V.SET_STREAM_CHANNEL, (address + 1) << 4, address);
    }
    rig.mmio.write32(R.SSYNC, 0x30);
    for (const stream of [4, 5]) {
      const base = rig.prepare({ stream, tag: stream - 3, format: FORMAT_48_16_2, entries: ring(1920, 4) });
      rig.mmio.write8(base, R.CTL_RUN);
      expect(rig.mmio.read8(base + R.SD_STS)).toBe(R.STS_FIFORDY);
    }
    rig.advance(100_000);
    expect(rig.card.position(4)).toEqual({ lpib: 0, frames: 0, running: false });
    rig.mmio.write32(R.SSYNC, 0);
    const start = rig.nextLinkFrame;
    rig.advance(50_000);
    rig.card.catchUp();
    expect(sinks.map((sink) => sink.takes[0]!.startTick)).toEqual([start, start]);
    expect(rig.card.position(4)).toEqual(rig.card.position(5));
  });

  test('a list above 4 GiB is asked for there', () => {
    const { rig } = player(FORMAT_48_16_2);
    const base = rig.prepare({ stream: OUT, tag: 1, format: FORMAT_48_16_2, entries: ring(1920, 2) });
    rig.mmio.write32(base + R.SD_BDPU, 2);
    rig.mmio.write8(base, R.CTL_RUN);
    expect(rig.slot.findings[0]!.data).toEqual({ address: 2 * 2 ** 32 + LIST_ADDRESS + 0x4000, length: 16 });
  });
});

describe('errors', () => {
  test('a list that cannot be read is a descriptor error: DESE, and RUN is cleared', () => {
    const { rig } = player(FORMAT_48_16_2);
    rig.mmio.write32(R.INTCTL, (R.INT_GLOBAL | (1 << OUT)) >>> 0);
    const base = rig.prepare({ stream: OUT, tag: 1, format: FORMAT_48_16_2, entries: ring(1920, 2) });
    rig.mmio.write32(base + R.SD_BDPL, 0x4000_0000);
    rig.mmio.write8(base, R.CTL_RUN | R.CTL_DEIE);
    expect(rig.mmio.read8(base + R.SD_STS)).toBe(R.STS_DESE);
    expect(rig.mmio.read8(base)).toBe(R.CTL_DEIE);
    expect(rig.slot.asserted).toBe(true);
    rig.mmio.write8(base + R.SD_STS, R.STS_DESE);
    expect(rig.slot.asserted).toBe(false);
  });

  test('data that cannot be read runs the FIFO dry: FIFOE, LPIB stands, and it goes on when allowed', () => {
    const { rig } = player(FORMAT_48_16_2);
    rig.mmio.write32(R.INTCTL, (R.INT_GLOBAL | (1 << OUT)) >>> 0);
    const entries = [
      { address: DATA_ADDRESS, bytes: 1920 },
      { address: 0x4000_0000, bytes: 1920 },
    ];
    const start = rig.run({ stream: OUT, tag: 1, format: FORMAT_48_16_2, entries, enables: R.CTL_FEIE });
    rig.slot.clock.advanceTo(start + 200_000);
    expect(rig.mmio.read8(BASE + R.SD_STS) & R.STS_FIFOE).toBe(R.STS_FIFOE);
    expect(rig.slot.asserted).toBe(true);
    expect(rig.mmio.read32(BASE + R.SD_LPIB)).toBe(1920);
    rig.slot.writeRamUlong(LIST_ADDRESS + 0x1000 * OUT + 16, DATA_ADDRESS);
    rig.mmio.write8(BASE, 0);
    rig.advance(10_000);
    expect(rig.mmio.read32(BASE + R.SD_LPIB)).toBe(1920);
  });

  test('a list of entries without length ends in a descriptor error, not in a loop', () => {
    const { rig } = player(FORMAT_48_16_2);
    const base = rig.prepare({ stream: OUT, tag: 1, format: FORMAT_48_16_2, entries: ring(0, 4) });
    rig.mmio.write8(base, R.CTL_RUN);
    expect(rig.mmio.read8(base + R.SD_STS) & R.STS_DESE).toBe(R.STS_DESE);
  });
});

describe('formats (§3.7.1)', () => {
  const rates = [8000, 11_025, 16_000, 22_050, 32_000, 44_100, 48_000, 88_200, 96_000, 176_400, 192_000];
  test.each(rates.flatMap((rate) => [8, 16, 20, 24, 32].map((bits) => [rate, bits] as const)))(
    '%i Hz, %i bits: stereo arrives as it is, at its rate',
    (rate, bits) => {
      const word = formatWord(rate, bits, 2);
      const { rig, sink } = player(word);
      const { frameBytes, containerBytes } = decodeHdaFormat(word);
      const frames = 512;
      const data = noiseBytes(frames * frameBytes, rate + bits);
      rig.bytesAt(DATA_ADDRESS, data.length).set(data);
      const start = rig.run({
        stream: OUT,
        tag: 1,
        format: word,
        entries: ring((frames * frameBytes) / 4, 4),
      });
      rig.slot.clock.advanceTo(start + mulDivCeil(frames, 10_000_000, rate) - 1);
      expect(rig.card.position(OUT).frames).toBe(frames - 1);
      rig.slot.clock.advanceTo(start + mulDivCeil(frames, 10_000_000, rate));
      rig.card.catchUp();
      const [take] = sink.takes;
      expect(take!.format).toEqual({ sampleRate: rate, channels: 2 });
      expect(take!.runs).toEqual([{ startTick: start, firstFrame: 0, frames }]);
      if (containerBytes === 1) {
        expect(take!.samples).toEqual(Int16Array.from(data, (byte) => (byte - 128) << 8));
      } else if (containerBytes === 2) expect(take!.samples).toEqual(new Int16Array(data.buffer));
      else {
        const mask = bits === 32 ? -1 : -1 << (32 - bits);
        expect(take!.samples).toEqual(new Int32Array(data.buffer).map((sample) => sample & mask));
      }
    },
  );

  test.each([1, 3, 6, 8, 16])('of %i channels a stereo DAC takes its own', (channels) => {
    const word = formatWord(48_000, 16, channels);
    const { rig, sink } = player(word);
    const lowest = Math.max(0, channels - 2);
    rig.verb(2, V.SET_STREAM_CHANNEL, 0x10 | lowest);
    const data = Int16Array.from({ length: 480 * channels }, (_, index) => index + 1);
    rig.bytesAt(DATA_ADDRESS, data.byteLength).set(new Uint8Array(data.buffer));
    const start = rig.run({ stream: OUT, tag: 1, format: word, entries: ring(data.byteLength / 2, 2) });
    rig.slot.clock.advanceTo(start + 100_000);
    rig.card.catchUp();
    const expected = new Int16Array(960);
    for (let frame = 0; frame < 480; frame++) {
      expected[frame * 2] = data[frame * channels + lowest]!;
      expected[frame * 2 + 1] = data[frame * channels + (channels === 1 ? 0 : lowest + 1)]!;
    }
    expect(sink.samples).toEqual(expected);
  });

  test('a converter in another format than its stream is reported', () => {
    const { rig } = player(formatWord(44_100, 16, 2));
    rig.run({ stream: OUT, tag: 1, format: FORMAT_48_16_2, entries: ring(1920, 4) });
    expect(rig.slot.findings.map(({ what }) => what)).toEqual([
      'a stream is sent in another format than its converter expects',
    ]);
  });
});
