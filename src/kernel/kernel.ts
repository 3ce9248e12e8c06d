import {
  type Bugcheck,
  BugcheckCode,
  type BugcheckDetails,
  BugcheckError,
  bugcheckName,
  describeThrown,
  isStackOverflow,
} from './bugcheck.ts';
import type { EventClock } from './clock.ts';
import { TICKS_PER_SECOND } from './clock.ts';
import { exchangeCurrentKernel } from './current.ts';
import { DeviceInterfaces } from './device-interface.ts';
import { EventLoop } from './event-loop.ts';
import { InterruptDispatch } from './interrupt-dispatch.ts';
import { IoManager } from './io-manager.ts';
import { DISPATCH_LEVEL, irqlName, type KIRQL } from './irql-levels.ts';
import { MemoryManager } from './memory.ts';
import { NtError } from './nt-error.ts';
import { ntStatusName } from './ntstatus.ts';
import { type LeakReport, ObjectTracker } from './object.ts';
import type { Platform } from './platform.ts';
import { PnpManager } from './pnp.ts';
import { Processor } from './processor.ts';
import { Registry } from './registry.ts';
import { KTHREAD } from './thread.ts';
import { TraceKind } from './trace.ts';
import { Trace } from './trace-log.ts';

export { currentKernel } from './current.ts';

/** Register accesses and time queries at one tick after which each further one takes {@link BUSY_WAIT_TICKS}. */
const BUSY_WAIT_LIMIT = 500;
/** About what a port access costs on a PC's bus: 1 µs. */
const BUSY_WAIT_TICKS = 10;
/** Events in a bugcheck's record. */
const REPORTED_EVENTS = 64;

export interface KernelOptions {
  /** The machine's timeline; by default one that keeps the newest 256 events whose rate does not grow with register traffic. */
  readonly trace?: Trace;
  /** A registry from an earlier run; by default an empty one. */
  readonly registry?: Registry;
  /** System time at tick 0 in 100-ns units since 1601; by default 2025-01-01 00:00 UTC, so that runs repeat exactly. */
  readonly bootSystemTime?: bigint;
  /** How long a wait without time-out may last before it counts as stuck; 600 s of machine time by default. */
  readonly waitLimitTicks?: number;
}

/** 2025-01-01 00:00 UTC in 100-ns units since 1601-01-01. */
const DEFAULT_BOOT_SYSTEM_TIME = 133_801_632_000_000_000n;

/**
 * The NT executive of one machine: one processor, its interrupts, time, memory, registry and devices. Code of the machine runs
 * inside {@link enter}; what it does wrong ends this kernel with a bugcheck and no other.
 */
export class Kernel {
  readonly platform: Platform;
  readonly clock: EventClock;
  readonly trace: Trace;
  readonly processor: Processor;
  /** What is alive, for {@link leakReport}. */
  readonly objects: ObjectTracker;
  readonly interrupts: InterruptDispatch;
  readonly loop: EventLoop;
  readonly memory: MemoryManager;
  readonly registry: Registry;
  /** Devices by name, files and requests. */
  readonly io: IoManager;
  readonly pnp: PnpManager;
  readonly deviceInterfaces: DeviceInterfaces;
  /** The thread in which the machine's owner, and with it user mode, enters the kernel. */
  readonly userThread: KTHREAD;
  /** System time at tick 0, 100-ns units since 1601. */
  readonly bootSystemTime: bigint;
  readonly waitLimitTicks: number;
  /** Spin locks that are held now, for DDIs that must not be called with one. */
  spinLocksHeld = 0;
  private bugcheckRecord: Bugcheck | null = null;
  private readonly frameDrivers: (string | null)[] = [];
  private readonly frameMethods: string[] = [];
  private busyTick = -1;
  private busyCount = 0;
  private isHalted = false;

  /** The platform stays its owner's: {@link dispose} does not end it. */
  constructor(platform: Platform, options: KernelOptions = {}) {
    this.platform = platform;
    this.clock = platform.clock;
    this.trace = options.trace ?? new Trace();
    this.bootSystemTime = options.bootSystemTime ?? DEFAULT_BOOT_SYSTEM_TIME;
    this.waitLimitTicks = options.waitLimitTicks ?? 600 * TICKS_PER_SECOND;
    this.userThread = new KTHREAD('user thread');
    this.processor = new Processor(this, this.userThread);
    this.trace.attach(this.clock, this.processor);
    this.objects = new ObjectTracker(this.clock, this);
    this.interrupts = new InterruptDispatch(this);
    this.loop = new EventLoop(this);
    this.registry = options.registry ?? new Registry();
    this.memory = new MemoryManager(this);
    this.io = new IoManager(this);
    this.deviceInterfaces = new DeviceInterfaces(this);
    this.pnp = new PnpManager(this);
  }

