import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { randomCodec } from '../../../../test/support/hda-random-codec.ts';
import { definitionOf, TestLink } from '../../../../test/support/hda-test-codec.ts';
import { encodePinConfig, HDA_WIDGET_TYPES } from '../../../hardware/hda/definition.ts';
import { HDA_CODECS } from '../../../hardware/hda/index.ts';
import { NtError, STATUS_DEVICE_PROTOCOL_ERROR, STATUS_IO_TIMEOUT } from '../../../kernel/index.ts';
import { type CodecLink, readCodecGraph, WIDGET_TYPE_NAMES } from './index.ts';
import * as V from './verbs.ts';

/** Answers of a codec that only has parameters: those of root, function group 1 and widgets from 2 on. */
function scripted(
  parameters: Readonly<Record<number, Readonly<Record<number, number>>>>,
  lists: Readonly<Record<number, Readonly<Record<number, number>>>> = {},
): CodecLink & { count: number } {
  return {
    count: 0,
    command(_codec, nid, verb, payload) {
      this.count++;
      if (verb === V.GET_PARAMETER) return parameters[nid]?.[payload] ?? 0;
      if (verb === V.GET_CONNECTION_LIST) return lists[nid]?.[payload] ?? 0;
      return 0;
    },
  };
}

const MIXER = (HDA_WIDGET_TYPES.mixer << 20) | V.WCAP_CONNECTION_LIST | V.WCAP_STEREO;
/** Three mixers: 02h is what is tested. */
function mixers(length: number, list: readonly number[], count = 3) {
  const widget = { [V.PARAM_WIDGET_CAPS]: MIXER & ~V.WCAP_CONNECTION_LIST };
  const parameters: Record<number, Record<number, number>> = {
    0: { [V.PARAM_VENDOR_ID]: 0x1234_5678, [V.PARAM_NODE_COUNT]: 0x0001_0001 },
    1: { [V.PARAM_FUNCTION_TYPE]: 0x01, [V.PARAM_NODE_COUNT]: 0x0002_0000 | count },
  };
  for (let nid = 2; nid < 2 + count; nid++) parameters[nid] = widget;
  parameters[2] = { [V.PARAM_WIDGET_CAPS]: MIXER, [V.PARAM_CONNECTION_LIST_LENGTH]: length };
  const perResponse = (length & V.LIST_LONG_FORM) !== 0 ? 2 : 4;
  const responses = Object.fromEntries(list.map((value, index) => [index * perResponse, value]));
  return readCodecGraph(scripted(parameters, { 2: responses }), 0);
}

