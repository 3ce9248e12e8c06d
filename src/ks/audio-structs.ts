/** Structures of ksmedia.h and their memory layouts; see structs.ts for how they are used. */
import type { GUID } from '../com/index.ts';
import {
  bool,
  float,
  guidField,
  Layout,
  long,
  longlong,
  pointer,
  short,
  uchar,
  ulong,
  ulonglong,
  ushort,
  wcharArray,
} from './layout.ts';
import { KSEVENTDATA, KSIDENTIFIER, type KSPROPERTY } from './structs.ts';

// ---- node requests ----

export interface KSNODEPROPERTY {
  readonly property: KSPROPERTY;
  readonly nodeId: number;
}
export const KSNODEPROPERTY = new Layout<KSNODEPROPERTY>('KSNODEPROPERTY', {
  property: KSIDENTIFIER,
  nodeId: ulong,
  _reserved: ulong,
});

export interface KSNODEPROPERTY_AUDIO_CHANNEL {
  readonly nodeProperty: KSNODEPROPERTY;
  /** 0 … n−1, or −1 for all channels. */
  readonly channel: number;
}
export const KSNODEPROPERTY_AUDIO_CHANNEL = new Layout<KSNODEPROPERTY_AUDIO_CHANNEL>(
  'KSNODEPROPERTY_AUDIO_CHANNEL',
  { nodeProperty: KSNODEPROPERTY, channel: long, _reserved: ulong },
);

export interface KSNODEPROPERTY_AUDIO_DEV_SPECIFIC {
  readonly nodeProperty: KSNODEPROPERTY;
  readonly devSpecificId: number;
  readonly deviceInfo: number;
  readonly length: number;
}
export const KSNODEPROPERTY_AUDIO_DEV_SPECIFIC = new Layout<KSNODEPROPERTY_AUDIO_DEV_SPECIFIC>(
  'KSNODEPROPERTY_AUDIO_DEV_SPECIFIC',
  { nodeProperty: KSNODEPROPERTY, devSpecificId: ulong, deviceInfo: ulong, length: ulong },
);

// ---- positions ----

export interface KSAUDIO_POSITION {
  /** Bytes: what is being played or has been captured. */
  readonly playOffset: number;
  /** Bytes: up to where the client may not write any more, or may not read yet. */
  readonly writeOffset: number;
}
export const KSAUDIO_POSITION = new Layout<KSAUDIO_POSITION>('KSAUDIO_POSITION', {
  playOffset: ulonglong,
  writeOffset: ulonglong,
});

export interface KSAUDIO_POSITIONEX {
  /** Ticks per second of the time stamps. */
  readonly timerFrequency: number;
  readonly timeStamp1: number;
  readonly position: KSAUDIO_POSITION;
  readonly timeStamp2: number;
}
export const KSAUDIO_POSITIONEX = new Layout<KSAUDIO_POSITIONEX>('KSAUDIO_POSITIONEX', {
  timerFrequency: longlong,
  timeStamp1: longlong,
  position: KSAUDIO_POSITION,
  timeStamp2: longlong,
});

export interface KSAUDIO_PRESENTATION_POSITION {
  /** Blocks (frames) since the start of the stream that have reached the speaker. */
  readonly u64PositionInBlocks: number;
  /** Performance counter at that moment, in 100-ns units. */
  readonly u64QPCPosition: number;
}
export const KSAUDIO_PRESENTATION_POSITION = new Layout<KSAUDIO_PRESENTATION_POSITION>(
  'KSAUDIO_PRESENTATION_POSITION',
  { u64PositionInBlocks: ulonglong, u64QPCPosition: ulonglong },
);

// ---- WaveRT ----

export interface KSRTAUDIO_BUFFER_PROPERTY {
  readonly property: KSPROPERTY;
  readonly baseAddress: number;
  readonly requestedBufferSize: number;
}
export const KSRTAUDIO_BUFFER_PROPERTY = new Layout<KSRTAUDIO_BUFFER_PROPERTY>('KSRTAUDIO_BUFFER_PROPERTY', {
  property: KSIDENTIFIER,
  baseAddress: pointer,
  requestedBufferSize: ulong,
});

