import { Trace } from '../kernel/index.ts';
import { findQemu, QEMU_AUDIO_ID, QemuMachine } from '../machines/qemu/index.ts';
import type { CardFactory, CardWiring } from './card-under-test.ts';
import { PciBench } from './pci-bench.ts';
import { PciCardUnderTest } from './pci-card.ts';
import { GrowingRecording, qemuJacks } from './qemu-jacks.node.ts';
import type { PoweredCard } from './switched-card.ts';

const SLOT = 5;
const BUS_DEVICE = 'pci:00:05.0';
const RAM_BYTES = 16 * 1024 * 1024;
const DEFAULT_OUTPUT_RATE = 48_000;

async function powerOn(qemuDevice: string, wiring: CardWiring): Promise<PoweredCard<PciBench>> {
  const sampleRate = wiring.outputRate ?? DEFAULT_OUTPUT_RATE;
  const machine = await QemuMachine.launch({
    deviceArguments: ['-device', `${qemuDevice},audiodev=${QEMU_AUDIO_ID},addr=${SLOT}`],
    audio: qemuJacks(wiring, sampleRate),
    ramBytes: RAM_BYTES,
    trace: new Trace({ mask: 0, keep: 1 }),
  });
  try {
    const recording = new GrowingRecording(machine.recordingPath, sampleRate);
    const bench = new PciBench(
      { platform: machine.platform, config: machine.pciBus.config },
      SLOT,
      BUS_DEVICE,
    );
    return { bench, wiring, output: () => recording.read(), powerOff: () => machine.dispose() };
  } catch (error) {
    machine.dispose();
    throw error;
  }
}

/**
 * The bench for a card of QEMU, by its `-device` name. Time is the computer's own. With an input signal the output is not recorded.
 * @throws QemuError when QEMU is missing, too old or does not start
 */
export function qemuCardFactory(qemuDevice: string): CardFactory {
  const on = (wiring: CardWiring) => powerOn(qemuDevice, wiring);
  return async (wiring = {}) =>
    new PciCardUnderTest(
      { machine: 'qemu', realTime: true, description: `the ${qemuDevice} of QEMU ${findQemu().version}` },
      on,
      await on(wiring),
    );
}
