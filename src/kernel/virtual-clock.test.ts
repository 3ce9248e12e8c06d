import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Alarm } from './clock.ts';
import { VirtualClock } from './virtual-clock.ts';

describe('VirtualClock', () => {
  it('jumps to the next alarm, fires one per call, and ends at the limit', () => {
    const clock = new VirtualClock();
    const fired: string[] = [];
    const a = clock.createAlarm(() => fired.push(`a@${clock.now}`));
    const b = clock.createAlarm(() => fired.push(`b@${clock.now}`));
    b.set(700);
    a.set(300);
    expect(clock.nextDueTick).toBe(300);
    expect(clock.runNext(1_000)).toBe(true);
    expect(fired).toEqual(['a@300']);
    expect(a.dueTick).toBeNull();
    expect(b.dueTick).toBe(700);
    expect(clock.runNext(699)).toBe(false);
    expect(clock.now).toBe(699);
    expect(clock.runNext(700)).toBe(true);
    expect(clock.runNext(1_000)).toBe(false);
    expect(fired).toEqual(['a@300', 'b@700']);
    expect(clock.now).toBe(1_000);
  });

  it('fires alarms of equal times in the order in which they were set, not made', () => {
    const clock = new VirtualClock();
    const fired: number[] = [];
    const alarms = [0, 1, 2, 3].map((i) => clock.createAlarm(() => fired.push(i)));
    for (const i of [2, 0, 3, 1]) alarms[i]!.set(50);
    alarms[0]!.set(50); // setting again goes to the end of the queue
    clock.runTo(50);
    expect(fired).toEqual([2, 3, 1, 0]);
  });

  it('fires an alarm in the past at once without running backwards', () => {
    const clock = new VirtualClock(500);
    let at = -1;
    clock
      .createAlarm(() => {
        at = clock.now;
      })
      .set(100);
    expect(clock.runNext(500)).toBe(true);
    expect(at).toBe(500);
  });

  it('lets an alarm set itself again and cancel others from its callback', () => {
    const clock = new VirtualClock();
    const ticks: number[] = [];
    const other = clock.createAlarm(() => ticks.push(-1));
    const periodic: Alarm = clock.createAlarm(() => {
      ticks.push(clock.now);
      if (ticks.length === 2) other.cancel();
      if (ticks.length < 4) periodic.set(clock.now + 10);
    });
    other.set(25);
    periodic.set(10);
    clock.runTo(1_000);
    expect(ticks).toEqual([10, 20, 30, 40]);
    expect(clock.armedCount).toBe(0);
  });

  it('stays where it is when nothing is armed and the limit is infinite', () => {
    const clock = new VirtualClock(7);
    expect(clock.runNext(Number.POSITIVE_INFINITY)).toBe(false);
    expect(clock.now).toBe(7);
  });

  it('refuses a due time that is no integer', () => {
    const alarm = new VirtualClock().createAlarm(() => undefined);
    for (const wrong of [0.5, Number.NaN, Number.POSITIVE_INFINITY])
      expect(() => alarm.set(wrong)).toThrow(RangeError);
    expect(alarm.dueTick).toBeNull();
  });

  it('behaves as a list sorted by (due, order of setting) under any sequence of set, cancel and run', () => {
    const step = fc.oneof(
      fc.record({ op: fc.constant('set' as const), alarm: fc.nat(11), due: fc.nat(200) }),
      fc.record({ op: fc.constant('cancel' as const), alarm: fc.nat(11) }),
      fc.record({ op: fc.constant('run' as const), limit: fc.nat(220) }),
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 120 }), (steps) => {
        const clock = new VirtualClock();
        let model: { alarm: number; due: number; order: number }[] = [];
        let modelNow = 0;
        let order = 0;
        const fired: string[] = [];
        const expected: string[] = [];
        const alarms = Array.from({ length: 12 }, (_, i) =>
          clock.createAlarm(() => fired.push(`${i}@${clock.now}`)),
        );
        for (const s of steps) {
          if (s.op === 'set') {
            alarms[s.alarm]!.set(s.due);
            model = model.filter((entry) => entry.alarm !== s.alarm);
            model.push({ alarm: s.alarm, due: s.due, order: order++ });
          } else if (s.op === 'cancel') {
            alarms[s.alarm]!.cancel();
            model = model.filter((entry) => entry.alarm !== s.alarm);
          } else {
            model.sort((a, b) => a.due - b.due || a.order - b.order);
            const first = model[0];
            const fires = first !== undefined && first.due <= s.limit;
            expect(clock.runNext(s.limit)).toBe(fires);
            if (fires) {
              model.shift();
              modelNow = Math.max(modelNow, first.due);
              expected.push(`${first.alarm}@${modelNow}`);
            } else modelNow = Math.max(modelNow, s.limit);
          }
          expect(clock.now).toBe(modelNow);
          expect(clock.armedCount).toBe(model.length);
          for (let i = 0; i < alarms.length; i++) {
            expect(alarms[i]!.dueTick).toBe(model.find((entry) => entry.alarm === i)?.due ?? null);
          }
        }
        expect(fired).toEqual(expected);
      }),
    );
  });
});
