import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  BugcheckError,
  Kernel,
  NtError,
  STATUS_INVALID_PARAMETER,
  STATUS_UNSUCCESSFUL,
} from '../kernel/index.ts';
import { TestPlatform } from '../kernel/test-platform.ts';
import { CUnknown, GUID, guid, IID, IID_IUnknown, type IUnknown, tryQueryInterface } from './index.ts';

interface ICounter extends IUnknown {
  count(): number;
}
const IID_ICounter = new IID<ICounter>('IID_ICounter', guid('{11111111-0000-0000-0000-000000000001}'));
interface IOther extends IUnknown {
  other(): string;
}
const IID_IOther = new IID<IOther>('IID_IOther', guid('{11111111-0000-0000-0000-000000000002}'));

class Counter extends CUnknown implements ICounter {
  readonly ended: string[];
  constructor(ended: string[] = [], outer: IUnknown | null = null) {
    super('Counter', outer);
    this.ended = ended;
  }
  count(): number {
    this.requireAlive('Count');
    return 42;
  }
  protected override nonDelegatingQueryInterface(iid: IID<unknown>): object | null {
    return iid.equals(IID_ICounter) ? this : super.nonDelegatingQueryInterface(iid);
  }
  protected override finalRelease(): void {
    this.ended.push('Counter');
  }
}

/** An outer object that aggregates a Counter. */
class Outer extends CUnknown implements IOther {
  readonly inner: Counter;
  constructor(ended: string[]) {
    super('Outer');
    this.inner = new Counter(ended, this);
  }
  other(): string {
    return 'outer';
  }
  protected override nonDelegatingQueryInterface(iid: IID<unknown>): object | null {
    if (iid.equals(IID_IOther)) return this;
    // The inner object's interfaces count on this object; queryInterface there added that reference already.
    const inner = tryQueryInterface(this.inner.nonDelegating, iid);
    if (inner === null || iid.equals(IID_IUnknown)) {
      if (inner !== null) this.inner.nonDelegating.release();
      return super.nonDelegatingQueryInterface(iid);
    }
    this.release();
    return inner as object;
  }
  protected override finalRelease(): void {
    this.inner.nonDelegating.release();
    this.inner.ended.push('Outer');
  }
}

function inKernel<T>(fn: (kernel: Kernel) => T): T {
  const kernel = new Kernel(new TestPlatform());
  try {
    return kernel.enter(() => fn(kernel));
  } finally {
    kernel.dispose();
  }
}

describe('CUnknown', () => {
  it('starts with its creator’s reference, and ends with the last release', () => {
    inKernel(() => {
      const ended: string[] = [];
      const counter = new Counter(ended);
      expect(counter.addRef()).toBe(2);
      expect(counter.release()).toBe(1);
      expect(ended).toEqual([]);
      expect(counter.release()).toBe(0);
      expect(ended).toEqual(['Counter']);
    });
  });

  it('releases with `using`', () => {
    inKernel(() => {
      const ended: string[] = [];
      {
        using counter = new Counter(ended);
        using same = counter.queryInterface(IID_ICounter);
        expect(same.count()).toBe(42);
        expect(counter.referenceCount).toBe(2);
      }
      expect(ended).toEqual(['Counter']);
    });
  });

  it('gives interfaces with a reference, and one identity', () => {
    inKernel(() => {
      using counter = new Counter();
      using unknown = counter.queryInterface(IID_IUnknown);
      expect(unknown).toBe(counter);
      expect(counter.referenceCount).toBe(2);
    });
  });

  it('refuses an interface it has not, with STATUS_INVALID_PARAMETER and no reference', () => {
    inKernel(() => {
      using counter = new Counter();
      let status = 0;
      try {
        counter.queryInterface(IID_IOther);
      } catch (error) {
        status = (error as NtError).status;
      }
      expect(status).toBe(STATUS_INVALID_PARAMETER);
      expect(counter.referenceCount).toBe(1);
      expect(tryQueryInterface(counter, IID_IOther)).toBeNull();
    });
  });

  it('tells interfaces apart by GUID, not by token', () => {
    inKernel(() => {
      using counter = new Counter();
      const sameInterface = new IID<ICounter>('another name', guid('{11111111-0000-0000-0000-000000000001}'));
      using found = counter.queryInterface(sameInterface);
      expect(found.count()).toBe(42);
    });
  });

  it('counts an aggregate on its outer object', () => {
    inKernel(() => {
      const ended: string[] = [];
      const outer = new Outer(ended);
      const counter = outer.queryInterface(IID_ICounter);
      expect(counter.count()).toBe(42);
      expect(outer.referenceCount).toBe(2);
      // From the inner interface back to the outer object's.
      const other = counter.queryInterface(IID_IOther);
      expect(other).toBe(outer);
      expect(outer.referenceCount).toBe(3);
      other.release();
      counter.release();
      expect(outer.release()).toBe(0);
      expect(ended).toEqual(['Counter', 'Outer']);
    });
  });

  it.each([
    ['AddRef', (counter: Counter) => counter.addRef()],
    ['Release', (counter: Counter) => counter.release()],
    ['QueryInterface', (counter: Counter) => counter.queryInterface(IID_ICounter)],
    ['Count', (counter: Counter) => counter.count()],
  ])('%s after the last release stops the machine', (method, call) => {
    const kernel = new Kernel(new TestPlatform());
    const error = thrown(() =>
      kernel.enter(() => {
        const counter = new Counter();
        counter.release();
        call(counter);
      }),
    );
    expect(error).toBeInstanceOf(BugcheckError);
    const { bugcheck } = error as BugcheckError;
    expect(bugcheck.name).toBe('REFERENCE_BY_POINTER');
    expect(bugcheck.text).toContain(`${method}`);
    expect(bugcheck.text).toContain('Counter');
  });

  it('stands in the leak report until it ends', () => {
    inKernel((kernel) => {
      const counter = new Counter();
      counter.addRef();
      expect(kernel.leakReport().leaks).toMatchObject([
        { kind: 'COM object', name: 'Counter', references: 2 },
      ]);
      counter.release();
      counter.release();
      expect(kernel.leakReport().leaks).toEqual([]);
    });
  });

  it('may be referenced by helpers while it ends', () => {
    inKernel(() => {
      class Helped extends CUnknown {
        protected override finalRelease(): void {
          this.addRef();
          this.release();
        }
      }
      const helped = new Helped('Helped');
      expect(helped.release()).toBe(0);
    });
  });

  it('ends exactly when as many releases as references have come, in any order', () => {
    fc.assert(
      fc.property(fc.array(fc.boolean(), { maxLength: 60 }), (steps) => {
        inKernel(() => {
          const ended: string[] = [];
          const counter = new Counter(ended);
          let references = 1;
          for (const add of steps) {
            if (references === 0) break;
            references += add ? 1 : -1;
            expect(add ? counter.addRef() : counter.release()).toBe(references);
            expect(ended.length).toBe(references === 0 ? 1 : 0);
          }
          while (references > 0) references = counter.release();
        });
      }),
    );
  });
});

