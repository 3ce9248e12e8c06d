import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { KDPC, keInsertQueueDpc } from './dpc.ts';
import {
  type CONNECT_INTERRUPT_PARAMETERS,
  ioConnectInterrupt,
  ioDisconnectInterrupt,
  type KINTERRUPT,
  keAcquireInterruptSpinLock,
  keReleaseInterruptSpinLock,
  keSynchronizeExecution,
} from './interrupt.ts';
import { DISPATCH_LEVEL, keGetCurrentIrql, keLowerIrql, keRaiseIrql, PASSIVE_LEVEL } from './irql.ts';
import { currentKernel, Kernel } from './kernel.ts';
import { NtError } from './nt-error.ts';
import { STATUS_UNSUCCESSFUL } from './ntstatus.ts';
import { KSPIN_LOCK } from './spinlock.ts';
import { bugcheckOf } from './test-helpers.ts';
import { TestPlatform } from './test-platform.ts';
import { keStallExecutionProcessor } from './time.ts';

const inKernel = <T>(fn: (kernel: Kernel, platform: TestPlatform) => T): T => {
  const platform = new TestPlatform();
  const kernel = new Kernel(platform);
  return kernel.enter(() => fn(kernel, platform));
};

const connect = (
  line: number,
  serviceRoutine: () => boolean,
  more: Partial<CONNECT_INTERRUPT_PARAMETERS<null>> = {},
): KINTERRUPT<null> => {
  const irql = more.irql ?? 5;
  return ioConnectInterrupt({
    serviceRoutine,
    serviceContext: null,
    vector: 0x50 + line,
    irql,
    synchronizeIrql: irql,
    interruptMode: 'LevelSensitive',
    shareVector: true,
    line,
    ...more,
  });
};

/** A register access of a driver: the point after which interrupts are delivered. */
const write = (platform: TestPlatform, line: number, asserted: boolean) => {
  platform.setInterrupt(line, asserted);
  currentKernel().afterAccess();
};

