import { describe, expect, test } from 'vitest';
import { SampleClock } from './sample-clock.ts';
import { FakeClock, FakeSlot } from './test-slot.ts';

describe('FakeClock', () => {
  test('alarms fire in the order of their times, equal times in the order of setting', () => {
    const clock = new FakeClock(100);
    const order: string[] = [];
    const make = (name: string) => clock.createAlarm(() => order.push(`${name}@${clock.now}`));
    const [a, b, c, d] = [make('a'), make('b'), make('c'), make('d')];
    a.set(300);
    b.set(200);
    c.set(200);
    d.set(250);
    d.cancel();
    b.set(200);
    expect(clock.nextDueTick).toBe(200);
    clock.advance(199);
    expect(order).toEqual(['c@200', 'b@200']);
    clock.advance(1);
    expect(order).toEqual(['c@200', 'b@200', 'a@300']);
    expect([clock.now, clock.fired, a.dueTick]).toEqual([300, 3, null]);
  });

  test('an alarm in the past fires at the next opportunity, and a card that never lets time pass is told', () => {
    const clock = new FakeClock(500);
    const alarm = clock.createAlarm(() => alarm.set(0));
    alarm.set(0);
    expect(() => clock.advance(1)).toThrow('10000 alarms fired at tick 500');
  });
});

describe('FakeSlot', () => {
  test('moves bytes inside its RAM, refuses the rest, and everything with bus mastering off', () => {
    const slot = new FakeSlot({ ramBytes: 64, ramStart: 0x1000 });
    const bytes = Uint8Array.from([1, 2, 3, 4]);
    expect(slot.busMaster.write(0x1004, bytes)).toBe(true);
    expect(slot.busMaster.readUlong(0x1004)).toBe(0x0403_0201);
    expect(slot.busMaster.writeUlong(0x103c, 0xdead_beef)).toBe(true);
    expect(slot.busMaster.view(0x1004, 2)).toEqual(Uint8Array.from([1, 2]));
    expect(slot.busMaster.read(0x103d, bytes)).toBe(false);
    expect(slot.busMaster.readUlong(0xffc)).toBe(null);
    expect(slot.busMaster.view(0x1040, 1)).toBe(null);
    slot.busMasterEnable = false;
    expect(slot.busMaster.writeUlong(0x1004, 0)).toBe(false);
    expect(slot.findings.length).toBe(4);
    expect(Array.from(slot.samplesAt(0x1004, 2))).toEqual([0x0201, 0x0403]);
  });

  test('remembers every change of the line and calls the service routine when it rises', () => {
    const slot = new FakeSlot({ startTick: 9 });
    let calls = 0;
    slot.onInterrupt = () => calls++;
    for (const level of [true, true, false, true]) slot.interrupt.setLevel(level);
    expect(slot.lineChanges).toEqual([
      { tick: 9, asserted: true },
      { tick: 9, asserted: false },
      { tick: 9, asserted: true },
    ]);
    expect(calls).toBe(2);
  });
});

describe('SampleClock', () => {
  test('slots and periods agree with the ticks of the frames', () => {
    const clock = new SampleClock();
    clock.start(77, 44100);
    for (const frame of [0, 1, 2, 441, 44100, 44100 * 3600]) {
      const tick = clock.tickOf(frame);
      expect(tick).toBe(77 + Math.ceil((frame * 1e7) / 44100));
      expect(clock.slotsBy(tick)).toBe(frame + 1);
      expect(clock.periodsBy(tick)).toBe(frame);
      if (frame > 0) expect([clock.slotsBy(tick - 1), clock.periodsBy(tick - 1)]).toEqual([frame, frame - 1]);
    }
    expect([clock.slotsBy(76), clock.periodsBy(76)]).toEqual([0, 0]);
  });
});
