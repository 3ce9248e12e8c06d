import { type GUID, type IID, type IUnknown, tryQueryInterface } from '../../../com/index.ts';
import { DEVICE_DESCRIPTION_VERSION, type DMA_SPEED, type DMA_WIDTH } from '../../../hal/index.ts';
import {
  NtError,
  PASSIVE_LEVEL,
  requireIrql,
  STATUS_INVALID_PARAMETER,
  STATUS_NOINTERFACE,
} from '../../../kernel/index.ts';
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
  type IDmaChannelSlave,
  IID_IMiniportWaveCyclic,
  IID_IPortWaveCyclic,
  type IMiniport,
  type IMiniportWaveCyclic,
  type IPortWaveCyclic,
  type IResourceList,
  type IServiceGroup,
  type PCFILTER_DESCRIPTOR,
  type WaveCyclicNewStream,
} from '../../ddi/index.ts';
import { DmaChannel } from '../../helpers/dma-channel.ts';
import { DmaChannelSlave } from '../../helpers/dma-channel-slave.ts';
import { streamingCategories } from '../pin-factories.ts';
import { PortBase } from '../port-base.ts';
import type { PinCreate, PortPin } from '../port-handle.ts';
import type { PortProperty } from '../port-property.ts';
import { streamMarkEvents } from '../stream-marks.ts';
import { streamPinProperties } from '../stream-pin-properties.ts';
import { WaveCyclicPin } from './wavecyclic-pin.ts';

const INTERFACES: readonly KSIDENTIFIER[] = [
  { set: KSINTERFACESETID_Standard, id: KSINTERFACE_STANDARD_STREAMING, flags: 0 },
  { set: KSINTERFACESETID_Standard, id: KSINTERFACE_STANDARD_LOOPED_STREAMING, flags: 0 },
];

/** Channels of the second DMA controller move words. */
const FIRST_16_BIT_CHANNEL = 4;

/**
 * The WaveCyclic port driver (DDI pages IPortWaveCyclic, IMiniportWaveCyclic): clients stream by read and write requests, and the port
 * copies between them and the device's cyclic buffer at every notification.
 */
export class PortWaveCyclic extends PortBase implements IPortWaveCyclic {
  readonly miniportName = 'IMiniportWaveCyclic';
  #waveCyclic: IMiniportWaveCyclic | null = null;

  constructor(outerUnknown: IUnknown | null = null) {
    super('PortWaveCyclic', outerUnknown);
  }

  // ------------------------------------------------------------------ IPortWaveCyclic

  notify(serviceGroup: IServiceGroup): void {
    serviceGroup.requestService();
  }

  newSlaveDmaChannel(
    outerUnknown: IUnknown | null,
    resourceList: IResourceList,
    dmaIndex: number,
    maximumLength: number,
    demandMode: boolean,
    dmaSpeed: DMA_SPEED,
  ): IDmaChannelSlave {
    requireIrql(PASSIVE_LEVEL, 'IPortWaveCyclic::NewSlaveDmaChannel');
    const resource = resourceList.findTranslatedEntry('Dma', dmaIndex);
    if (resource?.type !== 'Dma') {
      throw new NtError(STATUS_INVALID_PARAMETER, `the resource list has no DMA channel ${dmaIndex}`);
    }
    return new DmaChannelSlave(outerUnknown, this.device.physicalDeviceObject, {
      version: DEVICE_DESCRIPTION_VERSION,
      master: false,
      scatterGather: false,
      demandMode,
      // The buffer is gone round in without the processor's help.
      autoInitialize: true,
      dmaChannel: resource.channel,
      interfaceType: 'Isa',
      dmaWidth: resource.channel < FIRST_16_BIT_CHANNEL ? 'Width8Bits' : 'Width16Bits',
      dmaSpeed,
      maximumLength,
    });
  }

  newMasterDmaChannel(
    outerUnknown: IUnknown | null,
    _resourceList: IResourceList | null,
    maximumLength: number,
    dma32BitAddresses: boolean,
    dma64BitAddresses: boolean,
    _dmaWidth: DMA_WIDTH | null = null,
    _dmaSpeed: DMA_SPEED | null = null,
  ): IDmaChannel {
    requireIrql(PASSIVE_LEVEL, 'IPortWaveCyclic::NewMasterDmaChannel');
    return new DmaChannel(outerUnknown, this.device.physicalDeviceObject, {
      version: DEVICE_DESCRIPTION_VERSION,
      master: true,
      scatterGather: true,
      dma32BitAddresses,
      dma64BitAddresses,
      interfaceType: 'PCIBus',
      maximumLength,
    });
  }

  // ------------------------------------------------------------------ the miniport

  /** IMiniportWaveCyclic::NewStream. The references are the caller's. */
  newStream(pin: number, capture: boolean, dataFormat: KSDATAFORMAT): WaveCyclicNewStream {
    const miniport = this.#waveCyclic;
    if (miniport === null) throw new NtError(STATUS_NOINTERFACE, 'the port is not initialised');
    return this.callMiniport('NewStream', () => miniport.newStream(null, pin, capture, dataFormat));
  }

  protected override bindMiniport(
    unknownMiniport: IUnknown,
    unknownAdapter: IUnknown | null,
    resourceList: IResourceList,
  ): IMiniport {
    const miniport = this.kernel.callOut(
      this.driverName,
      'IUnknown::QueryInterface(IID_IMiniportWaveCyclic)',
      () => tryQueryInterface(unknownMiniport, IID_IMiniportWaveCyclic),
    );
    if (miniport === null) throw new NtError(STATUS_NOINTERFACE, 'the miniport has no IMiniportWaveCyclic');
    try {
      this.callMiniport('Init', () => miniport.init(unknownAdapter, resourceList, this));
    } catch (error) {
      if (error instanceof NtError) this.callMiniport('Release', () => miniport.release());
      throw error;
    }
    // The base keeps and releases this reference.
    this.#waveCyclic = miniport;
    return miniport;
  }

  protected override onUnbind(): void {
    this.#waveCyclic = null;
  }

  override defaultCategories(descriptor: PCFILTER_DESCRIPTOR): readonly GUID[] {
    return [KSCATEGORY_AUDIO, ...streamingCategories(descriptor)];
  }

  override pinInterfaces(_pinId: number): readonly KSIDENTIFIER[] {
    return INTERFACES;
  }

  override createPin(create: PinCreate): PortPin {
    return new WaveCyclicPin(this, create);
  }

  override pinProperties(): readonly PortProperty<PortPin>[] {
    return streamPinProperties;
  }

  override pinEvents(_pinId: number): readonly KSEVENT_SET[] {
    return streamMarkEvents((pin): pin is WaveCyclicPin => pin instanceof WaveCyclicPin);
  }

  protected override portInterface(iid: IID<unknown>): object | null {
    return iid.equals(IID_IPortWaveCyclic) ? this : null;
  }
}