describe('a level-sensitive interrupt', () => {
  it('is serviced when the register access that raised it returns, at its level, and its DPC after it', () => {
    inKernel((kernel, platform) => {
      const order: string[] = [];
      const dpc = new KDPC(() => order.push(`dpc at ${keGetCurrentIrql()}`), null);
      const interrupt = connect(5, () => {
        order.push(`isr at ${keGetCurrentIrql()}`);
        platform.setInterrupt(5, false);
        keInsertQueueDpc(dpc);
        return true;
      });
      write(platform, 5, true);
      order.push(`back at ${keGetCurrentIrql()}`);
      expect(order).toEqual(['isr at 5', 'dpc at 2', 'back at 0']);
      expect([interrupt.serviceCount, interrupt.claimedCount]).toEqual([1, 1]);
      expect(kernel.interrupts.counters(5)).toEqual({ services: 1, unclaimed: 0, masked: false });
    });
  });

  it('is held back while the level is at or above its own, and comes on lowering', () => {
    inKernel((_kernel, platform) => {
      let services = 0;
      connect(5, () => {
        services++;
        platform.setInterrupt(5, false);
        return true;
      });
      const old = keRaiseIrql(5);
      write(platform, 5, true);
      expect(services).toBe(0);
      keLowerIrql(4);
      expect(services).toBe(1);
      keLowerIrql(old);
      expect(services).toBe(1);
    });
  });

  it('that falls again before it could be delivered is not serviced', () => {
    inKernel((_kernel, platform) => {
      let services = 0;
      connect(5, () => {
        services++;
        return false;
      });
      const old = keRaiseIrql(6);
      write(platform, 5, true);
      write(platform, 5, false);
      keLowerIrql(old);
      expect(services).toBe(0);
    });
  });

  it('is serviced again while the line stays asserted', () => {
    inKernel((_kernel, platform) => {
      let causes = 3;
      const interrupt = connect(5, () => {
        if (--causes === 0) platform.setInterrupt(5, false);
        return true;
      });
      write(platform, 5, true);
      expect([causes, interrupt.serviceCount]).toEqual([0, 3]);
    });
  });

  it('comes after a clock alarm that raised it, in the loop, in a stall and in a wait', () => {
    inKernel((kernel, platform) => {
      const ticks: number[] = [];
      connect(5, () => {
        ticks.push(kernel.clock.now);
        platform.setInterrupt(5, false);
        return true;
      });
      for (const due of [100, 250]) kernel.clock.createAlarm(() => platform.setInterrupt(5, true)).set(due);
      kernel.runFor(200);
      keStallExecutionProcessor(10);
      expect(ticks).toEqual([100, 250]);
    });
  });

  it('that was asserted before the driver connected arrives with the connection', () => {
    inKernel((_kernel, platform) => {
      platform.setInterrupt(9, true);
      let services = 0;
      connect(9, () => {
        services++;
        platform.setInterrupt(9, false);
        return true;
      });
      expect(services).toBe(1);
    });
  });

  it('of a higher level interrupts a service routine; one of a lower level waits for its end', () => {
    inKernel((_kernel, platform) => {
      const order: string[] = [];
      const routine = (name: string, line: number, body: () => void) => () => {
        order.push(`${name}>`);
        platform.setInterrupt(line, false);
        body();
        order.push(`<${name}`);
        return true;
      };
      connect(
        3,
        routine('low', 3, () => undefined),
        { irql: 4 },
      );
      connect(
        7,
        routine('high', 7, () => undefined),
        { irql: 9 },
      );
      connect(
        5,
        routine('middle', 5, () => {
          platform.setInterrupt(3, true);
          platform.setInterrupt(7, true);
          currentKernel().afterAccess();
        }),
        { irql: 6 },
      );
      write(platform, 5, true);
      expect(order).toEqual(['middle>', 'high>', '<high', '<middle', 'low>', '<low']);
    });
  });

  it('interrupts a DPC', () => {
    inKernel((_kernel, platform) => {
      const order: string[] = [];
      connect(5, () => {
        order.push('isr');
        platform.setInterrupt(5, false);
        return true;
      });
      keInsertQueueDpc(
        new KDPC(() => {
          order.push('dpc>');
          write(platform, 5, true);
          order.push('<dpc');
        }, null),
      );
      expect(order).toEqual(['dpc>', 'isr', '<dpc']);
    });
  });
});

