import type { PcmSamples } from '../hal/bus.ts';
import type { BenchMachine } from './bench-machine.ts';
import type { CardOnBench, CardSignal, CardWiring } from './card-under-test.ts';

/** What a bus adds to {@link BenchMachine}. */
export interface CardBench extends BenchMachine {
  readonly pristine: boolean;
  readonly interruptAsserted: boolean;
}

/** A machine with the card in it that is switched on. */
export interface PoweredCard<Bench extends CardBench> {
  readonly bench: Bench;
  readonly wiring: CardWiring;
  output(): CardSignal;
  /** For a recorder that keeps more than 16 bits. */
  wideOutput?(): CardSignal<PcmSamples>;
  powerOff(): void;
}

/** What stays the same however often the power is switched. */
export type CardBenchTitle = Pick<CardOnBench, 'machine' | 'realTime' | 'description'>;

/** A card under test on any machine and bus: `powerOn` makes a new machine with the card in it. */
export class SwitchedCard<Bench extends CardBench> implements CardOnBench {
  readonly machine: string;
  readonly realTime: boolean;
  readonly description: string;
  readonly #powerOn: (wiring: CardWiring) => Promise<PoweredCard<Bench>>;
  #powered: PoweredCard<Bench>;

  constructor(
    title: CardBenchTitle,
    powerOn: (wiring: CardWiring) => Promise<PoweredCard<Bench>>,
    powered: PoweredCard<Bench>,
  ) {
    this.machine = title.machine;
    this.realTime = title.realTime;
    this.description = title.description;
    this.#powerOn = powerOn;
    this.#powered = powered;
  }

  /** The bench of the machine that is on now. */
  protected get bench(): Bench {
    return this.#powered.bench;
  }

  get wiring(): CardWiring {
    return this.#powered.wiring;
  }

  get pristine(): boolean {
    return this.bench.pristine;
  }

  allocateRam(bytes: number, alignment?: number): number {
    return this.bench.allocateRam(bytes, alignment);
  }

  freeRam(): void {
    this.bench.freeRam();
  }

  readRam(physicalAddress: number, bytes: number): Uint8Array {
    return this.bench.readRam(physicalAddress, bytes);
  }

  writeRam(physicalAddress: number, bytes: Uint8Array): void {
    this.bench.writeRam(physicalAddress, bytes);
  }

  readRamUlong(physicalAddress: number): number {
    return this.bench.readRamUlong(physicalAddress);
  }

  writeRamUlong(physicalAddress: number, value: number): void {
    this.bench.writeRamUlong(physicalAddress, value);
  }

  get interruptAsserted(): boolean {
    return this.bench.interruptAsserted;
  }

  get now(): number {
    return this.bench.now;
  }

  letTimePass(ticks: number): void {
    this.bench.letTimePass(ticks);
  }

  waitUntil(condition: () => boolean, limitTicks: number): boolean {
    return this.bench.waitUntil(condition, limitTicks);
  }

  get output(): CardSignal {
    return this.#powered.output();
  }

  get wideOutput(): CardSignal<PcmSamples> {
    return this.#powered.wideOutput?.() ?? this.output;
  }

  async powerCycle(wiring: CardWiring = this.wiring): Promise<void> {
    this.#powered.powerOff();
    this.#powered = await this.#powerOn(wiring);
  }

  dispose(): void {
    this.#powered.powerOff();
  }
}
