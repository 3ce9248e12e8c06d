import { HDA_REGISTERS, HDA_VERBS } from '../../hardware/hda/index.ts';
import * as R from '../../hardware/hda/registers.ts';
import * as V from '../../hardware/hda/verbs.ts';
import type { AccessSize, TraceEvent } from '../../kernel/index.ts';
import { RecordedPauses, recordedAccesses } from '../diff/index.ts';
import type { HdaOperation } from './diff-operations.ts';

/** Entries of a replayed list: 5 ms each, whatever they were. */
const REPLAYED_BYTES = 960;
/** Entries of a replayed list at most. */
const REPLAYED_ENTRIES = 12;
/** How the model names a command: `C0N02.SET_FORMAT`. */
const COMMAND = /^C(\d+)N([0-9A-F]{2})\.(\w+)$/;
const UNNAMED = /^HDA_([0-9A-F]{4})$/;
/** What batches of commands and runs set themselves. */
const MACHINERY =
  /^(CORB\w+|RIRB\w+|RINTCNT|ICOI|ICII|ICIS|DPLBASE|DPUBASE|SSYNC|INTSTS|GCTL|GSTS|[IO]SD\d(LPIB|CBL|BDPL|BDPU|FIFOS|FIFOW))$/;
/** Verbs whose effect lasts beyond the codec's first converter, or that one of the two does not know. */
const AVOIDED_VERBS = new Set<number>([
  V.FUNCTION_RESET,
  V.SET_FORMAT,
  V.SET_STREAM_CHANNEL,
  V.SET_AMP,
  ...[0, 1, 2, 3].flatMap((byte) => [V.SET_CONFIG_DEFAULT_0 + byte, V.SET_SUBSYSTEM_ID_0 + byte]),
]);
const QEMU_CONVERTERS: readonly number[] = [2, 4];

/**
 * The traffic of a trace (of a driver on `sim`, with register events) as operations of the HDA diff. Verbs to the first codec come one by
 * one by the immediate registers, however the driver sent them; starting an output stream becomes a run through buffers of our own; a reset
 * of the controller one with everything after it set; what is known to lead the two cards apart is left out, as in generated traffic. Empty
 * without an access to an HDA register.
 */
export function hdaOperationsFromTrace(events: Iterable<TraceEvent>): readonly HdaOperation[] {
  const replay = new Replay();
  for (const { name, size, write, value, tick } of recordedAccesses(events)) {
    const command = COMMAND.exec(name);
    if (command) {
      if (write)
        replay.addCommand(
          Number(command[1]),
          Number.parseInt(command[2] ?? '0', 16),
          command[3] ?? '',
          value,
          tick,
        );
      continue;
    }
    const [first = ''] = name.split('+');
    const offset = placeOf(first);
    if (offset !== null) replay.addAccess(first, offset, size, write, value, tick);
  }
  return replay.finish();
}

class Replay {
  readonly #operations: HdaOperation[] = [{ kind: 'wire', input: false }];
  readonly #running = new Set<number>();
  readonly #lvi = new Map<number, number>();
  readonly #tags = new Map<number, number>();
  readonly #pauses = new RecordedPauses();

  addCommand(codec: number, nid: number, name: string, payload: number, tick: number): void {
    const verb = verbOf(name);
    if (codec !== 0 || verb === null) return;
    this.#pause(tick);
    const setsConverter = AVOIDED_VERBS.has(verb);
    const allowed =
      !setsConverter ||
      (this.#running.size === 0 &&
        QEMU_CONVERTERS.includes(nid) &&
        (verb === V.SET_STREAM_CHANNEL || verb === V.SET_FORMAT || reachesOwnAmp(nid, verb, payload)));
    if (allowed) this.#operations.push({ kind: 'command', codec, nid, verb, payload });
  }

