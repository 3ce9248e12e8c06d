import {
  type CM_PARTIAL_RESOURCE_DESCRIPTOR,
  type DEVICE_OBJECT,
  DO_DEVICE_INITIALIZING,
  type DriverPackage,
  IRP_MJ_PNP,
  IRP_MJ_POWER,
  IRP_MN_REMOVE_DEVICE,
  IRP_MN_START_DEVICE,
  IRP_MN_STOP_DEVICE,
  IRP_MN_SURPRISE_REMOVAL,
  ioAttachDeviceToDeviceStack,
  ioCallDriver,
  ioCompleteRequest,
  ioCreateDevice,
  ioDeleteDevice,
  ioDetachDevice,
  ioForwardIrpSynchronously,
  ioGetCurrentIrpStackLocation,
  ioSkipCurrentIrpStackLocation,
  type NTSTATUS,
  resourceDescriptors,
  STATUS_SUCCESS,
} from '../../src/kernel/index.ts';

/** One device of an {@link IsaDriver}. */
export class IsaDevice {
  readonly pdo: DEVICE_OBJECT;
  readonly lower: DEVICE_OBJECT;
  readonly fdo: DEVICE_OBJECT;
  /** Translated, then raw, as IRP_MN_START_DEVICE carried them last. */
  resources: readonly CM_PARTIAL_RESOURCE_DESCRIPTOR[] = [];
  rawResources: readonly CM_PARTIAL_RESOURCE_DESCRIPTOR[] = [];

  constructor(pdo: DEVICE_OBJECT, lower: DEVICE_OBJECT, fdo: DEVICE_OBJECT) {
    this.pdo = pdo;
    this.lower = lower;
    this.fdo = fdo;
  }

  ports(index: number): { readonly start: number; readonly length: number } {
    const found = this.resources.filter((resource) => resource.type === 'Port')[index];
    if (!found) throw new Error(`The device has no port range ${index}.`);
    return found;
  }

  dmaChannel(index: number): number {
    const found = this.resources.filter((resource) => resource.type === 'Dma')[index];
    if (!found) throw new Error(`The device has no DMA channel ${index}.`);
    return found.channel;
  }
}

/** What a test wants to do when a device starts and stops, at PASSIVE_LEVEL in the driver's name. */
export interface IsaDriverHooks {
  onStart?(device: IsaDevice): void;
  onStop?(device: IsaDevice): void;
}

/** A WDM function driver that takes whatever its hardware ids name; `devices` lists those it has, `events` what happened to them. */
export class IsaDriver {
  readonly devices: IsaDevice[] = [];
  readonly events: string[] = [];
  readonly package: DriverPackage;
  readonly #hooks: IsaDriverHooks;

  constructor(hardwareIds: readonly string[], hooks: IsaDriverHooks = {}, name = 'isadrv') {
    this.#hooks = hooks;
    this.package = {
      name,
      hardwareIds,
      driverEntry: (driverObject) => {
        driverObject.driverExtension.addDevice = (driver, pdo) => {
          const fdo = ioCreateDevice(driver, null, null, 0x22);
          const device = new IsaDevice(pdo, ioAttachDeviceToDeviceStack(fdo, pdo), fdo);
          fdo.deviceExtension = device;
          this.devices.push(device);
          fdo.flags &= ~DO_DEVICE_INITIALIZING;
        };
        driverObject.driverUnload = () => {};
        driverObject.majorFunction[IRP_MJ_PNP] = (fdo, irp) => this.#dispatchPnp(fdo, irp);
        driverObject.majorFunction[IRP_MJ_POWER] = (fdo, irp) => {
          ioSkipCurrentIrpStackLocation(irp);
          return ioCallDriver(deviceOf(fdo).lower, irp);
        };
      },
    };
  }

  /** The device there is when there is one. */
  get device(): IsaDevice {
    const [device] = this.devices;
    if (!device) throw new Error('The driver has no device.');
    return device;
  }

  #dispatchPnp(fdo: DEVICE_OBJECT, irp: Parameters<typeof ioCallDriver>[1]): NTSTATUS {
    const device = deviceOf(fdo);
    const { minorFunction, parameters } = ioGetCurrentIrpStackLocation(irp);
    switch (minorFunction) {
      case IRP_MN_START_DEVICE:
        device.resources = resourceDescriptors(parameters.allocatedResourcesTranslated);
        device.rawResources = resourceDescriptors(parameters.allocatedResources);
        ioForwardIrpSynchronously(device.lower, irp);
        this.#hooks.onStart?.(device);
        this.events.push('start');
        irp.ioStatus.status = STATUS_SUCCESS;
        ioCompleteRequest(irp);
        return STATUS_SUCCESS;
      case IRP_MN_STOP_DEVICE:
        this.#hooks.onStop?.(device);
        this.events.push('stop');
        break;
      case IRP_MN_SURPRISE_REMOVAL:
        this.#hooks.onStop?.(device);
        this.events.push('surprise removal');
        break;
      case IRP_MN_REMOVE_DEVICE: {
        this.#hooks.onStop?.(device);
        this.events.push('remove');
        this.devices.splice(this.devices.indexOf(device), 1);
        irp.ioStatus.status = STATUS_SUCCESS;
        ioSkipCurrentIrpStackLocation(irp);
        const status = ioCallDriver(device.lower, irp);
        ioDetachDevice(device.lower);
        ioDeleteDevice(fdo);
        return status;
      }
      default:
        ioSkipCurrentIrpStackLocation(irp);
        return ioCallDriver(device.lower, irp);
    }
    irp.ioStatus.status = STATUS_SUCCESS;
    ioSkipCurrentIrpStackLocation(irp);
    return ioCallDriver(device.lower, irp);
  }
}

function deviceOf(fdo: DEVICE_OBJECT): IsaDevice {
  if (!(fdo.deviceExtension instanceof IsaDevice)) throw new Error('This is no device of the ISA driver.');
  return fdo.deviceExtension;
}
