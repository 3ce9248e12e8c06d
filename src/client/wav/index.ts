export { type ByteSink, type ByteSource, MemoryByteSink, MemoryByteSource } from './bytes.ts';
export { WavError } from './wav-error.ts';
export { type WavChunk, WavReader } from './wav-reader.ts';
export { WavWriter, type WavWriterOptions } from './wav-writer.ts';
