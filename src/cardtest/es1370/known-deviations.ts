import type { KnownDeviation } from '../check.ts';

/** A row: check, the mismatches that belong to it, and why. */
type Row = readonly [checkId: string, what: readonly string[], reason: string];

const NO_UART =
  'QEMU’s ES1370 has no UART: its registers, and pages E and F, read as ones and ignore writes.';
const NO_CODEC =
  'QEMU’s ES1370 has no codec: writes to it vanish at once, and the DACs are always heard at 0 dB.';
const NO_STOP_MODE =
  'QEMU knows no stop mode: with the bit set it plays the same stretch again and again, and the index stands.';
const NARROW =
  'QEMU carries every access as a dword at its own address: narrow reads beyond the first byte give ones, narrow writes are lost there, or clear the rest of the register.';
const NO_SAMPLE_MEMORY = 'QEMU has registers on pages C and D only; all others read as ones.';
const MIDDLE_IS_7F =
  'QEMU’s converters take 7Fh for the middle of unsigned bytes: everything is one step of 8 bits off, and FFh wraps around.';
const ONE_TURN =
  'QEMU moves no further than to the end of the ring at a time, every 10 ms: a short ring makes the channel slow.';
const MONO_IS_SUM = 'QEMU records the sum of both sides in mono.';

const QEMU_ROWS: readonly Row[] = [
  ['ES1370-RST-008', ['PHANTOM_FRAME', 'PHANTOM_SIZE'], NO_SAMPLE_MEMORY],
  ['ES1370-RST-009', ['UART_STATUS'], NO_UART],
  [
    'ES1370-RST-012',
    ['dwords in 150 ms'],
    'QEMU opens a voice when format or rate change, and its reset closes them: in the format of the reset nothing plays.',
  ],
  ['ES1370-REG-008', ['SERIAL'], 'QEMU keeps all 32 bits of SERIAL.'],
  [
    'ES1370-REG-009',
    ['SERIAL'],
    'QEMU keeps all 32 bits of SERIAL, P1_SCT_RLD among them, which does nothing.',
  ],
  ['ES1370-REG-016', ['PHANTOM_FRAME', 'PHANTOM_SIZE'], NO_SAMPLE_MEMORY],
  [
    'ES1370-REG-017',
    [...'0123456789AB'].map((page) => `dwords of page ${page} that differ`),
    NO_SAMPLE_MEMORY,
  ],
  ['ES1370-REG-019', ['byte 1', 'byte 2', 'byte 3', 'word 1'], NARROW],
  ['ES1370-REG-020', ['byte 3', 'word 1'], NARROW],
  ['ES1370-REG-021', ['SERIAL'], NARROW],
  ['ES1370-RATE-013', ['frames a second at 22050 Hz'], 'QEMU ignores DAC_SYNC.'],
  [
    'ES1370-RATE-015',
    ['frames a second at 11025 Hz'],
    'QEMU opens the voice anew when its rate changes, and leaves it inactive until the channel is enabled again.',
  ],
  ['ES1370-INT-021', ['counter after'], 'P1_SCT_RLD does nothing in QEMU.'],
  ['ES1370-RING-015', ['index at the end'], NO_STOP_MODE],
  ['ES1370-RING-016', ['index at the end'], NO_STOP_MODE],
  ['ES1370-RING-017', ['index at the end'], NO_STOP_MODE],
  ['ES1370-RING-018', ['dwords of the second run'], NO_STOP_MODE],
  ['ES1370-RING-019', ['dwords of the second run'], NO_STOP_MODE],
  ['ES1370-RING-020', ['request'], ONE_TURN],
  ['ES1370-PLAY-001', ['middle of the scale'], MIDDLE_IS_7F],
  ['ES1370-PLAY-002', ['middle of the scale'], MIDDLE_IS_7F],
  ['ES1370-PLAY-005', ['middle of the scale'], MIDDLE_IS_7F],
  ['ES1370-PLAY-006', ['middle of the scale'], MIDDLE_IS_7F],
  ['ES1370-PLAY-011', ['samples'], ONE_TURN],
  ['ES1370-PLAY-013', ['middle of the scale'], MIDDLE_IS_7F],
  ['ES1370-CAP-002', ['bytes'], MONO_IS_SUM],
  ['ES1370-CAP-003', ['middle of the scale'], MIDDLE_IS_7F],
  ['ES1370-CAP-004', ['bytes'], MONO_IS_SUM],
  ['ES1370-CAP-010', ['index', 'bytes written'], 'QEMU ignores ADC_STOP.'],
  ['ES1370-MIX-001', ['STATUS at once'], NO_CODEC],
  ['ES1370-MIX-003', ['sound'], NO_CODEC],
  ['ES1370-MIX-004', ['sound'], NO_CODEC],
  ...['005', '006', '007', '009', '010', '011'].map(
    (number): Row => [`ES1370-MIX-${number}`, ['samples'], NO_CODEC],
  ),
  ['ES1370-MIX-012', ['sound'], NO_CODEC],
  ['ES1370-MIX-013', ['sound'], NO_CODEC],
  ['ES1370-UART-001', ['UART_STATUS'], NO_UART],
  ['ES1370-UART-002', ['with two bytes'], NO_UART],
  ['ES1370-UART-003', ['STATUS', 'line'], NO_UART],
  ['ES1370-UART-004', ['UART_STATUS'], NO_UART],
  ['ES1370-UART-005', ['after one byte’s time'], NO_UART],
  ['ES1370-UART-006', ['UART_STATUS'], NO_UART],
  ['ES1370-UART-007', ['UART_STATUS'], NO_UART],
  ['ES1370-UART-008', ['UART_STATUS'], NO_UART],
  ['ES1370-UART-009', ['UART_TEST', 'UART_TEST set'], NO_UART],
  ['ES1370-UART-010', Array.from({ length: 8 }, (_, entry) => `entry ${entry}`), NO_UART],
];

/** Where QEMU's ES1370 is known to differ. */
export const ES1370_KNOWN_DEVIATIONS: readonly KnownDeviation[] = QEMU_ROWS.map(
  ([checkId, what, reason]) => ({ checkId, machine: 'qemu', what, reason }),
);
