import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { CUnknown, type IID } from '../../com/index.ts';
import {
  type CM_PARTIAL_RESOURCE_DESCRIPTOR,
  DISPATCH_LEVEL,
  Kernel,
  keGetCurrentIrql,
  makeResourceList,
  NtError,
  STATUS_INSUFFICIENT_RESOURCES,
  STATUS_INVALID_PARAMETER,
  STATUS_SUCCESS,
  STATUS_UNSUCCESSFUL,
  TestPlatform,
} from '../../kernel/index.ts';
import {
  IID_IServiceSink,
  type INTERRUPTSYNCMODE,
  InterruptSyncModeAll,
  InterruptSyncModeNormal,
  InterruptSyncModeRepeat,
  type IServiceSink,
} from '../ddi/index.ts';
import { fakeResources } from '../test-helpers.ts';
import { pcNewInterruptSync } from './interrupt-sync.ts';
import { pcNewResourceList, pcNewResourceSublist } from './resource-list.ts';
import { pcNewServiceGroup } from './service-group.ts';

function onMachine<T>(run: (kernel: Kernel, platform: TestPlatform) => T): T {
  const platform = new TestPlatform();
  const kernel = new Kernel(platform);
  const result = kernel.enter(() => run(kernel, platform));
  expect(kernel.leakReport().leaks).toEqual([]);
  kernel.dispose();
  return result;
}

function statusOf(call: () => unknown): number {
  try {
    call();
  } catch (error) {
    if (error instanceof NtError) return error.status;
    throw error;
  }
  return STATUS_SUCCESS;
}

const port = (start: number): CM_PARTIAL_RESOURCE_DESCRIPTOR => ({
  type: 'Port',
  shareDisposition: 'DeviceExclusive',
  flags: 1,
  start,
  length: 0x10,
});
const memory = (start: number): CM_PARTIAL_RESOURCE_DESCRIPTOR => ({
  type: 'Memory',
  shareDisposition: 'DeviceExclusive',
  flags: 0,
  start,
  length: 0x1000,
});

describe('IResourceList', () => {
  it('counts each type from 0 and keeps raw and translated entries side by side', () => {
    const kinds = fc.array(fc.constantFrom<'Port' | 'Memory'>('Port', 'Memory'), { maxLength: 20 });
    fc.assert(
      fc.property(kinds, (types) => {
        onMachine(() => {
          const make = (offset: number) =>
            makeResourceList(
              types.map((type, index) => (type === 'Port' ? port(index + offset) : memory(index + offset))),
            );
          using list = pcNewResourceList(make(0), make(1000));
          expect(list.numberOfEntries()).toBe(types.length);
          for (const type of ['Port', 'Memory'] as const) {
            const indices = types.flatMap((t, index) => (t === type ? [index] : []));
            expect(list.numberOfEntriesOfType(type)).toBe(indices.length);
            indices.forEach((at, nth) => {
              expect(list.findTranslatedEntry(type, nth)).toMatchObject({ start: at });
              expect(list.findUntranslatedEntry(type, nth)).toMatchObject({ start: at + 1000 });
            });
            expect(list.findTranslatedEntry(type, indices.length)).toBeNull();
          }
          expect(list.numberOfEntriesOfType('Interrupt')).toBe(0);
        });
      }),
      { numRuns: 50 },
    );
  });

  it('takes entries into a sublist until it is full', () => {
    onMachine(() => {
      const { raw, translated } = fakeResources();
      using list = pcNewResourceList(translated, raw);
      using sublist = pcNewResourceSublist(list, 1);
      expect(statusOf(() => sublist.addEntryFromParent(list, 'Memory', 0))).toBe(STATUS_INVALID_PARAMETER);
      sublist.addEntryFromParent(list, 'Interrupt', 0);
      expect(sublist.findTranslatedEntry('Interrupt', 0)).toMatchObject({ level: 6 });
      expect(sublist.findUntranslatedEntry('Interrupt', 0)).toMatchObject({ level: 5 });
      expect(statusOf(() => sublist.addEntryFromParent(list, 'Port', 0))).toBe(STATUS_INSUFFICIENT_RESOURCES);
      expect(statusOf(() => list.addEntry(port(0), port(0)))).toBe(STATUS_INSUFFICIENT_RESOURCES);
    });
  });
});

