import type { InterruptLine } from './bus.ts';

/** One card's output on a line, made by {@link InterruptLines.connect}. */
export interface InterruptSource extends InterruptLine {
  readonly line: number;
  readonly asserted: boolean;
  /** Takes the output off the line (the card was pulled out): its level no longer counts. */
  disconnect(): void;
}

class Source implements InterruptSource {
  readonly line: number;
  #asserted = false;
  #connected = true;
  readonly #changed: (line: number, asserted: boolean) => void;

  constructor(line: number, changed: (line: number, asserted: boolean) => void) {
    this.line = line;
    this.#changed = changed;
  }

  get asserted(): boolean {
    return this.#asserted;
  }

  setLevel(asserted: boolean): void {
    if (asserted === this.#asserted || !this.#connected) return;
    this.#asserted = asserted;
    this.#changed(this.line, asserted);
  }

  disconnect(): void {
    this.setLevel(false);
    this.#connected = false;
  }
}

/**
 * The inputs of a machine's interrupt controller. Each line is the OR of its sources' levels, as open-drain outputs on one wire are
 * (PCI 3.0, section 2.2.6): it falls only when the last source lets go.
 */
export class InterruptLines {
  /** Number of sources that assert, by line. */
  readonly #asserting: Uint16Array;
  readonly #handlers: ((line: number, asserted: boolean) => void)[] = [];

  constructor(lineCount: number) {
    this.#asserting = new Uint16Array(lineCount);
  }

  get lineCount(): number {
    return this.#asserting.length;
  }

  /** Told on every change of a line's level, not of a source's. */
  onChange(handler: (line: number, asserted: boolean) => void): void {
    this.#handlers.push(handler);
  }

  /** Adds a source to a line, at low level. Throws a RangeError when there is no such line. */
  connect(line: number): InterruptSource {
    if (!(line >= 0 && line < this.#asserting.length)) {
      throw new RangeError(
        `Interrupt line ${line}: the controller has lines 0 to ${this.#asserting.length - 1}.`,
      );
    }
    return new Source(line, (which, asserted) => this.#changed(which, asserted));
  }

  isAsserted(line: number): boolean {
    return (this.#asserting[line] ?? 0) !== 0;
  }

  #changed(line: number, asserted: boolean): void {
    const before = this.#asserting[line] ?? 0;
    const after = asserted ? before + 1 : before - 1;
    this.#asserting[line] = after;
    if ((before === 0) === (after === 0)) return;
    for (const handler of this.#handlers) handler(line, asserted);
  }
}
