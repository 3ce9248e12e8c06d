/** The AdLib Music Synthesizer Card. */
export * from './card.ts';
