import type { EventClock } from '../../kernel/index.ts';
import {
  mulDivFloor,
  type NTSTATUS,
  STATUS_DATA_LATE_ERROR,
  STATUS_DEVICE_NOT_READY,
  STATUS_INVALID_DEVICE_STATE,
  STATUS_NOT_FOUND,
  STATUS_SUCCESS,
  TICKS_PER_SECOND,
  VirtualClock,
} from '../../kernel/index.ts';
import {
  KSPROPERTY_AUDIO_POSITION,
  KSPROPERTY_CONNECTION_STATE,
  KSPROPERTY_RTAUDIO_BUFFER,
  KSPROPERTY_RTAUDIO_BUFFER_WITH_NOTIFICATION,
  KSPROPERTY_RTAUDIO_GETREADPACKET,
  KSPROPERTY_RTAUDIO_HWLATENCY,
  KSPROPERTY_RTAUDIO_PACKETCOUNT,
  KSPROPERTY_RTAUDIO_POSITIONREGISTER,
  KSPROPERTY_RTAUDIO_QUERY_NOTIFICATION_SUPPORT,
  KSPROPERTY_RTAUDIO_REGISTER_NOTIFICATION_EVENT,
  KSPROPERTY_RTAUDIO_SETWRITEPACKET,
  KSPROPERTY_RTAUDIO_UNREGISTER_NOTIFICATION_EVENT,
  KSPROPERTY_TYPE_BASICSUPPORT,
  KSPROPSETID_Audio,
  KSPROPSETID_Connection,
  KSPROPSETID_RtAudio,
  KSSTATE_RUN,
  KSSTATE_STOP,
} from '../../ks/index.ts';
import type { AudioFormat } from '../audio-format.ts';
import { frameBytes } from '../audio-format.ts';
import { MemoryPcmWriter } from '../pcm.ts';
import type { ClientProcess } from '../requests/client-process.ts';
import type { StreamHost } from './stream.ts';

/** How the device behaves. */
export interface TestDeviceOptions {
  readonly format: AudioFormat;
  readonly capture?: boolean;
  /** Whether the client gets the buffer's bytes, or must go through the process's memory functions. Default true. */
  readonly mapped?: boolean;
  /** Bytes that the device takes ahead of its position. */
  readonly fifoBytes?: number;
  /** Maps a position register. */
  readonly register?: boolean;
  /** Never signals its event. */
  readonly silent?: boolean;
  /** Never moves. */
  readonly stuck?: boolean;
  /** A status for a request, to be returned instead of doing it. */
  readonly refuse?: (id: number) => NTSTATUS | null;
}

const BUFFER_ADDRESS = 0x1_2000_0000;
const REGISTER_ADDRESS = 0x1_3000_0000;
/** The DMA engine moves this much at a time. */
const DMA_STEP_TICKS = 2_500;

/**
 * A WaveRT pin and the DMA engine behind it, in one: answers a pin's requests as bytes, plays what lies in its buffer at the moment
 * at which the engine passes, and records a counting pattern. For tests of streams without a driver.
 */
export class TestDevice implements ClientProcess {
  readonly clock: EventClock & VirtualClock = new VirtualClock();

  /** Largest lateness to add before the next continuations run. */
  delayTicks = 0;
  state: number = KSSTATE_STOP;
  readonly states: number[] = [];
  readonly packets: { packet: number; end: number | null }[] = [];
  openHandles = 1;
  readonly #options: TestDeviceOptions;
  #buffer = new Uint8Array(0);
  #notifications = 0;
  #runTick = 0;
  #runBytes = 0;
  #movedBytes = 0;
  #eventHandle: number | null = null;
  #signaled = false;
  #callback: (() => void) | null = null;
  #armed = false;
  #signaledHalves = 0;
  #nextReadPacket = 0;
  readonly #continuations: (() => void)[] = [];
  readonly #played: MemoryPcmWriter;
  readonly #dma;

  constructor(options: TestDeviceOptions) {
    this.#options = options;
    this.#played = new MemoryPcmWriter(options.format);
    this.#dma = this.clock.createAlarm(() => this.#step());
  }

  /** What has left the converter. */
  get played(): Uint8Array {
    return this.#played.bytes;
  }

  get host(): StreamHost {
    const { clock } = this;
    return {
      process: this,
      get now() {
        return clock.now;
      },
      stopped: false,
      createAlarm: (callback) => clock.createAlarm(callback),
      queueContinuation: (callback) => void this.#continuations.push(callback),
      enter: (fn) => fn(),
    };
  }

