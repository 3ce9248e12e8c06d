import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { BugcheckCode } from './bugcheck.ts';
import { KDPC } from './dpc.ts';
import {
  exAcquireFastMutex,
  exReleaseFastMutex,
  exTryToAcquireFastMutex,
  FAST_MUTEX,
  KEVENT,
  KMUTEX,
  KSEMAPHORE,
  keClearEvent,
  keReadStateEvent,
  keReadStateMutex,
  keReadStateSemaphore,
  keReleaseMutex,
  keReleaseSemaphore,
  keResetEvent,
  keSetEvent,
} from './event.ts';
import {
  APC_LEVEL,
  DISPATCH_LEVEL,
  keGetCurrentIrql,
  keLowerIrql,
  keRaiseIrql,
  PASSIVE_LEVEL,
} from './irql.ts';
import { Kernel, type KernelOptions } from './kernel.ts';
import { NtError } from './nt-error.ts';
import {
  STATUS_INVALID_PARAMETER_1,
  STATUS_SEMAPHORE_LIMIT_EXCEEDED,
  STATUS_SUCCESS,
  STATUS_TIMEOUT,
} from './ntstatus.ts';
import { bugcheckOf } from './test-helpers.ts';
import { TestPlatform } from './test-platform.ts';
import { KTIMER, keSetTimer, keSetTimerEx } from './timer.ts';
import { keDelayExecutionThread, keWaitForMultipleObjects, keWaitForSingleObject, UserWait } from './wait.ts';
import { exQueueWorkItem, WORK_QUEUE_ITEM } from './work-item.ts';

const inKernel = <T>(fn: (kernel: Kernel, platform: TestPlatform) => T, options: KernelOptions = {}): T => {
  const platform = new TestPlatform();
  const kernel = new Kernel(platform, options);
  return kernel.enter(() => fn(kernel, platform));
};

/** Runs `action` in a DPC after `ticks`. */
const after = (ticks: number, action: () => void) => keSetTimer(new KTIMER(), -ticks, new KDPC(action, null));

describe('events', () => {
  it('a notification event stays signalled, a synchronisation event ends one wait', () => {
    inKernel(() => {
      const notification = new KEVENT('NotificationEvent', true);
      const synchronization = new KEVENT('SynchronizationEvent', true);
      for (const expected of [STATUS_SUCCESS, STATUS_SUCCESS])
        expect(keWaitForSingleObject(notification, 0)).toBe(expected);
      for (const expected of [STATUS_SUCCESS, STATUS_TIMEOUT])
        expect(keWaitForSingleObject(synchronization, 0)).toBe(expected);
    });
  });

  it('set, reset, clear and read report the state', () => {
    inKernel(() => {
      const event = new KEVENT('NotificationEvent');
      expect([
        keReadStateEvent(event),
        keSetEvent(event),
        keSetEvent(event),
        keReadStateEvent(event),
      ]).toEqual([false, false, true, true]);
      expect([keResetEvent(event), keResetEvent(event)]).toEqual([true, false]);
      keSetEvent(event);
      keClearEvent(event);
      expect(keReadStateEvent(event)).toBe(false);
    });
  });

  it('may be set at DISPATCH_LEVEL and not above', () => {
    inKernel(() => {
      const event = new KEVENT('NotificationEvent');
      keRaiseIrql(DISPATCH_LEVEL);
      keSetEvent(event);
      keRaiseIrql(6);
      expect(bugcheckOf(() => keSetEvent(event)).text).toContain('KeSetEvent was called at DIRQL 6');
    });
  });
});

