import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { KDPC } from './dpc.ts';
import { DISPATCH_LEVEL, keGetCurrentIrql, keLowerIrql, keRaiseIrql } from './irql.ts';
import { Kernel } from './kernel.ts';
import { STATUS_SUCCESS, STATUS_TIMEOUT } from './ntstatus.ts';
import { bugcheckOf } from './test-helpers.ts';
import { TestPlatform } from './test-platform.ts';
import { keStallExecutionProcessor } from './time.ts';
import { KTIMER, keCancelTimer, keReadStateTimer, keSetTimer, keSetTimerEx } from './timer.ts';
import { keWaitForSingleObject } from './wait.ts';

const inKernel = <T>(fn: (kernel: Kernel) => T): T => {
  const kernel = new Kernel(new TestPlatform());
  return kernel.enter(() => fn(kernel));
};

describe('KTIMER', () => {
  it('queues its DPC and is signalled at its time', () => {
    inKernel((kernel) => {
      const ran: unknown[] = [];
      const timer = new KTIMER();
      const dpc = new KDPC(
        () => ran.push([kernel.clock.now, keGetCurrentIrql(), keReadStateTimer(timer)]),
        null,
      );
      expect(keSetTimer(timer, -1_000, dpc)).toBe(false);
      kernel.runFor(999);
      expect([ran, keReadStateTimer(timer)]).toEqual([[], false]);
      kernel.runFor(1);
      expect(ran).toEqual([[1_000, DISPATCH_LEVEL, true]]);
      expect(keCancelTimer(timer)).toBe(false);
    });
  });

  it('takes a system time as an absolute due time', () => {
    inKernel((kernel) => {
      const timer = new KTIMER();
      keSetTimer(timer, kernel.bootSystemTime + 2_500n);
      keWaitForSingleObject(timer);
      expect(kernel.clock.now).toBe(2_500);
    });
  });

  it('whose time has passed expires at once', () => {
    inKernel((kernel) => {
      kernel.runFor(100);
      let ran = 0;
      const timer = new KTIMER();
      for (const due of [0, kernel.bootSystemTime + 10n]) keSetTimer(timer, due, new KDPC(() => ran++, null));
      expect([ran, keReadStateTimer(timer), kernel.clock.now]).toEqual([2, true, 100]);
    });
  });

  it('with a period keeps to the first due time exactly, until cancelled', () => {
    inKernel((kernel) => {
      const ticks: number[] = [];
      const timer = new KTIMER();
      keSetTimerEx(timer, -7, 10, new KDPC(() => ticks.push(kernel.clock.now), null));
      kernel.runFor(300_010);
      expect(ticks).toEqual([7, 100_007, 200_007, 300_007]);
      expect(keCancelTimer(timer)).toBe(true);
      kernel.runFor(1_000_000);
      expect(ticks.length).toBe(4);
    });
  });

  it('set again loses the earlier time', () => {
    inKernel((kernel) => {
      const ticks: number[] = [];
      const timer = new KTIMER();
      const dpc = new KDPC(() => ticks.push(kernel.clock.now), null);
      keSetTimer(timer, -100, dpc);
      expect(keSetTimer(timer, -300, dpc)).toBe(true);
      kernel.runFor(1_000);
      expect(ticks).toEqual([300]);
    });
  });

  it('a notification timer stays signalled until set again, a synchronisation timer ends one wait', () => {
    inKernel(() => {
      const notification = new KTIMER('NotificationTimer');
      const synchronization = new KTIMER('SynchronizationTimer');
      keSetTimer(notification, -10);
      keSetTimer(synchronization, -20);
      expect(keWaitForSingleObject(notification)).toBe(STATUS_SUCCESS);
      expect(keWaitForSingleObject(notification, 0)).toBe(STATUS_SUCCESS);
      expect(keWaitForSingleObject(synchronization)).toBe(STATUS_SUCCESS);
      expect(keWaitForSingleObject(synchronization, 0)).toBe(STATUS_TIMEOUT);
      keSetTimer(notification, -10);
      expect(keReadStateTimer(notification)).toBe(false);
    });
  });

  it('due at DISPATCH_LEVEL waits for the level to fall, is still cancellable until then, and loses missed periods', () => {
    inKernel((kernel) => {
      const ran: string[] = [];
      const cancelled = new KTIMER();
      const periodic = new KTIMER();
      const old = keRaiseIrql(DISPATCH_LEVEL);
      keSetTimer(cancelled, -10, new KDPC(() => ran.push('cancelled'), null));
      keSetTimerEx(periodic, -20, 1, new KDPC(() => ran.push(`periodic@${kernel.clock.now}`), null));
      keStallExecutionProcessor(3_500);
      expect([ran, keReadStateTimer(periodic)]).toEqual([[], false]);
      expect(keCancelTimer(cancelled)).toBe(true);
      keLowerIrql(old);
      expect(ran).toEqual(['periodic@35000']);
      kernel.runFor(5_100);
      expect(ran).toEqual(['periodic@35000', 'periodic@40020']);
    });
  });

  it('is in the leak report while it is set', () => {
    inKernel((kernel) => {
      const [timer, periodic] = kernel.callOut('a.sys', 'Init', () => [
        new KTIMER('NotificationTimer', 'once'),
        new KTIMER('NotificationTimer', 'poll'),
      ]) as [KTIMER, KTIMER];
      keSetTimer(timer, -10);
      keSetTimerEx(periodic, -10, 5);
      kernel.runFor(1_000);
      expect(kernel.leakReport().leaks).toMatchObject([{ kind: 'KTIMER', name: 'poll', driver: 'a.sys' }]);
      keCancelTimer(periodic);
      expect(kernel.leakReport().leaks).toEqual([]);
    });
  });

  it('does nothing after its kernel stopped', () => {
    const platform = new TestPlatform();
    const kernel = new Kernel(platform);
    let ran = false;
    kernel.enter(() => {
      keSetTimer(
        new KTIMER(),
        -10,
        new KDPC(() => {
          ran = true;
        }, null),
      );
      bugcheckOf(() => kernel.bugcheck(0xe2, [], 'on purpose'));
    });
    platform.clock.runTo(100);
    expect(ran).toBe(false);
  });

  it('a time that is no integer is the driver’s bug', () => {
    const bugcheck = bugcheckOf(() =>
      inKernel((kernel) => kernel.callOut('a.sys', 'Init', () => keSetTimer(new KTIMER(), -0.5))),
    );
    expect(bugcheck.text).toContain('integer of 100-ns units, not -0.5');
  });

  it('timers expire in the order of their due times, equal ones in the order of setting', () => {
    fc.assert(
      fc.property(
        fc.array(fc.nat(30), { maxLength: 20 }),
        fc.array(fc.nat(19), { maxLength: 5 }),
        (dues, cancels) => {
          inKernel((kernel) => {
            const fired: number[] = [];
            const timers = dues.map((due, i) => {
              const timer = new KTIMER();
              keSetTimer(timer, -(due + 1), new KDPC(() => fired.push(i), null));
              return timer;
            });
            const gone = new Set<number>();
            for (const i of cancels) {
              const timer = timers[i];
              if (timer === undefined) continue;
              expect(keCancelTimer(timer)).toBe(!gone.has(i));
              gone.add(i);
            }
            kernel.runFor(100);
            const expected = dues
              .map((due, i) => ({ due, i }))
              .filter(({ i }) => !gone.has(i))
              .sort((a, b) => a.due - b.due || a.i - b.i)
              .map(({ i }) => i);
            expect(fired).toEqual(expected);
          });
        },
      ),
    );
  });
});