  addAccess(
    name: string,
    offset: number,
    size: AccessSize,
    write: boolean,
    value: number,
    tick: number,
  ): void {
    this.#pause(tick);
    if (!write) {
      this.#operations.push({ kind: 'read', offset, size });
      return;
    }
    if (name === 'GCTL') {
      if ((value & R.GCTL_CRST) === 0) this.#reset();
      return;
    }
    const stream = (offset - R.SD_BASE) >> 5;
    const register = (offset - R.SD_BASE) & (R.SD_BYTES - 1);
    const inStream = offset >= R.SD_BASE && stream < R.HDA_STREAMS;
    if (inStream && register === R.SD_LVI) this.#lvi.set(stream, value & 0xff);
    if (inStream && register < R.SD_STS) this.#control(stream, register, size, value);
    else if (inStream && (this.#running.has(stream) || register === R.SD_STS)) return;
    else if (!MACHINERY.test(name)) {
      const all = name === 'STATESTS' ? 0xffff : value;
      this.#operations.push({ kind: 'write', offset, size, value: all });
    }
  }

  finish(): readonly HdaOperation[] {
    if (this.#operations.length === 1) return [];
    this.#operations.push({ kind: 'settle' });
    return this.#operations;
  }

  #pause(tick: number): void {
    const microseconds = this.#pauses.before(tick);
    if (microseconds !== null) this.#operations.push({ kind: 'pass', microseconds });
  }

  #reset(): void {
    this.#running.clear();
    this.#operations.push({ kind: 'settle' }, { kind: 'reset' });
  }

  /** A write of bytes of SDnCTL: stream number, enables, RUN, SRST. */
  #control(stream: number, register: number, size: AccessSize, value: number): void {
    const bits = value << (8 * register);
    if (register + size > 2) this.#tags.set(stream, (bits >>> R.CTL_STRM_SHIFT) & 0x0f);
    if (register > 0) return;
    if ((value & R.CTL_SRST) !== 0) {
      if (!this.#running.has(stream)) this.#operations.push({ kind: 'streamReset', stream });
      return;
    }
    if ((value & R.CTL_RUN) === 0) {
      if (this.#running.delete(stream)) this.#operations.push({ kind: 'settle' });
      return;
    }
    // Recording wants a signal at the inputs, which this wiring lacks; and one stream runs at a time.
    if (stream < R.HDA_INPUT_STREAMS || this.#running.size > 0) return;
    this.#running.add(stream);
    const count = Math.min((this.#lvi.get(stream) ?? 1) + 1, REPLAYED_ENTRIES);
    this.#operations.push({
      kind: 'run',
      stream,
      tag: this.#tags.get(stream) || 1,
      entries: Array.from({ length: count }, () => ({ bytes: REPLAYED_BYTES, ioc: true })),
      enables: value & (R.CTL_IOCE | R.CTL_FEIE | R.CTL_DEIE),
      positions: false,
      dataSeed: this.#operations.length,
    });
  }
}

/** A SET_AMP that names the amplifier which the converter has. */
function reachesOwnAmp(nid: number, verb: number, payload: number): boolean {
  const wanted = nid === 2 ? V.AMP_SET_OUTPUT : V.AMP_SET_INPUT;
  return verb === V.SET_AMP && (payload & (V.AMP_SET_OUTPUT | V.AMP_SET_INPUT)) === wanted;
}

function verbOf(name: string): number | null {
  const known = HDA_VERBS.find((verb) => verb.name === name);
  if (known) return known.verb;
  const unknown = /^VERB_([0-9A-F]+)$/.exec(name);
  return unknown ? Number.parseInt(unknown[1] ?? '0', 16) : null;
}

/** A register's place by the name that the model reports, or that it makes of an offset. */
function placeOf(name: string): number | null {
  const register = HDA_REGISTERS.find((one) => one.name === name);
  if (register) return register.offset;
  const unnamed = UNNAMED.exec(name);
  return unnamed ? Number.parseInt(unnamed[1] ?? '0', 16) : null;
}
