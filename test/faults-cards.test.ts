import { describe, expect, it } from 'vitest';
import { CARDS, type CatalogCard } from '../src/catalog.ts';
import { ClientError, type StreamMode } from '../src/client/index.ts';
import {
  BugcheckError,
  type Kernel,
  NtError,
  PowerSystemSleeping3,
  PowerSystemWorking,
  STATUS_DEVICE_BUSY,
} from '../src/kernel/index.ts';
import { CardBench } from './support/card-bench.ts';

/** A routine of the driver as the system calls it, and what becomes of the call. */
type Hook = (method: string) => void;

/** Lets `hook` see every call of the card's driver before it is made; what it throws is thrown in the driver's place. */
function hookDriver(kernel: Kernel, driverName: string, hook: Hook): void {
  const original = kernel.callOut.bind(kernel);
  kernel.callOut = <T>(driver: string, method: string, fn: () => T): T =>
    original(driver, method, () => {
      if (driver === driverName) hook(method);
      return fn();
    });
}

/** Everything that a user does to a card: all its streams, sleep, controls, removal. */
function useCard(
  card: CatalogCard,
  hook: Hook,
  step: (action: () => void) => void,
  controls: 'set' | 'left alone',
): CardBench {
  const bench = new CardBench(card, {
    checkLeaks: false,
    onMachine: ({ kernel }) => hookDriver(kernel, card.driver.name, hook),
  });
  const modes: readonly StreamMode[] = card.ports.includes('WaveRT') ? ['event', 'packet'] : ['event'];
  for (const mode of modes) {
    step(() => {
      const streams = bench.openAll(mode);
      for (const stream of streams) step(() => stream.start());
      bench.pass(40);
      if (mode === 'event') {
        bench.kernel.enter(() => bench.kernel.pnp.setSystemPowerState(PowerSystemSleeping3));
        bench.pass(5);
        bench.kernel.enter(() => bench.kernel.pnp.setSystemPowerState(PowerSystemWorking));
        bench.pass(30);
      }
      for (const stream of streams) step(() => stream.close());
      bench.pass(5);
    });
  }
  step(() => {
    if (controls !== 'set') return;
    const all = bench.audio.controls();
    for (const control of all.list.filter(({ get, set }) => get && set).slice(0, 6))
      step(() => all.set(control, all.get(control)));
  });
  step(() => {
    for (const stream of bench.openAll()) step(() => stream.start());
    bench.pass(20);
    bench.unplug();
    bench.killApplication();
    bench.pass(5);
  });
  return bench;
}

/** A routine of the driver that the system calls, and whether it takes a control to be set for that. */
interface Routine {
  readonly name: string;
  readonly controls: 'set' | 'left alone';
}

/** The driver's routines that the system called, in the order of their first calls. */
function routinesOf(card: CatalogCard): readonly Routine[] {
  const called = (controls: Routine['controls']): Set<string> => {
    const names = new Set<string>();
    const bench = useCard(
      card,
      (method) => names.add(method),
      (action) => action(),
      controls,
    );
    expect(bench.findings).toEqual([]);
    expect(bench.end()).toBe('');
    return names;
  };
  // Reading what controls there are takes a while: only where a routine needs it.
  const without = called('left alone');
  return [...new Set([...without, ...called('set')])].map((name) => ({
    name,
    controls: without.has(name) ? 'left alone' : 'set',
  }));
}

/** Throws what `fault` makes in the first call of a routine. */
function failing(
  routine: string,
  fault: () => Error,
): { readonly hook: Hook; readonly failed: () => boolean } {
  let failed = false;
  return {
    hook: (method) => {
      if (failed || method !== routine) return;
      failed = true;
      throw fault();
    },
    failed: () => failed,
  };
}

/**
 * Routines without a status in C: one that is thrown there ends the machine, as any exception does, or leaves what should have been
 * given back.
 */
const WITHOUT_STATUS = /Release$|RemoveMember$|::Service$|::RequestService$|^PowerCompletion$|::Free\w+$/;

/** What a user of a card sees go wrong: requests that fail. */
function tolerant(action: () => void): void {
  try {
    action();
  } catch (error) {
    if (!(error instanceof NtError) && !(error instanceof ClientError)) throw error;
  }
}

describe.each(CARDS)('the driver of $name', (card) => {
  it('that goes wrong anywhere is named by the report, and ends its own machine only', {
    timeout: 300_000,
  }, () => {
    const routines = routinesOf(card);
    expect(routines.length).toBeGreaterThan(10);
    for (const { name: routine, controls } of routines) {
      const { hook, failed } = failing(routine, () => new TypeError('a bug of the driver'));
      let report: unknown = null;
      try {
        useCard(card, hook, (action) => action(), controls).end();
      } catch (error) {
        report = error;
      }
      expect([routine, failed()]).toEqual([routine, true]);
      if (!(report instanceof BugcheckError)) throw new Error(`${routine}: ${report}`);
      expect([routine, report.bugcheck.driver, report.bugcheck.method]).toEqual([
        routine,
        card.driver.name,
        routine,
      ]);
      expect(report.message).toContain('a bug of the driver');
    }
    // The next machine knows nothing of it.
    using bench = new CardBench(card);
    bench.expectWorks();
  });

  it('that refuses anywhere leaves the machine up and nothing behind, and the next card of its kind works', {
    timeout: 300_000,
  }, () => {
    const problems: string[] = [];
    for (const { name: routine, controls } of routinesOf(card)) {
      if (WITHOUT_STATUS.test(routine)) continue;
      const { hook, failed } = failing(routine, () => new NtError(STATUS_DEVICE_BUSY));
      try {
        const bench = useCard(card, hook, tolerant, controls);
        expect(failed()).toBe(true);
        bench.replug();
        bench.expectWorks();
        expect(bench.end()).toBe('');
      } catch (error) {
        problems.push(`${routine}: ${error}`);
      }
    }
    expect(problems).toEqual([]);
  });
});
