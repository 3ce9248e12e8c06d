/** The FM chips of sound cards: Yamaha YMF262 (OPL3) and YM3812 (OPL2). */
export * from './registers.ts';
export { FmSynth } from './synth.ts';
