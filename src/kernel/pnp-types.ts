/** Plug and Play and power: codes, capabilities, device nodes, what buses report and what driver packages contain. */
import { type DEVICE_OBJECT, type DRIVER_INITIALIZE, IRP_MJ_PNP, IRP_MJ_POWER } from './device.ts';
import type { NTSTATUS } from './ntstatus.ts';
import type { RegistryValueData } from './registry-values.ts';
import type { CM_RESOURCE_LIST, INTERFACE_TYPE, IO_RESOURCE_REQUIREMENTS_LIST } from './resources.ts';

export const IRP_MN_START_DEVICE = 0x00;
export const IRP_MN_QUERY_REMOVE_DEVICE = 0x01;
export const IRP_MN_REMOVE_DEVICE = 0x02;
export const IRP_MN_CANCEL_REMOVE_DEVICE = 0x03;
export const IRP_MN_STOP_DEVICE = 0x04;
export const IRP_MN_QUERY_STOP_DEVICE = 0x05;
export const IRP_MN_CANCEL_STOP_DEVICE = 0x06;
export const IRP_MN_QUERY_DEVICE_RELATIONS = 0x07;
export const IRP_MN_QUERY_INTERFACE = 0x08;
export const IRP_MN_QUERY_CAPABILITIES = 0x09;
export const IRP_MN_QUERY_RESOURCES = 0x0a;
export const IRP_MN_QUERY_RESOURCE_REQUIREMENTS = 0x0b;
export const IRP_MN_QUERY_DEVICE_TEXT = 0x0c;
export const IRP_MN_FILTER_RESOURCE_REQUIREMENTS = 0x0d;
export const IRP_MN_READ_CONFIG = 0x0f;
export const IRP_MN_WRITE_CONFIG = 0x10;
export const IRP_MN_EJECT = 0x11;
export const IRP_MN_SET_LOCK = 0x12;
export const IRP_MN_QUERY_ID = 0x13;
export const IRP_MN_QUERY_PNP_DEVICE_STATE = 0x14;
export const IRP_MN_QUERY_BUS_INFORMATION = 0x15;
export const IRP_MN_DEVICE_USAGE_NOTIFICATION = 0x16;
export const IRP_MN_SURPRISE_REMOVAL = 0x17;
export const IRP_MN_DEVICE_ENUMERATED = 0x19;

export const IRP_MN_WAIT_WAKE = 0x00;
export const IRP_MN_POWER_SEQUENCE = 0x01;
export const IRP_MN_SET_POWER = 0x02;
export const IRP_MN_QUERY_POWER = 0x03;

