import { type Kernel, NtError, STATUS_INVALID_PARAMETER } from '../kernel/index.ts';
import {
  DMA_ADDRESS_0,
  DMA_CLEAR_FLIP_FLOP,
  DMA_COMMAND,
  DMA_COUNT_0,
  DMA_MODE,
  DMA_MODE_AUTOINIT,
  DMA_MODE_CASCADE,
  DMA_MODE_DEMAND,
  DMA_MODE_READ,
  DMA_MODE_SINGLE,
  DMA_MODE_WRITE,
  DMA_PAGE_OFFSETS,
  DMA_PAGE_PORT,
  DMA_SET_BIT,
  DMA_SINGLE_MASK,
  DMA1_PORT,
  DMA2_PORT,
} from './isa-registers.ts';

/** The name under which the machine's DMA isolation knows the DMA controllers. */
export const ISA_DMA_BUS_DEVICE = 'isa-dma';

const CASCADE_CHANNEL = 4;
const CHANNELS = 8;
/** Two reads of a counter differ when it moved between its bytes; after this many the value is what it is. */
const COUNTER_TRIES = 4;

/** One transfer as the controller is to be programmed for it. */
export interface IsaDmaTransfer {
  readonly busAddress: number;
  readonly lengthBytes: number;
  /** From memory to the device. */
  readonly writeToDevice: boolean;
  readonly autoInitialize: boolean;
  readonly demandMode: boolean;
}

/** A driver's hold on a channel, or its place in the queue for it. */
interface Waiting {
  readonly start: () => void;
}

/** A channel of the DMA controllers, as the adapters of all devices that share it see it. */
export class IsaDmaChannel {
  readonly channel: number;
  /** Bytes of one cycle. */
  readonly unitBytes: 1 | 2;
  /** Transfers lie within a page of this size: the page register does not count. */
  readonly pageBytes: number;
  readonly #kernel: Kernel;
  readonly #port: number;
  readonly #step: number;
  readonly #index: number;
  readonly #waiting: Waiting[] = [];
  #owned = false;
  #autoInitialize = false;

  constructor(kernel: Kernel, channel: number) {
    this.channel = channel;
    this.unitBytes = channel < CASCADE_CHANNEL ? 1 : 2;
    this.pageBytes = 0x1_0000 * this.unitBytes;
    this.#kernel = kernel;
    this.#port = channel < CASCADE_CHANNEL ? DMA1_PORT : DMA2_PORT;
    this.#step = this.unitBytes;
    this.#index = channel & 3;
  }

  /** Calls `start` when the channel is free, at once when it is; it belongs to the caller until {@link release}. */
  acquire(start: () => void): void {
    this.#waiting.push({ start });
    this.#next();
  }

  release(): void {
    this.mask();
    this.#owned = false;
    this.#next();
  }

