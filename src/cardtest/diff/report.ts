import type { DiffReport } from './suite.ts';

/** The report as text: what was compared, what was accepted and why, and the story of the first difference. */
export function formatDiffReport(report: DiffReport): string {
  const { difference } = report;
  const lines = [
    `${report.model} beside ${report.other}`,
    `Seed ${report.seed}: ${report.stepsDone} of ${report.steps} steps, ${report.comparisons} comparisons.`,
    '',
  ];
  if (report.accepted.length > 0) {
    lines.push('Differences that are known, and why:');
    for (const { id, about, reason, count } of report.accepted)
      lines.push(`  ${id} (${count}×): ${about}`, `      ${reason}`);
    lines.push('');
  }
  if (report.avoided.length > 0) {
    lines.push('Left out of the traffic, since it leads the two apart for good:');
    for (const { what } of report.avoided) lines.push(`  ${what}`);
    lines.push('');
  }
  if (difference === null) {
    lines.push('No other difference.');
    return `${lines.join('\n')}\n`;
  }
  lines.push(
    `Step ${difference.step}: ${difference.what} differs, and no entry of the list says why.`,
    `The shortest traffic found that shows it has ${difference.operations.length} steps; its last accesses were:`,
    ...difference.lines.map((line) => `  ${line}`),
    '',
    `  model: ${difference.model}`,
    `  other: ${difference.other}`,
  );
  if (difference.documentation !== null)
    lines.push(...difference.documentation.split('\n').map((line) => `  ${line}`));
  lines.push('', `Again: miniport diff --card ${report.card} --seed ${report.seed} --steps ${report.steps}`);
  return `${lines.join('\n')}\n`;
}
