import type { GUID } from '../../com/index.ts';
import type { NTSTATUS } from '../../kernel/index.ts';
import type { KSPIN_DESCRIPTOR } from '../../ks/index.ts';
import type { PCEVENT_REQUEST } from './event-request.ts';
import type { PCMETHOD_REQUEST } from './method-request.ts';
import type { PCPROPERTY_REQUEST } from './property-request.ts';

export type { KSPIN_DESCRIPTOR } from '../../ks/index.ts';

/** Which requests a property item answers; values are the KSPROPERTY_TYPE_* bits. */
export const PCPROPERTY_ITEM_FLAG_GET = 0x00000001;
export const PCPROPERTY_ITEM_FLAG_SET = 0x00000002;
export const PCPROPERTY_ITEM_FLAG_BASICSUPPORT = 0x00000200;
export const PCPROPERTY_ITEM_FLAG_SERIALIZERAW = 0x00002000;
export const PCPROPERTY_ITEM_FLAG_UNSERIALIZERAW = 0x00004000;
export const PCPROPERTY_ITEM_FLAG_SERIALIZESIZE = 0x00008000;
export const PCPROPERTY_ITEM_FLAG_SERIALIZE =
  PCPROPERTY_ITEM_FLAG_SERIALIZERAW |
  PCPROPERTY_ITEM_FLAG_UNSERIALIZERAW |
  PCPROPERTY_ITEM_FLAG_SERIALIZESIZE;
export const PCPROPERTY_ITEM_FLAG_DEFAULTVALUES = 0x00010000;

/** Which requests an event item answers; values are the KSEVENT_TYPE_* bits. */
export const PCEVENT_ITEM_FLAG_ENABLE = 0x00000001;
export const PCEVENT_ITEM_FLAG_ONESHOT = 0x00000002;
export const PCEVENT_ITEM_FLAG_BASICSUPPORT = 0x00000200;

/** What an event request asks of the handler. */
export const PCEVENT_VERB_NONE = 0;
export const PCEVENT_VERB_ADD = 1;
export const PCEVENT_VERB_REMOVE = 2;
export const PCEVENT_VERB_SUPPORT = 4;

/** Parameter passing of a method; values are the KSMETHOD_TYPE_* bits. Methods are declared but never dispatched. */
export const PCMETHOD_ITEM_FLAG_NONE = 0x00000000;
export const PCMETHOD_ITEM_FLAG_READ = 0x00000001;
export const PCMETHOD_ITEM_FLAG_WRITE = 0x00000002;
export const PCMETHOD_ITEM_FLAG_MODIFY = 0x00000003;
export const PCMETHOD_ITEM_FLAG_SOURCE = 0x00000004;
export const PCMETHOD_ITEM_FLAG_BASICSUPPORT = 0x00000200;

/** What handlers return: a status, or nothing for STATUS_SUCCESS. */
// biome-ignore lint/suspicious/noConfusingVoidType: a handler that just ends has succeeded
export type HandlerStatus = NTSTATUS | void;

/**
 * A miniport's property handler, at PASSIVE_LEVEL. Success is returned (nothing counts as STATUS_SUCCESS), STATUS_PENDING
 * promises a later {@link pcCompletePendingPropertyRequest}, failures are returned or thrown as NtError. Unless it is pending,
 * the request must not be touched after the handler returned: the port uses it again.
 */
export type PCPFNPROPERTY_HANDLER = (propertyRequest: PCPROPERTY_REQUEST) => HandlerStatus;
/** A miniport's event handler; see {@link PCEVENT_REQUEST}. */
export type PCPFNEVENT_HANDLER = (eventRequest: PCEVENT_REQUEST) => HandlerStatus;
/** A miniport's method handler. The audio port drivers dispatch no methods, so it is never called. */
export type PCPFNMETHOD_HANDLER = (methodRequest: PCMETHOD_REQUEST) => HandlerStatus;

/** One property of a filter, pin or node (DDI page PCPROPERTY_ITEM). Drivers may extend it with fields of their own. */
export interface PCPROPERTY_ITEM {
  readonly set: GUID;
  readonly id: number;
  /** PCPROPERTY_ITEM_FLAG_* */
  readonly flags: number;
  readonly handler: PCPFNPROPERTY_HANDLER;
}

/** One method (DDI page PCMETHOD_ITEM); accepted in tables, never dispatched. */
export interface PCMETHOD_ITEM {
  readonly set: GUID;
  readonly id: number;
  readonly flags: number;
  readonly handler: PCPFNMETHOD_HANDLER;
}

/** One event of a filter, pin or node (DDI page PCEVENT_ITEM). */
export interface PCEVENT_ITEM {
  readonly set: GUID;
  readonly id: number;
  /** PCEVENT_ITEM_FLAG_* */
  readonly flags: number;
  readonly handler: PCPFNEVENT_HANDLER;
}

/** The properties, methods and events of one filter, pin factory or node (DDI page PCAUTOMATION_TABLE). */
export interface PCAUTOMATION_TABLE {
  readonly properties?: readonly PCPROPERTY_ITEM[];
  readonly methods?: readonly PCMETHOD_ITEM[];
  readonly events?: readonly PCEVENT_ITEM[];
}

/** Instance counts: any number of instances. */
export const PCPIN_INSTANCES_UNLIMITED = 0xffffffff;

/** One pin factory (DDI page PCPIN_DESCRIPTOR). Bridge pins have three zero counts and no automation table. */
export interface PCPIN_DESCRIPTOR {
  /** Over all instances of the filter; 0xFFFFFFFF = unlimited, 0 = cannot be instantiated. */
  readonly maxGlobalInstanceCount: number;
  /** On one instance of the filter; same special values. */
  readonly maxFilterInstanceCount: number;
  /** How many must exist before the filter can function. */
  readonly minFilterInstanceCount: number;
  readonly automationTable?: PCAUTOMATION_TABLE | null;
  /** `interfaces` is ignored; no `mediums` means KSMEDIUM_STANDARD_DEVIO alone. */
  readonly kspinDescriptor: KSPIN_DESCRIPTOR;
}

/** One node (DDI page PCNODE_DESCRIPTOR). */
export interface PCNODE_DESCRIPTOR {
  readonly flags?: number;
  readonly automationTable?: PCAUTOMATION_TABLE | null;
  readonly type: GUID;
  /** null: the node's name is that of its type. */
  readonly name: GUID | null;
}

/** `fromNode`/`toNode` of a connection whose end is a filter pin; also PCPROPERTY_REQUEST.node when no node is addressed. */
export const PCFILTER_NODE = 0xffffffff;

/** One connection between nodes or filter pins (DDI page PCCONNECTION_DESCRIPTOR = KSTOPOLOGY_CONNECTION). */
export interface PCCONNECTION_DESCRIPTOR {
  readonly fromNode: number;
  readonly fromNodePin: number;
  readonly toNode: number;
  readonly toNodePin: number;
}

/**
 * A miniport's filter (DDI page PCFILTER_DESCRIPTOR). The port keeps the object that IMiniport.getDescription returned and
 * reads it for as long as the port lives: it must not change.
 */
export interface PCFILTER_DESCRIPTOR {
  readonly version?: number;
  readonly automationTable?: PCAUTOMATION_TABLE | null;
  readonly pins: readonly PCPIN_DESCRIPTOR[];
  readonly nodes: readonly PCNODE_DESCRIPTOR[];
  readonly connections: readonly PCCONNECTION_DESCRIPTOR[];
  /** Interface classes to register the subdevice in; absent or empty: the port's own default list. */
  readonly categories?: readonly GUID[];
}
