import type { EngineName } from '../../hardware/ac97/registers.ts';
import type { AccessSize } from '../../kernel/index.ts';
import { hex } from '../check.ts';
import { DifferenceCounter, type FoundDifference, shownValue } from '../diff/index.ts';
import { AC97_ACCEPTED_DIFFERENCES, type ComparedRead, type DiffHistory } from './accepted-differences.ts';
import {
  type Ac97ShownRegister,
  accessName,
  registerDocumentation,
  shownRegisters,
  valueMeaning,
} from './register-names.ts';

/** Registers that move by themselves while their engine runs. */
const MOVING = new Set(['CIV', 'PICB', 'PIV', 'SR']);
const INTERRUPT_MIRRORS = 0x00e0;

/** How far an engine has come on each side, for what must never go back. */
interface RunProgress {
  readonly longest: number;
  lvi: number;
  civ: [model: number, other: number];
}

/** Compares answers, counts what was accepted, and knows what may differ while engines run. */
export class DiffComparer extends DifferenceCounter<ComparedRead> {
  readonly #history: DiffHistory;
  readonly #progress = new Map<EngineName, RunProgress>();

  constructor(history: DiffHistory) {
    super(AC97_ACCEPTED_DIFFERENCES);
    this.#history = history;
  }

  /** An engine starts with descriptor 0. */
  runStarted(engine: EngineName, lvi: number, longest: number): void {
    this.#progress.set(engine, { longest, lvi, civ: [0, 0] });
  }

  endMoved(engine: EngineName, lvi: number): void {
    const progress = this.#progress.get(engine);
    if (progress) progress.lvi = Math.max(progress.lvi, lvi);
  }

  /** Compares the answers to one read; null when they agree, or differ as is known. */
  read(bar: number, offset: number, size: AccessSize, model: number, other: number): FoundDifference | null {
    this.countComparison();
    for (const register of shownRegisters(bar, offset, size)) {
      const [modelValue, otherValue] = [shownValue(model, register), shownValue(other, register)];
      const engine = engineOf(register);
      if (bar === 1 && engine !== null && MOVING.has(register.kind) && this.#history.running.has(engine)) {
        // Other reads than these are answered by QEMU with ones.
        const documented =
          size === register.bits >> 3 || (size === 4 && ((offset & 0x0f) === 4 || (offset & 0x0f) === 8));
        const broken = documented ? this.#checkProgress(engine, register, modelValue, otherValue) : null;
        if (broken) return broken;
        continue;
      }
      let differing = (modelValue ^ otherValue) >>> 0;
      if (differing === 0) continue;
      if (register.name === 'GLOB_STA' && this.#history.running.size > 0) differing &= ~INTERRUPT_MIRRORS;
      differing = this.withoutAccepted(differing, {
        bar,
        offset,
        register,
        model: modelValue,
        other: otherValue,
        history: this.#history,
      });
      if (differing !== 0) return describeRead(bar, offset, size, model, other);
    }
    return null;
  }

  /** While an engine runs, each side for itself: the index never goes back or beyond the end, no position is beyond its buffer. */
  #checkProgress(
    engine: EngineName,
    register: Ac97ShownRegister,
    model: number,
    other: number,
  ): FoundDifference | null {
    const progress = this.#progress.get(engine);
    if (!progress || !register.whole) return null;
    const values = [model, other] as const;
    for (const side of [0, 1] as const) {
      const value = values[side];
      let broken: string | null = null;
      if (register.kind === 'CIV') {
        if (value < progress.civ[side] || value > progress.lvi) {
          broken = `went from ${progress.civ[side]} to ${value}, with LVI ${progress.lvi}`;
        }
        progress.civ[side] = value;
      } else if (register.kind === 'PICB' && value > progress.longest) {
        broken = `is ${value}, with no buffer longer than ${progress.longest}`;
      }
      if (broken === null) continue;
      const fine = 'moves on within the ring';
      return {
        what: `${register.name} while it runs`,
        model: side === 0 ? broken : fine,
        other: side === 1 ? broken : fine,
        documentation:
          '82801AA §12.2.2, §12.2.5: CIV counts up modulo 32 as descriptors are processed, PICB down to the end of each.',
      };
    }
    return null;
  }
}

function describeRead(
  bar: number,
  offset: number,
  size: AccessSize,
  model: number,
  other: number,
): FoundDifference {
  return {
    what: accessName(bar, offset, size),
    model: withMeaning(bar, offset, size, model),
    other: withMeaning(bar, offset, size, other),
    documentation: registerDocumentation(bar, offset, size),
  };
}

/** `0007h (DCH CELV LVBCI)`. */
export function withMeaning(bar: number, offset: number, size: AccessSize, value: number): string {
  const meaning = valueMeaning(bar, offset, size, value);
  return meaning === '' ? hex(value) : `${hex(value)} (${meaning})`;
}

function engineOf({ name }: Ac97ShownRegister): EngineName | null {
  const engine = name.slice(0, 3);
  if (engine === 'PO_') return 'PO';
  if (engine === 'PI_') return 'PI';
  return engine === 'MC_' ? 'MC' : null;
}