describe('a shared level-sensitive line', () => {
  it('asks the routines in order until one claims, and again while the line is asserted', () => {
    inKernel((kernel, platform) => {
      const asserted = { a: false, b: true };
      const update = () => platform.setInterrupt(10, asserted.a || asserted.b);
      const calls: string[] = [];
      const routine = (card: 'a' | 'b') => () => {
        calls.push(card);
        if (!asserted[card]) return false;
        asserted[card] = false;
        update();
        return true;
      };
      const first = connect(10, routine('a'));
      const second = connect(10, routine('b'));
      update();
      kernel.afterAccess();
      expect(calls).toEqual(['a', 'b']);
      asserted.a = true;
      asserted.b = true;
      update();
      kernel.afterAccess();
      expect(calls).toEqual(['a', 'b', 'a', 'a', 'b']);
      expect([first.claimedCount, second.claimedCount]).toEqual([1, 2]);
    });
  });

  it('never loses an interrupt, whichever cards assert it and whenever the level allows', () => {
    const step = fc.record({ card: fc.nat(3), op: fc.constantFrom('assert', 'raise', 'lower') });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
        inKernel((kernel, platform) => {
          const pending = [false, false, false, false];
          const served = [0, 0, 0, 0];
          const raised = [0, 0, 0, 0];
          const lineOf = (card: number) => (card < 2 ? 5 : 9);
          const update = () => {
            platform.setInterrupt(5, pending[0]! || pending[1]!);
            platform.setInterrupt(9, pending[2]! || pending[3]!);
          };
          for (let card = 0; card < 4; card++) {
            connect(
              lineOf(card),
              () => {
                if (!pending[card]) return false;
                pending[card] = false;
                served[card]!++;
                update();
                return true;
              },
              { irql: lineOf(card) },
            );
          }
          for (const { card, op } of steps) {
            if (op === 'assert') {
              if (!pending[card]) raised[card]!++;
              pending[card] = true;
              update();
              kernel.afterAccess();
            } else if (op === 'raise') keRaiseIrql(Math.max(keGetCurrentIrql(), lineOf(card)));
            else keLowerIrql(Math.min(keGetCurrentIrql(), 7));
            for (let i = 0; i < 4; i++) {
              expect(pending[i]).toBe(pending[i] && keGetCurrentIrql() >= lineOf(i));
            }
          }
          keLowerIrql(PASSIVE_LEVEL);
          expect(served).toEqual(raised);
          expect(kernel.interrupts.counters(5).unclaimed + kernel.interrupts.counters(9).unclaimed).toBe(0);
        });
      }),
    );
  });

  it('can only be shared by drivers that say so and trigger alike', () => {
    const refusal = (
      first: Partial<CONNECT_INTERRUPT_PARAMETERS<null>>,
      second: Partial<CONNECT_INTERRUPT_PARAMETERS<null>>,
    ) =>
      inKernel(() => {
        connect(5, () => false, first);
        try {
          connect(5, () => false, second);
          return '';
        } catch (error) {
          return (error as NtError).message;
        }
      });
    expect(refusal({}, {})).toBe('');
    expect(refusal({ shareVector: false }, {})).toContain('in use by the kernel and not shared');
    expect(refusal({}, { shareVector: false })).toContain('not shared');
    expect(refusal({}, { interruptMode: 'Latched' })).toContain('triggered otherwise');
    expect(refusal({}, { line: 99 })).toContain('no interrupt line 99');
    expect(refusal({}, { irql: 2 })).toContain("no device's level");
    expect(refusal({}, { irql: 6, synchronizeIrql: 5 })).toContain('below the interrupt');
  });
});

describe('a latched line', () => {
  it('keeps an edge until the level allows, and is acknowledged once for it', () => {
    inKernel((kernel, platform) => {
      let services = 0;
      connect(
        7,
        () => {
          services++;
          return true;
        },
        { interruptMode: 'Latched', shareVector: false },
      );
      const old = keRaiseIrql(10);
      platform.pulseInterrupt(7);
      platform.pulseInterrupt(7);
      kernel.afterAccess();
      expect([services, platform.acknowledged]).toEqual([0, []]);
      keLowerIrql(old);
      expect([services, platform.acknowledged]).toEqual([1, [7]]);
    });
  });

  it('is not serviced again for staying high', () => {
    inKernel((_kernel, platform) => {
      let services = 0;
      connect(
        7,
        () => {
          services++;
          return true;
        },
        { interruptMode: 'Latched' },
      );
      write(platform, 7, true);
      write(platform, 7, true);
      expect(services).toBe(1);
      write(platform, 7, false);
      write(platform, 7, true);
      expect(services).toBe(2);
    });
  });

  it('shared, asks all routines until none claims: one edge may stand for several cards', () => {
    inKernel((_kernel, platform) => {
      const causes = [2, 1];
      const calls: number[] = [];
      const routine = (card: number) => () => {
        calls.push(card);
        if (causes[card] === 0) return false;
        causes[card]!--;
        return true;
      };
      for (const card of [0, 1]) connect(7, routine(card), { interruptMode: 'Latched' });
      write(platform, 7, true);
      expect(causes).toEqual([0, 0]);
      expect(calls).toEqual([0, 1, 0, 1, 0, 1]);
    });
  });

  it('an edge during the service is serviced after it', () => {
    inKernel((_kernel, platform) => {
      let services = 0;
      connect(
        7,
        () => {
          if (++services < 3) platform.pulseInterrupt(7);
          return true;
        },
        { interruptMode: 'Latched' },
      );
      platform.pulseInterrupt(7);
      currentKernel().afterAccess();
      expect(services).toBe(3);
    });
  });
});

