export * from './audio-format.ts';
export * from './convert/index.ts';
export * from './pcm.ts';
export * from './wav/index.ts';
