import { MIX_RESET, mixerRegister } from '../../hardware/sb16/registers.ts';
import type { AcceptedDifference, AvoidedTraffic } from '../diff/index.ts';
import type { PlayOperation } from './diff-operations.ts';

/** What the traffic so far did, as far as differences depend on it. */
export interface Sb16History {
  /** Values last written to mixer registers since the mixer's reset. */
  readonly mixerWrites: ReadonlyMap<number, number>;
  /** Registers of the CT1745 that a legacy register was written for after they were. */
  readonly setByLegacy: ReadonlySet<number>;
  /** Both widths' requests were pending together, and one was acknowledged since; until both are, or a reset. */
  readonly halfAcknowledged: boolean;
  /** The last byte that each DSP answered: READ_DATA keeps it. */
  readonly lastReply: { readonly model: number; readonly other: number };
}

/** Two answers to the same thing. */
export type Sb16Compared =
  | { readonly thing: 'mixer'; readonly index: number; readonly model: number; readonly other: number }
  | { readonly thing: 'port'; readonly offset: number; readonly model: number; readonly other: number }
  | {
      readonly thing: 'replies';
      readonly command: readonly number[];
      readonly model: readonly number[];
      readonly other: readonly number[];
    }
  | { readonly thing: 'line'; readonly model: boolean; readonly other: boolean }
  | {
      readonly thing: 'play';
      readonly aspect: 'middle' | 'count';
      readonly operation: PlayOperation;
      readonly model: number;
      readonly other: number;
    };

/** What an accepted difference is judged by. Of replies, the line and what was played all bits may differ, or none. */
export type Sb16Read = Sb16Compared & { readonly history: Sb16History };

type Mask = AcceptedDifference<Sb16Read>['mask'];

const ALL = 0xff;
const LEGACY = new Set([0x04, 0x0a, 0x22, 0x26, 0x28, 0x2e]);

function whenMixer(
  index: (index: number) => boolean,
  bits: number | ((index: number) => number) = ALL,
): Mask {
  return (compared) => {
    if (compared.thing !== 'mixer' || !index(compared.index)) return 0;
    return typeof bits === 'number' ? bits : bits(compared.index);
  };
}

/** Replies to this command differ as `differ` says. */
function whenReplies(
  codes: readonly number[],
  differ: (model: readonly number[], other: readonly number[]) => boolean,
): Mask {
  return (compared) =>
    compared.thing === 'replies' &&
    codes.includes(compared.command[0] ?? -1) &&
    differ(compared.model, compared.other)
      ? ALL
      : 0;
}

/**
 * Every difference that may occur between our Sound Blaster 16 and QEMU's sb16, with its reason. Found by `miniport diff`; one that is not
 * in this list stops it.
 */
