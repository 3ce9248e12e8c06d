export * from './audio-format.ts';
export * from './pcm.ts';
export * from './wav/index.ts';
