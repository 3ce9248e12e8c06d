import type { GUID } from '../../com/index.ts';
import { ksPropertyName } from '../../ks/index.ts';
import type {
  BasicSupport,
  HandlerStatus,
  PCAUTOMATION_TABLE,
  PCPROPERTY_ITEM,
  PCPROPERTY_REQUEST,
} from '../ddi/index.ts';

/**
 * A property that a port answers itself. `get` and `set` use the request's typed helpers as a miniport's handler would and
 * report failures by NtError; `T` is the filter or pin object that was addressed.
 */
export interface PortProperty<T> {
  readonly set: GUID;
  readonly id: number;
  /** Bytes that must follow KSPROPERTY (8 for KSP_PIN's PinId and Reserved); fewer: STATUS_INVALID_BUFFER_SIZE. */
  readonly instanceBytes?: number;
  /** Smallest value; a shorter buffer gets STATUS_BUFFER_TOO_SMALL, a size query STATUS_BUFFER_OVERFLOW and the size. */
  readonly valueBytes?: number;
  readonly onGet?: (target: T, request: PCPROPERTY_REQUEST) => HandlerStatus;
  readonly onSet?: (target: T, request: PCPROPERTY_REQUEST) => HandlerStatus;
  /** Basic support beyond the access flags. */
  readonly onSupport?: (target: T) => BasicSupport;
  /**
   * True: the port's answer stands even when the miniport's automation table has an entry too, because the port owns the
   * state behind it. False: the miniport's entry wins. (The two pages that speak of this disagree; see docs/decisions.)
   */
  readonly owned: boolean;
}

const GET = 1;
const SET = 2;
const BASICSUPPORT = 0x200;

/** One entry of a {@link PropertyTable}: the miniport's item or the port's property. */
export class PropertyEntry<T> {
  readonly set: GUID;
  readonly id: number;
  /** KSPROPERTY_TYPE_* that it answers; basic support always among them. */
  readonly accessFlags: number;
  /** The miniport's item, or null for a property of the port's. */
  readonly item: PCPROPERTY_ITEM | null;
  readonly port: PortProperty<T> | null;
  /** Under which calls of the miniport's handler are traced: 'PropertyHandler(KSPROPERTY_AUDIO_VOLUMELEVEL)'. */
  readonly traceName: string;

  constructor(item: PCPROPERTY_ITEM | null, port: PortProperty<T> | null) {
    const source = item ?? port;
    if (source === null) throw new TypeError('A property entry needs a handler.');
    this.set = source.set;
    this.id = source.id;
    this.traceName = `PropertyHandler(${ksPropertyName(source.set, source.id)})`;
    this.item = item;
    this.port = port;
    this.accessFlags =
      item !== null
        ? item.flags | BASICSUPPORT
        : (port?.onGet === undefined ? 0 : GET) | (port?.onSet === undefined ? 0 : SET) | BASICSUPPORT;
  }
}

/** A property set of a table. */
interface SetRow<T> {
  readonly set: GUID;
  /** Sparse, by property id; WDK ids are small. */
  readonly entries: (PropertyEntry<T> | undefined)[];
}

const LARGEST_ID = 0xffff;

/**
 * The properties of one kind of target (the filter, a pin factory, a node), precedence settled, so that a request costs one
 * look-up and no allocation.
 */
export class PropertyTable<T> {
  readonly #rows: SetRow<T>[] = [];

  /** Adds an entry unless the table has one for its set and id: the first one added wins. */
  add(entry: PropertyEntry<T>): void {
    if (entry.id > LARGEST_ID) return;
    const row = this.#row(entry.set) ?? this.#newRow(entry.set);
    row.entries[entry.id] ??= entry;
  }

  /** Adds the miniport's items that have a handler. */
  addAutomation(table: PCAUTOMATION_TABLE | null | undefined): void {
    for (const item of table?.properties ?? []) this.add(new PropertyEntry<T>(item, null));
  }

  /** Adds the port's properties: those it owns, or those that a miniport may override. */
  addPort(properties: readonly PortProperty<T>[], owned: boolean): void {
    for (const property of properties) {
      if (property.owned === owned) this.add(new PropertyEntry<T>(null, property));
    }
  }

  /** The entry, null when the set is known but not the id, undefined when the set is unknown. */
  find(w0: number, w1: number, w2: number, w3: number, id: number): PropertyEntry<T> | null | undefined {
    const rows = this.#rows;
    for (let i = 0; i < rows.length; i++) {
      const row = rows[i] as SetRow<T>;
      const set = row.set;
      if (set.w0 === w0 && set.w1 === w1 && set.w2 === w2 && set.w3 === w3) return row.entries[id] ?? null;
    }
    return undefined;
  }

  /** The sets, in order of first mention: the answer to a SETSUPPORT request with GUID_NULL. */
  get sets(): readonly GUID[] {
    return this.#rows.map((row) => row.set);
  }

  #row(set: GUID): SetRow<T> | undefined {
    return this.#rows.find((row) => row.set.equals(set));
  }

  #newRow(set: GUID): SetRow<T> {
    const row: SetRow<T> = { set, entries: [] };
    this.#rows.push(row);
    return row;
  }
}
