/** The bus driver behind a PnpBus: physical device objects that answer PnP and power requests out of a PnpChild. */
import {
  type DEVICE_OBJECT,
  DO_BUS_ENUMERATED_DEVICE,
  DO_DEVICE_INITIALIZING,
  DO_POWER_PAGABLE,
  type DRIVER_OBJECT,
  FILE_DEVICE_UNKNOWN,
  IRP_MJ_PNP,
  IRP_MJ_POWER,
  IRP_MJ_SYSTEM_CONTROL,
  ioCreateDevice,
  ioDeleteDevice,
} from './device.ts';
import type { IO_PARAMETERS } from './io-stack-location.ts';
import { type IRP, ioCompleteRequest, ioGetCurrentIrpStackLocation } from './irp.ts';
import { APC_LEVEL, requireIrql } from './irql.ts';
import type { Kernel } from './kernel.ts';
import { NtError } from './nt-error.ts';
import {
  type NTSTATUS,
  STATUS_INVALID_PARAMETER_2,
  STATUS_NO_SUCH_DEVICE,
  STATUS_SUCCESS,
} from './ntstatus.ts';
import { poSetPowerState } from './pnp-power.ts';
import {
  type DEVICE_POWER_STATE,
  DevicePowerState,
  IRP_MN_CANCEL_REMOVE_DEVICE,
  IRP_MN_CANCEL_STOP_DEVICE,
  IRP_MN_QUERY_BUS_INFORMATION,
  IRP_MN_QUERY_CAPABILITIES,
  IRP_MN_QUERY_DEVICE_RELATIONS,
  IRP_MN_QUERY_DEVICE_TEXT,
  IRP_MN_QUERY_ID,
  IRP_MN_QUERY_INTERFACE,
  IRP_MN_QUERY_POWER,
  IRP_MN_QUERY_REMOVE_DEVICE,
  IRP_MN_QUERY_RESOURCE_REQUIREMENTS,
  IRP_MN_QUERY_STOP_DEVICE,
  IRP_MN_READ_CONFIG,
  IRP_MN_REMOVE_DEVICE,
  IRP_MN_SET_POWER,
  IRP_MN_START_DEVICE,
  IRP_MN_STOP_DEVICE,
  IRP_MN_SURPRISE_REMOVAL,
  IRP_MN_WRITE_CONFIG,
  irpMinorName,
  type PnpChild,
  PowerDeviceD0,
} from './pnp-types.ts';

/** Device extension of such a PDO. */
export class ChildExtension {
  readonly child: PnpChild;
  /** The device is in its slot. */
  present = true;
  started = false;

  constructor(child: PnpChild) {
    this.child = child;
  }
}

/** The child behind a PDO of {@link createBusDriver}, or null for another device. */
export function childOf(pdo: DEVICE_OBJECT): ChildExtension | null {
  return pdo.deviceExtension instanceof ChildExtension ? pdo.deviceExtension : null;
}

/** The driver object that owns a bus's PDOs. */
export function createBusDriver(kernel: Kernel, name: string): DRIVER_OBJECT {
  const driver = kernel.io.createDriver(name);
  driver.majorFunction[IRP_MJ_PNP] = dispatchPnp;
  driver.majorFunction[IRP_MJ_POWER] = dispatchPower;
  driver.majorFunction[IRP_MJ_SYSTEM_CONTROL] = (_device, irp) => complete(irp, irp.ioStatus.status);
  return driver;
}

/** A PDO for a child: named, since interfaces and applications reach a device by its PDO's name. */
export function createChildPdo(driver: DRIVER_OBJECT, child: PnpChild, name: string): DEVICE_OBJECT {
  const pdo = ioCreateDevice(driver, new ChildExtension(child), name, FILE_DEVICE_UNKNOWN);
  pdo.flags |= DO_BUS_ENUMERATED_DEVICE | DO_POWER_PAGABLE;
  pdo.flags &= ~DO_DEVICE_INITIALIZING;
  return pdo;
}

function complete(irp: IRP, status: NTSTATUS): NTSTATUS {
  irp.ioStatus.status = status;
  ioCompleteRequest(irp);
  return status;
}

function answer(irp: IRP, pointer: unknown): NTSTATUS {
  irp.ioStatus.informationPointer = pointer;
  return complete(irp, STATUS_SUCCESS);
}

