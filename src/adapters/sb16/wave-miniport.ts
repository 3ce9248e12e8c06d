import { CUnknown, type IID, type IUnknown } from '../../com/index.ts';
import {
  NtError,
  STATUS_DEVICE_BUSY,
  STATUS_INVALID_PARAMETER,
  STATUS_NOT_IMPLEMENTED,
} from '../../kernel/index.ts';
import {
  isWaveFormat,
  type KSDATAFORMAT,
  KSDATAFORMAT_SUBTYPE_PCM,
  type KSDATARANGE,
} from '../../ks/index.ts';
import {
  type IDmaChannelSlave,
  IID_IMiniport,
  IID_IMiniportWaveCyclic,
  type IMiniportWaveCyclic,
  type IPortWaveCyclic,
  type IResourceList,
  type PCFILTER_DESCRIPTOR,
  pcNewServiceGroup,
  type WaveCyclicNewStream,
} from '../../portcls/index.ts';
import { commonOf, type DmaWidth, type Sb16Common } from './common.ts';
import * as R from './registers.ts';
import { WAVE_FILTER, WavePin } from './wave-filter.ts';
import { Sb16WaveStream } from './wave-stream.ts';

/** Bytes of each channel's cyclic buffer: 186 ms of 16-bit stereo at 44.1 kHz. */
const BUFFER_BYTES = 0x8000;
/** An 8-bit channel of the controller cannot cross 64 KB, a 16-bit one 128 KB. */
const BOUNDARY: Readonly<Record<DmaWidth, number>> = { '8bit': 0xffff, '16bit': 0x1_ffff };
/** Channels from this number on move words. */
const FIRST_16BIT_CHANNEL = 4;

/** The format of a stream, as the DSP is told. */
export interface Sb16Format {
  readonly sampleRate: number;
  readonly channels: number;
  readonly bits: 8 | 16;
}

/** WaveCyclic miniport: one stream each way. The DSP has one time base, so both run at the same rate. */
export class Sb16WaveMiniport extends CUnknown implements IMiniportWaveCyclic {
  readonly #channels: Record<DmaWidth, IDmaChannelSlave | null> = { '8bit': null, '16bit': null };
  readonly #streams: Record<DmaWidth, Sb16WaveStream | null> = { '8bit': null, '16bit': null };
  #common: Sb16Common | null = null;
  #port: IPortWaveCyclic | null = null;

  constructor(outerUnknown: IUnknown | null = null) {
    super('Sb16WaveMiniport', outerUnknown);
  }

  protected override nonDelegatingQueryInterface(iid: IID<unknown>): object | null {
    return iid.equals(IID_IMiniportWaveCyclic) || iid.equals(IID_IMiniport) ? this : null;
  }

  protected override finalRelease(): void {
    for (const channel of Object.values(this.#channels)) channel?.release();
    this.#common?.release();
    this.#common = null;
  }

  /** @throws NtError when a DMA channel of the resource list cannot be had */
  init(unknownAdapter: IUnknown | null, resourceList: IResourceList, port: IPortWaveCyclic): void {
    this.#common = commonOf(unknownAdapter);
    // The port outlives its miniport, so that no reference is taken (it would be a circle).
    this.#port = port;
    for (let index = 0; index < resourceList.numberOfEntriesOfType('Dma'); index++) {
      const entry = resourceList.findTranslatedEntry('Dma', index);
      const width: DmaWidth =
        entry?.type === 'Dma' && entry.channel >= FIRST_16BIT_CHANNEL ? '16bit' : '8bit';
      if (this.#channels[width]) continue;
      const channel = port.newSlaveDmaChannel(null, resourceList, index, BUFFER_BYTES, false, 'Compatible');
      channel.allocateBuffer(BUFFER_BYTES, BOUNDARY[width]);
      this.#channels[width] = channel;
    }
  }

  getDescription(): PCFILTER_DESCRIPTOR {
    return WAVE_FILTER;
  }

  dataRangeIntersection(_pinId: number, _client: KSDATARANGE, _mine: KSDATARANGE): number {
    throw new NtError(STATUS_NOT_IMPLEMENTED);
  }

  /**
   * @throws NtError STATUS_INVALID_PARAMETER for a format that the card cannot do now, STATUS_DEVICE_BUSY when the other stream
   * has the DMA channel of this width
   */
  newStream(
    _outerUnknown: IUnknown | null,
    pin: number,
    capture: boolean,
    dataFormat: KSDATAFORMAT,
  ): WaveCyclicNewStream {
    const common = this.#common;
    const port = this.#port;
    if (!common || !port || capture !== (pin === WavePin.captureHost))
      throw new NtError(STATUS_INVALID_PARAMETER);
    const format = this.checkFormat(dataFormat, null);
    const width: DmaWidth = format.bits === 16 ? '16bit' : '8bit';
    const channel = this.#channels[width];
    if (!channel) {
      throw new NtError(
        STATUS_INVALID_PARAMETER,
        `SB16: the card was given no DMA channel for ${format.bits}-bit samples.`,
      );
    }
    if (this.#streams[width]) {
      throw new NtError(
        STATUS_DEVICE_BUSY,
        `SB16: the other stream uses the ${format.bits}-bit DMA channel; only streams of different widths run at once.`,
      );
    }
    const serviceGroup = pcNewServiceGroup(null);
    const stream = new Sb16WaveStream({
      common,
      port,
      channel,
      serviceGroup,
      width,
      capture,
      format,
      checkFormat: (other, self) => this.checkFormat(other, self),
      closed: () => {
        this.#streams[width] = null;
      },
    });
    this.#streams[width] = stream;
    channel.addRef();
    return { stream, dmaChannel: channel, serviceGroup };
  }

  /** @param self the stream that asks, null for a new one: the rate must be that of the other stream */
  checkFormat(dataFormat: KSDATAFORMAT, self: Sb16WaveStream | null): Sb16Format {
    if (!isWaveFormat(dataFormat) || !dataFormat.subFormat.equals(KSDATAFORMAT_SUBTYPE_PCM)) {
      throw new NtError(STATUS_INVALID_PARAMETER, 'SB16: only PCM with a wave format is converted.');
    }
    const { nChannels, nSamplesPerSec, wBitsPerSample } = dataFormat.waveFormatEx;
    const bits = wBitsPerSample === 8 || wBitsPerSample === 16 ? wBitsPerSample : null;
    if (
      bits === null ||
      nChannels < 1 ||
      nChannels > 2 ||
      nSamplesPerSec < R.LOWEST_RATE ||
      nSamplesPerSec > R.HIGHEST_RATE
    ) {
      throw new NtError(
        STATUS_INVALID_PARAMETER,
        `SB16: 1 or 2 channels of 8 or 16 bits at ${R.LOWEST_RATE}–${R.HIGHEST_RATE} Hz are possible; ` +
          `asked for ${nChannels} × ${wBitsPerSample} bits at ${nSamplesPerSec} Hz.`,
      );
    }
    for (const other of Object.values(this.#streams)) {
      if (other && other !== self && other.format.sampleRate !== nSamplesPerSec) {
        throw new NtError(
          STATUS_INVALID_PARAMETER,
          `SB16: the other stream runs at ${other.format.sampleRate} Hz, and the card has one rate.`,
        );
      }
    }
    return { sampleRate: nSamplesPerSec, channels: nChannels, bits };
  }
}
