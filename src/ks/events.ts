import type { GUID } from '../com/index.ts';
import {
  DISPATCH_LEVEL,
  exQueueWorkItem,
  type FILE_OBJECT,
  type IRP,
  ioGetCurrentIrpStackLocation,
  KDPC,
  KEVENT,
  KSEMAPHORE,
  keGetCurrentIrql,
  keInsertQueueDpc,
  keReleaseSemaphore,
  keSetEvent,
  type NTSTATUS,
  NtError,
  obDereferenceObject,
  PASSIVE_LEVEL,
  requireIrql,
  STATUS_BUFFER_TOO_SMALL,
  STATUS_INVALID_BUFFER_SIZE,
  STATUS_INVALID_PARAMETER,
  STATUS_NO_MORE_ENTRIES,
  STATUS_NOT_FOUND,
  STATUS_PROPSET_NOT_FOUND,
  STATUS_SUCCESS,
  STATUS_UNSUCCESSFUL,
  WORK_QUEUE_ITEM,
} from '../kernel/index.ts';
import {
  KSALL_NODES,
  KSEVENT_ENTRY_BUFFERED,
  KSEVENT_ENTRY_DELETED,
  KSEVENT_ENTRY_ONESHOT,
  KSEVENT_TYPE_BASICSUPPORT,
  KSEVENT_TYPE_ENABLE,
  KSEVENT_TYPE_ENABLEBUFFERED,
  KSEVENT_TYPE_ONESHOT,
  KSEVENT_TYPE_QUERYBUFFER,
  KSEVENT_TYPE_SETSUPPORT,
  KSEVENTF_EVENT_HANDLE,
  KSEVENTF_SEMAPHORE_HANDLE,
} from './constants.ts';
import { KsItemTable } from './item-table.ts';
import { encodeGuids } from './multiple-item.ts';
import { answerSets, tableOf } from './property-handler.ts';
import type { KsHandler } from './property-item.ts';
import { KsRequest } from './request.ts';
import { KSEVENTDATA } from './structs.ts';

/**
 * What is signalled when an event happens. User-mode clients name events and semaphores by handle; clients in the kernel may also
 * give a DPC or a work item.
 */
export type KsNotification =
  | { readonly kind: 'event'; readonly event: KEVENT }
  | { readonly kind: 'semaphore'; readonly semaphore: KSEMAPHORE; readonly adjustment: number }
  | { readonly kind: 'dpc'; readonly dpc: KDPC }
  | { readonly kind: 'workItem'; readonly workItem: WORK_QUEUE_ITEM };

/** How one event is supported (DDI page KSEVENT_ITEM). */
export interface KSEVENT_ITEM {
  readonly eventId: number;
  /** Least bytes of the client's data: 32 (KSEVENTDATA) and more. */
  readonly dataInput: number;
  /**
   * Takes a new entry: checks the client's data and puts the entry into the list from which the driver generates, by {@link ksAddEvent}. Absent:
   * the entry goes to the list that ksEnableEvent was given. A failure, returned or thrown, refuses the event.
   */
  readonly addHandler?:
    | ((irp: IRP, eventData: Uint8Array, entry: KSEVENT_ENTRY) => NTSTATUS | undefined)
    | null;
  /** Told at PASSIVE_LEVEL that an entry has left its list: by the client, by closing, or because it was a one-shot. */
  readonly removeHandler?: ((fileObject: FILE_OBJECT, entry: KSEVENT_ENTRY) => void) | null;
  readonly supportHandler?: KsHandler | null;
  /** KSEVENT_TYPE_* that clients may enable it with; absent: ENABLE and ONESHOT. */
  readonly flags?: number;
}

/** The events of one set (DDI page KSEVENT_SET). */
export interface KSEVENT_SET {
  readonly set: GUID;
  readonly eventItem: readonly KSEVENT_ITEM[];
}

/** Event sets, made ready for look-up. */
export class KsEventTable extends KsItemTable<KSEVENT_ITEM> {
  constructor(sets: readonly KSEVENT_SET[]) {
    super(
      sets.map(({ set, eventItem }) => ({
        set,
        items: eventItem.map((item) => [item.eventId, item] as const),
      })),
    );
  }
}

