/**
 * Structures of ks.h, each with its memory layout: `KSP_PIN` is the type of the decoded structure and, as a value, its layout
 * (`KSP_PIN.decode(bytes)`, `.encode(value)`, `.size`). Decoding throws NtError STATUS_BUFFER_TOO_SMALL when bytes are
 * missing. Handles and pointers are numbers in the client's address space.
 */
import { type GUID, GUID_NULL } from '../com/index.ts';
import { array, guidField, Layout, long, longlong, pointer, reserved64, ulong, ulonglong } from './layout.ts';

/** A set and an item in it (DDI page KSIDENTIFIER): head of every request, and interface, medium, value type. */
export interface KSIDENTIFIER {
  readonly set: GUID;
  readonly id: number;
  readonly flags: number;
}
export const KSIDENTIFIER = new Layout<KSIDENTIFIER>(
  'KSIDENTIFIER',
  { set: guidField, id: ulong, flags: ulong },
  { align: 8 },
);

/** `flags` are KSPROPERTY_TYPE_*. */
export type KSPROPERTY = KSIDENTIFIER;
export const KSPROPERTY: Layout<KSIDENTIFIER> = KSIDENTIFIER;
/** `flags` are KSEVENT_TYPE_*. */
export type KSEVENT = KSIDENTIFIER;
export const KSEVENT: Layout<KSIDENTIFIER> = KSIDENTIFIER;
/** `flags` are KSMETHOD_TYPE_*. */
export type KSMETHOD = KSIDENTIFIER;
export const KSMETHOD: Layout<KSIDENTIFIER> = KSIDENTIFIER;
export type KSPIN_INTERFACE = KSIDENTIFIER;
export type KSPIN_MEDIUM = KSIDENTIFIER;
export type KSDEGRADE = KSIDENTIFIER;

/** Same set and id; flags do not count. */
export function identifierEquals(a: KSIDENTIFIER, b: KSIDENTIFIER): boolean {
  return a.id === b.id && a.set.equals(b.set);
}

export interface KSP_NODE {
  readonly property: KSPROPERTY;
  readonly nodeId: number;
}
export const KSP_NODE = new Layout<KSP_NODE>('KSP_NODE', {
  property: KSIDENTIFIER,
  nodeId: ulong,
  _reserved: ulong,
});

export interface KSM_NODE {
  readonly method: KSMETHOD;
  readonly nodeId: number;
}
export const KSM_NODE = new Layout<KSM_NODE>('KSM_NODE', {
  method: KSIDENTIFIER,
  nodeId: ulong,
  _reserved: ulong,
});

export interface KSE_NODE {
  readonly event: KSEVENT;
  readonly nodeId: number;
}
export const KSE_NODE = new Layout<KSE_NODE>('KSE_NODE', {
  event: KSIDENTIFIER,
  nodeId: ulong,
  _reserved: ulong,
});

export interface KSP_PIN {
  readonly property: KSPROPERTY;
  readonly pinId: number;
}
export const KSP_PIN = new Layout<KSP_PIN>('KSP_PIN', {
  property: KSIDENTIFIER,
  pinId: ulong,
  _reserved: ulong,
});

export interface KSE_PIN {
  readonly event: KSEVENT;
  readonly pinId: number;
}
export const KSE_PIN = new Layout<KSE_PIN>('KSE_PIN', {
  event: KSIDENTIFIER,
  pinId: ulong,
  _reserved: ulong,
});

/** Head of a list: `size` is the whole size with this head, `count` the number of items. */
export interface KSMULTIPLE_ITEM {
  readonly size: number;
  readonly count: number;
}
export const KSMULTIPLE_ITEM = new Layout<KSMULTIPLE_ITEM>('KSMULTIPLE_ITEM', { size: ulong, count: ulong });

// ---- property descriptions ----

/** Head of a basic-support answer; `propTypeSet` is KSPROPTYPESETID_General and a VT_*, or nothing. */
export interface KSPROPERTY_DESCRIPTION {
  readonly accessFlags: number;
  /** The whole answer in bytes, this head included. */
  readonly descriptionSize: number;
  readonly propTypeSet: KSIDENTIFIER;
  readonly membersListCount: number;
}
export const KSPROPERTY_DESCRIPTION = new Layout<KSPROPERTY_DESCRIPTION>('KSPROPERTY_DESCRIPTION', {
  accessFlags: ulong,
  descriptionSize: ulong,
  propTypeSet: KSIDENTIFIER,
  membersListCount: ulong,
  _reserved: ulong,
});

