import { CUnknown, type IID, type IUnknown } from '../../com/index.ts';
import {
  currentKernel,
  DISPATCH_LEVEL,
  KDPC,
  KTIMER,
  keCancelTimer,
  keInsertQueueDpc,
  keRemoveQueueDpc,
  keSetTimer,
  NtError,
  PASSIVE_LEVEL,
  requireIrql,
  STATUS_INVALID_PARAMETER,
} from '../../kernel/index.ts';
import { IID_IServiceGroup, IID_IServiceSink, type IServiceGroup, type IServiceSink } from '../ddi/index.ts';

/** IServiceGroup: one DPC that calls the members in the order in which they were added. */
class ServiceGroup extends CUnknown implements IServiceGroup {
  readonly #members: IServiceSink[] = [];
  readonly #dpc: KDPC;
  /** The driver that made the group, for the trace. */
  readonly #driver = currentKernel().currentDriver ?? 'PortCls';
  #timer: KTIMER | null = null;
  #timerDpc: KDPC | null = null;

  constructor(outerUnknown: IUnknown | null) {
    super('ServiceGroup', outerUnknown);
    this.#dpc = new KDPC(() => this.#service(), null);
  }

  requestService(): void {
    keInsertQueueDpc(this.#dpc);
  }

  addMember(serviceSink: IServiceSink): void {
    requireIrql(PASSIVE_LEVEL, 'IServiceGroup::AddMember');
    if (this.#members.includes(serviceSink)) {
      throw new NtError(STATUS_INVALID_PARAMETER, 'the sink is a member already');
    }
    serviceSink.addRef();
    this.#members.push(serviceSink);
  }

  removeMember(serviceSink: IServiceSink): void {
    requireIrql(PASSIVE_LEVEL, 'IServiceGroup::RemoveMember');
    const index = this.#members.indexOf(serviceSink);
    if (index < 0) return;
    this.#members.splice(index, 1);
    serviceSink.release();
  }

  supportDelayedService(): void {
    requireIrql(DISPATCH_LEVEL, 'IServiceGroup::SupportDelayedService');
    if (this.#timer !== null) return;
    this.#timer = new KTIMER();
    this.#timerDpc = new KDPC(() => this.#service(), null);
  }

  requestDelayedService(delay100ns: number): void {
    requireIrql(PASSIVE_LEVEL, 'IServiceGroup::RequestDelayedService');
    if (this.#timer === null || this.#timerDpc === null) {
      throw new NtError(STATUS_INVALID_PARAMETER, 'supportDelayedService was not called');
    }
    keSetTimer(this.#timer, delay100ns, this.#timerDpc);
  }

  cancelDelayedService(): void {
    requireIrql(PASSIVE_LEVEL, 'IServiceGroup::CancelDelayedService');
    if (this.#timer === null || this.#timerDpc === null) return;
    keCancelTimer(this.#timer);
    keRemoveQueueDpc(this.#timerDpc);
  }

  protected override nonDelegatingQueryInterface(iid: IID<unknown>): object | null {
    return iid.guid.equals(IID_IServiceGroup.guid) || iid.guid.equals(IID_IServiceSink.guid)
      ? this
      : super.nonDelegatingQueryInterface(iid);
  }

  protected override finalRelease(): void {
    keRemoveQueueDpc(this.#dpc);
    this.cancelDelayedService();
    for (const member of this.#members.splice(0)) member.release();
  }

  /** At DISPATCH_LEVEL. A member may add or remove members meanwhile: a copy is walked, and who left it is not called. */
  #service(): void {
    const kernel = currentKernel();
    for (const member of [...this.#members]) {
      if (!this.#members.includes(member)) continue;
      kernel.callOut(this.#driver, 'IServiceSink::RequestService', () => member.requestService());
    }
  }
}

/** A service group (DDI page PcNewServiceGroup) with one reference for the caller. PASSIVE_LEVEL. */
export function pcNewServiceGroup(outerUnknown: IUnknown | null = null): IServiceGroup {
  requireIrql(PASSIVE_LEVEL, 'PcNewServiceGroup');
  return new ServiceGroup(outerUnknown);
}
