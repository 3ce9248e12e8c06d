import type { AccessSize, BusMaster, CardReporter, CardSlot, InterruptLine, PciCard } from '../../hal/bus.ts';
import {
  type InterruptSource,
  type IoRegion,
  type MemoryRegion,
  PCI_BASE_ADDRESS_0,
  PCI_COMMAND,
  PCI_STATUS,
} from '../../hal/index.ts';
import { type DecodedBar, PciConfigSpace, type PciConfigTarget } from '../../hardware/pci/index.ts';
import { type Clock, type Trace, TraceKind } from '../../kernel/index.ts';
import type { SimPlatform } from './sim-platform.ts';
import { SlotReporter } from './slot-reporter.ts';

/** A window of the card in its address space. */
interface MappedWindow {
  readonly index: number;
  readonly address: number;
  unmap(): void;
}

const ASSERTED = { asserted: true } as const;
const DEASSERTED = { asserted: false } as const;

/** First byte after the base address registers: what lies before decides what the function decodes. */
const AFTER_BARS = 0x28;

/**
 * A PCI card in its slot: keeps its configuration space, lets it answer where that says, carries its interrupt to the line its pin is
 * wired to, and checks every transfer it makes as bus master against the DMA isolation.
 */
export class PciSlot implements PciConfigTarget, CardSlot {
  readonly card: PciCard;
  /** `pci:00:05.0`. */
  readonly busDevice: string;
  readonly config: PciConfigSpace;
  readonly clock: Clock;
  readonly interrupt: InterruptLine;
  readonly busMaster: BusMaster;
  readonly report: CardReporter;
  readonly #platform: SimPlatform;
  readonly #source: InterruptSource | null;
  readonly #trace: Trace;
  readonly #pinName: string;
  #windows: readonly MappedWindow[] = [];
  #interruptLevel = false;
  #present = true;

  /** Plugs the card in: it is attached and gets its reset. Throws a RangeError for a card that cannot be one. */
  constructor(platform: SimPlatform, trace: Trace, busDevice: string, device: number, card: PciCard) {
    this.card = card;
    this.busDevice = busDevice;
    this.#platform = platform;
    this.#trace = trace;
    this.#pinName = `INT${'-ABCD'.charAt(card.interruptPin)}#`;
    this.config = new PciConfigSpace(card);
    this.clock = platform.clock;
    this.report = new SlotReporter(trace, card.name, busDevice);
    this.busMaster = new SlotBusMaster(platform, this);
    this.#source =
      card.interruptPin === 0
        ? null
        : platform.interrupts.connect(platform.pciInterruptLine(device, card.interruptPin));
    this.interrupt = { setLevel: (asserted) => this.#setInterruptLevel(asserted) };
    card.attach(this);
    card.reset();
  }

  get present(): boolean {
    return this.#present;
  }

  readConfig(offset: number, size: AccessSize): number {
    return this.config.read(offset, size);
  }

  writeConfig(offset: number, size: AccessSize, value: number): void {
    this.config.write(offset, size, value);
    const isCommand = offset < PCI_STATUS && offset + size > PCI_COMMAND;
    const isBar = offset < AFTER_BARS && offset + size > PCI_BASE_ADDRESS_0;
    if (isCommand || isBar) this.#refreshWindows();
    if (isCommand) this.#driveInterrupt();
    this.card.onConfigWrite?.(offset, size, value);
  }

  setMultiFunction(multiFunction: boolean): void {
    this.config.setMultiFunction(multiFunction);
  }

  /** RST#: configuration space and card as after power-on. */
  reset(): void {
    this.config.reset();
    this.#refreshWindows();
    this.card.reset();
    this.#driveInterrupt();
  }

  /** Pulls the card out, in the middle of whatever it was doing. */
  unplug(): void {
    this.#present = false;
    for (const window of this.#windows) window.unmap();
    this.#windows = [];
    this.#source?.disconnect();
    this.#platform.dma.retire(this.busDevice);
    this.card.detach();
  }

  #setInterruptLevel(asserted: boolean): void {
    if (asserted === this.#interruptLevel) return;
    if (asserted && this.#source === null) {
      this.report.finding(
        'The card asserts an interrupt, but its interrupt pin register says that it has none.',
      );
    }
    this.#interruptLevel = asserted;
    this.config.setInterruptStatus(asserted);
    this.#driveInterrupt();
  }

  #driveInterrupt(): void {
    const source = this.#source;
    const level = this.#interruptLevel && !this.config.interruptDisabled;
    if (source === null || source.asserted === level || !this.#present) return;
    if ((this.#trace.mask & TraceKind.Interrupt) !== 0) {
      this.#trace.emit(
        TraceKind.Interrupt,
        'I',
        this.card.name,
        this.#pinName,
        level ? ASSERTED : DEASSERTED,
      );
    }
    source.setLevel(level);
  }

  #refreshWindows(): void {
    if (!this.#present) return;
    const decoded = this.config.decodedBars();
    const kept = this.#windows.filter((window) => {
      const stays = decoded.some(
        ({ index, address }) => index === window.index && address === window.address,
      );
      if (!stays) window.unmap();
      return stays;
    });
    const added = decoded.filter(({ index }) => !kept.some((window) => window.index === index));
    this.#windows = [...kept, ...added.map((bar) => this.#mapWindow(bar))];
  }

