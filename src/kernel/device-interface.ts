/** Device interfaces: how applications find and open devices by what they can do. */
import { currentKernel } from './current.ts';
import type { DEVICE_OBJECT, DRIVER_OBJECT } from './device.ts';
import { PASSIVE_LEVEL, requireIrql } from './irql.ts';
import type { Kernel } from './kernel.ts';
import { NtError } from './nt-error.ts';
import {
  type NTSTATUS,
  STATUS_INVALID_DEVICE_REQUEST,
  STATUS_INVALID_PARAMETER,
  STATUS_OBJECT_NAME_EXISTS,
  STATUS_OBJECT_NAME_NOT_FOUND,
  STATUS_OBJECT_PATH_NOT_FOUND,
  STATUS_SUCCESS,
} from './ntstatus.ts';
import type { RegistryKey } from './registry.ts';
import { newRegistryHandle, type RegistryHandle } from './registry-api.ts';
import { TraceKind } from './trace.ts';
import { exQueueWorkItem, WORK_QUEUE_ITEM } from './work-item.ts';

/** Flag of {@link ioGetDeviceInterfaces}. */
export const DEVICE_INTERFACE_INCLUDE_NONACTIVE = 1;
/** Flag of {@link ioRegisterPlugPlayNotification}. */
export const PNPNOTIFY_DEVICE_INTERFACE_INCLUDE_EXISTING_INTERFACES = 1;

export const GUID_DEVICE_INTERFACE_ARRIVAL = '{CB3A4004-46F0-11D0-B08F-00609713053F}';
export const GUID_DEVICE_INTERFACE_REMOVAL = '{CB3A4005-46F0-11D0-B08F-00609713053F}';

const DEVICE_CLASSES = '\\Registry\\Machine\\SYSTEM\\CurrentControlSet\\Control\\DeviceClasses';

/** DEVICE_INTERFACE_CHANGE_NOTIFICATION. */
export interface DEVICE_INTERFACE_CHANGE_NOTIFICATION {
  /** GUID_DEVICE_INTERFACE_ARRIVAL or GUID_DEVICE_INTERFACE_REMOVAL. */
  readonly event: string;
  /** Registry form, upper case. */
  readonly interfaceClassGuid: string;
  /** `\??\…`; applications open it with `\\?\` in front. */
  readonly symbolicLinkName: string;
}

interface DeviceInterface {
  readonly symbolicLinkName: string;
  /** The part that is a link in the namespace: without the reference string. */
  readonly linkName: string;
  readonly classGuid: string;
  readonly pdo: DEVICE_OBJECT;
  /** The driver wants it to be there. */
  enabled: boolean;
  /** It is there: enabled, and its device has started. */
  active: boolean;
}

interface Listener {
  readonly classGuid: string;
  readonly notify: (notification: DEVICE_INTERFACE_CHANGE_NOTIFICATION) => void;
}

/** A registration for notifications; in the leak report until {@link ioUnregisterPlugPlayNotification}. */
export class PlugPlayNotificationEntry {
  /** Ends it. */
  readonly unregister: () => void;
  registered = true;

  constructor(unregister: () => void) {
    this.unregister = unregister;
  }
}

/** The device interfaces of one kernel. */
export class DeviceInterfaces {
  readonly #kernel: Kernel;
  /** By upper-case symbolic link name, in the order of registration. */
  readonly #interfaces = new Map<string, DeviceInterface>();
  readonly #linkCounts = new Map<string, number>();
  readonly #listeners = new Set<Listener>();

  constructor(kernel: Kernel) {
    this.#kernel = kernel;
  }

