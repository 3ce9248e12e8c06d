import type { IUnknown } from '../../com/index.ts';
import type { IRP } from '../../kernel/index.ts';
import type { PCMETHOD_ITEM } from './descriptors.ts';

/** A method request (DDI page PCMETHOD_REQUEST). No port driver ever builds one. */
export interface PCMETHOD_REQUEST {
  readonly majorTarget: IUnknown;
  readonly minorTarget: IUnknown | null;
  readonly node: number;
  readonly methodItem: PCMETHOD_ITEM;
  readonly verb: number;
  readonly irp: IRP;
}
