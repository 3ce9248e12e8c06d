import {
  PIC_ICW1,
  PIC_ICW1_ICW4,
  PIC_ICW1_LEVEL,
  PIC_ICW1_SINGLE,
  PIC_ICW4_AUTO_EOI,
  PIC_ICW4_SPECIAL_FULLY_NESTED,
  PIC_OCW2_EOI,
  PIC_OCW2_ROTATE,
  PIC_OCW2_SPECIFIC,
  PIC_OCW3,
  PIC_OCW3_POLL,
  PIC_OCW3_READ_ISR,
  PIC_OCW3_READ_REGISTER,
  PIC_OCW3_SPECIAL_MASK,
  PIC_OCW3_SPECIAL_MASK_ENABLE,
} from '../../hal/isa-registers.ts';

const LINES = 8;
const POLL_PENDING = 0x80;

/** What the initialization sequence waits for next. */
type InitializationStep = 'none' | 'icw2' | 'icw3' | 'icw4';

/**
 * One 8259A. Inputs are levels that the board sets; a rising edge (or, in level mode, a level) makes a request, which the processor takes
 * by {@link acknowledge} (INTA#) or by polling. An edge request whose line falls before it is taken is gone: the chip then answers INTA#
 * with level 7 and no bit in service (data sheet, "Edge and level triggered modes").
 */
export class Pic8259 {
  #irr = 0;
  #imr = 0xff;
  #isr = 0;
  #levels = 0;
  #initialization: InitializationStep = 'none';
  #needsIcw4 = false;
  #single = false;
  #levelTriggered = false;
  #elcr = 0;
  readonly #elcrWritable: number;
  #vectorBase = 0;
  #icw3 = 0;
  #autoEoi = false;
  #rotateOnAutoEoi = false;
  #specialFullyNested = false;
  #specialMask = false;
  #readIsr = false;
  #poll = false;
  /** The level of lowest priority; the one after it has the highest. */
  #lowest = 7;
  /** Inputs that another chip drives: in special fully nested mode they are not locked out by themselves. */
  readonly #cascadeInputs: number;

  /**
   * @param cascadeInputs inputs with a slave behind them, a bit each
   * @param elcrWritable lines that the board allows to be level-triggered one by one
   */
  constructor(cascadeInputs: number, elcrWritable: number) {
    this.#cascadeInputs = cascadeInputs;
    this.#elcrWritable = elcrWritable;
  }

  /** Power-on: nothing passes before the chip is initialized. The levels of the inputs stay. */
  reset(): void {
    this.#irr = 0;
    this.#imr = 0xff;
    this.#isr = 0;
    this.#initialization = 'none';
    this.#elcr = 0;
    this.#vectorBase = 0;
    this.#icw3 = 0;
    this.#setDefaults();
    this.#levelTriggered = false;
    this.#autoEoi = false;
    this.#specialFullyNested = false;
  }

  get irr(): number {
    return this.#irr;
  }

  get imr(): number {
    return this.#imr;
  }

  get isr(): number {
    return this.#isr;
  }

  /** INT: is there a request that the processor should take? */
  get int(): boolean {
    return this.#pending() >= 0;
  }

