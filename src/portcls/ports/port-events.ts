import type { GUID } from '../../com/index.ts';
import {
  DISPATCH_LEVEL,
  type IRP,
  KDPC,
  keGetCurrentIrql,
  keInsertQueueDpc,
  keRemoveQueueDpc,
  type NTSTATUS,
  NtError,
  ntSuccess,
  STATUS_INVALID_DEVICE_REQUEST,
  STATUS_SUCCESS,
  STATUS_UNSUCCESSFUL,
} from '../../kernel/index.ts';
import {
  KSALL_NODES,
  type KSEVENT_ENTRY,
  KSEVENT_ENTRY_ONESHOT,
  type KSEVENT_ITEM,
  type KSEVENT_SET,
  KSEVENTDATA,
  KsEventList,
  KsEventTable,
  ksAddEvent,
  ksDisableEvent,
  ksEnableEvent,
  ksEventName,
  ksFreeEventList,
  ksGenerateEvent,
} from '../../ks/index.ts';
import {
  type PCAUTOMATION_TABLE,
  type PCEVENT_ITEM,
  PCEVENT_ITEM_FLAG_BASICSUPPORT,
  PCEVENT_ITEM_FLAG_ENABLE,
  PCEVENT_ITEM_FLAG_ONESHOT,
  type PCEVENT_REQUEST,
  PCEVENT_VERB_ADD,
  PCEVENT_VERB_REMOVE,
  PCEVENT_VERB_SUPPORT,
} from '../ddi/index.ts';
import type { PortBase } from './port-base.ts';
import type { PortHandle } from './port-handle.ts';

/** What an entry of the list was enabled on; kept in KSEVENT_ENTRY.context. */
class EntryTarget {
  readonly handle: PortHandle;
  readonly item: PCEVENT_ITEM;

  constructor(handle: PortHandle, item: PCEVENT_ITEM) {
    this.handle = handle;
    this.item = item;
  }
}

/** One call of generateEventList. */
interface Generation {
  readonly set: GUID | null;
  readonly eventId: number;
  readonly pinEvent: boolean;
  readonly pinId: number;
  readonly nodeEvent: boolean;
  readonly nodeId: number;
}

/**
 * The events of one port: the miniport's event items on filter, pins and nodes, and the list of what clients enabled. Filter
 * events work (hardware-events.md lists them, and jack and format changes are filter events), although
 * audio-endpoints--properties-and-events.md says that filters have none.
 */
export class PortEventList {
  readonly #port: PortBase;
  readonly #list = new KsEventList();
  #filterTable = new KsEventTable([]);
  #pinTables: readonly KsEventTable[] = [];
  #nodeTables: readonly KsEventTable[] = [];
  /** Whose request is being served; KS's add handlers are given no more than the entry. */
  #enabling: PortHandle | null = null;
  readonly #dpc: KDPC;
  /** The one context slot of the DPC: a burst above DISPATCH_LEVEL leaves its last call. */
  #deferred: Generation | null = null;

  constructor(port: PortBase) {
    this.#port = port;
    this.#dpc = new KDPC(() => this.#generateDeferred(), null, 'PortCls event list');
  }

  /** Entries in the list. */
  get count(): number {
    return this.#list.entries.length;
  }