  /** See {@link ioRegisterDeviceInterface}. */
  register(
    pdo: DEVICE_OBJECT,
    classGuid: string,
    referenceString: string | null,
  ): { symbolicLinkName: string; status: NTSTATUS } {
    const node = pdo.deviceNode;
    const reference = referenceString ?? '';
    if (node === null) throw new NtError(STATUS_INVALID_DEVICE_REQUEST, `${pdo.displayName} is no PDO`);
    if (/[\\/]/.test(reference)) {
      throw new NtError(
        STATUS_INVALID_DEVICE_REQUEST,
        `reference string '${reference}' contains a path separator`,
      );
    }
    const guid = canonicalGuid(classGuid);
    const linkName = `\\??\\${node.instancePath.replaceAll('\\', '#')}#${guid.toLowerCase()}`;
    const symbolicLinkName = reference === '' ? linkName : `${linkName}\\${reference}`;
    const existing = this.#interfaces.get(symbolicLinkName.toUpperCase());
    if (existing !== undefined && existing.pdo === pdo) {
      return { symbolicLinkName: existing.symbolicLinkName, status: STATUS_OBJECT_NAME_EXISTS };
    }
    this.#interfaces.set(symbolicLinkName.toUpperCase(), {
      symbolicLinkName,
      linkName,
      classGuid: guid,
      pdo,
      enabled: false,
      active: false,
    });
    const deviceKey = this.#kernel.registry.createKey(
      `${DEVICE_CLASSES}\\${guid.toLowerCase()}\\${keyName(linkName)}`,
    );
    const known = deviceKey.subkey(`#${reference}`) !== null;
    deviceKey.set('DeviceInstance', node.instancePath);
    const instanceKey = deviceKey.subkey(`#${reference}`) ?? deviceKey.addSubkey(`#${reference}`);
    instanceKey.set('SymbolicLink', symbolicLinkName.replace(/^\\\?\?\\/, '\\\\?\\'));
    // Registrations outlive a restart of the system: the key is how it remembers.
    return { symbolicLinkName, status: known ? STATUS_OBJECT_NAME_EXISTS : STATUS_SUCCESS };
  }

  /** See {@link ioSetDeviceInterfaceState}. */
  setState(symbolicLinkName: string, enable: boolean): NTSTATUS {
    const found = this.#find(symbolicLinkName);
    if (enable === found.enabled) {
      if (enable) return STATUS_OBJECT_NAME_EXISTS;
      throw new NtError(STATUS_OBJECT_NAME_NOT_FOUND, `${symbolicLinkName} is not enabled`);
    }
    found.enabled = enable;
    if (!enable) this.#deactivate(found);
    else if (isRunning(found.pdo)) this.#activate(found);
    return STATUS_SUCCESS;
  }

  /** See {@link ioGetDeviceInterfaces}. */
  list(classGuid: string, pdo: DEVICE_OBJECT | null, includeNonActive: boolean): string[] {
    const guid = canonicalGuid(classGuid);
    return [...this.#interfaces.values()]
      .filter(
        (i) => i.classGuid === guid && (i.active || includeNonActive) && (pdo === null || i.pdo === pdo),
      )
      .map((i) => i.symbolicLinkName);
  }

  /** The registry key of an interface for drivers' values, or null when the interface is unknown. */
  parametersKey(symbolicLinkName: string): RegistryKey | null {
    const found = this.#interfaces.get(normalize(symbolicLinkName));
    if (found === undefined) return null;
    const reference = found.symbolicLinkName.slice(found.linkName.length + 1);
    return this.#kernel.registry.createKey(
      `${DEVICE_CLASSES}\\${found.classGuid.toLowerCase()}\\${keyName(found.linkName)}\\#${reference}\\Device Parameters`,
    );
  }

  /** For the PnP manager: the device's IRP_MN_START_DEVICE succeeded, so interfaces that were enabled meanwhile appear. */
  deviceStarted(pdo: DEVICE_OBJECT): void {
    for (const found of this.#interfaces.values()) {
      if (found.pdo === pdo && found.enabled && !found.active) this.#activate(found);
    }
  }

  /** For the PnP manager: the device goes; interfaces that its driver left enabled go with it. */
  deviceRemoved(pdo: DEVICE_OBJECT): void {
    for (const found of this.#interfaces.values()) {
      if (found.pdo !== pdo || !found.enabled) continue;
      found.enabled = false;
      this.#deactivate(found);
    }
  }

  /** For the PnP manager: the PDO is deleted, and its interfaces are forgotten (their registry keys stay). */
  deviceDeleted(pdo: DEVICE_OBJECT): void {
    this.deviceRemoved(pdo);
    for (const [key, found] of [...this.#interfaces]) if (found.pdo === pdo) this.#interfaces.delete(key);
  }

  /**
   * For applications (CM_Register_Notification): `callback` runs as a user-mode continuation for every interface of the class that
   * comes or goes. The result ends that.
   */
  onChange(
    classGuid: string,
    callback: (notification: DEVICE_INTERFACE_CHANGE_NOTIFICATION) => void,
  ): () => void {
    let wanted = true;
    const listener: Listener = {
      classGuid: canonicalGuid(classGuid),
      notify: (notification) =>
        this.#kernel.queueContinuation(() => {
          if (wanted) callback(notification);
        }),
    };
    this.#listeners.add(listener);
    return () => {
      wanted = false;
      this.#listeners.delete(listener);
    };
  }

  addListener(listener: Listener): void {
    this.#listeners.add(listener);
  }

  removeListener(listener: Listener): void {
    this.#listeners.delete(listener);
  }

  #find(symbolicLinkName: string): DeviceInterface {
    const found = this.#interfaces.get(normalize(symbolicLinkName));
    if (found === undefined) throw new NtError(STATUS_OBJECT_NAME_NOT_FOUND, symbolicLinkName);
    return found;
  }

  #activate(found: DeviceInterface): void {
    found.active = true;
    const count = this.#linkCounts.get(found.linkName) ?? 0;
    if (count === 0) this.#kernel.io.createSymbolicLink(found.linkName, found.pdo.name ?? '');
    this.#linkCounts.set(found.linkName, count + 1);
    this.#announce(found, GUID_DEVICE_INTERFACE_ARRIVAL, 'interface arrival');
  }

  #deactivate(found: DeviceInterface): void {
    if (!found.active) return;
    found.active = false;
    const count = (this.#linkCounts.get(found.linkName) ?? 1) - 1;
    this.#linkCounts.set(found.linkName, count);
    if (count === 0) this.#kernel.io.deleteSymbolicLink(found.linkName);
    this.#announce(found, GUID_DEVICE_INTERFACE_REMOVAL, 'interface removal');
  }

  #announce(found: DeviceInterface, event: string, what: string): void {
    if ((this.#kernel.trace.mask & TraceKind.Pnp) !== 0) {
      this.#kernel.trace.emit(TraceKind.Pnp, 'I', 'PnP manager', what, { link: found.symbolicLinkName });
    }
    const { classGuid: interfaceClassGuid, symbolicLinkName } = found;
    for (const listener of [...this.#listeners]) {
      if (listener.classGuid === interfaceClassGuid)
        listener.notify({ event, interfaceClassGuid, symbolicLinkName });
    }
  }
}

