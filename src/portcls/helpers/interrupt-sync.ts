import { CUnknown, type IID, type IUnknown } from '../../com/index.ts';
import {
  type CM_INTERRUPT_RESOURCE,
  currentKernel,
  ioConnectInterrupt,
  ioDisconnectInterrupt,
  type KINTERRUPT,
  keSynchronizeExecution,
  type NTSTATUS,
  NtError,
  PASSIVE_LEVEL,
  requireIrql,
  STATUS_INVALID_PARAMETER,
  STATUS_SUCCESS,
  STATUS_UNSUCCESSFUL,
} from '../../kernel/index.ts';
import {
  IID_IInterruptSync,
  type IInterruptSync,
  type INTERRUPTSYNCMODE,
  type INTERRUPTSYNCROUTINE,
  type INTERRUPTSYNCSERVICEROUTINE,
  InterruptSyncModeAll,
  InterruptSyncModeNormal,
  InterruptSyncModeRepeat,
  type IResourceList,
} from '../ddi/index.ts';

const CM_RESOURCE_INTERRUPT_LATCHED = 1;
/**
 * Passes of the repeat mode in one interrupt. A routine that always claims the interrupt hangs Windows; here it ends with a
 * finding that says so.
 */
const REPEAT_LIMIT = 10_000;

interface Service {
  readonly routine: INTERRUPTSYNCSERVICEROUTINE;
  readonly context: unknown;
}

/** IInterruptSync over one interrupt resource. */
class InterruptSync extends CUnknown implements IInterruptSync {
  readonly #translated: CM_INTERRUPT_RESOURCE;
  readonly #raw: CM_INTERRUPT_RESOURCE;
  readonly #mode: INTERRUPTSYNCMODE;
  #services: readonly Service[] = [];
  #interrupt: KINTERRUPT | null = null;

  constructor(
    outerUnknown: IUnknown | null,
    translated: CM_INTERRUPT_RESOURCE,
    raw: CM_INTERRUPT_RESOURCE,
    mode: INTERRUPTSYNCMODE,
  ) {
    super('InterruptSync', outerUnknown);
    this.#translated = translated;
    this.#raw = raw;
    this.#mode = mode;
  }

  callSynchronizedRoutine<C>(routine: INTERRUPTSYNCROUTINE<C>, dynamicContext: C): NTSTATUS {
    requireIrql(this.#translated.level, 'IInterruptSync::CallSynchronizedRoutine');
    const interrupt = this.#interrupt;
    if (interrupt === null) throw new NtError(STATUS_UNSUCCESSFUL, 'the interrupt is not connected');
    return keSynchronizeExecution(interrupt, () => routine(this, dynamicContext)) ?? STATUS_SUCCESS;
  }

  connect(): void {
    requireIrql(PASSIVE_LEVEL, 'IInterruptSync::Connect');
    if (this.#interrupt !== null) return;
    this.#interrupt = ioConnectInterrupt({
      serviceRoutine: () => this.#service(),
      serviceContext: this,
      vector: this.#translated.vector,
      irql: this.#translated.level,
      synchronizeIrql: this.#translated.level,
      interruptMode:
        (this.#translated.flags & CM_RESOURCE_INTERRUPT_LATCHED) === 0 ? 'LevelSensitive' : 'Latched',
      shareVector: this.#translated.shareDisposition === 'Shared',
      line: this.#raw.level,
    });
  }

  disconnect(): void {
    requireIrql(PASSIVE_LEVEL, 'IInterruptSync::Disconnect');
    const interrupt = this.#interrupt;
    if (interrupt === null) return;
    this.#interrupt = null;
    ioDisconnectInterrupt(interrupt);
  }

  getKInterrupt(): KINTERRUPT | null {
    return this.#interrupt;
  }

  registerServiceRoutine(
    routine: INTERRUPTSYNCSERVICEROUTINE,
    dynamicContext: unknown,
    first: boolean,
  ): void {
    requireIrql(PASSIVE_LEVEL, 'IInterruptSync::RegisterServiceRoutine');
    const service: Service = { routine, context: dynamicContext };
    // The list is replaced, never changed: a service routine that is running walks the old one.
    this.#services = first ? [service, ...this.#services] : [...this.#services, service];
  }

  protected override nonDelegatingQueryInterface(iid: IID<unknown>): object | null {
    return iid.guid.equals(IID_IInterruptSync.guid) ? this : super.nonDelegatingQueryInterface(iid);
  }

  protected override finalRelease(): void {
    this.disconnect();
  }

  /** At the interrupt's IRQL; true acknowledges the interrupt to the system. */
  #service(): boolean {
    const services = this.#services;
    switch (this.#mode) {
      case InterruptSyncModeNormal:
        for (const service of services) if (service.routine(this, service.context)) return true;
        return false;
      case InterruptSyncModeAll:
        return this.#pass(services);
      case InterruptSyncModeRepeat: {
        let claimed = false;
        for (let pass = 0; this.#pass(services); pass++) {
          claimed = true;
          if (pass === REPEAT_LIMIT) {
            currentKernel().trace.finding(
              'PortCls',
              'InterruptSyncModeRepeat: a service routine claims the interrupt in every pass; the loop was ended',
              { passes: pass, vector: this.#translated.vector },
            );
            break;
          }
        }
        return claimed;
      }
    }
  }

  #pass(services: readonly Service[]): boolean {
    let claimed = false;
    for (const service of services) if (service.routine(this, service.context)) claimed = true;
    return claimed;
  }
}

/**
 * An interrupt-sync object for the `resourceIndex`-th interrupt of a list (DDI page PcNewInterruptSync), with one reference
 * for the caller. Throws STATUS_INVALID_PARAMETER for a mode that does not exist and for an index beyond the list.
 * PASSIVE_LEVEL.
 */
export function pcNewInterruptSync(
  outerUnknown: IUnknown | null,
  resourceList: IResourceList,
  resourceIndex: number,
  mode: INTERRUPTSYNCMODE,
): IInterruptSync {
  requireIrql(PASSIVE_LEVEL, 'PcNewInterruptSync');
  if (mode < InterruptSyncModeNormal || mode > InterruptSyncModeRepeat) {
    throw new NtError(STATUS_INVALID_PARAMETER, `no such INTERRUPTSYNCMODE: ${mode}`);
  }
  const translated = resourceList.findTranslatedEntry('Interrupt', resourceIndex);
  const raw = resourceList.findUntranslatedEntry('Interrupt', resourceIndex);
  if (translated?.type !== 'Interrupt' || raw?.type !== 'Interrupt') {
    throw new NtError(STATUS_INVALID_PARAMETER, `the resource list has no interrupt ${resourceIndex}`);
  }
  return new InterruptSync(outerUnknown, translated, raw, mode);
}
