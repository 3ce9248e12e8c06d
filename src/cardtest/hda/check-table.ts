import type { CardCheck, CheckNeed, Expectations } from '../check.ts';
import type { HdaBench } from './bench.ts';

export type HdaCheck = CardCheck<HdaBench>;

/** Parts that not every codec, or bench, has. */
export type HdaPart =
  | 'input'
  | 'output amplifier'
  | 'input amplifier'
  | 'pin amplifier'
  | 'power control'
  | 'selection'
  | 'mixer'
  | 'samples wider than 16 bits'
  | 'input of samples wider than 16 bits'
  | 'digital converter'
  | 'HDMI'
  | 'EAPD'
  | 'VRef'
  | 'GPIO'
  | 'coefficients'
  | 'unsolicited responses'
  | 'jacks in reach'
  | 'analogue output';

/** One row of a table of checks: number, what is true, where it is said, how to see it, and what that needs. */
export type CheckRow = readonly [
  number: string,
  title: string,
  source: string,
  run: (bench: HdaBench, expect: Expectations) => void,
  needs?: { readonly need?: CheckNeed; readonly part?: HdaPart },
];

/** Makes the checks `HDA-<prefix>-<number>` of a group. */
export function checkTable(prefix: string, group: string, rows: readonly CheckRow[]): readonly HdaCheck[] {
  return rows.map(([number, title, source, run, needs]) => ({
    id: `HDA-${prefix}-${number}`,
    title,
    group,
    source,
    ...(needs?.need === undefined ? {} : { needs: needs.need }),
    ...(needs?.part === undefined ? {} : { part: needs.part }),
    run,
  }));
}
