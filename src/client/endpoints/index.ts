export { Endpoint, type EndpointState, type VolumeRange } from './endpoint.ts';
export { formatCandidates, rangesCover } from './formats.ts';
export { type EndpointRoute, findRoutes, type RouteStep } from './routes.ts';
