import type { TraceEvent } from '../kernel/index.ts';
import { AC97_DIFF } from './ac97/diff.ts';
import type { CardOnBench, CardUnderTest, IsaCardUnderTest } from './card-under-test.ts';
import {
  type DiffCallbacks,
  type DiffReport,
  type DiffStep,
  type DiffSuite,
  runDiffSuite,
} from './diff/index.ts';
import { ES1370_DIFF } from './es1370/diff.ts';
import { ES1370_RATE } from './es1370/index.ts';
import { HDA_DIFF } from './hda/diff.ts';
import { hdaSimFactory } from './hda/sim-card.ts';
import type { QemuIsaCard } from './isa-card.ts';
import type { QemuPciCard } from './pci-card.ts';
import { SB16_DIFF } from './sb16/diff.ts';
import { ac97SimFactory, es1370SimFactory, QEMU_SB16, sb16SimFactory } from './suites.ts';

/** What traffic two cards are compared with. */
export interface DiffTraffic {
  readonly seed: number;
  readonly steps: number;
  /** A trace of a driver whose accesses are played in place of random traffic. */
  readonly recorded?: Iterable<TraceEvent>;
  /** Looks for a shorter sequence that shows the same difference; true by default. */
  readonly shrink?: boolean;
}

/** A trace to be replayed has no access to the card. */
export class NoRecordedTraffic extends Error {}

interface DiffCardBase<Card extends CardOnBench> {
  /** As `--card` takes it. */
  readonly name: string;
  /** Our model of it, in a machine that is switched on. */
  createSim(): Promise<Card>;
  /**
   * Compares two cards; see {@link runDiffSuite}.
   * @throws NoRecordedTraffic when there is recorded traffic without an access to this card
   */
  run(model: Card, other: Card, traffic: DiffTraffic, callbacks?: DiffCallbacks): Promise<DiffReport>;
}

/** A PCI card whose model can be compared with QEMU's. */
export interface PciDiffCard extends DiffCardBase<CardUnderTest> {
  readonly bus: 'PCI';
  readonly qemuDevice: QemuPciCard;
  /** Rate at which what it plays is recorded bit by bit; 48000 unless said. */
  readonly outputRate?: number;
}

/** An ISA card whose model can be compared with QEMU's. */
export interface IsaDiffCard extends DiffCardBase<IsaCardUnderTest> {
  readonly bus: 'ISA';
  readonly qemuDevice: QemuIsaCard;
}

/** A card whose model can be compared with QEMU's. */
export type DiffCard = PciDiffCard | IsaDiffCard;

/** {@link DiffCardBase.run} of a suite. */
function runnerOf<Step extends DiffStep, Bench, Card extends CardOnBench>(
  suite: DiffSuite<Step, Bench, Card>,
): DiffCardBase<Card>['run'] {
  return (model, other, { recorded, ...options }, callbacks) => {
    const operations = recorded === undefined ? undefined : suite.fromTrace(recorded);
    if (operations?.length === 0) {
      throw new NoRecordedTraffic(`The trace holds no register traffic of the card '${suite.card}'.`);
    }
    return runDiffSuite(
      model,
      other,
      suite,
      operations === undefined ? options : { ...options, operations },
      callbacks,
    );
  };
}

/** All cards whose model can be compared with QEMU's. */
export const DIFF_CARDS: readonly DiffCard[] = [
  {
    name: 'ac97',
    bus: 'PCI',
    qemuDevice: 'AC97',
    createSim: () => ac97SimFactory(),
    run: runnerOf(AC97_DIFF),
  },
  {
    name: 'es1370',
    bus: 'PCI',
    qemuDevice: 'ES1370',
    outputRate: ES1370_RATE,
    createSim: () => es1370SimFactory(),
    run: runnerOf(ES1370_DIFF),
  },
  {
    name: 'sb16',
    bus: 'ISA',
    qemuDevice: QEMU_SB16,
    // Placed by jumpers and without an MPU-401, as QEMU's is.
    createSim: () => sb16SimFactory({ jumpers: { mpuBase: null } })(),
    run: runnerOf(SB16_DIFF),
  },
  {
    name: 'hda',
    bus: 'PCI',
    qemuDevice: { controller: 'intel-hda', device: 'hda-duplex' },
    createSim: () => hdaSimFactory()(),
    run: runnerOf(HDA_DIFF),
  },
];

/** The card of that name, in any case; undefined when there is no differential test for it. */
export function findDiffCard(name: string): DiffCard | undefined {
  return DIFF_CARDS.find((card) => card.name === name.toLowerCase());
}
