import type { Command } from 'commander';
import type { CatalogCard } from '../../catalog.ts';
import {
  type AudioFormat,
  audioFormat,
  formatToString,
  keepsEveryBit,
  MemoryPcmReader,
  type PcmReader,
  WavReader,
} from '../../client/index.ts';
import { TICKS_PER_MILLISECOND } from '../../kernel/index.ts';
import type { QemuAudio } from '../../machines/qemu/index.ts';
import { CliError, ExitCode } from '../cli-error.ts';
import { FileByteSource, requireOtherFile } from '../files.ts';
import { onInterrupt } from '../interrupt.ts';
import { findPlayer, LivePlayer, PLAYER_NAMES } from '../live-player.ts';
import { makeMusic } from '../music.ts';
import { bufferMsOf, type StreamCommandOptions, withStreamOptions } from '../options.ts';
import { OutputChoice } from '../output-choice.ts';
import { clockText, Progress } from '../progress.ts';
import { QemuRecording } from '../qemu-recording.ts';
import { RecordingSink } from '../recording-sink.ts';
import { formatReport, type StreamReport, streamReport } from '../report.ts';
import { runStream } from '../run-loop.ts';
import { requireChosenCard, Session } from '../session.ts';

interface PlayOptions extends StreamCommandOptions {
  readonly pin?: string;
  readonly out?: string;
  readonly live?: boolean;
}

export function addPlayCommand(program: Command): void {
  withStreamOptions(
    program
      .command('play')
      .description('play a WAV file through an adapter driver and its card, and record what the DAC puts out')
      .argument('<file.wav>', 'WAV file, RF64 too; - reads standard input'),
  )
    .option('--pin <name>', "one of the endpoint's pins, by name or number (default: the first that is free)")
    .option('--out <out.wav>', "record the card's output to this file")
    .option('--live', "let the system's player play the card's output as it is made")
    .addHelpText(
      'after',
      `
Examples:
  miniport play song.wav --out out.wav            play as fast as the computer can, and record
  miniport play song.wav --live                   listen to what the card plays
  miniport play song.wav --mode event --buffer-ms 10 --trace run.trace
  miniport play song.wav --machine qemu --out out.wav
  miniport play surround.wav --card hda --out out.wav       5.1 and 7.1, 24 bits, up to 192 kHz
  miniport play song.wav --card hda --unplug front@1 --plug front@2

Exit codes: 0 all right; 1 glitches, findings or something left behind; 2 bad arguments or file;
3 the driver brought its machine down (bugcheck); 4 QEMU or a player is missing; 130 Ctrl-C.`,
    )
    .action(async (file: string, options: PlayOptions) => {
      const bytes = new FileByteSource(file);
      try {
        requireOtherFile(bytes, options.out, '--out');
        requireOtherFile(bytes, options.trace, '--trace');
        const reader = new WavReader(bytes);
        for (const warning of reader.warnings) console.error(`Warning: ${file}: ${warning}`);
        const report = await play(reader, options, `play ${file}`);
        finish(report, options.json === true, 'Played');
      } finally {
        bytes.close();
      }
    });
}

/** What comes of a hand at a jack takes a moment: the codec's word, the driver's event, the application's look. */
const JACK_TICKS = 20 * TICKS_PER_MILLISECOND;

/** The stream is over, and with it what was to happen at the jacks. */
export function endJacks({ jacks, machine, kernel }: Session): void {
  for (const option of jacks.stop())
    console.error(`Warning: ${option}: the stream was over before. Give an earlier time.`);
  const rest = jacks.lastTick + JACK_TICKS - kernel.clock.now;
  if (jacks.events.length > 0 && rest > 0 && kernel.stopped === null) machine.runFor(rest);
}

/** Prints the report and sets the exit code by it. */
export function finish(report: StreamReport, json: boolean, verb: 'Played' | 'Recorded'): void {
  process.stdout.write(json ? `${JSON.stringify(report, null, 2)}\n` : formatReport(report, verb));
  if (report.interrupted) process.exitCode = ExitCode.interrupted;
  else if (report.glitches > 0 || report.findings.length > 0 || report.leaks !== '')
    process.exitCode = ExitCode.failedChecks;
}

function fileText(reader: PcmReader): string {
  const { frameCount, format } = reader;
  const length = frameCount === null ? 'unknown length' : clockText(frameCount / format.sampleRate);
  return `${formatToString(format)}, ${length}`;
}

/** QEMU mixes to one fixed format: the stream's own rate, so that nothing is converted on the way. */
function qemuOutput(card: CatalogCard, path: string, format: AudioFormat): QemuAudio {
  return { output: { path, sampleRate: qemuRate(card, format.sampleRate) } };
}

/** The rate nearest to that one at which QEMU's card plays and records. */
export function qemuRate({ qemu }: CatalogCard, sampleRate: number): number {
  return Math.min(qemu?.highestRate ?? 48_000, Math.max(8_000, sampleRate));
}