export interface KSRTAUDIO_BUFFER_PROPERTY_WITH_NOTIFICATION {
  readonly property: KSPROPERTY;
  readonly baseAddress: number;
  readonly requestedBufferSize: number;
  readonly notificationCount: number;
}
export const KSRTAUDIO_BUFFER_PROPERTY_WITH_NOTIFICATION =
  new Layout<KSRTAUDIO_BUFFER_PROPERTY_WITH_NOTIFICATION>('KSRTAUDIO_BUFFER_PROPERTY_WITH_NOTIFICATION', {
    property: KSIDENTIFIER,
    baseAddress: pointer,
    requestedBufferSize: ulong,
    notificationCount: ulong,
  });

export interface KSRTAUDIO_BUFFER {
  /** In the client's address space. */
  readonly bufferAddress: number;
  readonly actualBufferSize: number;
  /** True when the buffer is mapped write-combined. */
  readonly callMemoryBarrier: boolean;
}
export const KSRTAUDIO_BUFFER = new Layout<KSRTAUDIO_BUFFER>('KSRTAUDIO_BUFFER', {
  bufferAddress: pointer,
  actualBufferSize: ulong,
  callMemoryBarrier: bool,
});

export interface KSRTAUDIO_HWLATENCY {
  /** Bytes. */
  readonly fifoSize: number;
  /** 100-ns units. */
  readonly chipsetDelay: number;
  /** 100-ns units. */
  readonly codecDelay: number;
}
export const KSRTAUDIO_HWLATENCY = new Layout<KSRTAUDIO_HWLATENCY>('KSRTAUDIO_HWLATENCY', {
  fifoSize: ulong,
  chipsetDelay: ulong,
  codecDelay: ulong,
});

export interface KSRTAUDIO_HWREGISTER_PROPERTY {
  readonly property: KSPROPERTY;
  readonly baseAddress: number;
}
export const KSRTAUDIO_HWREGISTER_PROPERTY = new Layout<KSRTAUDIO_HWREGISTER_PROPERTY>(
  'KSRTAUDIO_HWREGISTER_PROPERTY',
  { property: KSIDENTIFIER, baseAddress: pointer },
);

export interface KSRTAUDIO_HWREGISTER {
  /** From a driver: where the register is; to a client: its address in the client's space. */
  readonly register: number;
  /** Bits: 32 or 64. */
  readonly width: number;
  /** Clock registers: increments per second as a fraction. */
  readonly numerator: number;
  readonly denominator: number;
  /** Position registers: bytes; clock registers: ticks. */
  readonly accuracy: number;
}
export const KSRTAUDIO_HWREGISTER = new Layout<KSRTAUDIO_HWREGISTER>('KSRTAUDIO_HWREGISTER', {
  register: pointer,
  width: ulong,
  numerator: ulonglong,
  denominator: ulonglong,
  accuracy: ulong,
});

export interface KSRTAUDIO_NOTIFICATION_EVENT_PROPERTY {
  readonly property: KSPROPERTY;
  readonly notificationEvent: number;
}
export const KSRTAUDIO_NOTIFICATION_EVENT_PROPERTY = new Layout<KSRTAUDIO_NOTIFICATION_EVENT_PROPERTY>(
  'KSRTAUDIO_NOTIFICATION_EVENT_PROPERTY',
  { property: KSIDENTIFIER, notificationEvent: pointer },
);

export interface KSRTAUDIO_GETREADPACKET_INFO {
  readonly packetNumber: number;
  readonly flags: number;
  readonly performanceCounterValue: number;
  readonly moreData: boolean;
}
export const KSRTAUDIO_GETREADPACKET_INFO = new Layout<KSRTAUDIO_GETREADPACKET_INFO>(
  'KSRTAUDIO_GETREADPACKET_INFO',
  {
    packetNumber: ulong,
    flags: ulong,
    performanceCounterValue: ulonglong,
    moreData: bool,
  },
);

export interface KSRTAUDIO_SETWRITEPACKET_INFO {
  readonly packetNumber: number;
  /** KSSTREAM_HEADER_OPTIONSF_ENDOFSTREAM or 0. */
  readonly flags: number;
  /** Bytes of the last packet, with the flag. */
  readonly eosPacketLength: number;
}
export const KSRTAUDIO_SETWRITEPACKET_INFO = new Layout<KSRTAUDIO_SETWRITEPACKET_INFO>(
  'KSRTAUDIO_SETWRITEPACKET_INFO',
  { packetNumber: ulong, flags: ulong, eosPacketLength: ulong },
);

