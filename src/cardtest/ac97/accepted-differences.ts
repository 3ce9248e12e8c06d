import type { EngineName } from '../../hardware/ac97/registers.ts';
import type { AcceptedDifference, AvoidedTraffic } from '../diff/index.ts';
import type { Ac97ShownRegister } from './register-names.ts';

/** One register as both sides show it, and what led there. */
export interface ComparedRead {
  readonly bar: number;
  readonly offset: number;
  readonly register: Ac97ShownRegister;
  /** The register's value on our model. */
  readonly model: number;
  /** On the other card. */
  readonly other: number;
  readonly history: DiffHistory;
}

/** What the traffic so far did, as far as differences depend on it. */
export interface DiffHistory {
  /** Values last written to codec registers since the codec's reset; `bench` where each side got a value of its own. */
  readonly codecWrites: ReadonlyMap<number, number | 'bench'>;
  /** Engines whose LVI was moved while they ran: whether they had come to the old end by then is a matter of time. */
  readonly movedWhileRunning: ReadonlySet<EngineName>;
  /** Engines whose ring had an empty descriptor with IOC. */
  readonly emptyWithIoc: ReadonlySet<EngineName>;
  /** Engines whose LVI was written while they did not run. */
  readonly lviWrittenAfterEnd: ReadonlySet<EngineName>;
  /** Engines that run, or may run, on either side. */
  readonly running: ReadonlySet<EngineName>;
  /** True when GLOB_STA.AD3 or MD3 was ever set. */
  readonly powerDownSemaphoresTouched: boolean;
  /** Interrupt enables were changed while status bits were set, or a status bit without its enable is set, or two engines ask. */
  readonly unusualInterrupt: boolean;
}

const ALL = 0xffff_ffff;
const STATUS_INTERRUPTS = 0x00e0;

/** Codec registers that QEMU leaves out. */
const ABSENT_IN_QEMU = new Set([
  0x04, 0x06, 0x08, 0x0a, 0x0c, 0x0e, 0x10, 0x12, 0x14, 0x16, 0x1e, 0x20, 0x22,
]);
/** Codec registers that both have. */
const IN_BOTH = new Set([0x02, 0x18, 0x1a, 0x1c, 0x26, 0x28, 0x2a, 0x2c, 0x32, 0x34, 0x7c, 0x7e]);
const RATES = new Set([0x2c, 0x32, 0x34]);

/**
 * Every difference that may occur between our AC'97 model and QEMU's AC97, with its reason. Found by `miniport diff`; one that is not in
 * this list stops it.
 */
