import { guid, IID, type IUnknown } from '../../com/index.ts';
import type { DMA_SPEED, DMA_WIDTH } from '../../hal/index.ts';
import type { SystemMapping } from '../../kernel/index.ts';
import type { KSALLOCATOR_FRAMING, KSDATAFORMAT, KSSTATE } from '../../ks/index.ts';
import type { IDmaChannel } from './dmachannel.ts';
import type { IMiniport } from './iminiport.ts';
import type { IPort } from './iport.ts';
import type { IResourceList } from './iresourcelist.ts';
import type { IServiceGroup } from './iservicegroup.ts';

/** The WavePci port (DDI page IPortWavePci). */
export interface IPortWavePci extends IPort {
  /**
   * Tells the port that a stream, or the device, has moved on: the service group is served in a DPC. From the miniport's interrupt
   * routine, after the source of the interrupt was cleared, or from a timer DPC. Any IRQL.
   */
  notify(serviceGroup: IServiceGroup): void;
  /**
   * A channel for a device that masters the bus, with one reference for the caller. The port opens clients' buffers to the device as
   * this description says: a stream uses that of the last channel made before it. Width, speed and port number are not used. Throws
   * what IoGetDmaAdapter throws. PASSIVE_LEVEL.
   */
  newMasterDmaChannel(
    outerUnknown: IUnknown | null,
    resourceList: IResourceList | null,
    scatterGather: boolean,
    dma32BitAddresses: boolean,
    dma64BitAddresses: boolean,
    ignoreCount: boolean,
    dmaWidth: DMA_WIDTH | null,
    dmaSpeed: DMA_SPEED | null,
    maximumLength: number,
    dmaPort?: number,
  ): IDmaChannel;
}

/** One mapping: a run of a client's buffer that is contiguous on the bus, what GetMapping outputs. */
export interface WavePciMapping {
  /** Where the device finds the first byte. */
  readonly physicalAddress: number;
  /**
   * The same bytes as the processor sees them, and where in it the first one lies: the client's memory, or the map registers that stand
   * in for it where the device cannot address it.
   */
  readonly virtualAddress: SystemMapping;
  readonly virtualOffset: number;
  readonly byteCount: number;
  /** Other than 0 in the last mapping of an IRP. */
  readonly flags: number;
}

/** The port's half of a WavePci stream (DDI page IPortWavePciStream). Up to DISPATCH_LEVEL; no spin lock may be held. */
export interface IPortWavePciStream extends IUnknown {
  /**
   * The next mapping of the stream, known by `tag` from now on: any value, unique among the mappings that the miniport holds. Null
   * where C gets STATUS_NOT_FOUND: nothing is there now, and MappingAvailable is called once when something is.
   */
  getMapping(tag: unknown): WavePciMapping | null;
  /**
   * The device is done with a mapping, which must be the oldest that the miniport holds. Throws STATUS_INVALID_PARAMETER for a tag
   * that is not held: it was never given, was released, or was revoked.
   */
  releaseMapping(tag: unknown): void;
  /**
   * Ends the packet that is being mapped: what was mapped of it so far is all that it gets, and it completes as soon as those mappings
   * are released. Throws STATUS_UNSUCCESSFUL when none is being mapped.
   */
  terminatePacket(): void;
}

/** How far ahead of the play position a client may write, of a stream of the WavePci port (DDI page IPreFetchOffset, XP and later). */
export interface IPreFetchOffset extends IUnknown {
  /** Bytes from play to write position, instead of the distance to the last mapping taken. Any IRQL. */
  setPreFetchOffset(preFetchOffset: number): void;
}

/** What IMiniportWavePci::NewStream gives the port. */
export interface WavePciNewStream {
  /** With one reference, for the port. */
  readonly stream: IMiniportWavePciStream;
  /** No reference goes with it: the port neither keeps nor releases it (DDI page NewStream). */
  readonly dmaChannel: IDmaChannel | null;
  /** With one reference, for the port; null lets the port serve the stream's events every 20 ms by itself. */
  readonly serviceGroup: IServiceGroup | null;
}

/** A WavePci miniport (DDI page IMiniportWavePci). PASSIVE_LEVEL unless a method says otherwise. */
export interface IMiniportWavePci extends IMiniport {
  /** Returns the service group for the whole device with one reference, or null. */
  init(
    unknownAdapter: IUnknown | null,
    resourceList: IResourceList,
    port: IPortWavePci,
  ): IServiceGroup | null;
  /** A stream in KSSTATE_STOP at position 0. The port gives no outer unknown. */
  newStream(
    outerUnknown: IUnknown | null,
    portStream: IPortWavePciStream,
    pin: number,
    capture: boolean,
    dataFormat: KSDATAFORMAT,
  ): WavePciNewStream;
  /** The group that init returned was notified. DISPATCH_LEVEL. */
  service(): void;
}

/** A WavePci stream (DDI page IMiniportWavePciStream). PASSIVE_LEVEL unless a method says otherwise. */
export interface IMiniportWavePciStream extends IUnknown {
  /** The first format came with NewStream. Throws STATUS_INVALID_PARAMETER for one that is bad or cannot be set now. */
  setFormat(dataFormat: KSDATAFORMAT): void;
  /** Only ever a neighbour of the present state. */
  setState(state: KSSTATE): void;
  /**
   * Bytes of the stream that the converter has dealt with since the last STOP: counted over all mappings taken, whatever became of
   * them. Frozen outside RUN.
   */
  getPosition(): number;
  /** Converts a position in bytes, however large, to 100-ns units. Any IRQL. */
  normalizePhysicalPosition(physicalPosition: number): number;
  /** What sizes of buffers the stream prefers. */
  getAllocatorFraming(): KSALLOCATOR_FRAMING;
  /** A mapping is there; called once after a GetMapping that found none. Up to DISPATCH_LEVEL. */
  mappingAvailable(): void;
  /**
   * The mappings from `firstTag` to `lastTag` must not be used, nor released, any more. Returns how many of them the miniport still
   * held. DISPATCH_LEVEL.
   */
  revokeMappings(firstTag: unknown, lastTag: unknown): number;
  /** The stream's service group was notified. DISPATCH_LEVEL. */
  service(): void;
}

export const IID_IPortWavePci = new IID<IPortWavePci>(
  'IID_IPortWavePci',
  guid('{B4C90A50-5791-11D0-86F9-00A0C911B544}'),
);
export const IID_IPortWavePciStream = new IID<IPortWavePciStream>(
  'IID_IPortWavePciStream',
  guid('{B4C90A51-5791-11D0-86F9-00A0C911B544}'),
);
export const IID_IMiniportWavePci = new IID<IMiniportWavePci>(
  'IID_IMiniportWavePci',
  guid('{B4C90A52-5791-11D0-86F9-00A0C911B544}'),
);
export const IID_IMiniportWavePciStream = new IID<IMiniportWavePciStream>(
  'IID_IMiniportWavePciStream',
  guid('{B4C90A53-5791-11D0-86F9-00A0C911B544}'),
);
export const IID_IPreFetchOffset = new IID<IPreFetchOffset>(
  'IID_IPreFetchOffset',
  guid('{7000F480-ED44-4E8B-B38A-412F8D7A504D}'),
);
