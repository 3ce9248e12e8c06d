import * as R from '../../hardware/hda/registers.ts';
import {
  AMP_GET_OUTPUT,
  GET_AMP,
  GET_CONNECTION_LIST,
  GET_FORMAT,
  GET_PIN_CONTROL,
  GET_STREAM_CHANNEL,
  GET_SUBSYSTEM_ID,
} from '../../hardware/hda/verbs.ts';
import type { AcceptedDifference, AvoidedTraffic, ShownRegister } from '../diff/index.ts';

/** What the traffic so far did, as far as differences depend on it. */
export interface HdaDiffHistory {
  /** Streams that run, on either side. */
  readonly running: ReadonlySet<number>;
  /** Streams that ever ran since power-on. */
  readonly ran: ReadonlySet<number>;
  /** Streams with BCIS set and IOCE clear. */
  readonly withoutEnable: ReadonlySet<number>;
  /** INTCTL as it was written last. */
  readonly intctl: number;
  /** The last answer to an immediate command was an accepted difference. */
  readonly answerDiffered: boolean;
}

/** One register as both sides show it. */
export interface ComparedRegister {
  readonly kind: 'register';
  readonly offset: number;
  readonly register: ShownRegister;
  readonly model: number;
  readonly other: number;
  readonly history: HdaDiffHistory;
}

/** The answer of a codec on both sides. */
export interface ComparedAnswer {
  readonly kind: 'answer';
  readonly nid: number;
  readonly verb: number;
  readonly payload: number;
  readonly model: number;
  readonly other: number;
}

export type HdaCompared = ComparedRegister | ComparedAnswer;

const ALL = 0xffff_ffff;
const DAC = 2;
const ADC = 4;
const PINS: readonly number[] = [3, 5];
const FUNCTION_GROUP = 1;
const FIFO_REGISTERS = /^[IO]SD\dFIFO[WS]$/;
const STREAM_PART = /^[IO]SD\d(CTL|STS|LPIB|LPIBA)$/;

/** Stream descriptor of a register; −1 for others. */
function streamOf(offset: number): number {
  const original = offset >= R.HDA_ALIAS ? offset - R.HDA_ALIAS : offset;
  const stream = (original - R.SD_BASE) >> 5;
  return original >= R.SD_BASE && stream < R.HDA_STREAMS ? stream : -1;
}

/** An entry about registers. */
function inRegisters(
  id: string,
  about: string,
  reason: string,
  mask: (read: ComparedRegister) => number,
): AcceptedDifference<HdaCompared> {
  return { id, about, reason, mask: (read) => (read.kind === 'register' ? mask(read) : 0) };
}

/** An entry about codecs' answers. */
function inAnswers(
  id: string,
  about: string,
  reason: string,
  occurs: (answer: ComparedAnswer) => boolean,
): AcceptedDifference<HdaCompared> {
  return { id, about, reason, mask: (read) => (read.kind === 'answer' && occurs(read) ? ALL : 0) };
}

/**
 * Every difference that may occur between our HDA model with the duplex codec and QEMU's, with its reason. Found by `miniport diff`; one
 * that is not in this list stops it.
 */
