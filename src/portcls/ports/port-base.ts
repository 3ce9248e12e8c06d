import { CUnknown, type GUID, type IID, type IUnknown, tryQueryInterface } from '../../com/index.ts';
import {
  currentKernel,
  type DEVICE_OBJECT,
  DISPATCH_LEVEL,
  type IRP,
  type Kernel,
  NtError,
  PASSIVE_LEVEL,
  requireIrql,
  STATUS_INVALID_DEVICE_REQUEST,
  STATUS_INVALID_PARAMETER,
} from '../../kernel/index.ts';
import {
  type KSEVENT_ENTRY,
  type KSEVENT_SET,
  type KSIDENTIFIER,
  type KSPIN_DESCRIPTOR,
  STANDARD_STREAMING_INTERFACE,
} from '../../ks/index.ts';
import { type AdapterDevice, adapterDevice } from '../adapter-device.ts';
import {
  IID_IMiniportPnpNotify,
  IID_IPinCount,
  IID_IPinName,
  IID_IPort,
  IID_IPortEvents,
  IID_IPowerNotify,
  type IMiniport,
  type IMiniportPnpNotify,
  type IPinCount,
  type IPinName,
  type IPort,
  type IPortEvents,
  type IPowerNotify,
  type IRegistryKey,
  type IResourceList,
  type OBJECT_ATTRIBUTES,
  type PCFILTER_DESCRIPTOR,
} from '../ddi/index.ts';
import { newRegistryKey } from '../helpers/registry-key.ts';
import { IID_PortClsPort } from '../port-identity.ts';
import { checkDescriptor } from './descriptor-check.ts';
import { effectivePins } from './pin-factories.ts';
import { PortEventList } from './port-events.ts';
import type { PinCreate, PortFilter, PortHandle, PortPin } from './port-handle.ts';
import { PortInterfaces } from './port-interfaces.ts';
import type { PortProperty } from './port-property.ts';
import { PropertyDispatcher } from './property-dispatch.ts';

/**
 * What all port drivers share: binding to a miniport, the filter's properties and events, and the interfaces that every port
 * offers. A port driver derives from it and says which miniport interface it needs ({@link bindMiniport}), which properties it
 * answers besides the common ones, and, when it has streams, how a pin is made ({@link createPin}).
 *
 * Calls into the miniport go through {@link callMiniport} (or `kernel.callOut` with this port's `driverName`), so that traces
 * and bugchecks name driver and method.
 */
export abstract class PortBase extends CUnknown implements IPort, IPortEvents {
  /** 'IMiniportTopology': prefix of the method names under which calls into the miniport are traced. */
  abstract readonly miniportName: string;
  readonly kernel: Kernel = currentKernel();
  #device: AdapterDevice | null = null;
  #unknownMiniport: IUnknown | null = null;
  #unknownAdapter: IUnknown | null = null;
  #miniport: IMiniport | null = null;
  #descriptor: PCFILTER_DESCRIPTOR | null = null;
  #pinCount: IPinCount | null = null;
  #pinName: IPinName | null = null;
  #powerNotify: IPowerNotify | null = null;
  #pnpNotify: IMiniportPnpNotify | null = null;
  #properties: PropertyDispatcher | null = null;
  #pinDescriptors: readonly KSPIN_DESCRIPTOR[] = [];
  #categories: readonly GUID[] = [];
  #interfaces: PortInterfaces | null = null;
  /** Events that clients enabled on this filter, its pins and nodes. */
  readonly eventList: PortEventList = new PortEventList(this);
  /** Open filter handles. */
  readonly filters = new Set<PortFilter>();

  // ------------------------------------------------------------------ what a port driver supplies

  /**
   * Asks the unknown for the miniport interface this port needs and calls its init. Returns the interface with its
   * reference. Throws NtError when the interface is absent or init fails (releasing the interface).
   */
  protected abstract bindMiniport(
    unknownMiniport: IUnknown,
    unknownAdapter: IUnknown | null,
    resourceList: IResourceList,
  ): IMiniport;

  /** Interface classes of the subdevice when the descriptor lists none. */
  abstract defaultCategories(descriptor: PCFILTER_DESCRIPTOR): readonly GUID[];

  /** Makes the pin for a create request that passed the general checks. Throws NtError to fail the create. */
  createPin(_create: PinCreate): PortPin {
    throw new NtError(STATUS_INVALID_DEVICE_REQUEST, `${this.unknownName} has no pins to open`);
  }

  /** Called once the descriptor is known; for what the port wants to look up before any request arrives. */
  protected onBound(_unknownMiniport: IUnknown): void {}

