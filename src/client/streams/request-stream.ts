import { mulDivCeil, NtError, ntSuccess, TICKS_PER_SECOND } from '../../kernel/index.ts';
import { ClientError, explained } from '../client-error.ts';
import { ClientBuffer } from './client-buffer.ts';
import { openPosition, type PositionSource } from './position.ts';
import { type RequestPin, StreamPacket } from './request-pin.ts';
import { STUCK_TICKS, Stream, type StreamSetup } from './stream.ts';

/** What a stream by requests is opened with. */
export interface RequestStreamSetup extends StreamSetup {
  readonly pin: RequestPin;
}

/** Packets that are under way at once; a driver that has copied one has the next already. */
const PACKETS = 4;

/**
 * A stream by read and write requests (WaveCyclic and the ports like it): a few packets of the client's own memory, each with its
 * stream header, which the driver completes in the order in which they were sent. A completion is the sign to go on.
 */
export abstract class RequestStream extends Stream {
  protected readonly pin: RequestPin;
  protected readonly memory: ClientBuffer;
  protected readonly packets: readonly StreamPacket[];
  readonly #address: number;
  readonly #position: PositionSource;
  /** The packet that was sent first of those that have not been dealt with. */
  #oldest = 0;
  #outstanding = 0;
  /** When the position was read last, and what it was. */
  #readTick = 0;
  #readPosition = 0;
  /** The alarm is set to find out that completions stay away. */
  #watchdog = false;
  #freed = false;

  protected constructor(setup: RequestStreamSetup) {
    super(setup);
    this.pin = setup.pin;
    const frames = Math.max(1, Math.ceil((setup.bufferMs * setup.format.sampleRate) / 1000 / PACKETS));
    const packetBytes = frames * this.frameBytes;
    const { process } = this.pin;
    this.#address = explained(
      `${this.endpointName}: cannot get ${PACKETS} buffers of ${packetBytes} bytes`,
      () => process.allocateMemory(PACKETS * packetBytes),
    );
    this.memory = new ClientBuffer(process, this.#address, PACKETS * packetBytes);
    this.packets = Array.from(
      { length: PACKETS },
      (_, index) => new StreamPacket(this.#address, index * packetBytes, packetBytes, () => this.queueWake()),
    );
    this.#position = openPosition(this.pin.object, false);
  }

  override get bufferBytes(): number {
    return this.memory.byteLength;
  }

  override get positionSource(): 'property' {
    return 'property';
  }

  /**
   * Deals with a packet that has come back in turn, and sends it again if there is something to send. False: the stream needs no more
   * packets.
   */
  protected abstract refill(packet: StreamPacket): boolean;

  /** After the packets: bytes until the stream has something to do without a completion, 0 for nothing, null when it is done. */
  protected abstract afterPackets(): number | null;

  protected get capture(): boolean {
    return this.direction === 'capture';
  }

  /** Bytes by which the clock has outrun the position between the last two readings; the device stood still that long. */
  protected missedBytes = 0;

  protected override prepare(): void {
    for (const packet of this.packets) {
      if (!this.refill(packet)) return;
    }
  }

  protected override begin(): void {
    this.#readTick = this.host.now;
    this.#readPosition = this.positionBytes;
    // Packets may have come back during a pause.
    this.queueWake();
    this.#watch();
  }

  protected override serve(alarmFired: boolean): boolean {
    this.updatePosition();
    this.notePosition();
    this.periods++;
    const mustReturn = this.#watchdog && alarmFired;
    let returned = 0;
    for (let packet = this.#returned(); packet !== null; packet = this.#returned()) {
      const { status } = packet;
      if (status !== null && !ntSuccess(status)) throw new NtError(status, 'a stream request failed');
      this.#oldest = (this.#oldest + 1) % this.packets.length;
      this.#outstanding--;
      returned++;
      this.refill(packet);
    }
    if (mustReturn && returned === 0 && this.#outstanding > 0) this.#completionMissing();
    const bytes = this.afterPackets();
    if (bytes === null) return false;
    if (bytes > 0) {
      this.#watchdog = false;
      this.wakeAt(this.host.now + this.#ticks(bytes), true);
    } else this.#watch();
    return true;
  }

  /** Sends a packet behind those under way. */
  protected send(packet: StreamPacket): void {
    this.#outstanding++;
    this.pin.send(packet, this.capture);
  }

  /** Packets that the driver has, or has given back without being looked at, in the order in which they were sent. */
  protected *underWay(): Generator<StreamPacket> {
    for (let i = 0; i < this.#outstanding; i++) {
      yield this.packets[(this.#oldest + i) % this.packets.length] as StreamPacket;
    }
  }

  protected override updatePosition(): void {
    this.#position.update();
    const { now } = this.host;
    this.positionBytes = this.#position.playOffset;
    const elapsed = Math.floor(((now - this.#readTick) * this.bytesPerSecond) / TICKS_PER_SECOND);
    const running = this.state === 'running';
    this.missedBytes = running ? Math.max(0, elapsed - (this.positionBytes - this.#readPosition)) : 0;
    this.#readTick = now;
    this.#readPosition = this.positionBytes;
    if (running && !this.standsStill) this.fitClock(now);
  }

  /** The position is where the data ends: it tells nothing of the device's clock. */
  protected get standsStill(): boolean {
    return false;
  }

  /** Has time passed since the position was read? A source that takes long makes it pass. */
  protected get positionIsOld(): boolean {
    return this.host.now !== this.#readTick;
  }

  protected override release(): void {
    if (this.#freed) return;
    this.#freed = true;
    this.pin.process.freeMemory(this.#address);
  }

  /** The next packet in turn, if it has come back. */
  #returned(): StreamPacket | null {
    if (this.#outstanding === 0) return null;
    const packet = this.packets[this.#oldest] as StreamPacket;
    return packet.pending ? null : packet;
  }

  #watch(): void {
    this.#watchdog = true;
    this.wakeAt(this.host.now + STUCK_TICKS + 4 * this.#ticks(this.bufferBytes), false);
  }

  #completionMissing(): never {
    throw new ClientError(
      `${this.endpointName}: the driver has completed no stream request for more than ${STUCK_TICKS / TICKS_PER_SECOND} s of KSSTATE_RUN; the position is at ${this.positionFrames} frames. Check the driver's interrupt and its notification of the port.`,
    );
  }

  #ticks(bytes: number): number {
    return Math.max(1, mulDivCeil(bytes, TICKS_PER_SECOND, this.bytesPerSecond));
  }
}
