import { describe, expect, test } from 'vitest';
import { definitionOf, TestLink } from '../../../../test/support/hda-test-codec.ts';
import { MemorySink } from '../../../hardware/analog.ts';
import { makeEld } from '../../../hardware/hda/eld.ts';
import { HDA_CODECS } from '../../../hardware/hda/index.ts';
import { HdaRouter } from '../../../hardware/hda/routing.ts';
import { DATA_ADDRESS, formatWord, HdaRig } from '../../../hardware/hda/test-rig.ts';
import type { WidgetState } from '../../../hardware/hda/widget-state.ts';
import {
  NtError,
  STATUS_DEVICE_CONFIGURATION_ERROR,
  STATUS_DEVICE_NOT_CONNECTED,
  STATUS_INVALID_PARAMETER,
} from '../../../kernel/index.ts';
import {
  type CodecDevice,
  type CodecLink,
  initialiseCodec,
  type PlanJack,
  planCodec,
  readCodecGraph,
} from './index.ts';
import * as V from './verbs.ts';

function start(name: string, jacks: ConstructorParameters<typeof TestLink>[1] = {}) {
  const link = new TestLink(definitionOf(name), jacks);
  const graph = readCodecGraph(link, 0);
  const plan = planCodec(graph);
  link.take();
  const codec = initialiseCodec(link, graph, plan);
  const written = link.take();
  return { link, codec, plan, written };
}

function widgetOf(link: TestLink, nid: number): WidgetState {
  const widget = link.codec.widgets.get(nid);
  if (widget === undefined) throw new Error(`no widget ${nid}`);
  return widget;
}

function jackOf(codec: CodecDevice, nid: number): PlanJack {
  const jack = codec.plan.ports.flatMap(({ jacks }) => jacks).find((candidate) => candidate.nid === nid);
  if (jack === undefined) throw new Error(`no jack ${nid}`);
  return jack;
}

function nodeOf(codec: CodecDevice, type: string, nid: number): number {
  const node = codec.plan.nodes.find((candidate) => candidate.type === type && candidate.nids.includes(nid));
  if (node === undefined) throw new Error(`no ${type} at ${nid}`);
  return node.id;
}

/** All that software can set, in a form that compares. */
function stateOf(link: TestLink) {
  return [...link.codec.widgets.values()].map((widget) => ({
    nid: widget.definition.nid,
    outAmp: widget.outAmp && [widget.outAmp.left, widget.outAmp.right],
    inAmps: widget.inAmps.map(({ left, right }) => [left, right]),
    connection: widget.connection,
    format: widget.format,
    stream: [widget.streamTag, widget.channel],
    pinControl: widget.pinControl,
    unsolicited: widget.unsolicited,
    eapd: widget.eapd,
    digitalControl: widget.digitalControl,
    power: link.codec.actualPower(widget),
    channelCount: widget.channelCount,
    channelMap: [...widget.channelMap],
  }));
}

function statusOf(action: () => unknown): number {
  try {
    action();
  } catch (error) {
    if (error instanceof NtError) return error.status;
    throw error;
  }
  throw new Error('nothing was thrown');
}

