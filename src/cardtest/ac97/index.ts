/** The functional tests of an AC'97 audio function of the ICH kind, alone on its bus. */
import type { CardTestSuite } from '../check.ts';
import { AC97_INPUT_SIGNAL, Ac97Bench } from './bench.ts';
import { CAPTURE_CHECKS } from './checks-capture.ts';
import { CONFIG_CHECKS } from './checks-config.ts';
import { DATA_CHECKS } from './checks-data.ts';
import { INTERRUPT_CHECKS } from './checks-interrupts.ts';
import { MIXER_CHECKS } from './checks-mixer.ts';
import { RATE_CHECKS } from './checks-rates.ts';
import { REGISTER_CHECKS } from './checks-registers.ts';
import { RESET_CHECKS } from './checks-reset.ts';
import { RING_CHECKS } from './checks-ring.ts';
import { AC97_KNOWN_DEVIATIONS } from './known-deviations.ts';

export { Ac97Bench } from './bench.ts';
export { AC97_KNOWN_DEVIATIONS } from './known-deviations.ts';

/** Run it with {@link runCardTests}. */
export const AC97_CARD_TESTS: CardTestSuite<Ac97Bench> = {
  card: 'ac97',
  title: "Functional test of an AC'97 audio function (Intel 82801AA kind)",
  documents: [
    {
      short: '82801AA',
      title: 'Intel 82801AA (ICH) and 82801AB (ICH0) I/O Controller Hub Datasheet, order 290655, chapter 12',
    },
    { short: 'PRM', title: "Intel ICH5 AC'97 Programmer's Reference Manual" },
    {
      short: 'ICH7 PRM',
      title: "Intel ICH7 High Definition Audio / AC'97 Programmer's Reference Manual, order 307017",
    },
    { short: 'AC’97 2.3', title: "Audio Codec '97 Component Specification, revision 2.3" },
    { short: 'PCI 3.0', title: 'PCI Local Bus Specification, revision 3.0' },
  ],
  checks: [
    ...CONFIG_CHECKS,
    ...RESET_CHECKS,
    ...REGISTER_CHECKS,
    ...MIXER_CHECKS,
    ...RATE_CHECKS,
    ...RING_CHECKS,
    ...DATA_CHECKS,
    ...INTERRUPT_CHECKS,
    ...CAPTURE_CHECKS,
  ],
  deviations: AC97_KNOWN_DEVIATIONS,
  input: AC97_INPUT_SIGNAL,
  open: (card) => new Ac97Bench(card),
  prepare: (bench) => bench.prepare(),
};
