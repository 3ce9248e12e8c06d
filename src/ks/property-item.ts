import type { GUID } from '../com/index.ts';
import type { NTSTATUS } from '../kernel/index.ts';
import { type KsItemSet, KsItemTable } from './item-table.ts';
import type { KSPROPERTY_VALUES } from './property-description.ts';
import type { KsRequest } from './request.ts';
import type { KSIDENTIFIER } from './structs.ts';

/**
 * Answers a request; at PASSIVE_LEVEL. Returns its status (undefined counts as STATUS_SUCCESS, STATUS_PENDING leaves the IRP to the handler)
 * or throws NtError.
 */
export type KsHandler = (request: KsRequest) => NTSTATUS | undefined;

/** How one property is supported (DDI page KSPROPERTY_ITEM). */
export interface KSPROPERTY_ITEM {
  readonly propertyId: number;
  /** Absent: the property cannot be read. */
  readonly getPropertyHandler?: KsHandler | null;
  /** Absent: the property cannot be set. */
  readonly setPropertyHandler?: KsHandler | null;
  /** Least bytes of the request: 24 (KSPROPERTY) and more. */
  readonly minProperty: number;
  /** Least bytes of the value; 0 when it varies. */
  readonly minData: number;
  /** Type and legal or default values, for basic support and default values. */
  readonly values?: KSPROPERTY_VALUES;
  /** Properties that may change with this one. */
  readonly relations?: readonly KSIDENTIFIER[];
  /** Answers support and raw serialization first; STATUS_NOT_FOUND leaves the request to the defaults. */
  readonly supportHandler?: KsHandler | null;
  /** Bytes of the value in a serialized set; 0: it is left out; 1: unknown, ask the property. */
  readonly serializedSize?: number;
}

/** The properties of one set (DDI page KSPROPERTY_SET). */
export interface KSPROPERTY_SET {
  readonly set: GUID;
  readonly propertyItem: readonly KSPROPERTY_ITEM[];
}

/** Property sets, made ready for look-up: once per filter, pin or node. */
export class KsPropertyTable extends KsItemTable<KSPROPERTY_ITEM> {
  constructor(sets: readonly KSPROPERTY_SET[]) {
    super(
      sets.map(({ set, propertyItem }) => ({
        set,
        items: propertyItem.map((item) => [item.propertyId, item] as const),
      })),
    );
  }
}

/** One set of a property table. */
export type KsPropertyItemSet = KsItemSet<KSPROPERTY_ITEM>;
