/**
 * Kernel streaming: the constants, structures and rules that a driver (server) and its clients share. Structures are types and, under
 * the same name, their 64-bit memory layouts; see structs.ts.
 */
export * from './attributes.ts';
export * from './audio-structs.ts';
export * from './connection-properties.ts';
export * from './constants.ts';
export * from './data-format.ts';
export * from './data-intersection.ts';
export * from './data-range.ts';
export { describeKsRequest } from './describe-request.ts';
export * from './device-control.ts';
export * from './event-ids.ts';
export * from './events.ts';
export * from './filter-properties.ts';
export * from './guids/audio.ts';
export * from './guids/categories.ts';
export * from './guids/formats.ts';
export * from './guids/names.ts';
export * from './guids/nodes.ts';
export * from './guids/sets.ts';
export * from './irp-queue.ts';
export {
  alignUp,
  type FieldType,
  Layout,
  POINTER_SIZE_32,
  POINTER_SIZE_64,
  type PointerSize,
  viewOf,
} from './layout.ts';
export * from './matching.ts';
export * from './method-handler.ts';
export * from './method-ids.ts';
export * from './midi-message.ts';
export * from './multiple-item.ts';
export * from './music-format.ts';
export * from './names.ts';
export * from './object-header.ts';
export * from './pin-connect.ts';
export * from './pin-descriptor.ts';
export * from './pin-properties.ts';
export * from './property-description.ts';
export { ksPropertyHandler } from './property-handler.ts';
export * from './property-ids.ts';
export * from './property-item.ts';
export { KSIDENTIFIER_SIZE, KSP_NODE_SIZE, KsRequest, readUlong, writeUlong } from './request.ts';
export * from './requests.ts';
export * from './stream-headers.ts';
export * from './structs.ts';
export * from './synth.ts';
export * from './validate-connect.ts';
export * from './wave-format.ts';