describe('initialisation', () => {
  test.each(HDA_CODECS.map(({ name }) => [name]))('%s: no verb that a node does not understand', (name) => {
    const { link, codec } = start(name);
    for (const [device, { maximumChannels }] of codec.plan.devices.entries()) {
      codec.routeStream(device, {
        streamTag: 1 + device,
        format: 0x11,
        channels: Math.min(2, maximumChannels),
      });
      codec.stopStream(device);
    }
    for (const jack of codec.plan.ports.flatMap(({ jacks }) => jacks)) {
      codec.readPresence(jack);
      codec.readEld(jack);
    }
    codec.powerDown();
    codec.powerUp();
    expect(link.findings).toEqual([]);
  });

  test('power first, pins last', () => {
    const { written } = start('desktop');
    expect(written[0]).toEqual({ nid: 1, verb: V.SET_POWER_STATE, payload: 0 });
    const first = (verb: number) => written.findIndex((sent) => sent.verb === verb);
    const last = (verb: number) => written.findLastIndex((sent) => sent.verb === verb);
    expect(last(V.SET_POWER_STATE)).toBeLessThan(first(V.SET_AMP));
    expect(last(V.SET_AMP)).toBeLessThan(first(V.SET_PIN_CONTROL));
    expect(last(V.SET_CONNECTION_SELECT)).toBeLessThan(first(V.SET_PIN_CONTROL));
  });

  test('each jack hears its converter at 0 dB and nothing else', () => {
    const { link } = start('desktop');
    const router = new HdaRouter(link.codec);
    const heard = (pin: number) =>
      router.outputPin(widgetOf(link, pin)).map(({ source, matrix }) => [source.definition.nid, ...matrix]);
    expect(heard(0x14)).toEqual([[0x02, 1, 0, 0, 1]]);
    expect(heard(0x16)).toEqual([[0x03, 1, 0, 0, 1]]);
    expect(heard(0x15)).toEqual([[0x04, 1, 0, 0, 1]]);
    expect(heard(0x17)).toEqual([[0x05, 1, 0, 0, 1]]);
    expect(heard(0x1b)).toEqual([[0x07, 1, 0, 0, 1]]);
    expect(heard(0x1d)).toEqual([[0x02, 0.5, 0.5, 0.5, 0.5]]);
    const recorded = (adc: number) =>
      router
        .inputConverter(widgetOf(link, adc))
        .map(({ source, matrix }) => [source.definition.nid, ...matrix]);
    expect(recorded(0x08)).toEqual([[0x18, 1, 0, 0, 1]]);
    expect(recorded(0x09)).toEqual([[0x1a, 1, 0, 0, 1]]);
  });

  test('QEMU’s recorder, which comes up at its lowest gain, is at 0 dB', () => {
    const { link } = start('qemu-duplex');
    expect(widgetOf(link, 4).inAmps[0]).toMatchObject({ left: 0x4a, right: 0x4a });
  });

  test('a plan of another codec is refused', () => {
    const graph = readCodecGraph(new TestLink(definitionOf('hdmi')), 0);
    const plan = { ...planCodec(graph), functionGroupNid: 9 };
    const link = new TestLink(definitionOf('hdmi'));
    expect(statusOf(() => initialiseCodec(link, graph, plan))).toBe(STATUS_DEVICE_CONFIGURATION_ERROR);
  });

  test('a codec whose power state never arrives is used all the same', () => {
    const link = new TestLink(definitionOf('desktop'));
    const graph = readCodecGraph(link, 0);
    const stuck: CodecLink = {
      command: (address, nid, verb, payload) => {
        const response = link.command(address, nid, verb, payload);
        return verb === V.GET_POWER_STATE ? 0x30 : response;
      },
    };
    initialiseCodec(stuck, graph, planCodec(graph));
    expect(widgetOf(link, 0x14).pinControl).toBe(V.PIN_OUT_ENABLE);
  });
});

