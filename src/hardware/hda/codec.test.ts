import { describe, expect, test } from 'vitest';
import { MemorySink } from '../analog.ts';
import { HDA_CODECS } from './codecs/index.ts';
import { checkCodecDefinition, decodePinConfig, encodePinConfig } from './definition.ts';
import { formatWidgets } from './describe.ts';
import { decodeHdaFormat, encodeHdaFormat } from './format.ts';
import { DATA_ADDRESS, formatWord, HdaRig } from './test-rig.ts';
import * as V from './verbs.ts';

describe('QEMU’s codecs answer as QEMU 7.2 does', () => {
  test.each([
    ['qemu-output', 0x1af4_0012, 2, [0x1d, 0x40_0101]],
    ['qemu-duplex', 0x1af4_0022, 4, [0x1d, 0x40_0101, 0x10_011b, 0x40_0001]],
    ['qemu-micro', 0x1af4_0032, 4, [0x1d, 0x40_0101, 0x10_011b, 0x40_0001]],
  ] as const)('%s', (name, vendorId, widgets, capabilities) => {
    const rig = new HdaRig({ codecs: [{ name }] }).bringUp();
    expect(rig.parameter(0, V.PARAM_VENDOR_ID)).toBe(vendorId);
    expect(rig.parameter(0, V.PARAM_REVISION_ID)).toBe(0x0010_0101);
    expect(rig.parameter(0, V.PARAM_NODE_COUNT)).toBe(0x0001_0001);
    expect(rig.parameter(1, V.PARAM_NODE_COUNT)).toBe(0x0002_0000 | widgets);
    expect(rig.parameter(1, V.PARAM_FUNCTION_TYPE)).toBe(1);
    expect(rig.parameter(1, V.PARAM_AUDIO_FUNCTION_CAPS)).toBe(0x0808);
    expect(rig.parameter(1, V.PARAM_POWER_STATES)).toBe(0);
    for (const [index, value] of capabilities.entries())
      expect(rig.parameter(2 + index, V.PARAM_WIDGET_CAPS)).toBe(value);
    expect(rig.parameter(2, V.PARAM_PCM)).toBe(0x0002_01fc);
    expect(rig.parameter(2, V.PARAM_STREAM_FORMATS)).toBe(1);
    expect(rig.parameter(2, V.PARAM_OUT_AMP_CAPS)).toBe(0x8003_4a4a);
    expect(rig.verb(2, V.GET_AMP, V.AMP_GET_OUTPUT)).toBe(0x4a);
    expect(rig.parameter(3, V.PARAM_PIN_CAPS)).toBe(0x10);
    expect(rig.verb(3, V.GET_CONNECTION_LIST)).toBe(2);
    expect(rig.verb(3, V.GET_CONFIG_DEFAULT)).toBe(name === 'qemu-micro' ? 0x0010_4010 : 0x0000_4010);
    expect(rig.verb(3, V.GET_PIN_CONTROL)).toBe(V.PIN_OUT_ENABLE);
    if (widgets === 2) return;
    expect(rig.verb(4, V.GET_CONNECTION_LIST)).toBe(5);
    expect(rig.verb(4, V.GET_AMP, 0)).toBe(0);
    expect(rig.verb(5, V.GET_CONFIG_DEFAULT)).toBe(name === 'qemu-micro' ? 0x00a0_5020 : 0x0080_5020);
  });
});

