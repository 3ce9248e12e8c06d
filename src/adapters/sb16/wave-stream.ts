import { CUnknown, type IID } from '../../com/index.ts';
import {
  keQueryInterruptTime,
  mulDivFloor,
  NtError,
  STATUS_INVALID_PARAMETER,
  type SystemMapping,
  TICKS_PER_SECOND,
} from '../../kernel/index.ts';
import { type KSDATAFORMAT, type KSSTATE, KSSTATE_PAUSE, KSSTATE_RUN, KSSTATE_STOP } from '../../ks/index.ts';
import {
  type DEVICE_POWER_STATE,
  type IDmaChannelSlave,
  IID_IMiniportWaveCyclicStream,
  IID_IPowerNotify,
  type IMiniportWaveCyclicStream,
  type IPortWaveCyclic,
  type IPowerNotify,
  type IServiceGroup,
  PowerDeviceD0,
  type WaveCyclicNotification,
} from '../../portcls/index.ts';
import type { BlockSink, DmaWidth, Sb16Common } from './common.ts';
import { PlayPosition } from './play-position.ts';
import * as R from './registers.ts';
import type { Sb16Format } from './wave-miniport.ts';

export interface Sb16StreamOptions {
  readonly common: Sb16Common;
  readonly port: IPortWaveCyclic;
  readonly channel: IDmaChannelSlave;
  readonly serviceGroup: IServiceGroup;
  readonly width: DmaWidth;
  readonly capture: boolean;
  readonly format: Sb16Format;
  readonly checkFormat: (format: KSDATAFORMAT, self: Sb16WaveStream) => Sb16Format;
  readonly closed: () => void;
}

const MILLISECONDS_PER_SECOND = 1000;
/**
 * What the card may take out of the buffer at once when it plays: the DSP's own FIFO is short, but QEMU's card fetches what its mixer
 * has room for, 1024 frames, and its timer may be late.
 */
const BURST_FRAMES = 1024;
const BURST_MS = 20;

/** One direction of the DSP: an auto-initialised transfer over the channel's buffer, with an interrupt at the end of each block. */
export class Sb16WaveStream extends CUnknown implements IMiniportWaveCyclicStream, IPowerNotify, BlockSink {
  readonly #options: Sb16StreamOptions;
  readonly #commands: R.DmaCommands;
  #format: Sb16Format;
  #state: KSSTATE = KSSTATE_STOP;
  /** Milliseconds and bytes of a block; set by setNotificationFreq, 10 ms until then. */
  #interval = 10;
  #blockBytes: number;
  /** DMA and DSP have been programmed since STOP. */
  #programmed = false;
  #pausedPosition = 0;
  /** Of a playing stream since STOP: where its DAC is. */
  #playPosition: PlayPosition | null = null;

  constructor(options: Sb16StreamOptions) {
    super(`Sb16WaveStream(${options.width}${options.capture ? ', capture' : ''})`);
    this.#options = options;
    this.#format = options.format;
    this.#commands = options.width === '16bit' ? R.COMMANDS_16BIT : R.COMMANDS_8BIT;
    this.#blockBytes = this.#bytesOf(this.#interval);
    options.common.addRef();
    options.channel.addRef();
    options.serviceGroup.addRef();
    options.common.setBlockSink(options.width, this);
  }

  get format(): Sb16Format {
    return this.#format;
  }

  protected override nonDelegatingQueryInterface(iid: IID<unknown>): object | null {
    return iid.equals(IID_IMiniportWaveCyclicStream) || iid.equals(IID_IPowerNotify) ? this : null;
  }

  protected override finalRelease(): void {
    const { common, channel, serviceGroup, width, closed } = this.#options;
    common.setBlockSink(width, null);
    closed();
    serviceGroup.release();
    channel.release();
    common.release();
  }

  get #frameBytes(): number {
    return (this.#format.channels * this.#format.bits) / 8;
  }