const PNP_MINOR_NAMES: Readonly<Record<number, string>> = {
  [IRP_MN_START_DEVICE]: 'IRP_MN_START_DEVICE',
  [IRP_MN_QUERY_REMOVE_DEVICE]: 'IRP_MN_QUERY_REMOVE_DEVICE',
  [IRP_MN_REMOVE_DEVICE]: 'IRP_MN_REMOVE_DEVICE',
  [IRP_MN_CANCEL_REMOVE_DEVICE]: 'IRP_MN_CANCEL_REMOVE_DEVICE',
  [IRP_MN_STOP_DEVICE]: 'IRP_MN_STOP_DEVICE',
  [IRP_MN_QUERY_STOP_DEVICE]: 'IRP_MN_QUERY_STOP_DEVICE',
  [IRP_MN_CANCEL_STOP_DEVICE]: 'IRP_MN_CANCEL_STOP_DEVICE',
  [IRP_MN_QUERY_DEVICE_RELATIONS]: 'IRP_MN_QUERY_DEVICE_RELATIONS',
  [IRP_MN_QUERY_INTERFACE]: 'IRP_MN_QUERY_INTERFACE',
  [IRP_MN_QUERY_CAPABILITIES]: 'IRP_MN_QUERY_CAPABILITIES',
  [IRP_MN_QUERY_RESOURCES]: 'IRP_MN_QUERY_RESOURCES',
  [IRP_MN_QUERY_RESOURCE_REQUIREMENTS]: 'IRP_MN_QUERY_RESOURCE_REQUIREMENTS',
  [IRP_MN_QUERY_DEVICE_TEXT]: 'IRP_MN_QUERY_DEVICE_TEXT',
  [IRP_MN_FILTER_RESOURCE_REQUIREMENTS]: 'IRP_MN_FILTER_RESOURCE_REQUIREMENTS',
  [IRP_MN_READ_CONFIG]: 'IRP_MN_READ_CONFIG',
  [IRP_MN_WRITE_CONFIG]: 'IRP_MN_WRITE_CONFIG',
  [IRP_MN_EJECT]: 'IRP_MN_EJECT',
  [IRP_MN_SET_LOCK]: 'IRP_MN_SET_LOCK',
  [IRP_MN_QUERY_ID]: 'IRP_MN_QUERY_ID',
  [IRP_MN_QUERY_PNP_DEVICE_STATE]: 'IRP_MN_QUERY_PNP_DEVICE_STATE',
  [IRP_MN_QUERY_BUS_INFORMATION]: 'IRP_MN_QUERY_BUS_INFORMATION',
  [IRP_MN_DEVICE_USAGE_NOTIFICATION]: 'IRP_MN_DEVICE_USAGE_NOTIFICATION',
  [IRP_MN_SURPRISE_REMOVAL]: 'IRP_MN_SURPRISE_REMOVAL',
  [IRP_MN_DEVICE_ENUMERATED]: 'IRP_MN_DEVICE_ENUMERATED',
};
const POWER_MINOR_NAMES: readonly string[] = [
  'IRP_MN_WAIT_WAKE',
  'IRP_MN_POWER_SEQUENCE',
  'IRP_MN_SET_POWER',
  'IRP_MN_QUERY_POWER',
];

/** The name of a minor function code of IRP_MJ_PNP or IRP_MJ_POWER, for traces and reports. */
export function irpMinorName(majorFunction: number, minorFunction: number): string {
  const name =
    majorFunction === IRP_MJ_PNP
      ? PNP_MINOR_NAMES[minorFunction]
      : majorFunction === IRP_MJ_POWER
        ? POWER_MINOR_NAMES[minorFunction]
        : undefined;
  return name ?? `IRP_MN_0x${minorFunction.toString(16).toUpperCase().padStart(2, '0')}`;
}

export const PowerSystemUnspecified = 0;
export const PowerSystemWorking = 1;
export const PowerSystemSleeping1 = 2;
export const PowerSystemSleeping2 = 3;
export const PowerSystemSleeping3 = 4;
export const PowerSystemHibernate = 5;
export const PowerSystemShutdown = 6;
export type SYSTEM_POWER_STATE = 0 | 1 | 2 | 3 | 4 | 5 | 6;

export const PowerDeviceUnspecified = 0;
export const PowerDeviceD0 = 1;
export const PowerDeviceD1 = 2;
export const PowerDeviceD2 = 3;
export const PowerDeviceD3 = 4;
export type DEVICE_POWER_STATE = 0 | 1 | 2 | 3 | 4;

/** POWER_STATE_TYPE. */
export const SystemPowerState = 0;
export const DevicePowerState = 1;
export type POWER_STATE_TYPE = 0 | 1;

/** POWER_ACTION. */
export const PowerActionNone = 0;
export const PowerActionSleep = 2;
export const PowerActionHibernate = 3;
export const PowerActionShutdown = 4;
export const PowerActionShutdownReset = 5;
export const PowerActionShutdownOff = 6;

export type DEVICE_RELATION_TYPE =
  | 'BusRelations'
  | 'EjectionRelations'
  | 'PowerRelations'
  | 'RemovalRelations'
  | 'TargetDeviceRelation';
export type QUERY_ID_TYPE =
  | 'BusQueryDeviceID'
  | 'BusQueryHardwareIDs'
  | 'BusQueryCompatibleIDs'
  | 'BusQueryInstanceID'
  | 'BusQueryContainerID';
export type DEVICE_TEXT_TYPE = 'DeviceTextDescription' | 'DeviceTextLocationInformation';