describe('streams', () => {
  test('a 7.1 stream: each converter takes its pair', () => {
    const { link, codec } = start('desktop');
    const format = formatWord(48_000, 16, 8);
    codec.routeStream(0, { streamTag: 3, format, channels: 8 });
    expect(
      [2, 3, 4, 5].map((nid) => widgetOf(link, nid)).map((dac) => [dac.streamTag, dac.channel, dac.format]),
    ).toEqual([
      [3, 0, format],
      [3, 2, format],
      [3, 4, format],
      [3, 6, format],
    ]);
    expect(widgetOf(link, 7).streamTag).toBe(0);
  });

  test('a stereo stream leaves the other converters silent; first channels can be given', () => {
    const { link, codec } = start('desktop');
    const tags = () =>
      [2, 3, 4, 5].map((nid) => [widgetOf(link, nid).streamTag, widgetOf(link, nid).channel]);
    codec.routeStream(0, { streamTag: 4, format: 0x11, channels: 2 });
    expect(tags()).toEqual([
      [4, 0],
      [0, 0],
      [0, 0],
      [0, 0],
    ]);
    codec.routeStream(0, { streamTag: 4, format: 0x13, channels: 4, firstChannels: [0, null, 2, null] });
    expect(tags()).toEqual([
      [4, 0],
      [0, 0],
      [4, 2],
      [0, 0],
    ]);
    codec.stopStream(0);
    expect(tags()).toEqual([
      [0, 0],
      [0, 0],
      [0, 0],
      [0, 0],
    ]);
  });

  test('S/PDIF: the transmitter stops while the format changes, and says what is no PCM', () => {
    const { link, codec } = start('desktop');
    codec.routeStream(2, { streamTag: 1, format: 0x11, channels: 2 });
    expect(widgetOf(link, 6).digitalControl).toBe(V.DIGITAL_ENABLE | V.DIGITAL_COPY);
    link.take();
    codec.routeStream(2, { streamTag: 1, format: 0x11, channels: 2, nonPcm: true });
    expect(link.take()).toEqual([
      { nid: 6, verb: V.SET_DIGITAL_CONTROL_1, payload: 0 },
      { nid: 6, verb: V.SET_FORMAT, payload: 0x11 },
      { nid: 6, verb: V.SET_STREAM_CHANNEL, payload: 0x10 },
      {
        nid: 6,
        verb: V.SET_DIGITAL_CONTROL_1,
        payload: V.DIGITAL_ENABLE | V.DIGITAL_COPY | V.DIGITAL_NON_AUDIO,
      },
    ]);
  });

  test('HDMI: the channel count; without a buffer for infoframes the slots stay in order', () => {
    const { link, codec } = start('hdmi');
    codec.routeStream(0, { streamTag: 1, format: 0x17, channels: 8 });
    expect(widgetOf(link, 2).channelCount).toBe(7);
    expect([...widgetOf(link, 3).channelMap].map((slot) => slot >> 4)).toEqual([0, 1, 2, 3, 4, 5, 6, 7]);
  });

  test('HDMI with such a buffer: infoframe, allocation, subwoofer before centre', () => {
    const link = new TestLink(definitionOf('hdmi'));
    const graph = readCodecGraph(link, 0);
    const sent: [verb: number, payload: number][] = [];
    const real: CodecLink = {
      command: (address, nid, verb, payload) => {
        if (verb === V.GET_DIP_SIZE && payload === 0) return 0x1e;
        if (verb >= 0x730 && verb <= 0x734) sent.push([verb, payload]);
        return verb >= 0x730 && verb <= 0x732 ? 0 : link.command(address, nid, verb, payload);
      },
    };
    const codec = initialiseCodec(real, graph, planCodec(graph));
    codec.routeStream(0, { streamTag: 1, format: 0x15, channels: 6 });
    expect([...widgetOf(link, 3).channelMap].map((slot) => slot >> 4)).toEqual([0, 1, 3, 2, 4, 5, 15, 15]);
    const bytes = sent.filter(([verb]) => verb === V.SET_DIP_DATA).map(([, payload]) => payload);
    expect(bytes.slice(0, 3)).toEqual([0x84, 1, 10]);
    expect(bytes[4]).toBe(5);
    expect(bytes[7]).toBe(0x0b);
    expect(bytes.reduce((sum, value) => sum + value, 0) & 0xff).toBe(0);
    expect(sent.at(-1)).toEqual([V.SET_DIP_TRANSMIT, V.DIP_TRANSMIT_BEST]);
    expect(link.findings).toEqual([]);
  });

  test.each([
    ['a tag of 0', 0, { streamTag: 0, format: 0, channels: 2 }],
    ['a tag of 16', 0, { streamTag: 16, format: 0, channels: 2 }],
    ['more channels than there are', 1, { streamTag: 1, format: 0, channels: 3 }],
    ['no channels', 0, { streamTag: 1, format: 0, channels: 0 }],
    ['first channels for other converters', 0, { streamTag: 1, format: 0, channels: 2, firstChannels: [0] }],
    ['no such device', 17, { streamTag: 1, format: 0, channels: 2 }],
  ])('%s is STATUS_INVALID_PARAMETER, and nothing is sent', (_what, device, route) => {
    const { link, codec } = start('desktop');
    expect(statusOf(() => codec.routeStream(device, route))).toBe(STATUS_INVALID_PARAMETER);
    expect(link.take()).toEqual([]);
  });
});

