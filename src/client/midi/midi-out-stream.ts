import { TICKS_PER_MILLISECOND } from '../../kernel/index.ts';
import {
  encodeMusicRecords,
  encodeStreamHeaders,
  IOCTL_KS_WRITE_STREAM,
  KSPROPERTY_STREAM_PRESENTATIONTIME,
  KSPROPSETID_Stream,
  KSSTATE_PAUSE,
  KSSTATE_RUN,
  KSSTREAM_HEADER_OPTIONSF_TIMEVALID,
  KSTIME,
  type MusicRecord,
  streamHeader,
  viewOf,
} from '../../ks/index.ts';
import type { TimedMidi } from './midi-event.ts';
import { MidiStream, type MidiStreamSetup } from './midi-stream.ts';

/** What {@link MidiClient.openOut} plays. */
export interface MidiOutOptions {
  /** In the order of their times. Taken as they are needed. */
  readonly events: Iterable<TimedMidi>;
  /** When the stream ends if that is later than the last event. */
  readonly duration100ns?: number;
  /** Requests that wait at the driver. 32 by default. */
  readonly requestsAhead?: number;
  /**
   * Events are put into one request as long as they lie within so many milliseconds. 0, the default: each time has its own request, and its
   * completion tells how late it was.
   */
  readonly packMs?: number;
}

/** Counters of a stream. */
export interface MidiOutStatistics {
  /** Events that the driver has taken. */
  readonly events: number;
  readonly bytes: number;
  /** Requests that have come back. */
  readonly requests: number;
  /** How much later than due the last event of a request was taken, in milliseconds. */
  readonly latenessMs: { readonly max: number; readonly mean: number };
  /** Time of the last event taken, in 100-ns units since the start. */
  readonly position100ns: number;
}

const DEFAULT_REQUESTS = 32;
/** A request is never larger than this unless one message is. */
const MAXIMUM_REQUEST_BYTES = 16_384;

/** The events of one request. */
interface Batch {
  readonly events: readonly TimedMidi[];
  readonly records: readonly MusicRecord[];
}

/**
 * A stream of timed MIDI messages to a driver: KSMUSICFORMAT records in write requests, a number of them ahead of the time, so that the
 * driver's sequencer never waits for the application.
 */
export class MidiOutStream extends MidiStream {
  readonly #events: Iterator<TimedMidi>;
  readonly #duration100ns: number;
  readonly #requestsAhead: number;
  readonly #pack100ns: number;
  /** Read from the iterator and not sent yet. */
  #next: TimedMidi | null;
  #eventsDone = 0;
  #bytesDone = 0;
  #requestsDone = 0;
  #latenessSum = 0;
  #latenessMax = 0;
  #position100ns = 0;
  /** The machine's time at which the stream's was, or would have been, 0; of the present run. */
  #originTick = 0;

  constructor(setup: MidiStreamSetup, options: MidiOutOptions) {
    super(setup);
    this.#events = options.events[Symbol.iterator]();
    this.#duration100ns = options.duration100ns ?? 0;
    this.#requestsAhead = Math.max(1, options.requestsAhead ?? DEFAULT_REQUESTS);
    this.#pack100ns = Math.max(0, options.packMs ?? 0) * TICKS_PER_MILLISECOND;
    this.#next = this.#read();
  }

  /** The driver's presentation time: how far it has played, in 100-ns units since the start. */
  get presentationTime100ns(): number {
    const bytes = this.pin.get(KSPROPSETID_Stream, KSPROPERTY_STREAM_PRESENTATIONTIME, KSTIME.size);
    return KSTIME.read(viewOf(bytes), 0).time;
  }

  /** Starts to play. Throws a ClientError when the driver refuses. */
  start(): void {
    this.change('start', 'stopped', 'running', () => {
      this.setPinState(KSSTATE_PAUSE);
      this.#fill();
      this.#run();
    });
  }

  /** Holds the music; {@link resume} goes on with the next event. */
  pause(): void {
    this.change('pause', 'running', 'paused', () => this.setPinState(KSSTATE_PAUSE));
  }

