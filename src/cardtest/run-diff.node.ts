import type { CardFactory, CardOnBench } from './card-under-test.ts';
import type { DiffCallbacks, DiffReport } from './diff/index.ts';
import type { DiffCard, DiffTraffic } from './diff-cards.ts';
import { isaQemuCardFactory } from './isa-qemu-card.node.ts';
import { qemuCardFactory } from './qemu-card.node.ts';

/**
 * Starts our model of a card and QEMU's card, and sends both the same traffic; see {@link runDiffSuite}. Both machines are ended at the end.
 * @throws QemuError when QEMU is missing, too old, or ends in the middle
 * @throws NoRecordedTraffic when the recorded traffic holds no access to this card
 */
export function runDiff(
  card: DiffCard,
  traffic: DiffTraffic,
  callbacks: DiffCallbacks = {},
): Promise<DiffReport> {
  return card.bus === 'PCI'
    ? withBoth(card.createSim, qemuCardFactory(card.qemuDevice, card.outputRate), (model, other) =>
        card.run(model, other, traffic, callbacks),
      )
    : withBoth(card.createSim, isaQemuCardFactory(card.qemuDevice), (model, other) =>
        card.run(model, other, traffic, callbacks),
      );
}

async function withBoth<Card extends CardOnBench>(
  createModel: () => Promise<Card>,
  createOther: CardFactory<Card>,
  compare: (model: Card, other: Card) => Promise<DiffReport>,
): Promise<DiffReport> {
  const model = await createModel();
  try {
    const other = await createOther();
    try {
      return await compare(model, other);
    } finally {
      other.dispose();
    }
  } finally {
    model.dispose();
  }
}
