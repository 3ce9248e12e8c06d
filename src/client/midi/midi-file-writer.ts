import { type MidiEvent, writeMidi } from 'midi-file';
import { MidiMessageParser } from '../../ks/index.ts';
import type { TimedMidi } from './midi-event.ts';

/** With a beat a second and so many ticks a beat, a tick is 100 µs. */
const TICKS_PER_BEAT = 10_000;
const MICROSECONDS_PER_BEAT = 1_000_000;
const TICK_100NS = 1000;

/** Distributes over the union, so that each kind of event loses its `deltaTime` alone. */
type WithoutDelta<T> = T extends unknown ? Omit<T, 'deltaTime'> : never;

/**
 * A standard MIDI file of format 0 with ticks of 100 µs, of bytes as they went over a wire: `pieces` need not be whole messages, and a
 * message has the time of its first byte. Running status is resolved. Real-time and system common messages, and system exclusive ones
 * that were cut off, are written as escapes.
 */
export function writeMidiFile(pieces: Iterable<TimedMidi>): Uint8Array {
  const track: MidiEvent[] = [
    { deltaTime: 0, meta: true, type: 'setTempo', microsecondsPerBeat: MICROSECONDS_PER_BEAT },
  ];
  let writtenTick = 0;
  /** When the message under way began. */
  let began: number | null = null;
  let now = 0;
  const add = (time100ns: number, event: WithoutDelta<MidiEvent>) => {
    const tick = Math.max(writtenTick, Math.round(time100ns / TICK_100NS));
    track.push({ ...event, deltaTime: tick - writtenTick });
    writtenTick = tick;
  };
  const parser = new MidiMessageParser({
    message: (status, data1, data2, length) => add(began ?? now, eventOf(status, data1, data2, length)),
    realTime: (status) => add(now, escaped([status])),
    systemExclusive: (bytes, complete) =>
      add(began ?? now, complete ? { type: 'sysEx', data: Array.from(bytes.subarray(1)) } : escaped(bytes)),
  });
  for (const { time100ns, bytes } of pieces) {
    now = time100ns;
    for (const byte of bytes) {
      const wasPending = parser.pending;
      if (byte < 0xf8 && !wasPending) began = time100ns;
      parser.push(byte);
      // A status byte ends a system exclusive message and begins the next one.
      if (byte >= 0x80 && byte < 0xf8 && wasPending) began = time100ns;
    }
  }
  track.push({ deltaTime: 0, meta: true, type: 'endOfTrack' });
  return Uint8Array.from(
    writeMidi(
      { header: { format: 0, numTracks: 1, ticksPerBeat: TICKS_PER_BEAT }, tracks: [track] },
      { running: false },
    ),
  );
}

function escaped(bytes: ArrayLike<number>): WithoutDelta<MidiEvent> {
  return { type: 'endSysEx', data: Array.from(bytes) };
}

function eventOf(status: number, data1: number, data2: number, length: number): WithoutDelta<MidiEvent> {
  const channel = status & 0x0f;
  switch (status & 0xf0) {
    case 0x80:
      return { type: 'noteOff', channel, noteNumber: data1, velocity: data2 };
    case 0x90:
      return data2 === 0
        ? { type: 'noteOff', channel, noteNumber: data1, velocity: 0, byte9: true }
        : { type: 'noteOn', channel, noteNumber: data1, velocity: data2 };
    case 0xa0:
      return { type: 'noteAftertouch', channel, noteNumber: data1, amount: data2 };
    case 0xb0:
      return { type: 'controller', channel, controllerType: data1, value: data2 };
    case 0xc0:
      return { type: 'programChange', channel, programNumber: data1 };
    case 0xd0:
      return { type: 'channelAftertouch', channel, amount: data1 };
    case 0xe0:
      return { type: 'pitchBend', channel, value: data1 + data2 * 128 - 0x2000 };
    default:
      return escaped([status, data1, data2].slice(0, length));
  }
}
