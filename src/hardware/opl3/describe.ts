/** Names and meanings of the FM chips' registers, for listings and the trace. */
import {
  AD_AR,
  AD_DR,
  AM_AM,
  AM_EGT,
  AM_KSR,
  AM_MULT,
  AM_VIB,
  CN_CSM,
  CN_NTS,
  FC_CHA,
  FC_CHB,
  FC_CHC,
  FC_CHD,
  FC_CNT,
  FC_FB,
  type FmChip,
  KB_BLOCK,
  KB_FNUM_HIGH,
  KB_KON,
  KT_KSL,
  KT_TL,
  NEW_NEW,
  OPERATOR_AT,
  OPL_AM_MULT,
  OPL_AR_DR,
  OPL_CONNECTION,
  OPL_CSM_NTS,
  OPL_FB_CNT,
  OPL_FNUM,
  OPL_KON_BLOCK,
  OPL_KSL_TL,
  OPL_NEW,
  OPL_RHYTHM,
  OPL_SL_RR,
  OPL_STATUS_FT1,
  OPL_STATUS_FT2,
  OPL_STATUS_IRQ,
  OPL_TEST,
  OPL_TIMER_1,
  OPL_TIMER_2,
  OPL_TIMER_CONTROL,
  OPL_WS,
  RH_BD,
  RH_DAM,
  RH_DVB,
  RH_HH,
  RH_RYT,
  RH_SD,
  RH_TC,
  RH_TOM,
  SR_RR,
  SR_SL,
  TC_MT1,
  TC_MT2,
  TC_RST,
  TC_ST1,
  TC_ST2,
  TEST_WSE,
} from './registers.ts';

/** One named bit field of a register. */
export interface FmField {
  readonly name: string;
  readonly mask: number;
  readonly meaning: string;
}

/** One register. All are write-only and 0 after a reset. */
export interface FmRegister {
  /** The name in the trace: `AM_MULT.7` is of operator 7, `FNUM.3` of channel 3, both counted from 1 over both banks. */
  readonly name: string;
  /** 000h … 1FFh. */
  readonly register: number;
  readonly meaning: string;
  readonly fields: readonly FmField[];
}

const field = (name: string, mask: number, meaning: string): FmField => ({ name, mask, meaning });

interface FmGroup {
  readonly name: string;
  readonly first: number;
  readonly meaning: string;
  readonly fields: readonly FmField[];
}

const OPERATOR_GROUPS: readonly FmGroup[] = [
  {
    name: 'AM_MULT',
    first: OPL_AM_MULT,
    meaning: 'tremolo, vibrato, envelope type, key scale rate, multiple',
    fields: [
      field('AM', AM_AM, 'tremolo'),
      field('VIB', AM_VIB, 'vibrato'),
      field('EGT', AM_EGT, 'the sustain level is held while the key is down'),
      field('KSR', AM_KSR, 'rates follow the pitch fully, not by a quarter'),
      field('MULT', AM_MULT, 'multiple of the frequency; 0 is one half'),
    ],
  },
  {
    name: 'KSL_TL',
    first: OPL_KSL_TL,
    meaning: 'key scale level, total level',
    fields: [
      field('KSL', KT_KSL, 'attenuation with pitch: 0, 3, 1.5, 6 dB per octave'),
      field('TL', KT_TL, 'attenuation in 0.75 dB'),
    ],
  },
  {
    name: 'AR_DR',
    first: OPL_AR_DR,
    meaning: 'attack rate, decay rate',
    fields: [field('AR', AD_AR, 'attack rate'), field('DR', AD_DR, 'decay rate')],
  },
  {
    name: 'SL_RR',
    first: OPL_SL_RR,
    meaning: 'sustain level, release rate',
    fields: [field('SL', SR_SL, 'sustain level in −3 dB; 15 is −93 dB'), field('RR', SR_RR, 'release rate')],
  },
  {
    name: 'WS',
    first: OPL_WS,
    meaning: 'waveform',
    fields: [field('WS', 0x07, 'waveform')],
  },
];

const CHANNEL_GROUPS: readonly FmGroup[] = [
  {
    name: 'FNUM',
    first: OPL_FNUM,
    meaning: 'frequency, lower 8 bits',
    fields: [field('FNUM', 0xff, 'F-number, bits 7–0')],
  },
  {
    name: 'KON_BLOCK',
    first: OPL_KON_BLOCK,
    meaning: 'key, octave, frequency',
    fields: [
      field('KON', KB_KON, 'the key is down'),
      field('BLOCK', KB_BLOCK, 'octave'),
      field('FNUM', KB_FNUM_HIGH, 'F-number, bits 9–8'),
    ],
  },
  {
    name: 'FB_CNT',
    first: OPL_FB_CNT,
    meaning: 'outputs, feedback, connection',
    fields: [
      field('CHD', FC_CHD, 'output D (not connected on sound cards)'),
      field('CHC', FC_CHC, 'output C (not connected on sound cards)'),
      field('CHB', FC_CHB, 'right output'),
      field('CHA', FC_CHA, 'left output'),
      field('FB', FC_FB, 'feedback of the first operator'),
      field('CNT', FC_CNT, 'operators are added instead of modulated'),
    ],
  },
];

