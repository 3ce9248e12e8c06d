import { type GUID, type IID, type IUnknown, tryQueryInterface } from '../../../com/index.ts';
import { NtError, STATUS_NOINTERFACE } from '../../../kernel/index.ts';
import { KSCATEGORY_AUDIO, KSCATEGORY_TOPOLOGY } from '../../../ks/index.ts';
import {
  IID_IMiniportTopology,
  IID_IPortTopology,
  type IMiniport,
  type IPortTopology,
  type IResourceList,
} from '../../ddi/index.ts';
import { PortBase } from '../port-base.ts';

/**
 * The topology port (DDI page IPortTopology): a filter whose pins stand for wiring and cannot be opened. Node and filter
 * properties go to the miniport's automation tables; the Pin and Topology sets are answered from its descriptor.
 */
export class PortTopology extends PortBase implements IPortTopology {
  override readonly miniportName = 'IMiniportTopology';
  override readonly supportsRebalance = true;

  constructor() {
    super('PortTopology');
  }

  override defaultCategories(): readonly GUID[] {
    return [KSCATEGORY_AUDIO, KSCATEGORY_TOPOLOGY];
  }

  protected override bindMiniport(
    unknownMiniport: IUnknown,
    unknownAdapter: IUnknown | null,
    resourceList: IResourceList,
  ): IMiniport {
    const miniport = this.kernel.callOut(
      this.driverName,
      'IUnknown::QueryInterface(IID_IMiniportTopology)',
      () => tryQueryInterface(unknownMiniport, IID_IMiniportTopology),
    );
    if (miniport === null) throw new NtError(STATUS_NOINTERFACE, 'the miniport has no IMiniportTopology');
    try {
      this.callMiniport('Init', () => miniport.init(unknownAdapter, resourceList, this));
    } catch (error) {
      if (error instanceof NtError)
        this.kernel.callOut(this.driverName, 'IUnknown::Release', () => miniport.release());
      throw error;
    }
    return miniport;
  }

  protected override portInterface(iid: IID<unknown>): object | null {
    return iid.equals(IID_IPortTopology) ? this : null;
  }
}
