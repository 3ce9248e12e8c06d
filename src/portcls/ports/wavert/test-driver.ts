import { CUnknown, type GUID, type IID, type IUnknown } from '../../../com/index.ts';
import type { DEVICE_DESCRIPTION } from '../../../hal/index.ts';
import {
  type DEVICE_OBJECT,
  type DriverPackage,
  type IRP,
  NtError,
  STATUS_NOT_IMPLEMENTED,
  STATUS_NOT_SUPPORTED,
} from '../../../kernel/index.ts';
import {
  AUDIO_SIGNALPROCESSINGMODE_DEFAULT,
  AUDIO_SIGNALPROCESSINGMODE_RAW,
  audioDataRange,
  KSAUDFNAME_WAVE_OUT_MIX,
  type KSAUDIOENGINE_BUFFER_SIZE_RANGE,
  type KSAUDIOENGINE_DESCRIPTOR,
  KSCATEGORY_AUDIO,
  type KSDATAFORMAT,
  KSEVENT_CONTROL_CHANGE,
  KSEVENTSETID_AudioControlChange,
  KSNODETYPE_AUDIO_ENGINE,
  KSNODETYPE_SPEAKER,
  KSPIN_COMMUNICATION_NONE,
  KSPIN_COMMUNICATION_SINK,
  KSPIN_DATAFLOW_IN,
  KSPIN_DATAFLOW_OUT,
  pcmFormat,
  waveFormatOf,
} from '../../../ks/index.ts';
import {
  pcAddAdapterDevice,
  pcInitializeAdapterDriver,
  pcNewPort,
  pcRegisterAdapterPnpManagement,
  pcRegisterSubdevice,
  pcUnregisterAdapterPnpManagement,
} from '../../adapter-functions.ts';
import {
  type BasicSupportRange,
  CLSID_PortWaveRT,
  type eChannelTargetType,
  type IAdapterPnpManagement,
  IID_IAdapterPnpManagement,
  IID_IMiniport,
  IID_IMiniportAudioEngineNode,
  IID_IMiniportAudioSignalProcessing,
  IID_IMiniportPnpNotify,
  IID_IMiniportWaveRT,
  IID_IPortEvents,
  IID_IUnregisterSubdevice,
  type IMiniportAudioEngineNode,
  type IMiniportAudioSignalProcessing,
  type IMiniportPnpNotify,
  type IMiniportWaveRT,
  type IPortEvents,
  type IPortWaveRT,
  type IPortWaveRTStream,
  type IResourceList,
  type PC_REBALANCE_TYPE,
  PCEVENT_ITEM_FLAG_BASICSUPPORT,
  PCEVENT_ITEM_FLAG_ENABLE,
  PCEVENT_VERB_ADD,
  type PCFILTER_DESCRIPTOR,
  PCFILTER_NODE,
  type PCPROPERTY_ITEM,
  PCPROPERTY_ITEM_FLAG_GET,
  PcRebalanceRemoveSubdevices,
} from '../../ddi/index.ts';

import { BOOL_RANGE, type TestScript, TestStream, VOLUME_RANGE } from './test-stream.ts';

const RANGE = audioDataRange({
  maximumChannels: 8,
  minimumBitsPerSample: 8,
  maximumBitsPerSample: 32,
  minimumSampleFrequency: 8000,
  maximumSampleFrequency: 192_000,
});

/**
 * ```
 *  0 render ──>[ 0 audio engine ]──> 2 speaker (bridge)
 *  1 capture <── 3 microphone (bridge)
 * ```
 */