export interface KSRTAUDIO_PACKETVREGISTER {
  readonly completedPacketCount: number;
  readonly completedPacketQPC: number;
  readonly completedPacketHash: number;
}
export const KSRTAUDIO_PACKETVREGISTER = new Layout<KSRTAUDIO_PACKETVREGISTER>('KSRTAUDIO_PACKETVREGISTER', {
  completedPacketCount: pointer,
  completedPacketQPC: pointer,
  completedPacketHash: pointer,
});

// ---- node values ----

export interface KSAUDIO_COPY_PROTECTION {
  readonly fCopyrighted: boolean;
  readonly fOriginal: boolean;
}
export const KSAUDIO_COPY_PROTECTION = new Layout<KSAUDIO_COPY_PROTECTION>('KSAUDIO_COPY_PROTECTION', {
  fCopyrighted: bool,
  fOriginal: bool,
});

export interface KSAUDIO_CHANNEL_CONFIG {
  /** SPEAKER_* */
  readonly activeSpeakerPositions: number;
}
export const KSAUDIO_CHANNEL_CONFIG = new Layout<KSAUDIO_CHANNEL_CONFIG>('KSAUDIO_CHANNEL_CONFIG', {
  activeSpeakerPositions: long,
});

export interface KSAUDIO_DYNAMIC_RANGE {
  readonly quietCompression: number;
  readonly loudCompression: number;
}
export const KSAUDIO_DYNAMIC_RANGE = new Layout<KSAUDIO_DYNAMIC_RANGE>('KSAUDIO_DYNAMIC_RANGE', {
  quietCompression: ulong,
  loudCompression: ulong,
});

export interface KSAUDIO_MIXLEVEL {
  readonly mute: boolean;
  /** 1/65536 dB. */
  readonly level: number;
}
export const KSAUDIO_MIXLEVEL = new Layout<KSAUDIO_MIXLEVEL>('KSAUDIO_MIXLEVEL', { mute: bool, level: long });

export interface KSAUDIO_MIX_CAPS {
  readonly mute: boolean;
  readonly minimum: number;
  readonly maximum: number;
  readonly reset: number;
}
export const KSAUDIO_MIX_CAPS = new Layout<KSAUDIO_MIX_CAPS>('KSAUDIO_MIX_CAPS', {
  mute: bool,
  minimum: long,
  maximum: long,
  reset: long,
});

/** Head of KSAUDIO_MIXCAP_TABLE; inputChannels × outputChannels KSAUDIO_MIX_CAPS follow. */
export interface KSAUDIO_MIXCAP_TABLE {
  readonly inputChannels: number;
  readonly outputChannels: number;
}
export const KSAUDIO_MIXCAP_TABLE = new Layout<KSAUDIO_MIXCAP_TABLE>('KSAUDIO_MIXCAP_TABLE', {
  inputChannels: ulong,
  outputChannels: ulong,
});

export interface KSAUDIO_STEREO_ENHANCE {
  /** SE_TECH_* */
  readonly technique: number;
  readonly center: number;
  readonly depth: number;
}
export const KSAUDIO_STEREO_ENHANCE = new Layout<KSAUDIO_STEREO_ENHANCE>('KSAUDIO_STEREO_ENHANCE', {
  technique: ulong,
  center: ulong,
  depth: ulong,
  _reserved: ulong,
});

export interface KSAUDIO_PREFERRED_STATUS {
  readonly enable: boolean;
  readonly deviceType: number;
  readonly flags: number;
}
export const KSAUDIO_PREFERRED_STATUS = new Layout<KSAUDIO_PREFERRED_STATUS>('KSAUDIO_PREFERRED_STATUS', {
  enable: bool,
  deviceType: ulong,
  flags: ulong,
  _reserved: ulong,
});