  /** Requests that are neither masked nor locked out by one in service, a bit each. */
  get deliverable(): number {
    let mask = 0;
    for (let level = 0; level < LINES; level++) if (this.#passes(level)) mask |= 1 << level;
    return mask;
  }

  setLine(level: number, asserted: boolean): void {
    const bit = 1 << level;
    const was = (this.#levels & bit) !== 0;
    if (was === asserted) return;
    this.#levels = asserted ? this.#levels | bit : this.#levels & ~bit;
    if (asserted) this.#irr |= bit;
    else this.#irr &= ~bit;
  }

  /** INTA#: the request of highest priority goes into service. Returns its vector and level; `spurious` when there was none. */
  acknowledge(): { readonly vector: number; readonly level: number; readonly spurious: boolean } {
    const level = this.#pending();
    if (level < 0) return { vector: this.#vectorBase | 7, level: 7, spurious: true };
    this.#take(level);
    return { vector: this.#vectorBase | level, level, spurious: false };
  }

  /** A0 = 0: IRR, ISR, or the answer to a poll. A0 = 1: IMR. */
  read(a0: 0 | 1): number {
    if (this.#poll) {
      this.#poll = false;
      const level = this.#pending();
      if (level < 0) return 0x07;
      this.#take(level);
      return POLL_PENDING | level;
    }
    if (a0 === 1) return this.#imr;
    return this.#readIsr ? this.#isr : this.#irr;
  }

  write(a0: 0 | 1, value: number): void {
    if (a0 === 1) this.#writeData(value);
    else if ((value & PIC_ICW1) !== 0) this.#writeIcw1(value);
    else if ((value & PIC_OCW3) !== 0) this.#writeOcw3(value);
    else this.#writeOcw2(value);
  }

  readElcr(): number {
    return this.#elcr;
  }

  writeElcr(value: number): void {
    this.#elcr = value & this.#elcrWritable;
    this.#refreshLevels();
  }

  #setDefaults(): void {
    this.#lowest = 7;
    this.#specialMask = false;
    this.#readIsr = false;
    this.#poll = false;
    this.#rotateOnAutoEoi = false;
  }

  /** The sequence begins: the edge sense is reset, masks are cleared, priorities are as at first ("Initialization command words"). */
  #writeIcw1(value: number): void {
    this.#needsIcw4 = (value & PIC_ICW1_ICW4) !== 0;
    this.#single = (value & PIC_ICW1_SINGLE) !== 0;
    this.#levelTriggered = (value & PIC_ICW1_LEVEL) !== 0;
    this.#imr = 0;
    this.#isr = 0;
    this.#irr = 0;
    this.#setDefaults();
    this.#autoEoi = false;
    this.#specialFullyNested = false;
    this.#initialization = 'icw2';
    this.#refreshLevels();
  }

  #writeData(value: number): void {
    switch (this.#initialization) {
      case 'none':
        this.#imr = value;
        break;
      case 'icw2':
        this.#vectorBase = value & 0xf8;
        this.#initialization = !this.#single ? 'icw3' : this.#needsIcw4 ? 'icw4' : 'none';
        break;
      case 'icw3':
        this.#icw3 = value;
        this.#initialization = this.#needsIcw4 ? 'icw4' : 'none';
        break;
      case 'icw4':
        this.#autoEoi = (value & PIC_ICW4_AUTO_EOI) !== 0;
        this.#specialFullyNested = (value & PIC_ICW4_SPECIAL_FULLY_NESTED) !== 0;
        this.#initialization = 'none';
        break;
    }
  }

  /** What ICW3 said of the wiring: the master's inputs with slaves, or the slave's own number. */
  get icw3(): number {
    return this.#icw3;
  }

  #writeOcw2(value: number): void {
    const level = value & 7;
    const rotate = (value & PIC_OCW2_ROTATE) !== 0;
    const specific = (value & PIC_OCW2_SPECIFIC) !== 0;
    if ((value & PIC_OCW2_EOI) === 0) {
      // 110: set priority; 100 and 000: rotate in automatic EOI mode; 010: no operation.
      if (specific) this.#lowest = rotate ? level : this.#lowest;
      else this.#rotateOnAutoEoi = rotate;
      return;
    }
    const ended = specific ? level : this.#highestInService();
    if (ended < 0) return;
    this.#isr &= ~(1 << ended);
    if (rotate) this.#lowest = ended;
  }

  #writeOcw3(value: number): void {
    if ((value & PIC_OCW3_SPECIAL_MASK_ENABLE) !== 0)
      this.#specialMask = (value & PIC_OCW3_SPECIAL_MASK) !== 0;
    if ((value & PIC_OCW3_POLL) !== 0) this.#poll = true;
    else if ((value & PIC_OCW3_READ_REGISTER) !== 0) this.#readIsr = (value & PIC_OCW3_READ_ISR) !== 0;
  }

  #isLevel(level: number): boolean {
    return this.#levelTriggered || ((this.#elcr >> level) & 1) !== 0;
  }

  /** Level-triggered requests are the level itself; edges that were taken, or whose sense was reset, need a new edge. */
  #refreshLevels(): void {
    for (let level = 0; level < LINES; level++) {
      if (!this.#isLevel(level)) continue;
      const bit = 1 << level;
      this.#irr = (this.#irr & ~bit) | (this.#levels & bit);
    }
  }

  #take(level: number): void {
    const bit = 1 << level;
    if (!this.#isLevel(level)) this.#irr &= ~bit;
    if (!this.#autoEoi) this.#isr |= bit;
    else if (this.#rotateOnAutoEoi) this.#lowest = level;
  }

  /** 0 is the highest. */
  #rank(level: number): number {
    return (level - this.#lowest - 1 + 2 * LINES) % LINES;
  }

  #highestInService(): number {
    let best = -1;
    for (let level = 0; level < LINES; level++) {
      if (((this.#isr >> level) & 1) === 0) continue;
      // In special mask mode a masked level that is in service is not what a non-specific EOI ends.
      if (this.#specialMask && ((this.#imr >> level) & 1) !== 0) continue;
      if (best < 0 || this.#rank(level) < this.#rank(best)) best = level;
    }
    return best;
  }

  #passes(level: number): boolean {
    if (((this.#irr & ~this.#imr) >> level) % 2 === 0) return false;
    const own = (this.#isr >> level) & 1;
    if (this.#specialMask) return own === 0;
    const serving = this.#highestInService();
    if (serving < 0 || this.#rank(level) < this.#rank(serving)) return true;
    return level === serving && this.#specialFullyNested && ((this.#cascadeInputs >> level) & 1) !== 0;
  }

  #pending(): number {
    if (this.#initialization !== 'none') return -1;
    let best = -1;
    for (let level = 0; level < LINES; level++) {
      if (this.#passes(level) && (best < 0 || this.#rank(level) < this.#rank(best))) best = level;
    }
    return best;
  }
}
