import type { DiffStep } from './suite.ts';

/** Makes traffic step by step, and remembers enough not to ask for the impossible. */
export interface TrafficGenerator<Step extends DiffStep> {
  /** Says how both cards are wired from now on: with a signal at the recording inputs or not. */
  wire(input: boolean): Step;
  next(): Step;
  /** Brings whatever runs to its end and compares everything. */
  settle(): Step;
}

/** Of so many steps one third goes with a signal at the inputs, so that recording runs. */
const CAPTURE_SHARE = 1 / 3;

/** `steps` steps: first without, then with a signal at the inputs; each part begins with power-on and ends settled. */
export function generateInTwoParts<Step extends DiffStep>(
  generator: TrafficGenerator<Step>,
  steps: number,
): readonly Step[] {
  const capture = Math.floor(steps * CAPTURE_SHARE);
  const operations: Step[] = [];
  for (const [input, count] of [
    [false, steps - capture],
    [true, capture],
  ] as const) {
    if (count === 0) continue;
    operations.push(generator.wire(input));
    while (operations.length < (input ? steps : steps - capture) - 1) operations.push(generator.next());
    operations.push(generator.settle());
  }
  return operations;
}
