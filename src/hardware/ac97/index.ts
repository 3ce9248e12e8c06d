export { Ac97Card, type Ac97CardOptions } from './card.ts';
export * from './registers.ts';
