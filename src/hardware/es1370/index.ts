export { AK4531_REGISTERS, Ak4531, akDecibels, akRegisterName, describeAkValue } from './ak4531.ts';
export { Es1370Card, type Es1370CardOptions, type Es1370Position } from './card.ts';
export { BURST_BYTES as ES1370_BURST_BYTES, CHANNEL_FIFO_BYTES } from './channel.ts';
export { describeEs1370Value, es1370RegisterName } from './describe.ts';
export type { Es1370Jacks } from './jacks.ts';
