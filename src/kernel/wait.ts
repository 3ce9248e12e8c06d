import { BugcheckCode } from './bugcheck.ts';
import { currentKernel } from './current.ts';
import { APC_LEVEL, DISPATCH_LEVEL, irqlName, requireIrql } from './irql.ts';
import type { Kernel } from './kernel.ts';
import { NtError } from './nt-error.ts';
import {
  type NTSTATUS,
  ntStatus,
  STATUS_INVALID_PARAMETER_1,
  STATUS_TIMEOUT,
  STATUS_WAIT_0,
} from './ntstatus.ts';
import { KernelObject } from './object.ts';
import type { KTHREAD } from './thread.ts';

/** MAXIMUM_WAIT_OBJECTS. */
export const MAXIMUM_WAIT_OBJECTS = 64;

/** A time-out: null for ever, 0 poll, negative 100-ns ticks from now, positive a system time (100 ns since 1601). */
export type TimeOut = number | bigint | null;

/** One thread's wait for one or several objects; it stands in the queue of each. */
export class KWait {
  readonly objects: DispatcherObject[] = [];
  all = false;
  thread: KTHREAD;
  done = false;
  /** Which object ended it. */
  index = 0;
  /** Told when a wait outside the kernel's own loops is satisfied. */
  onSatisfied: (() => void) | null = null;
  /** Who waits, for reports. */
  driver: string | null = null;
  method: string | null = null;

  constructor(thread: KTHREAD) {
    this.thread = thread;
  }

  /** Takes what it waits for, if that is there now; otherwise stands in the queues. */
  begin(): boolean {
    this.done = false;
    if (this.trySatisfy()) return true;
    for (const object of this.objects) object.addWaiter(this);
    return false;
  }

  /** Gives up. */
  cancel(): void {
    for (const object of this.objects) object.removeWaiter(this);
  }

  /** Takes what it waits for when that is there: one object, or all of them at once. */
  trySatisfy(): boolean {
    const objects = this.objects;
    if (this.all) {
      for (let i = 0; i < objects.length; i++)
        if (!(objects[i] as DispatcherObject).isSignaledFor(this.thread)) return false;
      for (let i = 0; i < objects.length; i++) (objects[i] as DispatcherObject).consume(this.thread);
      this.index = 0;
    } else {
      let found = -1;
      for (let i = 0; i < objects.length; i++) {
        if ((objects[i] as DispatcherObject).isSignaledFor(this.thread)) {
          found = i;
          break;
        }
      }
      if (found < 0) return false;
      (objects[found] as DispatcherObject).consume(this.thread);
      this.index = found;
    }
    this.done = true;
    return true;
  }
}

/** What can be waited for. `signalState` above 0 is signalled. */
export abstract class DispatcherObject extends KernelObject {
  signalState = 0;
  /** What reports call it. */
  readonly name: string;
  // Made at the first wait; most objects have one waiter or none.
  private waiters: KWait[] | null = null;

  constructor(name: string) {
    super();
    this.name = name;
  }

  /** What kind of object it is, with its state, for reports. */
  abstract describe(): string;

  /** Would a wait of this thread end now? */
  isSignaledFor(_thread: KTHREAD): boolean {
    return this.signalState > 0;
  }

  /** What a satisfied wait does to the object's state. */
  abstract consume(thread: KTHREAD): void;

  addWaiter(wait: KWait): void {
    if (this.waiters === null) this.waiters = [wait];
    else this.waiters.push(wait);
  }

  removeWaiter(wait: KWait): void {
    const waiters = this.waiters;
    if (waiters === null) return;
    const index = waiters.indexOf(wait);
    if (index < 0) return;
    // Splicing makes an array of what it took out; the usual sole waiter needs none.
    if (index === waiters.length - 1) waiters.pop();
    else waiters.splice(index, 1);
  }

  get hasWaiters(): boolean {
    return this.waiters !== null && this.waiters.length > 0;
  }

  /** The object became signalled: ends waits in the order in which they began, as long as it stays signalled. */
  satisfyWaiters(): void {
    const waiters = this.waiters;
    if (waiters === null) return;
    let index = 0;
    while (index < waiters.length && this.signalState > 0) {
      const wait = waiters[index] as KWait;
      if (!wait.trySatisfy()) {
        index++;
        continue;
      }
      wait.cancel();
      wait.onSatisfied?.();
    }
  }
}

/**
 * KeWaitForSingleObject: STATUS_SUCCESS when the object is signalled, STATUS_TIMEOUT when the time-out passes first. Meanwhile the
 * machine runs: interrupts, DPCs, timers, work items. Up to APC_LEVEL, with a time-out of 0 up to DISPATCH_LEVEL.
 * Bugcheck THREAD_STUCK_IN_DEVICE_DRIVER when the wait can never end.
 */
