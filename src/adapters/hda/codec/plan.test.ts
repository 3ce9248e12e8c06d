import { describe, expect, test } from 'vitest';
import { definitionOf, TestLink } from '../../../../test/support/hda-test-codec.ts';
import type {
  HdaCodecDefinition,
  HdaPinConfig,
  HdaWidgetDefinition,
} from '../../../hardware/hda/definition.ts';
import { NtError, STATUS_DEVICE_CONFIGURATION_ERROR } from '../../../kernel/index.ts';
import {
  eConnType3Point5mm,
  eConnTypeAtapiInternal,
  eConnTypeOptical,
  eConnTypeOtherAnalog,
  eConnTypeUnknown,
  eGenLocInternal,
  eGenLocPrimaryBox,
  eGeoLocATAPI,
  eGeoLocFront,
  eGeoLocHDMI,
  eGeoLocNotApplicable,
  eGeoLocRear,
  ePortConnIntegratedDevice,
  ePortConnJack,
  KSAUDFNAME_MIC_VOLUME,
  KSAUDFNAME_MICROPHONE_BOOST,
  KSAUDIO_SPEAKER_7POINT1_SURROUND,
  KSAUDIO_SPEAKER_MONO,
  KSAUDIO_SPEAKER_STEREO,
  KSNODETYPE_CD_PLAYER,
  KSNODETYPE_HDMI_INTERFACE,
  KSNODETYPE_HEADPHONES,
  KSNODETYPE_LINE_CONNECTOR,
  KSNODETYPE_MICROPHONE,
  KSNODETYPE_SPDIF_INTERFACE,
  KSNODETYPE_SPEAKER,
} from '../../../ks/index.ts';
import { type CodecPlan, type PlanEnd, planCodec, readCodecGraph } from './index.ts';

function planOf(definition: HdaCodecDefinition): CodecPlan {
  return planCodec(readCodecGraph(new TestLink(definition), 0));
}

/** `device Speakers > dac 02 03 04 05`, one line a connection. */
function wiring(plan: CodecPlan): string[] {
  const end = (at: PlanEnd): string => {
    if (at.kind === 'device') return `device ${plan.devices[at.device]!.name}`;
    if (at.kind === 'port') return `port ${plan.ports[at.port]!.name}`;
    const node = plan.nodes[at.node]!;
    return `${node.type} ${node.nids.map((nid) => nid.toString(16).padStart(2, '0')).join(' ')}`;
  };
  return plan.connections.map(({ from, to }) => `${end(from)} > ${end(to)}`);
}

const MIXER_AMP = { steps: 0, offset: 0, stepQuarterDb: 1, mute: true } as const;

function config(
  device: HdaPinConfig['device'],
  association: number,
  sequence = 0,
  more: Partial<HdaPinConfig> = {},
): HdaPinConfig {
  return {
    port: 'jack',
    location: 'rear',
    device,
    connection: '3.5 mm',
    color: 'green',
    association,
    sequence,
    ...more,
  };
}

/** A codec of DACs from node 02h on, behind them output pins that each reach all or some of them. */
function outputs(
  dacs: number,
  pins: readonly (HdaPinConfig & { readonly reach?: readonly number[] })[],
): HdaCodecDefinition {
  const dacNids = Array.from({ length: dacs }, (_, index) => 2 + index);
  return {
    ...definitionOf('qemu-output'),
    widgets: [
      ...dacNids.map((nid): HdaWidgetDefinition => ({ nid, name: 'DAC', kind: 'audio-output' })),
      ...pins.map(
        ({ reach, ...pin }, index): HdaWidgetDefinition => ({
          nid: 2 + dacs + index,
          name: 'pin',
          kind: 'pin',
          connections: reach ?? dacNids,
          pin: { output: true, headphone: true, config: pin },
        }),
      ),
    ],
  };
}