function isRunning(pdo: DEVICE_OBJECT): boolean {
  const state = pdo.deviceNode?.state;
  return state === 'DeviceNodeStarted' || state === 'DeviceNodeQueryStopped' || state === 'DeviceNodeStopped';
}

/** Registry form in upper case. Throws STATUS_INVALID_PARAMETER for anything else. */
export function canonicalGuid(text: string): string {
  const upper = text.toUpperCase();
  if (!/^\{[0-9A-F]{8}(-[0-9A-F]{4}){3}-[0-9A-F]{12}\}$/.test(upper)) {
    throw new NtError(STATUS_INVALID_PARAMETER, `'${text}' is no GUID in registry form`);
  }
  return upper;
}

/** `\\?\X` and `\??\X` are one name, in any case. */
function normalize(symbolicLinkName: string): string {
  return symbolicLinkName.replace(/^\\\\\?\\/, '\\??\\').toUpperCase();
}

/** `##?#PCI#…#{guid}`: the name of a device's key below its interface class. */
function keyName(linkName: string): string {
  return linkName.replace(/^\\\?\?\\/, '##?#');
}

/**
 * IoRegisterDeviceInterface: an instance of the interface class on a device, disabled at first; the symbolic link name that it will
 * have. Registering again gives the same name. Throws STATUS_INVALID_DEVICE_REQUEST for a device that is no PDO, or a reference
 * string with a path separator. IRQL = PASSIVE_LEVEL.
 */
export function ioRegisterDeviceInterface(
  physicalDeviceObject: DEVICE_OBJECT,
  interfaceClassGuid: string,
  referenceString: string | null = null,
): string {
  requireIrql(PASSIVE_LEVEL, 'IoRegisterDeviceInterface');
  return currentKernel().deviceInterfaces.register(physicalDeviceObject, interfaceClassGuid, referenceString)
    .symbolicLinkName;
}

/**
 * IoSetDeviceInterfaceState: enables or disables an interface. Enabled while its device starts, it appears when the start is
 * complete. STATUS_OBJECT_NAME_EXISTS when it was enabled already; throws STATUS_OBJECT_NAME_NOT_FOUND for an unknown name or when
 * one is disabled that was not enabled. IRQL = PASSIVE_LEVEL.
 */
