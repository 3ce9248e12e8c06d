/** Functional tests of cards alone: a bench that reaches a card by bus cycles, checks against the documents, reports. */
export { AC97_CARD_TESTS } from './ac97/index.ts';
export * from './card-under-test.ts';
export * from './check.ts';
export { formatReportJson, formatReportJunit } from './report-files.ts';
export { formatReportText, type TextReportOptions } from './report-text.ts';
export * from './run-card-tests.ts';
export { type CardModelFactory, simCardFactory } from './sim-card.ts';
export * from './suites.ts';
