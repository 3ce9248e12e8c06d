import type { CardTestReport, CheckResult, CheckStatus } from './run-card-tests.ts';

const WORDS: Readonly<Record<CheckStatus, string>> = {
  pass: 'ok',
  fail: 'FAIL',
  deviation: 'known',
  undeviating: 'NEW OK',
  absent: 'absent',
  error: 'ERROR',
};

export interface TextReportOptions {
  /** Lists every check, not only those that did not pass. */
  readonly all?: boolean;
}

/** The report as text: what did not pass, group by group, with expected and observed; then counts. */
export function formatReportText(report: CardTestReport, options: TextReportOptions = {}): string {
  const lines = [report.title, `Card: ${report.description} (machine '${report.machine}')`, ''];
  for (const [group, results] of byGroup(report.results)) {
    const passed = results.filter(({ status }) => status === 'pass').length;
    lines.push(`${group}: ${passed} of ${results.length} as documented`);
    for (const result of results) {
      if (result.status !== 'pass') lines.push(...describe(result));
      else if (options.all === true) lines.push(...describe(result));
    }
    lines.push('');
  }
  lines.push(...summary(report));
  return `${lines.join('\n')}\n`;
}

function describe(result: CheckResult): string[] {
  const lines = [`  ${WORDS[result.status].padEnd(6)} ${result.id}  ${result.title}  [${result.source}]`];
  for (const { what, expected, observed } of result.mismatches) {
    lines.push(`           ${what}: expected ${expected}, observed ${observed}`);
  }
  if (result.status === 'deviation') lines.push(`           known: ${result.reason}`);
  if (result.status === 'absent') lines.push(`           not on this card: ${result.reason}`);
  if (result.status === 'undeviating') {
    lines.push(`           passes now; the table of known deviations says that it cannot: ${result.reason}`);
  }
  if (result.error !== null) lines.push(`           could not be carried out: ${result.error}`);
  return lines;
}

function summary({ counts, results, passed, documents }: CardTestReport): string[] {
  const parts = [`${counts.pass} as documented`];
  if (counts.deviation > 0)
    parts.push(`${counts.deviation} known deviation${counts.deviation === 1 ? '' : 's'}`);
  if (counts.undeviating > 0) parts.push(`${counts.undeviating} listed as deviating but as documented`);
  if (counts.absent > 0) parts.push(`${counts.absent} of parts that this card does not have`);
  if (counts.fail > 0) parts.push(`${counts.fail} FAILED`);
  if (counts.error > 0) parts.push(`${counts.error} not carried out`);
  const cited = documents.map(({ short, title }) => `  ${short}: ${title}`);
  return [
    `${results.length} checks: ${parts.join(', ')}. ${passed ? 'Passed.' : 'Not passed.'}`,
    ...(results.some(({ status }) => status !== 'pass') ? ['Documents:', ...cited] : []),
  ];
}

/** The results under their headings, in the suite's order. */
export function byGroup(results: readonly CheckResult[]): Map<string, CheckResult[]> {
  const groups = new Map<string, CheckResult[]>();
  for (const result of results) {
    const group = groups.get(result.group);
    if (group) group.push(result);
    else groups.set(result.group, [result]);
  }
  return groups;
}
