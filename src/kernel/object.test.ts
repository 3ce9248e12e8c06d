import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { KEVENT } from './event.ts';
import { Kernel } from './kernel.ts';
import { NtError } from './nt-error.ts';
import { STATUS_INVALID_HANDLE, STATUS_OBJECT_TYPE_MISMATCH } from './ntstatus.ts';
import {
  formatLeakReport,
  HandleTable,
  KernelObject,
  ObjectTracker,
  obCreateObject,
  obDereferenceObject,
  obReferenceObject,
} from './object.ts';
import { bugcheckOf } from './test-helpers.ts';
import { TestPlatform } from './test-platform.ts';

const statusOf = (fn: () => unknown): number => {
  try {
    fn();
  } catch (error) {
    if (error instanceof NtError) return error.status;
    throw error;
  }
  return 0;
};

describe('ObjectTracker', () => {
  it('lists what is alive, oldest first, whatever comes and goes', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.nat(5), fc.boolean()), { maxLength: 40 }), (steps) => {
        const clock = { now: 0 };
        const tracker = new ObjectTracker(clock, { currentDriver: 'a.sys' });
        const records = Array.from({ length: 6 }, (_, i) => tracker.createRecord('thing', `${i}`));
        let model: number[] = [];
        for (const [i, add] of steps) {
          clock.now++;
          if (add) {
            tracker.add(records[i]!);
            if (!model.includes(i)) model.push(i);
          } else {
            tracker.remove(records[i]!);
            model = model.filter((entry) => entry !== i);
          }
          expect(tracker.count).toBe(model.length);
        }
        expect(tracker.report().leaks.map(({ name }) => name)).toEqual(model.map(String));
      }),
    );
  });

  it('reports references of objects that count them, and reads as text', () => {
    const tracker = new ObjectTracker({ now: 12 }, { currentDriver: 'a.sys' });
    tracker.register('IMiniportWaveRT', 'Wave', { referenceCount: 3 });
    tracker.register('MDL', '16 pages');
    expect(formatLeakReport(tracker.report())).toBe(
      "IMiniportWaveRT 'Wave', 3 reference(s), of a.sys, alive since tick 12\n" +
        "MDL '16 pages', of a.sys, alive since tick 12\n",
    );
  });
});

describe('objects of the object manager', () => {
  class Thing extends KernelObject {
    deleted = 0;
    protected override deleteObject(): void {
      this.deleted++;
    }
  }

  it('are deleted with their last reference and reported until then', () => {
    const kernel = new Kernel(new TestPlatform());
    kernel.enter(() => {
      const thing = obCreateObject(new Thing(), 'Thing', 'one');
      obReferenceObject(thing);
      obDereferenceObject(thing);
      expect(kernel.leakReport().leaks).toMatchObject([{ kind: 'Thing', name: 'one', references: 1 }]);
      obDereferenceObject(thing);
      expect([thing.deleted, kernel.leakReport().leaks.length]).toEqual([1, 0]);
    });
  });

  it('used after the last reference stop the machine', () => {
    for (const use of [obReferenceObject, obDereferenceObject]) {
      const kernel = new Kernel(new TestPlatform());
      const bugcheck = bugcheckOf(() =>
        kernel.enter(() => {
          const event = obCreateObject(new KEVENT('NotificationEvent'), 'Event', 'buffer done');
          obDereferenceObject(event);
          use(event);
        }),
      );
      expect(bugcheck.name).toBe('REFERENCE_BY_POINTER');
      expect(bugcheck.text).toContain("Event 'buffer done', whose reference count is 0");
    }
  });

  it('a driver’s embedded event needs no object manager', () => {
    const kernel = new Kernel(new TestPlatform());
    kernel.enter(() => {
      const event = new KEVENT('NotificationEvent');
      obReferenceObject(event);
      obDereferenceObject(event);
      expect(kernel.leakReport().leaks).toEqual([]);
    });
  });
});

describe('HandleTable', () => {
  class A {}
  class B {}

  it('gives multiples of 4, finds objects by handle and type, and refuses others', () => {
    const table = new HandleTable<A | B>();
    const a = new A();
    const handle = table.insert(a);
    expect([handle % 4, handle > 0, table.get(handle) === a, table.getOfType(handle, A) === a]).toEqual([
      0,
      true,
      true,
      true,
    ]);
    expect(statusOf(() => table.getOfType(handle, B))).toBe(STATUS_OBJECT_TYPE_MISMATCH);
    expect(table.remove(handle)).toBe(a);
    for (const wrong of [handle, 0, 3, -4])
      expect(statusOf(() => table.get(wrong))).toBe(STATUS_INVALID_HANDLE);
    expect(statusOf(() => table.remove(handle))).toBe(STATUS_INVALID_HANDLE);
  });

  it('never gives a handle that is open', () => {
    fc.assert(
      fc.property(fc.array(fc.option(fc.nat(10), { nil: undefined }), { maxLength: 50 }), (steps) => {
        const table = new HandleTable<object>();
        const open = new Map<number, object>();
        for (const close of steps) {
          const handle = close === undefined ? undefined : [...open.keys()][close];
          if (handle !== undefined) {
            expect(table.remove(handle)).toBe(open.get(handle));
            open.delete(handle);
          } else {
            const object = {};
            const made = table.insert(object);
            expect(open.has(made)).toBe(false);
            open.set(made, object);
          }
        }
        expect(table.size).toBe(open.size);
        expect([...table.handles()].sort()).toEqual([...open.keys()].sort());
        for (const [handle, object] of open) expect(table.get(handle)).toBe(object);
      }),
    );
  });
});