describe('nodes', () => {
  test('a volume goes to the nearest step of the channel’s own amplifier', () => {
    const { link, codec } = start('desktop');
    const volume = nodeOf(codec, 'volume', 0x02);
    expect(codec.getVolume(volume, 0)).toBe(0);
    codec.setVolume(volume, 3, -10.4);
    expect(codec.getVolume(volume, 3)).toBe(-10);
    expect(widgetOf(link, 3).outAmp).toMatchObject({ left: 64, right: 54 });
    codec.setVolume(volume, 3, -1000);
    expect(codec.getVolume(volume, 3)).toBe(-64);
    codec.setVolume(volume, 3, 99);
    expect(codec.getVolume(volume, 3)).toBe(0);
  });

  test('mute and volume of one amplifier leave each other alone', () => {
    const { link, codec } = start('qemu-output');
    const volume = nodeOf(codec, 'volume', 2);
    const mute = nodeOf(codec, 'mute', 2);
    codec.setMute(mute, 0, true);
    codec.setVolume(volume, 0, -4);
    expect(widgetOf(link, 2).outAmp).toMatchObject({ left: 0xc6, right: 0x4a });
    expect([codec.getMute(mute, 0), codec.getMute(mute, 1)]).toEqual([true, false]);
    codec.setMute(mute, 0, false);
    expect(widgetOf(link, 2).outAmp).toMatchObject({ left: 0x46, right: 0x4a });
  });

  test('two sides alike take one verb, different ones two', () => {
    const { link, codec } = start('qemu-output');
    const volume = nodeOf(codec, 'volume', 2);
    codec.setVolume(volume, 0, -1);
    expect(link.take().map(({ payload }) => payload)).toEqual([0xa049, 0x904a]);
    codec.setVolume(volume, 1, -1);
    expect(link.take().map(({ payload }) => payload)).toEqual([0xb049]);
  });

  test('a mux goes by its choices, not by connections', () => {
    const { link, codec } = start('desktop');
    const mux = nodeOf(codec, 'mux', 0x22);
    expect(codec.getMux(mux)).toBe(0);
    codec.setMux(mux, 3);
    expect(widgetOf(link, 0x22).connection).toBe(4);
    expect(codec.getMux(mux)).toBe(3);
  });

  test('monitoring: one mute opens an input into the speakers and the headphones', () => {
    const { link, codec } = start('desktop');
    const [mute] = codec.plan.nodes.filter((node) => node.type === 'mute' && node.nids[0] === 0x0b);
    codec.setMute(mute!.id, 0, false);
    codec.setMute(mute!.id, 1, false);
    const router = new HdaRouter(link.codec);
    for (const [pin, dac] of [
      [0x14, 0x02],
      [0x1b, 0x07],
    ] as const) {
      const sources = router.outputPin(widgetOf(link, pin)).map(({ source }) => source.definition.nid);
      expect(sources).toEqual([dac, 0x18]);
    }
  });

  test('what a node has not is STATUS_INVALID_PARAMETER', () => {
    const { codec } = start('desktop');
    const volume = nodeOf(codec, 'volume', 0x02);
    for (const action of [
      () => codec.getVolume(volume, 8),
      () => codec.setVolume(volume, 0, Number.NaN),
      () => codec.getMute(volume, 0),
      () => codec.getMux(volume),
      () => codec.setMux(nodeOf(codec, 'mux', 0x22), 4),
      () => codec.getVolume(999, 0),
    ])
      expect(statusOf(action)).toBe(STATUS_INVALID_PARAMETER);
  });
});

