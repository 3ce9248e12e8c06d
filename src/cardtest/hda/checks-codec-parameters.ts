import * as V from '../../hardware/hda/verbs.ts';
import { checkTable } from './check-table.ts';
import { isConverter, isPin, nodeName, subNodes } from './codec-graph.ts';

const PCM_48_KHZ = 1 << 6;
const PCM_16_BITS = 1 << 17;
const VENDOR_WIDGET = 15;
const GROUP_AUDIO = 1;

/** What the first codec says of itself, node by node. */
export const CODEC_PARAMETER_CHECKS = checkTable('COD', 'Codec', [
  [
    '001',
    'The root node has a vendor and device id',
    'HDA 1.0a §7.3.4.1',
    (bench, expect) => {
      const id = bench.verb(0, V.GET_PARAMETER, V.PARAM_VENDOR_ID);
      expect.that(
        'vendor and device id',
        id !== 0 && id !== 0xffff_ffff,
        'not 0, not all ones',
        id.toString(16),
      );
    },
  ],
  [
    '002',
    'The revision is one of HDA 1.0',
    'HDA 1.0a §7.3.4.2',
    (bench, expect) => {
      const revision = bench.verb(0, V.GET_PARAMETER, V.PARAM_REVISION_ID);
      expect.bits('major revision', revision, 0x00f0_0000, 0x0010_0000);
      expect.bits('reserved bits', revision, 0xff00_0000, 0);
    },
  ],
  [
    '003',
    'Below the root node is an audio function group',
    'HDA 1.0a §7.3.4.3, §7.3.4.4',
    (bench, expect) => {
      const groups = subNodes(bench.verb(0, V.GET_PARAMETER, V.PARAM_NODE_COUNT));
      expect.that('function groups', groups.length > 0, '1 or more', '0');
      const types = groups.map((nid) => bench.verb(nid, V.GET_PARAMETER, V.PARAM_FUNCTION_TYPE) & 0xff);
      expect.that('audio function group', types.includes(GROUP_AUDIO), 'there', `types ${types.join(', ')}`);
    },
  ],
  [
    '004',
    'Every node of the group is a widget of a known type',
    'HDA 1.0a §7.3.4.3, §7.3.4.6',
    (bench, expect) => {
      for (const { nid, type } of bench.graph.widgets.values()) {
        const known = type <= 7 || type === VENDOR_WIDGET;
        expect.that(nodeName(nid), known, 'type 0 to 7 or 15', `type ${type}`);
      }
    },
  ],
  [
    '005',
    'Connection lists name nodes of the group',
    'HDA 1.0a §7.3.3.3, §7.3.4.11',
    (bench, expect) => {
      const { widgets } = bench.graph;
      for (const { nid, connections } of widgets.values())
        for (const source of connections)
          expect.that(
            `source of ${nodeName(nid)}`,
            widgets.has(source),
            'a node of the group',
            nodeName(source),
          );
    },
  ],
  [
    '006',
    'A connection list has entries exactly if the widget says so',
    'HDA 1.0a §7.3.4.6, §7.3.4.11',
    (bench, expect) => {
      for (const { nid, caps } of bench.graph.widgets.values()) {
        const length = bench.verb(nid, V.GET_PARAMETER, V.PARAM_CONNECTION_LIST_LENGTH) & 0x7f;
        const says = (caps & V.WCAP_CONNECTION_LIST) !== 0;
        expect.that(nodeName(nid), length > 0 === says, says ? 'entries' : 'no entries', `${length}`);
      }
    },
  ],
  [
    '007',
    'What is not in a connection list reads 0',
    'HDA 1.0a §7.3.3.3',
    (bench, expect) => {
      for (const { nid, connections } of bench.graph.widgets.values()) {
        if (connections.length === 0) continue;
        const beyond = (connections.length + 3) & ~3;
        expect.equal(`${nodeName(nid)} from ${beyond} on`, bench.verb(nid, V.GET_CONNECTION_LIST, beyond), 0);
      }
    },
  ],
  [
    '008',
    'Every converter takes 16 bits at 48 kHz',
    'HDA 1.0a §7.3.4.7',
    (bench, expect) => {
      for (const { nid, pcm } of bench.widgets(isConverter))
        expect.bits(`PCM of ${nodeName(nid)}`, pcm, PCM_48_KHZ | PCM_16_BITS, PCM_48_KHZ | PCM_16_BITS);
    },
  ],
  [
    '009',
    'Every converter takes PCM streams',
    'HDA 1.0a §7.3.4.8',
    (bench, expect) => {
      for (const { nid, streamFormats } of bench.widgets(isConverter))
        expect.bits(`stream formats of ${nodeName(nid)}`, streamFormats, 1, 1);
    },
  ],
  [
    '010',
    'The 0 dB step of every amplifier is one of its steps',
    'HDA 1.0a §7.3.4.10',
    (bench, expect) => {
      for (const { nid, inAmpCaps, outAmpCaps } of bench.graph.widgets.values())
        for (const caps of [inAmpCaps, outAmpCaps])
          expect.that(
            `${nodeName(nid)}`,
            (caps & 0x7f) <= ((caps >>> 8) & 0x7f),
            'offset within steps',
            caps.toString(16),
          );
    },
  ],
  [
    '011',
    'Every pin is an input or an output, and says what is soldered to it',
    'HDA 1.0a §7.3.4.9, §7.3.3.31',
    (bench, expect) => {
      for (const { nid, pinCaps, configDefault } of bench.widgets(isPin)) {
        expect.that(
          `pin capabilities of ${nodeName(nid)}`,
          (pinCaps & (V.PINCAP_INPUT | V.PINCAP_OUTPUT)) !== 0,
          'in or out',
          pinCaps.toString(16),
        );
        expect.that(`association of ${nodeName(nid)}`, (configDefault & 0xf0) !== 0, 'not 0', '0');
      }
    },
  ],
  [
    '012',
    'Parameters do not change',
    'HDA 1.0a §7.3.4',
    (bench, expect) => {
      for (const { nid, caps } of bench.graph.widgets.values())
        expect.equal(nodeName(nid), bench.verb(nid, V.GET_PARAMETER, V.PARAM_WIDGET_CAPS), caps);
    },
  ],
  [
    '013',
    'Parameters that there are not read 0',
    'HDA 1.0a §7.3.4',
    (bench, expect) => {
      const nids = [0, bench.graph.functionGroupNid, bench.graph.outputRoute.converter.nid];
      for (const nid of nids)
        for (const parameter of [0x14, 0x7f, 0xff])
          expect.equal(`${nodeName(nid)}, ${parameter}`, bench.verb(nid, V.GET_PARAMETER, parameter), 0);
    },
  ],
  [
    '014',
    'A verb that a node does not know is answered with 0',
    'HDA 1.0a §7.1, §7.3.1',
    (bench, expect) => {
      const { converter } = bench.graph.outputRoute;
      for (const verb of [0x7b0, 0xfb0, 0xfe5, 0x7e5])
        expect.equal(`verb ${verb.toString(16)}`, bench.verb(converter.nid, verb, 0), 0);
    },
  ],
  [
    '015',
    'A node that there is not answers with 0',
    'HDA 1.0a §7.1, §7.3.1',
    (bench, expect) => {
      expect.equal('node 7Fh', bench.verb(0x7f, V.GET_PARAMETER, V.PARAM_WIDGET_CAPS), 0);
    },
  ],
]);
