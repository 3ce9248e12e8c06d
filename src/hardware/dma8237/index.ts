/** The PC/AT's DMA controllers. */
export * from './controller.ts';
export { Dma8237, type DmaChannelState, type DmaMemory, dmaRegisterName } from './dma8237.ts';
