import { describe, expect, it } from 'vitest';
import type { Alarm } from './clock.ts';
import { DEVICE_OBJECT, DRIVER_OBJECT } from './device.ts';
import { KDPC, keInsertQueueDpc } from './dpc.ts';
import { keGetCurrentIrql, keLowerIrql, keRaiseIrql, PASSIVE_LEVEL } from './irql.ts';
import { Kernel } from './kernel.ts';
import { STATUS_SUCCESS } from './ntstatus.ts';
import { bugcheckOf } from './test-helpers.ts';
import { TestPlatform } from './test-platform.ts';
import {
  keQueryInterruptTime,
  keQueryPerformanceCounter,
  keQuerySystemTime,
  keQueryTickCount,
  keQueryTimeIncrement,
  keStallExecutionProcessor,
} from './time.ts';
import { KTIMER, keSetTimer } from './timer.ts';
import { keDelayExecutionThread } from './wait.ts';
import {
  exQueueWorkItem,
  ioAllocateWorkItem,
  ioFreeWorkItem,
  ioQueueWorkItem,
  WORK_QUEUE_ITEM,
} from './work-item.ts';

const machine = () => {
  const platform = new TestPlatform();
  return { platform, kernel: new Kernel(platform) };
};
const inKernel = <T>(fn: (kernel: Kernel, platform: TestPlatform) => T): T => {
  const { platform, kernel } = machine();
  return kernel.enter(() => fn(kernel, platform));
};

describe('Kernel.runUntil and runFor', () => {
  it('stop at the event that makes it done, or at the limit', () => {
    const { kernel } = machine();
    let fired = 0;
    for (const due of [10, 20, 30]) kernel.clock.createAlarm(() => fired++).set(due);
    expect(kernel.runUntil(() => fired === 2, 1_000)).toBe(true);
    expect(kernel.clock.now).toBe(20);
    expect(kernel.runUntil(() => fired === 9, 1_000)).toBe(false);
    expect([kernel.clock.now, fired]).toEqual([1_000, 3]);
    kernel.runFor(500);
    expect(kernel.clock.now).toBe(1_500);
    expect(kernel.runUntil(() => false, Number.POSITIVE_INFINITY)).toBe(false);
    expect(kernel.clock.now).toBe(1_500);
  });

  it('run what is pending before anything is asked: DPCs, then work items, then continuations', () => {
    const { kernel } = machine();
    const order: string[] = [];
    kernel.enter(() => {
      kernel.queueContinuation(() => order.push(`continuation at ${keGetCurrentIrql()}`));
      exQueueWorkItem(new WORK_QUEUE_ITEM(() => order.push('delayed')));
      exQueueWorkItem(new WORK_QUEUE_ITEM(() => order.push('critical')), 'CriticalWorkQueue');
      const dpc = new KDPC(() => order.push('dpc'), null);
      dpc.importance = 'LowImportance';
      keInsertQueueDpc(dpc);
    });
    kernel.runUntil(() => {
      order.push('done?');
      return true;
    }, 0);
    expect(order).toEqual(['dpc', 'critical', 'delayed', 'continuation at 0', 'done?']);
  });

  it('are refused inside themselves, and to a time that is no integer', () => {
    const { kernel } = machine();
    kernel.enter(() => kernel.queueContinuation(() => kernel.runFor(1)));
    expect(() => kernel.runFor(1)).toThrow('outermost loop');
    expect(() => kernel.runFor(1)).not.toThrow();
    kernel.enter(() => exQueueWorkItem(new WORK_QUEUE_ITEM(() => kernel.runFor(1))));
    expect(() => kernel.runFor(0.5)).toThrow(RangeError);
    expect(bugcheckOf(() => kernel.runFor(1)).text).toContain('outermost loop');
  });

  it('are for PASSIVE_LEVEL: a level left behind is a bugcheck', () => {
    const { kernel } = machine();
    kernel.enter(() => keRaiseIrql(2));
    expect(bugcheckOf(() => kernel.runFor(1)).text).toContain('entered at DISPATCH_LEVEL (2)');
  });

  it('an exception of user mode passes and the machine goes on', () => {
    const { kernel } = machine();
    let ran = false;
    kernel.queueContinuation(() => {
      throw new TypeError('client bug');
    });
    kernel.queueContinuation(() => {
      ran = true;
    });
    expect(() => kernel.runFor(1)).toThrow('client bug');
    kernel.runFor(1);
    expect([ran, kernel.stopped]).toEqual([true, null]);
  });

  it('find what goes on for ever without time moving on', () => {
    const alarms = machine();
    const alarm: Alarm = alarms.kernel.clock.createAlarm(() => alarm.set(alarms.kernel.clock.now));
    alarm.set(77);
    const stuck = bugcheckOf(() => alarms.kernel.runFor(100));
    expect(stuck.name).toBe('CLOCK_WATCHDOG_TIMEOUT');
    expect(stuck.text).toContain('0.000 007 7 s; the last was an alarm of the clock');
    const work = machine();
    const item = work.kernel.enter(() => new WORK_QUEUE_ITEM(() => exQueueWorkItem(item)));
    work.kernel.enter(() => exQueueWorkItem(item));
    expect(bugcheckOf(() => work.kernel.runFor(1)).text).toContain('a work item');
  });
});

