import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { findCard } from '../../src/catalog.ts';
import { AudioClient, audioFormat, MemoryPcmReader } from '../../src/client/index.ts';
import { formatLeakReport, TICKS_PER_SECOND } from '../../src/kernel/index.ts';
import { QEMU_AUDIO_ID, QemuMachine } from '../../src/machines/qemu/index.ts';
import { bytesOf, noise } from '../support/ac97-bench.ts';
import { samplesOfWav } from '../support/driver-suite.ts';
import { unmix } from '../support/mix.ts';
import { describeWithQemu } from '../support/with-qemu.ts';

const RATE = 44_100;

describeWithQemu('all render pins at once on QEMU', () => {
  // Both voices go through QEMU's mixer, which saturates as the chip's codec does.
  test.each([2, 0])(
    'the ES1370’s two DACs are summed bit by bit, %i bits down',
    { retry: 2 },
    async (shift) => {
      const card = findCard('es1370');
      if (!card?.qemu) throw new Error('there is no ES1370');
      const folder = mkdtempSync(join(tmpdir(), 'miniport-multi-'));
      const path = join(folder, 'played.wav');
      const machine = await QemuMachine.launch({
        deviceArguments: ['-device', `${card.qemu.device},audiodev=${QEMU_AUDIO_ID}`],
        audio: { output: { path, sampleRate: RATE } },
      });
      try {
        machine.installDriver(card.driver);
        machine.start();
        const audio = new AudioClient(machine.kernel);
        const format = audioFormat({ sampleRate: RATE });
        const sounds = [noise(2 * RATE, 3), noise(2 * RATE, 77)].map((samples) =>
          samples.map((value) => (value >> shift) | 1),
        );
        const streams = sounds.map((samples) =>
          audio.openRender(audio.endpoint('render'), {
            source: new MemoryPcmReader(format, bytesOf(samples)),
            format,
            bufferMs: 300,
          }),
        );
        expect(streams.map(({ pinName }) => pinName)).toEqual(['Wave', 'Wave 2']);
        for (const stream of streams) stream.start();
        const ended = machine.runUntil(
          () => streams.every((stream) => stream.ended),
          machine.kernel.clock.now + 20 * TICKS_PER_SECOND,
        );
        expect(ended).toBe(true);
        for (const stream of streams) {
          expect(stream.error).toBe(null);
          expect(stream.statistics()).toMatchObject({ glitches: 0, positionFrames: RATE });
        }
        audio.close();
        expect(machine.trace.findings.map(({ text }) => text)).toEqual([]);
        expect(formatLeakReport(machine.dispose())).toBe('');
        const { difference, saturated } = unmix(samplesOfWav(path), sounds);
        expect(difference).toBe(null);
        expect(saturated > 0).toBe(shift === 0);
      } finally {
        machine.dispose();
        rmSync(folder, { recursive: true, force: true });
      }
    },
  );
});
