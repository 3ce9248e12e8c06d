import { describe, expect, it } from 'vitest';
import { BugcheckCode, BugcheckError, formatBugcheck } from './bugcheck.ts';
import { KDPC, keInsertQueueDpc } from './dpc.ts';
import { keGetCurrentIrql, keRaiseIrql } from './irql.ts';
import { currentKernel, Kernel } from './kernel.ts';
import { NtError } from './nt-error.ts';
import { STATUS_NO_MATCH } from './ntstatus.ts';
import { bugcheckOf } from './test-helpers.ts';
import { TestPlatform } from './test-platform.ts';
import { TraceKind } from './trace.ts';
import { Trace } from './trace-log.ts';

const makeKernel = (mask: number = TraceKind.Cold) =>
  new Kernel(new TestPlatform(), { trace: new Trace({ mask }) });

describe('Kernel.enter', () => {
  it('makes its kernel the current one, nested and back', () => {
    const a = makeKernel();
    const b = makeKernel();
    expect(() => currentKernel()).toThrow('kernel.enter');
    const seen = a.enter(() => [currentKernel(), b.enter(() => currentKernel()), currentKernel()]);
    expect(seen).toEqual([a, b, a]);
    expect(() => currentKernel()).toThrow('kernel.enter');
  });

  it('goes back when an exception leaves it', () => {
    const a = makeKernel();
    const b = makeKernel();
    a.enter(() => {
      expect(() =>
        b.enter(() => {
          throw new NtError(STATUS_NO_MATCH);
        }),
      ).toThrow(NtError);
      expect(currentKernel()).toBe(a);
    });
  });
});

describe('Kernel.callOut', () => {
  it('returns the result and lets a status pass', () => {
    const kernel = makeKernel();
    kernel.enter(() => {
      expect(kernel.callOut('a.sys', 'Init', () => 7)).toBe(7);
      expect(() =>
        kernel.callOut('a.sys', 'Init', () => {
          throw new NtError(STATUS_NO_MATCH);
        }),
      ).toThrow(NtError);
      expect(kernel.stopped).toBeNull();
      expect(kernel.currentDriver).toBeNull();
    });
  });

  it('makes a bugcheck of any other exception: driver, method, stack and cause are in the report', () => {
    const kernel = makeKernel();
    const fault = new TypeError('port is null');
    const bugcheck = bugcheckOf(() =>
      kernel.enter(() =>
        kernel.callOut('outer.sys', 'StartDevice', () =>
          kernel.callOut('a.sys', 'IMiniportTopology::Init', () => {
            throw fault;
          }),
        ),
      ),
    );
    expect(bugcheck).toMatchObject({
      code: BugcheckCode.SYSTEM_SERVICE_EXCEPTION,
      name: 'SYSTEM_SERVICE_EXCEPTION',
      driver: 'a.sys',
      method: 'IMiniportTopology::Init',
      irql: 0,
      cause: fault,
    });
    expect(bugcheck.stack).toContain('kernel.test');
  });

  it('calls an exhausted stack a double fault', () => {
    const kernel = makeKernel();
    const forever = (): number => forever() + 1;
    const bugcheck = bugcheckOf(() => kernel.enter(() => kernel.callOut('a.sys', 'Recurse', forever)));
    expect(bugcheck).toMatchObject({
      code: BugcheckCode.UNEXPECTED_KERNEL_MODE_TRAP,
      parameters: [8, 0, 0, 0],
    });
  });

  it('notices a level that was not lowered again, after success and after a status', () => {
    for (const fails of [false, true]) {
      const kernel = makeKernel();
      const bugcheck = bugcheckOf(() =>
        kernel.enter(() =>
          kernel.callOut('a.sys', 'SetState', () => {
            keRaiseIrql(2);
            if (fails) throw new NtError(STATUS_NO_MATCH);
          }),
        ),
      );
      expect(bugcheck).toMatchObject({
        code: BugcheckCode.IRQL_UNEXPECTED_VALUE,
        method: 'SetState',
        driver: 'a.sys',
      });
    }
  });

  it('puts a span on the timeline, with the status at its end', () => {
    const kernel = makeKernel();
    kernel.enter(() => {
      expect(() =>
        kernel.callOut('a.sys', 'NewStream', () => {
          throw new NtError(STATUS_NO_MATCH);
        }),
      ).toThrow(NtError);
    });
    expect(kernel.trace.events().map(({ phase, source, name, data }) => [phase, source, name, data])).toEqual(
      [
        ['B', 'a.sys', 'NewStream', null],
        ['E', 'a.sys', 'NewStream', { status: 'STATUS_NO_MATCH' }],
      ],
    );
  });
});