describe('continuations of user mode', () => {
  it('do not run inside a wait', () => {
    inKernel((kernel) => {
      let ran = false;
      kernel.queueContinuation(() => {
        ran = true;
      });
      keDelayExecutionThread(-1_000);
      expect(ran).toBe(false);
      kernel.runFor(0);
      expect(ran).toBe(true);
    });
  });
});

describe('work items', () => {
  const driver = new DRIVER_OBJECT('\\Driver\\a', () => STATUS_SUCCESS);
  const device = new DEVICE_OBJECT(driver, null, '\\Device\\a', 0, 0, 0);

  it('run at PASSIVE_LEVEL from the loop, not when they are queued, with device and context', () => {
    inKernel((kernel) => {
      const calls: unknown[] = [];
      const item = ioAllocateWorkItem(device);
      const old = keRaiseIrql(2);
      ioQueueWorkItem(item, (d, context) => calls.push(d === device, context, keGetCurrentIrql()), 'context');
      keLowerIrql(old);
      expect(calls).toEqual([]);
      kernel.drain();
      expect(calls).toEqual([true, 'context', PASSIVE_LEVEL]);
      expect(kernel.leakReport().leaks).toMatchObject([{ kind: 'IO_WORKITEM', name: '\\Device\\a' }]);
      ioFreeWorkItem(item);
      expect(kernel.leakReport().leaks).toEqual([]);
    });
  });

  it('may be freed or queued again by their own routine', () => {
    inKernel((kernel) => {
      const item = ioAllocateWorkItem(device);
      let runs = 0;
      const routine = () => {
        if (++runs < 3) ioQueueWorkItem(item, routine, null);
        else ioFreeWorkItem(item);
      };
      ioQueueWorkItem(item, routine, null);
      kernel.drain();
      expect([runs, kernel.leakReport().leaks.length]).toEqual([3, 0]);
    });
  });

  it('queued twice, freed while queued, used after freeing: bugchecks', () => {
    const cases: (() => void)[] = [
      () => {
        const item = ioAllocateWorkItem(device);
        ioQueueWorkItem(item, () => undefined, null);
        ioQueueWorkItem(item, () => undefined, null);
      },
      () => {
        const item = ioAllocateWorkItem(device);
        ioQueueWorkItem(item, () => undefined, null);
        ioFreeWorkItem(item);
      },
      () => {
        const item = ioAllocateWorkItem(device);
        ioFreeWorkItem(item);
        ioQueueWorkItem(item, () => undefined, null);
      },
      () => {
        const item = ioAllocateWorkItem(device);
        ioFreeWorkItem(item);
        ioFreeWorkItem(item);
      },
    ];
    for (const wrong of cases) expect(bugcheckOf(() => inKernel(wrong)).name).toBe('WORKER_INVALID');
  });

  it('that return at a raised level or throw stop the machine', () => {
    const raised = bugcheckOf(() =>
      inKernel((kernel) => {
        exQueueWorkItem(new WORK_QUEUE_ITEM(() => void keRaiseIrql(1), 'Forgetful'));
        kernel.drain();
      }),
    );
    expect(raised).toMatchObject({ name: 'WORKER_THREAD_RETURNED_AT_BAD_IRQL', method: 'Forgetful' });
    const thrown = bugcheckOf(() =>
      inKernel((kernel) => {
        exQueueWorkItem(
          new WORK_QUEUE_ITEM(() => {
            throw new TypeError('bug');
          }),
        );
        kernel.drain();
      }),
    );
    expect(thrown.text).toContain('TypeError: bug (thrown in a work item');
  });
});

