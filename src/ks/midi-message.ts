/** What a {@link MidiMessageParser} finds in a stream of MIDI bytes. */
export interface MidiMessageHandler {
  /**
   * A channel or system common message with its status byte, running status resolved, and 0 for data bytes that it does not have.
   * `length` is 1 to 3.
   */
  message(status: number, data1: number, data2: number, length: number): void;
  /** F8h … FFh; may come in the middle of another message. */
  realTime?(status: number): void;
  /**
   * A system exclusive message from F0h on, the array the receiver's to keep. `complete`: F7h ended it, and it is whole; otherwise it
   * was cut off by another status byte, or longer than the parser keeps.
   */
  systemExclusive?(bytes: Uint8Array, complete: boolean): void;
}

const STATUS = 0x80;
const SYSTEM = 0xf0;
const REAL_TIME = 0xf8;
const SYSTEM_EXCLUSIVE = 0xf0;
const END_OF_EXCLUSIVE = 0xf7;

/** Data bytes that follow a status byte (MIDI 1.0, tables I and II); −1 for F0h, which F7h ends. */
export function midiDataBytes(status: number): number {
  switch (status & 0xf0) {
    case 0xc0:
    case 0xd0:
      return 1;
    case SYSTEM:
      switch (status) {
        case SYSTEM_EXCLUSIVE:
          return -1;
        case 0xf1:
        case 0xf3:
          return 1;
        case 0xf2:
          return 2;
        default:
          return 0;
      }
    default:
      return 2;
  }
}

/**
 * Splits a stream of MIDI bytes into messages: running status, real-time bytes between and within messages, system exclusive of any
 * length. Bytes that belong to nothing are counted and dropped; no order of bytes upsets it.
 */
export class MidiMessageParser {
  readonly #handler: MidiMessageHandler;
  readonly #maximumExclusiveBytes: number;
  /** Status of the message under way or of the running status; 0 when there is none. */
  #status = 0;
  #wanted = 0;
  #count = 0;
  /** A status byte has come whose message is not complete. */
  #begun = false;
  #data1 = 0;
  #exclusive: number[] | null = null;
  #truncated = false;
  #orphans = 0;

  /** Of longer system exclusive messages the first `maximumExclusiveBytes` are kept, and they are not `complete`. */
  constructor(handler: MidiMessageHandler, maximumExclusiveBytes = 0x10_0000) {
    this.#handler = handler;
    this.#maximumExclusiveBytes = maximumExclusiveBytes;
  }

  /** Data bytes without a status byte that have been dropped. */
  get orphanBytes(): number {
    return this.#orphans;
  }

  /** In the middle of a message: its end is still to come. */
  get pending(): boolean {
    return this.#exclusive !== null || this.#count > 0 || this.#begun;
  }

  pushAll(bytes: Uint8Array): void {
    for (let index = 0; index < bytes.length; index++) this.push(bytes[index] as number);
  }

  push(byte: number): void {
    if (byte >= REAL_TIME) this.#handler.realTime?.(byte);
    else if (byte >= STATUS) this.#pushStatus(byte);
    else this.#pushData(byte);
  }

  /** Forgets message and running status, as after a reset of the line. */
  reset(): void {
    this.#status = 0;
    this.#wanted = 0;
    this.#count = 0;
    this.#begun = false;
    this.#exclusive = null;
  }

  #pushStatus(status: number): void {
    if (this.#exclusive !== null) this.#endExclusive(status === END_OF_EXCLUSIVE);
    this.#count = 0;
    this.#begun = false;
    if (status === SYSTEM_EXCLUSIVE) {
      this.#status = 0;
      this.#exclusive = [status];
      this.#truncated = false;
      return;
    }
    this.#wanted = midiDataBytes(status);
    this.#status = status;
    this.#begun = this.#wanted > 0;
    if (this.#begun) return;
    // F4h and F5h mean nothing, F7h alone ends nothing.
    this.#status = 0;
    if (status === 0xf6) this.#handler.message(status, 0, 0, 1);
  }

  #pushData(byte: number): void {
    const exclusive = this.#exclusive;
    if (exclusive !== null) {
      if (exclusive.length < this.#maximumExclusiveBytes) exclusive.push(byte);
      else this.#truncated = true;
      return;
    }
    if (this.#status === 0) {
      this.#orphans++;
      return;
    }
    this.#count++;
    if (this.#count < this.#wanted) {
      this.#data1 = byte;
      return;
    }
    const status = this.#status;
    this.#count = 0;
    this.#begun = false;
    // Only channel messages have a running status.
    if (status >= SYSTEM) this.#status = 0;
    if (this.#wanted === 1) this.#handler.message(status, byte, 0, 2);
    else this.#handler.message(status, this.#data1, byte, 3);
  }

  #endExclusive(byEnd: boolean): void {
    const bytes = this.#exclusive ?? [];
    this.#exclusive = null;
    if (byEnd && !this.#truncated) bytes.push(END_OF_EXCLUSIVE);
    this.#handler.systemExclusive?.(Uint8Array.from(bytes), byEnd && !this.#truncated);
  }
}
