import { describe, expect, test } from 'vitest';
import type { PcmSource } from '../../hal/bus.ts';
import { mulDivCeil } from '../../hal/bus.ts';
import { ArraySource, MemorySink } from '../analog.ts';
import { HDA_CODECS } from './codecs/index.ts';
import * as R from './registers.ts';
import { DATA_ADDRESS, formatWord, HdaRig, sdOffset, type TestEntry } from './test-rig.ts';
import * as V from './verbs.ts';

const IN = 0;
const BASE = sdOffset(IN);
const FORMAT_48_16_2 = formatWord(48_000, 16, 2);
const UNITY = V.AMP_SET_INPUT | V.AMP_SET_LEFT | V.AMP_SET_RIGHT | 0x4a;

function ring(bytes: number, count: number, ioc = true): TestEntry[] {
  return Array.from({ length: count }, (_, index) => ({ address: DATA_ADDRESS + bytes * index, bytes, ioc }));
}

/** Every sample is its number, from 1 on. */
class CountingSource implements PcmSource {
  next = 1;
  read(into: Int16Array | Int32Array, frames: number, format: { readonly channels: number }): void {
    const scale = into instanceof Int32Array ? 65_536 : 1;
    for (let index = 0; index < frames * format.channels; index++) into[index] = this.next++ * scale;
  }
}

function recorder(format: number, source: PcmSource = new CountingSource()): HdaRig {
  const codecs = [{ name: 'qemu-duplex' as const, jacks: { 5: { source } } }];
  const rig = new HdaRig({ codecs }, { ramBytes: 1 << 20 }).bringUp();
  rig.verb(4, V.SET_FORMAT, format);
  rig.verb(4, V.SET_AMP, UNITY);
  rig.verb(4, V.SET_STREAM_CHANNEL, 0x20);
  return rig;
}

