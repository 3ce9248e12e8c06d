import {
  type IRP,
  IRP_MN_CANCEL_STOP_DEVICE,
  IRP_MN_QUERY_CAPABILITIES,
  IRP_MN_QUERY_REMOVE_DEVICE,
  IRP_MN_QUERY_STOP_DEVICE,
  IRP_MN_REMOVE_DEVICE,
  IRP_MN_START_DEVICE,
  IRP_MN_STOP_DEVICE,
  IRP_MN_SURPRISE_REMOVAL,
  ioCallDriver,
  ioCompleteRequest,
  ioDeleteDevice,
  ioDetachDevice,
  ioForwardIrpSynchronously,
  ioGetCurrentIrpStackLocation,
  ioSkipCurrentIrpStackLocation,
  type NTSTATUS,
  NtError,
  ntSuccess,
  STATUS_DEVICE_BUSY,
  STATUS_DEVICE_NOT_READY,
  STATUS_DEVICE_REMOVED,
  STATUS_SUCCESS,
  STATUS_UNSUCCESSFUL,
} from '../../kernel/index.ts';
import type { AdapterDevice } from '../adapter-device.ts';
import { PcRebalanceRemoveSubdevices } from '../ddi/index.ts';
import { pcNewResourceList } from '../helpers/resource-list.ts';
import { closeHandle, failHeldCreates, resumeHeldCreates } from './create-close.ts';

/** IRP_MJ_PNP of an adapter's FDO. */
export function dispatchPnp(device: AdapterDevice, irp: IRP): NTSTATUS {
  switch (ioGetCurrentIrpStackLocation(irp).minorFunction) {
    case IRP_MN_START_DEVICE:
      return startDevice(device, irp);
    case IRP_MN_QUERY_STOP_DEVICE:
      return queryStop(device, irp);
    case IRP_MN_CANCEL_STOP_DEVICE:
      return cancelStop(device, irp);
    case IRP_MN_STOP_DEVICE:
      return stopDevice(device, irp);
    case IRP_MN_QUERY_REMOVE_DEVICE:
      if (device.openHandles > 0) return complete(irp, STATUS_DEVICE_BUSY);
      return passDown(device, irp, STATUS_SUCCESS);
    case IRP_MN_SURPRISE_REMOVAL:
      return surpriseRemoval(device, irp);
    case IRP_MN_REMOVE_DEVICE:
      return removeDevice(device, irp);
    case IRP_MN_QUERY_CAPABILITIES:
      return queryCapabilities(device, irp);
    default:
      return passDown(device, irp, null);
  }
}

function complete(irp: IRP, status: NTSTATUS): NTSTATUS {
  irp.ioStatus.status = status;
  ioCompleteRequest(irp);
  return status;
}

/** Sends the IRP to the lower driver, with a status of our own unless `status` is null (not handled here). */
function passDown(device: AdapterDevice, irp: IRP, status: NTSTATUS | null): NTSTATUS {
  if (status !== null) irp.ioStatus.status = status;
  ioSkipCurrentIrpStackLocation(irp);
  return ioCallDriver(device.lowerDevice, irp);
}

/** Sends the IRP down and waits for it; returns the lower drivers' status. The IRP is ours again. */
function forward(device: AdapterDevice, irp: IRP): NTSTATUS {
  if (!ioForwardIrpSynchronously(device.lowerDevice, irp)) return STATUS_UNSUCCESSFUL;
  return irp.ioStatus.status;
}

/**
 * START_DEVICE: lower drivers first, then the resource list, then the adapter's StartDevice, whose result is the IRP's
 * (startup-sequence.md). A start that fails leaves no subdevice registered.
 */
