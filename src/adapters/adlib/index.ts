export { driverEntry, install } from './adapter.ts';