const SINGLE_REGISTERS: readonly (FmRegister & { readonly only?: FmChip })[] = [
  {
    name: 'TEST',
    register: OPL_TEST,
    meaning: 'test, waveform select enable (YM3812)',
    fields: [field('WSE', TEST_WSE, 'waveform registers can be written (YM3812)')],
  },
  {
    name: 'TIMER1',
    register: OPL_TIMER_1,
    meaning: 'preset of timer 1, 4 samples a count',
    fields: [],
  },
  {
    name: 'TIMER2',
    register: OPL_TIMER_2,
    meaning: 'preset of timer 2, 16 samples a count',
    fields: [],
  },
  {
    name: 'TIMER_CONTROL',
    register: OPL_TIMER_CONTROL,
    meaning: 'timers and their interrupts',
    fields: [
      field('RST', TC_RST, 'clears the flags; the other bits mean nothing then'),
      field('MT1', TC_MT1, 'timer 1 sets no flag'),
      field('MT2', TC_MT2, 'timer 2 sets no flag'),
      field('ST2', TC_ST2, 'timer 2 runs'),
      field('ST1', TC_ST1, 'timer 1 runs'),
    ],
  },
  {
    name: 'CSM_NTS',
    register: OPL_CSM_NTS,
    meaning: 'composite sine mode (YM3812), keyboard split',
    fields: [
      field('CSM', CN_CSM, 'timer 1 strikes all keys (YM3812)'),
      field('NTS', CN_NTS, 'the keyboard is split at bit 8 of the F-number instead of bit 9'),
    ],
  },
  {
    name: 'RHYTHM',
    register: OPL_RHYTHM,
    meaning: 'depths of tremolo and vibrato, rhythm section',
    fields: [
      field('DAM', RH_DAM, 'tremolo 4.8 dB deep instead of 1 dB'),
      field('DVB', RH_DVB, 'vibrato 14 cents deep instead of 7'),
      field('RYT', RH_RYT, 'channels 7–9 are the rhythm section'),
      field('BD', RH_BD, 'bass drum'),
      field('SD', RH_SD, 'snare drum'),
      field('TOM', RH_TOM, 'tom-tom'),
      field('TC', RH_TC, 'top cymbal'),
      field('HH', RH_HH, 'hi-hat'),
    ],
  },
  {
    name: 'CONNECTION',
    register: OPL_CONNECTION,
    meaning: 'four-operator pairs: channels 1+4, 2+5, 3+6, 10+13, 11+14, 12+15 by bit',
    fields: [field('CONNECTION SEL', 0x3f, 'the pair is one channel of four operators')],
    only: 'YMF262',
  },
  {
    name: 'NEW',
    register: OPL_NEW,
    meaning: 'OPL3 mode',
    fields: [field('NEW', NEW_NEW, 'the YMF262 is more than two YM3812')],
    only: 'YMF262',
  },
];

/** Every register of a chip in order of number. */
export function fmRegisters(chip: FmChip): readonly FmRegister[] {
  const registers: FmRegister[] = SINGLE_REGISTERS.filter(({ only }) => only === undefined || only === chip);
  for (let bank = 0; bank < (chip === 'YMF262' ? 2 : 1); bank++) {
    for (const { name, first, meaning, fields } of OPERATOR_GROUPS) {
      for (const [offset, place] of OPERATOR_AT.entries()) {
        if (place < 0) continue;
        const operator = bank * 18 + place + 1;
        registers.push({
          name: `${name}.${operator}`,
          register: bank * 0x100 + first + offset,
          meaning: `operator ${operator}: ${meaning}`,
          fields,
        });
      }
    }
    for (const { name, first, meaning, fields } of CHANNEL_GROUPS) {
      for (let place = 0; place < 9; place++) {
        const channel = bank * 9 + place + 1;
        registers.push({
          name: `${name}.${channel}`,
          register: bank * 0x100 + first + place,
          meaning: `channel ${channel}: ${meaning}`,
          fields,
        });
      }
    }
  }
  return registers.sort((one, other) => one.register - other.register);
}

const BY_NUMBER: ReadonlyMap<number, FmRegister> = new Map(
  fmRegisters('YMF262').map((description) => [description.register, description]),
);

/** The description of a register number, null where the chip has none. */
export function fmRegisterAt(register: number): FmRegister | null {
  return BY_NUMBER.get(register) ?? null;
}

/** The name of a register for the trace: `KON_BLOCK.3`, or `FM_1F6` where there is none. */
export function fmRegisterName(register: number): string {
  return fmRegisterAt(register)?.name ?? `FM_${register.toString(16).toUpperCase().padStart(3, '0')}`;
}

/** What a value means in a register, field by field: `KON, BLOCK 4, FNUM 1`. Undefined where the number says it. */
export function describeFmValue(register: number, value: number): string | undefined {
  const fields = fmRegisterAt(register)?.fields ?? [];
  const parts = fields.flatMap(({ name, mask }) => {
    const bits = value & mask;
    const single = (mask & (mask - 1)) === 0;
    if (single) return bits === 0 ? [] : [name];
    return [`${name} ${bits / (mask & -mask)}`];
  });
  return parts.length === 0 ? undefined : parts.join(', ');
}

/** What the status port says. */
export function describeFmStatus(value: number): string | undefined {
  const parts = [
    (value & OPL_STATUS_IRQ) !== 0 ? 'IRQ' : '',
    (value & OPL_STATUS_FT1) !== 0 ? 'timer 1' : '',
    (value & OPL_STATUS_FT2) !== 0 ? 'timer 2' : '',
  ].filter((part) => part !== '');
  return parts.length === 0 ? undefined : parts.join(', ');
}