describe('verbs', () => {
  test('unknown verbs and nodes answer 0 and are reported', () => {
    const rig = new HdaRig().bringUp();
    expect(rig.verb(2, 0xfff, 1)).toBe(0);
    expect(rig.verb(0x55, V.GET_PARAMETER, 9)).toBe(0);
    expect(rig.verb(3, V.GET_FORMAT)).toBe(0);
    expect(rig.slot.findings.map(({ what }) => what)).toEqual([
      'unknown verb',
      'verb to a node that is not there',
      'verb that the node does not understand',
    ]);
  });

  test('amplifiers take sides, indices and mutes, and give them back', () => {
    const rig = new HdaRig({ codecs: [{ name: 'desktop' }] }).bringUp();
    rig.verb(0x0b, V.SET_AMP, V.AMP_SET_INPUT | V.AMP_SET_LEFT | (2 << 8) | V.AMP_MUTE | 7);
    rig.verb(0x0b, V.SET_AMP, V.AMP_SET_INPUT | V.AMP_SET_RIGHT | (2 << 8) | 9);
    expect(rig.verb(0x0b, V.GET_AMP, V.AMP_GET_LEFT | 2)).toBe(V.AMP_MUTE | 7);
    expect(rig.verb(0x0b, V.GET_AMP, 2)).toBe(9);
    expect(rig.verb(0x0b, V.GET_AMP, V.AMP_GET_LEFT | 1)).toBe(V.AMP_MUTE | 23);
    // The DACs cannot mute.
    rig.verb(0x02, V.SET_AMP, V.AMP_SET_OUTPUT | V.AMP_SET_LEFT | V.AMP_MUTE | 5);
    expect(rig.verb(0x02, V.GET_AMP, V.AMP_GET_OUTPUT | V.AMP_GET_LEFT)).toBe(5);
  });

  test('state is kept where it belongs and lost in a function reset, but for what firmware wrote', () => {
    const rig = new HdaRig({ codecs: [{ name: 'desktop' }] }).bringUp();
    const cases: [number, number, number, number][] = [
      [0x14, V.SET_CONNECTION_SELECT, V.GET_CONNECTION_SELECT, 3],
      [0x14, V.SET_PIN_CONTROL, V.GET_PIN_CONTROL, V.PIN_OUT_ENABLE | V.PIN_HP_ENABLE],
      [0x18, V.SET_PIN_CONTROL, V.GET_PIN_CONTROL, V.PIN_IN_ENABLE | 4],
      [0x14, V.SET_UNSOLICITED, V.GET_UNSOLICITED, 0x95],
      [0x14, V.SET_EAPD_BTL, V.GET_EAPD_BTL, 0],
      [0x02, V.SET_FORMAT, V.GET_FORMAT, 0x4031],
      [0x02, V.SET_STREAM_CHANNEL, V.GET_STREAM_CHANNEL, 0x32],
      [0x06, V.SET_DIGITAL_CONTROL_1, V.GET_DIGITAL_CONTROL, 0x11],
      [0x20, V.SET_COEFFICIENT_INDEX, V.GET_COEFFICIENT_INDEX, 7],
      [0x20, V.SET_PROCESSING_STATE, V.GET_PROCESSING_STATE, 1],
      [0x01, V.SET_GPIO_DIRECTION, V.GET_GPIO_DIRECTION, 3],
    ];
    const before = cases.map(([nid, , get]) => rig.verb(nid, get));
    for (const [nid, set, , value] of cases) rig.verb(nid, set, value);
    for (const [nid, , get, value] of cases) expect([nid, rig.verb(nid, get)]).toEqual([nid, value]);
    for (const [byte, value] of [0x20, 0x40, 0x21, 0x02].entries())
      rig.verb(0x1b, V.SET_CONFIG_DEFAULT_0 + byte, value);
    rig.verb(1, V.SET_SUBSYSTEM_ID_3, 0x12);
    rig.verb(1, V.FUNCTION_RESET);
    expect(cases.map(([nid, , get]) => rig.verb(nid, get))).toEqual(before);
    expect(rig.verb(0x1b, V.GET_CONFIG_DEFAULT)).toBe(0x0221_4020);
    expect(rig.verb(1, V.GET_SUBSYSTEM_ID)).toBe(0x1250_0001);
  });

  test('coefficients are written and read one after another', () => {
    const rig = new HdaRig({ codecs: [{ name: 'desktop' }] }).bringUp();
    rig.verb(0x20, V.SET_COEFFICIENT_INDEX, 2);
    rig.verb(0x20, V.SET_COEFFICIENT, 0x1234);
    rig.verb(0x20, V.SET_COEFFICIENT, 0x5678);
    rig.verb(0x20, V.SET_COEFFICIENT_INDEX, 2);
    expect([rig.verb(0x20, V.GET_COEFFICIENT), rig.verb(0x20, V.GET_COEFFICIENT)]).toEqual([0x1234, 0x5678]);
  });

  test('a widget’s power is no better than its function group’s', () => {
    const rig = new HdaRig({ codecs: [{ name: 'desktop' }] }).bringUp();
    expect(rig.verb(1, V.GET_POWER_STATE)).toBe(0x33);
    rig.verb(2, V.SET_POWER_STATE, 0);
    expect(rig.verb(2, V.GET_POWER_STATE)).toBe(0x30);
    rig.verb(1, V.SET_POWER_STATE, 0);
    expect(rig.verb(2, V.GET_POWER_STATE)).toBe(0x00);
    expect(rig.verb(3, V.GET_POWER_STATE)).toBe(0x33);
  });
});

