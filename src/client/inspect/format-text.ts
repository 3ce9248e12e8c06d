import { CONTROL_PROPERTIES, fromRaw } from '../controls/control-kinds.ts';
import type { ConnectionModel, DataRangeModel, FilterModel, NodePropertyModel, PinModel } from './model.ts';

/** Filters as indented text, for a terminal. */
export function formatFilters(filters: readonly FilterModel[]): string {
  return filters.map(formatFilter).join('\n');
}

function formatFilter(filter: FilterModel): string {
  const lines = [
    `Filter ${filter.reference || filter.path}`,
    `  path        ${filter.path}`,
    `  categories  ${filter.categories.join(', ') || 'none'}`,
    '  pins',
    ...filter.pins.flatMap((pin) => pinLines(pin, filter)),
    `  nodes${filter.nodes.length === 0 ? '       none' : ''}`,
    ...filter.nodes.flatMap((node) => [
      `    ${String(node.id).padStart(2)}  ${node.type}${node.name === null ? '' : `  "${node.name}"`}`,
      ...node.properties.map((property) => `          ${propertyLine(property)}`),
    ]),
    `  connections${filter.connections.length === 0 ? ' none' : ''}`,
    ...filter.connections.map((connection) => `    ${connectionLine(filter, connection)}`),
    '',
  ];
  return lines.join('\n');
}

function pinLines(pin: PinModel, filter: FilterModel): string[] {
  const lines = [
    `    ${String(pin.id).padStart(2)}  ${pin.dataFlow.padEnd(3)} ${pin.communication.padEnd(6)} ${pin.category}${pin.name === null ? '' : `  "${pin.name}"`}  (${instancesText(pin)})`,
    ...pin.dataRanges.map((range) => `          ${dataRangeToString(range)}`),
  ];
  if (pin.interfaces.length > 0) lines.push(`          interfaces ${pin.interfaces.join(', ')}`);
  if (pin.physicalConnection !== null) {
    const { path, pin: other } = pin.physicalConnection;
    const where = path === filter.path ? 'this filter' : referenceOf(path);
    lines.push(`          wired to pin ${other} of ${where}`);
  }
  for (const jack of pin.jacks) {
    const color = jack.color === null ? '' : `, ${jack.color}`;
    lines.push(
      `          jack ${jack.connection}, ${jack.place}, ${jack.enclosure}${color}, ${jack.connected ? 'connected' : 'unplugged'}`,
    );
  }
  return lines;
}

function instancesText(pin: PinModel): string {
  if (pin.possibleInstances === null) return 'no limit';
  return pin.possibleInstances === 0
    ? 'hard-wired'
    : `${pin.currentInstances} of ${pin.possibleInstances} open`;
}

/** `PCM, up to 2 channels, 16 bits, 8000–48000 Hz` and the like. */
export function dataRangeToString(range: DataRangeModel): string {
  const name = range.subFormat.replace('KSDATAFORMAT_SUBTYPE_', '');
  if (range.audio === null) return `${range.majorFormat.replace('KSDATAFORMAT_TYPE_', '')} / ${name}`;
  const { maximumChannels, minimumBits, maximumBits, minimumRate, maximumRate } = range.audio;
  const span = (low: number, high: number) => (low === high ? `${low}` : `${low}–${high}`);
  const specifier = range.specifier.replace('KSDATAFORMAT_SPECIFIER_', '');
  return `${name}, up to ${maximumChannels} ${maximumChannels === 1 ? 'channel' : 'channels'}, ${span(minimumBits, maximumBits)} bits, ${span(minimumRate, maximumRate)} Hz (${specifier})`;
}

function propertyLine(property: NodePropertyModel): string {
  const access = `${property.get ? 'get' : '   '} ${property.set ? 'set' : '   '}`;
  const isLevel = CONTROL_PROPERTIES.some(
    ({ property: name, kind }) => name === property.property && kind === 'level',
  );
  const unit = isLevel ? ' dB' : '';
  const number = (value: number) => `${isLevel ? Number(fromRaw('level', value).toFixed(3)) : value}`;
  const ranges = property.uniform ? property.ranges.slice(0, 1) : property.ranges;
  const values = ranges.map(
    ({ minimum, maximum, step }) =>
      `${number(minimum)}…${number(maximum)}${unit}${step === 0 ? '' : ` by ${number(step)}`}`,
  );
  const count = property.ranges.length;
  const channels = property.multichannel && count > 1 ? `, ${count} channels` : '';
  const same = new Set(values).size === 1 ? values.slice(0, 1) : values;
  return `${access}  ${property.property}${same.length === 0 ? '' : `  ${same.join(' | ')}`}${channels}`;
}

function connectionLine(filter: FilterModel, { fromNode, fromPin, toNode, toPin }: ConnectionModel): string {
  const end = (node: number | null, pin: number) =>
    node === null
      ? `pin ${pin}`
      : `node ${node} (${(filter.nodes[node]?.type ?? '?').replace('KSNODETYPE_', '')}).${pin}`;
  return `${end(fromNode, fromPin)} → ${end(toNode, toPin)}`;
}

/** The reference string at the end of a symbolic link: what follows its class GUID. */
export function referenceOf(path: string): string {
  const end = path.lastIndexOf('}');
  const rest = end < 0 ? path : path.slice(end + 1);
  return rest.replace(/^[\\#]+/, '');
}
