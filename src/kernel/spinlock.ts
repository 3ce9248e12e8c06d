import { BugcheckCode } from './bugcheck.ts';
import { currentKernel } from './current.ts';
import { DISPATCH_LEVEL, type KIRQL, requireIrql, requireIrqlAtLeast } from './irql.ts';
import type { Kernel } from './kernel.ts';

/**
 * A spin lock. On one processor a lock that is found held can never become free while its finder spins: that is the deadlock
 * which on a PC hangs the machine, and here a bugcheck that names both.
 */
export class KSPIN_LOCK {
  /** What reports call it. */
  readonly name: string;
  private held = false;
  private holderDriver: string | null = null;
  private holderMethod: string | null = null;

  /** KeInitializeSpinLock. */
  constructor(name = 'KSPIN_LOCK') {
    this.name = name;
  }

  /** True while somebody holds it. */
  get isHeld(): boolean {
    return this.held;
  }

  /** Takes the lock at the present level; for the routines below and for interrupts. */
  acquire(kernel: Kernel): void {
    if (this.held) this.alreadyOwned(kernel);
    this.held = true;
    kernel.spinLocksHeld++;
    this.holderDriver = kernel.currentDriver;
    this.holderMethod = kernel.currentMethod;
  }

  /** Frees the lock at the present level. */
  release(kernel: Kernel): void {
    if (!this.held) {
      kernel.bugcheck(
        BugcheckCode.SPIN_LOCK_NOT_OWNED,
        [0, 0, 0, 0],
        `Spin lock '${this.name}' is released but nobody holds it.`,
      );
    }
    this.held = false;
    kernel.spinLocksHeld--;
  }

  private alreadyOwned(kernel: Kernel): never {
    const holder = `${this.holderDriver ?? 'kernel'}, ${this.holderMethod ?? 'no method'}`;
    kernel.bugcheck(
      BugcheckCode.SPIN_LOCK_ALREADY_OWNED,
      [0, 0, 0, 0],
      `Spin lock '${this.name}' is acquired while it is held (by ${holder}): with one processor this spins for ever.`,
    );
  }
}

/** KeAcquireSpinLock: raises to DISPATCH_LEVEL, takes the lock and returns the old level. Up to DISPATCH_LEVEL. */
export function keAcquireSpinLock(spinLock: KSPIN_LOCK): KIRQL {
  const kernel = currentKernel();
  if (kernel.processor.irql > DISPATCH_LEVEL) requireIrql(DISPATCH_LEVEL, 'KeAcquireSpinLock');
  const old = kernel.processor.raiseIrql(DISPATCH_LEVEL);
  spinLock.acquire(kernel);
  return old;
}

/**
 * KeReleaseSpinLock: frees the lock and goes back to the level that {@link keAcquireSpinLock} returned. At DISPATCH_LEVEL.
 * Bugcheck SPIN_LOCK_NOT_OWNED when nobody holds it, IRQL_NOT_LESS_OR_EQUAL at another level.
 */
export function keReleaseSpinLock(spinLock: KSPIN_LOCK, newIrql: KIRQL): void {
  const kernel = currentKernel();
  if (kernel.processor.irql !== DISPATCH_LEVEL) {
    requireIrqlAtLeast(DISPATCH_LEVEL, 'KeReleaseSpinLock');
    requireIrql(DISPATCH_LEVEL, 'KeReleaseSpinLock');
  }
  spinLock.release(kernel);
  kernel.processor.lowerIrql(newIrql);
}

/** KeAcquireSpinLockAtDpcLevel: takes the lock where the level is already raised. DISPATCH_LEVEL and above. */
export function keAcquireSpinLockAtDpcLevel(spinLock: KSPIN_LOCK): void {
  requireIrqlAtLeast(DISPATCH_LEVEL, 'KeAcquireSpinLockAtDpcLevel');
  spinLock.acquire(currentKernel());
}

/** KeReleaseSpinLockFromDpcLevel: frees the lock and leaves the level alone. DISPATCH_LEVEL and above. */
export function keReleaseSpinLockFromDpcLevel(spinLock: KSPIN_LOCK): void {
  requireIrqlAtLeast(DISPATCH_LEVEL, 'KeReleaseSpinLockFromDpcLevel');
  spinLock.release(currentKernel());
}

/** KeTryToAcquireSpinLockAtDpcLevel: takes the lock if it is free; false when it is held. DISPATCH_LEVEL and above. */
export function keTryToAcquireSpinLockAtDpcLevel(spinLock: KSPIN_LOCK): boolean {
  requireIrqlAtLeast(DISPATCH_LEVEL, 'KeTryToAcquireSpinLockAtDpcLevel');
  if (spinLock.isHeld) return false;
  spinLock.acquire(currentKernel());
  return true;
}

/** KeTestSpinLock: true when the lock is free. Any IRQL. */
export function keTestSpinLock(spinLock: KSPIN_LOCK): boolean {
  return !spinLock.isHeld;
}
