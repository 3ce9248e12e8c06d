import { TICKS_PER_MILLISECOND } from '../../kernel/index.ts';
import {
  decodeMusicRecords,
  encodeStreamHeaders,
  IOCTL_KS_READ_STREAM,
  KSSTATE_PAUSE,
  KSSTATE_RUN,
  KSSTREAM_HEADER,
  KSSTREAM_HEADER_OPTIONSF_DATADISCONTINUITY,
  MidiMessageParser,
  presentationTime100ns,
  streamHeader,
  viewOf,
} from '../../ks/index.ts';
import type { TimedMidi } from './midi-event.ts';
import { MidiStream, type MidiStreamSetup, type RequestBuffer } from './midi-stream.ts';

/** What {@link MidiClient.openIn} does with what it hears. */
export interface MidiInOptions {
  /** A whole message, its status byte always there, with the driver's time of its first byte since the start. */
  readonly onMessage: (message: TimedMidi) => void;
  /** Requests that wait at the driver. 4 by default. */
  readonly requestsAhead?: number;
  /** Room in each of them. 512 bytes by default. */
  readonly requestBytes?: number;
}

/** Counters of a stream. */
export interface MidiInStatistics {
  readonly messages: number;
  readonly bytes: number;
  readonly requests: number;
  /** Times that the driver told of lost bytes. */
  readonly gaps: number;
}

const DEFAULT_REQUESTS = 4;
const DEFAULT_REQUEST_BYTES = 512;

/** A stream of MIDI messages from a driver, by read requests of which some always wait at it. */
export class MidiInStream extends MidiStream {
  readonly #onMessage: (message: TimedMidi) => void;
  readonly #requestsAhead: number;
  readonly #requestBytes: number;
  readonly #parser = new MidiMessageParser({
    message: (status, data1, data2, length) =>
      this.#hear(Uint8Array.of(status, data1, data2).subarray(0, length), this.#began ?? this.#time),
    realTime: (status) => this.#hear(Uint8Array.of(status), this.#time),
    systemExclusive: (bytes, complete) => {
      if (complete) this.#hear(bytes, this.#began ?? this.#time);
    },
  });
  /** Time of the record at hand, and of the first byte of the message under way. */
  #time = 0;
  #began: number | null = null;
  #messages = 0;
  #bytes = 0;
  #requests = 0;
  #gaps = 0;

  constructor(setup: MidiStreamSetup, options: MidiInOptions) {
    super(setup);
    this.#onMessage = options.onMessage;
    this.#requestsAhead = Math.max(1, options.requestsAhead ?? DEFAULT_REQUESTS);
    this.#requestBytes = options.requestBytes ?? DEFAULT_REQUEST_BYTES;
  }

  /** Starts to listen. Throws a ClientError when the driver refuses. */
  start(): void {
    this.change('start', 'stopped', 'running', () => {
      this.setPinState(KSSTATE_PAUSE);
      for (let index = 0; index < this.#requestsAhead; index++) this.#ask(this.buffer(this.#requestBytes));
      this.setPinState(KSSTATE_RUN);
    });
  }

  /** Ends the stream now. */
  stop(): void {
    if (this.state === 'running') this.kernel.enter(() => this.finish());
  }

  statistics(): MidiInStatistics {
    return { messages: this.#messages, bytes: this.#bytes, requests: this.#requests, gaps: this.#gaps };
  }

  #ask(buffer: RequestBuffer): void {
    const headers = encodeStreamHeaders([
      streamHeader({ frameExtent: this.#requestBytes, data: buffer.address }),
    ]);
    this.send(IOCTL_KS_READ_STREAM, headers, () => {
      this.#requests++;
      this.#take(headers);
      if (this.state === 'running') this.#ask(buffer);
    });
  }

  #take(headers: Uint8Array): void {
    const header = KSSTREAM_HEADER.read(viewOf(headers), 0);
    if ((header.optionsFlags & KSSTREAM_HEADER_OPTIONSF_DATADISCONTINUITY) !== 0) {
      this.#gaps++;
      this.#parser.reset();
    }
    const data = new Uint8Array(header.dataUsed);
    if (data.byteLength > 0) this.process.readMemory(header.data, data);
    this.#time = presentationTime100ns(header.presentationTime);
    for (const { timeDeltaMs, bytes } of decodeMusicRecords(data)) {
      this.#time += timeDeltaMs * TICKS_PER_MILLISECOND;
      this.#bytes += bytes.byteLength;
      for (const byte of bytes) this.#push(byte);
    }
  }

  #push(byte: number): void {
    if (byte < 0xf8 && !this.#parser.pending) this.#began = this.#time;
    this.#parser.push(byte);
    if (!this.#parser.pending) this.#began = null;
  }

  #hear(bytes: Uint8Array, time100ns: number): void {
    this.#messages++;
    this.#onMessage({ time100ns, bytes });
  }
}
