/** The port class driver: what adapter drivers call and implement. */

export {
  type AdapterDevice,
  type AdapterDeviceState,
  adapterDevice,
  type PCPFNSTARTDEVICE,
  PORT_CLASS_DEVICE_EXTENSION,
  PORT_CLASS_DEVICE_EXTENSION_SIZE,
} from './adapter-device.ts';
export * from './adapter-functions.ts';
export * from './ddi/index.ts';
export { pcNewDmaChannel } from './helpers/dma-channel-slave.ts';
export { pcNewInterruptSync } from './helpers/interrupt-sync.ts';
export { pcNewResourceList, pcNewResourceSublist } from './helpers/resource-list.ts';
export { pcNewServiceGroup } from './helpers/service-group.ts';
export type { IO_TIMER_ROUTINE } from './io-timeouts.ts';