describe('jacks', () => {
  test('plugging is sensed, and said by the pin’s own tag', () => {
    const { link, codec } = start('desktop');
    const jack = jackOf(codec, 0x1b);
    expect(codec.readPresence(jack)).toEqual({ present: false, eldValid: false });
    link.codec.plug(0x1b, {});
    expect(codec.readPresence(jack)).toEqual({ present: true, eldValid: false });
    const response = link.codec.takeUnsolicited();
    expect(codec.jackOfUnsolicited(response!)).toBe(jack);
    link.codec.unplug(0x1b);
    expect(codec.readPresence(jack).present).toBe(false);
  });

  test('a jack without detection counts as plugged in, and no verb is spent on it', () => {
    const { link, codec } = start('qemu-output');
    expect(codec.readPresence(jackOf(codec, 3)).present).toBe(true);
    expect(link.take()).toEqual([]);
  });

  test('a response with a tag that is nobody’s is nobody’s', () => {
    const { codec } = start('desktop');
    expect(codec.jackOfUnsolicited(0)).toBeNull();
    expect(codec.jackOfUnsolicited(0xfc00_0000)).toBeNull();
  });

  test('sensing is started where it has to be', () => {
    const desktop = definitionOf('desktop');
    const widgets = desktop.widgets.map((widget) =>
      widget.nid === 0x14 && widget.pin ? { ...widget, pin: { ...widget.pin, trigger: true } } : widget,
    );
    const link = new TestLink({ ...desktop, widgets });
    const graph = readCodecGraph(link, 0);
    const codec = initialiseCodec(link, graph, planCodec(graph));
    link.take();
    codec.readPresence(jackOf(codec, 0x14));
    expect(link.take().map(({ verb }) => verb)).toEqual([V.EXECUTE_PIN_SENSE, V.GET_PIN_SENSE]);
  });

  test('a display comes with its ELD and goes', () => {
    const { link, codec } = start('hdmi');
    const jack = jackOf(codec, 3);
    expect(codec.readEld(jack)).toBeNull();
    const eld = makeEld({ monitorName: 'Lounge', channels: 6, rates: [48_000, 96_000], bits: [16, 24] });
    link.codec.plug(3, { eld });
    expect(codec.jackOfUnsolicited(link.codec.takeUnsolicited()!)).toBe(jack);
    expect(codec.readPresence(jack)).toEqual({ present: true, eldValid: true });
    expect(codec.readEld(jack)).toMatchObject({
      monitorName: 'Lounge',
      connection: 'hdmi',
      speakers: 0x0f,
      pcm: [{ channels: 6, rates: [48_000, 96_000], bits: [16, 24] }],
      encodings: [],
    });
    link.codec.unplug(3);
    expect(codec.readEld(jack)).toBeNull();
  });

  test('an ELD that goes away while it is read is none', () => {
    const { link, codec } = start('hdmi');
    link.codec.plug(3, {});
    const jack = jackOf(codec, 3);
    const command = link.command.bind(link);
    link.command = (address, nid, verb, payload) => {
      if (verb === V.GET_ELD && payload === 10) link.codec.unplug(3);
      return command(address, nid, verb, payload);
    };
    expect(codec.readEld(jack)).toBeNull();
  });
});