describe('time', () => {
  it('is one clock in several units', () => {
    inKernel((kernel) => {
      kernel.runFor(31_250_000);
      expect(keQueryInterruptTime()).toBe(31_250_000);
      expect(keQueryPerformanceCounter()).toEqual({ counter: 31_250_000, frequency: 10_000_000 });
      expect(keQuerySystemTime()).toBe(kernel.bootSystemTime + 31_250_000n);
      expect(keQueryTickCount() * keQueryTimeIncrement()).toBe(31_250_000);
    });
  });

  it('starts at 2025-01-01 unless told otherwise', () => {
    inKernel((kernel) => {
      const unixEpoch = 116_444_736_000_000_000n;
      expect((kernel.bootSystemTime - unixEpoch) / 10_000n).toBe(BigInt(Date.UTC(2025, 0, 1)));
    });
  });

  it('a stall lets cards go on but neither DPCs of the present level nor work items run', () => {
    inKernel((kernel) => {
      const order: string[] = [];
      const old = keRaiseIrql(2);
      kernel.clock.createAlarm(() => order.push(`card@${kernel.clock.now}`)).set(30);
      keSetTimer(new KTIMER(), -40, new KDPC(() => order.push('dpc'), null));
      exQueueWorkItem(new WORK_QUEUE_ITEM(() => order.push('work')));
      keStallExecutionProcessor(5);
      expect([kernel.clock.now, ...order]).toEqual([50, 'card@30']);
      keLowerIrql(old);
      expect(order).toEqual(['card@30', 'dpc']);
    });
  });

  it('passes for a driver that only polls: a register, or the time itself', () => {
    inKernel((kernel, platform) => {
      let ready = false;
      kernel.clock
        .createAlarm(() => {
          ready = true;
        })
        .set(5_000);
      platform.addPorts(0x220, 1, { read: () => (ready ? 0x80 : 0), write: () => undefined });
      let reads = 0;
      while ((platform.readPort(0x220, 1) & 0x80) === 0 && reads < 10_000) {
        kernel.afterAccess();
        reads++;
      }
      expect(ready).toBe(true);
      expect(reads).toBeLessThan(1_600);
      const start = keQueryInterruptTime();
      let asked = 0;
      while (keQueryInterruptTime() - start < 500_000 && asked < 100_000) asked++;
      expect(keQueryInterruptTime() - start).toBeGreaterThanOrEqual(500_000);
    });
  });

  it('a few thousand accesses spread over time cost none', () => {
    inKernel((kernel) => {
      for (let i = 0; i < 50; i++) {
        for (let access = 0; access < 200; access++) kernel.afterAccess();
        kernel.runFor(100);
      }
      expect(kernel.clock.now).toBe(5_000);
    });
  });
});
