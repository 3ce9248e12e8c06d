import {
  DISPATCH_LEVEL,
  keDelayExecutionThread,
  keGetCurrentIrql,
  keQueryInterruptTime,
  keStallExecutionProcessor,
  NtError,
  STATUS_IO_TIMEOUT,
  TICKS_PER_MICROSECOND,
} from '../kernel/index.ts';

/** Below this, waiting yields nothing to others: the processor stalls, as KeStallExecutionProcessor is meant for. */
const STALL_MICROSECONDS = 10;
/** At PASSIVE_LEVEL longer waits let the machine go on between two looks at the register. */
const SLEEP_MICROSECONDS = 500;

/**
 * Waits until `read() & mask` equals `value`, for at most `limitMicroseconds`, and returns what was read. Callable at
 * IRQL <= DISPATCH_LEVEL: at PASSIVE_LEVEL other work goes on meanwhile, at DISPATCH_LEVEL the processor is stalled.
 *
 * @param what register and bits by name, for the error: `GLOB_STA.PCR (primary codec ready)`
 * @throws NtError STATUS_IO_TIMEOUT when the time is over; the message names register, mask, and the last value
 */
export function pollRegister(
  what: string,
  read: () => number,
  mask: number,
  value: number,
  limitMicroseconds: number,
): number {
  const deadline = keQueryInterruptTime() + limitMicroseconds * TICKS_PER_MICROSECOND;
  for (;;) {
    const raw = read();
    if ((raw & mask) >>> 0 === value) return raw;
    if (keQueryInterruptTime() >= deadline) {
      throw new NtError(
        STATUS_IO_TIMEOUT,
        `${what}: still 0x${raw.toString(16)} after ${limitMicroseconds} µs; waited for ` +
          `0x${value.toString(16)} under mask 0x${mask.toString(16)}. Is the card powered and its codec connected?`,
      );
    }
    if (keGetCurrentIrql() < DISPATCH_LEVEL && limitMicroseconds > SLEEP_MICROSECONDS) {
      keDelayExecutionThread(-SLEEP_MICROSECONDS * TICKS_PER_MICROSECOND);
    } else {
      keStallExecutionProcessor(STALL_MICROSECONDS);
    }
  }
}
