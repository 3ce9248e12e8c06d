import { describe, expect, it } from 'vitest';
import {
  KSCORRELATED_TIME,
  KSEVENT_CLOCK_INTERVAL_MARK,
  KSEVENT_CLOCK_POSITION_MARK,
  KSEVENT_LOOPEDSTREAMING_POSITION,
  KSEVENTSETID_Clock,
  KSEVENTSETID_LoopedStreaming,
  KSPROPERTY_CLOCK_CORRELATEDPHYSICALTIME,
  KSPROPERTY_CLOCK_CORRELATEDTIME,
  KSPROPERTY_CLOCK_FUNCTIONTABLE,
  KSPROPERTY_CLOCK_PHYSICALTIME,
  KSPROPERTY_CLOCK_RESOLUTION,
  KSPROPERTY_CLOCK_STATE,
  KSPROPERTY_CLOCK_TIME,
  KSPROPERTY_STREAM_MASTERCLOCK,
  KSPROPSETID_Clock,
  KSPROPSETID_Stream,
  KSRESOLUTION,
  KSSTATE_PAUSE,
  KSSTATE_RUN,
  KSSTATE_STOP,
  ksCreateAllocator,
  ksCreateClock,
  ksGetProperty,
  ksRequestEvent,
  ksSetProperty,
  ksSupportsEvent,
  pcmFormat,
} from '../../../ks/index.ts';
import { CyclicMachine, sound, statusOf } from './test-client.ts';

const MS = 192;
const MS_TICKS = 10_000;

function open(looped = false) {
  const machine = new CyclicMachine();
  const pin = machine.openPin(0, pcmFormat(48_000, 2, 16), looped);
  pin.setState(KSSTATE_PAUSE);
  const clock = ksCreateClock(machine.client, pin.handle);
  const read = (id: number, size = 8) =>
    ksGetProperty(machine.client, clock, KSPROPSETID_Clock, id, {}, size);
  const time = (id: number = KSPROPERTY_CLOCK_TIME) =>
    Number(new DataView(read(id).slice().buffer).getBigInt64(0, true));
  return { machine, pin, clock, read, time };
}

const longlongs = (...values: readonly number[]) => {
  const view = new DataView(new ArrayBuffer(values.length * 8));
  values.forEach((value, index) => {
    view.setBigInt64(index * 8, BigInt(value), true);
  });
  return new Uint8Array(view.buffer);
};

