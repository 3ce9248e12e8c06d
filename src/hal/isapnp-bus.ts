import {
  CM_RESOURCE_DMA_8,
  CM_RESOURCE_DMA_16,
  CM_RESOURCE_INTERRUPT_LATCHED,
  type CM_RESOURCE_LIST,
  CM_RESOURCE_PORT_10_BIT_DECODE,
  CM_RESOURCE_PORT_IO,
  type Kernel,
  makeResourceList,
  type PnpBus,
  type PnpChild,
} from '../kernel/index.ts';
import { IsaArbiter, type IsaAssignment, type IsaBusResources } from './isa-arbiter.ts';
import { IsaPnpAccess, type IsaPnpCardFound } from './isapnp-access.ts';
import { ISA_BUS_INFORMATION, IsaPnpChild, resourceOf, translate } from './isapnp-child.ts';

/** A card without Plug and Play, as somebody who set its jumpers describes it. */
export interface IsaLegacyDevice {
  /** Unique on the machine: `isa:sb16`. */
  readonly busDevice: string;
  /** Most specific first; the first is the device id: `*PNPB003`. */
  readonly hardwareIds: readonly string[];
  readonly compatibleIds?: readonly string[];
  readonly description: string;
  /** In the order in which the driver is to find them. */
  readonly resources: readonly IsaAssignment[];
}

export interface IsaPnpBusOptions extends IsaBusResources {
  /** Devices that no protocol finds. Their resources are not given to others. */
  readonly legacyDevices?: readonly IsaLegacyDevice[];
  /** Looks for Plug and Play cards; unless false. */
  readonly plugAndPlay?: boolean;
}

/** A device that is gone; `stop` gives back what it held. */
interface Vanished {
  readonly busDevice: string;
  stop(): void;
}

interface KnownCard {
  readonly card: IsaPnpCardFound;
  readonly children: readonly IsaPnpChild[];
}

const FIRST_WORD_CHANNEL = 4;

/**
 * The driver of the ISA bus. It isolates Plug and Play cards by the ports of the protocol, so that it works on every machine with an ISA
 * bus, reads what they need, gives it to them without conflicts, and reports each logical device to the PnP manager. Cards without Plug
 * and Play are reported as they are described.
 */
export class IsaPnpBusDriver implements PnpBus {
  readonly name = 'isapnp';
  readonly #kernel: Kernel;
  readonly #access: IsaPnpAccess;
  readonly #arbiter: IsaArbiter;
  readonly #legacy = new Map<string, PnpChild>();
  readonly #plugAndPlay: boolean;
  #cards: KnownCard[] = [];
  /** Logical devices of cards that are gone and whose resources their drivers may still use. */
  #vanished: Vanished[] = [];

  /** Give it to `kernel.pnp.addBus`. */
  constructor(kernel: Kernel, options: IsaPnpBusOptions = {}) {
    this.#kernel = kernel;
    this.#access = new IsaPnpAccess(kernel);
    this.#arbiter = new IsaArbiter(options);
    this.#plugAndPlay = options.plugAndPlay ?? true;
    for (const device of options.legacyDevices ?? []) this.addLegacyDevice(device);
  }

  /**
   * Somebody has set the jumpers of one more card without Plug and Play, and says how: it is reported from the next enumeration on.
   * @throws RangeError when there is a device of that name
   */
  addLegacyDevice(device: IsaLegacyDevice): void {
    const { busDevice } = device;
    if (this.#legacy.has(busDevice)) throw new RangeError(`The ISA bus has a device '${busDevice}' already.`);
    this.#vanished = this.#vanished.filter((gone) => gone.busDevice !== busDevice);
    this.#legacy.set(busDevice, legacyChild(this.#arbiter, device));
  }

  /** That card was pulled out: the next enumeration misses it. No such device: nothing happens. */
  removeLegacyDevice(busDevice: string): void {
    if (!this.#legacy.delete(busDevice)) return;
    this.#vanished.push({ busDevice, stop: () => this.#arbiter.release(busDevice) });
  }

  /** The protocol's registers, for the machine's owner and for tests. */
  get access(): IsaPnpAccess {
    return this.#access;
  }

  /** Cards found so far that are still there. */
  get cards(): readonly IsaPnpCardFound[] {
    return this.#cards.map(({ card }) => card);
  }

  enumerate(): readonly PnpChild[] {
    this.#releaseVanished();
    if (this.#plugAndPlay) {
      this.#cards = this.#cards.filter((known) => {
        if (this.#access.isPresent(known.card)) return true;
        for (const child of known.children) {
          child.vanish();
          this.#vanished.push(child);
        }
        return false;
      });
      for (const card of this.#access.isolate()) this.#add(card);
    }
    return [...this.#legacy.values(), ...this.#cards.flatMap(({ children }) => children)];
  }

  /**
   * The machine's owner has pulled out the card with this identifier and serial number; returns the bus device ids of its logical
   * devices, which the PnP manager is to remove by surprise.
   */
  forget(id: string, serialNumber: number): readonly string[] {
    const gone = this.#cards.filter(({ card }) => card.id === id && card.serialNumber === serialNumber);
    this.#cards = this.#cards.filter((known) => !gone.includes(known));
    const children = gone.flatMap((known) => known.children);
    for (const child of children) {
      child.vanish();
      this.#vanished.push(child);
    }
    return children.map(({ busDevice }) => busDevice);
  }

  #add(card: IsaPnpCardFound): void {
    const same = this.#cards.filter(
      (known) => known.card.id === card.id && known.card.serialNumber === card.serialNumber,
    ).length;
    const children = card.devices.map(
      (device, i) => new IsaPnpChild(this.#access, this.#arbiter, card, i, device, same),
    );
    this.#cards.push({ card, children });
  }

  #releaseVanished(): void {
    const { devices } = this.#kernel.pnp;
    this.#vanished = this.#vanished.filter((child) => {
      const inUse = devices.some(
        (node) => node.busDevice === child.busDevice && node.state === 'DeviceNodeAwaitingQueuedRemoval',
      );
      if (!inUse) child.stop();
      return inUse;
    });
  }
}

function legacyChild(arbiter: IsaArbiter, device: IsaLegacyDevice): PnpChild {
  arbiter.hold(device.busDevice, device.resources);
  const raw = device.resources.map((one) => resourceOf(one, legacyFlags(one)));
  const lists: { raw: CM_RESOURCE_LIST; translated: CM_RESOURCE_LIST } = {
    raw: makeResourceList(raw, 'Isa', 0),
    translated: makeResourceList(translate(raw), 'Isa', 0),
  };
  const [deviceId = device.busDevice] = device.hardwareIds;
  return {
    busDevice: device.busDevice,
    deviceId: `ROOT\\${deviceId.replace('*', '')}`,
    instanceId: '0000',
    hardwareIds: device.hardwareIds,
    compatibleIds: device.compatibleIds ?? [],
    description: device.description,
    location: 'ISA bus, set by jumpers',
    bus: ISA_BUS_INFORMATION,
    resourceRequirements: null,
    assignResources: () => lists,
  };
}

function legacyFlags(assignment: IsaAssignment): number {
  switch (assignment.type) {
    case 'Port':
      return CM_RESOURCE_PORT_IO | CM_RESOURCE_PORT_10_BIT_DECODE;
    case 'Interrupt':
      return CM_RESOURCE_INTERRUPT_LATCHED;
    case 'Dma':
      return assignment.channel < FIRST_WORD_CHANNEL ? CM_RESOURCE_DMA_8 : CM_RESOURCE_DMA_16;
  }
}
