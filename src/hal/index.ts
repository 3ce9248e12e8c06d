/**
 * The hardware abstraction layer: how a driver reaches registers, configuration space and DMA, and the decoders of which machines are
 * made. `bus.ts` is the cards' side.
 */
export * from './access.ts';
export { highestDmaAddress } from './bus-master-dma.ts';
export * from './dma.ts';
export * from './dma-domain.ts';
export * from './dma-types.ts';
export * from './interrupt-lines.ts';
export * from './interrupt-translation.ts';
export * from './io-space.ts';
export * from './isa-arbiter.ts';
export { ISA_DMA_BUS_DEVICE } from './isa-dma.ts';
export * from './isa-io-space.ts';
export * from './isa-registers.ts';
export * from './isapnp-access.ts';
export * from './isapnp-bus.ts';
export * from './isapnp-registers.ts';
export * from './isapnp-resources.ts';
export { ioSpaceToPhysical, mmMapIoSpace, mmUnmapIoSpace } from './map-io-space.ts';
export * from './memory-space.ts';
export * from './pci-bus.ts';
export * from './pci-bus-interface.ts';
export * from './pci-config-access.ts';
export * from './pci-ids.ts';
export * from './pci-registers.ts';
export * from './pic.ts';
export * from './poll.ts';