/** What makes an entry: see {@link KSEVENT_ENTRY}. */
export interface EventEntryOptions {
  readonly set: GUID;
  readonly eventItem: KSEVENT_ITEM;
  readonly fileObject: FILE_OBJECT;
  readonly notification: KsNotification;
  /** KSEVENT_ENTRY_ONESHOT, KSEVENT_ENTRY_BUFFERED or 0. */
  readonly flags?: number;
  readonly nodeId?: number;
  /** What the client sent behind KSEVENT (or KSE_NODE); copied. */
  readonly instance?: Uint8Array;
  /** The client's KSEVENTDATA: its place identifies the event when it is disabled. */
  readonly eventData?: Uint8Array | null;
}

/**
 * One client's interest in one event (DDI page KSEVENT_ENTRY): made by {@link ksEnableEvent}, kept in a {@link KsEventList}, signalled by
 * {@link ksGenerateEvent}. Holds a reference to the client's event or semaphore until it is discarded.
 */
export class KSEVENT_ENTRY {
  readonly set: GUID;
  readonly eventId: number;
  readonly eventItem: KSEVENT_ITEM;
  readonly fileObject: FILE_OBJECT;
  readonly notification: KsNotification;
  /** Node the event was enabled on, KSALL_NODES when none was named. */
  readonly nodeId: number;
  /** What the client sent behind the head of its request: KSE_PIN's pin id is its first ULONG. */
  readonly instance: Uint8Array;
  /** KSEVENT_ENTRY_* */
  flags: number;
  /** The driver's own (in the WDK ExtraEntryData). */
  context: unknown = null;
  /** The list it is in. */
  list: KsEventList | null = null;
  /** Data waiting for KSEVENT_TYPE_QUERYBUFFER. */
  readonly buffered: Uint8Array[] = [];
  readonly #dataBuffer: ArrayBufferLike | null;
  readonly #dataOffset: number;
  /** Signals for callers above DISPATCH_LEVEL; a burst while it is queued is one signal. */
  readonly #dpc: KDPC;
  #isDiscarded = false;

  constructor(options: EventEntryOptions) {
    this.set = options.set;
    this.eventItem = options.eventItem;
    this.eventId = options.eventItem.eventId;
    this.fileObject = options.fileObject;
    this.notification = options.notification;
    this.flags = options.flags ?? 0;
    this.nodeId = options.nodeId ?? KSALL_NODES;
    this.instance = options.instance?.slice() ?? new Uint8Array(0);
    this.#dataBuffer = options.eventData?.buffer ?? null;
    this.#dataOffset = options.eventData?.byteOffset ?? 0;
    this.#dpc = new KDPC(() => ksGenerateEvent(this), null, 'KsGenerateEvent');
  }

  get isDeleted(): boolean {
    return (this.flags & KSEVENT_ENTRY_DELETED) !== 0;
  }

  /** Pin factory of a KSE_PIN request, or KSALL_NODES (all ones) when the client named none. */
  get pinId(): number {
    const { instance } = this;
    if (instance.byteLength < 4) return KSALL_NODES;
    return new DataView(instance.buffer, instance.byteOffset).getUint32(0, true);
  }

  /** Is this the KSEVENTDATA, at this place in the client's memory, that enabled the event? */
  isEnabledBy(eventData: Uint8Array): boolean {
    return this.#dataBuffer === eventData.buffer && this.#dataOffset === eventData.byteOffset;
  }

