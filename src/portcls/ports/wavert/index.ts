export { PortWaveRT } from './port-wavert.ts';
export { WaveRTPin } from './wavert-pin.ts';
