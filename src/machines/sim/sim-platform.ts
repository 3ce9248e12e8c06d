import {
  DmaDomain,
  InterruptLines,
  type IoRegion,
  IoSpace,
  ISA_DMA_BUS_DEVICE,
  type MemoryRegion,
  MemorySpace,
} from '../../hal/index.ts';
import { HOST_BRIDGE_PORT, HOST_BRIDGE_PORTS, PciHostBridge } from '../../hardware/pci/index.ts';
import { type AccessSize, type EventClock, type Platform, Trace, VirtualClock } from '../../kernel/index.ts';
import { ISA_INTERRUPT_LINES, IsaBus } from './isa-bus.ts';
import { type RamHolder, SimRam } from './sim-ram.ts';
import { SlotReporter } from './slot-reporter.ts';

const DEFAULT_RAM_BYTES = 64 * 1024 * 1024;
/** Cards' memory windows begin here at the latest. */
const RAM_LIMIT = 0xe000_0000;

/** Interrupt lines: 0–15 are those of the 8259 pair, for ISA; 16–19 for PIRQA–PIRQD go past it to the kernel; the rest is free. */
const INTERRUPT_LINES = 24;
const FIRST_PCI_LINE = ISA_INTERRUPT_LINES;
const PCI_LINES = 4;

export interface SimPlatformOptions {
  /** Bytes of RAM from address 0 on; 64 MiB unless given. */
  readonly ramBytes?: number;
  /** The buffer to be this RAM, in place of `ramBytes`: an ArrayBuffer or a WebAssembly.Memory. */
  readonly ram?: RamHolder | ArrayBufferLike;
  /** Bytes of RAM from 4 GiB on; none unless given. They take up room only where they are written. */
  readonly highRamBytes?: number;
  /** Told of what no correct machine has, such as two windows at one address. */
  readonly onFinding?: (source: string, text: string) => void;
  /** Where the board's own chips report what they do. */
  readonly trace?: Trace;
}

/** The PC of this process, without cards: bus decoders, RAM, interrupt lines, virtual time. Two runs of it never differ. */
export class SimPlatform implements Platform {
  readonly name = 'sim';
  readonly clock: EventClock;
  readonly ram: SimRam;
  readonly interruptLineCount = INTERRUPT_LINES;
  readonly io: IoSpace;
  readonly memory: MemorySpace;
  readonly interrupts: InterruptLines;
  readonly dma: DmaDomain;
  readonly hostBridge: PciHostBridge;
  readonly isa: IsaBus;
  readonly #handlers: ((line: number, asserted: boolean) => void)[] = [];

  constructor(options: SimPlatformOptions = {}) {
    this.clock = new VirtualClock();
    this.ram = new SimRam(options.ram ?? options.ramBytes ?? DEFAULT_RAM_BYTES, options.highRamBytes ?? 0);
    if (this.ram.lowBytes > RAM_LIMIT) {
      throw new RangeError(
        `${this.ram.lowBytes} bytes of RAM reach into the cards' windows; use highRamBytes for what is above 3.5 GiB.`,
      );
    }
    const { onFinding } = options;
    const conflict = (added: IoRegion | MemoryRegion, existing: IoRegion | MemoryRegion) =>
      onFinding?.(
        added.name,
        `The window at ${added.start.toString(16).toUpperCase()}h, ${added.length} bytes, overlaps that of ${existing.name} at ` +
          `${existing.start.toString(16).toUpperCase()}h, which answers where they do.`,
      );
    this.io = new IoSpace(conflict);
    this.memory = new MemorySpace(conflict);
    this.interrupts = new InterruptLines(INTERRUPT_LINES);
    this.dma = new DmaDomain();
    this.hostBridge = new PciHostBridge();
    this.io.map('host bridge', HOST_BRIDGE_PORT, HOST_BRIDGE_PORTS, this.hostBridge);
    this.interrupts.onChange((line, asserted) => {
      if (line >= FIRST_PCI_LINE) this.#tell(line, asserted);
    });
    this.isa = new IsaBus({
      ram: this.ram,
      dma: this.dma,
      interrupts: this.interrupts,
      report: new SlotReporter(options.trace ?? new Trace(), 'DMA controller', ISA_DMA_BUS_DEVICE),
      onConflict: conflict,
      onInterruptChange: (line, asserted) => this.#tell(line, asserted),
    });
  }

  /** A port that no PCI card claims goes to the ISA bus (subtractive decoding). */
  readPort(port: number, size: AccessSize): number {
    return this.io.at(port) === null ? this.isa.io.read(port, size) : this.io.read(port, size);
  }

  writePort(port: number, size: AccessSize, value: number): void {
    if (this.io.at(port) === null) this.isa.io.write(port, size, value);
    else this.io.write(port, size, value);
  }

  readMemory(physicalAddress: number, size: AccessSize): number {
    if (!this.ram.contains(physicalAddress, size)) return this.memory.read(physicalAddress, size);
    let value = 0;
    const bytes = new Uint8Array(size);
    this.ram.read(physicalAddress, bytes);
    for (let i = size - 1; i >= 0; i--) value = value * 256 + (bytes[i] ?? 0);
    return value;
  }

  writeMemory(physicalAddress: number, size: AccessSize, value: number): void {
    if (!this.ram.contains(physicalAddress, size)) {
      this.memory.write(physicalAddress, size, value);
      return;
    }
    const bytes = new Uint8Array(size);
    for (let i = 0; i < size; i++) bytes[i] = value >>> (8 * i);
    this.ram.write(physicalAddress, bytes);
  }

  isInterruptAsserted(line: number): boolean {
    return line < FIRST_PCI_LINE ? this.isa.isAsserted(line) : this.interrupts.isAsserted(line);
  }

  onInterruptChange(handler: (line: number, asserted: boolean) => void): void {
    this.#handlers.push(handler);
  }

  /** ISA: the 8259s hand the edge over and hear of its end. PCI lines are levels: there is no latch to clear. */
  acknowledgeInterrupt(line: number): void {
    if (line < FIRST_PCI_LINE) this.isa.acknowledge(line);
  }

  /** INTA#…INTD# rotate over the four PIRQ lines by device number, so that cards with one pin each spread (PCI 3.0, 2.2.6). */
  pciInterruptLine(device: number, pin: number): number {
    return FIRST_PCI_LINE + ((device + pin - 1) % PCI_LINES);
  }

  mapDma(busDevice: string | null, physicalAddress: number, length: number): void {
    this.dma.map(busDevice, physicalAddress, length);
  }

  unmapDma(busDevice: string | null, physicalAddress: number, length: number): void {
    this.dma.unmap(busDevice, physicalAddress, length);
  }

  /** Nothing outside this process is held. */
  dispose(): void {}

  #tell(line: number, asserted: boolean): void {
    for (const handler of this.#handlers) handler(line, asserted);
  }
}