/** Devices as `name: jacks` with the converters behind. */
function summary(plan: CodecPlan): string[] {
  return plan.devices.map(
    ({ name, converters, jacks }) =>
      `${name}: ${converters.map(({ nid }) => nid).join(' ')} > ${jacks.map(({ nid }) => nid).join(' ')}`,
  );
}

describe('the desktop codec', () => {
  const plan = planOf(definitionOf('desktop'));

  test('devices: 7.1 speakers, headphones, S/PDIF, two recorders', () => {
    expect(plan.findings).toEqual([]);
    expect(plan.devices.map(({ name, direction, digital }) => [name, direction, digital])).toEqual([
      ['Speakers', 'render', 'none'],
      ['Headphones', 'render', 'none'],
      ['S/PDIF Out', 'render', 'spdif'],
      ['Recording', 'capture', 'none'],
      ['Recording 2', 'capture', 'none'],
    ]);
    expect(plan.devices[0]).toMatchObject({
      converters: [
        { nid: 0x02, firstChannel: 0, channels: 2 },
        { nid: 0x03, firstChannel: 2, channels: 2 },
        { nid: 0x04, firstChannel: 4, channels: 2 },
        { nid: 0x05, firstChannel: 6, channels: 2 },
      ],
      maximumChannels: 8,
      channelMask: KSAUDIO_SPEAKER_7POINT1_SURROUND,
      formats: { rates: [44_100, 48_000, 88_200, 96_000, 176_400, 192_000], bits: [16, 20, 24] },
      delaySamples: 6,
    });
    expect(plan.devices[2]!.formats.ac3).toBe(true);
    expect(plan.devices[3]!.delaySamples).toBe(4);
  });

  test('the speakers are four jacks of one port, in the order of the channels', () => {
    const [speakers] = plan.ports;
    expect(speakers).toMatchObject({ name: 'Speakers', category: KSNODETYPE_SPEAKER, devices: [0] });
    expect(speakers!.jacks.map(({ name, channelMapping }) => [name, channelMapping])).toEqual([
      ['Speakers (rear, green)', 0x3],
      ['Speakers (rear, orange)', 0xc],
      ['Speakers (rear, black)', 0x30],
      ['Speakers (rear, grey)', 0x600],
    ]);
    expect(speakers!.jacks[0]).toMatchObject({
      nid: 0x14,
      connectionType: eConnType3Point5mm,
      geoLocation: eGeoLocRear,
      genLocation: eGenLocPrimaryBox,
      portConnection: ePortConnJack,
      presenceDetect: true,
      unsolicitedTag: 1,
      eld: false,
      display: null,
    });
  });

  test('the internal speaker has no converter left: it hears the front pair', () => {
    const port = plan.ports.find(({ name }) => name === 'Internal Speakers');
    expect(port).toMatchObject({
      devices: [0],
      jacks: [
        {
          nid: 0x1d,
          channelMapping: KSAUDIO_SPEAKER_MONO,
          connectionType: eConnTypeOtherAnalog,
          geoLocation: eGeoLocNotApplicable,
          genLocation: eGenLocInternal,
          portConnection: ePortConnIntegratedDevice,
          presenceDetect: false,
          unsolicitedTag: null,
        },
      ],
    });
    expect(plan.devices[0]!.ports).toEqual([0, plan.ports.indexOf(port!)]);
  });

  test('headphones, S/PDIF, and every input but the unconnected CD', () => {
    expect(plan.ports.map(({ name, category, devices }) => [name, category, devices])).toEqual([
      ['Speakers', KSNODETYPE_SPEAKER, [0]],
      ['Headphones', KSNODETYPE_HEADPHONES, [1]],
      ['S/PDIF Out', KSNODETYPE_SPDIF_INTERFACE, [2]],
      ['Internal Speakers', KSNODETYPE_SPEAKER, [0]],
      ['Rear Microphone', KSNODETYPE_MICROPHONE, [3, 4]],
      ['Line In', KSNODETYPE_LINE_CONNECTOR, [3, 4]],
      ['Front Microphone', KSNODETYPE_MICROPHONE, [3, 4]],
    ]);
    expect(plan.ports[1]!.jacks[0]).toMatchObject({ geoLocation: eGeoLocFront, channelMapping: 0x3 });
    expect(plan.ports[2]!.jacks[0]).toMatchObject({ connectionType: eConnTypeOptical, channelMapping: 0 });
    expect(plan.ports[4]!.jacks[0]).toMatchObject({ color: 0xff_c0_cb, channelMapping: 0 });
  });

  test('every node stands for widgets, every wire for a connection', () => {
    expect(wiring(plan)).toEqual([
      'device Speakers > dac 02 03 04 05',
      'dac 02 03 04 05 > volume 02 03 04 05',
      'volume 02 03 04 05 > mute 0c 0d 0e 0f',
      // Listening to the inputs: the microphones' and the line's own amplifiers, mixer 0Bh, and on into the front mixer.
      'port Rear Microphone > volume 18',
      'volume 18 > volume 0b',
      'volume 0b > mute 0b',
      'port Front Microphone > volume 19',
      'volume 19 > volume 0b',
      'volume 0b > mute 0b',
      'port Line In > volume 1a',
      'volume 1a > volume 0b',
      'volume 0b > mute 0b',
      'mute 0b > sum 0b',
      'mute 0b > sum 0b',
      'mute 0b > sum 0b',
      'sum 0b > mute 0c',
      'mute 0c 0d 0e 0f > sum 0c',
      'mute 0c > sum 0c',
      'sum 0c > mute 14 16 15 17',
      'mute 14 16 15 17 > port Speakers',
      'device Headphones > dac 07',
      'dac 07 > volume 07',
      'volume 07 > mute 10',
      'sum 0b > mute 10',
      'mute 10 > sum 10',
      'mute 10 > sum 10',
      'sum 10 > mute 1b',
      'mute 1b > port Headphones',
      'device S/PDIF Out > dac 06',
      'dac 06 > port S/PDIF Out',
      'sum 0c > mute 1d',
      'mute 1d > port Internal Speakers',
      'volume 18 > mux 22',
      'volume 19 > mux 22',
      'volume 1a > mux 22',
      'sum 0b > mux 22',
      'mux 22 > volume 08',
      'volume 08 > mute 08',
      'mute 08 > adc 08',
      'adc 08 > device Recording',
      'volume 18 > mux 23',
      'volume 19 > mux 23',
      'volume 1a > mux 23',
      'sum 0b > mux 23',
      'mux 23 > volume 09',
      'volume 09 > mute 09',
      'mute 09 > adc 09',
      'adc 09 > device Recording 2',
    ]);
  });

  test('volumes have their amplifiers’ ranges; inputs are not heard to begin with', () => {
    const of = (type: string, nid: number) =>
      plan.nodes.filter((node) => node.type === type && node.nids[0] === nid);
    expect(of('volume', 0x02)).toMatchObject([
      { range: { minimumDecibels: -64, maximumDecibels: 0, stepDecibels: 1 }, boost: false },
    ]);
    expect(of('volume', 0x18)).toMatchObject([
      {
        range: { minimumDecibels: 0, maximumDecibels: 30, stepDecibels: 10 },
        boost: true,
        name: KSAUDFNAME_MICROPHONE_BOOST,
      },
    ]);
    expect(of('volume', 0x0b)[0]).toMatchObject({
      range: { minimumDecibels: -34.5, maximumDecibels: 12, stepDecibels: 1.5 },
      name: KSAUDFNAME_MIC_VOLUME,
    });
    expect(of('volume', 0x08)).toMatchObject([{ range: { minimumDecibels: -16.5, maximumDecibels: 30 } }]);
    expect(of('mute', 0x0b)).toMatchObject([
      { initiallyMuted: true },
      { initiallyMuted: true },
      { initiallyMuted: true },
    ]);
    expect(of('mute', 0x0c).every((node) => node.type === 'mute' && !node.initiallyMuted)).toBe(true);
    const [first] = of('volume', 0x02);
    expect(first?.type === 'volume' && first.channels[2]).toEqual({
      nid: 0x03,
      direction: 'out',
      index: 0,
      side: 'left',
    });
  });

  test('the recorders begin with different inputs', () => {
    expect(plan.nodes.filter(({ type }) => type === 'mux')).toMatchObject([
      { nid: 0x22, choices: [0, 1, 2, 4], initialChoice: 0 },
      { nid: 0x23, choices: [0, 1, 2, 4], initialChoice: 2 },
    ]);
  });

  test('pins: outputs on, headphone amplifier for headphones, 80 % bias for microphones, the rest off', () => {
    const control = Object.fromEntries(plan.pins.map((pin) => [pin.nid, pin.control]));
    expect(control).toEqual({
      20: 0x40,
      21: 0x40,
      22: 0x40,
      23: 0x40,
      24: 0x24,
      25: 0x24,
      26: 0x20,
      27: 0xc0,
      28: 0,
      29: 0x40,
      30: 0x40,
    });
    expect(plan.pins.filter(({ eapd }) => eapd !== null).map(({ nid }) => nid)).toEqual([0x14, 0x1b]);
  });

  test('a CD header that is said to be there is recorded and heard', () => {
    const desktop = definitionOf('desktop');
    const cd = config('cd', 8, 0, {
      port: 'fixed',
      location: 'internal-atapi',
      connection: 'atapi',
      color: 'black',
    });
    const widgets = desktop.widgets.map((widget) =>
      widget.nid === 0x1c ? { ...widget, pin: { input: true, config: cd } } : widget,
    );
    const withCd = planOf({ ...desktop, widgets });
    expect(withCd.ports.at(-1)).toMatchObject({
      name: 'CD',
      category: KSNODETYPE_CD_PLAYER,
      devices: [3, 4],
      jacks: [
        {
          connectionType: eConnTypeAtapiInternal,
          geoLocation: eGeoLocATAPI,
          genLocation: eGenLocInternal,
          portConnection: ePortConnIntegratedDevice,
        },
      ],
    });
    expect(wiring(withCd)).toContain('port CD > mux 22');
    expect(wiring(withCd)).toContain('port CD > volume 0b');
  });
});

