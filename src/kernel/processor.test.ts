import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { BugcheckCode, BugcheckError } from './bugcheck.ts';
import { KDPC, keFlushQueuedDpcs, keInsertQueueDpc, keRemoveQueueDpc, keSetImportanceDpc } from './dpc.ts';
import {
  APC_LEVEL,
  DISPATCH_LEVEL,
  HIGH_LEVEL,
  keGetCurrentIrql,
  keLowerIrql,
  keRaiseIrql,
  keRaiseIrqlToDpcLevel,
  PASSIVE_LEVEL,
  requireIrql,
  requireIrqlAtLeast,
} from './irql.ts';
import { Kernel } from './kernel.ts';
import { NtError } from './nt-error.ts';
import { STATUS_UNSUCCESSFUL } from './ntstatus.ts';
import { bugcheckOf } from './test-helpers.ts';
import { TestPlatform } from './test-platform.ts';

const inKernel = <T>(fn: (kernel: Kernel) => T): T => {
  const kernel = new Kernel(new TestPlatform());
  return kernel.enter(() => fn(kernel));
};

describe('IRQL', () => {
  it('rises, nests and falls back', () => {
    inKernel(() => {
      expect(keGetCurrentIrql()).toBe(PASSIVE_LEVEL);
      const passive = keRaiseIrql(APC_LEVEL);
      const apc = keRaiseIrqlToDpcLevel();
      expect([passive, apc, keGetCurrentIrql()]).toEqual([PASSIVE_LEVEL, APC_LEVEL, DISPATCH_LEVEL]);
      keLowerIrql(apc);
      keLowerIrql(passive);
      expect(keGetCurrentIrql()).toBe(PASSIVE_LEVEL);
    });
  });

  it('raising to a lower level and lowering to a higher one are bugchecks, as is a level that does not exist', () => {
    const down = bugcheckOf(() =>
      inKernel(() => {
        keRaiseIrql(5);
        keRaiseIrql(DISPATCH_LEVEL);
      }),
    );
    expect(down).toMatchObject({
      code: BugcheckCode.IRQL_NOT_GREATER_OR_EQUAL,
      parameters: [2, 5, 0, 0],
      irql: 5,
    });
    expect(bugcheckOf(() => inKernel(() => keRaiseIrql(HIGH_LEVEL + 1))).code).toBe(
      BugcheckCode.IRQL_NOT_GREATER_OR_EQUAL,
    );
    const up = bugcheckOf(() => inKernel(() => keLowerIrql(APC_LEVEL)));
    expect(up).toMatchObject({ code: BugcheckCode.IRQL_NOT_LESS_OR_EQUAL, parameters: [1, 0, 0, 0] });
  });

  it('a DDI that is called above its level stops the machine and is named', () => {
    const bugcheck = bugcheckOf(() =>
      inKernel(() => {
        requireIrql(DISPATCH_LEVEL, 'KeSetEvent');
        keRaiseIrql(4);
        requireIrql(DISPATCH_LEVEL, 'KeSetEvent');
      }),
    );
    expect(bugcheck.code).toBe(0x0a);
    expect(bugcheck.name).toBe('IRQL_NOT_LESS_OR_EQUAL');
    expect(bugcheck.text).toBe(
      'KeSetEvent was called at DIRQL 4; the highest level allowed is DISPATCH_LEVEL (2).',
    );
    const below = bugcheckOf(() =>
      inKernel(() => requireIrqlAtLeast(DISPATCH_LEVEL, 'KeAcquireSpinLockAtDpcLevel')),
    );
    expect(below.code).toBe(0x09);
  });
});

