import type { Alarm, EventClock } from './clock.ts';

const NOT_ARMED = -1;

class VirtualAlarm implements Alarm {
  due = 0;
  /** Counts the settings of all alarms: the order among equal due times. */
  order = 0;
  heapIndex = NOT_ARMED;
  readonly callback: () => void;
  private readonly clock: VirtualClock;

  constructor(clock: VirtualClock, callback: () => void) {
    this.clock = clock;
    this.callback = callback;
  }

  get dueTick(): number | null {
    return this.heapIndex === NOT_ARMED ? null : this.due;
  }

  set(dueTick: number): void {
    if (!Number.isSafeInteger(dueTick)) {
      throw new RangeError(`An alarm's due time must be an integer of 100-ns ticks, not ${dueTick}.`);
    }
    this.clock.arm(this, dueTick);
  }

  cancel(): void {
    this.clock.disarm(this);
  }
}

function isEarlier(a: VirtualAlarm, b: VirtualAlarm): boolean {
  return a.due < b.due || (a.due === b.due && a.order < b.order);
}

/**
 * Time that passes as fast as events are handled: {@link runNext} jumps to the next alarm. A run depends on nothing but what the
 * alarms do. Setting an alarm again allocates nothing.
 */
export class VirtualClock implements EventClock {
  private tick: number;
  private nextOrder = 0;
  private readonly heap: VirtualAlarm[] = [];

  /** `startTick` must be an integer. */
  constructor(startTick = 0) {
    this.tick = startTick;
  }

  get now(): number {
    return this.tick;
  }

  /** Due time of the alarm that fires next, null when none is armed. */
  get nextDueTick(): number | null {
    return this.heap[0]?.due ?? null;
  }

  /** How many alarms are armed. */
  get armedCount(): number {
    return this.heap.length;
  }

  createAlarm(callback: () => void): Alarm {
    return new VirtualAlarm(this, callback);
  }

  /** See {@link EventClock.runNext}. With an infinite limit and no alarm armed, time stays where it is. */
  runNext(limitTick: number): boolean {
    const alarm = this.heap[0];
    if (alarm === undefined || alarm.due > limitTick) {
      if (limitTick > this.tick && limitTick !== Number.POSITIVE_INFINITY) this.tick = limitTick;
      return false;
    }
    this.disarm(alarm);
    if (alarm.due > this.tick) this.tick = alarm.due;
    alarm.callback();
    return true;
  }

  /** Fires everything due up to `limitTick`, including what that arms, and leaves the clock there. For tests of cards. */
  runTo(limitTick: number): void {
    while (this.runNext(limitTick)) {
      // each call fires one alarm
    }
  }

  /** For the clock's own alarms. */
  arm(alarm: VirtualAlarm, due: number): void {
    alarm.due = due;
    alarm.order = this.nextOrder++;
    if (alarm.heapIndex === NOT_ARMED) {
      alarm.heapIndex = this.heap.length;
      this.heap.push(alarm);
      this.siftUp(alarm);
    } else {
      this.siftUp(alarm);
      this.siftDown(alarm);
    }
  }

  /** For the clock's own alarms. */
  disarm(alarm: VirtualAlarm): void {
    const index = alarm.heapIndex;
    if (index === NOT_ARMED) return;
    alarm.heapIndex = NOT_ARMED;
    const last = this.heap.pop() as VirtualAlarm;
    if (last === alarm) return;
    this.heap[index] = last;
    last.heapIndex = index;
    this.siftUp(last);
    this.siftDown(last);
  }

  private siftUp(alarm: VirtualAlarm): void {
    const heap = this.heap;
    let index = alarm.heapIndex;
    while (index > 0) {
      const parentIndex = (index - 1) >> 1;
      const parent = heap[parentIndex] as VirtualAlarm;
      if (!isEarlier(alarm, parent)) break;
      heap[index] = parent;
      parent.heapIndex = index;
      index = parentIndex;
    }
    heap[index] = alarm;
    alarm.heapIndex = index;
  }

  private siftDown(alarm: VirtualAlarm): void {
    const heap = this.heap;
    const length = heap.length;
    let index = alarm.heapIndex;
    for (;;) {
      let childIndex = 2 * index + 1;
      if (childIndex >= length) break;
      const right = childIndex + 1;
      if (right < length && isEarlier(heap[right] as VirtualAlarm, heap[childIndex] as VirtualAlarm))
        childIndex = right;
      const child = heap[childIndex] as VirtualAlarm;
      if (!isEarlier(child, alarm)) break;
      heap[index] = child;
      child.heapIndex = index;
      index = childIndex;
    }
    heap[index] = alarm;
    alarm.heapIndex = index;
  }
}
