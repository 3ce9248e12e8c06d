import {
  AC97_3D_CONTROL,
  AC97_AUX_IN_VOLUME,
  AC97_CD_VOLUME,
  AC97_EXTENDED_AUDIO_CONTROL,
  AC97_EXTENDED_AUDIO_ID,
  AC97_GENERAL_PURPOSE,
  AC97_HEADPHONE_VOLUME,
  AC97_LINE_IN_VOLUME,
  AC97_MASTER_TONE,
  AC97_MASTER_VOLUME,
  AC97_MIC_VOLUME,
  AC97_MONO_VOLUME,
  AC97_PC_BEEP,
  AC97_PCM_OUT_VOLUME,
  AC97_PHONE_VOLUME,
  AC97_POWERDOWN,
  AC97_RECORD_GAIN,
  AC97_RECORD_GAIN_MIC,
  AC97_RECORD_SELECT,
  AC97_RESET,
  AC97_VENDOR_ID1,
  AC97_VENDOR_ID2,
  AC97_VIDEO_VOLUME,
  PD_DAC,
  PD_PR1,
} from '../../hardware/codecs/ac97-registers.ts';
import { TICKS_PER_MILLISECOND } from '../../kernel/index.ts';
import { type Expectations, hex } from '../check.ts';
import { type Ac97Bench, testSignal } from './bench.ts';
import { type CheckRow, checkTable } from './check-table.ts';

/** A register of the codec as the specification has it. */
interface MixerRegister {
  readonly number: string;
  readonly title: string;
  readonly offset: number;
  readonly reset: number;
  /** Bits that every codec with this register stores. */
  readonly mask: number;
  /** Bits that a codec may store. */
  readonly optional?: number;
  /** A codec may leave it out: it then reads 0 for good (AC'97 2.3 §5.7). */
  readonly mayBeAbsent?: boolean;
  readonly section: string;
}

const MIXER_REGISTERS: readonly MixerRegister[] = [
  {
    number: '001',
    title: 'Master volume (02h)',
    offset: AC97_MASTER_VOLUME,
    reset: 0x8000,
    mask: 0x9f1f,
    optional: 0xa0a0,
    section: '5.7.2',
  },
  {
    number: '002',
    title: 'Headphone volume (04h)',
    offset: AC97_HEADPHONE_VOLUME,
    reset: 0x8000,
    mask: 0x9f1f,
    optional: 0xa0a0,
    mayBeAbsent: true,
    section: '5.7.2',
  },
  {
    number: '003',
    title: 'Mono volume (06h)',
    offset: AC97_MONO_VOLUME,
    reset: 0x8000,
    mask: 0x801f,
    optional: 0x0020,
    mayBeAbsent: true,
    section: '5.7.2',
  },
  {
    number: '004',
    title: 'Tone (08h)',
    offset: AC97_MASTER_TONE,
    reset: 0x0f0f,
    mask: 0x0f0f,
    mayBeAbsent: true,
    section: '5.7.3',
  },
  {
    number: '005',
    title: 'PC beep (0Ah)',
    offset: AC97_PC_BEEP,
    reset: 0x0000,
    mask: 0x801e,
    optional: 0x1fe0,
    mayBeAbsent: true,
    section: '5.7.4',
  },
  {
    number: '006',
    title: 'Phone volume (0Ch)',
    offset: AC97_PHONE_VOLUME,
    reset: 0x8008,
    mask: 0x801f,
    mayBeAbsent: true,
    section: '5.7.5',
  },
  {
    number: '007',
    title: 'Mic volume (0Eh)',
    offset: AC97_MIC_VOLUME,
    reset: 0x8008,
    mask: 0x805f,
    section: '5.7.5',
  },
  {
    number: '008',
    title: 'Line in volume (10h)',
    offset: AC97_LINE_IN_VOLUME,
    reset: 0x8808,
    mask: 0x9f1f,
    optional: 0x0080,
    section: '5.7.5',
  },
  {
    number: '009',
    title: 'CD volume (12h)',
    offset: AC97_CD_VOLUME,
    reset: 0x8808,
    mask: 0x9f1f,
    optional: 0x0080,
    section: '5.7.5',
  },
  {
    number: '010',
    title: 'Video volume (14h)',
    offset: AC97_VIDEO_VOLUME,
    reset: 0x8808,
    mask: 0x9f1f,
    optional: 0x0080,
    mayBeAbsent: true,
    section: '5.7.5',
  },
  {
    number: '011',
    title: 'Aux in volume (16h)',
    offset: AC97_AUX_IN_VOLUME,
    reset: 0x8808,
    mask: 0x9f1f,
    optional: 0x0080,
    mayBeAbsent: true,
    section: '5.7.5',
  },
  {
    number: '012',
    title: 'PCM out volume (18h)',
    offset: AC97_PCM_OUT_VOLUME,
    reset: 0x8808,
    mask: 0x9f1f,
    optional: 0x0080,
    section: '5.7.5',
  },
  {
    number: '013',
    title: 'Record select (1Ah)',
    offset: AC97_RECORD_SELECT,
    reset: 0x0000,
    mask: 0x0707,
    section: '5.7.6',
  },
  {
    number: '014',
    title: 'Record gain (1Ch)',
    offset: AC97_RECORD_GAIN,
    reset: 0x8000,
    mask: 0x8f0f,
    optional: 0x0080,
    section: '5.7.7',
  },
  {
    number: '015',
    title: 'Record gain of the mic ADC (1Eh)',
    offset: AC97_RECORD_GAIN_MIC,
    reset: 0x8000,
    mask: 0x800f,
    mayBeAbsent: true,
    section: '5.7.7',
  },
  {
    number: '016',
    title: 'General purpose (20h)',
    offset: AC97_GENERAL_PURPOSE,
    reset: 0x0000,
    mask: 0x0080,
    optional: 0xe700,
    mayBeAbsent: true,
    section: '5.7.8',
  },
  {
    number: '017',
    title: '3D control (22h)',
    offset: AC97_3D_CONTROL,
    reset: 0x0000,
    mask: 0x0000,
    optional: 0x0f0f,
    mayBeAbsent: true,
    section: '5.7.9',
  },
];

