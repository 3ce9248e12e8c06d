import { CUnknown, type IID } from '../../com/index.ts';
import {
  DISPATCH_LEVEL,
  keLowerIrql,
  keRaiseIrql,
  mulDivFloor,
  NtError,
  STATUS_INVALID_DEVICE_STATE,
  type SystemMapping,
  TICKS_PER_SECOND,
} from '../../kernel/index.ts';
import {
  type KSALLOCATOR_FRAMING,
  KSALLOCATOR_REQUIREMENTF_SYSTEM_MEMORY,
  type KSDATAFORMAT,
  type KSSTATE,
  KSSTATE_ACQUIRE,
  KSSTATE_PAUSE,
  KSSTATE_RUN,
  KSSTATE_STOP,
} from '../../ks/index.ts';
import {
  type IDmaChannel,
  IID_IMiniportWavePciStream,
  type IMiniportWavePciStream,
  type IPortWavePci,
  type IPortWavePciStream,
  type IServiceGroup,
  pcNewServiceGroup,
} from '../../portcls/index.ts';
import { type ChannelFormat, channelFormat } from './channel-format.ts';
import type { Es1370Common, InterruptSink } from './common.ts';
import type { ChannelName } from './registers.ts';
import * as R from './registers.ts';

/** The ring between the client's pages and the card: contiguous, since the card knows no lists. 186 ms of 44.1 kHz stereo. */
export const RING_BYTES = 32 * 1024;
const INTERRUPTS_PER_SECOND = 100;
/** A period is longer than what the card may have read ahead, 64 bytes, so that the sample counter tells the frames apart. */
const MINIMUM_PERIOD_BYTES = 72;
/** Buffers that a client should keep queued, each of one interrupt's bytes. */
const ALLOCATOR_FRAMES = 4;

/** A mapping that this stream holds. */
export interface HeldMapping {
  readonly tag: number;
  readonly memory: SystemMapping;
  readonly memoryOffset: number;
  readonly byteCount: number;
  /** Stream position of its first byte. */
  readonly streamStart: number;
  /** Bytes copied to, or from, the ring. */
  copied: number;
}

/** What a stream is made of. */
export interface StreamParts {
  readonly common: Es1370Common;
  readonly port: IPortWavePci;
  readonly portStream: IPortWavePciStream;
  readonly dmaChannel: IDmaChannel;
  readonly channel: ChannelName;
  readonly format: ChannelFormat;
}

/**
 * A stream of one channel. The ES1370 goes round in one contiguous buffer, while clients' bytes lie in pages: at every interrupt the
 * stream copies between its mappings and the ring. Subclasses say in which direction.
 *
 * Positions are bytes since the stream was acquired. The card's dword index says where its DMA is; the sample counter, which counts at
 * the converter, says which frame of that stretch is being converted.
 */
export abstract class Es1370WaveStream extends CUnknown implements IMiniportWavePciStream, InterruptSink {
  protected readonly common: Es1370Common;
  protected readonly portStream: IPortWavePciStream;
  protected readonly ring: IDmaChannel;
  protected readonly channel: ChannelName;
  protected format: ChannelFormat;
  protected state: KSSTATE = KSSTATE_STOP;
  /** In the order in which they were taken. */
  protected held: HeldMapping[] = [];
  /** Bytes of all mappings taken. */
  protected takenBytes = 0;
  /** How far the card's DMA has come. */
  protected dmaBytes = 0;
  readonly serviceGroup: IServiceGroup;
  readonly #port: IPortWavePci;
  #nextTag = 1;
  #lastRingByte = 0;
  /** Position at which the sample counter began to count. */
  #counterBytes = 0;
  #framesLeft = 0;
  #framesPerInterrupt = 1;
  #generation: number | null = null;
  #moving = false;
  #moveAgain = false;

  /** @throws NtError STATUS_DEVICE_BUSY when the clock that DAC2 and ADC share runs at another rate */
  constructor(name: string, parts: StreamParts) {
    // Before there is an object that somebody would have to release.
    claimClock(parts.common, parts.channel, parts.format);
    super(name);
    this.common = parts.common;
    this.#port = parts.port;
    this.portStream = parts.portStream;
    this.ring = parts.dmaChannel;
    this.channel = parts.channel;
    this.format = parts.format;
    this.common.addRef();
    this.portStream.addRef();
    this.serviceGroup = pcNewServiceGroup();
    this.common.setInterruptSink(this.channel, this);
  }

