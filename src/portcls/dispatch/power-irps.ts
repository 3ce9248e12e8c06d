import {
  type DEVICE_POWER_STATE,
  DevicePowerState,
  type IRP,
  IRP_MN_QUERY_POWER,
  IRP_MN_SET_POWER,
  ioCallDriver,
  ioCompleteRequest,
  ioForwardIrpSynchronously,
  ioGetCurrentIrpStackLocation,
  ioSkipCurrentIrpStackLocation,
  KEVENT,
  keSetEvent,
  keWaitForSingleObject,
  type NTSTATUS,
  NtError,
  ntSuccess,
  PowerDeviceD0,
  PowerDeviceD3,
  PowerSystemWorking,
  poRequestPowerIrp,
  poSetPowerState,
  STATUS_SUCCESS,
  type SYSTEM_POWER_STATE,
} from '../../kernel/index.ts';
import type { AdapterDevice } from '../adapter-device.ts';

/** IRP_MJ_POWER of an adapter's FDO, which is the power policy owner of its stack. At PASSIVE_LEVEL (DO_POWER_PAGABLE). */
export function dispatchPower(device: AdapterDevice, irp: IRP): NTSTATUS {
  const { minorFunction, parameters } = ioGetCurrentIrpStackLocation(irp);
  const isDevice = parameters.powerType === DevicePowerState;
  const state = parameters.powerState;
  if (minorFunction === IRP_MN_SET_POWER) {
    return isDevice
      ? setDevicePower(device, irp, state as DEVICE_POWER_STATE)
      : setSystemPower(device, irp, state);
  }
  if (minorFunction === IRP_MN_QUERY_POWER) {
    return isDevice
      ? queryDevicePower(device, irp, state as DEVICE_POWER_STATE)
      : querySystemPower(device, irp, state);
  }
  return passDown(device, irp);
}

function passDown(device: AdapterDevice, irp: IRP): NTSTATUS {
  ioSkipCurrentIrpStackLocation(irp);
  return ioCallDriver(device.lowerDevice, irp);
}

function complete(irp: IRP, status: NTSTATUS): NTSTATUS {
  irp.ioStatus.status = status;
  ioCompleteRequest(irp);
  return status;
}

/** Down: our part first, then the bus. Up: the bus first, then ours. */
function setDevicePower(device: AdapterDevice, irp: IRP, state: DEVICE_POWER_STATE): NTSTATUS {
  if (state === PowerDeviceD0) {
    const forwarded = ioForwardIrpSynchronously(device.lowerDevice, irp);
    if (forwarded && ntSuccess(irp.ioStatus.status)) {
      poSetPowerState(device.deviceObject, DevicePowerState, state);
      device.lock.run(() => device.power.setDeviceState(state));
    }
    return complete(irp, irp.ioStatus.status);
  }
  device.lock.run(() => device.power.setDeviceState(state));
  poSetPowerState(device.deviceObject, DevicePowerState, state);
  irp.ioStatus.status = STATUS_SUCCESS;
  return passDown(device, irp);
}

/** The adapter may veto. */
function queryDevicePower(device: AdapterDevice, irp: IRP, state: DEVICE_POWER_STATE): NTSTATUS {
  try {
    device.power.queryChange(state);
  } catch (error) {
    if (!(error instanceof NtError)) throw error;
    return complete(irp, error.status);
  }
  irp.ioStatus.status = STATUS_SUCCESS;
  return passDown(device, irp);
}

/** The device state that the stack's capabilities give for a system state. */
function deviceStateFor(device: AdapterDevice, systemState: number): DEVICE_POWER_STATE {
  if (systemState === PowerSystemWorking) return PowerDeviceD0;
  return device.physicalDeviceObject.deviceNode?.capabilities.deviceState[systemState] ?? PowerDeviceD3;
}

/** System falls asleep: the device first, then the IRP goes down. System wakes: the IRP goes down, then the device comes back. */
function setSystemPower(device: AdapterDevice, irp: IRP, systemState: number): NTSTATUS {
  const wanted = deviceStateFor(device, systemState);
  device.power.systemState = systemState as SYSTEM_POWER_STATE;
  irp.ioStatus.status = STATUS_SUCCESS;
  if (systemState !== PowerSystemWorking) {
    if (device.isRunning) tryRequest(device, IRP_MN_SET_POWER, wanted);
    return passDown(device, irp);
  }
  const status = passDown(device, irp);
  if (device.isRunning) tryRequest(device, IRP_MN_SET_POWER, wanted);
  return status;
}

function querySystemPower(device: AdapterDevice, irp: IRP, systemState: number): NTSTATUS {
  if (device.isRunning) {
    const status = tryRequest(device, IRP_MN_QUERY_POWER, deviceStateFor(device, systemState));
    if (!ntSuccess(status)) return complete(irp, status);
  }
  irp.ioStatus.status = STATUS_SUCCESS;
  return passDown(device, irp);
}

/** Asks the power manager for a device power IRP and waits until it is complete; its status. PASSIVE_LEVEL. */
function tryRequest(device: AdapterDevice, minorFunction: number, state: DEVICE_POWER_STATE): NTSTATUS {
  const event = new KEVENT('NotificationEvent', false, 'PortCls power request');
  let status: NTSTATUS | null = null;
  poRequestPowerIrp(
    device.deviceObject,
    minorFunction,
    state,
    (_device, _minor, _state, _context, ioStatus) => {
      status = ioStatus.status;
      keSetEvent(event);
    },
    null,
  );
  if (status === null) keWaitForSingleObject(event, null);
  return status ?? STATUS_SUCCESS;
}

/**
 * Takes the device to a power state by way of the power manager and waits. Throws the status of the IRP when the change was
 * refused. PASSIVE_LEVEL.
 */
export function requestDevicePowerState(device: AdapterDevice, state: DEVICE_POWER_STATE): void {
  if (device.power.deviceState === state) return;
  const query = tryRequest(device, IRP_MN_QUERY_POWER, state);
  if (!ntSuccess(query)) throw new NtError(query, 'the power state was refused');
  const set = tryRequest(device, IRP_MN_SET_POWER, state);
  if (!ntSuccess(set)) throw new NtError(set, 'the power state could not be set');
}
