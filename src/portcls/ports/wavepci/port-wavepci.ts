import { type GUID, type IID, type IUnknown, tryQueryInterface } from '../../../com/index.ts';
import {
  type DEVICE_DESCRIPTION,
  DEVICE_DESCRIPTION_VERSION,
  type DMA_ADAPTER,
  type DMA_SPEED,
  type DMA_WIDTH,
  ioGetDmaAdapter,
} from '../../../hal/index.ts';
import { NtError, PASSIVE_LEVEL, requireIrql, STATUS_NOINTERFACE } from '../../../kernel/index.ts';
import {
  KSCATEGORY_AUDIO,
  type KSDATAFORMAT,
  type KSEVENT_SET,
  type KSIDENTIFIER,
  KSINTERFACE_STANDARD_LOOPED_STREAMING,
  KSINTERFACE_STANDARD_STREAMING,
  KSINTERFACESETID_Standard,
} from '../../../ks/index.ts';
import {
  type IDmaChannel,
  IID_IMiniportWavePci,
  IID_IPortWavePci,
  type IMiniport,
  type IMiniportWavePci,
  type IPortWavePci,
  type IPortWavePciStream,
  type IResourceList,
  type IServiceGroup,
  type PCFILTER_DESCRIPTOR,
  type WavePciNewStream,
} from '../../ddi/index.ts';
import { DmaChannel } from '../../helpers/dma-channel.ts';
import { CallbackSink } from '../callback-sink.ts';
import { streamingCategories } from '../pin-factories.ts';
import { PortBase } from '../port-base.ts';
import type { PinCreate, PortPin } from '../port-handle.ts';
import type { PortProperty } from '../port-property.ts';
import { streamMarkEvents } from '../stream-marks.ts';
import { streamPinProperties } from '../stream-pin-properties.ts';
import { WavePciPin } from './wavepci-pin.ts';

const INTERFACES: readonly KSIDENTIFIER[] = [
  { set: KSINTERFACESETID_Standard, id: KSINTERFACE_STANDARD_STREAMING, flags: 0 },
  { set: KSINTERFACESETID_Standard, id: KSINTERFACE_STANDARD_LOOPED_STREAMING, flags: 0 },
];

/** What the port takes a device for whose miniport makes no DMA channel. */
const DEFAULT_MAXIMUM_LENGTH = 0x1_0000;

/** An adapter object of the port's own, by which it opens clients' buffers to the device. */
interface OwnAdapter {
  readonly adapter: DMA_ADAPTER;
  readonly description: DEVICE_DESCRIPTION;
}

/**
 * The WavePci port driver (DDI pages IPortWavePci, IMiniportWavePci): clients stream by read and write requests, and the device moves
 * their bytes itself, page by page.
 */