describe('the clock of a pin', () => {
  it('tells the time of the sample at the converter, and stands still with it', () => {
    const { machine, pin, read, time } = open();
    expect(time()).toBe(0);
    pin.write(sound(50 * MS));
    pin.setState(KSSTATE_RUN);
    machine.runMs(33);
    expect(time()).toBe(33 * MS_TICKS);
    expect(read(KSPROPERTY_CLOCK_STATE, 4)).toEqual(new Uint8Array([KSSTATE_RUN, 0, 0, 0]));
    const correlated = KSCORRELATED_TIME.decode(read(KSPROPERTY_CLOCK_CORRELATEDTIME, 16));
    expect(correlated).toEqual({ time: 33 * MS_TICKS, systemTime: machine.kernel.clock.now });
    pin.setState(KSSTATE_PAUSE);
    machine.runMs(100);
    expect(time()).toBe(33 * MS_TICKS);
    pin.setState(KSSTATE_RUN);
    machine.runMs(50);
    // The data has ended; the converter has not.
    expect(time()).toBe(50 * MS_TICKS);
    expect(time(KSPROPERTY_CLOCK_PHYSICALTIME)).toBe(83 * MS_TICKS);
    expect(KSCORRELATED_TIME.decode(read(KSPROPERTY_CLOCK_CORRELATEDPHYSICALTIME, 16)).time).toBe(
      83 * MS_TICKS,
    );
    pin.setState(KSSTATE_STOP);
    expect(time()).toBe(0);
    expect(machine.end()).toEqual([]);
  });

  it('knows its resolution, and no function table', () => {
    const { machine, read } = open();
    expect(KSRESOLUTION.decode(read(KSPROPERTY_CLOCK_RESOLUTION, 16))).toEqual({
      granularity: 208,
      error: 208,
    });
    expect(statusOf(() => read(KSPROPERTY_CLOCK_FUNCTIONTABLE))).toBe('STATUS_NOT_FOUND');
    expect(machine.end()).toEqual([]);
  });

  it('signals a time once, and intervals again and again', () => {
    const { machine, pin, clock } = open();
    const { client } = machine;
    const [mark, interval] = [client.createEvent(), client.createEvent()];
    ksRequestEvent(client, clock, KSEVENTSETID_Clock, KSEVENT_CLOCK_POSITION_MARK, mark, {
      data: longlongs(25 * MS_TICKS),
    });
    const every = ksRequestEvent(client, clock, KSEVENTSETID_Clock, KSEVENT_CLOCK_INTERVAL_MARK, interval, {
      data: longlongs(5 * MS_TICKS, 30 * MS_TICKS),
    });
    pin.write(sound(500 * MS));
    pin.setState(KSSTATE_RUN);
    const heard: string[] = [];
    for (let ms = 10; ms <= 100; ms += 10) {
      machine.runMs(ms === 10 ? 10.5 : 10);
      for (const [name, event] of [
        ['mark', mark],
        ['interval', interval],
      ] as const) {
        if (!client.isSignaled(event)) continue;
        client.resetEvent(event);
        heard.push(`${name} ${ms}`);
      }
    }
    // Due at 5, 35, 65, 95 and 25; seen at the notification behind.
    expect(heard).toEqual(['interval 10', 'mark 30', 'interval 40', 'interval 70', 'interval 100']);
    every.disable();
    machine.runMs(100);
    expect(client.isSignaled(interval)).toBe(false);
    expect(machine.end()).toEqual([]);
  });

  it('refuses an interval of nothing, other sets, and objects that are no clocks', () => {
    const { machine, clock, pin } = open();
    const { client } = machine;
    const event = client.createEvent();
    expect(
      statusOf(() =>
        ksRequestEvent(client, clock, KSEVENTSETID_Clock, KSEVENT_CLOCK_INTERVAL_MARK, event, {
          data: longlongs(0, 0),
        }),
      ),
    ).toBe('STATUS_INVALID_PARAMETER');
    expect(
      statusOf(() => ksRequestEvent(client, clock, KSEVENTSETID_Clock, KSEVENT_CLOCK_INTERVAL_MARK, event)),
    ).toBe('STATUS_BUFFER_TOO_SMALL');
    expect(ksSupportsEvent(client, clock, KSEVENTSETID_LoopedStreaming, 0)).toBe(false);
    expect(
      statusOf(() =>
        ksCreateAllocator(client, pin.handle, {
          optionsFlags: 0,
          poolType: 0,
          frames: 1,
          frameSize: 1,
          fileAlignment: 0,
        }),
      ),
    ).toBe('STATUS_OBJECT_NAME_NOT_FOUND');
    expect(statusOf(() => ksCreateClock(client, clock))).toBe('STATUS_INVALID_DEVICE_REQUEST');
    expect(client.deviceIoControl(clock, 0x2f_000f, null, null).status).not.toBe(0);
    expect(machine.end()).toEqual([]);
  });

  it('outlives its pin’s handle, and stands still from then on', () => {
    const { machine, pin, clock, time, read } = open();
    const { client } = machine;
    pin.write(sound(100 * MS));
    pin.setState(KSSTATE_RUN);
    machine.runMs(20);
    const event = client.createEvent();
    const mark = ksRequestEvent(client, clock, KSEVENTSETID_Clock, KSEVENT_CLOCK_POSITION_MARK, event, {
      data: longlongs(1),
    });
    pin.close();
    machine.runMs(50);
    expect(time()).toBe(0);
    expect(read(KSPROPERTY_CLOCK_STATE, 4)[0]).toBe(KSSTATE_STOP);
    expect(pin.packets[0]?.statusName).toBe('STATUS_CANCELLED');
    mark.disable();
    client.closeHandle(clock);
    expect(machine.end()).toEqual([]);
  });

  it('goes with its device', () => {
    const { machine, pin, time } = open();
    pin.write(sound(100 * MS));
    pin.setState(KSSTATE_RUN);
    machine.runMs(20);
    machine.unplug();
    expect(statusOf(() => time())).toBe('STATUS_DEVICE_REMOVED');
    expect(machine.end()).toEqual([]);
  });

  it('is not asked for by handle, and another pin’s is accepted and not kept', () => {
    const { machine, pin, clock } = open();
    const set = (handle: number) =>
      ksSetProperty(
        machine.client,
        pin.handle,
        KSPROPSETID_Stream,
        KSPROPERTY_STREAM_MASTERCLOCK,
        longlongs(handle),
      );
    expect(pin.get(KSPROPSETID_Stream, KSPROPERTY_STREAM_MASTERCLOCK, 8)).toEqual(new Uint8Array(8));
    set(clock);
    set(0);
    expect(statusOf(() => set(0x7770))).toBe('STATUS_INVALID_HANDLE');
    expect(machine.end()).toEqual([]);
  });
});

