import type { GUID } from '../../com/index.ts';
import { type KSPROPERTY_ITEM, type KSPROPERTY_SET, ksPropertyName } from '../../ks/index.ts';
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

/** One entry of a {@link PropertyTable}: the miniport's item, the port's property, or an item that KS serves. */
export class PropertyEntry<T> {
  readonly set: GUID;
  readonly id: number;
  /** KSPROPERTY_TYPE_* that it answers; basic support always among them. */
  readonly accessFlags: number;
  /** The miniport's item, or null for a property of the port's. */
  readonly item: PCPROPERTY_ITEM | null;
  readonly port: PortProperty<T> | null;
  /** An item of the port's KS sets, which KS itself serves, or null. */
  readonly ks: KSPROPERTY_ITEM | null;
  /** Under which calls of the miniport's handler are traced: 'PropertyHandler(KSPROPERTY_AUDIO_VOLUMELEVEL)'. */
  readonly traceName: string;

  private constructor(
    set: GUID,
    id: number,
    accessFlags: number,
    source: { item?: PCPROPERTY_ITEM; port?: PortProperty<T>; ks?: KSPROPERTY_ITEM },
  ) {
    this.set = set;
    this.id = id;
    this.accessFlags = accessFlags | BASICSUPPORT;
    this.item = source.item ?? null;
    this.port = source.port ?? null;
    this.ks = source.ks ?? null;
    this.traceName = `PropertyHandler(${ksPropertyName(set, id)})`;
  }

  static ofItem<T>(item: PCPROPERTY_ITEM): PropertyEntry<T> {
    return new PropertyEntry<T>(item.set, item.id, item.flags, { item });
  }

  static ofPort<T>(port: PortProperty<T>): PropertyEntry<T> {
    const get = port.onGet === undefined ? 0 : GET;
    const set = port.onSet === undefined ? 0 : SET;
    return new PropertyEntry<T>(port.set, port.id, get | set, { port });
  }

  static ofKs<T>(set: GUID, ks: KSPROPERTY_ITEM): PropertyEntry<T> {
    return new PropertyEntry<T>(set, ks.propertyId, 0, { ks });
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
    for (const item of table?.properties ?? []) this.add(PropertyEntry.ofItem<T>(item));
  }

  /** Adds the port's properties: those it owns, or those that a miniport may override. */
  addPort(properties: readonly PortProperty<T>[], owned: boolean): void {
    for (const property of properties) {
      if (property.owned === owned) this.add(PropertyEntry.ofPort(property));
    }
  }

  /** Adds the items of KS sets that `which` picks. */
  addKs(sets: readonly KSPROPERTY_SET[], which: (set: KSPROPERTY_SET, id: number) => boolean): void {
    for (const set of sets) {
      for (const item of set.propertyItem) {
        if (which(set, item.propertyId)) this.add(PropertyEntry.ofKs<T>(set.set, item));
      }
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
