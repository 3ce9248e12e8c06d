import type { GUID } from '../../com/index.ts';
import {
  type IRP,
  ioCompleteRequest,
  ioGetCurrentIrpStackLocation,
  ioMarkIrpPending,
  type Kernel,
  type NTSTATUS,
  NtError,
  ntSuccess,
  STATUS_BUFFER_OVERFLOW,
  STATUS_BUFFER_TOO_SMALL,
  STATUS_DEVICE_REMOVED,
  STATUS_INVALID_BUFFER_SIZE,
  STATUS_INVALID_DEVICE_REQUEST,
  STATUS_INVALID_PARAMETER,
  STATUS_NOT_FOUND,
  STATUS_PENDING,
  STATUS_PROPSET_NOT_FOUND,
  STATUS_SUCCESS,
} from '../../kernel/index.ts';
import {
  KSIDENTIFIER_SIZE,
  KSP_NODE_SIZE,
  type KSPROPERTY_SET,
  KSPROPERTY_TOPOLOGY_NAME,
  KSPROPERTY_TYPE_BASICSUPPORT,
  KSPROPERTY_TYPE_GET,
  KSPROPERTY_TYPE_SET,
  KSPROPERTY_TYPE_SETSUPPORT,
  KSPROPERTY_TYPE_TOPOLOGY,
  KSPROPSETID_Topology,
  KsPropertyTable,
  ksPropertyHandler,
  readUlong,
} from '../../ks/index.ts';
import { type HandlerStatus, PCFILTER_NODE, PCPROPERTY_REQUEST } from '../ddi/index.ts';
import { DATA_INTERSECTION, filterPropertySets, isOwnedFilterProperty } from './filter-sets.ts';
import type { PortBase } from './port-base.ts';
import type { PortFilter, PortHandle, PortPin } from './port-handle.ts';
import { type PropertyEntry, PropertyTable } from './port-property.ts';

const GUID_SIZE = 16;
/** Verbs that go to a miniport's handler when the item's flags name them. */
const HANDLER_VERBS =
  KSPROPERTY_TYPE_GET |
  KSPROPERTY_TYPE_SET |
  KSPROPERTY_TYPE_BASICSUPPORT |
  0x2000 |
  0x4000 |
  0x8000 |
  0x1_0000;

/**
 * A request under way: the PCPROPERTY_REQUEST and what is needed to finish it. Kept for re-use, so that a request costs no
 * allocation; `run` is the one closure that calling out needs.
 */
class PendingRequest extends PCPROPERTY_REQUEST {
  readonly dispatcher: PropertyDispatcher;
  state: 'free' | 'running' | 'pending' | 'abandoned' = 'free';
  /** Which use of the object it is; a request completed while its handler runs may be in its next use when that returns. */
  serial = 0;
  handle: PortHandle | null = null;
  readonly run: () => HandlerStatus;

  constructor(dispatcher: PropertyDispatcher) {
    super();
    this.dispatcher = dispatcher;
    this.run = () => this.propertyItem.handler(this);
  }
}

/**
 * Routes property requests of one port: IRP → table of the addressed filter, pin factory or node → the miniport's handler or
 * the port's own.
 *
 * Precedence in each table: first the properties whose state the port owns, then the miniport's automation table, then the
 * port's overridable ones; on a pin handle, what neither the pin's table nor the port's pin properties know is looked up in
 * the filter's (over-specified requests are served as if sent to the filter).
 */
export class PropertyDispatcher {
  readonly #port: PortBase;
  readonly #kernel: Kernel;
  readonly #filterTable = new PropertyTable<PortFilter>();
  readonly #pinTables: PropertyTable<PortPin>[] = [];
  readonly #nodeTables: PropertyTable<PortHandle>[] = [];
  readonly #free: PendingRequest[] = [];
  readonly #pending = new Set<PendingRequest>();
  readonly #driverName: string;
  readonly #ksTable: KsPropertyTable;

