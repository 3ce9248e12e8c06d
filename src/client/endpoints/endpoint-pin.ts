import {
  KSINSTANCE_INDETERMINATE,
  KSPROPERTY_PIN_GLOBALCINSTANCES,
  KSPROPSETID_Pin,
} from '../../ks/index.ts';
import { ClientError } from '../client-error.ts';
import type { FilterOpener } from '../controls/controls.ts';
import type { DataRangeModel } from '../inspect/model.ts';
import { ulongAt } from '../requests/ks-object.ts';
import type { HostRoute } from './routes.ts';

/** How many instances of a pin are open, and how many may be; null for no limit. */
export interface PinInstances {
  readonly current: number;
  readonly possible: number | null;
}

/** One of the pins by which an endpoint is reached: a card with two DACs that it mixes itself has two for its speakers. */
export class EndpointPin {
  /** Of the pin factory. */
  readonly id: number;
  /** Unique among the endpoint's pins: the driver's name for the pin, with the id where that does not tell them apart. */
  readonly name: string;
  readonly route: HostRoute;
  /** What the pin says it takes; what it really takes only the driver knows. */
  readonly formats: readonly DataRangeModel[];
  readonly #withFilter: FilterOpener;

  constructor(name: string, route: HostRoute, withFilter: FilterOpener) {
    this.id = route.pin.id;
    this.name = name;
    this.route = route;
    this.formats = route.pin.dataRanges;
    this.#withFilter = withFilter;
  }

  /** On all filters together, as the driver says now. Throws the NtError of the request. */
  instances(): PinInstances {
    return this.#withFilter(this.route.filter.path, (filter) => {
      const bytes = filter.getPin(KSPROPSETID_Pin, KSPROPERTY_PIN_GLOBALCINSTANCES, this.id, 8);
      const possible = ulongAt(bytes);
      return {
        current: ulongAt(bytes, 4),
        possible: possible === KSINSTANCE_INDETERMINATE ? null : possible,
      };
    });
  }
}

/** The pins of an endpoint, named so that each can be told from the others. */
export function endpointPins(hosts: readonly HostRoute[], withFilter: FilterOpener): EndpointPin[] {
  const plain = hosts.map(({ pin }) => pin.name ?? `Pin ${pin.id}`);
  return hosts.map((route, index) => {
    const name = plain[index] ?? '';
    const alone = plain.filter((other) => other.toLowerCase() === name.toLowerCase()).length === 1;
    return new EndpointPin(alone ? name : `${name} (pin ${route.pin.id})`, route, withFilter);
  });
}

/** The pins to try, in order: all, or the one of this name (in any case) or number. Throws a {@link ClientError} that lists them. */
export function choosePins(
  endpointName: string,
  pins: readonly EndpointPin[],
  wanted: string | undefined,
): readonly EndpointPin[] {
  if (wanted === undefined) return pins;
  const text = wanted.trim().toLowerCase();
  const found =
    pins.find(({ name }) => name.toLowerCase() === text) ?? pins.find(({ id }) => String(id) === text);
  if (found !== undefined) return [found];
  const list = pins.map(({ name, id }) => `'${name}' (${id})`).join(', ');
  throw new ClientError(`'${endpointName}' has no pin '${wanted}'. There is ${list}.`);
}
