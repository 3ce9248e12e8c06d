import type { IsaDmaLine } from '../../hal/bus.ts';
import { TICKS_PER_SECOND } from '../../hal/bus.ts';
import { SampleClock } from '../sample-clock.ts';
import { type AdpcmDecoder, type AdpcmKind, adpcmSamplesPerByte } from './adpcm.ts';
import { decodePcm, encodePcm, frameBytes, type PcmCoding } from './sample-format.ts';

/** Where the samples of an engine go, and where they come from. */
export interface VoicePath {
  /** The DAC takes samples of this engine from now on. */
  claim(): void;
  /** It takes none any more. */
  release(): void;
  /** `frames` frames of 16-bit stereo leave at slots `firstSlot` … of the clock; null is silence. */
  play(samples: Int16Array | null, frames: number, clock: SampleClock, firstSlot: number): void;
  /** Fills `into` with `frames` frames of 16-bit stereo: periods `firstPeriod` … of the clock. */
  record(into: Int16Array, frames: number, clock: SampleClock, firstPeriod: number): void;
}

/** A transfer as a command starts it. */
export interface Transfer {
  readonly direction: 'play' | 'record';
  readonly coding: PcmCoding;
  /** Null for PCM. */
  readonly adpcm: AdpcmKind | null;
  /** The first byte is the decoder's reference. */
  readonly reference: boolean;
  /** No data are moved: the DAC is silent for the length of the block (80h). */
  readonly silence: boolean;
  readonly autoInit: boolean;
  /** DMA runs ahead of the DAC by the FIFO's depth. */
  readonly fifo: boolean;
  /** Samples (of each channel) in a block; for ADPCM, bytes. */
  readonly blockUnits: number;
}

/** A sample rate as the DSP divides it: `hz` ÷ `divisor`. */
export interface SampleRate {
  readonly hz: number;
  readonly divisor: number;
}

/** After a reset. */
export const DEFAULT_RATE: SampleRate = { hz: 11_025, divisor: 1 };

const STAGE_FRAMES = 4096;
/** Bytes of a block in memory; of silence, samples. */
function blockBytes({ coding, adpcm, silence, blockUnits }: Transfer): number {
  return adpcm !== null || silence ? blockUnits : blockUnits * (coding.bits >> 3);
}

function isStaged({ bits, signed, stereo }: PcmCoding): boolean {
  return bits === 16 && signed && stereo;
}

/** Room for the most samples that one byte decodes to. */
const STAGE_SLACK = 8;
/** The output is coupled by a capacitor: a held sample fades; after this time it counts as silence. */
const HOLD_TICKS = TICKS_PER_SECOND / 10;
const HOLD_FRAMES = 1024;

/**
 * One of the DSP's two DMA transfers: through the 8-bit channel, or through the 16-bit one. Frame n of a transfer is fetched and leaves
 * (or is taken and stored) at the end of sample period n, so that a block of N frames ends N periods after its start, when it interrupts.
 * With the FIFO on, playing fetches run ahead of the DAC, and so do the interrupts.
 *
 * When the DMA controller does not serve the request, the DAC holds its last sample, the ADC's are lost, and the block does not get
 * shorter; {@link retry} tries again.
 */
export class TransferEngine {
  readonly clock = new SampleClock();
  readonly #path: VoicePath;
  readonly #onBlockEnd: () => void;
  readonly #fifoBytes: number;
  #line: IsaDmaLine | null = null;

  #transfer: Transfer | null = null;
  /** A single-cycle transfer that takes over at the end of the block of the auto-initialized one that runs. */
  #next: Transfer | null = null;
  #exitAtBlockEnd = false;
  #paused = false;
  #stalled = false;
  /** Bytes of the block that have not moved yet. */
  #bytesLeft = 0;
  #bytesMoved = 0;
  #referenceDue = false;

  #running = false;
  #claimed = false;
  #rate: SampleRate = DEFAULT_RATE;
  /** Periods of the clock that are dealt with. */
  #handled = 0;
  #framesConverted = 0;
  #heldFrames = 0;
  #lastLeft = 0;
  #lastRight = 0;

  readonly #stage = new Int16Array((STAGE_FRAMES + STAGE_SLACK) * 2);
  readonly #stageBytes = new Uint8Array(this.#stage.buffer);
  /** The part of the stage that the last transfer filled: periods repeat, so the view is worth keeping. */
  #window = this.#stageBytes.subarray(0, 0);
  #stageFrames = 0;
  /** Bytes on their way: from memory, not yet a whole frame, or to memory. */
  readonly #raw = new Uint8Array(STAGE_FRAMES * 4 + 4);
  #rawBytes = 0;
  readonly #decoder: AdpcmDecoder;
  readonly #decoded = new Uint8Array(STAGE_SLACK);
  readonly #held = new Int16Array(HOLD_FRAMES * 2);

