import { guid, IID, type IUnknown } from '../../com/index.ts';

/** Something that a service group calls (DDI page IServiceSink). */
export interface IServiceSink extends IUnknown {
  /** Does the service. DISPATCH_LEVEL. */
  requestService(): void;
}

/** Demultiplexes one notification to its members, in a DPC (DDI page IServiceGroup). A group is a sink itself. */
export interface IServiceGroup extends IServiceSink {
  /** Queues the DPC that calls every member in the order of addition; requests before it has run coalesce. Any IRQL. */
  requestService(): void;
  /** Adds a sink at the tail and takes a reference to it. */
  addMember(serviceSink: IServiceSink): void;
  /** Removes a sink and releases it; an unknown one is ignored. */
  removeMember(serviceSink: IServiceSink): void;
  /** Prepares the timer of {@link requestDelayedService}; to be called once before it. */
  supportDelayedService(): void;
  /** Service after `delay100ns` (negative: relative, positive: absolute system time). Re-requesting moves the time. */
  requestDelayedService(delay100ns: number): void;
  /** Takes a delayed request back. */
  cancelDelayedService(): void;
}

export const IID_IServiceSink = new IID<IServiceSink>(
  'IID_IServiceSink',
  guid('{22C6AC64-851B-11D0-9A7F-00AA0038ACFE}'),
);
export const IID_IServiceGroup = new IID<IServiceGroup>(
  'IID_IServiceGroup',
  guid('{22C6AC65-851B-11D0-9A7F-00AA0038ACFE}'),
);
