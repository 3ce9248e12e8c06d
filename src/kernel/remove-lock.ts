/** Remove locks: they hold a device's removal back until the last user is done with it. */
import { BugcheckCode } from './bugcheck.ts';
import { currentKernel } from './current.ts';
import { KEVENT, keSetEvent, keWaitForSingleObject } from './event.ts';
import { DISPATCH_LEVEL, PASSIVE_LEVEL, requireIrql } from './irql.ts';
import { type NTSTATUS, STATUS_DELETE_PENDING, STATUS_SUCCESS } from './ntstatus.ts';

/** IO_REMOVE_LOCK; a new one is initialized (IoInitializeRemoveLock). */
export class IO_REMOVE_LOCK {
  /** Counts the acquisitions, by tag. */
  readonly tags = new Map<unknown, number>();
  count = 0;
  removed = false;
  readonly removeEvent = new KEVENT('SynchronizationEvent', false, 'remove lock');
}

/**
 * IoAcquireRemoveLock: STATUS_SUCCESS, or STATUS_DELETE_PENDING once IoReleaseRemoveLockAndWait was called: then nothing new may be
 * begun on the device. IRQL ≤ DISPATCH_LEVEL.
 */
export function ioAcquireRemoveLock(removeLock: IO_REMOVE_LOCK, tag: unknown = null): NTSTATUS {
  requireIrql(DISPATCH_LEVEL, 'IoAcquireRemoveLock');
  if (removeLock.removed) return STATUS_DELETE_PENDING;
  removeLock.count++;
  removeLock.tags.set(tag, (removeLock.tags.get(tag) ?? 0) + 1);
  return STATUS_SUCCESS;
}

/** IoReleaseRemoveLock with the tag of the acquisition; another tag is a bugcheck. IRQL ≤ DISPATCH_LEVEL. */
export function ioReleaseRemoveLock(removeLock: IO_REMOVE_LOCK, tag: unknown = null): void {
  requireIrql(DISPATCH_LEVEL, 'IoReleaseRemoveLock');
  release(removeLock, tag, 'IoReleaseRemoveLock');
  if (removeLock.removed && removeLock.count === 0) keSetEvent(removeLock.removeEvent);
}

/**
 * IoReleaseRemoveLockAndWait: releases one acquisition, lets nobody acquire the lock any more and waits until all the others have
 * released it. For IRP_MN_REMOVE_DEVICE, once in a lock's life. IRQL = PASSIVE_LEVEL.
 */
export function ioReleaseRemoveLockAndWait(removeLock: IO_REMOVE_LOCK, tag: unknown = null): void {
  requireIrql(PASSIVE_LEVEL, 'IoReleaseRemoveLockAndWait');
  if (removeLock.removed) {
    currentKernel().bugcheck(
      BugcheckCode.DRIVER_VERIFIER_DETECTED_VIOLATION,
      [0xd7, 0, 0, 0],
      'IoReleaseRemoveLockAndWait was called a second time for the same remove lock.',
    );
  }
  removeLock.removed = true;
  release(removeLock, tag, 'IoReleaseRemoveLockAndWait');
  if (removeLock.count > 0) keWaitForSingleObject(removeLock.removeEvent, null);
}

function release(removeLock: IO_REMOVE_LOCK, tag: unknown, ddi: string): void {
  const held = removeLock.tags.get(tag) ?? 0;
  if (held === 0) {
    currentKernel().bugcheck(
      BugcheckCode.DRIVER_VERIFIER_DETECTED_VIOLATION,
      [0xd7, removeLock.count, 0, 0],
      `${ddi}: the remove lock was not acquired with this tag.`,
    );
  }
  if (held === 1) removeLock.tags.delete(tag);
  else removeLock.tags.set(tag, held - 1);
  removeLock.count--;
}
