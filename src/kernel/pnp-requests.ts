/** PnP requests as the PnP manager and drivers send them to a device's stack, and what comes back in their Information pointer. */
import { currentKernel } from './current.ts';
import { type DEVICE_OBJECT, IRP_MJ_PNP, ioGetAttachedDevice } from './device.ts';
import type { IO_PARAMETERS } from './io-stack-location.ts';
import { type IRP, ioGetNextIrpStackLocation } from './irp.ts';
import { PASSIVE_LEVEL, requireIrql } from './irql.ts';
import { NtError } from './nt-error.ts';
import { type NTSTATUS, ntSuccess, STATUS_NOT_SUPPORTED } from './ntstatus.ts';
import {
  type INTERFACE,
  IRP_MN_QUERY_INTERFACE,
  irpMinorName,
  type PNP_BUS_INFORMATION,
} from './pnp-types.ts';
import type { IO_RESOURCE_REQUIREMENTS_LIST } from './resources.ts';

/**
 * Sends an IRP_MJ_PNP request to the top of a device's stack and waits for it. It starts out with STATUS_NOT_SUPPORTED, as all PnP
 * requests must. IRQL = PASSIVE_LEVEL.
 */
export function sendPnpIrp(
  device: DEVICE_OBJECT,
  minorFunction: number,
  fill: ((parameters: IO_PARAMETERS) => void) | null = null,
  initialPointer: unknown = null,
): { status: NTSTATUS; pointer: unknown; information: number } {
  requireIrql(PASSIVE_LEVEL, `PnP request (${irpMinorName(IRP_MJ_PNP, minorFunction)})`);
  const { io } = currentKernel();
  const top = ioGetAttachedDevice(device);
  const irp: IRP = io.allocateIrp(top.stackSize);
  const stack = ioGetNextIrpStackLocation(irp);
  stack.majorFunction = IRP_MJ_PNP;
  stack.minorFunction = minorFunction;
  irp.ioStatus.status = STATUS_NOT_SUPPORTED;
  irp.ioStatus.informationPointer = initialPointer;
  fill?.(stack.parameters);
  const status = io.sendAndWait(top, irp);
  const { information, informationPointer: pointer } = irp.ioStatus;
  io.freeIrp(irp);
  return { status, pointer, information };
}

/**
 * IRP_MN_QUERY_INTERFACE to a device's stack: the interface, referenced for the caller. Throws STATUS_NOT_SUPPORTED when nobody in
 * the stack has it. IRQL = PASSIVE_LEVEL.
 */
export function pnpQueryInterface<T extends INTERFACE>(
  device: DEVICE_OBJECT,
  interfaceType: string,
  isInterface: (value: INTERFACE) => value is T,
  version = 1,
): T {
  const holder: { value: INTERFACE | null } = { value: null };
  const { status } = sendPnpIrp(device, IRP_MN_QUERY_INTERFACE, (p) => {
    p.interfaceType = interfaceType.toUpperCase();
    p.version = version;
    p.interface = holder;
  });
  if (!ntSuccess(status)) throw new NtError(status, `interface ${interfaceType}`);
  if (holder.value === null || !isInterface(holder.value))
    throw new NtError(STATUS_NOT_SUPPORTED, `interface ${interfaceType}`);
  return holder.value;
}

/** A list of ids. */
export function isStringArray(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.every((one) => typeof one === 'string');
}

/** DEVICE_RELATIONS. */
export function isDeviceArray(value: unknown): value is readonly DEVICE_OBJECT[] {
  return (
    Array.isArray(value) &&
    value.every((one) => typeof one === 'object' && one !== null && 'driverObject' in one)
  );
}

/** The answer to IRP_MN_QUERY_BUS_INFORMATION, or null. */
export function busInformation(value: unknown): PNP_BUS_INFORMATION | null {
  return isObjectWith<PNP_BUS_INFORMATION>(value, 'busTypeGuid') ? value : null;
}

/** The answer to a request for resource requirements, or null. */
export function requirementsList(value: unknown): IO_RESOURCE_REQUIREMENTS_LIST | null {
  return isObjectWith<IO_RESOURCE_REQUIREMENTS_LIST>(value, 'alternativeLists') ? value : null;
}

// What comes back in Information is a pointer whose type the request implies; one member is looked at, so that a driver's
// nonsense is taken for nothing.
function isObjectWith<T extends object>(value: unknown, member: keyof T): value is T {
  return typeof value === 'object' && value !== null && member in value;
}
