/** Power at the manager's level: power IRPs, device power states, system power transitions. */
import { currentKernel } from './current.ts';
import { type DEVICE_OBJECT, IRP_MJ_POWER, ioGetAttachedDevice } from './device.ts';
import type { IO_STATUS_BLOCK } from './io-stack-location.ts';
import { type IRP, ioCallDriver, ioGetNextIrpStackLocation } from './irp.ts';
import { APC_LEVEL, DISPATCH_LEVEL, PASSIVE_LEVEL, requireIrql } from './irql.ts';
import { NtError } from './nt-error.ts';
import {
  type NTSTATUS,
  ntStatusName,
  STATUS_INVALID_PARAMETER_2,
  STATUS_NOT_SUPPORTED,
  STATUS_PENDING,
} from './ntstatus.ts';
import {
  DevicePowerState,
  IRP_MN_QUERY_POWER,
  IRP_MN_SET_POWER,
  IRP_MN_WAIT_WAKE,
  irpMinorName,
  type POWER_STATE_TYPE,
  PowerDeviceD0,
  PowerDeviceUnspecified,
} from './pnp-types.ts';
import { TraceKind } from './trace.ts';

/** PowerCompletion: called at PASSIVE_LEVEL or DISPATCH_LEVEL once the power IRP is complete; the power manager frees the IRP. */
export type REQUEST_POWER_COMPLETE = (
  deviceObject: DEVICE_OBJECT,
  minorFunction: number,
  powerState: number,
  context: unknown,
  ioStatus: IO_STATUS_BLOCK,
) => void;

/**
 * PoRequestPowerIrp: sends a device query- or set-power IRP (or wait/wake) to the top of the device's stack and returns
 * STATUS_PENDING, even when it is complete by then. `irp` is of use for IRP_MN_WAIT_WAKE alone, to cancel it. Throws
 * STATUS_INVALID_PARAMETER_2 for another minor function. IRQL ≤ DISPATCH_LEVEL.
 */
export function poRequestPowerIrp(
  deviceObject: DEVICE_OBJECT,
  minorFunction: number,
  powerState: number,
  completionFunction: REQUEST_POWER_COMPLETE | null,
  context: unknown,
): { status: NTSTATUS; irp: IRP | null } {
  requireIrql(DISPATCH_LEVEL, 'PoRequestPowerIrp');
  if (
    minorFunction !== IRP_MN_QUERY_POWER &&
    minorFunction !== IRP_MN_SET_POWER &&
    minorFunction !== IRP_MN_WAIT_WAKE
  ) {
    throw new NtError(STATUS_INVALID_PARAMETER_2, irpMinorName(IRP_MJ_POWER, minorFunction));
  }
  const kernel = currentKernel();
  const { io } = kernel;
  const requester = kernel.currentDriver ?? deviceObject.driverObject.shortName;
  const top = ioGetAttachedDevice(deviceObject);
  const irp = io.allocateIrp(top.stackSize);
  setPowerParameters(irp, minorFunction, DevicePowerState, powerState);
  irp.onCompleted = (done) => {
    if (completionFunction !== null) {
      kernel.callOut(requester, 'PowerCompletion', () =>
        completionFunction(deviceObject, minorFunction, powerState, context, done.ioStatus),
      );
    }
    io.freeIrp(done);
  };
  ioCallDriver(top, irp);
  return { status: STATUS_PENDING, irp: minorFunction === IRP_MN_WAIT_WAKE ? irp : null };
}

/** Fills in the next location of a power IRP. */
export function setPowerParameters(
  irp: IRP,
  minorFunction: number,
  type: POWER_STATE_TYPE,
  state: number,
): void {
  const stack = ioGetNextIrpStackLocation(irp);
  stack.majorFunction = IRP_MJ_POWER;
  stack.minorFunction = minorFunction;
  stack.parameters.powerType = type;
  stack.parameters.powerState = state;
  irp.ioStatus.status = STATUS_NOT_SUPPORTED;
}

/**
 * PoSetPowerState: tells the power manager of a device's new power state (a DEVICE_POWER_STATE); the state before. IRQL ≤ APC_LEVEL,
 * for D0 ≤ DISPATCH_LEVEL.
 */
export function poSetPowerState(deviceObject: DEVICE_OBJECT, type: POWER_STATE_TYPE, state: number): number {
  requireIrql(state === PowerDeviceD0 ? DISPATCH_LEVEL : APC_LEVEL, 'PoSetPowerState');
  const previous = deviceObject.devicePowerState;
  if (type !== DevicePowerState) return previous;
  deviceObject.devicePowerState = state;
  const { trace } = currentKernel();
  if ((trace.mask & TraceKind.State) !== 0) {
    trace.emit(TraceKind.State, 'I', deviceObject.driverObject.shortName, 'PoSetPowerState', {
      device: deviceObject.displayName,
      from: deviceStateName(previous),
      to: deviceStateName(state),
    });
  }
  return previous;
}

/** 'D0' … 'D3' for a DEVICE_POWER_STATE. */
function deviceStateName(state: number): string {
  return state === PowerDeviceUnspecified ? 'unspecified' : `D${state - 1}`;
}

/** PoCallDriver: as ioCallDriver, for power IRPs. IRQL ≤ DISPATCH_LEVEL. */
export function poCallDriver(deviceObject: DEVICE_OBJECT, irp: IRP): NTSTATUS {
  return ioCallDriver(deviceObject, irp);
}

/** PoStartNextPowerIrp: nothing to do since Windows Vista, which orders power IRPs itself. IRQL ≤ DISPATCH_LEVEL. */
export function poStartNextPowerIrp(_irp: IRP): void {
  requireIrql(DISPATCH_LEVEL, 'PoStartNextPowerIrp');
}

/** Sends a system power IRP to a device's stack and waits for it: its status. IRQL = PASSIVE_LEVEL. */
export function sendSystemPowerIrp(
  pdo: DEVICE_OBJECT,
  minorFunction: number,
  systemState: number,
  shutdownType: number,
): NTSTATUS {
  requireIrql(PASSIVE_LEVEL, 'system power IRP');
  const kernel = currentKernel();
  const top = ioGetAttachedDevice(pdo);
  const irp = kernel.io.allocateIrp(top.stackSize);
  setPowerParameters(irp, minorFunction, 0, systemState);
  ioGetNextIrpStackLocation(irp).parameters.shutdownType = shutdownType;
  const status = kernel.io.sendAndWait(top, irp);
  kernel.io.freeIrp(irp);
  if ((kernel.trace.mask & TraceKind.Pnp) !== 0) {
    kernel.trace.emit(TraceKind.Pnp, 'I', 'power manager', irpMinorName(IRP_MJ_POWER, minorFunction), {
      device: top.displayName,
      systemState,
      status: ntStatusName(status),
    });
  }
  return status;
}