  /** Whole frames of a time, in bytes. */
  #bytesOf(milliseconds: number): number {
    return (
      Math.max(1, Math.round((this.#format.sampleRate * milliseconds) / MILLISECONDS_PER_SECOND)) *
      this.#frameBytes
    );
  }

  /** In RUN the DSP is programmed anew, and its transfer begins at the buffer's start; otherwise it will be when the stream runs. */
  setFormat(dataFormat: KSDATAFORMAT): void {
    const format = this.#options.checkFormat(dataFormat, this);
    if (format.bits !== this.#format.bits) {
      throw new NtError(
        STATUS_INVALID_PARAMETER,
        'SB16: a stream keeps its sample width, which goes with its DMA channel.',
      );
    }
    if (this.#programmed) this.#halt();
    this.#format = format;
    this.#blockBytes = this.#bytesOf(this.#interval);
    this.#pausedPosition = 0;
    if (this.#state === KSSTATE_RUN) this.#program();
  }

  /** Interrupts come at the interval; FrameSize is the most that can be transferred in it, which for a burst is more. */
  setNotificationFreq(interval: number): WaveCyclicNotification {
    this.#interval = interval;
    this.#blockBytes = this.#bytesOf(interval);
    const burst = this.#options.capture ? 0 : BURST_FRAMES * this.#frameBytes + this.#bytesOf(BURST_MS);
    return { interval, frameSize: Math.max(this.#blockBytes, burst) };
  }

  setState(state: KSSTATE): void {
    const { channel, common } = this.#options;
    if (state === KSSTATE_RUN) {
      if (this.#programmed) {
        this.#playPosition?.resume(keQueryInterruptTime());
        common.writeDsp(this.#commands.go);
      } else this.#program();
    } else if (state === KSSTATE_PAUSE && this.#state === KSSTATE_RUN) {
      this.#quieten(this.#commands.pause);
      this.#pausedPosition = this.#readPosition();
    } else if (state === KSSTATE_STOP) {
      if (this.#programmed) this.#halt();
      this.#pausedPosition = 0;
      channel.stop();
    }
    this.#state = state;
  }

  #program(): void {
    const { channel, common, capture } = this.#options;
    const { sampleRate, channels, bits } = this.#format;
    channel.start(channel.bufferSize(), !capture);
    common.writeDsp(
      capture ? R.CMD_SET_INPUT_RATE : R.CMD_SET_OUTPUT_RATE,
      (sampleRate >>> 8) & 0xff,
      sampleRate & 0xff,
    );
    // The DSP counts samples, not bytes; 8-bit PCM is unsigned, 16-bit PCM signed.
    const samples = (this.#blockBytes * 8) / bits - 1;
    const mode = (channels === 2 ? R.MODE_STEREO : 0) | (bits === 16 ? R.MODE_SIGNED : 0);
    common.writeDsp(
      capture ? this.#commands.input : this.#commands.output,
      mode,
      samples & 0xff,
      (samples >>> 8) & 0xff,
    );
    this.#programmed = true;
    this.#playPosition = capture
      ? null
      : new PlayPosition(
          { bufferBytes: channel.bufferSize(), frameBytes: this.#frameBytes, sampleRate },
          keQueryInterruptTime(),
        );
  }

  /** Ends the transfer: paused first, so that nothing moves while the rest is taken down. */
  #halt(): void {
    this.#programmed = false;
    this.#quieten(this.#commands.pause, this.#commands.exitAutoInit);
    this.#options.channel.stop();
  }

  /** Commands on the way down, which must not fail: a DSP that does not answer, since its card was pulled out, has nothing to end. */
  #quieten(...commands: number[]): void {
    try {
      this.#options.common.writeDsp(...commands);
    } catch (error) {
      if (!(error instanceof NtError)) throw error;
    }
  }

  #readPosition(): number {
    const { channel } = this.#options;
    const size = channel.bufferSize();
    const left = channel.readCounter();
    const offset = left === 0 ? 0 : (size - left) % size;
    return this.#playPosition?.at(offset, keQueryInterruptTime()) ?? offset;
  }

  getPosition(): number {
    return this.#state === KSSTATE_RUN ? this.#readPosition() : this.#pausedPosition;
  }

  normalizePhysicalPosition(physicalPosition: number): number {
    return mulDivFloor(physicalPosition, TICKS_PER_SECOND, this.#format.sampleRate * this.#frameBytes);
  }

  silence(buffer: SystemMapping, byteOffset: number, byteCount: number): void {
    buffer.fill(byteOffset, byteCount, this.#format.bits === 8 ? 0x80 : 0);
  }

  /** At DIRQL. */
  blockDone(): void {
    this.#options.port.notify(this.#options.serviceGroup);
  }

  /** The DSP forgets its transfer below D0; PortCls has paused the stream and will run it again, from the buffer's start. */
  powerChangeNotify(powerState: DEVICE_POWER_STATE): void {
    if (powerState === PowerDeviceD0 || !this.#programmed) return;
    this.#programmed = false;
    this.#options.channel.stop();
    this.#pausedPosition = 0;
  }
}
