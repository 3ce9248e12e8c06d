/** Methods of the KS sets: the item ids by set (ks.h, ksmedia.h; newer ones from the DDI pages and public metadata). */
import type { GUID } from '../com/index.ts';
import {
  KSMETHODSETID_StreamAllocator,
  KSMETHODSETID_StreamIo,
  KSMETHODSETID_Wavetable,
} from './guids/sets.ts';

// KSMETHODSETID_StreamAllocator
export const KSMETHOD_STREAMALLOCATOR_ALLOC = 0;
export const KSMETHOD_STREAMALLOCATOR_FREE = 1;

// KSMETHODSETID_StreamIo
export const KSMETHOD_STREAMIO_READ = 0;
export const KSMETHOD_STREAMIO_WRITE = 1;

// KSMETHODSETID_Wavetable
export const KSMETHOD_WAVETABLE_WAVE_ALLOC = 0;
export const KSMETHOD_WAVETABLE_WAVE_FREE = 1;
export const KSMETHOD_WAVETABLE_WAVE_FIND = 2;
export const KSMETHOD_WAVETABLE_WAVE_WRITE = 3;

/** The methods of every set, by name: for traces, tables and tests. */
export const KS_METHOD_SETS: readonly {
  readonly set: GUID;
  readonly ids: Readonly<Record<string, number>>;
}[] = [
  {
    set: KSMETHODSETID_StreamAllocator,
    ids: {
      KSMETHOD_STREAMALLOCATOR_ALLOC,
      KSMETHOD_STREAMALLOCATOR_FREE,
    },
  },
  {
    set: KSMETHODSETID_StreamIo,
    ids: {
      KSMETHOD_STREAMIO_READ,
      KSMETHOD_STREAMIO_WRITE,
    },
  },
  {
    set: KSMETHODSETID_Wavetable,
    ids: {
      KSMETHOD_WAVETABLE_WAVE_ALLOC,
      KSMETHOD_WAVETABLE_WAVE_FREE,
      KSMETHOD_WAVETABLE_WAVE_FIND,
      KSMETHOD_WAVETABLE_WAVE_WRITE,
    },
  },
];
