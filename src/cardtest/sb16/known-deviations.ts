import { MIXER_REGISTERS, type MixerRegister } from '../../hardware/sb16/registers.ts';
import type { KnownDeviation } from '../check.ts';
import { hex } from '../check.ts';
import { STORED_VALUES } from './checks-mixer.ts';

type Row = readonly [number: string, ...what: string[]];

/** Deviations of QEMU's card from checks of one group, for one reason. */
function because(reason: string, prefix: string, rows: readonly Row[]): readonly KnownDeviation[] {
  return rows.map(([number, ...what]) => ({
    checkId: `SB16-${prefix}-${number}`,
    machine: 'qemu',
    what,
    reason,
  }));
}

/** The same mismatches in several checks. */
function alike(numbers: readonly string[], ...what: string[]): readonly Row[] {
  return numbers.map((number): Row => [number, ...what]);
}

const QEMU_RESET_VALUE = 0x20;
const PLAIN = MIXER_REGISTERS.filter(({ index }) => index >= 0x30 && index < 0x80);

/** What a register that stores all eight bits, and begins with 20h, does differently. */
function plainStorage({ index, resetValue, mask }: MixerRegister): Row {
  const reset = resetValue !== QEMU_RESET_VALUE;
  return [
    index.toString(16).toUpperCase().padStart(3, '0'),
    ...(reset ? ['after a mixer reset'] : []),
    ...STORED_VALUES.filter((value) => (value & mask) !== value).map((value) => `after ${hex(value)}`),
    ...(reset ? ['after another mixer reset'] : []),
  ];
}

const NO_ADC =
  'QEMU’s card does not record: it takes ADC commands of DSP 4.xx and does nothing, and knows none of the older ones.';
const NO_ADPCM = 'QEMU’s card has no ADPCM.';
const NO_MIXER = 'QEMU’s mixer is storage: it changes nothing of the sound, and has no analogue inputs.';
const STORAGE = 'QEMU’s mixer registers store all eight bits, and are 20h after a reset of the mixer.';
const MIDDLE =
  'QEMU takes 7Fh (7FFFh) for the middle of unsigned samples, not 80h (8000h): all come out one step of their width too high.';
const ONE_VOICE = 'QEMU’s card has one transfer for both widths: any pause stops it.';