describe('definitions', () => {
  test.each(HDA_CODECS.map((codec) => [codec.name, codec] as const))('%s is one', (_name, codec) => {
    expect(() => checkCodecDefinition(codec)).not.toThrow();
    for (const { pin } of codec.widgets)
      if (pin) expect(decodePinConfig(encodePinConfig(pin.config))).toEqual({ misc: 0, ...pin.config });
  });

  test('the desktop codec’s pins tell their jacks as a mainboard’s firmware would', () => {
    const rig = new HdaRig({ codecs: [{ name: 'desktop' }] }).bringUp();
    const defaults = [0x14, 0x15, 0x16, 0x17, 0x18, 0x19, 0x1a, 0x1b, 0x1d, 0x1e].map((nid) =>
      rig.verb(nid, V.GET_CONFIG_DEFAULT).toString(16),
    );
    expect(defaults).toEqual([
      '1014010',
      '1011012',
      '1016011',
      '1012014',
      '1a19030',
      '2a19050',
      '1813040',
      '2214020',
      '90170160',
      '1451170',
    ]);
  });

  test('formats go both ways', () => {
    for (let word = 0; word < 0x8000; word++) {
      const format = decodeHdaFormat(word);
      if (format.reserved) continue;
      const rate = format.rateNumerator / format.rateDivisor;
      const encoded = encodeHdaFormat(rate, format.bits, format.channels);
      expect(encoded).not.toBeNull();
      const again = decodeHdaFormat(encoded!);
      expect(again.rateNumerator / again.rateDivisor).toBe(rate);
      expect([again.bits, again.channels]).toEqual([format.bits, format.channels]);
    }
    expect(encodeHdaFormat(48_000, 16, 2)).toBe(0x0011);
    expect(encodeHdaFormat(44_100, 24, 8)).toBe(0x4037);
    expect(encodeHdaFormat(192_000, 32, 2)).toBe(0x1841);
    expect(encodeHdaFormat(8000, 16, 1)).toBe(0x0510);
    expect(encodeHdaFormat(12_345, 16, 2)).toBeNull();
  });

  test('a broken definition is refused with node and reason', () => {
    const rig = new HdaRig();
    const [codec] = rig.card.codecs.values();
    const { definition } = codec!;
    const broken = { ...definition, widgets: definition.widgets.map((w) => ({ ...w, connections: [0x66] })) };
    expect(() => checkCodecDefinition(broken)).toThrow(/node 02h: connection to 66h, which is no widget/);
  });
});

/** The desktop codec with 7.1 set up as a driver would. */
function surround(): { rig: HdaRig; sinks: MemorySink[]; format: number } {
  const pins = [0x14, 0x15, 0x16, 0x17, 0x1d, 0x1e];
  const sinks = pins.map(() => new MemorySink());
  const jacks = Object.fromEntries(pins.map((nid, index) => [nid, { sink: sinks[index]! }]));
  const rig = new HdaRig({ codecs: [{ name: 'desktop', jacks }] }).bringUp();
  const format = formatWord(96_000, 24, 8);
  for (const nid of [1, 2, 3, 4, 5, 6, ...pins.slice(0, 5)]) rig.verb(nid, V.SET_POWER_STATE, 0);
  for (const [index, dac] of [2, 3, 4, 5].entries()) {
    rig.verb(dac, V.SET_FORMAT, format);
    rig.verb(dac, V.SET_STREAM_CHANNEL, 0x10 | (2 * index));
    rig.verb(0x0c + index, V.SET_AMP, V.AMP_SET_INPUT | V.AMP_SET_LEFT | V.AMP_SET_RIGHT);
    rig.verb(0x14 + index, V.SET_CONNECTION_SELECT, index);
    rig.verb(0x14 + index, V.SET_PIN_CONTROL, V.PIN_OUT_ENABLE);
    rig.verb(0x14 + index, V.SET_AMP, V.AMP_SET_OUTPUT | V.AMP_SET_LEFT | V.AMP_SET_RIGHT);
  }
  return { rig, sinks, format };
}

function play(rig: HdaRig, data: Int32Array, format: number, stream = 4): void {
  rig.bytesAt(DATA_ADDRESS, data.byteLength).set(new Uint8Array(data.buffer));
  const bytes = data.byteLength / 2;
  const entries = [0, 1].map((index) => ({ address: DATA_ADDRESS + index * bytes, bytes }));
  const start = rig.run({ stream, tag: 1, format, entries });
  rig.slot.clock.advanceTo(start + 50_000);
  rig.card.catchUp();
}

