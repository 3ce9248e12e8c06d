export * from './ddi/index.ts';
