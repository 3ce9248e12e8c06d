/** What an IRP carries for each driver: control codes, parameters, stack locations, status block. */
import {
  type DEVICE_OBJECT,
  type FILE_OBJECT,
  IRP_MJ_CLEANUP,
  IRP_MJ_CLOSE,
  IRP_MJ_DEVICE_CONTROL,
  IRP_MJ_READ,
  IRP_MJ_WRITE,
} from './device.ts';
import type { IRP } from './irp.ts';
import { type NTSTATUS, STATUS_SUCCESS } from './ntstatus.ts';
import type {
  DEVICE_CAPABILITIES,
  DEVICE_RELATION_TYPE,
  DEVICE_TEXT_TYPE,
  INTERFACE,
  QUERY_ID_TYPE,
} from './pnp-types.ts';
import type { CM_RESOURCE_LIST, IO_RESOURCE_REQUIREMENTS_LIST } from './resources.ts';

export const IO_NO_INCREMENT = 0;
export const IO_SOUND_INCREMENT = 8;

// IO_STACK_LOCATION.Control
export const SL_PENDING_RETURNED = 0x01;
export const SL_INVOKE_ON_CANCEL = 0x20;
export const SL_INVOKE_ON_SUCCESS = 0x40;
export const SL_INVOKE_ON_ERROR = 0x80;

export const METHOD_BUFFERED = 0;
export const METHOD_IN_DIRECT = 1;
export const METHOD_OUT_DIRECT = 2;
export const METHOD_NEITHER = 3;
export const FILE_ANY_ACCESS = 0;
export const FILE_READ_ACCESS = 1;
export const FILE_WRITE_ACCESS = 2;

/** CTL_CODE: composes an I/O control code. */
export function CTL_CODE(deviceType: number, functionCode: number, method: number, access: number): number {
  return ((deviceType << 16) | (access << 14) | (functionCode << 2) | method) >>> 0;
}

/** How an I/O control code passes its buffers: METHOD_*. */
export function METHOD_FROM_CTL_CODE(ioControlCode: number): number {
  return ioControlCode & 3;
}

/** IO_STATUS_BLOCK. */
export class IO_STATUS_BLOCK {
  status: NTSTATUS = STATUS_SUCCESS;
  /** Usually a count of bytes. */
  information = 0;
  /** `Information` where it is a pointer: the answer to IRP_MN_QUERY_ID, _QUERY_DEVICE_RELATIONS, _QUERY_RESOURCES … */
  informationPointer: unknown = null;
}

/** Where the answer to IRP_MN_QUERY_INTERFACE goes: the caller's structure in the WDK. */
export interface InterfaceHolder {
  value: INTERFACE | null;
}

/**
 * The `Parameters` union of a stack location. The members of the WDK's inner structures stand side by side; those whose names
 * would collide carry the structure's name in front. Which ones mean something depends on the major and minor function.
 */
export class IO_PARAMETERS {
  // DeviceIoControl (IRP_MJ_DEVICE_CONTROL, IRP_MJ_INTERNAL_DEVICE_CONTROL)
  ioControlCode = 0;
  inputBufferLength = 0;
  outputBufferLength = 0;
  /** METHOD_NEITHER: the caller's input, in the caller's memory: capture before use. */
  type3InputBuffer: Uint8Array | null = null;
  // Read, Write
  /** Bytes to transfer; also of ReadWriteConfig. */
  length = 0;
  key = 0;
  byteOffset = 0;
  // Create
  desiredAccess = 0;
  options = 0;
  fileAttributes = 0;
  shareAccess = 0;
  // StartDevice
  allocatedResources: CM_RESOURCE_LIST | null = null;
  allocatedResourcesTranslated: CM_RESOURCE_LIST | null = null;
  // FilterResourceRequirements
  ioResourceRequirementList: IO_RESOURCE_REQUIREMENTS_LIST | null = null;
  // QueryDeviceRelations.Type
  deviceRelationType: DEVICE_RELATION_TYPE = 'BusRelations';
  // QueryInterface; who has it puts it into the holder
  interfaceType = '';
  size = 0;
  version = 0;
  interface: InterfaceHolder | null = null;
  interfaceSpecificData: unknown = null;
  // DeviceCapabilities
  capabilities: DEVICE_CAPABILITIES | null = null;
  // ReadWriteConfig
  whichSpace = 0;
  buffer: Uint8Array | null = null;
  offset = 0;
  // QueryId, QueryDeviceText
  idType: QUERY_ID_TYPE = 'BusQueryDeviceID';
  deviceTextType: DEVICE_TEXT_TYPE = 'DeviceTextDescription';
  localeId = 0;
  // Power.Type: SystemPowerState or DevicePowerState; Power.State and WaitWake.PowerState; Power.ShutdownType
  powerType = 0;
  powerState = 0;
  shutdownType = 0;
  systemContext = 0;
  // Others
  argument1: unknown = null;
  argument2: unknown = null;
  argument3: unknown = null;
  argument4: unknown = null;