describe('positions in a looped buffer', () => {
  const data = (position: number) => ({ data: longlongs(position) });

  it('are signalled each time the converter passes them', () => {
    const { machine, pin } = open(true);
    const { client } = machine;
    const event = client.createEvent();
    const never = client.createEvent();
    const add = (position: number, handle: number, oneShot = false) =>
      ksRequestEvent(
        client,
        pin.handle,
        KSEVENTSETID_LoopedStreaming,
        KSEVENT_LOOPEDSTREAMING_POSITION,
        handle,
        {
          ...data(position),
          oneShot,
        },
      );
    const enabled = add(20 * MS, event);
    add(50 * MS, never);
    pin.write(sound(50 * MS));
    pin.setState(KSSTATE_RUN);
    machine.runMs(0.5);
    const heard: number[] = [];
    for (let ms = 10; ms <= 200; ms += 10) {
      machine.runMs(10);
      if (client.isSignaled(event)) heard.push(ms);
      client.resetEvent(event);
    }
    expect(heard).toEqual([20, 70, 120, 170]);
    expect(client.isSignaled(never)).toBe(false);
    enabled.disable();
    machine.runMs(100);
    expect(client.isSignaled(event)).toBe(false);
    add(0, event, true);
    machine.runMs(50);
    expect(client.isSignaled(event)).toBe(true);
    client.resetEvent(event);
    machine.runMs(200);
    expect(client.isSignaled(event)).toBe(false);
    expect(machine.end()).toEqual([]);
  });

  it('are refused on a pin that does not loop, and need their data', () => {
    const { machine, pin } = open();
    const { client } = machine;
    const event = client.createEvent();
    const ask = (options: { data?: Uint8Array }) =>
      statusOf(() =>
        ksRequestEvent(
          client,
          pin.handle,
          KSEVENTSETID_LoopedStreaming,
          KSEVENT_LOOPEDSTREAMING_POSITION,
          event,
          options,
        ),
      );
    expect(ask(data(0))).toBe('STATUS_INVALID_PARAMETER');
    expect(ask({})).toBe('STATUS_BUFFER_TOO_SMALL');
    expect(
      ksSupportsEvent(client, pin.handle, KSEVENTSETID_LoopedStreaming, KSEVENT_LOOPEDSTREAMING_POSITION),
    ).toBe(true);
    expect(machine.end()).toEqual([]);
  });
});
