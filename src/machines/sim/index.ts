/** The machine in this process: PCI bus, interrupt lines, RAM, cards as models, virtual time. */
export * from './pci-slot.ts';
export * from './sim-machine.ts';
export * from './sim-platform.ts';
export * from './sim-ram.ts';