  /** For {@link ksGenerateEvent} above DISPATCH_LEVEL. */
  defer(): void {
    keInsertQueueDpc(this.#dpc);
  }

  /** For {@link ksDiscardEvent}: drops the reference to the client's object, once. */
  discard(): void {
    if (this.#isDiscarded) return;
    this.#isDiscarded = true;
    this.flags |= KSEVENT_ENTRY_DELETED;
    const { notification } = this;
    if (notification.kind === 'event') dropReference(notification.event);
    else if (notification.kind === 'semaphore') dropReference(notification.semaphore);
  }
}

/** Objects embedded in a driver's memory never went through the object manager and count nothing. */
function dropReference(object: KEVENT | KSEMAPHORE): void {
  if (object.objectRecord !== null) obDereferenceObject(object);
}

/** The enabled events of a KS object, or of several. Adding and removing leave iterations under way alone. */
export class KsEventList {
  #entries: readonly KSEVENT_ENTRY[] = [];

  get entries(): readonly KSEVENT_ENTRY[] {
    return this.#entries;
  }

  add(entry: KSEVENT_ENTRY): void {
    entry.list = this;
    this.#entries = [...this.#entries, entry];
  }

  /** False when it was not in the list. */
  remove(entry: KSEVENT_ENTRY): boolean {
    if (entry.list !== this) return false;
    entry.list = null;
    this.#entries = this.#entries.filter((other) => other !== entry);
    return true;
  }
}

/** KsAddEvent: puts an entry into a list; from an add handler. */
export function ksAddEvent(list: KsEventList, entry: KSEVENT_ENTRY): void {
  list.add(entry);
}

/** Options of {@link ksEnableEvent}. */
export interface EnableEventOptions {
  /** Event tables of nodes, by node id. */
  readonly nodes?: readonly (KsEventTable | null)[];
  /** Where entries go whose item has no add handler; also searched for buffered events. */
  readonly eventsList?: KsEventList | null;
}

/**
 * KsEnableEvent: answers an IOCTL_KS_ENABLE_EVENT: enables an event, or tells what is supported. Without input it lists the event sets. Returns the
 * status; neither sets the IRP's status nor completes it. PASSIVE_LEVEL.
 *
 * Statuses: unknown set STATUS_PROPSET_NOT_FOUND, unknown id STATUS_NOT_FOUND; KSEVENTDATA shorter than the item demands STATUS_BUFFER_TOO_SMALL;
 * a notification type that is not one flag, or one for kernel-mode clients only, STATUS_INVALID_PARAMETER; a bad handle STATUS_INVALID_HANDLE
 * or STATUS_OBJECT_TYPE_MISMATCH.
 */
export function ksEnableEvent(irp: IRP, table: KsEventTable, options: EnableEventOptions = {}): NTSTATUS {
  requireIrql(PASSIVE_LEVEL, 'KsEnableEvent');
  irp.ioStatus.information = 0;
  try {
    if ((ioGetCurrentIrpStackLocation(irp).parameters.type3InputBuffer?.byteLength ?? 0) === 0) {
      return listEventSets(irp, table);
    }
    const request = KsRequest.of(irp);
    return handleEvent(request, tableOf(request, table, options.nodes), options);
  } catch (error) {
    if (error instanceof NtError) return error.status;
    throw error;
  }
}

function listEventSets(irp: IRP, table: KsEventTable): NTSTATUS {
  const head = new Uint8Array(24);
  const request = new KsRequest(irp, null, head, irp.userBuffer);
  return request.answer(encodeGuids(table.sets.map(({ set }) => set)).subarray(8));
}

function handleEvent(request: KsRequest, table: KsEventTable, options: EnableEventOptions): NTSTATUS {
  const { verb } = request;
  const set = table.findSet(request);
  if (set === undefined) {
    if (verb === KSEVENT_TYPE_SETSUPPORT && request.isSetNull) return answerSets(request, table);
    throw new NtError(STATUS_PROPSET_NOT_FOUND);
  }
  if (verb === KSEVENT_TYPE_SETSUPPORT) return STATUS_SUCCESS;
  const item = set.find(request.id);
  if (item === undefined) throw new NtError(STATUS_NOT_FOUND);
  const supported = item.flags ?? KSEVENT_TYPE_ENABLE | KSEVENT_TYPE_ONESHOT;
  switch (verb) {
    case KSEVENT_TYPE_BASICSUPPORT:
      if (item.supportHandler) return item.supportHandler(request) ?? STATUS_SUCCESS;
      return request.dataLength >= 4 ? request.answerUlong(supported) : STATUS_SUCCESS;
    case KSEVENT_TYPE_QUERYBUFFER:
      return queryBuffer(request, set.set, options.eventsList ?? null);
    case KSEVENT_TYPE_ENABLE:
      return enableEvent(request, set.set, item, 0, options);
    case KSEVENT_TYPE_ONESHOT:
      return enableEvent(request, set.set, item, KSEVENT_ENTRY_ONESHOT, options);
    case KSEVENT_TYPE_ENABLEBUFFERED:
      return enableEvent(request, set.set, item, KSEVENT_ENTRY_BUFFERED, options);
    default:
      throw new NtError(STATUS_INVALID_PARAMETER);
  }
}

function enableEvent(
  request: KsRequest,
  set: GUID,
  item: KSEVENT_ITEM,
  flags: number,
  options: EnableEventOptions,
): NTSTATUS {
  const { fileObject, data, irp } = request;
  if (fileObject === null) throw new NtError(STATUS_INVALID_PARAMETER, 'the request has no file object');
  if (data === null || data.byteLength < Math.max(item.dataInput, KSEVENTDATA.size)) {
    throw new NtError(STATUS_BUFFER_TOO_SMALL);
  }
  const entry = new KSEVENT_ENTRY({
    set,
    eventItem: item,
    fileObject,
    notification: notificationOf(request, data),
    flags,
    nodeId: request.nodeId,
    instance: request.instance,
    eventData: data,
  });
  try {
    const list = options.eventsList ?? null;
    if (item.addHandler) {
      const status = item.addHandler(irp, data, entry) ?? STATUS_SUCCESS;
      if (status !== STATUS_SUCCESS) throw new NtError(status);
    } else if (list !== null) {
      list.add(entry);
    } else {
      throw new NtError(STATUS_INVALID_PARAMETER, 'the event has neither an add handler nor a list');
    }
  } catch (error) {
    entry.list?.remove(entry);
    entry.discard();
    throw error;
  }
  irp.ioStatus.information = 0;
  return STATUS_SUCCESS;
}

/** The client's event or semaphore, with a reference. */
function notificationOf(request: KsRequest, data: Uint8Array): KsNotification {
  const { notificationType, handle, adjustment } = KSEVENTDATA.decode(data);
  const { process } = request;
  if (process === null) {
    throw new NtError(STATUS_INVALID_PARAMETER, 'clients in the kernel make a KSEVENT_ENTRY of their own');
  }
  switch (notificationType) {
    case KSEVENTF_EVENT_HANDLE:
      return { kind: 'event', event: process.referenceObjectByHandle(handle, KEVENT) };
    case KSEVENTF_SEMAPHORE_HANDLE:
      if (adjustment <= 0) throw new NtError(STATUS_INVALID_PARAMETER, `semaphore adjustment ${adjustment}`);
      return {
        kind: 'semaphore',
        semaphore: process.referenceObjectByHandle(handle, KSEMAPHORE),
        adjustment,
      };
    default:
      throw new NtError(STATUS_INVALID_PARAMETER, `notification type 0x${notificationType.toString(16)}`);
  }
}

/** KSEVENT_TYPE_QUERYBUFFER: the oldest waiting data of the client's buffered entry. */
function queryBuffer(request: KsRequest, set: GUID, list: KsEventList | null): NTSTATUS {
  const entry = list?.entries.find(
    (candidate) =>
      (candidate.flags & KSEVENT_ENTRY_BUFFERED) !== 0 &&
      candidate.fileObject === request.fileObject &&
      candidate.eventId === request.id &&
      candidate.set.equals(set),
  );
  if (entry === undefined) throw new NtError(STATUS_NOT_FOUND);
  const next = entry.buffered[0];
  if (next === undefined) throw new NtError(STATUS_NO_MORE_ENTRIES);
  const status = request.answer(next);
  entry.buffered.shift();
  return status;
}

/**
 * KsDisableEvent: answers an IOCTL_KS_DISABLE_EVENT. The input is the very KSEVENTDATA (the same place in the client's memory) that enabled the event;
 * without input all events of the file are disabled. STATUS_UNSUCCESSFUL when the list has no such event of this file,
 * STATUS_INVALID_BUFFER_SIZE for an input that is shorter than KSEVENTDATA. PASSIVE_LEVEL.
 */
export function ksDisableEvent(irp: IRP, list: KsEventList): NTSTATUS {
  requireIrql(PASSIVE_LEVEL, 'KsDisableEvent');
  irp.ioStatus.information = 0;
  const { fileObject, parameters } = ioGetCurrentIrpStackLocation(irp);
  const eventData = parameters.type3InputBuffer;
  if (fileObject === null) return STATUS_INVALID_PARAMETER;
  if (eventData === null || eventData.byteLength === 0) {
    ksFreeEventList(fileObject, list);
    return STATUS_SUCCESS;
  }
  if (eventData.byteLength < KSEVENTDATA.size) return STATUS_INVALID_BUFFER_SIZE;
  const entry = list.entries.find((other) => other.fileObject === fileObject && other.isEnabledBy(eventData));
  if (entry === undefined) return STATUS_UNSUCCESSFUL;
  retire(entry);
  return STATUS_SUCCESS;
}

/**
 * KsFreeEventList: removes and discards every event of the list that was enabled through the file; when it is closed, and when its device goes.
 * PASSIVE_LEVEL.
 */
export function ksFreeEventList(fileObject: FILE_OBJECT, list: KsEventList): void {
  requireIrql(PASSIVE_LEVEL, 'KsFreeEventList');
  for (const entry of list.entries) if (entry.fileObject === fileObject) retire(entry);
}

/** KsDiscardEvent: gives back what an entry holds; for entries that are in no list. PASSIVE_LEVEL. */
export function ksDiscardEvent(entry: KSEVENT_ENTRY): void {
  requireIrql(PASSIVE_LEVEL, 'KsDiscardEvent');
  entry.discard();
}

/** Takes an entry out of its list, tells its driver, and gives back what it holds. PASSIVE_LEVEL. */
function retire(entry: KSEVENT_ENTRY): void {
  if (entry.isDeleted) return;
  entry.flags |= KSEVENT_ENTRY_DELETED;
  entry.list?.remove(entry);
  entry.eventItem.removeHandler?.(entry.fileObject, entry);
  entry.discard();
}

/**
 * KsGenerateEvent: signals one entry. Any IRQL; above DISPATCH_LEVEL a DPC does it, and repeats before it runs are one signal. A one-shot entry is out
 * of its list when this returns; its remove handler runs at PASSIVE_LEVEL. For a buffered entry see {@link ksGenerateDataEvent}.
 */
export function ksGenerateEvent(entry: KSEVENT_ENTRY): void {
  if (entry.isDeleted) return;
  const irql = keGetCurrentIrql();
  if (irql > DISPATCH_LEVEL) {
    entry.defer();
    return;
  }
  signal(entry.notification);
  if ((entry.flags & KSEVENT_ENTRY_ONESHOT) === 0) return;
  entry.flags |= KSEVENT_ENTRY_DELETED;
  entry.list?.remove(entry);
  if (irql === PASSIVE_LEVEL) endOneShot(entry);
  else exQueueWorkItem(new WORK_QUEUE_ITEM(() => endOneShot(entry), 'KsDiscardEvent'));
}

function endOneShot(entry: KSEVENT_ENTRY): void {
  entry.eventItem.removeHandler?.(entry.fileObject, entry);
  entry.discard();
}

function signal(notification: KsNotification): void {
  switch (notification.kind) {
    case 'event':
      keSetEvent(notification.event);
      break;
    case 'semaphore':
      releaseSemaphore(notification.semaphore, notification.adjustment);
      break;
    case 'dpc':
      keInsertQueueDpc(notification.dpc);
      break;
    case 'workItem':
      if (!notification.workItem.queued) exQueueWorkItem(notification.workItem);
      break;
  }
}

/** A client that does not drain its semaphore loses signals; that is no failure of the driver that generates them. */
function releaseSemaphore(semaphore: KSEMAPHORE, adjustment: number): void {
  try {
    keReleaseSemaphore(semaphore, adjustment);
  } catch (error) {
    if (!(error instanceof NtError)) throw error;
  }
}

/**
 * KsGenerateDataEvent: signals an entry; when it was enabled as a buffered one, `data` waits for the client's KSEVENT_TYPE_QUERYBUFFER. Up to
 * DISPATCH_LEVEL.
 */
export function ksGenerateDataEvent(entry: KSEVENT_ENTRY, data: Uint8Array): void {
  requireIrql(DISPATCH_LEVEL, 'KsGenerateDataEvent');
  if ((entry.flags & KSEVENT_ENTRY_BUFFERED) !== 0 && !entry.isDeleted) entry.buffered.push(data.slice());
  ksGenerateEvent(entry);
}

/** KsGenerateEventList: signals the list's entries of that id, and, unless `set` is null, of that set. Any IRQL. */
export function ksGenerateEventList(set: GUID | null, eventId: number, list: KsEventList): void {
  for (const entry of list.entries) {
    if (entry.eventId === eventId && (set === null || entry.set.equals(set))) ksGenerateEvent(entry);
  }
}