export interface LOOPEDSTREAMING_POSITION_EVENT_DATA {
  readonly ksEventData: KSEVENTDATA;
  /** Bytes into the looped buffer. */
  readonly position: number;
}
export const LOOPEDSTREAMING_POSITION_EVENT_DATA = new Layout<LOOPEDSTREAMING_POSITION_EVENT_DATA>(
  'LOOPEDSTREAMING_POSITION_EVENT_DATA',
  { ksEventData: KSEVENTDATA, position: ulonglong },
);

// ---- jacks and microphones ----

export interface KSJACK_DESCRIPTION {
  /** SPEAKER_* of the jack's channels; 0 when unknown. */
  readonly channelMapping: number;
  /** 0x00RRGGBB; 0 when it has no colour. */
  readonly color: number;
  /** eConnType* */
  readonly connectionType: number;
  /** eGeoLoc* */
  readonly geoLocation: number;
  /** eGenLoc* */
  readonly genLocation: number;
  /** ePortConn* */
  readonly portConnection: number;
  readonly isConnected: boolean;
}
export const KSJACK_DESCRIPTION = new Layout<KSJACK_DESCRIPTION>('KSJACK_DESCRIPTION', {
  channelMapping: ulong,
  color: ulong,
  connectionType: ulong,
  geoLocation: ulong,
  genLocation: ulong,
  portConnection: ulong,
  isConnected: bool,
});

export interface KSJACK_DESCRIPTION2 {
  readonly deviceStateInfo: number;
  /** JACKDESC2_* */
  readonly jackCapabilities: number;
}
export const KSJACK_DESCRIPTION2 = new Layout<KSJACK_DESCRIPTION2>('KSJACK_DESCRIPTION2', {
  deviceStateInfo: ulong,
  jackCapabilities: ulong,
});

export interface KSJACK_DESCRIPTION3 {
  readonly configId: number;
}
export const KSJACK_DESCRIPTION3 = new Layout<KSJACK_DESCRIPTION3>('KSJACK_DESCRIPTION3', {
  configId: ulong,
});

export interface KSJACK_SINK_INFORMATION {
  /** KSJACK_SINK_CONNECTIONTYPE_HDMI 0, _DISPLAYPORT 1 */
  readonly connType: number;
  readonly manufacturerId: number;
  readonly productId: number;
  /** Milliseconds. */
  readonly audioLatency: number;
  readonly hdcpCapable: boolean;
  readonly aiCapable: boolean;
  readonly sinkDescriptionLength: number;
  readonly sinkDescription: string;
  readonly portIdLowPart: number;
  readonly portIdHighPart: number;
}
export const KSJACK_SINK_INFORMATION = new Layout<KSJACK_SINK_INFORMATION>('KSJACK_SINK_INFORMATION', {
  connType: ulong,
  manufacturerId: ushort,
  productId: ushort,
  audioLatency: ushort,
  hdcpCapable: bool,
  aiCapable: bool,
  sinkDescriptionLength: uchar,
  sinkDescription: wcharArray(32),
  portIdLowPart: ulong,
  portIdHighPart: long,
});

export interface KSAUDIO_MICROPHONE_COORDINATES {
  /** KSMICARRAY_MICTYPE_* */
  readonly usType: number;
  /** Millimetres. */
  readonly wXCoord: number;
  readonly wYCoord: number;
  readonly wZCoord: number;
  /** 1/10000 rad. */
  readonly wVerticalAngle: number;
  readonly wHorizontalAngle: number;
}
export const KSAUDIO_MICROPHONE_COORDINATES = new Layout<KSAUDIO_MICROPHONE_COORDINATES>(
  'KSAUDIO_MICROPHONE_COORDINATES',
  {
    usType: ushort,
    wXCoord: short,
    wYCoord: short,
    wZCoord: short,
    wVerticalAngle: short,
    wHorizontalAngle: short,
  },
);

