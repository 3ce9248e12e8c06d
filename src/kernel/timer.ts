import { type Alarm, TICKS_PER_MILLISECOND } from './clock.ts';
import { currentKernel } from './current.ts';
import type { KDPC } from './dpc.ts';
import { DISPATCH_LEVEL, requireIrql } from './irql.ts';
import type { Kernel } from './kernel.ts';
import type { ObjectRecord } from './object.ts';
import type { Processor } from './processor.ts';
import type { KTHREAD } from './thread.ts';
import { TraceKind } from './trace.ts';
import { DispatcherObject } from './wait.ts';

/** 'NotificationTimer' stays signalled until set again; 'SynchronizationTimer' ends one wait and resets itself. */
export type TIMER_TYPE = 'NotificationTimer' | 'SynchronizationTimer';

/** A timer: at its time it is signalled and its DPC queued, once or periodically. It fires at exactly the tick it was set for. */
export class KTIMER extends DispatcherObject {
  readonly type: TIMER_TYPE;
  /** Driver whose code made it. */
  readonly driver: string | null;
  nextExpired: KTIMER | null = null;
  private readonly kernel: Kernel;
  private readonly alarm: Alarm;
  private readonly record: ObjectRecord;
  private dpc: KDPC | null = null;
  private periodTicks = 0;
  private dueTick = 0;
  /** Due, and waiting for the level to allow the expiry. */
  private expiring = false;
  /** Set and neither expired nor cancelled. */
  private inserted = false;
  private traceCause = 0;
  private readonly setName: string;

  /** KeInitializeTimerEx: not set, not signalled. `name` is what reports call it. */
  constructor(type: TIMER_TYPE = 'NotificationTimer', name = 'KTIMER') {
    super(name);
    this.type = type;
    this.setName = `${name} set`;
    this.kernel = currentKernel();
    this.driver = this.kernel.currentDriver;
    this.alarm = this.kernel.clock.createAlarm(() => this.due());
    this.record = this.kernel.objects.createRecord('KTIMER', name);
  }

  override describe(): string {
    const state = this.inserted ? `set for tick ${this.dueTick}` : 'not set';
    return `${this.type} '${this.name}' (${state})`;
  }

  override consume(_thread: KTHREAD): void {
    if (this.type === 'SynchronizationTimer') this.signalState = 0;
  }

  /** See keSetTimerEx. */
  set(dueTick: number, periodTicks: number, dpc: KDPC | null): boolean {
    const wasInserted = this.cancel();
    const kernel = this.kernel;
    this.signalState = 0;
    this.dpc = dpc;
    this.periodTicks = periodTicks;
    this.dueTick = dueTick;
    this.inserted = true;
    this.traceCause = kernel.trace.currentCause;
    kernel.objects.add(this.record);
    if ((kernel.trace.mask & TraceKind.Timer) !== 0) {
      kernel.trace.emit(TraceKind.Timer, 'I', this.driver ?? 'kernel', this.setName, {
        dueTick,
        periodTicks,
      });
    }
    if (dueTick <= kernel.clock.now) {
      this.due();
      const processor = kernel.processor;
      if (processor.pendingIrql > processor.irql) processor.dispatchPending();
    } else this.alarm.set(dueTick);
    return wasInserted;
  }

  /** See keCancelTimer. */
  cancel(): boolean {
    if (!this.inserted) return false;
    this.alarm.cancel();
    if (this.expiring) {
      this.expiring = false;
      this.kernel.processor.unqueueExpiredTimer(this);
    }
    this.inserted = false;
    this.kernel.objects.remove(this.record);
    return true;
  }

  /** Is it signalled? */
  get isSignaled(): boolean {
    return this.signalState > 0;
  }

  /** For the processor: what happens at DISPATCH_LEVEL when the time has come. */
  expire(processor: Processor): void {
    this.expiring = false;
    if (this.periodTicks === 0) {
      this.inserted = false;
      this.kernel.objects.remove(this.record);
    }
    this.signalState = 1;
    this.satisfyWaiters();
    const dpc = this.dpc;
    const trace = this.kernel.trace;
    const traced = (trace.mask & TraceKind.Timer) !== 0;
    if (traced) trace.begin(TraceKind.Timer, this.driver ?? 'kernel', this.name, this.traceCause);
    if (dpc !== null && !dpc.queued) {
      dpc.queued = true;
      dpc.systemArgument1 = null;
      dpc.systemArgument2 = null;
      dpc.traceCause = trace.currentCause;
      processor.queueDpc(dpc, dpc.importance === 'HighImportance', false);
    }
    if (traced) trace.emit(TraceKind.Timer, 'E', this.driver ?? 'kernel', this.name);
  }

  // The clock's interrupt. A period is kept exactly: the next due time is derived from this one. When expiry is still waiting for
  // the level, or a real clock has slept over several periods, those that were missed are not made up.
  private due(): void {
    if (this.kernel.halted) return;
    if (this.periodTicks > 0) {
      const now = this.kernel.clock.now;
      let next = this.dueTick + this.periodTicks;
      if (next <= now) next = now + this.periodTicks - ((now - this.dueTick) % this.periodTicks);
      this.dueTick = next;
      this.alarm.set(next);
    }
    if (this.expiring) return;
    this.expiring = true;
    this.kernel.processor.queueExpiredTimer(this);
  }
}

/**
 * KeSetTimer: sets the timer (again). `dueTime` in 100-ns units: negative from now, otherwise a system time (since 1601); one that
 * has passed expires at once. Returns true when the timer was set before. Up to DISPATCH_LEVEL.
 */
export function keSetTimer(timer: KTIMER, dueTime: number | bigint, dpc: KDPC | null = null): boolean {
  requireIrql(DISPATCH_LEVEL, 'KeSetTimer');
  return timer.set(currentKernel().dueTickOf(dueTime), 0, dpc);
}

/** KeSetTimerEx: as {@link keSetTimer}, and again every `periodMs` milliseconds (0: once). Up to DISPATCH_LEVEL. */
export function keSetTimerEx(
  timer: KTIMER,
  dueTime: number | bigint,
  periodMs: number,
  dpc: KDPC | null = null,
): boolean {
  requireIrql(DISPATCH_LEVEL, 'KeSetTimerEx');
  return timer.set(currentKernel().dueTickOf(dueTime), periodMs * TICKS_PER_MILLISECOND, dpc);
}

/**
 * KeCancelTimer: true when the timer was set. A DPC that it has queued already still runs. Up to DISPATCH_LEVEL.
 */
export function keCancelTimer(timer: KTIMER): boolean {
  requireIrql(DISPATCH_LEVEL, 'KeCancelTimer');
  return timer.cancel();
}

/** KeReadStateTimer: is it signalled? Up to DISPATCH_LEVEL. */
export function keReadStateTimer(timer: KTIMER): boolean {
  requireIrql(DISPATCH_LEVEL, 'KeReadStateTimer');
  return timer.isSignaled;
}
