import type { CardOnBench, CardUnderTest } from './card-under-test.ts';
import {
  type CardCheck,
  type CardTestSuite,
  Expectations,
  type KnownDeviation,
  type Mismatch,
} from './check.ts';

/**
 * How a check ended. `deviation`: it failed exactly as the table of known deviations says; `undeviating`: it passed although that table
 * says it fails (the table is out of date); `absent`: the card does not have the part that it is about; `error`: the check could not be
 * carried out.
 */
export type CheckStatus = 'pass' | 'fail' | 'deviation' | 'undeviating' | 'absent' | 'error';

export interface CheckResult {
  readonly id: string;
  readonly title: string;
  readonly group: string;
  readonly source: string;
  readonly status: CheckStatus;
  readonly mismatches: readonly Mismatch[];
  /** Why the card deviates, for `deviation` and `undeviating`; what it lacks, for `absent`. */
  readonly reason: string | null;
  /** What went wrong, for `error`. */
  readonly error: string | null;
  /** The computer's time that it took, when the caller gave a stopwatch. */
  readonly milliseconds: number | null;
}

export interface CardTestReport {
  readonly card: string;
  readonly title: string;
  readonly machine: string;
  readonly description: string;
  readonly documents: readonly { readonly short: string; readonly title: string }[];
  readonly results: readonly CheckResult[];
  readonly counts: Readonly<Record<CheckStatus, number>>;
  /** No check failed, in a way that is not known, and none could not be carried out. */
  readonly passed: boolean;
}

export interface CardTestOptions {
  /** Runs the checks whose id, group or title contains this text, in any case. All by default. */
  readonly filter?: string;
  /** Called before each check (`result` null) and after it. */
  readonly onProgress?: (progress: {
    readonly index: number;
    readonly count: number;
    readonly check: Pick<CheckResult, 'id' | 'title' | 'group' | 'source'>;
    readonly result: CheckResult | null;
  }) => void;
  /** Milliseconds of the computer, to tell how long checks took. */
  readonly stopwatch?: () => number;
  /** Asked before each check; true ends the run early. */
  readonly cancelled?: () => boolean;
}

/**
 * Runs a suite on a card and reports check by check. The card is switched off and on where a check wants it fresh, or other wiring. A
 * check that throws counts as `error`; when the machine itself is gone, so do all that follow.
 */
export async function runCardTests<Bench, Card extends CardOnBench = CardUnderTest>(
  card: Card,
  suite: CardTestSuite<Bench, Card>,
  options: CardTestOptions = {},
): Promise<CardTestReport> {
  const { onProgress, stopwatch } = options;
  const checks = inRunningOrder(selectChecks(suite.checks, options.filter));
  const bench = suite.open(card);
  const results: CheckResult[] = [];
  let dirty = false;
  const carryOut = async (check: CardCheck<Bench>, expect: Expectations) => {
    const wantsInput = check.needs === 'input';
    const otherWiring = (card.wiring.input !== undefined) !== wantsInput;
    if (otherWiring || dirty || (check.needs === 'powerOn' && !card.pristine)) {
      await card.powerCycle(wantsInput ? { input: suite.input } : {});
    }
    dirty = false;
    if (check.needs !== 'powerOn') suite.prepare(bench);
    check.run(bench, expect);
  };
  for (const [index, check] of checks.entries()) {
    if (options.cancelled?.() === true) break;
    onProgress?.({ index, count: checks.length, check, result: null });
    const started = stopwatch?.() ?? 0;
    const expect = new Expectations();
    const absent = check.part === undefined ? null : (suite.missing?.(bench, check.part) ?? null);
    let error: string | null = null;
    try {
      if (absent === null) await carryOut(check, expect);
    } catch (thrown) {
      error = thrown instanceof Error ? thrown.message : String(thrown);
      // Nobody knows what state the check left behind.
      dirty = true;
    }
    const milliseconds = stopwatch === undefined ? null : stopwatch() - started;
    const deviation = suite.deviations.find(
      ({ checkId, machine }) => checkId === check.id && machine === card.machine,
    );
    const result = resultOf(check, expect.mismatches, deviation ?? null, absent, error, milliseconds);
    results.push(result);
    onProgress?.({ index, count: checks.length, check, result });
  }
  const order = new Map(suite.checks.map(({ id }, index) => [id, index]));
  results.sort((a, b) => (order.get(a.id) ?? 0) - (order.get(b.id) ?? 0));
  const counts: Record<CheckStatus, number> = {
    pass: 0,
    fail: 0,
    deviation: 0,
    undeviating: 0,
    absent: 0,
    error: 0,
  };
  for (const { status } of results) counts[status]++;
  return {
    card: suite.card,
    title: suite.title,
    machine: card.machine,
    description: card.description,
    documents: suite.documents,
    results,
    counts,
    passed: counts.fail === 0 && counts.error === 0,
  };
}

/** The checks that a filter selects. */
export function selectChecks<Bench>(
  checks: readonly CardCheck<Bench>[],
  filter: string | undefined,
): readonly CardCheck<Bench>[] {
  if (filter === undefined || filter === '') return checks;
  const wanted = filter.toLowerCase();
  return checks.filter(({ id, group, title }) =>
    [id, group, title].some((text) => text.toLowerCase().includes(wanted)),
  );
}

/** Checks of a fresh card first, those with an input signal last: each change of wiring is a power cycle. */
function inRunningOrder<Bench>(checks: readonly CardCheck<Bench>[]): readonly CardCheck<Bench>[] {
  const rank = ({ needs }: CardCheck<Bench>) => (needs === 'powerOn' ? 0 : needs === 'input' ? 2 : 1);
  return [...checks].sort((a, b) => rank(a) - rank(b));
}

function resultOf<Bench>(
  check: CardCheck<Bench>,
  mismatches: readonly Mismatch[],
  deviation: KnownDeviation | null,
  absent: string | null,
  error: string | null,
  milliseconds: number | null,
): CheckResult {
  const { id, title, group, source } = check;
  let status: CheckStatus;
  if (error !== null) status = 'error';
  else if (absent !== null) status = 'absent';
  else if (deviation === null) status = mismatches.length === 0 ? 'pass' : 'fail';
  else if (mismatches.length === 0) status = 'undeviating';
  else status = occursAsKnown(deviation, mismatches) ? 'deviation' : 'fail';
  const known = status === 'deviation' || status === 'undeviating';
  return {
    id,
    title,
    group,
    source,
    status,
    mismatches,
    reason: known ? (deviation?.reason ?? null) : absent,
    error,
    milliseconds,
  };
}

function occursAsKnown({ what }: KnownDeviation, mismatches: readonly Mismatch[]): boolean {
  return what.length === mismatches.length && mismatches.every((mismatch) => what.includes(mismatch.what));
}