function dispatchPnp(pdo: DEVICE_OBJECT, irp: IRP): NTSTATUS {
  const extension = childOf(pdo);
  // A request that a bus driver does not know is completed with the status that it came with.
  if (extension === null) return complete(irp, irp.ioStatus.status);
  const { child } = extension;
  const stack = ioGetCurrentIrpStackLocation(irp);
  const { parameters } = stack;
  switch (stack.minorFunction) {
    case IRP_MN_START_DEVICE:
      child.start?.();
      extension.started = true;
      poSetPowerState(pdo, DevicePowerState, PowerDeviceD0);
      return complete(irp, STATUS_SUCCESS);
    case IRP_MN_STOP_DEVICE:
      stopChild(extension);
      return complete(irp, STATUS_SUCCESS);
    case IRP_MN_SURPRISE_REMOVAL:
      extension.present = false;
      extension.started = false;
      return complete(irp, STATUS_SUCCESS);
    case IRP_MN_REMOVE_DEVICE: {
      if (extension.present) stopChild(extension);
      const status = complete(irp, STATUS_SUCCESS);
      if (!extension.present) ioDeleteDevice(pdo);
      return status;
    }
    case IRP_MN_QUERY_STOP_DEVICE:
    case IRP_MN_CANCEL_STOP_DEVICE:
    case IRP_MN_QUERY_REMOVE_DEVICE:
    case IRP_MN_CANCEL_REMOVE_DEVICE:
      return complete(irp, STATUS_SUCCESS);
    case IRP_MN_QUERY_ID: {
      const id = queryId(child, parameters.idType);
      return id === null ? complete(irp, irp.ioStatus.status) : answer(irp, id);
    }
    case IRP_MN_QUERY_DEVICE_TEXT:
      return answer(
        irp,
        parameters.deviceTextType === 'DeviceTextDescription' ? child.description : child.location,
      );
    case IRP_MN_QUERY_BUS_INFORMATION:
      return answer(irp, child.bus);
    case IRP_MN_QUERY_CAPABILITIES:
      if (parameters.capabilities !== null) Object.assign(parameters.capabilities, child.capabilities);
      return complete(irp, STATUS_SUCCESS);
    case IRP_MN_QUERY_RESOURCE_REQUIREMENTS:
      return answer(irp, child.resourceRequirements ?? null);
    case IRP_MN_QUERY_DEVICE_RELATIONS:
      return parameters.deviceRelationType === 'TargetDeviceRelation'
        ? answer(irp, [pdo])
        : complete(irp, irp.ioStatus.status);
    case IRP_MN_QUERY_INTERFACE: {
      const found =
        child.queryInterface?.(parameters.interfaceType.toUpperCase(), parameters.version) ?? null;
      if (found === null) return complete(irp, irp.ioStatus.status);
      found.interfaceReference();
      if (parameters.interface !== null) parameters.interface.value = found;
      return complete(irp, STATUS_SUCCESS);
    }
    case IRP_MN_READ_CONFIG:
    case IRP_MN_WRITE_CONFIG:
      return moveConfig(extension, irp, stack.minorFunction, parameters);
    default:
      return complete(irp, irp.ioStatus.status);
  }
}

/** IRP_MN_READ_CONFIG and IRP_MN_WRITE_CONFIG. IRQL < DISPATCH_LEVEL. */
function moveConfig(
  { child, present }: ChildExtension,
  irp: IRP,
  minorFunction: number,
  { whichSpace, buffer, offset, length }: IO_PARAMETERS,
): NTSTATUS {
  requireIrql(APC_LEVEL, irpMinorName(IRP_MJ_PNP, minorFunction));
  const move = minorFunction === IRP_MN_READ_CONFIG ? child.readConfig : child.writeConfig;
  if (move === undefined) return complete(irp, irp.ioStatus.status);
  if (!present) return complete(irp, STATUS_NO_SUCH_DEVICE);
  if (buffer === null) return complete(irp, STATUS_INVALID_PARAMETER_2);
  try {
    irp.ioStatus.information = move.call(child, whichSpace, buffer, offset, length);
    return complete(irp, STATUS_SUCCESS);
  } catch (error) {
    if (!(error instanceof NtError)) throw error;
    return complete(irp, error.status);
  }
}

function stopChild(extension: ChildExtension): void {
  if (!extension.started) return;
  extension.started = false;
  extension.child.stop?.();
}

function queryId(child: PnpChild, type: string): unknown {
  switch (type) {
    case 'BusQueryDeviceID':
      return child.deviceId;
    case 'BusQueryInstanceID':
      return child.instanceId;
    case 'BusQueryHardwareIDs':
      return child.hardwareIds;
    case 'BusQueryCompatibleIDs':
      return child.compatibleIds;
    default:
      return null;
  }
}

function dispatchPower(pdo: DEVICE_OBJECT, irp: IRP): NTSTATUS {
  const stack = ioGetCurrentIrpStackLocation(irp);
  const { parameters } = stack;
  const child = childOf(pdo)?.child ?? null;
  switch (stack.minorFunction) {
    case IRP_MN_SET_POWER:
      if (parameters.powerType === DevicePowerState) {
        const state = parameters.powerState;
        if (isDevicePowerState(state)) child?.setPowerState?.(state);
        poSetPowerState(pdo, DevicePowerState, state);
      }
      return complete(irp, STATUS_SUCCESS);
    case IRP_MN_QUERY_POWER:
      return complete(irp, STATUS_SUCCESS);
    default:
      return complete(irp, irp.ioStatus.status);
  }
}

function isDevicePowerState(state: number): state is DEVICE_POWER_STATE {
  return state >= 0 && state <= 4;
}
