import { BugcheckCode } from './bugcheck.ts';
import { currentKernel } from './current.ts';
import { DISPATCH_LEVEL, irqlName, type KIRQL } from './irql-levels.ts';

export * from './irql-levels.ts';

/** KeGetCurrentIrql. Any IRQL. */
export function keGetCurrentIrql(): KIRQL {
  return currentKernel().processor.irql;
}

/**
 * KeRaiseIrql: raises the level and returns the old one for {@link keLowerIrql}. Any IRQL.
 * Bugcheck IRQL_NOT_GREATER_OR_EQUAL when `newIrql` is below the current level.
 */
export function keRaiseIrql(newIrql: KIRQL): KIRQL {
  return currentKernel().processor.raiseIrql(newIrql);
}

/** KeRaiseIrqlToDpcLevel. Up to DISPATCH_LEVEL. */
export function keRaiseIrqlToDpcLevel(): KIRQL {
  return currentKernel().processor.raiseIrql(DISPATCH_LEVEL);
}

/**
 * KeLowerIrql: lowers the level again; interrupts and DPCs that were held back are delivered before it returns. Any IRQL.
 * Bugcheck IRQL_NOT_LESS_OR_EQUAL when `oldIrql` is above the current level.
 */
export function keLowerIrql(oldIrql: KIRQL): void {
  currentKernel().processor.lowerIrql(oldIrql);
}

/**
 * States the highest level at which a DDI may be called; the first line of every DDI that has such a limit.
 * Bugcheck IRQL_NOT_LESS_OR_EQUAL, naming the DDI, when the processor is above it.
 */
export function requireIrql(maximum: KIRQL, ddi: string): void {
  const kernel = currentKernel();
  if (kernel.processor.irql > maximum) {
    const irql = kernel.processor.irql;
    kernel.bugcheck(
      BugcheckCode.IRQL_NOT_LESS_OR_EQUAL,
      [irql, maximum, 0, 0],
      `${ddi} was called at ${irqlName(irql)}; the highest level allowed is ${irqlName(maximum)}.`,
    );
  }
}

/** The counterpart for DDIs that must be called at or above a level. Bugcheck IRQL_NOT_GREATER_OR_EQUAL. */
export function requireIrqlAtLeast(minimum: KIRQL, ddi: string): void {
  const kernel = currentKernel();
  if (kernel.processor.irql < minimum) {
    const irql = kernel.processor.irql;
    kernel.bugcheck(
      BugcheckCode.IRQL_NOT_GREATER_OR_EQUAL,
      [irql, minimum, 0, 0],
      `${ddi} was called at ${irqlName(irql)}; it needs ${irqlName(minimum)} or above.`,
    );
  }
}