describe('an interrupt that does not go away', () => {
  it('is reported with its driver and masked: claimed but not cleared', () => {
    inKernel((kernel, platform) => {
      const interrupt = kernel.callOut('stuck.sys', 'StartDevice', () => connect(5, () => true));
      write(platform, 5, true);
      expect(kernel.interrupts.counters(5)).toMatchObject({ services: 1_000, masked: true });
      expect(kernel.trace.findings).toMatchObject([
        { source: 'stuck.sys', data: { line: 5, services: 1_000 } },
      ]);
      expect(kernel.trace.findings[0]?.text).toContain('does not take its cause away');
      // Masked means masked; a new connection starts afresh.
      write(platform, 5, false);
      write(platform, 5, true);
      expect(interrupt.serviceCount).toBe(1_000);
      ioDisconnectInterrupt(interrupt);
      connect(5, () => {
        platform.setInterrupt(5, false);
        return true;
      });
      expect(kernel.interrupts.counters(5)).toMatchObject({ services: 1_001, masked: false });
    });
  });

  it('is reported and masked: nobody claims it', () => {
    inKernel((kernel, platform) => {
      connect(5, () => false);
      write(platform, 5, true);
      expect(kernel.interrupts.counters(5)).toEqual({ services: 1_000, unclaimed: 1_000, masked: true });
      expect(kernel.trace.findings[0]?.text).toContain('No service routine claims the interrupt');
    });
  });

  it('is found as well when the line falls and rises for ever at one tick', () => {
    inKernel((kernel, platform) => {
      connect(5, () => {
        platform.setInterrupt(5, false);
        platform.setInterrupt(5, true);
        return true;
      });
      write(platform, 5, true);
      expect(kernel.interrupts.counters(5).masked).toBe(true);
      expect(kernel.trace.findings.length).toBe(1);
    });
  });

  it('many interrupts over time are no storm', () => {
    inKernel((kernel, platform) => {
      let services = 0;
      connect(5, () => {
        services++;
        platform.setInterrupt(5, false);
        return true;
      });
      for (let i = 0; i < 5_000; i++) {
        kernel.clock.createAlarm(() => platform.setInterrupt(5, true)).set(i * 10);
      }
      kernel.runFor(50_000);
      expect([services, kernel.trace.findings.length]).toEqual([5_000, 0]);
    });
  });
});

describe('a service routine', () => {
  it('that throws stops the machine, a status included', () => {
    for (const thrown of [new TypeError('bug'), new NtError(STATUS_UNSUCCESSFUL)]) {
      const bugcheck = bugcheckOf(() =>
        inKernel((kernel, platform) => {
          kernel.callOut('a.sys', 'StartDevice', () =>
            connect(5, function Isr() {
              throw thrown;
            }),
          );
          write(platform, 5, true);
        }),
      );
      expect(bugcheck).toMatchObject({
        name: 'INTERRUPT_EXCEPTION_NOT_HANDLED',
        driver: 'a.sys',
        method: 'Isr (line 5)',
        irql: 5,
        cause: thrown,
      });
    }
  });

  it('that returns at another level stops the machine', () => {
    const bugcheck = bugcheckOf(() =>
      inKernel((_kernel, platform) => {
        connect(5, () => {
          keRaiseIrql(11);
          return true;
        });
        write(platform, 5, true);
      }),
    );
    expect(bugcheck.name).toBe('IRQL_UNEXPECTED_VALUE');
  });

  it('runs at the synchronise level with the spin lock held', () => {
    inKernel((_kernel, platform) => {
      const spinLock = new KSPIN_LOCK('shared');
      const seen: unknown[] = [];
      connect(
        5,
        () => {
          seen.push(keGetCurrentIrql(), spinLock.isHeld);
          platform.setInterrupt(5, false);
          return true;
        },
        { irql: 5, synchronizeIrql: 8, spinLock },
      );
      write(platform, 5, true);
      expect([...seen, spinLock.isHeld]).toEqual([8, true, false]);
    });
  });

  it('whose lock the interrupted code holds at too low a level would spin for ever', () => {
    const bugcheck = bugcheckOf(() =>
      inKernel((_kernel, platform) => {
        const spinLock = new KSPIN_LOCK('position');
        connect(5, () => true, { spinLock });
        keRaiseIrql(DISPATCH_LEVEL);
        spinLock.acquire(currentKernel());
        write(platform, 5, true);
      }),
    );
    expect(bugcheck.name).toBe('SPIN_LOCK_ALREADY_OWNED');
    expect(bugcheck.text).toContain("Spin lock 'position'");
  });
});

