import { NtError } from '../../kernel/index.ts';
import {
  KSPROPERTY_AUDIO_MUTE,
  KSPROPERTY_AUDIO_VOLUMELEVEL,
  KSPROPERTY_TYPE_GET,
  KSPROPSETID_Audio,
} from '../../ks/index.ts';
import { ClientError, statusError } from '../client-error.ts';
import { CONTROL_PROPERTIES, fromRaw } from '../controls/control-kinds.ts';
import type { FilterOpener } from '../controls/controls.ts';
import { countChannels, readControl, writeControl } from '../controls/controls.ts';
import type { DataRangeModel, JackModel, RangeModel } from '../inspect/model.ts';
import { decodeSupport } from '../inspect/node-properties.ts';
import { ulongAt } from '../requests/ks-object.ts';
import { type EndpointPin, endpointPins } from './endpoint-pin.ts';
import { endpointName } from './names.ts';
import type { EndpointRoute, HostRoute, RouteStep } from './routes.ts';

/** `active`: a client can stream. `unplugged`: it could, but nothing is in the jack. `notPresent`: no pin leads here. */
export type EndpointState = 'active' | 'unplugged' | 'notPresent';

/** A loudness or mute control on an endpoint's way. */
interface RouteControl {
  readonly filterPath: string;
  readonly node: number;
  readonly ranges: readonly RangeModel[];
  readonly channels: number;
}

/** Range of an endpoint's volume. */
export interface VolumeRange {
  readonly minimumDb: number;
  readonly maximumDb: number;
  /** 0 when the driver states none. */
  readonly stepDb: number;
  readonly channels: number;
}

/** What a person plugs something into, or hears something from. */
export class Endpoint {
  /** The same in every run: the filter's symbolic link and the bridge pin. */
  readonly id: string;
  readonly name: string;
  readonly direction: 'render' | 'capture';
  readonly state: EndpointState;
  /** Pin category: `KSNODETYPE_SPEAKER` … */
  readonly category: string;
  readonly jacks: readonly JackModel[];
  readonly route: EndpointRoute;
  /** The pins for sound that lead here, the preferred one first; empty where none does, or a synthesizer's alone. */
  readonly pins: readonly EndpointPin[];
  /** What the preferred pin says it takes; what it really takes only the driver knows. */
  readonly formats: readonly DataRangeModel[];
  readonly #withFilter: FilterOpener;
  #volumeControls: readonly RouteControl[] | null = null;
  #muteControls: readonly RouteControl[] | null = null;

  /** `name` where the usual one would not tell it from others. */
  constructor(route: EndpointRoute, withFilter: FilterOpener, name = endpointName(route.bridgePin)) {
    const { bridgePin, bridgeFilter, direction, host } = route;
    this.id = `${bridgeFilter.path}/pin${bridgePin.id}`;
    this.name = name;
    this.direction = direction;
    const plugged = bridgePin.jacks.length === 0 || bridgePin.jacks.some(({ connected }) => connected);
    this.state = host === null ? 'notPresent' : plugged ? 'active' : 'unplugged';
    this.category = bridgePin.category;
    this.jacks = bridgePin.jacks;
    this.route = route;
    this.pins = endpointPins(route.hosts.filter(takesSound), withFilter);
    this.formats = this.pins[0]?.formats ?? host?.pin.dataRanges ?? [];
    this.#withFilter = withFilter;
  }

  /** Range of the volume; null when the endpoint has none. */
  get volumeRange(): VolumeRange | null {
    const [control] = this.#volumes();
    if (control === undefined) return null;
    const range = control.ranges[0];
    return {
      minimumDb: range?.minimum ?? Number.NEGATIVE_INFINITY,
      maximumDb: range?.maximum ?? 0,
      stepDb: range?.step ?? 0,
      channels: control.channels,
    };
  }

  /** The volume in dB, one value per channel; null when the endpoint has none. */
  getVolumeDb(): number[] | null {
    return this.#get(this.#volumes(), VOLUME);
  }

  /**
   * Sets the volume in dB, for all channels or each; the driver limits it to its range and rounds it to its step. The control nearest to
   * the jack is used; where it refuses, the next one on the way. Throws a {@link ClientError} when there is none.
   */
  setVolumeDb(db: number | readonly number[]): void {
    this.#set(this.#volumes(), VOLUME, db, 'volume');
  }

