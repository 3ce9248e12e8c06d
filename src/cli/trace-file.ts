import { closeSync, openSync, readFileSync, writeSync } from 'node:fs';
import { type Trace, type TraceEvent, TraceKind } from '../kernel/index.ts';
import { CliError } from './cli-error.ts';

/**
 * A trace file is JSON lines: a header object, then one array per event. Version 1:
 * `[sequence, tick, kind bit, phase, source, name, irql, cause, data]`.
 */
const FORMAT = 'miniport-trace';
const VERSION = 1;
const WRITE_BUFFER_CHARACTERS = 256 * 1024;

export interface TraceHeader {
  readonly format: typeof FORMAT;
  readonly version: number;
  /** What was run. */
  readonly command: string;
  readonly machine: string;
  readonly card: string;
}

/** Names of the kinds, as options and output use them. */
export const KIND_NAMES: Readonly<Record<string, number>> = {
  irp: TraceKind.Irp,
  ks: TraceKind.Ks,
  ddi: TraceKind.Ddi,
  register: TraceKind.Register,
  dma: TraceKind.Dma,
  interrupt: TraceKind.Interrupt,
  dpc: TraceKind.Dpc,
  timer: TraceKind.Timer,
  pnp: TraceKind.Pnp,
  state: TraceKind.State,
  client: TraceKind.Client,
  finding: TraceKind.Finding,
};

export function kindName(kind: number): string {
  return Object.keys(KIND_NAMES).find((name) => KIND_NAMES[name] === kind) ?? `kind-${kind}`;
}

/** Writes events to a file while the run goes on. */
export class TraceFileWriter {
  readonly #descriptor: number;
  readonly #remove: () => void;
  #buffer: string;
  #events = 0;

  /** Opens the file and listens to the trace. @throws CliError when the file cannot be written */
  constructor(path: string, trace: Trace, header: Omit<TraceHeader, 'format' | 'version'>) {
    try {
      this.#descriptor = openSync(path, 'w');
    } catch (error) {
      throw new CliError(
        `The trace cannot be written to ${path}: ${error instanceof Error ? error.message : error}`,
      );
    }
    this.#buffer = `${JSON.stringify({ format: FORMAT, version: VERSION, ...header })}\n`;
    this.#remove = trace.onEvent((event) => this.#write(event));
  }

  get events(): number {
    return this.#events;
  }

  #write(event: TraceEvent): void {
    this.#events++;
    this.#buffer += `${JSON.stringify([
      event.sequence,
      event.tick,
      event.kind,
      event.phase,
      event.source,
      event.name,
      event.irql,
      event.cause,
      event.data,
    ])}\n`;
    if (this.#buffer.length >= WRITE_BUFFER_CHARACTERS) this.#flush();
  }

  #flush(): void {
    writeSync(this.#descriptor, this.#buffer);
    this.#buffer = '';
  }

  close(): void {
    this.#remove();
    this.#flush();
    closeSync(this.#descriptor);
  }
}

type EventRow = [
  number,
  number,
  number,
  TraceEvent['phase'],
  string,
  string,
  number | null,
  number | null,
  TraceEvent['data'],
];

function isEventRow(value: unknown): value is EventRow {
  return (
    Array.isArray(value) &&
    value.length === 9 &&
    typeof value[0] === 'number' &&
    typeof value[1] === 'number' &&
    typeof value[2] === 'number' &&
    (value[3] === 'B' || value[3] === 'E' || value[3] === 'I') &&
    typeof value[4] === 'string' &&
    typeof value[5] === 'string'
  );
}

/** Reads a trace file. A last line that was cut off is left out. @throws CliError when it is not a trace file */
export function readTraceFile(path: string): {
  readonly header: TraceHeader;
  readonly events: readonly TraceEvent[];
} {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    const missing = error instanceof Error && 'code' in error && error.code === 'ENOENT';
    throw new CliError(
      missing
        ? `${path}: there is no such file. A trace is made by: miniport play FILE.wav --trace ${path}`
        : `${path} cannot be read: ${error instanceof Error ? error.message : error}`,
    );
  }
  const lines = text.split('\n');
  const complete = text.endsWith('\n');
  const header = parseHeader(path, lines[0] ?? '');
  const events: TraceEvent[] = [];
  for (let i = 1; i < lines.length; i++) {
    const line = lines[i] ?? '';
    if (line === '') continue;
    let row: unknown;
    try {
      row = JSON.parse(line);
    } catch {
      if (i === lines.length - 1 && !complete) break;
      throw new CliError(`${path}, line ${i + 1}: not JSON. The file is damaged; make the trace again.`);
    }
    if (!isEventRow(row))
      throw new CliError(
        `${path}, line ${i + 1}: not a trace event. The file is damaged; make the trace again.`,
      );
    const [sequence, tick, kind, phase, source, name, irql, cause, data] = row;
    events.push({ sequence, tick, kind, phase, source, name, irql, cause, data });
  }
  return { header, events };
}

function parseHeader(path: string, line: string): TraceHeader {
  let header: Partial<TraceHeader> | null = null;
  try {
    header = JSON.parse(line);
  } catch {
    // not JSON: said below
  }
  if (header === null || typeof header !== 'object' || header.format !== FORMAT) {
    throw new CliError(`${path} is not a trace file (its first line is no ${FORMAT} header).`);
  }
  if (header.version !== VERSION) {
    throw new CliError(
      `${path} is a trace of version ${header.version}; this miniport reads version ${VERSION}. Make the trace again.`,
    );
  }
  return {
    format: FORMAT,
    version: VERSION,
    command: String(header.command ?? ''),
    machine: String(header.machine ?? ''),
    card: String(header.card ?? ''),
  };
}
