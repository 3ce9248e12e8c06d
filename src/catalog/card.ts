import type { HardwareGraph } from '../client/index.ts';
import type { MidiSink, MidiSource, PciCard, PcmSink, PcmSource } from '../hal/bus.ts';
import type { IsaLegacyDevice } from '../hal/index.ts';
import type { DriverPackage } from '../kernel/index.ts';
import type { SimMachine } from '../machines/sim/index.ts';

/** What is plugged into a card's jacks. */
export interface CardWiring {
  /** Hears what the main output plays. */
  readonly output?: PcmSink;
  /** Feeds the line input. */
  readonly lineIn?: PcmSource;
  /** Feeds the microphone input. */
  readonly micIn?: PcmSource;
  /** Hears the MIDI connector. */
  readonly midiOut?: MidiSink;
  /** Feeds the MIDI connector. */
  readonly midiIn?: MidiSource;
  /** Hears the other outputs of a card that has several, by the name of their (first) jack; asked once for each. */
  readonly otherOutput?: (jack: string) => PcmSink | undefined;
  /** Feeds the other inputs, by the name of their jack; asked once for each. */
  readonly otherInput?: (jack: string) => PcmSource | undefined;
}

/** How QEMU has a card. */
export interface QemuCard {
  /** `-device` name of what the sound passes through; it takes `audiodev=`. */
  readonly device: string;
  /** `-device` name of what that is plugged into, where it is a part of its own: an HDA controller with its codecs. */
  readonly controller?: string;
  /** Properties of the device, as `-device` takes them behind its name. */
  readonly properties?: string;
  /**
   * Controls that make QEMU's card pass samples unchanged, as `CONTROL=VALUE`: its gains are linear in the register's code, so
   * that its unity is not the datasheet's 0 dB.
   */
  readonly unity: readonly string[];
  /** Highest rate at which it plays and records, Hz; 48000 unless given. */
  readonly highestRate?: number;
  /** An ISA card whose resources no protocol tells. */
  readonly legacyDevice?: IsaLegacyDevice;
}

/** QEMU's arguments for a card whose sound goes through the back end of that id. */
export function qemuDeviceArguments(
  { controller, device, properties }: QemuCard,
  audioId: string,
): readonly string[] {
  const host = controller === undefined ? [] : ['-device', controller];
  const settings = properties === undefined ? '' : `,${properties}`;
  return [...host, '-device', `${device},audiodev=${audioId}${settings}`];
}

/** A jack of a card that is plugged into a machine. */
export interface CardJack {
  /** Short and unique on its card: `front`, `rear-mic`. */
  readonly name: string;
  /** For people: `Front: line out, green, rear`. */
  readonly title: string;
  readonly direction: 'output' | 'input';
  /** The card senses what is plugged in. Elsewhere plugging and unplugging is heard, but not told. */
  readonly detects: boolean;
  /** Something is in it. */
  readonly plugged: boolean;
  /** Puts in what was there when the card was plugged in. Both may be done while the machine runs. */
  plug(): void;
  unplug(): void;
}

/** A jack, or several that carry the channels of one output between them, where a listener can be. */
export interface CardOutput {
  /** As {@link CardWiring.otherOutput} is asked: the name of the (first) jack. */
  readonly name: string;
  /** Categories that a driver may give the pin that leads there: `KSNODETYPE_SPEAKER` … */
  readonly categories: readonly string[];
  /** Where it is, in the words of KSJACK_DESCRIPTION: `rear`, `front`; null when nobody can say. */
  readonly place: string | null;
}

/** A card in its slot. */
export interface PluggedCard {
  /** For {@link SimMachine.unplug}. */
  readonly slot: string;
  /** The outputs of a card that has several, the main one first. */
  readonly outputs: readonly CardOutput[];
  /** Jacks that things can be plugged into and pulled out of; none where the card's model knows no such thing. */
  readonly jacks: readonly CardJack[];
}

/** What lies behind a filter in the card itself, as its driver has found and set it: a codec's widgets. */
export interface CardGraph extends HardwareGraph {
  /** A listing, for people. */
  readonly text: string;
  /** Everything, for JSON. */
  readonly data: object;
}

/** One way in which a card comes: a codec on its link, another chip with the same registers. */
export interface CardChoice {
  readonly name: string;
  readonly title: string;
  /** QEMU has it, too. */
  readonly inQemu: boolean;
}

