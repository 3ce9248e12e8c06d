import {
  type DEVICE_OBJECT,
  type DRIVER_OBJECT,
  type FILE_OBJECT,
  type IRP,
  IRP_MJ_CLEANUP,
  IRP_MJ_CLOSE,
  IRP_MJ_CREATE,
  IRP_MJ_DEVICE_CONTROL,
  IRP_MJ_FLUSH_BUFFERS,
  IRP_MJ_QUERY_SECURITY,
  IRP_MJ_READ,
  IRP_MJ_SET_SECURITY,
  IRP_MJ_WRITE,
  ioCompleteRequest,
  ioGetCurrentIrpStackLocation,
  type NTSTATUS,
  NtError,
  STATUS_INVALID_DEVICE_REQUEST,
  STATUS_INVALID_PARAMETER,
  STATUS_OBJECT_NAME_NOT_FOUND,
  STATUS_SUCCESS,
} from '../kernel/index.ts';
import { KSCREATE_ITEM_NOPARAMETERS, KSCREATE_ITEM_WILDCARD } from './constants.ts';
import { splitCreateRequestName } from './pin-connect.ts';

/** A dispatch routine of KS objects: completes the IRP and returns its status, or pends it. An NtError completes it with that status. */
export type KsDispatch = (deviceObject: DEVICE_OBJECT, irp: IRP) => NTSTATUS;

/** Which routine takes which requests for one kind of object (DDI page KSDISPATCH_TABLE). What is absent fails; close alone succeeds. */
export interface KSDISPATCH_TABLE {
  readonly deviceIoControl?: KsDispatch;
  readonly read?: KsDispatch;
  readonly write?: KsDispatch;
  readonly flush?: KsDispatch;
  /** Not in the WDK's table, where KS has no part in IRP_MJ_CLEANUP. Absent: succeeds. */
  readonly cleanup?: KsDispatch;
  readonly close?: KsDispatch;
  readonly querySecurity?: KsDispatch;
  readonly setSecurity?: KsDispatch;
}

/** One kind of object that can be created under a device or object, by class name (DDI page KSOBJECT_CREATE_ITEM). */
export interface KSOBJECT_CREATE_ITEM {
  /** Takes the IRP_MJ_CREATE: calls {@link ksAllocateObjectHeader} and completes the IRP. */
  readonly create: KsDispatch;
  /** The driver's own; see {@link ksCreateItemOfIrp}. */
  readonly context: unknown;
  /** KSSTRING_Pin and its kin, or a filter's reference string. Compared without regard to case. */
  readonly objectClass: string;
  /** KSCREATE_ITEM_WILDCARD, KSCREATE_ITEM_NOPARAMETERS */
  readonly flags?: number;
}

/** What KS keeps with an open file: how its requests are dispatched and what can be created under it. Its place is `fsContext`. */
export class KSOBJECT_HEADER {
  readonly fileObject: FILE_OBJECT;
  readonly dispatchTable: KSDISPATCH_TABLE;
  readonly createItems: KSOBJECT_CREATE_ITEM[];
  /** The item by which the object was created. */
  readonly createItem: KSOBJECT_CREATE_ITEM | null;
  /** The driver's object. */
  context: unknown;

  constructor(
    fileObject: FILE_OBJECT,
    dispatchTable: KSDISPATCH_TABLE,
    createItems: readonly KSOBJECT_CREATE_ITEM[],
    createItem: KSOBJECT_CREATE_ITEM | null,
    context: unknown,
  ) {
    this.fileObject = fileObject;
    this.dispatchTable = dispatchTable;
    this.createItems = [...createItems];
    this.createItem = createItem;
    this.context = context;
  }
}

/**
 * KsAllocateObjectHeader, from a create dispatch: makes the header of the new file object and puts it into `fsContext`, where the WDK leaves that to the
 * driver. `context` is the driver's object for the file.
 */
export function ksAllocateObjectHeader(
  irp: IRP,
  dispatchTable: KSDISPATCH_TABLE,
  createItems: readonly KSOBJECT_CREATE_ITEM[] = [],
  context: unknown = null,
): KSOBJECT_HEADER {
  const { fileObject } = ioGetCurrentIrpStackLocation(irp);
  if (fileObject === null)
    throw new NtError(STATUS_INVALID_PARAMETER, 'the create request has no file object');
  const header = new KSOBJECT_HEADER(fileObject, dispatchTable, createItems, ksCreateItemOfIrp(irp), context);
  fileObject.fsContext = header;
  return header;
}

