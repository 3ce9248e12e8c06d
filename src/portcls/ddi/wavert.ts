import { type GUID, guid, IID, type IUnknown } from '../../com/index.ts';
import type { DEVICE_DESCRIPTION } from '../../hal/index.ts';
import type { KEVENT, MDL, MEMORY_CACHING_TYPE, SystemMapping } from '../../kernel/index.ts';
import type {
  KSAUDIO_POSITION,
  KSAUDIO_PRESENTATION_POSITION,
  KSDATAFORMAT,
  KSRTAUDIO_HWLATENCY,
  KSRTAUDIO_HWREGISTER,
  KSSTATE,
} from '../../ks/index.ts';
import type { IMiniport } from './iminiport.ts';
import type { IPort } from './iport.ts';
import type { IResourceList } from './iresourcelist.ts';

/** The WaveRT port (DDI page IPortWaveRT); no methods of its own. */
export interface IPortWaveRT extends IPort {}

/** Page helpers for a stream's cyclic buffer (DDI page IPortWaveRTStream). All methods at PASSIVE_LEVEL. */
export interface IPortWaveRTStream extends IUnknown {
  /** Locked, unmapped pages below `highAddress`; may hold fewer bytes than asked for; null when there are none. */
  allocatePagesForMdl(highAddress: number, totalBytes: number): MDL | null;
  /** As one physical run inside the limits, or null. */
  allocateContiguousPagesForMdl(lowAddress: number, highAddress: number, totalBytes: number): MDL | null;
  mapAllocatedPages(memoryDescriptorList: MDL, cacheType: MEMORY_CACHING_TYPE): SystemMapping;
  unmapAllocatedPages(baseAddress: SystemMapping, memoryDescriptorList: MDL): void;
  freePagesFromMdl(memoryDescriptorList: MDL): void;
  /** Physical address of page `index`; throws STATUS_INVALID_PARAMETER past the end. */
  getPhysicalPageAddress(memoryDescriptorList: MDL, index: number): number;
  getPhysicalPagesCount(memoryDescriptorList: MDL): number;
}

/** A WaveRT miniport (DDI page IMiniportWaveRT). All methods at PASSIVE_LEVEL. */
export interface IMiniportWaveRT extends IMiniport {
  init(unknownAdapter: IUnknown | null, resourceList: IResourceList, port: IPortWaveRT): void;
  /** A stream in KSSTATE_STOP at position 0, with one reference for the port. */
  newStream(
    portStream: IPortWaveRTStream,
    pin: number,
    capture: boolean,
    dataFormat: KSDATAFORMAT,
  ): IMiniportWaveRTStream;
  getDeviceDescription(): DEVICE_DESCRIPTION;
}

/** What an allocate method of a WaveRT stream gives the port. */
export interface WaveRTAudioBuffer {
  readonly audioBufferMdl: MDL;
  readonly actualSize: number;
  readonly offsetFromFirstPage: number;
  readonly cacheType: MEMORY_CACHING_TYPE;
}

/** A WaveRT stream (DDI page IMiniportWaveRTStream). PASSIVE_LEVEL, getPosition up to DISPATCH_LEVEL. */
export interface IMiniportWaveRTStream extends IUnknown {
  /** Throws STATUS_INVALID_PARAMETER for a format that is bad or cannot be set while running. */
  setFormat(dataFormat: KSDATAFORMAT): void;
  /** Only ever a neighbour of the present state. */
  setState(state: KSSTATE): void;
  /** Byte offsets from the start of the cyclic buffer. */
  getPosition(): KSAUDIO_POSITION;
  /** Throws STATUS_UNSUCCESSFUL, STATUS_INSUFFICIENT_RESOURCES or STATUS_DEVICE_NOT_READY. */
  allocateAudioBuffer(requestedSize: number): WaveRTAudioBuffer;
  freeAudioBuffer(audioBufferMdl: MDL, bufferSize: number): void;
  getHWLatency(): KSRTAUDIO_HWLATENCY;
  /** Throws where the hardware has no such register. */
  getPositionRegister(): KSRTAUDIO_HWREGISTER;
  getClockRegister(): KSRTAUDIO_HWREGISTER;
}

