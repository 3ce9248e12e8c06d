import {
  type FILE_OBJECT,
  type IRP,
  ioCompleteRequest,
  ioGetCurrentIrpStackLocation,
  ioMarkIrpPending,
  type NTSTATUS,
  NtError,
  STATUS_DEVICE_NOT_READY,
  STATUS_DEVICE_REMOVED,
  STATUS_INSUFFICIENT_RESOURCES,
  STATUS_INVALID_DEVICE_REQUEST,
  STATUS_INVALID_PARAMETER,
  STATUS_OBJECT_NAME_NOT_FOUND,
  STATUS_PENDING,
  STATUS_SUCCESS,
} from '../../kernel/index.ts';
import {
  decodePinConnect,
  KSINSTANCE_INDETERMINATE,
  KSPIN_CONNECT_SIZE,
  KSSTRING_Pin,
  ksValidatePinConnect,
  requireCreateParameters,
  splitCreateRequestName,
} from '../../ks/index.ts';
import type { AdapterDevice } from '../adapter-device.ts';
import { pinCounts } from '../ports/pin-factories.ts';
import { PinObject, PortFilter, type PortHandle, PortPin } from '../ports/port-handle.ts';

/** IRP_MJ_CREATE: a filter by its subdevice's name, or a pin relative to a filter. */
export function dispatchCreate(device: AdapterDevice, irp: IRP): NTSTATUS {
  if (device.state === 'stopPending' || device.state === 'stopped') {
    ioMarkIrpPending(irp);
    device.heldCreates.push(irp);
    return STATUS_PENDING;
  }
  const status = tryCreate(device, irp);
  irp.ioStatus.status = status;
  irp.ioStatus.information = 0;
  ioCompleteRequest(irp);
  return status;
}

function tryCreate(device: AdapterDevice, irp: IRP): NTSTATUS {
  try {
    device.lock.run(() => create(device, irp));
    return STATUS_SUCCESS;
  } catch (error) {
    if (error instanceof NtError) return error.status;
    throw error;
  }
}

/** Creates that waited for the end of a pending stop go on. */
export function resumeHeldCreates(device: AdapterDevice): void {
  for (const irp of device.heldCreates.splice(0)) {
    irp.ioStatus.status = tryCreate(device, irp);
    irp.ioStatus.information = 0;
    ioCompleteRequest(irp);
  }
}

/** Creates that waited will not succeed. */
export function failHeldCreates(device: AdapterDevice, status: NTSTATUS): void {
  for (const irp of device.heldCreates.splice(0)) {
    irp.ioStatus.status = status;
    irp.ioStatus.information = 0;
    ioCompleteRequest(irp);
  }
}

function create(device: AdapterDevice, irp: IRP): void {
  if (device.isGone) throw new NtError(STATUS_DEVICE_REMOVED);
  if (!device.isRunning) throw new NtError(STATUS_DEVICE_NOT_READY);
  const file = ioGetCurrentIrpStackLocation(irp).fileObject;
  if (file === null) throw new NtError(STATUS_INVALID_PARAMETER, 'the create request has no file object');
  const related = file.relatedFileObject;
  if (related === null) {
    createFilter(device, file);
    return;
  }
  const parent = related.fsContext;
  if (!isHandle(parent)) {
    throw new NtError(STATUS_INVALID_DEVICE_REQUEST, 'only filters and pins have objects under them');
  }
  if (parent.port.retired) throw new NtError(STATUS_DEVICE_REMOVED);
  if (parent.kind === 'pin') createPinObject(device, parent, file);
  else createPin(device, parent, file, irp);
}

function createFilter(device: AdapterDevice, file: FILE_OBJECT): void {
  const name = file.fileName.replace(/^\\/, '');
  const subdevice = device.subdeviceByName(name);
  if (subdevice === null)
    throw new NtError(STATUS_OBJECT_NAME_NOT_FOUND, `the device has no subdevice '${name}'`);
  const { port } = subdevice;
  const filter = new PortFilter(port, file);
  port.addRef();
  port.filters.add(filter);
  file.fsContext = filter;
  device.openHandles++;
}

/**
 * A pin: the connect request is checked against the pin factory, its instance limits (which IPinCount may change) and ranges;
 * the device is brought to D0, since miniports never make streams while powered down; then the port makes the pin.
 */