/** Head of KSAUDIO_MIC_ARRAY_GEOMETRY; usNumberOfMicrophones coordinates follow. */
export interface KSAUDIO_MIC_ARRAY_GEOMETRY {
  /** BCD: 0x0100. */
  readonly usVersion: number;
  /** KSMICARRAY_MICARRAYTYPE_* */
  readonly usMicArrayType: number;
  readonly wVerticalAngleBegin: number;
  readonly wVerticalAngleEnd: number;
  readonly wHorizontalAngleBegin: number;
  readonly wHorizontalAngleEnd: number;
  /** Hertz. */
  readonly usFrequencyBandLo: number;
  readonly usFrequencyBandHi: number;
  readonly usNumberOfMicrophones: number;
}
export const KSAUDIO_MIC_ARRAY_GEOMETRY = new Layout<KSAUDIO_MIC_ARRAY_GEOMETRY>(
  'KSAUDIO_MIC_ARRAY_GEOMETRY',
  {
    usVersion: ushort,
    usMicArrayType: ushort,
    wVerticalAngleBegin: short,
    wVerticalAngleEnd: short,
    wHorizontalAngleBegin: short,
    wHorizontalAngleEnd: short,
    usFrequencyBandLo: ushort,
    usFrequencyBandHi: ushort,
    usNumberOfMicrophones: ushort,
  },
);

// ---- audio engine, modes, modules ----

export interface KSAUDIOENGINE_DESCRIPTOR {
  readonly nHostPinId: number;
  readonly nOffloadPinId: number;
  readonly nLoopbackPinId: number;
}
export const KSAUDIOENGINE_DESCRIPTOR = new Layout<KSAUDIOENGINE_DESCRIPTOR>('KSAUDIOENGINE_DESCRIPTOR', {
  nHostPinId: ulong,
  nOffloadPinId: ulong,
  nLoopbackPinId: ulong,
});

export interface KSAUDIOENGINE_BUFFER_SIZE_RANGE {
  readonly minBufferBytes: number;
  readonly maxBufferBytes: number;
}
export const KSAUDIOENGINE_BUFFER_SIZE_RANGE = new Layout<KSAUDIOENGINE_BUFFER_SIZE_RANGE>(
  'KSAUDIOENGINE_BUFFER_SIZE_RANGE',
  { minBufferBytes: ulong, maxBufferBytes: ulong },
);

export interface KSAUDIOENGINE_VOLUMELEVEL {
  /** 1/65536 dB. */
  readonly targetVolume: number;
  /** AUDIO_CURVE_TYPE_NONE 0, _WINDOWS_FADE 1 */
  readonly curveType: number;
  /** 100-ns units. */
  readonly curveDuration: number;
}
export const KSAUDIOENGINE_VOLUMELEVEL = new Layout<KSAUDIOENGINE_VOLUMELEVEL>('KSAUDIOENGINE_VOLUMELEVEL', {
  targetVolume: long,
  curveType: ulong,
  curveDuration: ulonglong,
});

export interface KSAUDIO_PACKETSIZE_PROCESSINGMODE_CONSTRAINT {
  readonly processingMode: GUID;
  readonly samplesPerProcessingPacket: number;
  /** 100-ns units. */
  readonly processingPacketDurationInHns: number;
}
/** In ksmedia.h KSAUDIO_PACKETSIZE_SIGNALPROCESSINGMODE_CONSTRAINT. */
export const KSAUDIO_PACKETSIZE_PROCESSINGMODE_CONSTRAINT =
  new Layout<KSAUDIO_PACKETSIZE_PROCESSINGMODE_CONSTRAINT>(
    'KSAUDIO_PACKETSIZE_SIGNALPROCESSINGMODE_CONSTRAINT',
    { processingMode: guidField, samplesPerProcessingPacket: ulong, processingPacketDurationInHns: ulong },
  );

/** Head of KSAUDIO_PACKETSIZE_CONSTRAINTS2; the mode constraints follow. */
export interface KSAUDIO_PACKETSIZE_CONSTRAINTS2 {
  readonly minPacketPeriodInHns: number;
  /** Alignment minus one (FILE_*_ALIGNMENT). */
  readonly packetSizeFileAlignment: number;
  readonly maxPacketSizeInBytes: number;
  readonly numProcessingModeConstraints: number;
}
export const KSAUDIO_PACKETSIZE_CONSTRAINTS2 = new Layout<KSAUDIO_PACKETSIZE_CONSTRAINTS2>(
  'KSAUDIO_PACKETSIZE_CONSTRAINTS2',
  {
    minPacketPeriodInHns: ulong,
    packetSizeFileAlignment: ulong,
    maxPacketSizeInBytes: ulong,
    numProcessingModeConstraints: ulong,
  },
);

