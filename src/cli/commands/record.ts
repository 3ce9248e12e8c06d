import type { Command } from 'commander';
import { Option } from 'commander';
import type { CardWiring, CatalogCard } from '../../catalog.ts';
import {
  type AudioClient,
  type AudioFormat,
  audioFormat,
  type Endpoint,
  formatToString,
  frameBytes,
  keepsEveryBit,
  MemoryPcmWriter,
  Pipeline,
  WavReader,
  WavWriter,
} from '../../client/index.ts';
import type { QemuAudio } from '../../machines/qemu/index.ts';
import { CliError } from '../cli-error.ts';
import { FileSignal } from '../file-signal.ts';
import { FileByteSink, FileByteSource, requireOtherFile } from '../files.ts';
import { onInterrupt } from '../interrupt.ts';
import { bufferMsOf, numberBetween, type StreamCommandOptions, withStreamOptions } from '../options.ts';
import { Progress } from '../progress.ts';
import { type StreamReport, streamReport } from '../report.ts';
import { runStream } from '../run-loop.ts';
import { requireChosenCard, Session } from '../session.ts';
import { conversionText, endJacks, finish, qemuRate } from './play.ts';

interface RecordOptions extends StreamCommandOptions {
  readonly in: string;
  readonly seconds: number;
  readonly out: string;
  readonly pin: 'mic' | 'line';
}

/** Categories of the bridge pins that `--pin` names. */
const PIN_CATEGORIES: Readonly<Record<RecordOptions['pin'], string>> = {
  mic: 'KSNODETYPE_MICROPHONE',
  line: 'KSNODETYPE_LINE_CONNECTOR',
};
const LONGEST_SECONDS = 24 * 3600;

export function addRecordCommand(program: Command): void {
  withStreamOptions(
    program
      .command('record')
      .description('put a WAV file on an input jack of the card and record it through the driver'),
  )
    .requiredOption('--in <source.wav>', 'what sounds at the jack')
    .requiredOption('--seconds <n>', 'how long to record', numberBetween(0.001, LONGEST_SECONDS, 'seconds'))
    .requiredOption('--out <out.wav>', 'file to record to')
    .addOption(new Option('--pin <jack>', 'input jack').choices(['mic', 'line']).default('line'))
    .addHelpText(
      'after',
      `
Examples:
  miniport record --in voice.wav --seconds 5 --out take.wav --pin mic
  miniport record --in song.wav --seconds 10 --out take.wav --mode event --buffer-ms 10`,
    )
    .action(async (options: RecordOptions) => {
      const input = new FileByteSource(options.in);
      try {
        requireOtherFile(input, options.out, '--out');
        requireOtherFile(input, options.trace, '--trace');
        const reader = new WavReader(input);
        for (const warning of reader.warnings) console.error(`Warning: ${options.in}: ${warning}`);
        const report = await record(reader, options);
        finish(report, options.json === true, 'Recorded');
      } finally {
        input.close();
      }
    });
}

function captureEndpoint(audio: AudioClient, options: RecordOptions): Endpoint {
  if (options.endpoint !== undefined) return audio.endpoint('capture', options.endpoint);
  const wanted = PIN_CATEGORIES[options.pin];
  const found = audio
    .endpoints()
    .find(({ direction, category }) => direction === 'capture' && category === wanted);
  if (found) return found;
  const names = audio
    .endpoints()
    .filter(({ direction }) => direction === 'capture')
    .map(({ name }) => `'${name}'`);
  throw new CliError(
    `The card '${options.card}' has no ${options.pin} input. Its inputs: ${names.join(', ') || 'none'}.`,
  );
}

/** The file is at the jack that `--pin` names; at every one when an endpoint is named, of which the driver hears that one's. */
function inputWiring({ pin, endpoint }: RecordOptions, signal: FileSignal): CardWiring {
  if (endpoint !== undefined) return { lineIn: signal, micIn: signal, otherInput: () => signal };
  return pin === 'mic' ? { micIn: signal } : { lineIn: signal };
}