/** KsFreeObjectHeader: from the close dispatch, or when creating fails after all. */
export function ksFreeObjectHeader(header: KSOBJECT_HEADER): void {
  if (header.fileObject.fsContext === header) header.fileObject.fsContext = null;
}

/** The header of an open file; null when KS has no part in it. */
export function ksObjectHeaderOf(fileObject: FILE_OBJECT | null): KSOBJECT_HEADER | null {
  const context = fileObject?.fsContext;
  return context instanceof KSOBJECT_HEADER ? context : null;
}

/** KSCREATE_ITEM_IRP_STORAGE: the create item by which {@link ksDispatchIrp} found the create dispatch. */
export function ksCreateItemOfIrp(irp: IRP): KSOBJECT_CREATE_ITEM | null {
  return (irp.driverContext[0] as KSOBJECT_CREATE_ITEM | null) ?? null;
}

// In the WDK a KSDEVICE_HEADER is the first member of the device extension. Here the extension is the driver's alone.
const deviceHeaders = new WeakMap<DEVICE_OBJECT, KSOBJECT_CREATE_ITEM[]>();

/** KsAllocateDeviceHeader: what can be created on a device: its filters, each by its reference string. */
export function ksAllocateDeviceHeader(
  deviceObject: DEVICE_OBJECT,
  createItems: readonly KSOBJECT_CREATE_ITEM[] = [],
): void {
  deviceHeaders.set(deviceObject, [...createItems]);
}

/** KsFreeDeviceHeader: nothing can be created any more. */
export function ksFreeDeviceHeader(deviceObject: DEVICE_OBJECT): void {
  deviceHeaders.delete(deviceObject);
}

/** KsAddObjectCreateItemToDeviceHeader. Throws NtError STATUS_INVALID_PARAMETER when the device has no header. */
export function ksAddObjectCreateItemToDeviceHeader(
  deviceObject: DEVICE_OBJECT,
  item: KSOBJECT_CREATE_ITEM,
): void {
  const items = deviceHeaders.get(deviceObject);
  if (items === undefined) throw new NtError(STATUS_INVALID_PARAMETER, 'KsAllocateDeviceHeader comes first');
  items.push(item);
}

/** Takes an item out again; open objects stay. */
export function ksRemoveObjectCreateItemFromDeviceHeader(
  deviceObject: DEVICE_OBJECT,
  item: KSOBJECT_CREATE_ITEM,
): void {
  const items = deviceHeaders.get(deviceObject) ?? [];
  const index = items.indexOf(item);
  if (index >= 0) items.splice(index, 1);
}

/** KsAddObjectCreateItemToObjectHeader. */
export function ksAddObjectCreateItemToObjectHeader(
  header: KSOBJECT_HEADER,
  item: KSOBJECT_CREATE_ITEM,
): void {
  header.createItems.push(item);
}

/** The item for a class name: the same name, else the wildcard. */
function findCreateItem(
  items: readonly KSOBJECT_CREATE_ITEM[],
  objectClass: string,
): KSOBJECT_CREATE_ITEM | null {
  const wanted = objectClass.toLowerCase();
  let wildcard: KSOBJECT_CREATE_ITEM | null = null;
  for (const item of items) {
    if (((item.flags ?? 0) & KSCREATE_ITEM_WILDCARD) !== 0) wildcard = item;
    else if (item.objectClass.toLowerCase() === wanted) return item;
  }
  return wildcard;
}

function dispatchCreate(deviceObject: DEVICE_OBJECT, irp: IRP): NTSTATUS {
  const { fileObject } = ioGetCurrentIrpStackLocation(irp);
  if (fileObject === null)
    throw new NtError(STATUS_INVALID_PARAMETER, 'the create request has no file object');
  const parent = fileObject.relatedFileObject;
  const items = parent === null ? deviceHeaders.get(deviceObject) : ksObjectHeaderOf(parent)?.createItems;
  const { objectClass, parameters } = splitCreateRequestName(fileObject.fileName);
  const item = findCreateItem(items ?? [], objectClass);
  if (item === null)
    throw new NtError(STATUS_OBJECT_NAME_NOT_FOUND, `nothing of class '${objectClass}' can be created`);
  const refusesParameters = ((item.flags ?? 0) & KSCREATE_ITEM_NOPARAMETERS) !== 0;
  if (refusesParameters && parameters !== null && parameters.byteLength > 0) {
    throw new NtError(STATUS_OBJECT_NAME_NOT_FOUND, `'${objectClass}' takes no parameters`);
  }
  irp.driverContext[0] = item;
  return item.create(deviceObject, irp);
}