/** DEVICE_CAPABILITIES. IRP_MN_QUERY_CAPABILITIES carries one that starts out as {@link newDeviceCapabilities} makes it. */
export interface DEVICE_CAPABILITIES {
  size: number;
  version: number;
  deviceD1: boolean;
  deviceD2: boolean;
  lockSupported: boolean;
  ejectSupported: boolean;
  removable: boolean;
  dockDevice: boolean;
  uniqueID: boolean;
  silentInstall: boolean;
  rawDeviceOK: boolean;
  surpriseRemovalOK: boolean;
  wakeFromD0: boolean;
  wakeFromD1: boolean;
  wakeFromD2: boolean;
  wakeFromD3: boolean;
  hardwareDisabled: boolean;
  noDisplayInUI: boolean;
  /** 0xFFFFFFFF when the bus has none. PCI: device number << 16 | function number. */
  address: number;
  /** 0xFFFFFFFF when unknown. */
  uiNumber: number;
  /** Indexed by SYSTEM_POWER_STATE: the highest-powered device state in that system state. */
  deviceState: DEVICE_POWER_STATE[];
  systemWake: SYSTEM_POWER_STATE;
  deviceWake: DEVICE_POWER_STATE;
  /** Latencies in units of 100 µs. */
  d1Latency: number;
  d2Latency: number;
  d3Latency: number;
}

/** Capabilities as the PnP manager initializes them before it asks. */
export function newDeviceCapabilities(): DEVICE_CAPABILITIES {
  return {
    size: 64,
    version: 1,
    deviceD1: false,
    deviceD2: false,
    lockSupported: false,
    ejectSupported: false,
    removable: false,
    dockDevice: false,
    uniqueID: false,
    silentInstall: false,
    rawDeviceOK: false,
    surpriseRemovalOK: false,
    wakeFromD0: false,
    wakeFromD1: false,
    wakeFromD2: false,
    wakeFromD3: false,
    hardwareDisabled: false,
    noDisplayInUI: false,
    address: 0xffffffff,
    uiNumber: 0xffffffff,
    deviceState: [
      PowerDeviceUnspecified,
      PowerDeviceD0,
      PowerDeviceD3,
      PowerDeviceD3,
      PowerDeviceD3,
      PowerDeviceD3,
      PowerDeviceD3,
    ],
    systemWake: PowerSystemUnspecified,
    deviceWake: PowerDeviceUnspecified,
    d1Latency: 0,
    d2Latency: 0,
    d3Latency: 0,
  };
}

/** PNP_DEVICE_STATE bits. */
export const PNP_DEVICE_DISABLED = 0x01;
export const PNP_DEVICE_DONT_DISPLAY_IN_UI = 0x02;
export const PNP_DEVICE_FAILED = 0x04;
export const PNP_DEVICE_REMOVED = 0x08;
export const PNP_DEVICE_RESOURCE_REQUIREMENTS_CHANGED = 0x10;
export const PNP_DEVICE_NOT_DISABLEABLE = 0x20;

/** PNP_BUS_INFORMATION: the answer to IRP_MN_QUERY_BUS_INFORMATION. */
export interface PNP_BUS_INFORMATION {
  /** Registry form. */
  readonly busTypeGuid: string;
  readonly legacyBusType: INTERFACE_TYPE;
  readonly busNumber: number;
}

export const GUID_BUS_TYPE_PCI = '{C8EBDFB0-B510-11D0-80E5-00A0C92542E3}';
export const GUID_BUS_TYPE_ISAPNP = '{E676F854-D87D-11D0-92B2-00A0C9055FC5}';
export const GUID_BUS_TYPE_INTERNAL = '{1530EA73-086B-11D1-A09F-00C04FC340B1}';

export const GUID_BUS_INTERFACE_STANDARD = '{496B8280-6F25-11D0-BEAF-08002BE2092F}';

/** Data types of {@link BUS_INTERFACE_STANDARD}'s get and set routines. */
export const PCI_WHICHSPACE_CONFIG = 0x0;

