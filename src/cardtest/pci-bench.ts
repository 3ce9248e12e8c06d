import {
  PCI_BARS,
  PCI_BASE_ADDRESS_0,
  PCI_COMMAND,
  PCI_COMMAND_BUS_MASTER,
  PCI_COMMAND_IO,
  PCI_COMMAND_MEMORY,
  PCI_INTERRUPT_PIN,
  PCI_INVALID_VENDOR_ID,
  PCI_VENDOR_ID,
  type PciConfigAccess,
} from '../hal/index.ts';
import type { AccessSize, Platform } from '../kernel/index.ts';
import { BenchMachine } from './bench-machine.ts';
import type { CardWindow } from './card-under-test.ts';

/** Where the windows of the card go: above everything of a PC's that is fixed, and below its interrupt controllers. */
const FIRST_IO = 0x1000;
const FIRST_MEMORY = 0xe000_0000;
const PAGE = 4096;

/** What a bench needs of its machine. */
export interface PciBenchMachine {
  readonly platform: Platform;
  readonly config: PciConfigAccess;
}

/** The part of a card bench that is the same on every machine with PCI: windows placed by hand, and bus cycles. */
export class PciBench extends BenchMachine {
  readonly windows: readonly (CardWindow | null)[];
  readonly #machine: PciBenchMachine;
  readonly #device: number;
  readonly #line: number | null;
  #pristine = true;

  /**
   * Places the windows of the card in slot `device` and lets it decode and master the bus.
   * @throws Error when there is no card
   */
  constructor(machine: PciBenchMachine, device: number, busDevice: string) {
    super(machine.platform, busDevice);
    this.#machine = machine;
    this.#device = device;
    if (this.readConfig(PCI_VENDOR_ID, 2) === PCI_INVALID_VENDOR_ID) {
      throw new Error(`There is no PCI card in slot ${device} of the machine '${machine.platform.name}'.`);
    }
    const pin = this.readConfig(PCI_INTERRUPT_PIN, 1);
    this.#line = pin >= 1 && pin <= 4 ? machine.platform.pciInterruptLine(device, pin) : null;
    this.windows = this.#placeWindows();
    this.enableDecoding();
  }

  get pristine(): boolean {
    return this.#pristine;
  }

  /** Switches the windows' decoders and bus mastering on, as a bus driver does before it hands the card over. */
  enableDecoding(): void {
    let command = PCI_COMMAND_BUS_MASTER;
    for (const window of this.windows) {
      if (window !== null) command |= window.kind === 'io' ? PCI_COMMAND_IO : PCI_COMMAND_MEMORY;
    }
    this.writeConfig(PCI_COMMAND, 2, command);
  }

  readBar(bar: number, offset: number, size: AccessSize): number {
    const window = this.#window(bar);
    const { platform } = this.#machine;
    return window.kind === 'io'
      ? platform.readPort(window.address + offset, size)
      : platform.readMemory(window.address + offset, size);
  }

  writeBar(bar: number, offset: number, size: AccessSize, value: number): void {
    this.#pristine = false;
    const window = this.#window(bar);
    const { platform } = this.#machine;
    if (window.kind === 'io') platform.writePort(window.address + offset, size, value);
    else platform.writeMemory(window.address + offset, size, value);
  }

  readConfig(offset: number, size: AccessSize): number {
    return this.#machine.config.read(this.#device, 0, offset, size);
  }

  writeConfig(offset: number, size: AccessSize, value: number): void {
    this.#machine.config.write(this.#device, 0, offset, size, value);
  }

  get interruptAsserted(): boolean {
    return this.#line !== null && this.#machine.platform.isInterruptAsserted(this.#line);
  }

  #window(bar: number): CardWindow {
    const window = this.windows[bar] ?? null;
    if (window === null) throw new RangeError(`The card has no base address register ${bar}.`);
    return window;
  }

  /** All ones written, size read, address written (PCI 3.0, section 6.2.5.1); each window at a multiple of its size, and of a page. */
  #placeWindows(): (CardWindow | null)[] {
    let io = FIRST_IO;
    let memory = FIRST_MEMORY;
    const windows: (CardWindow | null)[] = [];
    for (let bar = 0; bar < PCI_BARS; bar++) {
      const offset = PCI_BASE_ADDRESS_0 + 4 * bar;
      this.writeConfig(offset, 4, 0xffff_ffff);
      const mask = this.readConfig(offset, 4);
      windows[bar] = null;
      if (mask === 0) continue;
      if ((mask & 1) !== 0) {
        const size = -((mask & 0xffff_fffc) | 0xffff_0000);
        io = Math.ceil(io / size) * size;
        windows[bar] = { kind: 'io', size, address: io };
        this.writeConfig(offset, 4, io);
        io += size;
        continue;
      }
      const size = 0x1_0000_0000 - ((mask & 0xffff_fff0) >>> 0);
      const step = Math.max(size, PAGE);
      memory = Math.ceil(memory / step) * step;
      const is64 = (mask & 6) === 4;
      windows[bar] = { kind: is64 ? 'memory64' : 'memory32', size, address: memory };
      this.writeConfig(offset, 4, memory);
      memory += step;
      if (is64) {
        bar++;
        this.writeConfig(PCI_BASE_ADDRESS_0 + 4 * bar, 4, 0);
        windows[bar] = null;
      }
    }
    return windows;
  }
}
