/** What drivers ask the PnP manager about a device: properties and registry keys. */
import { currentKernel } from './current.ts';
import type { DEVICE_OBJECT } from './device.ts';
import { PASSIVE_LEVEL, requireIrql } from './irql.ts';
import { NtError } from './nt-error.ts';
import {
  ntSuccess,
  STATUS_INVALID_DEVICE_REQUEST,
  STATUS_INVALID_PARAMETER,
  STATUS_INVALID_PARAMETER_2,
  STATUS_OBJECT_NAME_NOT_FOUND,
} from './ntstatus.ts';
import { hardwareKey, instanceKey, softwareKey } from './pnp-install.ts';
import { sendPnpIrp } from './pnp-requests.ts';
import { type DEVICE_NODE, IRP_MN_QUERY_BUS_INFORMATION, type PNP_BUS_INFORMATION } from './pnp-types.ts';
import { newRegistryHandle, type RegistryHandle } from './registry-api.ts';
import { encodeDword, encodeMultiSz, encodeSz } from './registry-values.ts';
import { type CM_RESOURCE_LIST, encodeResourceList, interfaceTypeCode } from './resources.ts';

/** DEVICE_REGISTRY_PROPERTY. */
export const DevicePropertyDeviceDescription = 0x0;
export const DevicePropertyHardwareID = 0x1;
export const DevicePropertyCompatibleIDs = 0x2;
export const DevicePropertyBootConfiguration = 0x3;
export const DevicePropertyBootConfigurationTranslated = 0x4;
export const DevicePropertyClassName = 0x5;
export const DevicePropertyClassGuid = 0x6;
export const DevicePropertyDriverKeyName = 0x7;
export const DevicePropertyManufacturer = 0x8;
export const DevicePropertyFriendlyName = 0x9;
export const DevicePropertyLocationInformation = 0xa;
export const DevicePropertyPhysicalDeviceObjectName = 0xb;
export const DevicePropertyBusTypeGuid = 0xc;
export const DevicePropertyLegacyBusType = 0xd;
export const DevicePropertyBusNumber = 0xe;
export const DevicePropertyEnumeratorName = 0xf;
export const DevicePropertyAddress = 0x10;
export const DevicePropertyUINumber = 0x11;
export const DevicePropertyInstallState = 0x12;
export const DevicePropertyRemovalPolicy = 0x13;
export const DevicePropertyResourceRequirements = 0x14;
export const DevicePropertyAllocatedResources = 0x15;
export const DevicePropertyContainerID = 0x16;

/** DEVICE_REMOVAL_POLICY. */
const RemovalPolicyExpectNoRemoval = 1;
const RemovalPolicyExpectOrderlyRemoval = 2;
const RemovalPolicyExpectSurpriseRemoval = 3;

/** DEVICE_INSTALL_STATE. */
const InstallStateInstalled = 0;
const InstallStateFailedInstall = 2;

/** Kinds of key that {@link ioOpenDeviceRegistryKey} opens. */
export const PLUGPLAY_REGKEY_DEVICE = 1;
export const PLUGPLAY_REGKEY_DRIVER = 2;
export const PLUGPLAY_REGKEY_CURRENT_HWPROFILE = 4;

function nodeOf(pdo: DEVICE_OBJECT, ddi: string): DEVICE_NODE {
  if (pdo.deviceNode === null) {
    throw new NtError(
      STATUS_INVALID_DEVICE_REQUEST,
      `${ddi}: ${pdo.displayName} is no physical device object`,
    );
  }
  return pdo.deviceNode;
}

/**
 * IoGetDeviceProperty: the whole property as the WDK lays it out (strings are null-terminated UTF-16, numbers 4 bytes little-endian).
 * Callers with a buffer of their own compare lengths and answer STATUS_BUFFER_TOO_SMALL. Throws STATUS_INVALID_DEVICE_REQUEST for
 * a device that is no PDO, STATUS_INVALID_PARAMETER_2 for a property that it does not know, STATUS_OBJECT_NAME_NOT_FOUND for
 * one that the device does not have. IRQL = PASSIVE_LEVEL.
 */
