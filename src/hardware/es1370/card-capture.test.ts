import { describe, expect, test } from 'vitest';
import { mulDivCeil } from '../../hal/bus.ts';
import { ArraySource, MemorySink } from '../analog.ts';
import { MidiMemorySink, MidiMemorySource } from '../midi-memory.ts';
import { AK_LLINE, AK_MIC_GAIN, AK_RLINE } from './ak4531.ts';
import {
  CODEC,
  CONTROL,
  CTL_ADC_STOP,
  CTL_CDC_EN,
  CTL_PCLKDIV_SHIFT,
  CTL_UART_EN,
  MEMPAGE,
  SER_R1_INTEN,
  SER_R1_LOOP_SEL,
  SERIAL,
  STAT_ADC,
  STAT_CSTAT,
  STAT_UART,
  STATUS,
  UART_CONTROL,
  UART_DATA,
  UART_STATUS,
  UC_RXINTEN,
  UC_TXINTEN_READY,
  US_RXINT,
  US_RXRDY,
  US_TXRDY,
} from './registers.ts';
import { DATA, Es1370Rig } from './test-rig.ts';

function ramp(frames: number): Int16Array {
  return new Int16Array(frames * 2).map((_, index) => index * 3 - 20_000);
}

function recorder(options = {}): { rig: Es1370Rig; samples: Int16Array } {
  const samples = ramp(4096);
  const rig = new Es1370Rig({
    lineIn: new ArraySource(samples, { sampleRate: 44100, channels: 2 }),
    ...options,
  });
  rig.set(CONTROL, CTL_CDC_EN | (30 << CTL_PCLKDIV_SHIFT));
  rig.codec(AK_LLINE, 6);
  rig.codec(AK_RLINE, 6);
  rig.codec(0x12, 0x10);
  rig.codec(0x13, 0x08);
  return { rig, samples };
}

function tickOf(start: number, n: number): number {
  return start + mulDivCeil(n, 100_000, 441);
}

