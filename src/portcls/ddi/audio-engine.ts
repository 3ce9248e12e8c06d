import { guid, IID, type IUnknown } from '../../com/index.ts';
import type {
  KSAUDIO_PRESENTATION_POSITION,
  KSAUDIOENGINE_BUFFER_SIZE_RANGE,
  KSAUDIOENGINE_DESCRIPTOR,
  KSDATAFORMAT,
} from '../../ks/index.ts';
import type { BasicSupportRange } from './basic-support.ts';

/** Which control of an audio engine is meant (DDI page eChannelTargetType). */
export const eVolumeAttribute = 0;
export const eMuteAttribute = 1;
export const ePeakMeterAttribute = 2;
export type eChannelTargetType = 0 | 1 | 2;

/** KSPROPERTY_AUDIOENGINE_LOOPBACK_PROTECTION (DDI page CONSTRICTOR_OPTION): MUTE on any stream silences the loopback pin. */
export const CONSTRICTOR_OPTION_DISABLE = 0;
export const CONSTRICTOR_OPTION_MUTE = 1;
export type CONSTRICTOR_OPTION = 0 | 1;

/** How a volume gets from where it is to its target (DDI page AUDIO_CURVE_TYPE); with NONE the duration is 0. */
export const AUDIO_CURVE_TYPE_NONE = 0;
export const AUDIO_CURVE_TYPE_WINDOWS_FADE = 1;
export type AUDIO_CURVE_TYPE = 0 | 1;

/** A channel number that stands for every channel, in set requests. */
export const AUDIO_ENGINE_ALL_CHANNELS = 0xffffffff;

/**
 * Optional on a WaveRT miniport whose filter has a KSNODETYPE_AUDIO_ENGINE node: what filter handles ask of the engine (DDI
 * page IMiniportAudioEngineNode). GetEngineFormatSize has no counterpart, since results here know their size. All methods at
 * PASSIVE_LEVEL; volumes are in 1/65536 dB.
 */
export interface IMiniportAudioEngineNode extends IUnknown {
  getAudioEngineDescriptor(nodeId: number): KSAUDIOENGINE_DESCRIPTOR;
  getGfxState(nodeId: number): boolean;
  setGfxState(nodeId: number, enable: boolean): void;
  getMixFormat(nodeId: number): KSDATAFORMAT;
  getDeviceFormat(nodeId: number): KSDATAFORMAT;
  setDeviceFormat(nodeId: number, format: KSDATAFORMAT): void;
  getSupportedDeviceFormats(nodeId: number): readonly KSDATAFORMAT[];
  getDeviceChannelCount(nodeId: number, targetType: eChannelTargetType): number;
  /** One range per channel. */
  getDeviceAttributeSteppings(nodeId: number, targetType: eChannelTargetType): readonly BasicSupportRange[];
  getDeviceChannelVolume(nodeId: number, channel: number): number;
  /** `channel` may be {@link AUDIO_ENGINE_ALL_CHANNELS}. */
  setDeviceChannelVolume(nodeId: number, channel: number, volume: number): void;
  getDeviceChannelPeakMeter(nodeId: number, channel: number): number;
  getDeviceChannelMute(nodeId: number, channel: number): boolean;
  setDeviceChannelMute(nodeId: number, channel: number, mute: boolean): void;
  getBufferSizeRange(nodeId: number, dataFormat: KSDATAFORMAT): KSAUDIOENGINE_BUFFER_SIZE_RANGE;
}

/**
 * Optional on a WaveRT stream that an audio engine mixes: what pin handles ask of it (DDI page
 * IMiniportStreamAudioEngineNode). All methods at PASSIVE_LEVEL.
 */
export interface IMiniportStreamAudioEngineNode extends IUnknown {
  getLfxState(): boolean;
  setLfxState(enable: boolean): void;
  getStreamChannelCount(targetType: eChannelTargetType): number;
  /** One range per channel. */
  getStreamAttributeSteppings(targetType: eChannelTargetType): readonly BasicSupportRange[];
  getStreamChannelVolume(channel: number): number;
  /** `channel` may be {@link AUDIO_ENGINE_ALL_CHANNELS}; the curve takes `curveDuration100ns` while the stream runs. */
  setStreamChannelVolume(
    channel: number,
    targetVolume: number,
    curveType: AUDIO_CURVE_TYPE,
    curveDuration100ns: number,
  ): void;
  getStreamChannelPeakMeter(channel: number): number;
  getStreamChannelMute(channel: number): boolean;
  setStreamChannelMute(channel: number, mute: boolean): void;
  getStreamPresentationPosition(): KSAUDIO_PRESENTATION_POSITION;
  /** The client has written up to this byte offset in the cyclic buffer; the same offset twice is a glitch. */
  setStreamCurrentWritePosition(currentWritePosition: number): void;
  /** Bytes that DMA has fetched since the stream began. */
  getStreamLinearBufferPosition(): number;
  setStreamLoopbackProtection(protectionOption: CONSTRICTOR_OPTION): void;
}

/** Windows 8.1: end of stream (DDI page IMiniportStreamAudioEngineNode2). */
export interface IMiniportStreamAudioEngineNode2 extends IMiniportStreamAudioEngineNode {
  /** The write position of the stream's last buffer, which may be partly filled. */
  setStreamCurrentWritePositionForLastBuffer(writePosition: number): void;
}

export const IID_IMiniportAudioEngineNode = new IID<IMiniportAudioEngineNode>(
  'IID_IMiniportAudioEngineNode',
  guid('{2EBF536C-EF57-4C64-BEDC-25C1A6D668E6}'),
);
export const IID_IMiniportStreamAudioEngineNode = new IID<IMiniportStreamAudioEngineNode>(
  'IID_IMiniportStreamAudioEngineNode',
  guid('{BD6EEB4B-E6E5-40FD-8D5A-5B1DCDE20C42}'),
);
export const IID_IMiniportStreamAudioEngineNode2 = new IID<IMiniportStreamAudioEngineNode2>(
  'IID_IMiniportStreamAudioEngineNode2',
  guid('{AEB7F86A-6CBA-44CF-A2D2-B3FA5B696817}'),
);