export function ioSetDeviceInterfaceState(symbolicLinkName: string, enable: boolean): NTSTATUS {
  requireIrql(PASSIVE_LEVEL, 'IoSetDeviceInterfaceState');
  return currentKernel().deviceInterfaces.setState(symbolicLinkName, enable);
}

/** IoGetDeviceInterfaces: symbolic link names of a class's interfaces, those of one device if given. IRQL = PASSIVE_LEVEL. */
export function ioGetDeviceInterfaces(
  interfaceClassGuid: string,
  physicalDeviceObject: DEVICE_OBJECT | null = null,
  flags = 0,
): string[] {
  requireIrql(PASSIVE_LEVEL, 'IoGetDeviceInterfaces');
  const all = (flags & DEVICE_INTERFACE_INCLUDE_NONACTIVE) !== 0;
  return currentKernel().deviceInterfaces.list(interfaceClassGuid, physicalDeviceObject, all);
}

/**
 * IoOpenDeviceInterfaceRegistryKey: the interface's key for values of drivers and of the INF. Throws STATUS_INVALID_PARAMETER for a
 * name that is no symbolic link, STATUS_OBJECT_PATH_NOT_FOUND for an unknown one. IRQL = PASSIVE_LEVEL.
 */
export function ioOpenDeviceInterfaceRegistryKey(
  symbolicLinkName: string,
  desiredAccess: number,
): RegistryHandle {
  requireIrql(PASSIVE_LEVEL, 'IoOpenDeviceInterfaceRegistryKey');
  if (!/^\\(\?\?|\\\?)\\./.test(symbolicLinkName))
    throw new NtError(STATUS_INVALID_PARAMETER, symbolicLinkName);
  const key = currentKernel().deviceInterfaces.parametersKey(symbolicLinkName);
  if (key === null) throw new NtError(STATUS_OBJECT_PATH_NOT_FOUND, symbolicLinkName);
  return newRegistryHandle(key, desiredAccess);
}

/**
 * IoRegisterPlugPlayNotification for EventCategoryDeviceInterfaceChange: `callback` is called at PASSIVE_LEVEL, from a work item,
 * for every interface of the class that comes or goes; with PNPNOTIFY_DEVICE_INTERFACE_INCLUDE_EXISTING_INTERFACES also for those
 * that are there. IRQL = PASSIVE_LEVEL.
 */
export function ioRegisterPlugPlayNotification(
  eventCategoryFlags: number,
  interfaceClassGuid: string,
  driverObject: DRIVER_OBJECT,
  callback: (notification: DEVICE_INTERFACE_CHANGE_NOTIFICATION, context: unknown) => void,
  context: unknown = null,
): PlugPlayNotificationEntry {
  requireIrql(PASSIVE_LEVEL, 'IoRegisterPlugPlayNotification');
  const kernel = currentKernel();
  const driver = driverObject.shortName;
  const listener: Listener = {
    classGuid: canonicalGuid(interfaceClassGuid),
    notify: (notification) => {
      const deliver = () => {
        if (entry.registered)
          kernel.callOut(driver, 'PnpNotification', () => callback(notification, context));
      };
      exQueueWorkItem(new WORK_QUEUE_ITEM(deliver, 'PnpNotification'));
    },
  };
  const { deviceInterfaces } = kernel;
  deviceInterfaces.addListener(listener);
  if ((eventCategoryFlags & PNPNOTIFY_DEVICE_INTERFACE_INCLUDE_EXISTING_INTERFACES) !== 0) {
    for (const symbolicLinkName of deviceInterfaces.list(interfaceClassGuid, null, false)) {
      listener.notify({
        event: GUID_DEVICE_INTERFACE_ARRIVAL,
        interfaceClassGuid: listener.classGuid,
        symbolicLinkName,
      });
    }
  }
  const record = kernel.objects.register('PnP notification', `${driver}: ${listener.classGuid}`);
  const entry = new PlugPlayNotificationEntry(() => {
    deviceInterfaces.removeListener(listener);
    kernel.objects.remove(record);
  });
  return entry;
}

/** IoUnregisterPlugPlayNotificationEx: no call comes after it. A second time does nothing. IRQL = PASSIVE_LEVEL. */
export function ioUnregisterPlugPlayNotification(entry: PlugPlayNotificationEntry): void {
  requireIrql(PASSIVE_LEVEL, 'IoUnregisterPlugPlayNotificationEx');
  if (!entry.registered) return;
  entry.registered = false;
  entry.unregister();
}
