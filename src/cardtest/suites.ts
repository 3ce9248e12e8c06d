import type { PciCard } from '../hal/bus.ts';
import { Ac97Card } from '../hardware/ac97/index.ts';
import { AC97_CARD_TESTS } from './ac97/index.ts';
import type { CardUnderTest } from './card-under-test.ts';
import { type CardTestOptions, type CardTestReport, runCardTests } from './run-card-tests.ts';
import { type CardModelFactory, simCardFactory } from './sim-card.ts';

/** A card for which there is a functional test. */
export interface TestableCard {
  /** As `--card` takes it. */
  readonly name: string;
  /** `-device` name in QEMU, null when QEMU has no such card. */
  readonly qemuDevice: string | null;
  /** Number of checks. */
  readonly checkCount: number;
  /** Our model of it, in a machine that is switched on. */
  createSim(): Promise<CardUnderTest>;
  /** Runs the suite; see {@link runCardTests}. */
  run(card: CardUnderTest, options?: CardTestOptions): Promise<CardTestReport>;
}

const createAc97: CardModelFactory = ({ output, input }): PciCard =>
  new Ac97Card({ lineOut: output, ...(input === null ? {} : { lineIn: input, micIn: input }) });

/** Makes benches for our own model of the AC'97 card. */
export const ac97SimFactory = simCardFactory('82801AA AC’97 audio function', createAc97);

/** All cards that can be tested alone. */
export const TESTABLE_CARDS: readonly TestableCard[] = [
  {
    name: 'ac97',
    qemuDevice: 'AC97',
    checkCount: AC97_CARD_TESTS.checks.length,
    createSim: () => ac97SimFactory(),
    run: (card, options) => runCardTests(card, AC97_CARD_TESTS, options),
  },
];

/** The card of that name, in any case; undefined when there is no test for it. */
export function findTestableCard(name: string): TestableCard | undefined {
  return TESTABLE_CARDS.find((card) => card.name === name.toLowerCase());
}
