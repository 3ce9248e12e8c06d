import { BugcheckCode } from './bugcheck.ts';
import type { KDPC } from './dpc.ts';
import { DISPATCH_LEVEL, HIGH_LEVEL, irqlName, type KIRQL, PASSIVE_LEVEL } from './irql-levels.ts';
import type { Kernel } from './kernel.ts';
import type { KTHREAD } from './thread.ts';
import type { KTIMER } from './timer.ts';
import { TraceKind } from './trace.ts';

/** Nothing waits to run. */
const NONE = -1;

/**
 * DPCs that may run without time moving on. A DPC that queues itself for ever hangs a PC; here it is named.
 */
const DPC_LIMIT = 100_000;

/** The machine's one processor: its level, what waits below that level, and the thread that is executing. */
export class Processor {
  irql: KIRQL = PASSIVE_LEVEL;
  /** Highest level at which something waits to run, -1 for nothing. Above {@link irql} means: deliver now. */
  pendingIrql: KIRQL = NONE;
  thread: KTHREAD;
  private readonly kernel: Kernel;
  private hardwareIrql: KIRQL = NONE;
  private softwareRequested = false;
  private dpcHead: KDPC | null = null;
  private dpcTail: KDPC | null = null;
  private expiredHead: KTIMER | null = null;
  private expiredTail: KTIMER | null = null;
  private dpcTick = -1;
  private dpcsAtTick = 0;

  constructor(kernel: Kernel, thread: KTHREAD) {
    this.kernel = kernel;
    this.thread = thread;
  }

  /** See keRaiseIrql. */
  raiseIrql(newIrql: KIRQL): KIRQL {
    const old = this.irql;
    if (newIrql < old || newIrql > HIGH_LEVEL) {
      this.kernel.bugcheck(
        BugcheckCode.IRQL_NOT_GREATER_OR_EQUAL,
        [newIrql, old, 0, 0],
        `KeRaiseIrql to ${irqlName(newIrql)} at ${irqlName(old)}: raising must not lower the level.`,
      );
    }
    this.irql = newIrql;
    return old;
  }

  /** See keLowerIrql. */
  lowerIrql(newIrql: KIRQL): void {
    if (newIrql > this.irql || newIrql < PASSIVE_LEVEL) {
      this.kernel.bugcheck(
        BugcheckCode.IRQL_NOT_LESS_OR_EQUAL,
        [newIrql, this.irql, 0, 0],
        `KeLowerIrql to ${irqlName(newIrql)} at ${irqlName(this.irql)}: lowering must not raise the level.`,
      );
    }
    this.irql = newIrql;
    if (this.pendingIrql > newIrql) this.dispatchPending();
  }

  /** Delivers what waits above the present level: interrupts first, then timers and DPCs. */
  dispatchPending(): void {
    while (this.pendingIrql > this.irql) {
      if (this.pendingIrql > DISPATCH_LEVEL) this.kernel.interrupts.serviceHighest();
      else this.retireDpcs();
    }
  }

  /** For the interrupt dispatch: the highest level of a pending interrupt changed. */
  setHardwareIrql(irql: KIRQL): void {
    this.hardwareIrql = irql;
    this.refreshPending();
  }

  /** Queues a DPC; `urgent` puts it first, `request` false leaves it until DPCs run for another reason. */
  queueDpc(dpc: KDPC, urgent: boolean, request: boolean): void {
    if (this.dpcHead === null) {
      this.dpcHead = dpc;
      this.dpcTail = dpc;
    } else if (urgent) {
      dpc.next = this.dpcHead;
      this.dpcHead = dpc;
    } else {
      (this.dpcTail as KDPC).next = dpc;
      this.dpcTail = dpc;
    }
    if (request) this.requestDispatch();
  }

  /** Takes a queued DPC out again. */
  unqueueDpc(dpc: KDPC): void {
    let previous: KDPC | null = null;
    for (let entry = this.dpcHead; entry !== null; previous = entry, entry = entry.next) {
      if (entry !== dpc) continue;
      if (previous === null) this.dpcHead = dpc.next;
      else previous.next = dpc.next;
      if (this.dpcTail === dpc) this.dpcTail = previous;
      dpc.next = null;
      return;
    }
  }

