import type { KnownDeviation } from '../check.ts';

/** A row: check, the mismatches that belong to it, and why. */
type Row = readonly [checkId: string, what: readonly string[], reason: string];

const STREAMS = [0, 1, 2, 3, 4, 5, 6, 7];
const INPUTS = STREAMS.slice(0, 4);
const OUTPUTS = STREAMS.slice(4);
const perStream = (
  streams: readonly number[],
  texts: (stream: number) => readonly string[],
): readonly string[] => streams.flatMap(texts);

const NO_POWER = 'QEMU’s controllers have no power management capability.';
const RESET_AT_ONCE =
  'In QEMU CRST written 0 resets everything at once, and codecs announce themselves then, not when CRST becomes 1; registers take writes in reset, too.';
const CODEC_KEEPS =
  'QEMU’s codecs only stop at a reset: format, stream number and gain stay as they are, and FUNCTION_RESET is not known.';
const ZEROS_CLEAR =
  'In QEMU’s status registers zeros clear as well as ones: every write leaves all bits of the register clear.';
const NOT_IMPLEMENTED = 'QEMU does not have this register: it reads 0.';
const WHOLE_REGISTERS =
  'QEMU finds a register by the offset of its first byte: parts of it are not reached, and a dword shows the first of several.';
const COUNTS_TO_STANDSTILL =
  'QEMU fetches no command while the count of responses equals RINTCNT; only the acknowledgement of RINTFL makes it 0, and no reset does.';
const NO_ERRORS = 'QEMU raises neither errors of the CORB’s memory nor of descriptors and FIFOs.';
const SRST_KEEPS = 'QEMU’s SRST clears SDnCTL and SDnSTS alone; LPIB becomes 0 with RUN.';
const RUN_RESTARTS =
  'QEMU reads the whole list when RUN is set, and begins with the first entry at position 0.';
const ALWAYS_READY = 'QEMU’s FIFORDY is always set.';
const PULLED_BY_CODEC =
  'In QEMU it is the codec that moves a stream’s bytes: what none listens to stands still.';
const NO_IOCE = 'QEMU does not look at IOCE: BCIS is an interrupt with and without.';
const LINEAR_GAIN = 'QEMU maps the gain linearly to 0…255: no step is 1 dB.';
const FIXED_PINS = 'QEMU’s pins are always on: SET_PIN_CONTROL is not stored.';
const ONE_AMP_VERB =
  'QEMU’s amplifier verbs do not tell input from output, and at nodes without amplifier they reach the first converter.';

