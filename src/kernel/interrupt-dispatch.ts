import { BugcheckCode } from './bugcheck.ts';
import type { KINTERRUPT } from './interrupt.ts';
import type { KIRQL } from './irql-levels.ts';
import type { Kernel } from './kernel.ts';
import { TraceKind } from './trace.ts';

/** Services at one tick without the line falling, after which it counts as stuck. */
const STORM_LIMIT = 1_000;
/** The same while time goes on (a real machine's clock never stands still), or while the line falls and rises at one tick. */
const STORM_LIMIT_OVER_TIME = 100_000;

/** What a line of the interrupt controller has done. */
export interface InterruptLineCounters {
  /** Times that the processor took the line's interrupt. */
  readonly services: number;
  /** Of these, how many no service routine claimed. */
  readonly unclaimed: number;
  /** The kernel masked the line because it never fell. */
  readonly masked: boolean;
}

class LineState {
  readonly line: number;
  irql: KIRQL = 0;
  latched = false;
  readonly chain: KINTERRUPT[] = [];
  /** Asserted (level) or edge seen and not yet taken (latched). */
  pending = false;
  masked = false;
  services = 0;
  unclaimed = 0;
  servicesSinceFall = 0;
  /** Tick of the first of these. */
  riseTick = -1;
  servicesAtTick = 0;
  tick = -1;
  traceCause = 0;

  constructor(line: number) {
    this.line = line;
  }
}

/** The interrupt lines with their service routines: which interrupt is next, and its service. */
export class InterruptDispatch {
  private readonly kernel: Kernel;
  private readonly states: LineState[] = [];
  /** Lines with service routines, highest level first. */
  private connected: LineState[] = [];
  private highest: LineState | null = null;

  constructor(kernel: Kernel) {
    this.kernel = kernel;
    kernel.platform.onInterruptChange((line, asserted) => this.lineChanged(line, asserted));
  }

  /** What a line has done since the machine started. */
  counters(line: number): InterruptLineCounters {
    const { services, unclaimed, masked } = this.stateOf(line);
    return { services, unclaimed, masked };
  }

  /** The interrupt objects of a line, in the order in which they are called. */
  chainOf(line: number): readonly KINTERRUPT[] {
    return this.stateOf(line).chain;
  }

  /** For ioConnectInterrupt, which has checked that the object may share the line. Unmasks the line. */
  connect(interrupt: KINTERRUPT): void {
    const state = this.stateOf(interrupt.line);
    state.irql = Math.max(state.irql, interrupt.irql);
    state.latched = interrupt.latched;
    state.chain.push(interrupt);
    state.masked = false;
    state.servicesSinceFall = 0;
    state.servicesAtTick = 0;
    // A level that rose before anyone listened is still there; an edge is gone with the mask.
    state.pending = state.latched ? false : this.kernel.platform.isInterruptAsserted(state.line);
    this.sortConnected();
  }

  /** For ioDisconnectInterrupt. */
  disconnect(interrupt: KINTERRUPT): void {
    const state = this.stateOf(interrupt.line);
    state.chain.splice(state.chain.indexOf(interrupt), 1);
    if (state.chain.length === 0) {
      state.irql = 0;
      state.pending = false;
    }
    this.sortConnected();
  }

  /** No more interrupts: the machine has stopped. */
  disable(): void {
    this.connected = [];
    this.highest = null;
    for (const state of this.states) if (state !== undefined) state.chain.length = 0;
  }

  /** Services the pending interrupt of the highest level; the processor calls this when that is above its own. */
  serviceHighest(): void {
    const state = this.highest;
    if (state === null) return;
    const processor = this.kernel.processor;
    const old = processor.irql;
    const now = this.kernel.clock.now;
    if (now !== state.tick) {
      state.tick = now;
      state.servicesAtTick = 0;
    }
    state.services++;
    if (state.servicesSinceFall++ === 0) state.riseTick = now;
    state.servicesAtTick++;
    const claimed = state.latched ? this.serviceLatched(state) : this.serviceLevel(state);
    if (!claimed) state.unclaimed++;
    processor.irql = old;
    if (!state.latched) state.pending = this.kernel.platform.isInterruptAsserted(state.line);
    if (!state.pending) state.servicesSinceFall = 0;
    else if (this.isStorm(state, now)) this.storm(state, claimed);
    this.refresh();
  }

  private serviceLevel(state: LineState): boolean {
    // The first routine that claims a level ends the walk: when a second device asserts the line too, it is still asserted
    // afterwards and the whole chain is walked again.
    const chain = state.chain;
    for (let i = 0; i < chain.length; i++) if (this.call(chain[i] as KINTERRUPT, state)) return true;
    return false;
  }

