import type { MidiSink, MidiSource, PcmSink, PcmSource } from '../../hal/bus.ts';

/** What is plugged into the card. Microphone and PC speaker are mono, everything else is stereo. */
export interface Sb16Jacks {
  readonly lineOut?: PcmSink;
  readonly lineIn?: PcmSource;
  readonly cdIn?: PcmSource;
  readonly micIn?: PcmSource;
  readonly pcSpeakerIn?: PcmSource;
  readonly midiOut?: MidiSink;
  readonly midiIn?: MidiSource;
}
