import { describe, expect, it } from 'vitest';
import { DISPATCH_LEVEL, keGetCurrentIrql, keLowerIrql, keRaiseIrql, PASSIVE_LEVEL } from './irql.ts';
import { Kernel } from './kernel.ts';
import {
  KSPIN_LOCK,
  keAcquireSpinLock,
  keAcquireSpinLockAtDpcLevel,
  keReleaseSpinLock,
  keReleaseSpinLockFromDpcLevel,
  keTestSpinLock,
  keTryToAcquireSpinLockAtDpcLevel,
} from './spinlock.ts';
import { bugcheckOf } from './test-helpers.ts';
import { TestPlatform } from './test-platform.ts';

const inKernel = <T>(fn: (kernel: Kernel) => T): T => {
  const kernel = new Kernel(new TestPlatform());
  return kernel.enter(() => fn(kernel));
};

describe('KSPIN_LOCK', () => {
  it('raises to DISPATCH_LEVEL while it is held', () => {
    inKernel(() => {
      const lock = new KSPIN_LOCK();
      const old = keAcquireSpinLock(lock);
      expect([old, keGetCurrentIrql(), lock.isHeld, keTestSpinLock(lock)]).toEqual([
        0,
        DISPATCH_LEVEL,
        true,
        false,
      ]);
      keReleaseSpinLock(lock, old);
      expect([keGetCurrentIrql(), lock.isHeld]).toEqual([PASSIVE_LEVEL, false]);
    });
  });

  it('nests with another one', () => {
    inKernel(() => {
      const [outer, inner] = [new KSPIN_LOCK('outer'), new KSPIN_LOCK('inner')];
      const old = keAcquireSpinLock(outer);
      keAcquireSpinLockAtDpcLevel(inner);
      keReleaseSpinLockFromDpcLevel(inner);
      keReleaseSpinLock(outer, old);
      expect(keGetCurrentIrql()).toBe(PASSIVE_LEVEL);
    });
  });

  it('can be tried', () => {
    inKernel(() => {
      const lock = new KSPIN_LOCK();
      keRaiseIrql(DISPATCH_LEVEL);
      expect(keTryToAcquireSpinLockAtDpcLevel(lock)).toBe(true);
      expect(keTryToAcquireSpinLockAtDpcLevel(lock)).toBe(false);
      keReleaseSpinLockFromDpcLevel(lock);
      keLowerIrql(PASSIVE_LEVEL);
    });
  });

  it('taken while held, by whomever, is a bugcheck that names the holder', () => {
    const bugcheck = bugcheckOf(() =>
      inKernel((kernel) => {
        const lock = new KSPIN_LOCK('stream list');
        kernel.callOut('a.sys', 'SetState', () => {
          const old = keAcquireSpinLock(lock);
          kernel.callOut('a.sys', 'GetPosition', () => keAcquireSpinLockAtDpcLevel(lock));
          keReleaseSpinLock(lock, old);
        });
      }),
    );
    expect(bugcheck).toMatchObject({ code: 0x0f, name: 'SPIN_LOCK_ALREADY_OWNED', method: 'GetPosition' });
    expect(bugcheck.text).toContain("'stream list' is acquired while it is held (by a.sys, SetState)");
  });

  it('released when nobody holds it, or at a wrong level, is a bugcheck', () => {
    const free = () =>
      inKernel(() => {
        keRaiseIrql(DISPATCH_LEVEL);
        keReleaseSpinLock(new KSPIN_LOCK(), PASSIVE_LEVEL);
      });
    expect(bugcheckOf(free)).toMatchObject({ code: 0x10, name: 'SPIN_LOCK_NOT_OWNED' });
    const below = () =>
      inKernel(() => {
        const lock = new KSPIN_LOCK();
        keLowerIrql(keAcquireSpinLock(lock));
        keReleaseSpinLock(lock, PASSIVE_LEVEL);
      });
    expect(bugcheckOf(below).name).toBe('IRQL_NOT_GREATER_OR_EQUAL');
    const upwards = () =>
      inKernel(() => {
        const lock = new KSPIN_LOCK();
        keAcquireSpinLock(lock);
        keReleaseSpinLock(lock, 7);
      });
    expect(bugcheckOf(upwards).name).toBe('IRQL_NOT_LESS_OR_EQUAL');
  });

  it('has its levels: acquiring above DISPATCH_LEVEL, or “at DPC level” below it, is a bugcheck', () => {
    const above = () =>
      inKernel(() => {
        keRaiseIrql(5);
        keAcquireSpinLock(new KSPIN_LOCK());
      });
    expect(bugcheckOf(above).text).toContain('KeAcquireSpinLock was called at DIRQL 5');
    const below = () => inKernel(() => keAcquireSpinLockAtDpcLevel(new KSPIN_LOCK()));
    expect(bugcheckOf(below).text).toContain('needs DISPATCH_LEVEL');
  });

  it('held when a driver’s routine returns is noticed by the level', () => {
    const bugcheck = bugcheckOf(() =>
      inKernel((kernel) =>
        kernel.callOut('a.sys', 'GetPosition', () => void keAcquireSpinLock(new KSPIN_LOCK())),
      ),
    );
    expect(bugcheck.text).toContain(
      'GetPosition was called at PASSIVE_LEVEL (0) and returned at DISPATCH_LEVEL (2)',
    );
  });
});
