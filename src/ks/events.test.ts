import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { GUID } from '../com/index.ts';
import {
  DEVICE_LEVEL_MIN,
  DISPATCH_LEVEL,
  FILE_OBJECT,
  KDPC,
  KEVENT,
  KSEMAPHORE,
  keLowerIrql,
  keRaiseIrql,
  NtError,
  ntStatusName,
  STATUS_INVALID_HANDLE,
  STATUS_INVALID_PARAMETER,
  STATUS_OBJECT_TYPE_MISMATCH,
  STATUS_UNSUCCESSFUL,
  WORK_QUEUE_ITEM,
} from '../kernel/index.ts';
import * as ks from './index.ts';
import { viewOf } from './layout.ts';
import { TEST_EVENTS, TestFilter } from './test-filter.ts';

let filter: TestFilter;
let handle: number;

beforeEach(() => {
  filter = new TestFilter();
  handle = filter.open();
});

afterEach(() => filter.dispose());

function generate(id = 0, set: GUID | null = TEST_EVENTS): void {
  filter.kernel.enter(() => ks.ksGenerateEventList(set, id, filter.eventsList));
}

/** Was the event signalled since the last look? */
function signalled(event: number): boolean {
  const was = filter.process.isSignaled(event);
  filter.process.resetEvent(event);
  return was;
}

function enable(id: number, verb: number, data: Uint8Array | null, input?: Uint8Array) {
  const request = input ?? ks.encodeKsRequest(TEST_EVENTS, id, verb);
  const { status, information } = filter.process.deviceIoControl(
    handle,
    ks.IOCTL_KS_ENABLE_EVENT,
    request,
    data,
  );
  return { status: ntStatusName(status), information };
}

function eventData(notificationType: number, object: number, size = 32): Uint8Array {
  const bytes = new Uint8Array(size);
  ks.KSEVENTDATA.encodeInto({ notificationType, handle: object, adjustment: 1 }, bytes);
  return bytes;
}