  /** Clears what {@link isEveryday} requests carry. */
  clearEveryday(): void {
    this.ioControlCode = 0;
    this.inputBufferLength = 0;
    this.outputBufferLength = 0;
    this.type3InputBuffer = null;
    this.length = 0;
    this.key = 0;
    this.byteOffset = 0;
  }

  /** Copies what {@link isEveryday} requests carry. */
  assignEveryday(from: IO_PARAMETERS): void {
    this.ioControlCode = from.ioControlCode;
    this.inputBufferLength = from.inputBufferLength;
    this.outputBufferLength = from.outputBufferLength;
    this.type3InputBuffer = from.type3InputBuffer;
    this.length = from.length;
    this.key = from.key;
    this.byteOffset = from.byteOffset;
  }

  /** Copies all members from another location. */
  assign(from: IO_PARAMETERS): void {
    this.ioControlCode = from.ioControlCode;
    this.inputBufferLength = from.inputBufferLength;
    this.outputBufferLength = from.outputBufferLength;
    this.type3InputBuffer = from.type3InputBuffer;
    this.length = from.length;
    this.key = from.key;
    this.byteOffset = from.byteOffset;
    this.desiredAccess = from.desiredAccess;
    this.options = from.options;
    this.fileAttributes = from.fileAttributes;
    this.shareAccess = from.shareAccess;
    this.allocatedResources = from.allocatedResources;
    this.allocatedResourcesTranslated = from.allocatedResourcesTranslated;
    this.ioResourceRequirementList = from.ioResourceRequirementList;
    this.deviceRelationType = from.deviceRelationType;
    this.interfaceType = from.interfaceType;
    this.size = from.size;
    this.version = from.version;
    this.interface = from.interface;
    this.interfaceSpecificData = from.interfaceSpecificData;
    this.capabilities = from.capabilities;
    this.whichSpace = from.whichSpace;
    this.buffer = from.buffer;
    this.offset = from.offset;
    this.idType = from.idType;
    this.deviceTextType = from.deviceTextType;
    this.localeId = from.localeId;
    this.powerType = from.powerType;
    this.powerState = from.powerState;
    this.shutdownType = from.shutdownType;
    this.systemContext = from.systemContext;
    this.argument1 = from.argument1;
    this.argument2 = from.argument2;
    this.argument3 = from.argument3;
    this.argument4 = from.argument4;
  }
}

const BLANK_PARAMETERS = new IO_PARAMETERS();

/** Requests whose parameters are DeviceIoControl, Read or Write, or none. */
export function isEveryday(majorFunction: number): boolean {
  return (
    majorFunction === IRP_MJ_DEVICE_CONTROL ||
    majorFunction === IRP_MJ_READ ||
    majorFunction === IRP_MJ_WRITE ||
    majorFunction === IRP_MJ_CLOSE ||
    majorFunction === IRP_MJ_CLEANUP
  );
}

/**
 * A completion routine, called at IRQL ≤ DISPATCH_LEVEL with the device object of the driver that set it (null for the driver
 * that allocated the IRP without a location of its own). STATUS_MORE_PROCESSING_REQUIRED stops completion: the IRP is the
 * driver's again. Any other value lets it go on.
 */
export type IO_COMPLETION_ROUTINE = (
  deviceObject: DEVICE_OBJECT | null,
  irp: IRP,
  context: unknown,
) => NTSTATUS;

/** A cancel routine: called at DISPATCH_LEVEL with the cancel spin lock held, which it must release at `irp.cancelIrql`. */
export type DRIVER_CANCEL = (deviceObject: DEVICE_OBJECT | null, irp: IRP) => void;

/** One driver's part of an IRP. */
export class IO_STACK_LOCATION {
  majorFunction = 0;
  minorFunction = 0;
  flags = 0;
  /** SL_* bits: pending and when to call the completion routine. */
  control = 0;
  readonly parameters = new IO_PARAMETERS();
  deviceObject: DEVICE_OBJECT | null = null;
  fileObject: FILE_OBJECT | null = null;
  completionRoutine: IO_COMPLETION_ROUTINE | null = null;
  context: unknown = null;

  /** Back to zeros. */
  clear(): void {
    // The members that everyday requests use are few; the rest is cleared after the others only.
    if (isEveryday(this.majorFunction)) this.parameters.clearEveryday();
    else this.parameters.assign(BLANK_PARAMETERS);
    this.majorFunction = 0;
    this.minorFunction = 0;
    this.flags = 0;
    this.control = 0;
    this.deviceObject = null;
    this.fileObject = null;
    this.completionRoutine = null;
    this.context = null;
  }
}
