import type { AccessSize, CardReporter } from '../../hal/bus.ts';
import { type Trace, TraceKind } from '../../kernel/index.ts';

type FindingData = Readonly<Record<string, string | number | boolean>>;

/** Puts what a card reports on the timeline, under the card's name. */
export class SlotReporter implements CardReporter {
  readonly #trace: Trace;
  readonly #source: string;
  readonly #busDevice: string;

  constructor(trace: Trace, source: string, busDevice: string) {
    this.#trace = trace;
    this.#source = source;
    this.#busDevice = busDevice;
  }

  get wantsRegisters(): boolean {
    return (this.#trace.mask & TraceKind.Register) !== 0;
  }

  get wantsDma(): boolean {
    return (this.#trace.mask & TraceKind.Dma) !== 0;
  }

  register(
    name: string,
    direction: 'read' | 'write',
    value: number,
    size: AccessSize,
    meaning?: string,
  ): void {
    this.#trace.emit(
      TraceKind.Register,
      'I',
      this.#source,
      name,
      meaning === undefined ? { direction, value, size } : { direction, value, size, meaning },
    );
  }

  dma(name: string, direction: 'read' | 'write', busAddress: number, length: number): void {
    this.#trace.emit(TraceKind.Dma, 'I', this.#source, name, { direction, busAddress, length });
  }

  finding(what: string, data?: FindingData): void {
    this.#trace.finding(this.#source, what, { ...data, busDevice: this.#busDevice });
  }
}