  /** Runs until `done` or for so many seconds; true if done. */
  run(done: () => boolean, seconds = 1000): boolean {
    const limit = this.clock.now + Math.round(seconds * TICKS_PER_SECOND);
    for (;;) {
      if (this.#continuations.length > 0 && this.delayTicks > 0) {
        const until = this.clock.now + this.delayTicks;
        this.delayTicks = 0;
        while (this.clock.runNext(until));
      }
      for (let next = this.#continuations.shift(); next !== undefined; next = this.#continuations.shift())
        next();
      if (done()) return true;
      if (!this.clock.runNext(limit)) return done();
    }
  }

  // ---- the engine

  get #position(): number {
    if (this.#options.stuck === true) return 0;
    if (this.state !== KSSTATE_RUN) return this.#runBytes;
    const frames = mulDivFloor(
      this.clock.now - this.#runTick,
      this.#options.format.sampleRate,
      TICKS_PER_SECOND,
    );
    return this.#runBytes + frames * frameBytes(this.#options.format);
  }

  #step(): void {
    this.#move();
    this.#dma.set(this.clock.now + DMA_STEP_TICKS);
  }

  /** Moves what has come due, and signals each half of the buffer that is done. */
  #move(): void {
    const { length } = this.#buffer;
    if (length === 0 || this.state !== KSSTATE_RUN) return;
    const fifo = this.#options.capture === true ? 0 : (this.#options.fifoBytes ?? 0);
    const target = this.#position + fifo;
    while (this.#movedBytes < target) {
      const at = this.#movedBytes % length;
      const piece = Math.min(target - this.#movedBytes, length - at);
      if (this.#options.capture === true) {
        for (let i = 0; i < piece; i++) this.#buffer[at + i] = patternAt(this.#movedBytes + i);
      } else this.#played.write(this.#buffer, at, piece);
      this.#movedBytes += piece;
    }
    const halves = this.#notifications === 0 ? 0 : Math.floor(this.#position / (length / 2));
    if (halves > this.#signaledHalves) {
      this.#signaledHalves = halves;
      if (this.#options.silent !== true) this.#signal();
    }
  }

  #signal(): void {
    if (this.#eventHandle === null) return;
    this.#signaled = true;
    this.#deliver();
  }

  #deliver(): void {
    if (!this.#signaled || !this.#armed || this.#callback === null) return;
    this.#signaled = false;
    this.#armed = false;
    this.#continuations.push(this.#callback);
  }

  #setState(state: number): void {
    this.#move();
    if (state === KSSTATE_RUN) this.#runTick = this.clock.now;
    else if (this.state === KSSTATE_RUN) this.#runBytes = this.#position;
    this.state = state;
    this.states.push(state);
    if (state === KSSTATE_RUN) this.#dma.set(this.clock.now + DMA_STEP_TICKS);
    else this.#dma.cancel();
    if (state === KSSTATE_STOP) this.#runBytes = 0;
  }

  // ---- the process

  createFile(): number {
    this.openHandles++;
    return this.openHandles;
  }

  closeHandle(): void {
    this.openHandles--;
  }

  createEvent(): number {
    this.openHandles++;
    return 77;
  }

  whenSignaled(_handle: number, callback: () => void): { arm(): void; cancel(): void } {
    this.#callback = callback;
    this.#armed = true;
    return {
      arm: () => {
        this.#armed = true;
        this.#deliver();
      },
      cancel: () => {
        this.#armed = false;
      },
    };
  }

