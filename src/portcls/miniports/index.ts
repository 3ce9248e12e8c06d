import type { GUID } from '../../com/index.ts';
import {
  CLSID_MiniportDriverFmSynth,
  CLSID_MiniportDriverFmSynthWithVol,
  CLSID_MiniportDriverUart,
  type IMiniport,
} from '../ddi/index.ts';
import { FmMiniport } from './fmsynth/fm-miniport.ts';
import { UartMiniport } from './uart/uart-miniport.ts';

/** A miniport that PortCls supplies, with one reference for the caller; null for a class that this version does not have. */
export function newMiniport(classId: GUID): IMiniport | null {
  if (classId.equals(CLSID_MiniportDriverUart)) return new UartMiniport();
  if (classId.equals(CLSID_MiniportDriverFmSynth)) return new FmMiniport(false);
  if (classId.equals(CLSID_MiniportDriverFmSynthWithVol)) return new FmMiniport(true);
  return null;
}
