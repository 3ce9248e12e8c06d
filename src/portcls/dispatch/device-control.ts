import {
  currentKernel,
  type IRP,
  ioCompleteRequest,
  ioGetCurrentIrpStackLocation,
  ioMarkIrpPending,
  type NTSTATUS,
  NtError,
  PASSIVE_LEVEL,
  requireIrql,
  STATUS_DEVICE_NOT_READY,
  STATUS_DEVICE_REMOVED,
  STATUS_INVALID_DEVICE_REQUEST,
  STATUS_PENDING,
  STATUS_PROPSET_NOT_FOUND,
  TraceKind,
} from '../../kernel/index.ts';
import {
  describeKsRequest,
  IOCTL_KS_DISABLE_EVENT,
  IOCTL_KS_ENABLE_EVENT,
  IOCTL_KS_METHOD,
  IOCTL_KS_PROPERTY,
  KSPROPERTY_CONNECTION_STATE,
  KSPROPERTY_TYPE_SET,
  KSPROPSETID_Connection,
  viewOf,
} from '../../ks/index.ts';
import type { AdapterDevice } from '../adapter-device.ts';
import type { DeviceLock } from '../device-lock.ts';
import { PinObject, type PortHandle, PortPin } from '../ports/port-handle.ts';
import { isHandle } from './create-close.ts';

/**
 * IRP_MJ_DEVICE_CONTROL: property and event requests, and what a stream takes, on filter and pin handles. Requests of one device
 * are serialised by its lock; one that arrives (nested) while another holds it waits for its turn as a pending IRP.
 */
export function dispatchDeviceControl(device: AdapterDevice, irp: IRP): NTSTATUS {
  requireIrql(PASSIVE_LEVEL, 'IRP_MJ_DEVICE_CONTROL (KS)');
  const { trace } = currentKernel();
  if ((trace.mask & TraceKind.Ks) !== 0) {
    const { ioControlCode, type3InputBuffer } = ioGetCurrentIrpStackLocation(irp).parameters;
    trace.emit(TraceKind.Ks, 'I', device.driverName, describeKsRequest(ioControlCode, type3InputBuffer));
  }
  const lock = lockFor(device, irp);
  if (!lock.tryEnter()) {
    ioMarkIrpPending(irp);
    lock.defer(() => {
      const status = serveGuarded(device, irp);
      if (status !== STATUS_PENDING) finish(irp, status);
    });
    return STATUS_PENDING;
  }
  let status: NTSTATUS;
  try {
    status = serve(device, irp);
  } catch (error) {
    if (!(error instanceof NtError)) throw error;
    status = error.status;
  } finally {
    lock.leave();
  }
  if (status !== STATUS_PENDING) finish(irp, status);
  return status;
}

/** The device's lock, unless the pin keeps requests of this kind apart (usepositionlock.md). */
function lockFor(device: AdapterDevice, irp: IRP): DeviceLock {
  const { parameters, fileObject } = ioGetCurrentIrpStackLocation(irp);
  const input = parameters.type3InputBuffer;
  const pin = fileObject?.fsContext;
  if (parameters.ioControlCode !== IOCTL_KS_PROPERTY || input === null || !(pin instanceof PortPin))
    return device.lock;
  return pin.lockFor(input) ?? device.lock;
}

function finish(irp: IRP, status: NTSTATUS): void {
  irp.ioStatus.status = status;
  ioCompleteRequest(irp);
}

function serveGuarded(device: AdapterDevice, irp: IRP): NTSTATUS {
  try {
    return serve(device, irp);
  } catch (error) {
    if (error instanceof NtError) return error.status;
    throw error;
  }
}

function serve(device: AdapterDevice, irp: IRP): NTSTATUS {
  const stack = ioGetCurrentIrpStackLocation(irp);
  const handle = stack.fileObject?.fsContext;
  if (handle instanceof PinObject) return handle.deviceControl(stack.parameters.ioControlCode, irp);
  if (!isHandle(handle)) return device.isGone ? STATUS_DEVICE_REMOVED : STATUS_INVALID_DEVICE_REQUEST;
  const { ioControlCode } = stack.parameters;
  if (handle.port.retired || !device.isRunning) return serveRetired(device, handle, ioControlCode, irp);
  device.power.access();
  switch (ioControlCode) {
    case IOCTL_KS_PROPERTY:
      return handle.port.properties.dispatch(handle, irp);
    case IOCTL_KS_ENABLE_EVENT:
      return handle.port.eventList.enable(handle, irp);
    case IOCTL_KS_DISABLE_EVENT:
      return handle.port.eventList.disable(handle, irp);
    case IOCTL_KS_METHOD:
      // No audio port handles or forwards methods (ns-portcls-pcmethod_item.md).
      return STATUS_PROPSET_NOT_FOUND;
    default:
      if (handle.kind !== 'pin' || handle.deviceControl === undefined) return STATUS_INVALID_DEVICE_REQUEST;
      return handle.deviceControl(ioControlCode, irp);
  }
}

/**
 * The device is stopped or gone. Streams can still be taken to a lower state, since that has to succeed for clients to clean up
 * (managing-memory-buffers-rebalance.md), and events disabled; all else fails.
 */
function serveRetired(device: AdapterDevice, handle: PortHandle, ioControlCode: number, irp: IRP): NTSTATUS {
  if (ioControlCode === IOCTL_KS_DISABLE_EVENT) return handle.port.eventList.disable(handle, irp);
  if (ioControlCode === IOCTL_KS_PROPERTY && handle.kind === 'pin' && isDownwardState(handle.state, irp)) {
    return handle.port.properties.dispatch(handle, irp);
  }
  return device.isGone ? STATUS_DEVICE_REMOVED : STATUS_DEVICE_NOT_READY;
}

function isDownwardState(current: number, irp: IRP): boolean {
  const input = ioGetCurrentIrpStackLocation(irp).parameters.type3InputBuffer;
  const output = irp.userBuffer;
  if (input === null || input.byteLength < 24 || output === null || output.byteLength < 4) return false;
  const view = viewOf(input);
  return (
    KSPROPSETID_Connection.matches(view, 0) &&
    view.getUint32(16, true) === KSPROPERTY_CONNECTION_STATE &&
    view.getUint32(20, true) === KSPROPERTY_TYPE_SET &&
    viewOf(output).getUint32(0, true) <= current
  );
}