function startDevice(device: AdapterDevice, irp: IRP): NTSTATUS {
  const lower = forward(device, irp);
  if (!ntSuccess(lower)) return complete(irp, lower);
  const { parameters } = ioGetCurrentIrpStackLocation(irp);
  let status: NTSTATUS = STATUS_SUCCESS;
  device.state = 'started';
  try {
    using list = pcNewResourceList(parameters.allocatedResourcesTranslated, parameters.allocatedResources);
    device.kernel.callOut(device.driverName, 'StartDevice', () =>
      device.startDevice(device.deviceObject, irp, list),
    );
  } catch (error) {
    if (!(error instanceof NtError)) throw error;
    status = error.status;
    device.state = 'stopped';
    device.power.noteStop();
    retirePorts(device);
    dropSubdevices(device);
    device.connections.clear();
  }
  if (ntSuccess(status)) {
    device.ioTimeouts.start();
    device.power.idle.start();
    resumeHeldCreates(device);
  } else {
    failHeldCreates(device, STATUS_DEVICE_NOT_READY);
  }
  return complete(irp, status);
}

/**
 * QUERY_STOP_DEVICE succeeds only when the device can be rebalanced: WaveRT and Topology ports alone, an adapter that removes
 * its subdevices at the stop, and open streams that survive it (implement-pnp-rebalance-for-portcls-audio-drivers.md).
 */
function queryStop(device: AdapterDevice, irp: IRP): NTSTATUS {
  const pnp = device.pnpManagement;
  if (pnp === null || !portsAllowRebalance(device)) return complete(irp, STATUS_UNSUCCESSFUL);
  const { kernel, driverName } = device;
  const agreed = device.lock.run(() => {
    const type = kernel.callOut(driverName, 'IAdapterPnpManagement::GetSupportedRebalanceType', () =>
      pnp.getSupportedRebalanceType(),
    );
    if (type !== PcRebalanceRemoveSubdevices) return false;
    kernel.callOut(driverName, 'IAdapterPnpManagement::PnpQueryStop', () => pnp.pnpQueryStop());
    return true;
  });
  if (!agreed) return complete(irp, STATUS_UNSUCCESSFUL);
  device.state = 'stopPending';
  return passDown(device, irp, STATUS_SUCCESS);
}

function portsAllowRebalance(device: AdapterDevice): boolean {
  for (const port of device.ports()) if (!port.supportsRebalance) return false;
  for (const pin of device.pins()) if (!pin.allowsRebalance) return false;
  return true;
}

/** CANCEL_STOP_DEVICE: lower drivers first. May come without a query that succeeded; the adapter is told all the same. */
function cancelStop(device: AdapterDevice, irp: IRP): NTSTATUS {
  forward(device, irp);
  const pnp = device.pnpManagement;
  if (pnp !== null) {
    const { kernel, driverName } = device;
    device.lock.run(() => {
      kernel.callOut(driverName, 'IAdapterPnpManagement::PnpCancelStop', () => pnp.pnpCancelStop());
    });
  }
  if (device.state === 'stopPending') device.state = 'started';
  resumeHeldCreates(device);
  return complete(irp, STATUS_SUCCESS);
}

/**
 * STOP_DEVICE: each miniport is told under the lock, streams go to STOP, interfaces off; then the adapter, without the lock,
 * frees its hardware and unregisters its subdevices. Creates that wait go on waiting for the next start.
 */
function stopDevice(device: AdapterDevice, irp: IRP): NTSTATUS {
  const { kernel, driverName } = device;
  device.state = 'stopped';
  device.power.noteStop();
  device.ioTimeouts.stop();
  device.power.idle.stop();
  device.lock.run(() => {
    for (const port of device.ports()) {
      const notify = port.pnpNotify;
      if (notify !== null) {
        kernel.callOut(driverName, 'IMiniportPnpNotify::PnpStop', () => notify.pnpStop());
      }
    }
    for (const pin of [...device.pins()]) pin.stop(true);
  });
  for (const subdevice of device.subdevices) subdevice.disableInterfaces();
  retirePorts(device);
  const pnp = device.pnpManagement;
  if (pnp !== null) kernel.callOut(driverName, 'IAdapterPnpManagement::PnpStop', () => pnp.pnpStop());
  abandonRequests(device);
  if (pnp !== null && device.subdevices.length > 0) {
    kernel.trace.finding(
      'PortCls',
      'IAdapterPnpManagement::PnpStop left subdevices registered; PortCls unregisters them',
      { driver: driverName, subdevices: device.subdevices.map((subdevice) => subdevice.name).join(', ') },
    );
  }
  dropSubdevices(device);
  device.connections.clear();
  return passDown(device, irp, STATUS_SUCCESS);
}