export const HDA_ACCEPTED_DIFFERENCES: readonly AcceptedDifference<HdaCompared>[] = [
  inRegisters(
    'part-of-register',
    'a read of a part of a register, or of several at once',
    'ICH6 §18.2: registers answer to bytes, words and dwords. QEMU finds a register by the offset of its first byte: other parts read 0.',
    ({ offset, register, other }) =>
      other === 0 && (!register.whole || register.shift > 0) && !isStreamControl(offset, register.name)
        ? ALL
        : 0,
  ),
  inRegisters(
    'payload-capabilities',
    'OUTSTRMPAY and INSTRMPAY',
    'HDA 1.0a §3.3.11, §3.3.12: words that one stream may take, which QEMU leaves out.',
    ({ register, other }) => (/^(OUT|IN)STRMPAY$/.test(register.name) && other === 0 ? ALL : 0),
  ),
  inRegisters(
    'stream-synchronization',
    'SSYNC',
    'HDA 1.0a §3.3.17, ICH6 §18.2.13: a bit for each stream. QEMU has no such register.',
    ({ register, other }) => (register.name === 'SSYNC' && other === 0 ? 0xff : 0),
  ),
  inRegisters(
    'wake-enables',
    'WAKEEN, bits 14:3',
    'ICH6 §18.2.7: three codecs fit on the link. QEMU stores 15 bits.',
    ({ register, model }) => (register.name === 'WAKEEN' && model < 8 ? 0x7ff8 : 0),
  ),
  inRegisters(
    'fifo-registers',
    'SDnFIFOW and SDnFIFOS',
    'ICH6 §18.2.38, §18.2.39: watermark and depth. QEMU has no watermark, and 100h for the depth.',
    ({ register, other }) =>
      FIFO_REGISTERS.test(register.name) && (other === 0 || other === 0x100) ? ALL : 0,
  ),
  inRegisters(
    'fixed-control-bits',
    'SDnCTL, bits 19:16',
    'ICH6 §18.2.33: traffic priority is 1, direction and stripes 0, whatever is written. QEMU stores all four.',
    ({ offset, register }) =>
      isStreamControl(offset, register.name) && register.name.endsWith('CTL') ? controlMask(offset) : 0,
  ),
  inRegisters(
    'fifo-ready',
    'SDnSTS, FIFORDY',
    'HDA 1.0a §3.3.36: set while there is enough in the FIFO. QEMU’s is always set.',
    ({ offset, register }) => {
      if (!isStreamControl(offset, register.name)) return 0;
      return register.name.endsWith('STS') ? R.STS_FIFORDY : 0;
    },
  ),
  inRegisters(
    'position-after-stop',
    'SDnLPIB of a stream that ran',
    'Where a stream is stopped is a matter of time; and QEMU’s stream reset leaves LPIB as it is (HDA 1.0a §3.3.35 clears it).',
    ({ offset, register, history }) =>
      /LPIBA?$/.test(register.name) && history.ran.has(streamOf(offset)) ? ALL : 0,
  ),
  inRegisters(
    'global-interrupt-status',
    'INTSTS.GIS',
    'HDA 1.0a §3.3.15: the OR of all status bits. QEMU’s tells of those that INTCTL enables.',
    ({ register, model, history }) =>
      register.name === 'INTSTS' &&
      ((model & 0x7fff_ffff & history.intctl) === 0 || history.withoutEnable.size > 0)
        ? R.INT_GLOBAL
        : 0,
  ),
  inRegisters(
    'completion-without-enable',
    'INTSTS, the bit of a stream with BCIS set and IOCE clear',
    'HDA 1.0a §3.3.35: without IOCE a completion does not interrupt. QEMU does not look at IOCE.',
    ({ register, history }) => {
      if (register.name !== 'INTSTS') return 0;
      let mask = 0;
      for (const stream of history.withoutEnable) mask |= 1 << stream;
      return mask;
    },
  ),
  inRegisters(
    'immediate-response',
    'ICII after an answer that is another one itself',
    'It shows the last answer; see the entries about codecs.',
    ({ register, history }) => (register.name === 'ICII' && history.answerDiffered ? ALL : 0),
  ),
  inAnswers(
    'subsystem-everywhere',
    'GET_SUBSYSTEM_ID to nodes other than the function group',
    'HDA 1.0a §7.3.3.30: a verb of function groups. QEMU’s codecs answer it at every node.',
    ({ nid, verb, model }) => verb === GET_SUBSYSTEM_ID && nid !== FUNCTION_GROUP && model === 0,
  ),
  inAnswers(
    'converter-everywhere',
    'GET_FORMAT, GET_STREAM_CHANNEL and GET_AMP to nodes that are no converters',
    'HDA 1.0a §7.3.3: nodes without the feature answer 0. QEMU’s answer for their first converter.',
    ({ nid, verb, model }) =>
      [GET_FORMAT, GET_STREAM_CHANNEL, GET_AMP].includes(verb) && nid !== DAC && nid !== ADC && model === 0,
  ),
  inAnswers(
    'other-amplifier',
    'GET_AMP for the amplifier that a converter does not have',
    'HDA 1.0a §7.3.3.7: bit 15 chooses output or input. QEMU’s converters have one amplifier for both.',
    ({ nid, verb, payload, model }) => {
      const output = (payload & AMP_GET_OUTPUT) !== 0;
      return verb === GET_AMP && model === 0 && ((nid === DAC && !output) || (nid === ADC && output));
    },
  ),
  inAnswers(
    'connection-list-offset',
    'GET_CONNECTION_LIST from an entry that is no multiple of four',
    'HDA 1.0a §7.3.3.3: entries come in fours, from a multiple of four on. QEMU begins with the entry asked for.',
    ({ verb, payload }) => verb === GET_CONNECTION_LIST && (payload & 3) !== 0,
  ),
  inAnswers(
    'fixed-pins',
    'GET_PIN_CONTROL',
    'HDA 1.0a §7.3.3.13: pins store what is enabled. QEMU’s are always on.',
    ({ nid, verb }) => verb === GET_PIN_CONTROL && PINS.includes(nid),
  ),
];

function isStreamControl(offset: number, name: string): boolean {
  return streamOf(offset) >= 0 && STREAM_PART.test(name);
}

/** Bits 19:16 of SDnCTL as an access at `offset` has them. */
function controlMask(offset: number): number {
  const lane = (offset - R.SD_BASE) & (R.SD_BYTES - 1);
  return lane === 2 ? 0x0f : 0x0f_0000;
}

/** What generated and replayed traffic does not do. */
export const HDA_AVOIDED_TRAFFIC: readonly AvoidedTraffic[] = [
  {
    what: 'Writes of zeros to status bits, and dword writes of SDnCTL',
    reason: 'In QEMU zeros clear status bits as ones do, and a dword at SDnCTL stores them.',
  },
  {
    what: 'Writes of parts of registers, and of INTSTS',
    reason: 'QEMU loses the former, and stores the latter until something changes.',
  },
  {
    what: 'RUN set again after a pause, and lists that change while they are used',
    reason: 'QEMU reads the list with RUN and begins anew.',
  },
  {
    what: 'CORBRUN but for a batch of commands that is acknowledged to its end; RINTCNT of 0',
    reason: 'QEMU stands still when the count of responses is RINTCNT, and keeps it over resets.',
  },
  {
    what: 'Two streams of one direction with the same number; streams to which no codec listens; stream number 0',
    reason: 'QEMU looks for a stream by its number, whether it runs or not; its codec moves the bytes.',
  },
  {
    what: 'Reset without setting converters and descriptors to their first values afterwards; FUNCTION_RESET',
    reason: 'QEMU’s codecs and SRST keep most of what was set.',
  },
  {
    what: 'SET verbs of converters and amplifiers to other nodes or directions; verbs that write configuration default and subsystem id',
    reason: 'In QEMU the former reach the first converter, and the latter do nothing.',
  },
  {
    what: 'Pins that are switched while something runs',
    reason: 'QEMU’s are always on.',
  },
  {
    what: 'Flush control, position buffers and rings at random addresses',
    reason: 'QEMU has no flush; and both would write anywhere.',
  },
];