describe('IInterruptSync', () => {
  function claims(mode: INTERRUPTSYNCMODE, answers: readonly (readonly boolean[])[]): string[] {
    return onMachine((kernel, platform) => {
      const { raw, translated } = fakeResources();
      using list = pcNewResourceList(translated, raw);
      using sync = pcNewInterruptSync(null, list, 0, mode);
      const calls: string[] = [];
      const passes = answers.map(() => 0);
      answers.forEach((sequence, index) => {
        sync.registerServiceRoutine(
          () => {
            calls.push(`${index}`);
            const claimed = sequence[passes[index] as number] ?? false;
            passes[index] = (passes[index] as number) + 1;
            platform.setInterrupt(5, false);
            return claimed;
          },
          null,
          false,
        );
      });
      sync.connect();
      platform.setInterrupt(5, true);
      kernel.drain();
      sync.disconnect();
      return calls;
    });
  }

  it('stops at the first success in normal mode', () => {
    expect(claims(InterruptSyncModeNormal, [[false], [true], [true]])).toEqual(['0', '1']);
  });

  it('calls everyone once in mode All', () => {
    expect(claims(InterruptSyncModeAll, [[true], [false], [true]])).toEqual(['0', '1', '2']);
  });

  it('goes round until nobody succeeds in mode Repeat', () => {
    expect(
      claims(InterruptSyncModeRepeat, [
        [true, false],
        [false, true],
      ]),
    ).toEqual(['0', '1', '0', '1', '0', '1']);
  });

  it('ends a repeat loop whose routine always succeeds, with a finding', () => {
    onMachine((kernel, platform) => {
      const { raw, translated } = fakeResources();
      using list = pcNewResourceList(translated, raw);
      using sync = pcNewInterruptSync(null, list, 0, InterruptSyncModeRepeat);
      sync.registerServiceRoutine(
        () => {
          platform.setInterrupt(5, false);
          return true;
        },
        null,
        true,
      );
      sync.connect();
      platform.setInterrupt(5, true);
      kernel.drain();
      sync.disconnect();
      expect(kernel.trace.findings.map(({ text }) => text).join()).toContain('InterruptSyncModeRepeat');
    });
  });

  it('puts a routine first or last, runs synchronized code at DIRQL, and fails before connect', () => {
    onMachine((kernel, platform) => {
      const { raw, translated } = fakeResources();
      using list = pcNewResourceList(translated, raw);
      using sync = pcNewInterruptSync(null, list, 0, InterruptSyncModeAll);
      expect(sync.getKInterrupt()).toBeNull();
      expect(statusOf(() => sync.callSynchronizedRoutine(() => {}, null))).toBe(STATUS_UNSUCCESSFUL);
      const order: string[] = [];
      for (const [name, first] of [
        ['a', false],
        ['b', true],
        ['c', false],
      ] as const) {
        sync.registerServiceRoutine(
          (_sync, context) => {
            order.push(String(context));
            platform.setInterrupt(5, false);
            return true;
          },
          name,
          first,
        );
      }
      sync.connect();
      sync.connect();
      platform.setInterrupt(5, true);
      kernel.drain();
      expect(order).toEqual(['b', 'a', 'c']);
      let irql = -1;
      const status = sync.callSynchronizedRoutine((_sync, wanted: number) => {
        irql = keGetCurrentIrql();
        platform.setInterrupt(5, true);
        expect(order).toHaveLength(3);
        expect(wanted).toBe(7);
      }, 7);
      expect(status).toBe(STATUS_SUCCESS);
      expect(irql).toBe(6);
      kernel.drain();
      expect(order).toHaveLength(6);
      expect(sync.getKInterrupt()).not.toBeNull();
    });
  });

  it('fails for an index beyond the list', () => {
    onMachine(() => {
      const { raw, translated } = fakeResources();
      using list = pcNewResourceList(translated, raw);
      expect(statusOf(() => pcNewInterruptSync(null, list, 1, InterruptSyncModeNormal))).toBe(
        STATUS_INVALID_PARAMETER,
      );
    });
  });
});

class Sink extends CUnknown implements IServiceSink {
  readonly irqls: number[] = [];
  readonly onService: () => void;

  constructor(onService: () => void = () => {}) {
    super('Sink');
    this.onService = onService;
  }

  requestService(): void {
    this.irqls.push(keGetCurrentIrql());
    this.onService();
  }

  protected override nonDelegatingQueryInterface(iid: IID<unknown>): object | null {
    return iid.equals(IID_IServiceSink) ? this : super.nonDelegatingQueryInterface(iid);
  }
}

describe('IServiceGroup', () => {
  it('calls its members in order at DISPATCH_LEVEL and holds a reference to each', () => {
    onMachine(() => {
      const order: string[] = [];
      using a = new Sink(() => order.push('a'));
      using b = new Sink(() => order.push('b'));
      using group = pcNewServiceGroup();
      group.addMember(a);
      group.addMember(b);
      expect(a.referenceCount).toBe(2);
      group.requestService();
      expect(order).toEqual(['a', 'b']);
      expect(a.irqls).toEqual([DISPATCH_LEVEL]);
      group.removeMember(a);
      group.removeMember(a);
      expect(a.referenceCount).toBe(1);
      group.requestService();
      expect(order).toEqual(['a', 'b', 'b']);
    });
  });

  it('serves a delayed request once, at its time, unless it is cancelled', () => {
    onMachine((kernel) => {
      using sink = new Sink();
      using group = pcNewServiceGroup();
      group.addMember(sink);
      expect(statusOf(() => group.requestDelayedService(-100))).toBe(STATUS_INVALID_PARAMETER);
      group.supportDelayedService();
      group.requestDelayedService(-50_000);
      kernel.loop.letTimePass(49_999);
      kernel.drain();
      expect(sink.irqls).toEqual([]);
      kernel.loop.letTimePass(1);
      kernel.drain();
      expect(sink.irqls).toEqual([DISPATCH_LEVEL]);
      group.requestDelayedService(-50_000);
      group.cancelDelayedService();
      kernel.loop.letTimePass(100_000);
      kernel.drain();
      expect(sink.irqls).toHaveLength(1);
    });
  });
});
