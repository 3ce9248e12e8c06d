import { BugcheckCode } from './bugcheck.ts';
import { currentKernel } from './current.ts';
import { irqlName, type KIRQL, PASSIVE_LEVEL, requireIrql } from './irql.ts';
import { DEVICE_LEVEL_MIN, HIGH_LEVEL } from './irql-levels.ts';
import type { Kernel } from './kernel.ts';
import { NtError } from './nt-error.ts';
import { STATUS_INVALID_PARAMETER } from './ntstatus.ts';
import type { ObjectRecord } from './object.ts';
import { KSPIN_LOCK } from './spinlock.ts';

/** 'LevelSensitive' for lines that stay asserted until serviced (PCI), 'Latched' for edges (ISA). */
export type KINTERRUPT_MODE = 'LevelSensitive' | 'Latched';

/**
 * The routine behind an interrupt: takes the cause away at the device and returns true; false when the interrupt is not its
 * device's. Runs at the interrupt object's synchronise level with its spin lock held.
 */
export type KSERVICE_ROUTINE<C> = (interrupt: KINTERRUPT<C>, serviceContext: C) => boolean;

/** What {@link ioConnectInterrupt} takes. */
export interface CONNECT_INTERRUPT_PARAMETERS<C> {
  readonly serviceRoutine: KSERVICE_ROUTINE<C>;
  readonly serviceContext: C;
  /** For a driver that shares one lock among several interrupts or keeps it itself; otherwise the object has its own. */
  readonly spinLock?: KSPIN_LOCK | null;
  /** The translated vector of the resource list. */
  readonly vector: number;
  /** The device's IRQL, from the translated resource. */
  readonly irql: KIRQL;
  /** Level at which service and synchronise routines run: `irql`, or the highest of several interrupts that share a lock. */
  readonly synchronizeIrql: KIRQL;
  readonly interruptMode: KINTERRUPT_MODE;
  readonly shareVector: boolean;
  /** The line of the interrupt controller. */
  readonly line: number;
}

/** A connected interrupt. */
export class KINTERRUPT<C = unknown> {
  /** What reports call it. */
  readonly name: string;
  readonly driver: string | null;
  readonly vector: number;
  readonly line: number;
  readonly irql: KIRQL;
  readonly synchronizeIrql: KIRQL;
  readonly latched: boolean;
  readonly shareVector: boolean;
  readonly spinLock: KSPIN_LOCK;
  /** How often the service routine ran, and how often it claimed the interrupt. */
  serviceCount = 0;
  claimedCount = 0;
  connected = true;
  readonly record: ObjectRecord;
  /** Runs the service routine; the dispatcher does this. */
  readonly invoke: () => boolean;

  constructor(kernel: Kernel, parameters: CONNECT_INTERRUPT_PARAMETERS<C>) {
    const { serviceRoutine, serviceContext } = parameters;
    this.line = parameters.line;
    this.vector = parameters.vector;
    this.name = `${serviceRoutine.name === '' ? 'ServiceRoutine' : serviceRoutine.name} (line ${this.line})`;
    this.driver = kernel.currentDriver;
    this.irql = parameters.irql;
    this.synchronizeIrql = parameters.synchronizeIrql;
    this.latched = parameters.interruptMode === 'Latched';
    this.shareVector = parameters.shareVector;
    this.spinLock = parameters.spinLock ?? new KSPIN_LOCK(`interrupt line ${this.line}`);
    this.record = kernel.objects.register('KINTERRUPT', `line ${this.line}`);
    this.invoke = () => serviceRoutine(this, serviceContext);
  }
}

/**
 * IoConnectInterrupt: from now on the service routine is called for the line's interrupts; one that is already asserted arrives
 * before this returns. PASSIVE_LEVEL. Throws STATUS_INVALID_PARAMETER when the line is taken by a driver that does not share it
 * (or this one does not), is triggered otherwise there, does not exist, or the levels make no sense.
 */
