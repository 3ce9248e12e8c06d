/** What installing a driver leaves in the registry: a device's hardware key, its software key, the driver's service key. */
import { canonicalGuid } from './device-interface.ts';
import { NtError } from './nt-error.ts';
import { STATUS_OBJECT_NAME_NOT_FOUND } from './ntstatus.ts';
import { type DriverPackage, GUID_DEVCLASS_MEDIA, type RegistryAddition } from './pnp-types.ts';
import type { Registry, RegistryKey } from './registry.ts';

const CONTROL_SET = '\\Registry\\Machine\\SYSTEM\\CurrentControlSet';
const ENUM = `${CONTROL_SET}\\Enum`;
const CLASS = `${CONTROL_SET}\\Control\\Class`;
const SERVICES = `${CONTROL_SET}\\Services`;

/** The key …\Enum\<instance path>, made if it is missing. */
export function instanceKey(registry: Registry, instancePath: string): RegistryKey {
  return registry.createKey(`${ENUM}\\${instancePath}`);
}

/** The device's hardware key, whose values drivers may use: …\Enum\<instance path>\Device Parameters. */
export function hardwareKey(registry: Registry, instancePath: string): RegistryKey {
  return registry.createKey(`${ENUM}\\${instancePath}\\Device Parameters`);
}

/** The device's software key, …\Control\Class\{guid}\0000; null while no driver is installed. */
export function softwareKey(registry: Registry, instancePath: string): RegistryKey | null {
  const name = instanceKey(registry, instancePath).getString('Driver');
  return name === null ? null : registry.createKey(`${CLASS}\\${name}`);
}

/** The path that DriverEntry gets. */
export function servicePath(name: string): string {
  return `${SERVICES}\\${name}`;
}

/**
 * The package for a device: the one whose hardware or compatible id matches the device's most specific id. Hardware ids of the
 * device go before its compatible ids; within one, a package's hardware ids before its compatible ids.
 */
export function findPackage(
  packages: readonly DriverPackage[],
  hardwareIds: readonly string[],
  compatibleIds: readonly string[],
): DriverPackage | null {
  let best: DriverPackage | null = null;
  let bestRank = Number.POSITIVE_INFINITY;
  for (const driver of packages) {
    const rank = rankOf(driver, hardwareIds, compatibleIds);
    // The newest of equals: a package installed again replaces the older one.
    if (rank <= bestRank && rank !== Number.POSITIVE_INFINITY) {
      best = driver;
      bestRank = rank;
    }
  }
  return best;
}

// The ranges of SetupAPI's ranks (0000, 1000, 2000, 3000), lower being better.
function rankOf(
  driver: DriverPackage,
  hardwareIds: readonly string[],
  compatibleIds: readonly string[],
): number {
  const position = (deviceIds: readonly string[], packageIds: readonly string[]) => {
    const wanted = new Set(packageIds.map((id) => id.toUpperCase()));
    return deviceIds.findIndex((id) => wanted.has(id.toUpperCase()));
  };
  const tries: readonly (readonly [readonly string[], readonly string[]])[] = [
    [hardwareIds, driver.hardwareIds],
    [hardwareIds, driver.compatibleIds ?? []],
    [compatibleIds, driver.hardwareIds],
    [compatibleIds, driver.compatibleIds ?? []],
  ];
  for (const [index, [deviceIds, packageIds]] of tries.entries()) {
    const at = position(deviceIds, packageIds);
    if (at >= 0) return index * 0x1000 + at;
  }
  return Number.POSITIVE_INFINITY;
}

/**
 * Writes a package's values for a device, unless that package in that version is installed already: what users and drivers have
 * changed since then stays.
 */
export function installOnDevice(
  registry: Registry,
  instancePath: string,
  driver: DriverPackage,
  busDescription: string,
): void {
  const device = instanceKey(registry, instancePath);
  const classGuid = canonicalGuid(driver.classGuid ?? GUID_DEVCLASS_MEDIA).toLowerCase();
  const className = driver.className ?? 'MEDIA';
  const description = driver.description ?? busDescription;
  const version = driver.driverVersion ?? '1.0.0.0';
  const classKey = registry.createKey(`${CLASS}\\${classGuid}`);
  if (classKey.getString('Class') === null) classKey.set('Class', className);

  let software = softwareKey(registry, instancePath);
  const installed =
    software !== null &&
    device.getString('Service')?.toUpperCase() === driver.name.toUpperCase() &&
    software.getString('DriverVersion') === version;
  if (installed) return;
  if (software === null || device.getString('ClassGUID')?.toLowerCase() !== classGuid) {
    const number = nextFreeNumber(classKey);
    device.set('Driver', `${classGuid}\\${number}`);
    software = classKey.addSubkey(number);
  }
  device.set('ClassGUID', classGuid);
  device.set('Class', className);
  device.set('DeviceDesc', description);
  device.set('Mfg', driver.manufacturer ?? '');
  device.set('Service', driver.name);
  software.set('DriverDesc', description);
  software.set('DriverVersion', version);
  software.set('ProviderName', driver.providerName ?? driver.manufacturer ?? '');
  software.set('MatchingDeviceId', driver.hardwareIds[0] ?? '');
  addValues(software, driver.registry?.driver ?? []);
  addValues(hardwareKey(registry, instancePath), driver.registry?.device ?? []);
}

/** Writes a package's service key and gives its path. */
export function installService(registry: Registry, driver: DriverPackage): string {
  const path = servicePath(driver.name);
  const isNew = registry.openKey(path) === null;
  const service = registry.createKey(path);
  if (isNew) {
    // SERVICE_KERNEL_DRIVER, SERVICE_DEMAND_START, SERVICE_ERROR_NORMAL
    service.set('Type', 1);
    service.set('Start', 3);
    service.set('ErrorControl', 1);
    service.set('ImagePath', { type: 2, data: `\\SystemRoot\\System32\\drivers\\${driver.name}.sys` });
    addValues(service, driver.registry?.service ?? []);
  }
  return path;
}

/** Writes values as AddReg does: below `root`, subkeys made as needed. */
export function addValues(root: RegistryKey, additions: readonly RegistryAddition[]): void {
  for (const { subkey, name, value } of additions) {
    let key = root;
    for (const component of (subkey ?? '').split('\\')) {
      if (component !== '') key = key.subkey(component) ?? key.addSubkey(component);
    }
    key.set(name, value);
  }
}

function nextFreeNumber(classKey: RegistryKey): string {
  for (let number = 0; number < 10_000; number++) {
    const name = number.toString().padStart(4, '0');
    if (classKey.subkey(name) === null) return name;
  }
  throw new NtError(STATUS_OBJECT_NAME_NOT_FOUND, `${classKey.path}: all numbers are taken`);
}