  constructor(path: VoicePath, decoder: AdpcmDecoder, fifoBytes: number, onBlockEnd: () => void) {
    this.#path = path;
    this.#decoder = decoder;
    this.#fifoBytes = fifoBytes;
    this.#onBlockEnd = onBlockEnd;
  }

  /** The channel it uses from now on, null for none. */
  setLine(line: IsaDmaLine | null): void {
    this.#line?.setRequest(false);
    this.#line = line;
    this.#stalled = false;
    this.#showRequest();
  }

  /** Commands have been given and it is not at its end: data move, are waited for, or would if it were not paused. */
  get active(): boolean {
    return this.#transfer !== null;
  }

  get direction(): 'play' | 'record' | null {
    return this.#transfer?.direction ?? null;
  }

  /** The converter takes or gives samples. */
  get running(): boolean {
    return this.#running;
  }

  /** The DAC takes what is left of the FIFO after a transfer's end. */
  get drains(): boolean {
    return this.#claimed && this.#transfer === null;
  }

  get paused(): boolean {
    return this.#paused;
  }

  get rate(): SampleRate {
    return this.#rate;
  }

  /** Bytes moved between memory and card since the last reset. */
  get bytesMoved(): number {
    return this.#bytesMoved;
  }

  /** Frames that passed the converter since the last reset, without those held. */
  get framesConverted(): number {
    return this.#framesConverted;
  }

  /** Bytes of the block that have not moved yet. */
  get bytesLeft(): number {
    return this.#bytesLeft;
  }

  // --- commands; the caller has advanced to `now` ---

  /** Begins a transfer, at once or, where an auto-initialized one of the same direction becomes single-cycle, at its block's end. */
  start(transfer: Transfer, rate: SampleRate, now: number): void {
    const current = this.#transfer;
    if (
      current?.autoInit === true &&
      !transfer.autoInit &&
      current.direction === transfer.direction &&
      !this.#paused
    ) {
      this.#next = transfer;
      return;
    }
    this.#stopClock();
    this.#next = null;
    this.#exitAtBlockEnd = false;
    this.#paused = false;
    this.#stageFrames = 0;
    this.#begin(transfer);
    this.#rate = rate;
    this.#startClock(now);
    this.advance(now);
  }