export function ioConnectInterrupt<C>(parameters: CONNECT_INTERRUPT_PARAMETERS<C>): KINTERRUPT<C> {
  requireIrql(PASSIVE_LEVEL, 'IoConnectInterrupt');
  const kernel = currentKernel();
  const { line, irql, synchronizeIrql, shareVector } = parameters;
  const lines = kernel.platform.interruptLineCount;
  if (!Number.isInteger(line) || line < 0 || line >= lines)
    refuse(`there is no interrupt line ${line} (0…${lines - 1})`);
  if (irql < DEVICE_LEVEL_MIN || irql > HIGH_LEVEL) refuse(`${irqlName(irql)} is no device's level`);
  if (synchronizeIrql < irql || synchronizeIrql > HIGH_LEVEL) {
    refuse(`the synchronise level ${irqlName(synchronizeIrql)} is below the interrupt's ${irqlName(irql)}`);
  }
  for (const other of kernel.interrupts.chainOf(line)) {
    if (!shareVector || !other.shareVector)
      refuse(`line ${line} is in use by ${other.driver ?? 'the kernel'} and not shared`);
    if (other.latched !== (parameters.interruptMode === 'Latched'))
      refuse(`line ${line} is triggered otherwise by its other user`);
  }
  const interrupt = new KINTERRUPT(kernel, parameters);
  kernel.interrupts.connect(interrupt);
  if (kernel.processor.pendingIrql > kernel.processor.irql) kernel.processor.dispatchPending();
  return interrupt;
}

function refuse(why: string): never {
  throw new NtError(STATUS_INVALID_PARAMETER, `IoConnectInterrupt: ${why}`);
}

/** IoDisconnectInterrupt: the service routine is called no more. PASSIVE_LEVEL. Bugcheck when it is not connected. */
export function ioDisconnectInterrupt(interrupt: KINTERRUPT): void {
  requireIrql(PASSIVE_LEVEL, 'IoDisconnectInterrupt');
  const kernel = currentKernel();
  if (!interrupt.connected) {
    kernel.bugcheck(
      BugcheckCode.DRIVER_VERIFIER_DETECTED_VIOLATION,
      [0, 0, 0, 0],
      `IoDisconnectInterrupt: '${interrupt.name}' is not connected.`,
    );
  }
  interrupt.connected = false;
  kernel.interrupts.disconnect(interrupt);
  kernel.objects.remove(interrupt.record);
}

/**
 * KeSynchronizeExecution: runs `routine` at the interrupt's synchronise level with its spin lock held, so that the service routine
 * cannot run meanwhile; returns its result. Up to the interrupt's level.
 */
export function keSynchronizeExecution<T>(interrupt: KINTERRUPT, routine: () => T): T {
  const old = keAcquireInterruptSpinLock(interrupt);
  const kernel = currentKernel();
  let result: T;
  try {
    result = routine();
  } catch (error) {
    return kernel.exceptionInRoutine(
      BugcheckCode.KMODE_EXCEPTION_NOT_HANDLED,
      error,
      'a synchronise routine',
    );
  }
  if (kernel.processor.irql !== interrupt.synchronizeIrql) kernel.irqlChanged(interrupt.synchronizeIrql);
  keReleaseInterruptSpinLock(interrupt, old);
  return result;
}

/** KeAcquireInterruptSpinLock: raises to the interrupt's synchronise level and takes its lock; returns the old level. */
export function keAcquireInterruptSpinLock(interrupt: KINTERRUPT): KIRQL {
  const kernel = currentKernel();
  if (kernel.processor.irql > interrupt.synchronizeIrql)
    requireIrql(interrupt.synchronizeIrql, 'KeSynchronizeExecution');
  const old = kernel.processor.raiseIrql(interrupt.synchronizeIrql);
  interrupt.spinLock.acquire(kernel);
  return old;
}

/** KeReleaseInterruptSpinLock: frees the lock and goes back to the level that {@link keAcquireInterruptSpinLock} returned. */
export function keReleaseInterruptSpinLock(interrupt: KINTERRUPT, oldIrql: KIRQL): void {
  const kernel = currentKernel();
  interrupt.spinLock.release(kernel);
  kernel.processor.lowerIrql(oldIrql);
}
