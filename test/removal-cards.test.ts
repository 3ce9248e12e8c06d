import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { CARDS } from '../src/catalog.ts';
import type { StreamMode } from '../src/client/index.ts';
import { PowerSystemSleeping3, PowerSystemWorking, VirtualClock } from '../src/kernel/index.ts';
import { CardBench } from './support/card-bench.ts';

const mode = fc.constantFrom<StreamMode>('timer', 'event', 'packet');

function armedAlarms({ kernel }: CardBench): number {
  if (!(kernel.clock instanceof VirtualClock)) throw new Error('the machine runs in virtual time');
  return kernel.clock.armedCount;
}

describe.each(CARDS)('$name', (card) => {
  it('has streams on all its pins at once', () => {
    using bench = new CardBench(card);
    const streams = bench.openAll();
    const waves = new Set(
      bench.waveEndpoints().flatMap(({ pins }) => pins.map(({ id, route }) => `${route.filter.path} ${id}`)),
    );
    expect(streams).toHaveLength(waves.size + bench.midi.endpoints().length);
    for (const stream of streams) stream.start();
    bench.pass(200);
    for (const { what, state } of streams) expect([what, state]).toEqual([what, 'running']);
    expect(bench.findings).toEqual([]);
  });

  it('pulled out while all streams run leaves nothing, tells the application, and works again when it is back', () => {
    fc.assert(
      fc.property(
        mode,
        fc.integer({ min: 20, max: 100 }),
        // To the tick: in the middle of periods, interrupts and wakes.
        fc.integer({ min: 0, max: 2_000_000 }),
        fc.boolean(),
        (streamMode, bufferMs, ticks, asleep) => {
          using bench = new CardBench(card);
          const handles = bench.process.handleCount;
          const streams = bench.openAll(streamMode, bufferMs);
          for (const stream of streams) stream.start();
          bench.machine.runFor(ticks);
          if (asleep) bench.kernel.enter(() => bench.kernel.pnp.setSystemPowerState(PowerSystemSleeping3));
          bench.unplug();
          if (asleep) bench.kernel.enter(() => bench.kernel.pnp.setSystemPowerState(PowerSystemWorking));
          expect(bench.run(() => streams.every(({ ended }) => ended), 10)).toBe(true);
          for (const { what, state, error } of streams) {
            expect([what, state]).toEqual([what, 'failed']);
            expect(error?.message).toMatch(
              /STATUS_|no notification|stuck|stopped|not moved|has stayed|completed no/i,
            );
          }
          for (const stream of streams) stream.close();
          bench.pass(1);
          bench.expectNothingLeft();
          // The driver knows what all ones in its registers mean: it waits for nothing and reports nothing.
          expect(bench.findings).toEqual([]);
          expect(bench.process.handleCount).toBe(handles);
          const armed = armedAlarms(bench);
          bench.replug();
          bench.expectWorks();
          bench.unplug();
          bench.pass(1);
          expect(armedAlarms(bench)).toBeLessThanOrEqual(armed);
          bench.expectNothingLeft();
        },
      ),
      { numRuns: 12 },
    );
  });

  it('pulled out and put back forty times leaves nothing behind and works', () => {
    using bench = new CardBench(card);
    let alive: number | null = null;
    let pages: number | null = null;
    for (let round = 0; round < 40; round++) {
      if (round % 4 === 0) {
        const streams = bench.openAll();
        for (const stream of streams) stream.start();
        bench.pass(15);
        bench.unplug();
        for (const stream of streams) stream.close();
        bench.killApplication();
      } else bench.unplug();
      bench.pass(1);
      const { kernel } = bench;
      alive ??= kernel.objects.count;
      pages ??= kernel.memory.freePageCount;
      expect([round, kernel.objects.count, kernel.memory.freePageCount]).toEqual([round, alive, pages]);
      bench.replug();
    }
    bench.expectWorks();
    expect(bench.findings).toEqual([]);
  });

  it('whose application dies in the middle of everything is silent, free, and serves the next one', () => {
    fc.assert(
      fc.property(mode, fc.integer({ min: 0, max: 2_000_000 }), (streamMode, ticks) => {
        using bench = new CardBench(card);
        // A driver may keep what its first stream needed.
        bench.openAll(streamMode);
        bench.killApplication();
        const objects = bench.kernel.objects.count;
        for (const stream of bench.openAll(streamMode)) stream.start();
        bench.machine.runFor(ticks);
        bench.killApplication();
        expect(bench.kernel.objects.count).toBe(objects);
        bench.pass(10);
        bench.expectWorks();
        expect(bench.findings).toEqual([]);
      }),
      { numRuns: 8 },
    );
  });
});
