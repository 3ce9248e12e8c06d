export { PortWavePci } from './port-wavepci.ts';
