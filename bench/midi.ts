import { findCard } from '../src/catalog.ts';
import { AudioClient, MidiClient, type TimedMidi } from '../src/client/index.ts';
import { TICKS_PER_SECOND, Trace } from '../src/kernel/index.ts';
import { SimMachine } from '../src/machines/sim/index.ts';
import type { Figure } from './measure.ts';

/** Notes on and off, a millisecond apart, over the keyboard. */
function* notes(count: number): Generator<TimedMidi> {
  for (let index = 0; index < count; index++) {
    const key = 36 + ((index >> 1) % 60);
    yield { time100ns: index * 10_000, bytes: Uint8Array.of(index % 2 === 0 ? 0x90 : 0x80, key, 100) };
  }
}

/**
 * Events a second from the application through KS, port and miniport to the chip's registers or the connector. The synthesizer's sound is
 * heard by nobody, so that the way is measured and not the synthesis.
 */
export function midiFigure(synth: 'fm' | 'uart', packMs: number, count: number): Figure {
  const card = findCard('sb16');
  if (!card) throw new Error('the catalogue has no sb16');
  const machine = new SimMachine({ trace: new Trace({ mask: 0, keep: 0 }) });
  try {
    let bytes = 0;
    card.plug(machine, { midiOut: { write: () => bytes++ } });
    machine.installDriver(card.driver);
    machine.start();
    const audio = new AudioClient(machine.kernel);
    const midi = new MidiClient(machine.kernel, audio.process);
    const endpoint = midi.endpoint('out', synth === 'fm' ? 'FM' : 'MIDI port');
    const stream = midi.openOut(endpoint, { events: notes(count), packMs });
    const start = performance.now();
    stream.start();
    machine.runUntil(() => stream.ended, machine.kernel.clock.now + (count / 1000 + 10) * TICKS_PER_SECOND);
    const seconds = (performance.now() - start) / 1000;
    if (stream.statistics().events !== count) throw new Error('events were lost');
    midi.close();
    audio.close();
    return {
      name: `MIDI to the ${synth === 'fm' ? 'FM synthesizer' : 'connector'}, ${packMs === 0 ? 'one' : `${packMs} ms of`} event${packMs === 0 ? '' : 's'} a request`,
      value: count / seconds,
      unit: 'events/s',
      aim: null,
      higherIsBetter: true,
      ofMemoryCopy: null,
    };
  } finally {
    machine.dispose();
  }
}