/** What every interface returned by IRP_MN_QUERY_INTERFACE begins with. */
export interface INTERFACE {
  readonly size: number;
  readonly version: number;
  interfaceReference(): void;
  interfaceDereference(): void;
}

/** BUS_INTERFACE_STANDARD, from a PDO by IRP_MN_QUERY_INTERFACE. Its routines may be called up to DISPATCH_LEVEL. */
export interface BUS_INTERFACE_STANDARD extends INTERFACE {
  /** Writes configuration space; returns the bytes written. */
  setBusData(dataType: number, buffer: Uint8Array, offset: number, length: number): number;
  /** Reads configuration space; returns the bytes read. */
  getBusData(dataType: number, buffer: Uint8Array, offset: number, length: number): number;
}

/** Where a device node is in its life (names as the kernel debugger shows them). */
export type DeviceNodeState =
  | 'DeviceNodeUninitialized'
  | 'DeviceNodeInitialized'
  | 'DeviceNodeDriversAdded'
  | 'DeviceNodeResourcesAssigned'
  | 'DeviceNodeStarted'
  | 'DeviceNodeQueryStopped'
  | 'DeviceNodeStopped'
  | 'DeviceNodeQueryRemoved'
  | 'DeviceNodeAwaitingQueuedRemoval'
  | 'DeviceNodeRemoved';

/** Why a device does not work: the device manager's problem code, its sentence and the status behind it. */
export interface DeviceProblem {
  /** CM_PROB_*: 10 failed start, 28 no driver, 31 AddDevice failed, 37 DriverEntry failed, 22 disabled, 24 not there any more … */
  readonly code: number;
  readonly name: string;
  readonly status: NTSTATUS;
  /** Names device, driver, step and status. */
  readonly text: string;
}

/** A device in the PnP manager's tree. */
export interface DEVICE_NODE {
  /** `PCI\VEN_8086&DEV_2415…\3&11583659&0&28`: device id and instance id. */
  readonly instancePath: string;
  readonly physicalDeviceObject: DEVICE_OBJECT;
  readonly parent: DEVICE_NODE | null;
  /** The bus's name for the device as bus master (`pci:00:05.0`), null when it has none; for DMA mappings. */
  readonly busDevice: string | null;
  readonly state: DeviceNodeState;
  readonly problem: DeviceProblem | null;
  /** Name of the driver package in use, null before one was found. */
  readonly driverName: string | null;
  readonly hardwareIds: readonly string[];
  readonly compatibleIds: readonly string[];
  readonly capabilities: DEVICE_CAPABILITIES;
  /** What IRP_MN_START_DEVICE carried last, null when the device holds no resources. */
  readonly allocatedResources: CM_RESOURCE_LIST | null;
  readonly allocatedResourcesTranslated: CM_RESOURCE_LIST | null;
}

/**
 * A device as its bus knows it. The PnP manager makes the PDO and answers PnP and power IRPs on it from here, so that a bus
 * driver need not.
 */
