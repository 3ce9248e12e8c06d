/** Control codes, flags and enumerations of kernel streaming (ks.h, ksmedia.h). Item ids stand in property-ids.ts and its kin. */

// ---- device controls (ks.h; CTL_CODE(FILE_DEVICE_KS, n, METHOD_NEITHER, access)) ----

export const IOCTL_KS_PROPERTY = 0x2f0003;
export const IOCTL_KS_ENABLE_EVENT = 0x2f0007;
export const IOCTL_KS_DISABLE_EVENT = 0x2f000b;
export const IOCTL_KS_METHOD = 0x2f000f;
export const IOCTL_KS_WRITE_STREAM = 0x2f8013;
export const IOCTL_KS_READ_STREAM = 0x2f4017;
export const IOCTL_KS_RESET_STATE = 0x2f001b;
export const IOCTL_KS_HANDSHAKE = 0x2f001f;

export const KSRESET_BEGIN = 0;
export const KSRESET_END = 1;

// ---- states ----

export const KSSTATE_STOP = 0;
export const KSSTATE_ACQUIRE = 1;
export const KSSTATE_PAUSE = 2;
export const KSSTATE_RUN = 3;
/** State of a pin (DDI page KSSTATE). */
export type KSSTATE =
  | typeof KSSTATE_STOP
  | typeof KSSTATE_ACQUIRE
  | typeof KSSTATE_PAUSE
  | typeof KSSTATE_RUN;

const STATE_NAMES = ['KSSTATE_STOP', 'KSSTATE_ACQUIRE', 'KSSTATE_PAUSE', 'KSSTATE_RUN'] as const;

/** 'KSSTATE_RUN', or 'KSSTATE(7)' for a number that is no state. */
export function ksStateName(state: number): string {
  return STATE_NAMES[state] ?? `KSSTATE(${state})`;
}

/** Is the number a KSSTATE? */
export function isKsState(value: number): value is KSSTATE {
  return (
    value === KSSTATE_STOP || value === KSSTATE_ACQUIRE || value === KSSTATE_PAUSE || value === KSSTATE_RUN
  );
}

// ---- request types (Flags of KSPROPERTY, KSEVENT, KSMETHOD) ----

export const KSPROPERTY_TYPE_GET = 0x00000001;
export const KSPROPERTY_TYPE_SET = 0x00000002;
export const KSPROPERTY_TYPE_SETSUPPORT = 0x00000100;
export const KSPROPERTY_TYPE_BASICSUPPORT = 0x00000200;
export const KSPROPERTY_TYPE_RELATIONS = 0x00000400;
export const KSPROPERTY_TYPE_SERIALIZESET = 0x00000800;
export const KSPROPERTY_TYPE_UNSERIALIZESET = 0x00001000;
export const KSPROPERTY_TYPE_SERIALIZERAW = 0x00002000;
export const KSPROPERTY_TYPE_UNSERIALIZERAW = 0x00004000;
export const KSPROPERTY_TYPE_SERIALIZESIZE = 0x00008000;
export const KSPROPERTY_TYPE_DEFAULTVALUES = 0x00010000;
export const KSPROPERTY_TYPE_TOPOLOGY = 0x10000000;

export const KSMETHOD_TYPE_NONE = 0x00000000;
export const KSMETHOD_TYPE_READ = 0x00000001;
export const KSMETHOD_TYPE_WRITE = 0x00000002;
export const KSMETHOD_TYPE_MODIFY = 0x00000003;
export const KSMETHOD_TYPE_SOURCE = 0x00000004;
export const KSMETHOD_TYPE_SEND = 0x00000001;
export const KSMETHOD_TYPE_SETSUPPORT = 0x00000100;
export const KSMETHOD_TYPE_BASICSUPPORT = 0x00000200;
export const KSMETHOD_TYPE_TOPOLOGY = 0x10000000;

export const KSEVENT_TYPE_ENABLE = 0x00000001;
export const KSEVENT_TYPE_ONESHOT = 0x00000002;
export const KSEVENT_TYPE_ENABLEBUFFERED = 0x00000004;
export const KSEVENT_TYPE_SETSUPPORT = 0x00000100;
export const KSEVENT_TYPE_BASICSUPPORT = 0x00000200;
export const KSEVENT_TYPE_QUERYBUFFER = 0x00000400;
export const KSEVENT_TYPE_TOPOLOGY = 0x10000000;

