/** Hardware resources as the PnP manager hands them to drivers: CM_RESOURCE_LIST, its descriptors and its 64-bit layout. */

/** Port addresses. Raw: bus-relative; translated: what READ_PORT_* take. */
export const CmResourceTypePort = 'Port';
/** An interrupt. */
export const CmResourceTypeInterrupt = 'Interrupt';
/** Memory addresses. Raw: bus-relative; translated: what mmMapIoSpace takes. */
export const CmResourceTypeMemory = 'Memory';
/** A channel of the system's DMA controller. */
export const CmResourceTypeDma = 'Dma';
/** Data that only bus and function driver understand. */
export const CmResourceTypeDeviceSpecific = 'DeviceSpecific';
/** A range of bus numbers. */
export const CmResourceTypeBusNumber = 'BusNumber';

export type CM_RESOURCE_TYPE = 'Port' | 'Interrupt' | 'Memory' | 'Dma' | 'DeviceSpecific' | 'BusNumber';

/** CM_SHARE_DISPOSITION. */
export type CM_SHARE_DISPOSITION = 'Undetermined' | 'DeviceExclusive' | 'DriverExclusive' | 'Shared';

export const CM_RESOURCE_INTERRUPT_LEVEL_SENSITIVE = 0x0000;
export const CM_RESOURCE_INTERRUPT_LATCHED = 0x0001;
export const CM_RESOURCE_INTERRUPT_MESSAGE = 0x0002;
export const CM_RESOURCE_PORT_MEMORY = 0x0000;
export const CM_RESOURCE_PORT_IO = 0x0001;
export const CM_RESOURCE_PORT_10_BIT_DECODE = 0x0004;
export const CM_RESOURCE_PORT_16_BIT_DECODE = 0x0010;
export const CM_RESOURCE_MEMORY_READ_WRITE = 0x0000;
export const CM_RESOURCE_MEMORY_READ_ONLY = 0x0001;
export const CM_RESOURCE_MEMORY_PREFETCHABLE = 0x0004;
export const CM_RESOURCE_DMA_8 = 0x0000;
export const CM_RESOURCE_DMA_16 = 0x0001;
export const CM_RESOURCE_DMA_8_AND_16 = 0x0004;

/** What every descriptor has. `flags` are CM_RESOURCE_* bits of the descriptor's type. */
interface ResourceDescriptorHeader {
  readonly shareDisposition: CM_SHARE_DISPOSITION;
  readonly flags: number;
}

/** `u.Port`: `start` is an address, `length` counts bytes. */
export interface CM_PORT_RESOURCE extends ResourceDescriptorHeader {
  readonly type: 'Port';
  readonly start: number;
  readonly length: number;
}

/** `u.Memory`: `start` is a physical address, `length` counts bytes. */
export interface CM_MEMORY_RESOURCE extends ResourceDescriptorHeader {
  readonly type: 'Memory';
  readonly start: number;
  readonly length: number;
}

/**
 * `u.Interrupt`. Raw: `level` and `vector` are the line of the interrupt controller. Translated: `level` is the DIRQL and
 * `vector` the system's vector, both made by the machine's translation.
 */
export interface CM_INTERRUPT_RESOURCE extends ResourceDescriptorHeader {
  readonly type: 'Interrupt';
  readonly level: number;
  readonly vector: number;
  readonly affinity: number;
}

/** `u.Dma`: `channel` 0–7 of the 8237 pair. */
export interface CM_DMA_RESOURCE extends ResourceDescriptorHeader {
  readonly type: 'Dma';
  readonly channel: number;
  readonly port: number;
}

/** `u.DeviceSpecificData`. */
export interface CM_DEVICE_SPECIFIC_RESOURCE extends ResourceDescriptorHeader {
  readonly type: 'DeviceSpecific';
  readonly data: Uint8Array;
}

/** `u.BusNumber`. */
export interface CM_BUS_NUMBER_RESOURCE extends ResourceDescriptorHeader {
  readonly type: 'BusNumber';
  readonly start: number;
  readonly length: number;
}

/** One resource of a device; the members of the WDK's union `u` stand beside `type`. */
export type CM_PARTIAL_RESOURCE_DESCRIPTOR =
  | CM_PORT_RESOURCE
  | CM_MEMORY_RESOURCE
  | CM_INTERRUPT_RESOURCE
  | CM_DMA_RESOURCE
  | CM_DEVICE_SPECIFIC_RESOURCE
  | CM_BUS_NUMBER_RESOURCE;

/** CM_PARTIAL_RESOURCE_LIST. */
export interface CM_PARTIAL_RESOURCE_LIST {
  readonly version: number;
  readonly revision: number;
  readonly partialDescriptors: readonly CM_PARTIAL_RESOURCE_DESCRIPTOR[];
}

/** CM_FULL_RESOURCE_DESCRIPTOR: the resources of one device on one bus. */
export interface CM_FULL_RESOURCE_DESCRIPTOR {
  readonly interfaceType: INTERFACE_TYPE;
  readonly busNumber: number;
  readonly partialResourceList: CM_PARTIAL_RESOURCE_LIST;
}

