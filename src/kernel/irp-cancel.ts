/** Cancellation of IRPs and the cancel spin lock. */
import { BugcheckCode } from './bugcheck.ts';
import { currentKernel } from './current.ts';
import type { DRIVER_CANCEL } from './io-stack-location.ts';
import { describeIrp, type IRP } from './irp.ts';
import { DISPATCH_LEVEL, type KIRQL, requireIrql } from './irql.ts';
import { keAcquireSpinLock, keReleaseSpinLock } from './spinlock.ts';

/** IoAcquireCancelSpinLock: raises to DISPATCH_LEVEL and returns the old level. IRQL ≤ DISPATCH_LEVEL. */
export function ioAcquireCancelSpinLock(): KIRQL {
  return keAcquireSpinLock(currentKernel().io.cancelSpinLock);
}

/** IoReleaseCancelSpinLock: back to the level that was returned, or, in a cancel routine, to `irp.cancelIrql`. */
export function ioReleaseCancelSpinLock(irql: KIRQL): void {
  keReleaseSpinLock(currentKernel().io.cancelSpinLock, irql);
}

/**
 * IoSetCancelRoutine: makes an IRP cancellable, or with null not; returns the routine that was set before. Null as the answer to
 * null means that the cancel routine has been called or is about to be: the IRP is its now. IRQL ≤ DISPATCH_LEVEL.
 */
export function ioSetCancelRoutine(irp: IRP, cancelRoutine: DRIVER_CANCEL | null): DRIVER_CANCEL | null {
  requireIrql(DISPATCH_LEVEL, 'IoSetCancelRoutine');
  const previous = irp.cancelRoutine;
  irp.cancelRoutine = cancelRoutine;
  return previous;
}

/**
 * IoCancelIrp: marks the IRP as cancelled and calls its cancel routine, if there is one, at DISPATCH_LEVEL with the cancel spin
 * lock held. True when it was called. Bugcheck when the routine comes back with the lock, or at a level other than
 * `irp.cancelIrql`. IRQL ≤ DISPATCH_LEVEL.
 */
export function ioCancelIrp(irp: IRP): boolean {
  requireIrql(DISPATCH_LEVEL, 'IoCancelIrp');
  const kernel = currentKernel();
  if (irp.state !== 'Allocated') {
    kernel.bugcheck(
      BugcheckCode.CANCEL_STATE_IN_COMPLETED_IRP,
      [irp.id, 0, 0, 0],
      `IoCancelIrp: IRP ${irp.id} has been completed already.`,
    );
  }
  const old = ioAcquireCancelSpinLock();
  irp.cancel = true;
  const routine = irp.cancelRoutine;
  irp.cancelRoutine = null;
  if (routine === null) {
    ioReleaseCancelSpinLock(old);
    return false;
  }
  irp.cancelIrql = old;
  const device = irp.locations[irp.currentLocation - 1]?.deviceObject ?? null;
  const driver = device?.driverObject.shortName ?? 'kernel';
  const what = describeIrp(irp);
  kernel.pushFrame(driver, 'Cancel');
  try {
    routine(device, irp);
  } catch (error) {
    kernel.exceptionInRoutine(BugcheckCode.SYSTEM_SERVICE_EXCEPTION, error, 'a cancel routine');
  }
  if (kernel.io.cancelSpinLock.isHeld || kernel.processor.irql !== old) {
    kernel.bugcheck(
      BugcheckCode.IRQL_UNEXPECTED_VALUE,
      [kernel.processor.irql, old, 0, 0],
      `The cancel routine for ${what} returned at IRQL ${kernel.processor.irql}${
        kernel.io.cancelSpinLock.isHeld ? ' with the cancel spin lock held' : ''
      }; it must release the lock with IoReleaseCancelSpinLock(irp.cancelIrql).`,
    );
  }
  kernel.popFrame();
  return true;
}
