/** The Plug and Play manager: finds devices, gives them drivers and takes them through their states. */
import { BugcheckCode } from './bugcheck.ts';
import { currentKernel } from './current.ts';
import {
  type DEVICE_OBJECT,
  DO_DEVICE_INITIALIZING,
  type DRIVER_OBJECT,
  type FILE_OBJECT,
  IRP_MJ_PNP,
  ioDeleteDevice,
  ioGetAttachedDevice,
} from './device.ts';
import { type IO_PARAMETERS, type IRP, ioGetNextIrpStackLocation } from './irp.ts';
import { PASSIVE_LEVEL, requireIrql } from './irql.ts';
import type { Kernel } from './kernel.ts';
import { NtError } from './nt-error.ts';
import {
  type NTSTATUS,
  ntStatus,
  ntStatusName,
  ntSuccess,
  STATUS_DRIVER_UNABLE_TO_LOAD,
  STATUS_INVALID_DEVICE_REQUEST,
  STATUS_NO_SUCH_DEVICE,
  STATUS_NOT_FOUND,
  STATUS_NOT_SUPPORTED,
  STATUS_SUCCESS,
  STATUS_UNSUCCESSFUL,
} from './ntstatus.ts';
import { childOf, createBusDriver, createChildPdo } from './pnp-bus.ts';
import { addValues, findPackage, installOnDevice, installService, instanceKey } from './pnp-install.ts';
import { sendSystemPowerIrp } from './pnp-power.ts';
import {
  type DEVICE_CAPABILITIES,
  type DEVICE_NODE,
  type DeviceNodeState,
  type DeviceProblem,
  type DriverPackage,
  type INTERFACE,
  IRP_MN_CANCEL_REMOVE_DEVICE,
  IRP_MN_CANCEL_STOP_DEVICE,
  IRP_MN_FILTER_RESOURCE_REQUIREMENTS,
  IRP_MN_QUERY_BUS_INFORMATION,
  IRP_MN_QUERY_CAPABILITIES,
  IRP_MN_QUERY_DEVICE_RELATIONS,
  IRP_MN_QUERY_DEVICE_TEXT,
  IRP_MN_QUERY_ID,
  IRP_MN_QUERY_INTERFACE,
  IRP_MN_QUERY_PNP_DEVICE_STATE,
  IRP_MN_QUERY_POWER,
  IRP_MN_QUERY_REMOVE_DEVICE,
  IRP_MN_QUERY_RESOURCE_REQUIREMENTS,
  IRP_MN_QUERY_STOP_DEVICE,
  IRP_MN_REMOVE_DEVICE,
  IRP_MN_SET_POWER,
  IRP_MN_START_DEVICE,
  IRP_MN_STOP_DEVICE,
  IRP_MN_SURPRISE_REMOVAL,
  irpMinorName,
  newDeviceCapabilities,
  type PNP_BUS_INFORMATION,
  PNP_DEVICE_FAILED,
  type PnpBus,
  PowerSystemWorking,
  type SYSTEM_POWER_STATE,
} from './pnp-types.ts';
import type { CM_RESOURCE_LIST, IO_RESOURCE_REQUIREMENTS_LIST } from './resources.ts';
import { TraceKind } from './trace.ts';
import { exQueueWorkItem, WORK_QUEUE_ITEM } from './work-item.ts';

/** CM_PROB_* codes that occur here. */
export const DeviceProblemCode = {
  CM_PROB_FAILED_START: 10,
  CM_PROB_NORMAL_CONFLICT: 12,
  CM_PROB_WILL_BE_REMOVED: 21,
  CM_PROB_DISABLED: 22,
  CM_PROB_DEVICE_NOT_THERE: 24,
  CM_PROB_FAILED_INSTALL: 28,
  CM_PROB_FAILED_ADD: 31,
  CM_PROB_FAILED_DRIVER_ENTRY: 37,
  CM_PROB_FAILED_POST_START: 43,
} as const;
type DeviceProblemName = keyof typeof DeviceProblemCode;

class DeviceNode implements DEVICE_NODE {
  readonly instancePath: string;
  readonly physicalDeviceObject: DEVICE_OBJECT;
  readonly parent: DeviceNode | null;
  readonly busDevice: string | null;
  readonly hardwareIds: readonly string[];
  readonly compatibleIds: readonly string[];
  readonly description: string;
  readonly location: string;
  readonly bus: PNP_BUS_INFORMATION | null;
  readonly children: DeviceNode[] = [];
  state: DeviceNodeState = 'DeviceNodeInitialized';
  problem: DeviceProblem | null = null;
  package: DriverPackage | null = null;
  driver: DRIVER_OBJECT | null = null;
  capabilities: DEVICE_CAPABILITIES = newDeviceCapabilities();
  allocatedResources: CM_RESOURCE_LIST | null = null;
  allocatedResourcesTranslated: CM_RESOURCE_LIST | null = null;
  /** The hardware is gone: the PDO goes with the stack. */
  present = true;
  stateBefore: DeviceNodeState = 'DeviceNodeInitialized';