describe('DPC', () => {
  it('queued below DISPATCH_LEVEL runs before the queueing call returns, at DISPATCH_LEVEL, with its context and arguments', () => {
    inKernel(() => {
      const seen: unknown[] = [];
      const dpc = new KDPC(
        (self, context: string, a, b) => seen.push(self === dpc, context, a, b, keGetCurrentIrql()),
        'context',
      );
      expect(keInsertQueueDpc(dpc, 1, 'two')).toBe(true);
      expect(seen).toEqual([true, 'context', 1, 'two', DISPATCH_LEVEL]);
      expect(keGetCurrentIrql()).toBe(PASSIVE_LEVEL);
    });
  });

  it('queued at DISPATCH_LEVEL or above waits until the level falls, in order, those of high importance first', () => {
    inKernel(() => {
      const ran: string[] = [];
      const make = (name: string) => new KDPC(() => ran.push(name), null);
      const [a, b, urgent] = [make('a'), make('b'), make('urgent')];
      keSetImportanceDpc(urgent, 'HighImportance');
      const old = keRaiseIrql(8);
      keInsertQueueDpc(a);
      keInsertQueueDpc(b);
      keInsertQueueDpc(urgent);
      expect(ran).toEqual([]);
      keLowerIrql(DISPATCH_LEVEL);
      expect(ran).toEqual([]);
      keLowerIrql(old);
      expect(ran).toEqual(['urgent', 'a', 'b']);
    });
  });

  it('is queued once; the arguments of the first call stay', () => {
    inKernel(() => {
      const calls: unknown[] = [];
      const dpc = new KDPC((_dpc, _context, a) => calls.push(a), null);
      const old = keRaiseIrqlToDpcLevel();
      expect(keInsertQueueDpc(dpc, 'first')).toBe(true);
      expect(keInsertQueueDpc(dpc, 'second')).toBe(false);
      keLowerIrql(old);
      expect(calls).toEqual(['first']);
    });
  });

  it('may queue itself, and runs again after the others', () => {
    inKernel(() => {
      const ran: string[] = [];
      const again: KDPC = new KDPC(() => {
        ran.push('again');
        if (ran.length < 4) expect(keInsertQueueDpc(again)).toBe(true);
      }, null);
      const other = new KDPC(() => ran.push('other'), null);
      const old = keRaiseIrqlToDpcLevel();
      keInsertQueueDpc(again);
      keInsertQueueDpc(other);
      keLowerIrql(old);
      expect(ran).toEqual(['again', 'other', 'again', 'again']);
    });
  });

  it('of low importance waits for the next DPC, or for the idle loop', () => {
    inKernel((kernel) => {
      const ran: string[] = [];
      const low = new KDPC(() => ran.push('low'), null);
      keSetImportanceDpc(low, 'LowImportance');
      keInsertQueueDpc(low);
      expect(ran).toEqual([]);
      keInsertQueueDpc(new KDPC(() => ran.push('medium'), null));
      expect(ran).toEqual(['low', 'medium']);
      keInsertQueueDpc(low);
      keFlushQueuedDpcs();
      expect(ran).toEqual(['low', 'medium', 'low']);
      keInsertQueueDpc(low);
      kernel.drain();
      expect(ran.length).toBe(4);
    });
  });

  it('does not run after its removal', () => {
    inKernel(() => {
      const ran: string[] = [];
      const [a, b, c] = ['a', 'b', 'c'].map((name) => new KDPC(() => ran.push(name), null)) as [
        KDPC,
        KDPC,
        KDPC,
      ];
      const old = keRaiseIrqlToDpcLevel();
      for (const dpc of [a, b, c]) keInsertQueueDpc(dpc);
      expect(keRemoveQueueDpc(c)).toBe(true);
      expect(keRemoveQueueDpc(a)).toBe(true);
      expect(keRemoveQueueDpc(a)).toBe(false);
      keInsertQueueDpc(c);
      keLowerIrql(old);
      expect(ran).toEqual(['b', 'c']);
    });
  });

  it('the queue behaves as a list under any sequence of insertions and removals', () => {
    const step = fc.record({ dpc: fc.nat(5), op: fc.constantFrom('insert', 'high', 'remove', 'lower') });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
        inKernel(() => {
          const ran: number[] = [];
          const expected: number[] = [];
          let queue: number[] = [];
          const dpcs = Array.from({ length: 6 }, (_, i) => new KDPC(() => ran.push(i), null));
          keRaiseIrqlToDpcLevel();
          for (const { dpc, op } of steps) {
            const object = dpcs[dpc]!;
            if (op === 'remove') {
              expect(keRemoveQueueDpc(object)).toBe(queue.includes(dpc));
              queue = queue.filter((entry) => entry !== dpc);
            } else if (op === 'lower') {
              keLowerIrql(PASSIVE_LEVEL);
              keRaiseIrqlToDpcLevel();
              expected.push(...queue);
              queue = [];
            } else {
              keSetImportanceDpc(object, op === 'high' ? 'HighImportance' : 'MediumImportance');
              expect(keInsertQueueDpc(object)).toBe(!queue.includes(dpc));
              if (!queue.includes(dpc)) queue = op === 'high' ? [dpc, ...queue] : [...queue, dpc];
            }
          }
          keLowerIrql(PASSIVE_LEVEL);
          expect(ran).toEqual([...expected, ...queue]);
        });
      }),
    );
  });

  it('an exception in a DPC, a status included, stops the machine and names driver and routine', () => {
    const kernel = new Kernel(new TestPlatform());
    const bugcheck = bugcheckOf(() =>
      kernel.enter(() =>
        kernel.callOut('sound.sys', 'StartDevice', () => {
          function DpcForIsr(): void {
            throw new NtError(STATUS_UNSUCCESSFUL, 'no answer');
          }
          const dpc = new KDPC(DpcForIsr, null);
          keInsertQueueDpc(dpc);
        }),
      ),
    );
    expect(bugcheck).toMatchObject({
      code: BugcheckCode.KMODE_EXCEPTION_NOT_HANDLED,
      parameters: [STATUS_UNSUCCESSFUL, 0, 0, 0],
      driver: 'sound.sys',
      method: 'DpcForIsr',
      irql: DISPATCH_LEVEL,
    });
    expect(bugcheck.text).toContain('STATUS_UNSUCCESSFUL: no answer');
  });

  it('a DPC that returns at another level stops the machine', () => {
    const bugcheck = bugcheckOf(() =>
      inKernel(() => keInsertQueueDpc(new KDPC(() => void keRaiseIrql(5), null))),
    );
    expect(bugcheck).toMatchObject({ code: BugcheckCode.IRQL_UNEXPECTED_VALUE, parameters: [5, 2, 0, 0] });
  });

  it('a DPC that queues itself for ever is found', () => {
    const bugcheck = bugcheckOf(() =>
      inKernel(() => {
        const endless: KDPC = new KDPC(() => keInsertQueueDpc(endless), null, 'EndlessDpc');
        keInsertQueueDpc(endless);
      }),
    );
    expect(bugcheck.name).toBe('DPC_WATCHDOG_VIOLATION');
    expect(bugcheck.text).toContain('EndlessDpc');
  });

  it('nothing runs on a stopped kernel', () => {
    const kernel = new Kernel(new TestPlatform());
    let ran = false;
    expect(() =>
      kernel.enter(() => {
        const dpc = new KDPC(() => {
          ran = true;
        }, null);
        keRaiseIrqlToDpcLevel();
        keInsertQueueDpc(dpc);
        try {
          kernel.bugcheck(0xe2, [], 'on purpose');
        } catch {
          // a driver that swallows it …
        }
        keLowerIrql(PASSIVE_LEVEL); // … meets it again at its next call
      }),
    ).toThrow(BugcheckError);
    expect(ran).toBe(false);
  });
});