describe('a bugcheck', () => {
  it('ends that kernel: every entry throws it again; other kernels go on', () => {
    const dead = makeKernel();
    const alive = makeKernel();
    const first = bugcheckOf(() => dead.enter(() => dead.bugcheck(0xe2, [1, 2], 'on purpose')));
    expect(dead.stopped).toBe(first);
    for (const entry of [
      () => dead.enter(() => 1),
      () => dead.callOut('a', 'b', () => 1),
      () => dead.runFor(1),
      () => dead.runUntil(() => true, 10),
      () => dead.drain(),
      () => dead.bugcheck(0xa, [], 'another'),
    ]) {
      expect(bugcheckOf(entry)).toBe(first);
    }
    expect(alive.enter(() => keGetCurrentIrql())).toBe(0);
    expect(alive.stopped).toBeNull();
  });

  it('of a kernel that was entered from another leaves the other one current', () => {
    const outer = makeKernel();
    const inner = makeKernel();
    outer.enter(() => {
      expect(() => inner.enter(() => inner.bugcheck(0xe2, [], 'on purpose'))).toThrow(BugcheckError);
      expect(currentKernel()).toBe(outer);
      expect(bugcheckOf(() => inner.enter(() => undefined)).text).toBe('on purpose');
    });
  });

  it('reads as a report: stop code, text, driver, level, time, last events', () => {
    const platform = new TestPlatform();
    const kernel = new Kernel(platform);
    kernel.runFor(12_345_678);
    const bugcheck = bugcheckOf(() =>
      kernel.enter(() =>
        kernel.callOut('ac97.sys', 'IMiniportWaveRTStream::SetState', () => {
          kernel.trace.emit(TraceKind.State, 'I', 'ac97.sys', 'RUN', { pin: 0 });
          keInsertQueueDpc(
            new KDPC(
              () => {
                throw new RangeError('index 4 of 4');
              },
              null,
              'DpcForIsr',
            ),
          );
        }),
      ),
    );
    const text = formatBugcheck(bugcheck);
    expect(text).toContain('*** STOP: 0x0000001E KMODE_EXCEPTION_NOT_HANDLED (0x00000000, 0x00000000');
    expect(text).toContain('RangeError: index 4 of 4 (thrown in a DPC, DISPATCH_LEVEL (2)).');
    expect(text).toMatch(/driver {2}ac97\.sys/);
    expect(text).toMatch(/method {2}DpcForIsr/);
    expect(text).toContain('1.234 567 8 s (tick 12345678)');
    expect(text).toContain('ac97.sys: RUN pin=0 (from #1)');
    expect(text).toContain('> ac97.sys: DpcForIsr (from #1)');
    expect(bugcheck.lastEvents.at(-1)?.name).toBe('KMODE_EXCEPTION_NOT_HANDLED');
  });

  it('names whom the caller says', () => {
    const kernel = makeKernel();
    const bugcheck = bugcheckOf(() =>
      kernel.enter(() => kernel.bugcheck(0x12345, [], 'text', { driver: 'guilty.sys', method: 'Unload' })),
    );
    expect(bugcheck).toMatchObject({ name: 'BUGCHECK_0x12345', driver: 'guilty.sys', method: 'Unload' });
  });
});

describe('Kernel.dispose', () => {
  it('reports what is alive, once and for all, and nothing runs afterwards', () => {
    const kernel = makeKernel();
    const record = kernel.enter(() =>
      kernel.callOut('a.sys', 'Init', () => kernel.objects.register('IPort', 'Wave')),
    );
    expect(kernel.leakReport().leaks).toMatchObject([
      { kind: 'IPort', name: 'Wave', driver: 'a.sys', references: null },
    ]);
    kernel.objects.remove(record);
    expect(kernel.dispose().leaks).toEqual([]);
    expect(kernel.halted).toBe(true);
  });
});
