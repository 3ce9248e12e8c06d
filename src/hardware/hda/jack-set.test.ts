import { describe, expect, test } from 'vitest';
import { MemorySink } from '../analog.ts';
import { DESKTOP_CODEC, HDA_CODECS } from './codecs/index.ts';
import { hdaInput, hdaOutputs, hdaPanel } from './jack-panel.ts';
import { HdaJackSet } from './jack-set.ts';
import * as R from './registers.ts';
import { DATA_ADDRESS, formatWord, HdaRig, sdOffset } from './test-rig.ts';
import * as V from './verbs.ts';

const OUT = 4;
/** Desktop codec: DAC, its mixer, its jack, in the order of a 7.1 stream's channel pairs. */
const WAYS = [
  [0x02, 0x0c, 0x14],
  [0x04, 0x0e, 0x16],
  [0x03, 0x0d, 0x15],
  [0x05, 0x0f, 0x17],
] as const;

describe('the panel of a codec', () => {
  test('the desktop codec has its 7.1 jacks as one output, in the order of the channels, then headphones and the rest', () => {
    const outputs = hdaOutputs(hdaPanel(DESKTOP_CODEC));
    expect(outputs.map(({ name, jacks }) => [name, jacks.map(({ nid }) => nid)])).toEqual([
      ['front', [0x14, 0x16, 0x15, 0x17]],
      ['speaker', [0x1d]],
      ['headphone', [0x1b]],
      ['s-pdif-out', [0x1e]],
    ]);
  });

  test('its inputs are found by what belongs into them, and unused pins are no jacks', () => {
    const panel = hdaPanel(DESKTOP_CODEC);
    expect(hdaInput(panel, 'line-in')?.name).toBe('line-in');
    expect(hdaInput(panel, 'mic')?.name).toBe('rear-mic');
    expect(panel.some(({ nid }) => nid === 0x1c)).toBe(false);
    expect(panel.filter(({ detects }) => !detects).map(({ name }) => name)).toEqual([
      'speaker',
      's-pdif-out',
    ]);
    expect(panel.find(({ name }) => name === 'rear-mic')?.title).toBe('Rear mic: mic, pink, rear');
  });

  test.each(HDA_CODECS)('every codec has names for its jacks that are unique: $name', (codec) => {
    const names = hdaPanel(codec).map(({ name }) => name);
    expect(new Set(names).size).toBe(names.length);
    expect(hdaOutputs(hdaPanel(codec)).length).toBeGreaterThan(0);
  });
});

