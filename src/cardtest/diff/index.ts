/** The differential test, for any card: what a card's own part is built on, the run, and the report. */
export * from './difference.ts';
export * from './played-sound.ts';
export * from './recorded-traffic.ts';
export { formatDiffReport } from './report.ts';
export { runDiffSuite } from './run.ts';
export * from './shown-registers.ts';
export * from './suite.ts';
export { generateInTwoParts, type TrafficGenerator } from './traffic.ts';
