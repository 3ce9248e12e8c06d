import { type DiffCallbacks, type DiffOptions, type DiffReport, runAc97Diff } from './ac97/diff.ts';
import { qemuCardFactory } from './qemu-card.node.ts';
import { ac97SimFactory } from './suites.ts';

/** What {@link runDiff} compares, and with what traffic. */
export interface RunDiffOptions extends DiffOptions {
  /** As `--card` takes it; so far `ac97`. */
  readonly card: string;
}

/** Cards whose model can be compared with QEMU's. */
export const DIFF_CARDS: readonly string[] = ['ac97'];

/**
 * Starts our model of a card and QEMU's card, and sends both the same traffic; see {@link runAc97Diff}. Both machines are ended at the end.
 * @throws QemuError when QEMU is missing, too old, or ends in the middle
 * @throws RangeError when there is no such card
 */
export async function runDiff(options: RunDiffOptions, callbacks: DiffCallbacks = {}): Promise<DiffReport> {
  if (options.card.toLowerCase() !== 'ac97') {
    throw new RangeError(
      `There is no differential test for '${options.card}'. There is one for: ${DIFF_CARDS.join(', ')}.`,
    );
  }
  const model = await ac97SimFactory();
  try {
    const other = await qemuCardFactory('AC97')();
    try {
      return await runAc97Diff(model, other, options, callbacks);
    } finally {
      other.dispose();
    }
  } finally {
    model.dispose();
  }
}
