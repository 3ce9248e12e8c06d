/** Events of the KS sets: the item ids by set (ks.h, ksmedia.h; newer ones from the DDI pages and public metadata). */
import type { GUID } from '../com/index.ts';
import {
  KSEVENTSETID_AudioControlChange,
  KSEVENTSETID_Clock,
  KSEVENTSETID_Connection,
  KSEVENTSETID_Cyclic,
  KSEVENTSETID_Device,
  KSEVENTSETID_LoopedStreaming,
  KSEVENTSETID_PinCapsChange,
  KSEVENTSETID_SoundDetector,
  KSEVENTSETID_StreamAllocator,
  KSEVENTSETID_Telephony,
  KSEVENTSETID_VolumeLimit,
} from './guids/sets.ts';

// KSEVENTSETID_AudioControlChange
export const KSEVENT_CONTROL_CHANGE = 0;

// KSEVENTSETID_Clock
export const KSEVENT_CLOCK_INTERVAL_MARK = 0;
export const KSEVENT_CLOCK_POSITION_MARK = 1;

// KSEVENTSETID_Connection
export const KSEVENT_CONNECTION_POSITIONUPDATE = 0;
export const KSEVENT_CONNECTION_DATADISCONTINUITY = 1;
export const KSEVENT_CONNECTION_TIMEDISCONTINUITY = 2;
export const KSEVENT_CONNECTION_PRIORITY = 3;
export const KSEVENT_CONNECTION_ENDOFSTREAM = 4;

// KSEVENTSETID_Cyclic
export const KSEVENT_CYCLIC_TIME_INTERVAL = 0;

// KSEVENTSETID_Device
export const KSEVENT_DEVICE_LOST = 0;
export const KSEVENT_DEVICE_PREEMPTED = 1;

// KSEVENTSETID_LoopedStreaming
export const KSEVENT_LOOPEDSTREAMING_POSITION = 0;

// KSEVENTSETID_PinCapsChange
export const KSEVENT_PINCAPS_FORMATCHANGE = 0;
export const KSEVENT_PINCAPS_JACKINFOCHANGE = 1;

// KSEVENTSETID_SoundDetector
export const KSEVENT_SOUNDDETECTOR_MATCHDETECTED = 1;

// KSEVENTSETID_StreamAllocator
export const KSEVENT_STREAMALLOCATOR_INTERNAL_FREEFRAME = 0;
export const KSEVENT_STREAMALLOCATOR_FREEFRAME = 1;

// KSEVENTSETID_Telephony
export const KSEVENT_TELEPHONY_ENDPOINTPAIRS_CHANGED = 0;

// KSEVENTSETID_VolumeLimit
export const KSEVENT_VOLUMELIMIT_CHANGED = 0;

/** The events of every set, by name: for traces, tables and tests. */
export const KS_EVENT_SETS: readonly {
  readonly set: GUID;
  readonly ids: Readonly<Record<string, number>>;
}[] = [
  {
    set: KSEVENTSETID_AudioControlChange,
    ids: {
      KSEVENT_CONTROL_CHANGE,
    },
  },
  {
    set: KSEVENTSETID_Clock,
    ids: {
      KSEVENT_CLOCK_INTERVAL_MARK,
      KSEVENT_CLOCK_POSITION_MARK,
    },
  },
  {
    set: KSEVENTSETID_Connection,
    ids: {
      KSEVENT_CONNECTION_POSITIONUPDATE,
      KSEVENT_CONNECTION_DATADISCONTINUITY,
      KSEVENT_CONNECTION_TIMEDISCONTINUITY,
      KSEVENT_CONNECTION_PRIORITY,
      KSEVENT_CONNECTION_ENDOFSTREAM,
    },
  },
  {
    set: KSEVENTSETID_Cyclic,
    ids: {
      KSEVENT_CYCLIC_TIME_INTERVAL,
    },
  },
  {
    set: KSEVENTSETID_Device,
    ids: {
      KSEVENT_DEVICE_LOST,
      KSEVENT_DEVICE_PREEMPTED,
    },
  },
  {
    set: KSEVENTSETID_LoopedStreaming,
    ids: {
      KSEVENT_LOOPEDSTREAMING_POSITION,
    },
  },
  {
    set: KSEVENTSETID_PinCapsChange,
    ids: {
      KSEVENT_PINCAPS_FORMATCHANGE,
      KSEVENT_PINCAPS_JACKINFOCHANGE,
    },
  },
  {
    set: KSEVENTSETID_SoundDetector,
    ids: {
      KSEVENT_SOUNDDETECTOR_MATCHDETECTED,
    },
  },
  {
    set: KSEVENTSETID_StreamAllocator,
    ids: {
      KSEVENT_STREAMALLOCATOR_INTERNAL_FREEFRAME,
      KSEVENT_STREAMALLOCATOR_FREEFRAME,
    },
  },
  {
    set: KSEVENTSETID_Telephony,
    ids: {
      KSEVENT_TELEPHONY_ENDPOINTPAIRS_CHANGED,
    },
  },
  {
    set: KSEVENTSETID_VolumeLimit,
    ids: {
      KSEVENT_VOLUMELIMIT_CHANGED,
    },
  },
];