describe('keWaitForSingleObject', () => {
  it('runs the machine until the event is set, and no longer', () => {
    inKernel((kernel) => {
      const event = new KEVENT('SynchronizationEvent');
      after(500, () => keSetEvent(event));
      after(900, () => expect.unreachable());
      expect(keWaitForSingleObject(event, null)).toBe(STATUS_SUCCESS);
      expect(kernel.clock.now).toBe(500);
      expect(keReadStateEvent(event)).toBe(false);
    });
  });

  it('times out at exactly its time, relative or as a system time; an event at that very tick still counts', () => {
    inKernel((kernel) => {
      const event = new KEVENT('NotificationEvent');
      expect(keWaitForSingleObject(event, -300)).toBe(STATUS_TIMEOUT);
      expect(kernel.clock.now).toBe(300);
      expect(keWaitForSingleObject(event, kernel.bootSystemTime + 450n)).toBe(STATUS_TIMEOUT);
      expect(kernel.clock.now).toBe(450);
      after(50, () => keSetEvent(event));
      expect(keWaitForSingleObject(event, -50)).toBe(STATUS_SUCCESS);
      expect(kernel.clock.now).toBe(500);
    });
  });

  it('ends by a signal that is gone again when the waiter looks', () => {
    inKernel((kernel) => {
      const event = new KEVENT('NotificationEvent');
      after(10, () => {
        keSetEvent(event);
        keResetEvent(event);
      });
      expect(keWaitForSingleObject(event, -1_000)).toBe(STATUS_SUCCESS);
      expect(kernel.clock.now).toBe(10);
    });
  });

  it('runs work items nested, at PASSIVE_LEVEL and in another thread, and comes back at its own level', () => {
    inKernel((kernel) => {
      const event = new KEVENT('NotificationEvent');
      const waiter = kernel.processor.thread;
      const seen: unknown[] = [];
      exQueueWorkItem(
        new WORK_QUEUE_ITEM(() => {
          seen.push(keGetCurrentIrql(), kernel.processor.thread === waiter);
          keSetEvent(event);
        }),
      );
      const old = keRaiseIrql(APC_LEVEL);
      expect(keWaitForSingleObject(event)).toBe(STATUS_SUCCESS);
      expect(keGetCurrentIrql()).toBe(APC_LEVEL);
      expect(kernel.processor.thread).toBe(waiter);
      expect(seen).toEqual([PASSIVE_LEVEL, false]);
      keLowerIrql(old);
    });
  });

  it('leaves work items that are queued after its end to the loop', () => {
    inKernel((kernel) => {
      const event = new KEVENT('NotificationEvent');
      const ran: string[] = [];
      const queue = (name: string, action: () => void) =>
        exQueueWorkItem(
          new WORK_QUEUE_ITEM(() => {
            ran.push(name);
            action();
          }),
        );
      queue('first', () => keSetEvent(event));
      queue('second', () => undefined);
      keWaitForSingleObject(event);
      expect(ran).toEqual(['first']);
      kernel.drain();
      expect(ran).toEqual(['first', 'second']);
    });
  });

  it('waits nest: a work item that waits does so inside the wait that runs it', () => {
    inKernel((kernel) => {
      const outer = new KEVENT('NotificationEvent');
      const inner = new KEVENT('NotificationEvent');
      const order: string[] = [];
      exQueueWorkItem(
        new WORK_QUEUE_ITEM(() => {
          after(100, () => keSetEvent(outer));
          after(200, () => keSetEvent(inner));
          keWaitForSingleObject(inner);
          order.push(`inner@${kernel.clock.now}`);
        }),
      );
      keWaitForSingleObject(outer);
      order.push(`outer@${kernel.clock.now}`);
      expect(order).toEqual(['inner@200', 'outer@200']);
    });
  });

  it('above APC_LEVEL is a bugcheck unless it only polls; above DISPATCH_LEVEL even then', () => {
    const at = (irql: number, timeout: number | null) => () =>
      inKernel(() => {
        keRaiseIrql(irql);
        return keWaitForSingleObject(new KEVENT('NotificationEvent', true), timeout);
      });
    expect(at(DISPATCH_LEVEL, 0)()).toBe(STATUS_SUCCESS);
    for (const wrong of [at(DISPATCH_LEVEL, null), at(DISPATCH_LEVEL, -1), at(5, 0)]) {
      const bugcheck = bugcheckOf(wrong);
      expect(bugcheck.code).toBe(BugcheckCode.IRQL_NOT_LESS_OR_EQUAL);
      expect(bugcheck.text).toContain('KeWaitForSingleObject was called at');
    }
  });

  it('that can never end is a bugcheck at once: who, in which method, for what, and who waits underneath', () => {
    const bugcheck = bugcheckOf(() =>
      inKernel((kernel) =>
        kernel.callOut('a.sys', 'IMiniport::Init', () => {
          const reply = new KEVENT('SynchronizationEvent', false, 'codec reply');
          exQueueWorkItem(
            new WORK_QUEUE_ITEM(() => {
              keWaitForSingleObject(new KSEMAPHORE(0, 1, 'free slots'));
            }, 'Refill'),
          );
          keWaitForSingleObject(reply);
        }),
      ),
    );
    expect(bugcheck).toMatchObject({
      name: 'THREAD_STUCK_IN_DEVICE_DRIVER',
      driver: 'a.sys',
      method: 'Refill',
      tick: 0,
    });
    expect(bugcheck.text).toContain(
      "worker thread 1 (Refill) (a.sys, Refill) waits for semaphore 'free slots'",
    );
    expect(bugcheck.text).toContain('no alarm is armed');
    expect(bugcheck.text).toContain(
      "user thread (a.sys, IMiniport::Init) waits for SynchronizationEvent 'codec reply'",
    );
  });

  it('that only a periodic timer keeps alive ends at the limit for waits', () => {
    const bugcheck = bugcheckOf(() =>
      inKernel(
        () => {
          keSetTimerEx(new KTIMER(), -10, 1);
          keWaitForSingleObject(new KEVENT('NotificationEvent', false, 'never'));
        },
        { waitLimitTicks: 1_000_000 },
      ),
    );
    expect(bugcheck.name).toBe('THREAD_STUCK_IN_DEVICE_DRIVER');
    expect(bugcheck.text).toContain('nothing ended it in 0.100 000 0 s');
  });

  it('a delay lets exactly its time pass', () => {
    inKernel((kernel) => {
      let ran = 0;
      keSetTimerEx(new KTIMER(), -10_000, 1, new KDPC(() => ran++, null));
      keDelayExecutionThread(-35_000);
      expect([kernel.clock.now, ran]).toEqual([35_000, 3]);
    });
  });
});

