import { BugcheckCode } from './bugcheck.ts';
import { currentKernel } from './current.ts';
import type { DEVICE_OBJECT } from './device.ts';
import { DISPATCH_LEVEL, requireIrql } from './irql.ts';
import type { ObjectRecord } from './object.ts';

/** Which worker threads take the item; critical ones come first. */
export type WORK_QUEUE_TYPE = 'CriticalWorkQueue' | 'DelayedWorkQueue';

/** An entry of the work queue. It runs at PASSIVE_LEVEL in a worker thread: from the event loop, or while another thread waits. */
export class WORK_QUEUE_ITEM {
  /** What reports call it. */
  readonly name: string;
  /** Driver whose code made it. */
  readonly driver: string | null;
  /** In the queue; false again before the routine runs. */
  queued = false;
  next: WORK_QUEUE_ITEM | null = null;
  traceCause = 0;
  /** For the event loop. */
  invoke: () => void;

  /** ExInitializeWorkItem. */
  constructor(routine: () => void, name = routine.name === '' ? 'WorkerRoutine' : routine.name) {
    this.name = name;
    this.driver = currentKernel().currentDriver;
    this.invoke = routine;
  }
}

/** ExQueueWorkItem. Up to DISPATCH_LEVEL. Bugcheck WORKER_INVALID when it is queued already. */
export function exQueueWorkItem(
  item: WORK_QUEUE_ITEM,
  queueType: WORK_QUEUE_TYPE = 'DelayedWorkQueue',
): void {
  requireIrql(DISPATCH_LEVEL, 'ExQueueWorkItem');
  queue(item, queueType, 'ExQueueWorkItem');
}

function queue(item: WORK_QUEUE_ITEM, queueType: WORK_QUEUE_TYPE, ddi: string): void {
  const kernel = currentKernel();
  if (item.queued) {
    kernel.bugcheck(
      BugcheckCode.WORKER_INVALID,
      [1, 0, 0, 0],
      `${ddi}: work item '${item.name}' is in the queue already.`,
    );
  }
  item.queued = true;
  item.traceCause = kernel.trace.currentCause;
  kernel.loop.queueWork(item, queueType === 'CriticalWorkQueue');
}

/** A work item of a device. */
export class IO_WORKITEM {
  readonly device: DEVICE_OBJECT;
  readonly item: WORK_QUEUE_ITEM;
  freed = false;
  readonly record: ObjectRecord;

  constructor(device: DEVICE_OBJECT) {
    this.device = device;
    this.item = new WORK_QUEUE_ITEM(() => undefined, 'IO_WORKITEM');
    this.record = currentKernel().objects.register('IO_WORKITEM', device.displayName);
  }
}

/** IoAllocateWorkItem. Up to DISPATCH_LEVEL. Free it with {@link ioFreeWorkItem}. */
export function ioAllocateWorkItem(device: DEVICE_OBJECT): IO_WORKITEM {
  requireIrql(DISPATCH_LEVEL, 'IoAllocateWorkItem');
  return new IO_WORKITEM(device);
}

/**
 * IoQueueWorkItem: `routine(device, context)` will run once at PASSIVE_LEVEL. Up to DISPATCH_LEVEL.
 * Bugcheck WORKER_INVALID when the item is queued already or freed.
 */
export function ioQueueWorkItem<C>(
  item: IO_WORKITEM,
  routine: (device: DEVICE_OBJECT, context: C) => void,
  context: C,
  queueType: WORK_QUEUE_TYPE = 'DelayedWorkQueue',
): void {
  requireIrql(DISPATCH_LEVEL, 'IoQueueWorkItem');
  requireAlive(item, 'IoQueueWorkItem');
  const device = item.device;
  queue(item.item, queueType, 'IoQueueWorkItem');
  item.item.invoke = () => routine(device, context);
}

/** IoFreeWorkItem. Up to DISPATCH_LEVEL. Bugcheck WORKER_INVALID while the item is queued, or when it was freed before. */
export function ioFreeWorkItem(item: IO_WORKITEM): void {
  requireIrql(DISPATCH_LEVEL, 'IoFreeWorkItem');
  requireAlive(item, 'IoFreeWorkItem');
  if (item.item.queued) {
    currentKernel().bugcheck(
      BugcheckCode.WORKER_INVALID,
      [0, 0, 0, 0],
      'IoFreeWorkItem: the work item is still in the queue.',
    );
  }
  item.freed = true;
  currentKernel().objects.remove(item.record);
}

function requireAlive(item: IO_WORKITEM, ddi: string): void {
  if (item.freed)
    currentKernel().bugcheck(
      BugcheckCode.WORKER_INVALID,
      [0, 0, 0, 0],
      `${ddi}: the work item has been freed.`,
    );
}