export const SB16_ACCEPTED_DIFFERENCES: readonly AcceptedDifference<Sb16Read>[] = [
  {
    id: 'undriven-status-bits',
    about: 'READ_STATUS and WRITE_STATUS, bits 6:0',
    reason: 'HPG §2: bit 7 alone has a meaning. Our card does not drive the others; QEMU’s are 0.',
    mask: (compared) =>
      compared.thing === 'port' && (compared.offset === 0xc || compared.offset === 0xe) ? 0x7f : 0,
  },
  {
    id: 'index-port',
    about: 'reading the mixer’s index port',
    reason: 'HPG §4 has it for writing. Our card shows the index; QEMU’s has nothing there.',
    mask: (compared) => (compared.thing === 'port' && compared.offset === 0x4 ? ALL : 0),
  },
  {
    id: 'port-d',
    about: 'port 2xDh',
    reason: 'HPG §2 has no such port. On our card it is not driven; QEMU’s reads 0.',
    mask: (compared) => (compared.thing === 'port' && compared.offset === 0xd ? ALL : 0),
  },
  {
    id: 'last-reply',
    about: 'READ_DATA after replies that differed',
    reason: 'HPG §2: read it when READ_STATUS says so. Both cards keep the byte that was there last.',
    mask: (compared) =>
      compared.thing === 'port' &&
      compared.offset === 0xa &&
      compared.model === compared.history.lastReply.model &&
      compared.other === compared.history.lastReply.other
        ? ALL
        : 0,
  },
  {
    id: 'version',
    about: 'the minor number of the version',
    reason: 'HPG §6, E1h: any 4.xx is a Sound Blaster 16. Ours is 4.13, QEMU’s 4.05.',
    mask: whenReplies(
      [0xe1],
      (model, other) => model.length === 2 && other.length === 2 && model[0] === other[0],
    ),
  },
  {
    id: 'request-answered',
    about: 'F2h and F3h',
    reason: 'Practice §F2h, F3h: they interrupt. QEMU answers AAh, too.',
    mask: whenReplies(
      [0xf2, 0xf3],
      (model, other) => model.length === 0 && other.length === 1 && other[0] === 0xaa,
    ),
  },
  {
    id: 'csp',
    about: 'CSP registers (0Fh)',
    reason: 'Our card has no CSP chip, and reads ones; QEMU keeps what is written by 0Eh.',
    mask: whenReplies(
      [0x0f],
      (model, other) => model.length === 1 && other.length === 1 && model[0] === 0xff,
    ),
  },
  {
    id: 'diagnose',
    about: 'F8h and FBh',
    reason:
      'Not in the guide. Our card answers 00h, as programs say that a DSP does; QEMU does not know them.',
    mask: whenReplies([0xf8, 0xfb], (model, other) => model[0] === 0 && other.length === 0),
  },
  {
    id: 'mixer-defaults',
    about: 'mixer registers that were not written since the mixer’s reset',
    reason: 'HPG §4, figure 4-4 has the defaults. QEMU’s are 20h.',
    mask: (compared) =>
      compared.thing === 'mixer' &&
      compared.index >= 0x30 &&
      compared.index < 0x80 &&
      !compared.history.mixerWrites.has(compared.index)
        ? ALL
        : 0,
  },
  {
    id: 'mixer-unused-bits',
    about: 'bits of mixer registers that HPG §4 does not have',
    reason: 'Our card reads them as 0; QEMU stores all eight.',
    mask: whenMixer(
      (index) => index >= 0x30 && index < 0x80,
      (index) => ~(mixerRegister(index)?.mask ?? 0) & ALL,
    ),
  },
  {
    id: 'set-by-legacy',
    about: 'volumes that a register of the CT1345 was written for',
    reason: 'HPG §4: it is another way to the same volume. QEMU’s legacy registers are storage of their own.',
    mask: (compared) =>
      compared.thing === 'mixer' && compared.history.setByLegacy.has(compared.index) ? ALL : 0,
  },
  {
    id: 'legacy-mixer',
    about: 'registers of the CT1345: 04h, 0Ah, 22h, 26h, 28h, 2Eh',
    reason: 'HPG §4: they are mapped to those of the CT1745. QEMU’s are storage of their own.',
    mask: whenMixer((index) => LEGACY.has(index)),
  },
  {
    id: 'no-such-mixer-register',
    about: 'mixer registers that HPG §4 does not have, and 00h, which is for writing',
    reason: 'On our card nothing answers there, and 00h reads 0; QEMU has storage.',
    mask: whenMixer((index) => mixerRegister(index) === null || index === MIX_RESET),
  },
  {
    id: 'acknowledged-by-half',
    about: 'the line when both widths asked and one was acknowledged',
    reason:
      'HPG §4, 82h: the line is any of the sources. QEMU lowers it with either acknowledgement (SB16-INT-007).',
    mask: (compared) =>
      compared.thing === 'line' && compared.history.halfAcknowledged && compared.model && !compared.other
        ? ALL
        : 0,
  },
  {
    id: 'unsigned-middle',
    about: 'the middle of unsigned samples',
    reason: 'It is 80h or 8000h; QEMU takes 7Fh or 7FFFh (SB16-PLY-001).',
    mask: (compared) =>
      compared.thing === 'play' &&
      compared.aspect === 'middle' &&
      !compared.operation.pcm.signed &&
      compared.model === 0 &&
      compared.other === (compared.operation.pcm.bits === 8 ? 0x100 : 1)
        ? ALL
        : 0,
  },
  {
    id: 'count-after-the-end',
    about: 'the DMA count after the last byte',
    reason: '8237A: FFFFh without auto-initialize. QEMU’s controller begins anew (SB16-BLK-027).',
    mask: (compared) =>
      compared.thing === 'play' && compared.aspect === 'count' && !compared.operation.autoInitialize
        ? ALL
        : 0,
  },
];

/** Traffic that is known to lead the two cards apart for good, and that the generator therefore leaves out. */
export const SB16_AVOIDED_TRAFFIC: readonly AvoidedTraffic[] = [
  {
    what: 'D8h',
    reason: 'QEMU does not know it (SB16-CMD-005).',
  },
  {
    what: 'E2h',
    reason: 'QEMU does not answer, and keeps its operand for the next command (SB16-ID-007).',
  },
  {
    what: 'replies of two commands at once',
    reason: 'QEMU’s read buffer is a stack (SB16-CMD-003).',
  },
  {
    what: 'ADPCM, direct mode and recording',
    reason:
      'QEMU has none of them, and takes operands for commands (SB16-OPD-016 to SB16-OPD-077, SB16-REC).',
  },
  {
    what: 'SILENCE (80h)',
    reason: 'QEMU’s interrupts without a bit in 82h, and after a reset, too (SB16-BLK-028, SB16-RST-018).',
  },
  {
    what: 'stereo in single-cycle blocks',
    reason: 'QEMU doubles their length (SB16-BLK-004, SB16-BLK-006).',
  },
  {
    what: 'the pause of the other width, 45h and 47h, both widths at once',
    reason:
      'QEMU has one transfer for both, and does not go on after its exit (SB16-BLK-014 to SB16-BLK-019).',
  },
  {
    what: 'mixer registers 80h and 81h, and bit 1 of 0Eh',
    reason:
      'QEMU’s card stays where it is (SB16-JMP-001), and plays old commands in stereo as a Sound Blaster Pro does.',
  },
  {
    what: 'interrupt requests while a transfer runs',
    reason: 'Which of the two asked is a matter of time, which passes differently on the two machines.',
  },
];
