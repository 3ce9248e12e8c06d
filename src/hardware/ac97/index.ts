export { BURST_BYTES, DEFAULT_FIFO_BYTES } from './bus-master-engine.ts';
export { Ac97Card, type Ac97CardOptions, type Ac97Position, type Ac97RegisterValue } from './card.ts';
export * from './registers.ts';
