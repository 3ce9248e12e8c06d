import { describe, expect, it } from 'vitest';
import {
  KSEVENT_CLOCK_INTERVAL_MARK,
  KSEVENTSETID_Clock,
  KSPROPERTY_CLOCK_RESOLUTION,
  KSPROPERTY_CLOCK_TIME,
  KSPROPSETID_Clock,
  KSRESOLUTION,
  KSSTATE_PAUSE,
  KSSTATE_RUN,
  KSSTATE_STOP,
  ksCreateClock,
  ksGetProperty,
  ksRequestEvent,
  viewOf,
} from '../../../ks/index.ts';
import { MidiMachine, RENDER_PIN } from './test-driver.ts';

describe('the clock of a MIDI stream', () => {
  it('tells the presentation time and signals its intervals in RUN', () => {
    const m = new MidiMachine();
    const pin = m.open(RENDER_PIN);
    const clock = ksCreateClock(m.process, pin);
    const time = () =>
      Number(
        viewOf(ksGetProperty(m.process, clock, KSPROPSETID_Clock, KSPROPERTY_CLOCK_TIME, {}, 8)).getBigInt64(
          0,
          true,
        ),
      ) / 10_000;
    const resolution = ksGetProperty(
      m.process,
      clock,
      KSPROPSETID_Clock,
      KSPROPERTY_CLOCK_RESOLUTION,
      {},
      KSRESOLUTION.size,
    );
    expect(KSRESOLUTION.decode(resolution)).toEqual({ granularity: 10_000, error: 10_000 });
    let marks = 0;
    const event = m.process.createEvent('SynchronizationEvent');
    const wait = m.process.whenSignaled(event, () => {
      marks++;
      wait.arm();
    });
    // Behind KSEVENTDATA: TimeBase and Interval.
    const data = new Uint8Array(new BigInt64Array([0n, 100_000n]).buffer);
    ksRequestEvent(m.process, clock, KSEVENTSETID_Clock, KSEVENT_CLOCK_INTERVAL_MARK, event, { data });
    m.pass(50);
    expect([time(), marks]).toEqual([0, 0]);
    m.setState(pin, KSSTATE_RUN);
    m.pass(55);
    expect(time()).toBe(55);
    expect(marks).toBe(6);
    m.setState(pin, KSSTATE_PAUSE);
    m.pass(50);
    expect([time(), marks]).toEqual([55, 6]);
    m.setState(pin, KSSTATE_STOP);
    expect(time()).toBe(0);
    expect(m.end()).toEqual([]);
    m[Symbol.dispose]();
  });
});
