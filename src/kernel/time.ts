import { TICKS_PER_MICROSECOND, TICKS_PER_SECOND } from './clock.ts';
import { currentKernel } from './current.ts';

/** A counter value and how much it rises in a second. */
export interface PerformanceCounter {
  readonly counter: number;
  /** Counts per second: 10,000,000, the machine's tick. */
  readonly frequency: number;
}

/** One clock interrupt of a PC, in 100-ns units; the unit of {@link keQueryTickCount}. */
const TIME_INCREMENT = 156_250;

/** KeQueryInterruptTime: 100-ns ticks since the machine started. Any IRQL. */
export function keQueryInterruptTime(): number {
  const kernel = currentKernel();
  kernel.noteBusyWait();
  return kernel.clock.now;
}

/** KeQueryPerformanceCounter. Any IRQL. */
export function keQueryPerformanceCounter(): PerformanceCounter {
  return { counter: keQueryInterruptTime(), frequency: TICKS_PER_SECOND };
}

/** KeQuerySystemTime: 100-ns units since 1601-01-01 UTC. Any IRQL. */
export function keQuerySystemTime(): bigint {
  return currentKernel().bootSystemTime + BigInt(keQueryInterruptTime());
}

/** KeQueryTickCount: clock interrupts since the machine started; {@link keQueryTimeIncrement} gives their length. Any IRQL. */
export function keQueryTickCount(): number {
  return Math.floor(keQueryInterruptTime() / TIME_INCREMENT);
}

/** KeQueryTimeIncrement: 100-ns units between clock interrupts. Any IRQL. */
export function keQueryTimeIncrement(): number {
  return TIME_INCREMENT;
}

/**
 * KeStallExecutionProcessor: lets time pass without giving the processor away: cards go on, interrupts above the present level are
 * delivered, nothing else. Any IRQL.
 */
export function keStallExecutionProcessor(microseconds: number): void {
  currentKernel().stall(Math.ceil(microseconds * TICKS_PER_MICROSECOND));
}