  constructor(port: PortBase) {
    this.#port = port;
    this.#kernel = port.kernel;
    this.#driverName = port.driverName;
    const descriptor = port.descriptor;
    const ksSets = filterPropertySets(port);
    this.#ksTable = new KsPropertyTable(ksSets);
    const filterProperties = [...port.filterProperties(), DATA_INTERSECTION];
    this.#filterTable.addPort(filterProperties, true);
    this.#filterTable.addKs(ksSets, isOwnedFilterProperty);
    this.#filterTable.addAutomation(descriptor.automationTable);
    this.#filterTable.addPort(filterProperties, false);
    this.#filterTable.addKs(ksSets, () => true);
    const pinProperties = port.pinProperties();
    for (const pin of descriptor.pins) {
      const table = new PropertyTable<PortPin>();
      table.addPort(pinProperties, true);
      table.addAutomation(pin.automationTable);
      table.addPort(pinProperties, false);
      this.#pinTables.push(table);
    }
    const isName = (set: KSPROPERTY_SET, id: number) =>
      set.set.equals(KSPROPSETID_Topology) && id === KSPROPERTY_TOPOLOGY_NAME;
    for (const [nodeId, node] of descriptor.nodes.entries()) {
      const table = new PropertyTable<PortHandle>();
      const nodeProperties = port.nodeProperties(nodeId);
      table.addAutomation(node.automationTable);
      table.addPort(nodeProperties, true);
      table.addPort(nodeProperties, false);
      table.addKs(ksSets, isName);
      this.#nodeTables.push(table);
    }
  }

  /** Requests that handlers left pending. */
  get pendingCount(): number {
    return this.#pending.size;
  }

