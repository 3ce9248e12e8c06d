export { MidiClient } from './midi-client.ts';
export type { MidiEndpoint, MidiTechnology } from './midi-endpoint.ts';
export { isNoteOn, type TimedMidi } from './midi-event.ts';
export { type MidiScore, readMidiFile } from './midi-file-reader.ts';
export { writeMidiFile } from './midi-file-writer.ts';
export { type MidiInOptions, type MidiInStatistics, MidiInStream } from './midi-in-stream.ts';
export { type MidiOutOptions, type MidiOutStatistics, MidiOutStream } from './midi-out-stream.ts';
export type { MidiStreamState } from './midi-stream.ts';
export type { SynthStatistics } from './synth-statistics.ts';