describe('the ADC', () => {
  test('writes what the line input brings, bit by bit at 0 dB, in halves of its sample memory', () => {
    const { rig, samples } = recorder();
    rig.prepare('ADC', 1024, 3, 100);
    const start = rig.now;
    rig.start('ADC');
    rig.slot.clock.advanceTo(tickOf(start, 999));
    rig.card.catchUp();
    expect(rig.index('ADC')).toBe(992);
    expect(rig.slot.samplesAt(DATA.ADC, 992 * 2)).toEqual(samples.subarray(0, 992 * 2));
    expect(rig.slot.samplesAt(DATA.ADC + 992 * 4, 16).every((value) => value === 0)).toBe(true);
    rig.slot.clock.advanceTo(tickOf(start, 1000));
    expect(rig.index('ADC')).toBe(1000);
  });

  test('mono takes the left side, 8 bits are unsigned', () => {
    for (const format of [0, 1, 2]) {
      const { rig, samples } = recorder();
      rig.prepare('ADC', 256, format, 100);
      rig.start('ADC');
      rig.advance(50_000);
      rig.card.catchUp();
      const bytes = rig.slot.ram.subarray(DATA.ADC - rig.slot.ramStart);
      for (let frame = 0; frame < 60; frame++) {
        const left = samples[frame * 2]!;
        if (format === 2) expect(rig.slot.samplesAt(DATA.ADC, 64)[frame]).toBe(left);
        else expect(bytes[format === 0 ? frame : frame * 2]).toBe((left >> 8) + 128);
      }
    }
  });

  test('interrupts when the counter has counted; in stop mode it ends there', () => {
    const { rig } = recorder();
    rig.prepare('ADC', 1024, 3, 100, SER_R1_INTEN | SER_R1_LOOP_SEL);
    const start = rig.now;
    rig.start('ADC');
    rig.advance(1_000_000);
    expect(rig.slot.lineChanges).toEqual([{ tick: tickOf(start, 100), asserted: true }]);
    expect(rig.io.read32(STATUS) & STAT_ADC).toBe(STAT_ADC);
    expect(rig.card.position('ADC')).toMatchObject({ converterFrames: 100, running: false });
    rig.clear(SERIAL, SER_R1_INTEN);
    expect(rig.slot.asserted).toBe(false);
  });

  test('with ADC_STOP nothing reaches memory', () => {
    const { rig } = recorder();
    rig.prepare('ADC', 1024, 3, 100);
    rig.set(CONTROL, CTL_ADC_STOP);
    rig.start('ADC');
    rig.advance(100_000);
    expect(rig.index('ADC')).toBe(0);
    rig.clear(CONTROL, CTL_ADC_STOP);
    rig.advance(100_000);
    expect(rig.index('ADC')).toBeGreaterThan(400);
  });

  test('goes round in its buffer', () => {
    const { rig, samples } = recorder();
    rig.prepare('ADC', 64, 3, 100);
    const start = rig.now;
    rig.start('ADC');
    rig.slot.clock.advanceTo(tickOf(start, 64 * 3 + 8));
    rig.card.catchUp();
    expect([...rig.slot.samplesAt(DATA.ADC, 16)]).toEqual([...samples.subarray(64 * 6, 64 * 6 + 16)]);
    expect([...rig.slot.samplesAt(DATA.ADC + 32, 112)]).toEqual([...samples.subarray(64 * 4 + 16, 64 * 6)]);
  });

  test('records what a DAC plays, and the microphone with 30 dB before its volume', () => {
    const mic = new Int16Array(2000).fill(100);
    const { rig } = recorder({
      micIn: new ArraySource(mic, { sampleRate: 44100, channels: 1 }),
      lineOut: new MemorySink(),
    });
    rig.codec(0x12, 0);
    rig.codec(0x13, 0);
    rig.codec(0x14, 0x84);
    rig.codec(0x15, 0x84);
    rig.codec(0x02, 6);
    rig.codec(0x03, 6);
    rig.codec(AK_MIC_GAIN, 1);
    rig.slot.samplesAt(DATA.DAC2, 16).fill(1000);
    rig.prepare('DAC2', 8, 3, 100);
    rig.prepare('ADC', 1024, 3, 100);
    rig.start('DAC2');
    rig.start('ADC');
    rig.advance(100_000);
    rig.card.catchUp();
    expect(
      rig.slot.samplesAt(DATA.ADC, 800).every((value) => value === 1000 + Math.round(100 * 10 ** 1.5)),
    ).toBe(true);
  });
});

describe('registers', () => {
  test('PCI identity and the values after a reset', () => {
    const rig = new Es1370Rig();
    expect(rig.card).toMatchObject({
      vendorId: 0x1274,
      deviceId: 0x5000,
      classCode: 0x040100,
      subsystemVendorId: 0x4942,
      subsystemId: 0x4c4c,
      interruptPin: 1,
      minGrant: 0x0c,
      maxLatency: 0x80,
      status: 0x0400,
    });
    expect(rig.io.read32(CONTROL)).toBe(1);
    expect(rig.io.read32(STATUS)).toBe(0x60);
    expect(rig.io.read32(SERIAL)).toBe(0);
    expect(rig.io.read32(MEMPAGE)).toBe(0);
  });

  test('bytes and words of a register can be written and read', () => {
    const rig = new Es1370Rig();
    rig.io.write8(0x03, 0x12);
    rig.io.write16(0x00, 0x3022);
    expect(rig.io.read32(CONTROL)).toBe(0x1200_3022);
    expect(rig.io.read16(0x02)).toBe(0x1200);
    expect(rig.io.read8(0x03)).toBe(0x12);
  });

  test('a codec write takes time, is shown in STATUS, and a second one meanwhile is lost', () => {
    const rig = new Es1370Rig();
    rig.io.write16(CODEC, 0x0005);
    expect(rig.io.read32(STATUS) & STAT_CSTAT).toBe(STAT_CSTAT);
    rig.io.write16(CODEC, 0x0007);
    expect(rig.slot.findings.length).toBe(1);
    rig.advance(50);
    expect(rig.io.read32(STATUS) & STAT_CSTAT).toBe(0);
    expect(rig.card.codecRegisters()[0]).toEqual({ name: 'LMASTER', value: 5 });
    expect(rig.io.read32(CODEC)).toBe(0);
  });

  test("the chip's memory keeps what is written to the sample pages and the phantom frame", () => {
    const rig = new Es1370Rig();
    for (let page = 0; page < 12; page++) {
      rig.io.write32(MEMPAGE, page);
      for (let at = 0x30; at < 0x40; at += 4) rig.io.write32(at, page * 256 + at);
    }
    rig.io.write32(MEMPAGE, 0x0d);
    rig.io.write32(0x38, 0xdead_beef);
    for (let page = 0; page < 12; page++) {
      rig.io.write32(MEMPAGE, page);
      for (let at = 0x30; at < 0x40; at += 4) expect(rig.io.read32(at)).toBe(page * 256 + at);
    }
    rig.io.write32(MEMPAGE, 0x0d);
    expect(rig.io.read32(0x38)).toBe(0xdead_beef);
  });

  test('pulled out, the card answers all ones and lets go of its line', () => {
    const { rig } = recorder();
    rig.prepare('ADC', 1024, 3, 100, SER_R1_INTEN);
    rig.start('ADC');
    rig.advance(100_000);
    expect(rig.slot.asserted).toBe(true);
    rig.card.detach();
    expect(rig.slot.asserted).toBe(false);
    expect(rig.io.read32(STATUS)).toBe(0xffff_ffff);
    rig.advance(1_000_000);
    expect(rig.slot.asserted).toBe(false);
  });
});