describe('keWaitForMultipleObjects', () => {
  it('WaitAny takes the first signalled object of the list and no other', () => {
    inKernel(() => {
      const events = [false, true, true].map((state) => new KEVENT('SynchronizationEvent', state));
      expect(keWaitForMultipleObjects(events, 'WaitAny', 0)).toBe(1);
      expect(events.map(keReadStateEvent)).toEqual([false, false, true]);
      after(20, () => keSetEvent(events[0]!));
      expect(keWaitForMultipleObjects(events.slice(0, 2), 'WaitAny', -100)).toBe(0);
      expect(keWaitForMultipleObjects(events.slice(0, 2), 'WaitAny', -100)).toBe(STATUS_TIMEOUT);
    });
  });

  it('WaitAll takes all at once or none', () => {
    inKernel((kernel) => {
      const a = new KEVENT('SynchronizationEvent');
      const b = new KEVENT('SynchronizationEvent');
      after(10, () => keSetEvent(a));
      expect(keWaitForMultipleObjects([a, b], 'WaitAll', -50)).toBe(STATUS_TIMEOUT);
      expect(keReadStateEvent(a)).toBe(true);
      after(10, () => keSetEvent(b));
      expect(keWaitForMultipleObjects([a, b], 'WaitAll', null)).toBe(STATUS_SUCCESS);
      expect([kernel.clock.now, keReadStateEvent(a), keReadStateEvent(b)]).toEqual([60, false, false]);
    });
  });

  it('takes 1 to 64 objects', () => {
    inKernel(() => {
      const one = new KEVENT('NotificationEvent', true);
      for (const objects of [[], new Array<KEVENT>(65).fill(one)]) {
        expect(() => keWaitForMultipleObjects(objects, 'WaitAny', 0)).toThrow(
          new NtError(STATUS_INVALID_PARAMETER_1).message,
        );
      }
      expect(keWaitForMultipleObjects(new Array<KEVENT>(64).fill(one), 'WaitAll', 0)).toBe(STATUS_SUCCESS);
    });
  });
});