  pause(): void {
    if (this.#transfer === null || this.#paused) return;
    this.#paused = true;
    this.#stopClock();
    this.#showRequest();
  }

  resume(now: number): void {
    if (!this.#paused) return;
    this.#paused = false;
    this.#stalled = false;
    if (this.#transfer !== null) this.#startClock(now);
    this.advance(now);
  }

  /** Ends auto-initialize mode at the end of the block (D9h, DAh); nothing else than auto-initialize can be ended so. */
  exitAutoInit(): void {
    if (this.#transfer?.autoInit === true) this.#exitAtBlockEnd = true;
  }

  /** Goes back to auto-initialize mode that {@link exitAutoInit} was about to end (45h, 47h). */
  continueAutoInit(): void {
    this.#exitAtBlockEnd = false;
  }

  /** Ends whatever it does. */
  stop(): void {
    this.#stopClock();
    this.#transfer = null;
    this.#next = null;
    this.#exitAtBlockEnd = false;
    this.#paused = false;
    this.#stalled = false;
    this.#bytesLeft = 0;
    this.#stageFrames = 0;
    this.#rawBytes = 0;
    this.#showRequest();
  }

  /** A DSP reset: also forgets its counts and the last sample. */
  reset(): void {
    this.stop();
    this.#bytesMoved = 0;
    this.#framesConverted = 0;
    this.#lastLeft = 0;
    this.#lastRight = 0;
    this.#rate = DEFAULT_RATE;
  }

  /** The DSP's time base changed: the next period is of the new length. */
  setRate(rate: SampleRate, now: number): void {
    if (rate.hz === this.#rate.hz && rate.divisor === this.#rate.divisor) return;
    this.#rate = rate;
    if (!this.#running) return;
    this.clock.start(this.clock.tickOf(this.#handled), rate.hz, rate.divisor);
    this.#handled = 0;
    // The period under way is of the new length from its start: it may be over by now.
    this.advance(now);
  }

  /** The DMA controller may serve a waiting request by now. */
  retry(now: number): void {
    if (!this.#stalled) return;
    this.#stalled = false;
    this.advance(now);
  }

  // --- time ---

  /** Brings samples, memory and block counter up to `now`. */
  advance(now: number): void {
    if (!this.#running) return;
    const periods = Math.max(this.clock.periodsBy(now) - this.#handled, 0);
    const transfer = this.#transfer;
    if (transfer?.direction === 'record') this.#advanceRecording(periods);
    else this.#advancePlaying(periods);
    this.#showRequest();
  }

  /** When the block ends, or the last of the FIFO has been played; null while nothing is to come. */
  nextEventTick(): number | null {
    if (!this.#running) return null;
    const transfer = this.#transfer;
    if (transfer === null) return this.clock.tickOf(this.#handled + Math.max(this.#stageFrames, 1));
    if (this.#stalled) return null;
    const frames = this.#framesToBlockEnd(transfer);
    return this.clock.tickOf(this.#handled + Math.max(frames, 1));
  }

  #framesToBlockEnd(transfer: Transfer): number {
    if (transfer.adpcm !== null) {
      // The byte that ends the block is fetched when the samples before it have left.
      const bytes = this.#bytesLeft - (this.#referenceDue ? 1 : 0);
      const before = Math.max(bytes - 1, 0) * adpcmSamplesPerByte(transfer.adpcm);
      return this.#stageFrames + before + 1 - this.#fifoFrames(transfer);
    }
    const frames = Math.ceil((this.#rawBytes + this.#bytesLeft) / frameBytes(transfer.coding));
    return frames + (transfer.direction === 'play' ? this.#stageFrames - this.#fifoFrames(transfer) : 0);
  }

  #fifoFrames(transfer: Transfer): number {
    if (!transfer.fifo || transfer.adpcm !== null) return 0;
    return Math.floor(this.#fifoBytes / frameBytes(transfer.coding));
  }

  #begin(transfer: Transfer): void {
    this.#transfer = transfer;
    this.#bytesLeft = blockBytes(transfer);
    this.#rawBytes = 0;
    this.#stalled = false;
    this.#referenceDue = transfer.reference;
  }

  #startClock(now: number): void {
    if (this.#running) return;
    this.#running = true;
    this.clock.start(now, this.#rate.hz, this.#rate.divisor);
    this.#handled = 0;
    this.#heldFrames = 0;
    this.#claimed = this.#transfer?.direction === 'play';
    if (this.#claimed) this.#path.claim();
  }

  #stopClock(): void {
    if (!this.#running) return;
    this.#running = false;
    if (this.#claimed) this.#path.release();
    this.#claimed = false;
  }

  #showRequest(): void {
    this.#line?.setRequest(this.#stalled && !this.#paused);
  }

  /** All units of the block have moved. */
  #endBlock(): void {
    const transfer = this.#transfer;
    if (transfer === null) return;
    const next = this.#next;
    this.#next = null;
    if (next !== null) this.#begin(next);
    else if (transfer.autoInit && !this.#exitAtBlockEnd) this.#bytesLeft = blockBytes(transfer);
    else {
      this.#transfer = null;
      this.#exitAtBlockEnd = false;
      this.#rawBytes = 0;
    }
    this.#onBlockEnd();
  }

  // --- playing ---

  #advancePlaying(periods: number): void {
    for (;;) {
      this.#fetch(periods);
      const frames = Math.min(periods, this.#stageFrames);
      if (frames === 0) break;
      this.#playOut(frames);
      periods -= frames;
    }
    if (periods === 0) return;
    if (this.#transfer === null) this.#stopClock();
    else this.#hold(periods);
  }

  #playOut(frames: number): void {
    const stage = this.#stage;
    this.#path.play(stage, frames, this.clock, this.#handled + 1);
    this.#handled += frames;
    this.#framesConverted += frames;
    this.#heldFrames = 0;
    this.#lastLeft = stage[frames * 2 - 2]!;
    this.#lastRight = stage[frames * 2 - 1]!;
    if (frames < this.#stageFrames) stage.copyWithin(0, frames * 2, this.#stageFrames * 2);
    this.#stageFrames -= frames;
  }

  /** Nothing came for these periods. */
  #hold(periods: number): void {
    const limit = Math.floor((HOLD_TICKS * this.clock.rate) / TICKS_PER_SECOND);
    const silent = this.#lastLeft === 0 && this.#lastRight === 0;
    const held = silent ? 0 : Math.min(periods, Math.max(limit - this.#heldFrames, 0));
    for (let done = 0; done < held; done += HOLD_FRAMES) {
      const block = Math.min(HOLD_FRAMES, held - done);
      for (let i = 0; i < block * 2; i += 2) {
        this.#held[i] = this.#lastLeft;
        this.#held[i + 1] = this.#lastRight;
      }
      this.#path.play(this.#held, block, this.clock, this.#handled + done + 1);
    }
    if (periods > held) this.#path.play(null, periods - held, this.clock, this.#handled + held + 1);
    this.#heldFrames += held;
    this.#handled += periods;
  }

  /** Fetches what leaves within so many periods, and what the FIFO takes beyond, until the transfer ends or the channel does not deliver. */
  #fetch(periods: number): void {
    while (!this.#stalled) {
      const transfer = this.#transfer;
      if (transfer === null) return;
      // Each transfer has its own FIFO: one that takes over may fetch less far ahead.
      const frames = Math.min(periods + this.#fifoFrames(transfer), STAGE_FRAMES) - this.#stageFrames;
      if (frames <= 0) return;
      if (transfer.silence) this.#fetchSilence(frames);
      else if (transfer.adpcm !== null) this.#fetchAdpcm(transfer.adpcm);
      else this.#fetchPcm(transfer, frames);
    }
  }

  #fetchSilence(frames: number): void {
    const take = Math.min(frames, this.#bytesLeft);
    this.#stage.fill(0, this.#stageFrames * 2, (this.#stageFrames + take) * 2);
    this.#stageFrames += take;
    this.#bytesLeft -= take;
    if (this.#bytesLeft === 0) this.#endBlock();
  }

  #fetchPcm(transfer: Transfer, frames: number): void {
    const { coding } = transfer;
    const perFrame = frameBytes(coding);
    const take = Math.min(frames * perFrame - this.#rawBytes, this.#bytesLeft);
    const moved = this.#rawBytes === 0 && isStaged(coding) ? this.#readToStage(take) : this.#read(take);
    const whole = Math.floor(this.#rawBytes / perFrame);
    if (whole > 0) {
      decodePcm(coding, this.#raw, whole, this.#stage, this.#stageFrames);
      this.#stageFrames += whole;
      this.#raw.copyWithin(0, whole * perFrame, this.#rawBytes);
      this.#rawBytes -= whole * perFrame;
    }
    if (moved < take) this.#stalled = true;
    if (this.#bytesLeft === 0) this.#endBlock();
  }

  #fetchAdpcm(kind: AdpcmKind): void {
    if (this.#read(1) === 0) {
      this.#stalled = true;
      return;
    }
    this.#rawBytes = 0;
    const byte = this.#raw[0]!;
    let samples = 0;
    if (this.#referenceDue) {
      this.#referenceDue = false;
      this.#decoder.setReference(byte);
    } else {
      samples = this.#decoder.decode(kind, byte, this.#decoded, 0);
    }
    for (let i = 0; i < samples; i++) {
      const sample = (this.#decoded[i]! ^ 0x80) << 8;
      const at = this.#stageFrames * 2;
      this.#stage[at] = sample;
      this.#stage[at + 1] = sample;
      this.#stageFrames++;
    }
    if (this.#bytesLeft === 0) this.#endBlock();
  }

  /** Reads bytes of the block behind those that wait already; returns how many came. */
  #read(bytes: number): number {
    const got = this.#line?.read(this.#raw.subarray(this.#rawBytes, this.#rawBytes + bytes)) ?? 0;
    this.#rawBytes += got;
    this.#bytesLeft -= got;
    this.#bytesMoved += got;
    return got;
  }

  /** Sixteen signed bits in stereo lie in memory as they do in the stage: they need no decoding, but for half a frame at the end. */
  #readToStage(bytes: number): number {
    const line = this.#line;
    if (line === null) return 0;
    const at = this.#stageFrames * 4;
    if (this.#window.byteOffset !== at || this.#window.length !== bytes) {
      this.#window = this.#stageBytes.subarray(at, at + bytes);
    }
    const got = line.read(this.#window);
    const rest = got % 4;
    for (let i = 0; i < rest; i++) this.#raw[i] = this.#window[got - rest + i]!;
    this.#rawBytes = rest;
    this.#stageFrames += (got - rest) / 4;
    this.#bytesLeft -= got;
    this.#bytesMoved += got;
    return got;
  }

  // --- recording ---

  #advanceRecording(periods: number): void {
    while (periods > 0) {
      const transfer = this.#transfer;
      if (transfer === null) {
        this.#stopClock();
        return;
      }
      if (this.#stalled) {
        // Nobody takes the samples: they are lost.
        this.#handled += periods;
        return;
      }
      const frames = Math.min(periods, STAGE_FRAMES, Math.max(this.#framesToBlockEnd(transfer), 1));
      this.#path.record(this.#stage, frames, this.clock, this.#handled);
      this.#handled += frames;
      this.#framesConverted += frames;
      periods -= frames;
      this.#rawBytes += encodePcm(transfer.coding, this.#stage, frames, this.#raw, this.#rawBytes);
      this.#store();
    }
  }

  #store(): void {
    const take = Math.min(this.#rawBytes, this.#bytesLeft);
    const moved = this.#line?.write(this.#raw.subarray(0, take)) ?? 0;
    this.#bytesLeft -= moved;
    this.#bytesMoved += moved;
    this.#raw.copyWithin(0, take, this.#rawBytes);
    this.#rawBytes -= take;
    if (moved < take) this.#stalled = true;
    if (this.#bytesLeft === 0) this.#endBlock();
  }
}
