import { type Command, Option } from 'commander';
import {
  MidiClient,
  type MidiEndpoint,
  type MidiOutStream,
  type MidiScore,
  readMidiFile,
  type TimedMidi,
  writeMidiFile,
} from '../../client/index.ts';
import { MIDI_BYTE_TICKS, type MidiByte, MidiMemorySink } from '../../hardware/midi-memory.ts';
import { TICKS_PER_MILLISECOND, TICKS_PER_SECOND } from '../../kernel/index.ts';
import { CliError, ExitCode } from '../cli-error.ts';
import { FileByteSink, FileByteSource, requireOtherFile } from '../files.ts';
import { onInterrupt } from '../interrupt.ts';
import { LivePlayer } from '../live-player.ts';
import { formatMidiReport, type MidiReport } from '../midi-report.ts';
import { collect } from '../options.ts';
import { clockText, Progress } from '../progress.ts';
import { QemuRecording } from '../qemu-recording.ts';
import { RecordingSink } from '../recording-sink.ts';
import { findingTexts } from '../report.ts';
import { runStream } from '../run-loop.ts';
import { MACHINE_NAMES, type MachineName, requireCard, Session } from '../session.ts';

type Synth = 'fm' | 'uart';

interface MidiOptions {
  /** What {@link cardOf} says unless given. */
  readonly card?: string;
  readonly machine: MachineName;
  readonly synth?: Synth;
  readonly out?: string;
  readonly live?: boolean;
  readonly set: readonly string[];
  readonly trace?: string;
  readonly json?: boolean;
}

/** What dies away after the last event is played, too. */
const FM_TAIL_TICKS = TICKS_PER_SECOND;
/** After the end the interface still has a byte or two on their way to the connector. */
const WIRE_TAIL_TICKS = 5 * TICKS_PER_MILLISECOND;

export function addMidiCommand(program: Command): void {
  program
    .command('midi')
    .description(
      'play a standard MIDI file through an adapter driver: on the FM synthesizer, or out of the MIDI connector',
    )
    .argument('<file.mid>', 'MIDI file of format 0 or 1; - reads standard input')
    .option('--card <name>', 'sound card (see: miniport cards; default: sb16, on qemu adlib)')
    .addOption(
      new Option(
        '--machine <machine>',
        'where the card is: sim (in this process, as fast as possible) or qemu (real time)',
      )
        .choices(MACHINE_NAMES)
        .default('sim'),
    )
    .addOption(
      new Option(
        '--synth <synth>',
        "what plays: the card's FM synthesizer, or whatever is at its MIDI connector (default: fm, or by --out)",
      ).choices(['fm', 'uart']),
    )
    .option(
      '--out <file>',
      'fm: record the sound (out.wav); uart: the bytes as they left the connector, with their times (out.mid)',
    )
    .option('--live', "fm: let the system's player play the sound as it is made")
    .option(
      '--set <control=value>',
      'set a control before the run; may be repeated (see: miniport control)',
      collect,
      [],
    )
    .option('--trace <file>', 'write the timeline of the run to a file (see: miniport trace)')
    .option('--json', 'print the report as JSON')
    .addHelpText(
      'after',
      `
Examples:
  miniport midi song.mid --out song.wav           play on the OPL3 and record
  miniport midi song.mid --live                   listen
  miniport midi song.mid --synth uart --out out.mid   what an instrument at the MIDI connector would have heard
  miniport midi song.mid --card adlib --out song.wav  play on the nine voices of an OPL2
  miniport midi song.mid --machine qemu --out song.wav   the same on QEMU's AdLib card

Exit codes: 0 all right; 1 findings or something left behind; 2 bad arguments or file;
3 the driver brought its machine down (bugcheck); 4 QEMU or a player is missing; 130 Ctrl-C.`,
    )
    .action(async (file: string, options: MidiOptions) => {
      const score = readMidiFile(readWhole(file, options));
      for (const warning of score.warnings) console.error(`Warning: ${file}: ${warning}.`);
      const report = await playMidi(score, options, `midi ${file}`);
      process.stdout.write(
        options.json === true ? `${JSON.stringify(report, null, 2)}\n` : formatMidiReport(report),
      );
      if (report.interrupted) process.exitCode = ExitCode.interrupted;
      else if (report.findings.length > 0 || report.leaks !== '') process.exitCode = ExitCode.failedChecks;
    });
}

/** A pipe is read in pieces of this size. */
const PIECE_BYTES = 65_536;

