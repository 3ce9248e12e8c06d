/** The kinds of events on the timeline, as bits so that a mask switches each on or off. */
export const TraceKind = {
  Irp: 1 << 0,
  Ddi: 1 << 1,
  Register: 1 << 2,
  Dma: 1 << 3,
  Interrupt: 1 << 4,
  Dpc: 1 << 5,
  Timer: 1 << 6,
  Pnp: 1 << 7,
  State: 1 << 8,
  Client: 1 << 9,
  Finding: 1 << 10,
  /** KS requests in words: what an IRP_MJ_DEVICE_CONTROL asks for. */
  Ks: 1 << 11,
  All: 0xfff,
  /** Everything whose rate does not grow with register traffic and that costs no words; kept for the bugcheck report. */
  Cold: 0xfff & ~((1 << 2) | (1 << 3) | (1 << 11)),
} as const;
export type TraceKind = number;

/** Values an event may carry; they go to JSON as they are. */
export type TraceValue = string | number | boolean | null;

/** One point (or, with `durationTicks`, one span) on the timeline. */
export interface TraceEvent {
  /** Sequence number, rising by one: the order in which things happened within one tick. */
  readonly sequence: number;
  /** Virtual time, 100-ns ticks since the machine started. */
  readonly tick: number;
  readonly kind: TraceKind;
  /** Who: driver, device, card, port or client name. */
  readonly source: string;
  /** What: 'IMiniportWaveRT::NewStream', 'PO_LVI', 'IRP_MJ_CREATE' … */
  readonly name: string;
  /** IRQL at that moment; null when no processor is concerned (a card moving data). */
  readonly irql: number | null;
  /** Begin and end of a span carry 'B' and 'E'; a point carries 'I'. */
  readonly phase: 'B' | 'E' | 'I';
  /** Sequence number of the event that caused this one, null at a root. */
  readonly cause: number | null;
  readonly data: Readonly<Record<string, TraceValue>> | null;
}

/** Where events go. `mask` is read before anything is built, so that an event that nobody wants costs one AND. */
export interface Tracer {
  readonly mask: number;
  emit(
    kind: TraceKind,
    phase: 'B' | 'E' | 'I',
    source: string,
    name: string,
    data?: Readonly<Record<string, TraceValue>>,
  ): void;
}
