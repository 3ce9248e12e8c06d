import { BugcheckCode, formatTick } from './bugcheck.ts';
import { irqlName, PASSIVE_LEVEL } from './irql-levels.ts';
import type { Kernel } from './kernel.ts';
import { PowerSystemWorking } from './pnp-types.ts';
import { KTHREAD } from './thread.ts';
import { TraceKind } from './trace.ts';
import { VirtualClock } from './virtual-clock.ts';
import type { KWait, TimeOut } from './wait.ts';
import type { WORK_QUEUE_ITEM } from './work-item.ts';

/** Alarms, work items and continuations that may run without time moving on. */
const EVENTS_PER_TICK_LIMIT = 1_000_000;

interface Continuation {
  readonly run: () => void;
  next: Continuation | null;
}

class WorkQueue {
  private head: WORK_QUEUE_ITEM | null = null;
  private tail: WORK_QUEUE_ITEM | null = null;

  get isEmpty(): boolean {
    return this.head === null;
  }

  push(item: WORK_QUEUE_ITEM): void {
    if (this.tail === null) this.head = item;
    else this.tail.next = item;
    this.tail = item;
  }

  shift(): WORK_QUEUE_ITEM | null {
    const item = this.head;
    if (item === null) return null;
    this.head = item.next;
    if (this.head === null) this.tail = null;
    item.next = null;
    return item;
  }
}

/**
 * What runs when nobody else does: the clock's alarms, and what they set off. The outermost loop belongs to the machine's owner;
 * a thread that waits runs the same events nested, save the continuations of user mode.
 */
export class EventLoop {
  private readonly kernel: Kernel;
  private readonly critical = new WorkQueue();
  private readonly delayed = new WorkQueue();
  private firstContinuation: Continuation | null = null;
  private lastContinuation: Continuation | null = null;
  private readonly waits: KWait[] = [];
  private running = false;
  private workers = 0;
  private eventTick = -1;
  private eventsAtTick = 0;

  constructor(kernel: Kernel) {
    this.kernel = kernel;
  }

  queueWork(item: WORK_QUEUE_ITEM, critical: boolean): void {
    (critical ? this.critical : this.delayed).push(item);
  }

  queueContinuation(continuation: () => void): void {
    const entry: Continuation = { run: continuation, next: null };
    if (this.lastContinuation === null) this.firstContinuation = entry;
    else this.lastContinuation.next = entry;
    this.lastContinuation = entry;
  }

  /** Waits that are nested now, the outermost first. */
  get activeWaits(): readonly KWait[] {
    return this.waits;
  }

  /** See Kernel.runUntil. */
  runUntil(done: () => boolean, limitTick: number): boolean {
    if (this.running || this.waits.length > 0) {
      throw new Error(
        'runUntil and runFor are the outermost loop of a machine: neither a driver nor a callback may call them.',
      );
    }
    if (!Number.isSafeInteger(limitTick) && limitTick !== Number.POSITIVE_INFINITY) {
      throw new RangeError(`A time is an integer of 100-ns ticks, not ${limitTick}.`);
    }
    const { clock, processor } = this.kernel;
    if (processor.irql !== PASSIVE_LEVEL) {
      this.kernel.bugcheck(
        BugcheckCode.IRQL_NOT_LESS_OR_EQUAL,
        [processor.irql, PASSIVE_LEVEL, 0, 0],
        `The machine's loop was entered at ${irqlName(processor.irql)}: something raised the level and never lowered it.`,
      );
    }
    this.running = true;
    try {
      for (;;) {
        this.settle();
        if (done()) return true;
        if (!clock.runNext(limitTick)) {
          this.settle();
          return done();
        }
        this.countEvent('an alarm of the clock');
      }
    } finally {
      this.running = false;
    }
  }

  /** Interrupts and DPCs as the level allows, and at PASSIVE_LEVEL work items. */
  drain(): void {
    this.kernel.processor.dispatchAll();
    if (this.kernel.processor.irql === PASSIVE_LEVEL)
      while (this.runWorkItem()) this.kernel.processor.dispatchAll();
  }

  /** Runs the machine until the wait is satisfied (true) or its time is over (false). */
  wait(wait: KWait, timeout: TimeOut): boolean {
    const kernel = this.kernel;
    const processor = kernel.processor;
    const clock = kernel.clock;
    wait.driver = kernel.currentDriver;
    wait.method = kernel.currentMethod;
    // A delay waits for no object at all: only time ends it.
    if (wait.objects.length > 0 && wait.begin()) return true;
    const startTick = clock.now;
    const deadline = timeout === null ? startTick + kernel.waitLimitTicks : kernel.dueTickOf(timeout);
    // Others run at their own level and as their own threads; the waiter finds both as it left them.
    const { irql, thread } = processor;
    this.waits.push(wait);
    processor.lowerIrql(PASSIVE_LEVEL);
    for (;;) {
      this.runOthers(wait);
      if (wait.done) break;
      if (timeout === null && clock instanceof VirtualClock && clock.nextDueTick === null)
        this.neverEnds(wait, 0);
      if (!clock.runNext(deadline)) {
        this.runOthers(wait);
        if (wait.done) break;
        if (timeout === null) this.neverEnds(wait, clock.now - startTick);
        wait.cancel();
        break;
      }
      this.countEvent('an alarm of the clock');
    }
    this.waits.pop();
    processor.raiseIrql(irql);
    processor.thread = thread;
    return wait.done;
  }

