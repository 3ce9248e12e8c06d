import { currentKernel } from './current.ts';
import { PASSIVE_LEVEL, requireIrql } from './irql.ts';

/** How soon a DPC runs: 'HighImportance' goes to the front of the queue, 'LowImportance' waits until DPCs run anyway. */
export type KDPC_IMPORTANCE =
  | 'LowImportance'
  | 'MediumImportance'
  | 'MediumHighImportance'
  | 'HighImportance';

/** A deferred procedure call: work that an ISR leaves for DISPATCH_LEVEL. */
export class KDPC<C = unknown> {
  /** What reports call it. */
  readonly name: string;
  /** Driver whose code made it. */
  readonly driver: string | null;
  importance: KDPC_IMPORTANCE = 'MediumImportance';
  /** In the queue; false again before the routine runs, so that it may queue itself. */
  queued = false;
  next: KDPC | null = null;
  traceCause = 0;
  systemArgument1: unknown = null;
  systemArgument2: unknown = null;
  /** Runs the routine; the processor does this at DISPATCH_LEVEL. */
  readonly invoke: () => void;

  /**
   * KeInitializeDpc. `deferredRoutine` runs at DISPATCH_LEVEL with the DPC, `deferredContext` and the two arguments of
   * {@link keInsertQueueDpc}.
   */
  constructor(
    deferredRoutine: (
      dpc: KDPC<C>,
      deferredContext: C,
      systemArgument1: unknown,
      systemArgument2: unknown,
    ) => void,
    deferredContext: C,
    name?: string,
  ) {
    this.name = name ?? (deferredRoutine.name === '' ? 'DeferredRoutine' : deferredRoutine.name);
    this.driver = currentKernel().currentDriver;
    this.invoke = () => {
      const argument1 = this.systemArgument1;
      const argument2 = this.systemArgument2;
      deferredRoutine(this, deferredContext, argument1, argument2);
    };
  }
}

/**
 * KeInsertQueueDpc: queues a DPC and returns true; false, and nothing changes, when it is queued already (the arguments of the
 * first call stay). Any IRQL. Below DISPATCH_LEVEL it runs before this returns, unless its importance is low.
 */
export function keInsertQueueDpc(
  dpc: KDPC,
  systemArgument1: unknown = null,
  systemArgument2: unknown = null,
): boolean {
  if (dpc.queued) return false;
  const kernel = currentKernel();
  dpc.queued = true;
  dpc.systemArgument1 = systemArgument1;
  dpc.systemArgument2 = systemArgument2;
  dpc.traceCause = kernel.trace.currentCause;
  kernel.processor.queueDpc(dpc, dpc.importance === 'HighImportance', dpc.importance !== 'LowImportance');
  return true;
}

/** KeRemoveQueueDpc: takes a DPC out of the queue; false when it was not in it. Any IRQL. */
export function keRemoveQueueDpc(dpc: KDPC): boolean {
  if (!dpc.queued) return false;
  currentKernel().processor.unqueueDpc(dpc);
  dpc.queued = false;
  return true;
}

/** KeSetImportanceDpc. Counts from the next queueing on. Any IRQL. */
export function keSetImportanceDpc(dpc: KDPC, importance: KDPC_IMPORTANCE): void {
  dpc.importance = importance;
}

/** KeFlushQueuedDpcs: returns when every queued DPC has run. PASSIVE_LEVEL. */
export function keFlushQueuedDpcs(): void {
  requireIrql(PASSIVE_LEVEL, 'KeFlushQueuedDpcs');
  currentKernel().processor.dispatchAll();
}