/** Head of one members list: `membersCount` members of `membersSize` bytes follow. */
export interface KSPROPERTY_MEMBERSHEADER {
  /** KSPROPERTY_MEMBER_RANGES, _STEPPEDRANGES or _VALUES */
  readonly membersFlags: number;
  readonly membersSize: number;
  readonly membersCount: number;
  /** KSPROPERTY_MEMBER_FLAG_* */
  readonly flags: number;
}
export const KSPROPERTY_MEMBERSHEADER = new Layout<KSPROPERTY_MEMBERSHEADER>('KSPROPERTY_MEMBERSHEADER', {
  membersFlags: ulong,
  membersSize: ulong,
  membersCount: ulong,
  flags: ulong,
});

export interface KSPROPERTY_BOUNDS_LONG {
  readonly signedMinimum: number;
  readonly signedMaximum: number;
}
export const KSPROPERTY_BOUNDS_LONG = new Layout<KSPROPERTY_BOUNDS_LONG>('KSPROPERTY_BOUNDS_LONG', {
  signedMinimum: long,
  signedMaximum: long,
});

export interface KSPROPERTY_BOUNDS_LONGLONG {
  readonly signedMinimum: number;
  readonly signedMaximum: number;
}
export const KSPROPERTY_BOUNDS_LONGLONG = new Layout<KSPROPERTY_BOUNDS_LONGLONG>(
  'KSPROPERTY_BOUNDS_LONGLONG',
  {
    signedMinimum: longlong,
    signedMaximum: longlong,
  },
);

export interface KSPROPERTY_STEPPING_LONG {
  readonly steppingDelta: number;
  readonly bounds: KSPROPERTY_BOUNDS_LONG;
}
export const KSPROPERTY_STEPPING_LONG = new Layout<KSPROPERTY_STEPPING_LONG>('KSPROPERTY_STEPPING_LONG', {
  steppingDelta: ulong,
  _reserved: ulong,
  bounds: KSPROPERTY_BOUNDS_LONG,
});

export interface KSPROPERTY_STEPPING_LONGLONG {
  readonly steppingDelta: number;
  readonly bounds: KSPROPERTY_BOUNDS_LONGLONG;
}
export const KSPROPERTY_STEPPING_LONGLONG = new Layout<KSPROPERTY_STEPPING_LONGLONG>(
  'KSPROPERTY_STEPPING_LONGLONG',
  { steppingDelta: ulonglong, bounds: KSPROPERTY_BOUNDS_LONGLONG },
);

/** Head of a serialized property set; packed, 20 bytes. */
export interface KSPROPERTY_SERIALHDR {
  readonly propertySet: GUID;
  readonly count: number;
}
export const KSPROPERTY_SERIALHDR = new Layout<KSPROPERTY_SERIALHDR>(
  'KSPROPERTY_SERIALHDR',
  { propertySet: guidField, count: ulong },
  { packed: true },
);

/** Head of one serialized property; `propertyLength` bytes of value follow. */
export interface KSPROPERTY_SERIAL {
  readonly propTypeSet: KSIDENTIFIER;
  readonly id: number;
  readonly propertyLength: number;
}
export const KSPROPERTY_SERIAL = new Layout<KSPROPERTY_SERIAL>('KSPROPERTY_SERIAL', {
  propTypeSet: KSIDENTIFIER,
  id: ulong,
  propertyLength: ulong,
});

// ---- pins and topology ----

export interface KSPIN_CINSTANCES {
  /** KSINSTANCE_INDETERMINATE: no limit. */
  readonly possibleCount: number;
  readonly currentCount: number;
}
export const KSPIN_CINSTANCES = new Layout<KSPIN_CINSTANCES>('KSPIN_CINSTANCES', {
  possibleCount: ulong,
  currentCount: ulong,
});

export interface KSPRIORITY {
  /** KSPRIORITY_LOW … KSPRIORITY_EXCLUSIVE */
  readonly priorityClass: number;
  readonly prioritySubClass: number;
}
export const KSPRIORITY = new Layout<KSPRIORITY>('KSPRIORITY', {
  priorityClass: ulong,
  prioritySubClass: ulong,
});

