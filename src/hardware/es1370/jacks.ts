import type { MidiSink, MidiSource, PcmSink, PcmSource } from '../../hal/bus.ts';

/** What is plugged into the card: microphone and mono inputs are mono, everything else is stereo. */
export interface Es1370Jacks {
  readonly lineOut?: PcmSink;
  readonly monoOut?: PcmSink;
  readonly micIn?: PcmSource;
  readonly lineIn?: PcmSource;
  readonly cdIn?: PcmSource;
  readonly auxIn?: PcmSource;
  readonly mono1In?: PcmSource;
  readonly mono2In?: PcmSource;
  readonly midiOut?: MidiSink;
  readonly midiIn?: MidiSource;
}
