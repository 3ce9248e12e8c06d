/** Adapter driver for Intel High Definition Audio controllers with any codecs: WaveRT for their converters, Topology for their widgets. */
export { driverEntry, install, observedDriver } from './adapter.ts';
export { formatCodecGraph } from './codec/index.ts';
export type { CodecInspection, CodecObserver, NodeWidgets } from './inspection.ts';