describe('the others', () => {
  test('HDMI: a display with ELD', () => {
    const plan = planOf(definitionOf('hdmi'));
    expect(plan.devices).toMatchObject([
      { name: 'HDMI', digital: 'hdmi', maximumChannels: 8, channelMask: 0, formats: { ac3: true } },
    ]);
    expect(plan.ports).toMatchObject([
      {
        category: KSNODETYPE_HDMI_INTERFACE,
        jacks: [
          {
            nid: 3,
            eld: true,
            display: 'hdmi',
            presenceDetect: true,
            unsolicitedTag: 1,
            geoLocation: eGeoLocHDMI,
          },
        ],
      },
    ]);
    expect(wiring(plan)).toEqual(['device HDMI > dac 02', 'dac 02 > mute 03', 'mute 03 > port HDMI']);
  });

  test.each([
    ['qemu-output', ['Speakers'], [KSNODETYPE_SPEAKER]],
    ['qemu-duplex', ['Speakers', 'Line In'], [KSNODETYPE_SPEAKER, KSNODETYPE_LINE_CONNECTOR]],
    ['qemu-micro', ['Speakers', 'Microphone'], [KSNODETYPE_SPEAKER, KSNODETYPE_MICROPHONE]],
  ])('%s: no presence detection, amplifiers in the converters', (name, names, categories) => {
    const plan = planOf(definitionOf(name));
    expect(plan.ports.map((port) => port.name)).toEqual(names);
    expect(plan.ports.map((port) => port.category)).toEqual(categories);
    expect(plan.devices.map((device) => device.name)).toEqual(names);
    for (const jack of plan.ports.flatMap((port) => port.jacks))
      expect(jack).toMatchObject({
        presenceDetect: false,
        unsolicitedTag: null,
        connectionType: eConnTypeUnknown,
      });
    expect(plan.devices[0]!.channelMask).toBe(KSAUDIO_SPEAKER_STEREO);
    const play = [
      'device Speakers > dac 02',
      'dac 02 > volume 02',
      'volume 02 > mute 02',
      'mute 02 > port Speakers',
    ];
    const record = [
      `port ${names[1]} > volume 04`,
      'volume 04 > mute 04',
      'mute 04 > adc 04',
      `adc 04 > device ${names[1]}`,
    ];
    expect(wiring(plan)).toEqual(names.length === 1 ? play : [...play, ...record]);
  });
});