/** Plays a source through the card; the machine is gone afterwards. */
export async function play(source: PcmReader, options: PlayOptions, command: string): Promise<StreamReport> {
  if (options.machine === 'qemu' && options.live === true) {
    throw new CliError('--live works on --machine sim; QEMU records to a file (--out) in real time.');
  }
  const card = requireChosenCard(options);
  const player = options.live === true ? new LivePlayer() : null;
  const onQemu = options.machine === 'qemu';
  const sink = onQemu ? null : new RecordingSink(options.out ?? null, player, source.format);
  const heard = sink ? new OutputChoice(sink) : null;
  const recording = onQemu && options.out !== undefined ? new QemuRecording(options.out) : null;
  const discard = () => {
    sink?.discard();
    recording?.discard();
  };
  const session = await Session.open(options, {
    ...(heard ? { wiring: { output: heard.main, otherOutput: (jack) => heard.other(jack) } } : {}),
    ...(recording ? { qemuAudio: qemuOutput(card, recording.path, source.format) } : {}),
    command,
  }).catch((error: unknown) => {
    discard();
    throw error;
  });
  const interrupt = onInterrupt();
  let report: Omit<StreamReport, 'leaks'>;
  let leaks = '';
  let started = false;
  try {
    const { audio, kernel } = session;
    session.applySettings(options.set);
    const endpoint = audio.endpoint('render', options.endpoint);
    heard?.choose(session.plugged?.outputs ?? [], endpoint);
    const stream = audio.openRender(endpoint, {
      source,
      bufferMs: bufferMsOf(options),
      mode: options.mode,
      ...(options.pin === undefined ? {} : { pin: options.pin }),
      ...(options.volume === undefined ? {} : { volumeDb: options.volume }),
    });
    const total = source.frameCount === null ? 0 : source.frameCount / source.format.sampleRate;
    const progress = new Progress('Playing', total, options.json !== true);
    const startTick = kernel.clock.now;
    const interruptsBefore = session.interrupts;
    let realSeconds: number;
    try {
      stream.start();
      started = true;
      session.jacks.start();
      realSeconds = await runStream(session, stream, {
        player,
        signal: interrupt.signal,
        onProgress: () => progress.update(stream.statistics().positionFrames / stream.format.sampleRate),
      });
    } finally {
      progress.stop();
    }
    endJacks(session);
    if (stream.error) throw stream.error;
    const conversion = audio.describeConversion(stream, source.format);
    report = streamReport(session, stream, {
      fileFormat: fileText(source),
      conversion: conversionText(conversion, stream.format, source.format),
      bitExact: keepsEveryBit(source.format, stream.format),
      startTick,
      endTick: kernel.clock.now,
      realSeconds,
      interrupts: session.interrupts - interruptsBefore,
      interrupted: interrupt.signal.aborted,
      output: outputText(options, sink, player),
    });
    stream.close();
  } finally {
    interrupt.dispose();
    leaks = session.close();
    if (started) {
      sink?.close();
      recording?.keep();
    } else discard();
    if (interrupt.signal.aborted) player?.kill();
  }
  await player?.finish();
  if (player?.failure)
    console.error(`Warning: ${player.failure}. Use --out FILE.wav and play that file instead.`);
  return { ...report, leaks };
}

/** `none` when stream and file have the same bytes. */
export function conversionText(description: string, stream: AudioFormat, file: AudioFormat): string {
  return formatToString(stream) === formatToString(file) ? 'none' : description;
}

function outputText(
  options: PlayOptions,
  sink: RecordingSink | null,
  player: LivePlayer | null,
): string | null {
  const parts: string[] = [];
  if (options.out !== undefined) {
    const recorded = sink?.format
      ? ` (${(sink.frames / sink.format.sampleRate).toFixed(3)} s of ${formatToString(sink.format)})`
      : '';
    parts.push(`${options.out}${recorded}`);
  }
  if (sink && sink.otherFormatFrames > 0)
    parts.push(`${sink.otherFormatFrames} frames at another rate, or in other channels, left out`);
  if (player) parts.push(`live through ${player.name}`);
  return parts.length === 0 ? null : parts.join('; ');
}

/** What `npm start` does with no argument: the project's own piece of music, live if the computer has a player, else to a file. */
export async function playDemo(): Promise<void> {
  const rate = 48_000;
  const samples = makeMusic(rate);
  const source = () =>
    new MemoryPcmReader(
      audioFormat({ sampleRate: rate }),
      new Uint8Array(samples.buffer, samples.byteOffset, samples.byteLength),
    );
  const options: PlayOptions = { card: 'ac97', machine: 'sim', mode: 'event', set: [], plug: [], unplug: [] };
  const player = process.env['CI'] ? null : findPlayer();
  console.log(
    "A short piece of music, made by this program, is played through an AC'97 adapter driver: application -> KS -> PortCls " +
      '(WaveRT) -> driver -> card registers -> DMA -> codec.\n',
  );
  const out = 'out.wav';
  const live = player !== null;
  if (!live) {
    const missing = `No player (${PLAYER_NAMES.join(', ')}) was found, so what the card played goes to ${out}.\n`;
    console.log(process.env['CI'] ? `What the card played goes to ${out}.\n` : missing);
  }
  const report = await play(
    source(),
    live ? { ...options, live: true, out } : { ...options, out },
    'play (the demo)',
  );
  finish(report, false, 'Played');
  console.log(`
What to try next:
  npm start -- play song.wav --out played.wav     your own file
  npm start -- endpoints                          what an application sees
  npm start -- inspect                            filters, pins, nodes, connections
  npm start -- play ${out} --trace run.trace && npm start -- trace run.trace --to 100ms
  npm start -- --help                             everything else`);
}
