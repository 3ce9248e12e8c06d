import type {
  BusTarget,
  IsaDmaDevice,
  IsaDmaLine,
  IsaInterruptLine,
  IsaPorts,
  IsaSlot,
} from '../../hal/bus.ts';
import { SB_FM_PORTS, SB_GAME_PORTS, SB_MPU_PORTS, SB_PORTS } from './registers.ts';
import { NO_SETTINGS, type Sb16Settings } from './settings.ts';

/** What the card puts on the bus where its settings say. */
export interface Sb16BusSide {
  readonly audio: BusTarget;
  readonly mpu: BusTarget;
  readonly fm: BusTarget;
  readonly dma: IsaDmaDevice;
  /** The DSP's channels changed. */
  useDmaLines(line8: IsaDmaLine | null, line16: IsaDmaLine | null): void;
}

/** Nothing is plugged into the game port: buttons are up, and the timers of the axes never end. */
const EMPTY_GAME_PORT: BusTarget = { read: () => 0xff, write: () => {} };

/** The card's ports, interrupt line and DMA channels on the bus, kept as its settings have them. */
export class Sb16Connections {
  readonly #side: Sb16BusSide;
  #slot: IsaSlot | null = null;
  #settings: Sb16Settings = NO_SETTINGS;
  #gameBase: number | null = null;
  #ports: IsaPorts[] = [];
  #gamePorts: IsaPorts | null = null;
  #irqLine: IsaInterruptLine | null = null;
  #level = false;
  #dmaLines: readonly IsaDmaLine[] = [];

  constructor(side: Sb16BusSide) {
    this.#side = side;
  }

  get settings(): Sb16Settings {
    return this.#settings;
  }

  get gameBase(): number | null {
    return this.#gameBase;
  }

  attach(slot: IsaSlot): void {
    this.#slot = slot;
  }

  /** Lets go of everything. */
  detach(): void {
    this.use(NO_SETTINGS);
    this.useGamePort(null);
    this.#slot = null;
  }

  /** Level of the interrupt request, whatever line it is on. */
  setInterrupt(asserted: boolean): void {
    if (asserted === this.#level) return;
    this.#level = asserted;
    this.#irqLine?.setLevel(asserted);
  }

  use(settings: Sb16Settings): void {
    const before = this.#settings;
    this.#settings = settings;
    if (settings.irq !== before.irq) this.#connectInterrupt(settings.irq);
    if (settings.dma8 !== before.dma8 || settings.dma16 !== before.dma16) this.#connectDma(settings);
    const moved = (['base', 'mpuBase', 'fmBase'] as const).some((key) => settings[key] !== before[key]);
    if (moved) this.#mapPorts(settings);
  }

  useGamePort(base: number | null): void {
    if (base === this.#gameBase) return;
    this.#gameBase = base;
    this.#gamePorts?.unmap();
    this.#gamePorts =
      base === null
        ? null
        : (this.#slot?.mapPorts('game port', base, SB_GAME_PORTS, EMPTY_GAME_PORT) ?? null);
  }

  #connectInterrupt(irq: number | null): void {
    this.#irqLine?.setLevel(false);
    this.#irqLine?.disconnect();
    const slot = this.#slot;
    this.#irqLine = irq === null || slot === null ? null : this.#attempt(() => slot.connectInterrupt(irq));
    this.#irqLine?.setLevel(this.#level);
  }

  #connectDma({ dma8, dma16 }: Sb16Settings): void {
    for (const line of this.#dmaLines) line.disconnect();
    const slot = this.#slot;
    const connect = (channel: number | null) =>
      channel === null || slot === null
        ? null
        : this.#attempt(() => slot.connectDma(channel, this.#side.dma));
    const line8 = connect(dma8);
    const line16 = connect(dma16);
    this.#dmaLines = [line8, line16].filter((line) => line !== null);
    this.#side.useDmaLines(line8, line16);
  }

  /** Wrongly configured, the card has no line; it has no other way to say so. */
  #attempt<T>(connect: () => T): T | null {
    try {
      return connect();
    } catch (error) {
      if (!(error instanceof RangeError)) throw error;
      this.#slot?.report.finding(error.message);
      return null;
    }
  }

  #mapPorts({ base, mpuBase, fmBase }: Sb16Settings): void {
    for (const ports of this.#ports) ports.unmap();
    this.#ports = [];
    const slot = this.#slot;
    if (slot === null) return;
    const map = (name: string, start: number | null, length: number, target: BusTarget) => {
      if (start !== null) this.#ports.push(slot.mapPorts(name, start, length, target));
    };
    map('audio', base, SB_PORTS, this.#side.audio);
    map('MPU-401', mpuBase, SB_MPU_PORTS, this.#side.mpu);
    map('FM', fmBase, SB_FM_PORTS, this.#side.fm);
  }
}
