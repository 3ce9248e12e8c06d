import type { AccessSize } from '../kernel/index.ts';
import type { CardSignal, CardUnderTest, CardWindow, CardWiring } from './card-under-test.ts';
import type { PciBench } from './pci-bench.ts';

/** A machine with the card in it that is switched on. */
export interface PoweredCard {
  readonly bench: PciBench;
  readonly wiring: CardWiring;
  output(): CardSignal;
  powerOff(): void;
}

/** What stays the same however often the power is switched. */
export type CardBenchTitle = Pick<CardUnderTest, 'machine' | 'realTime' | 'description'>;

/** A PCI card under test on any machine: `powerOn` makes a new one with the card in it. */
export class PciCardUnderTest implements CardUnderTest {
  readonly machine: string;
  readonly realTime: boolean;
  readonly description: string;
  readonly #powerOn: (wiring: CardWiring) => Promise<PoweredCard>;
  #powered: PoweredCard;

  constructor(
    title: CardBenchTitle,
    powerOn: (wiring: CardWiring) => Promise<PoweredCard>,
    powered: PoweredCard,
  ) {
    this.machine = title.machine;
    this.realTime = title.realTime;
    this.description = title.description;
    this.#powerOn = powerOn;
    this.#powered = powered;
  }

  get wiring(): CardWiring {
    return this.#powered.wiring;
  }

  get pristine(): boolean {
    return this.#powered.bench.pristine;
  }

  get windows(): readonly (CardWindow | null)[] {
    return this.#powered.bench.windows;
  }

  readBar(bar: number, offset: number, size: AccessSize): number {
    return this.#powered.bench.readBar(bar, offset, size);
  }

  writeBar(bar: number, offset: number, size: AccessSize, value: number): void {
    this.#powered.bench.writeBar(bar, offset, size, value);
  }

  readConfig(offset: number, size: AccessSize): number {
    return this.#powered.bench.readConfig(offset, size);
  }

  writeConfig(offset: number, size: AccessSize, value: number): void {
    this.#powered.bench.writeConfig(offset, size, value);
  }

  allocateRam(bytes: number, alignment?: number): number {
    return this.#powered.bench.allocateRam(bytes, alignment);
  }

  freeRam(): void {
    this.#powered.bench.freeRam();
  }

  readRam(physicalAddress: number, bytes: number): Uint8Array {
    return this.#powered.bench.readRam(physicalAddress, bytes);
  }

  writeRam(physicalAddress: number, bytes: Uint8Array): void {
    this.#powered.bench.writeRam(physicalAddress, bytes);
  }

  readRamUlong(physicalAddress: number): number {
    return this.#powered.bench.readRamUlong(physicalAddress);
  }

  writeRamUlong(physicalAddress: number, value: number): void {
    this.#powered.bench.writeRamUlong(physicalAddress, value);
  }

  get interruptAsserted(): boolean {
    return this.#powered.bench.interruptAsserted;
  }

  get now(): number {
    return this.#powered.bench.now;
  }

  letTimePass(ticks: number): void {
    this.#powered.bench.letTimePass(ticks);
  }

  waitUntil(condition: () => boolean, limitTicks: number): boolean {
    return this.#powered.bench.waitUntil(condition, limitTicks);
  }

  get output(): CardSignal {
    return this.#powered.output();
  }

  async powerCycle(wiring: CardWiring = this.wiring): Promise<void> {
    this.#powered.powerOff();
    this.#powered = await this.#powerOn(wiring);
  }

  dispose(): void {
    this.#powered.powerOff();
  }
}
