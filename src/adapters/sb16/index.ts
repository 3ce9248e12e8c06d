/** Adapter driver for the Sound Blaster 16: WaveCyclic both ways, the CT1745 mixer, MPU-401 and FM synthesizer. */
export { driverEntry, FM_NAME, install, TOPOLOGY_NAME, UART_NAME, WAVE_NAME } from './adapter.ts';