describe('enabling events', () => {
  it('signals the client’s event each time, until it is disabled', () => {
    const event = filter.process.createEvent('NotificationEvent');
    const enabled = ks.ksRequestEvent(filter.process, handle, TEST_EVENTS, 0, event);
    expect(signalled(event)).toBe(false);
    generate();
    expect(signalled(event)).toBe(true);
    generate();
    expect(signalled(event)).toBe(true);
    enabled.disable();
    expect(filter.removedEvents).toEqual([0]);
    generate();
    expect(signalled(event)).toBe(false);
    expect(statusOf(() => enabled.disable())).toBe(STATUS_UNSUCCESSFUL);
  });

  it('tells events apart by set and id', () => {
    const event = filter.process.createEvent('NotificationEvent');
    ks.ksRequestEvent(filter.process, handle, TEST_EVENTS, 0, event);
    generate(1);
    generate(0, new GUID(1, 1, 1, 1));
    expect(signalled(event)).toBe(false);
    generate(0, null);
    expect(signalled(event)).toBe(true);
  });

  it('a one-shot is gone after its first signal', () => {
    const event = filter.process.createEvent('NotificationEvent');
    ks.ksRequestEvent(filter.process, handle, TEST_EVENTS, 0, event, { oneShot: true });
    generate();
    expect(signalled(event)).toBe(true);
    expect(filter.eventsList.entries).toEqual([]);
    expect(filter.removedEvents).toEqual([0]);
    generate();
    expect(signalled(event)).toBe(false);
  });

  it('the place of the KSEVENTDATA identifies the event, not its contents', () => {
    const event = filter.process.createEvent('NotificationEvent');
    const memory = new Uint8Array(64);
    const first = memory.subarray(0, 32);
    const second = memory.subarray(32);
    for (const data of [first, second]) {
      data.set(eventData(ks.KSEVENTF_EVENT_HANDLE, event));
      expect(enable(0, ks.KSEVENT_TYPE_ENABLE, data).status).toBe('STATUS_SUCCESS');
    }
    const disable = (data: Uint8Array | null) =>
      ntStatusName(filter.process.deviceIoControl(handle, ks.IOCTL_KS_DISABLE_EVENT, data, null).status);
    expect(disable(first.slice())).toBe('STATUS_UNSUCCESSFUL');
    expect(disable(first.subarray(0, 31))).toBe('STATUS_INVALID_BUFFER_SIZE');
    expect(disable(second)).toBe('STATUS_SUCCESS');
    expect(filter.eventsList.entries).toHaveLength(1);
    expect(disable(memory.subarray(0, 32))).toBe('STATUS_SUCCESS');
    expect(filter.eventsList.entries).toHaveLength(0);
  });

  it('no input disables all events of the file, and none of others', () => {
    const other = filter.open();
    const event = filter.process.createEvent('NotificationEvent');
    for (let count = 0; count < 3; count++) ks.ksRequestEvent(filter.process, handle, TEST_EVENTS, 0, event);
    ks.ksRequestEvent(filter.process, other, TEST_EVENTS, 0, event);
    ks.ksDisableAllEvents(filter.process, handle);
    expect(filter.eventsList.entries).toHaveLength(1);
    expect(filter.removedEvents).toEqual([0, 0, 0]);
    filter.process.closeHandle(other);
    expect(filter.eventsList.entries).toHaveLength(0);
  });

  it('closing the file frees its events and the references they hold', () => {
    const event = filter.process.createEvent('NotificationEvent');
    ks.ksRequestEvent(filter.process, handle, TEST_EVENTS, 0, event);
    filter.process.closeHandle(event);
    generate();
    filter.process.closeHandle(handle);
    expect(filter.removedEvents).toEqual([0]);
    const alive = filter.kernel.leakReport().leaks.map(({ kind }) => kind);
    expect(alive).not.toContain('KEVENT');
    expect(alive).not.toContain('FILE_OBJECT');
  });

  it('an add handler sees the client’s data and may refuse', () => {
    const event = filter.process.createEvent('NotificationEvent');
    const position = (value: number) => new Uint8Array([value, 0, 0, 0, 0, 0, 0, 0]);
    ks.ksRequestEvent(filter.process, handle, TEST_EVENTS, 1, event, { data: position(7) });
    expect(filter.eventsList.entries[0]?.context).toBe(7);
    expect(
      statusOf(() => ks.ksRequestEvent(filter.process, handle, TEST_EVENTS, 1, event, { data: position(0) })),
    ).toBe(STATUS_INVALID_PARAMETER);
    expect(filter.eventsList.entries).toHaveLength(1);
  });

  it.each([
    [
      'an unknown set',
      () => enable(0, 1, eventData(1, 4), ks.encodeKsRequest(new GUID(9, 9, 9, 9), 0, 1)),
      'STATUS_PROPSET_NOT_FOUND',
    ],
    ['an unknown id', () => enable(9, 1, eventData(1, 4)), 'STATUS_NOT_FOUND'],
    ['no data', () => enable(0, 1, null), 'STATUS_BUFFER_TOO_SMALL'],
    ['short data', () => enable(0, 1, new Uint8Array(31)), 'STATUS_BUFFER_TOO_SMALL'],
    ['less data than the item wants', () => enable(1, 1, eventData(1, 4)), 'STATUS_BUFFER_TOO_SMALL'],
    ['two notification types', () => enable(0, 1, eventData(3, 4)), 'STATUS_INVALID_PARAMETER'],
    [
      'a kernel client’s notification',
      () => enable(0, 1, eventData(ks.KSEVENTF_DPC, 4)),
      'STATUS_INVALID_PARAMETER',
    ],
    ['a verb that is none', () => enable(0, 3, eventData(1, 4)), 'STATUS_INVALID_PARAMETER'],
    ['a handle that is none', () => enable(0, 1, eventData(1, 0x1234)), ntStatusName(STATUS_INVALID_HANDLE)],
    [
      'a handle of another kind',
      () => enable(0, 1, eventData(1, handle)),
      ntStatusName(STATUS_OBJECT_TYPE_MISMATCH),
    ],
  ])('refuses %s', (_what, send, status) => {
    expect(send()).toEqual({ status, information: 0 });
    expect(filter.eventsList.entries).toEqual([]);
  });

  it('tells what is supported', () => {
    expect(ks.ksSupportsEvent(filter.process, handle, TEST_EVENTS, 0)).toBe(true);
    expect(ks.ksSupportsEvent(filter.process, handle, TEST_EVENTS, 9)).toBe(false);
    expect(ks.ksSupportsEvent(filter.process, handle, new GUID(9, 9, 9, 9), 0)).toBe(false);
    const flags = new Uint8Array(4);
    expect(enable(0, ks.KSEVENT_TYPE_BASICSUPPORT, flags)).toEqual({
      status: 'STATUS_SUCCESS',
      information: 4,
    });
    expect(flags[0]).toBe(ks.KSEVENT_TYPE_ENABLE | ks.KSEVENT_TYPE_ONESHOT);
    // Without a request: the list of sets (IOCTL_KS_ENABLE_EVENT page).
    const list = new Uint8Array(16);
    const { status } = filter.process.deviceIoControl(handle, ks.IOCTL_KS_ENABLE_EVENT, null, list);
    expect(ntStatusName(status)).toBe('STATUS_SUCCESS');
    expect(GUID.read(viewOf(list), 0)).toEqual(TEST_EVENTS);
  });
});

