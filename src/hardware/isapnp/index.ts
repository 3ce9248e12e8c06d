/** ISA Plug and Play: the logic of a card, and the ports that all cards share. */
export * from './card-logic.ts';
export * from './pnp-ports.ts';
