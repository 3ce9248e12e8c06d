import { byGroup } from './report-text.ts';
import type { CardTestReport, CheckResult } from './run-card-tests.ts';

/** The report as JSON: {@link CardTestReport} as it is, indented, with a format name and version in front. */
export function formatReportJson(report: CardTestReport): string {
  return `${JSON.stringify({ format: 'miniport-card-test', version: 1, ...report }, null, 2)}\n`;
}

/**
 * The report as JUnit XML: a test suite for each group, a test case for each check. Known deviations and checks
 * of parts that the card does not have are skipped tests with their reason; a deviation that no longer occurs passes, with a note in its output.
 */
export function formatReportJunit(report: CardTestReport): string {
  const { results, counts, title, machine } = report;
  const name = escapeXml(`${title} (${machine})`);
  const totals = `tests="${results.length}" failures="${counts.fail}" errors="${counts.error}" skipped="${counts.deviation + counts.absent}"`;
  const suites = [...byGroup(results)].map(([group, members]) => suite(report, group, members));
  return [
    '<?xml version="1.0" encoding="UTF-8"?>',
    `<testsuites name="${name}" ${totals}${timeOf(results)}>`,
    ...suites,
    '</testsuites>',
    '',
  ].join('\n');
}

function suite({ card, machine }: CardTestReport, group: string, results: readonly CheckResult[]): string {
  const count = (status: CheckResult['status']) =>
    results.filter((result) => result.status === status).length;
  const attributes =
    `name="${escapeXml(group)}" tests="${results.length}" failures="${count('fail')}" errors="${count('error')}" ` +
    `skipped="${count('deviation') + count('absent')}"${timeOf(results)}`;
  const cases = results.map((result) => testCase(`${card}.${machine}`, result));
  return [`  <testsuite ${attributes}>`, ...cases, '  </testsuite>'].join('\n');
}

function testCase(className: string, result: CheckResult): string {
  const open = `    <testcase classname="${escapeXml(className)}" name="${escapeXml(`${result.id} ${result.title}`)}"${timeOf([result])}`;
  const details = [
    `Source: ${result.source}`,
    ...result.mismatches.map(
      ({ what, expected, observed }) => `${what}: expected ${expected}, observed ${observed}`,
    ),
  ].join('\n');
  let body: string;
  switch (result.status) {
    case 'pass':
      return `${open}/>`;
    case 'fail':
      body = `      <failure message="${escapeXml(firstMismatch(result))}">${escapeXml(details)}</failure>`;
      break;
    case 'error':
      body = `      <error message="${escapeXml(result.error ?? '')}">${escapeXml(details)}</error>`;
      break;
    case 'deviation':
      body =
        `      <skipped message="${escapeXml(`known deviation: ${result.reason}`)}"/>\n` +
        `      <system-out>${escapeXml(details)}</system-out>`;
      break;
    case 'absent':
      body = `      <skipped message="${escapeXml(`not on this card: ${result.reason}`)}"/>`;
      break;
    case 'undeviating':
      body = `      <system-out>${escapeXml(`passes, though listed as a known deviation: ${result.reason}`)}</system-out>`;
      break;
  }
  return `${open}>\n${body}\n    </testcase>`;
}

function firstMismatch({ mismatches }: CheckResult): string {
  const [first] = mismatches;
  return first === undefined ? '' : `${first.what}: expected ${first.expected}, observed ${first.observed}`;
}

/** The `time` attribute in seconds, nothing when nobody measured. */
function timeOf(results: readonly CheckResult[]): string {
  let milliseconds = 0;
  for (const result of results) {
    if (result.milliseconds === null) return '';
    milliseconds += result.milliseconds;
  }
  return ` time="${(milliseconds / 1000).toFixed(3)}"`;
}

/** Text for an attribute or an element; characters that XML 1.0 forbids become question marks. */
function escapeXml(text: string): string {
  return [...text]
    .map((character) => ESCAPES.get(character) ?? (isForbidden(character) ? '?' : character))
    .join('');
}

const ESCAPES = new Map([
  ['&', '&amp;'],
  ['<', '&lt;'],
  ['>', '&gt;'],
  ['"', '&quot;'],
]);

function isForbidden(character: string): boolean {
  const code = character.codePointAt(0) ?? 0;
  return (
    (code < 0x20 && code !== 0x0a && code !== 0x0d && code !== 0x09) || code === 0xfffe || code === 0xffff
  );
}
