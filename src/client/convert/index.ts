export { ChannelMatrix, channelMatrix } from './channels.ts';
export { type ConversionOptions, ConvertingPcmWriter, describeConversion, Pipeline } from './pipeline.ts';
export { type FrameStage, Resampler, type ResamplerQuality, resampledLength } from './resampler.ts';
export { type DitherOptions, SampleDecoder, SampleEncoder } from './samples.ts';
