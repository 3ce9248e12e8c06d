import { type IUnknown, tryQueryInterface } from '../com/index.ts';
import {
  type DEVICE_OBJECT,
  type DRIVER_OBJECT,
  decodeSz,
  type IRP,
  ioGetDeviceProperty,
  type Kernel,
  NtError,
  PASSIVE_LEVEL,
  REG_SZ,
  requireIrql,
  STATUS_INSUFFICIENT_RESOURCES,
  STATUS_INVALID_DEVICE_REQUEST,
  STATUS_INVALID_PARAMETER,
  STATUS_NOT_FOUND,
  STATUS_OBJECT_NAME_COLLISION,
  STATUS_OBJECT_NAME_INVALID,
} from '../kernel/index.ts';
import { type IAdapterPnpManagement, IID_IAdapterPnpManagement, type IResourceList } from './ddi/index.ts';
import { DeviceLock } from './device-lock.ts';
import { readDriverKeyValue, readStringValue } from './helpers/registry-key.ts';
import { IoTimeouts } from './io-timeouts.ts';
import { PhysicalConnections, type PhysicalPeer } from './physical-connections.ts';
import { portOf } from './port-identity.ts';
import type { PortBase } from './ports/port-base.ts';
import type { PortPin } from './ports/port-handle.ts';
import { AdapterPower } from './power/adapter-power.ts';
import { RuntimePower } from './power/runtime-power.ts';
import { Subdevice } from './subdevice.ts';

/** An adapter's StartDevice routine (PCPFNSTARTDEVICE). Throws NtError to fail the start. PASSIVE_LEVEL. */
export type PCPFNSTARTDEVICE = (deviceObject: DEVICE_OBJECT, irp: IRP, resourceList: IResourceList) => void;

/** Bytes of the device extension that belong to PortCls: 64 pointers, in the 64-bit layout. */
export const PORT_CLASS_DEVICE_EXTENSION_SIZE = 64 * 8;

/**
 * What pcAddAdapterDevice makes the FDO's device extension: PortCls's device, the four pointers (elements 4…7) that drivers may
 * use, and the space behind PORT_CLASS_DEVICE_EXTENSION_SIZE as an object of the driver's.
 */
export class PORT_CLASS_DEVICE_EXTENSION {
  readonly adapterDevice: AdapterDevice;
  readonly driverPointers: [unknown, unknown, unknown, unknown] = [null, null, null, null];
  /** Bytes after PortCls's part, when a larger extension was asked for. */
  readonly driverBytes: Uint8Array;
  /** The same space for whoever wants an object there. */
  driverExtension: unknown = null;

  constructor(adapterDevice: AdapterDevice, driverByteLength: number) {
    this.adapterDevice = adapterDevice;
    this.driverBytes = new Uint8Array(driverByteLength);
  }
}

/** Where the device is in its life. */
export type AdapterDeviceState =
  | 'added'
  | 'started'
  | 'stopPending'
  | 'stopped'
  | 'surpriseRemoved'
  | 'removed';

/** One adapter's functional device: its subdevices, connections, power, and the lock that serialises its requests. */
export class AdapterDevice {
  readonly kernel: Kernel;
  readonly driverName: string;
  readonly physicalDeviceObject: DEVICE_OBJECT;
  readonly startDevice: PCPFNSTARTDEVICE;
  /** How many subdevices pcRegisterSubdevice accepts. */
  readonly maxObjects: number;
  readonly lock = new DeviceLock();
  readonly connections: PhysicalConnections;
  readonly power: AdapterPower;
  readonly ioTimeouts: IoTimeouts;
  readonly runtimePower: RuntimePower;
  /**
   * HKR\DispatchSettings\UsePositionLock, as it was when the device was added: position and packet requests of WaveRT streams
   * are not serialised with the device's other requests (usepositionlock.md).
   */
  readonly usePositionLock: boolean;
  readonly #subdevices: Subdevice[] = [];
  #deviceObject: DEVICE_OBJECT | null = null;
  #lowerDevice: DEVICE_OBJECT | null = null;
  /** Registered by pcRegisterAdapterPnpManagement. */
  pnpManagement: IAdapterPnpManagement | null = null;
  state: AdapterDeviceState = 'added';
  /** Creates that arrived while a stop is pending; they go on when it is cancelled, and fail when the device stops. */
  readonly heldCreates: IRP[] = [];
  /** Handles that are open on the device: filters and pins. */
  openHandles = 0;

