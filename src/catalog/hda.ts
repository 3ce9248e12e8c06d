import { install as hdaDriver, observedDriver } from '../adapters/hda/index.ts';
import type { PcmSink, PcmSource } from '../hal/bus.ts';
import {
  findHdaCodec,
  HDA_CODECS,
  HdaCard,
  type HdaCodecDefinition,
  type HdaJack,
  HdaJackSet,
  type HdaOutput,
  type HdaPanelJack,
  hdaInput,
  hdaOutputs,
  hdaPanel,
} from '../hardware/index.ts';
import {
  type CardChoices,
  type CardJack,
  type CardOutput,
  type CardWiring,
  type CatalogCard,
  plugPci,
} from './card.ts';
import { codecGraph } from './hda-graph.ts';

/** The chips, and QEMU's devices with their registers. */
const CONTROLLERS = {
  ich6: { title: 'Intel 82801FB (ICH6)', hardwareId: 'PCI\\VEN_8086&DEV_2668', device: 'intel-hda' },
  ich9: { title: 'Intel 82801I (ICH9)', hardwareId: 'PCI\\VEN_8086&DEV_293E', device: 'ich9-intel-hda' },
} as const;
type ControllerName = keyof typeof CONTROLLERS;

const STANDARD_CONTROLLER: ControllerName = 'ich6';
const STANDARD_CODEC = 'desktop';
const STANDARD_QEMU_CODEC = 'qemu-duplex';
const QEMU_HIGHEST_RATE = 96_000;

/** QEMU's `-device` name of a codec; null when QEMU has none like it. */
function qemuDevice(codec: string): string | null {
  return codec.startsWith('qemu-') ? codec.replace('qemu-', 'hda-') : null;
}

function isController(name: string): name is ControllerName {
  return name in CONTROLLERS;
}

/** The only codec is the first one on the link. */
const CODEC_ADDRESS = 0;

/** What is at each jack by the wiring, and listeners that have plugs in several. */
function wireJacks(
  panel: readonly HdaPanelJack[],
  { output, lineIn, micIn, otherOutput, otherInput }: CardWiring,
): { readonly jacks: Record<number, HdaJack>; readonly jackSets: readonly HdaJackSet[] } {
  const sinks = new Map<number, PcmSink>();
  const jackSets: HdaJackSet[] = [];
  for (const [index, { name, jacks }] of hdaOutputs(panel).entries()) {
    const sink = index === 0 ? output : otherOutput?.(name);
    const [first, ...more] = jacks;
    if (sink === undefined || first === undefined) continue;
    if (more.length === 0) sinks.set(first.nid, sink);
    else {
      const set = new HdaJackSet(sink, jacks.length);
      jackSets.push(set);
      for (const [place, jack] of jacks.entries()) sinks.set(jack.nid, set.plug(place));
    }
  }
  const line = hdaInput(panel, 'line-in');
  const mic = hdaInput(panel, 'mic');
  const sourceOf = (jack: HdaPanelJack): PcmSource | undefined => {
    if (jack.direction !== 'input') return undefined;
    if (jack === line) return lineIn;
    return jack === mic ? micIn : otherInput?.(jack.name);
  };
  const jacks: Record<number, HdaJack> = {};
  for (const jack of panel) {
    const sink = sinks.get(jack.nid);
    const source = sourceOf(jack);
    jacks[jack.nid] = { ...(sink ? { sink } : {}), ...(source ? { source } : {}) };
  }
  return { jacks, jackSets };
}

/** The jack as whoever stands behind the computer has it. */
function cardJack(card: HdaCard, jack: HdaPanelJack, plugged: HdaJack): CardJack {
  const { nid, name, title, direction, detects } = jack;
  return {
    name,
    title,
    direction,
    detects,
    get plugged() {
      return card.codecs.get(CODEC_ADDRESS)?.isPresent(nid) ?? false;
    },
    plug: () => card.plug(CODEC_ADDRESS, nid, plugged),
    unplug: () => card.unplug(CODEC_ADDRESS, nid),
  };
}

