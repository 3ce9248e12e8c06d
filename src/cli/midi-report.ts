import { clockText } from './progress.ts';

/** What `midi` tells at the end; the JSON output is this object. */
export interface MidiReport {
  readonly card: string;
  readonly machine: string;
  readonly endpoint: string;
  readonly synth: 'fm' | 'uart';
  readonly file: string;
  /** Events of the file that reached the driver, and those of the file. */
  readonly events: number;
  readonly eventsInFile: number;
  readonly notes: number;
  /** Notes cut off for others; null where there are no voices to steal. */
  readonly voicesStolen: number | null;
  readonly latenessMs: {
    readonly max: number;
    readonly mean: number;
    /** `connector`: from when each byte left the card; `driver`: from when the driver had taken it. */
    readonly measuredAt: 'connector' | 'driver';
    /** Of the greatest lateness at the connector, what 31,250 baud do not account for; null elsewhere. */
    readonly beyondWire: number | null;
  };
  readonly durationSeconds: number;
  readonly machineSeconds: number;
  readonly realSeconds: number;
  readonly timesRealTime: number;
  readonly interrupts: number;
  readonly warnings: readonly string[];
  readonly findings: readonly string[];
  readonly leaks: string;
  readonly interrupted: boolean;
  readonly output: string | null;
}

/** The report as lines for people. */
export function formatMidiReport(report: MidiReport): string {
  const { latenessMs, voicesStolen, timesRealTime } = report;
  const factor =
    timesRealTime >= 100 ? Math.round(timesRealTime).toLocaleString('en') : timesRealTime.toFixed(2);
  const stolen = voicesStolen === null ? '' : `; voices stolen: ${voicesStolen}`;
  const wire =
    latenessMs.beyondWire === null
      ? ''
      : `; ${latenessMs.beyondWire.toFixed(3)} ms at most beyond what 31,250 baud take`;
  const rows: [string, string][] = [
    ['Played', `${clockText(report.durationSeconds)} of MIDI${report.interrupted ? ' (interrupted)' : ''}`],
    ['File', report.file],
    ['Through', `${report.card} on ${report.machine}, ${report.endpoint}`],
    ['Time', `${report.realSeconds.toFixed(3)} s, ${factor} times real time`],
    ['Events', `${report.events} of ${report.eventsInFile}, ${report.notes} notes${stolen}`],
    [
      'Lateness',
      `${latenessMs.max.toFixed(3)} ms at most, ${latenessMs.mean.toFixed(3)} ms on average, at the ${latenessMs.measuredAt}${wire}`,
    ],
    ['Interrupts', `${report.interrupts}`],
  ];
  if (report.output !== null) rows.push(['Output', report.output]);
  for (const finding of report.findings) rows.push(['Finding', finding]);
  for (const leak of report.leaks.split('\n')) if (leak !== '') rows.push(['Left behind', leak]);
  return rows.map(([name, value]) => `${name.padEnd(12)}${value}\n`).join('');
}
