/** Adapter driver for Intel High Definition Audio controllers with any codecs: WaveRT for their converters, Topology for their widgets. */
export { driverEntry, install } from './adapter.ts';
