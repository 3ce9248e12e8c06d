/** Applications: WAV files, conversion, endpoints, controls, streams; rules that drivers keep. */
export * from './audio-client.ts';
export * from './audio-format.ts';
export { type CheckFailure, checkDriver, checkTopology, formatFailures } from './checks/index.ts';
export * from './client-error.ts';
export * from './controls/index.ts';
export * from './convert/index.ts';
export * from './endpoints/index.ts';
export * from './inspect/index.ts';
export * from './midi/index.ts';
export * from './pcm.ts';
export * from './streams/index.ts';
export * from './wav/index.ts';
