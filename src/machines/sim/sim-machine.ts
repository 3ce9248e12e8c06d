import type { IsaCard, PciCard } from '../../hal/bus.ts';
import {
  type IsaLegacyDevice,
  IsaPnpBusDriver,
  type IsaPnpBusOptions,
  PCI_DEVICES,
  PciBusDriver,
  pciLocationText,
} from '../../hal/index.ts';
import {
  type DriverPackage,
  exQueueWorkItem,
  Kernel,
  type LeakReport,
  PASSIVE_LEVEL,
  type Registry,
  Trace,
  WORK_QUEUE_ITEM,
} from '../../kernel/index.ts';
import { IsaCardSlot } from './isa-slot.ts';
import { PciSlot } from './pci-slot.ts';
import { SimPlatform, type SimPlatformOptions } from './sim-platform.ts';

export interface SimMachineOptions extends Omit<SimPlatformOptions, 'onFinding' | 'trace'> {
  /** The timeline; by default one that keeps the newest events whose rate does not grow with register traffic. */
  readonly trace?: Trace;
  /** A registry from an earlier run; by default an empty one. */
  readonly registry?: Registry;
  /** What ISA cards may get, and cards without Plug and Play. */
  readonly isa?: IsaPnpBusOptions;
}

/** First slot that a card gets unless it is told which: those before it belong to the board on a PC. */
const FIRST_CARD_SLOT = 3;

/**
 * A PC in this process: cards in slots, a kernel, and virtual time that passes as fast as its events are handled.
 *
 * Plug cards, install drivers, {@link start}, then let it run. Cards may be plugged in and pulled out at any time after that.
 */
export class SimMachine {
  readonly platform: SimPlatform;
  readonly kernel: Kernel;
  readonly pciBus: PciBusDriver;
  readonly isaBus: IsaPnpBusDriver;
  readonly #isaSlots = new Map<string, IsaCardSlot>();
  /** By slot: the name under which the bus driver knows a card that no protocol finds. */
  readonly #isaLegacy = new Map<string, string>();
  #isaSlotNumber = 0;
  #isaBusAdded = false;
  /** Somebody is on the ISA bus: without, it is not looked for, and a PC with PCI cards alone loses no time on it. */
  #isaWanted: boolean;
  readonly #slots = new Map<
    string,
    { readonly slot: PciSlot; readonly device: number; readonly func: number }
  >();
  #started = false;
  #leaks: LeakReport | null = null;

  constructor(options: SimMachineOptions = {}) {
    const trace = options.trace ?? new Trace();
    this.platform = new SimPlatform({
      ...options,
      trace,
      onFinding: (source, text) => trace.finding(source, text),
    });
    this.kernel = new Kernel(this.platform, {
      trace,
      ...(options.registry === undefined ? {} : { registry: options.registry }),
    });
    this.pciBus = new PciBusDriver(this.kernel);
    this.isaBus = new IsaPnpBusDriver(this.kernel, options.isa);
    this.#isaWanted = (options.isa?.legacyDevices ?? []).length > 0;
  }

  /** The timeline of everything on this machine. */
  get trace(): Trace {
    return this.kernel.trace;
  }

  /**
   * Plugs a card into a slot of PCI bus 0 and returns its id (`pci:00:05.0`). On a machine that has been started this is a hot plug:
   * the bus is looked over at once, and a driver that fits is started.
   *
   * A card with several functions is plugged function by function, function 0 last when the machine runs.
   *
   * @param device slot number 1–31; the next free one from 3 on unless given
   * @throws RangeError when the slot is taken or there is none left, or the card's description cannot be a PCI card's
   */
  plugPci(card: PciCard, device: number = this.#freeDevice(), func = 0): string {
    const busDevice = `pci:${pciLocationText(0, device, func)}`;
    if (this.platform.hostBridge.isOccupied(device, func)) {
      throw new RangeError(`${card.name}: slot ${busDevice} is taken.`);
    }
    const slot = new PciSlot(this.platform, this.kernel.trace, busDevice, device, card);
    this.platform.hostBridge.plug(device, func, slot);
    this.#slots.set(busDevice, { slot, device, func });
    if (this.#started && this.platform.hostBridge.isOccupied(device, 0)) {
      this.#tellPnp(() => this.kernel.pnp.reenumerate());
    }
    return busDevice;
  }

