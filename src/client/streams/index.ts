export { RtCaptureStream } from './capture-stream.ts';
export type { ClockFit } from './clock-fit.ts';
export { RtRenderStream } from './render-stream.ts';
export { RequestCaptureStream } from './request-capture-stream.ts';
export { RequestRenderStream } from './request-render-stream.ts';
export {
  DEFAULT_BUFFER_MS,
  MAXIMUM_BUFFER_MS,
  MINIMUM_BUFFER_MS,
  Stream,
  type StreamMode,
  type StreamState,
  type StreamStatistics,
} from './stream.ts';