  resume(): void {
    this.change('resume', 'paused', 'running', () => this.#run());
  }

  #run(): void {
    this.setPinState(KSSTATE_RUN);
    this.#originTick = this.now - this.presentationTime100ns;
  }

  /** Ends the stream now; what has not been played is dropped. */
  stop(): void {
    if (this.state === 'running' || this.state === 'paused') this.kernel.enter(() => this.finish());
  }

  statistics(): MidiOutStatistics {
    return {
      events: this.#eventsDone,
      bytes: this.#bytesDone,
      requests: this.#requestsDone,
      latenessMs: {
        max: this.#latenessMax / TICKS_PER_MILLISECOND,
        mean: this.#requestsDone === 0 ? 0 : this.#latenessSum / this.#requestsDone / TICKS_PER_MILLISECOND,
      },
      position100ns: this.#position100ns,
    };
  }

  #read(): TimedMidi | null {
    const { done, value } = this.#events.next();
    return done === true ? null : value;
  }

  #fill(): void {
    while (this.pendingRequests < this.#requestsAhead) {
      const batch = this.#nextBatch();
      if (batch === null) break;
      this.#sendBatch(batch);
    }
    if (this.pendingRequests === 0) this.#end();
  }

  /** Nothing is left to send; an empty request, due at the end of the piece, tells when that has come. */
  #end(): void {
    if (this.#position100ns >= this.#duration100ns) {
      this.finish();
      return;
    }
    const end: TimedMidi = { time100ns: this.#duration100ns, bytes: new Uint8Array(0) };
    this.#sendBatch({ events: [end], records: [{ timeDeltaMs: 0, bytes: end.bytes }] });
  }

  #nextBatch(): Batch | null {
    const first = this.#next;
    if (first === null) return null;
    const events: TimedMidi[] = [];
    const records: MusicRecord[] = [];
    let size = 0;
    /** Whole milliseconds after the first event, rounded down, so that rounding neither adds up nor makes anything late. */
    let lastMs = 0;
    for (let event: TimedMidi | null = first; event !== null; event = this.#next) {
      const offset = event.time100ns - first.time100ns;
      size += event.bytes.byteLength + 12;
      if (events.length > 0 && (offset > this.#pack100ns || size > MAXIMUM_REQUEST_BYTES)) break;
      const ms = Math.floor(Math.max(0, offset) / TICKS_PER_MILLISECOND);
      records.push({ timeDeltaMs: Math.max(0, ms - lastMs), bytes: event.bytes });
      lastMs = Math.max(lastMs, ms);
      events.push(event);
      this.#next = this.#read();
    }
    return { events, records };
  }

  #sendBatch({ events, records }: Batch): void {
    const data = encodeMusicRecords(records);
    const buffer = this.buffer(data.byteLength);
    this.process.writeMemory(buffer.address, data);
    const header = streamHeader({
      presentationTime: { time: events[0]?.time100ns ?? 0, numerator: 1, denominator: 1 },
      frameExtent: data.byteLength,
      dataUsed: data.byteLength,
      data: buffer.address,
      optionsFlags: KSSTREAM_HEADER_OPTIONSF_TIMEVALID,
    });
    this.send(IOCTL_KS_WRITE_STREAM, encodeStreamHeaders([header]), () => {
      this.recycle(buffer);
      this.#completed(events);
      this.#fill();
    });
  }

  #completed(events: readonly TimedMidi[]): void {
    const last = events[events.length - 1];
    if (last === undefined) return;
    this.#position100ns = Math.max(this.#position100ns, last.time100ns);
    let bytes = 0;
    for (const event of events) bytes += event.bytes.byteLength;
    // The request that marks the end is no music.
    if (bytes === 0) return;
    this.#eventsDone += events.length;
    this.#bytesDone += bytes;
    this.#requestsDone++;
    const lateness = Math.max(0, this.now - this.#originTick - last.time100ns);
    this.#latenessSum += lateness;
    this.#latenessMax = Math.max(this.#latenessMax, lateness);
  }
}
