/** Sound cards and what can be plugged into them, as register-level models. */
export * from './ac97/index.ts';
export * from './adlib/index.ts';
export * from './analog.ts';
export * from './codecs/index.ts';
export * from './dma8237/index.ts';
export * from './es1370/index.ts';
export * from './hda/index.ts';
export * from './isapnp/index.ts';
export * from './midi-memory.ts';
export * from './mpu401/index.ts';
export * from './opl3/index.ts';
export * from './pci/index.ts';
export * from './pic8259/index.ts';
export { SampleClock } from './sample-clock.ts';
export * from './sb16/index.ts';
export * from './test-slot.ts';
