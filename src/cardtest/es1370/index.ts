/** The functional tests of an Ensoniq ES1370 with its AK4531 codec, alone on its bus. */
import type { CardTestSuite } from '../check.ts';
import { ES1370_INPUT_SIGNAL, Es1370Bench } from './bench.ts';
import { CAPTURE_CHECKS } from './checks-capture.ts';
import { CODEC_CHECKS } from './checks-codec.ts';
import { CONFIG_CHECKS } from './checks-config.ts';
import { COUNTER_CHECKS } from './checks-counters.ts';
import { PLAY_CHECKS } from './checks-play.ts';
import { RATE_CHECKS } from './checks-rates.ts';
import { REGISTER_CHECKS } from './checks-registers.ts';
import { RESET_CHECKS } from './checks-reset.ts';
import { RING_CHECKS } from './checks-ring.ts';
import { UART_CHECKS } from './checks-uart.ts';
import { ES1370_KNOWN_DEVIATIONS } from './known-deviations.ts';

export { ES1370_RATE, Es1370Bench } from './bench.ts';
export { ES1370_KNOWN_DEVIATIONS } from './known-deviations.ts';

/** Run it with {@link runCardTests}. */
export const ES1370_CARD_TESTS: CardTestSuite<Es1370Bench> = {
  card: 'es1370',
  title: 'Functional test of an Ensoniq AudioPCI ES1370',
  documents: [
    {
      short: 'ens1370.c',
      title: 'Linux, sound/pci/ens1370.c: names and bits of the registers, and how a driver uses them',
    },
    { short: 'AK4531', title: 'Asahi Kasei AK4531 multimedia codec, register map as public drivers have it' },
    { short: 'PCI 3.0', title: 'PCI Local Bus Specification, revision 3.0' },
    { short: 'MIDI 1.0', title: 'MIDI 1.0 Detailed Specification, hardware' },
    {
      short: 'inferred',
      title:
        'said by none of these; the ES1370’s datasheet was not at hand. What our model does, by the names and the use of the bits',
    },
  ],
  checks: [
    ...CONFIG_CHECKS,
    ...RESET_CHECKS,
    ...REGISTER_CHECKS,
    ...RATE_CHECKS,
    ...COUNTER_CHECKS,
    ...RING_CHECKS,
    ...PLAY_CHECKS,
    ...CAPTURE_CHECKS,
    ...CODEC_CHECKS,
    ...UART_CHECKS,
  ],
  deviations: ES1370_KNOWN_DEVIATIONS,
  input: ES1370_INPUT_SIGNAL,
  open: (card) => new Es1370Bench(card),
  prepare: (bench) => bench.prepare(),
};
