/** What a card makes of several streams at once: their sum, saturated, each from a moment of its own on. */

const HIGHEST = 32_767;
const LOWEST = -32_768;
/** Samples by which a moment is recognised; noise repeats none so long. */
const WINDOW = 96;
const HIDDEN_FRAMES = 8;

const saturate = (sum: number): number => Math.min(HIGHEST, Math.max(LOWEST, sum));

export interface Mix {
  /** Where each sound begins in the recording, in samples. */
  readonly starts: readonly number[];
  /** Samples whose sum did not fit into 16 bits. */
  readonly saturated: number;
  /** Where recording and sum part, in words; null when they are the same. */
  readonly difference: string | null;
}

/**
 * Takes a recording of stereo sounds apart that were played at once at unity: where each began, and whether the recording is their
 * saturated sum throughout, with silence before and after. The sounds have no sample of 0 and are noise, so that each is recognised.
 */
export function unmix(played: Int16Array, sounds: readonly Int16Array[]): Mix {
  const first = played.findIndex((sample) => sample !== 0);
  const starts: (number | null)[] = sounds.map(() => null);
  // One after the other, the earliest first: what is known so far explains the recording up to the next beginning.
  let from = first < 0 ? 0 : first - (first % 2);
  while (starts.includes(null)) {
    const next = nextStart(played, sounds, starts, from);
    if (next === null) {
      return {
        starts: starts.map((start) => start ?? -1),
        saturated: 0,
        difference: `${starts.filter((start) => start !== null).length} of ${sounds.length} sounds recognised; nothing explains sample ${from}: ${played.subarray(from, from + 8)}`,
      };
    }
    for (const sound of next.sounds) starts[sound] = next.at;
    from = firstUnexplained(played, sounds, starts, next.at);
  }
  const unexplained = firstUnexplained(played, sounds, starts, 0);
  let saturated = 0;
  for (let at = 0; at < played.length; at++) {
    const sum = sumAt(sounds, starts, at);
    if (sum > HIGHEST || sum < LOWEST) saturated++;
  }
  const ends = starts.map((start, index) => (start ?? 0) + (sounds[index]?.length ?? 0));
  const missing = Math.max(...ends) - played.length;
  return {
    starts: starts.map((start) => start ?? -1),
    saturated,
    difference:
      unexplained < played.length
        ? `sample ${unexplained}: ${played[unexplained]} instead of ${saturate(sumAt(sounds, starts, unexplained))}`
        : missing > 0
          ? `${missing} samples are missing at the end`
          : null,
  };
}

function sumAt(sounds: readonly Int16Array[], starts: readonly (number | null)[], at: number): number {
  let sum = 0;
  for (const [index, sound] of sounds.entries()) {
    const start = starts[index] ?? null;
    if (start !== null && at >= start) sum += sound[at - start] ?? 0;
  }
  return sum;
}

/** The first sample from `from` on that the sounds found so far do not explain; the recording's length when they explain all. */
function firstUnexplained(
  played: Int16Array,
  sounds: readonly Int16Array[],
  starts: readonly (number | null)[],
  from: number,
): number {
  for (let at = from; at < played.length; at++)
    if (played[at] !== saturate(sumAt(sounds, starts, at))) return at;
  return played.length;
}

/** Sounds not found yet whose beginning explains the recording from `from` on: one, or several that begin at once. */
function nextStart(
  played: Int16Array,
  sounds: readonly Int16Array[],
  starts: readonly (number | null)[],
  from: number,
): { readonly sounds: readonly number[]; readonly at: number } | null {
  const frame = from - (from % 2);
  let best: { readonly sounds: readonly number[]; readonly at: number } | null = null;
  let bestAgreed = 0;
  // Saturation can hide a beginning for a few frames.
  for (let at = frame; at >= Math.max(0, frame - 2 * HIDDEN_FRAMES); at -= 2) {
    for (const together of subsets(starts.flatMap((start, index) => (start === null ? [index] : [])))) {
      const tried = starts.map((start, index) => (together.includes(index) ? at : start));
      const end = Math.min(at + WINDOW, played.length);
      let agreed = 0;
      for (let one = at; one < end; one++) {
        if (played[one] === saturate(sumAt(sounds, tried, one))) agreed++;
        else if (one < frame + 2) {
          agreed = 0;
          break;
        }
      }
      if (agreed <= bestAgreed) continue;
      bestAgreed = agreed;
      best = { sounds: together, at };
    }
  }
  return best;
}

/** All choices of at least one of the items. */
function subsets(items: readonly number[]): number[][] {
  return Array.from({ length: 2 ** items.length - 1 }, (_, bits) =>
    items.filter((_item, index) => (((bits + 1) >> index) & 1) === 1),
  );
}
