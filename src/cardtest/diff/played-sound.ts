import type { CardOnBench } from '../card-under-test.ts';

/** How a recording is waited for. */
export interface AwaitedSound {
  /** Length of {@link CardOnBench.output} when the sound was started; whatever came before is not looked at. */
  readonly recordedBefore: number;
  /** How long the recorder may take to have it. */
  readonly limitTicks: number;
  /** An access that brings a model's recording up to the present. */
  readonly catchUp: () => void;
}

/**
 * Waits until the recording at a card's output has all of `expected`, stereo samples, and says in words how they came: the same words for
 * the same, so that two cards can be compared.
 */
export function describePlayedSound(
  card: CardOnBench,
  expected: Int16Array,
  { recordedBefore, limitTicks, catchUp }: AwaitedSound,
): string {
  const recorded = () => {
    catchUp();
    return card.output.samples.subarray(recordedBefore);
  };
  const isComplete = () => {
    const heard = recorded();
    const start = beginningOf(expected, heard);
    return start >= 0 && heard.length - start >= expected.length;
  };
  card.waitUntil(isComplete, limitTicks);
  const heard = recorded();
  const start = beginningOf(expected, heard);
  if (start >= 0) return compareSound(heard.subarray(start), expected);
  const sounds = heard.filter((sample) => sample !== 0).length;
  return `the beginning is not in the recording (${heard.length} samples since the start, ${sounds} of them sound)`;
}

/** Where `expected` begins in a stereo recording, which may hold the end of an earlier sound in front; −1 when it is not there (yet). */
export function beginningOf(expected: Int16Array, recorded: Int16Array): number {
  const probe = expected.subarray(0, 4);
  for (let at = 0; at + probe.length <= recorded.length; at += 2) {
    if (probe.every((sample, index) => recorded[at + index] === sample)) return at;
  }
  return -1;
}

function compareSound(heard: Int16Array, expected: Int16Array): string {
  for (let index = 0; index < expected.length; index++) {
    if (heard[index] === expected[index]) continue;
    return index >= heard.length
      ? `ends after ${heard.length} of ${expected.length} samples`
      : `sample ${index} of ${expected.length} is ${heard[index]}, in memory ${expected[index]}`;
  }
  return 'all samples as in memory';
}