  constructor(
    pdo: DEVICE_OBJECT,
    parent: DeviceNode | null,
    busDevice: string | null,
    ids: { instancePath: string; hardwareIds: readonly string[]; compatibleIds: readonly string[] },
    texts: { description: string; location: string; bus: PNP_BUS_INFORMATION | null },
  ) {
    this.physicalDeviceObject = pdo;
    this.parent = parent;
    this.busDevice = busDevice;
    this.instancePath = ids.instancePath;
    this.hardwareIds = ids.hardwareIds;
    this.compatibleIds = ids.compatibleIds;
    this.description = texts.description;
    this.location = texts.location;
    this.bus = texts.bus;
  }

  get driverName(): string | null {
    return this.package?.name ?? null;
  }
}

/** The answer to a question that drivers may say no to: who was asked and what the stack answered. */
export interface PnpAnswer {
  readonly accepted: boolean;
  readonly status: NTSTATUS;
  /** Why not, in a sentence; '' when accepted. */
  readonly text: string;
}

interface BusEntry {
  readonly bus: PnpBus;
  readonly driver: DRIVER_OBJECT;
}

/** The PnP manager of one kernel. All methods at PASSIVE_LEVEL, within {@link Kernel.enter} or from outside. */
export class PnpManager {
  readonly #kernel: Kernel;
  readonly #buses: BusEntry[] = [];
  readonly #packages: DriverPackage[] = [];
  readonly #nodes: DeviceNode[] = [];
  readonly #services = new Map<string, DRIVER_OBJECT>();
  readonly #awaitingRemoval = new Set<DeviceNode>();
  #started = false;
  #systemPowerState: SYSTEM_POWER_STATE = PowerSystemWorking;

  constructor(kernel: Kernel) {
    this.#kernel = kernel;
  }

  // ---- what there is

  /** Gives the machine a bus; its devices are looked for by {@link start} or {@link reenumerate}. */
  addBus(bus: PnpBus): void {
    this.#kernel.enter(() => this.#buses.push({ bus, driver: createBusDriver(this.#kernel, bus.name) }));
  }

  /** Installs a driver package. Devices that have no driver try it at once if the machine has started. */
  installDriver(driverPackage: DriverPackage): void {
    this.#packages.push(driverPackage);
    if (!this.#started) return;
    this.#kernel.enter(() => {
      for (const node of [...this.#nodes]) {
        if (node.package === null && node.state === 'DeviceNodeInitialized') this.#configure(node);
      }
    });
  }

  /** All device nodes, parents before children. */
  get devices(): readonly DEVICE_NODE[] {
    return this.#nodes;
  }

  /** A device by bus device id (`pci:00:05.0`) or instance path, in any case; null when there is none. */
  findDevice(name: string): DEVICE_NODE | null {
    return this.#find(name);
  }

