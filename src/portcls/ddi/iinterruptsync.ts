import { guid, IID, type IUnknown } from '../../com/index.ts';
import type { KINTERRUPT, NTSTATUS } from '../../kernel/index.ts';
import type { HandlerStatus } from './descriptors.ts';

/** How an interrupt-sync object calls its service routines (DDI page PcNewInterruptSync). */
export const InterruptSyncModeNormal = 1;
export const InterruptSyncModeAll = 2;
export const InterruptSyncModeRepeat = 3;
export type INTERRUPTSYNCMODE = 1 | 2 | 3;

/** A service routine: true (STATUS_SUCCESS) when the interrupt was its device's. Runs at the interrupt's IRQL. */
export type INTERRUPTSYNCSERVICEROUTINE = (interruptSync: IInterruptSync, dynamicContext: unknown) => boolean;
/** A routine that runs with the interrupt held off. */
export type INTERRUPTSYNCROUTINE<C> = (interruptSync: IInterruptSync, dynamicContext: C) => HandlerStatus;

/** Connects service routines to an interrupt and keeps code apart from them (DDI page IInterruptSync). */
export interface IInterruptSync extends IUnknown {
  /**
   * Runs `routine` at the interrupt's IRQL, excluded from the service routines, and returns its status. Up to the
   * interrupt's own IRQL. Before connect, or after disconnect: throws STATUS_UNSUCCESSFUL.
   */
  callSynchronizedRoutine<C>(routine: INTERRUPTSYNCROUTINE<C>, dynamicContext: C): NTSTATUS;
  /** Connects the interrupt; throws what ioConnectInterrupt throws. A second connect does nothing. PASSIVE_LEVEL. */
  connect(): void;
  /** Disconnects; after it no service routine runs. PASSIVE_LEVEL. */
  disconnect(): void;
  /** The interrupt object, null while not connected. Any IRQL. */
  getKInterrupt(): KINTERRUPT | null;
  /** Adds a routine at the head (`first`) or tail of the list, before or after connect. */
  registerServiceRoutine(routine: INTERRUPTSYNCSERVICEROUTINE, dynamicContext: unknown, first: boolean): void;
}

export const IID_IInterruptSync = new IID<IInterruptSync>(
  'IID_IInterruptSync',
  guid('{22C6AC63-851B-11D0-9A7F-00AA0038ACFE}'),
);
