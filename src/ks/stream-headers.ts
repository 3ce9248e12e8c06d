import {
  type IRP,
  ioGetCurrentIrpStackLocation,
  NtError,
  STATUS_INVALID_BUFFER_SIZE,
  STATUS_INVALID_PARAMETER,
} from '../kernel/index.ts';
import { IOCTL_KS_WRITE_STREAM, KSSTREAM_HEADER_OPTIONSF_TYPECHANGED } from './constants.ts';
import { viewOf } from './layout.ts';
import { KSSTREAM_HEADER } from './structs.ts';

/** A header of 56 bytes with nothing in it but what is given. */
export function streamHeader(fields: Partial<KSSTREAM_HEADER>): KSSTREAM_HEADER {
  return {
    size: KSSTREAM_HEADER.size,
    typeSpecificFlags: 0,
    presentationTime: { time: 0, numerator: 1, denominator: 1 },
    duration: 0,
    frameExtent: 0,
    dataUsed: 0,
    data: 0,
    optionsFlags: 0,
    ...fields,
  };
}

/** Headers one behind the other, each as large as its `size` says. */
export function encodeStreamHeaders(headers: readonly KSSTREAM_HEADER[]): Uint8Array {
  const bytes = new Uint8Array(headers.reduce((size, header) => size + header.size, 0));
  let offset = 0;
  for (const header of headers) {
    KSSTREAM_HEADER.encodeInto(header, bytes, offset);
    offset += header.size;
  }
  return bytes;
}

/** What {@link decodeStreamHeaders} checks against. */
export interface StreamHeaderRules {
  /** Headers of a write: DataUsed may not exceed FrameExtent; of a read: DataUsed has to be 0. */
  readonly write: boolean;
  /** Size that every header must have; 0 or absent: any (DDI page KsProbeStreamIrp, HeaderSize). */
  readonly headerSize?: number;
  /** Lets a single header announce a new format (KSPROBE_ALLOWFORMATCHANGE). */
  readonly allowFormatChange?: boolean;
}

/**
 * The headers of a stream request, checked as KsProbeStreamIrp does. Throws NtError STATUS_INVALID_BUFFER_SIZE for no header, a size below 56 or another than
 * agreed, and a list that ends within a header; STATUS_INVALID_PARAMETER for a format change that is not allowed and for DataUsed against the rules.
 */
export function decodeStreamHeaders(bytes: Uint8Array, rules: StreamHeaderRules): readonly KSSTREAM_HEADER[] {
  if (bytes.byteLength < KSSTREAM_HEADER.size) throw new NtError(STATUS_INVALID_BUFFER_SIZE);
  const view = viewOf(bytes);
  const headers: KSSTREAM_HEADER[] = [];
  let offset = 0;
  while (offset < bytes.byteLength) {
    if (offset + KSSTREAM_HEADER.size > bytes.byteLength) throw new NtError(STATUS_INVALID_BUFFER_SIZE);
    const header = KSSTREAM_HEADER.read(view, offset);
    checkHeader(header, bytes.byteLength, offset, rules);
    headers.push(header);
    offset += header.size;
  }
  return headers;
}

function checkHeader(
  header: KSSTREAM_HEADER,
  length: number,
  offset: number,
  rules: StreamHeaderRules,
): void {
  const { size, dataUsed, frameExtent, optionsFlags } = header;
  const isFormatChange = (optionsFlags & KSSTREAM_HEADER_OPTIONSF_TYPECHANGED) !== 0;
  if (size < KSSTREAM_HEADER.size || size % 8 !== 0 || offset + size > length) {
    throw new NtError(STATUS_INVALID_BUFFER_SIZE, `KSSTREAM_HEADER.Size ${size} at ${offset} of ${length}`);
  }
  if (isFormatChange) {
    // A new format stands alone, in a header without extension (DDI pages KSSTREAM_HEADER, KsProbeStreamIrp).
    if (rules.allowFormatChange !== true || size !== KSSTREAM_HEADER.size || length !== size) {
      throw new NtError(STATUS_INVALID_PARAMETER, 'a format change is not allowed here');
    }
  } else if (rules.headerSize !== undefined && rules.headerSize > 0 && size !== rules.headerSize) {
    throw new NtError(STATUS_INVALID_BUFFER_SIZE, `KSSTREAM_HEADER.Size ${size}, ${rules.headerSize} agreed`);
  }
  if (rules.write ? dataUsed > frameExtent : dataUsed !== 0) {
    throw new NtError(STATUS_INVALID_PARAMETER, `KSSTREAM_HEADER.DataUsed ${dataUsed} of ${frameExtent}`);
  }
}

/**
 * The bytes of an IRP's stream headers. The pages IOCTL_KS_READ_STREAM and _WRITE_STREAM name the input buffer; Windows' own clients pass headers as the output
 * buffer (as KsStreamIo's METHOD_NEITHER codes take them). Both are accepted, the input first.
 */
export function streamHeaderBytes(irp: IRP): Uint8Array {
  const input = ioGetCurrentIrpStackLocation(irp).parameters.type3InputBuffer;
  const bytes = input !== null && input.byteLength > 0 ? input : irp.userBuffer;
  if (bytes === null) throw new NtError(STATUS_INVALID_BUFFER_SIZE);
  return bytes;
}

/** The headers of an IOCTL_KS_READ_STREAM or IOCTL_KS_WRITE_STREAM. Throws as {@link decodeStreamHeaders} does. */
export function streamHeadersOfIrp(
  irp: IRP,
  headerSize = 0,
  allowFormatChange = false,
): readonly KSSTREAM_HEADER[] {
  const { ioControlCode } = ioGetCurrentIrpStackLocation(irp).parameters;
  return decodeStreamHeaders(streamHeaderBytes(irp), {
    write: ioControlCode === IOCTL_KS_WRITE_STREAM,
    headerSize,
    allowFormatChange,
  });
}

/**
 * Ends a read: writes the headers back, with what DataUsed became, and sets Information to the size of those that hold data, at least one (DDI page
 * KSSTREAM_HEADER). Headers are not written back on a write, whose Information is the count of bytes written.
 */
export function finishStreamRead(irp: IRP, headers: readonly KSSTREAM_HEADER[]): void {
  const bytes = streamHeaderBytes(irp);
  let offset = 0;
  let used = 0;
  for (const header of headers) {
    KSSTREAM_HEADER.encodeInto(header, bytes, offset);
    offset += header.size;
    if (header.dataUsed > 0) used = offset;
  }
  irp.ioStatus.information = Math.max(used, headers[0]?.size ?? 0);
}