  readMemory(address: number, into: Uint8Array): void {
    this.#move();
    if (address >= REGISTER_ADDRESS)
      new DataView(into.buffer, into.byteOffset).setUint32(0, this.#offset, true);
    else into.set(this.#buffer.subarray(address - BUFFER_ADDRESS, address - BUFFER_ADDRESS + into.length));
  }

  writeMemory(address: number, from: Uint8Array): void {
    this.#move();
    this.#buffer.set(from, address - BUFFER_ADDRESS);
  }

  memoryView(address: number, length: number): Uint8Array | null {
    const start = address - BUFFER_ADDRESS;
    return this.#options.mapped === false ? null : this.#buffer.subarray(start, start + length);
  }

  get #offset(): number {
    return this.#position % this.#buffer.length;
  }

  deviceIoControl(
    _handle: number,
    _code: number,
    input: Uint8Array | null,
    output: Uint8Array | null,
  ): { status: NTSTATUS; information: number } {
    const request = new DataView((input as Uint8Array).buffer);
    const value = output === null ? new DataView(new ArrayBuffer(0)) : new DataView(output.buffer);
    const id = request.getUint32(16, true);
    const refused = this.#options.refuse?.(id) ?? null;
    if (refused !== null) return { status: refused, information: 0 };
    this.#move();
    const isSupport = (request.getUint32(20, true) & KSPROPERTY_TYPE_BASICSUPPORT) !== 0;
    if (isSupport) {
      value.setUint32(0, 3, true);
      return { status: STATUS_SUCCESS, information: 4 };
    }
    let status: NTSTATUS = STATUS_NOT_FOUND;
    if (KSPROPSETID_Connection.matches(request, 0) && id === KSPROPERTY_CONNECTION_STATE) {
      this.#setState(value.getUint32(0, true));
      status = STATUS_SUCCESS;
    } else if (KSPROPSETID_Audio.matches(request, 0) && id === KSPROPERTY_AUDIO_POSITION) {
      value.setUint32(0, this.#offset, true);
      value.setUint32(8, this.#offset, true);
      status = STATUS_SUCCESS;
    } else if (KSPROPSETID_RtAudio.matches(request, 0)) status = this.#rtAudio(id, request, value);
    return { status, information: ANSWER_BYTES };
  }

  #rtAudio(id: number, request: DataView, value: DataView): NTSTATUS {
    const frame = frameBytes(this.#options.format);
    switch (id) {
      case KSPROPERTY_RTAUDIO_BUFFER:
      case KSPROPERTY_RTAUDIO_BUFFER_WITH_NOTIFICATION: {
        const wanted = request.getUint32(32, true);
        this.#notifications = id === KSPROPERTY_RTAUDIO_BUFFER ? 0 : request.getUint32(36, true);
        this.#buffer = new Uint8Array(Math.ceil(wanted / (2 * frame)) * 2 * frame);
        value.setUint32(0, BUFFER_ADDRESS % 2 ** 32, true);
        value.setUint32(4, Math.floor(BUFFER_ADDRESS / 2 ** 32), true);
        value.setUint32(8, this.#buffer.length, true);
        return STATUS_SUCCESS;
      }
      case KSPROPERTY_RTAUDIO_QUERY_NOTIFICATION_SUPPORT:
        value.setUint32(0, 1, true);
        return STATUS_SUCCESS;
      case KSPROPERTY_RTAUDIO_REGISTER_NOTIFICATION_EVENT:
        this.#eventHandle = request.getUint32(24, true);
        return STATUS_SUCCESS;
      case KSPROPERTY_RTAUDIO_UNREGISTER_NOTIFICATION_EVENT:
        this.#eventHandle = null;
        return STATUS_SUCCESS;
      case KSPROPERTY_RTAUDIO_HWLATENCY:
        value.setUint32(0, this.#options.fifoBytes ?? 0, true);
        return STATUS_SUCCESS;
      case KSPROPERTY_RTAUDIO_POSITIONREGISTER:
        if (this.#options.register !== true) return STATUS_NOT_FOUND;
        value.setUint32(0, REGISTER_ADDRESS % 2 ** 32, true);
        value.setUint32(4, Math.floor(REGISTER_ADDRESS / 2 ** 32), true);
        value.setUint32(8, 32, true);
        return STATUS_SUCCESS;
      case KSPROPERTY_RTAUDIO_PACKETCOUNT:
        value.setUint32(0, this.#signaledHalves, true);
        return STATUS_SUCCESS;
      case KSPROPERTY_RTAUDIO_SETWRITEPACKET: {
        const packet = value.getUint32(0, true);
        const isEnd = value.getUint32(4, true) !== 0;
        if (this.packets.at(-1)?.end !== undefined && this.packets.at(-1)?.end !== null)
          return STATUS_INVALID_DEVICE_STATE;
        if (packet < this.#signaledHalves) return STATUS_DATA_LATE_ERROR;
        this.packets.push({ packet, end: isEnd ? value.getUint32(8, true) : null });
        return STATUS_SUCCESS;
      }
      case KSPROPERTY_RTAUDIO_GETREADPACKET: {
        // The packet before the one being filled is whole; older ones have been overwritten.
        const packet = Math.max(this.#nextReadPacket, this.#signaledHalves - 1);
        if (packet >= this.#signaledHalves) return STATUS_DEVICE_NOT_READY;
        this.#nextReadPacket = packet + 1;
        value.setUint32(0, packet, true);
        value.setUint32(16, packet + 1 < this.#signaledHalves ? 1 : 0, true);
        return STATUS_SUCCESS;
      }
      default:
        return STATUS_NOT_FOUND;
    }
  }
}

/** More than any answer takes: clients cut it to what they asked for. */
const ANSWER_BYTES = 64;

/** The byte that the device records at a position since the start. */
export function patternAt(position: number): number {
  return (position * 31 + Math.floor(position / 251) * 7) & 0xff;
}
