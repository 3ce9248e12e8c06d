/** The Plug and Play manager: finds devices, gives them drivers and takes them through their states. */
import { BugcheckCode } from './bugcheck.ts';
import { currentKernel } from './current.ts';
import {
  type DEVICE_OBJECT,
  type DRIVER_OBJECT,
  type FILE_OBJECT,
  IRP_MJ_PNP,
  ioDeleteDevice,
} from './device.ts';
import type { IO_PARAMETERS } from './io-stack-location.ts';
import { PASSIVE_LEVEL, requireIrql } from './irql.ts';
import type { Kernel } from './kernel.ts';
import { NtError } from './nt-error.ts';
import {
  type NTSTATUS,
  ntStatusName,
  ntSuccess,
  STATUS_INVALID_DEVICE_REQUEST,
  STATUS_NO_SUCH_DEVICE,
  STATUS_NOT_FOUND,
  STATUS_NOT_SUPPORTED,
  STATUS_SUCCESS,
  STATUS_UNSUCCESSFUL,
} from './ntstatus.ts';
import { childOf, createBusDriver, createChildPdo } from './pnp-bus.ts';
import { DriverLoader } from './pnp-drivers.ts';
import { addValues, findPackage, installOnDevice, instanceKey } from './pnp-install.ts';
import { DeviceNode, type DeviceProblemName } from './pnp-node.ts';
import { sendSystemPowerIrp } from './pnp-power.ts';
import {
  busInformation,
  isDeviceArray,
  isStringArray,
  requirementsList,
  sendPnpIrp,
} from './pnp-requests.ts';
import {
  type DEVICE_NODE,
  type DeviceNodeState,
  type DeviceProblem,
  type DriverPackage,
  IRP_MN_CANCEL_REMOVE_DEVICE,
  IRP_MN_CANCEL_STOP_DEVICE,
  IRP_MN_FILTER_RESOURCE_REQUIREMENTS,
  IRP_MN_QUERY_BUS_INFORMATION,
  IRP_MN_QUERY_CAPABILITIES,
  IRP_MN_QUERY_DEVICE_RELATIONS,
  IRP_MN_QUERY_DEVICE_TEXT,
  IRP_MN_QUERY_ID,
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
  PNP_DEVICE_FAILED,
  type PnpBus,
  PowerSystemWorking,
  type SYSTEM_POWER_STATE,
} from './pnp-types.ts';
import { TraceKind } from './trace.ts';
import { exQueueWorkItem, WORK_QUEUE_ITEM } from './work-item.ts';

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
  readonly #drivers: DriverLoader;
  readonly #awaitingRemoval = new Set<DeviceNode>();
  #started = false;
  #systemPowerState: SYSTEM_POWER_STATE = PowerSystemWorking;

  constructor(kernel: Kernel) {
    this.#kernel = kernel;
    this.#drivers = new DriverLoader(kernel);
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
   * Starts a device that is stopped, was removed or has failed (with its driver added again if need be). Throws its problem's status,
   * STATUS_INVALID_DEVICE_REQUEST in another state.
   */
  startDevice(device: DEVICE_NODE): void {
    this.#kernel.enter(() => {
      const node = this.#own(device);
      if (node.state === 'DeviceNodeStarted') return;
      if (node.state === 'DeviceNodeStopped') {
        node.problem = null;
        this.#startNode(node);
      } else if (node.isRemoved) {
        node.state = 'DeviceNodeInitialized';
        this.#configure(node);
      } else {
        throw new NtError(STATUS_INVALID_DEVICE_REQUEST, `${node.instancePath} is in state ${node.state}`);
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
      const { status, pointer } = sendPnpIrp(pdo, minor, fill);
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
    sendPnpIrp(node.physicalDeviceObject, IRP_MN_QUERY_CAPABILITIES, (p) => {
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
    const loaded = this.#drivers.load(found);
    if (loaded.failure !== null) {
      this.#fail(node, loaded.failure.name, loaded.failure.status, loaded.failure.text);
      return;
    }
    node.driver = loaded.driver;
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
    const failure = this.#drivers.addDevice(loaded.driver, node);
    if (failure !== null) {
      this.#fail(node, failure.name, failure.status, failure.text);
      this.#unloadIfUnused(node);
      return;
    }
    node.state = 'DeviceNodeDriversAdded';
    this.#startNode(node);
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
    const { status } = sendPnpIrp(pdo, IRP_MN_START_DEVICE, (p) => {
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
    const state = sendPnpIrp(pdo, IRP_MN_QUERY_PNP_DEVICE_STATE);
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
    const asked = sendPnpIrp(pdo, IRP_MN_QUERY_RESOURCE_REQUIREMENTS);
    const requirements = ntSuccess(asked.status) ? requirementsList(asked.pointer) : null;
    const filtered = sendPnpIrp(
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
    const { status, pointer } = sendPnpIrp(node.physicalDeviceObject, IRP_MN_QUERY_DEVICE_RELATIONS, (p) => {
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
      sendPnpIrp(node.physicalDeviceObject, IRP_MN_STOP_DEVICE);
      node.state = 'DeviceNodeStopped';
      this.#trace(node, 'device stopped', {});
    });
  }

  /**
   * IRP_MN_QUERY_REMOVE_DEVICE: may the device be removed? Open files, or a device that is not running, are a refusal before any driver
   * is asked. Children are asked first. Until {@link remove} or {@link cancelRemove} nobody can open it.
   */
  queryRemove(device: DEVICE_NODE): PnpAnswer {
    return this.#kernel.enter(() => {
      const node = this.#own(device);
      const asked: DeviceNode[] = [];
      for (const one of node.tree.reverse()) {
        // Nobody drives it: nobody is to be asked.
        if (one.isRemoved) continue;
        const answer = this.#queryRemoveOne(one);
        if (!answer.accepted) {
          for (const other of asked.reverse()) this.cancelRemove(other);
          return answer;
        }
        asked.push(one);
      }
      return ACCEPTED;
    });
  }

  #queryRemoveOne(node: DeviceNode): PnpAnswer {
    const { instancePath, openFiles, state } = node;
    if (openFiles > 0) return refusal(STATUS_UNSUCCESSFUL, `${instancePath} has ${openFiles} open file(s).`);
    // Between stop and start there is no way to removal in the diagram of states.
    if (state !== 'DeviceNodeStarted') {
      return refusal(STATUS_INVALID_DEVICE_REQUEST, `${instancePath} is in state ${state}.`);
    }
    return this.#query(
      node,
      IRP_MN_QUERY_REMOVE_DEVICE,
      IRP_MN_CANCEL_REMOVE_DEVICE,
      'DeviceNodeQueryRemoved',
    );
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
      const files = node.openFiles;
      if (files > 0)
        throw new NtError(STATUS_INVALID_DEVICE_REQUEST, `${node.instancePath} has ${files} open file(s)`);
      for (const one of node.tree.reverse()) this.#removeStack(one, 'DeviceNodeRemoved');
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

  /**
   * Removes all devices, children first, without asking, and unloads their drivers: the machine shuts down. A device that somebody
   * still holds open stays, and the leak report tells.
   */
  removeAll(): void {
    this.#kernel.enter(() => {
      this.processQueuedRemovals();
      const nodes = [...this.#nodes].reverse();
      for (const node of nodes) {
        if (node.openFiles > 0 || node.children.some((child) => !child.isRemoved)) continue;
        this.#removeStack(node, 'DeviceNodeRemoved');
      }
      for (const node of nodes) {
        if (node.isRemoved && this.#nodes.includes(node)) this.#deletePdo(node);
      }
      for (const { driver } of this.#buses) {
        if (driver.deviceObjects.length === 0) this.#kernel.io.deleteDriver(driver);
      }
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
      if (node.openFiles > 0) continue;
      this.#awaitingRemoval.delete(node);
      this.#removeStack(node, 'DeviceNodeRemoved');
    }
  }

  #surpriseRemove(node: DeviceNode): void {
    for (const one of node.tree.reverse()) {
      if (!one.present) continue;
      one.present = false;
      const extension = childOf(one.physicalDeviceObject);
      if (extension !== null) extension.present = false;
      const hasStack = one.physicalDeviceObject.attachedDevice !== null;
      const sendable = one.state !== 'DeviceNodeRemoved' && one.state !== 'DeviceNodeInitialized';
      if (hasStack && sendable) {
        sendPnpIrp(one.physicalDeviceObject, IRP_MN_SURPRISE_REMOVAL);
        one.state = 'DeviceNodeAwaitingQueuedRemoval';
      }
      this.#kernel.deviceInterfaces.deviceRemoved(one.physicalDeviceObject);
      one.setProblem(
        'CM_PROB_DEVICE_NOT_THERE',
        STATUS_NO_SUCH_DEVICE,
        'The device was removed while it was in use.',
      );
      this.#trace(one, 'surprise removal', {});
      if (one.openFiles > 0) this.#awaitingRemoval.add(one);
      else this.#removeStack(one, 'DeviceNodeRemoved');
    }
  }

  /** IRP_MN_REMOVE_DEVICE and what must be true afterwards. */
  #removeStack(node: DeviceNode, state: DeviceNodeState): void {
    const pdo = node.physicalDeviceObject;
    const { driver } = node;
    const hadStack = pdo.attachedDevice !== null;
    if (hadStack) {
      sendPnpIrp(pdo, IRP_MN_REMOVE_DEVICE);
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
    if (driver !== null && !this.#nodes.some((other) => other.driver === driver))
      this.#drivers.unload(driver);
  }

  #query(device: DEVICE_NODE, minor: number, cancelMinor: number, state: DeviceNodeState): PnpAnswer {
    return this.#kernel.enter(() => {
      const node = this.#own(device);
      this.#requireState(node, 'DeviceNodeStarted');
      node.state = state;
      const { status } = sendPnpIrp(node.physicalDeviceObject, minor);
      if (ntSuccess(status)) return ACCEPTED;
      sendPnpIrp(node.physicalDeviceObject, cancelMinor);
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
      sendPnpIrp(node.physicalDeviceObject, minor);
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

  #fail(node: DeviceNode, name: DeviceProblemName, status: NTSTATUS, text: string): void {
    node.setProblem(name, status, text);
    this.#trace(node, name, { status: ntStatusName(status), text });
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
