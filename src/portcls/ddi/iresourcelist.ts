import { guid, IID, type IUnknown } from '../../com/index.ts';
import type { CM_PARTIAL_RESOURCE_DESCRIPTOR, CM_RESOURCE_LIST } from '../../kernel/index.ts';

/** Kind of a resource, as in CM_PARTIAL_RESOURCE_DESCRIPTOR.type. */
export type CM_RESOURCE_TYPE = CM_PARTIAL_RESOURCE_DESCRIPTOR['type'];

/**
 * The resources of a device or part of them (DDI page IResourceList): entries in translated and untranslated (raw) form,
 * counted from 0 within each type. All methods at PASSIVE_LEVEL.
 */
export interface IResourceList extends IUnknown {
  numberOfEntries(): number;
  numberOfEntriesOfType(type: CM_RESOURCE_TYPE): number;
  /** The `index`-th entry of `type`, or null. Lives as long as the list. */
  findTranslatedEntry(type: CM_RESOURCE_TYPE, index: number): CM_PARTIAL_RESOURCE_DESCRIPTOR | null;
  findUntranslatedEntry(type: CM_RESOURCE_TYPE, index: number): CM_PARTIAL_RESOURCE_DESCRIPTOR | null;
  /** Adds an entry; throws STATUS_INSUFFICIENT_RESOURCES when the list is full (a list made from the PnP manager's always is). */
  addEntry(translated: CM_PARTIAL_RESOURCE_DESCRIPTOR, untranslated: CM_PARTIAL_RESOURCE_DESCRIPTOR): void;
  /** Copies an entry of `parent`; throws STATUS_INVALID_PARAMETER when it is missing, STATUS_INSUFFICIENT_RESOURCES when full. */
  addEntryFromParent(parent: IResourceList, type: CM_RESOURCE_TYPE, index: number): void;
  translatedList(): CM_RESOURCE_LIST;
  untranslatedList(): CM_RESOURCE_LIST;
}

export const IID_IResourceList = new IID<IResourceList>(
  'IID_IResourceList',
  guid('{22C6AC60-851B-11D0-9A7F-00AA0038ACFE}'),
);
