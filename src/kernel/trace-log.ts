import { type TraceEvent, TraceKind, type Tracer, type TraceValue } from './trace.ts';

type TraceData = Readonly<Record<string, TraceValue>>;
type Phase = TraceEvent['phase'];

/** Something that no correct driver or card does; found, recorded and survived. */
export interface TraceFinding {
  readonly tick: number;
  /** Who is at fault: driver, card, client. */
  readonly source: string;
  readonly text: string;
  readonly data: TraceData | null;
}

export interface TraceOptions {
  /** Kinds that are recorded; {@link TraceKind.Cold} unless given. */
  readonly mask?: TraceKind;
  /** How many of the newest events are kept; 256 unless given, 0 for none (listeners still get all). */
  readonly keep?: number;
}

/** Findings beyond this number are counted, not kept: a card may report one for every register access. */
const KEPT_FINDINGS = 10_000;

interface Slot {
  sequence: number;
  tick: number;
  kind: TraceKind;
  source: string;
  name: string;
  irql: number | null;
  phase: Phase;
  cause: number | null;
  data: TraceData | null;
}

/**
 * The machine's timeline. Callers test `mask` before they build anything; what passes is kept in a ring whose slots are reused,
 * so that recording allocates nothing, and goes to the listeners.
 *
 * Causes: between a 'B' and its 'E' the open span is the cause of all that is emitted; the 'E' itself names its 'B'. What is
 * queued to run later (DPC, work item, timer) takes {@link currentCause} along and hands it to {@link begin}.
 */
export class Trace implements Tracer {
  mask: TraceKind;
  private readonly ring: Slot[] = [];
  private readonly keep: number;
  private nextSequence = 1;
  private readonly openSequences: number[] = [];
  private readonly openNames: string[] = [];
  private readonly listeners = new Set<(event: TraceEvent) => void>();
  private readonly findingList: TraceFinding[] = [];
  private findingsBeyondLimit = 0;
  private clock: { readonly now: number } = { now: 0 };
  private processor: { readonly irql: number } | null = null;

  constructor(options: TraceOptions = {}) {
    this.mask = options.mask ?? TraceKind.Cold;
    this.keep = options.keep ?? 256;
  }

  /** Gives the trace its time and its IRQL; the kernel does this. */
  attach(clock: { readonly now: number }, processor: { readonly irql: number } | null): void {
    this.clock = clock;
    this.processor = processor;
  }

  /** Sequence number of the innermost open span, 0 when none is open. */
  get currentCause(): number {
    const open = this.openSequences;
    return open.length === 0 ? 0 : (open[open.length - 1] as number);
  }

  /** Sequence number of the newest event, 0 before the first. */
  get lastSequence(): number {
    return this.nextSequence - 1;
  }

  emit(kind: TraceKind, phase: Phase, source: string, name: string, data?: TraceData): void {
    if ((this.mask & kind) === 0) return;
    const cause = phase === 'E' ? this.closeSpan(name) : this.currentCause;
    const sequence = this.record(kind, phase, source, name, cause, data);
    if (phase === 'B') this.openSpan(sequence, name);
  }

  /** Opens a span whose cause is an earlier event (0 for none), not the span that happens to be open. */
  begin(kind: TraceKind, source: string, name: string, cause: number, data?: TraceData): void {
    if ((this.mask & kind) === 0) return;
    this.openSpan(this.record(kind, 'B', source, name, cause, data), name);
  }

  /** Records a finding, whatever the mask, and puts it on the timeline when findings are wanted there. */
  finding(source: string, text: string, data?: TraceData): void {
    if (this.findingList.length < KEPT_FINDINGS) {
      this.findingList.push({ tick: this.clock.now, source, text, data: data ?? null });
    } else {
      this.findingsBeyondLimit++;
    }
    this.emit(TraceKind.Finding, 'I', source, text, data);
  }

  /** All findings so far, oldest first (the first 10,000; see {@link findingsDropped}). */
  get findings(): readonly TraceFinding[] {
    return this.findingList;
  }

  /** How many findings came after the list was full. */
  get findingsDropped(): number {
    return this.findingsBeyondLimit;
  }

  /** The kept events, oldest first: copies, which later events do not change. */
  events(): TraceEvent[] {
    return this.last(this.keep);
  }

  /** The newest `count` kept events, oldest first. */
  last(count: number): TraceEvent[] {
    const available = Math.min(count, this.ring.length);
    const events: TraceEvent[] = [];
    // Sequence numbers rise by one for every recorded event, so they give the slot.
    for (let sequence = this.nextSequence - available; sequence < this.nextSequence; sequence++) {
      const slot = this.ring[(sequence - 1) % this.keep];
      if (slot !== undefined) events.push({ ...slot });
    }
    return events;
  }

  /** Calls `listener` for every event recorded from now on; the result ends that. A listener must not enter the kernel. */
  onEvent(listener: (event: TraceEvent) => void): () => void {
    this.listeners.add(listener);
    return () => {
      this.listeners.delete(listener);
    };
  }

  private record(
    kind: TraceKind,
    phase: Phase,
    source: string,
    name: string,
    cause: number,
    data: TraceData | undefined,
  ): number {
    const sequence = this.nextSequence++;
    // A DMA transfer is the card's doing: the processor's level says nothing about it.
    const irql = this.processor === null || kind === TraceKind.Dma ? null : this.processor.irql;
    if (this.keep > 0) {
      const index = (sequence - 1) % this.keep;
      const slot = this.ring[index];
      if (slot === undefined) {
        this.ring[index] = this.newSlot(sequence, kind, phase, source, name, irql, cause, data);
      } else {
        slot.sequence = sequence;
        slot.tick = this.clock.now;
        slot.kind = kind;
        slot.source = source;
        slot.name = name;
        slot.irql = irql;
        slot.phase = phase;
        slot.cause = cause === 0 ? null : cause;
        slot.data = data ?? null;
      }
    }
    if (this.listeners.size > 0) {
      const event = this.newSlot(sequence, kind, phase, source, name, irql, cause, data);
      for (const listener of this.listeners) listener(event);
    }
    return sequence;
  }

  private newSlot(
    sequence: number,
    kind: TraceKind,
    phase: Phase,
    source: string,
    name: string,
    irql: number | null,
    cause: number,
    data: TraceData | undefined,
  ): Slot {
    return {
      sequence,
      tick: this.clock.now,
      kind,
      source,
      name,
      irql,
      phase,
      cause: cause === 0 ? null : cause,
      data: data ?? null,
    };
  }

  private openSpan(sequence: number, name: string): void {
    this.openSequences.push(sequence);
    this.openNames.push(name);
  }

  // Usually the innermost span ends. After an exception, or when the mask changed in between, spans inside were never closed
  // (they go with it) or this one was never opened (nothing happens).
  private closeSpan(name: string): number {
    const names = this.openNames;
    let index = names.length - 1;
    if (names[index] === name) {
      names.pop();
      return this.openSequences.pop() as number;
    }
    index = names.lastIndexOf(name);
    if (index < 0) return 0;
    const sequence = this.openSequences[index] as number;
    names.length = index;
    this.openSequences.length = index;
    return sequence;
  }
}