describe('mutex', () => {
  it('may be taken again by its owner and is free after as many releases', () => {
    inKernel((kernel) => {
      const mutex = new KMUTEX();
      keWaitForSingleObject(mutex);
      keWaitForSingleObject(mutex);
      expect([keReadStateMutex(mutex), kernel.processor.thread.ownedMutexes]).toEqual([-1, 1]);
      expect([keReleaseMutex(mutex), keReleaseMutex(mutex)]).toEqual([false, true]);
      expect([keReadStateMutex(mutex), kernel.processor.thread.ownedMutexes]).toEqual([1, 0]);
    });
  });

  it('is not to be had by a work item that runs while its owner waits, but is when the owner has gone on', () => {
    inKernel((kernel) => {
      const mutex = new KMUTEX();
      const results: unknown[] = [];
      const event = new KEVENT('NotificationEvent');
      const item = new WORK_QUEUE_ITEM(() => {
        results.push(keWaitForSingleObject(mutex, 0));
        keSetEvent(event);
      });
      keWaitForSingleObject(mutex);
      exQueueWorkItem(item);
      keWaitForSingleObject(event);
      keReleaseMutex(mutex);
      const last = new WORK_QUEUE_ITEM(() => {
        results.push(keWaitForSingleObject(mutex, 0));
        keReleaseMutex(mutex);
      });
      exQueueWorkItem(last);
      kernel.drain();
      expect(results).toEqual([STATUS_TIMEOUT, STATUS_SUCCESS]);
    });
  });

  it('released by another than its owner, or kept by a work item that returns, is a bugcheck', () => {
    expect(bugcheckOf(() => inKernel(() => keReleaseMutex(new KMUTEX()))).name).toBe(
      'THREAD_NOT_MUTEX_OWNER',
    );
    const kept = bugcheckOf(() =>
      inKernel((kernel) => {
        exQueueWorkItem(new WORK_QUEUE_ITEM(() => void keWaitForSingleObject(new KMUTEX())));
        kernel.drain();
      }),
    );
    expect(kept.name).toBe('THREAD_TERMINATE_HELD_MUTEX');
  });
});

describe('semaphore', () => {
  it('ends as many waits as its count and refuses to go beyond its limit', () => {
    inKernel(() => {
      const semaphore = new KSEMAPHORE(1, 3);
      expect(keReleaseSemaphore(semaphore, 2)).toBe(1);
      expect(() => keReleaseSemaphore(semaphore)).toThrow(NtError);
      try {
        keReleaseSemaphore(semaphore);
      } catch (error) {
        expect((error as NtError).status).toBe(STATUS_SEMAPHORE_LIMIT_EXCEEDED);
      }
      const results = [1, 2, 3, 4].map(() => keWaitForSingleObject(semaphore, 0));
      expect(results).toEqual([STATUS_SUCCESS, STATUS_SUCCESS, STATUS_SUCCESS, STATUS_TIMEOUT]);
      expect(keReadStateSemaphore(semaphore)).toBe(0);
    });
  });
});

