import {
  type CM_PARTIAL_RESOURCE_DESCRIPTOR,
  CM_RESOURCE_DMA_8,
  CM_RESOURCE_DMA_8_AND_16,
  CM_RESOURCE_DMA_16,
  CM_RESOURCE_INTERRUPT_LATCHED,
  CM_RESOURCE_INTERRUPT_LEVEL_SENSITIVE,
  type CM_RESOURCE_LIST,
  CM_RESOURCE_PORT_10_BIT_DECODE,
  CM_RESOURCE_PORT_16_BIT_DECODE,
  CM_RESOURCE_PORT_IO,
  type DEVICE_CAPABILITIES,
  GUID_BUS_TYPE_ISAPNP,
  IO_RESOURCE_ALTERNATIVE,
  type IO_RESOURCE_DESCRIPTOR,
  type IO_RESOURCE_REQUIREMENTS_LIST,
  makeResourceList,
  NtError,
  type PNP_BUS_INFORMATION,
  type PnpChild,
  STATUS_CONFLICTING_ADDRESSES,
} from '../kernel/index.ts';
import { translateInterrupt } from './interrupt-translation.ts';
import { groupAlternatives, type IsaArbiter, type IsaAssignment } from './isa-arbiter.ts';
import type { IsaPnpAccess, IsaPnpCardFound } from './isapnp-access.ts';
import {
  ISAPNP_DMA_0,
  ISAPNP_DMA_NONE,
  ISAPNP_DMAS,
  ISAPNP_IO_BASE_0,
  ISAPNP_IO_BASES,
  ISAPNP_IRQ_0,
  ISAPNP_IRQ_HIGH,
  ISAPNP_IRQ_LEVEL,
  ISAPNP_IRQS,
} from './isapnp-registers.ts';
import type { IsaPnpDevice, IsaPnpResource } from './isapnp-resources.ts';

/** How ISA devices describe their bus. */
export const ISA_BUS_INFORMATION: PNP_BUS_INFORMATION = {
  busTypeGuid: GUID_BUS_TYPE_ISAPNP,
  legacyBusType: 'Isa',
  busNumber: 0,
};

function hexDigits(value: number, digits: number): string {
  return value.toString(16).toUpperCase().padStart(digits, '0');
}

/** One logical device of an isolated card. */
export class IsaPnpChild implements PnpChild {
  readonly busDevice: string;
  readonly deviceId: string;
  readonly instanceId: string;
  readonly hardwareIds: readonly string[];
  readonly compatibleIds: readonly string[];
  readonly description: string;
  readonly location: string;
  readonly bus = ISA_BUS_INFORMATION;
  readonly capabilities: Partial<DEVICE_CAPABILITIES> = { uniqueID: true, surpriseRemovalOK: false };
  readonly resourceRequirements: IO_RESOURCE_REQUIREMENTS_LIST | null;
  readonly #access: IsaPnpAccess;
  readonly #arbiter: IsaArbiter;
  readonly #cardSelectNumber: number;
  readonly #logicalDevice: number;
  #assigned: readonly IsaAssignment[] = [];
  #level: readonly boolean[] = [];
  #started = false;
  #present = true;

  /** @param sameBefore cards of the same kind and serial number that were found before this one */
  constructor(
    access: IsaPnpAccess,
    arbiter: IsaArbiter,
    card: IsaPnpCardFound,
    logicalDevice: number,
    device: IsaPnpDevice,
    sameBefore: number,
  ) {
    const several = card.devices.length > 1;
    const number = logicalDevice.toString().padStart(4, '0');
    const deviceId = `ISAPNP\\${card.id}${several ? `_DEV${number}` : ''}`;
    const serial = hexDigits(card.serialNumber, 8) + (sameBefore > 0 ? `&${sameBefore}` : '');
    this.busDevice = `isapnp:${card.id}:${serial}:${logicalDevice}`;
    this.deviceId = deviceId;
    this.instanceId = serial;
    this.hardwareIds = [...new Set([deviceId, `ISAPNP\\${device.id}`, `*${device.id}`])];
    this.compatibleIds = [`*${device.id}`, ...device.compatibleIds.map((id) => `*${id}`)];
    this.description = device.name ?? card.name ?? device.id;
    this.location = `ISA Plug and Play card ${card.id}, device ${logicalDevice}`;
    this.#access = access;
    this.#arbiter = arbiter;
    this.#cardSelectNumber = card.cardSelectNumber;
    this.#logicalDevice = logicalDevice;
    this.resourceRequirements = requirementsOf(device);
  }

