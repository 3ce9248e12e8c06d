/** Functional tests of cards alone: a bench that reaches a card by bus cycles, checks against the documents, reports. */
export { AC97_ACCEPTED_DIFFERENCES, AC97_AVOIDED_TRAFFIC } from './ac97/accepted-differences.ts';
export { AC97_DIFF } from './ac97/diff.ts';
export type { DiffDescriptor, DiffOperation } from './ac97/diff-operations.ts';
export { AC97_CARD_TESTS, AC97_KNOWN_DEVIATIONS } from './ac97/index.ts';
export * from './card-under-test.ts';
export * from './check.ts';
export * from './diff/index.ts';
export * from './diff-cards.ts';
export { ES1370_ACCEPTED_DIFFERENCES, ES1370_AVOIDED_TRAFFIC } from './es1370/accepted-differences.ts';
export { ES1370_DIFF } from './es1370/diff.ts';
export { ES1370_CARD_TESTS, ES1370_KNOWN_DEVIATIONS } from './es1370/index.ts';
export { HDA_ACCEPTED_DIFFERENCES, HDA_AVOIDED_TRAFFIC } from './hda/accepted-differences.ts';
export { HDA_DIFF } from './hda/diff.ts';
export type { HdaDiffCommand, HdaDiffEntry, HdaOperation } from './hda/diff-operations.ts';
export { HDA_CARD_TESTS, HDA_KNOWN_DEVIATIONS } from './hda/index.ts';
export { type HdaSimOptions, hdaSimFactory } from './hda/sim-card.ts';
export type { QemuIsaCard } from './isa-card.ts';
export {
  type IsaCardModelFactory,
  type IsaLogicalDevice,
  type IsaSimCard,
  isaSimCardFactory,
} from './isa-sim-card.ts';
export type { QemuPciCard } from './pci-card.ts';
export { formatReportJson, formatReportJunit } from './report-files.ts';
export { formatReportText, type TextReportOptions } from './report-text.ts';
export * from './run-card-tests.ts';
export { SB16_ACCEPTED_DIFFERENCES, SB16_AVOIDED_TRAFFIC } from './sb16/accepted-differences.ts';
export { SB16_DIFF } from './sb16/diff.ts';
export type { Sb16Operation } from './sb16/diff-operations.ts';
export { SB16_CARD_TESTS, SB16_KNOWN_DEVIATIONS } from './sb16/index.ts';
export { type CardModelFactory, simCardFactory } from './sim-card.ts';
export * from './suites.ts';
