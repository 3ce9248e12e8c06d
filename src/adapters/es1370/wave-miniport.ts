import { CUnknown, type IID, type IUnknown } from '../../com/index.ts';
import { NtError, STATUS_INVALID_PARAMETER, STATUS_NOT_IMPLEMENTED } from '../../kernel/index.ts';
import type { KSDATAFORMAT, KSDATARANGE } from '../../ks/index.ts';
import {
  IID_IMiniport,
  IID_IMiniportWavePci,
  type IMiniportWavePci,
  type IPortWavePci,
  type IPortWavePciStream,
  type IResourceList,
  type IServiceGroup,
  type PCFILTER_DESCRIPTOR,
  type WavePciNewStream,
} from '../../portcls/index.ts';
import { Es1370CaptureStream } from './capture-stream.ts';
import { channelFormat } from './channel-format.ts';
import { commonOf, type Es1370Common } from './common.ts';
import { Es1370RenderStream } from './render-stream.ts';
import { PIN_CHANNEL, WAVE_FILTER } from './wave-filter.ts';
import { RING_BYTES } from './wave-stream.ts';

/** Largest piece of a client's buffer that is opened at a time. */
const MAXIMUM_TRANSFER_BYTES = 0x1_0000;

/** WavePci miniport: two DACs, which the card mixes, and an ADC. Each pin can be opened once. */
export class Es1370WaveMiniport extends CUnknown implements IMiniportWavePci {
  #common: Es1370Common | null = null;
  /** Not referenced: the port holds the miniport. */
  #port: IPortWavePci | null = null;

  constructor(outerUnknown: IUnknown | null = null) {
    super('Es1370WaveMiniport', outerUnknown);
  }

  protected override nonDelegatingQueryInterface(iid: IID<unknown>): object | null {
    return iid.equals(IID_IMiniportWavePci) || iid.equals(IID_IMiniport) ? this : null;
  }

  protected override finalRelease(): void {
    this.#common?.release();
    this.#common = null;
  }

  init(
    unknownAdapter: IUnknown | null,
    _resourceList: IResourceList,
    port: IPortWavePci,
  ): IServiceGroup | null {
    this.#common = commonOf(unknownAdapter);
    this.#port = port;
    // Each stream has a service group of its own; the device needs none.
    return null;
  }

  getDescription(): PCFILTER_DESCRIPTOR {
    return WAVE_FILTER;
  }

  /** The ranges are plain PCM: the port's default intersection serves them. */
  dataRangeIntersection(_pinId: number, _client: KSDATARANGE, _mine: KSDATARANGE): number {
    throw new NtError(STATUS_NOT_IMPLEMENTED);
  }

  /**
   * @throws NtError STATUS_INVALID_PARAMETER when the pin cannot do the format or is of the other direction, STATUS_DEVICE_BUSY when
   * the clock that DAC2 and ADC share runs at another rate
   */
  newStream(
    _outerUnknown: IUnknown | null,
    portStream: IPortWavePciStream,
    pin: number,
    capture: boolean,
    dataFormat: KSDATAFORMAT,
  ): WavePciNewStream {
    const served = PIN_CHANNEL[pin];
    const common = this.#common;
    const port = this.#port;
    if (common === null || port === null || served?.capture !== capture) {
      throw new NtError(
        STATUS_INVALID_PARAMETER,
        `ES1370: pin ${pin} does not ${capture ? 'capture' : 'render'}.`,
      );
    }
    const { channel } = served;
    const format = channelFormat(channel, dataFormat);
    const dmaChannel = port.newMasterDmaChannel(
      null,
      null,
      true,
      true,
      false,
      false,
      null,
      null,
      MAXIMUM_TRANSFER_BYTES,
    );
    try {
      dmaChannel.allocateBuffer(RING_BYTES);
      const parts = { common, port, portStream, dmaChannel, channel, format };
      const stream = capture ? new Es1370CaptureStream(parts) : new Es1370RenderStream(parts);
      stream.serviceGroup.addRef();
      return { stream, dmaChannel, serviceGroup: stream.serviceGroup };
    } catch (error) {
      dmaChannel.release();
      throw error;
    }
  }

  service(): void {}
}
