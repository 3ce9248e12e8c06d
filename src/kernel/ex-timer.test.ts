import { describe, expect, it } from 'vitest';
import {
  EX_TIMER_HIGH_RESOLUTION,
  EX_TIMER_NO_WAKE,
  EX_TIMER_NOTIFICATION,
  exAllocateTimer,
  exCancelTimer,
  exDeleteTimer,
  exSetTimer,
} from './ex-timer.ts';
import { DISPATCH_LEVEL, keGetCurrentIrql, keRaiseIrql } from './irql.ts';
import { Kernel } from './kernel.ts';
import { STATUS_SUCCESS, STATUS_TIMEOUT } from './ntstatus.ts';
import { bugcheckOf } from './test-helpers.ts';
import { TestPlatform } from './test-platform.ts';
import { keWaitForSingleObject } from './wait.ts';

const inKernel = <T>(fn: (kernel: Kernel) => T): T => {
  const kernel = new Kernel(new TestPlatform());
  return kernel.enter(() => fn(kernel));
};

describe('EX_TIMER', () => {
  it('calls back at DISPATCH_LEVEL, with a period of 100-ns units, until cancelled', () => {
    inKernel((kernel) => {
      const calls: unknown[] = [];
      const timer = exAllocateTimer(
        (self, context: string) =>
          calls.push([self === timer, context, kernel.clock.now, keGetCurrentIrql()]),
        'stream',
        EX_TIMER_HIGH_RESOLUTION,
      );
      expect(exSetTimer(timer, -10, 2_267)).toBe(false);
      kernel.runFor(3_000);
      expect(calls).toEqual([
        [true, 'stream', 10, DISPATCH_LEVEL],
        [true, 'stream', 2_277, DISPATCH_LEVEL],
      ]);
      expect([exCancelTimer(timer), exCancelTimer(timer)]).toEqual([true, false]);
      kernel.runFor(10_000);
      expect(calls.length).toBe(2);
      exDeleteTimer(timer, true, true);
      expect(kernel.leakReport().leaks).toEqual([]);
    });
  });

  it('can be waited for; without EX_TIMER_NOTIFICATION it ends one wait', () => {
    inKernel(() => {
      const synchronization = exAllocateTimer(null, null);
      const notification = exAllocateTimer(null, null, EX_TIMER_NOTIFICATION);
      exSetTimer(synchronization, -10);
      exSetTimer(notification, -10);
      expect([synchronization, notification].map((timer) => keWaitForSingleObject(timer))).toEqual([0, 0]);
      expect(keWaitForSingleObject(synchronization, 0)).toBe(STATUS_TIMEOUT);
      expect(keWaitForSingleObject(notification, 0)).toBe(STATUS_SUCCESS);
    });
  });

  it('deletes itself from its callback without waiting', () => {
    inKernel((kernel) => {
      const timer = exAllocateTimer((self) => exDeleteTimer(self, true, false), null);
      exSetTimer(timer, -10, 10);
      kernel.runFor(100);
      expect([timer.deleted, kernel.leakReport().leaks.length]).toEqual([true, 0]);
    });
  });

  it('is a leak until deleted, and deleting a set timer says so', () => {
    inKernel((kernel) => {
      const timer = exAllocateTimer(null, null, 0, 'TimerNotifyRT');
      expect(kernel.leakReport().leaks).toMatchObject([{ kind: 'EX_TIMER', name: 'TimerNotifyRT' }]);
      exSetTimer(timer, -10);
      expect(exDeleteTimer(timer, true, false)).toBe(true);
    });
  });

  it('has bugchecks for what its pages forbid', () => {
    const wrong: (() => unknown)[] = [
      () => exAllocateTimer(null, null, EX_TIMER_HIGH_RESOLUTION | EX_TIMER_NO_WAKE),
      () => exSetTimer(exAllocateTimer(null, null, EX_TIMER_HIGH_RESOLUTION), 133_801_632_000_000_010n),
      () => exDeleteTimer(exAllocateTimer(null, null), false, true),
      () => {
        const timer = exAllocateTimer(null, null);
        exDeleteTimer(timer, true, false);
        exSetTimer(timer, -10);
      },
    ];
    for (const fn of wrong) expect(bugcheckOf(() => inKernel(fn)).name).toBe('TIMER_OR_DPC_INVALID');
    const high = () => {
      const timer = exAllocateTimer(null, null);
      keRaiseIrql(DISPATCH_LEVEL);
      exDeleteTimer(timer, true, true);
    };
    expect(bugcheckOf(() => inKernel(high)).text).toContain('ExDeleteTimer was called at DISPATCH_LEVEL');
  });
});