  #mapWindow({ bar, index, address }: DecodedBar): MappedWindow {
    const name = `${this.card.name} (${this.busDevice}, BAR${index})`;
    if (bar.kind === 'io') {
      const region: IoRegion = this.#platform.io.map(name, address, bar.size, bar.target);
      return { index, address, unmap: () => this.#platform.io.unmap(region) };
    }
    const region: MemoryRegion = this.#platform.memory.map(name, address, bar.size, bar.target);
    return { index, address, unmap: () => this.#platform.memory.unmap(region) };
  }
}

/** What the card does on the bus by itself. Nothing moves unless all of it may. */
class SlotBusMaster implements BusMaster {
  readonly #platform: SimPlatform;
  readonly #slot: PciSlot;

  constructor(platform: SimPlatform, slot: PciSlot) {
    this.#platform = platform;
    this.#slot = slot;
  }

  read(busAddress: number, into: Uint8Array): boolean {
    if (!this.#allows(busAddress, into.length)) return this.#abort('read', busAddress, into.length);
    this.#platform.ram.read(busAddress, into);
    return true;
  }

  write(busAddress: number, from: Uint8Array): boolean {
    if (!this.#allows(busAddress, from.length)) return this.#abort('write', busAddress, from.length);
    this.#platform.ram.write(busAddress, from);
    return true;
  }

  readUlong(busAddress: number): number | null {
    if (!this.#allows(busAddress, 4)) {
      this.#abort('read', busAddress, 4);
      return null;
    }
    return this.#platform.ram.readUlong(busAddress);
  }

  writeUlong(busAddress: number, value: number): boolean {
    if (!this.#allows(busAddress, 4)) return this.#abort('write', busAddress, 4);
    this.#platform.ram.writeUlong(busAddress, value);
    return true;
  }

  /** A question, not a transfer: "no" is no master abort. The card then makes the transfer with read or write, which reports. */
  view(busAddress: number, length: number): Uint8Array | null {
    return this.#allows(busAddress, length) ? this.#platform.ram.view(busAddress, length) : null;
  }

  #allows(busAddress: number, length: number): boolean {
    const slot = this.#slot;
    return (
      slot.present &&
      slot.config.busMasterEnabled &&
      this.#platform.dma.allows(slot.busDevice, busAddress, length) &&
      this.#platform.ram.contains(busAddress, length)
    );
  }

  #abort(direction: 'read' | 'write', busAddress: number, length: number): false {
    const slot = this.#slot;
    const what = `DMA ${direction} of ${length} bytes at 0x${busAddress.toString(16).toUpperCase()} stopped: `;
    let why: string;
    if (!slot.present) why = 'the card is not in its slot any more.';
    else if (!slot.config.busMasterEnabled) why = 'bus mastering is not enabled in the command register.';
    else if (!this.#platform.dma.allows(slot.busDevice, busAddress, length))
      why = 'not all of it is mapped for this card.';
    else why = 'not all of it is RAM.';
    if (slot.present) slot.config.setReceivedMasterAbort();
    slot.report.finding(what + why, { direction, busAddress, length });
    return false;
  }
}
