import { guid, IID, type IUnknown } from '../../com/index.ts';
import type { DEVICE_OBJECT } from '../../kernel/index.ts';

/** What an adapter can do about a rebalance (DDI page PC_REBALANCE_TYPE). */
export const PcRebalanceNotSupported = 0;
export const PcRebalanceRemoveSubdevices = 1;
export type PC_REBALANCE_TYPE = 0 | 1;

/** The adapter's part in a PnP rebalance (DDI page IAdapterPnpManagement; Windows 10 1511). PASSIVE_LEVEL. */
export interface IAdapterPnpManagement extends IUnknown {
  /** Asked during QUERY_STOP, with the device lock held. */
  getSupportedRebalanceType(): PC_REBALANCE_TYPE;
  /** QUERY_STOP is about to succeed; device lock held. From here new creates wait. */
  pnpQueryStop(): void;
  /** The stop is off; device lock held; may come without a query before it. Waiting creates go on afterwards. */
  pnpCancelStop(): void;
  /** Streams are stopped and interfaces off. Not under the lock: wait for own work, unregister subdevices, free hardware. */
  pnpStop(): void;
}

/** Optional on WaveRT and Topology miniports: told at STOP (DDI page IMiniportPnpNotify). Device lock held: must not wait. */
export interface IMiniportPnpNotify extends IUnknown {
  pnpStop(): void;
}

/** From every port by queryInterface: rebalance registration (DDI page IPortClsPnp). PASSIVE_LEVEL. */
export interface IPortClsPnp extends IUnknown {
  registerAdapterPnpManagement(unknown: IUnknown, deviceObject: DEVICE_OBJECT): void;
  unregisterAdapterPnpManagement(deviceObject: DEVICE_OBJECT): void;
}

export const IID_IAdapterPnpManagement = new IID<IAdapterPnpManagement>(
  'IID_IAdapterPnpManagement',
  guid('{706F2368-4086-47F5-B913-57B76EED1A32}'),
);
export const IID_IMiniportPnpNotify = new IID<IMiniportPnpNotify>(
  'IID_IMiniportPnpNotify',
  guid('{6B735365-9487-464C-93E3-FA2C6391D5A4}'),
);
export const IID_IPortClsPnp = new IID<IPortClsPnp>(
  'IID_IPortClsPnp',
  guid('{0485791B-17F5-4B73-902A-20344860B9CA}'),
);