  /** Programs the channel and opens it to the device's requests. */
  program(transfer: IsaDmaTransfer): void {
    const { busAddress, lengthBytes } = transfer;
    const units = lengthBytes / this.unitBytes;
    if (busAddress % this.unitBytes !== 0 || !Number.isInteger(units)) {
      throw new NtError(
        STATUS_INVALID_PARAMETER,
        `DMA channel ${this.channel} moves words: address 0x${busAddress.toString(16)} and length ${lengthBytes} must be even.`,
      );
    }
    const address = Math.floor(busAddress / this.unitBytes) & 0xffff;
    this.#autoInitialize = transfer.autoInitialize;
    this.mask();
    this.#write(
      DMA_MODE,
      (transfer.demandMode ? DMA_MODE_DEMAND : DMA_MODE_SINGLE) |
        (transfer.writeToDevice ? DMA_MODE_READ : DMA_MODE_WRITE) |
        (transfer.autoInitialize ? DMA_MODE_AUTOINIT : 0) |
        this.#index,
    );
    this.#writePair(DMA_ADDRESS_0 + 2 * this.#index, address);
    this.#kernel.platform.writePort(
      DMA_PAGE_PORT + (DMA_PAGE_OFFSETS[this.channel] ?? 0),
      1,
      Math.floor(busAddress / 0x1_0000) & 0xff,
    );
    this.#writePair(DMA_COUNT_0 + 2 * this.#index, (units - 1) & 0xffff);
    this.#write(DMA_SINGLE_MASK, this.#index);
    this.#kernel.afterAccess();
  }

  /** Closes the channel: nothing moves any more. */
  mask(): void {
    this.#write(DMA_SINGLE_MASK, DMA_SET_BIT | this.#index);
    this.#kernel.afterAccess();
  }

  /**
   * Bytes that the channel has still to move, 0 after terminal count. The counter reads FFFFh after terminal count and before the first
   * of 65536 cycles alike; with auto-initialize, where it is loaded anew at terminal count, it can only be the latter.
   */
  remainingBytes(): number {
    this.#write(DMA_CLEAR_FLIP_FLOP, 0);
    let count = this.#readCount();
    for (let i = 0; i < COUNTER_TRIES; i++) {
      const again = this.#readCount();
      // A carry between the two bytes shows as a jump of the high one; the counter itself runs down slowly.
      if (again <= count && count - again < 0x80) {
        count = again;
        break;
      }
      count = again;
    }
    // Bus cycles without their consequences would leave an interrupt waiting that they made.
    this.#kernel.afterAccess();
    const units = this.#autoInitialize ? count + 1 : (count + 1) & 0xffff;
    return units * this.unitBytes;
  }

  #next(): void {
    while (!this.#owned) {
      const next = this.#waiting.shift();
      if (!next) return;
      this.#owned = true;
      next.start();
    }
  }

  /** The flip-flop stands at the low byte, and does so again behind the two reads. */
  #readCount(): number {
    const register = DMA_COUNT_0 + 2 * this.#index;
    const low = this.#read(register);
    return low | (this.#read(register) << 8);
  }

  #writePair(register: number, value: number): void {
    this.#write(DMA_CLEAR_FLIP_FLOP, 0);
    this.#write(register, value & 0xff);
    this.#write(register, value >> 8);
  }

  #read(register: number): number {
    return this.#kernel.platform.readPort(this.#port + register * this.#step, 1);
  }

  #write(register: number, value: number): void {
    this.#kernel.platform.writePort(this.#port + register * this.#step, 1, value);
  }
}

/** The DMA controllers of one machine, initialized at first use. */
class IsaDmaSystem {
  readonly #channels = new Map<number, IsaDmaChannel>();
  readonly #kernel: Kernel;

  constructor(kernel: Kernel) {
    this.#kernel = kernel;
    const write = (port: number, value: number) => kernel.platform.writePort(port, 1, value);
    write(DMA1_PORT + DMA_COMMAND, 0);
    write(DMA2_PORT + 2 * DMA_COMMAND, 0);
    // The first controller's requests pass through the second's channel 0.
    write(DMA2_PORT + 2 * DMA_MODE, DMA_MODE_CASCADE);
    write(DMA2_PORT + 2 * DMA_SINGLE_MASK, 0);
  }

  channel(channel: number): IsaDmaChannel {
    let found = this.#channels.get(channel);
    if (!found) {
      found = new IsaDmaChannel(this.#kernel, channel);
      this.#channels.set(channel, found);
    }
    return found;
  }
}

const SYSTEMS = new WeakMap<Kernel, IsaDmaSystem>();

/**
 * A channel of the machine's DMA controllers: 0–3 for bytes, 5–7 for words.
 *
 * @throws NtError STATUS_INVALID_PARAMETER for a channel that no device can use
 */
export function isaDmaChannel(kernel: Kernel, channel: number): IsaDmaChannel {
  if (!Number.isInteger(channel) || channel < 0 || channel >= CHANNELS || channel === CASCADE_CHANNEL) {
    throw new NtError(
      STATUS_INVALID_PARAMETER,
      `DEVICE_DESCRIPTION.DmaChannel ${channel}: devices use channels 0 to 3 and 5 to 7.`,
    );
  }
  let system = SYSTEMS.get(kernel);
  if (!system) {
    system = new IsaDmaSystem(kernel);
    SYSTEMS.set(kernel, system);
  }
  return system.channel(channel);
}