  /** A timer's time has come: it is signalled, and its DPC queued, when the level allows. */
  queueExpiredTimer(timer: KTIMER): void {
    if (this.expiredTail === null) this.expiredHead = timer;
    else this.expiredTail.nextExpired = timer;
    this.expiredTail = timer;
    this.softwareRequested = true;
    this.refreshPending();
  }

  /** Takes a timer that is cancelled before its expiry was handled out again. */
  unqueueExpiredTimer(timer: KTIMER): void {
    let previous: KTIMER | null = null;
    for (let entry = this.expiredHead; entry !== null; previous = entry, entry = entry.nextExpired) {
      if (entry !== timer) continue;
      if (previous === null) this.expiredHead = timer.nextExpired;
      else previous.nextExpired = timer.nextExpired;
      if (this.expiredTail === timer) this.expiredTail = previous;
      timer.nextExpired = null;
      return;
    }
  }

  /** Runs DPCs of low importance too, as an idle processor does. Below DISPATCH_LEVEL. */
  dispatchAll(): void {
    if (this.dpcHead !== null) {
      this.softwareRequested = true;
      this.refreshPending();
    }
    if (this.pendingIrql > this.irql) this.dispatchPending();
  }

  private requestDispatch(): void {
    this.softwareRequested = true;
    this.refreshPending();
    if (this.pendingIrql > this.irql) this.dispatchPending();
  }

  private refreshPending(): void {
    this.pendingIrql =
      this.hardwareIrql >= 0 ? this.hardwareIrql : this.softwareRequested ? DISPATCH_LEVEL : NONE;
  }

  private retireDpcs(): void {
    const old = this.irql;
    this.irql = DISPATCH_LEVEL;
    for (;;) {
      if (this.expiredHead !== null) {
        const timer: KTIMER = this.expiredHead;
        this.expiredHead = timer.nextExpired;
        if (this.expiredHead === null) this.expiredTail = null;
        timer.nextExpired = null;
        timer.expire(this);
        continue;
      }
      const dpc = this.dpcHead;
      if (dpc === null) break;
      this.dpcHead = dpc.next;
      if (this.dpcHead === null) this.dpcTail = null;
      dpc.next = null;
      dpc.queued = false;
      this.runDpc(dpc);
    }
    this.softwareRequested = false;
    this.refreshPending();
    this.irql = old;
  }

  private runDpc(dpc: KDPC): void {
    const kernel = this.kernel;
    const now = kernel.clock.now;
    if (now !== this.dpcTick) {
      this.dpcTick = now;
      this.dpcsAtTick = 0;
    }
    kernel.pushFrame(dpc.driver, dpc.name);
    if (++this.dpcsAtTick > DPC_LIMIT) {
      kernel.bugcheck(
        BugcheckCode.DPC_WATCHDOG_VIOLATION,
        [0, this.dpcsAtTick, DPC_LIMIT, 0],
        `${DPC_LIMIT} DPCs ran without time moving on; the next is ${dpc.name}. Does a DPC queue itself?`,
      );
    }
    const trace = kernel.trace;
    const traced = (trace.mask & TraceKind.Dpc) !== 0;
    if (traced) trace.begin(TraceKind.Dpc, dpc.driver ?? 'kernel', dpc.name, dpc.traceCause);
    try {
      dpc.invoke();
    } catch (error) {
      kernel.exceptionInRoutine(BugcheckCode.KMODE_EXCEPTION_NOT_HANDLED, error, 'a DPC');
    }
    if (this.irql !== DISPATCH_LEVEL) kernel.irqlChanged(DISPATCH_LEVEL);
    if (traced) trace.emit(TraceKind.Dpc, 'E', dpc.driver ?? 'kernel', dpc.name);
    kernel.popFrame();
  }
}
