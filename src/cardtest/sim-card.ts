import type { PciCard, PcmSink, PcmSource } from '../hal/bus.ts';
import { ArraySource } from '../hardware/analog.ts';
import { Trace } from '../kernel/index.ts';
import { SimMachine } from '../machines/sim/index.ts';
import type { CardFactory, CardWiring } from './card-under-test.ts';
import { PciBench } from './pci-bench.ts';
import { PciCardUnderTest } from './pci-card.ts';
import { Recorder } from './recorder.ts';
import type { PoweredCard } from './switched-card.ts';

/** How a card model is made with these things at its jacks. */
export type CardModelFactory = (jacks: {
  readonly output: PcmSink;
  readonly input: PcmSource | null;
}) => PciCard;

const RAM_BYTES = 16 * 1024 * 1024;
const SLOT = 5;
const DEFAULT_OUTPUT_RATE = 48_000;

function powerOn(create: CardModelFactory, wiring: CardWiring, outputRate: number): PoweredCard<PciBench> {
  const sampleRate = wiring.outputRate ?? outputRate;
  const recorder = new Recorder(sampleRate);
  const signal = wiring.input;
  const input = signal ? new ArraySource(signal.samples, signal, { loop: true }) : null;
  const card = create({ output: recorder, input });
  const machine = new SimMachine({ ramBytes: RAM_BYTES, trace: new Trace({ mask: 0, keep: 1 }) });
  const busDevice = machine.plugPci(card, SLOT);
  const bench = new PciBench({ platform: machine.platform, config: machine.pciBus.config }, SLOT, busDevice);
  return {
    bench,
    wiring,
    output: () => recorder.recording,
    wideOutput: () => recorder.wideRecording,
    powerOff: () => machine.dispose(),
  };
}

/**
 * The bench for a card model: `create` plugs what it is given into the card's main output and its recording inputs. Time is virtual: a
 * test of seconds takes as long as the model does. `outputRate` is that of the recorder unless the wiring says otherwise.
 */
export function simCardFactory(
  name: string,
  create: CardModelFactory,
  outputRate = DEFAULT_OUTPUT_RATE,
): CardFactory {
  const on = (wiring: CardWiring) => Promise.resolve(powerOn(create, wiring, outputRate));
  return async (wiring = {}) =>
    new PciCardUnderTest(
      { machine: 'sim', realTime: false, description: `Miniport's model of the ${name}` },
      on,
      await on(wiring),
    );
}