/** The whole file, or all of standard input. @throws CliError when it cannot be read */
function readWhole(path: string, { out, trace }: MidiOptions): Uint8Array {
  const source = new FileByteSource(path);
  try {
    requireOtherFile(source, out, '--out');
    requireOtherFile(source, trace, '--trace');
    const pieces: Uint8Array[] = [];
    let length = 0;
    for (;;) {
      const piece = new Uint8Array(PIECE_BYTES);
      const count = source.read(length, piece, 0, PIECE_BYTES);
      if (count === 0) break;
      pieces.push(piece.subarray(0, count));
      length += count;
    }
    return Buffer.concat(pieces);
  } finally {
    source.close();
  }
}

/** `--synth`, or what the output file's name says. @throws CliError when the two contradict each other */
function synthOf({ synth, out, live }: MidiOptions): Synth {
  const name = out?.toLowerCase() ?? '';
  const isMidi = name.endsWith('.mid') || name.endsWith('.midi');
  const chosen = synth ?? (isMidi ? 'uart' : 'fm');
  if (chosen === 'fm' && isMidi)
    throw new CliError(
      `The FM synthesizer makes sound: --out must be a WAV file. For ${out}, choose --synth uart.`,
    );
  if (chosen === 'uart' && name.endsWith('.wav'))
    throw new CliError(
      `The MIDI connector makes no sound: --out must be a MIDI file. For ${out}, choose --synth fm.`,
    );
  if (chosen === 'uart' && live === true)
    throw new CliError(
      '--live plays sound, and the MIDI connector makes none. Leave it out, or choose --synth fm.',
    );
  return chosen;
}

/** QEMU's only card with something for MIDI in it is the AdLib. */
function cardOf({ card, machine }: MidiOptions): string {
  return card ?? (machine === 'qemu' ? 'adlib' : 'sb16');
}

/** QEMU's AdLib mixes at this rate. */
const QEMU_FM_RATE = 44_100;

function endpointFor(midi: MidiClient, synth: Synth, card: string, machine: MachineName): MidiEndpoint {
  const found = midi
    .endpoints()
    .find(
      ({ direction, technology }) => direction === 'out' && (technology === 'port') === (synth === 'uart'),
    );
  if (found !== undefined) return found;
  throw new CliError(
    `The driver of '${card}' has ${machine === 'qemu' ? 'found ' : ''}no ${synth === 'fm' ? 'FM synthesizer' : 'MIDI port'}` +
      `${machine === 'qemu' ? " on QEMU's card" : ''}. Choose another --synth or --card (see: miniport cards).`,
  );
}

/** Plays a piece through the card; the machine is gone afterwards. */
export async function playMidi(score: MidiScore, options: MidiOptions, command: string): Promise<MidiReport> {
  const synth = synthOf(options);
  const onQemu = options.machine === 'qemu';
  if (onQemu && options.live === true)
    throw new CliError('--live works on --machine sim; QEMU records to a file (--out) in real time.');
  const card = cardOf(options);
  requireCard(card);
  const player = options.live === true ? new LivePlayer() : null;
  const sound = synth === 'fm' && !onQemu ? new RecordingSink(options.out ?? null, player) : null;
  const recording =
    synth === 'fm' && onQemu && options.out !== undefined ? new QemuRecording(options.out) : null;
  const connector = new MidiMemorySink();
  // Opened now: a path that cannot be written is found before anything plays.
  const midiFile = synth === 'uart' && options.out !== undefined ? new FileByteSink(options.out) : null;
  const discard = () => {
    sound?.discard();
    recording?.discard();
    midiFile?.discard();
  };
  const session = await Session.open(
    { machine: options.machine, card, ...(options.trace === undefined ? {} : { trace: options.trace }) },
    {
      wiring: { ...(sound ? { output: sound } : {}), midiOut: connector },
      ...(recording ? { qemuAudio: { output: { path: recording.path, sampleRate: QEMU_FM_RATE } } } : {}),
      command,
    },
  ).catch((error: unknown) => {
    discard();
    throw error;
  });
  const interrupt = onInterrupt();
  let report: Omit<MidiReport, 'leaks' | 'output'>;
  let leaks = '';
  let finished = false;
  try {
    session.applySettings(options.set);
    const midi = new MidiClient(session.kernel, session.audio.process);
    const endpoint = endpointFor(midi, synth, card, options.machine);
    const stream = midi.openOut(endpoint, {
      events: score.events,
      duration100ns: score.duration100ns + (synth === 'fm' ? FM_TAIL_TICKS : WIRE_TAIL_TICKS),
    });
    const run = await runMidi(session, stream, score, {
      player,
      signal: interrupt.signal,
      quiet: options.json === true,
    });
    if (stream.error) throw stream.error;
    const statistics = stream.statistics();
    report = {
      card: session.card.name,
      machine: session.machine.platform.name,
      endpoint: endpoint.name,
      synth,
      file: `format ${score.format}, ${score.tracks} track${score.tracks === 1 ? '' : 's'}, ${score.timing}, ${clockText(score.duration100ns / TICKS_PER_SECOND)}`,
      events: statistics.events,
      eventsInFile: score.events.length,
      notes: score.notes,
      voicesStolen: midi.synthStatistics(endpoint)?.lostNotes ?? null,
      latenessMs:
        synth === 'uart'
          ? latenessAtConnector(score.events, connector.recorded, run.startTick)
          : { ...statistics.latenessMs, measuredAt: 'driver', beyondWire: null },
      durationSeconds: Math.min(score.duration100ns, statistics.position100ns) / TICKS_PER_SECOND,
      machineSeconds: run.machineSeconds,
      realSeconds: run.realSeconds,
      timesRealTime: run.machineSeconds / run.realSeconds,
      interrupts: run.interrupts,
      warnings: score.warnings,
      findings: findingTexts(session),
      interrupted: interrupt.signal.aborted,
    };
    midi.close();
    if (midiFile !== null) {
      const bytes = writeMidiFile(timedBytes(connector.recorded, run.startTick));
      midiFile.write(0, bytes, 0, bytes.byteLength);
    }
    finished = true;
  } finally {
    interrupt.dispose();
    leaks = session.close();
    if (finished) {
      sound?.close();
      recording?.keep();
      midiFile?.close();
    } else discard();
    if (interrupt.signal.aborted) player?.kill();
  }
  await player?.finish();
  if (player?.failure)
    console.error(`Warning: ${player.failure}. Use --out FILE.wav and play that file instead.`);
  return { ...report, leaks, output: outputText(options, synth, sound, connector, player) };
}

