export { formatDot, type HardwareGraph } from './format-dot.ts';
export { dataRangeToString, formatFilters } from './format-text.ts';
export * from './model.ts';
export { readFilter } from './read-filter.ts';
