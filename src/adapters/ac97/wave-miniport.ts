import { CUnknown, type IID, type IUnknown } from '../../com/index.ts';
import type { DEVICE_DESCRIPTION } from '../../hal/index.ts';
import { NtError, STATUS_INVALID_PARAMETER, STATUS_NOT_IMPLEMENTED } from '../../kernel/index.ts';
import {
  isWaveFormat,
  type KSDATAFORMAT,
  KSDATAFORMAT_SUBTYPE_PCM,
  type KSDATARANGE,
} from '../../ks/index.ts';
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
import { type Ac97Common, commonOf, type EngineName } from './common.ts';
import { BUS_MASTER } from './descriptor-ring.ts';
import * as R from './registers.ts';
import {
  MAXIMUM_RATE,
  MINIMUM_VARIABLE_RATE,
  pinChannels,
  SAMPLE_BITS,
  WavePin,
  waveFilter,
} from './wave-filter.ts';
import { Ac97WaveStream } from './wave-stream.ts';

/** Which engine and which codec rate register serve a host pin. */
const PIN_HARDWARE: Readonly<
  Record<number, { readonly engine: EngineName; readonly rateRegister: number; readonly capture: boolean }>
> = {
  [WavePin.renderHost]: { engine: 'PO', rateRegister: R.NAM_PCM_FRONT_DAC_RATE, capture: false },
  [WavePin.captureHost]: { engine: 'PI', rateRegister: R.NAM_PCM_LR_ADC_RATE, capture: true },
  [WavePin.micHost]: { engine: 'MC', rateRegister: R.NAM_MIC_ADC_RATE, capture: true },
};

/** WaveRT miniport: PCM out, PCM in and, where the codec has it, the microphone's own ADC. */
export class Ac97WaveMiniport extends CUnknown implements IMiniportWaveRT {
  #common: Ac97Common | null = null;
  #filter: PCFILTER_DESCRIPTOR | null = null;

  constructor(outerUnknown: IUnknown | null = null) {
    super('Ac97WaveMiniport', outerUnknown);
  }

  protected override nonDelegatingQueryInterface(iid: IID<unknown>): object | null {
    return iid.guid.equals(IID_IMiniportWaveRT.guid) || iid.guid.equals(IID_IMiniport.guid) ? this : null;
  }

  protected override finalRelease(): void {
    this.#common?.release();
    this.#common = null;
  }

  init(unknownAdapter: IUnknown | null, _resourceList: IResourceList, _port: IPortWaveRT): void {
    this.#common = commonOf(unknownAdapter);
    this.#filter = waveFilter(this.#common.features);
  }

  getDescription(): PCFILTER_DESCRIPTOR {
    return this.#filter as PCFILTER_DESCRIPTOR;
  }

  /** The ranges are plain PCM: the port's default intersection serves them. */
  dataRangeIntersection(_pinId: number, _client: KSDATARANGE, _mine: KSDATARANGE): number {
    throw new NtError(STATUS_NOT_IMPLEMENTED);
  }

  getDeviceDescription(): DEVICE_DESCRIPTION {
    return BUS_MASTER;
  }

  /** @throws NtError STATUS_INVALID_PARAMETER when the pin cannot do the format or is of the other direction */
  newStream(
    portStream: IPortWaveRTStream,
    pin: number,
    capture: boolean,
    dataFormat: KSDATAFORMAT,
  ): IMiniportWaveRTStream {
    const hardware = PIN_HARDWARE[pin];
    if (!this.#common || hardware?.capture !== capture) {
      throw new NtError(
        STATUS_INVALID_PARAMETER,
        `AC97: pin ${pin} does not ${capture ? 'capture' : 'render'}.`,
      );
    }
    const format = this.checkFormat(pin, dataFormat);
    return new Ac97WaveStream(this.#common, portStream, {
      pin,
      ...hardware,
      ...format,
      checkFormat: (f) => this.checkFormat(pin, f),
    });
  }

  /** @throws NtError STATUS_INVALID_PARAMETER when the converters cannot do it */
  checkFormat(pin: number, dataFormat: KSDATAFORMAT): { sampleRate: number; channels: number } {
    const features = this.#common?.features;
    if (!features || !isWaveFormat(dataFormat) || !dataFormat.subFormat.equals(KSDATAFORMAT_SUBTYPE_PCM)) {
      throw new NtError(STATUS_INVALID_PARAMETER, 'AC97: only PCM with a wave format is converted.');
    }
    const { nChannels, nSamplesPerSec, wBitsPerSample } = dataFormat.waveFormatEx;
    const variable = pin === WavePin.micHost ? features.variableRateMic : features.variableRate;
    const lowest = variable ? MINIMUM_VARIABLE_RATE : MAXIMUM_RATE;
    if (
      nChannels !== pinChannels(pin) ||
      wBitsPerSample !== SAMPLE_BITS ||
      nSamplesPerSec < lowest ||
      nSamplesPerSec > MAXIMUM_RATE
    ) {
      throw new NtError(
        STATUS_INVALID_PARAMETER,
        `AC97: pin ${pin} takes ${pinChannels(pin)} channel(s) of ${SAMPLE_BITS} bits at ${lowest}–${MAXIMUM_RATE} Hz; ` +
          `asked for ${nChannels} × ${wBitsPerSample} bits at ${nSamplesPerSec} Hz.`,
      );
    }
    return { sampleRate: nSamplesPerSec, channels: nChannels };
  }
}
