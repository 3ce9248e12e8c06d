/** Codecs of the HDA driver: read by verbs, planned, and run by the plan. Pure logic above {@link CodecLink}. */
export { initialiseCodec } from './apply.ts';
export { parseEld } from './eld.ts';
export { type CodecSettings, formatCodecGraph, readCodecSettings } from './format-graph.ts';
export * from './model.ts';
export { planCodec } from './plan.ts';
export { readCodecGraph } from './read-codec.ts';
