import type { PciCard, PcmSink, PcmSource } from '../../hal/bus.ts';
import { HdaCard, type HdaCodecName, type HdaJack } from '../../hardware/hda/index.ts';
import type { CardFactory, CardUnderTest } from '../card-under-test.ts';
import { simCardFactory } from '../sim-card.ts';
import type { HdaCardWithHands, HdaHands } from './bench.ts';

/** Which of our HDA cards. */
export interface HdaSimOptions {
  /** `ich6` unless given. */
  readonly variant?: 'ich6' | 'ich9';
  /** The first codec; `qemu-duplex` unless given. */
  readonly codec?: HdaCodecName;
  /** Codecs at the addresses behind it. */
  readonly more?: readonly HdaCodecName[];
  /** Puts a fault into the card. */
  readonly spoil?: (card: HdaCard) => PciCard;
}

/** Where a codec's main output and its line input, or microphone, are. */
const MAIN_JACKS: Readonly<Record<HdaCodecName, { readonly output: number; readonly input: number | null }>> =
  {
    'qemu-output': { output: 3, input: null },
    'qemu-duplex': { output: 3, input: 5 },
    'qemu-micro': { output: 3, input: 5 },
    desktop: { output: 0x14, input: 0x1a },
    hdmi: { output: 3, input: null },
  };

function jacksOf(
  codec: HdaCodecName,
  sink: PcmSink,
  source: PcmSource | null,
): Readonly<Record<number, HdaJack>> {
  const { output, input } = MAIN_JACKS[codec];
  return { [output]: { sink }, ...(input === null || source === null ? {} : { [input]: { source } }) };
}

/** Makes benches for our models of the HDA controllers with these codecs. On them jacks can be reached. */
export function hdaSimFactory(options: HdaSimOptions = {}): CardFactory<CardUnderTest & HdaCardWithHands> {
  const { variant = 'ich6', codec = 'qemu-duplex', more = [], spoil } = options;
  let card: HdaCard | null = null;
  let jacks: Readonly<Record<number, HdaJack>> = {};
  const factory = simCardFactory(
    `${variant.toUpperCase()} High Definition Audio controller with ${[codec, ...more].join(', ')}`,
    ({ output, input }) => {
      jacks = jacksOf(codec, output, input);
      card = new HdaCard({
        variant,
        codecs: [{ name: codec, jacks }, ...more.map((name) => ({ name }))],
      });
      return spoil ? spoil(card) : card;
    },
  );
  const hands: HdaHands = {
    // What was there before comes back.
    plug: (address, pin) => card?.plug(address, pin, (address === 0 ? jacks[pin] : undefined) ?? {}),
    unplug: (address, pin) => card?.unplug(address, pin),
  };
  return async (wiring) => Object.assign(await factory(wiring), { hands });
}