/** KSPIN_CONNECT without the format that follows it. */
export interface KSPIN_CONNECT_HEADER {
  readonly interface: KSPIN_INTERFACE;
  readonly medium: KSPIN_MEDIUM;
  readonly pinId: number;
  /** Handle of the pin to connect to; 0 for a sink that the client itself feeds or drains. */
  readonly pinToHandle: number;
  readonly priority: KSPRIORITY;
}
export const KSPIN_CONNECT_HEADER = new Layout<KSPIN_CONNECT_HEADER>('KSPIN_CONNECT', {
  interface: KSIDENTIFIER,
  medium: KSIDENTIFIER,
  pinId: ulong,
  pinToHandle: pointer,
  priority: KSPRIORITY,
});

export interface KSTOPOLOGY_CONNECTION {
  /** KSFILTER_NODE: the end is pin `fromNodePin` of the filter. */
  readonly fromNode: number;
  readonly fromNodePin: number;
  readonly toNode: number;
  readonly toNodePin: number;
}
export const KSTOPOLOGY_CONNECTION = new Layout<KSTOPOLOGY_CONNECTION>('KSTOPOLOGY_CONNECTION', {
  fromNode: ulong,
  fromNodePin: ulong,
  toNode: ulong,
  toNodePin: ulong,
});

export interface KSNODE_CREATE {
  readonly createFlags: number;
  readonly node: number;
}
export const KSNODE_CREATE = new Layout<KSNODE_CREATE>('KSNODE_CREATE', { createFlags: ulong, node: ulong });

export interface KSCLOCK_CREATE {
  readonly createFlags: number;
}
export const KSCLOCK_CREATE = new Layout<KSCLOCK_CREATE>('KSCLOCK_CREATE', { createFlags: ulong });

export interface KSCOMPONENTID {
  readonly manufacturer: GUID;
  readonly product: GUID;
  readonly component: GUID;
  readonly name: GUID;
  readonly version: number;
  readonly revision: number;
}
export const KSCOMPONENTID = new Layout<KSCOMPONENTID>('KSCOMPONENTID', {
  manufacturer: guidField,
  product: guidField,
  component: guidField,
  name: guidField,
  version: ulong,
  revision: ulong,
});

// ---- allocators ----

export interface KSALLOCATOR_FRAMING {
  /** KSALLOCATOR_REQUIREMENTF_* (requirements) or KSALLOCATOR_OPTIONF_* (creation). */
  readonly optionsFlags: number;
  readonly poolType: number;
  readonly frames: number;
  readonly frameSize: number;
  readonly fileAlignment: number;
}
export const KSALLOCATOR_FRAMING = new Layout<KSALLOCATOR_FRAMING>('KSALLOCATOR_FRAMING', {
  optionsFlags: ulong,
  poolType: ulong,
  frames: ulong,
  frameSize: ulong,
  fileAlignment: ulong,
  _reserved: ulong,
});

export interface KS_FRAMING_RANGE {
  readonly minFrameSize: number;
  readonly maxFrameSize: number;
  readonly stepping: number;
}
export const KS_FRAMING_RANGE = new Layout<KS_FRAMING_RANGE>('KS_FRAMING_RANGE', {
  minFrameSize: ulong,
  maxFrameSize: ulong,
  stepping: ulong,
});

export interface KS_FRAMING_RANGE_WEIGHTED {
  readonly range: KS_FRAMING_RANGE;
  readonly inPlaceWeight: number;
  readonly notInPlaceWeight: number;
}
export const KS_FRAMING_RANGE_WEIGHTED = new Layout<KS_FRAMING_RANGE_WEIGHTED>('KS_FRAMING_RANGE_WEIGHTED', {
  range: KS_FRAMING_RANGE,
  inPlaceWeight: ulong,
  notInPlaceWeight: ulong,
});

export interface KS_COMPRESSION {
  readonly ratioNumerator: number;
  readonly ratioDenominator: number;
  readonly ratioConstantMargin: number;
}
export const KS_COMPRESSION = new Layout<KS_COMPRESSION>('KS_COMPRESSION', {
  ratioNumerator: ulong,
  ratioDenominator: ulong,
  ratioConstantMargin: ulong,
});

