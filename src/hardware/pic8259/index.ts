/** The PC/AT's interrupt controllers. */
export * from './pic-pair.ts';
export { Pic8259 } from './pic8259.ts';