/** What can be chosen of a card. */
export interface CardOption {
  /** As the command line takes it, behind `--`. */
  readonly name: string;
  readonly title: string;
  readonly choices: readonly CardChoice[];
  /** What a card has that nobody chose for: on `sim`, and on `qemu` where that differs. */
  readonly standard: string;
  readonly standardInQemu?: string;
}

/** Names of what was chosen, by the option's name; what is left out is the standard. */
export type CardChoices = Readonly<Record<string, string>>;

/** A card that Miniport has: its model for `sim`, its driver, and what QEMU calls it. */
export interface CatalogCard {
  /** As `--card` takes it. */
  readonly name: string;
  readonly title: string;
  readonly bus: 'PCI' | 'ISA';
  /** Hardware id that the driver matches. */
  readonly hardwareId: string;
  /** null when QEMU has no such card. */
  readonly qemu: QemuCard | null;
  /** Port drivers that its adapter driver uses. */
  readonly ports: readonly string[];
  readonly driver: DriverPackage;
  /** The same driver for an observer, who hears of each graph behind its filters when it has started; absent where there is none. */
  readonly observedDriver?: (observer: (graph: CardGraph) => void) => DriverPackage;
  /** Its driver can hear what is plugged into its jacks, at least with one of its {@link options}. */
  readonly sensesJacks?: true;
  /** What can be chosen; absent where a card comes in one way only. */
  readonly options?: readonly CardOption[];
  /** What was chosen; absent when nothing was. */
  readonly chosen?: CardChoices;
  /** This card as chosen; {@link chooseCard} checks the names before. */
  readonly choose?: (choices: CardChoices) => CatalogCard;
  /** Makes the register-level model and plugs it into a slot of the machine: a free one, or for PCI cards the one given. */
  plug(machine: SimMachine, wiring: CardWiring, place?: PciPlace): PluggedCard;
}

/** What a card has on that machine, option by option: what was chosen, or else the standard. */
export function cardChoices({ options, chosen }: CatalogCard, machine: 'sim' | 'qemu'): CardChoices {
  return Object.fromEntries(
    (options ?? []).map(({ name, standard, standardInQemu }) => [
      name,
      chosen?.[name] ?? (machine === 'qemu' ? (standardInQemu ?? standard) : standard),
    ]),
  );
}

/** A slot of PCI bus 0, and the function of the device in it. */
export interface PciPlace {
  readonly device: number;
  readonly func: number;
}

/** Leaves out what is not wired: options of cards do not take undefined. */
export function wired<T extends object>(jacks: T): { [K in keyof T]: NonNullable<T[K]> } {
  return Object.fromEntries(Object.entries(jacks).filter(([, jack]) => jack !== undefined)) as {
    [K in keyof T]: NonNullable<T[K]>;
  };
}

export function plugPci(machine: SimMachine, card: PciCard, place: PciPlace | undefined): string {
  return place === undefined ? machine.plugPci(card) : machine.plugPci(card, place.device, place.func);
}

/** In its slot, with one output, and jacks that are as they are. */
export function withFixedJacks(slot: string): PluggedCard {
  return { slot, outputs: [], jacks: [] };
}

/**
 * The card with what was chosen of its options, names in any case.
 * @throws RangeError that names what there is, when the card has no such option or the option no such choice
 */
export function chooseCard(card: CatalogCard, choices: CardChoices): CatalogCard {
  const entries = Object.entries(choices);
  if (entries.length === 0) return card;
  const options = card.options ?? [];
  const chosen = entries.map(([name, value]) => {
    const option = options.find((one) => one.name === name);
    if (option === undefined) {
      const has = options.map((one) => one.name).join(', ');
      throw new RangeError(
        `The card '${card.name}' comes in one way only as far as its ${name} goes; leave that out.${has ? ` One can choose its ${has}.` : ''}`,
      );
    }
    const choice = option.choices.find((one) => one.name === value.toLowerCase());
    if (choice === undefined) {
      const names = option.choices.map((one) => one.name).join(', ');
      throw new RangeError(`The card '${card.name}' has no ${name} '${value}'. It comes with: ${names}.`);
    }
    return [name, choice.name] as const;
  });
  return card.choose?.(Object.fromEntries(chosen)) ?? card;
}