describe('keSynchronizeExecution', () => {
  it('keeps the interrupt out while its routine runs, and returns the routine’s result', () => {
    inKernel((_kernel, platform) => {
      const order: string[] = [];
      const interrupt = connect(5, () => {
        order.push('isr');
        platform.setInterrupt(5, false);
        return true;
      });
      const result = keSynchronizeExecution(interrupt, () => {
        write(platform, 5, true);
        order.push(`routine at ${keGetCurrentIrql()}`);
        return 42;
      });
      expect([result, ...order, keGetCurrentIrql()]).toEqual([42, 'routine at 5', 'isr', PASSIVE_LEVEL]);
    });
  });

  it('is a bugcheck above the interrupt’s level, inside itself, and when its routine throws', () => {
    expect(
      bugcheckOf(() =>
        inKernel(() => {
          const interrupt = connect(5, () => false);
          keRaiseIrql(6);
          keSynchronizeExecution(interrupt, () => 0);
        }),
      ).name,
    ).toBe('IRQL_NOT_LESS_OR_EQUAL');
    expect(
      bugcheckOf(() =>
        inKernel(() => {
          const interrupt = connect(5, () => false);
          keSynchronizeExecution(interrupt, () => keSynchronizeExecution(interrupt, () => 0));
        }),
      ).name,
    ).toBe('SPIN_LOCK_ALREADY_OWNED');
    expect(
      bugcheckOf(() =>
        inKernel(() =>
          keSynchronizeExecution(
            connect(5, () => false),
            () => {
              throw new NtError(STATUS_UNSUCCESSFUL);
            },
          ),
        ),
      ).name,
    ).toBe('KMODE_EXCEPTION_NOT_HANDLED');
  });

  it('the interrupt’s lock can be held by hand', () => {
    inKernel((_kernel, platform) => {
      let services = 0;
      const interrupt = connect(5, () => {
        services++;
        platform.setInterrupt(5, false);
        return true;
      });
      const old = keAcquireInterruptSpinLock(interrupt);
      write(platform, 5, true);
      expect(services).toBe(0);
      keReleaseInterruptSpinLock(interrupt, old);
      expect([services, keGetCurrentIrql()]).toEqual([1, PASSIVE_LEVEL]);
    });
  });
});

describe('ioDisconnectInterrupt', () => {
  it('ends the calls and the leak; a second one is a bugcheck', () => {
    inKernel((kernel, platform) => {
      let services = 0;
      const interrupt = kernel.callOut('a.sys', 'Init', () =>
        connect(5, () => {
          services++;
          return false;
        }),
      );
      expect(kernel.leakReport().leaks).toMatchObject([
        { kind: 'KINTERRUPT', name: 'line 5', driver: 'a.sys' },
      ]);
      ioDisconnectInterrupt(interrupt);
      write(platform, 5, true);
      expect([services, kernel.leakReport().leaks.length]).toEqual([0, 0]);
      expect(bugcheckOf(() => ioDisconnectInterrupt(interrupt)).name).toBe(
        'DRIVER_VERIFIER_DETECTED_VIOLATION',
      );
    });
  });

  it('is for PASSIVE_LEVEL, as is connecting', () => {
    expect(
      bugcheckOf(() =>
        inKernel(() => {
          keRaiseIrql(DISPATCH_LEVEL);
          connect(5, () => false);
        }),
      ).text,
    ).toContain('IoConnectInterrupt was called at DISPATCH_LEVEL');
  });
});
