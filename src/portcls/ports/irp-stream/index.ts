export { IrpStream } from './irp-stream.ts';
export { StreamBuffer, StreamRequest } from './stream-request.ts';