/** KSEVENTDATA.notificationType */
export const KSEVENTF_EVENT_HANDLE = 0x00000001;
export const KSEVENTF_SEMAPHORE_HANDLE = 0x00000002;
export const KSEVENTF_EVENT_OBJECT = 0x00000004;
export const KSEVENTF_SEMAPHORE_OBJECT = 0x00000008;
export const KSEVENTF_DPC = 0x00000010;
export const KSEVENTF_WORKITEM = 0x00000020;
export const KSEVENTF_KSWORKITEM = 0x00000080;

/** KSEVENT_ENTRY.flags */
export const KSEVENT_ENTRY_DELETED = 1;
export const KSEVENT_ENTRY_ONESHOT = 2;
export const KSEVENT_ENTRY_BUFFERED = 4;

// ---- property descriptions ----

export const KSPROPERTY_MEMBER_RANGES = 1;
export const KSPROPERTY_MEMBER_STEPPEDRANGES = 2;
export const KSPROPERTY_MEMBER_VALUES = 3;
export const KSPROPERTY_MEMBER_FLAG_DEFAULT = 1;
export const KSPROPERTY_MEMBER_FLAG_BASICSUPPORT_MULTICHANNEL = 2;
export const KSPROPERTY_MEMBER_FLAG_BASICSUPPORT_UNIFORM = 4;

/** VARENUM values that describe KS properties, with KSPROPTYPESETID_General (wtypes.h). */
export const VT_EMPTY = 0;
export const VT_I4 = 3;
export const VT_R4 = 4;
export const VT_BOOL = 11;
export const VT_UI1 = 17;
export const VT_UI4 = 19;
export const VT_I8 = 20;
export const VT_UI8 = 21;
export const VT_LPWSTR = 31;
export const VT_CLSID = 72;

// ---- pins ----

export const KSPIN_DATAFLOW_IN = 1;
export const KSPIN_DATAFLOW_OUT = 2;
/** Direction of a pin's data, seen from its filter (DDI page KSPIN_DATAFLOW). */
export type KSPIN_DATAFLOW = typeof KSPIN_DATAFLOW_IN | typeof KSPIN_DATAFLOW_OUT;

export const KSPIN_COMMUNICATION_NONE = 0;
export const KSPIN_COMMUNICATION_SINK = 1;
export const KSPIN_COMMUNICATION_SOURCE = 2;
export const KSPIN_COMMUNICATION_BOTH = 3;
export const KSPIN_COMMUNICATION_BRIDGE = 4;
/** Who sends IRPs to whom over a pin (DDI page KSPIN_COMMUNICATION). */
export type KSPIN_COMMUNICATION =
  | typeof KSPIN_COMMUNICATION_NONE
  | typeof KSPIN_COMMUNICATION_SINK
  | typeof KSPIN_COMMUNICATION_SOURCE
  | typeof KSPIN_COMMUNICATION_BOTH
  | typeof KSPIN_COMMUNICATION_BRIDGE;

/** KSPIN_CINSTANCES: no limit, or a count that the pin does not know. */
export const KSINSTANCE_INDETERMINATE = 0xffffffff;

export const KSINTERFACE_STANDARD_STREAMING = 0;
export const KSINTERFACE_STANDARD_LOOPED_STREAMING = 1;
export const KSINTERFACE_STANDARD_CONTROL = 2;
export const KSINTERFACE_MEDIA_MUSIC = 0;
export const KSINTERFACE_MEDIA_WAVE_BUFFERED = 1;
export const KSINTERFACE_MEDIA_WAVE_QUEUED = 2;
export const KSINTERFACE_FILEIO_STREAMING = 0;

export const KSMEDIUM_TYPE_ANYINSTANCE = 0;
export const KSMEDIUM_STANDARD_DEVIO = KSMEDIUM_TYPE_ANYINSTANCE;

export const KSPRIORITY_LOW = 0x00000001;
export const KSPRIORITY_NORMAL = 0x40000000;
export const KSPRIORITY_HIGH = 0x80000000;
export const KSPRIORITY_EXCLUSIVE = 0xffffffff;

/** KSTOPOLOGY_CONNECTION: the end is a pin of the filter. */
export const KSFILTER_NODE = 0xffffffff;
export const KSALL_NODES = 0xffffffff;
/** Logical pins of a node with one input and one output: numbered by IRP direction (DDI page KSTOPOLOGY_CONNECTION). */
export const KSNODEPIN_STANDARD_IN = 1;
export const KSNODEPIN_STANDARD_OUT = 0;
export const KSNODEPIN_SUM_MUX_IN = 1;
export const KSNODEPIN_SUM_MUX_OUT = 0;
export const KSNODEPIN_DEMUX_IN = 0;
export const KSNODEPIN_DEMUX_OUT = 1;
export const KSNODEPIN_AEC_RENDER_IN = 1;
export const KSNODEPIN_AEC_RENDER_OUT = 0;
export const KSNODEPIN_AEC_CAPTURE_IN = 2;
export const KSNODEPIN_AEC_CAPTURE_OUT = 3;

