export { PortWaveCyclic } from './port-wavecyclic.ts';