function checkMixerRegister(register: MixerRegister, bench: Ac97Bench, expect: Expectations): void {
  const { offset, reset, mask, optional = 0 } = register;
  const atReset = bench.readNam(offset);
  bench.writeNam(offset, 0xffff);
  const ones = bench.readNam(offset);
  bench.writeNam(offset, 0x0000);
  const zeros = bench.readNam(offset);
  if (register.mayBeAbsent && atReset === 0 && ones === 0 && zeros === 0) return;
  const volume = register.section === '5.7.2' || register.section === '5.7.5' || register.section === '5.7.7';
  expect.equal('default', atReset, reset);
  expect.bits('all ones written', ones, mask, mask);
  expect.bits('all ones written: reserved bits', ones, ~(mask | optional) & 0xffff, 0);
  expect.equal('zero written', zeros, 0);
  if (!volume) return;
  const pattern = mask & 0x0a05;
  bench.writeNam(offset, pattern);
  expect.equal(`${hex(pattern)} written`, bench.readNam(offset), pattern);
}

const registerRows: readonly CheckRow[] = MIXER_REGISTERS.map(
  (register): CheckRow => [
    register.number,
    `${register.title}: default and stored bits${register.mayBeAbsent ? ', or absent' : ''}`,
    `AC’97 2.3 §${register.section}`,
    (bench, expect) => checkMixerRegister(register, bench, expect),
  ],
);

/** Loudest sample of what is heard of a loud signal, for a volume setting. */
function peakAt(bench: Ac97Bench, master: number, pcmOut: number): number {
  bench.writeNam(AC97_MASTER_VOLUME, master);
  bench.writeNam(AC97_PCM_OUT_VOLUME, pcmOut);
  const signal = new Int16Array(960).fill(16_384);
  const heard = bench.playOnce(signal);
  return heard.reduce((peak, sample) => Math.max(peak, Math.abs(sample)), 0);
}