  /** The filter's descriptor is known: makes the tables. */
  bind(): void {
    const { automationTable, pins, nodes } = this.#port.descriptor;
    this.#filterTable = this.#table([automationTable]);
    // What a pin does not know is looked up on its filter, as for properties.
    this.#pinTables = pins.map((pin, pinId) =>
      this.#table([pin.automationTable, automationTable], this.#port.pinEvents(pinId)),
    );
    this.#nodeTables = nodes.map((node) => this.#table([node.automationTable]));
  }

  /** Serves IOCTL_KS_ENABLE_EVENT. PASSIVE_LEVEL. */
  enable(handle: PortHandle, irp: IRP): NTSTATUS {
    const table = handle.kind === 'pin' ? this.#pinTables[handle.pinId] : this.#filterTable;
    if (table === undefined) return STATUS_INVALID_DEVICE_REQUEST;
    const outer = this.#enabling;
    this.#enabling = handle;
    try {
      return ksEnableEvent(irp, table, { nodes: this.#nodeTables, eventsList: this.#list });
    } finally {
      this.#enabling = outer;
    }
  }

  /** Serves IOCTL_KS_DISABLE_EVENT. PASSIVE_LEVEL. */
  disable(_handle: PortHandle, irp: IRP): NTSTATUS {
    return ksDisableEvent(irp, this.#list);
  }

  /** A handle is closed: its events end. PASSIVE_LEVEL. */
  removeFor(handle: PortHandle): void {
    ksFreeEventList(handle.fileObject, this.#list);
  }

  /** IPortEvents::AddEventToEventList. */
  add(entry: KSEVENT_ENTRY): void {
    if (entry.list === null && !entry.isDeleted) ksAddEvent(this.#list, entry);
  }

  /** IPortEvents::GenerateEventList. Any IRQL. */
  generate(
    set: GUID | null,
    eventId: number,
    pinEvent: boolean,
    pinId: number,
    nodeEvent: boolean,
    nodeId: number,
  ): void {
    if (keGetCurrentIrql() > DISPATCH_LEVEL) {
      this.#deferred = { set, eventId, pinEvent, pinId, nodeEvent, nodeId };
      keInsertQueueDpc(this.#dpc);
      return;
    }
    for (const entry of this.#list.entries) {
      if (entry.eventId !== eventId || (set !== null && !entry.set.equals(set))) continue;
      if (nodeEvent && entry.nodeId !== nodeId) continue;
      if (pinEvent && pinOf(entry) !== pinId) continue;
      ksGenerateEvent(entry);
    }
  }

  /** The port goes: nothing is left in the list or the DPC queue. */
  dispose(): void {
    keRemoveQueueDpc(this.#dpc);
    this.#deferred = null;
    for (const entry of this.#list.entries) ksFreeEventList(entry.fileObject, this.#list);
  }

  #generateDeferred(): void {
    const call = this.#deferred;
    this.#deferred = null;
    if (call === null) return;
    this.generate(call.set, call.eventId, call.pinEvent, call.pinId, call.nodeEvent, call.nodeId);
  }

  #table(
    sources: readonly (PCAUTOMATION_TABLE | null | undefined)[],
    ofPort: readonly KSEVENT_SET[] = [],
  ): KsEventTable {
    const items = sources.flatMap((source) => source?.events ?? []);
    return new KsEventTable([
      ...ofPort,
      ...items.map((item) => ({ set: item.set, eventItem: [this.#ksItem(item)] })),
    ]);
  }

  #ksItem(item: PCEVENT_ITEM): KSEVENT_ITEM {
    return {
      eventId: item.id,
      dataInput: KSEVENTDATA.size,
      flags: item.flags | PCEVENT_ITEM_FLAG_BASICSUPPORT,
      addHandler: (irp, _eventData, entry) => this.#addEntry(item, irp, entry),
      removeHandler: (_fileObject, entry) => this.#removeEntry(item, entry),
      ...((item.flags & PCEVENT_ITEM_FLAG_BASICSUPPORT) === 0
        ? {}
        : {
            supportHandler: (request) => {
              const handle = this.#enabling;
              if (handle === null) return STATUS_INVALID_DEVICE_REQUEST;
              const status = this.#call(handle, {
                eventItem: item,
                eventEntry: null,
                node: request.nodeId,
                verb: PCEVENT_VERB_SUPPORT,
                irp: request.irp,
                instance: request.instance,
              });
              if (!ntSuccess(status) || request.dataLength < 4) return status;
              return request.answerUlong(item.flags);
            },
          }),
    };
  }

  /** The miniport's handler decides, and adds the entry to the list if it wants it. */
  #addEntry(item: PCEVENT_ITEM, irp: IRP, entry: KSEVENT_ENTRY): NTSTATUS {
    const handle = this.#enabling;
    const oneShot = (entry.flags & KSEVENT_ENTRY_ONESHOT) !== 0;
    const needed = oneShot ? PCEVENT_ITEM_FLAG_ONESHOT : PCEVENT_ITEM_FLAG_ENABLE;
    if (handle === null || (item.flags & needed) === 0) return STATUS_INVALID_DEVICE_REQUEST;
    entry.context = new EntryTarget(handle, item);
    const status = this.#call(handle, {
      eventItem: item,
      eventEntry: entry,
      node: entry.nodeId,
      verb: PCEVENT_VERB_ADD,
      irp,
      instance: entry.instance,
    });
    if (ntSuccess(status) && entry.list === null && !entry.isDeleted) {
      this.#port.kernel.trace.finding(
        'PortCls',
        'An event handler succeeded with PCEVENT_VERB_ADD without IPortEvents::AddEventToEventList: the event could never be signalled.',
        { driver: this.#port.driverName, event: ksEventName(item.set, item.id) },
      );
      return STATUS_UNSUCCESSFUL;
    }
    return status;
  }

  /** Told to the handler after the entry has left the list; its answer changes nothing. */
  #removeEntry(item: PCEVENT_ITEM, entry: KSEVENT_ENTRY): void {
    const target = entry.context;
    if (!(target instanceof EntryTarget)) return;
    try {
      this.#call(target.handle, {
        eventItem: item,
        eventEntry: entry,
        node: entry.nodeId,
        verb: PCEVENT_VERB_REMOVE,
        irp: null,
        instance: entry.instance,
      });
    } catch (error) {
      if (!(error instanceof NtError)) throw error;
    }
  }

  #call(handle: PortHandle, request: Omit<PCEVENT_REQUEST, 'majorTarget' | 'minorTarget'>): NTSTATUS {
    const port = this.#port;
    const whole: PCEVENT_REQUEST = {
      ...request,
      majorTarget: port.unknownMiniport,
      minorTarget: handle.stream,
    };
    const { eventItem } = request;
    const name = `EventHandler(${ksEventName(eventItem.set, eventItem.id)})`;
    return port.kernel.callOut(port.driverName, name, () => eventItem.handler(whole)) ?? STATUS_SUCCESS;
  }
}

/** The pin an entry belongs to: that of a pin handle, or the one named by a KSE_PIN on a filter handle; all ones when there is none. */
function pinOf(entry: KSEVENT_ENTRY): number {
  const target = entry.context;
  if (target instanceof EntryTarget && target.handle.kind === 'pin') return target.handle.pinId;
  return entry.nodeId === KSALL_NODES ? entry.pinId : KSALL_NODES;
}