/** What drivers call a pin with such a device behind it. */
const CATEGORIES: Readonly<Partial<Record<HdaPanelJack['device'], readonly string[]>>> = {
  'line-out': ['KSNODETYPE_SPEAKER', 'KSNODETYPE_LINE_CONNECTOR'],
  speaker: ['KSNODETYPE_SPEAKER'],
  headphone: ['KSNODETYPE_HEADPHONES'],
  'spdif-out': ['KSNODETYPE_SPDIF_INTERFACE', 'KSNODETYPE_DIGITAL_AUDIO_INTERFACE'],
  'digital-out': [
    'KSNODETYPE_HDMI_INTERFACE',
    'KSNODETYPE_DISPLAYPORT_INTERFACE',
    'KSNODETYPE_DIGITAL_AUDIO_INTERFACE',
  ],
};

function cardOutput({ name, jacks: [first] }: HdaOutput): CardOutput {
  return {
    name,
    categories: (first && CATEGORIES[first.device]) ?? [],
    place: first?.place ?? null,
  };
}

function codecOf(name: string): HdaCodecDefinition {
  const codec = findHdaCodec(name);
  if (codec === undefined) throw new RangeError(`no codec ${name}`);
  return codec;
}

/** The card with these choices. Without a codec chosen, QEMU's card has another one than ours. */
function hdaCard(choices: CardChoices): CatalogCard {
  const controllerName = choices['controller'] ?? STANDARD_CONTROLLER;
  const variant = isController(controllerName) ? controllerName : STANDARD_CONTROLLER;
  const controller = CONTROLLERS[variant];
  const codec = codecOf(choices['codec'] ?? STANDARD_CODEC);
  const device = qemuDevice(choices['codec'] ?? STANDARD_QEMU_CODEC);
  return {
    name: 'hda',
    title: `${controller.title} High Definition Audio controller; codec: ${codec.title}`,
    bus: 'PCI',
    hardwareId: controller.hardwareId,
    // With the mixer on, as it is unless told otherwise, the top of QEMU's gains is 0 dB and unity both: the driver's own setting.
    qemu:
      device === null
        ? null
        : {
            device,
            controller: controller.device,
            // Its codecs' own timer throws 42 ms of sound away when the computer stalls for longer than that; without it sound waits.
            properties: 'use-timer=off',
            unity: [],
            highestRate: QEMU_HIGHEST_RATE,
          },
    ports: ['WaveRT', 'Topology'],
    driver: hdaDriver,
    observedDriver: (observer) => observedDriver((inspection) => observer(codecGraph(inspection))),
    sensesJacks: true,
    ...(Object.keys(choices).length === 0 ? {} : { chosen: choices }),
    options: [
      {
        name: 'codec',
        title: "the codec on the controller's link",
        choices: HDA_CODECS.map(({ name, title }) => ({ name, title, inQemu: qemuDevice(name) !== null })),
        standard: STANDARD_CODEC,
        standardInQemu: STANDARD_QEMU_CODEC,
      },
      {
        name: 'controller',
        title: 'the controller',
        choices: Object.entries(CONTROLLERS).map(([name, { title }]) => ({ name, title, inQemu: true })),
        standard: STANDARD_CONTROLLER,
      },
    ],
    choose: hdaCard,
    plug: (machine, wiring, place) => {
      const panel = hdaPanel(codec);
      const { jacks, jackSets } = wireJacks(panel, wiring);
      const card = new HdaCard({ variant, codecs: [{ definition: codec, jacks }], jackSets });
      const slot = plugPci(machine, card, place);
      const movable = panel.filter(({ fixed }) => !fixed);
      return {
        slot,
        outputs: hdaOutputs(panel).map(cardOutput),
        jacks: movable.map((jack) => cardJack(card, jack, jacks[jack.nid] ?? {})),
      };
    },
  };
}

/** The Intel HDA controller with one codec; with nothing chosen. */
export const HDA_CARD: CatalogCard = hdaCard({});