export interface KSAUDIOMODULE_PROPERTY {
  readonly property: KSPROPERTY;
  readonly classId: GUID;
  readonly instanceId: number;
}
export const KSAUDIOMODULE_PROPERTY = new Layout<KSAUDIOMODULE_PROPERTY>('KSAUDIOMODULE_PROPERTY', {
  property: KSIDENTIFIER,
  classId: guidField,
  instanceId: ulong,
});

export interface KSAUDIOMODULE_DESCRIPTOR {
  readonly classId: GUID;
  readonly instanceId: number;
  readonly versionMajor: number;
  readonly versionMinor: number;
  readonly name: string;
}
export const KSAUDIOMODULE_DESCRIPTOR = new Layout<KSAUDIOMODULE_DESCRIPTOR>('KSAUDIOMODULE_DESCRIPTOR', {
  classId: guidField,
  instanceId: ulong,
  versionMajor: ulong,
  versionMinor: ulong,
  name: wcharArray(128),
});

export interface KSSOUNDDETECTORPROPERTY {
  readonly property: KSPROPERTY;
  readonly eventId: GUID;
}
export const KSSOUNDDETECTORPROPERTY = new Layout<KSSOUNDDETECTORPROPERTY>('KSSOUNDDETECTORPROPERTY', {
  property: KSIDENTIFIER,
  eventId: guidField,
});

export interface KSTOPOLOGY_ENDPOINTID {
  readonly topologyName: string;
  readonly pinId: number;
}
export const KSTOPOLOGY_ENDPOINTID = new Layout<KSTOPOLOGY_ENDPOINTID>('KSTOPOLOGY_ENDPOINTID', {
  topologyName: wcharArray(260),
  pinId: ulong,
});

export interface INTERLEAVED_AUDIO_FORMAT_INFORMATION {
  readonly size: number;
  readonly primaryChannelCount: number;
  readonly primaryChannelStartPosition: number;
  readonly primaryChannelMask: number;
  readonly interleavedChannelCount: number;
  readonly interleavedChannelStartPosition: number;
  readonly interleavedChannelMask: number;
}
export const INTERLEAVED_AUDIO_FORMAT_INFORMATION = new Layout<INTERLEAVED_AUDIO_FORMAT_INFORMATION>(
  'INTERLEAVED_AUDIO_FORMAT_INFORMATION',
  {
    size: ulong,
    primaryChannelCount: ulong,
    primaryChannelStartPosition: ulong,
    primaryChannelMask: ulong,
    interleavedChannelCount: ulong,
    interleavedChannelStartPosition: ulong,
    interleavedChannelMask: ulong,
  },
);

// ---- MIDI and wave objects ----

/** Head of a piece of MIDI data; byteCount bytes follow, padded to a multiple of 4. */
export interface KSMUSICFORMAT {
  readonly timeDeltaMs: number;
  readonly byteCount: number;
}
export const KSMUSICFORMAT = new Layout<KSMUSICFORMAT>('KSMUSICFORMAT', {
  timeDeltaMs: ulong,
  byteCount: ulong,
});

export interface KSWAVE_BUFFER {
  readonly attributes: number;
  readonly bufferSize: number;
  readonly bufferAddress: number;
}
export const KSWAVE_BUFFER = new Layout<KSWAVE_BUFFER>('KSWAVE_BUFFER', {
  attributes: ulong,
  bufferSize: ulong,
  bufferAddress: pointer,
});

export interface KSWAVE_VOLUME {
  readonly leftAttenuation: number;
  readonly rightAttenuation: number;
}
export const KSWAVE_VOLUME = new Layout<KSWAVE_VOLUME>('KSWAVE_VOLUME', {
  leftAttenuation: long,
  rightAttenuation: long,
});

// ---- DirectSound 3D ----

export interface DS3DVECTOR {
  readonly x: number;
  readonly y: number;
  readonly z: number;
}
export const DS3DVECTOR = new Layout<DS3DVECTOR>('DS3DVECTOR', { x: float, y: float, z: float });

