/** The functional tests of a Sound Blaster 16, alone on its bus. */
import type { IsaCardUnderTest } from '../card-under-test.ts';
import type { CardTestSuite } from '../check.ts';
import { SB16_INPUT_SIGNAL, Sb16Bench } from './bench.ts';
import type { Sb16Part } from './check-table.ts';
import { ADPCM_CHECKS } from './checks-adpcm.ts';
import { BLOCK_CHECKS } from './checks-blocks.ts';
import { COMMAND_CHECKS } from './checks-commands.ts';
import { FM_CHECKS } from './checks-fm.ts';
import { INTERRUPT_CHECKS } from './checks-interrupts.ts';
import { MIXER_CHECKS } from './checks-mixer.ts';
import { MPU_CHECKS } from './checks-mpu.ts';
import { PLACE_CHECKS } from './checks-places.ts';
import { PLAY_CHECKS } from './checks-play.ts';
import { PNP_CHECKS } from './checks-pnp.ts';
import { RATE_CHECKS } from './checks-rates.ts';
import { RECORD_CHECKS } from './checks-record.ts';
import { RESET_CHECKS } from './checks-reset.ts';
import { SB16_KNOWN_DEVIATIONS } from './known-deviations.ts';

export { SB16_RATE, Sb16Bench } from './bench.ts';
export { SB16_KNOWN_DEVIATIONS } from './known-deviations.ts';

/** What a card without the part lacks. */
const MISSING: Readonly<Record<Sb16Part, string>> = {
  mpu: 'it has no MPU-401',
  fm: 'it has no FM synthesizer',
  game: 'it has no game port',
  pnp: 'it has no Plug and Play; jumpers put it where it is',
  jumpers: 'it has no jumpers; Plug and Play puts it where it is',
};

function has({ card }: Sb16Bench, part: Sb16Part): boolean {
  const { mpuBase, fmBase, gameBase, plugAndPlay } = card.resources;
  switch (part) {
    case 'mpu':
      return mpuBase !== null;
    case 'fm':
      return fmBase !== null;
    case 'game':
      return gameBase !== null;
    case 'pnp':
      return plugAndPlay;
    case 'jumpers':
      return !plugAndPlay;
  }
}

function isPart(text: string): text is Sb16Part {
  return text in MISSING;
}

/** Run it with {@link runCardTests}. */
export const SB16_CARD_TESTS: CardTestSuite<Sb16Bench, IsaCardUnderTest> = {
  card: 'sb16',
  title: 'Functional test of a Sound Blaster 16 (DSP 4.xx, CT1745)',
  documents: [
    { short: 'HPG', title: 'Creative Labs, Sound Blaster Series Hardware Programming Guide' },
    { short: 'YMF262', title: 'Yamaha YMF262 (OPL3) Application Manual' },
    { short: 'PnP ISA', title: 'Plug and Play ISA Specification, version 1.0a' },
    { short: '8237A', title: 'Intel 8237A High Performance Programmable DMA Controller data sheet' },
    {
      short: 'Practice',
      title: 'What programs rely on and the guide does not say: DSP commands E0h–E8h, F2h, F3h, F9h',
    },
  ],
  checks: [
    ...RESET_CHECKS,
    ...COMMAND_CHECKS,
    ...INTERRUPT_CHECKS,
    ...BLOCK_CHECKS,
    ...RATE_CHECKS,
    ...PLAY_CHECKS,
    ...ADPCM_CHECKS,
    ...RECORD_CHECKS,
    ...MIXER_CHECKS,
    ...MPU_CHECKS,
    ...FM_CHECKS,
    ...PNP_CHECKS,
    ...PLACE_CHECKS,
  ],
  deviations: SB16_KNOWN_DEVIATIONS,
  input: SB16_INPUT_SIGNAL,
  open: (card) => new Sb16Bench(card),
  prepare: (bench) => bench.prepare(),
  missing: (bench, part) => (isPart(part) && !has(bench, part) ? MISSING[part] : null),
};
