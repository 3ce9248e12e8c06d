/**
 * Miniport's face for programs: a machine, its cards with their drivers, and an application's side. Layers have faces of
 * their own (`miniport/portcls`, `miniport/ks`, `miniport/hardware` …) for authors of drivers and cards.
 */
export * from './catalog.ts';
export { AudioClient } from './client/index.ts';
export { SimMachine, type SimMachineOptions } from './machines/sim/index.ts';
