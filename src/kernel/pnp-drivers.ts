/** Loading drivers, adding them to devices, unloading them. */
import { DO_DEVICE_INITIALIZING, type DRIVER_OBJECT } from './device.ts';
import type { Kernel } from './kernel.ts';
import { NtError } from './nt-error.ts';
import {
  type NTSTATUS,
  ntStatus,
  ntStatusName,
  ntSuccess,
  STATUS_DRIVER_UNABLE_TO_LOAD,
  STATUS_SUCCESS,
  STATUS_UNSUCCESSFUL,
} from './ntstatus.ts';
import { installService } from './pnp-install.ts';
import type { DeviceNode, DeviceProblemName } from './pnp-node.ts';
import type { DriverPackage } from './pnp-types.ts';

/** Why a driver cannot drive a device. */
export interface DriverFailure {
  readonly name: DeviceProblemName;
  readonly status: NTSTATUS;
  readonly text: string;
}

/** The drivers in memory. A driver is loaded for its first device and unloaded after its last, if it can be. */
export class DriverLoader {
  readonly #kernel: Kernel;
  readonly #loaded = new Map<string, DRIVER_OBJECT>();

  constructor(kernel: Kernel) {
    this.#kernel = kernel;
  }

  /** The package's driver, loaded now if it is not: service key, driver object, DriverEntry. */
  load(
    found: DriverPackage,
  ):
    | { readonly driver: DRIVER_OBJECT; readonly failure: null }
    | { readonly driver: null; readonly failure: DriverFailure } {
    const key = found.name.toUpperCase();
    const loaded = this.#loaded.get(key);
    if (loaded !== undefined) return { driver: loaded, failure: null };
    const { io } = this.#kernel;
    const registryPath = installService(this.#kernel.registry, found);
    const driver = io.createDriver(found.name);
    const failed = (name: DeviceProblemName, status: NTSTATUS, what: string) => {
      io.deleteDriver(driver);
      this.#checkNothingLeft(driver, 'DriverEntry failed');
      return {
        driver: null,
        failure: { name, status, text: `DriverEntry of driver '${found.name}' ${what}.` },
      };
    };
    const status = this.#call(driver, 'DriverEntry', () => found.driverEntry(driver, registryPath));
    if (!ntSuccess(status)) {
      return failed('CM_PROB_FAILED_DRIVER_ENTRY', status, `failed with ${ntStatusName(status)}`);
    }
    if (driver.driverExtension.addDevice === null) {
      return failed('CM_PROB_FAILED_ADD', STATUS_DRIVER_UNABLE_TO_LOAD, 'set no AddDevice routine');
    }
    this.#loaded.set(key, driver);
    return { driver, failure: null };
  }

  /** AddDevice, and what must be true of the stack afterwards; null when all is well. */
  addDevice(driver: DRIVER_OBJECT, node: DeviceNode): DriverFailure | null {
    const pdo = node.physicalDeviceObject;
    const { addDevice } = driver.driverExtension;
    if (addDevice === null) return null;
    const status = this.#call(driver, 'AddDevice', () => addDevice(driver, pdo));
    const failed = (why: NTSTATUS, what: string): DriverFailure => ({
      name: 'CM_PROB_FAILED_ADD',
      status: why,
      text: `AddDevice of driver '${driver.shortName}' ${what}.`,
    });
    if (!ntSuccess(status)) {
      if (pdo.attachedDevice !== null) {
        this.#kernel.trace.finding(
          driver.shortName,
          'AddDevice failed and left its device object attached.',
          {
            device: node.instancePath,
            status: ntStatusName(status),
          },
        );
      }
      return failed(status, `failed with ${ntStatusName(status)}`);
    }
    if (pdo.attachedDevice === null && !node.capabilities.rawDeviceOK) {
      return failed(STATUS_UNSUCCESSFUL, 'attached no device object to the stack');
    }
    for (let device = pdo.attachedDevice; device !== null; device = device.attachedDevice) {
      if ((device.flags & DO_DEVICE_INITIALIZING) === 0) continue;
      device.flags &= ~DO_DEVICE_INITIALIZING;
      this.#kernel.trace.finding(
        device.driverObject.shortName,
        'AddDevice left DO_DEVICE_INITIALIZING set.',
        {
          device: device.displayName,
        },
      );
    }
    return null;
  }

  /** Unloads a driver that drives no device any more, if it has an Unload routine; else it stays for the next device. */
  unload(driver: DRIVER_OBJECT): void {
    const { driverUnload } = driver;
    if (driver.deviceObjects.length > 0 || driverUnload === null) return;
    this.#call(driver, 'DriverUnload', () => driverUnload(driver));
    this.#loaded.delete(driver.shortName.toUpperCase());
    this.#kernel.io.deleteDriver(driver);
    this.#checkNothingLeft(driver, 'DriverUnload');
  }

  #checkNothingLeft(driver: DRIVER_OBJECT, when: string): void {
    if (driver.deviceObjects.length === 0) return;
    this.#kernel.trace.finding(driver.shortName, `${when}: device objects are left.`, {
      devices: driver.deviceObjects.map((device) => device.displayName).join(', '),
    });
  }

  /** Calls a driver's routine: its status, whichever way it tells it. */
  #call(driver: DRIVER_OBJECT, method: string, routine: () => unknown): NTSTATUS {
    try {
      const result = this.#kernel.callOut(driver.shortName, method, routine);
      return typeof result === 'number' ? ntStatus(result) : STATUS_SUCCESS;
    } catch (error) {
      if (error instanceof NtError) return error.status;
      throw error;
    }
  }
}