export const AC97_ACCEPTED_DIFFERENCES: readonly AcceptedDifference<ComparedRead>[] = [
  {
    id: 'codec-width',
    about: 'mixer window, accesses of 8 and 32 bits',
    reason:
      'PRM §2.2 knows 16-bit codec accesses only. Our model carries the word that begins at the address; QEMU reads ones and drops writes.',
    mask: ({ bar, register }) => (bar === 0 && !register.whole ? ALL : 0),
  },
  {
    id: 'part-of-register',
    about: 'bus master window, a read of a part of a register, or across a boundary',
    reason:
      'PCI decodes byte lanes, and so does our model; QEMU answers a register’s own width only, else ones.',
    mask: ({ bar, register, other }) =>
      bar === 1 &&
      other === widthMask(register.bits) &&
      (!register.whole || register.name.startsWith('NABM_'))
        ? ALL
        : 0,
  },
  {
    id: 'word-of-bytes',
    about: 'bus master window, a word or dword read over several registers other than at x4h and x8h',
    reason:
      'PCI decodes byte lanes, and so does our model; QEMU knows two dword reads per engine, and answers ones to the rest.',
    mask: ({ bar, register, other }) =>
      bar === 1 && register.whole && other === widthMask(register.bits) ? ALL : 0,
  },
  {
    id: 'reserved-bus-master',
    about: 'bus master window, offsets without a register',
    reason: '82801AA table 12-3 reserves them. Our model reads 0, QEMU ones.',
    mask: ({ bar, register, model, other }) =>
      bar === 1 && register.name.startsWith('NABM_') && model === 0 && other === widthMask(register.bits)
        ? ALL
        : 0,
  },
  {
    id: 'secondary-codec',
    about: 'mixer window, 80h–FEh',
    reason: '82801AA §12.2.9: a codec that is not there times out and reads FFFFh. QEMU has storage there.',
    mask: ({ bar, offset }) => (bar === 0 && offset >= 0x80 ? ALL : 0),
  },
  {
    id: 'time-out-status',
    about: 'GLOB_STA.RCS',
    reason: '82801AA §12.2.9: set by a codec read that times out. QEMU’s never do.',
    mask: ({ register }) => (register.name === 'GLOB_STA' ? 0x8000 : 0),
  },
  {
    id: 'capabilities',
    about: 'RESET (00h)',
    reason: 'AC’97 2.3 §5.7.1: the codec’s options. Ours has a mic ADC, tone and 3D; QEMU’s none.',
    mask: ({ bar, offset }) => (bar === 0 && offset === 0x00 ? ALL : 0),
  },
  {
    id: 'absent-registers',
    about: 'mixer registers of inputs, tone, beep, 3D, mic gain and general purpose',
    reason:
      'QEMU has none of them: they read 0 and ignore writes. AC’97 2.3 §5.7 wants mic, line and CD at least.',
    mask: ({ bar, offset, other }) => (bar === 0 && ABSENT_IN_QEMU.has(offset) && other === 0 ? ALL : 0),
  },
  {
    id: 'unknown-codec-registers',
    about: 'reserved and vendor registers of the codec, surround rates',
    reason: 'AC’97 2.3 Appendix A: reserved registers read 0. QEMU stores what is written there.',
    mask: ({ bar, offset, model }) =>
      bar === 0 &&
      offset < 0x80 &&
      offset > 0 &&
      !IN_BOTH.has(offset) &&
      !ABSENT_IN_QEMU.has(offset) &&
      model === 0
        ? ALL
        : 0,
  },
  {
    id: 'six-bit-master',
    about: 'MASTER_VOLUME after a write with bit 5 or 13',
    reason:
      'AC’97 2.3 §5.7.2: a codec with five bits makes 1xxxxx into 011111, as ours does. QEMU’s has six bits, as the section allows.',
    mask: ({ bar, offset, history }) => {
      const written = history.codecWrites.get(0x02);
      return bar === 0 && offset === 0x02 && typeof written === 'number' && (written & 0x2020) !== 0
        ? 0x3f3f
        : 0;
    },
  },
  {
    id: 'bench-volumes',
    about: 'volumes that the bench set to what passes samples unchanged',
    reason:
      'QEMU maps volumes linearly: 0 dB of PCM out is 0000h there, 0808h by AC’97 2.3 §5.7.5; of record gain 0F0Fh and 0000h.',
    mask: ({ bar, offset, history }) => (bar === 0 && history.codecWrites.get(offset) === 'bench' ? ALL : 0),
  },
  {
    id: 'record-gain-default',
    about: 'RECORD_GAIN before its first write',
    reason: 'AC’97 2.3 §5.7.7: 8000h. QEMU has 8808h.',
    mask: ({ bar, offset, history }) =>
      bar === 0 && offset === 0x1c && !history.codecWrites.has(offset) ? 0x0f0f : 0,
  },
  {
    id: 'eapd',
    about: 'POWERDOWN bit 15',
    reason: 'AC’97 2.3 §5.7.11: EAPD is the codec’s choice. Ours has it, QEMU’s not.',
    mask: ({ bar, offset }) => (bar === 0 && offset === 0x26 ? 0x8000 : 0),
  },
  {
    id: 'power-down-is-storage',
    about: 'POWERDOWN, ready bits while a section is off or coming up',
    reason:
      'AC’97 2.3 §5.7.11: PR bits take sections down, and they need time to come back. QEMU stores the bits; all is ready for ever.',
    mask: ({ bar, offset }) => (bar === 0 && offset === 0x26 ? 0x000f : 0),
  },
  {
    id: 'extended-audio-id',
    about: 'EXTENDED_AUDIO_ID, revision',
    reason:
      'AC’97 2.3 §5.8.1: bits 11:10 tell the revision of the specification. Both say 2.3 or later; other bits are the codec’s choice.',
    mask: ({ bar, offset }) => (bar === 0 && offset === 0x28 ? 0x0fc6 : 0),
  },
  {
    id: 'extended-audio-control',
    about: 'EXTENDED_AUDIO_CONTROL, all but VRA and VRM; those before the first write',
    reason:
      'AC’97 2.3 §5.8.2: bits of functions that the codec lacks read 0, and variable rates are off at first. QEMU stores all 16 bits and starts with 0009h.',
    mask: ({ bar, offset, history }) => {
      if (bar !== 0 || offset !== 0x2a) return 0;
      return history.codecWrites.has(0x2a) ? 0xfff6 : ALL;
    },
  },
  {
    id: 'rate-limits',
    about: 'sample rates outside 8000…48000 Hz',
    reason: 'AC’97 2.3 §5.8.3: the nearest rate that the codec has is stored. QEMU stores anything.',
    mask: ({ bar, offset, history }) => {
      const written = history.codecWrites.get(offset);
      const outside = typeof written === 'number' && (written < 8000 || written > 48_000);
      return bar === 0 && RATES.has(offset) && outside ? ALL : 0;
    },
  },
  {
    id: 'global-control',
    about: 'GLOB_CNT',
    reason:
      'QEMU ignores a write with a reset bit set, so COLD_RESET# never reads 1 (82801AA §12.2.8), and knows six bits only: no PCM 4/6 channel enable.',
    mask: ({ register }) => (register.name === 'GLOB_CNT' ? ALL : 0),
  },
  {
    id: 'power-down-semaphores',
    about: 'GLOB_STA.AD3 and MD3 once set',
    reason: '82801AA §12.2.9: read/write. QEMU’s can be set, never cleared.',
    mask: ({ register, history }) =>
      register.name === 'GLOB_STA' && history.powerDownSemaphoresTouched ? 0x3_0000 : 0,
  },
  {
    id: 'bdbar-bit-2',
    about: 'x_BDBAR bit 2',
    reason: '82801AA §12.2.1: bits 2:0 are 0. QEMU keeps bit 2.',
    mask: ({ register }) => (register.kind === 'BDBAR' ? 4 : 0),
  },
  {
    id: 'status-reserved-bits',
    about: 'x_SR bits 15:5',
    reason: '82801AA §12.2.4: reserved. QEMU stores ones that are written there.',
    mask: ({ register }) => (register.kind === 'SR' ? 0xffe0 : 0),
  },
  {
    id: 'moved-end',
    about: 'x_SR.LVBCI after LVI was moved while the engine ran',
    reason:
      'Whether the engine had come to the old end before is a matter of time, which passes differently on the two machines.',
    mask: ({ register, history }) =>
      register.kind === 'SR' && history.movedWhileRunning.has(engineOf(register)) ? 0x0004 : 0,
  },
  {
    id: 'end-forgotten-while-paused',
    about: 'x_SR.CELV after LVI was written with RPBM clear',
    reason:
      '82801AA §12.2.4: CELV is cleared when a new value is written to LVI. QEMU does so only while RPBM is set.',
    mask: ({ register, history }) =>
      register.kind === 'SR' && history.lviWrittenAfterEnd.has(engineOf(register)) ? 0x0002 : 0,
  },
  {
    id: 'empty-with-ioc',
    about: 'x_SR.BCIS after an empty descriptor with IOC',
    reason:
      'PRM table 6 does not say whether a buffer without samples completes. In our model it does; QEMU passes it over.',
    mask: ({ register, history }) =>
      register.kind === 'SR' && history.emptyWithIoc.has(engineOf(register)) ? 0x0008 : 0,
  },
  {
    id: 'interrupt-by-events',
    about:
      'GLOB_STA interrupt bits and the line, when enables changed under pending status, or one of several sources was cleared',
    reason:
      '82801AA §12.2.4, §12.2.7: the interrupt is status AND enable, OR-ed over the engines. QEMU raises and lowers it when status bits change, for all engines at once.',
    mask: ({ register, history }) =>
      register.name === 'GLOB_STA' && history.unusualInterrupt ? STATUS_INTERRUPTS : 0,
  },
];

