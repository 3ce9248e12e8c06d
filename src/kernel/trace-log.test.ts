import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type TraceEvent, TraceKind } from './trace.ts';
import { Trace } from './trace-log.ts';

describe('Trace', () => {
  it('records the kinds of its mask only, numbered without gaps', () => {
    const trace = new Trace({ mask: TraceKind.Ddi | TraceKind.Dma });
    trace.emit(TraceKind.Ddi, 'I', 'driver', 'one');
    trace.emit(TraceKind.Register, 'I', 'card', 'PO_LVI');
    trace.emit(TraceKind.Dma, 'I', 'card', 'two', { length: 4 });
    expect(trace.events().map(({ sequence, name }) => [sequence, name])).toEqual([
      [1, 'one'],
      [2, 'two'],
    ]);
  });

  it('takes time and IRQL from the machine; a DMA transfer has no IRQL', () => {
    const trace = new Trace({ mask: TraceKind.All });
    const clock = { now: 5 };
    const processor = { irql: 2 };
    trace.attach(clock, processor);
    trace.emit(TraceKind.Ddi, 'I', 'driver', 'a');
    clock.now = 9;
    trace.emit(TraceKind.Dma, 'I', 'card', 'b');
    expect(trace.events().map(({ tick, irql }) => [tick, irql])).toEqual([
      [5, 2],
      [9, null],
    ]);
  });

  it('names the open span as the cause, the B as the cause of its E, and a given cause for what was queued', () => {
    const trace = new Trace({ mask: TraceKind.All });
    trace.emit(TraceKind.Irp, 'B', 'client', 'IRP_MJ_CREATE');
    trace.emit(TraceKind.Ddi, 'B', 'driver', 'NewStream');
    const queuedFrom = trace.currentCause;
    trace.emit(TraceKind.Register, 'I', 'card', 'GLOB_CNT');
    trace.emit(TraceKind.Ddi, 'E', 'driver', 'NewStream');
    trace.emit(TraceKind.Irp, 'E', 'client', 'IRP_MJ_CREATE');
    trace.begin(TraceKind.Dpc, 'driver', 'DpcForIsr', queuedFrom);
    trace.emit(TraceKind.Dpc, 'E', 'driver', 'DpcForIsr');
    trace.emit(TraceKind.Client, 'I', 'client', 'end');
    expect(trace.events().map(({ phase, name, cause }) => `${phase} ${name} <- ${cause}`)).toEqual([
      'B IRP_MJ_CREATE <- null',
      'B NewStream <- 1',
      'I GLOB_CNT <- 2',
      'E NewStream <- 2',
      'E IRP_MJ_CREATE <- 1',
      'B DpcForIsr <- 2',
      'E DpcForIsr <- 6',
      'I end <- null',
    ]);
  });

  it('survives spans that were left open by an exception or switched on in the middle', () => {
    const trace = new Trace({ mask: TraceKind.All });
    trace.emit(TraceKind.Ddi, 'B', 'driver', 'outer');
    trace.emit(TraceKind.Ddi, 'B', 'driver', 'never ended');
    trace.emit(TraceKind.Ddi, 'E', 'driver', 'outer');
    expect(trace.currentCause).toBe(0);
    trace.emit(TraceKind.Ddi, 'E', 'driver', 'never begun');
    expect(trace.events().at(-1)?.cause).toBeNull();
  });

  it('gives every event to listeners, whatever the ring keeps, until they leave', () => {
    const trace = new Trace({ mask: TraceKind.All, keep: 0 });
    const heard: TraceEvent[] = [];
    const leave = trace.onEvent((event) => heard.push(event));
    trace.emit(TraceKind.Ddi, 'I', 'a', 'x');
    trace.emit(TraceKind.Ddi, 'I', 'a', 'y', { n: 1 });
    leave();
    trace.emit(TraceKind.Ddi, 'I', 'a', 'z');
    expect(heard.map(({ name, data }) => [name, data])).toEqual([
      ['x', null],
      ['y', { n: 1 }],
    ]);
    expect(trace.events()).toEqual([]);
  });

  it('keeps findings even when they are masked out, up to a limit', () => {
    const trace = new Trace({ mask: 0 });
    trace.attach({ now: 3 }, null);
    trace.finding('card', 'unknown register', { offset: 0x7f });
    expect(trace.findings).toEqual([
      { tick: 3, source: 'card', text: 'unknown register', data: { offset: 0x7f } },
    ]);
    expect(trace.events()).toEqual([]);
    for (let i = 0; i < 10_005; i++) trace.finding('card', 'again');
    expect(trace.findings.length).toBe(10_000);
    expect(trace.findingsDropped).toBe(6);
  });

  it('the ring holds exactly the newest events, and copies of them', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 20 }), fc.nat(60), fc.nat(30), (keep, count, wanted) => {
        const trace = new Trace({ mask: TraceKind.All, keep });
        for (let i = 1; i <= count; i++) trace.emit(TraceKind.Ddi, 'I', 's', `${i}`);
        const all = Array.from({ length: count }, (_, i) => `${i + 1}`);
        const kept = trace.events();
        expect(kept.map(({ name }) => name)).toEqual(all.slice(-keep));
        expect(trace.last(wanted).map(({ name }) => name)).toEqual(
          wanted === 0 ? [] : all.slice(-Math.min(keep, wanted)),
        );
        const before = JSON.stringify(kept);
        for (let i = 0; i < keep; i++) trace.emit(TraceKind.Ddi, 'I', 's', 'later');
        expect(JSON.stringify(kept)).toBe(before);
      }),
    );
  });
});
