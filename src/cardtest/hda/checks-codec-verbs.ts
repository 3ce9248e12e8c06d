import * as V from '../../hardware/hda/verbs.ts';
import type { Expectations } from '../check.ts';
import type { HdaBench } from './bench.ts';
import { checkTable } from './check-table.ts';
import {
  type GraphWidget,
  isConverter,
  isPin,
  nodeName,
  WIDGET_AUDIO_OUTPUT,
  WIDGET_MIXER,
} from './codec-graph.ts';

const D3 = 3;

const hasPower = ({ caps }: GraphWidget): boolean => (caps & V.WCAP_POWER) !== 0;

/** What an amplifier stores: sets each side to values of its own and reads them back. */
function expectAmp(
  bench: HdaBench,
  expect: Expectations,
  widget: GraphWidget,
  direction: 'in' | 'out',
  index: number,
): void {
  const caps = direction === 'in' ? widget.inAmpCaps : widget.outAmpCaps;
  const steps = (caps >>> 8) & 0x7f;
  const mute = caps >>> 31 === 1 ? V.AMP_MUTE : 0;
  const get = (side: number) =>
    bench.verb(widget.nid, V.GET_AMP, (direction === 'out' ? V.AMP_GET_OUTPUT : 0) | side | index);
  const left = steps | mute;
  const right = Math.floor(steps / 2);
  bench.setAmp(widget, direction, { index, gain: left, sides: V.AMP_SET_LEFT });
  bench.setAmp(widget, direction, { index, gain: right, sides: V.AMP_SET_RIGHT });
  const what = `${nodeName(widget.nid)}, ${direction} ${index}`;
  expect.equal(`${what}, left`, get(V.AMP_GET_LEFT), left);
  if ((widget.caps & V.WCAP_STEREO) !== 0) expect.equal(`${what}, right`, get(0), right);
  bench.setAmp(widget, direction, { index, gain: caps & 0x7f });
  expect.equal(`${what}, left at 0 dB`, get(V.AMP_GET_LEFT), caps & 0x7f);
}

/** Every amplifier that these widgets do not have reads 0. */
function expectNoAmps(bench: HdaBench, expect: Expectations, widgets: readonly GraphWidget[]): void {
  const answers = widgets.flatMap(({ nid, inAmpCaps, outAmpCaps }) => [
    ...(inAmpCaps === 0 ? [bench.verb(nid, V.GET_AMP, V.AMP_GET_LEFT)] : []),
    ...(outAmpCaps === 0 ? [bench.verb(nid, V.GET_AMP, V.AMP_GET_OUTPUT | V.AMP_GET_LEFT)] : []),
  ]);
  expect.same(
    'answers of amplifiers that are not there',
    answers,
    answers.map(() => 0),
  );
}

