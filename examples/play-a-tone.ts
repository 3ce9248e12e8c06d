/**
 * A test as the author of a driver would write it: play a tone through the driver, look at what left the card.
 *
 *   npm run example -- play-a-tone
 */

import { audioFormat, SinePcmReader } from '../src/client/index.ts';
import { MemorySink } from '../src/hardware/index.ts';
import { AudioClient, findCard, SimMachine } from '../src/index.ts';

const card = findCard('ac97');
if (!card) throw new Error('no such card');

const dac = new MemorySink();
using machine = new SimMachine();
card.plug(machine, { output: dac });
machine.installDriver(card.driver);
machine.start();

const audio = new AudioClient(machine.kernel);
const frames = 48_000;
const stream = audio.openRender(audio.endpoint('render', 'Speakers'), {
  source: new SinePcmReader(audioFormat({ sampleRate: 48_000 }), frames, 1000),
  mode: 'event',
  bufferMs: 10,
});
stream.start();
machine.runUntil(() => stream.state === 'ended', Number.MAX_SAFE_INTEGER);

let crossings = 0;
const samples = dac.samples;
for (let i = 2; i < frames * 2; i += 2) {
  if ((samples[i - 2] ?? 0) < 0 && (samples[i] ?? 0) >= 0) crossings++;
}
console.log(
  `One second of machine time: ${dac.frames} frames left the DAC, with ${crossings} upward zero crossings.`,
);
console.log(`Glitches: ${stream.statistics().glitches}. Machine time: ${machine.kernel.clock.now / 1e7} s.`);
audio.close();