  /** Why this kernel has stopped; null while it runs. */
  get stopped(): Bugcheck | null {
    return this.bugcheckRecord;
  }

  /** Stopped or disposed: nothing of this kernel runs by itself any more. */
  get halted(): boolean {
    return this.isHalted;
  }

  /** Driver whose code is executing, as the innermost call into driver code names it. */
  get currentDriver(): string | null {
    const frames = this.frameDrivers;
    return frames.length === 0 ? null : (frames[frames.length - 1] as string | null);
  }

  /** Method or routine of the innermost call into driver code. */
  get currentMethod(): string | null {
    const frames = this.frameMethods;
    return frames.length === 0 ? null : (frames[frames.length - 1] as string);
  }

  /**
   * Makes this kernel the current one while `fn` runs; everything that uses kernel functions runs inside. Throws its BugcheckError
   * again when the kernel has stopped.
   */
  enter<T>(fn: () => T): T {
    if (this.bugcheckRecord !== null) this.throwIfStopped();
    const previous = exchangeCurrentKernel(this);
    try {
      return fn();
    } finally {
      exchangeCurrentKernel(previous);
    }
  }

  /**
   * Every call into driver code goes through here: `driver` and `method` name it in the trace and in a bugcheck. A status that it
   * throws (NtError) passes; any other exception is the driver's bug and becomes a bugcheck, as does a changed IRQL.
   */
  callOut<T>(driver: string, method: string, fn: () => T): T {
    if (this.bugcheckRecord !== null) this.throwIfStopped();
    const processor = this.processor;
    const irql = processor.irql;
    const depth = this.frameDrivers.length;
    this.frameDrivers.push(driver);
    this.frameMethods.push(method);
    const traced = (this.trace.mask & TraceKind.Ddi) !== 0;
    if (traced) this.trace.emit(TraceKind.Ddi, 'B', driver, method);
    let failure: string | null = null;
    try {
      const result = fn();
      if (processor.irql !== irql) this.irqlChanged(irql);
      return result;
    } catch (error) {
      if (!(error instanceof NtError)) {
        const code =
          processor.irql < DISPATCH_LEVEL
            ? BugcheckCode.SYSTEM_SERVICE_EXCEPTION
            : BugcheckCode.KMODE_EXCEPTION_NOT_HANDLED;
        return this.exceptionInRoutine(code, error, method);
      }
      if (processor.irql !== irql) this.irqlChanged(irql);
      failure = ntStatusName(error.status);
      throw error;
    } finally {
      this.popFrame();
      // Frames above this one are left behind only when a routine was called without callOut and an exception passed through.
      if (this.frameMethods.length > depth) this.dropFrames(depth);
      if (traced) {
        this.trace.emit(
          TraceKind.Ddi,
          'E',
          driver,
          method,
          failure === null ? undefined : { status: failure },
        );
      }
    }
  }

  /** Stops this kernel: throws a BugcheckError now and at every later entry. `more` overrides who is named as its cause. */
  bugcheck(code: number, parameters: readonly number[], text: string, more: BugcheckDetails = {}): never {
    if (this.bugcheckRecord !== null) this.throwIfStopped();
    const name = bugcheckName(code);
    const cause = more.cause;
    const stack = (cause instanceof Error ? cause.stack : undefined) ?? new Error(name).stack ?? '';
    this.trace.emit(TraceKind.State, 'I', 'kernel', name, { text });
    this.bugcheckRecord = {
      code,
      name,
      parameters: [...parameters],
      text,
      driver: more.driver ?? this.currentDriver,
      method: more.method ?? this.currentMethod,
      irql: this.processor.irql,
      tick: this.clock.now,
      stack,
      lastEvents: this.trace.last(REPORTED_EVENTS),
      cause,
    };
    this.halt();
    // Taken out of `current`: what goes on in spite of the exception meets it again at its next kernel call.
    const previous = exchangeCurrentKernel(this);
    if (previous !== this) exchangeCurrentKernel(previous);
    throw new BugcheckError(this.bugcheckRecord);
  }

  /** Throws the BugcheckError again when this kernel has stopped. */
  throwIfStopped(): void {
    if (this.bugcheckRecord !== null) throw new BugcheckError(this.bugcheckRecord);
  }

  /**
   * Runs the machine until `done()` or until the clock reaches `limitTick`: alarms, interrupts, DPCs, work items and user-mode
   * continuations. True if done. This is the outermost loop: nothing that it runs may call it. `done` is asked after every event.
   */
  runUntil(done: () => boolean, limitTick: number): boolean {
    return this.enter(() => this.loop.runUntil(done, limitTick));
  }