/** Optional on a WaveRT stream: an event per half or whole buffer (DDI page IMiniportWaveRTStreamNotification). */
export interface IMiniportWaveRTStreamNotification extends IMiniportWaveRTStream {
  /** `notificationCount` 1: at the end of the buffer; 2: in the middle too. */
  allocateBufferWithNotification(notificationCount: number, requestedSize: number): WaveRTAudioBuffer;
  freeBufferWithNotification(audioBufferMdl: MDL, bufferSize: number): void;
  registerNotificationEvent(notificationEvent: KEVENT): void;
  unregisterNotificationEvent(notificationEvent: KEVENT): void;
}

/** Optional on a WaveRT render stream: packet mode (DDI page IMiniportWaveRTOutputStream). */
export interface IMiniportWaveRTOutputStream extends IUnknown {
  /** Throws STATUS_DATA_LATE_ERROR, STATUS_DATA_OVERRUN, STATUS_INVALID_DEVICE_STATE (after EOS), STATUS_INVALID_PARAMETER. */
  setWritePacket(packetNumber: number, flags: number, eosPacketLength: number): void;
  getOutputStreamPresentationPosition(): KSAUDIO_PRESENTATION_POSITION;
  /** Packets completely transferred since the stream left KSSTATE_STOP. */
  getPacketCount(): number;
}

/** What getReadPacket tells of the oldest unread packet. */
export interface WaveRTReadPacket {
  readonly packetNumber: number;
  readonly flags: number;
  readonly performanceCounterValue: number;
  readonly moreData: boolean;
}

/** Optional on a WaveRT capture stream: packet mode (DDI page IMiniportWaveRTInputStream). */
export interface IMiniportWaveRTInputStream extends IUnknown {
  /** Throws STATUS_DEVICE_NOT_READY when no new packet is there. */
  getReadPacket(): WaveRTReadPacket;
}

/** Optional on a WaveRT miniport (DDI page IMiniportAudioSignalProcessing). */
export interface IMiniportAudioSignalProcessing extends IUnknown {
  /**
   * The signal-processing modes of a pin as GUIDs. Throws STATUS_INVALID_PARAMETER for a pin that does not exist,
   * STATUS_NOT_SUPPORTED for a loopback or bridge pin.
   */
  getModes(pin: number): readonly GUID[];
}

export const IID_IPortWaveRT = new IID<IPortWaveRT>(
  'IID_IPortWaveRT',
  guid('{339FF909-68A9-4310-B09B-274E96EE4CBD}'),
);
export const IID_IPortWaveRTStream = new IID<IPortWaveRTStream>(
  'IID_IPortWaveRTStream',
  guid('{1809CE5A-64BC-4E62-BD7D-95BCE43DE393}'),
);
export const IID_IMiniportWaveRT = new IID<IMiniportWaveRT>(
  'IID_IMiniportWaveRT',
  guid('{0F9FC4D6-6061-4F3C-B1FC-075E35F7960A}'),
);
export const IID_IMiniportWaveRTStream = new IID<IMiniportWaveRTStream>(
  'IID_IMiniportWaveRTStream',
  guid('{000AC9AB-FAAB-4F3D-9455-6FF8306A74A0}'),
);
export const IID_IMiniportWaveRTStreamNotification = new IID<IMiniportWaveRTStreamNotification>(
  'IID_IMiniportWaveRTStreamNotification',
  guid('{23759128-96F1-423B-AB4D-81635BCF8CA1}'),
);
export const IID_IMiniportWaveRTOutputStream = new IID<IMiniportWaveRTOutputStream>(
  'IID_IMiniportWaveRTOutputStream',
  guid('{831FC7BC-6347-44BC-B47B-C0C657B5BF73}'),
);
export const IID_IMiniportWaveRTInputStream = new IID<IMiniportWaveRTInputStream>(
  'IID_IMiniportWaveRTInputStream',
  guid('{CD8E756A-5FC7-4624-984B-2AF02925B91F}'),
);
export const IID_IMiniportAudioSignalProcessing = new IID<IMiniportAudioSignalProcessing>(
  'IID_IMiniportAudioSignalProcessing',
  guid('{B532678C-BE50-472D-9973-8A6F16594989}'),
);
