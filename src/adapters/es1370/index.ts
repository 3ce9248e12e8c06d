/** Adapter driver for the Ensoniq AudioPCI (ES1370): WavePci for its two DACs and its ADC, Topology for the AK4531's mixer, MIDI. */
export { driverEntry, install, MIDI_NAME, TOPOLOGY_NAME, WAVE_NAME } from './adapter.ts';