  /** Lets time pass with the processor kept: alarms fire, interrupts and DPCs come as the level allows. */
  letTimePass(ticks: number): void {
    const { clock, processor } = this.kernel;
    const target = clock.now + ticks;
    for (;;) {
      const fired = clock.runNext(target);
      if (processor.pendingIrql > processor.irql) processor.dispatchPending();
      if (!fired) return;
      this.countEvent('an alarm of the clock');
    }
  }

  private runOthers(wait: KWait): void {
    const processor = this.kernel.processor;
    for (;;) {
      processor.dispatchAll();
      if (wait.done || !this.runWorkItem()) return;
    }
  }

  private settle(): void {
    const { processor } = this.kernel;
    for (;;) {
      processor.dispatchAll();
      if (this.runWorkItem()) continue;
      if (!this.runContinuation()) return;
    }
  }

  private runContinuation(): boolean {
    const entry = this.firstContinuation;
    // Applications do not run while the system sleeps: what they wait for is theirs when it wakes.
    if (entry === null || this.kernel.pnp.systemPowerState !== PowerSystemWorking) return false;
    this.firstContinuation = entry.next;
    if (entry.next === null) this.lastContinuation = null;
    this.countEvent('a user-mode continuation');
    entry.run();
    return true;
  }

  private runWorkItem(): boolean {
    const item = this.critical.shift() ?? this.delayed.shift();
    if (item === null) return false;
    const kernel = this.kernel;
    const { processor, trace } = kernel;
    this.countEvent('a work item');
    const waiter = processor.thread;
    const thread = new KTHREAD(`worker thread ${++this.workers} (${item.name})`);
    processor.thread = thread;
    item.queued = false;
    kernel.pushFrame(item.driver, item.name);
    const traced = (trace.mask & TraceKind.Dpc) !== 0;
    if (traced) trace.begin(TraceKind.Dpc, item.driver ?? 'kernel', item.name, item.traceCause, WORK_ITEM);
    try {
      item.invoke();
    } catch (error) {
      kernel.exceptionInRoutine(BugcheckCode.SYSTEM_SERVICE_EXCEPTION, error, 'a work item');
    }
    if (processor.irql !== PASSIVE_LEVEL) {
      kernel.bugcheck(
        BugcheckCode.WORKER_THREAD_RETURNED_AT_BAD_IRQL,
        [0, processor.irql, 0, 0],
        `Work item '${item.name}' returned at IRQL ${processor.irql} instead of PASSIVE_LEVEL.`,
      );
    }
    if (thread.ownedMutexes > 0) {
      kernel.bugcheck(
        BugcheckCode.THREAD_TERMINATE_HELD_MUTEX,
        [0, 0, 0, 0],
        `Work item '${item.name}' returned and still owns ${thread.ownedMutexes} mutex(es).`,
      );
    }
    if (traced) trace.emit(TraceKind.Dpc, 'E', item.driver ?? 'kernel', item.name, WORK_ITEM);
    kernel.popFrame();
    processor.thread = waiter;
    return true;
  }

  private countEvent(what: string): void {
    const now = this.kernel.clock.now;
    if (now !== this.eventTick) {
      this.eventTick = now;
      this.eventsAtTick = 0;
    }
    if (++this.eventsAtTick <= EVENTS_PER_TICK_LIMIT) return;
    this.kernel.bugcheck(
      BugcheckCode.CLOCK_WATCHDOG_TIMEOUT,
      [this.eventsAtTick, 0, 0, 0],
      `${EVENTS_PER_TICK_LIMIT} events ran without time moving on from ${formatTick(now)}; the last was ${what}. ` +
        'Something arms an alarm for "now", queues a work item or calls back for ever.',
    );
  }

  private neverEnds(wait: KWait, waitedTicks: number): never {
    const describe = (one: KWait) => {
      const objects =
        one.objects.map((object) => object.describe()).join(one.all ? ' and ' : ' or ') || 'time to pass';
      return `${one.thread.name} (${one.driver ?? 'no driver'}, ${one.method ?? 'no method'}) waits for ${objects}`;
    };
    const why =
      waitedTicks === 0
        ? 'no alarm is armed and nothing is queued that could end it'
        : `nothing ended it in ${formatTick(waitedTicks)}`;
    const below = this.waits.slice(0, -1).map(describe);
    const nested =
      below.length === 0
        ? ''
        : ` Waits underneath, which cannot go on before this one ends: ${below.join('; ')}.`;
    this.kernel.bugcheck(
      BugcheckCode.THREAD_STUCK_IN_DEVICE_DRIVER,
      [waitedTicks, this.waits.length, 0, 0],
      `A wait without time-out never ends: ${describe(wait)}; ${why}.${nested}`,
    );
  }
}

const WORK_ITEM = { workItem: true } as const;
