import type { BusTarget, CardReporter, IsaDmaDevice, IsaDmaLine } from '../../hal/bus.ts';
import { DMA_PAGE_OFFSETS, DMA_PAGE_PORT, DMA1_PORT, DMA2_PORT } from '../../hal/isa-registers.ts';
import { Dma8237, type DmaChannelState, type DmaMemory } from './dma8237.ts';

/** Ports of a part of the controller. */
export interface DmaPorts {
  readonly name: string;
  readonly start: number;
  readonly length: number;
  readonly target: BusTarget;
}

const CHANNELS_PER_CHIP = 4;
const CASCADE_CHANNEL = 4;
const CHANNELS = 8;

/**
 * The PC/AT's DMA: two 8237As, the first one's requests passing through channel 0 of the second (channel 4 to software), and the page
 * registers. Channels 0–3 move bytes within 64 KiB, 5–7 words within 128 KiB. Channel 4 must be in cascade mode and unmasked, or
 * channels 0–3 are never served.
 */
export class IsaDmaController {
  /** The windows in which it answers: 00h–0Fh, 80h–8Fh, C0h–DFh. */
  readonly ports: readonly DmaPorts[];
  readonly #chips: readonly [Dma8237, Dma8237];
  /** 80h–8Fh: those that are no channel's page are plain storage, as on the AT's 74LS612. */
  readonly #spare = new Uint8Array(16);
  readonly #connected = new Set<number>();

  constructor(memory: DmaMemory, report: CardReporter) {
    const second: Dma8237 = new Dma8237('DMA2', 2, memory, report);
    const first = new Dma8237('DMA1', 1, memory, report, () => second.cascades);
    this.#chips = [first, second];
    this.ports = [
      {
        name: 'DMA controller 1',
        start: DMA1_PORT,
        length: 16,
        target: registerTarget(
          (offset) => first.readRegister(offset),
          (offset, value) => first.writeRegister(offset, value),
        ),
      },
      {
        name: 'DMA page registers',
        start: DMA_PAGE_PORT,
        length: 16,
        target: registerTarget(
          (offset) => this.#readPage(offset),
          (offset, value) => this.#writePage(offset, value),
        ),
      },
      {
        name: 'DMA controller 2',
        start: DMA2_PORT,
        length: 32,
        target: registerTarget(
          (offset) => second.readRegister(offset >> 1),
          (offset, value) => {
            second.writeRegister(offset >> 1, value);
            // Whether channel 4 cascades decides about all of the first controller.
            first.tellDevices();
          },
        ),
      },
    ];
    this.reset();
  }

  reset(): void {
    for (const chip of this.#chips) chip.reset();
    this.#spare.fill(0);
  }

  /** A card takes DRQ and DACK of a channel. Throws a RangeError for channel 4, one that does not exist, or one in use. */
  connect(channel: number, device: IsaDmaDevice): IsaDmaLine {
    if (!Number.isInteger(channel) || channel < 0 || channel >= CHANNELS || channel === CASCADE_CHANNEL) {
      throw new RangeError(`DMA channel ${channel}: cards use channels 0 to 3 and 5 to 7.`);
    }
    if (this.#connected.has(channel)) throw new RangeError(`DMA channel ${channel} is used by another card.`);
    this.#connected.add(channel);
    const chip = this.#chips[channel < CHANNELS_PER_CHIP ? 0 : 1];
    const index = channel % CHANNELS_PER_CHIP;
    chip.connect(index, device);
    return new DmaLine(chip, channel, index, () => {
      chip.connect(index, null);
      this.#connected.delete(channel);
    });
  }

  /** A channel's registers by number 0–7, for tests and listings: brought up to date, without side effects of a register read. */
  state(channel: number): DmaChannelState {
    const chip = this.#chips[channel < CHANNELS_PER_CHIP ? 0 : 1];
    return chip.state(channel % CHANNELS_PER_CHIP);
  }

  #readPage(offset: number): number {
    const channel = DMA_PAGE_OFFSETS.indexOf(offset);
    if (channel < 0) return this.#spare[offset] ?? 0xff;
    return this.#chips[channel < CHANNELS_PER_CHIP ? 0 : 1].readPage(channel % CHANNELS_PER_CHIP);
  }

  #writePage(offset: number, value: number): void {
    const channel = DMA_PAGE_OFFSETS.indexOf(offset);
    if (channel < 0) this.#spare[offset] = value;
    else this.#chips[channel < CHANNELS_PER_CHIP ? 0 : 1].writePage(channel % CHANNELS_PER_CHIP, value);
  }
}

class DmaLine implements IsaDmaLine {
  readonly channel: number;
  readonly unitBytes: 1 | 2;
  readonly #chip: Dma8237;
  readonly #index: number;
  readonly #release: () => void;
  readonly #reached = { terminalCount: false };
  #connected = true;

  constructor(chip: Dma8237, channel: number, index: number, release: () => void) {
    this.channel = channel;
    this.unitBytes = channel < CHANNELS_PER_CHIP ? 1 : 2;
    this.#chip = chip;
    this.#index = index;
    this.#release = release;
  }

  get terminalCount(): boolean {
    return this.#reached.terminalCount;
  }

  setRequest(asserted: boolean): void {
    if (this.#connected) this.#chip.setRequest(this.#index, asserted);
  }

  read(into: Uint8Array): number {
    return this.#connected ? this.#chip.transfer(this.#index, 'read', into, this.#reached) : 0;
  }

  write(from: Uint8Array): number {
    return this.#connected ? this.#chip.transfer(this.#index, 'write', from, this.#reached) : 0;
  }

  disconnect(): void {
    if (!this.#connected) return;
    this.#connected = false;
    this.#release();
  }
}

/** Byte registers on an eight-bit bus: wider accesses reach one after the other. */
function registerTarget(
  read: (offset: number) => number,
  write: (offset: number, value: number) => void,
): BusTarget {
  return {
    read: (offset, size) => {
      let value = 0;
      for (let i = 0; i < size; i++) value += read(offset + i) * 2 ** (8 * i);
      return value;
    },
    write: (offset, size, value) => {
      for (let i = 0; i < size; i++) write(offset + i, (value >>> (8 * i)) & 0xff);
    },
  };
}