function filterDescriptor(script: TestScript, events: () => IPortEvents | null): PCFILTER_DESCRIPTOR {
  const bridge = { maxGlobalInstanceCount: 0, maxFilterInstanceCount: 0, minFilterInstanceCount: 0 };
  const stream = {
    maxGlobalInstanceCount: 2,
    maxFilterInstanceCount: 2,
    minFilterInstanceCount: 0,
    automationTable: {
      properties: script.pinAutomation,
      events: [
        {
          set: KSEVENTSETID_AudioControlChange,
          id: KSEVENT_CONTROL_CHANGE,
          flags: PCEVENT_ITEM_FLAG_ENABLE | PCEVENT_ITEM_FLAG_BASICSUPPORT,
          handler: (request: {
            readonly verb: number;
            readonly eventEntry: Parameters<IPortEvents['addEventToEventList']>[0] | null;
          }) => {
            if (request.verb === PCEVENT_VERB_ADD && request.eventEntry !== null) {
              events()?.addEventToEventList(request.eventEntry);
            }
          },
        },
      ],
    },
  };
  const pin = (dataFlow: 1 | 2, communication: 0 | 1) => ({
    dataRanges: [RANGE],
    dataFlow,
    communication,
    category: communication === KSPIN_COMMUNICATION_NONE ? KSNODETYPE_SPEAKER : KSCATEGORY_AUDIO,
    name: null,
  });
  return {
    pins: [
      { ...stream, kspinDescriptor: pin(KSPIN_DATAFLOW_IN, KSPIN_COMMUNICATION_SINK) },
      { ...stream, kspinDescriptor: pin(KSPIN_DATAFLOW_OUT, KSPIN_COMMUNICATION_SINK) },
      { ...bridge, kspinDescriptor: pin(KSPIN_DATAFLOW_OUT, KSPIN_COMMUNICATION_NONE) },
      { ...bridge, kspinDescriptor: pin(KSPIN_DATAFLOW_IN, KSPIN_COMMUNICATION_NONE) },
    ],
    nodes: [{ type: KSNODETYPE_AUDIO_ENGINE, name: KSAUDFNAME_WAVE_OUT_MIX }],
    connections: [
      { fromNode: PCFILTER_NODE, fromNodePin: 0, toNode: 0, toNodePin: 1 },
      { fromNode: 0, fromNodePin: 0, toNode: PCFILTER_NODE, toNodePin: 2 },
      { fromNode: PCFILTER_NODE, fromNodePin: 3, toNode: PCFILTER_NODE, toNodePin: 1 },
    ],
  };
}

