import { CUnknown, type IID, type IUnknown } from '../../com/index.ts';
import {
  type CM_PARTIAL_RESOURCE_DESCRIPTOR,
  type CM_RESOURCE_LIST,
  makeResourceList,
  NtError,
  PASSIVE_LEVEL,
  requireIrql,
  resourceDescriptors,
  STATUS_INSUFFICIENT_RESOURCES,
  STATUS_INVALID_PARAMETER,
} from '../../kernel/index.ts';
import { type CM_RESOURCE_TYPE, IID_IResourceList, type IResourceList } from '../ddi/index.ts';

/** IResourceList over two parallel lists: translated and raw descriptors. */
class ResourceList extends CUnknown implements IResourceList {
  readonly #translated: CM_PARTIAL_RESOURCE_DESCRIPTOR[];
  readonly #untranslated: CM_PARTIAL_RESOURCE_DESCRIPTOR[];
  readonly #maximumEntries: number;

  constructor(
    outerUnknown: IUnknown | null,
    translated: readonly CM_PARTIAL_RESOURCE_DESCRIPTOR[],
    untranslated: readonly CM_PARTIAL_RESOURCE_DESCRIPTOR[],
    maximumEntries: number,
  ) {
    super('ResourceList', outerUnknown);
    this.#translated = [...translated];
    this.#untranslated = [...untranslated];
    this.#maximumEntries = maximumEntries;
  }

  numberOfEntries(): number {
    requireIrql(PASSIVE_LEVEL, 'IResourceList::NumberOfEntries');
    return this.#translated.length;
  }

  numberOfEntriesOfType(type: CM_RESOURCE_TYPE): number {
    requireIrql(PASSIVE_LEVEL, 'IResourceList::NumberOfEntriesOfType');
    let count = 0;
    for (const entry of this.#translated) if (entry.type === type) count++;
    return count;
  }

  findTranslatedEntry(type: CM_RESOURCE_TYPE, index: number): CM_PARTIAL_RESOURCE_DESCRIPTOR | null {
    requireIrql(PASSIVE_LEVEL, 'IResourceList::FindTranslatedEntry');
    return find(this.#translated, type, index);
  }

  findUntranslatedEntry(type: CM_RESOURCE_TYPE, index: number): CM_PARTIAL_RESOURCE_DESCRIPTOR | null {
    requireIrql(PASSIVE_LEVEL, 'IResourceList::FindUntranslatedEntry');
    return find(this.#untranslated, type, index);
  }

  addEntry(translated: CM_PARTIAL_RESOURCE_DESCRIPTOR, untranslated: CM_PARTIAL_RESOURCE_DESCRIPTOR): void {
    requireIrql(PASSIVE_LEVEL, 'IResourceList::AddEntry');
    if (this.#translated.length >= this.#maximumEntries) {
      throw new NtError(
        STATUS_INSUFFICIENT_RESOURCES,
        `the list holds its ${this.#maximumEntries} entries already`,
      );
    }
    this.#translated.push(translated);
    this.#untranslated.push(untranslated);
  }

  addEntryFromParent(parent: IResourceList, type: CM_RESOURCE_TYPE, index: number): void {
    requireIrql(PASSIVE_LEVEL, 'IResourceList::AddEntryFromParent');
    const translated = parent.findTranslatedEntry(type, index);
    const untranslated = parent.findUntranslatedEntry(type, index);
    if (translated === null || untranslated === null) {
      throw new NtError(STATUS_INVALID_PARAMETER, `the parent list has no ${type} entry ${index}`);
    }
    this.addEntry(translated, untranslated);
  }

  translatedList(): CM_RESOURCE_LIST {
    requireIrql(PASSIVE_LEVEL, 'IResourceList::TranslatedList');
    return makeResourceList(this.#translated);
  }

  untranslatedList(): CM_RESOURCE_LIST {
    requireIrql(PASSIVE_LEVEL, 'IResourceList::UntranslatedList');
    return makeResourceList(this.#untranslated);
  }

  protected override nonDelegatingQueryInterface(iid: IID<unknown>): object | null {
    return iid.guid.equals(IID_IResourceList.guid) ? this : super.nonDelegatingQueryInterface(iid);
  }
}

function find(
  list: readonly CM_PARTIAL_RESOURCE_DESCRIPTOR[],
  type: CM_RESOURCE_TYPE,
  index: number,
): CM_PARTIAL_RESOURCE_DESCRIPTOR | null {
  let left = index;
  for (const entry of list) if (entry.type === type && left-- === 0) return entry;
  return null;
}

/**
 * A resource list over what the PnP manager assigned (DDI page PcNewResourceList); full, so that nothing can be added. One
 * reference for the caller. Throws STATUS_INVALID_PARAMETER when the two lists differ in length. PASSIVE_LEVEL.
 */
export function pcNewResourceList(
  translatedResources: CM_RESOURCE_LIST | null,
  untranslatedResources: CM_RESOURCE_LIST | null,
  outerUnknown: IUnknown | null = null,
): IResourceList {
  requireIrql(PASSIVE_LEVEL, 'PcNewResourceList');
  const translated = resourceDescriptors(translatedResources);
  const untranslated = resourceDescriptors(untranslatedResources);
  if (translated.length !== untranslated.length) {
    throw new NtError(
      STATUS_INVALID_PARAMETER,
      `${translated.length} translated and ${untranslated.length} raw resources; the lists must be parallel`,
    );
  }
  return new ResourceList(outerUnknown, translated, untranslated, translated.length);
}

/**
 * An empty list for part of a parent's resources (DDI page PcNewResourceSublist), with room for `maximumEntries`. One
 * reference for the caller. PASSIVE_LEVEL.
 */
export function pcNewResourceSublist(
  parentList: IResourceList,
  maximumEntries: number,
  outerUnknown: IUnknown | null = null,
): IResourceList {
  requireIrql(PASSIVE_LEVEL, 'PcNewResourceSublist');
  if (!Number.isInteger(maximumEntries) || maximumEntries < 1 || parentList === null) {
    throw new NtError(
      STATUS_INVALID_PARAMETER,
      `a sublist needs room for at least one entry, not ${maximumEntries}`,
    );
  }
  return new ResourceList(outerUnknown, [], [], maximumEntries);
}
