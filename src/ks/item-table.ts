import type { GUID } from '../com/index.ts';
import type { KsRequest } from './request.ts';

/** The items of one set, found by id. */
export class KsItemSet<T> {
  readonly set: GUID;
  readonly items: ReadonlyMap<number, T>;
  // Ids of a set are small and dense as a rule: then an index is faster than a hash.
  readonly #dense: readonly (T | undefined)[];

  constructor(set: GUID, items: ReadonlyMap<number, T>) {
    this.set = set;
    this.items = items;
    const dense: (T | undefined)[] = [];
    for (const [id, item] of items) if (id < DENSE_IDS) dense[id] = item;
    for (let id = 0; id < dense.length; id++) dense[id] ??= undefined;
    this.#dense = dense;
  }

  find(id: number): T | undefined {
    return id < DENSE_IDS ? this.#dense[id] : this.items.get(id);
  }
}

const DENSE_IDS = 128;

/** Where a request goes: sets by GUID, items by id. Made once for a table of sets; a look-up builds no string and no object. */
export class KsItemTable<T> {
  readonly sets: readonly KsItemSet<T>[];
  readonly #byFirstWord = new Map<number, KsItemSet<T>[]>();

  /** Of two items with the same set and id the first counts; sets may be listed more than once. */
  constructor(
    sets: readonly { readonly set: GUID; readonly items: readonly (readonly [id: number, item: T])[] }[],
  ) {
    const merged: { set: GUID; items: Map<number, T> }[] = [];
    for (const { set, items } of sets) {
      let entry = merged.find((known) => known.set.equals(set));
      if (entry === undefined) {
        entry = { set, items: new Map() };
        merged.push(entry);
      }
      for (const [id, item] of items) if (!entry.items.has(id)) entry.items.set(id, item);
    }
    this.sets = merged.map(({ set, items }) => new KsItemSet(set, items));
    for (const set of this.sets) {
      const bucket = this.#byFirstWord.get(set.set.w0);
      if (bucket === undefined) this.#byFirstWord.set(set.set.w0, [set]);
      else bucket.push(set);
    }
  }

  /** The set that a request names, or undefined. */
  findSet(request: KsRequest): KsItemSet<T> | undefined {
    const bucket = this.#byFirstWord.get(request.setWord0);
    if (bucket === undefined) return undefined;
    for (const candidate of bucket) {
      const { set } = candidate;
      if (set.w1 === request.setWord1 && set.w2 === request.setWord2 && set.w3 === request.setWord3)
        return candidate;
    }
    return undefined;
  }
}