describe('fast mutex', () => {
  it('raises to APC_LEVEL and gives the level back', () => {
    inKernel(() => {
      const mutex = new FAST_MUTEX();
      exAcquireFastMutex(mutex);
      expect(keGetCurrentIrql()).toBe(APC_LEVEL);
      exReleaseFastMutex(mutex);
      expect(keGetCurrentIrql()).toBe(PASSIVE_LEVEL);
      expect(exTryToAcquireFastMutex(mutex)).toBe(true);
      expect(exTryToAcquireFastMutex(mutex)).toBe(false);
      expect(keGetCurrentIrql()).toBe(APC_LEVEL);
      exReleaseFastMutex(mutex);
    });
  });

  it('taken twice, released by a stranger, or released at another level is a bugcheck', () => {
    const twice = bugcheckOf(() =>
      inKernel(() => {
        const mutex = new FAST_MUTEX('device lock');
        exAcquireFastMutex(mutex);
        exAcquireFastMutex(mutex);
      }),
    );
    expect(twice.text).toContain("fast mutex 'device lock' (owned by user thread) already");
    const stranger = () =>
      inKernel(() => {
        keRaiseIrql(APC_LEVEL);
        exReleaseFastMutex(new FAST_MUTEX());
      });
    expect(bugcheckOf(stranger).name).toBe('THREAD_NOT_MUTEX_OWNER');
    expect(bugcheckOf(() => inKernel(() => exReleaseFastMutex(new FAST_MUTEX()))).name).toBe(
      'IRQL_NOT_GREATER_OR_EQUAL',
    );
  });

  it('that the waiter underneath owns can never come free for a nested work item', () => {
    const bugcheck = bugcheckOf(() =>
      inKernel(() => {
        const mutex = new FAST_MUTEX('device lock');
        exAcquireFastMutex(mutex);
        exQueueWorkItem(new WORK_QUEUE_ITEM(() => exAcquireFastMutex(mutex), 'Worker'));
        keWaitForSingleObject(new KEVENT('NotificationEvent', false, 'reply'));
      }),
    );
    expect(bugcheck.text).toContain("waits for fast mutex 'device lock' (owned by user thread)");
  });
});

describe('UserWait', () => {
  it('takes the signal when it comes and calls back from the outermost loop only', () => {
    inKernel((kernel) => {
      const event = new KEVENT('SynchronizationEvent');
      const calls: unknown[] = [];
      const wait = new UserWait(kernel, event, () => calls.push([kernel.clock.now, keGetCurrentIrql()]));
      wait.arm();
      after(100, () => keSetEvent(event));
      keDelayExecutionThread(-500);
      expect(keReadStateEvent(event)).toBe(false);
      expect(calls).toEqual([]);
      kernel.runFor(1);
      expect(calls).toEqual([[500, PASSIVE_LEVEL]]);
      keSetEvent(event);
      wait.arm();
      kernel.runFor(0);
      expect(calls.length).toBe(2);
    });
  });

  it('is one signal, one call; cancelled it calls no more, even when the signal has come', () => {
    inKernel((kernel) => {
      const event = new KEVENT('SynchronizationEvent');
      let calls = 0;
      const wait = new UserWait(kernel, event, () => calls++);
      wait.arm();
      wait.arm();
      keSetEvent(event);
      keSetEvent(event);
      kernel.runFor(0);
      expect([calls, keReadStateEvent(event)]).toEqual([1, true]);
      wait.arm();
      wait.cancel();
      kernel.runFor(0);
      expect(calls).toBe(1);
      keSetEvent(event);
      wait.arm();
      kernel.runFor(0);
      expect(calls).toBe(2);
    });
  });

  it('waits end in the order in which they began; each signal of a synchronisation event or semaphore count ends one', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 8 }),
        fc.array(fc.boolean(), { maxLength: 12 }),
        (waiters, signals) => {
          inKernel((kernel) => {
            const semaphore = new KSEMAPHORE(0, 100);
            const event = new KEVENT('SynchronizationEvent');
            const ended: string[] = [];
            for (let i = 0; i < waiters; i++) {
              new UserWait(kernel, semaphore, () => ended.push(`s${i}`)).arm();
              new UserWait(kernel, event, () => ended.push(`e${i}`)).arm();
            }
            for (const isEvent of signals) {
              if (isEvent) keSetEvent(event);
              else keReleaseSemaphore(semaphore);
            }
            kernel.runFor(0);
            const eventSignals = signals.filter((isEvent) => isEvent).length;
            const expectedEvents = Array.from({ length: Math.min(waiters, eventSignals) }, (_, i) => `e${i}`);
            const expectedCounts = Array.from(
              { length: Math.min(waiters, signals.length - eventSignals) },
              (_, i) => `s${i}`,
            );
            expect(ended.filter((name) => name.startsWith('e'))).toEqual(expectedEvents);
            expect(ended.filter((name) => name.startsWith('s'))).toEqual(expectedCounts);
            expect(keReadStateSemaphore(semaphore)).toBe(
              Math.max(0, signals.length - eventSignals - waiters),
            );
          });
        },
      ),
    );
  });
});