describe('recording', () => {
  test('memory gets the samples bit by bit and is never behind LPIB', () => {
    const rig = recorder(FORMAT_48_16_2);
    const start = rig.run({ stream: IN, tag: 2, format: FORMAT_48_16_2, entries: ring(1920, 4) });
    rig.slot.clock.advanceTo(start + mulDivCeil(1000, 10_000_000, 48_000));
    expect(rig.mmio.read32(BASE + R.SD_LPIB)).toBe(4000);
    const samples = rig.slot.samplesAt(DATA_ADDRESS, 2002);
    expect(samples).toEqual(Int16Array.from({ length: 2002 }, (_, index) => (index < 2000 ? index + 1 : 0)));
  });

  test('BCIS comes when the last byte of an entry is stored', () => {
    const rig = recorder(FORMAT_48_16_2);
    rig.mmio.write32(R.INTCTL, (R.INT_GLOBAL | (1 << IN)) >>> 0);
    const stored: number[] = [];
    rig.slot.onInterrupt = () => {
      stored.push(rig.slot.samplesAt(DATA_ADDRESS, 3840).findLastIndex((sample) => sample !== 0) + 1);
      rig.mmio.write8(BASE + R.SD_STS, R.STS_BCIS);
    };
    const start = rig.run({
      stream: IN,
      tag: 2,
      format: FORMAT_48_16_2,
      entries: ring(1920, 4),
      enables: R.CTL_IOCE,
    });
    rig.slot.clock.advanceTo(start + 400_000);
    const rises = rig.slot.lineChanges.filter(({ asserted }) => asserted);
    expect(rises.map(({ tick }) => tick - start)).toEqual([100_000, 200_000, 300_000, 400_000]);
    expect(stored).toEqual([960, 1920, 2880, 3840]);
  });

  test('without a codec that sends on its number nothing arrives', () => {
    const rig = recorder(FORMAT_48_16_2);
    const base = rig.prepare({ stream: IN, tag: 3, format: FORMAT_48_16_2, entries: ring(1920, 4) });
    rig.mmio.write8(base, R.CTL_RUN);
    rig.advance(500_000);
    expect(rig.mmio.read32(BASE + R.SD_LPIB)).toBe(0);
    rig.verb(4, V.SET_STREAM_CHANNEL, 0x30);
    rig.advance(500_000);
    expect(rig.mmio.read32(BASE + R.SD_LPIB)).toBeGreaterThan(0);
  });

  test('what memory refuses is lost: FIFOE', () => {
    const rig = recorder(FORMAT_48_16_2);
    const start = rig.run({ stream: IN, tag: 2, format: FORMAT_48_16_2, entries: ring(1920, 4) });
    rig.slot.busMasterEnable = false;
    rig.slot.clock.advanceTo(start + 100_000);
    expect(rig.mmio.read8(BASE + R.SD_STS) & R.STS_FIFOE).toBe(R.STS_FIFOE);
    expect(rig.mmio.read32(BASE + R.SD_LPIB)).toBe(0);
  });

  test('a muted ADC records silence, a gain is exact', () => {
    const source = new ArraySource(
      Int16Array.of(1000, -1000),
      { sampleRate: 48_000, channels: 2 },
      { loop: true },
    );
    const rig = recorder(FORMAT_48_16_2, source);
    rig.verb(4, V.SET_AMP, V.AMP_SET_INPUT | V.AMP_SET_LEFT | V.AMP_MUTE | 0x4a);
    rig.verb(4, V.SET_AMP, V.AMP_SET_INPUT | V.AMP_SET_RIGHT | 0x44);
    const start = rig.run({ stream: IN, tag: 2, format: FORMAT_48_16_2, entries: ring(1920, 4) });
    rig.slot.clock.advanceTo(start + 100_000);
    rig.card.catchUp();
    // −6 dB of −1000.
    expect([...rig.slot.samplesAt(DATA_ADDRESS, 4)]).toEqual([0, -501, 0, -501]);
  });

  test.each([
    [8, 1],
    [16, 1],
    [16, 2],
    [16, 4],
    [20, 2],
    [24, 1],
    [24, 2],
    [32, 2],
  ])('%i bits, %i channels are stored in their containers', (bits, channels) => {
    const format = formatWord(96_000, bits, channels);
    const signal = Int32Array.from({ length: 960 }, (_, index) => Math.imul(index + 1, 0x0123_4567));
    const rig = recorder(
      format,
      new ArraySource(signal, { sampleRate: 96_000, channels: 2 }, { startTick: 0, loop: true }),
    );
    const bytes = bits === 8 ? 1 : bits === 16 ? 2 : 4;
    const start = rig.run({ stream: IN, tag: 2, format, entries: ring(240 * channels * bytes, 2) });
    rig.slot.clock.advanceTo(start + mulDivCeil(480, 10_000_000, 96_000));
    rig.card.catchUp();
    const first = Math.floor((start * 96_000) / 10_000_000 + 0.5);
    const stored = rig.bytesAt(DATA_ADDRESS, 480 * channels * bytes).slice();
    const view = new DataView(stored.buffer);
    for (let frame = 0; frame < 480; frame++) {
      for (let channel = 0; channel < channels; channel++) {
        const at = (frame * channels + channel) * bytes;
        const sample = channel < 2 ? signal[((first + frame) % 480) * 2 + channel]! : 0;
        if (bits === 8) {
          // A sum is rounded to sixteen bits before half of them are dropped.
          expect(Math.abs(stored[at]! - ((sample >> 24) + 128))).toBeLessThanOrEqual(1);
        } else if (bits === 16)
          expect(Math.abs(view.getInt16(at, true) - (sample >> 16))).toBeLessThanOrEqual(1);
        else {
          const mask = bits === 32 ? -1 : -1 << (32 - bits);
          expect(view.getInt32(at, true)).toBe(sample & mask);
        }
      }
    }
  });

  test('two ADCs fill the channels of one stream', () => {
    const jacks = { 24: { source: new CountingSource() }, 26: { source: new CountingSource() } };
    const rig = new HdaRig({ codecs: [{ name: 'desktop', jacks }] }).bringUp();
    rig.verb(1, V.SET_POWER_STATE, 0);
    const format = formatWord(48_000, 16, 4);
    for (const [adc, selector, input, pin] of [
      [8, 0x22, 0, 0x18],
      [9, 0x23, 2, 0x1a],
    ] as const) {
      for (const nid of [adc, pin]) rig.verb(nid, V.SET_POWER_STATE, 0);
      rig.verb(selector, V.SET_CONNECTION_SELECT, input);
      rig.verb(pin, V.SET_PIN_CONTROL, V.PIN_IN_ENABLE);
      rig.verb(adc, V.SET_FORMAT, format);
      rig.verb(adc, V.SET_AMP, V.AMP_SET_INPUT | V.AMP_SET_LEFT | V.AMP_SET_RIGHT | 11);
      rig.verb(adc, V.SET_STREAM_CHANNEL, 0x50 | ((adc - 8) * 2));
    }
    const start = rig.run({ stream: 1, tag: 5, format, entries: ring(3840, 4) });
    rig.slot.clock.advanceTo(start + 100_000);
    rig.card.catchUp();
    expect([...rig.slot.samplesAt(DATA_ADDRESS, 8)]).toEqual([1, 2, 1, 2, 3, 4, 3, 4]);
  });
});