export interface KS_FRAMING_ITEM {
  readonly memoryType: GUID;
  readonly busType: GUID;
  readonly memoryFlags: number;
  readonly busFlags: number;
  readonly flags: number;
  readonly frames: number;
  readonly fileAlignment: number;
  readonly memoryTypeWeight: number;
  readonly physicalRange: KS_FRAMING_RANGE;
  readonly framingRange: KS_FRAMING_RANGE_WEIGHTED;
}
export const KS_FRAMING_ITEM = new Layout<KS_FRAMING_ITEM>('KS_FRAMING_ITEM', {
  memoryType: guidField,
  busType: guidField,
  memoryFlags: ulong,
  busFlags: ulong,
  flags: ulong,
  frames: ulong,
  fileAlignment: ulong,
  memoryTypeWeight: ulong,
  physicalRange: KS_FRAMING_RANGE,
  framingRange: KS_FRAMING_RANGE_WEIGHTED,
});

/** KSALLOCATOR_FRAMING_EX with one framing item, the form that every audio pin uses. */
export interface KSALLOCATOR_FRAMING_EX {
  readonly countItems: number;
  readonly pinFlags: number;
  readonly outputCompression: KS_COMPRESSION;
  readonly pinWeight: number;
  readonly framingItem: readonly KS_FRAMING_ITEM[];
}
export const KSALLOCATOR_FRAMING_EX = new Layout<KSALLOCATOR_FRAMING_EX>('KSALLOCATOR_FRAMING_EX', {
  countItems: ulong,
  pinFlags: ulong,
  outputCompression: KS_COMPRESSION,
  pinWeight: ulong,
  framingItem: array(KS_FRAMING_ITEM, 1),
});

/** DECLARE_SIMPLE_FRAMING_EX: one item, no compression, any physical range. */
export function simpleFramingEx(
  memoryType: GUID,
  flags: number,
  frames: number,
  fileAlignment: number,
  minFrameSize: number,
  maxFrameSize: number,
): KSALLOCATOR_FRAMING_EX {
  return {
    countItems: 1,
    pinFlags: 0,
    outputCompression: { ratioNumerator: 1, ratioDenominator: 1, ratioConstantMargin: 0 },
    pinWeight: 0,
    framingItem: [
      {
        memoryType,
        busType: GUID_NULL,
        memoryFlags: 0,
        busFlags: 0,
        flags,
        frames,
        fileAlignment,
        memoryTypeWeight: 0,
        physicalRange: { minFrameSize: 0, maxFrameSize: 0xffffffff, stepping: 1 },
        framingRange: {
          range: { minFrameSize, maxFrameSize, stepping: 1 },
          inPlaceWeight: 0,
          notInPlaceWeight: 0,
        },
      },
    ],
  };
}

export interface KSSTREAMALLOCATOR_STATUS {
  readonly framing: KSALLOCATOR_FRAMING;
  readonly allocatedFrames: number;
}
export const KSSTREAMALLOCATOR_STATUS = new Layout<KSSTREAMALLOCATOR_STATUS>('KSSTREAMALLOCATOR_STATUS', {
  framing: KSALLOCATOR_FRAMING,
  allocatedFrames: ulong,
  _reserved: ulong,
});

// ---- events ----

/** How a client wants to be told of an event (DDI page KSEVENTDATA). */
export interface KSEVENTDATA {
  /** KSEVENTF_* */
  readonly notificationType: number;
  /** EventHandle.Event or SemaphoreHandle.Semaphore: a handle of the client's process. */
  readonly handle: number;
  /** SemaphoreHandle.Adjustment */
  readonly adjustment: number;
}
export const KSEVENTDATA = new Layout<KSEVENTDATA>('KSEVENTDATA', {
  notificationType: ulong,
  handle: pointer,
  _reserved: ulong,
  adjustment: long,
  _alignment: reserved64(8),
});

export interface KSEVENT_TIME_MARK {
  readonly eventData: KSEVENTDATA;
  /** 100-ns units. */
  readonly markTime: number;
}
export const KSEVENT_TIME_MARK = new Layout<KSEVENT_TIME_MARK>('KSEVENT_TIME_MARK', {
  eventData: KSEVENTDATA,
  markTime: longlong,
});

export interface KSEVENT_TIME_INTERVAL {
  readonly eventData: KSEVENTDATA;
  readonly timeBase: number;
  readonly interval: number;
}
export const KSEVENT_TIME_INTERVAL = new Layout<KSEVENT_TIME_INTERVAL>('KSEVENT_TIME_INTERVAL', {
  eventData: KSEVENTDATA,
  timeBase: longlong,
  interval: longlong,
});