export interface KSDS3D_LISTENER_ALL {
  readonly position: DS3DVECTOR;
  readonly velocity: DS3DVECTOR;
  readonly orientFront: DS3DVECTOR;
  readonly orientTop: DS3DVECTOR;
  readonly distanceFactor: number;
  readonly rolloffFactor: number;
  readonly dopplerFactor: number;
}
export const KSDS3D_LISTENER_ALL = new Layout<KSDS3D_LISTENER_ALL>('KSDS3D_LISTENER_ALL', {
  position: DS3DVECTOR,
  velocity: DS3DVECTOR,
  orientFront: DS3DVECTOR,
  orientTop: DS3DVECTOR,
  distanceFactor: float,
  rolloffFactor: float,
  dopplerFactor: float,
});

export interface KSDS3D_LISTENER_ORIENTATION {
  readonly front: DS3DVECTOR;
  readonly top: DS3DVECTOR;
}
export const KSDS3D_LISTENER_ORIENTATION = new Layout<KSDS3D_LISTENER_ORIENTATION>(
  'KSDS3D_LISTENER_ORIENTATION',
  {
    front: DS3DVECTOR,
    top: DS3DVECTOR,
  },
);

export interface KSDS3D_BUFFER_ALL {
  readonly position: DS3DVECTOR;
  readonly velocity: DS3DVECTOR;
  /** Degrees. */
  readonly insideConeAngle: number;
  readonly outsideConeAngle: number;
  readonly coneOrientation: DS3DVECTOR;
  readonly coneOutsideVolume: number;
  readonly minDistance: number;
  readonly maxDistance: number;
  readonly mode: number;
}
export const KSDS3D_BUFFER_ALL = new Layout<KSDS3D_BUFFER_ALL>('KSDS3D_BUFFER_ALL', {
  position: DS3DVECTOR,
  velocity: DS3DVECTOR,
  insideConeAngle: ulong,
  outsideConeAngle: ulong,
  coneOrientation: DS3DVECTOR,
  coneOutsideVolume: long,
  minDistance: float,
  maxDistance: float,
  mode: ulong,
});

export interface KSDS3D_BUFFER_CONE_ANGLES {
  readonly insideConeAngle: number;
  readonly outsideConeAngle: number;
}
export const KSDS3D_BUFFER_CONE_ANGLES = new Layout<KSDS3D_BUFFER_CONE_ANGLES>('KSDS3D_BUFFER_CONE_ANGLES', {
  insideConeAngle: ulong,
  outsideConeAngle: ulong,
});

export interface KSDS3D_ITD_PARAMS {
  readonly channel: number;
  readonly volSmoothScale: number;
  readonly totalDryAttenuation: number;
  readonly totalWetAttenuation: number;
  readonly smoothFrequency: number;
  readonly delay: number;
}
export const KSDS3D_ITD_PARAMS = new Layout<KSDS3D_ITD_PARAMS>('KSDS3D_ITD_PARAMS', {
  channel: long,
  volSmoothScale: float,
  totalDryAttenuation: float,
  totalWetAttenuation: float,
  smoothFrequency: long,
  delay: long,
});

// ---- AC-3 ----

export interface KSAC3_ERROR_CONCEALMENT {
  readonly fRepeatPreviousBlock: boolean;
  readonly fErrorInCurrentBlock: boolean;
}
export const KSAC3_ERROR_CONCEALMENT = new Layout<KSAC3_ERROR_CONCEALMENT>('KSAC3_ERROR_CONCEALMENT', {
  fRepeatPreviousBlock: bool,
  fErrorInCurrentBlock: bool,
});

export interface KSAC3_ALTERNATE_AUDIO {
  readonly fStereo: boolean;
  readonly dualMode: number;
}
export const KSAC3_ALTERNATE_AUDIO = new Layout<KSAC3_ALTERNATE_AUDIO>('KSAC3_ALTERNATE_AUDIO', {
  fStereo: bool,
  dualMode: ulong,
});

export interface KSAC3_DOWNMIX {
  readonly fDownMix: boolean;
  readonly fDolbySurround: boolean;
}
export const KSAC3_DOWNMIX = new Layout<KSAC3_DOWNMIX>('KSAC3_DOWNMIX', {
  fDownMix: bool,
  fDolbySurround: bool,
});
