import { Trace } from '../kernel/index.ts';
import { findQemu, QEMU_AUDIO_ID, QemuMachine } from '../machines/qemu/index.ts';
import type { CardFactory, CardWiring, IsaCardUnderTest } from './card-under-test.ts';
import { IsaBench } from './isa-bench.ts';
import { type QemuIsaCard, SwitchedIsaCard } from './isa-card.ts';
import { GrowingRecording, qemuJacks } from './qemu-jacks.node.ts';
import type { PoweredCard } from './switched-card.ts';

const RAM_BYTES = 16 * 1024 * 1024;

async function powerOn(card: QemuIsaCard, wiring: CardWiring): Promise<PoweredCard<IsaBench>> {
  const sampleRate = wiring.outputRate ?? card.outputRate;
  const machine = await QemuMachine.launch({
    deviceArguments: ['-device', `${card.device},audiodev=${QEMU_AUDIO_ID}`],
    audio: qemuJacks(wiring, sampleRate),
    ramBytes: RAM_BYTES,
    trace: new Trace({ mask: 0, keep: 1 }),
  });
  try {
    const { platform } = machine;
    const recording = new GrowingRecording(machine.recordingPath, sampleRate);
    const bench = new IsaBench(
      {
        platform,
        isLineAsserted: (line) => platform.isInterruptAsserted(line),
        // QEMU's ISA cards have no Plug and Play: they are where their properties say.
        configure: () => {},
      },
      card.resources,
    );
    return { bench, wiring, output: () => recording.read(), powerOff: () => machine.dispose() };
  } catch (error) {
    machine.dispose();
    throw error;
  }
}

/**
 * The bench for an ISA card of QEMU. Time is the computer's own. With an input signal the output is not recorded.
 * @throws QemuError when QEMU is missing, too old or does not start
 */
export function isaQemuCardFactory(card: QemuIsaCard): CardFactory<IsaCardUnderTest> {
  const on = (wiring: CardWiring) => powerOn(card, wiring);
  return async (wiring = {}) =>
    new SwitchedIsaCard(
      { machine: 'qemu', realTime: true, description: `the ${card.device} of QEMU ${findQemu().version}` },
      on,
      await on(wiring),
    );
}