// ---- formats ----

export const KSDATAFORMAT_TEMPORAL_COMPRESSION = 0x1;
export const KSDATAFORMAT_ATTRIBUTES = 0x2;
export const KSDATARANGE_ATTRIBUTES = 0x2;
export const KSDATARANGE_REQUIRED_ATTRIBUTES = 0x4;
export const KSATTRIBUTE_REQUIRED = 0x1;

/** WAVEFORMATEX.wFormatTag (mmreg.h). */
export const WAVE_FORMAT_UNKNOWN = 0x0000;
export const WAVE_FORMAT_PCM = 0x0001;
export const WAVE_FORMAT_ADPCM = 0x0002;
export const WAVE_FORMAT_IEEE_FLOAT = 0x0003;
export const WAVE_FORMAT_DRM = 0x0009;
export const WAVE_FORMAT_ALAW = 0x0006;
export const WAVE_FORMAT_MULAW = 0x0007;
export const WAVE_FORMAT_MPEG = 0x0050;
export const WAVE_FORMAT_MPEGLAYER3 = 0x0055;
export const WAVE_FORMAT_DOLBY_AC3_SPDIF = 0x0092;
export const WAVE_FORMAT_WMASPDIF = 0x0164;
export const WAVE_FORMAT_EXTENSIBLE = 0xfffe;

export const KSDSOUND_BUFFER_PRIMARY = 0x00000001;
export const KSDSOUND_BUFFER_STATIC = 0x00000002;
export const KSDSOUND_BUFFER_LOCHARDWARE = 0x00000004;
export const KSDSOUND_BUFFER_LOCSOFTWARE = 0x00000008;
export const KSDSOUND_BUFFER_CTRL_3D = 0x00000001;
export const KSDSOUND_BUFFER_CTRL_FREQUENCY = 0x00000002;
export const KSDSOUND_BUFFER_CTRL_PAN = 0x00000004;
export const KSDSOUND_BUFFER_CTRL_VOLUME = 0x00000008;
export const KSDSOUND_BUFFER_CTRL_POSITIONNOTIFY = 0x00000010;
export const KSDSOUND_BUFFER_CTRL_HRTF_3D = 0x40000000;

export const SPEAKER_FRONT_LEFT = 0x1;
export const SPEAKER_FRONT_RIGHT = 0x2;
export const SPEAKER_FRONT_CENTER = 0x4;
export const SPEAKER_LOW_FREQUENCY = 0x8;
export const SPEAKER_BACK_LEFT = 0x10;
export const SPEAKER_BACK_RIGHT = 0x20;
export const SPEAKER_FRONT_LEFT_OF_CENTER = 0x40;
export const SPEAKER_FRONT_RIGHT_OF_CENTER = 0x80;
export const SPEAKER_BACK_CENTER = 0x100;
export const SPEAKER_SIDE_LEFT = 0x200;
export const SPEAKER_SIDE_RIGHT = 0x400;
export const SPEAKER_TOP_CENTER = 0x800;
export const SPEAKER_TOP_FRONT_LEFT = 0x1000;
export const SPEAKER_TOP_FRONT_CENTER = 0x2000;
export const SPEAKER_TOP_FRONT_RIGHT = 0x4000;
export const SPEAKER_TOP_BACK_LEFT = 0x8000;
export const SPEAKER_TOP_BACK_CENTER = 0x10000;
export const SPEAKER_TOP_BACK_RIGHT = 0x20000;
export const SPEAKER_RESERVED = 0x7ffc0000;
export const SPEAKER_ALL = 0x80000000;

export const KSAUDIO_SPEAKER_DIRECTOUT = 0;
export const KSAUDIO_SPEAKER_MONO = 0x4;
export const KSAUDIO_SPEAKER_1POINT1 = 0xc;
export const KSAUDIO_SPEAKER_STEREO = 0x3;
export const KSAUDIO_SPEAKER_2POINT1 = 0xb;
export const KSAUDIO_SPEAKER_3POINT0 = 0x7;
export const KSAUDIO_SPEAKER_3POINT1 = 0xf;
export const KSAUDIO_SPEAKER_QUAD = 0x33;
export const KSAUDIO_SPEAKER_SURROUND = 0x107;
export const KSAUDIO_SPEAKER_5POINT0 = 0x607;
export const KSAUDIO_SPEAKER_5POINT1 = 0x3f;
export const KSAUDIO_SPEAKER_7POINT0 = 0x637;
export const KSAUDIO_SPEAKER_7POINT1 = 0xff;
export const KSAUDIO_SPEAKER_5POINT1_SURROUND = 0x60f;
export const KSAUDIO_SPEAKER_7POINT1_SURROUND = 0x63f;