/** A WaveRT miniport whose hardware is the machine's clock. */
export class TestMiniport
  extends CUnknown
  implements IMiniportWaveRT, IMiniportAudioSignalProcessing, IMiniportAudioEngineNode, IMiniportPnpNotify
{
  readonly script: TestScript;
  readonly streams: TestStream[] = [];
  #port: IPortWaveRT | null = null;
  #events: IPortEvents | null = null;
  readonly #volumes = [0, 0];
  readonly #mutes = [false, false];
  #gfx = false;
  #deviceFormat: KSDATAFORMAT = pcmFormat(48_000, 2, 16);

  constructor(script: TestScript) {
    super('TestMiniport');
    this.script = script;
  }

  protected override nonDelegatingQueryInterface(iid: IID<unknown>): object | null {
    if (iid.equals(IID_IMiniport) || iid.equals(IID_IMiniportWaveRT)) return this;
    if (iid.equals(IID_IMiniportAudioSignalProcessing) && this.script.signalProcessing) return this;
    if (iid.equals(IID_IMiniportAudioEngineNode) && this.script.engine) return this;
    if (iid.equals(IID_IMiniportPnpNotify)) return this;
    return super.nonDelegatingQueryInterface(iid);
  }

  protected override finalRelease(): void {
    this.#events?.release();
    this.#events = null;
  }

  init(_unknownAdapter: IUnknown | null, _resourceList: IResourceList, port: IPortWaveRT): void {
    this.script.note('Init');
    this.#port = port;
  }

  /** Signals KSEVENT_CONTROL_CHANGE of pin 0. */
  signalPinEvent(): void {
    this.#portEvents()?.generateEventList(
      KSEVENTSETID_AudioControlChange,
      KSEVENT_CONTROL_CHANGE,
      true,
      0,
      false,
      0,
    );
  }

  #portEvents(): IPortEvents | null {
    // A reference kept by the miniport would keep the port, and so itself: held while the port lives only.
    const events = this.#port?.queryInterface(IID_IPortEvents) ?? null;
    events?.release();
    return events;
  }

  getDescription(): PCFILTER_DESCRIPTOR {
    this.script.note('GetDescription');
    return filterDescriptor(this.script, () => this.#portEvents());
  }

  dataRangeIntersection(): number {
    this.script.note('DataRangeIntersection');
    throw new NtError(STATUS_NOT_IMPLEMENTED);
  }

  getDeviceDescription(): DEVICE_DESCRIPTION {
    this.script.note('GetDeviceDescription');
    return this.script.deviceDescription;
  }

  newStream(
    portStream: IPortWaveRTStream,
    pin: number,
    capture: boolean,
    dataFormat: KSDATAFORMAT,
  ): TestStream {
    this.script.note('NewStream', `${pin}, ${capture ? 'capture' : 'render'}`);
    const stream = new TestStream(this.script, portStream, capture, dataFormat);
    this.streams.push(stream);
    return stream;
  }

  pnpStop(): void {
    this.script.note('PnpStop');
  }

  getModes(pin: number): readonly GUID[] {
    this.script.note('GetModes', `${pin}`);
    if (pin > 1) throw new NtError(STATUS_NOT_SUPPORTED);
    return [AUDIO_SIGNALPROCESSINGMODE_DEFAULT, AUDIO_SIGNALPROCESSINGMODE_RAW];
  }

  getAudioEngineDescriptor(): KSAUDIOENGINE_DESCRIPTOR {
    this.script.note('GetAudioEngineDescriptor');
    return { nHostPinId: 0, nOffloadPinId: 0, nLoopbackPinId: 1 };
  }

  getGfxState(): boolean {
    this.script.note('GetGfxState');
    return this.#gfx;
  }

  setGfxState(_nodeId: number, enable: boolean): void {
    this.script.note('SetGfxState', `${enable}`);
    this.#gfx = enable;
  }

  getMixFormat(): KSDATAFORMAT {
    this.script.note('GetMixFormat');
    return pcmFormat(48_000, 2, 16);
  }

  getDeviceFormat(): KSDATAFORMAT {
    this.script.note('GetDeviceFormat');
    return this.#deviceFormat;
  }

  setDeviceFormat(_nodeId: number, format: KSDATAFORMAT): void {
    this.script.note('SetDeviceFormat');
    this.#deviceFormat = format;
  }

  getSupportedDeviceFormats(): readonly KSDATAFORMAT[] {
    this.script.note('GetSupportedDeviceFormats');
    return [pcmFormat(44_100, 2, 16), pcmFormat(48_000, 2, 24)];
  }

  getDeviceChannelCount(): number {
    this.script.note('GetDeviceChannelCount');
    return this.#volumes.length;
  }

  getDeviceAttributeSteppings(_nodeId: number, target: eChannelTargetType): readonly BasicSupportRange[] {
    this.script.note('GetDeviceAttributeSteppings');
    return target === 1 ? [BOOL_RANGE, BOOL_RANGE] : [VOLUME_RANGE, VOLUME_RANGE];
  }

  getDeviceChannelVolume(_nodeId: number, channel: number): number {
    this.script.note('GetDeviceChannelVolume');
    return this.#volumes[channel] ?? 0;
  }

  setDeviceChannelVolume(_nodeId: number, channel: number, volume: number): void {
    this.script.note('SetDeviceChannelVolume', `${channel}, ${volume}`);
    this.#volumes.forEach((_, index) => {
      if (channel === index || channel === 0xffff_ffff) this.#volumes[index] = volume;
    });
  }

  getDeviceChannelPeakMeter(): number {
    this.script.note('GetDeviceChannelPeakMeter');
    return 0x1234;
  }

  getDeviceChannelMute(_nodeId: number, channel: number): boolean {
    this.script.note('GetDeviceChannelMute');
    return this.#mutes[channel] ?? false;
  }

  setDeviceChannelMute(_nodeId: number, channel: number, mute: boolean): void {
    this.script.note('SetDeviceChannelMute', `${channel}, ${mute}`);
    this.#mutes[channel] = mute;
  }

  getBufferSizeRange(_nodeId: number, dataFormat: KSDATAFORMAT): KSAUDIOENGINE_BUFFER_SIZE_RANGE {
    this.script.note('GetBufferSizeRange');
    const bytes = waveFormatOf(dataFormat)?.nAvgBytesPerSec ?? 0;
    return { minBufferBytes: bytes / 100, maxBufferBytes: bytes };
  }
}