describe('tryQueryInterface', () => {
  it('passes on what is no failure to find', () => {
    inKernel(() => {
      const broken: IUnknown = {
        queryInterface: () => {
          throw new TypeError('broken');
        },
        addRef: () => 1,
        release: () => 0,
        [Symbol.dispose]: () => {},
      };
      expect(() => tryQueryInterface(broken, IID_IUnknown)).toThrow(TypeError);
      const refusing: IUnknown = {
        ...broken,
        queryInterface: () => {
          throw new NtError(STATUS_UNSUCCESSFUL);
        },
      };
      expect(tryQueryInterface(refusing, IID_IUnknown)).toBeNull();
    });
  });
});

describe('GUID', () => {
  const words = fc.tuple(...[0, 1, 2, 3].map(() => fc.nat(0xffff_ffff))) as fc.Arbitrary<
    [number, number, number, number]
  >;

  it('reads what it writes, as text and in memory', () => {
    fc.assert(
      fc.property(words, fc.nat(16), ([w0, w1, w2, w3], offset) => {
        const value = new GUID(w0, w1, w2, w3);
        expect(guid(value.toString()).equals(value)).toBe(true);
        expect(guid(value.toString().toLowerCase().slice(1, -1)).equals(value)).toBe(true);
        const view = new DataView(new ArrayBuffer(40));
        value.write(view, offset);
        expect(GUID.read(view, offset).equals(value)).toBe(true);
        expect(value.matches(view, offset)).toBe(true);
        expect(value.matches(view, 30)).toBe(false);
      }),
    );
  });

  it('has the memory layout of the WDK', () => {
    const view = new DataView(new ArrayBuffer(16));
    guid('{00112233-4455-6677-8899-AABBCCDDEEFF}').write(view, 0);
    expect([...new Uint8Array(view.buffer)]).toEqual([
      0x33, 0x22, 0x11, 0x00, 0x55, 0x44, 0x77, 0x66, 0x88, 0x99, 0xaa, 0xbb, 0xcc, 0xdd, 0xee, 0xff,
    ]);
  });

  it.each([
    '',
    '{',
    '{00112233-4455-6677-8899-AABBCCDDEEF}',
    'not a guid',
    '00112233445566778899AABBCCDDEEFF',
  ])('refuses %j', (text) => {
    expect(() => guid(text)).toThrow(SyntaxError);
  });
});

function thrown(fn: () => unknown): unknown {
  try {
    fn();
  } catch (error) {
    return error;
  }
  throw new Error('nothing was thrown');
}