  /** Copies what can be copied, and gives back mappings that are done with. DISPATCH_LEVEL. */
  protected abstract move(): void;

  /** Bytes of the stream that the converter has dealt with; {@link dmaBytes} is up to date. */
  protected abstract position(): number;

  /** The stream begins anew: nothing is in the ring. */
  protected abstract begin(): void;

  /** Mappings were taken back from {@link held}. */
  protected abstract onRevoked(mappings: readonly HeldMapping[]): void;

  protected override nonDelegatingQueryInterface(iid: IID<unknown>): object | null {
    return iid.equals(IID_IMiniportWavePciStream) ? this : super.nonDelegatingQueryInterface(iid);
  }

  protected override finalRelease(): void {
    this.common.stopChannel(this.channel);
    this.common.setInterruptSink(this.channel, null);
    this.#releaseClock();
    this.serviceGroup.release();
    this.ring.release();
    this.portStream.release();
    this.common.release();
  }

  // ------------------------------------------------------------------ IMiniportWavePciStream

  setFormat(dataFormat: KSDATAFORMAT): void {
    const format = channelFormat(this.channel, dataFormat);
    if (this.state !== KSSTATE_STOP)
      throw new NtError(STATUS_INVALID_DEVICE_STATE, 'ES1370: the format is set in KSSTATE_STOP.');
    const before = this.format;
    this.#releaseClock();
    try {
      claimClock(this.common, this.channel, format);
    } catch (error) {
      claimClock(this.common, this.channel, before);
      throw error;
    }
    this.format = format;
  }

  setState(state: KSSTATE): void {
    const before = this.state;
    if (state === KSSTATE_RUN) this.#run();
    else if (before === KSSTATE_RUN) this.#halt();
    else if (state === KSSTATE_PAUSE) {
      this.state = state;
      this.moveAll();
    } else if (state === KSSTATE_ACQUIRE && before === KSSTATE_STOP) this.#acquire();
    else if (state === KSSTATE_STOP) this.#stop();
    this.state = state;
  }

  getPosition(): number {
    return raised(() => {
      if (this.state === KSSTATE_RUN) this.track();
      return this.state === KSSTATE_STOP ? 0 : this.position();
    });
  }

  normalizePhysicalPosition(physicalPosition: number): number {
    const { sampleRate, bytesPerFrame } = this.format;
    return mulDivFloor(physicalPosition, TICKS_PER_SECOND, sampleRate * bytesPerFrame);
  }

  getAllocatorFraming(): KSALLOCATOR_FRAMING {
    return {
      optionsFlags: KSALLOCATOR_REQUIREMENTF_SYSTEM_MEMORY,
      poolType: 0,
      frames: ALLOCATOR_FRAMES,
      frameSize: this.#periodFrames * this.format.bytesPerFrame,
      fileAlignment: this.format.bytesPerFrame - 1,
    };
  }

  mappingAvailable(): void {
    if (this.state >= KSSTATE_PAUSE) this.moveAll();
  }

  revokeMappings(firstTag: unknown, lastTag: unknown): number {
    const from = this.held.findIndex(({ tag }) => tag === firstTag);
    const to = this.held.findIndex(({ tag }) => tag === lastTag);
    if (from < 0 || to < from) return 0;
    const revoked = this.held.splice(from, to - from + 1);
    this.onRevoked(revoked);
    return revoked.length;
  }

  service(): void {
    if (this.state === KSSTATE_RUN) this.moveAll();
  }

  /** At DIRQL; the request is acknowledged. */
  interrupt(): void {
    this.#port.notify(this.serviceGroup);
  }

  // ------------------------------------------------------------------ for the subclasses

