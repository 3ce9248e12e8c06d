/** The MIDI interface of sound cards: a UART-only MPU-401. */
export { Mpu401, type Mpu401Options, type Mpu401Slot } from './mpu401.ts';
export * from './registers.ts';
