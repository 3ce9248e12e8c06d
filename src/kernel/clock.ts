/** One 100-ns tick: the unit of all times in the machine (KSTIME, KeQueryInterruptTime, timers). */
export const TICKS_PER_SECOND = 10_000_000;
export const TICKS_PER_MILLISECOND = 10_000;
export const TICKS_PER_MICROSECOND = 10;

/** A callback that fires once when the clock reaches a time. Made by {@link Clock.createAlarm}; re-armed without allocation. */
export interface Alarm {
  /** Due time in ticks, or null when not armed. */
  readonly dueTick: number | null;
  /** Arms (or re-arms) the alarm for an absolute time; a time in the past fires at the next opportunity. */
  set(dueTick: number): void;
  cancel(): void;
}

/** What a card, a driver's timer or a client sees of time. */
export interface Clock {
  /** Ticks of 100 ns since the machine started: an integer that never runs backwards. */
  readonly now: number;
  /** Makes an unarmed alarm. Alarms with equal due times fire in the order in which they were set. */
  createAlarm(callback: () => void): Alarm;
}

/** The clock as the owner of a machine drives it. */
export interface EventClock extends Clock {
  /**
   * Lets time pass up to the next alarm due at or before `limitTick` and fires that one alarm.
   * Returns false, with `now === limitTick`, when there was none. A real-time clock blocks for as long as that takes.
   */
  runNext(limitTick: number): boolean;
}

/**
 * floor(value × numerator ÷ denominator), exact for the operands that occur here (result and remainder product below 2^53).
 * Positions come from this, never from accumulated floating point.
 */
export function mulDivFloor(value: number, numerator: number, denominator: number): number {
  const whole = Math.floor(value / denominator);
  const rest = value - whole * denominator;
  return whole * numerator + Math.floor((rest * numerator) / denominator);
}

/** ceil(value × numerator ÷ denominator); see {@link mulDivFloor}. */
export function mulDivCeil(value: number, numerator: number, denominator: number): number {
  const whole = Math.floor(value / denominator);
  const rest = value - whole * denominator;
  return whole * numerator + Math.ceil((rest * numerator) / denominator);
}