describe('associations and sequences (Pin Configuration Guidelines)', () => {
  const set = (sequences: readonly number[]) =>
    planOf(
      outputs(
        sequences.length,
        sequences.map((sequence) => config('line-out', 1, sequence)),
      ),
    );

  test.each([
    [[0], 0x3],
    [[0, 2], 0x33],
    [[0, 4], 0x603],
    [[0, 1, 2], 0x3f],
    [[0, 1, 4], 0x60f],
    [[0, 1, 2, 4], 0x63f],
    [[0, 1, 2, 3], 0xff],
    [[5, 9], 0x33],
    [[1, 2, 3], 0x3f],
    [[2, 4, 6, 8], 0x63f],
  ])('sequence %j is channel mask %i', (sequences, mask) => {
    const plan = set(sequences);
    expect(plan.devices).toHaveLength(1);
    expect(plan.devices[0]).toMatchObject({ channelMask: mask, maximumChannels: 2 * sequences.length });
  });

  test('a fifth pair is a device of its own', () => {
    expect(summary(set([0, 1, 2, 3, 4]))).toEqual([
      'Rear Green Speakers: 2 3 4 5 > 7 8 9 10',
      'Rear Green Speakers 2: 6 > 11',
    ]);
  });

  test('association 15 and the reserved 0 are single pins, and come last', () => {
    const plan = planOf(
      outputs(4, [
        config('line-out', 0, 0, { color: 'red' }),
        config('line-out', 15, 0, { color: 'blue' }),
        config('line-out', 15, 1, { color: 'grey' }),
        config('line-out', 2, 0, { color: 'pink' }),
      ]),
    );
    expect(summary(plan)).toEqual([
      'Rear Pink Speakers: 2 > 9',
      'Rear Blue Speakers: 3 > 7',
      'Rear Grey Speakers: 4 > 8',
      'Rear Red Speakers: 5 > 6',
    ]);
  });

  test('nothing is offered where nothing is connected, and telephony is not', () => {
    const plan = planOf(
      outputs(3, [
        config('line-out', 1, 0, { port: 'none' }),
        config('telephony', 2),
        config('mic', 3),
        config('speaker', 4, 0, { port: 'fixed', location: 'internal' }),
      ]),
    );
    expect(summary(plan)).toEqual(['Internal Speakers: 2 > 8']);
    expect(plan.findings).toEqual([
      'codec 0, node 06h: telephony is not offered',
      'codec 0, node 07h: its configuration says input, and it has none',
    ]);
  });

  test('a redirected headphone plays what the first pair plays, although a converter is free', () => {
    const plan = planOf(
      outputs(3, [
        config('speaker', 1, 0, { port: 'fixed', location: 'internal' }),
        config('headphone', 1, 15, { location: 'right' }),
      ]),
    );
    expect(summary(plan)).toEqual(['Internal Speakers: 2 > 5 6']);
    expect(plan.ports.map(({ name, devices }) => [name, devices])).toEqual([
      ['Internal Speakers', [0]],
      ['Headphones', [0]],
    ]);
    expect(wiring(plan)).toEqual([
      'device Internal Speakers > dac 02',
      'dac 02 > port Internal Speakers',
      'dac 02 > port Headphones',
    ]);
  });

  test('a redirected headphone that cannot hear the first pair gets a converter to itself', () => {
    const plan = planOf(
      outputs(2, [
        { ...config('line-out', 1, 0), reach: [2] },
        { ...config('headphone', 1, 15), reach: [3] },
      ]),
    );
    expect(summary(plan)).toEqual(['Speakers: 2 > 4', 'Headphones: 3 > 5']);
  });

  test('headphones of an association of their own are no pairs of one device', () => {
    const plan = planOf(
      outputs(2, [config('headphone', 1, 0), config('headphone', 1, 1, { location: 'front' })]),
    );
    expect(summary(plan)).toEqual(['Rear Headphones: 2 > 4', 'Front Headphones: 3 > 5']);
  });

  test('RCA sockets are line connectors', () => {
    const plan = planOf(outputs(1, [config('line-out', 1, 0, { connection: 'rca' })]));
    expect(plan.ports).toMatchObject([{ name: 'Line Out', category: KSNODETYPE_LINE_CONNECTOR }]);
  });

  test('the board says that presence is not wired', () => {
    const desktop = definitionOf('desktop');
    const widgets = desktop.widgets.map((widget) =>
      widget.nid === 0x14 && widget.pin
        ? { ...widget, pin: { ...widget.pin, config: { ...widget.pin.config, misc: 1 } } }
        : widget,
    );
    const plan = planOf({ ...desktop, widgets });
    expect(plan.ports[0]!.jacks[0]).toMatchObject({ presenceDetect: false, unsolicitedTag: null });
    expect(plan.pins[0]).toMatchObject({ nid: 0x14, unsolicitedTag: null });
  });
});