  /**
   * Plugs a card into an ISA slot and returns the slot's id (`isa:0`). On a machine that has been started this is a hot plug, which no
   * ISA bus of the world survives, but tests of drivers like it: a Plug and Play card is isolated and configured at once.
   *
   * @param legacyDevice of a card without Plug and Play: what the PnP manager is told of it, in place of its user
   * @throws RangeError when the bus has a device of that name
   */
  plugIsa(card: IsaCard, legacyDevice?: IsaLegacyDevice): string {
    if (legacyDevice !== undefined) this.isaBus.addLegacyDevice(legacyDevice);
    const id = `isa:${this.#isaSlotNumber++}`;
    this.#isaSlots.set(
      id,
      new IsaCardSlot(this.platform.isa, this.platform.clock, this.kernel.trace, id, card),
    );
    if (legacyDevice !== undefined) this.#isaLegacy.set(id, legacyDevice.busDevice);
    this.#isaWanted = true;
    if (this.#started) {
      this.#tellPnp(() => {
        this.#addIsaBus();
        this.kernel.pnp.reenumerate();
      });
    }
    return id;
  }

  /** The ISA card in this slot, null when it is empty. */
  isaCardAt(id: string): IsaCard | null {
    return this.#isaSlots.get(id)?.card ?? null;
  }

  /**
   * Pulls a card out, streaming or not: from now on it answers no cycle, moves no data and asserts no interrupt, and its driver is told
   * afterwards (IRP_MN_SURPRISE_REMOVAL). Throws a RangeError when there is no such card.
   */
  unplug(busDevice: string): void {
    const isaSlot = this.#isaSlots.get(busDevice);
    if (isaSlot) {
      this.#isaSlots.delete(busDevice);
      isaSlot.unplug();
      const legacy = this.#isaLegacy.get(busDevice);
      if (legacy !== undefined) this.isaBus.removeLegacyDevice(legacy);
      this.#isaLegacy.delete(busDevice);
      // The bus driver sees for itself that the card does not answer any more.
      if (this.#started) this.#tellPnp(() => this.kernel.pnp.reenumerate());
      return;
    }
    const entry = this.#slots.get(busDevice);
    if (!entry) throw new RangeError(`There is no card at ${busDevice}.`);
    this.#slots.delete(busDevice);
    entry.slot.unplug();
    this.platform.hostBridge.unplug(entry.device, entry.func);
    if (!this.#started) return;
    this.#tellPnp(() => {
      this.pciBus.forget(busDevice);
      if (this.kernel.pnp.findDevice(busDevice) !== null) this.kernel.pnp.surpriseRemove(busDevice);
    });
  }

  /** The card with this id, null when that slot is empty. */
  cardAt(busDevice: string): PciCard | null {
    return this.#slots.get(busDevice)?.slot.card ?? null;
  }

  /** Installs a driver package; devices that wait for one get it at once on a machine that has been started. */
  installDriver(driver: DriverPackage): void {
    this.kernel.enter(() => this.kernel.pnp.installDriver(driver));
  }

  /** Boots: the buses are enumerated, resources are assigned, drivers loaded and devices started. */
  start(): void {
    if (this.#started) return;
    this.#started = true;
    this.kernel.enter(() => {
      this.kernel.pnp.addBus(this.pciBus);
      if (this.#isaWanted) this.#addIsaBus();
      this.kernel.pnp.start();
    });
    this.kernel.drain();
  }

  #addIsaBus(): void {
    if (this.#isaBusAdded) return;
    this.#isaBusAdded = true;
    this.kernel.pnp.addBus(this.isaBus);
  }

  /** Lets this many ticks of 100 ns pass. */
  runFor(ticks: number): void {
    this.kernel.runFor(ticks);
  }

  /** Runs until `done()` or until the clock reaches `limitTick`; true if done. */
  runUntil(done: () => boolean, limitTick: number): boolean {
    return this.kernel.runUntil(done, limitTick);
  }

  /**
   * Shuts the machine down: devices are removed as far as nobody holds them, drivers unloaded. Returns what should not have outlived it:
   * objects, memory, interrupts, handles. Throws a BugcheckError when a driver breaks the kernel on this way; the machine is gone all the
   * same.
   */
  dispose(): LeakReport {
    if (this.#leaks) return this.#leaks;
    try {
      if (this.kernel.stopped === null) this.kernel.enter(() => this.kernel.pnp.removeAll());
    } finally {
      this.#leaks = this.kernel.dispose();
      for (const { slot } of this.#slots.values()) slot.unplug();
      this.#slots.clear();
      for (const slot of this.#isaSlots.values()) slot.unplug();
      this.#isaSlots.clear();
      this.platform.dispose();
    }
    return this.#leaks;
  }

  [Symbol.dispose](): void {
    this.dispose();
  }

  /** Slots change from outside, but also from within an alarm or a driver's wait: then the PnP manager has to wait for its turn. */
  #tellPnp(what: () => void): void {
    const { kernel } = this;
    if (kernel.stopped !== null) return;
    kernel.enter(() => {
      if (kernel.processor.irql === PASSIVE_LEVEL && kernel.currentDriver === null) what();
      else exQueueWorkItem(new WORK_QUEUE_ITEM(what, 'hot plug'));
    });
  }

  #freeDevice(): number {
    const { hostBridge } = this.platform;
    for (let i = 0; i < PCI_DEVICES; i++) {
      const device = (FIRST_CARD_SLOT + i) % PCI_DEVICES;
      if (!hostBridge.isOccupied(device, 0)) return device;
    }
    throw new RangeError('All PCI slots are taken.');
  }
}
