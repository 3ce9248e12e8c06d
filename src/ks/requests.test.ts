import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { GUID } from '../com/index.ts';
import {
  type NTSTATUS,
  NtError,
  STATUS_BUFFER_OVERFLOW,
  STATUS_BUFFER_TOO_SMALL,
  STATUS_INVALID_DEVICE_REQUEST,
  STATUS_NO_MATCH,
  STATUS_SUCCESS,
  STATUS_UNSUCCESSFUL,
} from '../kernel/index.ts';
import * as ks from './index.ts';
import { TEST_COMPONENT, TEST_FRAMING, TestFilter } from './test-filter.ts';

const SET = new GUID(1, 2, 3, 4);

/** A driver that answers from a script. */
function scripted(
  answers: readonly (readonly [NTSTATUS, number])[],
): ks.KsClient & { readonly rooms: number[] } {
  const rooms: number[] = [];
  return {
    rooms,
    createFile: () => 4,
    deviceIoControl: (_handle, _code, _input, output) => {
      const [status, information] = answers[rooms.length] ?? [STATUS_UNSUCCESSFUL, 0];
      rooms.push(output?.byteLength ?? 0);
      return { status, information };
    },
  };
}

describe('the size query', () => {
  it('asks for the size, then for the value', () => {
    const client = scripted([
      [STATUS_BUFFER_OVERFLOW, 10],
      [STATUS_SUCCESS, 10],
    ]);
    expect(ks.ksGetProperty(client, 4, SET, 1)).toHaveLength(10);
    expect(client.rooms).toEqual([0, 10]);
  });

  it('asks again when the value has grown', () => {
    const client = scripted([
      [STATUS_BUFFER_OVERFLOW, 10],
      [STATUS_BUFFER_OVERFLOW, 20],
      [STATUS_SUCCESS, 18],
    ]);
    expect(ks.ksGetProperty(client, 4, SET, 1)).toHaveLength(18);
    expect(client.rooms).toEqual([0, 10, 20]);
  });

  it('feels its way with drivers that say no size', () => {
    const client = scripted([
      [STATUS_BUFFER_TOO_SMALL, 0],
      [STATUS_BUFFER_TOO_SMALL, 0],
      [STATUS_SUCCESS, 300],
    ]);
    expect(ks.ksGetProperty(client, 4, SET, 1)).toHaveLength(300);
    expect(client.rooms).toEqual([0, 256, 512]);
  });

  it('ends with drivers that are never content', () => {
    const never = scripted(Array.from({ length: 20 }, () => [STATUS_BUFFER_TOO_SMALL, 0] as const));
    expect(statusOf(() => ks.ksGetProperty(never, 4, SET, 1))).toBe(STATUS_BUFFER_TOO_SMALL);
    expect(never.rooms.length).toBeLessThan(6);
    const stuck = scripted(Array.from({ length: 20 }, () => [STATUS_BUFFER_OVERFLOW, 0] as const));
    expect(statusOf(() => ks.ksGetProperty(stuck, 4, SET, 1))).toBe(STATUS_BUFFER_OVERFLOW);
  });

  it('takes an empty value and passes failures on', () => {
    expect(ks.ksGetProperty(scripted([[STATUS_SUCCESS, 0]]), 4, SET, 1)).toHaveLength(0);
    expect(statusOf(() => ks.ksGetProperty(scripted([]), 4, SET, 1))).toBe(STATUS_UNSUCCESSFUL);
    expect(statusOf(() => ks.ksGetUlong(scripted([[STATUS_SUCCESS, 2]]), 4, SET, 1))).toBe(
      STATUS_BUFFER_TOO_SMALL,
    );
  });

  it('does not believe Information beyond the buffer', () => {
    expect(ks.ksGetProperty(scripted([[STATUS_SUCCESS, 4000]]), 4, SET, 1, {}, 8)).toHaveLength(8);
  });
});

describe('basic support', () => {
  it('falls back to the access flags where a driver knows no more', () => {
    const client: ks.KsClient = {
      createFile: () => 4,
      deviceIoControl: (_handle, _code, _input, output) => {
        if (output?.byteLength !== 4) return { status: STATUS_BUFFER_TOO_SMALL, information: 0 };
        output[0] = 3;
        return { status: STATUS_SUCCESS, information: 4 };
      },
    };
    expect(ks.ksBasicSupport(client, 4, SET, 1)).toEqual({
      accessFlags: 3,
      propTypeSet: null,
      membersList: [],
    });
  });
});

