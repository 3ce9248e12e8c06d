export { CaptureStream } from './capture-stream.ts';
export type { ClockFit } from './clock-fit.ts';
export { RenderStream } from './render-stream.ts';
export {
  DEFAULT_BUFFER_MS,
  MAXIMUM_BUFFER_MS,
  MINIMUM_BUFFER_MS,
  Stream,
  type StreamMode,
  type StreamState,
  type StreamStatistics,
} from './stream.ts';
