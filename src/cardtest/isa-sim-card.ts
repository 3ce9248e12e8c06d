import type { IsaCard, PcmSink, PcmSource } from '../hal/bus.ts';
import {
  ISAPNP_DMA_0,
  ISAPNP_IO_BASE_0,
  ISAPNP_IRQ_0,
  ISAPNP_IRQ_HIGH,
  ISAPNP_IRQ_TYPE_0,
  IsaPnpAccess,
} from '../hal/index.ts';
import { ArraySource } from '../hardware/analog.ts';
import { Trace } from '../kernel/index.ts';
import { SimMachine } from '../machines/sim/index.ts';
import type {
  CardFactory,
  CardSignal,
  CardWiring,
  IsaCardResources,
  IsaCardUnderTest,
} from './card-under-test.ts';
import { IsaBench } from './isa-bench.ts';
import { SwitchedIsaCard } from './isa-card.ts';
import { Recorder } from './recorder.ts';
import type { PoweredCard } from './switched-card.ts';

/** How an ISA card model is made with these things at its jacks. */
export type IsaCardModelFactory = (jacks: {
  readonly output: PcmSink;
  readonly input: PcmSource | null;
  /** The left side of the input, for a microphone. */
  readonly microphone: PcmSource | null;
}) => IsaCard;

/** What Plug and Play tells a logical device: its ranges, lines and channels in the order of its descriptors. */
export interface IsaLogicalDevice {
  readonly ioBases: readonly number[];
  readonly irqs?: readonly number[];
  readonly dmas?: readonly number[];
}

/** Everything that makes a bench for an ISA card model. */
export interface IsaSimCard {
  readonly name: string;
  readonly create: IsaCardModelFactory;
  readonly resources: IsaCardResources;
  /** For a card with Plug and Play, by number of the logical device: what gives it {@link resources}. */
  readonly logicalDevices?: readonly IsaLogicalDevice[];
  /** Rate at which the output is recorded unless the wiring says otherwise. */
  readonly outputRate: number;
}

const RAM_BYTES = 16 * 1024 * 1024;

/** Isolates the card and configures it, by the ports of the protocol. */
function configure(machine: SimMachine, { name, logicalDevices = [] }: IsaSimCard): void {
  if (logicalDevices.length === 0) return;
  machine.kernel.enter(() => {
    const access = new IsaPnpAccess(machine.kernel);
    const [card] = access.isolate();
    if (card === undefined) throw new Error(`${name}: no Plug and Play card answers the isolation.`);
    for (const [device, { ioBases, irqs = [], dmas = [] }] of logicalDevices.entries()) {
      const registers = [
        ...ioBases.flatMap((base, index): (readonly [number, number])[] => [
          [ISAPNP_IO_BASE_0 + 2 * index, base >> 8],
          [ISAPNP_IO_BASE_0 + 2 * index + 1, base & 0xff],
        ]),
        ...irqs.flatMap((irq, index): (readonly [number, number])[] => [
          [ISAPNP_IRQ_0 + 2 * index, irq],
          [ISAPNP_IRQ_TYPE_0 + 2 * index, ISAPNP_IRQ_HIGH],
        ]),
        ...dmas.map((channel, index): readonly [number, number] => [ISAPNP_DMA_0 + index, channel]),
      ];
      access.configure(card.cardSelectNumber, device, registers, true);
    }
  });
}

function powerOn(simCard: IsaSimCard, wiring: CardWiring): PoweredCard<IsaBench> {
  const recorder = new Recorder(wiring.outputRate ?? simCard.outputRate, 'held');
  const signal = wiring.input;
  const input = signal ? new ArraySource(signal.samples, signal, { loop: true }) : null;
  const machine = new SimMachine({ ramBytes: RAM_BYTES, trace: new Trace({ mask: 0, keep: 1 }) });
  const microphone = signal
    ? new ArraySource(leftOf(signal), { ...signal, channels: 1 }, { loop: true })
    : null;
  machine.plugIsa(simCard.create({ output: recorder, input, microphone }));
  const { platform } = machine;
  const bench = new IsaBench(
    {
      platform,
      isLineAsserted: (line) => platform.interrupts.isAsserted(line),
      configure: () => configure(machine, simCard),
    },
    simCard.resources,
  );
  return {
    bench,
    wiring,
    output: () => recorder.recording,
    wideOutput: () => recorder.wideRecording,
    powerOff: () => machine.dispose(),
  };
}

function leftOf({ samples, channels }: CardSignal): Int16Array {
  return samples.filter((_, index) => index % channels === 0);
}

/**
 * The bench for an ISA card model. Time is virtual: a test of seconds takes as long as the model does. What the card plays at another rate
 * than the recorder's is recorded as a recorder's own converter would hold it.
 */
export function isaSimCardFactory(simCard: IsaSimCard): CardFactory<IsaCardUnderTest> {
  const on = (wiring: CardWiring) => Promise.resolve(powerOn(simCard, wiring));
  return async (wiring = {}) =>
    new SwitchedIsaCard(
      { machine: 'sim', realTime: false, description: `Miniport's model of the ${simCard.name}` },
      on,
      await on(wiring),
    );
}