  /** Is it mute? In any channel; null when the endpoint has no mute. */
  getMute(): boolean | null {
    return this.#get(this.#mutes(), MUTE)?.some((value) => value !== 0) ?? null;
  }

  setMute(mute: boolean): void {
    this.#set(this.#mutes(), MUTE, mute ? 1 : 0, 'mute');
  }

  #volumes(): readonly RouteControl[] {
    this.#volumeControls ??= this.#controls(KSPROPERTY_AUDIO_VOLUMELEVEL);
    return this.#volumeControls;
  }

  #mutes(): readonly RouteControl[] {
    this.#muteControls ??= this.#controls(KSPROPERTY_AUDIO_MUTE);
    return this.#muteControls;
  }

  /** Nodes on the way that answer the property, the one nearest to the jack first. */
  #controls(id: number): RouteControl[] {
    const fromJack = this.direction === 'render' ? this.route.steps.toReversed() : this.route.steps;
    return fromJack.flatMap((step) => {
      if (step.kind !== 'node') return [];
      const control = this.#withFilter(step.filter.path, (filter) => {
        const support = filter.nodeSupport(KSPROPSETID_Audio, id, step.id);
        if (support === null || (ulongAt(support) & KSPROPERTY_TYPE_GET) === 0) return null;
        const model = decodeSupport(support);
        const property = id === KSPROPERTY_AUDIO_VOLUMELEVEL ? VOLUME : MUTE;
        const channels = countChannels(filter, step.id, property, model);
        return channels === 0 ? null : { ranges: model.ranges, channels };
      });
      if (control === null) return [];
      return [
        {
          filterPath: step.filter.path,
          node: step.id,
          channels: control.channels,
          ranges: control.ranges.map(levelRange),
        },
      ];
    });
  }

  #get(controls: readonly RouteControl[], property: typeof VOLUME): number[] | null {
    for (const { filterPath, node, channels } of controls) {
      try {
        return this.#withFilter(filterPath, (filter) =>
          Array.from({ length: channels }, (_, channel) => readControl(filter, node, property, channel)),
        );
      } catch (error) {
        if (!(error instanceof NtError)) throw error;
      }
    }
    return null;
  }

  #set(
    controls: readonly RouteControl[],
    property: typeof VOLUME,
    value: number | readonly number[],
    what: string,
  ): void {
    let refused: NtError | null = null;
    for (const { filterPath, node, channels } of controls) {
      const values = typeof value === 'number' ? Array.from({ length: channels }, () => value) : value;
      if (values.length !== channels) {
        throw new ClientError(
          `The ${what} of '${this.name}' has ${channels} channels; ${values.length} values were given.`,
        );
      }
      try {
        this.#withFilter(filterPath, (filter) => {
          for (const [channel, one] of values.entries()) writeControl(filter, node, property, channel, one);
        });
        return;
      } catch (error) {
        if (!(error instanceof NtError)) throw error;
        refused = error;
      }
    }
    if (refused !== null)
      throw statusError(`Cannot set the ${what} of '${this.name}'`, refused.status, refused);
    throw new ClientError(
      `'${this.name}' has no ${what} control. Set one of the card's other controls, or change the samples.`,
    );
  }
}

/** A synthesizer's pin, which takes notes, leads to speakers, too. */
function takesSound({ pin }: HostRoute): boolean {
  return pin.dataRanges.length === 0 || pin.dataRanges.some(({ audio }) => audio !== null);
}

const VOLUME = controlProperty(KSPROPERTY_AUDIO_VOLUMELEVEL);
const MUTE = controlProperty(KSPROPERTY_AUDIO_MUTE);

function controlProperty(id: number): (typeof CONTROL_PROPERTIES)[number] {
  const found = CONTROL_PROPERTIES.find(
    (property) => property.set.equals(KSPROPSETID_Audio) && property.id === id,
  );
  if (found === undefined) throw new RangeError(`No control has the property id ${id}.`);
  return found;
}

function levelRange({ minimum, maximum, step }: RangeModel): RangeModel {
  return { minimum: fromRaw('level', minimum), maximum: fromRaw('level', maximum), step: step / 65536 };
}

/** The muxes on a capture route, with the input that leads to the jack. */
export function muxSteps(route: HostRoute): (RouteStep & { readonly kind: 'node' })[] {
  return route.steps.flatMap((step) =>
    step.kind === 'node' && step.filter.nodes[step.id]?.type === 'KSNODETYPE_MUX' ? [step] : [],
  );
}
