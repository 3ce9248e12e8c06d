import type { CardCheck, CheckNeed, Expectations } from '../check.ts';
import type { Es1370Bench } from './bench.ts';

/** One row of a table of checks: number, what is true, where it is said, how to see it, and what that needs. */
export type CheckRow = readonly [
  number: string,
  title: string,
  source: string,
  run: (bench: Es1370Bench, expect: Expectations) => void,
  needs?: CheckNeed,
];

/** Makes the checks `ES1370-<prefix>-<number>` of a group. */
export function checkTable(
  prefix: string,
  group: string,
  rows: readonly CheckRow[],
): readonly CardCheck<Es1370Bench>[] {
  return rows.map(([number, title, source, run, needs]) => ({
    id: `ES1370-${prefix}-${number}`,
    title,
    group,
    source,
    ...(needs === undefined ? {} : { needs }),
    run,
  }));
}