/** The codec's registers, and what its volumes do. */
export const MIXER_CHECKS = checkTable('MIX', 'Mixer', [
  ...registerRows,
  [
    '018',
    'The vendor id is there and cannot be written',
    'AC’97 2.3 §5.9',
    (bench, expect) => {
      const before = [bench.readNam(AC97_VENDOR_ID1), bench.readNam(AC97_VENDOR_ID2)] as const;
      bench.writeNam(AC97_VENDOR_ID1, 0x1234);
      bench.writeNam(AC97_VENDOR_ID2, 0x5678);
      expect.that('vendor id', before[0] !== 0 && before[0] !== 0xffff, 'two letters', hex(before[0]));
      expect.equal('7Ch after a write', bench.readNam(AC97_VENDOR_ID1), before[0]);
      expect.equal('7Eh after a write', bench.readNam(AC97_VENDOR_ID2), before[1]);
    },
  ],
  [
    '019',
    'The capabilities register (00h) fits the registers that are there',
    'AC’97 2.3 §5.7.1, table 16',
    (bench, expect) => {
      const capabilities = bench.readNam(AC97_RESET);
      const present = (offset: number) => {
        bench.writeNam(offset, 0x0a05);
        const value = bench.readNam(offset);
        bench.writeNam(offset, 0);
        return value !== 0;
      };
      const fits = (what: string, bit: number, offset: number) =>
        expect.that(
          what,
          ((capabilities & bit) !== 0) === present(offset),
          `bit ${hex(bit)} as ${hex(offset)} is there or not`,
          hex(capabilities),
        );
      fits('dedicated mic ADC', 0x0001, AC97_RECORD_GAIN_MIC);
      fits('tone control', 0x0004, AC97_MASTER_TONE);
      fits('headphone out', 0x0010, AC97_HEADPHONE_VOLUME);
    },
  ],
  [
    '020',
    'The capabilities register keeps its value when it is written',
    'AC’97 2.3 §5.7.1',
    (bench, expect) => {
      const before = bench.readNam(AC97_RESET);
      bench.writeNam(AC97_RESET, 0x5a5a);
      expect.equal('00h', bench.readNam(AC97_RESET), before);
    },
  ],
  [
    '021',
    'A register reset (write to 00h) puts every volume back',
    'AC’97 2.3 §5.7.1',
    (bench, expect) => {
      const volumes = [AC97_MASTER_VOLUME, AC97_PCM_OUT_VOLUME, AC97_RECORD_SELECT, AC97_RECORD_GAIN];
      const defaults = volumes.map((offset) => bench.readNam(offset));
      for (const offset of volumes) bench.writeNam(offset, 0x0303);
      bench.writeNam(AC97_RESET, 0);
      volumes.forEach((offset, index) => {
        expect.equal(`${hex(offset)} after the reset`, bench.readNam(offset), defaults[index] ?? 0);
      });
    },
  ],
  [
    '022',
    'Reserved registers read 0, whatever was written',
    'AC’97 2.3 §5.7, Appendix A',
    (bench, expect) => {
      for (const offset of [0x24, 0x3a, 0x40, 0x56]) {
        bench.writeNam(offset, 0x5a5a);
        expect.equal(hex(offset), bench.readNam(offset), 0);
      }
    },
  ],
  [
    '023',
    'Powerdown (26h): all sections are ready, and the ready bits cannot be written',
    'AC’97 2.3 §5.7.11',
    (bench, expect) => {
      expect.bits('26h', bench.readNam(AC97_POWERDOWN), 0x7fff, 0x000f);
      bench.writeNam(AC97_POWERDOWN, 0x0000);
      expect.bits('26h after a write', bench.readNam(AC97_POWERDOWN), 0x000f, 0x000f);
    },
  ],
  [
    '024',
    'Powerdown: PR1 takes the DAC’s ready bit away, and its release brings it back',
    'AC’97 2.3 §5.7.11, table 28',
    (bench, expect) => {
      bench.writeNam(AC97_POWERDOWN, PD_PR1);
      expect.bits('PR1 is stored', bench.readNam(AC97_POWERDOWN), PD_PR1, PD_PR1);
      expect.bits('DAC ready with PR1', bench.readNam(AC97_POWERDOWN), PD_DAC, 0);
      bench.writeNam(AC97_POWERDOWN, 0);
      bench.card.waitUntil(() => (bench.readNam(AC97_POWERDOWN) & PD_DAC) !== 0, 100 * TICKS_PER_MILLISECOND);
      expect.bits('DAC ready without PR1', bench.readNam(AC97_POWERDOWN), PD_DAC, PD_DAC);
    },
  ],
  [
    '025',
    'The extended audio id (28h) says primary codec and cannot be written',
    'AC’97 2.3 §5.8.1',
    (bench, expect) => {
      const before = bench.readNam(AC97_EXTENDED_AUDIO_ID);
      expect.bits('codec id', before, 0xc000, 0);
      bench.writeNam(AC97_EXTENDED_AUDIO_ID, ~before & 0xffff);
      expect.equal('28h after a write', bench.readNam(AC97_EXTENDED_AUDIO_ID), before);
    },
  ],
  [
    '026',
    'Extended audio control (2Ah): variable rates are off by default',
    'AC’97 2.3 §5.8.2',
    (bench, expect) => {
      expect.bits('VRA and VRM', bench.readNam(AC97_EXTENDED_AUDIO_CONTROL), 0x0009, 0);
    },
  ],
  [
    '027',
    'Extended audio control stores only bits of functions that the id names',
    'AC’97 2.3 §5.8.1, §5.8.2',
    (bench, expect) => {
      const id = bench.readNam(AC97_EXTENDED_AUDIO_ID);
      bench.writeNam(AC97_EXTENDED_AUDIO_CONTROL, 0xffff);
      const stored = bench.readNam(AC97_EXTENDED_AUDIO_CONTROL);
      expect.bits('VRA, DRA, SPDIF and VRM', stored, 0x000f, id & 0x000f);
      expect.bits('reserved bits', stored, 0x8000, 0);
      bench.writeNam(AC97_EXTENDED_AUDIO_CONTROL, 0);
    },
  ],
  [
    '028',
    'A codec that is not there (80h–FEh) reads FFFFh',
    '82801AA §12.2.9',
    (bench, expect) => {
      expect.equal('read of 80h', bench.readNam(0x80), 0xffff);
      expect.equal('read of FCh', bench.readNam(0xfc), 0xffff);
    },
  ],
  [
    '029',
    'Samples pass unchanged at 0 dB: 0000h of master, 0808h of PCM out',
    'AC’97 2.3 §5.7.2, §5.7.5',
    (bench, expect) => {
      bench.writeNam(AC97_MASTER_VOLUME, 0x0000);
      bench.writeNam(AC97_PCM_OUT_VOLUME, 0x0808);
      const signal = testSignal(960, 29);
      expect.same('samples', bench.playOnce(signal), signal);
    },
    'output',
  ],
  [
    '030',
    'The mute bit of master volume silences the output',
    'AC’97 2.3 §5.7.2',
    (bench, expect) => {
      expect.between('peak', peakAt(bench, 0x8000, 0x0808), 0, 0);
    },
    'output',
  ],
  [
    '031',
    'The mute bit of PCM out silences the DAC',
    'AC’97 2.3 §5.7.5',
    (bench, expect) => {
      expect.between('peak', peakAt(bench, 0x0000, 0x8808), 0, 0);
    },
    'output',
  ],
  [
    '032',
    'Master volume attenuates by 1.5 dB a step: 6 dB at 0404h',
    'AC’97 2.3 §5.7.2, table 19',
    (bench, expect) => {
      const loud = peakAt(bench, 0x0000, 0x0808);
      const soft = peakAt(bench, 0x0404, 0x0808);
      expect.between('decibels × 10', Math.round(200 * Math.log10(soft / Math.max(loud, 1))), -61, -59);
    },
    'output',
  ],
  [
    '033',
    'PCM out amplifies by 1.5 dB a step: +6 dB at 0404h',
    'AC’97 2.3 §5.7.5, table 21',
    (bench, expect) => {
      const nominal = peakAt(bench, 0x0808, 0x0808);
      const loud = peakAt(bench, 0x0808, 0x0404);
      expect.between('decibels × 10', Math.round(200 * Math.log10(loud / Math.max(nominal, 1))), 59, 61);
    },
    'output',
  ],
  [
    '034',
    'Left and right have volumes of their own',
    'AC’97 2.3 §5.7.2',
    (bench, expect) => {
      bench.unmute();
      bench.writeNam(AC97_MASTER_VOLUME, 0x001f);
      const heard = bench.playOnce(new Int16Array(960).fill(16_384));
      let left = 0;
      let right = 0;
      for (let i = 0; i + 1 < heard.length; i += 2) {
        left = Math.max(left, Math.abs(heard[i] as number));
        right = Math.max(right, Math.abs(heard[i + 1] as number));
      }
      expect.between('left', left, 16_300, 16_400);
      expect.between('right, 46.5 dB below', right, 70, 90);
    },
    'output',
  ],
]);