  /** {@link move} at DISPATCH_LEVEL, and once more when a mapping came in the middle of it. */
  protected moveAll(): void {
    if (this.#moving) {
      this.#moveAgain = true;
      return;
    }
    raised(() => {
      this.#moving = true;
      try {
        do {
          this.#moveAgain = false;
          if (this.state === KSSTATE_RUN) this.track();
          this.move();
        } while (this.#moveAgain);
      } finally {
        this.#moving = false;
      }
    });
  }

  /** Asks the port for the next mapping; null when there is none. */
  protected takeMapping(): HeldMapping | null {
    const tag = this.#nextTag++;
    const mapping = this.portStream.getMapping(tag);
    if (mapping === null) return null;
    const held: HeldMapping = {
      tag,
      memory: mapping.virtualAddress,
      memoryOffset: mapping.virtualOffset,
      byteCount: mapping.byteCount,
      streamStart: this.takenBytes,
      copied: 0,
    };
    this.held.push(held);
    this.takenBytes += mapping.byteCount;
    return held;
  }

  /** Reads where the card is. */
  protected track(): void {
    const { bufferByte, framesLeft } = this.common.readPosition(this.channel);
    if (bufferByte >= RING_BYTES) return; // All ones: the card was pulled out.
    this.dmaBytes += (bufferByte - this.#lastRingByte + RING_BYTES) % RING_BYTES;
    this.#lastRingByte = bufferByte;
    this.#framesLeft = framesLeft;
  }

  /** Bytes that have passed the converter: the last frame before the DMA's place that agrees with the sample counter. */
  protected get converterBytes(): number {
    const { bytesPerFrame } = this.format;
    const dmaFrames = Math.floor((this.dmaBytes - this.#counterBytes) / bytesPerFrame);
    const phase = this.#framesPerInterrupt - 1 - this.#framesLeft;
    const behind =
      (((dmaFrames - phase) % this.#framesPerInterrupt) + this.#framesPerInterrupt) %
      this.#framesPerInterrupt;
    return this.#counterBytes + Math.max(0, dmaFrames - behind) * bytesPerFrame;
  }

  /** Bytes between two interrupts. */
  protected get periodBytes(): number {
    return this.#periodFrames * this.format.bytesPerFrame;
  }

  // ------------------------------------------------------------------ states

  get #periodFrames(): number {
    const { sampleRate, bytesPerFrame } = this.format;
    return Math.max(MINIMUM_PERIOD_BYTES / bytesPerFrame, Math.round(sampleRate / INTERRUPTS_PER_SECOND));
  }

  #acquire(): void {
    this.#generation = null;
    this.takenBytes = 0;
    this.dmaBytes = 0;
    this.#lastRingByte = 0;
    this.#counterBytes = 0;
    this.#framesPerInterrupt = this.#periodFrames;
    this.#framesLeft = this.#framesPerInterrupt - 1;
    this.ring.systemAddress()?.fill(0, RING_BYTES, this.format.silence);
    this.begin();
  }

  #run(): void {
    this.moveAll();
    if (this.#generation === this.common.generation) {
      this.common.pauseChannel(this.channel, false);
      return;
    }
    if (this.#generation !== null) this.#rewind();
    this.#generation = this.common.generation;
    this.common.startChannel(this.channel, {
      busAddress: this.ring.physicalAddress(),
      bufferBytes: RING_BYTES,
      startByte: this.#lastRingByte,
      framesPerInterrupt: this.#framesPerInterrupt,
      format: this.format.formatBits,
    });
  }

  /** Power was lost, and with it what the card had read ahead: it begins again at the converter's place. */
  #rewind(): void {
    const at = this.channel === 'ADC' ? this.dmaBytes : this.converterBytes;
    this.dmaBytes = at - (at % 4);
    this.#counterBytes = this.dmaBytes;
    this.#framesLeft = this.#framesPerInterrupt - 1;
    this.#lastRingByte = this.dmaBytes % RING_BYTES;
  }

  #halt(): void {
    this.common.pauseChannel(this.channel, true);
    raised(() => this.track());
    this.state = KSSTATE_PAUSE;
    this.moveAll();
  }

  #stop(): void {
    this.common.stopChannel(this.channel);
  }

  #releaseClock(): void {
    if (this.channel !== 'DAC1') this.common.releaseDivider();
  }
}

function claimClock(common: Es1370Common, channel: ChannelName, format: ChannelFormat): void {
  if (channel !== 'DAC1') common.claimDivider(format.divisor);
  else common.setDac1Clock(dac1Code(format.divisor));
}

/** WTSRSEL for a divisor of DAC1. */
function dac1Code(divisor: number): number {
  const codes: readonly number[] = R.DAC1_DIVISORS;
  return codes.indexOf(divisor);
}

/** Runs something at DISPATCH_LEVEL, where no DPC comes in between. */
function raised<T>(act: () => T): T {
  const old = keRaiseIrql(DISPATCH_LEVEL);
  try {
    return act();
  } finally {
    keLowerIrql(old);
  }
}