async function runMidi(
  session: Session,
  stream: MidiOutStream,
  score: MidiScore,
  options: { readonly player: LivePlayer | null; readonly signal: AbortSignal; readonly quiet: boolean },
) {
  const { kernel } = session;
  const progress = new Progress('Playing', score.duration100ns / TICKS_PER_SECOND, !options.quiet);
  const interruptsBefore = session.interrupts;
  try {
    stream.start();
    const startTick = kernel.clock.now - stream.presentationTime100ns;
    const realSeconds = await runStream(session, stream, {
      player: options.player,
      signal: options.signal,
      onProgress: () => progress.update((kernel.clock.now - startTick) / TICKS_PER_SECOND),
    });
    const machineSeconds = (kernel.clock.now - startTick) / TICKS_PER_SECOND;
    return { startTick, realSeconds, machineSeconds, interrupts: session.interrupts - interruptsBefore };
  } finally {
    progress.stop();
  }
}

/**
 * How much later than due the first byte of each event left, and how much of that is more than a wire of 31,250 baud takes for what was
 * to go before. Bytes leave in the order of the events.
 */
function latenessAtConnector(
  events: readonly TimedMidi[],
  recorded: readonly MidiByte[],
  startTick: number,
): MidiReport['latenessMs'] {
  let index = 0;
  let wireFree = 0;
  let [max, sum, beyondWire, count] = [0, 0, 0, 0];
  for (const { time100ns, bytes } of events) {
    const left = recorded[index]?.startTick;
    if (left === undefined) break;
    const late = Math.max(0, left - startTick - time100ns) / TICKS_PER_MILLISECOND;
    const possible = Math.max(time100ns, wireFree);
    wireFree = possible + bytes.byteLength * MIDI_BYTE_TICKS;
    max = Math.max(max, late);
    sum += late;
    beyondWire = Math.max(beyondWire, (left - startTick - possible) / TICKS_PER_MILLISECOND);
    count++;
    index += bytes.byteLength;
  }
  return { max, mean: count === 0 ? 0 : sum / count, measuredAt: 'connector', beyondWire };
}

function timedBytes(recorded: readonly MidiByte[], startTick: number): TimedMidi[] {
  return recorded.map(({ byte, startTick: tick }) => ({
    time100ns: Math.max(0, tick - startTick),
    bytes: Uint8Array.of(byte),
  }));
}

function outputText(
  { out }: MidiOptions,
  synth: Synth,
  sound: RecordingSink | null,
  connector: MidiMemorySink,
  player: LivePlayer | null,
): string | null {
  const parts: string[] = [];
  if (out !== undefined && synth === 'uart')
    parts.push(`${out} (${connector.length} bytes at the connector)`);
  else if (out !== undefined) {
    const recorded = sound?.format
      ? ` (${(sound.frames / sound.format.sampleRate).toFixed(3)} s at ${sound.format.sampleRate} Hz)`
      : '';
    parts.push(`${out}${recorded}`);
  }
  if (player) parts.push(`live through ${player.name}`);
  return parts.length === 0 ? null : parts.join('; ');
}
