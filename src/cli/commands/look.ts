import type { Command } from 'commander';
import { CARDS, type CardGraph, type CatalogCard } from '../../catalog.ts';
import {
  type DataRangeModel,
  dataRangeToString,
  type FilterModel,
  formatDot,
  formatFilters,
  type JackModel,
} from '../../client/index.ts';
import { CliError } from '../cli-error.ts';
import { formatControlRange, formatControlValue, parseControlValue } from '../control-values.ts';
import { collect, withCardOptions, withRegistryOption } from '../options.ts';
import { Session, type SessionOptions, type SessionWiring } from '../session.ts';
import { formatTable } from '../table.ts';

interface LookOptions extends SessionOptions {
  readonly json?: boolean;
  readonly dot?: boolean;
}

/** Boots the card, does `action`, shuts down. */
async function withSession<T>(
  options: SessionOptions,
  wiring: SessionWiring,
  action: (session: Session) => T,
): Promise<T> {
  const session = await Session.open(options, wiring);
  try {
    return action(session);
  } finally {
    session.close();
  }
}

const printJson = (value: unknown) => process.stdout.write(`${JSON.stringify(value, null, 2)}\n`);

/** What can be chosen of a card, a table for each option. */
function optionTables({ name, options }: CatalogCard): string {
  const tables = (options ?? []).map((option) => {
    const rows = option.choices.map((choice) => {
      const standards = [
        ...(choice.name === option.standard ? ['standard'] : []),
        ...(choice.name === option.standardInQemu ? ['standard on qemu'] : []),
      ];
      return [choice.name, choice.inQemu ? 'yes' : '-', standards.join(', ') || '-', choice.title];
    });
    return `\n--card ${name} --${option.name}: ${option.title}\n${formatTable([option.name, 'in QEMU', '', 'what it is'], rows)}`;
  });
  return tables.join('');
}

/** An endpoint's jacks in a cell: what they have in common once, then each with its state where it can change. */
function jackCell(jacks: readonly JackModel[]): string {
  const [first, ...more] = jacks;
  if (first === undefined) return '-';
  const empty = (jack: JackModel) => (jack.connected ? '' : ', empty');
  if (more.length === 0) {
    const parts = [first.color, first.place, first.connection].filter((part) => part !== null);
    return `${parts.join(', ')}${empty(first)}`;
  }
  const each = jacks.map((jack) => `${jack.color ?? '-'}${empty(jack)}`);
  return `${jacks.length} jacks, ${first.place}, ${first.connection}: ${each.join('; ')}`;
}

/** What lies behind a filter, and which of its nodes stand for what there. */
function graphText({ filter, text, nodes }: CardGraph, filters: readonly FilterModel[]): string {
  const models = filters.find(({ reference }) => reference === filter)?.nodes ?? [];
  const rows = nodes
    .filter(({ parts }) => parts.length > 0)
    .map(({ node, parts }) => {
      const model = models.find(({ id }) => id === node);
      return [String(node), model?.type ?? '', model?.name ?? '-', parts.map(nidText).join(', ')];
    });
  const table = formatTable(['node', 'type', 'name', 'widgets'], rows);
  return `\nBehind ${filter}, as the driver has read and set it\n${text}\nNodes of ${filter} and the widgets that they stand for\n${table}`;
}

function nidText(nid: number): string {
  return `${nid.toString(16).toUpperCase().padStart(2, '0')}h`;
}

function spanText(low: number, high: number): string {
  return low === high ? `${low}` : `${low}–${high}`;
}

/** Ranges that differ in rate only are one, and copies for DirectSound say nothing new. */
function formatsCell(ranges: readonly DataRangeModel[]): string {
  const kinds = new Map<string, DataRangeModel[]>();
  for (const range of ranges) {
    const { audio } = range;
    if (range.specifier === 'KSDATAFORMAT_SPECIFIER_DSOUND') continue;
    const kind =
      audio === null
        ? dataRangeToString(range)
        : `${range.subFormat.replace('KSDATAFORMAT_SUBTYPE_', '')}, up to ${audio.maximumChannels} ${audio.maximumChannels === 1 ? 'channel' : 'channels'}, ${spanText(audio.minimumBits, audio.maximumBits)} bits`;
    kinds.set(kind, [...(kinds.get(kind) ?? []), range]);
  }
  const cells = [...kinds].map(([kind, alike]) => {
    const spans = alike
      .flatMap(({ audio }) => audio ?? [])
      .toSorted((one, other) => one.minimumRate - other.minimumRate)
      .map(({ minimumRate, maximumRate }) => spanText(minimumRate, maximumRate));
    return spans.length === 0 ? kind : `${kind}, ${[...new Set(spans)].join(', ')} Hz`;
  });
  return cells.join('; ') || '-';
}

