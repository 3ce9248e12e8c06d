import { Trace } from '../kernel/index.ts';
import { findQemu, QEMU_AUDIO_ID, QemuMachine } from '../machines/qemu/index.ts';
import type { CardFactory, CardWiring } from './card-under-test.ts';
import { PciBench } from './pci-bench.ts';
import { PciCardUnderTest, type QemuPciCard } from './pci-card.ts';
import { GrowingRecording, qemuJacks } from './qemu-jacks.node.ts';
import type { PoweredCard } from './switched-card.ts';

const SLOT = 5;
const BUS_DEVICE = 'pci:00:05.0';
const RAM_BYTES = 16 * 1024 * 1024;
const DEFAULT_OUTPUT_RATE = 48_000;

/** The card goes to {@link SLOT}; the sound back end belongs to the card, or to the last device on its own bus. */
function deviceArguments(card: QemuPciCard): readonly string[] {
  const audio = `audiodev=${QEMU_AUDIO_ID}`;
  const place = `addr=${SLOT}`;
  if (typeof card === 'string') return ['-device', `${card},${audio},${place}`];
  return ['-device', `${card.controller},${place}`, '-device', `${card.device},${audio}`];
}

function nameOf(card: QemuPciCard): string {
  return typeof card === 'string' ? card : `${card.controller} with ${card.device}`;
}

async function powerOn(
  card: QemuPciCard,
  wiring: CardWiring,
  outputRate: number,
): Promise<PoweredCard<PciBench>> {
  const sampleRate = wiring.outputRate ?? outputRate;
  const machine = await QemuMachine.launch({
    deviceArguments: deviceArguments(card),
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
 * The bench for a card of QEMU. Time is the computer's own. With an input signal the output is not recorded. `outputRate` is that of the
 * recorder unless the wiring says otherwise.
 * @throws QemuError when QEMU is missing, too old or does not start
 */
export function qemuCardFactory(card: QemuPciCard, outputRate = DEFAULT_OUTPUT_RATE): CardFactory {
  const on = (wiring: CardWiring) => powerOn(card, wiring, outputRate);
  return async (wiring = {}) =>
    new PciCardUnderTest(
      { machine: 'qemu', realTime: true, description: `the ${nameOf(card)} of QEMU ${findQemu().version}` },
      on,
      await on(wiring),
    );
}
