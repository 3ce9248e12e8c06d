/** A card in a test slot with the moves that every test of it makes: bring-up, descriptors, start. */
import { AC97_MASTER_VOLUME, AC97_PCM_OUT_VOLUME } from '../codecs/ac97-registers.ts';
import { FakeSlot, type FakeSlotOptions, FakeWindow } from '../test-slot.ts';
import { Ac97Card, type Ac97CardOptions } from './card.ts';
import {
  CNT_COLD_RESET,
  CR_RPBM,
  ENGINE_OFFSET,
  type EngineName,
  GLOB_CNT,
  X_BDBAR,
  X_CR,
  X_LVI,
} from './registers.ts';

/** Where the tests keep their descriptor lists and data. */
export const LIST_ADDRESS = { PO: 0x10_1000, PI: 0x10_1200, MC: 0x10_1400 } as const;
export const DATA_ADDRESS = 0x10_2000;

/** One descriptor as a test writes it. */
export interface TestDescriptor {
  readonly address: number;
  readonly samples: number;
  /** BD_IOC and BD_BUP. */
  readonly flags?: number;
}

export class Ac97Rig {
  readonly slot: FakeSlot;
  readonly card: Ac97Card;
  readonly nam: FakeWindow;
  readonly nabm: FakeWindow;

  constructor(options: Ac97CardOptions = {}, slotOptions: FakeSlotOptions = {}) {
    this.slot = new FakeSlot(slotOptions);
    this.card = new Ac97Card(options);
    this.card.attach(this.slot);
    this.card.reset();
    this.nam = new FakeWindow(this.card, 0);
    this.nabm = new FakeWindow(this.card, 1);
  }

  /** Releases the cold reset and waits until codec and converters are ready. */
  bringUp(): this {
    this.nabm.write32(GLOB_CNT, CNT_COLD_RESET);
    this.slot.clock.advance(10_000);
    return this;
  }

  /** The DAC path at 0 dB. */
  unmute(): this {
    this.nam.write16(AC97_MASTER_VOLUME, 0x0000);
    this.nam.write16(AC97_PCM_OUT_VOLUME, 0x0808);
    return this;
  }

  /** Writes descriptors into the engine's list from index `first` on. */
  describe(engine: EngineName, descriptors: readonly TestDescriptor[], first = 0): void {
    for (const [index, descriptor] of descriptors.entries()) {
      const at = LIST_ADDRESS[engine] + ((first + index) & 31) * 8;
      this.slot.writeRamUlong(at, descriptor.address);
      this.slot.writeRamUlong(at + 4, ((descriptor.flags ?? 0) | descriptor.samples) >>> 0);
    }
  }

  /** Points the engine at its list, sets LVI and runs it. */
  start(engine: EngineName, lvi: number, enables = 0): void {
    const base = ENGINE_OFFSET[engine];
    this.nabm.write32(base + X_BDBAR, LIST_ADDRESS[engine]);
    this.nabm.write8(base + X_LVI, lvi);
    this.nabm.write8(base + X_CR, CR_RPBM | enables);
  }

  advance(ticks: number): void {
    this.slot.clock.advance(ticks);
  }

  get now(): number {
    return this.slot.clock.now;
  }
}