describe('power', () => {
  test('everything comes back after D3 and a reset', () => {
    for (const name of ['desktop', 'hdmi', 'qemu-duplex']) {
      const { link, codec } = start(name);
      for (const node of codec.plan.nodes) {
        if (node.type === 'volume') codec.setVolume(node.id, 0, node.range.minimumDecibels);
        if (node.type === 'mute') codec.setMute(node.id, 0, !node.initiallyMuted);
        if (node.type === 'mux') codec.setMux(node.id, 1);
      }
      for (const device of codec.plan.devices.keys())
        codec.routeStream(device, { streamTag: device + 1, format: 0x11, channels: 2 });
      const before = stateOf(link);
      codec.powerDown();
      if (name !== 'qemu-duplex') expect(link.codec.powerState).toBe(3);
      link.codec.reset();
      codec.powerUp();
      expect(stateOf(link)).toEqual(before);
    }
  });

  test('asleep nothing is sent, and what is set is there on waking', () => {
    const { link, codec } = start('desktop');
    const volume = nodeOf(codec, 'volume', 0x02);
    codec.readPresence(jackOf(codec, 0x14));
    codec.powerDown();
    link.take();
    codec.setVolume(volume, 0, -20);
    codec.setMute(nodeOf(codec, 'mute', 0x0c), 0, true);
    codec.setMux(nodeOf(codec, 'mux', 0x22), 2);
    codec.routeStream(1, { streamTag: 7, format: 0x11, channels: 2 });
    expect(codec.readPresence(jackOf(codec, 0x14)).present).toBe(false);
    expect(codec.readPresence(jackOf(codec, 0x1b)).present).toBe(false);
    codec.powerDown();
    expect(link.take()).toEqual([]);
    codec.powerUp();
    expect(widgetOf(link, 2).outAmp).toMatchObject({ left: 44, right: 64 });
    expect(widgetOf(link, 0x0c).inAmps[0]).toMatchObject({ left: 0x80, right: 0 });
    expect(widgetOf(link, 0x22).connection).toBe(2);
    expect(widgetOf(link, 7).streamTag).toBe(7);
  });

  test('HDMI that was asleep knows of no ELD', () => {
    const { link, codec } = start('hdmi', { 3: {} });
    codec.powerDown();
    link.take();
    expect(codec.readEld(jackOf(codec, 3))).toBeNull();
    expect(link.take()).toEqual([]);
  });

  test('a card that is gone says so once, and then the codec is asleep', () => {
    const link = new TestLink(definitionOf('desktop'));
    const graph = readCodecGraph(link, 0);
    let gone = false;
    const leaving: CodecLink = {
      command: (...verb) => {
        if (gone) throw new NtError(STATUS_DEVICE_NOT_CONNECTED);
        return link.command(...verb);
      },
    };
    const codec = initialiseCodec(leaving, graph, planCodec(graph));
    gone = true;
    expect(statusOf(() => codec.powerDown())).toBe(STATUS_DEVICE_NOT_CONNECTED);
    codec.powerDown();
    codec.stopStream(0);
  });
});

describe('over the whole card', () => {
  test('eight channels come out of four jacks bit by bit', () => {
    const pins = [0x14, 0x16, 0x15, 0x17];
    const sinks = pins.map(() => new MemorySink());
    const jacks = Object.fromEntries(pins.map((nid, index) => [nid, { sink: sinks[index]! }]));
    const rig = new HdaRig({ codecs: [{ name: 'desktop', jacks }] }, { ramBytes: 4 << 20 }).bringUp();
    const link: CodecLink = {
      command: (address, nid, verb, payload) => rig.verb(nid, verb, payload, address),
    };
    const graph = readCodecGraph(link, 0);
    const codec = initialiseCodec(link, graph, planCodec(graph));
    const format = formatWord(48_000, 16, 8);
    codec.routeStream(0, { streamTag: 1, format, channels: 8 });
    const frames = 480;
    const samples = Int16Array.from({ length: frames * 8 }, (_, index) => (index * 7919) % 30_011);
    rig.bytesAt(DATA_ADDRESS, samples.byteLength).set(new Uint8Array(samples.buffer));
    const half = samples.byteLength / 2;
    const entries = [0, 1].map((part) => ({ address: DATA_ADDRESS + part * half, bytes: half }));
    const begin = rig.run({ stream: 4, tag: 1, format, entries });
    rig.slot.clock.advanceTo(begin + 100_000);
    rig.card.catchUp();
    for (const [pair, sink] of sinks.entries()) {
      const expected = Int16Array.from(
        { length: frames * 2 },
        (_, index) => samples[(index >> 1) * 8 + 2 * pair + (index & 1)]!,
      );
      expect(sink.samples.subarray(0, frames * 2)).toEqual(expected);
    }
    expect(rig.slot.findings).toEqual([]);
  });
});
