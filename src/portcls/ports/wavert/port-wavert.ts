import { type GUID, type IID, type IUnknown, tryQueryInterface } from '../../../com/index.ts';
import { type DEVICE_DESCRIPTION, highestDmaAddress } from '../../../hal/index.ts';
import { ioGetDeviceAttachmentBase, NtError, STATUS_NOINTERFACE } from '../../../kernel/index.ts';
import {
  KSCATEGORY_AUDIO,
  KSCATEGORY_REALTIME,
  type KSDATAFORMAT,
  type KSIDENTIFIER,
  KSINTERFACE_STANDARD_LOOPED_STREAMING,
  KSINTERFACE_STANDARD_STREAMING,
  KSINTERFACESETID_Standard,
  KSNODETYPE_AUDIO_ENGINE,
} from '../../../ks/index.ts';
import {
  IID_IMiniportAudioEngineNode,
  IID_IMiniportAudioSignalProcessing,
  IID_IMiniportWaveRT,
  IID_IPortWaveRT,
  type IMiniport,
  type IMiniportAudioEngineNode,
  type IMiniportAudioSignalProcessing,
  type IMiniportWaveRT,
  type IMiniportWaveRTStream,
  type IPortWaveRT,
  type IPortWaveRTStream,
  type IResourceList,
  type PCFILTER_DESCRIPTOR,
} from '../../ddi/index.ts';
import { streamingCategories } from '../pin-factories.ts';
import { PortBase } from '../port-base.ts';
import type { PinCreate, PortFilter, PortHandle, PortPin } from '../port-handle.ts';
import type { PortProperty } from '../port-property.ts';
import { streamPinProperties } from '../stream-pin-properties.ts';
import { audioEngineProperties } from './audio-engine-properties.ts';
import { rtAudioProperties } from './rtaudio-properties.ts';
import { signalProcessingProperties } from './signal-processing-properties.ts';
import { WaveRTPin } from './wavert-pin.ts';

const INTERFACES: readonly KSIDENTIFIER[] = [
  { set: KSINTERFACESETID_Standard, id: KSINTERFACE_STANDARD_LOOPED_STREAMING, flags: 0 },
  { set: KSINTERFACESETID_Standard, id: KSINTERFACE_STANDARD_STREAMING, flags: 0 },
];

/**
 * The WaveRT port driver (DDI pages IPortWaveRT, IMiniportWaveRT): streams whose cyclic buffer the client and the device share,
 * so that the port never touches a sample.
 */
export class PortWaveRT extends PortBase implements IPortWaveRT {
  readonly miniportName = 'IMiniportWaveRT';
  override readonly supportsRebalance = true;
  #waveRT: IMiniportWaveRT | null = null;
  #audioEngineNode: IMiniportAudioEngineNode | null = null;
  #signalProcessing: IMiniportAudioSignalProcessing | null = null;
  #deviceDescription: DEVICE_DESCRIPTION | null = null;

  constructor(outerUnknown: IUnknown | null = null) {
    super('PortWaveRT', outerUnknown);
  }

  /** What filter handles ask of an audio engine node; null when the miniport has no engine. */
  get audioEngineNode(): IMiniportAudioEngineNode | null {
    return this.#audioEngineNode;
  }

  /** Null when the miniport knows no signal-processing modes. */
  get signalProcessing(): IMiniportAudioSignalProcessing | null {
    return this.#signalProcessing;
  }

  /** The adapter's name as bus master, to which streams' pages are opened; null for a device on no bus. */
  get busDevice(): string | null {
    return ioGetDeviceAttachmentBase(this.device.physicalDeviceObject).deviceNode?.busDevice ?? null;
  }

  /**
   * The highest physical address that the adapter's DMA reaches, from IMiniportWaveRT::GetDeviceDescription, which is asked the
   * first time. Throws what that throws.
   */
  get highestDmaAddress(): number {
    const miniport = this.#waveRT;
    if (this.#deviceDescription === null && miniport !== null) {
      this.#deviceDescription = this.callMiniport('GetDeviceDescription', () =>
        miniport.getDeviceDescription(),
      );
    }
    return highestDmaAddress(this.#deviceDescription ?? { master: true, maximumLength: 0 });
  }

  /** IMiniportWaveRT::NewStream. The reference is the caller's. */
  newStream(
    portStream: IPortWaveRTStream,
    pin: number,
    capture: boolean,
    dataFormat: KSDATAFORMAT,
  ): IMiniportWaveRTStream {
    const miniport = this.#waveRT;
    if (miniport === null) throw new NtError(STATUS_NOINTERFACE, 'the port is not initialised');
    return this.callMiniport('NewStream', () => miniport.newStream(portStream, pin, capture, dataFormat));
  }

  protected override bindMiniport(
    unknownMiniport: IUnknown,
    unknownAdapter: IUnknown | null,
    resourceList: IResourceList,
  ): IMiniport {
    const miniport = this.kernel.callOut(
      this.driverName,
      'IUnknown::QueryInterface(IID_IMiniportWaveRT)',
      () => tryQueryInterface(unknownMiniport, IID_IMiniportWaveRT),
    );
    if (miniport === null) throw new NtError(STATUS_NOINTERFACE, 'the miniport has no IMiniportWaveRT');
    try {
      this.callMiniport('Init', () => miniport.init(unknownAdapter, resourceList, this));
    } catch (error) {
      if (error instanceof NtError) this.callMiniport('Release', () => miniport.release());
      throw error;
    }
    // The base keeps and releases this reference.
    this.#waveRT = miniport;
    return miniport;
  }

  protected override onBound(): void {
    this.#audioEngineNode = this.queryMiniport(IID_IMiniportAudioEngineNode);
    this.#signalProcessing = this.queryMiniport(IID_IMiniportAudioSignalProcessing);
  }

  protected override onUnbind(): void {
    const held: (IUnknown | null)[] = [this.#audioEngineNode, this.#signalProcessing];
    this.#audioEngineNode = null;
    this.#signalProcessing = null;
    this.#waveRT = null;
    for (const object of held) {
      if (object !== null) this.kernel.callOut(this.driverName, 'IUnknown::Release', () => object.release());
    }
  }

  override defaultCategories(descriptor: PCFILTER_DESCRIPTOR): readonly GUID[] {
    return [KSCATEGORY_AUDIO, KSCATEGORY_REALTIME, ...streamingCategories(descriptor)];
  }

  override pinInterfaces(_pinId: number): readonly KSIDENTIFIER[] {
    return INTERFACES;
  }

  override createPin(create: PinCreate): PortPin {
    return new WaveRTPin(this, create);
  }

  override filterProperties(): readonly PortProperty<PortFilter>[] {
    return this.#signalProcessing === null ? [] : signalProcessingProperties(this, this.#signalProcessing);
  }

  override pinProperties(): readonly PortProperty<PortPin>[] {
    return [...streamPinProperties, ...rtAudioProperties];
  }

  override nodeProperties(nodeId: number): readonly PortProperty<PortHandle>[] {
    return this.descriptor.nodes[nodeId]?.type.equals(KSNODETYPE_AUDIO_ENGINE) === true
      ? audioEngineProperties(this, nodeId)
      : [];
  }

  protected override portInterface(iid: IID<unknown>): object | null {
    return iid.equals(IID_IPortWaveRT) ? this : null;
  }
}
