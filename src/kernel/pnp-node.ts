/** Device nodes of the PnP manager's tree. */
import type { DEVICE_OBJECT, DRIVER_OBJECT } from './device.ts';
import type { NTSTATUS } from './ntstatus.ts';
import {
  type DEVICE_CAPABILITIES,
  type DEVICE_NODE,
  type DeviceNodeState,
  type DeviceProblem,
  type DriverPackage,
  newDeviceCapabilities,
  type PNP_BUS_INFORMATION,
} from './pnp-types.ts';
import type { CM_RESOURCE_LIST } from './resources.ts';

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
export type DeviceProblemName = keyof typeof DeviceProblemCode;

/** A device node as the PnP manager changes it. */
export class DeviceNode implements DEVICE_NODE {
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

  /** No driver has the device. */
  get isRemoved(): boolean {
    return this.physicalDeviceObject.attachedDevice === null;
  }

  /** Files open on any device object of the stack. */
  get openFiles(): number {
    let count = 0;
    for (
      let device: DEVICE_OBJECT | null = this.physicalDeviceObject;
      device !== null;
      device = device.attachedDevice
    ) {
      count += device.referenceCount;
    }
    return count;
  }

  /** The node and all below it, parents first. */
  get tree(): DeviceNode[] {
    return [this, ...this.children.flatMap((child) => child.tree)];
  }

  /** Notes why the device does not work; `text` says what happened. */
  setProblem(name: DeviceProblemName, status: NTSTATUS, text: string): void {
    const what = `${this.description === '' ? 'Device' : this.description} (${this.instancePath})`;
    this.problem = { code: DeviceProblemCode[name], name, status, text: `${what}: ${text}` };
  }
}
