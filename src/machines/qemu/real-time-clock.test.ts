import { describe, expect, test } from 'vitest';
import { RealTimeClock } from './real-time-clock.ts';

/** A clock whose waits are noted, and end at once after `waits` of them report something. */
function clockWith(onWait: (milliseconds: number, count: number) => boolean) {
  const waits: number[] = [];
  const clock = new RealTimeClock((milliseconds) => {
    waits.push(milliseconds);
    return onWait(milliseconds, waits.length);
  });
  return { clock, waits };
}

describe('the real-time clock', () => {
  test('never runs backwards', () => {
    const { clock } = clockWith(() => false);
    let last = clock.now;
    for (let i = 0; i < 1000; i++) {
      const now = clock.now;
      expect(now).toBeGreaterThanOrEqual(last);
      last = now;
    }
  });

  test('alarms that are due fire one by one, the earlier first, equal ones in the order they were set', () => {
    const { clock } = clockWith(() => false);
    const fired: string[] = [];
    const alarm = (name: string) => clock.createAlarm(() => fired.push(name));
    const now = clock.now;
    alarm('second').set(now);
    alarm('third').set(now);
    alarm('first').set(0);
    const limit = now + 10_000;
    while (fired.length < 3) expect(clock.runNext(limit)).toBe(true);
    expect(fired).toEqual(['first', 'second', 'third']);
  });

  test('waits no longer than to the next alarm or the limit', () => {
    const { clock, waits } = clockWith(() => true);
    clock.createAlarm(() => {}).set(clock.now + 50_000);
    expect(clock.runNext(clock.now + 500_000)).toBe(true);
    expect(waits[0]).toBeLessThanOrEqual(5);
    clock.runNext(clock.now + 20_000);
    expect(waits[1]).toBeLessThanOrEqual(2);
  });

  test('comes back when something happened outside, before the limit', () => {
    const { clock } = clockWith((_milliseconds, count) => count === 3);
    const limit = clock.now + 10_000_000;
    expect(clock.runNext(limit)).toBe(true);
    expect(clock.now).toBeLessThan(limit);
  });

  test('is false at the limit when nothing is due', () => {
    const { clock } = clockWith(() => false);
    expect(clock.runNext(clock.now + 100)).toBe(false);
  });
});