describe('a codec that is sound', () => {
  test.each(HDA_CODECS.map((codec) => [codec.name, codec] as const))('%s', (_name, definition) => {
    const link = new TestLink(definition);
    const graph = readCodecGraph(link, 0);
    expect(graph).toMatchObject({
      address: 0,
      vendorId: definition.vendorId >>> 0,
      revisionId: definition.revisionId,
      findings: [],
    });
    const [group] = graph.functionGroups;
    expect(group).toMatchObject({
      nid: definition.functionGroupNid,
      subsystemId: definition.subsystemId,
      powerStates: definition.powerStates ?? 0,
      gpioCount: definition.gpioCount ?? 0,
      outputDelaySamples: definition.delays?.output ?? 0,
      inputDelaySamples: definition.delays?.input ?? 0,
    });
    expect(group!.widgets.map(({ nid }) => nid)).toEqual(definition.widgets.map(({ nid }) => nid));
    expect(link.findings).toEqual([]);
  });

  test('the desktop codec’s widgets in full', () => {
    const graph = readCodecGraph(new TestLink(definitionOf('desktop')), 0);
    const byNid = new Map(graph.functionGroups[0]!.widgets.map((widget) => [widget.nid, widget]));
    expect(byNid.get(0x02)).toMatchObject({
      type: 'audio-output',
      channels: 2,
      delaySamples: 6,
      powerControl: true,
      connections: [],
      selectedConnection: null,
      inAmp: null,
      outAmp: { steps: 64, offset: 64, minimumDecibels: -64, maximumDecibels: 0, mute: false },
      formats: { rates: [44_100, 48_000, 88_200, 96_000, 176_400, 192_000], bits: [16, 20, 24], pcm: true },
    });
    expect(byNid.get(0x06)).toMatchObject({ digital: true, formats: { ac3: true, float32: false } });
    expect(byNid.get(0x0b)).toMatchObject({
      type: 'mixer',
      connections: [0x18, 0x19, 0x1a, 0x1c],
      selectedConnection: null,
      inAmp: { minimumDecibels: -34.5, maximumDecibels: 12, mute: true },
    });
    expect(byNid.get(0x14)).toMatchObject({
      type: 'pin',
      selectedConnection: 0,
      unsolicited: true,
      pin: {
        caps: { output: true, input: false, headphone: true, presenceDetect: true, eapd: true, hdmi: false },
        config: {
          port: V.PORT_JACK,
          location: 1,
          device: V.DEVICE_LINE_OUT,
          color: 4,
          association: 1,
          sequence: 0,
        },
      },
    });
    expect(byNid.get(0x1d)).toMatchObject({ channels: 1, connections: [0x0c] });
  });

  test('reading writes nothing', () => {
    const link = new TestLink(definitionOf('desktop'));
    const before = link.codec.revision;
    readCodecGraph(link, 0);
    expect(link.codec.revision).toBe(before);
    expect(link.sent.every(({ verb }) => verb >= 0xf00)).toBe(true);
  });

  test('any codec reads as it was defined', () => {
    fc.assert(
      fc.property(randomCodec, (definition) => {
        const link = new TestLink(definition);
        const [group] = readCodecGraph(link, 0).functionGroups;
        const names: Readonly<Record<number, string>> = WIDGET_TYPE_NAMES;
        for (const [index, widget] of definition.widgets.entries()) {
          const read = group!.widgets[index]!;
          expect(read.nid).toBe(widget.nid);
          expect(read.type).toBe(names[HDA_WIDGET_TYPES[widget.kind]]);
          expect(read.channels).toBe(widget.channels);
          expect(read.digital).toBe(widget.digital);
          expect(read.connections).toEqual(widget.connections ?? []);
          for (const [caps, amp] of [
            [read.inAmp, widget.inAmp],
            [read.outAmp, widget.outAmp],
          ] as const) {
            if (amp === undefined) expect(caps).toBeNull();
            else if (amp.steps > 0 || amp.mute || amp.stepQuarterDb > 1)
              expect(caps).toMatchObject({ ...amp });
          }
          if (widget.pin) expect(read.pin?.config.value).toBe(encodePinConfig(widget.pin.config));
        }
        expect(link.findings).toEqual([]);
      }),
    );
  });
});

describe('connection lists', () => {
  test('short form: ranges are expanded from the entry before', () => {
    // 03h, 04h … 06h (a range), 08h, with nodes 2 … 9.
    const [group] = mixers(3, [0x08_86_04], 8).functionGroups;
    expect(group!.widgets[0]!.connections).toEqual([4, 5, 6, 8]);
  });

  test('long form: two entries a response', () => {
    const list = [0x8005_0003, 0x0007];
    const graph = mixers(V.LIST_LONG_FORM | 3, list, 8);
    expect(graph.functionGroups[0]!.widgets[0]!.connections).toEqual([3, 4, 5, 7]);
    expect(graph.findings).toEqual([]);
  });

  test.each([
    ['a length of 0', 0, [0], [], /length is 0/],
    ['a node that is not there', 2, [0x50_03], [3, 0], /50h, which is no widget/],
    ['a range that begins the list', 2, [0x04_83], [0, 4], /entry 0 of its connection list is no range/],
    ['a range that goes backwards', 2, [0x83_04], [4, 0], /entry 1 of its connection list is no range/],
    ['itself', 2, [0x02_03], [3, 2], /connected to 02h, which hears it/],
  ] as const)('%s is left out and named', (_what, length, list, connections, finding) => {
    const graph = mixers(length, list);
    expect(graph.functionGroups[0]!.widgets[0]!.connections).toEqual(connections);
    expect(graph.findings).toHaveLength(1);
    expect(graph.findings[0]).toMatch(finding);
    expect(graph.findings[0]).toMatch(/^codec 0, node 02h: /);
  });

  test('a list longer than any codec’s ends', () => {
    const ranges = Array.from({ length: 32 }, () => 0xff_03_ff_03);
    const graph = mixers(0x7f, ranges, 100);
    expect(graph.functionGroups[0]!.widgets[0]!.connections).toHaveLength(128);
    expect(graph.findings.at(-1)).toMatch(/more than 128 entries/);
  });
});