/** The commands that show what is there: cards, endpoints, inspect, control. */
export function addLookCommands(program: Command): void {
  program
    .command('cards')
    .description('list the sound cards that can be played through')
    .option('--json', 'print JSON')
    .action((options: { json?: boolean }) => {
      if (options.json) {
        printJson(
          CARDS.map(({ name, title, bus, hardwareId, ports, qemu, options }) => ({
            name,
            title,
            bus,
            hardwareId,
            ports,
            qemuDevice: qemu?.device ?? null,
            options: options ?? [],
          })),
        );
        return;
      }
      const rows = CARDS.map((card) => [
        card.name,
        card.bus,
        card.qemu?.device ?? '-',
        card.ports.join(', '),
        card.title,
      ]);
      process.stdout.write(formatTable(['card', 'bus', 'in QEMU', 'port drivers', 'what it is'], rows));
      for (const card of CARDS) process.stdout.write(optionTables(card));
    });

  withRegistryOption(
    withCardOptions(
      program.command('endpoints').description('list what an application can play to and record from'),
    ),
  )
    .option('--unplug <jack>', 'with nothing in that jack; may be repeated', collect, [])
    .option('--json', 'print JSON')
    .action(async (options: LookOptions) => {
      await withSession(options, { command: 'endpoints' }, ({ audio }) => {
        const endpoints = audio.endpoints({ all: true });
        if (options.json) {
          printJson(
            endpoints.map((endpoint) => ({
              id: endpoint.id,
              name: endpoint.name,
              direction: endpoint.direction,
              state: endpoint.state,
              category: endpoint.category,
              jacks: endpoint.jacks,
              formats: endpoint.formats,
              pins: endpoint.pins.map(({ id, name, formats }) => ({ id, name, formats })),
              volume: endpoint.volumeRange,
              volumeDb: endpoint.getVolumeDb(),
              mute: endpoint.getMute(),
            })),
          );
          return;
        }
        const rows = endpoints.map((endpoint) => {
          const volume = endpoint.getVolumeDb();
          const range = endpoint.volumeRange;
          return [
            endpoint.name,
            endpoint.direction,
            endpoint.state,
            jackCell(endpoint.jacks),
            volume && range
              ? `${volume.map((db) => db.toFixed(1)).join('/')} dB (${range.minimumDb} … ${range.maximumDb})`
              : '-',
            endpoint.getMute() === null ? '-' : endpoint.getMute() ? 'muted' : 'on',
            endpoint.pins.map(({ name, id }) => `${name} (${id})`).join(', ') || '-',
            formatsCell(endpoint.formats),
          ];
        });
        process.stdout.write(
          formatTable(['endpoint', 'direction', 'state', 'jack', 'volume', 'sound', 'pins', 'formats'], rows),
        );
      });
    });

  withRegistryOption(
    withCardOptions(
      program
        .command('inspect')
        .description(
          "show the driver's filters: pins with data ranges, nodes, connections; with HDA the codec's widgets, too",
        ),
    ),
  )
    .option('--unplug <jack>', 'with nothing in that jack; may be repeated', collect, [])
    .option('--json', 'print JSON')
    .option('--dot', 'print a Graphviz graph: miniport inspect --dot | dot -Tsvg > card.svg')
    .action(async (options: LookOptions) => {
      if (options.json && options.dot) throw new CliError('--json and --dot exclude each other; choose one.');
      const graphs: CardGraph[] = [];
      const observer = (graph: CardGraph) => graphs.push(graph);
      await withSession(options, { command: 'inspect', observer }, ({ audio }) => {
        const filters = audio.inspect();
        if (options.json) printJson({ filters, codecs: graphs.map(({ data }) => data) });
        else if (options.dot) process.stdout.write(formatDot(filters, graphs));
        else
          process.stdout.write(
            formatFilters(filters) + graphs.map((graph) => graphText(graph, filters)).join(''),
          );
      });
    });

  withRegistryOption(
    withCardOptions(
      program
        .command('control')
        .description("list the card's controls, or read or set one")
        .argument('[node]', "control by name, as in 'Master Volume'")
        .argument('[value]', "new value: -6, or -6,-3 for left and right; on, off; a source's name"),
    ),
  )
    .option('--json', 'print JSON')
    .addHelpText(
      'after',
      `
Each command boots a machine of its own: a value lasts for the run. To play with a setting, use --set on play and record:
  miniport play song.wav --set "Master Volume=-12" --set "Bass=6"`,
    )
    .action(async (node: string | undefined, value: string | undefined, options: LookOptions) => {
      await withSession(options, { command: 'control' }, ({ audio }) => {
        const controls = audio.controls();
        if (node !== undefined && value !== undefined) {
          const control = controls.find(node);
          controls.set(control, parseControlValue(control, value));
        }
        const chosen = node === undefined ? controls.list : [controls.find(node)];
        if (options.json) {
          printJson(
            chosen.map((control) => ({
              id: control.id,
              name: control.name,
              kind: control.kind,
              values: controls.get(control),
              ranges: control.ranges,
              choices: control.choices,
              settable: control.set,
            })),
          );
          return;
        }
        const rows = chosen.map((control) => [
          control.name,
          formatControlValue(control, controls.get(control)),
          formatControlRange(control),
          control.id,
        ]);
        process.stdout.write(formatTable(['control', 'value', 'can be', 'id'], rows));
      });
    });
}
