import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { MidiClient, type TimedMidi } from '../../src/client/index.ts';
import { type DriverPackage, formatLeakReport, TICKS_PER_SECOND } from '../../src/kernel/index.ts';
import { QEMU_AUDIO_ID, QemuMachine } from '../../src/machines/qemu/index.ts';
import {
  CLSID_MiniportDriverFmSynth,
  CLSID_PortMidi,
  pcAddAdapterDevice,
  pcInitializeAdapterDriver,
  pcNewMiniport,
  pcNewPort,
  pcRegisterSubdevice,
} from '../../src/portcls/index.ts';
import { amplitudeAt } from '../support/midi-bench.ts';
import { describeWithQemu } from '../support/with-qemu.ts';

const RATE = 44_100;
const WAV_HEAD_BYTES = 44;

/** An adapter driver with the FM synthesizer of PortCls and nothing else. */
const adlib: DriverPackage = {
  name: 'adlib',
  hardwareIds: ['*PNPB020'],
  driverEntry: (driverObject, registryPath) =>
    pcInitializeAdapterDriver(driverObject, registryPath, (driver, pdo) =>
      pcAddAdapterDevice(
        driver,
        pdo,
        (deviceObject, irp, list) => {
          using port = pcNewPort(CLSID_PortMidi);
          using miniport = pcNewMiniport(CLSID_MiniportDriverFmSynth);
          port.init(deviceObject, irp, miniport, null, list);
          pcRegisterSubdevice(deviceObject, 'FMSynth', port);
        },
        1,
        0,
      ),
    ),
};

const at = (ms: number, ...bytes: number[]): TimedMidi => ({
  time100ns: ms * 10_000,
  bytes: Uint8Array.from(bytes),
});

/** The left side of a 16-bit stereo WAV file, from its first sound on. */
function soundOf(path: string): Float64Array {
  const bytes = readFileSync(path).subarray(WAV_HEAD_BYTES);
  const left = Float64Array.from(
    { length: bytes.length >> 2 },
    (_, frame) => bytes.readInt16LE(frame * 4) / 32_768,
  );
  const first = left.findIndex((sample) => Math.abs(sample) > 0.005);
  return first < 0 ? new Float64Array(0) : left.subarray(first);
}

describeWithQemu("the FM synthesizer miniport on QEMU's adlib", () => {
  it('finds an OPL2 behind the status bits of an OPL3, and plays notes at their pitch', {
    timeout: 60_000,
  }, async () => {
    const machine = await QemuMachine.launch({
      deviceArguments: ['-device', `adlib,audiodev=${QEMU_AUDIO_ID}`],
      isaDevices: [
        {
          busDevice: 'isa:adlib',
          hardwareIds: ['*PNPB020'],
          description: "QEMU's AdLib",
          resources: [{ type: 'Port', start: 0x388, length: 4 }],
        },
      ],
      audio: { output: { sampleRate: RATE } },
    });
    let sound: Float64Array = new Float64Array(0);
    try {
      machine.installDriver(adlib);
      machine.start();
      const midi = new MidiClient(machine.kernel);
      // Ten notes at once: nine sound, one is given up.
      const chord = Array.from({ length: 10 }, (_, index) => at(1100, 0x90, 40 + index, 1));
      const stream = midi.openOut(midi.endpoint('out'), {
        events: [
          at(0, 0xc0, 80),
          at(50, 0x90, 69, 127),
          at(550, 0x80, 69, 0),
          at(600, 0x90, 72, 127),
          at(1050, 0x80, 72, 0),
          ...chord,
        ],
        duration100ns: 13_000_000,
      });
      stream.start();
      machine.runUntil(() => stream.ended, machine.kernel.clock.now + 30 * TICKS_PER_SECOND);
      expect(stream.error).toBe(null);
      expect(stream.state).toBe('ended');
      expect(midi.synthStatistics(stream.endpoint)?.lostNotes).toBeGreaterThanOrEqual(1);
      midi.close();
      expect(machine.trace.findings.map(({ text }) => text)).toEqual([]);
      sound = soundOf(machine.recordingPath ?? '');
    } finally {
      expect(formatLeakReport(machine.dispose())).toBe('');
    }
    // Real time wanders: the pieces keep well away from the ends of the notes.
    const loudest = (fromMs: number, toMs: number) => {
      const piece = sound.subarray((fromMs * RATE) / 1000, (toMs * RATE) / 1000);
      const keys = Array.from({ length: 13 }, (_, index) => 64 + index);
      const heard = keys.map((key) => amplitudeAt(piece, 440 * 2 ** ((key - 69) / 12), RATE));
      return keys[heard.indexOf(Math.max(...heard))];
    };
    expect(loudest(150, 350)).toBe(69);
    expect(loudest(700, 900)).toBe(72);
  });
});
