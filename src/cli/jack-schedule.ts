import type { CardJack, CatalogCard } from '../catalog.ts';
import { CARDS } from '../catalog.ts';
import type { JackChange, JackModel } from '../client/index.ts';
import { type Alarm, type Kernel, TICKS_PER_SECOND, TraceKind } from '../kernel/index.ts';
import { CliError } from './cli-error.ts';

/** A hand at a jack. */
export interface JackAction {
  readonly jack: string;
  readonly plug: boolean;
  /** After the start of the stream; null: before anything else. */
  readonly seconds: number | null;
  /** As it was typed, for messages. */
  readonly option: string;
}

/** What happened at the jacks during a run, for the report. */
export interface JackEvent {
  /** Machine time since the start of the stream. */
  readonly seconds: number;
  /** `hand`: somebody plugged or unplugged; `driver`: the driver told the application. */
  readonly by: 'hand' | 'driver';
  readonly text: string;
}

/** `front-mic@1.5`, from `--plug` or `--unplug`. @throws CliError */
function parseAction(word: string, plug: boolean): JackAction {
  const option = `${plug ? '--plug' : '--unplug'} '${word}'`;
  const at = word.lastIndexOf('@');
  if (at < 0) return { jack: word.trim(), plug, seconds: null, option };
  const text = word.slice(at + 1).trim();
  const seconds = Number(text);
  if (text === '' || !Number.isFinite(seconds) || seconds < 0)
    throw new CliError(
      `${option}: '${text}' is no time. Write JACK@SECONDS with 0 or more seconds, as in front@1.5.`,
    );
  return { jack: word.slice(0, at).trim(), plug, seconds, option };
}

/** The actions of the options, in the order of their times. @throws CliError */
export function parseJackActions(plug: readonly string[], unplug: readonly string[]): readonly JackAction[] {
  const actions = [
    ...plug.map((word) => parseAction(word, true)),
    ...unplug.map((word) => parseAction(word, false)),
  ];
  return actions.toSorted((one, other) => (one.seconds ?? -1) - (other.seconds ?? -1));
}

/** Small differences in writing do not matter: `Front Mic` is `front-mic`. */
const plain = (name: string) => name.toLowerCase().replace(/[^a-z0-9]/g, '');

/** The jack that an action is about. @throws CliError that lists the card's jacks */
export function requireJack(
  card: CatalogCard,
  jacks: readonly CardJack[],
  { jack, option }: JackAction,
): CardJack {
  const found = jacks.find(({ name }) => plain(name) === plain(jack));
  if (found) return found;
  if (jacks.length === 0) {
    const others = CARDS.filter(({ sensesJacks }) => sensesJacks).map(({ name }) => name);
    throw new CliError(
      `${option}: the jacks of the card '${card.name}' cannot be plugged and unplugged here, since it senses nothing at them. Cards that do: ${others.join(', ')}.`,
    );
  }
  const list = jacks.map(({ name, title }) => `${name} (${title})`).join(', ');
  throw new CliError(`${option}: the card '${card.name}' has no jack '${jack}'. It has: ${list}.`);
}

/** `rear #b6ff00 plugged` and the like, one by one. */
export function jackStateText({ color, place, port, connected }: JackModel): string {
  const parts = [place === 'unknown place' ? '' : place, color ?? ''].filter((part) => part !== '');
  const what = parts.join(' ') || port;
  return `${what} ${connected ? 'plugged' : 'empty'}`;
}

/** What an application was told, in words. */
function changeText({ endpointName, jacks, changed }: JackChange): string {
  const which = changed.length === 0 ? [...jacks.keys()] : changed;
  return `${endpointName}: ${which
    .map((place) => jacks[place])
    .flatMap((jack) => (jack ? [jackStateText(jack)] : []))
    .join(', ')}`;
}

/** Plugs and unplugs while a stream runs, and keeps what came of it. */
export class JackSchedule {
  readonly #kernel: Kernel;
  readonly #alarms: Alarm[] = [];
  readonly #events: JackEvent[] = [];
  #startTick = 0;
  #lastTick = 0;
  #pending: readonly (JackAction & { readonly target: CardJack })[];

  constructor(kernel: Kernel, actions: readonly (JackAction & { readonly target: CardJack })[]) {
    this.#kernel = kernel;
    this.#pending = actions.filter(({ seconds }) => seconds !== null);
  }

  /** The stream starts now. */
  start(): void {
    const { clock } = this.#kernel;
    this.#startTick = clock.now;
    this.#lastTick = clock.now;
    for (const action of this.#pending) {
      const alarm = clock.createAlarm(() => this.#act(action));
      alarm.set(this.#startTick + Math.round((action.seconds ?? 0) * TICKS_PER_SECOND));
      this.#alarms.push(alarm);
    }
  }

  /** The driver told the application. */
  told(change: JackChange): void {
    this.#record('driver', change.tick, changeText(change));
  }

  /** No more. @returns what was not done, since its time did not come */
  stop(): readonly string[] {
    for (const alarm of this.#alarms) alarm.cancel();
    return this.#pending.map(({ option }) => option);
  }

  /** Somebody is going to be at the jacks. */
  get wanted(): boolean {
    return this.#alarms.length > 0 || this.#pending.length > 0;
  }

  get events(): readonly JackEvent[] {
    return this.#events;
  }

  /** When a hand was last at a jack: what it leads to takes a moment. */
  get lastTick(): number {
    return this.#lastTick;
  }

  #act(action: JackAction & { readonly target: CardJack }): void {
    const { target, plug } = action;
    this.#pending = this.#pending.filter((other) => other !== action);
    this.#lastTick = this.#kernel.clock.now;
    this.#record('hand', this.#lastTick, `${target.name} ${plug ? 'plugged' : 'unplugged'}`);
    if (plug) target.plug();
    else target.unplug();
  }

  #record(by: JackEvent['by'], tick: number, text: string): void {
    this.#events.push({ seconds: (tick - this.#startTick) / TICKS_PER_SECOND, by, text });
    const { trace } = this.#kernel;
    if ((trace.mask & TraceKind.Client) !== 0)
      trace.emit(TraceKind.Client, 'I', by === 'hand' ? 'jacks' : 'audio client', text);
  }
}