describe('amplifiers and formats', () => {
  test('without the override bit they are the function group’s', () => {
    const group = {
      [V.PARAM_FUNCTION_TYPE]: 0x101,
      [V.PARAM_NODE_COUNT]: 0x0002_0002,
      [V.PARAM_PCM]: 0x0002_0040,
      [V.PARAM_STREAM_FORMATS]: 1,
      [V.PARAM_OUT_AMP_CAPS]: 0x8003_4a4a,
    };
    const graph = readCodecGraph(
      scripted({
        0: { [V.PARAM_VENDOR_ID]: 1, [V.PARAM_NODE_COUNT]: 0x0001_0001 },
        1: group,
        2: { [V.PARAM_WIDGET_CAPS]: V.WCAP_OUT_AMP | V.WCAP_STEREO },
        3: {
          [V.PARAM_WIDGET_CAPS]: V.WCAP_OUT_AMP | V.WCAP_AMP_OVERRIDE | V.WCAP_FORMAT_OVERRIDE,
          [V.PARAM_OUT_AMP_CAPS]: 0x0003_1f17,
          [V.PARAM_PCM]: 0x0008_0020,
        },
      }),
      5,
    );
    const [dac, other] = graph.functionGroups[0]!.widgets;
    expect(graph.functionGroups[0]!.unsolicited).toBe(true);
    expect(dac).toMatchObject({
      outAmp: { steps: 0x4a, mute: true },
      formats: { rates: [48_000], bits: [16] },
    });
    expect(other).toMatchObject({
      channels: 1,
      outAmp: { steps: 31, offset: 23, mute: false, minimumDecibels: -23, maximumDecibels: 8 },
      formats: { rates: [44_100], bits: [24], pcm: true },
    });
  });
});

describe('what is no codec', () => {
  test.each([
    ['zeros', 0],
    ['ones', 0xffff_ffff],
  ])('%s for a vendor id', (_what, value) => {
    const link = { command: () => value };
    expect(() => readCodecGraph(link, 3)).toThrow(NtError);
    try {
      readCodecGraph(link, 3);
    } catch (error) {
      expect(error).toMatchObject({ status: STATUS_DEVICE_PROTOCOL_ERROR });
      expect(String(error)).toMatch(/codec 3/);
    }
  });

  test('a codec that falls silent ends the reading', () => {
    const link = new TestLink(definitionOf('desktop'));
    let left = 40;
    const dying: CodecLink = {
      command: (...verb) => {
        if (left-- === 0) throw new NtError(STATUS_IO_TIMEOUT);
        return link.command(...verb);
      },
    };
    expect(() => readCodecGraph(dying, 0)).toThrow(NtError);
  });

  test('modems are left alone', () => {
    const graph = readCodecGraph(
      scripted({
        0: { [V.PARAM_VENDOR_ID]: 1, [V.PARAM_NODE_COUNT]: 0x0001_0001 },
        1: { [V.PARAM_FUNCTION_TYPE]: 0x02, [V.PARAM_NODE_COUNT]: 0x0002_0005 },
      }),
      0,
    );
    expect(graph.functionGroups).toEqual([]);
  });

  test('sub-nodes that cannot be are named', () => {
    const root = { [V.PARAM_VENDOR_ID]: 1, [V.PARAM_NODE_COUNT]: 0x0001_0001 };
    const group = { [V.PARAM_FUNCTION_TYPE]: 0x01 };
    const findings = (count: number) =>
      readCodecGraph(scripted({ 0: root, 1: { ...group, [V.PARAM_NODE_COUNT]: count } }), 0).findings.join(
        '\n',
      );
    expect(findings(0)).toMatch(/has no widgets/);
    expect(findings(0x0001_0004)).toMatch(/4 sub-nodes begin at 01h/);
    expect(findings(0x007e_0004)).toMatch(/more than there are node ids/);
  });

  test('any answers at all end in a graph or an error, after not too many verbs', () => {
    fc.assert(
      fc.property(fc.infiniteStream(fc.integer({ min: 0, max: 0xffff_ffff })), (answers) => {
        let count = 0;
        const link: CodecLink = {
          command: () => {
            count++;
            return answers.next().value ?? 0;
          },
        };
        try {
          const graph = readCodecGraph(link, 0);
          for (const group of graph.functionGroups)
            for (const widget of group.widgets) expect(widget.connections.length).toBeLessThanOrEqual(128);
        } catch (error) {
          expect(error).toBeInstanceOf(NtError);
        }
        expect(count).toBeLessThan(127 * 127 * 50);
      }),
    );
  });

  test('every answer the same: likewise', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 0xffff_fffe }), (answer) => {
        readCodecGraph({ command: () => answer }, 0);
      }),
    );
  });
});