describe('the connection set', () => {
  let filter: TestFilter;
  let pin: number;

  beforeEach(() => {
    filter = new TestFilter();
    pin = ks.ksCreatePin(filter.process, filter.open(), ks.standardPinConnect(0, ks.pcmFormat(44100, 2, 16)));
  });

  afterEach(() => filter.dispose());

  const get = (id: number, set = ks.KSPROPSETID_Connection) => ks.ksGetProperty(filter.process, pin, set, id);
  const set = (id: number, value: Uint8Array) =>
    ks.ksSetProperty(filter.process, pin, ks.KSPROPSETID_Connection, id, value);

  it('reads and sets the priority', () => {
    const priority = { priorityClass: ks.KSPRIORITY_EXCLUSIVE, prioritySubClass: 7 };
    set(ks.KSPROPERTY_CONNECTION_PRIORITY, ks.KSPRIORITY.encode(priority));
    expect(ks.KSPRIORITY.decode(get(ks.KSPROPERTY_CONNECTION_PRIORITY))).toEqual(priority);
  });

  it('tells the allocator framing in both forms, and whether acquiring has an order', () => {
    expect(ks.KSALLOCATOR_FRAMING.decode(get(ks.KSPROPERTY_CONNECTION_ALLOCATORFRAMING))).toEqual(
      TEST_FRAMING,
    );
    const extended = ks.KSALLOCATOR_FRAMING_EX.decode(get(ks.KSPROPERTY_CONNECTION_ALLOCATORFRAMING_EX));
    expect(extended.framingItem[0]?.framingRange.range).toEqual({
      minFrameSize: 512,
      maxFrameSize: 4096,
      stepping: 1,
    });
    expect(get(ks.KSPROPERTY_CONNECTION_ACQUIREORDERING)[0]).toBe(1);
  });

  it('judges a proposed format and changes nothing', () => {
    const before = ks.ksGetDataFormat(filter.process, pin);
    set(ks.KSPROPERTY_CONNECTION_PROPOSEDATAFORMAT, ks.encodeDataFormat(ks.pcmFormat(8000, 1, 8)));
    const refused = ks.encodeDataFormat(ks.pcmFormat(96000, 2, 16));
    expect(statusOf(() => set(ks.KSPROPERTY_CONNECTION_PROPOSEDATAFORMAT, refused))).toBe(STATUS_NO_MATCH);
    expect(ks.ksGetDataFormat(filter.process, pin)).toEqual(before);
    expect(statusOf(() => get(ks.KSPROPERTY_CONNECTION_PROPOSEDATAFORMAT))).toBe(
      STATUS_INVALID_DEVICE_REQUEST,
    );
  });

  it('starts at an event', () => {
    const relative: ks.KSRELATIVEEVENT = {
      size: ks.KSRELATIVEEVENT.size,
      flags: 1,
      objectHandle: 8,
      event: { set: ks.KSEVENTSETID_Clock, id: ks.KSEVENT_CLOCK_POSITION_MARK, flags: 1 },
      eventData: { notificationType: 0, handle: 0, adjustment: 0 },
    };
    set(ks.KSPROPERTY_CONNECTION_STARTAT, ks.KSRELATIVEEVENT.encode(relative));
    expect(filter.log).toEqual(['start at KSEVENT_CLOCK_POSITION_MARK']);
  });

  it('the general set names the component', () => {
    const bytes = get(ks.KSPROPERTY_GENERAL_COMPONENTID, ks.KSPROPSETID_General);
    expect(ks.KSCOMPONENTID.decode(bytes)).toEqual(TEST_COMPONENT);
  });

  it('supports what it has and nothing else', () => {
    expect(ks.ksSupportsSet(filter.process, pin, ks.KSPROPSETID_Connection)).toBe(true);
    expect(ks.ksSupportsSet(filter.process, pin, ks.KSPROPSETID_RtAudio)).toBe(false);
    expect(
      ks.ksBasicSupport(filter.process, pin, ks.KSPROPSETID_Connection, ks.KSPROPERTY_CONNECTION_STARTAT),
    ).toMatchObject({
      accessFlags: ks.KSPROPERTY_TYPE_SET,
    });
  });
});

function statusOf(fn: () => unknown): number | null {
  try {
    fn();
    return null;
  } catch (error) {
    if (error instanceof NtError) return error.status;
    throw error;
  }
}