/** The source's rate and channels, at 16 bits; at the source's where the card's converter gives more. */
function recordingFormat(source: AudioFormat, endpoint: Endpoint): AudioFormat {
  const { sampleRate, encoding, containerBits, validBits } = source;
  const layout = { sampleRate, channels: Math.min(source.channels, 2) };
  const widest = Math.max(...endpoint.formats.map(({ audio }) => audio?.maximumBits ?? 0));
  if (encoding === 'float' || validBits <= 16 || widest <= 16) return audioFormat(layout);
  return audioFormat({ ...layout, containerBits, validBits });
}

/** QEMU's capture back end takes 16-bit stereo at one rate: the source's own, within what the converter does. */
function qemuInput(card: CatalogCard, reader: WavReader, seconds: number): QemuAudio {
  const sampleRate = qemuRate(card, reader.format.sampleRate);
  const pipeline = new Pipeline(reader, audioFormat({ sampleRate }));
  const writer = new MemoryPcmWriter(pipeline.format);
  const block = new Uint8Array(65_536);
  for (let left = Math.ceil(seconds * sampleRate) * frameBytes(pipeline.format); left > 0; ) {
    const got = pipeline.read(block, 0, Math.min(left, block.byteLength));
    if (got === 0) break;
    writer.write(block, 0, got);
    left -= got;
  }
  return { input: { pcm: writer.bytes, sampleRate } };
}

async function record(reader: WavReader, options: RecordOptions): Promise<StreamReport> {
  const onQemu = options.machine === 'qemu';
  const card = requireChosenCard(options);
  if (onQemu && options.pin === 'mic' && card.name === 'ac97') {
    throw new CliError(
      "QEMU's AC97 feeds stereo into the microphone's engine, which is mono by the datasheet: use --pin line, or --machine sim.",
    );
  }
  const outFile = new FileByteSink(options.out);
  const signal = new FileSignal(reader);
  const session = await Session.open(options, {
    wiring: inputWiring(options, signal),
    ...(onQemu ? { qemuAudio: qemuInput(card, reader, options.seconds) } : {}),
    command: `record --in ${options.in}`,
  }).catch((error: unknown) => {
    outFile.discard();
    throw error;
  });
  const interrupt = onInterrupt();
  let report: Omit<StreamReport, 'leaks'>;
  let leaks = '';
  let started = false;
  let writer: WavWriter | null = null;
  try {
    const { audio, kernel } = session;
    session.applySettings(options.set);
    const endpoint = captureEndpoint(audio, options);
    const format = recordingFormat(reader.format, endpoint);
    writer = new WavWriter(outFile, format);
    const stream = audio.openCapture(endpoint, {
      sink: writer,
      frames: Math.round(options.seconds * format.sampleRate),
      bufferMs: bufferMsOf(options),
      mode: options.mode,
      ...(options.volume === undefined ? {} : { volumeDb: options.volume }),
    });
    const progress = new Progress('Recording', options.seconds, options.json !== true);
    const startTick = kernel.clock.now;
    const interruptsBefore = session.interrupts;
    let realSeconds: number;
    try {
      stream.start();
      started = true;
      session.jacks.start();
      realSeconds = await runStream(session, stream, {
        signal: interrupt.signal,
        onProgress: () => progress.update(stream.statistics().positionFrames / stream.format.sampleRate),
      });
    } finally {
      progress.stop();
    }
    endJacks(session);
    if (stream.error) throw stream.error;
    report = streamReport(session, stream, {
      fileFormat: formatToString(reader.format),
      conversion: conversionText(audio.describeConversion(stream, format), stream.format, format),
      bitExact: keepsEveryBit(stream.format, format),
      startTick,
      endTick: kernel.clock.now,
      realSeconds,
      interrupts: session.interrupts - interruptsBefore,
      interrupted: interrupt.signal.aborted,
      output: options.out,
    });
    stream.close();
  } finally {
    interrupt.dispose();
    leaks = session.close();
    if (started) {
      writer?.end();
      outFile.close();
    } else outFile.discard();
  }
  return { ...report, leaks };
}
