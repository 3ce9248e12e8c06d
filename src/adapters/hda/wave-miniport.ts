import { CUnknown, type IID, type IUnknown } from '../../com/index.ts';
import type { DEVICE_DESCRIPTION } from '../../hal/index.ts';
import { NtError, STATUS_INVALID_PARAMETER } from '../../kernel/index.ts';
import { encodeDataFormat, type KSDATAFORMAT, type KSDATARANGE } from '../../ks/index.ts';
import {
  IID_IMiniport,
  IID_IMiniportWaveRT,
  type IMiniportWaveRT,
  type IMiniportWaveRTStream,
  type IPortWaveRT,
  type IPortWaveRTStream,
  type IResourceList,
  type PCFILTER_DESCRIPTOR,
} from '../../portcls/index.ts';
import { functionOf, type HdaFunction } from './function.ts';
import { type ConverterFormats, checkStreamFormat } from './stream-format.ts';
import { deviceOfHostPin, formatsOf, waveFilter } from './wave-filter.ts';
import { intersectFormats, proposeFormatItem } from './wave-formats.ts';
import { allocateEngine, HdaWaveStream } from './wave-stream.ts';

/** WaveRT miniport: the converters of one audio function group. */
export class HdaWaveMiniport extends CUnknown implements IMiniportWaveRT {
  #function: HdaFunction | null = null;
  #filter: PCFILTER_DESCRIPTOR | null = null;

  constructor(outerUnknown: IUnknown | null = null) {
    super('HdaWaveMiniport', outerUnknown);
  }

  protected override nonDelegatingQueryInterface(iid: IID<unknown>): object | null {
    return iid.guid.equals(IID_IMiniportWaveRT.guid) || iid.guid.equals(IID_IMiniport.guid) ? this : null;
  }

  protected override finalRelease(): void {
    this.#function?.release();
    this.#function = null;
  }

  init(unknownAdapter: IUnknown | null, _resourceList: IResourceList, _port: IPortWaveRT): void {
    const hdaFunction = functionOf(unknownAdapter);
    this.#function = hdaFunction;
    this.#filter = waveFilter(hdaFunction.plan, hdaFunction.deviceNames, [
      proposeFormatItem((pinId) => this.#formatsOfPin(pinId)),
    ]);
  }

  getDescription(): PCFILTER_DESCRIPTOR {
    return this.#filter as PCFILTER_DESCRIPTOR;
  }

  /** @throws NtError STATUS_NO_MATCH when the ranges have nothing in common */
  dataRangeIntersection(
    pinId: number,
    clientRange: KSDATARANGE,
    matchingRange: KSDATARANGE,
    outputBufferLength: number,
    resultantFormat: Uint8Array | null,
  ): number {
    const formats = this.#formatsOfPin(pinId);
    if (!formats) throw new NtError(STATUS_INVALID_PARAMETER);
    const bytes = encodeDataFormat(intersectFormats(clientRange, matchingRange, formats));
    if (bytes.byteLength <= outputBufferLength) resultantFormat?.set(bytes);
    return bytes.byteLength;
  }

  getDeviceDescription(): DEVICE_DESCRIPTION {
    return (this.#function as HdaFunction).controller.deviceDescription;
  }

  /**
   * @throws NtError STATUS_INVALID_PARAMETER when the pin cannot do the format or is of the other direction;
   * STATUS_INSUFFICIENT_RESOURCES when all of the controller's streams are in use
   */
  newStream(
    portStream: IPortWaveRTStream,
    pin: number,
    capture: boolean,
    dataFormat: KSDATAFORMAT,
  ): IMiniportWaveRTStream {
    const hdaFunction = this.#function as HdaFunction;
    const device = deviceOfHostPin(hdaFunction.plan, pin);
    const formats = this.#formatsOfPin(pin);
    const direction = capture ? 'capture' : 'render';
    if (device === null || formats === null || hdaFunction.plan.devices[device]?.direction !== direction) {
      throw new NtError(
        STATUS_INVALID_PARAMETER,
        `HDA: pin ${pin} does not ${capture ? 'capture' : 'render'}.`,
      );
    }
    const format = checkStreamFormat(dataFormat, formats);
    const { controller } = hdaFunction;
    const engine = allocateEngine(controller, capture ? 'input' : 'output');
    return new HdaWaveStream(controller, hdaFunction, portStream, engine, {
      capture,
      format,
      converters: hdaFunction.converters(device),
      checkFormat: (other) => checkStreamFormat(other, formats),
    });
  }

  #formatsOfPin(pinId: number): ConverterFormats | null {
    const plan = this.#function?.plan;
    const device = plan && deviceOfHostPin(plan, pinId);
    const planned = device === null || device === undefined ? undefined : plan?.devices[device];
    return planned ? formatsOf(planned) : null;
  }
}
