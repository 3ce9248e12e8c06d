import {
  CR_FEIE,
  CR_IOCE,
  CR_LVBIE,
  CR_RPBM,
  CR_RR,
  ENGINE_OFFSET,
  type EngineName,
  GLOB_CNT,
  GLOB_STA,
  SR_BCIS,
  SR_FIFOE,
  SR_LVBCI,
  X_CR,
  X_LVI,
} from '../../hardware/ac97/registers.ts';
import type { DiffHistory } from './accepted-differences.ts';
import { type Ac97Bench, ENGINES } from './bench.ts';
import type { DiffOperation } from './diff-operations.ts';

const POWER_DOWN_SEMAPHORES = 0x3_0000;
const STATUS_BITS = SR_BCIS | SR_LVBCI | SR_FIFOE;

/** Keeps {@link DiffHistory} while the traffic goes on. It looks at the model, whose answers are never a matter of the host's timing. */
export class DiffHistoryKeeper implements DiffHistory {
  readonly codecWrites = new Map<number, number | 'bench'>();
  readonly movedWhileRunning = new Set<EngineName>();
  readonly emptyWithIoc = new Set<EngineName>();
  readonly running = new Set<EngineName>();
  readonly lviWrittenAfterEnd = new Set<EngineName>();
  powerDownSemaphoresTouched = false;
  unusualInterrupt = false;

  /** Power-on, or what amounts to it. */
  clear(): void {
    this.codecReset();
    for (const set of [this.movedWhileRunning, this.emptyWithIoc, this.running, this.lviWrittenAfterEnd])
      set.clear();
    this.powerDownSemaphoresTouched = false;
    this.unusualInterrupt = false;
  }

  codecReset(): void {
    this.codecWrites.clear();
  }

  /** RR of an engine. */
  engineReset(engine: EngineName): void {
    this.movedWhileRunning.delete(engine);
    this.emptyWithIoc.delete(engine);
    this.lviWrittenAfterEnd.delete(engine);
  }

  /** A register write, before it is made. */
  noteWrite(
    { bar, offset, size, value }: DiffOperation & { readonly kind: 'write' },
    model: Ac97Bench,
  ): void {
    if (bar === 0) {
      if (size === 2) this.codecWrites.set(offset, value & 0xffff);
      return;
    }
    if (offset === GLOB_STA && (value & POWER_DOWN_SEMAPHORES) !== 0) this.powerDownSemaphoresTouched = true;
    if (offset >= GLOB_CNT) return;
    const engine = ENGINES.find((one) => ENGINE_OFFSET[one] === (offset & 0xf0));
    if (engine === undefined) return;
    const register = offset & 0x0f;
    if (register === X_LVI) this.lviWrittenAfterEnd.add(engine);
    if (register !== X_CR) return;
    if ((value & CR_RR) !== 0) this.engineReset(engine);
    else if ((model.sr(engine) & STATUS_BITS) !== 0) this.unusualInterrupt = true;
  }

  /** After each operation: what the interrupts depend on. */
  update(model: Ac97Bench): void {
    let asking = 0;
    let pending = 0;
    let withoutEnable = false;
    for (const engine of ENGINES) {
      const [sr, cr] = [model.sr(engine), model.cr(engine)];
      if ((sr & STATUS_BITS) === 0) continue;
      pending++;
      const enabled =
        ((cr & CR_IOCE) !== 0 ? SR_BCIS : 0) |
        ((cr & CR_LVBIE) !== 0 ? SR_LVBCI : 0) |
        ((cr & CR_FEIE) !== 0 ? SR_FIFOE : 0);
      if ((sr & enabled) !== 0) asking++;
      if ((sr & STATUS_BITS & ~enabled) !== 0) withoutEnable = true;
      if ((cr & CR_RPBM) !== 0 && this.movedWhileRunning.has(engine)) this.unusualInterrupt = true;
      if (this.emptyWithIoc.has(engine)) this.unusualInterrupt = true;
    }
    if (pending === 0) this.unusualInterrupt = false;
    else if (asking > 1 || pending > 1 || withoutEnable) this.unusualInterrupt = true;
  }
}
