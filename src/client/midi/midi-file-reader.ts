import { type MidiData, type MidiEvent, parseMidi } from 'midi-file';
import { ClientError } from '../client-error.ts';
import { isNoteOn, type TimedMidi } from './midi-event.ts';
import { cleanMidiFile } from './midi-file-chunks.ts';
import { metricalClock, smpteClock, type TempoChange, type TickClock } from './tempo-map.ts';

/** A piece of music: what a standard MIDI file says is to be sent, and when. */
export interface MidiScore {
  readonly format: 0 | 1;
  readonly tracks: number;
  /** How the file counts time, for people. */
  readonly timing: string;
  /** Messages of all tracks in the order in which they are due. System exclusive ones are whole. */
  readonly events: readonly TimedMidi[];
  /** When the last track ends. */
  readonly duration100ns: number;
  readonly notes: number;
  /** What was wrong with the file, in sentences without a capital and full stop. */
  readonly warnings: readonly string[];
}

interface TickedMidi {
  readonly tick: number;
  readonly bytes: Uint8Array;
}

/**
 * Reads a standard MIDI file of format 0 or 1: tempo maps, running status, system exclusive messages in pieces, metrical and SMPTE time.
 * Damage is told in `warnings` as far as it can be passed over. Throws a {@link ClientError} for what is no such file.
 */
export function readMidiFile(file: Uint8Array): MidiScore {
  const clean = cleanMidiFile(file);
  const data = parse(clean.bytes);
  const { format } = data.header;
  if (format !== 0 && format !== 1) {
    throw new ClientError(
      `This is a MIDI file of format ${format}, whose tracks are pieces of their own; formats 0 and 1 can be played.`,
    );
  }
  const warnings = [...clean.warnings];
  const tracks = data.tracks.map((events, index) => new TrackReader(events, index + 1, warnings));
  const clock = tickClock(
    data,
    tracks.flatMap(({ tempos }) => tempos),
  );
  const events = tracks
    .flatMap(({ messages }) => messages)
    // Stable: what is due at one tick keeps the order of tracks, and within a track its own.
    .sort((a, b) => a.tick - b.tick)
    .map(({ tick, bytes }) => ({ time100ns: clock.timeOf(tick), bytes }));
  return {
    format,
    tracks: data.tracks.length,
    timing: clock.description,
    events,
    duration100ns: clock.timeOf(Math.max(0, ...tracks.map(({ endTick }) => endTick))),
    notes: events.reduce((count, { bytes }) => count + Number(isNoteOn(bytes)), 0),
    warnings,
  };
}

function parse(bytes: Uint8Array): MidiData {
  try {
    return parseMidi(bytes);
  } catch (error) {
    // The parser throws texts.
    const reason = error instanceof Error ? error.message : String(error);
    throw new ClientError(`The MIDI file is damaged: ${reason}`, null, error);
  }
}

function tickClock({ header }: MidiData, tempos: readonly TempoChange[]): TickClock {
  const { framesPerSecond = 0, ticksPerFrame = 0, ticksPerBeat = 0 } = header;
  if (ticksPerBeat > 0) return metricalClock(ticksPerBeat, tempos);
  if (framesPerSecond > 0 && ticksPerFrame > 0) return smpteClock(framesPerSecond, ticksPerFrame);
  throw new ClientError('The MIDI file does not say how long a tick is: its time division is 0.');
}

/** One track: its messages with their ticks, its tempos, its end. */
class TrackReader {
  readonly messages: TickedMidi[] = [];
  readonly tempos: TempoChange[] = [];
  endTick = 0;
  readonly #number: number;
  readonly #warnings: string[];
  /** A system exclusive message of which more packets are to come. */
  #exclusive: number[] | null = null;

  constructor(events: readonly MidiEvent[], number: number, warnings: string[]) {
    this.#number = number;
    this.#warnings = warnings;
    let tick = 0;
    for (const event of events) {
      if (!Number.isSafeInteger(event.deltaTime) || event.deltaTime < 0) {
        this.#warn('breaks off in a time that cannot be read');
        break;
      }
      tick += event.deltaTime;
      this.#add(tick, event);
      this.endTick = tick;
      if (event.type === 'endOfTrack') break;
    }
    if (this.#exclusive !== null) this.#warn('ends within a system exclusive message, which was left out');
  }

  #add(tick: number, event: MidiEvent): void {
    switch (event.type) {
      case 'setTempo':
        this.tempos.push({ tick, microsecondsPerBeat: event.microsecondsPerBeat });
        return;
      case 'sysEx':
        this.#exclusive = [0xf0, ...Array.from(event.data)];
        this.#endExclusive(tick);
        return;
      case 'endSysEx':
        if (this.#exclusive === null) {
          // An escape: bytes to be sent as they are.
          if (event.data.length > 0) this.messages.push({ tick, bytes: Uint8Array.from(event.data) });
        } else {
          this.#exclusive.push(...Array.from(event.data));
          this.#endExclusive(tick);
        }
        return;
      default: {
        const bytes = channelMessage(event);
        if (bytes === null) return;
        if (
          bytes.every(
            (byte, index) => byte >= (index === 0 ? 0x80 : 0) && byte <= (index === 0 ? 0xef : 0x7f),
          )
        )
          this.messages.push({ tick, bytes: Uint8Array.from(bytes) });
        else this.#warn('has a message with bytes that are no data, which was left out');
      }
    }
  }

  /** A message that came in several packets is sent when the last one is due: no other may come between its parts. */
  #endExclusive(tick: number): void {
    const bytes = this.#exclusive;
    if (bytes === null || bytes[bytes.length - 1] !== 0xf7) return;
    this.#exclusive = null;
    if (bytes.slice(1, -1).every((byte) => byte < 0x80))
      this.messages.push({ tick, bytes: Uint8Array.from(bytes) });
    else this.#warn('has a system exclusive message with bytes that are no data, which was left out');
  }

  #warn(text: string): void {
    const warning = `track ${this.#number} ${text}`;
    if (!this.#warnings.includes(warning)) this.#warnings.push(warning);
  }
}

/** The bytes of a channel message; null for what is not sent (meta events). */
function channelMessage(event: MidiEvent): readonly number[] | null {
  switch (event.type) {
    case 'noteOn':
      return [0x90 | event.channel, event.noteNumber, event.velocity];
    case 'noteOff':
      return [(event.byte9 === true ? 0x90 : 0x80) | event.channel, event.noteNumber, event.velocity];
    case 'noteAftertouch':
      return [0xa0 | event.channel, event.noteNumber, event.amount];
    case 'controller':
      return [0xb0 | event.channel, event.controllerType, event.value];
    case 'programChange':
      return [0xc0 | event.channel, event.programNumber];
    case 'channelAftertouch':
      return [0xd0 | event.channel, event.amount];
    case 'pitchBend': {
      const value = event.value + 0x2000;
      return [0xe0 | event.channel, value & 0x7f, value >> 7];
    }
    default:
      return null;
  }
}
