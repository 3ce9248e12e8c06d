/** The jacks of a codec as one sees them on the computer, from its pins' configuration defaults (§7.3.3.31). */
import type { HdaCodecDefinition, HdaPinConfig, HdaWidgetDefinition } from './definition.ts';

/** One jack, socket or built-in transducer. */
export interface HdaPanelJack {
  /** Of the pin widget. */
  readonly nid: number;
  /** Short and unique on its codec: `front`, `rear-mic`. */
  readonly name: string;
  /** For people: `Front: line out, green, rear`. */
  readonly title: string;
  readonly direction: 'output' | 'input';
  readonly device: HdaPinConfig['device'];
  /** Where it is on the computer; null when the configuration does not say. */
  readonly place: HdaPinConfig['location'] | null;
  readonly association: number;
  readonly sequence: number;
  /** The codec senses what is plugged in, and says so. */
  readonly detects: boolean;
  /** Nothing can be pulled out of it. */
  readonly fixed: boolean;
}

/** Jacks that carry the channels of one output between them: the four of a 7.1 set, or one alone. */
export interface HdaOutput {
  /** Name of its first jack. */
  readonly name: string;
  /** In the order of the stream's channels. */
  readonly jacks: readonly HdaPanelJack[];
}

/** Outputs in the order in which one would look for sound. */
const OUTPUT_RANKS: readonly HdaPinConfig['device'][] = [
  'line-out',
  'speaker',
  'headphone',
  'digital-out',
  'spdif-out',
];
/** Misc bit 0: the board has no wire for the jack's switch. */
const NO_PRESENCE_WIRE = 1;

function panelJack(widget: HdaWidgetDefinition): HdaPanelJack | null {
  const { pin } = widget;
  if (pin === undefined || pin.config.port === 'none') return null;
  const { config } = pin;
  const known = (text: string) => (text === 'unknown' ? '' : text);
  const parts = [config.device.replace('-', ' '), known(config.color), known(config.location)];
  return {
    nid: widget.nid,
    name: widget.name
      .toLowerCase()
      .replace(/[^a-z0-9]+/g, '-')
      .replace(/^-|-$/g, ''),
    title: `${widget.name}: ${parts.filter((part) => part !== '').join(', ')}`,
    direction: pin.output === true && !isInput(config.device) ? 'output' : 'input',
    device: config.device,
    place: config.location === 'unknown' ? null : config.location,
    association: config.association,
    sequence: config.sequence,
    detects: pin.presenceDetect === true && ((config.misc ?? 0) & NO_PRESENCE_WIRE) === 0,
    fixed: config.port === 'fixed',
  };
}

function isInput(device: HdaPinConfig['device']): boolean {
  return /^(line-in|aux|mic|cd|telephony|spdif-in|digital-in)$/.test(device);
}

/** All jacks of a codec, in the order of their pins; pins to which nothing is soldered have none. */
export function hdaPanel(codec: HdaCodecDefinition): readonly HdaPanelJack[] {
  return codec.widgets.map(panelJack).filter((jack) => jack !== null);
}

/** The outputs among these jacks, the main one first. Jacks of one association belong together, but for the lowest priority's, 15. */
export function hdaOutputs(jacks: readonly HdaPanelJack[]): readonly HdaOutput[] {
  const groups = new Map<number, HdaPanelJack[]>();
  for (const jack of jacks) {
    if (jack.direction !== 'output') continue;
    const key = jack.association === 15 ? 16 + jack.nid : jack.association;
    groups.set(key, [...(groups.get(key) ?? []), jack]);
  }
  const outputs = [...groups.values()].map((group) =>
    group.toSorted((one, other) => one.sequence - other.sequence),
  );
  const rank = ([first]: readonly HdaPanelJack[]) =>
    first === undefined ? OUTPUT_RANKS.length : OUTPUT_RANKS.indexOf(first.device);
  return outputs
    .toSorted((one, other) => rank(one) - rank(other) || association(one) - association(other))
    .map((group) => ({ name: group[0]?.name ?? '', jacks: group }));
}

function association(group: readonly HdaPanelJack[]): number {
  return group[0]?.association ?? 0;
}

/** The input jack of that kind that one would use first: the lowest association. */
export function hdaInput(
  jacks: readonly HdaPanelJack[],
  device: 'line-in' | 'mic',
): HdaPanelJack | undefined {
  return jacks
    .filter((jack) => jack.direction === 'input' && jack.device === device)
    .toSorted((one, other) => one.association - other.association)[0];
}
