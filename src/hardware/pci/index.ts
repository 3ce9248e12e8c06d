/** Chips of the PCI bus: configuration space of a function, and the host bridge through which it is reached. */
export * from './config-space.ts';
export * from './host-bridge.ts';
