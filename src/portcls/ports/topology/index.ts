export { PortTopology } from './port-topology.ts';
