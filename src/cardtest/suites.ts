import type { PciCard } from '../hal/bus.ts';
import { Ac97Card } from '../hardware/ac97/index.ts';
import { Es1370Card } from '../hardware/es1370/index.ts';
import { Sb16Card, type Sb16CardOptions } from '../hardware/sb16/index.ts';
import { AC97_CARD_TESTS } from './ac97/index.ts';
import type { CardUnderTest, IsaCardResources, IsaCardUnderTest } from './card-under-test.ts';
import { ES1370_CARD_TESTS, ES1370_RATE } from './es1370/index.ts';
import { HDA_CARD_TESTS } from './hda/index.ts';
import { type HdaSimOptions, hdaSimFactory } from './hda/sim-card.ts';
import type { QemuIsaCard } from './isa-card.ts';
import { type IsaCardModelFactory, isaSimCardFactory } from './isa-sim-card.ts';
import type { QemuPciCard } from './pci-card.ts';
import { type CardTestOptions, type CardTestReport, runCardTests } from './run-card-tests.ts';
import { SB16_CARD_TESTS, SB16_RATE } from './sb16/index.ts';
import { type CardModelFactory, simCardFactory } from './sim-card.ts';

interface TestableCardBase {
  /** As `--card` takes it. */
  readonly name: string;
  /** Number of checks. */
  readonly checkCount: number;
}

/** A PCI card for which there is a functional test. */
export interface TestablePciCard extends TestableCardBase {
  readonly bus: 'PCI';
  /** The same in QEMU, null when QEMU has no such card. */
  readonly qemuDevice: QemuPciCard | null;
  /** Rate at which what it plays is recorded bit by bit; 48000 unless said. */
  readonly outputRate?: number;
  /** Our model of it, in a machine that is switched on. */
  createSim(): Promise<CardUnderTest>;
  /** Runs the suite; see {@link runCardTests}. */
  run(card: CardUnderTest, options?: CardTestOptions): Promise<CardTestReport>;
}

/** An ISA card for which there is a functional test. */
export interface TestableIsaCard extends TestableCardBase {
  readonly bus: 'ISA';
  /** Null when QEMU has no such card. */
  readonly qemuDevice: QemuIsaCard | null;
  createSim(): Promise<IsaCardUnderTest>;
  run(card: IsaCardUnderTest, options?: CardTestOptions): Promise<CardTestReport>;
}

/** A card for which there is a functional test. */
export type TestableCard = TestablePciCard | TestableIsaCard;

const createAc97: CardModelFactory = ({ output, input }): PciCard =>
  new Ac97Card({ lineOut: output, ...(input === null ? {} : { lineIn: input, micIn: input }) });

/** Makes benches for our own model of the AC'97 card. */
export const ac97SimFactory = simCardFactory('82801AA AC’97 audio function', createAc97);

const createEs1370: CardModelFactory = ({ output, input }): PciCard =>
  new Es1370Card({ lineOut: output, ...(input === null ? {} : { lineIn: input }) });

/** Makes benches for our own model of the ES1370. */
export const es1370SimFactory = simCardFactory('Ensoniq AudioPCI ES1370', createEs1370, ES1370_RATE);

/** Where our Sound Blaster 16 is by default, and QEMU's always. */
const SB16_PLACE: IsaCardResources = {
  base: 0x220,
  mpuBase: 0x330,
  fmBase: 0x388,
  gameBase: 0x200,
  irq: 5,
  dma8: 1,
  dma16: 5,
  plugAndPlay: true,
};

/** QEMU's card is DSP and mixer alone. */
export const QEMU_SB16: QemuIsaCard = {
  device: 'sb16',
  outputRate: SB16_RATE,
  resources: { ...SB16_PLACE, mpuBase: null, fmBase: null, gameBase: null, plugAndPlay: false },
};

/** Makes benches for our model of the Sound Blaster 16, built with these options, or with what `create` makes of it. */
export function sb16SimFactory(
  options: Sb16CardOptions = {},
  create: IsaCardModelFactory = sb16Model(options),
) {
  const plugAndPlay = options.jumpers === undefined;
  return isaSimCardFactory({
    name: 'Sound Blaster 16',
    create,
    resources: { ...SB16_PLACE, ...placeByJumpers(options), plugAndPlay },
    logicalDevices: plugAndPlay
      ? [{ ioBases: [0x220, 0x330, 0x388], irqs: [5], dmas: [1, 5] }, { ioBases: [0x200] }]
      : [],
    outputRate: SB16_RATE,
  });
}

/** What jumpers other than those at delivery change. */
function placeByJumpers({ jumpers }: Sb16CardOptions): Partial<IsaCardResources> {
  return jumpers?.mpuBase === undefined ? {} : { mpuBase: jumpers.mpuBase };
}

function sb16Model(options: Sb16CardOptions): IsaCardModelFactory {
  return ({ output, input, microphone }) =>
    new Sb16Card({
      ...options,
      lineOut: output,
      ...(input === null ? {} : { lineIn: input }),
      ...(microphone === null ? {} : { micIn: microphone }),
    });
}

/** An HDA controller with a codec, ours and QEMU's. */
function hdaCard(name: string, sim: HdaSimOptions, qemuDevice: QemuPciCard | null): TestablePciCard {
  return {
    name,
    bus: 'PCI',
    qemuDevice,
    checkCount: HDA_CARD_TESTS.checks.length,
    createSim: () => hdaSimFactory(sim)(),
    run: (card, options) => runCardTests(card, HDA_CARD_TESTS, options),
  };
}

/** All cards that can be tested alone. */
export const TESTABLE_CARDS: readonly TestableCard[] = [
  {
    name: 'ac97',
    bus: 'PCI',
    qemuDevice: 'AC97',
    checkCount: AC97_CARD_TESTS.checks.length,
    createSim: () => ac97SimFactory(),
    run: (card, options) => runCardTests(card, AC97_CARD_TESTS, options),
  },
  {
    name: 'es1370',
    bus: 'PCI',
    qemuDevice: 'ES1370',
    outputRate: ES1370_RATE,
    checkCount: ES1370_CARD_TESTS.checks.length,
    createSim: () => es1370SimFactory(),
    run: (card, options) => runCardTests(card, ES1370_CARD_TESTS, options),
  },
  {
    name: 'sb16',
    bus: 'ISA',
    qemuDevice: QEMU_SB16,
    checkCount: SB16_CARD_TESTS.checks.length,
    createSim: () => sb16SimFactory()(),
    run: (card, options) => runCardTests(card, SB16_CARD_TESTS, options),
  },
  hdaCard('hda', {}, { controller: 'intel-hda', device: 'hda-duplex' }),
  hdaCard('hda-ich9', { variant: 'ich9' }, { controller: 'ich9-intel-hda', device: 'hda-duplex' }),
  hdaCard('hda-output', { codec: 'qemu-output' }, { controller: 'intel-hda', device: 'hda-output' }),
  hdaCard('hda-micro', { codec: 'qemu-micro' }, { controller: 'intel-hda', device: 'hda-micro' }),
  hdaCard('hda-desktop', { codec: 'desktop' }, null),
  hdaCard('hda-hdmi', { codec: 'hdmi' }, null),
];

/** The card of that name, in any case; undefined when there is no test for it. */
export function findTestableCard(name: string): TestableCard | undefined {
  return TESTABLE_CARDS.find((card) => card.name === name.toLowerCase());
}