export interface PnpChild {
  /** Unique on the machine and stable: the bus master's name for DMA mappings (`pci:00:05.0`). */
  readonly busDevice: string;
  /** `PCI\VEN_8086&DEV_2415&SUBSYS_00000000&REV_01`. */
  readonly deviceId: string;
  /** Unique among devices with this device id; `3&267A616A&0&28`. */
  readonly instanceId: string;
  /** Most specific first. */
  readonly hardwareIds: readonly string[];
  readonly compatibleIds: readonly string[];
  /** `Multimedia Audio Controller`. */
  readonly description: string;
  /** `PCI bus 0, device 5, function 0`. */
  readonly location: string;
  readonly bus: PNP_BUS_INFORMATION;
  /** Merged over the defaults; `address` belongs here. */
  readonly capabilities?: Partial<DEVICE_CAPABILITIES>;
  /** What the device may use; null when its resources are fixed. */
  readonly resourceRequirements?: IO_RESOURCE_REQUIREMENTS_LIST | null;
  /**
   * Assigns the resources: called before every start, with the requirements as the driver filtered them (null when the bus gave
   * none). Throws NtError (STATUS_CONFLICTING_ADDRESSES, STATUS_INSUFFICIENT_RESOURCES) when it cannot.
   */
  assignResources(
    requirements: IO_RESOURCE_REQUIREMENTS_LIST | null,
  ): { raw: CM_RESOURCE_LIST; translated: CM_RESOURCE_LIST } | null;
  /** The interface that IRP_MN_QUERY_INTERFACE asks for, null when the bus has none by that GUID (registry form, upper case). */
  queryInterface?(interfaceType: string, version: number): INTERFACE | null;
  /**
   * IRP_MN_READ_CONFIG: fills `buffer` from a space of the bus (`PCI_WHICHSPACE_CONFIG`), `length` bytes from `offset` on, and returns
   * how many there were. Throws NtError: STATUS_INVALID_PARAMETER_1 for a space that the bus has not, _2 for a buffer that is shorter,
   * _3 for an offset beyond the space. Absent on buses without such spaces.
   */
  readConfig?(whichSpace: number, buffer: Uint8Array, offset: number, length: number): number;
  /** IRP_MN_WRITE_CONFIG, the same way. */
  writeConfig?(whichSpace: number, buffer: Uint8Array, offset: number, length: number): number;
  /** IRP_MN_START_DEVICE reached the bus: switch the device's decoders and bus mastering on. Throws NtError. */
  start?(): void;
  /** IRP_MN_STOP_DEVICE or IRP_MN_REMOVE_DEVICE reached the bus: the device no longer decodes its resources. */
  stop?(): void;
  /** A device power state was set (IRP_MN_SET_POWER reached the bus). */
  setPowerState?(state: DEVICE_POWER_STATE): void;
}

/** A bus as the machine's owner gives it to the PnP manager with {@link PnpManager.addBus}. */
export interface PnpBus {
  /** `pci`, `isa`: the bus driver's name. */
  readonly name: string;
  /** The devices present now. A device that was there before is recognized by its `busDevice`. */
  enumerate(): readonly PnpChild[];
}

/** One value that an INF's AddReg would write. */
export interface RegistryAddition {
  /** Path below the section's root key; none is the root key itself. */
  readonly subkey?: string;
  /** '' is the key's default value. */
  readonly name: string;
  /**
   * A string is REG_SZ, a number REG_DWORD, an array of strings REG_MULTI_SZ, bytes REG_BINARY; `{ type, data }` says it all.
   */
  readonly value: RegistryValueData;
}

/** A device interface that an INF's AddInterface would register, with values for its key. */
export interface InterfaceAddition {
  /** Registry form, any case. */
  readonly classGuid: string;
  readonly referenceString: string;
  readonly values: readonly RegistryAddition[];
}

/** A driver as it is installed: what an INF says, and the code. */
export interface DriverPackage {
  /** Service name: `ac97`. */
  readonly name: string;
  readonly hardwareIds: readonly string[];
  readonly compatibleIds?: readonly string[];
  readonly driverEntry: DRIVER_INITIALIZE;
  /** `DeviceDesc`; the bus's text unless given. */
  readonly description?: string;
  readonly manufacturer?: string;
  readonly providerName?: string;
  readonly driverVersion?: string;
  /** Setup class; MEDIA unless given. */
  readonly className?: string;
  readonly classGuid?: string;
  readonly registry?: {
    /** Under the device's software key (…\Control\Class\{…}\0000): DDInstall's AddReg. */
    readonly driver?: readonly RegistryAddition[];
    /** Under the device's hardware key (…\Enum\…\Device Parameters): DDInstall.HW's AddReg. */
    readonly device?: readonly RegistryAddition[];
    /** Under the service key (…\Services\name). */
    readonly service?: readonly RegistryAddition[];
  };
  /** DDInstall.Interfaces. */
  readonly interfaces?: readonly InterfaceAddition[];
}

/** The setup class of sound, video and game controllers. */
export const GUID_DEVCLASS_MEDIA = '{4D36E96C-E325-11CE-BFC1-08002BE10318}';
