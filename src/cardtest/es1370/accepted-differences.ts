import {
  CODEC,
  PAGE_ADC,
  PAGE_DAC,
  PAGE_WINDOW,
  PHANTOM_FRAME,
  SER_P1_SCT_RLD,
  SER_WRITABLE,
  SERIAL,
  STAT_CSTAT,
  STAT_CWRIP,
  STATUS,
  UART_DATA,
} from '../../hardware/es1370/registers.ts';
import type { AcceptedDifference, AvoidedTraffic } from '../diff/index.ts';
import type { Es1370History } from './diff-history.ts';

/** One register as both sides show it. */
export interface Es1370ComparedRead {
  /** Of the dword. */
  readonly offset: number;
  /** Bytes read, and the first one within the dword. */
  readonly size: number;
  readonly lane: number;
  /** What was read on our model and on the other card, where it lies in the dword. */
  readonly model: number;
  readonly other: number;
  /** The bits of the dword that were read. */
  readonly shown: number;
  readonly history: Es1370History;
}

const ALL = 0xffff_ffff;

/** The other card answers ones. */
function isOnes({ other, shown }: Es1370ComparedRead): boolean {
  return other === shown;
}

/**
 * Every difference that may occur between our ES1370 model and QEMU's, with its reason. Found by `miniport diff`; one that is not in this
 * list stops it.
 */
export const ES1370_ACCEPTED_DIFFERENCES: readonly AcceptedDifference<Es1370ComparedRead>[] = [
  {
    id: 'narrow-read',
    about: 'reads of bytes and words that are not at the beginning of a register',
    reason: 'PCI decodes byte lanes, and so does our model; QEMU answers ones there.',
    mask: (read) => (read.size < 4 && read.lane > 0 && isOnes(read) ? ALL : 0),
  },
  {
    id: 'uart',
    about: 'UART registers',
    reason: 'QEMU’s ES1370 has no UART (ens1370.c ES_REG_UART_STATUS); all its registers read as ones.',
    mask: (read) => (read.offset === UART_DATA && isOnes(read) ? ALL : 0),
  },
  {
    id: 'no-register',
    about: '14h, 18h and 1Ch',
    reason: 'The ES1370 has no registers there. Our model reads 0, QEMU ones.',
    mask: (read) =>
      read.offset > CODEC && read.offset < SERIAL && read.model === 0 && isOnes(read) ? ALL : 0,
  },
  {
    id: 'sample-memory',
    about: 'pages 0 to B, E and F',
    reason:
      'The channels’ sample memory and the UART’s receive buffer (ens1370.c clears both). QEMU has neither, and answers ones.',
    mask: (read) =>
      read.offset >= PAGE_WINDOW &&
      read.history.page !== PAGE_DAC &&
      read.history.page !== PAGE_ADC &&
      isOnes(read)
        ? ALL
        : 0,
  },
  {
    id: 'phantom-frame',
    about: 'PHANTOM_FRAME and PHANTOM_SIZE',
    reason: 'Read/write (ens1370.c ES_REG_PHANTOM_FRAME). QEMU answers ones, and drops writes.',
    mask: (read) =>
      read.offset >= PHANTOM_FRAME && read.history.page === PAGE_ADC && isOnes(read) ? ALL : 0,
  },
  {
    id: 'codec-busy',
    about: 'STATUS.CSTAT and CWRIP after a write to the codec',
    reason:
      'A write takes its time on the serial line (ens1370.c ES_1370_CWRIP). QEMU has no codec; writes vanish at once.',
    mask: ({ offset }) => (offset === STATUS ? STAT_CSTAT | STAT_CWRIP : 0),
  },
  {
    id: 'serial-upper-bits',
    about: 'SERIAL bits 31:22',
    reason: 'The ES1370 has no such bits (ens1370.c: bit 22 is the ES1371’s). QEMU stores them.',
    mask: ({ offset, model }) =>
      offset === SERIAL && (model & ~SER_WRITABLE) === 0 ? ~SER_WRITABLE >>> 0 : 0,
  },
  {
    id: 'counter-reload',
    about: 'SERIAL.P1_SCT_RLD',
    reason: 'A command to load DAC1’s counter (ens1370.c ES_P1_SCT_RLD), which reads 0. QEMU stores it.',
    mask: ({ offset, model }) => (offset === SERIAL && (model & SER_P1_SCT_RLD) === 0 ? SER_P1_SCT_RLD : 0),
  },
];

/** Traffic that is known to lead the two cards apart for good, and that the generator therefore leaves out. */
export const ES1370_AVOIDED_TRAFFIC: readonly AvoidedTraffic[] = [
  {
    what: 'writes of bytes and words, but to MEMPAGE and CODEC',
    reason: 'QEMU clears the rest of the register, or drops them (ES1370-REG-020, ES1370-REG-021).',
  },
  {
    what: 'stop mode (x_LOOP_SEL) while a channel runs',
    reason: 'QEMU has none (ES1370-RING-015 to ES1370-RING-019).',
  },
  {
    what: 'ADC_STOP and DAC_SYNC while a channel runs',
    reason: 'QEMU ignores both (ES1370-CAP-010, ES1370-RATE-013).',
  },
  {
    what: 'format and rate changes while a channel runs',
    reason: 'QEMU leaves its voice inactive then (ES1370-RATE-015).',
  },
  {
    what: 'rings of a few dwords, and counter periods of a few frames',
    reason: 'QEMU moves one turn, and one period, at most every 10 ms (ES1370-RING-020).',
  },
  {
    what: 'the ADC without a signal at the input',
    reason: 'QEMU’s recorder has no input side then, and the ADC stands still.',
  },
  {
    what: 'interrupts of the UART',
    reason: 'QEMU has no UART (ES1370-UART-003).',
  },
  {
    what: 'formats other than 16-bit stereo in what is compared of sound and recordings',
    reason:
      'QEMU’s 8 bits have another middle, and its mono is a sum (ES1370-PLAY-001, ES1370-CAP-002); such channels run, and their registers are compared.',
  },
];