  /** Properties of the filter that this port answers besides the Pin and Topology sets. */
  filterProperties(): readonly PortProperty<PortFilter>[] {
    return [];
  }

  /** Properties of open pins that this port answers. */
  pinProperties(): readonly PortProperty<PortPin>[] {
    return [];
  }

  /** Properties of a node that this port answers besides its name; requests may come to filter and pin handles. */
  nodeProperties(_nodeId: number): readonly PortProperty<PortHandle>[] {
    return [];
  }

  /** Events of a pin's that this port generates; a miniport's entries for them are not used. */
  pinEvents(_pinId: number): readonly KSEVENT_SET[] {
    return [];
  }

  /** Further interfaces of this port's queryInterface. */
  protected portInterface(_iid: IID<unknown>): object | null {
    return null;
  }

  /** The interfaces that KSPROPERTY_PIN_INTERFACES lists and create requests may name; the descriptor's list is ignored. */
  pinInterfaces(_pinId: number): readonly KSIDENTIFIER[] {
    return STANDARD_STREAMING;
  }

  /** The device was stopped or removed under this port: handles that are still open can only be taken down and closed. */
  retired = false;

  /** May a device with this kind of port be stopped for a rebalance (P-24)? Only WaveRT and Topology. */
  readonly supportsRebalance: boolean = false;

  // ------------------------------------------------------------------ state

  /** The adapter's device; throws before init. */
  get device(): AdapterDevice {
    return this.#device ?? this.#notInitialised();
  }

  get descriptor(): PCFILTER_DESCRIPTOR {
    return this.#descriptor ?? this.#notInitialised();
  }

  /** The base interface of the miniport. */
  get miniport(): IMiniport {
    return this.#miniport ?? this.#notInitialised();
  }

  /** What the adapter passed to init: PCPROPERTY_REQUEST.majorTarget. */
  get unknownMiniport(): IUnknown {
    return this.#unknownMiniport ?? this.#notInitialised();
  }

  get unknownAdapter(): IUnknown | null {
    return this.#unknownAdapter;
  }

  get pinCountInterface(): IPinCount | null {
    return this.#pinCount;
  }

  get pinNameInterface(): IPinName | null {
    return this.#pinName;
  }

  get powerNotify(): IPowerNotify | null {
    return this.#powerNotify;
  }

  get pnpNotify(): IMiniportPnpNotify | null {
    return this.#pnpNotify;
  }

  get properties(): PropertyDispatcher {
    return this.#properties ?? this.#notInitialised();
  }

  /** The pin factories as clients see them: the port's interfaces, and data ranges with their DSOUND copies. */
  get pinDescriptors(): readonly KSPIN_DESCRIPTOR[] {
    return this.#pinDescriptors;
  }

  /** Interface classes of the subdevice: the descriptor's, else the port's own. */
  get categories(): readonly GUID[] {
    return this.#categories;
  }

  get isInitialised(): boolean {
    return this.#descriptor !== null;
  }

  /** Name of the adapter driver, for traces and bugchecks. */
  get driverName(): string {
    return this.device.driverName;
  }

  /** Calls into the miniport: `callMiniport('NewStream', () => …)` is traced as 'IMiniportWaveRT::NewStream'. */
  callMiniport<T>(method: string, call: () => T): T {
    return this.kernel.callOut(this.driverName, `${this.miniportName}::${method}`, call);
  }

  /** Open pins of all filter instances. */
  *pins(): Generator<PortPin> {
    for (const filter of this.filters) yield* filter.pins;
  }

  // ------------------------------------------------------------------ IPort