describe('a listener with plugs in several jacks', () => {
  /** A desktop codec whose DACs hear stream 1, two channels each. */
  function surround(channels: number, bits: number) {
    const sink = new MemorySink();
    const set = new HdaJackSet(sink, WAYS.length);
    const jacks = Object.fromEntries(WAYS.map(([, , pin], place) => [pin, { sink: set.plug(place) }]));
    const rig = new HdaRig(
      { codecs: [{ name: 'desktop', jacks }], jackSets: [set] },
      { ramBytes: 4 << 20 },
    ).bringUp();
    const format = formatWord(48_000, bits, channels);
    rig.verb(1, V.SET_POWER_STATE, 0);
    for (const [place, [dac, mixer, pin]] of WAYS.entries()) {
      for (const nid of [dac, pin]) rig.verb(nid, V.SET_POWER_STATE, 0);
      rig.verb(mixer, V.SET_AMP, 0x7000);
      rig.verb(pin, V.SET_CONNECTION_SELECT, [0, 2, 1, 3][place]);
      rig.verb(pin, V.SET_AMP, 0xb000);
      rig.verb(pin, V.SET_PIN_CONTROL, V.PIN_OUT_ENABLE);
      rig.verb(pin, V.SET_EAPD_BTL, V.EAPD_EAPD);
      if (place * 2 >= channels) continue;
      rig.verb(dac, V.SET_FORMAT, format);
      rig.verb(dac, V.SET_STREAM_CHANNEL, 0x10 | (place * 2));
    }
    return { rig, sink, format };
  }

  function play(rig: HdaRig, format: number, bytes: Uint8Array): void {
    rig.bytesAt(DATA_ADDRESS, bytes.length).set(bytes);
    rig.run({
      stream: OUT,
      tag: 1,
      format,
      entries: [0, 1].map((half) => ({
        address: DATA_ADDRESS + (half * bytes.length) / 2,
        bytes: bytes.length / 2,
      })),
    });
  }

  const stop = (rig: HdaRig) => rig.mmio.write8(sdOffset(OUT), 0);
  const ONE_SECOND = 10_000_000;

  test.each([2, 4, 6, 8])('%i channels of 16 bits come out as they went in', (channels) => {
    const { rig, sink, format } = surround(channels, 16);
    const samples = Int16Array.from({ length: 960 * channels }, (_, index) => (index * 37) % 30_000);
    play(rig, format, new Uint8Array(samples.buffer));
    rig.advance((ONE_SECOND * 950) / 48_000);
    stop(rig);
    expect(sink.takes).toHaveLength(1);
    expect(sink.takes[0]?.format).toEqual({ sampleRate: 48_000, channels });
    expect(sink.frames).toBeGreaterThan(940);
    expect(sink.samples).toEqual(samples.subarray(0, sink.frames * channels));
  });

  test('24 bits stay 24 bits', () => {
    const { rig, sink, format } = surround(6, 24);
    const samples = Int32Array.from({ length: 480 * 6 }, (_, index) => (index * 12_345 - 9_999_999) << 8);
    play(rig, format, new Uint8Array(samples.buffer));
    rig.advance((ONE_SECOND * 470) / 48_000);
    stop(rig);
    const [take] = sink.takes;
    expect(take?.format).toEqual({ sampleRate: 48_000, channels: 6 });
    expect(take?.samples).toEqual(samples.subarray(0, (take?.frames ?? 0) * 6));
  });

  test('a plug that is pulled leaves its channels silent, and back in they are heard again', () => {
    const { rig, sink, format } = surround(6, 16);
    const samples = new Int16Array(9600 * 6).fill(1000);
    play(rig, format, new Uint8Array(samples.buffer));
    rig.advance(ONE_SECOND / 20);
    const centre = rig.card.codecs.get(0)?.jack(0x16).sink;
    rig.card.unplug(0, 0x16);
    rig.advance(ONE_SECOND / 20);
    rig.card.plug(0, 0x16, centre ? { sink: centre } : {});
    rig.advance(ONE_SECOND / 20);
    stop(rig);
    expect(sink.takes).toHaveLength(1);
    const frame = (at: number) => [...(sink.takes[0]?.samples.subarray(at * 6, at * 6 + 6) ?? [])];
    expect(frame(1000)).toEqual([1000, 1000, 1000, 1000, 1000, 1000]);
    expect(frame(3600)).toEqual([1000, 1000, 0, 0, 1000, 1000]);
    expect(frame(6000)).toEqual([1000, 1000, 1000, 1000, 1000, 1000]);
  });

  test('jacks that play at different rates are passed on one after the other', () => {
    const sink = new MemorySink();
    const set = new HdaJackSet(sink, 2);
    const block = Int16Array.of(1, 2);
    set.plug(0).write(block, 1, { sampleRate: 48_000, channels: 2 }, 0);
    set.plug(1).write(block, 1, { sampleRate: 44_100, channels: 2 }, 0);
    set.settle();
    expect(sink.takes.map((take) => take.format.sampleRate)).toEqual([48_000, 44_100]);
    expect(() => set.plug(2)).toThrow(RangeError);
  });

  test('registers are not needed to hear: catching up is enough', () => {
    const { rig, sink, format } = surround(4, 16);
    play(rig, format, new Uint8Array(new Int16Array(9600 * 4).fill(7).buffer));
    rig.advance(ONE_SECOND / 100);
    rig.card.catchUp();
    expect(sink.frames).toBeGreaterThan(470);
    expect(rig.mmio.read8(sdOffset(OUT) + R.SD_STS) & R.STS_FIFOE).toBe(0);
  });
});