export interface KSQUERYBUFFER {
  readonly event: KSEVENT;
  /** Address of the KSEVENTDATA that enabled the event. */
  readonly eventData: number;
}
export const KSQUERYBUFFER = new Layout<KSQUERYBUFFER>('KSQUERYBUFFER', {
  event: KSIDENTIFIER,
  eventData: pointer,
  _reserved: pointer,
});

export interface KSRELATIVEEVENT {
  readonly size: number;
  /** KSRELATIVEEVENT_FLAG_HANDLE 1, _POINTER 2 */
  readonly flags: number;
  readonly objectHandle: number;
  readonly event: KSEVENT;
  readonly eventData: KSEVENTDATA;
}
export const KSRELATIVEEVENT = new Layout<KSRELATIVEEVENT>('KSRELATIVEEVENT', {
  size: ulong,
  flags: ulong,
  objectHandle: pointer,
  _reserved: pointer,
  event: KSIDENTIFIER,
  eventData: KSEVENTDATA,
});

// ---- streaming ----

/** A time as `time * numerator / denominator` 100-ns units. */
export interface KSTIME {
  readonly time: number;
  readonly numerator: number;
  readonly denominator: number;
}
export const KSTIME = new Layout<KSTIME>('KSTIME', { time: longlong, numerator: ulong, denominator: ulong });

/** One buffer of IOCTL_KS_READ_STREAM and IOCTL_KS_WRITE_STREAM (DDI page KSSTREAM_HEADER). */
export interface KSSTREAM_HEADER {
  /** Of this header, in bytes: KSSTREAM_HEADER.size, or more with data of the format's own behind it. */
  readonly size: number;
  readonly typeSpecificFlags: number;
  readonly presentationTime: KSTIME;
  /** 100-ns units; valid with KSSTREAM_HEADER_OPTIONSF_DURATIONVALID. */
  readonly duration: number;
  /** Room in the buffer at `data`, in bytes. */
  readonly frameExtent: number;
  /** Valid bytes in it: given by the writer, returned to the reader. */
  readonly dataUsed: number;
  /** Address in the client's process. */
  readonly data: number;
  /** KSSTREAM_HEADER_OPTIONSF_* */
  readonly optionsFlags: number;
}
export const KSSTREAM_HEADER = new Layout<KSSTREAM_HEADER>('KSSTREAM_HEADER', {
  size: ulong,
  typeSpecificFlags: ulong,
  presentationTime: KSTIME,
  duration: longlong,
  frameExtent: ulong,
  dataUsed: ulong,
  data: pointer,
  optionsFlags: ulong,
  _reserved: reserved64(4),
});

export interface KSQUALITY {
  readonly context: number;
  readonly proportion: number;
  readonly deltaTime: number;
}
export const KSQUALITY = new Layout<KSQUALITY>('KSQUALITY', {
  context: pointer,
  proportion: ulong,
  deltaTime: longlong,
});

export interface KSERROR {
  readonly context: number;
  readonly status: number;
}
export const KSERROR = new Layout<KSERROR>('KSERROR', { context: pointer, status: ulong });

export interface KSFRAMETIME {
  readonly duration: number;
  readonly frameFlags: number;
}
export const KSFRAMETIME = new Layout<KSFRAMETIME>('KSFRAMETIME', {
  duration: longlong,
  frameFlags: ulong,
  _reserved: ulong,
});

export interface KSRATE {
  readonly presentationStart: number;
  readonly duration: number;
  readonly interface: KSPIN_INTERFACE;
  readonly rate: number;
  readonly flags: number;
}
export const KSRATE = new Layout<KSRATE>('KSRATE', {
  presentationStart: longlong,
  duration: longlong,
  interface: KSIDENTIFIER,
  rate: long,
  flags: ulong,
});

// ---- clocks ----

export interface KSCORRELATED_TIME {
  readonly time: number;
  readonly systemTime: number;
}
export const KSCORRELATED_TIME = new Layout<KSCORRELATED_TIME>('KSCORRELATED_TIME', {
  time: longlong,
  systemTime: longlong,
});

export interface KSRESOLUTION {
  /** 100-ns units between two changes of the clock. */
  readonly granularity: number;
  readonly error: number;
}
export const KSRESOLUTION = new Layout<KSRESOLUTION>('KSRESOLUTION', {
  granularity: longlong,
  error: longlong,
});

export interface KSINTERVAL {
  readonly timeBase: number;
  readonly interval: number;
}
export const KSINTERVAL = new Layout<KSINTERVAL>('KSINTERVAL', { timeBase: longlong, interval: longlong });