describe('the way to the jacks', () => {
  const ramp = Int32Array.from({ length: 480 * 8 }, (_, index) => (index + 1) << 8);

  test('7.1: each jack gets its pair bit by bit, the speaker the mean of the front', () => {
    const { rig, sinks, format } = surround();
    rig.verb(0x1d, V.SET_PIN_CONTROL, V.PIN_OUT_ENABLE);
    rig.verb(0x1d, V.SET_AMP, V.AMP_SET_OUTPUT | V.AMP_SET_LEFT | V.AMP_SET_RIGHT);
    play(rig, ramp, format);
    for (let pair = 0; pair < 4; pair++) {
      const { samples, format: pcm } = sinks[pair]!.takes[0]!;
      expect(pcm).toEqual({ sampleRate: 96_000, channels: 2 });
      const expected = new Int32Array(960);
      for (let frame = 0; frame < 480; frame++) {
        expected[2 * frame] = ramp[8 * frame + 2 * pair]!;
        expected[2 * frame + 1] = ramp[8 * frame + 2 * pair + 1]!;
      }
      expect(samples).toEqual(expected);
    }
    const speaker = sinks[4]!.takes[0]!;
    expect(speaker.format.channels).toBe(1);
    expect([...speaker.samples.subarray(0, 2)]).toEqual([
      (ramp[0]! + ramp[1]!) / 2,
      (ramp[8]! + ramp[9]!) / 2,
    ]);
    expect(rig.slot.findings).toEqual([]);
  });

  test('a gain is exact and rounds once; a mute, a disabled pin, D3 and EAPD are silence', () => {
    const { rig, sinks, format } = surround();
    rig.verb(2, V.SET_AMP, V.AMP_SET_OUTPUT | V.AMP_SET_LEFT | V.AMP_SET_RIGHT | 58);
    rig.verb(0x15, V.SET_AMP, V.AMP_SET_OUTPUT | V.AMP_SET_LEFT | V.AMP_SET_RIGHT | V.AMP_MUTE);
    rig.verb(0x16, V.SET_PIN_CONTROL, 0);
    rig.verb(0x17, V.SET_POWER_STATE, 3);
    play(rig, ramp, format);
    const gain = 10 ** (-6 / 20);
    expect(sinks[0]!.takes[0]!.samples[16]).toBe(Math.floor(ramp[8 * 8]! * gain + 0.5));
    expect(sinks.slice(1).map((sink) => sink.frames)).toEqual([0, 0, 0, 0, 0]);
    sinks[0]!.clear();
    rig.verb(0x14, V.SET_EAPD_BTL, 0);
    rig.card.catchUp();
    sinks[0]!.clear();
    rig.advance(100_000);
    rig.card.catchUp();
    expect(sinks[0]!.frames).toBe(0);
  });

  test('any output jack can take any DAC', () => {
    const { rig, sinks, format } = surround();
    rig.verb(0x17, V.SET_CONNECTION_SELECT, 0);
    play(rig, ramp, format);
    expect(sinks[3]!.takes[0]!.samples).toEqual(sinks[0]!.takes[0]!.samples);
  });

  test('S/PDIF sends while DigEn is set, the stream’s first channels unchanged', () => {
    const { rig, sinks, format } = surround();
    rig.verb(0x06, V.SET_FORMAT, format);
    rig.verb(0x06, V.SET_STREAM_CHANNEL, 0x10);
    rig.verb(0x1e, V.SET_PIN_CONTROL, V.PIN_OUT_ENABLE);
    play(rig, ramp, format);
    expect(sinks[5]!.frames).toBe(0);
    rig.verb(0x06, V.SET_DIGITAL_CONTROL_1, V.DIGITAL_ENABLE);
    rig.advance(50_000);
    rig.card.catchUp();
    const { samples } = sinks[5]!.takes[0]!;
    expect(samples.length).toBeGreaterThan(0);
    expect([...samples].every((sample) => (sample >> 8) % 8 === 1 || (sample >> 8) % 8 === 2)).toBe(true);
  });

  test('plugged in while playing, a sink hears from then on; unplugged, no more', () => {
    const { rig, sinks, format } = surround();
    rig.card.unplug(0, 0x14);
    play(rig, ramp, format);
    expect(sinks[0]!.frames).toBe(0);
    const tick = rig.now;
    rig.card.plug(0, 0x14, { sink: sinks[0]! });
    rig.advance(100_000);
    rig.card.unplug(0, 0x14);
    rig.advance(100_000);
    rig.card.catchUp();
    expect(sinks[0]!.takes[0]!.startTick).toBeGreaterThanOrEqual(tick - 105);
    expect(Math.abs(sinks[0]!.frames - 960)).toBeLessThanOrEqual(1);
  });

  test('HDMI: as many channels as the converter is told, the block itself when it is all of them', () => {
    const sink = new MemorySink();
    const rig = new HdaRig({ codecs: [{ name: 'hdmi', jacks: { 3: { sink } } }] }).bringUp();
    for (const nid of [1, 2, 3]) rig.verb(nid, V.SET_POWER_STATE, 0);
    const format = formatWord(96_000, 24, 8);
    rig.verb(2, V.SET_FORMAT, format);
    rig.verb(2, V.SET_STREAM_CHANNEL, 0x10);
    rig.verb(2, V.SET_CHANNEL_COUNT, 7);
    rig.verb(3, V.SET_PIN_CONTROL, V.PIN_OUT_ENABLE);
    rig.verb(3, V.SET_AMP, V.AMP_SET_OUTPUT | V.AMP_SET_LEFT | V.AMP_SET_RIGHT);
    play(rig, ramp, format);
    expect(sink.takes[0]!.format).toEqual({ sampleRate: 96_000, channels: 8 });
    expect(sink.takes[0]!.samples).toEqual(ramp);
    rig.verb(2, V.SET_CHANNEL_COUNT, 1);
    rig.advance(10_000);
    rig.card.catchUp();
    expect(sink.takes[1]!.format.channels).toBe(2);
  });
});