const QEMU_ROWS: readonly Row[] = [
  ['HDA-PCI-004', ['BAR0, type'], 'QEMU’s window has a 32-bit address.'],
  ['HDA-PCI-009', ['power management capability'], NO_POWER],
  ['HDA-PCI-012', ['TCSEL after FFh'], 'QEMU’s PCI core stores all bits of 44h.'],
  ['HDA-PCI-019', ['power management capability'], NO_POWER],
  ['HDA-RST-002', ['STATESTS'], RESET_AT_ONCE],
  ['HDA-RST-005', ['STATESTS'], RESET_AT_ONCE],
  ['HDA-RST-007', ['STATESTS after zeros'], ZEROS_CLEAR],
  ['HDA-RST-008', ['CORBLBASE', 'INTCTL'], RESET_AT_ONCE],
  ['HDA-RST-012', ['WAKEEN'], 'QEMU resets WAKEEN with the rest.'],
  ['HDA-RST-013', ['STATESTS in reset'], RESET_AT_ONCE],
  ['HDA-RST-016', ['stream and channel', 'format'], CODEC_KEEPS],
  ['HDA-RST-020', ['GSTS after', 'FCNTRL after'], 'QEMU stores FCNTRL and has no GSTS.'],
  ['HDA-RST-021', ['answer'], RESET_AT_ONCE],
  ['HDA-REG-006', ['OUTSTRMPAY', 'OUTSTRMPAY after a write'], NOT_IMPLEMENTED],
  ['HDA-REG-007', ['INSTRMPAY', 'INSTRMPAY after a write'], NOT_IMPLEMENTED],
  ['HDA-REG-010', ['SSYNC after ffffffff', 'SSYNC after 55555555', 'SSYNC after aaaaaaaa'], NOT_IMPLEMENTED],
  [
    'HDA-REG-014',
    ['CORBRP after ffff', 'CORBRP after 5555', 'CORBRP after aaaa'],
    'QEMU stores the pointer that is written to CORBRP.',
  ],
  ['HDA-REG-028', ['WAKEEN after ffff'], 'QEMU’s WAKEEN has 15 bits.'],
  [
    'HDA-REG-031',
    [
      'high word of CORBUBASE',
      'byte 1 of CORBUBASE',
      'byte 3 of CORBUBASE',
      'after a write of byte 1',
      'after a write of the high word',
    ],
    WHOLE_REGISTERS,
  ],
  ['HDA-REG-032', ['GCAP, VMIN, VMAJ', 'OUTPAY, INPAY', 'RIRBWP, RINTCNT'], WHOLE_REGISTERS],
  [
    'HDA-REG-035',
    perStream(STREAMS, (stream) => [
      `SDCTL of stream ${stream} after ones`,
      `SDCTL of stream ${stream} after zeros`,
    ]),
    'QEMU stores bits 19:16 of SDnCTL as they are written.',
  ],
  ['HDA-REG-037', perStream(STREAMS, (stream) => [`STS of stream ${stream}`]), ALWAYS_READY],
  [
    'HDA-REG-044',
    perStream(STREAMS, (stream) =>
      ['reset', '2', '3', '7', '4'].map((after) => `FIFOW of stream ${stream} after ${after}`),
    ),
    NOT_IMPLEMENTED,
  ],
  [
    'HDA-REG-045',
    perStream(INPUTS, (stream) => [
      `FIFOS of stream ${stream}`,
      `FIFOS of stream ${stream} after a write`,
      `FIFOS of stream ${stream} at 24 bits`,
    ]),
    'QEMU’s FIFOS is 100h, always.',
  ],
  [
    'HDA-REG-046',
    perStream(OUTPUTS, (stream) => [`FIFOS of stream ${stream}`, `FIFOS of stream ${stream} at 24 bits`]),
    'QEMU’s FIFOS is 100h, always.',
  ],
  [
    'HDA-REG-047',
    perStream(OUTPUTS, (stream) =>
      ['f', '1f', '3f', '7f', '33', 'bf'].map((after) => `FIFOS of stream ${stream} after ${after}`),
    ),
    'QEMU’s FIFOS is 100h, always.',
  ],
  [
    'HDA-REG-049',
    ['STS', 'STS after a one'],
    'A dword written to QEMU’s SDnCTL stores the status bits as they are written: zeros clear, ones set them.',
  ],
  ['HDA-CMD-012', ['responses'], COUNTS_TO_STANDSTILL],
  ['HDA-CMD-013', ['responses'], COUNTS_TO_STANDSTILL],
  ['HDA-CMD-014', ['RIRBSTS after 0'], ZEROS_CLEAR],
  ['HDA-CMD-016', ['responses'], COUNTS_TO_STANDSTILL],
  ['HDA-CMD-019', ['CORBSTS', 'interrupt line'], NO_ERRORS],
  ['HDA-CMD-023', ['responses'], COUNTS_TO_STANDSTILL],
  ['HDA-ICI-003', ['ICIS'], ZEROS_CLEAR],
  ['HDA-STR-002', ['CBL', 'LVI', 'FMT', 'BDPL', 'BDPU'], SRST_KEEPS],
  ['HDA-STR-016', ['LPIB'], RUN_RESTARTS],
  ['HDA-STR-022', ['STS after 0'], ZEROS_CLEAR],
  ['HDA-STR-025', ['STS before RUN'], ALWAYS_READY],
  ['HDA-STR-026', ['LPIB'], PULLED_BY_CODEC],
  ['HDA-STR-031', ['DESE', 'RUN', 'interrupt line'], NO_ERRORS],
  ['HDA-STR-032', ['FIFOE', 'interrupt line'], NO_ERRORS],
  ['HDA-STR-033', ['LPIB while held'], NOT_IMPLEMENTED],
  ['HDA-STR-034', ['LPIB'], PULLED_BY_CODEC],
  ['HDA-STR-035', ['LPIB of stream 5', 'LPIB of stream 6', 'LPIB of stream 7'], PULLED_BY_CODEC],
  ['HDA-STR-038', ['LPIB after reset 0', 'LPIB after reset 1', 'LPIB after reset 2'], SRST_KEEPS],
  ['HDA-DMA-007', ['samples without the silence of the pause'], RUN_RESTARTS],
  ['HDA-DMA-010', ['samples that are heard'], 'QEMU takes stream number 0 for a number like others.'],
  ['HDA-DMA-016', ['decibels × 10'], LINEAR_GAIN],
  ['HDA-DMA-017', ['decibels × 10'], LINEAR_GAIN],
  ['HDA-DMA-018', ['decibels × 10'], LINEAR_GAIN],
  ['HDA-DMA-019', ['samples that are heard'], FIXED_PINS],
  [
    'HDA-DMA-022',
    ['channels 2 and 3'],
    'QEMU’s converters take one or two channels, and do not look at the lowest one.',
  ],
  ['HDA-CAP-009', ['samples of sound'], FIXED_PINS],
  ['HDA-CAP-014', ['LPIB'], RUN_RESTARTS],
  ['HDA-INT-004', ['interrupt line'], NO_IOCE],
  ['HDA-INT-006', ['GIS'], 'QEMU’s GIS tells of sources that INTCTL enables.'],
  ['HDA-INT-010', ['interrupt line without IOCE'], NO_IOCE],
  ['HDA-INT-015', ['INTSTS, streams'], 'QEMU stores what is written to INTSTS until something changes.'],
  ['HDA-COD-022', ['answers of amplifiers that are not there'], ONE_AMP_VERB],
  ['HDA-COD-023', ['answers of amplifiers that are not there'], ONE_AMP_VERB],
  ['HDA-COD-025', ['pin controls, off'], FIXED_PINS],
  ['HDA-COD-032', ['format, stream, gain'], CODEC_KEEPS],
  ['HDA-COD-034', ['subsystem id'], 'QEMU’s codecs know no verbs that write identification.'],
  [
    'HDA-COD-035',
    ['configuration default', 'after a function reset'],
    'QEMU’s codecs know no verbs that write the configuration default.',
  ],
];

/** Where QEMU's HDA controllers and codecs are known to differ from the documents (found with QEMU 7.2). */
export const HDA_KNOWN_DEVIATIONS: readonly KnownDeviation[] = QEMU_ROWS.map(([checkId, what, reason]) => ({
  checkId,
  machine: 'qemu',
  what,
  reason,
}));
