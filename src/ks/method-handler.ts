import type { GUID } from '../com/index.ts';
import {
  type IRP,
  type NTSTATUS,
  NtError,
  PASSIVE_LEVEL,
  requireIrql,
  STATUS_BUFFER_OVERFLOW,
  STATUS_BUFFER_TOO_SMALL,
  STATUS_INVALID_BUFFER_SIZE,
  STATUS_INVALID_PARAMETER,
  STATUS_NOT_FOUND,
  STATUS_PROPSET_NOT_FOUND,
  STATUS_SUCCESS,
} from '../kernel/index.ts';
import { KSMETHOD_TYPE_BASICSUPPORT, KSMETHOD_TYPE_SEND, KSMETHOD_TYPE_SETSUPPORT } from './constants.ts';
import { KsItemTable } from './item-table.ts';
import { answerSets, tableOf } from './property-handler.ts';
import type { KsHandler } from './property-item.ts';
import { KsRequest } from './request.ts';

/** How one method is supported (DDI page KSMETHOD_ITEM). */
export interface KSMETHOD_ITEM {
  readonly methodId: number;
  readonly methodHandler: KsHandler;
  /** Least bytes of the request: 24 (KSMETHOD) and more. */
  readonly minMethod: number;
  /** Least bytes of the data. */
  readonly minData: number;
  readonly supportHandler?: KsHandler | null;
  /** KSMETHOD_TYPE_*: what the method does with its data. */
  readonly flags: number;
}

/** The methods of one set (DDI page KSMETHOD_SET). */
export interface KSMETHOD_SET {
  readonly set: GUID;
  readonly methodItem: readonly KSMETHOD_ITEM[];
}

/** Method sets, made ready for look-up. */
export class KsMethodTable extends KsItemTable<KSMETHOD_ITEM> {
  constructor(sets: readonly KSMETHOD_SET[]) {
    super(
      sets.map(({ set, methodItem }) => ({
        set,
        items: methodItem.map((item) => [item.methodId, item] as const),
      })),
    );
  }
}

/**
 * KsMethodHandler: answers an IOCTL_KS_METHOD from method sets. Returns the status and sets Information; neither sets the IRP's status nor
 * completes it. Statuses as {@link ksPropertyHandler}'s. PASSIVE_LEVEL.
 */
export function ksMethodHandler(
  irp: IRP,
  table: KsMethodTable,
  nodes?: readonly (KsMethodTable | null)[],
): NTSTATUS {
  requireIrql(PASSIVE_LEVEL, 'KsMethodHandler');
  irp.ioStatus.information = 0;
  try {
    const request = KsRequest.of(irp);
    return handleMethod(request, tableOf(request, table, nodes));
  } catch (error) {
    if (error instanceof NtError) return error.status;
    throw error;
  }
}

function handleMethod(request: KsRequest, table: KsMethodTable): NTSTATUS {
  const { verb } = request;
  const set = table.findSet(request);
  if (set === undefined) {
    if (verb === KSMETHOD_TYPE_SETSUPPORT && request.isSetNull) return answerSets(request, table);
    throw new NtError(STATUS_PROPSET_NOT_FOUND);
  }
  if (verb === KSMETHOD_TYPE_SETSUPPORT) return STATUS_SUCCESS;
  const item = set.find(request.id);
  if (item === undefined) throw new NtError(STATUS_NOT_FOUND);
  if (verb === KSMETHOD_TYPE_BASICSUPPORT) {
    if (item.supportHandler) return item.supportHandler(request) ?? STATUS_SUCCESS;
    return request.data === null ? STATUS_SUCCESS : request.answerUlong(item.flags);
  }
  if (verb !== KSMETHOD_TYPE_SEND) throw new NtError(STATUS_INVALID_PARAMETER);
  if (request.input.byteLength < item.minMethod) throw new NtError(STATUS_INVALID_BUFFER_SIZE);
  if (request.dataLength < item.minData) {
    if (request.data !== null) throw new NtError(STATUS_BUFFER_TOO_SMALL);
    request.irp.ioStatus.information = item.minData;
    throw new NtError(STATUS_BUFFER_OVERFLOW);
  }
  return item.methodHandler(request) ?? STATUS_SUCCESS;
}