/** KsDispatchInvalidDeviceRequest: completes the IRP with STATUS_INVALID_DEVICE_REQUEST. */
export function ksDispatchInvalidDeviceRequest(_deviceObject: DEVICE_OBJECT, irp: IRP): NTSTATUS {
  return complete(irp, STATUS_INVALID_DEVICE_REQUEST);
}

function complete(irp: IRP, status: NTSTATUS): NTSTATUS {
  irp.ioStatus.status = status;
  irp.ioStatus.information = 0;
  ioCompleteRequest(irp);
  return status;
}

/**
 * KsDispatchIrp: sends an IRP to the routine for its major function: creates to the create item that their name means (of the parent object, or of the
 * device), all others to the dispatch table of their file. Completes what nobody takes: creates with STATUS_OBJECT_NAME_NOT_FOUND, others with
 * STATUS_INVALID_DEVICE_REQUEST; cleanup and close succeed.
 */
export function ksDispatchIrp(deviceObject: DEVICE_OBJECT, irp: IRP): NTSTATUS {
  const { majorFunction, fileObject } = ioGetCurrentIrpStackLocation(irp);
  if (majorFunction === IRP_MJ_CREATE) return dispatchCreate(deviceObject, irp);
  const header = ksObjectHeaderOf(fileObject);
  if (majorFunction === IRP_MJ_CLOSE) return dispatchClose(deviceObject, irp, header);
  if (majorFunction === IRP_MJ_CLEANUP) {
    return header?.dispatchTable.cleanup?.(deviceObject, irp) ?? complete(irp, STATUS_SUCCESS);
  }
  const routine = header === null ? undefined : routineFor(header.dispatchTable, majorFunction);
  return routine === undefined ? complete(irp, STATUS_INVALID_DEVICE_REQUEST) : routine(deviceObject, irp);
}

function dispatchClose(deviceObject: DEVICE_OBJECT, irp: IRP, header: KSOBJECT_HEADER | null): NTSTATUS {
  const close = header?.dispatchTable.close;
  if (close !== undefined) return close(deviceObject, irp);
  if (header !== null) ksFreeObjectHeader(header);
  return complete(irp, STATUS_SUCCESS);
}

function routineFor(table: KSDISPATCH_TABLE, majorFunction: number): KsDispatch | undefined {
  switch (majorFunction) {
    case IRP_MJ_DEVICE_CONTROL:
      return table.deviceIoControl;
    case IRP_MJ_READ:
      return table.read;
    case IRP_MJ_WRITE:
      return table.write;
    case IRP_MJ_FLUSH_BUFFERS:
      return table.flush;
    case IRP_MJ_QUERY_SECURITY:
      return table.querySecurity;
    case IRP_MJ_SET_SECURITY:
      return table.setSecurity;
    default:
      return undefined;
  }
}

const KS_MAJOR_FUNCTIONS: readonly number[] = [
  IRP_MJ_CREATE,
  IRP_MJ_CLOSE,
  IRP_MJ_CLEANUP,
  IRP_MJ_DEVICE_CONTROL,
  IRP_MJ_READ,
  IRP_MJ_WRITE,
  IRP_MJ_FLUSH_BUFFERS,
  IRP_MJ_QUERY_SECURITY,
  IRP_MJ_SET_SECURITY,
];

/** KsSetMajorFunctionHandler: lets {@link ksDispatchIrp} take a major function of the driver. Throws NtError STATUS_INVALID_PARAMETER for one it cannot. */
export function ksSetMajorFunctionHandler(driverObject: DRIVER_OBJECT, majorFunction: number): void {
  if (!KS_MAJOR_FUNCTIONS.includes(majorFunction)) {
    throw new NtError(STATUS_INVALID_PARAMETER, `KS does not dispatch major function ${majorFunction}`);
  }
  driverObject.majorFunction[majorFunction] = ksDispatchIrp;
}