test('two streams meet in one jack’s mixer: sums of both', () => {
  const sink = new MemorySink();
  const definition = {
    ...HDA_CODECS.find((codec) => codec.name === 'qemu-output')!,
    widgets: [
      { nid: 2, name: 'DAC 1', kind: 'audio-output' as const },
      { nid: 3, name: 'DAC 2', kind: 'audio-output' as const },
      { nid: 4, name: 'Mixer', kind: 'mixer' as const, connections: [2, 3] },
      {
        nid: 5,
        name: 'Out',
        kind: 'pin' as const,
        connections: [4],
        pin: {
          output: true,
          resetControl: V.PIN_OUT_ENABLE,
          config: decodePinConfig(0x0101_4010),
        },
      },
    ],
  };
  const rig = new HdaRig({ codecs: [{ definition, jacks: { 5: { sink } } }] }).bringUp();
  const format = formatWord(48_000, 16, 2);
  for (const [index, value] of [1000, 234].entries()) {
    rig.verb(2 + index, V.SET_FORMAT, format);
    rig.verb(2 + index, V.SET_STREAM_CHANNEL, (index + 1) << 4);
    const address = DATA_ADDRESS + 0x1000 * index;
    rig.slot.samplesAt(address, 1920).fill(value);
    const entries = [0, 1].map((half) => ({ address: address + 1920 * half, bytes: 1920 }));
    rig.run({ stream: 4 + index, tag: index + 1, format, entries });
  }
  rig.advance(1_000_000);
  rig.card.catchUp();
  const { samples } = sink;
  expect(sink.frames).toBeGreaterThan(4700);
  expect(samples[0]).toBe(1000);
  expect([...samples.subarray(200)].every((sample) => sample === 1234)).toBe(true);
});

test('the widget graph can be listed', () => {
  const rig = new HdaRig({ codecs: [{ name: 'desktop' }, { name: 'hdmi' }] }).bringUp();
  const [desktop, hdmi] = rig.card.describeWidgets();
  expect(desktop!.widgets.length).toBe(0x22);
  const front = desktop!.widgets.find((widget) => widget.nid === 0x14)!;
  expect(front.pin).toMatchObject({ configDefault: 0x0101_4010, present: false, outputEnabled: false });
  expect(front.connections.map(({ nid, selected }) => [nid, selected])).toEqual([
    [0x0c, true],
    [0x0d, false],
    [0x0e, false],
    [0x0f, false],
    [0x10, false],
  ]);
  expect(desktop!.widgets.find((widget) => widget.nid === 2)?.outAmp).toMatchObject({
    minimumDecibels: -64,
    maximumDecibels: 0,
    stepDecibels: 1,
    leftDecibels: 0,
  });
  const text = formatWidgets(desktop!);
  expect(text).toContain(
    '14h Front: pin, 2 ch; jack rear line-out 3.5 mm green, association 1 sequence 0, off, empty',
  );
  expect(formatWidgets(hdmi!)).toContain('02h HDMI converter: audio-output, digital, 8 ch; stream 0.0');
});
