/** The machine in this process: PCI and ISA bus, interrupt and DMA controllers, RAM, cards as models, virtual time. */
export * from './isa-bus.ts';
export * from './isa-slot.ts';
export * from './pci-slot.ts';
export * from './sim-machine.ts';
export * from './sim-platform.ts';
export * from './sim-ram.ts';