/** Where QEMU's sb16 differs from the guide. */
export const SB16_KNOWN_DEVIATIONS: readonly KnownDeviation[] = [
  ...because('QEMU’s DSP does not know D8h: there is no reply.', 'RST', [['014', 'D8h']]),
  ...because('QEMU’s DSP does not know D8h: there is no reply.', 'CMD', [
    ['005', 'after a reset', 'after D1h', 'after D3h'],
  ]),
  ...because('QEMU’s timer for 80h is not stopped by a reset, and interrupts all the same.', 'RST', [
    ['018', 'interrupts'],
  ]),
  ...because('QEMU’s DSP swallows E2h and its operand.', 'ID', [
    ['007', 'bytes in memory'],
    ['008', 'byte'],
  ]),
  ...because('QEMU’s read buffer is a stack: of several replies the last one comes first.', 'CMD', [
    ['003', 'E8h, then F9h 0Fh'],
  ]),
  ...because('QEMU’s DSP answers 45h with AAh.', 'CMD', [['008', 'replies']]),
  ...because(
    'QEMU’s DSP does not know this command, and takes its operands for commands.',
    'OPD',
    alike(['016', '017', '024', '038'], 'reply to operands'),
  ),
  ...because(
    'QEMU’s DSP keeps the operands of ADPCM commands in its buffer, and then waits for those of the next command for ever.',
    'OPD',
    alike(['074', '075', '076', '077'], 'E0h behind them'),
  ),
  ...because('QEMU lowers the line with either acknowledgement, whatever else is pending.', 'INT', [
    ['007', 'line after 2xEh'],
    ['008', 'line after 2xFh'],
  ]),
  ...because('QEMU’s DSP answers F2h and F3h with AAh.', 'INT', [['012', 'reply']]),
  ...because(
    'QEMU doubles the length of stereo single-cycle blocks of Bxh and Cxh.',
    'BLK',
    alike(['004', '006'], 'block: at its end', 'afterwards'),
  ),
  ...because('QEMU’s DSP does not go on after DAh, and answers 45h with AAh.', 'BLK', [
    ['014', 'block 3', 'replies'],
  ]),
  ...because('QEMU’s DSP does nothing at 47h.', 'BLK', [['015', 'block 3']]),
  ...because(ONE_VOICE, 'BLK', alike(['018', '019'], 'end of the block')),
  ...because('QEMU’s DMA controller begins anew after its last byte, auto-initialize or not.', 'BLK', [
    ['027', 'count'],
  ]),
  ...because(
    'QEMU’s silence raises the line without a bit in 82h, so that reading 2xEh does not lower it.',
    'BLK',
    [['028', '82h', 'line after 2xEh']],
  ),
  ...because(
    MIDDLE,
    'PLY',
    alike(
      ['001', '003', '006', '008', '011', '013', '016', '018', '023', '024', '025', '026'],
      'middle of the scale of samples',
    ),
  ),
  ...because('QEMU’s card has no direct mode.', 'PLY', [['034', 'levels', 'left side', 'right side']]),
  ...because(NO_ADPCM, 'ADP', [
    ...alike(['001', '002', '003'], 'end of the block', 'levels'),
    ['004', 'end of the block', 'level 91h', 'level 93h', 'level 96h', 'level 9Ah'],
    ['005', ...['7Dh', '7Fh', '1Fh'].flatMap((name) => [1, 2, 3].map((block) => `${name}, block ${block}`))],
  ]),
  ...because(NO_ADC, 'REC', [
    ...alike(
      ['001', '002', '003', '004', '005', '006', '007', '008', '011', '012'],
      'end of the block',
      'samples in memory',
    ),
    ...alike(['013', '014', '015'], 'block 1'),
    ['016', 'end of the block', 'samples'],
    ['017', 'end of the block', 'right side', 'left side'],
    ['018', 'end of the block'],
    ['019', 'end of the block', 'step between samples'],
    ['020', 'left over right'],
    ['021', 'block: at its end'],
    ['024', 'samples in memory'],
    ['025', 'units left', 'end of the block'],
  ]),
  ...because('QEMU’s card does not record: direct mode reads FFh.', 'REC', [
    ['022', '20h'],
    ['023', 'different values'],
  ]),
  ...because(STORAGE, 'REG', PLAIN.map(plainStorage)),
  ...because(STORAGE, 'MIX', [
    ['001', ...PLAIN.map(({ index }) => hex(index))],
    ['003', '3Ch after 00h', '3Ch after 01h', '3Ch after FFh'],
  ]),
  ...because('QEMU’s legacy mixer registers are storage of their own.', 'MIX', [
    ...alike(
      ['011', '012', '013', '014', '015'],
      ...['F1h', '3Ch', '00h', 'FFh'].flatMap((value) => [`left after ${value}`, `right after ${value}`]),
    ),
    ...alike(['021', '022', '023', '024', '025'], 'F8h and 10h', '20h and E8h', '00h and 00h'),
    ['016', '3Ah after 07h', '3Ah after 00h', '3Ah after 05h', '0Ah after 3Ah = 60h'],
  ]),
  ...because(NO_MIXER, 'MIX', [
    ...alike(['031', '032'], 'left at 28', 'left at 21', 'left at 11', 'right at 21'),
    ['033', 'left at 0', 'left at 1', 'left at 2', 'left at 3'],
    ['034', 'left', 'right'],
    ['035', 'with all bass'],
    ['036', 'both switched on', 'left alone', 'right alone'],
  ]),
  ...because('QEMU’s card stays on its line, whatever 80h says.', 'JMP', [
    ['001', 'line 9', 'line 7', 'line 10'],
  ]),
  ...because('QEMU’s card stays on its channels, whatever 81h says.', 'JMP', [
    ['002', 'channel 0', 'channel 3'],
  ]),
];