/** CM_RESOURCE_LIST. For PnP drivers it holds one full descriptor. */
export interface CM_RESOURCE_LIST {
  readonly list: readonly CM_FULL_RESOURCE_DESCRIPTOR[];
}

/** INTERFACE_TYPE. */
export type INTERFACE_TYPE =
  | 'InterfaceTypeUndefined'
  | 'Internal'
  | 'Isa'
  | 'Eisa'
  | 'PCIBus'
  | 'PCMCIABus'
  | 'PNPISABus'
  | 'PNPBus';

/** IO_RESOURCE_DESCRIPTOR options. */
export const IO_RESOURCE_PREFERRED = 0x01;
export const IO_RESOURCE_DEFAULT = 0x02;
export const IO_RESOURCE_ALTERNATIVE = 0x08;

/** One requirement: a range (`minimum`…`maximum`, of `length` at `alignment`) within which the resource may lie. */
export interface IO_RESOURCE_DESCRIPTOR {
  /** IO_RESOURCE_* bits; an alternative belongs to the descriptor before it. */
  readonly option: number;
  readonly type: CM_RESOURCE_TYPE;
  readonly shareDisposition: CM_SHARE_DISPOSITION;
  readonly flags: number;
  /** Bytes for ports and memory; 1 for interrupts and DMA channels. */
  readonly length: number;
  readonly alignment: number;
  /** Lowest address, vector or channel. */
  readonly minimum: number;
  /** Highest address of the range's last byte, highest vector or channel. */
  readonly maximum: number;
}

/** IO_RESOURCE_REQUIREMENTS_LIST: alternative lists in order of preference. */
export interface IO_RESOURCE_REQUIREMENTS_LIST {
  readonly interfaceType: INTERFACE_TYPE;
  readonly busNumber: number;
  readonly slotNumber: number;
  readonly alternativeLists: readonly (readonly IO_RESOURCE_DESCRIPTOR[])[];
}

/** A list for one device out of its descriptors. */
export function makeResourceList(
  descriptors: readonly CM_PARTIAL_RESOURCE_DESCRIPTOR[],
  interfaceType: INTERFACE_TYPE = 'InterfaceTypeUndefined',
  busNumber = 0,
): CM_RESOURCE_LIST {
  return {
    list: [
      {
        interfaceType,
        busNumber,
        partialResourceList: { version: 1, revision: 1, partialDescriptors: descriptors },
      },
    ],
  };
}

/** All descriptors of a list in order, whatever device they belong to. */
export function resourceDescriptors(
  list: CM_RESOURCE_LIST | null,
): readonly CM_PARTIAL_RESOURCE_DESCRIPTOR[] {
  if (list === null) return [];
  const first = list.list[0];
  if (list.list.length === 1 && first !== undefined) return first.partialResourceList.partialDescriptors;
  return list.list.flatMap((full) => full.partialResourceList.partialDescriptors);
}

// CM_RESOURCE_TYPE, CM_SHARE_DISPOSITION and INTERFACE_TYPE as numbers in memory (ntddk.h).
const RESOURCE_TYPE_CODES: readonly (readonly [CM_RESOURCE_TYPE, number])[] = [
  ['Port', 1],
  ['Interrupt', 2],
  ['Memory', 3],
  ['Dma', 4],
  ['DeviceSpecific', 5],
  ['BusNumber', 6],
];
const SHARE_DISPOSITIONS: readonly CM_SHARE_DISPOSITION[] = [
  'Undetermined',
  'DeviceExclusive',
  'DriverExclusive',
  'Shared',
];
const INTERFACE_TYPE_CODES: readonly (readonly [INTERFACE_TYPE, number])[] = [
  ['InterfaceTypeUndefined', -1],
  ['Internal', 0],
  ['Isa', 1],
  ['Eisa', 2],
  ['PCIBus', 5],
  ['PCMCIABus', 8],
  ['PNPISABus', 14],
  ['PNPBus', 15],
];

/** The number of an INTERFACE_TYPE, as DevicePropertyLegacyBusType returns it. */
export function interfaceTypeCode(type: INTERFACE_TYPE): number {
  return INTERFACE_TYPE_CODES.find(([name]) => name === type)?.[1] ?? -1;
}

/** Bytes of a CM_PARTIAL_RESOURCE_DESCRIPTOR, which is packed to 4 bytes on every architecture. */
const DESCRIPTOR_BYTES = 20;

function write64(view: DataView, offset: number, value: number): void {
  view.setUint32(offset, value % 0x1_0000_0000, true);
  view.setUint32(offset + 4, Math.floor(value / 0x1_0000_0000), true);
}

function read64(view: DataView, offset: number): number {
  return view.getUint32(offset, true) + view.getUint32(offset + 4, true) * 0x1_0000_0000;
}

/**
 * The list in the layout of 64-bit Windows, as REG_RESOURCE_LIST values and DevicePropertyBootConfiguration hold it. A
 * device-specific descriptor's data follows its list's last descriptor, as the WDK demands (so only the last may be one).
 */
