import { type GUID, type IID, type IUnknown, tryQueryInterface } from '../../../com/index.ts';
import {
  NtError,
  PASSIVE_LEVEL,
  requireIrql,
  STATUS_INVALID_DEVICE_REQUEST,
  STATUS_NOINTERFACE,
} from '../../../kernel/index.ts';
import {
  KSCATEGORY_AUDIO,
  KSCATEGORY_CAPTURE,
  KSCATEGORY_RENDER,
  KSCATEGORY_SYNTHESIZER,
  type KSDATAFORMAT,
  KSNODETYPE_SYNTHESIZER,
  KSPIN_DATAFLOW_IN,
  KSPIN_DATAFLOW_OUT,
  KSPROPERTY_STREAM_PRESENTATIONTIME,
  KSPROPSETID_Stream,
  KSTIME,
} from '../../../ks/index.ts';
import {
  IID_IMiniportMidi,
  IID_IPortMidi,
  type IMiniport,
  type IMiniportMidi,
  type IPortMidi,
  type IResourceList,
  type IServiceGroup,
  type MidiNewStream,
  type PCFILTER_DESCRIPTOR,
} from '../../ddi/index.ts';
import { PortBase } from '../port-base.ts';
import type { PinCreate, PortPin } from '../port-handle.ts';
import type { PortProperty } from '../port-property.ts';
import { streamPinProperties } from '../stream-pin-properties.ts';
import { MidiPin } from './midi-pin.ts';
import { MidiServiceSink } from './service-sink.ts';

const midiPinProperties: readonly PortProperty<PortPin>[] = [
  {
    set: KSPROPSETID_Stream,
    id: KSPROPERTY_STREAM_PRESENTATIONTIME,
    owned: true,
    valueBytes: KSTIME.size,
    onGet: (pin, request) => {
      if (!(pin instanceof MidiPin)) throw new NtError(STATUS_INVALID_DEVICE_REQUEST);
      request.setBytes(KSTIME.encode({ time: pin.presentationTime100ns, numerator: 1, denominator: 1 }));
    },
  },
];

/**
 * The MIDI port driver (DDI pages IPortMidi, IMiniportMidi): renders KSMUSICFORMAT streams through a sequencer of one millisecond, and
 * stamps what is captured with the time.
 *
 * On Windows XP and later CLSID_PortMidi gives the object of CLSID_PortDMus (midi-port-driver.md). Drivers see IPortMidi and
 * IMiniportMidi as documented either way, and that contract is what this port keeps.
 */
export class PortMidi extends PortBase implements IPortMidi {
  readonly miniportName = 'IMiniportMidi';
  readonly #sink = new MidiServiceSink('MidiPortServiceSink', () => this.#service());
  #midi: IMiniportMidi | null = null;
  readonly #callService = () => this.#midi?.service();

  constructor(outerUnknown: IUnknown | null = null) {
    super('PortMidi', outerUnknown);
  }

  /** IMiniportMidi::NewStream. The references are the caller's. */
  newStream(pin: number, capture: boolean, dataFormat: KSDATAFORMAT): MidiNewStream {
    const miniport = this.#midi;
    if (miniport === null) throw new NtError(STATUS_NOINTERFACE, 'the port is not initialised');
    return this.callMiniport('NewStream', () => miniport.newStream(null, pin, capture, dataFormat));
  }

  // ------------------------------------------------------------------ IPortMidi

  notify(serviceGroup: IServiceGroup | null): void {
    if (serviceGroup !== null) {
      serviceGroup.requestService();
      return;
    }
    const groups = new Set<IServiceGroup>();
    if (this.#sink.group !== null) groups.add(this.#sink.group);
    for (const pin of this.pins()) {
      const group = pin instanceof MidiPin ? pin.ownSink?.group : null;
      if (group) groups.add(group);
    }
    for (const group of groups) group.requestService();
  }

  registerServiceGroup(serviceGroup: IServiceGroup): void {
    requireIrql(PASSIVE_LEVEL, 'IPortMidi::RegisterServiceGroup');
    serviceGroup.addRef();
    this.#sink.join(serviceGroup);
  }

  /** The miniport's group called: the miniport first, then the streams that have no group of their own. At DISPATCH_LEVEL. */
  #service(): void {
    if (this.#midi === null || this.retired) return;
    this.callMiniport('Service', this.#callService);
    for (const pin of this.pins()) if (pin instanceof MidiPin && pin.ownSink === null) pin.service();
  }

  // ------------------------------------------------------------------ PortBase

  protected override bindMiniport(
    unknownMiniport: IUnknown,
    unknownAdapter: IUnknown | null,
    resourceList: IResourceList,
  ): IMiniport {
    const miniport = this.kernel.callOut(this.driverName, 'IUnknown::QueryInterface(IID_IMiniportMidi)', () =>
      tryQueryInterface(unknownMiniport, IID_IMiniportMidi),
    );
    if (miniport === null) throw new NtError(STATUS_NOINTERFACE, 'the miniport has no IMiniportMidi');
    // From here on, since an interrupt may ask for service while init is still running.
    this.#midi = miniport;
    try {
      const group = this.callMiniport('Init', () => miniport.init(unknownAdapter, resourceList, this));
      if (group !== null) this.#sink.join(group);
    } catch (error) {
      this.#midi = null;
      this.#sink.leave();
      if (error instanceof NtError) this.callMiniport('Release', () => miniport.release());
      throw error;
    }
    return miniport;
  }

  protected override onUnbind(): void {
    this.#midi = null;
    this.#sink.leave();
  }

  protected override finalRelease(): void {
    super.finalRelease();
    this.#sink.release();
  }

  override defaultCategories(descriptor: PCFILTER_DESCRIPTOR): readonly GUID[] {
    const flows = (dataFlow: number) =>
      descriptor.pins.some(
        (pin) => pin.kspinDescriptor.dataFlow === dataFlow && pin.maxFilterInstanceCount > 0,
      );
    return [
      KSCATEGORY_AUDIO,
      ...(flows(KSPIN_DATAFLOW_IN) ? [KSCATEGORY_RENDER] : []),
      ...(flows(KSPIN_DATAFLOW_OUT) ? [KSCATEGORY_CAPTURE] : []),
      ...(descriptor.nodes.some((node) => node.type.equals(KSNODETYPE_SYNTHESIZER))
        ? [KSCATEGORY_SYNTHESIZER]
        : []),
    ];
  }

  override createPin(create: PinCreate): PortPin {
    return new MidiPin(this, create);
  }

  override pinProperties(): readonly PortProperty<PortPin>[] {
    return [...streamPinProperties, ...midiPinProperties];
  }

  protected override portInterface(iid: IID<unknown>): object | null {
    return iid.equals(IID_IPortMidi) ? this : null;
  }
}
