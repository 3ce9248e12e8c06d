/** Packet mode of a WaveRT stream: which packet of a cyclic buffer may be written or read when. */
import {
  NtError,
  STATUS_DATA_LATE_ERROR,
  STATUS_DATA_OVERRUN,
  STATUS_DEVICE_NOT_READY,
  STATUS_INVALID_DEVICE_STATE,
  STATUS_INVALID_PARAMETER,
} from '../../kernel/index.ts';
import { KSSTREAM_HEADER_OPTIONSF_ENDOFSTREAM } from '../../ks/index.ts';

/** Where a stream stands, for the rules below. */
export interface PacketProgress {
  /** Packets in the buffer, 1 or 2; 0 when it was allocated without. */
  readonly packetsInBuffer: number;
  readonly packetBytes: number;
  /** Packets that the device has gone through since the stream left KSSTATE_STOP. */
  readonly done: number;
  /** The device is working on packet {@link done}. */
  readonly underWay: boolean;
}

/** What a client is told of a packet it is to read. */
export interface ReadPacket {
  readonly packetNumber: number;
  readonly moreData: boolean;
}

/** What clients wrote and read, since the stream left KSSTATE_STOP. */
export class PacketLedger {
  #nextReadPacket = 0;
  #endOfStream = false;

  /** The stream is back in KSSTATE_STOP. */
  reset(): void {
    this.#nextReadPacket = 0;
    this.#endOfStream = false;
  }

  /**
   * IMiniportWaveRTOutputStream::SetWritePacket. Returns, for the last packet, the bytes in the buffer that lie behind the end and
   * must become silence; null otherwise.
   *
   * @throws NtError STATUS_INVALID_PARAMETER for unknown flags or a length beyond the packet; STATUS_INVALID_DEVICE_STATE without packets
   * or after the last one; STATUS_DATA_LATE_ERROR for a packet that is done or under way; STATUS_DATA_OVERRUN for one whose place is
   * still taken
   */
  write(
    packetNumber: number,
    flags: number,
    eosPacketLength: number,
    progress: PacketProgress,
  ): { readonly offset: number; readonly bytes: number } | null {
    const { packetsInBuffer, packetBytes, done, underWay } = progress;
    if ((flags & ~KSSTREAM_HEADER_OPTIONSF_ENDOFSTREAM) !== 0)
      throw new NtError(STATUS_INVALID_PARAMETER, `unknown packet flags 0x${flags.toString(16)}.`);
    if (packetsInBuffer === 0) throw new NtError(STATUS_INVALID_DEVICE_STATE, 'the buffer has no packets.');
    if (this.#endOfStream)
      throw new NtError(STATUS_INVALID_DEVICE_STATE, 'the last packet has been written already.');
    const atEnd = (flags & KSSTREAM_HEADER_OPTIONSF_ENDOFSTREAM) !== 0;
    if (atEnd && eosPacketLength > packetBytes) {
      throw new NtError(STATUS_INVALID_PARAMETER, `${eosPacketLength} bytes in a packet of ${packetBytes}.`);
    }
    if (packetNumber < done || (packetNumber === done && underWay)) throw new NtError(STATUS_DATA_LATE_ERROR);
    if (packetNumber >= done + Math.max(packetsInBuffer, 2)) throw new NtError(STATUS_DATA_OVERRUN);
    if (!atEnd) return null;
    this.#endOfStream = true;
    const start = (packetNumber % packetsInBuffer) * packetBytes;
    return { offset: start + eosPacketLength, bytes: packetBytes - eosPacketLength };
  }

  /**
   * IMiniportWaveRTInputStream::GetReadPacket: the oldest packet that has not been read and is still whole.
   *
   * @throws NtError STATUS_DEVICE_NOT_READY when there is none
   */
  read({ packetsInBuffer, done }: PacketProgress): ReadPacket {
    // All packets of the buffer but the one being filled are whole; older ones have been overwritten.
    const oldest = Math.max(0, done - Math.max(1, packetsInBuffer - 1));
    const packetNumber = Math.max(this.#nextReadPacket, oldest);
    if (packetNumber >= done) throw new NtError(STATUS_DEVICE_NOT_READY);
    this.#nextReadPacket = packetNumber + 1;
    return { packetNumber, moreData: packetNumber + 1 < done };
  }
}
