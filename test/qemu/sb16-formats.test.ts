import { afterAll, expect, test } from 'vitest';
import { findCard } from '../../src/catalog.ts';
import { AudioClient, audioFormat, MemoryPcmReader } from '../../src/client/index.ts';
import { formatLeakReport, TICKS_PER_SECOND } from '../../src/kernel/index.ts';
import { QEMU_AUDIO_ID, QemuMachine } from '../../src/machines/qemu/index.ts';
import { bytesOf, noise } from '../support/ac97-bench.ts';
import { readWav, TemporaryFolder } from '../support/cli.ts';
import { describeWithQemu } from '../support/with-qemu.ts';

const folder = new TemporaryFolder();
afterAll(() => folder[Symbol.dispose]());

/** QEMU takes 127 for the middle of unsigned bytes, so that FFh wraps round and silence, 80h, is heard as this. */
const SILENCE_OF_8_BITS = 256;

/** What QEMU's mixer makes of a stream's bytes: 16 bits, both sides. */
function atTheJack(samples: Int16Array, channels: number, bits: 8 | 16): Int16Array {
  const values =
    bits === 16
      ? samples
      : Int16Array.from(bytesOf(samples), (byte) => ((byte - 128) << 8) + SILENCE_OF_8_BITS);
  return channels === 2
    ? values
    : Int16Array.from({ length: values.length * 2 }, (_, at) => values[at >> 1] as number);
}

// The driver's lead is short against the stalls of a busy computer, hence the retries.
describeWithQemu('the Sound Blaster 16 driver on QEMU plays bit by bit', () => {
  test.each([
    [44_100, 2, 8],
    [44_100, 1, 16],
    [22_050, 1, 8],
    [22_050, 1, 16],
    [11_025, 2, 8],
    [11_025, 1, 8],
    [8_000, 2, 16],
    [5_000, 1, 16],
  ] as const)(
    '%i Hz, %i channels, %i bits',
    { timeout: 60_000, retry: 3 },
    async (sampleRate, channels, containerBits) => {
      const card = findCard('sb16');
      if (!card?.qemu?.legacyDevice) throw new Error('no sb16');
      const path = folder.file(`${sampleRate}-${channels}-${containerBits}.wav`);
      const machine = await QemuMachine.launch({
        deviceArguments: ['-device', `sb16,audiodev=${QEMU_AUDIO_ID}`],
        isaDevices: [card.qemu.legacyDevice],
        audio: { output: { path, sampleRate } },
      });
      const format = audioFormat({ sampleRate, channels, containerBits });
      // Not one sample of silence, so that sound can be told from it.
      const samples = noise(Math.round((sampleRate * channels * containerBits) / 16) & ~3).map(
        (value) => value | 0x0101,
      );
      try {
        machine.installDriver(card.driver);
        machine.start();
        const audio = new AudioClient(machine.kernel);
        const stream = audio.openRender(audio.endpoint('render'), {
          source: new MemoryPcmReader(format, bytesOf(samples)),
          format,
          bufferMs: 400,
        });
        stream.start();
        machine.runUntil(() => stream.ended, machine.kernel.clock.now + 30 * TICKS_PER_SECOND);
        expect(stream.error).toBe(null);
        expect(stream.statistics().glitches).toBe(0);
        audio.close();
        expect(machine.trace.findings.map(({ text }) => text)).toEqual([]);
      } finally {
        expect(formatLeakReport(machine.dispose())).toBe('');
      }
      const expected = atTheJack(samples, channels, containerBits);
      const recording = readWav(path).samples;
      const start = recording.findIndex((sample) => sample !== 0 && sample !== SILENCE_OF_8_BITS);
      const sound = recording.subarray(start, start + expected.length);
      const wrong = expected.findIndex((sample, at) => sample !== sound[at]);
      expect(
        wrong < 0
          ? 'the same'
          : `sample ${wrong}: ${sound.subarray(wrong, wrong + 8)} instead of ${expected.subarray(wrong, wrong + 8)}`,
      ).toBe('the same');
      const after = recording.subarray(start + expected.length);
      expect(after.every((sample) => sample === 0 || sample === SILENCE_OF_8_BITS)).toBe(true);
    },
  );
});
