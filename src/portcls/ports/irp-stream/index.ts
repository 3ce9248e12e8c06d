export { IrpStream } from './irp-stream.ts';
export { lockStreamBuffers, StreamBuffer, StreamRequest } from './stream-request.ts';
