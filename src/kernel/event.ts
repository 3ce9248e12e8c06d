import { BugcheckCode } from './bugcheck.ts';
import { currentKernel } from './current.ts';
import {
  APC_LEVEL,
  DISPATCH_LEVEL,
  type KIRQL,
  PASSIVE_LEVEL,
  requireIrql,
  requireIrqlAtLeast,
} from './irql.ts';
import { NtError } from './nt-error.ts';
import { STATUS_MUTANT_LIMIT_EXCEEDED, STATUS_SEMAPHORE_LIMIT_EXCEEDED } from './ntstatus.ts';
import type { KTHREAD } from './thread.ts';
import { DispatcherObject, KWait } from './wait.ts';

export { keDelayExecutionThread, keWaitForMultipleObjects, keWaitForSingleObject } from './wait.ts';

/** 'NotificationEvent' stays signalled until reset and ends every wait; 'SynchronizationEvent' ends one wait and resets itself. */
export type EVENT_TYPE = 'NotificationEvent' | 'SynchronizationEvent';

/** An event object. */
export class KEVENT extends DispatcherObject {
  readonly type: EVENT_TYPE;

  /** KeInitializeEvent. `name` is what reports call it. */
  constructor(type: EVENT_TYPE, state = false, name = 'KEVENT') {
    super(name);
    this.type = type;
    this.signalState = state ? 1 : 0;
  }

  override describe(): string {
    return `${this.type} '${this.name}'`;
  }

  override consume(_thread: KTHREAD): void {
    if (this.type === 'SynchronizationEvent') this.signalState = 0;
  }
}

/** KeSetEvent: signals the event and ends waits; returns whether it was signalled before. Up to DISPATCH_LEVEL. */
export function keSetEvent(event: KEVENT, _increment = 0, _wait = false): boolean {
  requireIrql(DISPATCH_LEVEL, 'KeSetEvent');
  const previous = event.signalState > 0;
  event.signalState = 1;
  if (!previous) event.satisfyWaiters();
  return previous;
}

/** KeResetEvent: no longer signalled; returns whether it was. Up to DISPATCH_LEVEL. */
export function keResetEvent(event: KEVENT): boolean {
  requireIrql(DISPATCH_LEVEL, 'KeResetEvent');
  const previous = event.signalState > 0;
  event.signalState = 0;
  return previous;
}

/** KeClearEvent: no longer signalled. Up to DISPATCH_LEVEL. */
export function keClearEvent(event: KEVENT): void {
  requireIrql(DISPATCH_LEVEL, 'KeClearEvent');
  event.signalState = 0;
}

/** KeReadStateEvent: is it signalled? Up to DISPATCH_LEVEL. */
export function keReadStateEvent(event: KEVENT): boolean {
  requireIrql(DISPATCH_LEVEL, 'KeReadStateEvent');
  return event.signalState > 0;
}

/** A mutex: owned by one thread, which may take it again. */
export class KMUTEX extends DispatcherObject {
  /** 1 free; 0 and below owned, once more for each step. */
  override signalState = 1;
  owner: KTHREAD | null = null;

  /** KeInitializeMutex: free. */
  constructor(name = 'KMUTEX') {
    super(name);
  }

  override describe(): string {
    return `mutex '${this.name}'${this.owner === null ? '' : ` (owned by ${this.owner.name})`}`;
  }

  override isSignaledFor(thread: KTHREAD): boolean {
    return this.signalState > 0 || this.owner === thread;
  }

  override consume(thread: KTHREAD): void {
    // A LONG counts the recursion; at its end the wait raises this status.
    if (this.signalState === -0x8000_0000) throw new NtError(STATUS_MUTANT_LIMIT_EXCEEDED, this.name);
    this.signalState--;
    if (this.owner === null) thread.ownedMutexes++;
    this.owner = thread;
  }
}

/**
 * KeReleaseMutex: gives it back once; returns true when that frees it (the previous state was 0). Up to DISPATCH_LEVEL.
 * Bugcheck THREAD_NOT_MUTEX_OWNER by another thread than the owner.
 */
export function keReleaseMutex(mutex: KMUTEX, _wait = false): boolean {
  requireIrql(DISPATCH_LEVEL, 'KeReleaseMutex');
  const kernel = currentKernel();
  const thread = kernel.processor.thread;
  if (mutex.owner !== thread) {
    kernel.bugcheck(
      BugcheckCode.THREAD_NOT_MUTEX_OWNER,
      [0, 0, 0, 0],
      `KeReleaseMutex on ${mutex.describe()} by ${thread.name}, which does not own it.`,
    );
  }
  mutex.signalState++;
  if (mutex.signalState < 1) return false;
  mutex.owner = null;
  thread.ownedMutexes--;
  mutex.satisfyWaiters();
  return true;
}

/** KeReadStateMutex: 1 when it is free. Up to DISPATCH_LEVEL. */
export function keReadStateMutex(mutex: KMUTEX): number {
  requireIrql(DISPATCH_LEVEL, 'KeReadStateMutex');
  return mutex.signalState;
}