  constructor(
    kernel: Kernel,
    driverObject: DRIVER_OBJECT,
    physicalDeviceObject: DEVICE_OBJECT,
    startDevice: PCPFNSTARTDEVICE,
    maxObjects: number,
  ) {
    this.kernel = kernel;
    this.driverName = driverObject.shortName;
    this.physicalDeviceObject = physicalDeviceObject;
    this.startDevice = startDevice;
    this.maxObjects = maxObjects;
    this.connections = new PhysicalConnections(this);
    this.power = new AdapterPower(this);
    this.ioTimeouts = new IoTimeouts(this);
    this.usePositionLock = isSet(this.readDriverValue('DispatchSettings', 'UsePositionLock'));
    this.runtimePower = new RuntimePower(this);
  }

  /** Called once, when the FDO has been attached to its stack. */
  attach(deviceObject: DEVICE_OBJECT, lowerDevice: DEVICE_OBJECT): void {
    this.#deviceObject = deviceObject;
    this.#lowerDevice = lowerDevice;
  }

  get deviceObject(): DEVICE_OBJECT {
    if (this.#deviceObject === null)
      throw new NtError(STATUS_INVALID_DEVICE_REQUEST, 'the device is not attached');
    return this.#deviceObject;
  }

  /** The device below the FDO, to which IRPs are passed on. */
  get lowerDevice(): DEVICE_OBJECT {
    if (this.#lowerDevice === null)
      throw new NtError(STATUS_INVALID_DEVICE_REQUEST, 'the device is not attached');
    return this.#lowerDevice;
  }

  /** The hardware is gone or going: only requests that take streams down succeed. */
  get isGone(): boolean {
    return this.state === 'surpriseRemoved' || this.state === 'removed';
  }

  /** May requests that need hardware run? Not before the start and not after a stop. */
  get isRunning(): boolean {
    return this.state === 'started' || this.state === 'stopPending';
  }

  // ------------------------------------------------------------------ subdevices

  get subdevices(): readonly Subdevice[] {
    return this.#subdevices;
  }

  /** Open pins of all subdevices, those of unregistered ones with open handles included. */
  *pins(): Generator<PortPin> {
    for (const port of this.ports()) yield* port.pins();
  }

  /** Ports that are registered or still have open handles. */
  ports(): Set<PortBase> {
    return this.#ports;
  }

  readonly #ports = new Set<PortBase>();

  /** See pcRegisterSubdevice. */
  registerSubdevice(name: string, unknown: IUnknown): void {
    requireIrql(PASSIVE_LEVEL, 'PcRegisterSubdevice');
    if (name === '' || name.includes('\\')) {
      throw new NtError(STATUS_OBJECT_NAME_INVALID, `'${name}' cannot be a subdevice's reference string`);
    }
    if (this.isGone) throw new NtError(STATUS_INVALID_DEVICE_REQUEST, 'the device is being removed');
    if (this.subdeviceByName(name) !== null) {
      throw new NtError(STATUS_OBJECT_NAME_COLLISION, `the device has a subdevice '${name}' already`);
    }
    if (this.#subdevices.length >= this.maxObjects) {
      throw new NtError(
        STATUS_INSUFFICIENT_RESOURCES,
        `PcAddAdapterDevice was told of at most ${this.maxObjects} subdevices`,
      );
    }
    const port = portOf(unknown);
    if (port === null)
      throw new NtError(STATUS_INVALID_PARAMETER, `'${name}' is not a port made by PcNewPort`);
    if (!port.isInitialised || port.device !== this) {
      throw new NtError(
        STATUS_INVALID_DEVICE_REQUEST,
        `IPort::Init of '${name}' has not succeeded on this device`,
      );
    }
    const subdevice = new Subdevice(this, name, port);
    subdevice.register();
    this.#subdevices.push(subdevice);
    this.#ports.add(port);
  }

  /** See IUnregisterSubdevice. */
  unregisterSubdevice(unknown: IUnknown): void {
    requireIrql(PASSIVE_LEVEL, 'IUnregisterSubdevice::UnregisterSubdevice');
    const subdevice = this.subdeviceOfUnknown(unknown);
    if (subdevice === null) throw new NtError(STATUS_NOT_FOUND, 'the port is not registered as a subdevice');
    this.dropSubdevice(subdevice);
  }

  /** Takes a subdevice off the list and lets go of its port. */
  dropSubdevice(subdevice: Subdevice): void {
    const index = this.#subdevices.indexOf(subdevice);
    if (index < 0) return;
    this.#subdevices.splice(index, 1);
    subdevice.unregister();
    this.forgetIdlePort(subdevice.port);
    subdevice.releasePort();
  }

  /** Forgets a port that is neither registered nor open any more. */
  forgetIdlePort(port: PortBase): void {
    if (port.filters.size === 0 && this.subdeviceOf(port) === null) this.#ports.delete(port);
  }

  subdeviceByName(name: string): Subdevice | null {
    const wanted = name.toLowerCase();
    return this.#subdevices.find((subdevice) => subdevice.name.toLowerCase() === wanted) ?? null;
  }

  subdeviceOf(port: PortBase): Subdevice | null {
    return this.#subdevices.find((subdevice) => subdevice.port === port) ?? null;
  }

  subdeviceOfUnknown(unknown: IUnknown): Subdevice | null {
    const port = portOf(unknown);
    return port === null ? null : this.subdeviceOf(port);
  }

  /** What a pin of a port is wired to, or null. */
  physicalConnection(port: PortBase, pin: number): PhysicalPeer | null {
    return this.connections.peer(port, pin);
  }

  /** See pcRegisterAdapterPnpManagement; a later registration takes the place of an earlier one. */
  registerPnpManagement(unknown: IUnknown): void {
    const found = this.kernel.callOut(
      this.driverName,
      'IUnknown::QueryInterface(IID_IAdapterPnpManagement)',
      () => tryQueryInterface(unknown, IID_IAdapterPnpManagement),
    );
    if (found === null) {
      throw new NtError(STATUS_INVALID_PARAMETER, 'the object has no IAdapterPnpManagement interface');
    }
    this.releasePnpManagement();
    this.pnpManagement = found;
  }

  /** See pcUnregisterAdapterPnpManagement. Throws STATUS_NOT_FOUND without a registration. */
  unregisterPnpManagement(): void {
    if (this.pnpManagement === null)
      throw new NtError(STATUS_NOT_FOUND, 'no IAdapterPnpManagement is registered');
    this.releasePnpManagement();
  }

  releasePnpManagement(): void {
    const held = this.pnpManagement;
    this.pnpManagement = null;
    if (held !== null) this.kernel.callOut(this.driverName, 'IUnknown::Release', () => held.release());
  }

  // ------------------------------------------------------------------ registry and properties

  /** See pcGetDeviceProperty. */
  getDeviceProperty(deviceProperty: Parameters<typeof ioGetDeviceProperty>[1]): Uint8Array {
    return ioGetDeviceProperty(this.physicalDeviceObject, deviceProperty);
  }

  /** A REG_SZ below the device's software key, or null. */
  readDriverString(subkey: string, valueName: string): string | null {
    const value = this.readDriverValue(subkey, valueName);
    return value !== null && value.type === REG_SZ ? decodeSz(value.data) : null;
  }

  /** A value below the device's software key (HKR of an INF's AddReg), or null. */
  readDriverValue(
    subkey: string,
    valueName: string,
  ): { readonly type: number; readonly data: Uint8Array } | null {
    return readDriverKeyValue(this, subkey, valueName);
  }

  /** A REG_SZ anywhere in the registry, or null. */
  readRegistryString(key: string, valueName: string): string | null {
    return readStringValue(key, valueName);
  }
}

/** A registry value that switches something on: its first four bytes are a number of 1 or more. */
function isSet(value: { readonly data: Uint8Array } | null): boolean {
  return value?.data.subarray(0, 4).some((byte) => byte !== 0) ?? false;
}

/** The adapter device behind an FDO; throws STATUS_INVALID_PARAMETER for any other device object. */
export function adapterDevice(deviceObject: DEVICE_OBJECT): AdapterDevice {
  const extension = deviceObject?.deviceExtension;
  if (!(extension instanceof PORT_CLASS_DEVICE_EXTENSION)) {
    throw new NtError(STATUS_INVALID_PARAMETER, 'the device object was not made by PcAddAdapterDevice');
  }
  return extension.adapterDevice;
}
