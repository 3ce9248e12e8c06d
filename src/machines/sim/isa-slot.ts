import type {
  BusTarget,
  CardReporter,
  Clock,
  IsaCard,
  IsaDmaDevice,
  IsaDmaLine,
  IsaInterruptLine,
  IsaPorts,
  IsaSlot,
} from '../../hal/bus.ts';
import { type Trace, TraceKind } from '../../kernel/index.ts';
import type { IsaBus } from './isa-bus.ts';
import { SlotReporter } from './slot-reporter.ts';

const ASSERTED = { asserted: true } as const;
const DEASSERTED = { asserted: false } as const;

/** An ISA card in its slot: gives it ports, lines and channels, and takes them away from one that is pulled out. */
export class IsaCardSlot implements IsaSlot {
  readonly card: IsaCard;
  /** `isa:0`. */
  readonly id: string;
  readonly clock: Clock;
  readonly report: CardReporter;
  readonly #bus: IsaBus;
  readonly #trace: Trace;
  /** What the card holds of the bus; each entry lets go of one thing. */
  readonly #held = new Set<() => void>();
  #present = true;

  /** Plugs the card in: it is attached and gets its reset. */
  constructor(bus: IsaBus, clock: Clock, trace: Trace, id: string, card: IsaCard) {
    this.card = card;
    this.id = id;
    this.clock = clock;
    this.report = new SlotReporter(trace, card.name, id);
    this.#bus = bus;
    this.#trace = trace;
    card.attach(this);
    card.reset();
    if (card.pnp !== null) bus.pnp.add(card.pnp);
  }

  mapPorts(
    name: string,
    start: number,
    length: number,
    target: BusTarget,
    addressLines: 10 | 16 = 10,
  ): IsaPorts {
    if (!this.#present) return { unmap: () => {} };
    const ports = this.#bus.mapPorts(`${this.card.name} ${name}`, start, length, target, addressLines);
    return { unmap: this.#hold(() => ports.unmap()) };
  }

  connectInterrupt(irq: number): IsaInterruptLine {
    const source = this.#bus.connectInterrupt(this.card, irq);
    const name = `IRQ${irq}`;
    const trace = this.#trace;
    const disconnect = this.#hold(() => source.disconnect());
    return {
      setLevel: (asserted) => {
        if (asserted === source.asserted || !this.#present) return;
        if ((trace.mask & TraceKind.Interrupt) !== 0) {
          trace.emit(TraceKind.Interrupt, 'I', this.card.name, name, asserted ? ASSERTED : DEASSERTED);
        }
        source.setLevel(asserted);
      },
      disconnect,
    };
  }

  connectDma(channel: number, device: IsaDmaDevice): IsaDmaLine {
    const line = this.#bus.dma.connect(channel, device);
    this.#hold(() => line.disconnect());
    return line;
  }

  /** RESET DRV. */
  reset(): void {
    this.card.reset();
  }

  /** Pulls the card out, in the middle of whatever it was doing. */
  unplug(): void {
    this.card.detach();
    this.#present = false;
    if (this.card.pnp !== null) this.#bus.pnp.remove(this.card.pnp);
    for (const letGo of [...this.#held]) letGo();
  }

  #hold(letGo: () => void): () => void {
    const once = () => {
      if (this.#held.delete(once)) letGo();
    };
    this.#held.add(once);
    return once;
  }
}
