import { guid, IID, type IUnknown } from '../../com/index.ts';
import type { IMiniport } from './iminiport.ts';
import type { IPort } from './iport.ts';
import type { IResourceList } from './iresourcelist.ts';

/** The topology port (DDI page IPortTopology); no methods of its own. */
export interface IPortTopology extends IPort {}

/** A topology miniport (DDI page IMiniportTopology). */
export interface IMiniportTopology extends IMiniport {
  /** Called once from IPort.init, PASSIVE_LEVEL. Throws NtError when the hardware cannot be used. */
  init(unknownAdapter: IUnknown | null, resourceList: IResourceList, port: IPortTopology): void;
}

export const IID_IPortTopology = new IID<IPortTopology>(
  'IID_IPortTopology',
  guid('{B4C90A30-5791-11D0-86F9-00A0C911B544}'),
);
export const IID_IMiniportTopology = new IID<IMiniportTopology>(
  'IID_IMiniportTopology',
  guid('{B4C90A31-5791-11D0-86F9-00A0C911B544}'),
);