  /**
   * Serves an IOCTL_KS_PROPERTY request and returns its status with `irp.ioStatus` filled in; STATUS_PENDING means that the
   * IRP was marked pending and will be completed by pcCompletePendingPropertyRequest. The caller holds the device lock.
   */
  dispatch(handle: PortHandle, irp: IRP): NTSTATUS {
    irp.ioStatus.information = 0;
    const { parameters } = ioGetCurrentIrpStackLocation(irp);
    const input = parameters.type3InputBuffer;
    if (input === null || input.byteLength < KSIDENTIFIER_SIZE) return STATUS_INVALID_BUFFER_SIZE;
    const flags = readUlong(input, 20);
    const id = readUlong(input, 16);
    const verb = (flags & ~KSPROPERTY_TYPE_TOPOLOGY) >>> 0;
    let node = PCFILTER_NODE;
    let header = KSIDENTIFIER_SIZE;
    if ((flags & KSPROPERTY_TYPE_TOPOLOGY) !== 0) {
      if (input.byteLength < KSP_NODE_SIZE) return STATUS_INVALID_BUFFER_SIZE;
      node = readUlong(input, 24);
      header = KSP_NODE_SIZE;
      if (node >= this.#nodeTables.length) return STATUS_INVALID_PARAMETER;
    }
    const w0 = readUlong(input, 0);
    const w1 = readUlong(input, 4);
    const w2 = readUlong(input, 8);
    const w3 = readUlong(input, 12);
    if (verb === KSPROPERTY_TYPE_SETSUPPORT) return this.#setSupport(handle, node, w0, w1, w2, w3, irp);
    if (node !== PCFILTER_NODE) {
      const entry = (this.#nodeTables[node] as PropertyTable<PortHandle>).find(w0, w1, w2, w3, id);
      if (entry === undefined) return STATUS_PROPSET_NOT_FOUND;
      if (entry === null) return STATUS_NOT_FOUND;
      return this.#serve(handle, handle, entry, verb, node, header, input, irp);
    }
    if (handle.kind === 'pin') {
      const entry = this.#pinTables[handle.pinId]?.find(w0, w1, w2, w3, id);
      if (entry) return this.#serve(handle, handle, entry, verb, node, header, input, irp);
      const overSpecified = this.#filterTable.find(w0, w1, w2, w3, id);
      if (overSpecified) {
        return this.#serve(handle.filter, handle, overSpecified, verb, node, header, input, irp);
      }
      return entry === null || overSpecified === null ? STATUS_NOT_FOUND : STATUS_PROPSET_NOT_FOUND;
    }
    const entry = this.#filterTable.find(w0, w1, w2, w3, id);
    if (entry === undefined) return STATUS_PROPSET_NOT_FOUND;
    if (entry === null) return STATUS_NOT_FOUND;
    return this.#serve(handle, handle, entry, verb, node, header, input, irp);
  }

  #serve<T>(
    target: T,
    handle: PortHandle,
    entry: PropertyEntry<T>,
    verb: number,
    node: number,
    header: number,
    input: Uint8Array,
    irp: IRP,
  ): NTSTATUS {
    if (entry.ks !== null) return ksPropertyHandler(irp, this.#ksTable);
    if ((verb & HANDLER_VERBS) === 0 || (verb & (verb - 1)) !== 0) return STATUS_INVALID_PARAMETER;
    if ((entry.accessFlags & verb) === 0) return STATUS_INVALID_DEVICE_REQUEST;
    const request = this.#free.pop() ?? new PendingRequest(this);
    const serial = ++request.serial;
    request.state = 'running';
    request.handle = handle;
    request.majorTarget = this.#port.unknownMiniport;
    request.minorTarget = handle.stream;
    request.node = node;
    request.verb = verb;
    const extra = input.byteLength - header;
    request.instanceSize = extra;
    request.instance = extra === 0 ? null : input.subarray(header);
    const output = irp.userBuffer;
    // A client may give one buffer for both: what it asked must outlive what it is answered.
    if (output !== null && output.buffer === input.buffer)
      request.instance = request.instance?.slice() ?? null;
    request.value = output;
    request.valueSize = output === null ? 0 : output.byteLength;
    request.irp = irp;
    request.process = irp.requestor;
    let status: NTSTATUS;
    try {
      const item = entry.item;
      if (item !== null) {
        if (verb === KSPROPERTY_TYPE_BASICSUPPORT && (item.flags & KSPROPERTY_TYPE_BASICSUPPORT) === 0) {
          request.answerBasicSupport({ accessFlags: entry.accessFlags });
          status = STATUS_SUCCESS;
        } else {
          request.propertyItem = item;
          status = this.#kernel.callOut(this.#driverName, entry.traceName, request.run) ?? STATUS_SUCCESS;
        }
      } else {
        status = servePortProperty(target, entry, verb, request) ?? STATUS_SUCCESS;
      }
    } catch (error) {
      if (!(error instanceof NtError)) {
        request.state = 'free';
        throw error;
      }
      status = error.status;
    }
    if (status === STATUS_PENDING) {
      // Completed before the handler returned (from a nested DPC, say): the IRP is gone already, and that is legal.
      if (request.serial !== serial || request.state !== 'running') return STATUS_PENDING;
      ioMarkIrpPending(irp);
      request.state = 'pending';
      this.#pending.add(request);
      return STATUS_PENDING;
    }
    irp.ioStatus.information = information(status, verb, request);
    this.#recycle(request);
    return status;
  }

  /** KSPROPERTY_TYPE_SETSUPPORT: is the set there? With GUID_NULL: which sets are there? */
  #setSupport(
    handle: PortHandle,
    node: number,
    w0: number,
    w1: number,
    w2: number,
    w3: number,
    irp: IRP,
  ): NTSTATUS {
    const tables: PropertyTable<never>[] =
      node !== PCFILTER_NODE
        ? [this.#nodeTables[node] as PropertyTable<never>]
        : handle.kind === 'pin'
          ? [this.#pinTables[handle.pinId] as PropertyTable<never>, this.#filterTable as PropertyTable<never>]
          : [this.#filterTable as PropertyTable<never>];
    if ((w0 | w1 | w2 | w3) !== 0) {
      for (const table of tables) if (table.find(w0, w1, w2, w3, 0) !== undefined) return STATUS_SUCCESS;
      return STATUS_PROPSET_NOT_FOUND;
    }
    const sets: GUID[] = [];
    for (const table of tables) {
      for (const set of table.sets) if (!sets.some((known) => known.equals(set))) sets.push(set);
    }
    const size = sets.length * GUID_SIZE;
    const output = irp.userBuffer;
    irp.ioStatus.information = size;
    if (output === null || output.byteLength === 0)
      return size === 0 ? STATUS_SUCCESS : STATUS_BUFFER_OVERFLOW;
    if (output.byteLength < size) {
      irp.ioStatus.information = 0;
      return STATUS_BUFFER_TOO_SMALL;
    }
    const view = new DataView(output.buffer, output.byteOffset, output.byteLength);
    sets.forEach((set, index) => {
      set.write(view, index * GUID_SIZE);
    });
    return STATUS_SUCCESS;
  }

  /** For pcCompletePendingPropertyRequest. */
  complete(request: PCPROPERTY_REQUEST, status: NTSTATUS): void {
    if (!(request instanceof PendingRequest) || request.dispatcher !== this) {
      throw new NtError(STATUS_INVALID_PARAMETER, 'the property request is not one of PortCls');
    }
    if (request.state === 'abandoned') return;
    if (request.state === 'free') {
      throw new NtError(STATUS_INVALID_PARAMETER, 'the property request is not pending');
    }
    const { irp } = request;
    if (request.state === 'running') ioMarkIrpPending(irp);
    irp.ioStatus.status = status;
    irp.ioStatus.information = information(status, request.verb, request);
    this.#pending.delete(request);
    this.#recycle(request);
    ioCompleteRequest(irp);
  }

  /**
   * Completes what handlers left pending, because the device goes. The requests are the driver's own no longer: if it completes
   * them later, nothing happens. `concerns` picks the handles whose requests are meant; all of them otherwise.
   */
  abandonPending(concerns: (handle: PortHandle) => boolean = () => true): void {
    for (const request of [...this.#pending]) {
      if (request.handle !== null && !concerns(request.handle)) continue;
      this.#kernel.trace.finding(
        'PortCls',
        'A property request that the miniport left pending was not completed before the device went; PortCls completes it.',
        {
          driver: this.#driverName,
          property: request.propertyItem.set.toString(),
          id: request.propertyItem.id,
        },
      );
      this.#pending.delete(request);
      request.state = 'abandoned';
      const { irp } = request;
      irp.ioStatus.status = STATUS_DEVICE_REMOVED;
      irp.ioStatus.information = 0;
      ioCompleteRequest(irp);
    }
  }

  #recycle(request: PendingRequest): void {
    request.state = 'free';
    request.value = null;
    request.instance = null;
    request.minorTarget = null;
    request.handle = null;
    if (this.#free.length < 8) this.#free.push(request);
  }
}

/** The dispatcher behind a request that a handler was given, or null. */
export function dispatcherOf(request: PCPROPERTY_REQUEST): PropertyDispatcher | null {
  return request instanceof PendingRequest ? request.dispatcher : null;
}

function servePortProperty<T>(
  target: T,
  entry: PropertyEntry<T>,
  verb: number,
  request: PCPROPERTY_REQUEST,
): HandlerStatus {
  const property = entry.port;
  if (property === null) return STATUS_NOT_FOUND;
  if (verb === KSPROPERTY_TYPE_BASICSUPPORT) {
    request.answerBasicSupport(property.onSupport?.(target) ?? { accessFlags: entry.accessFlags });
    return STATUS_SUCCESS;
  }
  if (request.instanceSize < (property.instanceBytes ?? 0)) throw new NtError(STATUS_INVALID_BUFFER_SIZE);
  if (verb === KSPROPERTY_TYPE_GET) {
    const bytes = property.valueBytes ?? 0;
    if (request.valueSize < bytes) request.requireValue(bytes);
    return property.onGet?.(target, request);
  }
  if (verb === KSPROPERTY_TYPE_SET) {
    if (request.valueSize < (property.valueBytes ?? 0)) throw new NtError(STATUS_BUFFER_TOO_SMALL);
    return property.onSet?.(target, request);
  }
  return STATUS_INVALID_DEVICE_REQUEST;
}

/** Bytes to report: what a get produced; for a size query the size; a set moves nothing back. */
function information(status: NTSTATUS, verb: number, request: PCPROPERTY_REQUEST): number {
  if (status === STATUS_BUFFER_OVERFLOW) return request.valueSize;
  if (!ntSuccess(status) || verb === KSPROPERTY_TYPE_SET) return 0;
  return request.valueSize;
}
