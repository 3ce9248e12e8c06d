import type { PcmSamples } from '../hal/bus.ts';
import type { AccessSize } from '../kernel/index.ts';

/** Interleaved samples at one rate, of 16 bits unless said otherwise. */
export interface CardSignal<Samples extends PcmSamples = Int16Array> {
  readonly sampleRate: number;
  readonly channels: number;
  readonly samples: Samples;
}

/** What is connected to the card's analogue side. */
export interface CardWiring {
  /** Rate at which the output is recorded. A card that plays at this rate is recorded bit by bit. 48000 by default. */
  readonly outputRate?: number;
  /** A signal at the recording inputs, repeated over and over; silence by default. */
  readonly input?: CardSignal;
}

/** Where a base address register put its window. */
export interface CardWindow {
  readonly kind: 'io' | 'memory32' | 'memory64';
  /** Bytes. */
  readonly size: number;
  readonly address: number;
}

/**
 * A card reached by bus cycles alone: no driver, no kernel between. The same on every machine, so that one test speaks to a model in this
 * process and to a card in QEMU. Accesses take effect at once; time passes only in {@link letTimePass} and {@link waitUntil} on `sim`, all
 * the while on `qemu`. What every bus has in common; {@link CardUnderTest} and {@link IsaCardUnderTest} add their bus's cycles.
 */
export interface CardOnBench {
  /** Name of the machine: `sim` or `qemu`. */
  readonly machine: string;
  /** Which card, and whose: for the head of a report. */
  readonly description: string;
  /** True when time is the computer's own: a test then allows for coarse timers. */
  readonly realTime: boolean;
  readonly wiring: CardWiring;
  /** True until the first access to a register after power-on that can change anything. */
  readonly pristine: boolean;

  /**
   * RAM that the card may reach, filled with zeros, until the next {@link freeRam} or power-on; returns its physical address.
   * @throws RangeError when none is left
   */
  allocateRam(bytes: number, alignment?: number): number;
  /** Gives all of it back. */
  freeRam(): void;
  readRam(physicalAddress: number, bytes: number): Uint8Array;
  writeRam(physicalAddress: number, bytes: Uint8Array): void;
  readRamUlong(physicalAddress: number): number;
  writeRamUlong(physicalAddress: number, value: number): void;

  /** Level of the line that the card's interrupt pin is wired to. */
  readonly interruptAsserted: boolean;

  /** Ticks of 100 ns since power-on of the machine. */
  readonly now: number;
  letTimePass(ticks: number): void;
  /** Lets time pass until `condition()` or for `limitTicks`; true when the condition came true. Looks once a millisecond or oftener. */
  waitUntil(condition: () => boolean, limitTicks: number): boolean;

  /** What left the card's main output since power-on, as far as the recorder has it (it may be some ten milliseconds late on `qemu`). */
  readonly output: CardSignal;
  /** The same as exactly as the recorder has it: samples wider than 16 bits where the card delivers them and the recorder keeps them. */
  readonly wideOutput: CardSignal<PcmSamples>;

  /** Power off and on again, with other wiring if given. All RAM is lost. */
  powerCycle(wiring?: CardWiring): Promise<void>;
  /** Ends the machine. */
  dispose(): void;
}

/** A PCI card under test. */
export interface CardUnderTest extends CardOnBench {
  /** One bus cycle in the window of a base address register. Values are unsigned. */
  readBar(bar: number, offset: number, size: AccessSize): number;
  writeBar(bar: number, offset: number, size: AccessSize, value: number): void;
  /** Configuration space; offsets are multiples of the size. */
  readConfig(offset: number, size: AccessSize): number;
  writeConfig(offset: number, size: AccessSize, value: number): void;
  /** The card's windows by number of base address register, null where there is none. */
  readonly windows: readonly (CardWindow | null)[];
}

/** Where an ISA card answers, as its jumpers or Plug and Play have it; null for a part that this card does not have. */
export interface IsaCardResources {
  readonly base: number;
  readonly mpuBase: number | null;
  readonly fmBase: number | null;
  readonly gameBase: number | null;
  readonly irq: number;
  /** The 8-bit and the 16-bit DMA channel. */
  readonly dma8: number;
  readonly dma16: number;
  /** It was told so by Plug and Play, not by jumpers. */
  readonly plugAndPlay: boolean;
}

/** How a channel of the DMA controllers is to be programmed. */
export interface IsaDmaProgram {
  readonly address: number;
  readonly bytes: number;
  readonly direction: 'toCard' | 'toMemory';
  readonly autoInitialize?: boolean;
  /** Leaves the channel masked. */
  readonly masked?: boolean;
}

/** An ISA card under test. RAM lies below 16 MiB, and no allocation crosses a page of the DMA controllers. */
export interface IsaCardUnderTest extends CardOnBench {
  readonly resources: IsaCardResources;
  /** One byte cycle in I/O space. */
  readPort(port: number): number;
  writePort(port: number, value: number): void;
  /** Gives the card {@link resources} again, after a test moved it elsewhere. Does nothing to a card without Plug and Play. */
  configure(): void;
  /** Programs a channel of the machine's 8237s and unmasks it. */
  programDma(channel: number, program: IsaDmaProgram): void;
  /** Closes a channel to requests, or opens it. */
  maskDma(channel: number, masked: boolean): void;
  /** The channel's current count register: units still to move, less one; FFFFh after terminal count. */
  readDmaCount(channel: number): number;
  /** Level of the channel's request as the controller's status register shows it. */
  isDmaRequested(channel: number): boolean;
  /** Level of any line of the interrupt controllers, driven by whatever card. */
  isLineAsserted(irq: number): boolean;
}

/** Makes a machine with the card in it, powered on. */
export type CardFactory<Card extends CardOnBench = CardUnderTest> = (wiring?: CardWiring) => Promise<Card>;
