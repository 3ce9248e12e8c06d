import { BugcheckCode } from './bugcheck.ts';
import { currentKernel } from './current.ts';
import { KDPC } from './dpc.ts';
import { APC_LEVEL, DISPATCH_LEVEL, requireIrql } from './irql.ts';
import type { ObjectRecord } from './object.ts';
import { KTIMER } from './timer.ts';

/** Attributes of {@link exAllocateTimer}. */
export const EX_TIMER_HIGH_RESOLUTION = 0x4;
export const EX_TIMER_NO_WAKE = 0x8;
export const EX_TIMER_NOTIFICATION = 0x8000_0000;

/** ExTimerCallback: runs at DISPATCH_LEVEL when the timer expires. */
export type EXT_CALLBACK<C> = (timer: EX_TIMER<C>, context: C) => void;

/** A timer that the system allocates: with a callback instead of a DPC, and a period in 100-ns units. It can be waited for. */
export class EX_TIMER<C = unknown> extends KTIMER {
  readonly highResolution: boolean;
  readonly allocation: ObjectRecord;
  /** Runs the callback; null when there is none. */
  readonly expiry: KDPC | null;
  deleted = false;

  constructor(callback: EXT_CALLBACK<C> | null, context: C, attributes: number, name: string) {
    super((attributes & EX_TIMER_NOTIFICATION) === 0 ? 'SynchronizationTimer' : 'NotificationTimer', name);
    this.highResolution = (attributes & EX_TIMER_HIGH_RESOLUTION) !== 0;
    this.expiry = callback === null ? null : new KDPC(() => callback(this, context), null, name);
    this.allocation = currentKernel().objects.register('EX_TIMER', name);
  }
}

/**
 * ExAllocateTimer. `name` is what reports call it (by default the callback's name). Up to DISPATCH_LEVEL. Free it with
 * {@link exDeleteTimer}. Bugcheck when `attributes` asks for high resolution and no wake at once.
 */
export function exAllocateTimer<C>(
  callback: EXT_CALLBACK<C> | null,
  context: C,
  attributes = 0,
  name = callback === null || callback.name === '' ? 'EX_TIMER' : callback.name,
): EX_TIMER<C> {
  requireIrql(DISPATCH_LEVEL, 'ExAllocateTimer');
  if ((attributes & EX_TIMER_HIGH_RESOLUTION) !== 0 && (attributes & EX_TIMER_NO_WAKE) !== 0) {
    invalid('ExAllocateTimer: EX_TIMER_HIGH_RESOLUTION and EX_TIMER_NO_WAKE exclude each other.');
  }
  return new EX_TIMER(callback, context, attributes, name);
}

/**
 * ExSetTimer: sets the timer (again), for `dueTime` (negative from now, else a system time) and then every `period` 100-ns units
 * (0: once). True when it was set before. Up to DISPATCH_LEVEL. Bugcheck for a system time on a high-resolution timer.
 */
export function exSetTimer(timer: EX_TIMER, dueTime: number | bigint, period = 0): boolean {
  requireIrql(DISPATCH_LEVEL, 'ExSetTimer');
  requireAllocated(timer, 'ExSetTimer');
  if (timer.highResolution && dueTime >= 0) {
    invalid(`ExSetTimer: a high-resolution timer takes a time from now (negative), not ${dueTime}.`);
  }
  return timer.set(currentKernel().dueTickOf(dueTime), period, timer.expiry);
}

/** ExCancelTimer: true when the timer was set. Up to DISPATCH_LEVEL. */
export function exCancelTimer(timer: EX_TIMER): boolean {
  requireIrql(DISPATCH_LEVEL, 'ExCancelTimer');
  requireAllocated(timer, 'ExCancelTimer');
  return timer.cancel();
}

/**
 * ExDeleteTimer: true when `cancel` and the timer was set. With `wait` (needs `cancel`, up to APC_LEVEL) a callback that is due has
 * run when this returns. Otherwise up to DISPATCH_LEVEL.
 */
export function exDeleteTimer(timer: EX_TIMER, cancel: boolean, wait: boolean): boolean {
  requireIrql(wait ? APC_LEVEL : DISPATCH_LEVEL, 'ExDeleteTimer');
  requireAllocated(timer, 'ExDeleteTimer');
  if (wait && !cancel) invalid('ExDeleteTimer: waiting without cancelling is not possible.');
  const kernel = currentKernel();
  // At or below APC_LEVEL a due callback has run already, since the level allows it.
  if (wait) kernel.processor.dispatchAll();
  const cancelled = cancel && timer.cancel();
  timer.deleted = true;
  kernel.objects.remove(timer.allocation);
  return cancelled;
}

function requireAllocated(timer: EX_TIMER, ddi: string): void {
  if (timer.deleted) invalid(`${ddi}: timer '${timer.name}' has been deleted.`);
}

function invalid(text: string): never {
  return currentKernel().bugcheck(BugcheckCode.TIMER_OR_DPC_INVALID, [0, 0, 0, 0], text);
}