  /** Devices that do not work, and why. */
  get problems(): readonly { readonly device: DEVICE_NODE; readonly problem: DeviceProblem }[] {
    return this.#nodes.flatMap((device) =>
      device.problem === null ? [] : [{ device, problem: device.problem }],
    );
  }

  /** Device manager as text: one line a device, and one for its problem. */
  report(): string {
    return this.#nodes
      .map((node) => {
        const driver = node.driverName ?? 'no driver';
        const line = `${node.instancePath} (${node.description}): ${driver}, ${node.state}\n`;
        return node.problem === null
          ? line
          : `${line}  ${node.problem.name} (${node.problem.code}): ${node.problem.text}\n`;
      })
      .join('');
  }

  // ---- starting

  /** Looks for the devices of all buses, loads their drivers and starts them. A device that fails has a {@link problems} entry. */
  start(): void {
    this.#started = true;
    this.reenumerate();
  }

  /** Looks at all buses again: new devices get drivers, those that are gone are removed by surprise. */
  reenumerate(): void {
    this.#kernel.enter(() => {
      requireIrql(PASSIVE_LEVEL, 'PnP enumeration');
      const fresh: DeviceNode[] = [];
      for (const { bus, driver } of this.#buses) {
        const children = bus.enumerate();
        const names = new Set(children.map((child) => child.busDevice));
        for (const node of [...this.#nodes]) {
          const known = childOf(node.physicalDeviceObject);
          if (node.physicalDeviceObject.driverObject !== driver || known === null || !node.present) continue;
          if (!names.has(known.child.busDevice)) this.#surpriseRemove(node);
        }
        for (const child of children) {
          if (this.#nodes.some((node) => node.busDevice === child.busDevice && node.present)) continue;
          const number = child.busDevice.replace(/[^0-9A-Za-z]+/g, '_');
          fresh.push(
            this.#newNode(createChildPdo(driver, child, this.#pdoName(number)), null, child.busDevice),
          );
        }
      }
      for (const node of fresh) this.#configure(node);
    });
  }

  /**
   * IoInvalidateDeviceRelations: the children of a device, whose driver is a bus driver, have changed. New ones are configured, those
   * that are no longer reported are removed.
   */
  invalidateDeviceRelations(pdo: DEVICE_OBJECT): void {
    this.#kernel.enter(() => {
      const node = this.#nodeOf(pdo);
      if (node.state === 'DeviceNodeStarted') this.#enumerateChildren(node);
    });
  }

  /**
   * Starts a device that is stopped, was removed or has failed (with its driver added again if need be). Throws its problem's status.
   */
  startDevice(device: DEVICE_NODE): void {
    this.#kernel.enter(() => {
      const node = this.#own(device);
      if (node.state === 'DeviceNodeStarted') return;
      node.problem = null;
      if (node.state === 'DeviceNodeStopped') this.#startNode(node);
      else {
        node.state = 'DeviceNodeInitialized';
        this.#configure(node);
      }
      const { problem } = node as { problem: DeviceProblem | null };
      if (problem !== null) throw new NtError(problem.status, problem.text);
    });
  }

  // Names under \Device must be unique even while a removed device's PDO lives on.
  #pdoName(number: string): string {
    const base = `\\Device\\NTPNP_${number.toUpperCase()}`;
    for (let i = 0; ; i++) {
      const name = i === 0 ? base : `${base}_${i}`;
      if (!this.#nodes.some((node) => node.physicalDeviceObject.name === name)) return name;
    }
  }

  #newNode(pdo: DEVICE_OBJECT, parent: DeviceNode | null, busDevice: string | null): DeviceNode {
    const text = (value: unknown) => (typeof value === 'string' ? value : '');
    const list = (value: unknown) => (isStringArray(value) ? value : []);
    const ask = (minor: number, fill?: (parameters: IO_PARAMETERS) => void) => {
      const { status, pointer } = this.#ask(pdo, minor, fill);
      return ntSuccess(status) ? pointer : null;
    };
    const id = (idType: IO_PARAMETERS['idType']) =>
      ask(IRP_MN_QUERY_ID, (p) => {
        p.idType = idType;
      });
    const deviceText = (type: IO_PARAMETERS['deviceTextType']) =>
      text(
        ask(IRP_MN_QUERY_DEVICE_TEXT, (p) => {
          p.deviceTextType = type;
          p.localeId = 0x409;
        }),
      );
    const instanceId = text(id('BusQueryInstanceID'));
    const node = new DeviceNode(
      pdo,
      parent,
      busDevice,
      {
        instancePath: `${text(id('BusQueryDeviceID'))}\\${instanceId}`,
        hardwareIds: list(id('BusQueryHardwareIDs')),
        compatibleIds: list(id('BusQueryCompatibleIDs')),
      },
      {
        description: deviceText('DeviceTextDescription'),
        location: deviceText('DeviceTextLocationInformation'),
        bus: busInformation(ask(IRP_MN_QUERY_BUS_INFORMATION)),
      },
    );
    pdo.deviceNode = node;
    parent?.children.push(node);
    this.#nodes.push(node);
    this.#queryCapabilities(node);
    const key = instanceKey(this.#kernel.registry, node.instancePath);
    key.set('HardwareID', node.hardwareIds);
    key.set('CompatibleIDs', node.compatibleIds);
    key.set('LocationInformation', node.location);
    if (key.getString('DeviceDesc') === null) key.set('DeviceDesc', node.description);
    key.set('Address', node.capabilities.address);
    this.#trace(node, 'device found', {});
    return node;
  }

  #queryCapabilities(node: DeviceNode): void {
    const capabilities = newDeviceCapabilities();
    this.#ask(node.physicalDeviceObject, IRP_MN_QUERY_CAPABILITIES, (p) => {
      p.capabilities = capabilities;
    });
    node.capabilities = capabilities;
  }

  /** Driver, AddDevice, start: as far as it goes. */
  #configure(node: DeviceNode): void {
    const { registry } = this.#kernel;
    if ((instanceKey(registry, node.instancePath).getDword('ConfigFlags') ?? 0) & 1) {
      this.#fail(node, 'CM_PROB_DISABLED', STATUS_UNSUCCESSFUL, 'The device is disabled.');
      return;
    }
    const found = findPackage(this.#packages, node.hardwareIds, node.compatibleIds);
    if (found === null) {
      this.#fail(
        node,
        'CM_PROB_FAILED_INSTALL',
        STATUS_NOT_FOUND,
        `No driver package names ${node.hardwareIds[0] ?? 'it'}.`,
      );
      return;
    }
    node.problem = null;
    node.package = found;
    installOnDevice(registry, node.instancePath, found, node.description);
    const driver = this.#loadDriver(node, found);
    if (driver === null) return;
    node.driver = driver;
    for (const { classGuid, referenceString, values } of found.interfaces ?? []) {
      const { deviceInterfaces } = this.#kernel;
      const { symbolicLinkName } = deviceInterfaces.register(
        node.physicalDeviceObject,
        classGuid,
        referenceString,
      );
      const key = deviceInterfaces.parametersKey(symbolicLinkName);
      if (key !== null && key.valueCount === 0) addValues(key, values);
    }
    if (!this.#addDevice(node, driver)) return;
    this.#startNode(node);
  }

  #loadDriver(node: DeviceNode, found: DriverPackage): DRIVER_OBJECT | null {
    const key = found.name.toUpperCase();
    const loaded = this.#services.get(key);
    if (loaded !== undefined) return loaded;
    const registryPath = installService(this.#kernel.registry, found);
    const driver = this.#kernel.io.createDriver(found.name);
    const status = this.#call(driver, 'DriverEntry', () => found.driverEntry(driver, registryPath));
    if (!ntSuccess(status)) {
      this.#kernel.io.deleteDriver(driver);
      this.#checkNothingLeft(driver, 'DriverEntry failed');
      this.#fail(
        node,
        'CM_PROB_FAILED_DRIVER_ENTRY',
        status,
        `DriverEntry of driver '${found.name}' failed with ${ntStatusName(status)}.`,
      );
      return null;
    }
    if (driver.driverExtension.addDevice === null) {
      this.#kernel.io.deleteDriver(driver);
      this.#fail(
        node,
        'CM_PROB_FAILED_ADD',
        STATUS_DRIVER_UNABLE_TO_LOAD,
        `DriverEntry of driver '${found.name}' set no AddDevice routine.`,
      );
      return null;
    }
    this.#services.set(key, driver);
    return driver;
  }

  #addDevice(node: DeviceNode, driver: DRIVER_OBJECT): boolean {
    const pdo = node.physicalDeviceObject;
    const { addDevice } = driver.driverExtension;
    if (addDevice === null) return false;
    const status = this.#call(driver, 'AddDevice', () => addDevice(driver, pdo));
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
      this.#fail(
        node,
        'CM_PROB_FAILED_ADD',
        status,
        `AddDevice of driver '${driver.shortName}' failed with ${ntStatusName(status)}.`,
      );
      this.#unloadIfUnused(node);
      return false;
    }
    if (pdo.attachedDevice === null && !node.capabilities.rawDeviceOK) {
      this.#fail(
        node,
        'CM_PROB_FAILED_ADD',
        STATUS_UNSUCCESSFUL,
        `AddDevice of driver '${driver.shortName}' attached no device object to the stack.`,
      );
      this.#unloadIfUnused(node);
      return false;
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
    node.state = 'DeviceNodeDriversAdded';
    return true;
  }

  #startNode(node: DeviceNode): void {
    const pdo = node.physicalDeviceObject;
    const restarting = node.state === 'DeviceNodeStopped';
    try {
      this.#assignResources(node);
    } catch (error) {
      if (!(error instanceof NtError)) throw error;
      this.#failStart(
        node,
        'CM_PROB_NORMAL_CONFLICT',
        error.status,
        `Its resources could not be assigned: ${error.message}.`,
      );
      return;
    }
    if (!restarting) node.state = 'DeviceNodeResourcesAssigned';
    const { status } = this.#ask(pdo, IRP_MN_START_DEVICE, (p) => {
      p.allocatedResources = node.allocatedResources;
      p.allocatedResourcesTranslated = node.allocatedResourcesTranslated;
    });
    const driver = node.package?.name ?? '';
    if (!ntSuccess(status)) {
      this.#failStart(
        node,
        'CM_PROB_FAILED_START',
        status,
        `IRP_MN_START_DEVICE failed with ${ntStatusName(status)} in the stack of driver '${driver}'.`,
      );
      return;
    }
    node.state = 'DeviceNodeStarted';
    this.#queryCapabilities(node);
    const state = this.#ask(pdo, IRP_MN_QUERY_PNP_DEVICE_STATE);
    if (ntSuccess(state.status) && (state.information & PNP_DEVICE_FAILED) !== 0) {
      this.#failStart(
        node,
        'CM_PROB_FAILED_POST_START',
        STATUS_UNSUCCESSFUL,
        `Driver '${driver}' started the device and then said that it has failed (IRP_MN_QUERY_PNP_DEVICE_STATE).`,
      );
      return;
    }
    this.#trace(node, 'device started', {});
    this.#kernel.deviceInterfaces.deviceStarted(pdo);
    if (!restarting) this.#enumerateChildren(node);
  }

  #assignResources(node: DeviceNode): void {
    const pdo = node.physicalDeviceObject;
    const asked = this.#ask(pdo, IRP_MN_QUERY_RESOURCE_REQUIREMENTS);
    const requirements = ntSuccess(asked.status) ? requirementsList(asked.pointer) : null;
    const filtered = this.#ask(
      pdo,
      IRP_MN_FILTER_RESOURCE_REQUIREMENTS,
      (p) => {
        p.ioResourceRequirementList = requirements;
      },
      requirements,
    );
    const wanted = ntSuccess(filtered.status) ? requirementsList(filtered.pointer) : requirements;
    const assigned = childOf(pdo)?.child.assignResources(wanted) ?? null;
    node.allocatedResources = assigned?.raw ?? null;
    node.allocatedResourcesTranslated = assigned?.translated ?? null;
  }

  #failStart(node: DeviceNode, name: DeviceProblemName, status: NTSTATUS, text: string): void {
    this.#fail(node, name, status, text);
    this.#removeStack(node, 'DeviceNodeInitialized');
  }

  #enumerateChildren(node: DeviceNode): void {
    const { status, pointer } = this.#ask(node.physicalDeviceObject, IRP_MN_QUERY_DEVICE_RELATIONS, (p) => {
      p.deviceRelationType = 'BusRelations';
    });
    if (!ntSuccess(status) || !isDeviceArray(pointer)) return;
    for (const child of [...node.children]) {
      if (!pointer.includes(child.physicalDeviceObject)) this.#surpriseRemove(child);
    }
    const fresh = pointer
      .filter((pdo) => pdo.deviceNode === null)
      .map((pdo) => this.#newNode(pdo, node, node.busDevice));
    for (const child of fresh) this.#configure(child);
  }

  // ---- stopping and removing

  /** IRP_MN_QUERY_STOP_DEVICE: may the device be stopped, to give it other resources? A refusal is followed by the cancel request. */
  queryStop(device: DEVICE_NODE): PnpAnswer {
    return this.#query(device, IRP_MN_QUERY_STOP_DEVICE, IRP_MN_CANCEL_STOP_DEVICE, 'DeviceNodeQueryStopped');
  }

  /** IRP_MN_CANCEL_STOP_DEVICE: it goes on as before. Throws STATUS_INVALID_DEVICE_REQUEST unless {@link queryStop} went before. */
  cancelStop(device: DEVICE_NODE): void {
    this.#cancel(device, IRP_MN_CANCEL_STOP_DEVICE, 'DeviceNodeQueryStopped');
  }

  /** IRP_MN_STOP_DEVICE after {@link queryStop}; {@link startDevice} starts it again. Throws STATUS_INVALID_DEVICE_REQUEST. */
  stop(device: DEVICE_NODE): void {
    this.#kernel.enter(() => {
      const node = this.#own(device);
      this.#requireState(node, 'DeviceNodeQueryStopped');
      this.#ask(node.physicalDeviceObject, IRP_MN_STOP_DEVICE);
      node.state = 'DeviceNodeStopped';
      this.#trace(node, 'device stopped', {});
    });
  }

  /**
   * IRP_MN_QUERY_REMOVE_DEVICE: may the device be removed? Open files are a refusal before any driver is asked. Children are asked
   * first. Until {@link remove} or {@link cancelRemove} nobody can open it.
   */
  queryRemove(device: DEVICE_NODE): PnpAnswer {
    return this.#kernel.enter(() => {
      const node = this.#own(device);
      const asked: DeviceNode[] = [];
      for (const one of this.#tree(node).reverse()) {
        if (one.state !== 'DeviceNodeStarted') continue;
        const files = openFiles(one.physicalDeviceObject);
        const answer =
          files > 0
            ? refusal(STATUS_UNSUCCESSFUL, `${one.instancePath} has ${files} open file(s).`)
            : this.#query(
                one,
                IRP_MN_QUERY_REMOVE_DEVICE,
                IRP_MN_CANCEL_REMOVE_DEVICE,
                'DeviceNodeQueryRemoved',
              );
        if (!answer.accepted) {
          for (const other of asked.reverse()) this.cancelRemove(other);
          return answer;
        }
        asked.push(one);
      }
      return ACCEPTED;
    });
  }

  /** IRP_MN_CANCEL_REMOVE_DEVICE. Throws STATUS_INVALID_DEVICE_REQUEST unless {@link queryRemove} went before. */
  cancelRemove(device: DEVICE_NODE): void {
    this.#cancel(device, IRP_MN_CANCEL_REMOVE_DEVICE, 'DeviceNodeQueryRemoved');
  }

  /**
   * IRP_MN_REMOVE_DEVICE for a device and its children: drivers detach and delete their device objects. The PDO stays while the
   * hardware is there; {@link startDevice} begins anew. Throws STATUS_INVALID_DEVICE_REQUEST while files are open.
   */
  remove(device: DEVICE_NODE): void {
    this.#kernel.enter(() => {
      const node = this.#own(device);
      const files = openFiles(node.physicalDeviceObject);
      if (files > 0)
        throw new NtError(STATUS_INVALID_DEVICE_REQUEST, `${node.instancePath} has ${files} open file(s)`);
      for (const one of this.#tree(node).reverse()) this.#removeStack(one, 'DeviceNodeRemoved');
    });
  }

  /** Asks for the removal of a device and removes it: device manager's "disable" without the flag. */
  queryAndRemove(device: DEVICE_NODE): PnpAnswer {
    const answer = this.queryRemove(device);
    if (answer.accepted) this.remove(device);
    return answer;
  }

  /**
   * The hardware is gone (`busDevice` or instance path): IRP_MN_SURPRISE_REMOVAL now, IRP_MN_REMOVE_DEVICE when the last file is
   * closed. Throws STATUS_NO_SUCH_DEVICE.
   */
  surpriseRemove(name: string): void {
    this.#kernel.enter(() => {
      const node = this.#find(name);
      if (node === null) throw new NtError(STATUS_NO_SUCH_DEVICE, name);
      this.#surpriseRemove(node);
    });
  }

  /** Removes all devices, children first, without asking: the system shuts down. Open files must have been closed. */
  removeAll(): void {
    this.#kernel.enter(() => {
      this.processQueuedRemovals();
      for (const node of [...this.#nodes].reverse()) {
        if (node.state !== 'DeviceNodeAwaitingQueuedRemoval') this.#removeStack(node, 'DeviceNodeRemoved');
      }
      for (const node of [...this.#nodes].reverse()) {
        if (node.state === 'DeviceNodeRemoved' && !node.physicalDeviceObject.deletePending)
          this.#deletePdo(node);
      }
      for (const { driver } of this.#buses) this.#kernel.io.deleteDriver(driver);
    });
  }

  /** For the I/O manager: a file was closed; a device may have waited for that. */
  fileClosed(file: FILE_OBJECT): void {
    if (this.#awaitingRemoval.size === 0 || file.deviceObject.deviceNode === null) return;
    // A driver's code may be on the stack here, and its remove lock held.
    exQueueWorkItem(new WORK_QUEUE_ITEM(() => this.processQueuedRemovals(), 'PnP queued removal'));
  }

  /** Removes the devices that are gone and have no open files any more. PASSIVE_LEVEL, no driver's code on the stack. */
  processQueuedRemovals(): void {
    for (const node of [...this.#awaitingRemoval]) {
      if (openFiles(node.physicalDeviceObject) > 0) continue;
      this.#awaitingRemoval.delete(node);
      this.#removeStack(node, 'DeviceNodeRemoved');
    }
  }

  #surpriseRemove(node: DeviceNode): void {
    for (const one of this.#tree(node).reverse()) {
      if (!one.present) continue;
      one.present = false;
      const extension = childOf(one.physicalDeviceObject);
      if (extension !== null) extension.present = false;
      const hasStack = one.physicalDeviceObject.attachedDevice !== null;
      const sendable = one.state !== 'DeviceNodeRemoved' && one.state !== 'DeviceNodeInitialized';
      if (hasStack && sendable) {
        this.#ask(one.physicalDeviceObject, IRP_MN_SURPRISE_REMOVAL);
        one.state = 'DeviceNodeAwaitingQueuedRemoval';
      }
      this.#kernel.deviceInterfaces.deviceRemoved(one.physicalDeviceObject);
      this.#setProblem(
        one,
        'CM_PROB_DEVICE_NOT_THERE',
        STATUS_NO_SUCH_DEVICE,
        'The device was removed while it was in use.',
      );
      this.#trace(one, 'surprise removal', {});
      if (openFiles(one.physicalDeviceObject) > 0) this.#awaitingRemoval.add(one);
      else this.#removeStack(one, 'DeviceNodeRemoved');
    }
  }

  /** IRP_MN_REMOVE_DEVICE and what must be true afterwards. */
  #removeStack(node: DeviceNode, state: DeviceNodeState): void {
    const pdo = node.physicalDeviceObject;
    const { driver } = node;
    const hadStack = pdo.attachedDevice !== null;
    if (hadStack) {
      this.#ask(pdo, IRP_MN_REMOVE_DEVICE);
      if (pdo.attachedDevice !== null) {
        this.#kernel.bugcheck(
          BugcheckCode.DRIVER_VERIFIER_DETECTED_VIOLATION,
          [0x0, 0, 0, 0],
          `After IRP_MN_REMOVE_DEVICE, ${pdo.attachedDevice.displayName} is still attached to ${node.instancePath}; the driver must call IoDetachDevice and IoDeleteDevice.`,
          { driver: pdo.attachedDevice.driverObject.shortName, method: 'IRP_MN_REMOVE_DEVICE' },
        );
      }
    }
    this.#kernel.deviceInterfaces.deviceRemoved(pdo);
    node.state = state;
    node.allocatedResources = null;
    node.allocatedResourcesTranslated = null;
    if (hadStack) this.#trace(node, 'device removed', {});
    if (driver !== null) this.#unloadIfUnused(node);
    if (!node.present) this.#deletePdo(node);
  }

  #deletePdo(node: DeviceNode): void {
    const pdo = node.physicalDeviceObject;
    this.#kernel.deviceInterfaces.deviceDeleted(pdo);
    if (!pdo.deletePending && childOf(pdo) !== null) ioDeleteDevice(pdo);
    const index = this.#nodes.indexOf(node);
    if (index >= 0) this.#nodes.splice(index, 1);
    const siblings = node.parent?.children;
    siblings?.splice(siblings.indexOf(node), 1);
  }

  #unloadIfUnused(node: DeviceNode): void {
    const { driver } = node;
    node.driver = null;
    if (driver === null || driver.deviceObjects.length > 0) return;
    if (this.#nodes.some((other) => other.driver === driver)) return;
    const { driverUnload } = driver;
    // A driver without an Unload routine stays in memory and serves the next device.
    if (driverUnload === null) return;
    this.#call(driver, 'DriverUnload', () => driverUnload(driver));
    this.#services.delete(driver.shortName.toUpperCase());
    this.#kernel.io.deleteDriver(driver);
    this.#checkNothingLeft(driver, 'DriverUnload');
  }

  #checkNothingLeft(driver: DRIVER_OBJECT, when: string): void {
    if (driver.deviceObjects.length === 0) return;
    this.#kernel.trace.finding(driver.shortName, `${when}: device objects are left.`, {
      devices: driver.deviceObjects.map((device) => device.displayName).join(', '),
    });
  }

  #query(device: DEVICE_NODE, minor: number, cancelMinor: number, state: DeviceNodeState): PnpAnswer {
    return this.#kernel.enter(() => {
      const node = this.#own(device);
      this.#requireState(node, 'DeviceNodeStarted');
      node.state = state;
      const { status } = this.#ask(node.physicalDeviceObject, minor);
      if (ntSuccess(status)) return ACCEPTED;
      this.#ask(node.physicalDeviceObject, cancelMinor);
      node.state = 'DeviceNodeStarted';
      return refusal(
        status,
        `Driver '${node.driverName ?? ''}' of ${node.instancePath} answered ${irpMinorName(IRP_MJ_PNP, minor)} with ${ntStatusName(status)}.`,
      );
    });
  }

  #cancel(device: DEVICE_NODE, minor: number, state: DeviceNodeState): void {
    this.#kernel.enter(() => {
      const node = this.#own(device);
      this.#requireState(node, state);
      this.#ask(node.physicalDeviceObject, minor);
      node.state = 'DeviceNodeStarted';
    });
  }

  // ---- power

  /** The system's power state. */
  get systemPowerState(): SYSTEM_POWER_STATE {
    return this.#systemPowerState;
  }

  /**
   * Takes the system to another power state: asks all devices (unless `force`, or on the way to PowerSystemWorking), then sets it;
   * children before parents on the way down. After a refusal the working state is set again where the question had been accepted.
   */
  setSystemPowerState(state: SYSTEM_POWER_STATE, force = false, shutdownType = 0): PnpAnswer {
    return this.#kernel.enter(() => {
      const nodes = this.#nodes.filter((node) => node.state === 'DeviceNodeStarted');
      const up = state === PowerSystemWorking;
      const order = up ? nodes : [...nodes].reverse();
      if (!up && !force) {
        for (const [index, node] of order.entries()) {
          const status = sendSystemPowerIrp(
            node.physicalDeviceObject,
            IRP_MN_QUERY_POWER,
            state,
            shutdownType,
          );
          if (ntSuccess(status) || status === STATUS_NOT_SUPPORTED) continue;
          for (const asked of order.slice(0, index + 1).reverse()) {
            sendSystemPowerIrp(asked.physicalDeviceObject, IRP_MN_SET_POWER, this.#systemPowerState, 0);
          }
          return refusal(
            status,
            `Driver '${node.driverName ?? ''}' of ${node.instancePath} answered IRP_MN_QUERY_POWER with ${ntStatusName(status)}.`,
          );
        }
      }
      for (const node of order)
        sendSystemPowerIrp(node.physicalDeviceObject, IRP_MN_SET_POWER, state, shutdownType);
      this.#systemPowerState = state;
      return ACCEPTED;
    });
  }

  // ---- helpers

  /** Sends a PnP IRP to the top of a device's stack and waits; `pointer` and `information` are what came back. */
  #ask(
    pdo: DEVICE_OBJECT,
    minorFunction: number,
    fill: ((parameters: IO_PARAMETERS) => void) | null = null,
    initialPointer: unknown = null,
  ): { status: NTSTATUS; pointer: unknown; information: number } {
    return sendPnpIrp(pdo, minorFunction, fill, initialPointer);
  }

  /** Calls DriverEntry, AddDevice or Unload: its status, whichever way it tells it. */
  #call(driver: DRIVER_OBJECT, method: string, routine: () => unknown): NTSTATUS {
    try {
      const result = this.#kernel.callOut(driver.shortName, method, routine);
      return typeof result === 'number' ? ntStatus(result) : STATUS_SUCCESS;
    } catch (error) {
      if (error instanceof NtError) return error.status;
      throw error;
    }
  }

  #fail(node: DeviceNode, name: DeviceProblemName, status: NTSTATUS, text: string): void {
    this.#setProblem(node, name, status, text);
    this.#trace(node, name, { status: ntStatusName(status), text });
  }

  #setProblem(node: DeviceNode, name: DeviceProblemName, status: NTSTATUS, text: string): void {
    const what = `${node.description === '' ? 'Device' : node.description} (${node.instancePath})`;
    node.problem = { code: DeviceProblemCode[name], name, status, text: `${what}: ${text}` };
  }

  #trace(node: DeviceNode, what: string, data: Readonly<Record<string, string>>): void {
    if ((this.#kernel.trace.mask & TraceKind.Pnp) === 0) return;
    this.#kernel.trace.emit(TraceKind.Pnp, 'I', 'PnP manager', what, { device: node.instancePath, ...data });
  }

  #requireState(node: DeviceNode, state: DeviceNodeState): void {
    if (node.state !== state) {
      throw new NtError(
        STATUS_INVALID_DEVICE_REQUEST,
        `${node.instancePath} is in state ${node.state}, not ${state}`,
      );
    }
  }

  /** A node and all below it, parents first. */
  #tree(node: DeviceNode): DeviceNode[] {
    return [node, ...node.children.flatMap((child) => this.#tree(child))];
  }

  #find(name: string): DeviceNode | null {
    const wanted = name.toUpperCase();
    return (
      this.#nodes.find(
        (node) =>
          node.present &&
          (node.busDevice?.toUpperCase() === wanted || node.instancePath.toUpperCase() === wanted),
      ) ?? null
    );
  }

  #own(device: DEVICE_NODE): DeviceNode {
    return this.#nodeOf(device.physicalDeviceObject);
  }

  #nodeOf(pdo: DEVICE_OBJECT): DeviceNode {
    const node = this.#nodes.find((one) => one.physicalDeviceObject === pdo);
    if (node === undefined) throw new NtError(STATUS_NO_SUCH_DEVICE, pdo.displayName);
    return node;
  }
}

