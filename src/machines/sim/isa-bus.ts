import type { BusTarget, CardReporter, IsaCard, IsaPorts } from '../../hal/bus.ts';
import {
  type DmaDomain,
  type InterruptLines,
  type InterruptSource,
  type IoRegion,
  ISA_DMA_BUS_DEVICE,
  IsaIoSpace,
  type IsaRegion,
  initializePics,
  type PicBus,
  takePicInterrupt,
} from '../../hal/index.ts';
import { type DmaMemory, IsaDmaController } from '../../hardware/dma8237/index.ts';
import { IsaPnpPorts } from '../../hardware/isapnp/index.ts';
import { PicPair } from '../../hardware/pic8259/index.ts';
import type { SimRam } from './sim-ram.ts';

/** Lines of the interrupt controllers. */
export const ISA_INTERRUPT_LINES = 16;
/** What ISA has address lines for. */
const ISA_MEMORY_BYTES = 0x100_0000;
/** Inputs that the slots' pins reach: not the timer's, keyboard's, cascade's, clock's and coprocessor's. */
const SLOT_LINES: readonly number[] = [3, 4, 5, 6, 7, 9, 10, 11, 12, 14, 15];

/** What the bus is built from. */
export interface IsaBusParts {
  readonly ram: SimRam;
  readonly dma: DmaDomain;
  /** The machine's lines; the first sixteen are those of the interrupt controllers. */
  readonly interrupts: InterruptLines;
  readonly report: CardReporter;
  readonly onConflict: (added: IoRegion, existing: IoRegion) => void;
  /** An ISA line's interrupt became deliverable to the processor, or is so no longer. */
  readonly onInterruptChange: (line: number, asserted: boolean) => void;
}

/**
 * The ISA side of the PC: I/O decoding, the two DMA controllers, the two interrupt controllers and the Plug and Play ports. The kernel
 * plays the processor: it hears of a line when its controllers would interrupt for it, and {@link acknowledge} is its INTA#.
 */
export class IsaBus {
  readonly io: IsaIoSpace;
  readonly dma: IsaDmaController;
  readonly pics: PicPair;
  readonly pnp: IsaPnpPorts;
  readonly #interrupts: InterruptLines;
  readonly #onInterruptChange: IsaBusParts['onInterruptChange'];
  readonly #picBus: PicBus;
  /** What the kernel was told last, a bit a line. */
  #delivered = 0;
  #taking = false;

  constructor(parts: IsaBusParts) {
    this.#interrupts = parts.interrupts;
    this.#onInterruptChange = parts.onInterruptChange;
    this.io = new IsaIoSpace(parts.onConflict);
    this.dma = new IsaDmaController(new IsaDmaMemory(parts), parts.report);
    this.pics = new PicPair(() => this.#tellKernel());
    for (const { name, start, length, target } of [...this.dma.ports, ...this.pics.ports]) {
      this.io.map(name, start, length, target, 16);
    }
    this.pnp = new IsaPnpPorts((name, port, target) => this.mapPorts(name, port, 1, target, 16));
    this.#picBus = {
      readPort: (port) => this.io.read(port, 1),
      writePort: (port, value) => this.io.write(port, 1, value),
      acknowledge: () => this.pics.acknowledge(),
    };
    parts.interrupts.onChange((line, asserted) => {
      if (line < ISA_INTERRUPT_LINES) this.pics.setLine(line, asserted);
    });
    // What the HAL does when it starts; here, so that a machine whose kernel does nothing yet takes interrupts.
    this.#taking = true;
    initializePics(this.#picBus);
    this.#taking = false;
    this.#tellKernel();
  }

  /** Is the line's interrupt deliverable: requested, not masked, not locked out by one in service? */
  isAsserted(line: number): boolean {
    return ((this.pics.deliverable >> line) & 1) !== 0;
  }

  /** The kernel takes a line's interrupt: INTA#, and its end. */
  acknowledge(line: number): void {
    this.#taking = true;
    takePicInterrupt(this.#picBus, line);
    this.#taking = false;
    this.#tellKernel();
  }

  mapPorts(name: string, start: number, length: number, target: BusTarget, addressLines?: 10 | 16): IsaPorts {
    const region: IsaRegion = this.io.map(name, start, length, target, addressLines);
    return { unmap: () => this.io.unmap(region) };
  }

  /** An output on the line that a slot's pin reaches: IRQ2 of the slot is IRQ9 of the AT. */
  connectInterrupt(card: IsaCard, irq: number): InterruptSource {
    const line = irq === 2 ? 9 : irq;
    if (!SLOT_LINES.includes(line)) throw new RangeError(`${card.name}: ISA slots have no IRQ${irq}.`);
    return this.#interrupts.connect(line);
  }

  #tellKernel(): void {
    // While the HAL has the masks in its hands nothing changes for the kernel.
    if (this.#taking) return;
    const deliverable = this.pics.deliverable;
    const changed = deliverable ^ this.#delivered;
    this.#delivered = deliverable;
    for (let line = 0; changed >> line !== 0; line++) {
      if (((changed >> line) & 1) !== 0) this.#onInterruptChange(line, ((deliverable >> line) & 1) !== 0);
    }
  }
}

/** RAM as the DMA controllers reach it: 24 address lines, and only what was mapped for them. */
class IsaDmaMemory implements DmaMemory {
  readonly #ram: SimRam;
  readonly #dma: DmaDomain;
  readonly #report: CardReporter;

  constructor({ ram, dma, report }: IsaBusParts) {
    this.#ram = ram;
    this.#dma = dma;
    this.#report = report;
  }

  read(busAddress: number, into: Uint8Array): boolean {
    if (!this.reaches(busAddress, into.length)) return this.#abort('read', busAddress, into.length);
    this.#ram.read(busAddress, into);
    return true;
  }

  write(busAddress: number, from: Uint8Array): boolean {
    if (!this.reaches(busAddress, from.length)) return this.#abort('write', busAddress, from.length);
    this.#ram.write(busAddress, from);
    return true;
  }

  reaches(busAddress: number, length: number): boolean {
    return (
      busAddress + length <= ISA_MEMORY_BYTES &&
      this.#dma.allows(ISA_DMA_BUS_DEVICE, busAddress, length) &&
      this.#ram.contains(busAddress, length)
    );
  }

  #abort(direction: 'read' | 'write', busAddress: number, length: number): false {
    const why = this.#ram.contains(busAddress, length)
      ? 'not all of it is mapped for the DMA controller.'
      : 'not all of it is RAM.';
    this.#report.finding(
      `DMA ${direction} of ${length} bytes at 0x${busAddress.toString(16).toUpperCase()} stopped: ${why}`,
      { direction, busAddress, length },
    );
    return false;
  }
}