describe('converters', () => {
  test('a pin that can take any gives way to one that cannot', () => {
    const plan = planOf(
      outputs(2, [
        { ...config('line-out', 1), reach: [2, 3] },
        { ...config('headphone', 2), reach: [2] },
      ]),
    );
    expect(summary(plan)).toEqual(['Speakers: 3 > 4', 'Headphones: 2 > 5']);
  });

  test('when they do not suffice the later association shares', () => {
    const plan = planOf(outputs(1, [config('headphone', 2), config('line-out', 1)]));
    expect(summary(plan)).toEqual(['Speakers: 2 > 4 3']);
  });

  test('a set that is short of converters is smaller, and its other pins play what they can', () => {
    const plan = planOf(
      outputs(
        2,
        [0, 1, 2].map((sequence) => config('line-out', 1, sequence)),
      ),
    );
    expect(plan.devices).toMatchObject([{ maximumChannels: 4, channelMask: 0x33 }]);
    expect(plan.devices[0]!.jacks.map(({ nid }) => nid)).toEqual([4, 5, 6]);
  });

  test('two converters never meet in one mixer', () => {
    const mixer: HdaWidgetDefinition = {
      nid: 4,
      name: 'mixer',
      kind: 'mixer',
      connections: [2, 3],
      inAmp: MIXER_AMP,
    };
    const pin = (nid: number, connections: number[], association: number): HdaWidgetDefinition => ({
      nid,
      name: 'pin',
      kind: 'pin',
      connections,
      pin: { output: true, config: config('line-out', association) },
    });
    const definition = outputs(2, []);
    const plan = planOf({
      ...definition,
      widgets: [...definition.widgets, mixer, pin(5, [4], 1), pin(6, [4], 2)],
    });
    // Pin 6 would need the mixer for itself.
    expect(plan.devices).toHaveLength(1);
    expect(plan.devices[0]!.jacks.map(({ nid }) => nid)).toEqual([5, 6]);
    expect(plan.fixedAmps).toEqual([
      { amp: { nid: 4, direction: 'in', index: 1, side: 'both' }, step: 0, mute: true },
    ]);
  });

  test('a pin that no converter reaches is left out and named', () => {
    const plan = planOf(outputs(1, [config('line-out', 1), { ...config('line-out', 2), reach: [] }]));
    expect(plan.ports).toHaveLength(1);
    expect(plan.findings).toEqual([
      'codec 0, node 04h: no output converter reaches it that does not play something else',
    ]);
  });

  test('no more recorders than inputs', () => {
    const micro = definitionOf('qemu-micro');
    const adc = micro.widgets[2]!;
    const plan = planOf({ ...micro, widgets: [...micro.widgets, { ...adc, nid: 6 }, { ...adc, nid: 7 }] });
    expect(plan.devices.filter(({ direction }) => direction === 'capture')).toHaveLength(1);
  });

  test('an input mixer that is the only way to a recorder is open, and not heard in the output', () => {
    const micro = definitionOf('qemu-micro');
    const mixer = (nid: number, connections: number[]): HdaWidgetDefinition => ({
      nid,
      name: 'mixer',
      kind: 'mixer',
      connections,
      inAmp: MIXER_AMP,
    });
    const widgets = [
      micro.widgets[0]!,
      { ...micro.widgets[1]!, connections: [6] },
      { ...micro.widgets[2]!, connections: [7] },
      micro.widgets[3]!,
      mixer(6, [2, 7]),
      mixer(7, [5]),
    ];
    const plan = planOf({ ...micro, widgets });
    const mutes = plan.nodes.filter((node) => node.type === 'mute');
    expect(mutes.map((node) => [node.nids[0], node.initiallyMuted])).toEqual([
      [2, false],
      [6, false],
      [7, false],
      [6, true],
      [4, false],
    ]);
  });

  test('an input that only the second pair’s mixer hears is not offered', () => {
    const base = outputs(2, []);
    const pin = (nid: number, connections: number[], pinConfig: HdaPinConfig): HdaWidgetDefinition => ({
      nid,
      name: 'pin',
      kind: 'pin',
      connections,
      pin: { output: pinConfig.device !== 'mic', input: pinConfig.device === 'mic', config: pinConfig },
    });
    const plan = planOf({
      ...base,
      widgets: [
        ...base.widgets,
        { nid: 4, name: 'mixer', kind: 'mixer', connections: [3, 8], inAmp: MIXER_AMP },
        pin(5, [2], config('line-out', 1, 0)),
        pin(6, [4], config('line-out', 1, 2)),
        pin(7, [4], config('headphone', 2)),
        pin(8, [], config('mic', 3)),
      ],
    });
    expect(plan.devices).toHaveLength(1);
    expect(plan.ports.map(({ name }) => name)).toEqual(['Speakers', 'Headphones']);
    expect(plan.findings).toEqual(['codec 0, node 08h: no input converter reaches it']);
  });

  test('bits do not go through analogue widgets', () => {
    const base = outputs(1, []);
    const plan = planOf({
      ...base,
      widgets: [
        { ...base.widgets[0]!, digital: true },
        { nid: 3, name: 'mixer', kind: 'mixer', connections: [2], inAmp: MIXER_AMP },
        {
          nid: 4,
          name: 'pin',
          kind: 'pin',
          digital: true,
          connections: [3],
          pin: { output: true, config: config('spdif-out', 1) },
        },
      ],
    });
    expect(plan.devices).toEqual([]);
  });

  test('a codec without audio function group has no plan', () => {
    const graph = { ...readCodecGraph(new TestLink(definitionOf('hdmi')), 0), functionGroups: [] };
    expect(() => planCodec(graph)).toThrow(NtError);
    try {
      planCodec(graph);
    } catch (error) {
      expect(error).toMatchObject({ status: STATUS_DEVICE_CONFIGURATION_ERROR });
    }
  });
});