test('an input is heard through the mixers without any stream', () => {
  const sink = new MemorySink();
  const source = new CountingSource();
  const rig = new HdaRig({
    codecs: [{ name: 'desktop', jacks: { 20: { sink }, 26: { source } } }],
  }).bringUp();
  for (const nid of [1, 2, 8, 0x14, 0x1a]) rig.verb(nid, V.SET_POWER_STATE, 0);
  rig.verb(0x1a, V.SET_PIN_CONTROL, V.PIN_IN_ENABLE);
  rig.verb(0x14, V.SET_PIN_CONTROL, V.PIN_OUT_ENABLE);
  rig.verb(0x14, V.SET_AMP, V.AMP_SET_OUTPUT | V.AMP_SET_LEFT | V.AMP_SET_RIGHT);
  // Line in at 0 dB into the input mixer, that into the front mixer: heard without any stream.
  rig.verb(0x0b, V.SET_AMP, V.AMP_SET_INPUT | V.AMP_SET_LEFT | V.AMP_SET_RIGHT | (2 << 8) | 23);
  rig.verb(0x0c, V.SET_AMP, V.AMP_SET_INPUT | V.AMP_SET_LEFT | V.AMP_SET_RIGHT | (1 << 8));
  rig.advance(1_000_000);
  rig.card.catchUp();
  expect(sink.frames).toBeGreaterThan(4700);
  const samples = sink.samples;
  for (let index = 1; index < 4000; index++) expect(samples[index]! - samples[index - 1]!).toBe(1);
});

test('what one stream plays into a mixer another records, every sample once', () => {
  const [output] = HDA_CODECS.filter((codec) => codec.name === 'qemu-output');
  const definition = {
    ...output!,
    widgets: [
      { nid: 2, name: 'DAC', kind: 'audio-output' as const },
      { nid: 3, name: 'Mixer', kind: 'mixer' as const, connections: [2] },
      { nid: 4, name: 'ADC', kind: 'audio-input' as const, connections: [3] },
    ],
  };
  const rig = new HdaRig({ codecs: [{ definition }] }).bringUp();
  for (const nid of [2, 4]) rig.verb(nid, V.SET_FORMAT, FORMAT_48_16_2);
  rig.verb(2, V.SET_STREAM_CHANNEL, 0x10);
  rig.verb(4, V.SET_STREAM_CHANNEL, 0x20);
  const played = DATA_ADDRESS + 0x8000;
  const ramp = rig.slot.samplesAt(played, 7680);
  for (let index = 0; index < ramp.length; index++) ramp[index] = index + 1;
  rig.run({ stream: IN, tag: 2, format: FORMAT_48_16_2, entries: ring(7680, 2) });
  const entries = [0, 1].map((half) => ({ address: played + 7680 * half, bytes: 7680 }));
  rig.run({ stream: 4, tag: 1, format: FORMAT_48_16_2, entries });
  rig.advance(700_000);
  rig.card.catchUp();
  const recorded = rig.slot.samplesAt(DATA_ADDRESS, 6000);
  const first = recorded.indexOf(1);
  expect(first).toBeGreaterThanOrEqual(0);
  for (let index = first; index < 6000; index++) expect(recorded[index]).toBe(index - first + 1);
});