describe('buffered events', () => {
  it('keep their data until the client asks', () => {
    const event = filter.process.createEvent('NotificationEvent');
    expect(enable(0, ks.KSEVENT_TYPE_ENABLEBUFFERED, eventData(1, event)).status).toBe('STATUS_SUCCESS');
    const entry = filter.eventsList.entries[0] as ks.KSEVENT_ENTRY;
    filter.kernel.enter(() => {
      ks.ksGenerateDataEvent(entry, new Uint8Array([1, 2]));
      ks.ksGenerateDataEvent(entry, new Uint8Array([3]));
    });
    expect(signalled(event)).toBe(true);
    const next = (room: number) => {
      const output = room === 0 ? null : new Uint8Array(room);
      return { ...enable(0, ks.KSEVENT_TYPE_QUERYBUFFER, output), output };
    };
    expect(next(0)).toMatchObject({ status: 'STATUS_BUFFER_OVERFLOW', information: 2 });
    expect(next(1).status).toBe('STATUS_BUFFER_TOO_SMALL');
    expect(next(2)).toMatchObject({ status: 'STATUS_SUCCESS', output: new Uint8Array([1, 2]) });
    expect(next(2)).toMatchObject({ status: 'STATUS_SUCCESS', information: 1 });
    expect(next(2).status).toBe('STATUS_NO_MORE_ENTRIES');
  });
});

describe('generating', () => {
  /** An entry of a client in the kernel. */
  function entryFor(notification: ks.KsNotification, flags = 0): ks.KSEVENT_ENTRY {
    const entry = new ks.KSEVENT_ENTRY({
      set: TEST_EVENTS,
      eventItem: { eventId: 0, dataInput: 32, removeHandler: () => filter.removedEvents.push(0) },
      fileObject: new FILE_OBJECT(filter.device, '', null, null),
      notification,
      flags,
    });
    ks.ksAddEvent(filter.eventsList, entry);
    return entry;
  }

  it('above DISPATCH_LEVEL signals in a DPC, once for a burst', () => {
    filter.kernel.enter(() => {
      const semaphore = new KSEMAPHORE(0, 100);
      const entry = entryFor({ kind: 'semaphore', semaphore, adjustment: 2 });
      const old = keRaiseIrql(DEVICE_LEVEL_MIN);
      for (let count = 0; count < 5; count++) ks.ksGenerateEvent(entry);
      expect(semaphore.signalState).toBe(0);
      keLowerIrql(old);
      expect(semaphore.signalState).toBe(2);
    });
  });

  it('at DISPATCH_LEVEL ends a one-shot at once and tells its driver later', () => {
    filter.kernel.enter(() => {
      const event = new KEVENT('NotificationEvent');
      entryFor({ kind: 'event', event }, ks.KSEVENT_ENTRY_ONESHOT);
      const old = keRaiseIrql(DISPATCH_LEVEL);
      ks.ksGenerateEventList(null, 0, filter.eventsList);
      expect(event.signalState).toBeGreaterThan(0);
      expect(filter.eventsList.entries).toEqual([]);
      expect(filter.removedEvents).toEqual([]);
      keLowerIrql(old);
    });
    filter.kernel.drain();
    expect(filter.removedEvents).toEqual([0]);
  });

  it('queues a kernel client’s DPC or work item', () => {
    const ran: string[] = [];
    filter.kernel.enter(() => {
      entryFor({ kind: 'dpc', dpc: new KDPC(() => ran.push('dpc'), null) });
      entryFor({ kind: 'workItem', workItem: new WORK_QUEUE_ITEM(() => ran.push('work item')) });
      ks.ksGenerateEventList(TEST_EVENTS, 0, filter.eventsList);
    });
    filter.kernel.drain();
    expect(ran).toEqual(['dpc', 'work item']);
  });

  it('does not stop at a semaphore that nobody drains', () => {
    filter.kernel.enter(() => {
      const semaphore = new KSEMAPHORE(0, 1);
      const entry = entryFor({ kind: 'semaphore', semaphore, adjustment: 1 });
      ks.ksGenerateEvent(entry);
      expect(() => ks.ksGenerateEvent(entry)).not.toThrow();
      expect(semaphore.signalState).toBe(1);
    });
  });

  it('keeps the list right through any order of enabling, generating and disabling', () => {
    const step = fc.constantFrom('enable', 'one-shot', 'generate', 'disable', 'disable all');
    fc.assert(
      fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
        ks.ksDisableAllEvents(filter.process, handle);
        const events: { event: number; enabled: ks.KsEnabledEvent; oneShot: boolean; alive: boolean }[] = [];
        for (const what of steps) {
          if (what === 'enable' || what === 'one-shot') {
            const event = filter.process.createEvent('NotificationEvent');
            const oneShot = what === 'one-shot';
            const enabled = ks.ksRequestEvent(filter.process, handle, TEST_EVENTS, 0, event, { oneShot });
            events.push({ event, enabled, oneShot, alive: true });
          } else if (what === 'generate') {
            generate();
            for (const item of events) {
              expect(signalled(item.event)).toBe(item.alive);
              if (item.oneShot) item.alive = false;
            }
          } else if (what === 'disable') {
            const item = events.find(({ alive }) => alive);
            if (item === undefined) continue;
            item.enabled.disable();
            item.alive = false;
          } else {
            ks.ksDisableAllEvents(filter.process, handle);
            for (const item of events) item.alive = false;
          }
          expect(filter.eventsList.entries).toHaveLength(events.filter(({ alive }) => alive).length);
        }
        for (const { event } of events) filter.process.closeHandle(event);
      }),
      { numRuns: 60 },
    );
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