/** The adapter's part in rebalances: at the stop it takes its subdevice back. */
class TestPnpManagement extends CUnknown implements IAdapterPnpManagement {
  readonly #deviceObject: DEVICE_OBJECT;
  readonly #script: TestScript;
  readonly #port: IUnknown;

  constructor(deviceObject: DEVICE_OBJECT, script: TestScript, port: IUnknown) {
    super('TestPnpManagement');
    this.#deviceObject = deviceObject;
    this.#script = script;
    this.#port = port;
    port.addRef();
  }

  protected override nonDelegatingQueryInterface(iid: IID<unknown>): object | null {
    return iid.equals(IID_IAdapterPnpManagement) ? this : super.nonDelegatingQueryInterface(iid);
  }

  protected override finalRelease(): void {
    this.#port.release();
  }

  getSupportedRebalanceType(): PC_REBALANCE_TYPE {
    return PcRebalanceRemoveSubdevices;
  }

  pnpQueryStop(): void {
    this.#script.note('Adapter PnpQueryStop');
  }

  pnpCancelStop(): void {
    this.#script.note('Adapter PnpCancelStop');
  }

  pnpStop(): void {
    this.#script.note('Adapter PnpStop');
    using subdevice = this.#port.queryInterface(IID_IUnregisterSubdevice);
    subdevice.unregisterSubdevice(this.#deviceObject, this.#port);
    pcUnregisterAdapterPnpManagement(this.#deviceObject);
  }
}

/** What the driver made in its last start. */
export interface TestDriver extends DriverPackage {
  readonly script: TestScript;
  miniport: TestMiniport | null;
}

/** The test driver as an installable package: one WaveRT subdevice, 'Wave'. */
export function testDriver(script: TestScript, registry: DriverPackage['registry'] = {}): TestDriver {
  const driver: TestDriver = {
    name: 'rtfake',
    hardwareIds: ['TEST\\RTFAKE'],
    registry,
    script,
    miniport: null,
    driverEntry: (driverObject, registryPath) => {
      pcInitializeAdapterDriver(
        driverObject,
        registryPath,
        (_driver: typeof driverObject, pdo: DEVICE_OBJECT) =>
          pcAddAdapterDevice(driverObject, pdo, startDevice, 2, 0),
      );
    },
  };
  const startDevice = (deviceObject: DEVICE_OBJECT, irp: IRP, resourceList: IResourceList): void => {
    using port = pcNewPort(CLSID_PortWaveRT);
    using miniport = new TestMiniport(script);
    port.init(deviceObject, irp, miniport, null, resourceList);
    pcRegisterSubdevice(deviceObject, 'Wave', port);
    driver.miniport = miniport;
    if (script.rebalance) {
      using management = new TestPnpManagement(deviceObject, script, port);
      pcRegisterAdapterPnpManagement(management, deviceObject);
    }
  };
  return driver;
}

/** A property handler of a pin's automation table that answers one ULONG. */
export function ulongProperty(set: GUID, id: number, value: number): PCPROPERTY_ITEM {
  return { set, id, flags: PCPROPERTY_ITEM_FLAG_GET, handler: (request) => request.setUlong(value) };
}