export function ioGetDeviceProperty(physicalDeviceObject: DEVICE_OBJECT, deviceProperty: number): Uint8Array {
  requireIrql(PASSIVE_LEVEL, 'IoGetDeviceProperty');
  const node = nodeOf(physicalDeviceObject, 'IoGetDeviceProperty');
  const { registry } = currentKernel();
  const key = instanceKey(registry, node.instancePath);
  const text = (value: string | null) => encodeSz(required(value, deviceProperty));
  switch (deviceProperty) {
    case DevicePropertyDeviceDescription:
      return text(key.getString('DeviceDesc'));
    case DevicePropertyHardwareID:
      return encodeMultiSz(node.hardwareIds);
    case DevicePropertyCompatibleIDs:
      return encodeMultiSz(node.compatibleIds);
    case DevicePropertyBootConfiguration:
    case DevicePropertyAllocatedResources:
      return resources(node.allocatedResources, deviceProperty);
    case DevicePropertyBootConfigurationTranslated:
      return resources(node.allocatedResourcesTranslated, deviceProperty);
    case DevicePropertyClassName:
      return text(key.getString('Class'));
    case DevicePropertyClassGuid:
      return text(key.getString('ClassGUID'));
    case DevicePropertyDriverKeyName:
      return text(key.getString('Driver'));
    case DevicePropertyManufacturer:
      return text(key.getString('Mfg'));
    case DevicePropertyFriendlyName:
      return text(key.getString('FriendlyName'));
    case DevicePropertyLocationInformation:
      return text(key.getString('LocationInformation'));
    case DevicePropertyPhysicalDeviceObjectName:
      return text(physicalDeviceObject.name);
    case DevicePropertyBusTypeGuid:
      return guidBytes(busInformation(physicalDeviceObject).busTypeGuid);
    case DevicePropertyLegacyBusType:
      return encodeDword(interfaceTypeCode(busInformation(physicalDeviceObject).legacyBusType));
    case DevicePropertyBusNumber:
      return encodeDword(busInformation(physicalDeviceObject).busNumber);
    case DevicePropertyEnumeratorName:
      return encodeSz(node.instancePath.split('\\')[0] ?? '');
    case DevicePropertyAddress:
      return encodeDword(node.capabilities.address);
    case DevicePropertyUINumber:
      return encodeDword(node.capabilities.uiNumber);
    case DevicePropertyInstallState:
      return encodeDword(node.driverName === null ? InstallStateFailedInstall : InstallStateInstalled);
    case DevicePropertyRemovalPolicy:
      return encodeDword(removalPolicy(node));
    case DevicePropertyContainerID:
      // What Windows makes of a device without a container id that its parent does not own either: the computer's.
      return encodeSz('{00000000-0000-0000-FFFF-FFFFFFFFFFFF}');
    default:
      throw new NtError(STATUS_INVALID_PARAMETER_2, `device property ${deviceProperty}`);
  }
}

function required<T>(value: T | null, deviceProperty: number): T {
  if (value === null) throw new NtError(STATUS_OBJECT_NAME_NOT_FOUND, `device property ${deviceProperty}`);
  return value;
}

function resources(list: CM_RESOURCE_LIST | null, deviceProperty: number): Uint8Array {
  return encodeResourceList(required(list, deviceProperty));
}

function removalPolicy(node: DEVICE_NODE): number {
  if (!node.capabilities.removable) return RemovalPolicyExpectNoRemoval;
  return node.capabilities.surpriseRemovalOK
    ? RemovalPolicyExpectSurpriseRemoval
    : RemovalPolicyExpectOrderlyRemoval;
}

function busInformation(pdo: DEVICE_OBJECT): PNP_BUS_INFORMATION {
  const { status, pointer } = sendPnpIrp(pdo, IRP_MN_QUERY_BUS_INFORMATION);
  if (ntSuccess(status) && isBusInformation(pointer)) return pointer;
  throw new NtError(STATUS_OBJECT_NAME_NOT_FOUND, `${pdo.displayName}: the bus told nothing of itself`);
}

function isBusInformation(value: unknown): value is PNP_BUS_INFORMATION {
  return typeof value === 'object' && value !== null && 'busTypeGuid' in value && 'legacyBusType' in value;
}

/** The 16 bytes of a GUID in registry form: three little-endian numbers and eight bytes. */
function guidBytes(text: string): Uint8Array {
  const hex = text.replace(/[{}-]/g, '');
  const byte = (index: number) => Number.parseInt(hex.slice(2 * index, 2 * index + 2), 16);
  return Uint8Array.from([3, 2, 1, 0, 5, 4, 7, 6, 8, 9, 10, 11, 12, 13, 14, 15], byte);
}

/**
 * IoOpenDeviceRegistryKey: the device's hardware key (PLUGPLAY_REGKEY_DEVICE) or software key (PLUGPLAY_REGKEY_DRIVER). Throws
 * STATUS_INVALID_PARAMETER for neither or both kinds or a device that is no PDO, STATUS_OBJECT_NAME_NOT_FOUND for the software key
 * of a device without a driver. The hardware profile flag opens the same keys. IRQL = PASSIVE_LEVEL.
 */
export function ioOpenDeviceRegistryKey(
  deviceObject: DEVICE_OBJECT,
  devInstKeyType: number,
  desiredAccess: number,
): RegistryHandle {
  requireIrql(PASSIVE_LEVEL, 'IoOpenDeviceRegistryKey');
  const node = deviceObject.deviceNode;
  const kind = devInstKeyType & ~PLUGPLAY_REGKEY_CURRENT_HWPROFILE;
  if (node === null || (kind !== PLUGPLAY_REGKEY_DEVICE && kind !== PLUGPLAY_REGKEY_DRIVER)) {
    throw new NtError(
      STATUS_INVALID_PARAMETER,
      `IoOpenDeviceRegistryKey: ${deviceObject.displayName}, kind ${devInstKeyType}`,
    );
  }
  const { registry } = currentKernel();
  const key =
    kind === PLUGPLAY_REGKEY_DEVICE
      ? hardwareKey(registry, node.instancePath)
      : softwareKey(registry, node.instancePath);
  if (key === null) throw new NtError(STATUS_OBJECT_NAME_NOT_FOUND, `${node.instancePath} has no driver`);
  return newRegistryHandle(key, desiredAccess);
}