  private serviceLatched(state: LineState): boolean {
    state.pending = false;
    this.kernel.platform.acknowledgeInterrupt(state.line);
    // An edge tells nothing about how many devices made it, so a shared chain is walked until nobody claims any more.
    const chain = state.chain;
    let claimed = false;
    for (let pass = 0; pass < STORM_LIMIT; pass++) {
      let claimedNow = false;
      for (let i = 0; i < chain.length; i++) if (this.call(chain[i] as KINTERRUPT, state)) claimedNow = true;
      if (claimedNow) claimed = true;
      if (!claimedNow || chain.length === 1) return claimed;
    }
    state.pending = true;
    return claimed;
  }

  private call(interrupt: KINTERRUPT, state: LineState): boolean {
    const kernel = this.kernel;
    const processor = kernel.processor;
    const trace = kernel.trace;
    const irql = interrupt.synchronizeIrql;
    processor.irql = irql;
    kernel.pushFrame(interrupt.driver, interrupt.name);
    interrupt.spinLock.acquire(kernel);
    const traced = (trace.mask & TraceKind.Interrupt) !== 0;
    if (traced)
      trace.begin(TraceKind.Interrupt, interrupt.driver ?? 'kernel', interrupt.name, state.traceCause);
    let claimed = false;
    try {
      claimed = interrupt.invoke();
    } catch (error) {
      kernel.exceptionInRoutine(
        BugcheckCode.INTERRUPT_EXCEPTION_NOT_HANDLED,
        error,
        'an interrupt service routine',
      );
    }
    if (processor.irql !== irql) kernel.irqlChanged(irql);
    if (traced)
      trace.emit(
        TraceKind.Interrupt,
        'E',
        interrupt.driver ?? 'kernel',
        interrupt.name,
        claimed ? CLAIMED : NOT_CLAIMED,
      );
    interrupt.spinLock.release(kernel);
    kernel.popFrame();
    interrupt.serviceCount++;
    if (claimed) interrupt.claimedCount++;
    return claimed;
  }

  private isStorm(state: LineState, now: number): boolean {
    return (
      (state.servicesSinceFall >= STORM_LIMIT && state.riseTick === now) ||
      state.servicesSinceFall >= STORM_LIMIT_OVER_TIME ||
      state.servicesAtTick >= STORM_LIMIT_OVER_TIME
    );
  }

  private storm(state: LineState, claimed: boolean): void {
    state.masked = true;
    const who = state.chain.map((interrupt) => interrupt.driver ?? 'kernel').join(', ');
    this.kernel.trace.finding(
      who,
      `Interrupt storm: line ${state.line} is asserted again after ${state.servicesAtTick} services at one tick ` +
        `(${state.servicesSinceFall} since it last fell); it is masked now. ` +
        (claimed
          ? 'The service routine claims the interrupt but does not take its cause away.'
          : 'No service routine claims the interrupt.'),
      { line: state.line, services: state.servicesSinceFall },
    );
  }

  private lineChanged(line: number, asserted: boolean): void {
    const state = this.states[line];
    if (state === undefined || state.chain.length === 0) return;
    if (asserted) {
      if (state.pending) return;
      state.pending = true;
      state.traceCause = this.kernel.trace.currentCause;
    } else {
      state.servicesSinceFall = 0;
      if (state.latched || !state.pending) return;
      state.pending = false;
    }
    this.refresh();
  }

  private refresh(): void {
    const connected = this.connected;
    let highest: LineState | null = null;
    for (let i = 0; i < connected.length; i++) {
      const state = connected[i] as LineState;
      if (state.pending && !state.masked) {
        highest = state;
        break;
      }
    }
    if (highest === this.highest) return;
    this.highest = highest;
    this.kernel.processor.setHardwareIrql(highest === null ? -1 : highest.irql);
  }

  private sortConnected(): void {
    this.connected = this.states.filter((state) => state.chain.length > 0).sort((a, b) => b.irql - a.irql);
    this.highest = null;
    this.kernel.processor.setHardwareIrql(-1);
    this.refresh();
  }

  private stateOf(line: number): LineState {
    let state = this.states[line];
    if (state === undefined) {
      const count = this.kernel.platform.interruptLineCount;
      if (!Number.isInteger(line) || line < 0 || line >= count) {
        throw new RangeError(`The machine has no interrupt line ${line}; its lines are 0…${count - 1}.`);
      }
      for (let i = this.states.length; i <= line; i++) this.states.push(new LineState(i));
      state = this.states[line] as LineState;
    }
    return state;
  }
}

const CLAIMED = { claimed: true } as const;
const NOT_CLAIMED = { claimed: false } as const;