describe('the UART', () => {
  test('sends at 31250 baud, one byte waiting behind the one on the wire', () => {
    const out = new MidiMemorySink();
    const rig = new Es1370Rig({ midiOut: out });
    rig.set(CONTROL, CTL_UART_EN);
    const start = rig.now;
    expect(rig.io.read8(UART_STATUS)).toBe(US_TXRDY);
    rig.io.write8(UART_DATA, 0x90);
    expect(rig.io.read8(UART_STATUS)).toBe(US_TXRDY);
    rig.io.write8(UART_DATA, 0x3c);
    expect(rig.io.read8(UART_STATUS)).toBe(0);
    rig.io.write8(UART_DATA, 0x00);
    expect(rig.slot.findings.length).toBe(1);
    rig.advance(3200);
    expect(rig.io.read8(UART_STATUS)).toBe(US_TXRDY);
    expect(out.recorded).toEqual([
      { byte: 0x90, startTick: start },
      { byte: 0x3c, startTick: start + 3200 },
    ]);
  });

  test('receives into eight places, and interrupts while a byte waits', () => {
    const source = new MidiMemorySource();
    const rig = new Es1370Rig({ midiIn: source });
    rig.set(CONTROL, CTL_UART_EN);
    rig.io.write8(UART_CONTROL, UC_RXINTEN);
    source.send([1, 2, 3, 4, 5, 6, 7, 8, 9, 10], rig.now);
    rig.advance(3200);
    expect(rig.slot.asserted).toBe(true);
    expect(rig.io.read32(STATUS) & STAT_UART).toBe(STAT_UART);
    rig.advance(40_000);
    expect(rig.io.read8(UART_STATUS)).toBe(US_RXINT | US_RXRDY | US_TXRDY);
    const read: number[] = [];
    while ((rig.io.read8(UART_STATUS) & US_RXRDY) !== 0) read.push(rig.io.read8(UART_DATA));
    expect(read).toEqual([1, 2, 3, 4, 5, 6, 7, 8]);
    expect(rig.slot.asserted).toBe(false);
  });

  test('interrupts when the transmitter is ready, and a software reset ends that', () => {
    const rig = new Es1370Rig();
    rig.set(CONTROL, CTL_UART_EN);
    rig.io.write8(UART_CONTROL, UC_TXINTEN_READY);
    expect(rig.slot.asserted).toBe(true);
    rig.io.write8(UART_CONTROL, 3);
    expect(rig.slot.asserted).toBe(false);
  });
});