/** The speaker mask that a plain WAVEFORMATEX of so many channels stands for; 0 when there is no usual one. */
export function defaultChannelMask(channels: number): number {
  switch (channels) {
    case 1:
      return KSAUDIO_SPEAKER_MONO;
    case 2:
      return KSAUDIO_SPEAKER_STEREO;
    case 3:
      return KSAUDIO_SPEAKER_2POINT1;
    case 4:
      return KSAUDIO_SPEAKER_QUAD;
    case 6:
      return KSAUDIO_SPEAKER_5POINT1_SURROUND;
    case 8:
      return KSAUDIO_SPEAKER_7POINT1_SURROUND;
    default:
      return KSAUDIO_SPEAKER_DIRECTOUT;
  }
}

// ---- streaming ----

export const KSSTREAM_HEADER_OPTIONSF_SPLICEPOINT = 0x00000001;
export const KSSTREAM_HEADER_OPTIONSF_PREROLL = 0x00000002;
export const KSSTREAM_HEADER_OPTIONSF_DATADISCONTINUITY = 0x00000004;
export const KSSTREAM_HEADER_OPTIONSF_TYPECHANGED = 0x00000008;
export const KSSTREAM_HEADER_OPTIONSF_TIMEVALID = 0x00000010;
export const KSSTREAM_HEADER_OPTIONSF_TIMEDISCONTINUITY = 0x00000040;
export const KSSTREAM_HEADER_OPTIONSF_FLUSHONPAUSE = 0x00000080;
export const KSSTREAM_HEADER_OPTIONSF_DURATIONVALID = 0x00000100;
export const KSSTREAM_HEADER_OPTIONSF_ENDOFSTREAM = 0x00000200;
export const KSSTREAM_HEADER_OPTIONSF_BUFFEREDTRANSFER = 0x00000400;
export const KSSTREAM_HEADER_OPTIONSF_VRAM_DATA_TRANSFER = 0x00000800;
export const KSSTREAM_HEADER_OPTIONSF_LOOPEDDATA = 0x80000000;

export const KSALLOCATOR_REQUIREMENTF_INPLACE_MODIFIER = 0x00000001;
export const KSALLOCATOR_REQUIREMENTF_SYSTEM_MEMORY = 0x00000002;
export const KSALLOCATOR_REQUIREMENTF_FRAME_INTEGRITY = 0x00000004;
export const KSALLOCATOR_REQUIREMENTF_MUST_ALLOCATE = 0x00000008;
export const KSALLOCATOR_REQUIREMENTF_PREFERENCES_ONLY = 0x80000000;
export const KSALLOCATOR_OPTIONF_COMPATIBLE = 0x00000001;
export const KSALLOCATOR_OPTIONF_SYSTEM_MEMORY = 0x00000002;
export const KSALLOCATOR_OPTIONF_VALID = 0x00000003;
export const KSALLOCATOR_FLAG_PARTIAL_READ_SUPPORT = 0x00000010;
export const KSALLOCATOR_FLAG_DEVICE_SPECIFIC = 0x00000020;
export const KSALLOCATOR_FLAG_CAN_ALLOCATE = 0x00000040;
export const KSALLOCATOR_FLAG_INSIST_ON_FRAMESIZE_RATIO = 0x00000080;
export const KSALLOCATOR_FLAG_NO_FRAME_INTEGRITY = 0x00000100;
export const KSALLOCATOR_FLAG_MULTIPLE_OUTPUT = 0x00000200;
export const KSALLOCATOR_FLAG_CYCLE = 0x00000400;
export const KSALLOCATOR_FLAG_ALLOCATOR_EXISTS = 0x00000800;
export const KSALLOCATOR_FLAG_INDEPENDENT_RANGES = 0x00001000;
export const KSALLOCATOR_FLAG_ATTENTION_STEPPING = 0x00002000;

export const KSRATE_NOPRESENTATIONSTART = 0x1;
export const KSRATE_NOPRESENTATIONDURATION = 0x2;
export const KSFRAMETIME_VARIABLESIZE = 0x1;

