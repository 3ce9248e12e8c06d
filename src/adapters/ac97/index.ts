/** Adapter driver for the Intel ICH AC'97 audio controller: WaveRT for its three engines, Topology for the codec's mixer. */
export { driverEntry, install, TOPOLOGY_NAME, WAVE_NAME } from './adapter.ts';
