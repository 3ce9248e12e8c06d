import type { CardCheck, CheckNeed, Expectations } from '../check.ts';
import type { Ac97Bench } from './bench.ts';

export type Ac97Check = CardCheck<Ac97Bench>;

/** One row of a table of checks: number, what is true, where it is said, how to see it, and what that needs. */
export type CheckRow = readonly [
  number: string,
  title: string,
  source: string,
  run: (bench: Ac97Bench, expect: Expectations) => void,
  needs?: CheckNeed,
];

/** Makes the checks `AC97-<prefix>-<number>` of a group. */
export function checkTable(prefix: string, group: string, rows: readonly CheckRow[]): readonly Ac97Check[] {
  return rows.map(([number, title, source, run, needs]) => ({
    id: `AC97-${prefix}-${number}`,
    title,
    group,
    source,
    ...(needs === undefined ? {} : { needs }),
    run,
  }));
}
