import type { CardChoices } from '../catalog.ts';
import { formatToString, type Stream } from '../client/index.ts';
import { TICKS_PER_MILLISECOND, TICKS_PER_SECOND } from '../kernel/index.ts';
import type { JackEvent } from './jack-schedule.ts';
import type { Session } from './session.ts';

/** What `play` and `record` tell at the end; the JSON output is this object. */
export interface StreamReport {
  readonly card: string;
  /** What the card is made of, where that can be chosen: codec, controller. */
  readonly choices: CardChoices;
  readonly machine: string;
  readonly endpoint: string;
  readonly mode: string;
  readonly streamFormat: string;
  readonly fileFormat: string;
  /** What was done between file and stream, in words; `none` when every bit is the file's. */
  readonly conversion: string;
  /** Every bit of the file's samples is in the stream, even if in larger containers. */
  readonly bitExact: boolean;
  readonly bufferMs: number;
  readonly frames: number;
  readonly durationSeconds: number;
  /** Machine time from start to the end of the stream. */
  readonly machineSeconds: number;
  readonly realSeconds: number;
  readonly timesRealTime: number;
  readonly interrupts: number;
  readonly wakeUps: number;
  readonly glitches: number;
  readonly glitchFrames: number;
  /** Largest and root-mean-square distance of the reported position from the clock. */
  readonly positionErrorMs: { readonly max: number; readonly rms: number };
  readonly measuredRateHz: number;
  /** What was plugged and unplugged, and what the driver told of it. */
  readonly jackEvents: readonly JackEvent[];
  readonly findings: readonly string[];
  readonly leaks: string;
  readonly interrupted: boolean;
  readonly output: string | null;
}

export interface ReportFacts {
  readonly fileFormat: string;
  readonly conversion: string;
  readonly bitExact: boolean;
  readonly startTick: number;
  readonly endTick: number;
  readonly realSeconds: number;
  readonly interrupts: number;
  readonly interrupted: boolean;
  readonly output: string | null;
}

/** `hda (codec desktop, controller ich6)`, or the name alone. */
function cardText({ card, choices }: StreamReport): string {
  const parts = Object.entries(choices).map(([name, choice]) => `${name} ${choice}`);
  return parts.length === 0 ? card : `${card} (${parts.join(', ')})`;
}

/** Gathers the report while the session is still open; leaks are added after it was closed. */
export function streamReport(
  session: Session,
  stream: Stream,
  facts: ReportFacts,
): Omit<StreamReport, 'leaks'> {
  const { format } = stream;
  const statistics = stream.statistics();
  const { clockFit } = statistics;
  const machineSeconds = (facts.endTick - facts.startTick) / TICKS_PER_SECOND;
  const milliseconds = (frames: number) => (frames / format.sampleRate) * 1000;
  return {
    card: session.card.name,
    choices: session.choices,
    machine: session.machine.platform.name,
    endpoint: stream.endpointName,
    mode: stream.mode,
    streamFormat: formatToString(format),
    fileFormat: facts.fileFormat,
    conversion: facts.conversion,
    bitExact: facts.bitExact,
    bufferMs: statistics.bufferMs,
    frames: statistics.frames,
    durationSeconds: statistics.frames / format.sampleRate,
    machineSeconds,
    realSeconds: facts.realSeconds,
    timesRealTime: machineSeconds / facts.realSeconds,
    interrupts: facts.interrupts,
    wakeUps: statistics.periods,
    glitches: statistics.glitches,
    glitchFrames: statistics.glitchFrames,
    positionErrorMs: {
      max: milliseconds(clockFit.maxStepErrorFrames),
      rms: milliseconds(clockFit.rmsErrorFrames),
    },
    measuredRateHz: clockFit.rateHz,
    jackEvents: session.jacks.events,
    findings: findingTexts(session),
    interrupted: facts.interrupted,
    output: facts.output,
  };
}

/** Findings of the run, each text once with its count. */
export function findingTexts(session: Session): string[] {
  const counts = new Map<string, { count: number; milliseconds: number }>();
  for (const { source, text, tick } of session.machine.trace.findings) {
    const key = `${source}: ${text}`;
    const entry = counts.get(key);
    if (entry) entry.count++;
    else counts.set(key, { count: 1, milliseconds: tick / TICKS_PER_MILLISECOND });
  }
  return [...counts].map(([text, { count, milliseconds }]) =>
    count === 1
      ? `${text} (at ${milliseconds.toFixed(3)} ms)`
      : `${text} (${count} times, first at ${milliseconds.toFixed(3)} ms)`,
  );
}

/** The report as lines for people. */
export function formatReport(report: StreamReport, verb: 'Played' | 'Recorded'): string {
  const seconds = (value: number) => `${value.toFixed(value < 10 ? 3 : 2)} s`;
  const rows: [string, string][] = [
    [
      verb,
      `${seconds(report.durationSeconds)} of ${report.streamFormat}${report.interrupted ? ' (interrupted)' : ''}`,
    ],
    ['File', report.fileFormat],
    ['Conversion', report.bitExact ? `${report.conversion}: bit-exact` : report.conversion],
    [
      'Through',
      `${cardText(report)} on ${report.machine}, ${report.endpoint}, ${report.mode}-driven, buffer ${report.bufferMs.toFixed(1)} ms`,
    ],
    ['Time', `${seconds(report.realSeconds)}, ${formatFactor(report.timesRealTime)} times real time`],
    ['Interrupts', `${report.interrupts}; the client woke ${report.wakeUps} times`],
    ['Glitches', report.glitches === 0 ? '0' : `${report.glitches} (${report.glitchFrames} frames lost)`],
    [
      'Position',
      `error ${report.positionErrorMs.max.toFixed(3)} ms at most, ${report.positionErrorMs.rms.toFixed(3)} ms rms; rate ${report.measuredRateHz.toFixed(2)} Hz`,
    ],
  ];
  for (const { seconds: at, by, text } of report.jackEvents)
    rows.push(['Jacks', `${at.toFixed(6)} s  ${by === 'hand' ? text : `the driver tells: ${text}`}`]);
  if (report.output !== null) rows.push(['Output', report.output]);
  const lines = rows.map(([name, value]) => `${name.padEnd(12)}${value}`);
  for (const finding of report.findings) lines.push(`${'Finding'.padEnd(12)}${finding}`);
  for (const leak of report.leaks.split('\n').filter((line) => line !== ''))
    lines.push(`${'Left behind'.padEnd(12)}${leak}`);
  return `${lines.join('\n')}\n`;
}

function formatFactor(factor: number): string {
  return factor >= 100 ? Math.round(factor).toLocaleString('en') : factor.toFixed(2);
}