export class PortWavePci extends PortBase implements IPortWavePci {
  readonly miniportName = 'IMiniportWavePci';
  #wavePci: IMiniportWavePci | null = null;
  #group: IServiceGroup | null = null;
  #sink: CallbackSink | null = null;
  #description: DEVICE_DESCRIPTION = {
    version: DEVICE_DESCRIPTION_VERSION,
    master: true,
    scatterGather: true,
    dma32BitAddresses: true,
    interfaceType: 'PCIBus',
    maximumLength: DEFAULT_MAXIMUM_LENGTH,
  };
  readonly #adapters: OwnAdapter[] = [];

  constructor(outerUnknown: IUnknown | null = null) {
    super('PortWavePci', outerUnknown);
  }

  // ------------------------------------------------------------------ IPortWavePci

  notify(serviceGroup: IServiceGroup): void {
    serviceGroup.requestService();
  }

  newMasterDmaChannel(
    outerUnknown: IUnknown | null,
    _resourceList: IResourceList | null,
    scatterGather: boolean,
    dma32BitAddresses: boolean,
    dma64BitAddresses: boolean,
    ignoreCount: boolean,
    _dmaWidth: DMA_WIDTH | null,
    _dmaSpeed: DMA_SPEED | null,
    maximumLength: number,
    _dmaPort = 0,
  ): IDmaChannel {
    requireIrql(PASSIVE_LEVEL, 'IPortWavePci::NewMasterDmaChannel');
    const description: DEVICE_DESCRIPTION = {
      version: DEVICE_DESCRIPTION_VERSION,
      master: true,
      scatterGather,
      dma32BitAddresses,
      dma64BitAddresses,
      ignoreCount,
      interfaceType: 'PCIBus',
      maximumLength,
    };
    const channel = new DmaChannel(outerUnknown, this.device.physicalDeviceObject, description);
    this.#description = description;
    return channel;
  }

  // ------------------------------------------------------------------ for the pins

  /** The adapter object for clients' buffers, as the last channel was described. Throws what IoGetDmaAdapter throws. */
  dmaAdapter(): { readonly adapter: DMA_ADAPTER; readonly maximumTransferBytes: number } {
    const wanted = this.#description;
    let own = this.#adapters.find(({ description }) => sameAdapter(description, wanted));
    if (own === undefined) {
      own = {
        adapter: ioGetDmaAdapter(this.device.physicalDeviceObject, wanted),
        description: wanted,
      };
      this.#adapters.push(own);
    }
    return { adapter: own.adapter, maximumTransferBytes: wanted.maximumLength };
  }

  /** IMiniportWavePci::NewStream. The references are the caller's. */
  newStream(
    portStream: IPortWavePciStream,
    pin: number,
    capture: boolean,
    dataFormat: KSDATAFORMAT,
  ): WavePciNewStream {
    const miniport = this.#wavePci;
    if (miniport === null) throw new NtError(STATUS_NOINTERFACE, 'the port is not initialised');
    return this.callMiniport('NewStream', () =>
      miniport.newStream(null, portStream, pin, capture, dataFormat),
    );
  }

  // ------------------------------------------------------------------ the miniport

  protected override bindMiniport(
    unknownMiniport: IUnknown,
    unknownAdapter: IUnknown | null,
    resourceList: IResourceList,
  ): IMiniport {
    const miniport = this.kernel.callOut(
      this.driverName,
      'IUnknown::QueryInterface(IID_IMiniportWavePci)',
      () => tryQueryInterface(unknownMiniport, IID_IMiniportWavePci),
    );
    if (miniport === null) throw new NtError(STATUS_NOINTERFACE, 'the miniport has no IMiniportWavePci');
    try {
      this.#group =
        this.callMiniport('Init', () => miniport.init(unknownAdapter, resourceList, this)) ?? null;
      const group = this.#group;
      if (group !== null) {
        const sink = new CallbackSink('WavePci device sink', () =>
          this.callMiniport('Service', () => miniport.service()),
        );
        this.#sink = sink;
        this.kernel.callOut(this.driverName, 'IServiceGroup::AddMember', () => group.addMember(sink));
      }
    } catch (error) {
      if (error instanceof NtError) this.callMiniport('Release', () => miniport.release());
      throw error;
    }
    // The base keeps and releases this reference.
    this.#wavePci = miniport;
    return miniport;
  }

  protected override onUnbind(): void {
    this.#wavePci = null;
    const group = this.#group;
    const sink = this.#sink;
    this.#group = null;
    this.#sink = null;
    if (group !== null) {
      this.kernel.callOut(this.driverName, 'IServiceGroup::Release', () => {
        if (sink !== null) group.removeMember(sink);
        group.release();
      });
    }
    sink?.release();
    for (const { adapter } of this.#adapters.splice(0)) adapter.putDmaAdapter();
  }

  override defaultCategories(descriptor: PCFILTER_DESCRIPTOR): readonly GUID[] {
    return [KSCATEGORY_AUDIO, ...streamingCategories(descriptor)];
  }

  override pinInterfaces(_pinId: number): readonly KSIDENTIFIER[] {
    return INTERFACES;
  }

  override createPin(create: PinCreate): PortPin {
    return new WavePciPin(this, create);
  }

  override pinProperties(): readonly PortProperty<PortPin>[] {
    return streamPinProperties;
  }

  override pinEvents(_pinId: number): readonly KSEVENT_SET[] {
    return streamMarkEvents((pin): pin is WavePciPin => pin instanceof WavePciPin);
  }

  protected override portInterface(iid: IID<unknown>): object | null {
    return iid.equals(IID_IPortWavePci) ? this : null;
  }
}

function sameAdapter(one: DEVICE_DESCRIPTION, other: DEVICE_DESCRIPTION): boolean {
  return (
    one.scatterGather === other.scatterGather &&
    one.dma32BitAddresses === other.dma32BitAddresses &&
    one.dma64BitAddresses === other.dma64BitAddresses &&
    one.maximumLength === other.maximumLength
  );
}
