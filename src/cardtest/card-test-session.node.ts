import type { CardOnBench } from './card-under-test.ts';
import { isaQemuCardFactory } from './isa-qemu-card.node.ts';
import { qemuCardFactory } from './qemu-card.node.ts';
import type { CardTestOptions, CardTestReport } from './run-card-tests.ts';
import type { TestableCard } from './suites.ts';

/** A card that is switched on, and its test. */
export interface CardTestSession {
  readonly card: CardOnBench;
  run(options?: CardTestOptions): Promise<CardTestReport>;
}

/**
 * Switches a card on, on either machine. {@link CardOnBench.dispose} ends it.
 * @throws RangeError when QEMU has no such card; QemuError when QEMU is missing, too old or does not start
 */
export async function openCardTest(
  testable: TestableCard,
  machine: 'sim' | 'qemu',
): Promise<CardTestSession> {
  const onQemu = machine === 'qemu';
  if (onQemu && testable.qemuDevice === null) {
    throw new RangeError(`QEMU has no card like '${testable.name}'. Use --machine sim.`);
  }
  if (testable.bus === 'PCI') {
    const { qemuDevice, outputRate } = testable;
    const card = await (onQemu && qemuDevice !== null
      ? qemuCardFactory(qemuDevice, outputRate)()
      : testable.createSim());
    return { card, run: (options) => testable.run(card, options) };
  }
  const { qemuDevice } = testable;
  const card = await (onQemu && qemuDevice !== null
    ? isaQemuCardFactory(qemuDevice)()
    : testable.createSim());
  return { card, run: (options) => testable.run(card, options) };
}
