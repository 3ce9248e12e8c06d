import {
  AC97_MASTER_TONE,
  AC97_MIC_BOOST,
  AC97_MUTE,
  AC97_RECORD_SELECT,
  AC97_REGISTER_AT,
  type Ac97RegisterDescription,
} from './ac97-registers.ts';
import { inputDecibels, masterDecibels, recordDecibels, type Side } from './gain.ts';

const RECORD_SOURCES = ['mic', 'CD', 'video', 'aux', 'line', 'stereo mix', 'mono mix', 'phone'] as const;

/** The name of a codec register for the trace: `MASTER_VOLUME`, or `NAM_5A` where there is none. */
export function ac97RegisterName(offset: number): string {
  const register = AC97_REGISTER_AT[offset >> 1] ?? null;
  return register === null || (offset & 1) !== 0
    ? `NAM_${offset.toString(16).toUpperCase().padStart(2, '0')}`
    : register.name;
}

/** What a value means in a codec register, in a few words; undefined where the number says it. */
export function describeAc97Value(offset: number, value: number): string | undefined {
  const register = AC97_REGISTER_AT[offset >> 1] ?? null;
  if (register === null) return undefined;
  switch (register.kind) {
    case 'master-volume':
      return describeVolume(register, value, masterDecibels);
    case 'input-volume':
      return (
        describeVolume(register, value, inputDecibels) +
        ((value & register.writeMask & AC97_MIC_BOOST) !== 0 ? ', +20 dB boost' : '')
      );
    case 'record-gain':
      return describeVolume(register, value, recordDecibels);
    case 'rate':
      return `${value} Hz`;
    default:
      break;
  }
  if (offset === AC97_RECORD_SELECT)
    return `left ${RECORD_SOURCES[(value >>> 8) & 7]}, right ${RECORD_SOURCES[value & 7]}`;
  if (offset === AC97_MASTER_TONE) return `bass ${tone(value >>> 8)}, treble ${tone(value)}`;
  return undefined;
}

function describeVolume(
  register: Ac97RegisterDescription,
  value: number,
  decibels: (register: number, side: Side) => number,
): string {
  const mute = (value & AC97_MUTE) !== 0 ? 'muted, ' : '';
  const right = `${decibels(value, 'right')} dB`;
  const stereo = (register.writeMask & 0x0f00) !== 0;
  return stereo ? `${mute}left ${decibels(value, 'left')} dB, right ${right}` : mute + right;
}

function tone(code: number): string {
  code &= 0x0f;
  return code === 15 ? 'bypassed' : `${1.5 * (7 - code)} dB`;
}
