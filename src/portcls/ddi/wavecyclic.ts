import { guid, IID, type IUnknown } from '../../com/index.ts';
import type { DMA_SPEED, DMA_WIDTH } from '../../hal/index.ts';
import type { SystemMapping } from '../../kernel/index.ts';
import type { KSDATAFORMAT, KSSTATE } from '../../ks/index.ts';
import type { IDmaChannel, IDmaChannelSlave } from './dmachannel.ts';
import type { IMiniport } from './iminiport.ts';
import type { IPort } from './iport.ts';
import type { IResourceList } from './iresourcelist.ts';
import type { IServiceGroup } from './iservicegroup.ts';

/** The WaveCyclic port (DDI page IPortWaveCyclic). */
export interface IPortWaveCyclic extends IPort {
  /**
   * Tells the port that a stream has moved on: its service group is served in a DPC. From the miniport's interrupt routine, after
   * the source of the interrupt was cleared; about every 10 ms. Any IRQL.
   */
  notify(serviceGroup: IServiceGroup): void;
  /**
   * A channel of the system's DMA controller, with one reference for the caller: the `dmaIndex`-th Dma entry of the list. Throws
   * STATUS_INVALID_PARAMETER when the list has no such entry, and what IoGetDmaAdapter throws. PASSIVE_LEVEL.
   */
  newSlaveDmaChannel(
    outerUnknown: IUnknown | null,
    resourceList: IResourceList,
    dmaIndex: number,
    maximumLength: number,
    demandMode: boolean,
    dmaSpeed: DMA_SPEED,
  ): IDmaChannelSlave;
  /**
   * A channel for a device that masters the bus, with one reference for the caller. List, width and speed are not used. Throws what
   * IoGetDmaAdapter throws. PASSIVE_LEVEL.
   */
  newMasterDmaChannel(
    outerUnknown: IUnknown | null,
    resourceList: IResourceList | null,
    maximumLength: number,
    dma32BitAddresses: boolean,
    dma64BitAddresses: boolean,
    dmaWidth?: DMA_WIDTH | null,
    dmaSpeed?: DMA_SPEED | null,
  ): IDmaChannel;
}

/** What IMiniportWaveCyclic::NewStream gives the port: one reference of each. */
export interface WaveCyclicNewStream {
  readonly stream: IMiniportWaveCyclicStream;
  /**
   * The stream's cyclic buffer, allocated. The port calls AllocatedBufferSize, BufferSize, CopyFrom, CopyTo, SetBufferSize and
   * SystemAddress, nothing else.
   */
  readonly dmaChannel: IDmaChannel;
  /** The group that the miniport gives to IPortWaveCyclic::Notify; the port adds its sink. */
  readonly serviceGroup: IServiceGroup;
}

/** A WaveCyclic miniport (DDI page IMiniportWaveCyclic). All methods at PASSIVE_LEVEL. */
export interface IMiniportWaveCyclic extends IMiniport {
  init(unknownAdapter: IUnknown | null, resourceList: IResourceList, port: IPortWaveCyclic): void;
  /** A stream in KSSTATE_STOP at position 0. The port gives no outer unknown. */
  newStream(
    outerUnknown: IUnknown | null,
    pin: number,
    capture: boolean,
    dataFormat: KSDATAFORMAT,
  ): WaveCyclicNewStream;
}

/** What SetNotificationFreq results in. */
export interface WaveCyclicNotification {
  /** The interval that the hardware keeps, in milliseconds; the port does not use it. */
  readonly interval: number;
  /** Most bytes that are transferred in the interval: the port makes the buffer a multiple of it. */
  readonly frameSize: number;
}

/** A WaveCyclic stream (DDI page IMiniportWaveCyclicStream). PASSIVE_LEVEL unless a method says otherwise. */
export interface IMiniportWaveCyclicStream extends IUnknown {
  /** The first format came with NewStream. Throws STATUS_INVALID_PARAMETER for one that is bad or cannot be set now. */
  setFormat(dataFormat: KSDATAFORMAT): void;
  /** Asks for an interrupt every `interval` milliseconds; the port always says 10. */
  setNotificationFreq(interval: number): WaveCyclicNotification;
  /** Only ever a neighbour of the present state. */
  setState(state: KSSTATE): void;
  /**
   * Byte offset in the cyclic buffer of the sample at the converter; below the buffer's size, 0 after STOP, frozen outside RUN. Up to
   * DISPATCH_LEVEL.
   */
  getPosition(): number;
  /** Converts a position in bytes, however large, to 100-ns units. Any IRQL. */
  normalizePhysicalPosition(physicalPosition: number): number;
  /**
   * Writes silence in the stream's format (80h for 8 bits, 0 for more) over `byteCount` bytes of the cyclic buffer, from `byteOffset`
   * on; the piece does not pass the end. Any IRQL.
   */
  silence(buffer: SystemMapping, byteOffset: number, byteCount: number): void;
}

export const IID_IPortWaveCyclic = new IID<IPortWaveCyclic>(
  'IID_IPortWaveCyclic',
  guid('{B4C90A26-5791-11D0-86F9-00A0C911B544}'),
);
export const IID_IMiniportWaveCyclic = new IID<IMiniportWaveCyclic>(
  'IID_IMiniportWaveCyclic',
  guid('{B4C90A27-5791-11D0-86F9-00A0C911B544}'),
);
export const IID_IMiniportWaveCyclicStream = new IID<IMiniportWaveCyclicStream>(
  'IID_IMiniportWaveCyclicStream',
  guid('{B4C90A28-5791-11D0-86F9-00A0C911B544}'),
);
