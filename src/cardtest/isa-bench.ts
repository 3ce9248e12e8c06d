import {
  DMA_ADDRESS_0,
  DMA_CLEAR_FLIP_FLOP,
  DMA_COMMAND,
  DMA_COUNT_0,
  DMA_MODE,
  DMA_MODE_AUTOINIT,
  DMA_MODE_CASCADE,
  DMA_MODE_READ,
  DMA_MODE_SINGLE,
  DMA_MODE_WRITE,
  DMA_PAGE_OFFSETS,
  DMA_PAGE_PORT,
  DMA_SET_BIT,
  DMA_SINGLE_MASK,
  DMA_STATUS,
  DMA1_PORT,
  DMA2_PORT,
  ISA_DMA_BUS_DEVICE,
} from '../hal/index.ts';
import type { Platform } from '../kernel/index.ts';
import { BenchMachine } from './bench-machine.ts';
import type { IsaCardResources, IsaDmaProgram } from './card-under-test.ts';

/** What ISA has address lines for. */
const ISA_MEMORY_BYTES = 0x100_0000;
const FIRST_WORD_CHANNEL = 4;
/** What reading it changes nothing of: the page register of no channel. */
const IDLE_PORT = DMA_PAGE_PORT;

/** What a bench needs of its machine. */
export interface IsaBenchMachine {
  readonly platform: Platform;
  /** Level of a line of the interrupt controllers, whatever they make of it. */
  isLineAsserted(line: number): boolean;
  /** Tells a Plug and Play card where to be; nothing for a card with jumpers. */
  configure(): void;
}

/** The part of a card bench that is the same on every machine with ISA: port cycles, and the DMA controllers by their ports. */
export class IsaBench extends BenchMachine {
  readonly resources: IsaCardResources;
  readonly #machine: IsaBenchMachine;
  #pristine = true;

  /** Sets the DMA controllers up and tells the card where to be. */
  constructor(machine: IsaBenchMachine, resources: IsaCardResources) {
    super(machine.platform, ISA_DMA_BUS_DEVICE, ISA_MEMORY_BYTES);
    this.#machine = machine;
    this.resources = resources;
    this.#dma(0, DMA_COMMAND, 0);
    this.#dma(FIRST_WORD_CHANNEL, DMA_COMMAND, 0);
    // The first controller's requests pass through channel 4.
    this.#dma(FIRST_WORD_CHANNEL, DMA_MODE, DMA_MODE_CASCADE);
    this.#dma(FIRST_WORD_CHANNEL, DMA_SINGLE_MASK, 0);
    machine.configure();
  }

  get pristine(): boolean {
    return this.#pristine;
  }

  readPort(port: number): number {
    this.#pristine = false;
    return this.platform.readPort(port, 1);
  }

  writePort(port: number, value: number): void {
    this.#pristine = false;
    this.platform.writePort(port, 1, value);
  }

  configure(): void {
    this.#machine.configure();
  }

  /** Within one page of whatever channel: at a multiple of the next power of two. */
  override allocateRam(bytes: number, alignment = 8): number {
    return super.allocateRam(bytes, Math.max(alignment, 2 ** Math.ceil(Math.log2(Math.max(bytes, 1)))));
  }

  programDma(channel: number, { address, bytes, direction, autoInitialize, masked }: IsaDmaProgram): void {
    const unitBytes = channel < FIRST_WORD_CHANNEL ? 1 : 2;
    const index = channel & 3;
    this.maskDma(channel, true);
    this.#dma(
      channel,
      DMA_MODE,
      DMA_MODE_SINGLE |
        (direction === 'toCard' ? DMA_MODE_READ : DMA_MODE_WRITE) |
        (autoInitialize === true ? DMA_MODE_AUTOINIT : 0) |
        index,
    );
    this.#dmaPair(channel, DMA_ADDRESS_0 + 2 * index, Math.floor(address / unitBytes) & 0xffff);
    this.platform.writePort(DMA_PAGE_PORT + (DMA_PAGE_OFFSETS[channel] ?? 0), 1, (address >> 16) & 0xff);
    this.#dmaPair(channel, DMA_COUNT_0 + 2 * index, (bytes / unitBytes - 1) & 0xffff);
    if (masked !== true) this.maskDma(channel, false);
  }

  maskDma(channel: number, masked: boolean): void {
    this.#dma(channel, DMA_SINGLE_MASK, (masked ? DMA_SET_BIT : 0) | (channel & 3));
  }

  readDmaCount(channel: number): number {
    const port = dmaPort(channel, DMA_COUNT_0 + 2 * (channel & 3));
    const read = () => {
      this.#dma(channel, DMA_CLEAR_FLIP_FLOP, 0);
      const low = this.platform.readPort(port, 1);
      return low | (this.platform.readPort(port, 1) << 8);
    };
    // In real time the counter may move between its two bytes: twice the same high byte says that it did not.
    let count = read();
    for (let tries = 0; tries < 4; tries++) {
      const again = read();
      if (again >> 8 === count >> 8) return again;
      count = again;
    }
    return count;
  }

  isDmaRequested(channel: number): boolean {
    return (this.platform.readPort(dmaPort(channel, DMA_STATUS), 1) & (0x10 << (channel & 3))) !== 0;
  }

  isLineAsserted(irq: number): boolean {
    // QEMU tells of a line's change by a message that the next command finds.
    this.platform.readPort(IDLE_PORT, 1);
    return this.#machine.isLineAsserted(irq === 2 ? 9 : irq);
  }

  get interruptAsserted(): boolean {
    return this.isLineAsserted(this.resources.irq);
  }

  #dma(channel: number, register: number, value: number): void {
    this.platform.writePort(dmaPort(channel, register), 1, value);
  }

  #dmaPair(channel: number, register: number, value: number): void {
    this.#dma(channel, DMA_CLEAR_FLIP_FLOP, 0);
    this.#dma(channel, register, value & 0xff);
    this.#dma(channel, register, value >> 8);
  }
}

function dmaPort(channel: number, register: number): number {
  return channel < FIRST_WORD_CHANNEL ? DMA1_PORT + register : DMA2_PORT + 2 * register;
}
