import { guid, IID, type IUnknown } from '../../com/index.ts';
import type { IRP } from '../../kernel/index.ts';

/** The counts that IPinCount may look at and change; 0xFFFFFFFF in a `possible` is KSINSTANCE_INDETERMINATE. */
export interface PinCounts {
  filterNecessary: number;
  filterCurrent: number;
  filterPossible: number;
  globalCurrent: number;
  globalPossible: number;
}

/** Optional on a miniport: dynamic pin counts (DDI page IPinCount). */
export interface IPinCount extends IUnknown {
  /**
   * Called before KSPROPERTY_PIN_CINSTANCES, _GLOBALCINSTANCES and _NECESSARYINSTANCES are answered and before each new
   * stream; may edit `counts`. PASSIVE_LEVEL.
   */
  pinCount(pinId: number, counts: PinCounts): void;
}

/** Optional on a miniport: dynamic pin names (DDI page IPinName). */
export interface IPinName extends IUnknown {
  /** The name of pin `pinId`. Throws NtError to have the port look the name up. PASSIVE_LEVEL. */
  getPinName(irp: IRP, pinId: number): string;
}

export const IID_IPinCount = new IID<IPinCount>(
  'IID_IPinCount',
  guid('{5DADB7DC-A2CB-4540-A4A8-425EE4AE9051}'),
);
export const IID_IPinName = new IID<IPinName>('IID_IPinName', guid('{29CC9AB1-E89D-413C-B6B2-F6D50005D063}'));