  /** Takes the first alternative that conflicts with nobody. A device that runs keeps what it has when that is among them. */
  assignResources(
    requirements: IO_RESOURCE_REQUIREMENTS_LIST | null,
  ): { raw: CM_RESOURCE_LIST; translated: CM_RESOURCE_LIST } | null {
    const lists = (requirements ?? this.resourceRequirements)?.alternativeLists ?? [];
    if (lists.length === 0) return null;
    for (const list of lists) {
      const assigned = this.#arbiter.assign(this, list);
      if (!assigned) continue;
      this.#assigned = assigned;
      const raw = describe(assigned, list);
      this.#level = raw.flatMap((resource) =>
        resource.type === 'Interrupt' ? [(resource.flags & CM_RESOURCE_INTERRUPT_LATCHED) === 0] : [],
      );
      return {
        raw: makeResourceList(raw, 'Isa', this.bus.busNumber),
        translated: makeResourceList(translate(raw), 'Isa', this.bus.busNumber),
      };
    }
    throw new NtError(
      STATUS_CONFLICTING_ADDRESSES,
      `${this.busDevice}: none of its ${lists.length} possible configurations is free of conflicts.`,
    );
  }

  /** Writes the configuration and activates the device. */
  start(): void {
    if (!this.#present) return;
    this.#started = true;
    this.#access.configure(this.#cardSelectNumber, this.#logicalDevice, this.#registers(), true);
  }

  /** The device is deactivated and gives its resources back. */
  stop(): void {
    const started = this.#started;
    this.#started = false;
    if (started && this.#present)
      this.#access.configure(this.#cardSelectNumber, this.#logicalDevice, [], false);
    this.#arbiter.release(this);
    this.#assigned = [];
  }

  /** The card is gone. Its resources stay taken until its driver lets go of them. */
  vanish(): void {
    this.#present = false;
    if (!this.#started) this.#arbiter.release(this);
  }

  /** Every configuration register; those of resources that are not used say so. */
  #registers(): readonly (readonly [number, number])[] {
    const registers: (readonly [number, number])[] = [];
    const ports = this.#assigned.filter((one) => one.type === 'Port');
    const lines = this.#assigned.filter((one) => one.type === 'Interrupt');
    const channels = this.#assigned.filter((one) => one.type === 'Dma');
    for (let i = 0; i < ISAPNP_IO_BASES; i++) {
      const start = ports[i]?.start ?? 0;
      registers.push([ISAPNP_IO_BASE_0 + 2 * i, start >> 8], [ISAPNP_IO_BASE_0 + 2 * i + 1, start & 0xff]);
    }
    for (let i = 0; i < ISAPNP_IRQS; i++) {
      const type = this.#level[i] === true ? ISAPNP_IRQ_LEVEL : ISAPNP_IRQ_HIGH;
      registers.push([ISAPNP_IRQ_0 + 2 * i, lines[i]?.line ?? 0], [ISAPNP_IRQ_0 + 2 * i + 1, type]);
    }
    for (let i = 0; i < ISAPNP_DMAS; i++)
      registers.push([ISAPNP_DMA_0 + i, channels[i]?.channel ?? ISAPNP_DMA_NONE]);
    return registers;
  }
}

/** What a device may use, as the PnP manager asks for it: a list of requirements for each of the card's alternatives. */
export function requirementsOf(device: IsaPnpDevice): IO_RESOURCE_REQUIREMENTS_LIST | null {
  const fixed = device.resources.flatMap(descriptorsOf);
  const byPriority = [...device.alternatives].sort((a, b) => a.priority - b.priority);
  const lists =
    byPriority.length === 0
      ? [fixed]
      : byPriority.map(({ resources }) => [...fixed, ...resources.flatMap(descriptorsOf)]);
  if (lists.every((list) => list.length === 0)) return null;
  return { interfaceType: 'Isa', busNumber: 0, slotNumber: 0, alternativeLists: lists };
}

const EXCLUSIVE = { shareDisposition: 'DeviceExclusive', length: 1, alignment: 1 } as const;

function descriptorsOf(resource: IsaPnpResource): IO_RESOURCE_DESCRIPTOR[] {
  if (resource.type === 'io') {
    return [
      {
        ...EXCLUSIVE,
        option: 0,
        type: 'Port',
        flags:
          CM_RESOURCE_PORT_IO |
          (resource.decodes16 === true ? CM_RESOURCE_PORT_16_BIT_DECODE : CM_RESOURCE_PORT_10_BIT_DECODE),
        length: resource.length,
        alignment: Math.max(resource.alignment, 1),
        minimum: resource.minimum,
        maximum: resource.maximum + resource.length - 1,
      },
    ];
  }
  const values = resource.type === 'irq' ? resource.lines : resource.channels;
  const flags =
    resource.type === 'irq'
      ? resource.level === true
        ? CM_RESOURCE_INTERRUPT_LEVEL_SENSITIVE
        : CM_RESOURCE_INTERRUPT_LATCHED
      : resource.width === 8
        ? CM_RESOURCE_DMA_8
        : resource.width === 16
          ? CM_RESOURCE_DMA_16
          : CM_RESOURCE_DMA_8_AND_16;
  return values.map((value, i) => ({
    ...EXCLUSIVE,
    option: i === 0 ? 0 : IO_RESOURCE_ALTERNATIVE,
    type: resource.type === 'irq' ? 'Interrupt' : 'Dma',
    flags,
    minimum: value,
    maximum: value,
  }));
}

/** Assignments as raw resources; flags are those of the requirement that each meets. */
function describe(
  assigned: readonly IsaAssignment[],
  list: readonly IO_RESOURCE_DESCRIPTOR[],
): CM_PARTIAL_RESOURCE_DESCRIPTOR[] {
  const groups = groupAlternatives(list);
  return assigned.map((one, i) => resourceOf(one, groups[i]?.[0]?.flags ?? 0));
}

/** A raw resource descriptor out of an assignment. */
export function resourceOf(assignment: IsaAssignment, flags: number): CM_PARTIAL_RESOURCE_DESCRIPTOR {
  const shareDisposition = 'DeviceExclusive';
  switch (assignment.type) {
    case 'Port':
      return { type: 'Port', shareDisposition, flags, start: assignment.start, length: assignment.length };
    case 'Interrupt':
      return {
        type: 'Interrupt',
        shareDisposition,
        flags,
        level: assignment.line,
        vector: assignment.line,
        affinity: 1,
      };
    case 'Dma':
      return { type: 'Dma', shareDisposition, flags, channel: assignment.channel, port: 0 };
  }
}

/** The translated form of raw resources: ports and channels are what they are, interrupts get level and vector. */
export function translate(raw: readonly CM_PARTIAL_RESOURCE_DESCRIPTOR[]): CM_PARTIAL_RESOURCE_DESCRIPTOR[] {
  return raw.map((resource) => (resource.type === 'Interrupt' ? translateInterrupt(resource) : resource));
}