/** SURPRISE_REMOVAL: interfaces off; from now on requests fail, except those that take streams down and close handles. */
function surpriseRemoval(device: AdapterDevice, irp: IRP): NTSTATUS {
  device.state = 'surpriseRemoved';
  device.ioTimeouts.stop();
  device.power.idle.stop();
  for (const subdevice of device.subdevices) subdevice.disableInterfaces();
  retirePorts(device);
  failHeldCreates(device, STATUS_DEVICE_REMOVED);
  return passDown(device, irp, STATUS_SUCCESS);
}

/**
 * REMOVE_DEVICE: everything the device holds is let go of, whatever the driver forgot; then the FDO is detached, the IRP goes
 * down, and the FDO is deleted. The ports' last release destroys the miniports.
 */
function removeDevice(device: AdapterDevice, irp: IRP): NTSTATUS {
  const { kernel, driverName } = device;
  device.state = 'removed';
  device.ioTimeouts.clear();
  device.power.idle.stop();
  failHeldCreates(device, STATUS_DEVICE_REMOVED);
  for (const subdevice of device.subdevices) subdevice.disableInterfaces();
  retirePorts(device);
  abandonRequests(device);
  const open = [...device.ports()].flatMap((port) => [...port.filters]);
  if (open.length > 0) {
    kernel.trace.finding(
      'PortCls',
      'IRP_MN_REMOVE_DEVICE with open handles; PortCls closes what they stand for',
      {
        driver: driverName,
        filters: open.length,
      },
    );
    for (const filter of open) {
      for (const pin of [...filter.pins]) closeHandle(device, pin);
      closeHandle(device, filter);
    }
  }
  dropSubdevices(device);
  device.connections.clear();
  device.power.release();
  device.releasePnpManagement();
  device.runtimePower.unregister();
  const lowerDevice = device.lowerDevice;
  irp.ioStatus.status = STATUS_SUCCESS;
  ioSkipCurrentIrpStackLocation(irp);
  // Detached first: when the hardware is gone, the bus driver deletes the PDO while it handles this IRP.
  ioDetachDevice(lowerDevice);
  const status = ioCallDriver(lowerDevice, irp);
  ioDeleteDevice(device.deviceObject);
  return status;
}

/** QUERY_CAPABILITIES: the lower drivers fill the structure, then the adapter may deepen its map of power states. */
function queryCapabilities(device: AdapterDevice, irp: IRP): NTSTATUS {
  const lower = forward(device, irp);
  const { capabilities } = ioGetCurrentIrpStackLocation(irp).parameters;
  if (ntSuccess(lower) && capabilities !== null) {
    try {
      device.power.editCapabilities(capabilities);
    } catch (error) {
      if (!(error instanceof NtError)) throw error;
      return complete(irp, error.status);
    }
  }
  return complete(irp, lower);
}

/** Handles that are open on the ports can only be taken down and closed from now on. */
function retirePorts(device: AdapterDevice): void {
  for (const port of device.ports()) {
    port.retired = true;
    for (const pin of [...port.pins()]) pin.retire();
    port.properties.abandonPending((handle) => handle.cleanedUp);
  }
}

/** Property requests that handlers left pending end now: nobody would complete them later. */
function abandonRequests(device: AdapterDevice): void {
  for (const port of device.ports()) port.properties.abandonPending();
}

function dropSubdevices(device: AdapterDevice): void {
  for (const subdevice of [...device.subdevices]) device.dropSubdevice(subdevice);
}
