export { Endpoint, type EndpointState, type VolumeRange } from './endpoint.ts';
export { EndpointPin, type PinInstances } from './endpoint-pin.ts';
export { formatCandidates, rangesCover } from './formats.ts';
export { type JackChange, JackWatch } from './jack-watch.ts';
export { type EndpointRoute, findRoutes, type HostRoute, type RouteStep } from './routes.ts';
