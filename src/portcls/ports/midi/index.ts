export { PortMidi } from './port-midi.ts';