// ---- create items ----

export const KSCREATE_ITEM_SECURITYCHANGED = 0x00000001;
export const KSCREATE_ITEM_WILDCARD = 0x00000002;
export const KSCREATE_ITEM_NOPARAMETERS = 0x00000004;
export const KSCREATE_ITEM_FREEONSTOP = 0x00000008;

/** Class names of objects that are opened relative to another (KSSTRING_*). */
export const KSSTRING_Filter = '{9B365890-165F-11D0-A195-0020AFD156E4}';
export const KSSTRING_Pin = '{146F1A80-4791-11D0-A5D6-28DB04C10000}';
export const KSSTRING_Clock = '{53172480-4791-11D0-A5D6-28DB04C10000}';
export const KSSTRING_Allocator = '{642F5D00-4791-11D0-A5D6-28DB04C10000}';
export const KSSTRING_AllocatorEx = '{091BB63B-603F-11D1-B067-00A0C9062802}';
export const KSSTRING_TopologyNode = '{0621061A-EE75-11D0-B915-00A0C9223196}';

// ---- audio values ----

export const KSAUDIO_QUALITY_WORST = 0;
export const KSAUDIO_QUALITY_PC = 1;
export const KSAUDIO_QUALITY_BASIC = 2;
export const KSAUDIO_QUALITY_ADVANCED = 3;
export const KSAUDIO_CPU_RESOURCES_NOT_HOST_CPU = 0x00000000;
export const KSAUDIO_CPU_RESOURCES_HOST_CPU = 0x7fffffff;
export const KSAUDIO_STEREO_SPEAKER_GEOMETRY_HEADPHONE = -1;
export const KSAUDIO_STEREO_SPEAKER_GEOMETRY_MIN = 5;
export const KSAUDIO_STEREO_SPEAKER_GEOMETRY_NARROW = 10;
export const KSAUDIO_STEREO_SPEAKER_GEOMETRY_WIDE = 20;
export const KSAUDIO_STEREO_SPEAKER_GEOMETRY_MAX = 180;
export const AEC_STATUS_FD_HISTORY_UNINITIALIZED = 0x0;
export const AEC_STATUS_FD_HISTORY_CONTINUOUSLY_CONVERGED = 0x1;
export const AEC_STATUS_FD_HISTORY_PREVIOUSLY_DIVERGED = 0x2;
export const AEC_STATUS_FD_CURRENTLY_CONVERGED = 0x8;
export const AEC_MODE_PASS_THROUGH = 0;
export const AEC_MODE_HALF_DUPLEX = 1;
export const AEC_MODE_FULL_DUPLEX = 2;

// ---- jacks (ksmedia.h; DDI pages KSJACK_DESCRIPTION, EPcxConnectionType …) ----

export const eConnTypeUnknown = 0;
export const eConnType3Point5mm = 1;
export const eConnTypeQuarter = 2;
export const eConnTypeAtapiInternal = 3;
export const eConnTypeRCA = 4;
export const eConnTypeOptical = 5;
export const eConnTypeOtherDigital = 6;
export const eConnTypeOtherAnalog = 7;
export const eConnTypeMultichannelAnalogDIN = 8;
export const eConnTypeXlrProfessional = 9;
export const eConnTypeRJ11Modem = 10;
export const eConnTypeCombination = 11;

export const eGeoLocRear = 1;
export const eGeoLocFront = 2;
export const eGeoLocLeft = 3;
export const eGeoLocRight = 4;
export const eGeoLocTop = 5;
export const eGeoLocBottom = 6;
export const eGeoLocRearPanel = 7;
export const eGeoLocRiser = 8;
export const eGeoLocInsideMobileLid = 9;
export const eGeoLocDrivebay = 10;
export const eGeoLocHDMI = 11;
export const eGeoLocOutsideMobileLid = 12;
export const eGeoLocATAPI = 13;
export const eGeoLocNotApplicable = 14;

export const eGenLocPrimaryBox = 0;
export const eGenLocInternal = 1;
export const eGenLocSeparate = 2;
export const eGenLocOther = 3;

export const ePortConnJack = 0;
export const ePortConnIntegratedDevice = 1;
export const ePortConnBothIntegratedAndJack = 2;
export const ePortConnUnknown = 3;

export const JACKDESC2_PRESENCE_DETECT_CAPABILITY = 0x00000001;
export const JACKDESC2_DYNAMIC_FORMAT_CHANGE_CAPABILITY = 0x00000002;
