import type { AccessSize, BusTarget } from '../../hal/bus.ts';
import { ELCR1_PORT, PIC_CASCADE_LINE, PIC1_PORT, PIC2_PORT } from '../../hal/isa-registers.ts';
import { Pic8259 } from './pic8259.ts';

/** Ports of one of the chips. */
export interface PicPorts {
  readonly name: string;
  readonly start: number;
  readonly length: number;
  readonly target: BusTarget;
}

/** Timer, keyboard, cascade, clock and coprocessor are edges whatever the register says (PIIX3, section 2.3.4). */
const ELCR_MASTER = 0xf8;
const ELCR_SLAVE = 0xde;

/**
 * The PC/AT's two 8259As: lines 0–7 on the master, 8–15 on the slave, whose INT is the master's line 2. Ports 20h, A0h and, as PCI
 * chipsets have it, the edge/level register at 4D0h.
 */
export class PicPair {
  readonly ports: readonly PicPorts[];
  readonly #master = new Pic8259(1 << PIC_CASCADE_LINE, ELCR_MASTER);
  readonly #slave = new Pic8259(0, ELCR_SLAVE);
  readonly #onChange: () => void;

  /** @param onChange something that may change what is deliverable happened; called after the fact, with nothing new perhaps */
  constructor(onChange: () => void = () => {}) {
    this.#onChange = onChange;
    this.ports = [
      { name: 'interrupt controller 1', start: PIC1_PORT, length: 2, target: this.#chipTarget(this.#master) },
      { name: 'interrupt controller 2', start: PIC2_PORT, length: 2, target: this.#chipTarget(this.#slave) },
      {
        name: 'interrupt edge/level control',
        start: ELCR1_PORT,
        length: 2,
        target: byteTarget(
          (offset) => this.#chip(offset).readElcr(),
          (offset, value) => {
            this.#chip(offset).writeElcr(value);
            this.#settle();
          },
        ),
      },
    ];
  }

  reset(): void {
    this.#master.reset();
    this.#slave.reset();
    this.#settle();
  }

  /** INTR to the processor. */
  get int(): boolean {
    return this.#master.int;
  }

  /** Lines whose interrupt the processor would get if it were alone, a bit each: requested, not masked, not locked out. */
  get deliverable(): number {
    const master = this.#master.deliverable;
    const cascade = 1 << PIC_CASCADE_LINE;
    const slave = (master & cascade) !== 0 ? this.#slave.deliverable : 0;
    return (master & ~cascade) | (slave << 8);
  }

  /** Sets the level of an input, 0–15 but for the cascade's 2. */
  setLine(line: number, asserted: boolean): void {
    if (line === PIC_CASCADE_LINE) return;
    if (line < 8) this.#master.setLine(line, asserted);
    else this.#slave.setLine(line - 8, asserted);
    this.#settle();
  }

  /** The processor's two INTA# cycles: returns the vector. */
  acknowledge(): number {
    const { level, vector, spurious } = this.#master.acknowledge();
    const result = level === PIC_CASCADE_LINE && !spurious ? this.#slave.acknowledge().vector : vector;
    this.#settle();
    return result;
  }

  #chip(which: number): Pic8259 {
    return which === 0 ? this.#master : this.#slave;
  }

  #chipTarget(chip: Pic8259): BusTarget {
    return byteTarget(
      (offset) => {
        const value = chip.read(offset === 0 ? 0 : 1);
        // A poll takes a request as INTA# does.
        this.#settle();
        return value;
      },
      (offset, value) => {
        chip.write(offset === 0 ? 0 : 1, value);
        this.#settle();
      },
    );
  }

  #settle(): void {
    this.#master.setLine(PIC_CASCADE_LINE, this.#slave.int);
    this.#onChange();
  }
}

function byteTarget(
  read: (offset: number) => number,
  write: (offset: number, value: number) => void,
): BusTarget {
  return {
    read: (offset: number, size: AccessSize) => {
      let value = 0;
      for (let i = 0; i < size; i++) value += read(offset + i) * 2 ** (8 * i);
      return value;
    },
    write: (offset: number, size: AccessSize, value: number) => {
      for (let i = 0; i < size; i++) write(offset + i, (value >>> (8 * i)) & 0xff);
    },
  };
}
