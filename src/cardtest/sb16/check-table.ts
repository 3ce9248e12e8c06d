import type { CardCheck, CheckNeed, Expectations } from '../check.ts';
import type { Sb16Bench } from './bench.ts';

export type Sb16Check = CardCheck<Sb16Bench>;

/** Parts that not every card has. */
export type Sb16Part = 'mpu' | 'fm' | 'game' | 'pnp' | 'jumpers';

/** What a check needs besides a prepared card. */
export interface RowNeeds {
  readonly needs?: CheckNeed;
  readonly part?: Sb16Part;
}

/** One row of a table of checks: number, what is true, where it is said, how to see it, and what that needs. */
export type CheckRow = readonly [
  number: string,
  title: string,
  source: string,
  run: (bench: Sb16Bench, expect: Expectations) => void,
  needs?: RowNeeds,
];

/** Makes the checks `SB16-<prefix>-<number>` of a group; `part` is what all of them need. */
export function checkTable(
  prefix: string,
  group: string,
  rows: readonly CheckRow[],
  part?: Sb16Part,
): readonly Sb16Check[] {
  return rows.map(([number, title, source, run, needs]) => ({
    id: `SB16-${prefix}-${number}`,
    title,
    group,
    source,
    ...(part === undefined ? {} : { part }),
    ...needs,
    run,
  }));
}
