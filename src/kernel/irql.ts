import { BugcheckCode } from './bugcheck.ts';
import { currentKernel } from './current.ts';

/** An interrupt request level, 0…15 as on x64. Code at one level is interrupted by what happens at a higher one only. */
export type KIRQL = number;

export const PASSIVE_LEVEL = 0;
export const LOW_LEVEL = 0;
export const APC_LEVEL = 1;
export const DISPATCH_LEVEL = 2;
/** Lowest and highest level of a device's interrupt. */
export const DEVICE_LEVEL_MIN = 3;
export const DEVICE_LEVEL_MAX = 12;
export const CLOCK_LEVEL = 13;
export const POWER_LEVEL = 14;
export const HIGH_LEVEL = 15;

/** 'DISPATCH_LEVEL (2)', 'DIRQL 5' …: a level as reports show it. */
export function irqlName(irql: KIRQL): string {
  switch (irql) {
    case PASSIVE_LEVEL:
      return 'PASSIVE_LEVEL (0)';
    case APC_LEVEL:
      return 'APC_LEVEL (1)';
    case DISPATCH_LEVEL:
      return 'DISPATCH_LEVEL (2)';
    case CLOCK_LEVEL:
      return 'CLOCK_LEVEL (13)';
    case POWER_LEVEL:
      return 'POWER_LEVEL (14)';
    case HIGH_LEVEL:
      return 'HIGH_LEVEL (15)';
    default:
      return `DIRQL ${irql}`;
  }
}

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
