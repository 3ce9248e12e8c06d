import {
  type IRP,
  ioCompleteRequest,
  ioGetCurrentIrpStackLocation,
  type NTSTATUS,
  NtError,
  STATUS_INVALID_BUFFER_SIZE,
  STATUS_INVALID_DEVICE_REQUEST,
  STATUS_INVALID_PARAMETER,
  STATUS_PENDING,
  STATUS_PROPSET_NOT_FOUND,
  STATUS_SUCCESS,
} from '../kernel/index.ts';
import {
  IOCTL_KS_DISABLE_EVENT,
  IOCTL_KS_ENABLE_EVENT,
  IOCTL_KS_METHOD,
  IOCTL_KS_PROPERTY,
  IOCTL_KS_READ_STREAM,
  IOCTL_KS_RESET_STATE,
  IOCTL_KS_WRITE_STREAM,
  KSRESET_BEGIN,
  KSRESET_END,
} from './constants.ts';
import { type KsEventList, type KsEventTable, ksDisableEvent, ksEnableEvent } from './events.ts';
import { type KsMethodTable, ksMethodHandler } from './method-handler.ts';
import { ksPropertyHandler } from './property-handler.ts';
import type { KsPropertyTable } from './property-item.ts';
import { readUlong } from './request.ts';

/** What one KS object answers its device controls with. What is absent is unknown to it. */
export interface KsControlHandlers {
  readonly properties?: KsPropertyTable;
  readonly nodeProperties?: readonly (KsPropertyTable | null)[];
  readonly methods?: KsMethodTable;
  readonly nodeMethods?: readonly (KsMethodTable | null)[];
  readonly events?: KsEventTable;
  readonly nodeEvents?: readonly (KsEventTable | null)[];
  readonly eventsList?: KsEventList;
  /** The handlers return a status and leave completing to the caller; STATUS_PENDING keeps the IRP. */
  readonly readStream?: (irp: IRP) => NTSTATUS;
  readonly writeStream?: (irp: IRP) => NTSTATUS;
  readonly resetState?: (reset: typeof KSRESET_BEGIN | typeof KSRESET_END, irp: IRP) => NTSTATUS | undefined;
}

/**
 * Answers an IRP_MJ_DEVICE_CONTROL by its control code and completes it, unless the answer is STATUS_PENDING. Codes that are none of KS's, and those for
 * which the object has no handler, end with STATUS_INVALID_DEVICE_REQUEST; without tables a set is unknown (STATUS_PROPSET_NOT_FOUND).
 */
export function ksDispatchDeviceControl(irp: IRP, handlers: KsControlHandlers): NTSTATUS {
  const status = answer(irp, handlers);
  if (status === STATUS_PENDING) return status;
  irp.ioStatus.status = status;
  ioCompleteRequest(irp);
  return status;
}

function answer(irp: IRP, handlers: KsControlHandlers): NTSTATUS {
  const { ioControlCode } = ioGetCurrentIrpStackLocation(irp).parameters;
  switch (ioControlCode) {
    case IOCTL_KS_PROPERTY:
      if (handlers.properties === undefined) return STATUS_PROPSET_NOT_FOUND;
      return ksPropertyHandler(irp, handlers.properties, handlers.nodeProperties);
    case IOCTL_KS_METHOD:
      if (handlers.methods === undefined) return STATUS_PROPSET_NOT_FOUND;
      return ksMethodHandler(irp, handlers.methods, handlers.nodeMethods);
    case IOCTL_KS_ENABLE_EVENT:
      if (handlers.events === undefined) return STATUS_PROPSET_NOT_FOUND;
      return ksEnableEvent(irp, handlers.events, {
        ...(handlers.nodeEvents === undefined ? {} : { nodes: handlers.nodeEvents }),
        eventsList: handlers.eventsList ?? null,
      });
    case IOCTL_KS_DISABLE_EVENT:
      return handlers.eventsList === undefined
        ? STATUS_INVALID_DEVICE_REQUEST
        : ksDisableEvent(irp, handlers.eventsList);
    default:
      return guarded(irp, () => answerStream(irp, ioControlCode, handlers));
  }
}

function guarded(irp: IRP, fn: () => NTSTATUS): NTSTATUS {
  irp.ioStatus.information = 0;
  try {
    return fn();
  } catch (error) {
    if (error instanceof NtError) return error.status;
    throw error;
  }
}

function answerStream(irp: IRP, ioControlCode: number, handlers: KsControlHandlers): NTSTATUS {
  switch (ioControlCode) {
    case IOCTL_KS_READ_STREAM:
      return handlers.readStream?.(irp) ?? STATUS_INVALID_DEVICE_REQUEST;
    case IOCTL_KS_WRITE_STREAM:
      return handlers.writeStream?.(irp) ?? STATUS_INVALID_DEVICE_REQUEST;
    case IOCTL_KS_RESET_STATE:
      if (handlers.resetState === undefined) return STATUS_INVALID_DEVICE_REQUEST;
      return handlers.resetState(ksAcquireResetValue(irp), irp) ?? STATUS_SUCCESS;
    default:
      return STATUS_INVALID_DEVICE_REQUEST;
  }
}

/**
 * KsAcquireResetValue: KSRESET_BEGIN or KSRESET_END of an IOCTL_KS_RESET_STATE. Throws NtError STATUS_INVALID_BUFFER_SIZE when the input is shorter than a
 * ULONG, STATUS_INVALID_PARAMETER for another value.
 */
export function ksAcquireResetValue(irp: IRP): typeof KSRESET_BEGIN | typeof KSRESET_END {
  const input = ioGetCurrentIrpStackLocation(irp).parameters.type3InputBuffer;
  if (input === null || input.byteLength < 4) throw new NtError(STATUS_INVALID_BUFFER_SIZE);
  const value = readUlong(input, 0);
  if (value !== KSRESET_BEGIN && value !== KSRESET_END)
    throw new NtError(STATUS_INVALID_PARAMETER, `KSRESET ${value}`);
  return value;
}
