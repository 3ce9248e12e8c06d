import type { KnownDeviation } from '../check.ts';

/** A row: check, the mismatches that belong to it, and why. */
type Row = readonly [checkId: string, what: readonly string[], reason: string];

const perEngine = (text: (engine: string) => string): readonly string[] => ['PI', 'PO', 'MC'].map(text);

const NO_LINK =
  'QEMU has no AC-link: GLOB_CNT’s reset bits do nothing, a write with one of them set is ignored as a whole, and the codec is always ready.';
const CR_RESTARTS =
  'QEMU takes every write of x_CR with RPBM set for a start: it goes on with the descriptor at PIV, wherever it was.';
const LINEAR_VOLUME =
  'QEMU maps volume fields linearly to 0…255: all bits 0 is full scale, and no step is 1.5 dB; 0808h of PCM out is no 0 dB.';
const LINE_IS_SET_BY_EVENTS =
  'QEMU raises and lowers the line when status bits change, not as a function of status and enables.';
const MASKED_LIKE_ABSENT = 'QEMU implements no mixer inputs: their registers read 0 and ignore writes.';
const WINDOWS = 'QEMU’s windows are larger than the ICH’s: 1024 and 256 bytes.';

const QEMU_ROWS: readonly Row[] = [
  ['AC97-PCI-003', ['bytes of BAR0'], WINDOWS],
  ['AC97-PCI-004', ['bytes of BAR1'], WINDOWS],
  [
    'AC97-PCI-012',
    ['memory space enable'],
    'QEMU’s PCI core lets the command bits of every device be written, whatever windows it has.',
  ],
  ['AC97-RST-006', ['GLOB_STA.PCR'], NO_LINK],
  ['AC97-RST-007', ['codec read', 'GLOB_STA.RCS'], NO_LINK],
  ['AC97-RST-009', ['GLOB_CNT.COLD_RESET#'], NO_LINK],
  ['AC97-RST-010', ['master volume'], NO_LINK],
  ['AC97-RST-011', ['PO_BDBAR', 'PO_LVI', 'PO_CR'], NO_LINK],
  ['AC97-RST-012', ['GLOB_STA.PCR', 'codec read'], NO_LINK],
  ['AC97-RST-014', ['GLOB_STA.PCR asleep'], NO_LINK],
  ['AC97-RST-015', ['GLOB_STA.PCR'], NO_LINK],
  ['AC97-REG-001', perEngine((engine) => `${engine}_BDBAR after ffffffff`), 'QEMU keeps bit 2 of x_BDBAR.'],
  [
    'AC97-REG-006',
    perEngine((engine) => `${engine}_SR`),
    'QEMU stores ones written to the reserved bits 15:5 of x_SR.',
  ],
  [
    'AC97-REG-009',
    [
      'byte 0 of PO_BDBAR',
      'byte 3 of PO_BDBAR',
      'high word of PO_BDBAR',
      'word of PO_CIV and PO_LVI',
      'low byte of PO_PICB',
    ],
    'QEMU answers accesses of a register’s own width and the two documented dword reads; all others read as ones.',
  ],
  ['AC97-REG-011', ['GLOB_CNT after 1', 'GLOB_CNT after 10', 'GLOB_CNT after 20'], NO_LINK],
  ['AC97-REG-014', ['AD3 cleared', 'both cleared'], 'QEMU’s AD3 and MD3 can be set, never cleared.'],
  ['AC97-MIX-007', ['default', 'all ones written', '05h written'], MASKED_LIKE_ABSENT],
  ['AC97-MIX-008', ['default', 'all ones written', '0A05h written'], MASKED_LIKE_ABSENT],
  ['AC97-MIX-009', ['default', 'all ones written', '0A05h written'], MASKED_LIKE_ABSENT],
  ['AC97-MIX-014', ['default'], 'QEMU’s default of record gain is 8808h, that of an input volume.'],
  [
    'AC97-MIX-022',
    ['24h', '3Ah', '40h', '56h'],
    'QEMU stores what is written to registers that it does not know.',
  ],
  [
    'AC97-MIX-024',
    ['DAC ready with PR1'],
    'QEMU stores the power-down bits, but every section stays ready and at work.',
  ],
  ['AC97-MIX-026', ['VRA and VRM'], 'QEMU’s codec starts with variable rates on: 2Ah is 0009h.'],
  ['AC97-MIX-027', ['VRA, DRA, SPDIF and VRM', 'reserved bits'], 'QEMU stores all 16 bits of 2Ah.'],
  ['AC97-MIX-028', ['read of 80h', 'read of FCh'], 'QEMU has storage where the secondary codec would be.'],
  ['AC97-MIX-029', ['samples'], LINEAR_VOLUME],
  ['AC97-MIX-032', ['decibels × 10'], LINEAR_VOLUME],
  ['AC97-MIX-033', ['decibels × 10'], LINEAR_VOLUME],
  ['AC97-MIX-034', ['right, 46.5 dB below'], LINEAR_VOLUME],
  ['AC97-RATE-006', ['DAC rate after 0'], 'QEMU stores any rate, 0 included, with which nothing plays.'],
  ['AC97-RING-011', ['PO_CIV', 'PO_PICB'], CR_RESTARTS],
  ['AC97-RING-012', ['PO_CIV', 'PO_PIV'], CR_RESTARTS],
  ['AC97-RING-014', ['PO_SR'], 'QEMU halts at an empty last descriptor without LVBCI and CELV.'],
  ['AC97-DMA-007', ['samples'], 'QEMU rounds buffer addresses down to a multiple of four.'],
  [
    'AC97-DMA-010',
    ['sound in the 20 ms after the end'],
    'QEMU has BUP the other way round: it repeats the last sample when the bit is set.',
  ],
  [
    'AC97-DMA-011',
    ['repeated samples in the 20 ms after the end'],
    'QEMU has BUP the other way round: it is silent when the bit is clear.',
  ],
  ['AC97-DMA-012', ['samples without the silence of the pause'], CR_RESTARTS],
  ['AC97-INT-010', ['interrupt line'], LINE_IS_SET_BY_EVENTS],
  ['AC97-INT-011', ['interrupt line', 'GLOB_STA.POINT'], LINE_IS_SET_BY_EVENTS],
  ['AC97-INT-012', ['interrupt line'], LINE_IS_SET_BY_EVENTS],
  [
    'AC97-INT-014',
    ['interrupt line with one'],
    'QEMU’s engines share one assert and deassert: clearing one engine’s status drops the line of all.',
  ],
  ['AC97-CAP-008', ['samples'], 'QEMU maps record gain linearly from silence (0000h) to full scale (0F0Fh).'],
  ['AC97-CAP-011', ['mic samples for 100 stereo samples'], 'QEMU’s mic channel is stereo.'],
];

/** Where QEMU's AC97 is known to differ from the documents (found with QEMU 7.2). */
export const AC97_KNOWN_DEVIATIONS: readonly KnownDeviation[] = QEMU_ROWS.map(([checkId, what, reason]) => ({
  checkId,
  machine: 'qemu',
  what,
  reason,
}));