/** A semaphore: ends as many waits as its count. */
export class KSEMAPHORE extends DispatcherObject {
  readonly limit: number;

  /** KeInitializeSemaphore. */
  constructor(count: number, limit: number, name = 'KSEMAPHORE') {
    super(name);
    this.signalState = count;
    this.limit = limit;
  }

  override describe(): string {
    return `semaphore '${this.name}'`;
  }

  override consume(_thread: KTHREAD): void {
    this.signalState--;
  }
}

/**
 * KeReleaseSemaphore: adds `adjustment` to the count and ends waits; returns the count before. Up to DISPATCH_LEVEL.
 * Throws STATUS_SEMAPHORE_LIMIT_EXCEEDED, and changes nothing, beyond the limit.
 */
export function keReleaseSemaphore(
  semaphore: KSEMAPHORE,
  adjustment = 1,
  _increment = 0,
  _wait = false,
): number {
  requireIrql(DISPATCH_LEVEL, 'KeReleaseSemaphore');
  const previous = semaphore.signalState;
  if (adjustment <= 0 || previous + adjustment > semaphore.limit) {
    throw new NtError(
      STATUS_SEMAPHORE_LIMIT_EXCEEDED,
      `${previous} + ${adjustment}, limit ${semaphore.limit}`,
    );
  }
  semaphore.signalState = previous + adjustment;
  semaphore.satisfyWaiters();
  return previous;
}

/** KeReadStateSemaphore: the count. Up to DISPATCH_LEVEL. */
export function keReadStateSemaphore(semaphore: KSEMAPHORE): number {
  requireIrql(DISPATCH_LEVEL, 'KeReadStateSemaphore');
  return semaphore.signalState;
}

/** A fast mutex: owned by one thread, which must not take it again, at APC_LEVEL. */
export class FAST_MUTEX extends DispatcherObject {
  override signalState = 1;
  owner: KTHREAD | null = null;
  /** Level of the owner before it took the mutex. */
  oldIrql: KIRQL = PASSIVE_LEVEL;

  /** ExInitializeFastMutex: free. */
  constructor(name = 'FAST_MUTEX') {
    super(name);
  }

  override describe(): string {
    return `fast mutex '${this.name}'${this.owner === null ? '' : ` (owned by ${this.owner.name})`}`;
  }

  override consume(thread: KTHREAD): void {
    this.signalState = 0;
    this.owner = thread;
    thread.ownedMutexes++;
  }
}

/** ExAcquireFastMutex: waits for the mutex and raises to APC_LEVEL. Up to APC_LEVEL. Bugcheck by a thread that owns it already. */
export function exAcquireFastMutex(mutex: FAST_MUTEX): void {
  requireIrql(APC_LEVEL, 'ExAcquireFastMutex');
  const kernel = currentKernel();
  const processor = kernel.processor;
  const thread = processor.thread;
  if (mutex.owner === thread) {
    kernel.bugcheck(
      BugcheckCode.THREAD_STUCK_IN_DEVICE_DRIVER,
      [0, 0, 0, 0],
      `ExAcquireFastMutex: ${thread.name} owns ${mutex.describe()} already and would wait for itself.`,
    );
  }
  const old = processor.raiseIrql(APC_LEVEL);
  if (mutex.signalState > 0) mutex.consume(thread);
  else {
    const wait = new KWait(thread);
    wait.objects.push(mutex);
    kernel.loop.wait(wait, null);
  }
  mutex.oldIrql = old;
}

/** ExTryToAcquireFastMutex: as {@link exAcquireFastMutex} when the mutex is free; false when it is not. Up to APC_LEVEL. */
export function exTryToAcquireFastMutex(mutex: FAST_MUTEX): boolean {
  requireIrql(APC_LEVEL, 'ExTryToAcquireFastMutex');
  if (mutex.signalState <= 0) return false;
  exAcquireFastMutex(mutex);
  return true;
}

/** ExReleaseFastMutex: frees it and goes back to the owner's level. At APC_LEVEL. Bugcheck by another thread than the owner. */
export function exReleaseFastMutex(mutex: FAST_MUTEX): void {
  requireIrqlAtLeast(APC_LEVEL, 'ExReleaseFastMutex');
  requireIrql(APC_LEVEL, 'ExReleaseFastMutex');
  const kernel = currentKernel();
  const thread = kernel.processor.thread;
  if (mutex.owner !== thread) {
    kernel.bugcheck(
      BugcheckCode.THREAD_NOT_MUTEX_OWNER,
      [0, 0, 0, 0],
      `ExReleaseFastMutex on ${mutex.describe()} by ${thread.name}, which does not own it.`,
    );
  }
  const old = mutex.oldIrql;
  mutex.owner = null;
  mutex.signalState = 1;
  thread.ownedMutexes--;
  mutex.satisfyWaiters();
  kernel.processor.lowerIrql(old);
}