  init(
    deviceObject: DEVICE_OBJECT,
    _irp: IRP | null,
    unknownMiniport: IUnknown,
    unknownAdapter: IUnknown | null,
    resourceList: IResourceList,
  ): void {
    requireIrql(PASSIVE_LEVEL, 'IPort::Init');
    if (this.#device !== null)
      throw new NtError(STATUS_INVALID_DEVICE_REQUEST, 'IPort::Init was called before');
    const device = adapterDevice(deviceObject);
    this.#device = device;
    unknownMiniport.addRef();
    this.#unknownMiniport = unknownMiniport;
    unknownAdapter?.addRef();
    this.#unknownAdapter = unknownAdapter;
    try {
      this.#miniport = this.bindMiniport(unknownMiniport, unknownAdapter, resourceList);
      const miniport = this.#miniport;
      const descriptor = this.callMiniport('GetDescription', () => miniport.getDescription());
      if (descriptor === null || descriptor === undefined) {
        throw new NtError(
          STATUS_INVALID_PARAMETER,
          `${this.miniportName}::GetDescription gave no descriptor`,
        );
      }
      this.#pinCount = this.queryMiniport(IID_IPinCount);
      this.#pinName = this.queryMiniport(IID_IPinName);
      this.#powerNotify = this.queryMiniport(IID_IPowerNotify);
      this.#pnpNotify = this.queryMiniport(IID_IMiniportPnpNotify);
      this.#descriptor = descriptor;
      checkDescriptor(this, descriptor);
      const listed = descriptor.categories ?? [];
      this.#categories = listed.length > 0 ? listed : this.defaultCategories(descriptor);
      this.#pinDescriptors = effectivePins(this);
      this.onBound(unknownMiniport);
      this.#properties = new PropertyDispatcher(this);
      this.eventList.bind();
    } catch (error) {
      this.#unbind();
      throw error;
    }
  }

  getDeviceProperty(deviceProperty: number): Uint8Array {
    requireIrql(PASSIVE_LEVEL, 'IPort::GetDeviceProperty');
    return this.device.getDeviceProperty(deviceProperty);
  }

  newRegistryKey(
    outerUnknown: IUnknown | null,
    registryKeyType: number,
    desiredAccess: number,
    objectAttributes: OBJECT_ATTRIBUTES | null = null,
    createOptions = 0,
    disposition: { value: number } | null = null,
  ): IRegistryKey {
    requireIrql(PASSIVE_LEVEL, 'IPort::NewRegistryKey');
    return newRegistryKey(
      outerUnknown,
      registryKeyType,
      desiredAccess,
      this.device,
      this.device.subdeviceOf(this),
      objectAttributes,
      createOptions,
      disposition,
    );
  }

  // ------------------------------------------------------------------ IPortEvents

  addEventToEventList(eventEntry: KSEVENT_ENTRY): void {
    requireIrql(DISPATCH_LEVEL, 'IPortEvents::AddEventToEventList');
    this.eventList.add(eventEntry);
  }

  generateEventList(
    set: GUID | null,
    eventId: number,
    pinEvent: boolean,
    pinId: number,
    nodeEvent: boolean,
    nodeId: number,
  ): void {
    this.eventList.generate(set, eventId, pinEvent, pinId, nodeEvent, nodeId);
  }

  // ------------------------------------------------------------------ IUnknown

  protected override nonDelegatingQueryInterface(iid: IID<unknown>): object | null {
    if (iid.equals(IID_IPort) || iid.equals(IID_IPortEvents) || iid.equals(IID_PortClsPort)) return this;
    const own = this.portInterface(iid);
    if (own !== null) return own;
    this.#interfaces ??= new PortInterfaces(this);
    return this.#interfaces.find(iid) ?? super.nonDelegatingQueryInterface(iid);
  }

  protected override finalRelease(): void {
    this.#unbind();
    this.#interfaces?.nonDelegating.release();
    this.#interfaces = null;
  }

  /** An optional interface of the miniport, with its reference, or null. */
  protected queryMiniport<T>(iid: IID<T>): T | null {
    const unknown = this.unknownMiniport;
    return this.kernel.callOut(this.driverName, `IUnknown::QueryInterface(${iid.name})`, () =>
      tryQueryInterface(unknown, iid),
    );
  }

  /** For ports that hold further interfaces of the miniport: release them here, and call super. */
  protected onUnbind(): void {}

  #unbind(): void {
    this.onUnbind();
    this.eventList.dispose();
    const held: (IUnknown | null)[] = [
      this.#pinCount,
      this.#pinName,
      this.#powerNotify,
      this.#pnpNotify,
      this.#miniport,
      this.#unknownMiniport,
      this.#unknownAdapter,
    ];
    this.#pinCount = null;
    this.#pinName = null;
    this.#powerNotify = null;
    this.#pnpNotify = null;
    this.#miniport = null;
    this.#unknownMiniport = null;
    this.#unknownAdapter = null;
    this.#descriptor = null;
    this.#properties = null;
    const driverName = this.#device?.driverName ?? 'PortCls';
    for (const object of held) {
      if (object !== null) this.kernel.callOut(driverName, 'IUnknown::Release', () => object.release());
    }
  }

  #notInitialised(): never {
    throw new NtError(
      STATUS_INVALID_DEVICE_REQUEST,
      `${this.unknownName} is not initialised: IPort::Init comes first`,
    );
  }
}

const STANDARD_STREAMING: readonly KSIDENTIFIER[] = [STANDARD_STREAMING_INTERFACE];