  /** Runs the machine for this many ticks; see {@link runUntil}. */
  runFor(ticks: number): void {
    this.runUntil(() => false, this.clock.now + ticks);
  }

  /** Delivers what is pending now, without letting time pass: interrupts and DPCs as the IRQL allows, at PASSIVE_LEVEL work items. */
  drain(): void {
    this.enter(() => this.loop.drain());
  }

  /**
   * For the HAL, after each access to a register: delivers interrupts that it raised, if the IRQL allows. A driver that polls
   * without ever stalling would stand still in virtual time; after some hundred accesses at one tick each takes a microsecond.
   */
  afterAccess(): void {
    const processor = this.processor;
    if (processor.pendingIrql > processor.irql) processor.dispatchPending();
    if (++this.busyCount > BUSY_WAIT_LIMIT) this.busyWait();
  }

  /** For functions that tell the time: a loop that waits for time to pass by asking for it sees it pass. */
  noteBusyWait(): void {
    if (++this.busyCount > BUSY_WAIT_LIMIT) this.busyWait();
  }

  /** See keStallExecutionProcessor. */
  stall(ticks: number): void {
    this.loop.letTimePass(ticks);
  }

  /** Runs `continuation` as user-mode code: from the outermost loop, at PASSIVE_LEVEL, after all that is pending. Any IRQL. */
  queueContinuation(continuation: () => void): void {
    this.loop.queueContinuation(continuation);
  }

  /**
   * Machine tick of a WDK time: negative is from now, 0 now, positive a system time (100-ns units since 1601; use a bigint, numbers
   * that large are not exact). Throws a RangeError for a time that is no integer.
   */
  dueTickOf(dueTime: number | bigint): number {
    if (dueTime > 0) return Number(BigInt(dueTime) - this.bootSystemTime);
    const due = this.clock.now - Number(dueTime);
    if (!Number.isSafeInteger(due))
      throw new RangeError(`A time is an integer of 100-ns units, not ${dueTime}.`);
    return due;
  }

  /** For code that calls driver routines without {@link callOut}: who is executing. Every push has its pop. */
  pushFrame(driver: string | null, method: string): void {
    this.frameDrivers.push(driver);
    this.frameMethods.push(method);
  }

  popFrame(): void {
    this.frameDrivers.pop();
    this.frameMethods.pop();
  }

  // Setting an array's length is slow in V8, so that the usual way out is a pop.
  private dropFrames(depth: number): void {
    this.frameDrivers.length = depth;
    this.frameMethods.length = depth;
  }

  /** An exception left a driver's routine: passes a bugcheck on and makes one of all else, NtError included. */
  exceptionInRoutine(code: number, error: unknown, where: string): never {
    if (error instanceof BugcheckError) throw error;
    const stackOverflow = isStackOverflow(error);
    const status = error instanceof NtError ? error.status : 0;
    this.bugcheck(
      // A double fault is what an exhausted kernel stack ends in.
      stackOverflow ? BugcheckCode.UNEXPECTED_KERNEL_MODE_TRAP : code,
      [stackOverflow ? 8 : status, 0, 0, 0],
      `${describeThrown(error)} (thrown in ${where}, ${irqlName(this.processor.irql)}).`,
      { cause: error },
    );
  }

  /** A driver's routine returned at another level than it was called at. */
  irqlChanged(expected: KIRQL): never {
    const irql = this.processor.irql;
    this.bugcheck(
      BugcheckCode.IRQL_UNEXPECTED_VALUE,
      [irql, expected, 0, 0],
      `${this.currentMethod ?? 'A routine'} was called at ${irqlName(expected)} and returned at ${irqlName(irql)}: ` +
        'a spin lock or fast mutex is still held, or the level was not lowered again.',
    );
  }

  /** What is alive now that should not outlive the machine: objects, interrupts, set timers, pages, handles. */
  leakReport(): LeakReport {
    return this.objects.report();
  }

  /** Ends the kernel and says what was still alive. Its interrupts and timers are dead from now on; the platform is its owner's. */
  dispose(): LeakReport {
    const report = this.leakReport();
    this.halt();
    return report;
  }

  [Symbol.dispose](): void {
    this.dispose();
  }

  private halt(): void {
    this.isHalted = true;
    this.interrupts.disable();
  }

  private busyWait(): void {
    const now = this.clock.now;
    if (now !== this.busyTick) {
      this.busyTick = now;
      this.busyCount = 0;
      return;
    }
    this.loop.letTimePass(BUSY_WAIT_TICKS);
    this.busyTick = this.clock.now;
  }
}
