/** The FM chips of sound cards: Yamaha YMF262 (OPL3) and YM3812 (OPL2). */
export * from './describe.ts';
export { type FmRegisterValue, Opl3, type Opl3Options, type Opl3Slot } from './opl3.ts';
export * from './registers.ts';
export { FM_NOMINAL_RATE, FM_SAMPLE_RATE } from './sample-grid.ts';
export { FmSynth } from './synth.ts';