/** Traffic that is known to lead the two cards apart for good, and that the generator therefore leaves out. */
export const AC97_AVOIDED_TRAFFIC: readonly AvoidedTraffic[] = [
  {
    what: 'x_CR written with RPBM while the engine runs, or set again after a pause without RR',
    reason: 'QEMU takes it for a start and goes on with the next descriptor (AC97-RING-011, AC97-RING-012).',
  },
  {
    what: 'cold reset and AC-link off in GLOB_CNT, PR4 in POWERDOWN',
    reason: 'QEMU has no link that they could stop (AC97-RST-010 to AC97-RST-015).',
  },
  {
    what: 'power-down bits PR0–PR6 while engines run',
    reason: 'QEMU’s converters go on (AC97-MIX-024).',
  },
  {
    what: 'an empty last descriptor',
    reason: 'QEMU halts there without LVBCI and CELV (AC97-RING-014).',
  },
  {
    what: 'buffers at addresses that are no multiple of four, odd lengths',
    reason:
      'QEMU rounds addresses down (AC97-DMA-007) and comes to a stop before half a frame; 82801AA allows both.',
  },
  {
    what: 'CAS read by words and dwords',
    reason:
      'PCI decodes byte lanes, so the semaphore’s byte is read and taken; QEMU takes it on a byte read only.',
  },
  {
    what: 'rate 0',
    reason: 'QEMU closes the voice, and nothing plays until another rate is written (AC97-RATE-006).',
  },
  {
    what: 'sample rates, and VRA or VRM, while an engine runs',
    reason:
      'QEMU opens the voice anew when its rate changes, and leaves it inactive: the engine stands still until RPBM is written.',
  },
  {
    what: 'both capture engines at the same time',
    reason:
      'A QEMU capture engine that has come to its end takes no samples, and the back end then holds them back from the other, too.',
  },
  {
    what: 'rates written before EXTENDED_AUDIO_CONTROL after a codec reset',
    reason: 'QEMU’s VRA and VRM are set by a reset, so that it stores them (AC97-MIX-026).',
  },
  {
    what: 'codec resets while an engine runs',
    reason:
      'QEMU stops all converters then, and they stay so until RPBM is written again; AC’97 2.3 §5.7.1 resets registers only.',
  },
];

function engineOf(register: Ac97ShownRegister): EngineName {
  const name = register.name.slice(0, 2);
  return name === 'PI' || name === 'MC' ? name : 'PO';
}

function widthMask(bits: number): number {
  return bits >= 32 ? 0xffff_ffff : 2 ** bits - 1;
}
