/** The functional tests of a High Definition Audio controller of the ICH kind and its first codec, alone on their bus. */
import * as V from '../../hardware/hda/verbs.ts';
import type { CardTestSuite } from '../check.ts';
import { HDA_INPUT_SIGNAL, HdaBench } from './bench.ts';
import { CAPTURE_CHECKS } from './checks-capture.ts';
import { CODEC_PARAMETER_CHECKS } from './checks-codec-parameters.ts';
import { CODEC_VERB_CHECKS } from './checks-codec-verbs.ts';
import { COMMAND_CHECKS, IMMEDIATE_CHECKS } from './checks-commands.ts';
import { CONFIG_CHECKS } from './checks-config.ts';
import { DATA_CHECKS } from './checks-data.ts';
import { INTERRUPT_CHECKS } from './checks-interrupts.ts';
import { REGISTER_CHECKS } from './checks-registers.ts';
import { RESET_CHECKS } from './checks-reset.ts';
import { STREAM_CHECKS } from './checks-streams.ts';
import { UNSOLICITED_CHECKS } from './checks-unsolicited.ts';
import { WIDGET_MIXER } from './codec-graph.ts';
import { HDA_KNOWN_DEVIATIONS } from './known-deviations.ts';

export { HdaBench } from './bench.ts';
export { HDA_KNOWN_DEVIATIONS } from './known-deviations.ts';

const MIXER_PROCESSING = 1 << 6;
const VREF_VOLTAGES = 0x3600;
const PCM_24_BITS = 1 << 19;

/** Whether the bench and its first codec have a part. */
function has(bench: HdaBench, part: string): boolean {
  const { graph } = bench;
  const any = (wanted: Parameters<HdaBench['widgets']>[0]) => bench.widgets(wanted).length > 0;
  const { converter, pin } = graph.outputRoute;
  switch (part) {
    case 'input':
      return graph.inputRoute !== null;
    case 'output amplifier':
      return converter.outAmpCaps >>> 31 === 1 || pin.outAmpCaps >>> 31 === 1;
    case 'input amplifier':
      return graph.inputRoute !== null && graph.inputRoute.converter.inAmpCaps >>> 31 === 1;
    case 'analogue output':
      return converter.outAmpCaps !== 0 && (converter.caps & V.WCAP_DIGITAL) === 0;
    case 'power control':
      return graph.powerStates !== 0;
    case 'selection':
      return any(({ type, connections }) => type !== WIDGET_MIXER && connections.length > 1);
    case 'mixer':
      return any(({ type }) => type === WIDGET_MIXER);
    case 'samples wider than 16 bits':
      return (converter.pcm & PCM_24_BITS) !== 0;
    case 'input of samples wider than 16 bits':
      return graph.inputRoute !== null && (graph.inputRoute.converter.pcm & PCM_24_BITS) !== 0;
    case 'digital converter':
      return any(({ type, caps }) => type === 0 && (caps & V.WCAP_DIGITAL) !== 0);
    case 'HDMI':
      return any(({ pinCaps }) => (pinCaps & V.PINCAP_HDMI) !== 0);
    case 'EAPD':
      return any(({ pinCaps }) => (pinCaps & V.PINCAP_EAPD) !== 0);
    case 'VRef':
      return any(({ pinCaps }) => (pinCaps & VREF_VOLTAGES) !== 0);
    case 'GPIO':
      return (bench.verb(graph.functionGroupNid, V.GET_PARAMETER, V.PARAM_GPIO_COUNT) & 0xff) !== 0;
    case 'coefficients':
      return any(({ caps }) => (caps & MIXER_PROCESSING) !== 0);
    case 'unsolicited responses':
      return any(({ caps }) => (caps & V.WCAP_UNSOLICITED) !== 0);
    case 'jacks in reach':
      return (
        bench.hands !== null &&
        any(({ caps, pinCaps }) => (caps & V.WCAP_UNSOLICITED) !== 0 && (pinCaps & V.PINCAP_PRESENCE) !== 0)
      );
    default:
      throw new RangeError(`There is no part '${part}'.`);
  }
}

/** Run it with {@link runCardTests}. */
export const HDA_CARD_TESTS: CardTestSuite<HdaBench> = {
  card: 'hda',
  title: 'Functional test of a High Definition Audio controller and codec (Intel ICH6 and ICH9 kind)',
  documents: [
    {
      short: 'HDA 1.0a',
      title: 'High Definition Audio Specification, revision 1.0a, June 17, 2010',
    },
    {
      short: 'ICH6',
      title: 'Intel I/O Controller Hub 6 (ICH6) Family Datasheet, order 301473, chapter 18',
    },
    { short: 'ICH7', title: 'Intel I/O Controller Hub 7 (ICH7) Family Datasheet, order 307013, chapter 19' },
    { short: 'PCI 3.0', title: 'PCI Local Bus Specification, revision 3.0' },
  ],
  checks: [
    ...CONFIG_CHECKS,
    ...RESET_CHECKS,
    ...REGISTER_CHECKS,
    ...COMMAND_CHECKS,
    ...IMMEDIATE_CHECKS,
    ...UNSOLICITED_CHECKS,
    ...STREAM_CHECKS,
    ...DATA_CHECKS,
    ...CAPTURE_CHECKS,
    ...INTERRUPT_CHECKS,
    ...CODEC_PARAMETER_CHECKS,
    ...CODEC_VERB_CHECKS,
  ],
  deviations: HDA_KNOWN_DEVIATIONS,
  input: HDA_INPUT_SIGNAL,
  open: (card) => new HdaBench(card),
  prepare: (bench) => bench.prepare(),
  missing: (bench, part) => (has(bench, part) ? null : `The codec on this bench has no ${part}.`),
};