export function keWaitForSingleObject(object: DispatcherObject, timeout: TimeOut = null): NTSTATUS {
  const kernel = currentKernel();
  requireWaitIrql(kernel, timeout, 'KeWaitForSingleObject');
  const thread = kernel.processor.thread;
  if (object.isSignaledFor(thread)) {
    object.consume(thread);
    return STATUS_WAIT_0;
  }
  if (isPoll(timeout)) return STATUS_TIMEOUT;
  const wait = new KWait(thread);
  wait.objects.push(object);
  return kernel.loop.wait(wait, timeout) ? STATUS_WAIT_0 : STATUS_TIMEOUT;
}

/**
 * KeWaitForMultipleObjects: with 'WaitAny' STATUS_WAIT_0 + index of the object that ended the wait (the first in the list when
 * several are signalled), with 'WaitAll' STATUS_SUCCESS when all are signalled at once; STATUS_TIMEOUT. IRQL as for one object.
 * Throws STATUS_INVALID_PARAMETER_1 for no object or more than MAXIMUM_WAIT_OBJECTS.
 */
export function keWaitForMultipleObjects(
  objects: readonly DispatcherObject[],
  waitType: 'WaitAll' | 'WaitAny',
  timeout: TimeOut = null,
): NTSTATUS {
  const kernel = currentKernel();
  requireWaitIrql(kernel, timeout, 'KeWaitForMultipleObjects');
  if (objects.length === 0 || objects.length > MAXIMUM_WAIT_OBJECTS) {
    throw new NtError(STATUS_INVALID_PARAMETER_1, `${objects.length} objects`);
  }
  const wait = new KWait(kernel.processor.thread);
  wait.objects.push(...objects);
  wait.all = waitType === 'WaitAll';
  if (isPoll(timeout)) {
    if (!wait.trySatisfy()) return STATUS_TIMEOUT;
  } else if (!kernel.loop.wait(wait, timeout)) return STATUS_TIMEOUT;
  return ntStatus(STATUS_WAIT_0 + wait.index);
}

/** KeDelayExecutionThread: lets the interval pass while the machine runs. Up to APC_LEVEL. */
export function keDelayExecutionThread(interval: number | bigint): void {
  requireIrql(APC_LEVEL, 'KeDelayExecutionThread');
  const kernel = currentKernel();
  kernel.loop.wait(new KWait(kernel.processor.thread), interval);
}

/**
 * A wait of user mode: `callback` runs as a user-mode continuation, from the machine's outermost loop at PASSIVE_LEVEL, after the
 * object was signalled. The wait is satisfied (an auto-reset event reset) at the moment of the signal, as a thread's would be.
 */
export class UserWait {
  private readonly kernel: Kernel;
  private readonly wait: KWait;
  private readonly callback: () => void;
  private state: 'idle' | 'waiting' | 'queued' = 'idle';
  // Tells a continuation that was queued before a cancel from one queued after the next arm.
  private generation = 0;

  constructor(kernel: Kernel, object: DispatcherObject, callback: () => void) {
    this.kernel = kernel;
    this.callback = callback;
    this.wait = new KWait(kernel.userThread);
    this.wait.objects.push(object);
    this.wait.onSatisfied = () => this.satisfied();
  }

  /** Begins (again) to wait: one signal, one call. Nothing happens while it is waiting already. */
  arm(): void {
    if (this.state !== 'idle') return;
    this.state = 'waiting';
    if (this.wait.begin()) this.satisfied();
  }

  /** The callback will not run until {@link arm} is called again. */
  cancel(): void {
    if (this.state === 'waiting') this.wait.cancel();
    this.state = 'idle';
    this.generation++;
  }

  private satisfied(): void {
    this.state = 'queued';
    const generation = this.generation;
    this.kernel.queueContinuation(() => {
      if (generation !== this.generation) return;
      this.state = 'idle';
      this.callback();
    });
  }
}

function isPoll(timeout: TimeOut): boolean {
  return timeout === 0 || timeout === 0n;
}

function requireWaitIrql(kernel: Kernel, timeout: TimeOut, ddi: string): void {
  const irql = kernel.processor.irql;
  if (irql <= APC_LEVEL || (isPoll(timeout) && irql <= DISPATCH_LEVEL)) return;
  const maximum = isPoll(timeout) ? DISPATCH_LEVEL : APC_LEVEL;
  kernel.bugcheck(
    BugcheckCode.IRQL_NOT_LESS_OR_EQUAL,
    [irql, maximum, 0, 0],
    `${ddi} was called at ${irqlName(irql)}${isPoll(timeout) ? '' : ' with a time-out other than 0'}; ` +
      `the highest level allowed is ${irqlName(maximum)}.`,
  );
}