export function encodeResourceList(list: CM_RESOURCE_LIST): Uint8Array {
  let size = 4;
  for (const full of list.list) {
    size += 16;
    for (const d of full.partialResourceList.partialDescriptors) {
      size += DESCRIPTOR_BYTES + (d.type === 'DeviceSpecific' ? d.data.length : 0);
    }
  }
  const bytes = new Uint8Array(size);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, list.list.length, true);
  let at = 4;
  for (const full of list.list) {
    view.setInt32(at, interfaceTypeCode(full.interfaceType), true);
    view.setUint32(at + 4, full.busNumber, true);
    view.setUint16(at + 8, full.partialResourceList.version, true);
    view.setUint16(at + 10, full.partialResourceList.revision, true);
    view.setUint32(at + 12, full.partialResourceList.partialDescriptors.length, true);
    at += 16;
    for (const d of full.partialResourceList.partialDescriptors) {
      view.setUint8(at, RESOURCE_TYPE_CODES.find(([name]) => name === d.type)?.[1] ?? 0);
      view.setUint8(at + 1, SHARE_DISPOSITIONS.indexOf(d.shareDisposition));
      view.setUint16(at + 2, d.flags, true);
      switch (d.type) {
        case 'Port':
        case 'Memory':
          write64(view, at + 4, d.start);
          view.setUint32(at + 12, d.length, true);
          break;
        case 'Interrupt':
          view.setUint32(at + 4, d.level, true);
          view.setUint32(at + 8, d.vector, true);
          write64(view, at + 12, d.affinity);
          break;
        case 'Dma':
          view.setUint32(at + 4, d.channel, true);
          view.setUint32(at + 8, d.port, true);
          break;
        case 'BusNumber':
          view.setUint32(at + 4, d.start, true);
          view.setUint32(at + 8, d.length, true);
          break;
        case 'DeviceSpecific':
          view.setUint32(at + 4, d.data.length, true);
          bytes.set(d.data, at + DESCRIPTOR_BYTES);
          at += d.data.length;
          break;
      }
      at += DESCRIPTOR_BYTES;
    }
  }
  return bytes;
}

/** Reads what {@link encodeResourceList} wrote. Throws a RangeError when the bytes end too early or name an unknown type. */
export function decodeResourceList(bytes: Uint8Array): CM_RESOURCE_LIST {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const list: CM_FULL_RESOURCE_DESCRIPTOR[] = [];
  const count = view.getUint32(0, true);
  let at = 4;
  for (let i = 0; i < count; i++) {
    const interfaceCode = view.getInt32(at, true);
    const busNumber = view.getUint32(at + 4, true);
    const version = view.getUint16(at + 8, true);
    const revision = view.getUint16(at + 10, true);
    const descriptorCount = view.getUint32(at + 12, true);
    at += 16;
    const partialDescriptors: CM_PARTIAL_RESOURCE_DESCRIPTOR[] = [];
    for (let j = 0; j < descriptorCount; j++) {
      const code = view.getUint8(at);
      const type = RESOURCE_TYPE_CODES.find(([, number]) => number === code)?.[0];
      const shareDisposition = SHARE_DISPOSITIONS[view.getUint8(at + 1)] ?? 'Undetermined';
      const flags = view.getUint16(at + 2, true);
      const base = { shareDisposition, flags };
      if (at + DESCRIPTOR_BYTES > bytes.length)
        throw new RangeError('CM_RESOURCE_LIST ends within a descriptor.');
      switch (type) {
        case 'Port':
        case 'Memory':
          partialDescriptors.push({
            ...base,
            type,
            start: read64(view, at + 4),
            length: view.getUint32(at + 12, true),
          });
          break;
        case 'Interrupt':
          partialDescriptors.push({
            ...base,
            type,
            level: view.getUint32(at + 4, true),
            vector: view.getUint32(at + 8, true),
            affinity: read64(view, at + 12),
          });
          break;
        case 'Dma':
          partialDescriptors.push({
            ...base,
            type,
            channel: view.getUint32(at + 4, true),
            port: view.getUint32(at + 8, true),
          });
          break;
        case 'BusNumber':
          partialDescriptors.push({
            ...base,
            type,
            start: view.getUint32(at + 4, true),
            length: view.getUint32(at + 8, true),
          });
          break;
        case 'DeviceSpecific': {
          const length = view.getUint32(at + 4, true);
          if (at + DESCRIPTOR_BYTES + length > bytes.length) {
            throw new RangeError('CM_RESOURCE_LIST ends within device-specific data.');
          }
          partialDescriptors.push({
            ...base,
            type,
            data: bytes.slice(at + DESCRIPTOR_BYTES, at + DESCRIPTOR_BYTES + length),
          });
          at += length;
          break;
        }
        case undefined:
          throw new RangeError(`CM_RESOURCE_LIST has a descriptor of unknown type ${code}.`);
      }
      at += DESCRIPTOR_BYTES;
    }
    const interfaceType =
      INTERFACE_TYPE_CODES.find(([, number]) => number === interfaceCode)?.[0] ?? 'InterfaceTypeUndefined';
    list.push({ interfaceType, busNumber, partialResourceList: { version, revision, partialDescriptors } });
  }
  return { list };
}
