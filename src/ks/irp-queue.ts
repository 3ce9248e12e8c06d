import {
  type DRIVER_CANCEL,
  type IRP,
  ioCancelIrp,
  ioCompleteRequest,
  ioMarkIrpPending,
  ioReleaseCancelSpinLock,
  ioSetCancelRoutine,
  KSPIN_LOCK,
  keAcquireSpinLock,
  keReleaseSpinLock,
  type NTSTATUS,
  STATUS_CANCELLED,
  STATUS_NO_MATCH,
  STATUS_SUCCESS,
} from '../kernel/index.ts';

/** KSLIST_ENTRY_LOCATION */
export const KsListEntryTail = 0;
export const KsListEntryHead = 1;
export type KSLIST_ENTRY_LOCATION = typeof KsListEntryTail | typeof KsListEntryHead;

/** KSIRP_REMOVAL_OPERATION */
export const KsAcquireOnly = 0;
export const KsAcquireAndRemove = 1;
export const KsAcquireOnlySingleItem = 2;
export const KsAcquireAndRemoveOnlySingleItem = 3;
export type KSIRP_REMOVAL_OPERATION =
  | typeof KsAcquireOnly
  | typeof KsAcquireAndRemove
  | typeof KsAcquireOnlySingleItem
  | typeof KsAcquireAndRemoveOnlySingleItem;

/** Requests that wait for a driver and that their clients may cancel: what the WDK makes of a LIST_ENTRY and a KSPIN_LOCK. */
export class KsIrpQueue {
  readonly spinLock = new KSPIN_LOCK();
  /** First in, first out; for the functions below. */
  readonly irps: IRP[] = [];

  get length(): number {
    return this.irps.length;
  }

  /** Runs with the queue's lock held. */
  locked<T>(fn: () => T): T {
    const irql = keAcquireSpinLock(this.spinLock);
    try {
      return fn();
    } finally {
      keReleaseSpinLock(this.spinLock, irql);
    }
  }
}

/** KSQUEUE_SPINLOCK_IRP_STORAGE: here the queue itself. */
function queueOf(irp: IRP): KsIrpQueue | null {
  const queue = irp.driverContext[1];
  return queue instanceof KsIrpQueue ? queue : null;
}

/** KsCancelRoutine, the standard one: takes the IRP out of its queue and completes it with STATUS_CANCELLED. */
export const ksCancelRoutine: DRIVER_CANCEL = (_device, irp) => {
  ioReleaseCancelSpinLock(irp.cancelIrql);
  const queue = queueOf(irp);
  queue?.locked(() => takeOut(queue, irp));
  irp.ioStatus.status = STATUS_CANCELLED;
  irp.ioStatus.information = 0;
  ioCompleteRequest(irp);
};

function takeOut(queue: KsIrpQueue, irp: IRP): boolean {
  const index = queue.irps.indexOf(irp);
  if (index < 0) return false;
  queue.irps.splice(index, 1);
  return true;
}

/**
 * KsAddIrpToCancelableQueue: queues an IRP, which the caller has marked pending or which this marks, and makes it cancellable. One that was cancelled before goes
 * straight to its cancel routine. Up to DISPATCH_LEVEL.
 */
export function ksAddIrpToCancelableQueue(
  queue: KsIrpQueue,
  irp: IRP,
  location: KSLIST_ENTRY_LOCATION = KsListEntryTail,
  driverCancel: DRIVER_CANCEL = ksCancelRoutine,
): void {
  ioMarkIrpPending(irp);
  irp.driverContext[1] = queue;
  queue.locked(() => {
    if (location === KsListEntryTail) queue.irps.push(irp);
    else queue.irps.unshift(irp);
    ioSetCancelRoutine(irp, driverCancel);
  });
  finishCancel(irp);
}

/** The cancel came between two of the driver's steps, when no routine was set: it is made up for. */
function finishCancel(irp: IRP): void {
  if (irp.cancel && irp.cancelRoutine !== null) ioCancelIrp(irp);
}

/**
 * KsRemoveIrpFromCancelableQueue: the next IRP that nobody has acquired, no longer cancellable; null when there is none. It is the caller's to complete, or, if only
 * acquired, to give back with {@link ksReleaseIrpOnCancelableQueue}. The single-item operations do not look past the first IRP. Up to
 * DISPATCH_LEVEL.
 */
export function ksRemoveIrpFromCancelableQueue(
  queue: KsIrpQueue,
  location: KSLIST_ENTRY_LOCATION = KsListEntryHead,
  operation: KSIRP_REMOVAL_OPERATION = KsAcquireAndRemove,
): IRP | null {
  const single = operation === KsAcquireOnlySingleItem || operation === KsAcquireAndRemoveOnlySingleItem;
  const remove = operation === KsAcquireAndRemove || operation === KsAcquireAndRemoveOnlySingleItem;
  return queue.locked(() => {
    const ordered = location === KsListEntryHead ? queue.irps : [...queue.irps].reverse();
    for (const irp of ordered) {
      // An IRP without a cancel routine is acquired, or is being cancelled at this moment.
      if (ioSetCancelRoutine(irp, null) !== null) {
        if (remove) takeOut(queue, irp);
        return irp;
      }
      if (single) return null;
    }
    return null;
  });
}

/** KsRemoveSpecificIrpFromCancelableQueue: takes an acquired IRP out; it stays uncancellable. Up to DISPATCH_LEVEL. */
export function ksRemoveSpecificIrpFromCancelableQueue(irp: IRP): void {
  const queue = queueOf(irp);
  queue?.locked(() => takeOut(queue, irp));
}

/** KsReleaseIrpOnCancelableQueue: gives an acquired IRP back to its queue, cancellable again; a cancel in between is made up for. Up to DISPATCH_LEVEL. */
export function ksReleaseIrpOnCancelableQueue(irp: IRP, driverCancel: DRIVER_CANCEL = ksCancelRoutine): void {
  ioSetCancelRoutine(irp, driverCancel);
  finishCancel(irp);
}

/** KsCancelIo: cancels every IRP of the queue; those that are acquired only get their cancel flag. Up to DISPATCH_LEVEL. */
export function ksCancelIo(queue: KsIrpQueue): void {
  for (const irp of [...queue.irps]) if (queue.irps.includes(irp)) ioCancelIrp(irp);
}

/**
 * KsMoveIrpsOnCancelableQueue: asks the callback about each IRP, from the head on, and moves those for which it says STATUS_SUCCESS to the end of the other queue.
 * STATUS_NO_MATCH leaves one where it is; anything else ends the walk and is returned. At the end the callback is asked once with null. The
 * callback runs at DISPATCH_LEVEL.
 */
export function ksMoveIrpsOnCancelableQueue(
  source: KsIrpQueue,
  destination: KsIrpQueue,
  listCallback: (irp: IRP | null) => NTSTATUS,
): NTSTATUS {
  return source.locked(() => {
    for (const irp of [...source.irps]) {
      const status = listCallback(irp);
      if (status === STATUS_NO_MATCH) continue;
      if (status !== STATUS_SUCCESS) return status;
      takeOut(source, irp);
      irp.driverContext[1] = destination;
      destination.irps.push(irp);
    }
    listCallback(null);
    return STATUS_SUCCESS;
  });
}