function createPin(device: AdapterDevice, filter: PortFilter, file: FILE_OBJECT, irp: IRP): void {
  const { objectClass, parameters } = splitCreateRequestName(file.fileName);
  if (objectClass.toUpperCase() !== KSSTRING_Pin) {
    throw new NtError(STATUS_OBJECT_NAME_NOT_FOUND, 'filters have no objects but pins');
  }
  const connect = decodePinConnect(requireCreateParameters(parameters, KSPIN_CONNECT_SIZE));
  ksValidatePinConnect(connect, filter.port.pinDescriptors);
  checkInstances(filter, connect.pinId);
  device.power.access();
  const pin = filter.port.createPin({
    filter,
    fileObject: file,
    irp,
    pinId: connect.pinId,
    connect,
    dataFormat: connect.dataFormat,
    process: irp.requestor,
  });
  filter.pins.add(pin);
  // The pin keeps its filter, and with it the port, when the client closes the filter's handle first.
  filter.port.addRef();
  file.fsContext = pin;
  device.openHandles++;
}

/** An object under a pin, its clock. It may outlive the pin, and keeps the port. */
function createPinObject(device: AdapterDevice, pin: PortPin, file: FILE_OBJECT): void {
  const { objectClass, parameters } = splitCreateRequestName(file.fileName);
  file.fsContext = pin.createObject({ fileObject: file, objectClass: objectClass.toUpperCase(), parameters });
  pin.port.addRef();
  device.openHandles++;
}

/** Ends an object under a pin. */
function closePinObject(device: AdapterDevice, object: PinObject): void {
  if (object.fileObject.fsContext !== object) return;
  object.fileObject.fsContext = null;
  object.cleanup();
  object.pin.objects.delete(object);
  device.openHandles--;
  object.pin.port.release();
}

function checkInstances(filter: PortFilter, pinId: number): void {
  const counts = pinCounts(filter.port, filter, pinId);
  if (counts.filterPossible === 0 || counts.globalPossible === 0) {
    throw new NtError(STATUS_INVALID_DEVICE_REQUEST, `pin ${pinId} cannot be opened`);
  }
  const full = (current: number, possible: number) =>
    possible !== KSINSTANCE_INDETERMINATE && current >= possible;
  if (
    full(counts.filterCurrent, counts.filterPossible) ||
    full(counts.globalCurrent, counts.globalPossible)
  ) {
    throw new NtError(STATUS_INSUFFICIENT_RESOURCES, `all instances of pin ${pinId} are in use`);
  }
}

/** IRP_MJ_CLEANUP: the client's last handle to the file is closed: its events end, its pending stream requests are cancelled. */
export function dispatchCleanup(_device: AdapterDevice, irp: IRP): NTSTATUS {
  const file = ioGetCurrentIrpStackLocation(irp).fileObject;
  const handle = file?.fsContext;
  if (isHandle(handle)) {
    handle.cleanedUp = true;
    handle.port.eventList.removeFor(handle);
    if (handle.kind === 'pin') handle.cleanup();
    // The device is gone and so is the client: a request that the driver still holds would keep the file open for ever.
    if (handle.port.retired) handle.port.properties.abandonPending((other) => other === handle);
  } else if (handle instanceof PinObject) handle.cleanup();
  irp.ioStatus.status = STATUS_SUCCESS;
  ioCompleteRequest(irp);
  return STATUS_SUCCESS;
}

/** IRP_MJ_CLOSE: nothing refers to the file any more. */
export function dispatchClose(device: AdapterDevice, irp: IRP): NTSTATUS {
  const file = ioGetCurrentIrpStackLocation(irp).fileObject;
  const handle = file?.fsContext;
  if (isHandle(handle)) closeHandle(device, handle);
  else if (handle instanceof PinObject) closePinObject(device, handle);
  irp.ioStatus.status = STATUS_SUCCESS;
  ioCompleteRequest(irp);
  return STATUS_SUCCESS;
}

/**
 * Ends a filter or pin: events, the stream (stop, free, release: in the pin's own close), the reference to the port. A filter
 * whose handle is closed while pins are open lives on until they are closed.
 */
export function closeHandle(device: AdapterDevice, handle: PortHandle): void {
  if (handle.fileObject.fsContext !== handle) return;
  handle.fileObject.fsContext = null;
  const { port, filter } = handle;
  device.lock.run(() => {
    port.eventList.removeFor(handle);
    if (handle.kind === 'pin') {
      device.power.forgetPin(handle);
      // At a removal the client's handles to them are still there, to objects that are not.
      if (device.state === 'removed')
        for (const object of [...handle.objects]) closePinObject(device, object);
      handle.close();
      filter.pins.delete(handle);
    } else {
      filter.closed = true;
    }
    if (filter.closed && filter.pins.size === 0) port.filters.delete(filter);
  });
  device.openHandles--;
  device.forgetIdlePort(port);
  port.release();
}

/** Is a file's context one of ours? */
export function isHandle(value: unknown): value is PortHandle {
  return value instanceof PortFilter || value instanceof PortPin;
}