/** Verbs of the first codec, node by node. */
export const CODEC_VERB_CHECKS = checkTable('COD', 'Codec', [
  [
    '016',
    'Every converter stores its format',
    'HDA 1.0a §7.3.3.8',
    (bench, expect) => {
      bench.powerUp();
      for (const { nid } of bench.widgets(isConverter))
        for (const format of [0x4011, 0x0011, 0x0811]) {
          bench.verb(nid, V.SET_FORMAT, format);
          expect.equal(
            `${nodeName(nid)} after ${format.toString(16)}`,
            bench.verb(nid, V.GET_FORMAT, 0),
            format,
          );
        }
    },
  ],
  [
    '017',
    'Every converter stores its stream number and channel',
    'HDA 1.0a §7.3.3.11',
    (bench, expect) => {
      bench.powerUp();
      for (const { nid } of bench.widgets(isConverter)) {
        for (const value of [0x10, 0xf3, 0x00]) {
          bench.verb(nid, V.SET_STREAM_CHANNEL, value);
          expect.equal(
            `${nodeName(nid)} after ${value.toString(16)}`,
            bench.verb(nid, V.GET_STREAM_CHANNEL, 0),
            value,
          );
        }
      }
    },
  ],
  [
    '018',
    'Converters are set one by one',
    'HDA 1.0a §7.3.3.8, §7.3.3.11',
    (bench, expect) => {
      bench.powerUp();
      const converters = bench.widgets(isConverter);
      for (const [index, { nid }] of converters.entries())
        bench.verb(nid, V.SET_STREAM_CHANNEL, ((index + 1) & 0x0f) << 4);
      for (const [index, { nid }] of converters.entries())
        expect.equal(nodeName(nid), bench.verb(nid, V.GET_STREAM_CHANNEL, 0), ((index + 1) & 0x0f) << 4);
    },
  ],
  [
    '019',
    'Output amplifiers store gain and mute of each side',
    'HDA 1.0a §7.3.3.7',
    (bench, expect) => {
      bench.powerUp();
      for (const widget of bench.widgets(({ outAmpCaps }) => outAmpCaps !== 0))
        expectAmp(bench, expect, widget, 'out', 0);
    },
    { part: 'output amplifier' },
  ],
  [
    '020',
    'Input amplifiers store gain and mute of each side and input',
    'HDA 1.0a §7.3.3.7',
    (bench, expect) => {
      bench.powerUp();
      for (const widget of bench.widgets(({ inAmpCaps }) => inAmpCaps !== 0)) {
        const inputs = widget.type === WIDGET_MIXER ? widget.connections.length : 1;
        for (let index = 0; index < inputs; index++) expectAmp(bench, expect, widget, 'in', index);
      }
    },
    { part: 'input amplifier' },
  ],
  [
    '021',
    'The inputs of a mixer have amplifiers of their own',
    'HDA 1.0a §7.3.3.7, §7.2.3.3',
    (bench, expect) => {
      bench.powerUp();
      for (const widget of bench.widgets(({ type, inAmpCaps }) => type === WIDGET_MIXER && inAmpCaps !== 0)) {
        const inputs = widget.connections.length;
        for (let index = 0; index < inputs; index++)
          bench.setAmp(widget, 'in', { index, gain: index === 0 ? V.AMP_MUTE : 0 });
        for (let index = 0; index < inputs; index++)
          expect.bits(
            `${nodeName(widget.nid)}, input ${index}`,
            bench.verb(widget.nid, V.GET_AMP, V.AMP_GET_LEFT | index),
            V.AMP_MUTE,
            index === 0 ? V.AMP_MUTE : 0,
          );
      }
    },
    { part: 'mixer' },
  ],
  [
    '022',
    'An amplifier that is not there reads 0',
    'HDA 1.0a §7.3.3.7',
    (bench, expect) => {
      bench.powerUp();
      expectNoAmps(bench, expect, bench.widgets(isConverter));
    },
  ],
  [
    '023',
    'Pins have no amplifiers but those that they tell of',
    'HDA 1.0a §7.3.3.7, §7.3.4.6',
    (bench, expect) => {
      bench.powerUp();
      expectNoAmps(bench, expect, bench.widgets(isPin));
    },
  ],
  [
    '024',
    'Widgets with several inputs store which one is connected',
    'HDA 1.0a §7.3.3.2',
    (bench, expect) => {
      bench.powerUp();
      for (const { nid, connections, type } of bench.widgets(({ connections: list }) => list.length > 1)) {
        if (type === WIDGET_MIXER) continue;
        for (const index of [connections.length - 1, 0]) {
          bench.verb(nid, V.SET_CONNECTION_SELECT, index);
          expect.equal(`${nodeName(nid)} after ${index}`, bench.verb(nid, V.GET_CONNECTION_SELECT, 0), index);
        }
      }
    },
    { part: 'selection' },
  ],
  [
    '025',
    'Pins store the directions that they have',
    'HDA 1.0a §7.3.3.13',
    (bench, expect) => {
      bench.powerUp();
      for (const on of [true, false]) {
        const pins = bench.widgets(isPin);
        const wanted = pins.map(({ nid, pinCaps }) => {
          const can =
            ((pinCaps & V.PINCAP_OUTPUT) !== 0 ? V.PIN_OUT_ENABLE : 0) |
            ((pinCaps & V.PINCAP_INPUT) !== 0 ? V.PIN_IN_ENABLE : 0) |
            ((pinCaps & V.PINCAP_HEADPHONE) !== 0 ? V.PIN_HP_ENABLE : 0);
          bench.verb(nid, V.SET_PIN_CONTROL, on ? can : 0);
          return on ? can : 0;
        });
        const stored = pins.map(({ nid }) => bench.verb(nid, V.GET_PIN_CONTROL, 0) & 0xe0);
        expect.same(`pin controls, ${on ? 'on' : 'off'}`, stored, wanted);
      }
    },
  ],
  [
    '026',
    'A pin does not take a direction that it does not have',
    'HDA 1.0a §7.3.3.13, §7.3.4.9',
    (bench, expect) => {
      bench.powerUp();
      for (const { nid, pinCaps } of bench.widgets(isPin)) {
        bench.verb(nid, V.SET_PIN_CONTROL, 0xe0);
        const control = bench.verb(nid, V.GET_PIN_CONTROL, 0);
        if ((pinCaps & V.PINCAP_OUTPUT) === 0)
          expect.bits(`${nodeName(nid)}, out`, control, V.PIN_OUT_ENABLE, 0);
        if ((pinCaps & V.PINCAP_INPUT) === 0)
          expect.bits(`${nodeName(nid)}, in`, control, V.PIN_IN_ENABLE, 0);
        if ((pinCaps & V.PINCAP_HEADPHONE) === 0)
          expect.bits(`${nodeName(nid)}, headphone`, control, V.PIN_HP_ENABLE, 0);
      }
    },
  ],
  [
    '027',
    'Pins with a reference voltage store it',
    'HDA 1.0a §7.3.3.13',
    (bench, expect) => {
      bench.powerUp();
      for (const { nid } of bench.widgets(({ pinCaps }) => (pinCaps & 0x3600) !== 0))
        for (const vref of [4, 1, 0]) {
          bench.verb(nid, V.SET_PIN_CONTROL, V.PIN_IN_ENABLE | vref);
          expect.bits(
            `${nodeName(nid)} after ${vref}`,
            bench.verb(nid, V.GET_PIN_CONTROL, 0),
            V.PIN_VREF,
            vref,
          );
        }
    },
    { part: 'VRef' },
  ],
  [
    '028',
    'The external amplifier is on after reset, and can be switched',
    'HDA 1.0a §7.3.3.16',
    (bench, expect) => {
      const pins = bench.widgets(({ pinCaps }) => (pinCaps & V.PINCAP_EAPD) !== 0);
      for (const { nid } of pins) {
        expect.bits(
          `${nodeName(nid)} after reset`,
          bench.verb(nid, V.GET_EAPD_BTL, 0),
          V.EAPD_EAPD,
          V.EAPD_EAPD,
        );
        bench.verb(nid, V.SET_EAPD_BTL, 0);
        expect.bits(`${nodeName(nid)} switched off`, bench.verb(nid, V.GET_EAPD_BTL, 0), V.EAPD_EAPD, 0);
        bench.verb(nid, V.SET_EAPD_BTL, V.EAPD_EAPD);
        expect.bits(
          `${nodeName(nid)} switched on`,
          bench.verb(nid, V.GET_EAPD_BTL, 0),
          V.EAPD_EAPD,
          V.EAPD_EAPD,
        );
      }
    },
    { part: 'EAPD' },
  ],
  [
    '029',
    'The function group goes to D0 and D3 and tells what it reached',
    'HDA 1.0a §7.3.3.10, §7.3.4.12',
    (bench, expect) => {
      const { functionGroupNid, powerStates } = bench.graph;
      expect.bits('power states', powerStates, 0x09, 0x09);
      for (const state of [D3, 0, D3]) {
        bench.verb(functionGroupNid, V.SET_POWER_STATE, state);
        bench.wait(1);
        expect.bits(
          `after D${state}`,
          bench.verb(functionGroupNid, V.GET_POWER_STATE, 0),
          0xff,
          state | (state << 4),
        );
      }
    },
    { part: 'power control' },
  ],
  [
    '030',
    'Widgets have power states of their own, and none that is better than the group’s',
    'HDA 1.0a §7.3.3.10',
    (bench, expect) => {
      const { functionGroupNid } = bench.graph;
      for (const { nid } of bench.widgets(hasPower)) {
        bench.verb(functionGroupNid, V.SET_POWER_STATE, 0);
        bench.verb(nid, V.SET_POWER_STATE, D3);
        expect.bits(`${nodeName(nid)} in D3`, bench.verb(nid, V.GET_POWER_STATE, 0), 0xff, D3 | (D3 << 4));
        bench.verb(nid, V.SET_POWER_STATE, 0);
        expect.bits(`${nodeName(nid)} in D0`, bench.verb(nid, V.GET_POWER_STATE, 0), 0xff, 0);
        bench.verb(functionGroupNid, V.SET_POWER_STATE, D3);
        expect.bits(`${nodeName(nid)}, group in D3`, bench.verb(nid, V.GET_POWER_STATE, 0), 0xff, D3 << 4);
      }
    },
    { part: 'power control' },
  ],
  [
    '031',
    'What was set survives D3 of the function group',
    'HDA 1.0a §7.3.3.10',
    (bench, expect) => {
      const { functionGroupNid, outputRoute } = bench.graph;
      bench.powerUp();
      bench.verb(outputRoute.converter.nid, V.SET_STREAM_CHANNEL, 0x70);
      bench.verb(outputRoute.pin.nid, V.SET_PIN_CONTROL, V.PIN_OUT_ENABLE);
      bench.verb(functionGroupNid, V.SET_POWER_STATE, D3);
      bench.verb(functionGroupNid, V.SET_POWER_STATE, 0);
      expect.equal('stream number', bench.verb(outputRoute.converter.nid, V.GET_STREAM_CHANNEL, 0), 0x70);
      expect.bits(
        'pin control',
        bench.verb(outputRoute.pin.nid, V.GET_PIN_CONTROL, 0),
        V.PIN_OUT_ENABLE,
        V.PIN_OUT_ENABLE,
      );
    },
    { part: 'power control' },
  ],
  [
    '032',
    'A function reset brings converters and amplifiers into their first state',
    'HDA 1.0a §7.3.3.33',
    (bench, expect) => {
      const { functionGroupNid, outputRoute } = bench.graph;
      const { nid } = outputRoute.converter;
      const state = () => [
        bench.verb(nid, V.GET_FORMAT, 0),
        bench.verb(nid, V.GET_STREAM_CHANNEL, 0),
        bench.verb(nid, V.GET_AMP, V.AMP_GET_OUTPUT | V.AMP_GET_LEFT),
      ];
      bench.enterReset();
      bench.leaveReset();
      bench.verb(functionGroupNid, V.FUNCTION_RESET, 0);
      bench.verb(functionGroupNid, V.FUNCTION_RESET, 0);
      bench.wait(1);
      const first = state();
      bench.powerUp();
      bench.verb(nid, V.SET_FORMAT, 0x4811);
      bench.verb(nid, V.SET_STREAM_CHANNEL, 0x93);
      bench.setAmp(outputRoute.converter, 'out', { gain: 3 });
      bench.verb(functionGroupNid, V.FUNCTION_RESET, 0);
      bench.verb(functionGroupNid, V.FUNCTION_RESET, 0);
      bench.wait(1);
      expect.same('format, stream, gain', state(), first);
    },
  ],
  [
    '033',
    'The function group tells which board it is on',
    'HDA 1.0a §7.3.3.30',
    (bench, expect) => {
      const id = bench.verb(bench.graph.functionGroupNid, V.GET_SUBSYSTEM_ID, 0);
      expect.that('subsystem id', id !== 0, 'not 0', '0');
    },
  ],
  [
    '034',
    'Firmware can tell the function group which board it is on',
    'HDA 1.0a §7.3.3.30',
    (bench, expect) => {
      const { functionGroupNid } = bench.graph;
      const before = bench.verb(functionGroupNid, V.GET_SUBSYSTEM_ID, 0);
      const write = (id: number) => {
        for (let byte = 0; byte < 4; byte++)
          bench.verb(functionGroupNid, V.SET_SUBSYSTEM_ID_0 + byte, (id >>> (8 * byte)) & 0xff);
      };
      write(0x1234_5678);
      expect.equal('subsystem id', bench.verb(functionGroupNid, V.GET_SUBSYSTEM_ID, 0), 0x1234_5678);
      write(before);
    },
  ],
  [
    '035',
    'Firmware can tell pins what is soldered to them, and a function reset keeps it',
    'HDA 1.0a §7.3.3.31, §7.3.3.33',
    (bench, expect) => {
      const { pin, functionGroupNid } = { ...bench.graph.outputRoute, ...bench.graph };
      const write = (config: number) => {
        for (let byte = 0; byte < 4; byte++)
          bench.verb(pin.nid, V.SET_CONFIG_DEFAULT_0 + byte, (config >>> (8 * byte)) & 0xff);
      };
      write(0x0221_4110);
      expect.equal('configuration default', bench.verb(pin.nid, V.GET_CONFIG_DEFAULT, 0), 0x0221_4110);
      bench.verb(functionGroupNid, V.FUNCTION_RESET, 0);
      bench.verb(functionGroupNid, V.FUNCTION_RESET, 0);
      bench.wait(1);
      expect.equal('after a function reset', bench.verb(pin.nid, V.GET_CONFIG_DEFAULT, 0), 0x0221_4110);
      write(pin.configDefault);
    },
  ],
  [
    '036',
    'Digital converters store their control bits',
    'HDA 1.0a §7.3.3.9',
    (bench, expect) => {
      bench.powerUp();
      for (const { nid } of bench.widgets(
        (widget) => widget.type === WIDGET_AUDIO_OUTPUT && (widget.caps & V.WCAP_DIGITAL) !== 0,
      )) {
        bench.verb(nid, V.SET_DIGITAL_CONTROL_1, 0xa5);
        bench.verb(nid, V.SET_DIGITAL_CONTROL_2, 0x42);
        expect.bits(nodeName(nid), bench.verb(nid, V.GET_DIGITAL_CONTROL, 0), 0x7fff, 0x42a5);
        bench.verb(nid, V.SET_DIGITAL_CONTROL_1, 0);
        bench.verb(nid, V.SET_DIGITAL_CONTROL_2, 0);
        expect.bits(`${nodeName(nid)} cleared`, bench.verb(nid, V.GET_DIGITAL_CONTROL, 0), 0x7fff, 0);
      }
    },
    { part: 'digital converter' },
  ],
  [
    '037',
    'An HDMI pin has the display’s ELD, byte by byte',
    'HDA 1.0a §7.3.3.34–7.3.3.36 (DCN HDA034-A2)',
    (bench, expect) => {
      const pins = bench.widgets(({ pinCaps }) => (pinCaps & V.PINCAP_HDMI) !== 0);
      for (const { nid } of pins) {
        const size = bench.verb(nid, V.GET_DIP_SIZE, 8);
        expect.between(`bytes of ${nodeName(nid)}’s ELD`, size, 20, 256);
        const bytes = Array.from({ length: size }, (_, index) => bench.verb(nid, V.GET_ELD, index));
        expect.that(
          'every byte is valid',
          bytes.every((byte) => byte >>> 31 === 1),
          'bit 31 set',
          bytes.map((byte) => byte.toString(16)).join(' '),
        );
        expect.equal('ELD version', ((bytes[0] ?? 0) & 0xff) >>> 3, 2);
        expect.equal('behind the end', bench.verb(nid, V.GET_ELD, Math.min(size, 255)) >>> 31, 0);
      }
    },
    { part: 'HDMI' },
  ],
  [
    '038',
    'An HDMI pin stores which channel goes into which slot',
    'HDA 1.0a §7.3.3.38 (DCN HDA034-A2)',
    (bench, expect) => {
      bench.powerUp();
      for (const { nid } of bench.widgets(({ pinCaps }) => (pinCaps & V.PINCAP_HDMI) !== 0)) {
        for (let slot = 0; slot < 8; slot++) bench.verb(nid, V.SET_CHANNEL_MAPPING, ((7 - slot) << 4) | slot);
        for (let slot = 0; slot < 8; slot++)
          expect.equal(
            `slot ${slot}`,
            bench.verb(nid, V.GET_CHANNEL_MAPPING, slot),
            ((7 - slot) << 4) | slot,
          );
      }
    },
    { part: 'HDMI' },
  ],
  [
    '039',
    'General purpose pins that are enabled outputs read back what drives them',
    'HDA 1.0a §7.3.3.22–7.3.3.24, §7.3.4.14',
    (bench, expect) => {
      const { functionGroupNid } = bench.graph;
      bench.powerUp();
      bench.verb(functionGroupNid, V.SET_GPIO_ENABLE, 1);
      bench.verb(functionGroupNid, V.SET_GPIO_DIRECTION, 1);
      for (const level of [1, 0]) {
        bench.verb(functionGroupNid, V.SET_GPIO_DATA, level);
        expect.bits(`level ${level}`, bench.verb(functionGroupNid, V.GET_GPIO_DATA, 0), 1, level);
      }
    },
    { part: 'GPIO' },
  ],
  [
    '040',
    'Coefficients are stored one after the other: the index moves on',
    'HDA 1.0a §7.3.3.5, §7.3.3.6',
    (bench, expect) => {
      bench.powerUp();
      for (const { nid } of bench.widgets(({ caps }) => (caps & (1 << 6)) !== 0)) {
        bench.verb(nid, V.SET_COEFFICIENT_INDEX, 2);
        for (const value of [0x1234, 0x5678]) bench.verb(nid, V.SET_COEFFICIENT, value);
        expect.equal(`${nodeName(nid)}, index`, bench.verb(nid, V.GET_COEFFICIENT_INDEX, 0), 4);
        bench.verb(nid, V.SET_COEFFICIENT_INDEX, 2);
        expect.equal(`${nodeName(nid)}, first`, bench.verb(nid, V.GET_COEFFICIENT, 0), 0x1234);
        expect.equal(`${nodeName(nid)}, second`, bench.verb(nid, V.GET_COEFFICIENT, 0), 0x5678);
      }
    },
    { part: 'coefficients' },
  ],
  [
    '041',
    'A widget tells of unsolicited responses if it can send them, and stores enable and tag',
    'HDA 1.0a §7.3.3.14',
    (bench, expect) => {
      bench.powerUp();
      for (const { nid } of bench.widgets(({ caps }) => (caps & V.WCAP_UNSOLICITED) !== 0)) {
        for (const value of [0xbf, 0x81, 0x00]) {
          bench.verb(nid, V.SET_UNSOLICITED, value);
          expect.equal(
            `${nodeName(nid)} after ${value.toString(16)}`,
            bench.verb(nid, V.GET_UNSOLICITED, 0),
            value,
          );
        }
      }
    },
    { part: 'unsolicited responses' },
  ],
  [
    '042',
    'After reset no widget sends unsolicited responses',
    'HDA 1.0a §7.3.3.14',
    (bench, expect) => {
      for (const { nid } of bench.widgets(({ caps }) => (caps & V.WCAP_UNSOLICITED) !== 0))
        expect.bits(nodeName(nid), bench.verb(nid, V.GET_UNSOLICITED, 0), V.UNSOLICITED_ENABLE, 0);
    },
    { part: 'unsolicited responses' },
  ],
  [
    '043',
    'After reset no converter belongs to a stream',
    'HDA 1.0a §7.3.3.11',
    (bench, expect) => {
      bench.leaveReset();
      for (const { nid } of bench.widgets(isConverter))
        expect.bits(nodeName(nid), bench.verb(nid, V.GET_STREAM_CHANNEL, 0), 0xff, 0);
    },
    { need: 'powerOn' },
  ],
]);
