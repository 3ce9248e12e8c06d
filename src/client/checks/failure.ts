/** What a driver shows of itself that it should not, by the number of the rule that it breaks. */
export interface CheckFailure {
  /** `TOP-001`: see the rule's own comment for where it comes from. */
  readonly check: string;
  /** `must`: Windows, or its certification tests, count on it. `should`: the documentation advises it. */
  readonly severity: 'must' | 'should';
  /** Filter, pin or node: `Topology, node 3 (KSNODETYPE_VOLUME)`. */
  readonly where: string;
  readonly text: string;
}

/** Collects failures. */
export class CheckList {
  readonly failures: CheckFailure[] = [];

  must(check: string, where: string, holds: boolean, text: string): void {
    if (!holds) this.failures.push({ check, severity: 'must', where, text });
  }

  should(check: string, where: string, holds: boolean, text: string): void {
    if (!holds) this.failures.push({ check, severity: 'should', where, text });
  }
}

/** One line a failure; empty when there is none. */
export function formatFailures(failures: readonly CheckFailure[]): string {
  return failures
    .map(({ check, severity, where, text }) => `${check} (${severity}) ${where}: ${text}\n`)
    .join('');
}
