/** What a PCI function says of itself, as far as its identifiers are made of it. */
export interface PciIdentity {
  readonly vendorId: number;
  readonly deviceId: number;
  readonly subsystemVendorId: number;
  readonly subsystemId: number;
  readonly revisionId: number;
  /** 24 bits: base class, subclass, programming interface. */
  readonly classCode: number;
}

function hexDigits(value: number, digits: number): string {
  return value.toString(16).toUpperCase().padStart(digits, '0');
}

function parts(identity: PciIdentity) {
  return {
    vendor: `VEN_${hexDigits(identity.vendorId, 4)}`,
    device: `DEV_${hexDigits(identity.deviceId, 4)}`,
    subsystem: `SUBSYS_${hexDigits(identity.subsystemId, 4)}${hexDigits(identity.subsystemVendorId, 4)}`,
    revision: `REV_${hexDigits(identity.revisionId, 2)}`,
    class6: `CC_${hexDigits(identity.classCode, 6)}`,
    class4: `CC_${hexDigits(identity.classCode >> 8, 4)}`,
  };
}

/** The device id: the most specific hardware id. */
export function pciDeviceId(identity: PciIdentity): string {
  const { vendor, device, subsystem, revision } = parts(identity);
  return `PCI\\${vendor}&${device}&${subsystem}&${revision}`;
}

/** Hardware ids, most specific first (Windows driver documentation, "Identifiers for PCI devices"). */
export function pciHardwareIds(identity: PciIdentity): string[] {
  const { vendor, device, subsystem, revision, class6, class4 } = parts(identity);
  const chip = `PCI\\${vendor}&${device}`;
  return [
    `${chip}&${subsystem}&${revision}`,
    `${chip}&${subsystem}`,
    `${chip}&${revision}`,
    chip,
    `${chip}&${class6}`,
    `${chip}&${class4}`,
  ];
}

/** Compatible ids, best match first (same page; the DT_ forms are for PCI Express alone). */
export function pciCompatibleIds(identity: PciIdentity): string[] {
  const { vendor, device, revision, class6, class4 } = parts(identity);
  return [
    `PCI\\${vendor}&${device}&${revision}`,
    `PCI\\${vendor}&${device}`,
    `PCI\\${vendor}&${class6}`,
    `PCI\\${vendor}&${class4}`,
    `PCI\\${vendor}`,
    `PCI\\${class6}`,
    `PCI\\${class4}`,
  ];
}

/** Base class and subclass to what a device manager shows for a device without a driver (PCI Code and ID Assignment Specification). */
const CLASS_TEXTS: readonly (readonly [number, string])[] = [
  [0x0100, 'SCSI Controller'],
  [0x0101, 'IDE Controller'],
  [0x0200, 'Ethernet Controller'],
  [0x0300, 'VGA Compatible Controller'],
  [0x0400, 'Multimedia Video Controller'],
  [0x0401, 'Multimedia Audio Controller'],
  [0x0403, 'High Definition Audio Controller'],
  [0x0480, 'Multimedia Controller'],
  [0x0600, 'Host Bridge'],
  [0x0601, 'ISA Bridge'],
  [0x0703, 'Modem'],
  [0x0980, 'Input Device'],
  [0x0c03, 'Universal Serial Bus Controller'],
];

/** `Multimedia Audio Controller`: what the class code says, for devices of which nothing else is known. */
export function pciClassText(classCode: number): string {
  return CLASS_TEXTS.find(([code]) => code === classCode >> 8)?.[1] ?? 'PCI Device';
}
