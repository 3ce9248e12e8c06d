import { appendFileSync, closeSync, openSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { QemuError } from './qemu-error.ts';

/** The `id` of the back end that {@link QemuAudio} makes: cards name it as `audiodev=snd`. */
export const QEMU_AUDIO_ID = 'snd';

const DEFAULT_RATE = 48_000;
const FRAME_BYTES = 4;

/** What is at the jacks of QEMU's card. */
export interface QemuAudio {
  /**
   * Recorded as a WAV file, which is complete when the machine has been disposed of. At the card's own rate it is exact to the bit.
   * Without a path it lies in the machine's directory ({@link QemuMachine.recordingPath}) and goes with it.
   */
  readonly output?: { readonly path?: string; readonly sampleRate?: number };
  /** What the recording inputs hear: 16-bit little-endian stereo. It begins when the card first records, then comes silence. */
  readonly input?: { readonly pcm: Uint8Array; readonly sampleRate?: number };
}

/** How QEMU gets its jacks. */
export interface PreparedQemuAudio {
  readonly deviceArguments: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
  /** Where the output is recorded, null when it is not. */
  readonly recordingPath: string | null;
}

/**
 * Prepares these jacks; files that QEMU needs for them are put into `directory`.
 * @throws QemuError when the recording cannot be written: QEMU itself would go on without
 */
export function prepareQemuAudio(audio: QemuAudio, directory: string): PreparedQemuAudio {
  const { output, input } = audio;
  const recordingPath = output === undefined ? null : (output.path ?? join(directory, 'output.wav'));
  if (recordingPath !== null) checkWritable(recordingPath);
  const outputRate = output?.sampleRate ?? DEFAULT_RATE;
  if (!input) {
    const driver =
      recordingPath === null
        ? `none,id=${QEMU_AUDIO_ID}`
        : `wav,id=${QEMU_AUDIO_ID},path=${escapeOption(recordingPath)},out.frequency=${outputRate}`;
    return { deviceArguments: ['-audiodev', driver], environment: {}, recordingPath };
  }
  // Of QEMU's back ends only ALSA can be fed from a file without a sound server: its library has a plug-in for that.
  const inputPath = join(directory, 'input.pcm');
  const inputRate = input.sampleRate ?? DEFAULT_RATE;
  writeFileSync(inputPath, input.pcm);
  // At the end of the file the plug-in leaves its buffer as it is, and repeats it: let that be silence.
  appendFileSync(inputPath, new Uint8Array(inputRate * FRAME_BYTES));
  const configPath = join(directory, 'asound.conf');
  writeFileSync(configPath, alsaConfiguration(inputPath, recordingPath));
  // A buffer of one timer period: the plug-in itself does not pace, so that this is what keeps the card at the speed of time.
  const pace = (side: 'in' | 'out', rate: number) =>
    `${side}.frequency=${rate},${side}.try-poll=off,${side}.buffer-length=10000,${side}.period-length=5000`;
  return {
    deviceArguments: [
      '-audiodev',
      `alsa,id=${QEMU_AUDIO_ID},timer-period=10000,in.dev=miniport_in,${pace('in', inputRate)},` +
        `out.dev=miniport_out,${pace('out', outputRate)}`,
    ],
    environment: { ALSA_CONFIG_PATH: configPath },
    recordingPath,
  };
}

function checkWritable(path: string): void {
  try {
    closeSync(openSync(path, 'w'));
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new QemuError(`The recording cannot be written to ${path}: ${why}`, { cause: error });
  }
}

/** A comma in a value of a QEMU option is written twice. */
function escapeOption(value: string): string {
  return value.replaceAll(',', ',,');
}

function alsaConfiguration(inputPath: string, outputPath: string | null): string {
  const output =
    outputPath === null
      ? 'type null'
      : `type file\n  slave.pcm { type null }\n  file ${quoted(outputPath)}\n  format "wav"`;
  return `pcm.miniport_in {
  type file
  slave.pcm { type null }
  file "/dev/null"
  infile ${quoted(inputPath)}
  format "raw"
}
pcm.miniport_out {
  ${output}
}
`;
}

function quoted(path: string): string {
  return `"${path.replaceAll('\\', '\\\\').replaceAll('"', '\\"')}"`;
}