const ACCEPTED: PnpAnswer = { accepted: true, status: STATUS_SUCCESS, text: '' };

function refusal(status: NTSTATUS, text: string): PnpAnswer {
  return { accepted: false, status, text };
}

/** Files open on any device object of a stack. */
function openFiles(pdo: DEVICE_OBJECT): number {
  let count = 0;
  for (let device: DEVICE_OBJECT | null = pdo; device !== null; device = device.attachedDevice)
    count += device.referenceCount;
  return count;
}

function isStringArray(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.every((one) => typeof one === 'string');
}

function isDeviceArray(value: unknown): value is readonly DEVICE_OBJECT[] {
  return (
    Array.isArray(value) &&
    value.every((one) => typeof one === 'object' && one !== null && 'driverObject' in one)
  );
}

function busInformation(value: unknown): PNP_BUS_INFORMATION | null {
  return isObjectWith<PNP_BUS_INFORMATION>(value, 'busTypeGuid') ? value : null;
}

function requirementsList(value: unknown): IO_RESOURCE_REQUIREMENTS_LIST | null {
  return isObjectWith<IO_RESOURCE_REQUIREMENTS_LIST>(value, 'alternativeLists') ? value : null;
}

// What comes back in Information is a pointer whose type the request implies; one member is looked at, so that a driver's
// nonsense is taken for nothing.
function isObjectWith<T extends object>(value: unknown, member: keyof T): value is T {
  return typeof value === 'object' && value !== null && member in value;
}

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

/** IoInvalidateDeviceRelations(BusRelations): the PnP manager asks again from a work item. IRQL ≤ DISPATCH_LEVEL. */
export function ioInvalidateDeviceRelations(physicalDeviceObject: DEVICE_OBJECT): void {
  const { pnp } = currentKernel();
  exQueueWorkItem(
    new WORK_QUEUE_ITEM(
      () => pnp.invalidateDeviceRelations(physicalDeviceObject),
      'IoInvalidateDeviceRelations',
    ),
  );
}
